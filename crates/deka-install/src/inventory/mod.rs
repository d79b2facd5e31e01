//! What `bun.lock` says is installed, beside what lies in `node_modules`: to be looked at, and by `prune`
//! alone to be changed.
//!
//! It is read without a store, a registry or the manifests of the project, because people and editors ask
//! all the time: `deka list` takes a few milliseconds.

mod licenses;
mod list;
mod manifest;
mod prune;

use std::path::{Path, PathBuf};

use deka_config::Config;
use deka_fs::{Dir, FileKind};
use deka_graph::{EdgeId, EdgeKind, Graph, HoistOptions, HoistedTree, NodeId, PackageId, hoist};
use deka_graph::{Node, Resolution};
use deka_linker::{HoistPatterns, IsolatedTree, LinkPlan, NativeBins, PlanOptions};
use deka_lockfile::Lockfile;
use deka_manifest::{PackageName, Symbol, Version};
use deka_resolver::Overrides;
use hashbrown::{HashMap, HashSet};

pub use licenses::{LicensedPackage, Licenses};
pub use list::{ListOptions, Listing, Problem, Row};
pub use manifest::InstalledManifest;
pub use prune::{Pruned, PrunedPackage, prune};

use crate::peers::{PeerConflict, Peers};
use crate::project::read_lockfile;
use crate::tarballs::version_text;
use crate::workspaces::{self, Filter};
use crate::{InstallError, locked, settings};

/// Which dependencies count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Groups {
    /// All that an install with these settings installs.
    #[default]
    All,
    /// The same without devDependencies.
    Production,
    /// Only what devDependencies bring in, for others or not.
    Development,
}

impl Groups {
    /// Whether an edge counts; `is_own` says that it is the project's, or that of a member.
    fn contain(self, kind: EdgeKind, is_own: bool) -> bool {
        match self {
            Self::All => true,
            Self::Production => kind != EdgeKind::Dev,
            Self::Development => !is_own || matches!(kind, EdgeKind::Dev | EdgeKind::Workspace),
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Which dependencies count.
    pub groups: Groups,
    /// Which members of the workspaces; without any, all.
    pub filters: Vec<String>,
    /// What paths in filters are relative to.
    pub folder: PathBuf,
}

/// The packages of a project.
pub struct Inventory {
    root: PathBuf,
    dir: Dir,
    graph: Graph,
    overrides: Overrides,
    /// All places of `bun.lock`.
    locked: HoistedTree,
    /// What this platform and the scope leave, as `bun.lock` places it.
    tree: HoistedTree,
    /// Where the files of each place are, below the project; `None` for links to what is the user's own.
    homes: Vec<Option<String>>,
    /// Isolated: where links are wanted.
    links: Vec<String>,
    /// Isolated: which entries are wanted.
    entries: HashSet<String>,
    /// Whether only devDependencies lead to a package.
    is_dev: Vec<bool>,
    /// The root and members that filters name; without filters `None`.
    selected: Option<HashSet<PackageId>>,
    groups: Groups,
    is_isolated: bool,
    /// Whether its `node_modules` has the links that `deka link` registers.
    has_registered: bool,
}

impl Inventory {
    /// Reads the lockfile of the project in `root`.
    pub fn read(root: &Path, config: &Config, scope: &Scope) -> Result<Self, InstallError> {
        let (dir, mut lockfile) = read_lockfile(root)?;
        let tree = hoist(&mut lockfile.graph, HoistOptions::default())?;
        let selected = select(root, &lockfile, scope)?;
        let overrides = locked::overrides(&lockfile);
        let graph = lockfile.graph;
        let target = settings::target(config);
        let options = &config.install;
        let is_installed = |edge: EdgeId, package: PackageId| {
            let kind = graph.edge(edge).kind;
            !settings::omits(options, kind)
                && kind.is_accepted(&target, &graph.package(package).platforms)
        };
        let is_selected = selected.as_ref().map(|set| workspaces::keeping(&graph, set.clone()));
        let is_in_scope = |edge: EdgeId, package: PackageId| {
            is_installed(edge, package)
                && is_selected.as_ref().is_none_or(|keep| keep(edge, package))
        };
        let is_dev = only_dev(&graph, &is_in_scope);
        let is_own = own_edges(&graph);
        let is_wanted = |edge: EdgeId, package: PackageId| {
            let is_in_group = scope.groups.contain(graph.edge(edge).kind, is_own[edge.index()]);
            is_in_group && is_in_scope(edge, package)
        };
        let locked = tree;
        let tree = locked.pruned(&graph, &is_wanted);
        let is_isolated = matches!(dir.metadata("node_modules/.bun"), Ok(Some(_)));
        let (mut links, mut entries) = (Vec::new(), HashSet::new());
        let homes = if is_isolated {
            let patterns = HoistPatterns::new(
                options.hoist_pattern.as_deref(),
                options.public_hoist_pattern.as_deref(),
            );
            let wanted = IsolatedTree::new(&graph, &patterns, &is_wanted);
            let plan_options = PlanOptions {
                target,
                native_bins: NativeBins::NONE,
                registered: HashMap::new(),
                builds: HashMap::new(),
                patches: HashMap::new(),
                edited: HashSet::new(),
                shared: None,
            };
            let plan = LinkPlan::isolated(&graph, &wanted, &plan_options)?;
            links.extend(plan.links.iter().map(|link| link.path.to_string()));
            let paths = plan.placements.iter().map(|placement| &*placement.path);
            let inner = paths.filter_map(|path| path.strip_prefix("node_modules/.bun/"));
            entries.extend(inner.filter_map(|path| path.split('/').next()).map(ToOwned::to_owned));
            isolated_homes(&graph, &tree, &plan)
        } else {
            hoisted_homes(&graph, &tree)
        };
        let has_registered = options.global_folder.as_deref() == Some(root);
        let root = root.to_owned();
        let groups = scope.groups;
        Ok(Self {
            root,
            dir,
            graph,
            overrides,
            locked,
            tree,
            homes,
            links,
            entries,
            is_dev,
            selected,
            groups,
            is_isolated,
            has_registered,
        })
    }

    /// Returns the project's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the peers that do not find what they want where they are, each once.
    pub fn peer_conflicts(&self) -> Vec<PeerConflict> {
        Peers::new(&self.graph, self.overrides.clone()).conflicts(&self.tree)
    }

    fn places(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.tree.node_ids().zip(self.tree.nodes())
    }

    fn home(&self, place: NodeId) -> Option<&str> {
        self.homes[place.index()].as_deref()
    }

    fn name(&self, package: PackageId) -> PackageName {
        self.graph.package(package).name
    }

    fn version(&self, package: PackageId) -> String {
        version_text(&self.graph.package(package).resolution)
    }

    /// Says what is wrong with the manifest that was found at a place.
    fn problem(&self, package: PackageId, found: Option<&InstalledManifest>) -> Option<Problem> {
        let Some(found) = found else { return Some(Problem::Missing) };
        let locked = self.graph.package(package).version()?;
        let installed = found.version.as_deref()?;
        // A manifest may write `v1.0.0`, or what is no version at all.
        let is_other = Version::parse(installed).is_ok_and(|installed| installed != *locked);
        is_other.then(|| Problem::Invalid { installed: installed.to_owned() })
    }

    /// Reads the manifest of what lies at a place; `None` if nothing does.
    fn installed(&self, home: &str) -> Option<InstalledManifest> {
        InstalledManifest::read(&self.dir, home)
    }

    /// Returns the names in a folder that may be packages: `a`, `@scope/b`.
    fn packages_in(&self, folder: &str) -> Vec<String> {
        let mut names = Vec::new();
        let list = |folder: &str| {
            let dir = self.dir.open_dir(folder).and_then(|dir| dir.list()).unwrap_or_default();
            dir.into_iter().filter_map(|entry| {
                let name = entry.name.into_string().ok()?;
                let is_package = match entry.kind {
                    FileKind::Directory => !name.starts_with('.'),
                    // A whole scope by symlink belongs to somebody else.
                    FileKind::Symlink => !name.starts_with(['.', '@']),
                    FileKind::File | FileKind::Other => false,
                };
                is_package.then_some(name)
            })
        };
        for name in list(folder) {
            if name.starts_with('@') {
                names.extend(
                    list(&format!("{folder}/{name}")).map(|inner| format!("{name}/{inner}")),
                );
            } else {
                names.push(name);
            }
        }
        names.sort_unstable();
        names
    }
}

fn select(
    root: &Path,
    lockfile: &Lockfile,
    scope: &Scope,
) -> Result<Option<HashSet<PackageId>>, InstallError> {
    if scope.filters.is_empty() {
        return Ok(None);
    }
    let start = workspaces::path_below(root, &scope.folder).unwrap_or_default();
    let filters: Vec<Filter> =
        scope.filters.iter().map(|filter| Filter::parse(filter, &start)).collect();
    let name = lockfile.root().and_then(|root| root.name).map(Symbol::as_str);
    let selected = workspaces::select(&filters, &lockfile.graph, root, name)?;
    if selected.is_empty() {
        return Err(InstallError::NoMember { filters: scope.filters.clone() });
    }
    Ok(Some(selected))
}

/// Returns for each edge whether it is the project's, or that of a member.
fn own_edges(graph: &Graph) -> Vec<bool> {
    let mut is_own = vec![false; graph.edges().len()];
    for package in graph.packages() {
        if package.resolution.is_importer() {
            is_own[package.edges.start as usize..package.edges.end as usize].fill(true);
        }
    }
    is_own
}

/// Returns for each package whether only devDependencies lead to it.
fn only_dev(graph: &Graph, is_installed: &dyn Fn(EdgeId, PackageId) -> bool) -> Vec<bool> {
    let mut only_dev = vec![true; graph.packages().len()];
    only_dev[PackageId::ROOT.index()] = false;
    let mut open = vec![PackageId::ROOT];
    while let Some(package) = open.pop() {
        for id in graph.edge_ids_of(package) {
            let edge = graph.edge(id);
            if let Some(target) = edge.target
                && edge.kind != EdgeKind::Dev
                && is_installed(id, target)
                && std::mem::replace(&mut only_dev[target.index()], false)
            {
                open.push(target);
            }
        }
    }
    only_dev
}

/// Whether a package is the user's own, and `node_modules` has a link to it.
fn is_own(graph: &Graph, package: PackageId) -> bool {
    let resolution = &graph.package(package).resolution;
    resolution.is_importer() || matches!(resolution, Resolution::Symlink(_))
}

fn hoisted_homes(graph: &Graph, tree: &HoistedTree) -> Vec<Option<String>> {
    let home = |id: NodeId| {
        let node = tree.node(id);
        (!is_own(graph, node.package)).then(|| tree.path(id, graph))
    };
    tree.node_ids().map(home).collect()
}

fn isolated_homes(graph: &Graph, tree: &HoistedTree, plan: &LinkPlan) -> Vec<Option<String>> {
    let mut of_package: HashMap<PackageId, &str> = HashMap::new();
    for placement in &plan.placements {
        of_package.entry(placement.package).or_insert(&placement.path);
    }
    let mut homes: Vec<Option<String>> = Vec::with_capacity(tree.nodes().len());
    for node in tree.nodes() {
        let placed = of_package.get(&node.package).map(|path| (*path).to_owned());
        // What is bundled lies in the package that bundles it.
        let bundled = || {
            let parent = homes[node.parent?.index()].as_ref()?;
            Some(format!("{parent}/node_modules/{}", node.alias))
        };
        let home = placed.or_else(bundled).filter(|_| !is_own(graph, node.package));
        homes.push(home);
    }
    homes
}
