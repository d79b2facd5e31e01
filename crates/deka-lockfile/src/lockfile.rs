//! What a lockfile says, as values.

use deka_graph::{Edge, EdgeKind, Graph, Package, Resolution};
use deka_manifest::{Alias, Bin, PackageJson, PackageName, Platforms, Symbol};

/// A lockfile: the resolved graph and what the manifests asked for when it was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// The format's version as it was loaded, or [`Lockfile::NEW_VERSION`].
    pub version: u32,
    /// Which defaults the project was set up with: 1 for new projects, 0 for files without it.
    pub config_version: u32,
    /// The root (its path is empty) and the workspaces by path.
    pub workspaces: Vec<WorkspaceEntry>,
    /// Packages whose scripts may run, in printing order; `None` without such a list.
    pub trusted_dependencies: Option<Vec<Symbol>>,
    /// `name@version` to the path of its patch, in printing order.
    pub patched_dependencies: Vec<(Symbol, Symbol)>,
    /// Overrides by name.
    pub overrides: Vec<(Symbol, OverrideRule)>,
    /// The default catalog by name.
    pub catalog: Vec<(Alias, Symbol)>,
    /// The named catalogs, by catalog and name.
    pub catalogs: Vec<(Symbol, Vec<(Alias, Symbol)>)>,
    /// Which packages got edges that their manifests lack, by `name@version`.
    pub package_extensions: Vec<(Symbol, PackageExtension)>,
    /// Packages and edges.
    pub graph: Graph,
}

/// What one manifest of the project asks for, as its text has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkspaceEntry {
    /// The folder below the root; empty for the root itself.
    pub path: String,
    /// Its name.
    pub name: Option<Symbol>,
    /// Its version if that is valid; never the root's.
    pub version: Option<Symbol>,
    /// Its commands; never the root's.
    pub bin: Bin,
    /// `dependencies` by name.
    pub dependencies: Vec<(Alias, Symbol)>,
    /// `devDependencies` by name.
    pub dev_dependencies: Vec<(Alias, Symbol)>,
    /// `optionalDependencies` by name.
    pub optional_dependencies: Vec<(Alias, Symbol)>,
    /// `peerDependencies` by name.
    pub peer_dependencies: Vec<(Alias, Symbol)>,
    /// Which of the peers may be missing, by name.
    pub optional_peers: Vec<Alias>,
    /// Optional dependencies that lead nowhere although something of their name is in sight; the
    /// lockfile's own addition, no manifest says so.
    pub unresolved: Vec<Alias>,
}

/// What one key of `overrides` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideRule {
    /// Every dependency of that name gets this spec.
    Everywhere(Symbol),
    /// By the names below that package; `.` is the package itself.
    Scoped(Vec<(Symbol, Symbol)>),
}

/// What `packageExtensions` did to the edges of one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageExtension {
    /// Added dependencies, optional ones too, by name.
    pub dependencies: Vec<Symbol>,
    /// Added peers by name.
    pub peer_dependencies: Vec<Symbol>,
    /// The package's own peers that became optional, by name.
    pub optional_peers: Vec<Symbol>,
}

impl Lockfile {
    /// The version of the format that a new lockfile gets.
    pub const NEW_VERSION: u32 = 2;
    /// The newest version that is understood.
    pub const NEWEST_VERSION: u32 = 3;

    /// Returns the lockfile of a new project.
    pub fn new(graph: Graph) -> Self {
        Self {
            version: Self::NEW_VERSION,
            config_version: 1,
            workspaces: Vec::new(),
            trusted_dependencies: None,
            patched_dependencies: Vec::new(),
            overrides: Vec::new(),
            catalog: Vec::new(),
            catalogs: Vec::new(),
            package_extensions: Vec::new(),
            graph,
        }
    }

    /// Returns the root's entry.
    pub fn root(&self) -> Option<&WorkspaceEntry> {
        self.workspaces.first().filter(|entry| entry.path.is_empty())
    }

    /// Returns the entry of the workspace in the folder `path`, `""` being the root.
    pub fn workspace(&self, path: &str) -> Option<&WorkspaceEntry> {
        self.workspaces.iter().find(|entry| entry.path == path)
    }

    /// Whether some override applies below one package only.
    pub fn has_scoped_overrides(&self) -> bool {
        self.overrides.iter().any(|(_, rule)| matches!(rule, OverrideRule::Scoped(_)))
    }
}

impl WorkspaceEntry {
    /// Returns what a lockfile says of the manifest in the folder `path`, `""` being the root:
    /// every group by name, without what `optionalDependencies` take from `dependencies`.
    pub fn from_manifest(path: &str, manifest: &PackageJson) -> Self {
        let is_root = path.is_empty();
        let sorted = |group: &[(Alias, Symbol)]| {
            let mut group = group.to_vec();
            group.sort();
            group
        };
        let mut dependencies = sorted(&manifest.dependencies);
        let optional = &manifest.optional_dependencies;
        dependencies.retain(|(alias, _)| !optional.iter().any(|(known, _)| known == alias));
        let mut optional_peers = manifest.optional_peers.clone();
        optional_peers.sort();
        Self {
            path: path.to_owned(),
            name: manifest.name,
            version: manifest.version.filter(|_| !is_root && manifest.parsed_version().is_some()),
            bin: if is_root { Bin::None } else { manifest.bin.clone() },
            dependencies,
            dev_dependencies: sorted(&manifest.dev_dependencies),
            optional_dependencies: sorted(optional),
            peer_dependencies: sorted(&manifest.peer_dependencies),
            optional_peers,
            unresolved: Vec::new(),
        }
    }

    /// Returns the package of the graph that the manifest stands for, without edges.
    pub(crate) fn package(&self) -> Package {
        let is_root = self.path.is_empty();
        let name = self.name.and_then(|name| PackageName::parse(&name).ok());
        Package {
            name: name.unwrap_or_else(PackageName::of_nameless_project),
            resolution: if is_root {
                Resolution::Root
            } else {
                Resolution::Workspace(Symbol::new(&self.path))
            },
            integrity: Symbol::new(""),
            bun_tag: None,
            platforms: Platforms::ALL,
            has_install_script: false,
            bin: self.bin.clone(),
            edges: 0..0,
        }
    }

    /// Returns the edges that the manifest asks for, without targets.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Edge> {
        self.groups().into_iter().flat_map(move |(kind, group)| {
            group.iter().map(move |(alias, spec)| Edge {
                alias: *alias,
                spec: *spec,
                kind,
                optional_peer: kind == EdgeKind::Peer && self.optional_peers.contains(alias),
                bundled: false,
                target: None,
            })
        })
    }

    /// Returns the groups in the order in which they are printed.
    pub fn groups(&self) -> [(EdgeKind, &[(Alias, Symbol)]); 4] {
        [
            (EdgeKind::Prod, &self.dependencies),
            (EdgeKind::Dev, &self.dev_dependencies),
            (EdgeKind::Optional, &self.optional_dependencies),
            (EdgeKind::Peer, &self.peer_dependencies),
        ]
    }
}
