//! One pass of placement: breadth first, each dependency climbs from its dependent towards the
//! root.
//!
//! The rule that packages do not climb past a wrong copy of a peer they need is that of Bun 1.4:
//! `schema-utils` brings `ajv@8` and `ajv-keywords` (peer `ajv@8`) while the root has `ajv@6`; both
//! stay below `schema-utils`, because at the root `ajv-keywords` would meet `ajv@6`.

use std::collections::VecDeque;

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::HoistError;
use super::prepare::{Dependency, NameId, Prepared, Probe};
use super::tree::{HoistedTree, Placed};
use crate::{EdgeId, Graph, PackageId, Resolution};

/// Deeper than any path that an operating system takes (4,096 bytes of `node_modules/a/`).
const DEPTH_LIMIT: u32 = 320;
/// Far beyond any real project; stops graphs made to explode.
const PLACE_LIMIT: u32 = 2_000_000;

const ROOT: u32 = 0;
const NOTHING: u32 = u32::MAX;

/// Placement at work; the numbers of places are those of [`Climb::places`], the first is the root.
pub(super) struct Climb<'a> {
    graph: &'a Graph,
    prepared: &'a Prepared,
    /// What each edge leads to at the moment; optional peers are bound while placing.
    targets: Vec<Option<PackageId>>,
    bound: Vec<EdgeId>,
    places: Vec<Place>,
    root_slots: Vec<u32>,
    slots: HashMap<(u32, NameId), u32>,
    queue: VecDeque<u32>,
    /// Unbound optional peers that met another one of the same name.
    waiting: HashMap<NameId, Vec<EdgeId>>,
    /// For each name, the dependency of the package at work that is no peer.
    provided: Vec<(u32, PackageId)>,
}

/// A folder of the tree; for an unbound optional peer, only a reservation.
#[derive(Clone, Copy)]
struct Place {
    parent: u32,
    depth: u32,
    name: NameId,
    edge: EdgeId,
    /// The topmost place that what is below may climb to.
    hoist_root: u32,
    in_bundle: bool,
}

/// Where the climb of one dependency ended.
enum Outcome {
    /// Nothing to place.
    Done,
    /// Goes below this place.
    Below(u32),
    /// Takes this place, which an unbound optional peer held.
    Takes(u32),
}

impl<'a> Climb<'a> {
    pub(super) fn new(graph: &'a Graph, prepared: &'a Prepared) -> Self {
        Self {
            graph,
            prepared,
            targets: graph.edges().iter().map(|edge| edge.target).collect(),
            bound: Vec::new(),
            places: Vec::with_capacity(graph.packages().len()),
            root_slots: Vec::new(),
            slots: HashMap::new(),
            queue: VecDeque::new(),
            waiting: HashMap::new(),
            provided: Vec::new(),
        }
    }

    /// Whether a pass bound an optional peer.
    pub(super) fn has_bound_peers(&self) -> bool {
        !self.bound.is_empty()
    }

    /// Returns the optional peers that were bound and what to.
    pub(super) fn into_bound_peers(self) -> impl Iterator<Item = (EdgeId, PackageId)> + use<> {
        let targets = self.targets;
        self.bound.into_iter().filter_map(move |edge| Some((edge, targets[edge.index()]?)))
    }

    /// Places everything anew with what is bound so far.
    pub(super) fn run(&mut self) -> Result<(), HoistError> {
        let names = self.prepared.names.len();
        self.places.clear();
        self.slots.clear();
        self.waiting.clear();
        self.queue.clear();
        self.root_slots.clear();
        self.root_slots.resize(names, NOTHING);
        self.provided.clear();
        self.provided.resize(names, (NOTHING, PackageId::ROOT));
        self.places.push(Place {
            parent: NOTHING,
            depth: 0,
            name: NameId(NOTHING),
            edge: EdgeId(NOTHING),
            hoist_root: ROOT,
            in_bundle: false,
        });
        self.visit(ROOT, PackageId::ROOT)?;
        while let Some(place) = self.queue.pop_front() {
            if let Some(package) = self.targets[self.places[place as usize].edge.index()] {
                self.visit(place, package)?;
            }
        }
        Ok(())
    }

    /// Places the dependencies of `package`, which lies at `place`.
    fn visit(&mut self, place: u32, package: PackageId) -> Result<(), HoistError> {
        let prepared = self.prepared;
        let dependencies = prepared.dependencies(package);
        for dependency in dependencies.iter().filter(|dependency| !dependency.is_peer) {
            if let Some(target) = self.targets[dependency.edge.index()] {
                let provided = &mut self.provided[dependency.name.0 as usize];
                if provided.0 != place {
                    *provided = (place, target);
                }
            }
        }
        for dependency in dependencies {
            match self.climb(place, dependency) {
                Outcome::Done => {}
                Outcome::Below(parent) => self.put(parent, place, dependency)?,
                Outcome::Takes(reserved) => {
                    let hoist_root = self.places[place as usize].hoist_root;
                    let taken = &mut self.places[reserved as usize];
                    taken.edge = dependency.edge;
                    taken.hoist_root = hoist_root;
                    taken.in_bundle = hoist_root != ROOT;
                    self.enqueue(reserved);
                }
            }
        }
        Ok(())
    }

    fn climb(&mut self, from: u32, dependency: &Dependency) -> Outcome {
        let target = self.targets[dependency.edge.index()];
        let stays = dependency.is_bundled
            || target.is_some_and(|target| {
                matches!(self.graph.package(target).resolution, Resolution::Folder(_))
            });
        if stays {
            return match self.slot(from, dependency.name) {
                Some(_) => Outcome::Done,
                None => Outcome::Below(from),
            };
        }
        let mut probes: SmallVec<[(Probe, bool); 8]> = target
            .map_or(&[][..], |target| self.prepared.probes(target))
            .iter()
            .map(|probe| {
                let (owner, provided) = self.provided[probe.name.0 as usize];
                let is_met = owner == from && self.satisfies(provided, *probe);
                (*probe, is_met)
            })
            .collect();
        let hoist_root = self.places[from as usize].hoist_root;
        let mut at = from;
        loop {
            for (probe, is_met) in &mut probes {
                let Some(seen) = self.slot(at, probe.name) else { continue };
                let Some(seen) = self.target_at(seen) else { continue };
                if self.satisfies(seen, *probe) {
                    *is_met = true;
                } else if *is_met {
                    return Outcome::Below(from);
                }
            }
            if let Some(found) = self.slot(at, dependency.name) {
                return self.meet(from, at, found, dependency);
            }
            if at == hoist_root {
                return Outcome::Below(at);
            }
            at = self.places[at as usize].parent;
        }
    }

    /// Decides what becomes of a dependency of the package at `from` that meets its own name at
    /// `found`, a place directly below `at`.
    fn meet(&mut self, from: u32, at: u32, found: u32, dependency: &Dependency) -> Outcome {
        let target = self.targets[dependency.edge.index()];
        match (self.target_at(found), target) {
            (None, None) => {
                self.waiting.entry(dependency.name).or_default().push(dependency.edge);
                Outcome::Done
            }
            (None, Some(target)) => {
                self.bind(self.places[found as usize].edge, dependency.name, target);
                Outcome::Takes(found)
            }
            (Some(found), None) => {
                self.bind(dependency.edge, dependency.name, found);
                Outcome::Done
            }
            (Some(found), Some(target)) => {
                let is_good_enough = found == target
                    || dependency.is_peer
                        && (dependency.is_optional_peer
                            || self.prepared.satisfies_peer(self.graph, found, dependency.edge)
                            || at == ROOT && self.prepared.is_root_dependency(dependency.name));
                if is_good_enough || at == from { Outcome::Done } else { Outcome::Below(from) }
            }
        }
    }

    /// Binds an optional peer, and with it all that wait for a package of that name.
    fn bind(&mut self, edge: EdgeId, name: NameId, target: PackageId) {
        let waiting = self.waiting.remove(&name).unwrap_or_default();
        for edge in std::iter::once(edge).chain(waiting) {
            let slot = &mut self.targets[edge.index()];
            if slot.is_none() {
                *slot = Some(target);
                self.bound.push(edge);
            }
        }
    }

    /// Makes a place below `parent` for a dependency of the package at `from`.
    fn put(&mut self, parent: u32, from: u32, dependency: &Dependency) -> Result<(), HoistError> {
        let place = self.places.len() as u32;
        let from = self.places[from as usize];
        let depth = self.places[parent as usize].depth + 1;
        if place > PLACE_LIMIT {
            return Err(HoistError::TooManyPlaces { limit: PLACE_LIMIT });
        }
        let target = self.targets[dependency.edge.index()];
        if let Some(target) = target
            && depth > DEPTH_LIMIT
        {
            let package = self.graph.package(target).name;
            return Err(HoistError::TooDeep { package, limit: DEPTH_LIMIT });
        }
        self.places.push(Place {
            parent,
            depth,
            name: dependency.name,
            edge: dependency.edge,
            hoist_root: if dependency.is_bundled { parent } else { from.hoist_root },
            in_bundle: dependency.is_bundled || from.hoist_root != ROOT,
        });
        if parent == ROOT {
            self.root_slots[dependency.name.0 as usize] = place;
        } else {
            self.slots.insert((parent, dependency.name), place);
        }
        if target.is_some() {
            self.enqueue(place);
        }
        Ok(())
    }

    /// Has the dependencies of the package at `place` visited. That may be the root once more:
    /// `"self": "file:."` leads to it.
    fn enqueue(&mut self, place: u32) {
        let target = self.targets[self.places[place as usize].edge.index()];
        if target.is_some_and(|target| !self.prepared.dependencies(target).is_empty()) {
            self.queue.push_back(place);
        }
    }

    fn slot(&self, place: u32, name: NameId) -> Option<u32> {
        if place == ROOT {
            let slot = self.root_slots[name.0 as usize];
            (slot != NOTHING).then_some(slot)
        } else {
            self.slots.get(&(place, name)).copied()
        }
    }

    fn target_at(&self, place: u32) -> Option<PackageId> {
        self.targets[self.places[place as usize].edge.index()]
    }

    fn satisfies(&self, package: PackageId, probe: Probe) -> bool {
        self.prepared.satisfies(self.graph, package, probe.range)
    }

    /// Returns what was placed; reservations that no package took are left out.
    pub(super) fn to_tree(&self) -> HoistedTree {
        let placed = self.places.iter().enumerate().skip(1).filter_map(|(index, place)| {
            Some(Placed {
                number: index as u32,
                parent: place.parent,
                depth: place.depth,
                alias: self.prepared.names[place.name.0 as usize],
                edge: place.edge,
                package: self.targets[place.edge.index()]?,
                in_bundle: place.in_bundle,
            })
        });
        HoistedTree::new(placed.collect(), self.places.len())
    }
}
