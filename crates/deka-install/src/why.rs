//! Why a package is installed: who asks for it, and who asks for those, up to the project.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use deka_graph::{Edge, EdgeKind, Graph, PackageId, Resolution};
use deka_lockfile::Lockfile;
use deka_manifest::{Range, split_name};
use hashbrown::{HashMap, HashSet};

use crate::InstallError;
use crate::peers::Peers;
use crate::project::read_lockfile;
use crate::tarballs::version_text;
use crate::workspaces::Glob;

/// A package, and all paths on which the project asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Its real name.
    pub name: String,
    /// Its version, or what the lockfile has in its place.
    pub version: String,
    /// Who asks, the nearest to the package first.
    pub reasons: Vec<Reason>,
    /// What it wants beside it, but for optional peers that are not there.
    pub peers: Vec<Peer>,
}

/// What a package wants beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// In which versions.
    pub range: String,
    /// The version that there is; `None` if there is none.
    pub found: Option<String>,
    /// Whether that version is one of those.
    pub is_kept: bool,
}

/// One package that asks for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The reason whose package this one asks for; `None` for the package that is explained.
    pub of: Option<usize>,
    /// How many steps it is away from the package that is explained, at least 1.
    pub depth: usize,
    /// The name of who asks; `None` for a project without one.
    pub name: Option<String>,
    /// The version of who asks; `None` for the project itself.
    pub version: Option<String>,
    /// What it asks for, with the name that it uses where that is another: `o@npm:is-number@7`.
    pub range: String,
    /// The group of its manifest that says so.
    pub kind: EdgeKind,
    /// Whether it is a peer that may be missing.
    pub is_optional_peer: bool,
    /// Whether it gets what it asks for; peers do not always.
    pub is_kept: bool,
    /// Whether who asks for this one stands elsewhere, at most as far away.
    pub is_repeated: bool,
}

/// Explains the packages whose name, or a name they are asked for by, fits `pattern`
/// (`react`, `@types/*`, `react@^19`), from the lockfile of the project in `root` alone.
pub fn why(root: &Path, pattern: &str) -> Result<Vec<Explanation>, InstallError> {
    Ok(explain(&read_lockfile(root)?.1, pattern))
}

/// Returns the names of all packages of the lockfile, each once.
pub fn locked_names(root: &Path) -> Result<Vec<String>, InstallError> {
    let graph = read_lockfile(root)?.1.graph;
    let ids = graph.package_ids().skip(1);
    let names: BTreeSet<String> = ids.map(|id| graph.package(id).name.to_string()).collect();
    Ok(names.into_iter().collect())
}

fn explain(lockfile: &Lockfile, pattern: &str) -> Vec<Explanation> {
    let graph = &lockfile.graph;
    let project = lockfile.root().and_then(|root| root.name).map(|name| name.to_string());
    let peers = Peers::of(lockfile);
    let dependents = Dependents::new(graph, &peers, project);
    let (name, range) =
        split_name(pattern).map_or((pattern, None), |(name, range)| (name, Some(range)));
    let name = Glob::parse(name);
    let range = range.map(Range::parse);
    let fits = |id: &PackageId| {
        let package = graph.package(*id);
        let is_called = |edge: &Edge| name.matches(&edge.alias.to_string());
        let has_name = name.matches(&package.name.to_string())
            || dependents.of(*id).iter().any(|(_, edge)| is_called(edge));
        has_name
            && match (&range, package.version()) {
                (None, _) => true,
                (Some(Ok(range)), Some(version)) => range.satisfies(version),
                (Some(_), _) => false,
            }
    };
    let found = graph.package_ids().skip(1).filter(fits);
    found
        .map(|id| {
            let package = graph.package(id);
            Explanation {
                name: package.name.to_string(),
                version: version_text(&package.resolution),
                reasons: dependents.reasons(id),
                peers: dependents.peers(id),
            }
        })
        .collect()
}

/// The edges of a graph by their targets.
struct Dependents<'a> {
    graph: &'a Graph,
    peers: &'a Peers<'a>,
    project: Option<String>,
    edges: HashMap<PackageId, Vec<(PackageId, &'a Edge)>>,
}

impl<'a> Dependents<'a> {
    fn new(graph: &'a Graph, peers: &'a Peers<'a>, project: Option<String>) -> Self {
        let mut edges: HashMap<_, Vec<_>> = HashMap::new();
        for id in graph.package_ids() {
            for edge in graph.edges_of(id) {
                // That a member is one is no reason that somebody has given.
                if let Some(target) = edge.target.filter(|_| edge.kind != EdgeKind::Workspace) {
                    edges.entry(target).or_default().push((id, edge));
                }
            }
        }
        let mut this = Self { graph, peers, project, edges };
        let distances = this.distances();
        let far = usize::MAX;
        for edges in this.edges.values_mut() {
            edges.sort_by_key(|(id, _)| {
                (distances.get(id).copied().unwrap_or(far), graph.package(*id).name.to_string())
            });
        }
        this
    }

    fn of(&self, id: PackageId) -> &[(PackageId, &'a Edge)] {
        self.edges.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Returns how many steps each package is away from the project.
    fn distances(&self) -> HashMap<PackageId, usize> {
        let mut distances = HashMap::from([(PackageId::ROOT, 0)]);
        let mut queue = VecDeque::from([(PackageId::ROOT, 0)]);
        while let Some((id, distance)) = queue.pop_front() {
            for target in self.graph.edges_of(id).iter().filter_map(|edge| edge.target) {
                if !distances.contains_key(&target) {
                    distances.insert(target, distance + 1);
                    queue.push_back((target, distance + 1));
                }
            }
        }
        distances
    }

    fn peers(&self, id: PackageId) -> Vec<Peer> {
        let version = |found: PackageId| version_text(&self.graph.package(found).resolution);
        let peers = self.peers.peers_of(id);
        peers
            .filter(|edge| edge.target.is_some() || !edge.optional_peer)
            .map(|edge| Peer {
                name: edge.alias.to_string(),
                range: edge.spec.to_string(),
                found: edge.target.map(version),
                is_kept: self.peers.keeps(id, edge, edge.target),
            })
            .collect()
    }

    fn reasons(&self, id: PackageId) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut seen: HashSet<PackageId> = HashSet::from_iter([id]);
        let mut queue = VecDeque::from([(id, None, 1)]);
        while let Some((id, of, depth)) = queue.pop_front() {
            for (dependent, edge) in self.of(id) {
                let has_more = !self.of(*dependent).is_empty();
                let is_repeated = has_more && !seen.insert(*dependent);
                if has_more && !is_repeated {
                    queue.push_back((*dependent, Some(reasons.len()), depth + 1));
                }
                reasons.push(self.reason(*dependent, edge, of, depth, is_repeated));
            }
        }
        reasons
    }

    fn reason(
        &self,
        dependent: PackageId,
        edge: &Edge,
        of: Option<usize>,
        depth: usize,
        is_repeated: bool,
    ) -> Reason {
        let package = self.graph.package(dependent);
        let is_project = package.resolution == Resolution::Root;
        let name = if is_project { self.project.clone() } else { Some(package.name.to_string()) };
        let is_alias = edge.target.is_some_and(|target| {
            self.graph.package(target).name.to_string() != edge.alias.to_string()
        });
        let range =
            if is_alias { format!("{}@{}", edge.alias, edge.spec) } else { edge.spec.to_string() };
        Reason {
            of,
            depth,
            name,
            version: (!is_project).then(|| version_text(&package.resolution)),
            range,
            kind: edge.kind,
            is_optional_peer: edge.is_optional_peer(),
            is_kept: edge.kind != EdgeKind::Peer || self.peers.keeps(dependent, edge, edge.target),
            is_repeated,
        }
    }
}
