//! Packages, edges, and what a package was resolved to.

use std::fmt;
use std::ops::Range;

use deka_manifest::{Alias, Bin, PackageName, Platforms, Symbol, Target, Version};
use hashbrown::HashSet;

/// A package in a [`Graph`]; `PackageId::ROOT` is the project itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageId(pub u32);

impl PackageId {
    /// The project that is being installed.
    pub const ROOT: Self = Self(0);

    /// Returns the place in [`Graph::packages`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An edge in a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EdgeId(pub u32);

impl EdgeId {
    /// Returns the place in [`Graph::edges`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which group of a manifest an edge comes from, in the order in which placement visits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeKind {
    /// From the root to a workspace (not written in any group).
    Workspace,
    /// `devDependencies`.
    Dev,
    /// `optionalDependencies`.
    Optional,
    /// `dependencies`.
    Prod,
    /// `peerDependencies`.
    Peer,
}

impl EdgeKind {
    /// Returns the word for it, for people and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Dev => "dev",
            Self::Optional => "optional",
            Self::Prod => "prod",
            Self::Peer => "peer",
        }
    }

    /// Returns the field of `package.json` that such edges come from.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Workspace => "workspaces",
            Self::Dev => "devDependencies",
            Self::Optional => "optionalDependencies",
            Self::Prod => "dependencies",
            Self::Peer => "peerDependencies",
        }
    }

    /// Whether a package for these platforms is installed on `target` for such a dependency.
    ///
    /// As with Bun, `libc` counts only for optional dependencies: whoever requires the other C library's
    /// variant gets it.
    pub fn is_accepted(self, target: &Target, platforms: &Platforms) -> bool {
        match self {
            Self::Optional => target.accepts_with_libc(platforms),
            Self::Workspace | Self::Dev | Self::Prod | Self::Peer => target.accepts(platforms),
        }
    }
}

/// One dependency of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The name the dependent uses.
    pub alias: Alias,
    /// What it asks for, verbatim as its manifest has it, before overrides.
    pub spec: Symbol,
    /// The group it stands in.
    pub kind: EdgeKind,
    /// For a peer: whether `peerDependenciesMeta` says it may be missing.
    pub optional_peer: bool,
    /// Whether the dependent ships it inside its own tarball.
    pub bundled: bool,
    /// What it leads to; `None` when nothing was found (optional, or a peer that nobody provides).
    pub target: Option<PackageId>,
}

impl Edge {
    /// Whether it is a peer that is never installed for its own sake: it leads to what happens to
    /// be there, which [`hoist`](crate::hoist()) finds out; see also [`Graph::sole_ways`].
    pub fn is_optional_peer(&self) -> bool {
        self.optional_peer && self.kind == EdgeKind::Peer
    }

    /// Whether an install may go on without the target.
    pub fn may_be_missing(&self) -> bool {
        self.optional_peer || self.kind == EdgeKind::Optional
    }
}

/// Where the bytes of an npm package lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TarballLocation {
    /// At the usual place below the registry of its scope: `<registry>/<name>/-/<base>-<version>.tgz`.
    Registry,
    /// At this URL.
    Url(Symbol),
}

/// What a package was resolved to: which bytes, from where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// The project itself.
    Root,
    /// A version from a registry.
    Npm {
        /// The version.
        version: Version,
        /// Where its tarball lies.
        tarball: TarballLocation,
    },
    /// A member of the project's workspaces, by its path below the root.
    Workspace(Symbol),
    /// A folder (`file:dir`), by its path as `bun.lock` has it.
    Folder(Symbol),
    /// `link:` to a folder or a globally registered package.
    Symlink(Symbol),
    /// A tarball on disk, by its path as `bun.lock` has it.
    LocalTarball(Symbol),
    /// A tarball by URL.
    RemoteTarball(Symbol),
    /// A commit of a git repository.
    Git {
        /// The repository's URL with its `git+…:` scheme, without the commit.
        repository: Symbol,
        /// The commit, 40 hexadecimal digits where it is known in full.
        commit: Symbol,
    },
    /// An archive of a commit at GitHub.
    GitHub {
        /// `owner/repo`.
        repository: Symbol,
        /// The commit, as `bun.lock` has it (7 hexadecimal digits).
        commit: Symbol,
    },
}

impl Resolution {
    /// Whether it is an importer: the project or a member of its workspaces.
    pub fn is_importer(&self) -> bool {
        self.importer_folder().is_some()
    }

    /// Returns the folder of the project (`""`) or of a member below it; `None` for all that is no importer.
    pub fn importer_folder(&self) -> Option<&'static str> {
        match self {
            Self::Root => Some(""),
            Self::Workspace(folder) => Some(folder.as_str()),
            _ => None,
        }
    }
}

/// What stands behind the `@` of a package in `bun.lock`: the version, or what was resolved to in its
/// place. URLs have their credentials in it, so people are shown it without them only.
impl fmt::Display for Resolution {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => output.write_str("root:"),
            Self::Npm { version, .. } => version.fmt(output),
            Self::Workspace(path) => write!(output, "workspace:{path}"),
            Self::Folder(path) => write!(output, "file:{path}"),
            Self::Symlink(path) => write!(output, "link:{path}"),
            Self::LocalTarball(text) | Self::RemoteTarball(text) => output.write_str(text),
            Self::Git { repository, commit } => write!(output, "{repository}#{commit}"),
            Self::GitHub { repository, commit } => write!(output, "github:{repository}#{commit}"),
        }
    }
}

/// A package of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its real name.
    pub name: PackageName,
    /// What it was resolved to.
    pub resolution: Resolution,
    /// The SRI string, verbatim, as registry or lockfile had it; empty when there is none.
    pub integrity: Symbol,
    /// What git and GitHub packages carry in `bun.lock` besides (the folder name of the archive).
    pub bun_tag: Option<Symbol>,
    /// Where it runs.
    pub platforms: Platforms,
    /// Whether it has scripts that run when it is installed.
    pub has_install_script: bool,
    /// Its commands.
    pub bin: Bin,
    /// Its edges, as a range of [`Graph::edges`].
    pub edges: Range<u32>,
}

impl Package {
    /// Returns the version if the package comes from a registry.
    pub fn version(&self) -> Option<&Version> {
        match &self.resolution {
            Resolution::Npm { version, .. } => Some(version),
            _ => None,
        }
    }
}

/// Packages and the edges between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    packages: Vec<Package>,
    edges: Vec<Edge>,
}

impl Graph {
    /// Returns an empty graph; the first package added is the root.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty graph with room for so many packages and edges.
    pub fn with_capacity(packages: usize, edges: usize) -> Self {
        Self { packages: Vec::with_capacity(packages), edges: Vec::with_capacity(edges) }
    }

    /// Adds a package together with all its edges; edges of one package lie side by side in the
    /// order of `edges`.
    pub fn add_package(
        &mut self,
        mut package: Package,
        edges: impl IntoIterator<Item = Edge>,
    ) -> PackageId {
        let start = self.edges.len() as u32;
        self.edges.extend(edges);
        package.edges = start..self.edges.len() as u32;
        self.packages.push(package);
        PackageId(self.packages.len() as u32 - 1)
    }

    /// Returns all packages; the root is the first.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Returns the ids of all packages in order.
    pub fn package_ids(&self) -> impl Iterator<Item = PackageId> + use<> {
        (0..self.packages.len() as u32).map(PackageId)
    }

    /// Returns the root (`""`) or the member in a folder.
    pub fn importer(&self, folder: &str) -> Option<PackageId> {
        self.package_ids().find(|id| self.package(*id).resolution.importer_folder() == Some(folder))
    }

    /// Returns a package.
    pub fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.index()]
    }

    /// Returns a package to change it.
    pub fn package_mut(&mut self, id: PackageId) -> &mut Package {
        &mut self.packages[id.index()]
    }

    /// Returns all edges of all packages.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Returns an edge.
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[id.index()]
    }

    /// Returns an edge to change it.
    pub fn edge_mut(&mut self, id: EdgeId) -> &mut Edge {
        &mut self.edges[id.index()]
    }

    /// Returns the edges of one package.
    pub fn edges_of(&self, id: PackageId) -> &[Edge] {
        let range = &self.package(id).edges;
        &self.edges[range.start as usize..range.end as usize]
    }

    /// Returns the ids of the edges of one package.
    pub fn edge_ids_of(&self, id: PackageId) -> impl Iterator<Item = EdgeId> + Clone + use<> {
        self.package(id).edges.clone().map(EdgeId)
    }

    /// Returns the optional peers that lead to packages which nothing but optional peers leads to.
    ///
    /// No install makes such a package; but where a lockfile has one, it stays for as long as its
    /// dependents do.
    pub fn sole_ways(&self) -> HashSet<EdgeId> {
        let is_bound = |edge: &Edge| edge.is_optional_peer() && edge.target.is_some();
        if !self.edges.iter().any(is_bound) {
            return HashSet::new();
        }
        let without = self.reached(|edge| !edge.is_optional_peer());
        let with = self.reached(|_| true);
        let dependents = self.package_ids().filter(|id| with[id.index()]);
        dependents
            .flat_map(|id| self.edge_ids_of(id))
            .filter(|id| {
                let edge = self.edge(*id);
                edge.is_optional_peer()
                    && edge.target.is_some_and(|target| !without[target.index()])
            })
            .collect()
    }

    /// Returns for each package whether the root or a workspace leads to it over such edges.
    fn reached(&self, follows: impl Fn(&Edge) -> bool) -> Vec<bool> {
        let is_importer = |id: &PackageId| self.package(*id).resolution.is_importer();
        let mut open: Vec<PackageId> = self.package_ids().filter(is_importer).collect();
        let mut reached = vec![false; self.packages.len()];
        for id in &open {
            reached[id.index()] = true;
        }
        while let Some(id) = open.pop() {
            for edge in self.edges_of(id).iter().filter(|edge| follows(edge)) {
                if let Some(target) = edge.target
                    && !std::mem::replace(&mut reached[target.index()], true)
                {
                    open.push(target);
                }
            }
        }
        reached
    }
}
