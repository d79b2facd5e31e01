//! Which entries the isolated layout has: one for each package and each set of peers that it meets.
//!
//! ```text
//! occurrences   root ─► a ─► ui ─► (react 18)      entries   ui with react 18
//!               root ─► b ─► ui ─► (react 19)                ui with react 19
//!               root ─► c ─► ui ─► (react 19)                  ▲ b and c share it
//! ```
//! The rules are Bun's, to the letter, because the names of folders come out of them. Two passes: depth
//! first over all ways from the root, where each peer looks for a provider among those who led to it,
//! and notes itself on all that it passes by; then breadth first, where ways that lead to the same package
//! with the same peers become one entry.

use deka_graph::{EdgeId, EdgeKind, Graph, PackageId, Resolution};
use deka_manifest::Alias;
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;

use super::HoistPatterns;
use super::automatic::{AutomaticPeer, PeerVersions};
use super::peers::{Leaks, Peer, Peers};

/// An entry in [`IsolatedTree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EntryId(u32);

impl EntryId {
    /// The project itself.
    pub(super) const ROOT: Self = Self(0);

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A package together with the peers that it meets.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) package: PackageId,
    /// The entry that first asked for it.
    pub(super) parent: EntryId,
    /// The peers that it and what is below it meet above of it.
    pub(super) peers: Peers,
    /// What it depends on, by name.
    pub(super) dependencies: Vec<(Alias, EntryId)>,
}

/// The packages of a project with their dependencies, each kept apart from the others.
#[derive(Debug, Clone)]
pub struct IsolatedTree {
    pub(super) entries: Vec<Entry>,
    /// What packages see that do not depend on it.
    pub(super) hidden: Vec<(Alias, EntryId)>,
}

impl IsolatedTree {
    /// Finds the entries that are reached from the root over edges that `keep` accepts together with
    /// the packages that they lead to.
    pub fn new(
        graph: &Graph,
        patterns: &HoistPatterns,
        keep: &dyn Fn(EdgeId, PackageId) -> bool,
    ) -> Self {
        let mut walk = Walk::over(graph, keep, HashMap::new());
        let versions = PeerVersions::of(graph);
        let mut automatic = walk.occurrences.iter().flat_map(|occurrence| &occurrence.automatic);
        if automatic.any(|peer| versions.has(*peer)) {
            // What is left out today has its say: what others get must not depend on it.
            let whole = Walk::over(graph, &|_, _| true, HashMap::new());
            let chosen = versions.choose(&whole.automatic_peers());
            if !chosen.is_empty() {
                walk = Walk::over(graph, keep, chosen);
            }
        }
        let mut collector = Collector {
            graph,
            patterns,
            entries: Vec::new(),
            of_package: HashMap::new(),
            public: HashSet::new(),
            hidden: Vec::new(),
            hidden_names: HashSet::new(),
        };
        collector.collect(&walk.occurrences);
        Self { entries: collector.entries, hidden: collector.hidden }
    }

    /// Returns the packages that are in it; some more than once.
    pub fn packages(&self) -> impl Iterator<Item = PackageId> {
        self.entries.iter().map(|entry| entry.package)
    }

    pub(super) fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.index()]
    }
}

/// An occurrence by its place in [`Walk::occurrences`].
type OccurrenceId = u32;

/// A package as one way from the root leads to it.
struct Occurrence {
    package: PackageId,
    /// The edge of the way; `None` for the root.
    edge: Option<EdgeId>,
    parent: Option<OccurrenceId>,
    /// What peers below can have from here.
    provided: Vec<(Alias, PackageId)>,
    /// The peers that passed by here on their way to their provider.
    peers: Peers,
    /// Its own peers that nobody provides.
    automatic: Vec<EdgeId>,
    children: Vec<OccurrenceId>,
}

impl Occurrence {
    /// Notes a peer that passes by. A package that something below it wants as a peer is no other one
    /// for that.
    fn meet(&mut self, graph: &Graph, peer: Peer) {
        if peer.package != self.package {
            self.peers.insert(graph, peer);
        }
    }
}

/// What waits to be visited.
struct Visit {
    parent: Option<OccurrenceId>,
    edge: Option<EdgeId>,
    package: PackageId,
}

/// What decides that two occurrences have the same below them: the package and what its peers find.
type Context = (PackageId, Box<[Option<PackageId>]>);

struct Walk<'a> {
    graph: &'a Graph,
    keep: &'a dyn Fn(EdgeId, PackageId) -> bool,
    leaks: Leaks,
    /// The workspaces that the root has of its own accord.
    own_workspaces: HashSet<PackageId>,
    known: HashMap<Context, OccurrenceId>,
    occurrences: Vec<Occurrence>,
    open: Vec<Visit>,
    /// The peers that somebody provides, here or there.
    provided: HashSet<EdgeId>,
    /// What others get in place of what they lead to.
    chosen: HashMap<EdgeId, PackageId>,
}

impl<'a> Walk<'a> {
    fn over(
        graph: &'a Graph,
        keep: &'a dyn Fn(EdgeId, PackageId) -> bool,
        chosen: HashMap<EdgeId, PackageId>,
    ) -> Self {
        let root_edges = graph.edge_ids_of(PackageId::ROOT);
        let own_workspace = |id: EdgeId| {
            let edge = graph.edge(id);
            let target = edge.target.filter(|target| keep(id, *target));
            target.filter(|_| edge.kind == EdgeKind::Workspace)
        };
        let own_workspaces = root_edges.filter_map(own_workspace).collect();
        let mut walk = Self {
            graph,
            keep,
            leaks: Leaks::of(graph, keep),
            own_workspaces,
            known: HashMap::new(),
            occurrences: Vec::with_capacity(graph.packages().len()),
            open: vec![Visit { parent: None, edge: None, package: PackageId::ROOT }],
            provided: HashSet::new(),
            chosen,
        };
        while let Some(visit) = walk.open.pop() {
            walk.visit(visit);
        }
        walk
    }

    fn visit(&mut self, Visit { parent, edge, package }: Visit) {
        if let Some(known) = self.known_above(parent, edge, package) {
            self.add_child(parent, known);
            return;
        }
        if let Some(edge) = edge {
            let context = self.context(parent, edge, package);
            if let Some(known) = self.known.get(&context).copied() {
                if self.is_alike(known, edge) {
                    self.pass_on_peers(known, parent);
                    self.add_child(parent, known);
                    return;
                }
            } else {
                self.known.insert(context, self.occurrences.len() as OccurrenceId);
            }
        }
        let id = self.occurrences.len() as OccurrenceId;
        self.occurrences.push(Occurrence {
            package,
            edge,
            parent,
            provided: Vec::new(),
            peers: Peers::default(),
            automatic: Vec::new(),
            children: Vec::new(),
        });
        self.add_child(parent, id);
        if !edge.is_some_and(|edge| self.is_only_named(edge, package)) {
            self.add_dependencies(id, package);
        }
    }

    fn add_child(&mut self, parent: Option<OccurrenceId>, child: OccurrenceId) {
        if let Some(parent) = parent {
            self.occurrences[parent as usize].children.push(child);
        }
    }

    /// Whether an edge leads to the project or to a workspace whose own dependencies are looked at
    /// elsewhere.
    fn is_only_named(&self, edge: EdgeId, package: PackageId) -> bool {
        package == PackageId::ROOT
            || self.is_to_workspace(edge)
                && self.graph.edge(edge).kind != EdgeKind::Workspace
                && self.own_workspaces.contains(&package)
    }

    fn is_to_workspace(&self, edge: EdgeId) -> bool {
        let target = self.graph.edge(edge).target;
        target.is_some_and(|target| {
            matches!(self.graph.package(target).resolution, Resolution::Workspace(_))
        })
    }

    /// Returns where the way to `parent` has passed the package under the same name before.
    fn known_above(
        &self,
        parent: Option<OccurrenceId>,
        edge: Option<EdgeId>,
        package: PackageId,
    ) -> Option<OccurrenceId> {
        for (id, above) in self.from(parent) {
            if above.package != package {
                continue;
            }
            let (Some(edge), Some(known)) = (edge, above.edge) else { return None };
            let (edge, known) = (self.graph.edge(edge), self.graph.edge(known));
            let is_workspace = |kind| kind == EdgeKind::Workspace;
            if edge.alias == known.alias && is_workspace(edge.kind) == is_workspace(known.kind) {
                return Some(id);
            }
        }
        None
    }

    /// Returns the occurrence `from` and those above it, the nearest first.
    fn from(
        &self,
        from: Option<OccurrenceId>,
    ) -> impl Iterator<Item = (OccurrenceId, &Occurrence)> + use<'_> {
        let get = |id: OccurrenceId| (id, &self.occurrences[id as usize]);
        std::iter::successors(from.map(get), move |(_, last)| last.parent.map(get))
    }

    fn context(&self, parent: Option<OccurrenceId>, edge: EdgeId, package: PackageId) -> Context {
        if self.is_to_workspace(edge) {
            return (package, Box::default());
        }
        let find = |name: Alias| {
            self.from(parent).find_map(|(_, above)| {
                let provided = above.provided.iter().find(|(alias, _)| *alias == name);
                let provided = provided.map(|(_, package)| *package);
                provided.or_else(|| Some(above.peers.found(name)?.package))
            })
        };
        (package, self.leaks.names(package).map(find).collect())
    }

    /// Whether the occurrence `known` can stand in for another one that `edge` leads to.
    fn is_alike(&self, known: OccurrenceId, edge: EdgeId) -> bool {
        let Some(known) = self.occurrences[known as usize].edge else { return false };
        let (one, other) = (self.graph.edge(known), self.graph.edge(edge));
        let is_workspace = |kind| kind == EdgeKind::Workspace;
        one.alias == other.alias && is_workspace(one.kind) == is_workspace(other.kind)
    }

    /// Notes the peers of an occurrence on another way to it.
    fn pass_on_peers(&mut self, known: OccurrenceId, parent: Option<OccurrenceId>) {
        let peers = self.occurrences[known as usize].peers.clone();
        for peer in peers.iter() {
            let mut at = parent;
            while let Some(id) = at {
                let above = &mut self.occurrences[id as usize];
                if above.provided.iter().any(|(alias, _)| *alias == peer.alias) {
                    break;
                }
                above.meet(self.graph, *peer);
                at = above.parent;
            }
        }
    }

    fn add_dependencies(&mut self, id: OccurrenceId, package: PackageId) {
        let graph = self.graph;
        let mut edges: Vec<EdgeId> = graph.edge_ids_of(package).collect();
        let order = |id: &EdgeId| (graph.edge(*id).kind, graph.edge(*id).alias);
        if !edges.is_sorted_by_key(order) {
            edges.sort_by_key(order);
        }
        let first = self.open.len();
        let mut peers = Vec::new();
        for edge_id in edges {
            let edge = graph.edge(edge_id);
            if edge.kind == EdgeKind::Peer && edge.target.is_none() && edge.optional_peer {
                peers.push(edge_id);
                continue;
            }
            let Some(target) = edge.target else { continue };
            if edge.bundled {
                continue;
            }
            let is_kept = (self.keep)(edge_id, target);
            if edge.kind == EdgeKind::Peer && (is_kept || package != PackageId::ROOT) {
                peers.push(edge_id);
            } else if is_kept {
                self.add_dependency(id, edge_id, target);
            }
        }
        for edge in peers {
            self.add_peer(id, edge);
        }
        // The first one is visited first.
        self.open[first..].reverse();
    }

    /// Returns the peers that nobody provides.
    fn automatic_peers(&self) -> HashMap<EdgeId, AutomaticPeer> {
        // Whether an occurrence is there whatever becomes of such peers.
        let mut is_certain = vec![false; self.occurrences.len()];
        let mut open: Vec<OccurrenceId> = vec![0];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut is_certain[id as usize], true) {
                continue;
            }
            let Occurrence { automatic, children, .. } = &self.occurrences[id as usize];
            let alias = |edge: EdgeId| self.graph.edge(edge).alias;
            open.extend(children.iter().filter(|child| {
                let child = self.occurrences[**child as usize].edge.map(alias);
                !automatic.iter().any(|peer| Some(alias(*peer)) == child)
            }));
        }
        let mut found: HashMap<EdgeId, AutomaticPeer> = HashMap::new();
        for (occurrence, is_certain) in self.occurrences.iter().zip(is_certain) {
            for edge in &occurrence.automatic {
                let peer = found.entry(*edge).or_default();
                peer.is_certain |= is_certain;
                peer.is_provided_elsewhere = self.provided.contains(edge);
            }
        }
        found
    }

    fn add_dependency(&mut self, id: OccurrenceId, edge: EdgeId, target: PackageId) {
        let alias = self.graph.edge(edge).alias;
        self.occurrences[id as usize].provided.push((alias, target));
        self.open.push(Visit { parent: Some(id), edge: Some(edge), package: target });
    }

    /// Looks for the provider of a peer among those above, else takes what was chosen.
    fn add_peer(&mut self, id: OccurrenceId, edge: EdgeId) {
        let alias = self.graph.edge(edge).alias;
        let picked = self.chosen.get(&edge).copied().or(self.graph.edge(edge).target);
        // What is left out is not brought along, but whoever has it shares it.
        let picked = picked.filter(|picked| (self.keep)(edge, *picked));
        let mut passed = Vec::new();
        let mut found = (picked, true);
        let mut at = Some(id);
        while let Some(above_id) = at {
            let above = &self.occurrences[above_id as usize];
            if let Some((_, package)) = above.provided.iter().find(|(other, _)| *other == alias) {
                found = (Some(*package), false);
                break;
            }
            if let Some(peer) = above.peers.named(alias) {
                // Another one of this name has passed by: what it found is found again.
                if !peer.is_automatic {
                    found = (Some(peer.package), false);
                } else if picked.is_some_and(|picked| picked != peer.package) {
                    passed.extend(self.from(at).map(|(id, _)| id));
                }
                break;
            }
            passed.push(above_id);
            at = above.parent;
        }
        let (Some(package), is_automatic) = found else { return };
        if is_automatic {
            self.occurrences[id as usize].automatic.push(edge);
        } else {
            self.provided.insert(edge);
        }
        for above in &passed {
            let peer = Peer { alias, package, is_automatic };
            self.occurrences[*above as usize].meet(self.graph, peer);
        }
        // Who passed nobody, not even its dependent, is one of the dependent's own dependencies.
        if !passed.is_empty() {
            self.add_dependency(id, edge, package);
        }
    }
}

/// Makes entries of occurrences.
struct Collector<'a> {
    graph: &'a Graph,
    patterns: &'a HoistPatterns,
    entries: Vec<Entry>,
    /// For each package its entries, with the edges that first led to them.
    of_package: HashMap<PackageId, Vec<(EntryId, Option<EdgeId>)>>,
    /// The names taken in the project's own `node_modules`.
    public: HashSet<Alias>,
    hidden: Vec<(Alias, EntryId)>,
    /// The names taken in the folder that all packages see.
    hidden_names: HashSet<Alias>,
}

impl Collector<'_> {
    fn collect(&mut self, occurrences: &[Occurrence]) {
        let mut open = VecDeque::from([(0, EntryId::ROOT)]);
        while let Some((id, parent)) = open.pop_front() {
            let occurrence = &occurrences[id as usize];
            if let Some(known) = self.find(occurrence) {
                self.depend(parent, occurrence.edge, known);
                continue;
            }
            let id = EntryId(self.entries.len() as u32);
            self.entries.push(Entry {
                package: occurrence.package,
                parent,
                peers: occurrence.peers.clone(),
                dependencies: Vec::with_capacity(occurrence.children.len()),
            });
            self.depend(parent, occurrence.edge, id);
            self.publish(parent, occurrence.edge, id);
            self.of_package.entry(occurrence.package).or_default().push((id, occurrence.edge));
            open.extend(occurrence.children.iter().map(|child| (*child, id)));
        }
    }

    /// Returns the entry that an occurrence belongs to.
    fn find(&self, occurrence: &Occurrence) -> Option<EntryId> {
        let is_workspace = |edge: EdgeId| self.graph.edge(edge).kind == EdgeKind::Workspace;
        let is_to_workspace =
            matches!(self.graph.package(occurrence.package).resolution, Resolution::Workspace(_));
        let known = self.of_package.get(&occurrence.package)?;
        let found = known.iter().find(|(id, edge)| {
            let fits = match (*edge, occurrence.edge) {
                (None, None) => true,
                (Some(one), Some(other)) => {
                    !is_to_workspace || is_workspace(one) == is_workspace(other)
                }
                _ => false,
            };
            fits && self.entries[id.index()].peers.are(&occurrence.peers)
        });
        found.map(|(id, _)| *id)
    }

    /// Notes a dependency, but for the root's on its workspaces, which nothing stands for on the disk, and
    /// shows it to all.
    fn depend(&mut self, parent: EntryId, edge: Option<EdgeId>, id: EntryId) {
        let Some(edge) = edge.map(|edge| self.graph.edge(edge)) else { return };
        let alias = edge.alias;
        if self.patterns.hides(alias) && self.hidden_names.insert(alias) {
            self.hidden.push((alias, id));
        }
        if edge.kind == EdgeKind::Workspace {
            return;
        }
        self.insert(parent, alias, id);
    }

    /// Shows a new entry to the project. As with Bun, that an entry has other names as well counts here
    /// no more.
    fn publish(&mut self, parent: EntryId, edge: Option<EdgeId>, id: EntryId) {
        let edge = edge.map(|edge| self.graph.edge(edge));
        let Some(edge) = edge.filter(|edge| edge.kind != EdgeKind::Workspace) else { return };
        if parent == EntryId::ROOT {
            self.public.insert(edge.alias);
        } else if self.patterns.shows(edge.alias) && self.public.insert(edge.alias) {
            self.insert(EntryId::ROOT, edge.alias, id);
        }
    }

    fn insert(&mut self, parent: EntryId, alias: Alias, id: EntryId) {
        let dependencies = &mut self.entries[parent.index()].dependencies;
        if let Err(at) = dependencies.binary_search_by_key(&alias, |(alias, _)| *alias) {
            dependencies.insert(at, (alias, id));
        }
    }
}
