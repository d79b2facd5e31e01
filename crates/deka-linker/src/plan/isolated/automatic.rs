//! Which versions peers get that nobody above provides.
//!
//! ```text
//! ui ─► react "*"   form ─► react "^18"      of 18.2.0 and 19.1.0 both get 18.2.0
//! ui ─► react "*"   form ─► react "^18"   grid ─► react "^19"      none suits all: 19.1.0, 18.2.0, 19.1.0
//! ```
//! What the lockfile has at the place of such a peer says less: that place is the hoisted layout's. As with Bun,
//! peers that may be missing keep it all the same.

use deka_graph::{Edge, EdgeId, EdgeKind, Graph, PackageId, Resolution};
use deka_manifest::{Alias, Range, Spec, Version};
use hashbrown::HashMap;

/// What is known of a peer that nobody provides.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AutomaticPeer {
    /// Whether its dependent is there whatever such peers get. Others have no say in what suits all.
    pub(super) is_certain: bool,
    /// Whether somebody provides it to the same dependent elsewhere. Then it gets the newest that suits it alone.
    pub(super) is_provided_elsewhere: bool,
}

/// The versions of packages that are required peers, where there are several.
pub(super) struct PeerVersions<'a> {
    graph: &'a Graph,
    of_name: HashMap<Alias, Vec<(&'a Version, PackageId)>>,
}

impl<'a> PeerVersions<'a> {
    pub(super) fn of(graph: &'a Graph) -> Self {
        let required = graph.edges().iter().filter(|edge| is_required(edge));
        let mut of_name: HashMap<Alias, Vec<_>> =
            required.map(|edge| (edge.alias, Vec::new())).collect();
        for id in graph.package_ids() {
            let package = graph.package(id);
            if let Resolution::Npm { version, .. } = &package.resolution
                && let Some(known) = of_name.get_mut(&Alias::from(package.name))
            {
                known.push((version, id));
            }
        }
        of_name.retain(|_, known| known.len() > 1);
        Self { graph, of_name }
    }

    /// Whether there are several versions of a required peer.
    pub(super) fn has(&self, peer: EdgeId) -> bool {
        let edge = self.graph.edge(peer);
        is_required(edge) && self.of_name.contains_key(&edge.alias)
    }

    /// Returns what peers get where nobody provides them, if it is not what they lead to. `automatic` are those
    /// that nobody provides when nothing is left out.
    pub(super) fn choose(
        &self,
        automatic: &HashMap<EdgeId, AutomaticPeer>,
    ) -> HashMap<EdgeId, PackageId> {
        let mut ranges: HashMap<Alias, Vec<(EdgeId, Range)>> = HashMap::new();
        for (id, edge) in (0..).map(EdgeId).zip(self.graph.edges()) {
            if self.has(id)
                && let Ok(Spec::Range(range)) = Spec::parse(edge.alias, &edge.spec)
            {
                ranges.entry(edge.alias).or_default().push((id, range));
            }
        }
        let mut chosen = HashMap::new();
        for (alias, peers) in &ranges {
            let newest = |suits: &dyn Fn(&Version) -> bool| {
                let suiting = self.of_name[alias].iter().filter(|(version, _)| suits(version));
                suiting.max_by_key(|(version, _)| *version)
            };
            let is_certain = |edge| automatic.get(edge).is_some_and(|peer| peer.is_certain);
            let certain = || peers.iter().filter(|(edge, _)| is_certain(edge));
            let common = newest(&|version| {
                certain().next().is_some() && certain().all(|(_, range)| range.satisfies(version))
            });
            for (edge, range) in peers {
                let suits = |version: &Version| range.satisfies(version);
                let shares = automatic.get(edge).is_some_and(|peer| !peer.is_provided_elsewhere);
                let common = common.filter(|(version, _)| shares && suits(version));
                let best = common.or_else(|| newest(&suits)).map(|(_, package)| *package);
                let known = self.graph.edge(*edge).target;
                chosen.extend(best.filter(|best| known != Some(*best)).map(|best| (*edge, best)));
            }
        }
        chosen
    }
}

fn is_required(edge: &Edge) -> bool {
    edge.kind == EdgeKind::Peer && !edge.optional_peer
}
