//! Peers that do not get what they want: who wants what, who got what, and why.

use std::fmt;

use deka_graph::{Edge, EdgeKind, NodeId, PackageId, Resolution};
use deka_manifest::Spec;
use hashbrown::HashSet;

use super::Inventory;

/// A peer dependency whose range is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerConflict {
    /// Who wants it, as `name@version`.
    pub dependent: String,
    /// What it wants.
    pub peer: String,
    /// In which versions.
    pub wanted: String,
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
            Some((who, range)) => write!(output, ", because {who} asks for {range}"),
            None => Ok(()),
        }
    }
}

impl Inventory {
    /// Returns the peers that do not get what they want, each once.
    pub fn peer_conflicts(&self) -> Vec<PeerConflict> {
        let mut seen: HashSet<(PackageId, &str, Option<PackageId>)> = HashSet::new();
        let mut conflicts = Vec::new();
        let places = self.places().map(|(place, node)| (Some(place), node.package));
        for (place, package) in std::iter::once((None, PackageId::ROOT)).chain(places) {
            let edges = self.graph.edges_of(package).iter();
            for edge in edges.filter(|edge| edge.kind == EdgeKind::Peer) {
                let found = self.provider(place, edge);
                if !self.keeps(edge, found) && seen.insert((package, edge.alias.as_str(), found)) {
                    conflicts.push(self.conflict(package, edge, found));
                }
            }
        }
        conflicts
    }

    fn provider(&self, place: Option<NodeId>, edge: &Edge) -> Option<PackageId> {
        self.tree.resolve(place, edge.alias).map(|found| self.tree.node(found).package)
    }

    /// Whether a peer has what it wants, as far as that can be told.
    fn keeps(&self, edge: &Edge, found: Option<PackageId>) -> bool {
        let Some(found) = found else { return edge.optional_peer };
        let Ok(Spec::Range(range)) = Spec::parse(edge.alias, edge.spec.as_str()) else {
            return true;
        };
        self.graph.package(found).version().is_none_or(|version| range.satisfies(version))
    }

    fn conflict(
        &self,
        dependent: PackageId,
        edge: &Edge,
        found: Option<PackageId>,
    ) -> PeerConflict {
        PeerConflict {
            dependent: self.label(dependent),
            peer: edge.alias.to_string(),
            wanted: edge.spec.to_string(),
            found: found.map(|found| self.version(found)),
            because: found.and_then(|found| self.reason(found)),
        }
    }

    /// Returns who asks for a package first of all: the project, a member, a package; and for what.
    fn reason(&self, package: PackageId) -> Option<(String, String)> {
        let asks = |kind: EdgeKind| !matches!(kind, EdgeKind::Peer | EdgeKind::Workspace);
        self.graph.package_ids().find_map(|id| {
            let mut edges = self.graph.edges_of(id).iter();
            let edge = edges.find(|edge| edge.target == Some(package) && asks(edge.kind))?;
            Some((self.label(id), format!("{}@{}", edge.alias, edge.spec)))
        })
    }

    fn label(&self, package: PackageId) -> String {
        match &self.graph.package(package).resolution {
            Resolution::Root => "the project".to_owned(),
            Resolution::Workspace(_) => self.name(package).to_string(),
            _ => format!("{}@{}", self.name(package), self.version(package)),
        }
    }
}
