//! The second phase: peers that have to be there.
//!
//! Peers come in batches: those of all packages that are there after the first phase, then those of
//! packages that the first batch brought, and so on. Within a batch they are settled in the order
//! of their dependents (the project, workspaces, then by name and version), each by the first of
//! these that holds:
//!
//! 1. the highest version that is there already and satisfies it,
//! 2. what an ancestor provides: the nearest package on the way to the root that depends on the same
//!    name itself, whether the version fits or not,
//! 3. what the project itself depends on under that name, if that comes from no registry, whatever it is called,
//! 4. what another peer put at the top, where peers go that no ancestor provides: unless the version
//!    that the registry would give fits all peers of that name at the top,
//! 5. the version that the registry gives.
//!
//! Optional peers are left to hoisting, which binds them to what they see.

use std::cmp::Ordering;

use deka_graph::EdgeKind;
use deka_manifest::{Alias, PackageName, Range, Version, VersionIndex};
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::arena::{Answer, EdgeId, EdgeState, NameId, NodeId, RequestId};
use crate::requests::{Choice, Want};
use crate::resolver::Resolver;

/// What the walk up from a dependent finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    /// An ancestor provides this package.
    Package(NodeId),
    /// The root is an ancestor and no ancestor provides anything.
    Top,
    /// The dependent is only there as somebody's peer: its ancestors are not known.
    Nowhere,
}

impl Resolver<'_> {
    /// Settles peers batch by batch until no package brings new ones.
    pub(crate) fn resolve_peers(&mut self) {
        while !self.peers.is_empty() {
            let batch = std::mem::take(&mut self.peers);
            self.settle_batch(batch);
            self.drain();
        }
    }

    fn settle_batch(&mut self, mut batch: Vec<EdgeId>) {
        self.sort_batch(&mut batch);
        let mut unsatisfied = Vec::new();
        let mut scopes = Scopes::new(self);
        for edge in &batch {
            let request = self.request_of(*edge);
            let Want::Registry { name, .. } = self.requests.get(request).want else {
                match self.wait_for_outside(*edge, request) {
                    Some(node) => self.bind(*edge, node),
                    None => self.failed.push(*edge),
                }
                continue;
            };
            if let Some(workspace) = self.linked_workspace(self.requests.get(request)) {
                self.bind(*edge, workspace);
                continue;
            }
            let is_direct = self.arena.node(self.arena.edge(*edge).owner).is_importer();
            // Who takes any version takes the highest one, whatever the project has.
            let is_any = self.requests.get(request).picking_range().is_some_and(Range::is_star);
            if is_direct
                && !is_any
                && let Provider::Package(node) = scopes.provider_above(self, *edge, None)
            {
                self.bind(*edge, node);
                continue;
            }
            match self.highest_satisfying(request) {
                Some(node) => self.bind(*edge, node),
                None => unsatisfied.push((*edge, request, name)),
            }
        }
        if unsatisfied.is_empty() {
            return;
        }
        let names: Vec<NameId> = unsatisfied
            .iter()
            .filter(|(edge, ..)| self.foreign_of_root(*edge).is_none())
            .map(|(_, _, name)| *name)
            .collect();
        for name in &names {
            self.ask(*name);
        }
        self.wait_for(&names);
        for (edge, request, _) in unsatisfied {
            self.settle_unsatisfied(edge, request, &batch, &mut scopes);
        }
    }

    /// Binds every peer that asks for a range to the highest version that satisfies it by now, for
    /// that is how the lockfile is read.
    pub(crate) fn rebind_peers(&mut self) {
        let mut is_there = vec![false; self.arena.nodes.len()];
        for node in self.arena.breadth_first(|_| true) {
            is_there[node.index()] = true;
        }
        for edge in self.arena.edge_ids() {
            let state = self.arena.edge(edge);
            if !state.is_required_peer() || state.target.is_none() {
                continue;
            }
            let request = self.request_of(edge);
            let request = self.requests.get(request);
            let (Want::Registry { name, choice: Choice::Range(_) }, Some(range)) =
                (&request.want, &request.range)
            else {
                continue;
            };
            let is_alias = request.provided_as(&self.arena.names) != request.alias;
            if range.is_star() && !is_alias || self.linked_workspace(request).is_some() {
                continue;
            }
            let highest = self.arena.names[name.index()].nodes.iter().copied().find(|id| {
                let version = self.arena.node(*id).version();
                is_there[id.index()] && version.is_some_and(|version| range.satisfies(version))
            });
            if let Some(highest) = highest {
                self.arena.edges[edge.index()].target = Some(highest);
            }
        }
    }

    /// Sorts by dependent, so that nothing depends on which packument came first.
    fn sort_batch(&self, batch: &mut [EdgeId]) {
        batch.sort_by(|a, b| {
            let (a, b) = (self.arena.edge(*a), self.arena.edge(*b));
            let (node_a, node_b) = (self.arena.node(a.owner), self.arena.node(b.owner));
            match (node_a.is_importer(), node_b.is_importer()) {
                (true, true) => a.owner.cmp(&b.owner),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => (node_a.package.name, node_a.version())
                    .cmp(&(node_b.package.name, node_b.version()))
                    .then(a.owner.cmp(&b.owner)),
            }
            .then(a.row.alias.cmp(&b.row.alias))
        });
    }

    /// Returns the highest version that is there and will do.
    fn highest_satisfying(&self, request: RequestId) -> Option<NodeId> {
        let request = self.requests.get(request);
        let Want::Registry { name, .. } = request.want else { return None };
        let range = request.picking_range()?;
        self.arena.names[name.index()].nodes.iter().copied().find(|id| {
            self.arena.node(*id).version().is_some_and(|version| range.satisfies(version))
        })
    }

    fn settle_unsatisfied(
        &mut self,
        edge: EdgeId,
        request: RequestId,
        batch: &[EdgeId],
        scopes: &mut Scopes,
    ) {
        let best = self.best(request);
        let state = self.arena.edge(edge);
        let (alias, owner) = (state.row.alias, state.owner);
        let is_range = self.requests.get(request).range.is_some();
        match scopes.provider(self, edge, best) {
            Provider::Package(node) => return self.bind(edge, node),
            Provider::Top | Provider::Nowhere if let Some(node) = self.foreign_of_root(edge) => {
                return self.bind(edge, node);
            }
            Provider::Top if is_range && !self.arena.node(owner).is_importer() => {
                let top = scopes.top_peers(self, alias, batch);
                let occupant = self.highest_target(&top);
                if let Some(occupant) = occupant
                    && !best.is_some_and(|best| self.suits_all(best, &top))
                {
                    return self.bind(edge, occupant);
                }
            }
            Provider::Top | Provider::Nowhere => {}
        }
        let found = match best {
            Some((name, index)) => self.reuse_or_add(edge, request, (name, index)),
            None if self.is_answered(request) => match self.highest(request) {
                Some(wrong) => Some(wrong),
                // It stays missing.
                None => return,
            },
            None => None,
        };
        match found {
            Some(node) => self.bind(edge, node),
            // What counts is the dependency of the same name.
            None if self.is_shadowed(edge) => {}
            None => self.failed.push(edge),
        }
    }

    /// Returns what the project itself depends on under the name of a peer, if no registry has it.
    fn foreign_of_root(&self, peer: EdgeId) -> Option<NodeId> {
        let alias = self.arena.edge(peer).row.alias;
        let mut edges = self.arena.edges_of(NodeId::ROOT).iter();
        edges.find_map(|edge| {
            let is_it = edge.row.alias == alias && edge.row.kind != EdgeKind::Peer;
            edge.target.filter(|target| is_it && self.arena.node(*target).version().is_none())
        })
    }

    /// Whether an edge is a peer and the dependent has a dependency of that name besides.
    pub(crate) fn is_shadowed(&self, edge: EdgeId) -> bool {
        let EdgeState { row, owner, .. } = self.arena.edge(edge);
        let mut edges = self.arena.edges_of(*owner).iter();
        row.kind == EdgeKind::Peer
            && edges.any(|edge| edge.row.alias == row.alias && edge.row.kind != EdgeKind::Peer)
    }

    /// Returns the highest version of the package that is there, whether it satisfies or not.
    fn highest(&self, request: RequestId) -> Option<NodeId> {
        let Want::Registry { name, .. } = self.requests.get(request).want else { return None };
        self.arena.names[name.index()].nodes.first().copied()
    }

    /// Whether the registry knows the package at all.
    fn is_answered(&self, request: RequestId) -> bool {
        let Want::Registry { name, .. } = self.requests.get(request).want else { return false };
        matches!(self.arena.names[name.index()].answer, Answer::Here(_))
    }

    /// Returns the highest of the packages that peers at the top lead to.
    fn highest_target(&self, top: &[EdgeId]) -> Option<NodeId> {
        top.iter()
            .filter_map(|edge| self.arena.edge(*edge).target)
            .filter(|node| self.arena.node(*node).version().is_some())
            .max_by(|a, b| self.arena.node(*a).version().cmp(&self.arena.node(*b).version()))
    }

    /// Whether a version satisfies all peers at the top.
    fn suits_all(&mut self, (name, index): (NameId, VersionIndex), top: &[EdgeId]) -> bool {
        let Answer::Here(packument) = &self.arena.names[name.index()].answer else {
            return false;
        };
        let version: Version = packument.version(index);
        top.iter().all(|edge| {
            let request = self.request_of(*edge);
            let range = self.requests.get(request).range.as_ref();
            range.is_none_or(|range| range.satisfies(&version))
        })
    }
}

/// An edge from its end.
#[derive(Debug, Clone, Copy)]
struct Dependent {
    node: NodeId,
    alias: Alias,
    /// What is somebody's peer lies beside him, not below him.
    is_peer: bool,
}

/// Who depends on whom, for walks up from dependents.
struct Scopes {
    /// The owners of edges to each package, nearest to the root first.
    dependents: Vec<SmallVec<[Dependent; 4]>>,
    /// Peers of the batch that go to the top, by name.
    top: HashMap<Alias, Vec<EdgeId>>,
    /// In which walk a package was seen last, with a peer on the way there and without.
    seen: [Vec<u32>; 2],
    walk: u32,
}

impl Scopes {
    fn new(resolver: &Resolver<'_>) -> Self {
        let arena = &resolver.arena;
        let mut dependents = vec![SmallVec::new(); arena.nodes.len()];
        let mut is_listed = vec![false; arena.nodes.len()];
        // What more than peers lead to comes first.
        let without_peers = arena.breadth_first(|edge| edge.row.kind != EdgeKind::Peer);
        for node in without_peers.into_iter().chain(arena.breadth_first(|_| true)) {
            if std::mem::replace(&mut is_listed[node.index()], true) {
                continue;
            }
            for edge in arena.edges_of(node) {
                if let Some(target) = edge.target {
                    let owners: &mut SmallVec<[Dependent; 4]> = &mut dependents[target.index()];
                    owners.push(Dependent {
                        node,
                        alias: edge.row.alias,
                        is_peer: edge.row.kind == EdgeKind::Peer,
                    });
                }
            }
        }
        // Whoever else depends on a package, a peer of a package did not bring it.
        for owners in &mut dependents {
            let is_own = |owner: &Dependent| !owner.is_peer || arena.node(owner.node).is_importer();
            if owners.iter().any(is_own) {
                owners.retain(|owner| is_own(owner));
            }
        }
        let seen = vec![0; arena.nodes.len()];
        Self { seen: [seen.clone(), seen], dependents, top: HashMap::new(), walk: 0 }
    }

    /// Returns what the dependent of a peer or one of his ancestors provides.
    fn provider(
        &mut self,
        resolver: &Resolver<'_>,
        edge: EdgeId,
        best: Option<(NameId, VersionIndex)>,
    ) -> Provider {
        let own = Wanted::new(resolver, edge).and_then(|wanted| {
            let owner = resolver.arena.edge(edge).owner;
            resolver.arena.edges_of(owner).iter().find_map(|edge| {
                let is_own = edge.row.kind != EdgeKind::Peer && edge.row.alias == wanted.alias;
                edge.target.filter(|target| is_own && wanted.is_met_by(resolver, *target))
            })
        });
        own.map_or_else(|| self.provider_above(resolver, edge, best), Provider::Package)
    }

    /// Walks up from the dependent of a peer, level by level. An ancestor that is what the peer
    /// asks for provides itself; one that has the same peer provides what that leads to, unless the
    /// `best` version would do for both.
    fn provider_above(
        &mut self,
        resolver: &Resolver<'_>,
        edge: EdgeId,
        best: Option<(NameId, VersionIndex)>,
    ) -> Provider {
        let arena = &resolver.arena;
        let Some(wanted) = Wanted::new(resolver, edge) else { return Provider::Nowhere };
        let best = best.and_then(|(name, index)| match &arena.names[name.index()].answer {
            Answer::Here(packument) => Some(packument.version(index)),
            _ => None,
        });
        self.walk += 1;
        let mut queue = vec![(arena.edge(edge).owner, false)];
        let mut next = 0;
        let mut found = Provider::Nowhere;
        while let Some(&(node, after_peer)) = queue.get(next) {
            next += 1;
            if node == NodeId::ROOT && !after_peer {
                found = Provider::Top;
            }
            // Packages of this batch have no dependents that are known.
            for dependent in self.dependents.get(node.index()).into_iter().flatten() {
                let Dependent { node: above, is_peer, .. } = *dependent;
                let after_peer = after_peer || is_peer;
                let seen = &mut self.seen[usize::from(after_peer)][above.index()];
                if std::mem::replace(seen, self.walk) == self.walk {
                    continue;
                }
                let is_it = arena.node(above).package.name == wanted.name
                    || self.is_known_as(wanted.alias, above);
                if is_it && wanted.is_met_by(resolver, above) {
                    return Provider::Package(above);
                }
                if (!is_peer || arena.node(above).is_importer())
                    && let Some(provided) = provided_by(resolver, above, &wanted, best.as_ref())
                {
                    return Provider::Package(provided);
                }
                queue.push((above, after_peer));
            }
        }
        found
    }

    /// Whether somebody depends on a package under this name.
    fn is_known_as(&self, alias: Alias, node: NodeId) -> bool {
        let dependents = self.dependents.get(node.index());
        dependents.into_iter().flatten().any(|dependent| dependent.alias == alias)
    }

    /// Returns the peers of this name in the batch that no ancestor provides.
    fn top_peers(
        &mut self,
        resolver: &mut Resolver<'_>,
        alias: Alias,
        batch: &[EdgeId],
    ) -> Vec<EdgeId> {
        if let Some(top) = self.top.get(&alias) {
            return top.clone();
        }
        let mut top = Vec::new();
        for edge in batch {
            let state = resolver.arena.edge(*edge);
            if state.row.alias != alias || resolver.arena.node(state.owner).is_importer() {
                continue;
            }
            let request = resolver.request_of(*edge);
            if resolver.requests.get(request).range.is_some()
                && self.provider(resolver, *edge, None) == Provider::Top
            {
                top.push(*edge);
            }
        }
        self.top.insert(alias, top.clone());
        top
    }
}

/// What a peer is looked for by.
struct Wanted<'a> {
    alias: Alias,
    name: PackageName,
    range: Option<&'a Range>,
}

impl<'a> Wanted<'a> {
    /// Returns what the peer `edge` is looked for by, if it is about a registry.
    fn new(resolver: &'a Resolver<'_>, edge: EdgeId) -> Option<Self> {
        let request = resolver.requests.get(resolver.arena.edge(edge).request?);
        let Want::Registry { name, .. } = request.want else { return None };
        let names = &resolver.arena.names;
        let alias = request.provided_as(names);
        let is_alias = alias != request.alias;
        Some(Self {
            alias,
            name: names[name.index()].name,
            range: request.picking_range().filter(|_| !is_alias),
        })
    }

    /// Whether a package is of the right name, and not only called so by its dependent; then its
    /// version means nothing. Another package under that name has to satisfy the range.
    fn is_met_by(&self, resolver: &Resolver<'_>, node: NodeId) -> bool {
        let node = resolver.arena.node(node);
        match node.version() {
            Some(version) => {
                node.package.name == self.name
                    || self.range.is_some_and(|range| range.satisfies(version))
            }
            None => node.package.name == self.name,
        }
    }
}

/// Returns what `dependent` itself depends on under the name in question.
fn provided_by(
    resolver: &Resolver<'_>,
    dependent: NodeId,
    wanted: &Wanted<'_>,
    best: Option<&Version>,
) -> Option<NodeId> {
    let arena = &resolver.arena;
    let provides = |edge: &&EdgeState| {
        let range = || resolver.requests.get(edge.request?).range.as_ref();
        edge.row.alias == wanted.alias
            && (edge.row.kind != EdgeKind::Peer
                || arena.node(dependent).is_importer()
                || !best.is_some_and(|best| range().is_some_and(|range| range.satisfies(best))))
    };
    arena
        .edges_of(dependent)
        .iter()
        .filter(provides)
        .find_map(|edge| edge.target.filter(|target| wanted.is_met_by(resolver, *target)))
}
