//! What is to be resolved.

use deka_graph::{EdgeKind, Graph, PackageId};
use deka_manifest::{Alias, Bin, PackageJson, PackageName, Symbol, Target, Version};
use hashbrown::{HashMap, HashSet};

use crate::{Added, Extensions, Overrides, ReleaseAge, Warning};

/// Everything that the answer depends on besides packuments.
#[derive(Debug, Default)]
pub struct Input<'a> {
    /// The project itself.
    pub root: Importer,
    /// The members of its workspaces, in any order.
    pub workspaces: Vec<Importer>,
    /// What replaces the specs of dependencies.
    pub overrides: Overrides,
    /// What `catalog:` stands for.
    pub catalogs: Catalogs,
    /// What manifests of packages lack.
    pub extensions: Extensions,
    /// Versions that have a patch (`name@version`): never exchanged for others.
    pub patched: HashSet<Symbol>,
    /// What was resolved before.
    pub locked: Option<Locked<'a>>,
    /// How to resolve.
    pub options: Options,
}

impl Input<'_> {
    /// Reads manifests: the root's, and those of workspaces with their folders.
    pub fn from_manifests<'m>(
        root: &PackageJson,
        workspaces: impl IntoIterator<Item = (&'m str, &'m PackageJson)>,
    ) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let input = Self {
            root: Importer::from_manifest("", root, &mut warnings),
            workspaces: workspaces
                .into_iter()
                .map(|(path, manifest)| Importer::from_manifest(path, manifest, &mut warnings))
                .collect(),
            overrides: Overrides::new(&root.overrides),
            catalogs: Catalogs::from_manifest(root),
            extensions: Extensions::new(&root.package_extensions),
            patched: root.patched_dependencies.iter().map(|(package, _)| *package).collect(),
            ..Self::default()
        };
        (input, warnings)
    }
}

/// The answer of an earlier run, from a lockfile.
#[derive(Debug, Clone, Copy)]
pub struct Locked<'a> {
    /// Packages and edges; the root first.
    pub graph: &'a Graph,
    /// Packages that are not what they were then, such as folders with another manifest.
    pub stale: &'a HashSet<PackageId>,
    /// What extensions had added then to packages, by `name@version`.
    pub added: &'a HashMap<Symbol, HashSet<Added>>,
    /// The overrides that held then.
    pub overrides: &'a Overrides,
    /// The catalogs that held then.
    pub catalogs: &'a Catalogs,
    /// What is to be as new as can be.
    pub update: Option<Update<'a>>,
}

impl Locked<'_> {
    pub(crate) fn is_updated(&self, package: PackageId) -> bool {
        self.update.is_some_and(|update| update.packages.contains(&package))
    }
}

/// What is to be as new as the ranges allow.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// Packages of the lockfile.
    pub packages: &'a HashSet<PackageId>,
    /// The folders of the root and the workspaces that it is about. Others ask again for these
    /// packages, too, but are content with what there is.
    pub importers: &'a [String],
}

/// How to resolve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Nothing younger than this is picked.
    pub release_age: Option<ReleaseAge>,
    /// Whether a plain range that a workspace's version satisfies leads to the workspace.
    pub link_workspaces: bool,
    /// What is installed for; packages for other platforms are resolved but not announced.
    pub target: Option<Target>,
    /// The URL below which tarballs are not written into the lockfile, with a slash at its end.
    pub registry_without_urls: Symbol,
    /// Whether locked versions fall away, too, where one of the others in the lockfile would do.
    pub deduplicates: bool,
    /// Versions that are picked, the first that is in the range, before all others of a package.
    pub preferred: HashMap<PackageName, Vec<Version>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            release_age: None,
            link_workspaces: true,
            target: None,
            registry_without_urls: Symbol::new(""),
            deduplicates: false,
            preferred: HashMap::new(),
        }
    }
}

/// A manifest of the project: the root's or a workspace's.
#[derive(Debug, Clone, Default)]
pub struct Importer {
    /// The folder below the root; empty for the root itself.
    pub path: String,
    /// Its name.
    pub name: Option<PackageName>,
    /// Its version, if that is one.
    pub version: Option<Version>,
    /// Its commands.
    pub bin: Bin,
    /// What it depends on; of equal names only the row that counts.
    pub rows: Vec<Row>,
}

impl Importer {
    /// Reads the manifest in the folder `path`.
    ///
    /// Of a name in several groups one row counts: `optionalDependencies` come before
    /// `devDependencies`, these before `dependencies`. A peer that another group has as well counts
    /// besides: what it asks for is not placed, but takes part in choosing versions, as with Bun.
    pub fn from_manifest(path: &str, manifest: &PackageJson, warnings: &mut Vec<Warning>) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let mut row_of: HashMap<Alias, usize> = HashMap::new();
        let groups = [
            (EdgeKind::Optional, &manifest.optional_dependencies),
            (EdgeKind::Dev, &manifest.dev_dependencies),
            (EdgeKind::Prod, &manifest.dependencies),
            (EdgeKind::Peer, &manifest.peer_dependencies),
        ];
        for (kind, group) in groups {
            for (alias, spec) in group {
                if let Some(known) = row_of.get(alias) {
                    let kept = rows[*known].kind;
                    if (kept, kind) == (EdgeKind::Dev, EdgeKind::Prod) {
                        warnings.push(Warning::DuplicateDependency {
                            path: path.to_owned(),
                            alias: *alias,
                            kept,
                            dropped: kind,
                        });
                    }
                    if kind != EdgeKind::Peer {
                        continue;
                    }
                }
                row_of.entry(*alias).or_insert(rows.len());
                let optional_peer =
                    kind == EdgeKind::Peer && manifest.optional_peers.contains(alias);
                rows.push(Row { optional_peer, ..Row::new(*alias, *spec, kind) });
            }
        }
        Self {
            path: path.to_owned(),
            name: manifest.package_name(),
            version: manifest.parsed_version(),
            bin: manifest.bin.clone(),
            rows,
        }
    }
}

/// One entry of a manifest's dependency groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The name the dependent uses.
    pub alias: Alias,
    /// What it asks for, verbatim.
    pub spec: Symbol,
    /// The group.
    pub kind: EdgeKind,
    /// For a peer: whether it may be missing.
    pub optional_peer: bool,
    /// Whether the dependent ships it inside its own tarball.
    pub bundled: bool,
}

impl Row {
    /// Returns a row that is neither an optional peer nor bundled.
    pub const fn new(alias: Alias, spec: Symbol, kind: EdgeKind) -> Self {
        Self { alias, spec, kind, optional_peer: false, bundled: false }
    }
}

/// What `catalog:` and `catalog:name` stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogs {
    /// `catalog:`.
    pub default: HashMap<Alias, Symbol>,
    /// `catalog:name`.
    pub named: HashMap<Symbol, HashMap<Alias, Symbol>>,
}

impl Catalogs {
    /// Reads the catalogs of the root's manifest.
    pub fn from_manifest(root: &PackageJson) -> Self {
        Self {
            default: root.catalog.iter().copied().collect(),
            named: root
                .catalogs
                .iter()
                .map(|(name, catalog)| (*name, catalog.iter().copied().collect()))
                .collect(),
        }
    }

    /// Returns what a catalog says about a dependency.
    pub fn get(&self, catalog: Option<Symbol>, alias: Alias) -> Option<Symbol> {
        match catalog {
            None => self.default.get(&alias).copied(),
            Some(name) => match self.named.get(&name) {
                Some(catalog) => catalog.get(&alias).copied(),
                None if name.as_str() == "default" => self.default.get(&alias).copied(),
                None => None,
            },
        }
    }
}
