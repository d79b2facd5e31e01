//! Peers that do not get what they want: who wants what, who got what, and why.

use std::fmt;

use deka_graph::{Edge, EdgeKind, Graph, HoistedTree, PackageId, Resolution};
use deka_lockfile::Lockfile;
use deka_manifest::{Alias, Spec};
use deka_resolver::{Dependent, Overrides};
use hashbrown::HashSet;

use crate::locked;
use crate::tarballs::version_text;

/// A peer dependency whose range is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerConflict {
    /// Who wants it, as `name@version`.
    pub dependent: String,
    /// What it wants.
    pub peer: String,
    /// In which versions.
    pub wanted: String,
    /// Whether it could do without.
    pub is_optional: bool,
    /// The version that it gets; `None` if it gets none.
    pub found: Option<String>,
    /// Why that version is there: who asks for it, and for what.
    pub because: Option<(String, String)>,
}

impl fmt::Display for PeerConflict {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dependent, peer, wanted, .. } = self;
        write!(output, "{dependent} wants {peer}@{wanted}")?;
        match &self.found {
            Some(found) => write!(output, " and gets {found}")?,
            None => write!(output, " and nobody has it")?,
        }
        match &self.because {
            Some((who, range)) if who == dependent => {
                write!(output, ", because it asks for {range} besides")
            }
            Some((who, range)) => write!(output, ", because {who} asks for {range}"),
            None => Ok(()),
        }
    }
}

/// Returns the conflicts of `lockfile`, placed as in `tree`, that `old` does not have: who has decided to
/// live with one is not told again. As with Bun, they are not those of optional peers.
pub(crate) fn new_conflicts(
    lockfile: &Lockfile,
    tree: &HoistedTree,
    old: Option<&Lockfile>,
) -> Vec<PeerConflict> {
    let mut conflicts = Peers::of(lockfile).conflicts(tree);
    conflicts.retain(|conflict| !conflict.is_optional);
    if let Some(old) = old.filter(|_| !conflicts.is_empty()) {
        let known = Peers::of(old).locked_conflicts();
        conflicts.retain(|conflict| !known.contains(conflict));
    }
    conflicts
}

/// What peers want, and what they get.
pub(crate) struct Peers<'a> {
    graph: &'a Graph,
    overrides: Overrides,
}

impl<'a> Peers<'a> {
    /// Those of a lockfile.
    pub(crate) fn of(lockfile: &'a Lockfile) -> Self {
        Self::new(&lockfile.graph, locked::overrides(lockfile))
    }

    /// Those of a graph whose project overrides what dependencies ask for.
    pub(crate) fn new(graph: &'a Graph, overrides: Overrides) -> Self {
        Self { graph, overrides }
    }

    /// Returns the peers that do not find what they want from where they are, each once.
    pub(crate) fn conflicts(&self, tree: &HoistedTree) -> Vec<PeerConflict> {
        let mut seen: HashSet<(PackageId, Alias, Option<PackageId>)> = HashSet::new();
        let mut conflicts = Vec::new();
        let places = tree.node_ids().map(|place| (Some(place), tree.node(place).package));
        for (place, package) in std::iter::once((None, PackageId::ROOT)).chain(places) {
            for edge in self.peers_of(package) {
                let found = tree.resolve(place, edge.alias).map(|found| tree.node(found).package);
                if seen.insert((package, edge.alias, found)) {
                    conflicts.extend(self.conflict(package, edge, found));
                }
            }
        }
        conflicts
    }

    /// Returns the same of a lockfile as it was read, which says what each finds.
    fn locked_conflicts(&self) -> HashSet<PeerConflict> {
        let packages = self.graph.package_ids();
        let edges = packages.flat_map(|id| self.peers_of(id).map(move |edge| (id, edge)));
        edges.filter_map(|(id, edge)| self.conflict(id, edge, edge.target)).collect()
    }

    /// Returns what a package wants beside it.
    pub(crate) fn peers_of(&self, package: PackageId) -> impl Iterator<Item = &'a Edge> {
        self.graph.edges_of(package).iter().filter(|edge| edge.kind == EdgeKind::Peer)
    }

    /// Returns what is wrong if `dependent` finds that package as its peer.
    fn conflict(
        &self,
        dependent: PackageId,
        edge: &Edge,
        found: Option<PackageId>,
    ) -> Option<PeerConflict> {
        (!self.keeps(dependent, edge, found)).then(|| PeerConflict {
            dependent: self.label(dependent),
            peer: edge.alias.to_string(),
            wanted: edge.spec.to_string(),
            is_optional: edge.optional_peer,
            found: found.map(|found| version_text(&self.graph.package(found).resolution)),
            because: found.and_then(|found| self.reason(found)),
        })
    }

    /// Whether a peer has what it wants, as far as that can be told.
    pub(crate) fn keeps(
        &self,
        dependent: PackageId,
        edge: &Edge,
        found: Option<PackageId>,
    ) -> bool {
        let Some(found) = found else { return edge.optional_peer };
        let (Some(version), Ok(spec)) =
            (self.graph.package(found).version(), Spec::parse(edge.alias, &edge.spec))
        else {
            return true;
        };
        let package = self.graph.package(dependent);
        let by = Dependent { name: package.name.symbol(), version: package.version() };
        let instead = self.overrides.find(edge.alias.symbol(), &spec, by);
        let instead = instead.and_then(|instead| Spec::parse(edge.alias, &instead).ok());
        match instead.unwrap_or(spec) {
            Spec::Range(range) => range.is_star() || range.satisfies(version),
            _ => true,
        }
    }

    /// Returns who asks for a package first of all: the project, a member, a package; and for what. Where
    /// only peers do, it is one that got what it wants.
    fn reason(&self, package: PackageId) -> Option<(String, String)> {
        let first = |asks: &dyn Fn(PackageId, &Edge) -> bool| {
            self.graph.package_ids().find_map(|id| {
                let mut edges = self.graph.edges_of(id).iter();
                let edge = edges.find(|edge| edge.target == Some(package) && asks(id, edge))?;
                Some((self.label(id), format!("{}@{}", edge.alias, edge.spec)))
            })
        };
        first(&|_, edge| !matches!(edge.kind, EdgeKind::Peer | EdgeKind::Workspace)).or_else(|| {
            first(&|id, edge| edge.kind == EdgeKind::Peer && self.keeps(id, edge, Some(package)))
        })
    }

    fn label(&self, id: PackageId) -> String {
        let package = self.graph.package(id);
        match &package.resolution {
            Resolution::Root => "the project".to_owned(),
            Resolution::Workspace(_) => package.name.to_string(),
            resolution => format!("{}@{}", package.name, version_text(resolution)),
        }
    }
}
