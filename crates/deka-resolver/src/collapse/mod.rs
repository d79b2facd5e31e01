//! As few versions of a package as all ranges allow.
//!
//! Every edge picked its version for itself, so `^1.2.0` here and `1.2.3` there make two versions
//! where one would do. For each name, the versions that must stay are found (those of edges that
//! may not move: of the root, of workspaces, of the lockfile, with a patch, bundled, without a
//! range), then versions are added greedily: always the one that satisfies most of the remaining
//! edges, the higher one of two. Edges that may move go to the highest of those that must stay and
//! satisfy them, else to the highest of the others.
//!
//! Edges to packages that the lockfile has may not move; edges of such packages to new ones, which an
//! update makes, do where their versions do not stay, to the highest that does. When a lockfile is deduplicated
//! ([`Options::deduplicates`](crate::Options)), all edges that have a range and no patch do so.
//!
//! ```text
//! a ─► x ^1.2.0 (1.9.0)                        a ─► x 1.2.3
//! z ─► x 1.2.3  (1.2.3)    1.2.3 satisfies     z ─► x 1.2.3
//! ```
//! Packages that nobody needs after the vote should not have voted. So it is held again without
//! them, until all who voted stay. If packages are needed after that which did not vote, they come
//! back level by level; who then votes himself away again stays out, and keeps his edges.

use deka_manifest::Range;
use hashbrown::HashMap;

use crate::arena::{EdgeId, NodeId, Origin, RequestId};
use crate::resolver::Resolver;

/// Whose edges count.
struct Electorate {
    status: Vec<Status>,
    /// Whether all who fell away were removed, and those who are needed again come back.
    is_growing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// Not needed by the last outcome.
    Away,
    Voter,
    /// Voted himself away after he had come back.
    Excluded,
}

impl Electorate {
    fn new(live: Vec<bool>) -> Self {
        let status = live.into_iter().map(|live| if live { Status::Voter } else { Status::Away });
        Self { status: status.collect(), is_growing: false }
    }

    /// Removes those who voted themselves away; returns whether there are any.
    fn remove(&mut self, voted: &[bool], live: &[bool]) -> bool {
        let removed = if self.is_growing { Status::Excluded } else { Status::Away };
        let mut any = false;
        for ((status, voted), live) in self.status.iter_mut().zip(voted).zip(live) {
            if !live && *status == Status::Voter {
                *status = if *voted { removed } else { Status::Away };
                any |= *voted;
            }
        }
        any
    }
}

/// The versions of one name and the edges to them.
struct Group {
    /// The highest first.
    candidates: Vec<NodeId>,
    voters: Vec<Voter>,
}

#[derive(Clone, Copy)]
struct Voter {
    edge: EdgeId,
    owner: NodeId,
    /// Which other versions would do; `None` if the edge may not move.
    request: Option<RequestId>,
    /// Whether the edge moves only if the version that it leads to does not stay.
    is_loyal: bool,
}

impl Resolver<'_> {
    /// Moves edges so that versions fall away.
    pub(crate) fn collapse(&mut self) {
        let groups = self.groups();
        if groups.is_empty() {
            return;
        }
        let targets: Vec<Option<NodeId>> =
            self.arena.edges.iter().map(|edge| edge.target).collect();
        let mut satisfied = Satisfied::default();
        let mut electorate = Electorate::new(self.live(&targets));
        let moved = loop {
            let mut next = targets.clone();
            let mut voted = vec![false; self.arena.nodes.len()];
            for group in &groups {
                self.vote(group, &targets, &electorate, &mut satisfied, (&mut next, &mut voted));
            }
            let live = self.live(&next);
            if electorate.remove(&voted, &live) {
                continue;
            }
            electorate.is_growing = true;
            if !self.admit(&mut electorate, &next, &live) {
                break next;
            }
        };
        for (edge, target) in self.arena.edges.iter_mut().zip(moved) {
            edge.target = target;
        }
    }

    /// Lets those vote again that voters lead to; returns whether there are any.
    fn admit(
        &self,
        electorate: &mut Electorate,
        targets: &[Option<NodeId>],
        live: &[bool],
    ) -> bool {
        let mut new = Vec::new();
        for node in self.arena.node_ids().filter(|node| live[node.index()]) {
            if electorate.status[node.index()] == Status::Away {
                continue;
            }
            for edge in self.arena.edge_ids_of(node) {
                if let Some(target) = targets[edge.index()]
                    && electorate.status[target.index()] == Status::Away
                {
                    new.push(target);
                }
            }
        }
        for node in &new {
            electorate.status[node.index()] = Status::Voter;
        }
        !new.is_empty()
    }

    /// Collects the names of which there are several versions, at least one of them new unless the
    /// lockfile is deduplicated.
    fn groups(&mut self) -> Vec<Group> {
        let deduplicates = self.input.options.deduplicates;
        let mut group_of: Vec<Option<u32>> = vec![None; self.arena.nodes.len()];
        let mut groups: Vec<Group> = Vec::new();
        for name in &self.arena.names {
            let is_locked = |id: &NodeId| self.arena.node(*id).origin == Origin::Locked;
            if name.nodes.len() < 2 || (!deduplicates && name.nodes.iter().all(is_locked)) {
                continue;
            }
            for node in &name.nodes {
                group_of[node.index()] = Some(groups.len() as u32);
            }
            groups.push(Group { candidates: name.nodes.to_vec(), voters: Vec::new() });
        }
        // What lies inside another tarball is nobody else's business, nor is what belongs to it.
        let mut is_unbundled = vec![false; self.arena.nodes.len()];
        for node in self.arena.breadth_first(|edge| !edge.row.bundled) {
            is_unbundled[node.index()] = true;
        }
        for edge in self.arena.edge_ids() {
            let state = self.arena.edge(edge);
            let Some(target) = state.target else { continue };
            let Some(group) = group_of[target.index()] else { continue };
            let (owner, row) = (state.owner, state.row);
            if row.bundled || !is_unbundled[owner.index()] {
                continue;
            }
            let target = self.arena.node(target);
            let origin = self.arena.node(owner).origin;
            let is_new = origin != Origin::Importer && target.origin != Origin::Locked;
            let may_move = (is_new || deduplicates) && !self.is_patched(target);
            let request = may_move
                .then(|| self.request_of(edge))
                .filter(|request| self.requests.get(*request).range.is_some());
            let is_loyal = deduplicates || origin == Origin::Locked;
            groups[group as usize].voters.push(Voter { edge, owner, request, is_loyal });
        }
        groups
    }

    fn is_patched(&self, node: &crate::arena::Node) -> bool {
        let patched = &self.input.patched;
        !patched.is_empty() && patched.iter().any(|label| label.as_str() == node.label())
    }

    /// Returns which packages can be reached from the root.
    fn live(&self, targets: &[Option<NodeId>]) -> Vec<bool> {
        let mut live = vec![false; self.arena.nodes.len()];
        let mut stack = vec![NodeId::ROOT];
        live[0] = true;
        while let Some(node) = stack.pop() {
            for edge in self.arena.edge_ids_of(node) {
                if let Some(target) = targets[edge.index()]
                    && !std::mem::replace(&mut live[target.index()], true)
                {
                    stack.push(target);
                }
            }
        }
        live
    }

    fn vote(
        &self,
        group: &Group,
        targets: &[Option<NodeId>],
        electorate: &Electorate,
        satisfied: &mut Satisfied,
        (next, voted): (&mut [Option<NodeId>], &mut [bool]),
    ) {
        let voters: Vec<(&Voter, NodeId)> = group
            .voters
            .iter()
            .filter(|voter| electorate.status[voter.owner.index()] == Status::Voter)
            .filter_map(|voter| Some((voter, targets[voter.edge.index()]?)))
            .collect();
        let candidates: Vec<NodeId> = group
            .candidates
            .iter()
            .copied()
            .filter(|id| voters.iter().any(|(_, target)| target == id))
            .collect();
        let mut ballot = Ballot::new(candidates.len());
        let mut movable = Vec::new();
        for (voter, current) in voters {
            let Some(at) = candidates.iter().position(|id| *id == current) else { continue };
            voted[voter.owner.index()] = true;
            match voter.request {
                None => ballot.require(at),
                Some(request) => {
                    let choices: Vec<bool> =
                        candidates.iter().map(|id| satisfied.ask(self, request, *id)).collect();
                    movable.push((voter, at, ballot.add(choices)));
                }
            }
        }
        if candidates.len() < 2 {
            return;
        }
        let preference = ballot.cover();
        for (voter, current, choices) in movable {
            if voter.is_loyal && preference.contains(&current) {
                continue;
            }
            let choices = ballot.choices(choices);
            let mut acceptable = preference.iter().filter(|to| choices[**to]);
            let takes_highest = voter.is_loyal && !self.input.options.deduplicates;
            let to = if takes_highest { acceptable.min() } else { acceptable.next() };
            if let Some(to) = to {
                next[voter.edge.index()] = Some(candidates[*to]);
            }
        }
    }
}

/// Which version satisfies which request, asked once.
#[derive(Default)]
struct Satisfied(HashMap<(RequestId, NodeId), bool>);

impl Satisfied {
    fn ask(&mut self, resolver: &Resolver<'_>, request: RequestId, node: NodeId) -> bool {
        *self.0.entry((request, node)).or_insert_with(|| {
            let range = resolver.requests.get(request).range.as_ref();
            let version = resolver.arena.node(node).version();
            range.zip(version).is_some_and(|(range, version): (&Range, _)| range.satisfies(version))
        })
    }
}

/// Who accepts which candidates. Equal choices are counted, not repeated.
struct Ballot {
    required: Vec<bool>,
    choices: Vec<(Vec<bool>, usize)>,
    index_of: HashMap<Vec<bool>, usize>,
}

impl Ballot {
    fn new(candidates: usize) -> Self {
        Self { required: vec![false; candidates], choices: Vec::new(), index_of: HashMap::new() }
    }

    fn require(&mut self, candidate: usize) {
        self.required[candidate] = true;
    }

    /// Adds one voter and returns where its choices are.
    fn add(&mut self, choices: Vec<bool>) -> usize {
        if let Some(index) = self.index_of.get(&choices) {
            self.choices[*index].1 += 1;
            return *index;
        }
        self.index_of.insert(choices.clone(), self.choices.len());
        self.choices.push((choices, 1));
        self.choices.len() - 1
    }

    fn choices(&self, index: usize) -> &[bool] {
        &self.choices[index].0
    }

    /// Chooses candidates greedily until every voter accepts one; returns them in the order in
    /// which voters should take them.
    fn cover(&self) -> Vec<usize> {
        let mut kept: Vec<usize> =
            (0..self.required.len()).filter(|candidate| self.required[*candidate]).collect();
        let mut open: Vec<&(Vec<bool>, usize)> = self
            .choices
            .iter()
            .filter(|(choices, _)| !kept.iter().any(|candidate| choices[*candidate]))
            .collect();
        while !open.is_empty() {
            let mut votes = vec![0; self.required.len()];
            for (choices, count) in &open {
                for (votes, choice) in votes.iter_mut().zip(choices) {
                    *votes += if *choice { *count } else { 0 };
                }
            }
            // Candidates stand highest first, and the first of equals wins.
            let best = (0..votes.len()).rev().max_by_key(|candidate| votes[*candidate]);
            let Some(best) = best.filter(|best| votes[*best] > 0) else { break };
            kept.push(best);
            open.retain(|(choices, _)| !choices[best]);
        }
        kept.sort_by_key(|candidate| (!self.required[*candidate], *candidate));
        kept
    }
}

#[cfg(test)]
mod tests;
