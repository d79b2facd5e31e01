//! One pass of placement: breadth first, each dependency climbs from its dependent towards the
//! root.
//!
//! The rule that packages do not climb past a wrong copy of a peer they need is that of Bun 1.4:
//! `schema-utils` brings `ajv@8` and `ajv-keywords` (peer `ajv@8`) while the root has `ajv@6`; both
//! stay below `schema-utils`, because at the root `ajv-keywords` would meet `ajv@6`.
//!
//! What a tarball bundles climbs up to its bundler and no further, and not even there if it would
//! hide a package that the bundler, or an ordinary dependency directly below it, finds further up.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::HoistError;
use super::prepare::{Dependency, NameId, Prepared, Probe};
use super::tree::{HoistedTree, Placed};
use crate::{Edge, EdgeId, Graph, PackageId, Resolution};

/// Deeper than any path that an operating system takes (4,096 bytes of `node_modules/a/`).
const DEPTH_LIMIT: u32 = 320;
const ROOT: u32 = 0;
const NOTHING: u32 = u32::MAX;

/// Placement at work; the numbers of places are those of [`Climb::places`], the first is the root.
pub(super) struct Climb<'a> {
    graph: &'a Graph,
    prepared: &'a Prepared,
    place_limit: u32,
    /// What each edge leads to at the moment; optional peers are bound while placing.
    targets: Vec<Option<PackageId>>,
    places: Vec<Place>,
    root_slots: Vec<u32>,
    slots: HashMap<(u32, NameId), u32>,
    queue: VecDeque<u32>,
    /// Unbound optional peers that met another one of the same name.
    waiting: HashMap<NameId, Vec<EdgeId>>,
    /// Optional peers whose reserved place a package took, and others that waited for it.
    replaced: HashSet<EdgeId>,
    /// Optional peers that have reserved a place.
    reserved: HashSet<EdgeId>,
    /// For each name, how the package at work asks for it.
    wanted: Vec<Wanted>,
    /// Places of packages that bundle others.
    bundlers: HashSet<u32>,
    /// For each of these, what it and the packages below it that it does not bundle need.
    needs: HashMap<(u32, NameId), SmallVec<[EdgeId; 2]>>,
}

/// A folder of the tree.
#[derive(Clone, Copy)]
struct Place {
    parent: u32,
    depth: u32,
    name: NameId,
    edge: EdgeId,
    /// What lies there; nothing if an unbound optional peer only reserves it.
    target: Option<PackageId>,
    /// The topmost place that what is below may climb to.
    hoist_root: u32,
    in_bundle: bool,
    /// The nearest place above that bundles others.
    bundler: u32,
}

/// How a package asks for a name.
#[derive(Clone, Copy)]
struct Wanted {
    /// The place of the package that did last.
    by: u32,
    /// What it got, unless it asked for a peer.
    own: Option<PackageId>,
}

/// A peer of the package that climbs, as seen on the way.
struct Watch {
    probe: Probe,
    /// Whether a copy in range lies below.
    is_met: bool,
    /// Whether copies that only auto-installed peers brought do not count, because the dependent
    /// asks for the package, too.
    keeps_to_own: bool,
    /// The copy that the dependent finds.
    own: Option<PackageId>,
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
    /// Prepares to place the edges that are in `prepared`; what optional peers lead to so far is
    /// forgotten, unless nothing else leads there.
    pub(super) fn new(graph: &'a Graph, prepared: &'a Prepared, place_limit: u32) -> Self {
        let sole_ways = graph.sole_ways();
        let target = |(edge, id): (&Edge, u32)| {
            edge.target.filter(|_| !edge.is_optional_peer() || sole_ways.contains(&EdgeId(id)))
        };
        Self {
            graph,
            prepared,
            place_limit,
            targets: graph.edges().iter().zip(0..).map(target).collect(),
            places: Vec::with_capacity(graph.packages().len()),
            root_slots: Vec::new(),
            slots: HashMap::new(),
            queue: VecDeque::new(),
            waiting: HashMap::new(),
            replaced: HashSet::new(),
            reserved: HashSet::new(),
            wanted: Vec::new(),
            bundlers: HashSet::new(),
            needs: HashMap::new(),
        }
    }

    /// Goes back to the start if packages took places that optional peers had reserved: these
    /// peers, now bound, are visited earlier than the packages were. Other bindings are forgotten,
    /// they are found again. Returns whether there is anything to place anew.
    pub(super) fn start_again(&mut self) -> bool {
        let replaced = &self.replaced;
        !replaced.is_empty()
    }

    /// Returns what each edge leads to.
    pub(super) fn into_targets(self) -> Vec<Option<PackageId>> {
        self.targets
    }

    /// Places everything.
    pub(super) fn run(&mut self) -> Result<(), HoistError> {
        let names = self.prepared.names.len();
        self.places.clear();
        self.slots.clear();
        self.waiting.clear();
        self.replaced.clear();
        self.reserved.clear();
        self.bundlers.clear();
        self.needs.clear();
        self.queue.clear();
        self.root_slots.clear();
        self.root_slots.resize(names, NOTHING);
        self.wanted.clear();
        self.wanted.resize(names, Wanted { by: NOTHING, own: None });
        self.places.push(Place {
            parent: NOTHING,
            depth: 0,
            name: NameId(NOTHING),
            edge: EdgeId(NOTHING),
            target: Some(PackageId::ROOT),
            hoist_root: ROOT,
            in_bundle: false,
            bundler: NOTHING,
        });
        self.visit(ROOT, PackageId::ROOT)?;
        while let Some(place) = self.queue.pop_front() {
            if let Some(package) = self.places[place as usize].target {
                self.visit(place, package)?;
            }
        }
        Ok(())
    }

    /// Places the dependencies of `package`, which lies at `place`.
    fn visit(&mut self, place: u32, package: PackageId) -> Result<(), HoistError> {
        let prepared = self.prepared;
        let dependencies = prepared.dependencies(package);
        for dependency in dependencies.iter().filter(|dependency| !dependency.is_optional_peer) {
            let wanted = &mut self.wanted[dependency.name.0 as usize];
            if wanted.by != place {
                let target = self.targets[dependency.edge.index()];
                *wanted = Wanted { by: place, own: target.filter(|_| !dependency.is_peer) };
            }
        }
        if place != ROOT && dependencies.iter().any(|dependency| dependency.is_bundled) {
            self.bundlers.insert(place);
            self.note_needs(place, dependencies);
        }
        for dependency in dependencies {
            match self.climb(place, dependency) {
                Outcome::Done => {}
                Outcome::Below(parent) => self.put(parent, place, dependency)?,
                Outcome::Takes(reserved) => {
                    let hoist_root = self.places[place as usize].hoist_root;
                    let taken = &mut self.places[reserved as usize];
                    taken.edge = dependency.edge;
                    taken.target = self.targets[dependency.edge.index()];
                    taken.hoist_root = hoist_root;
                    taken.in_bundle = hoist_root != ROOT;
                    self.note_guest(reserved);
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
            let is_there = self.slot(from, dependency.name).is_some()
                || dependency.is_peer && self.sees(from, dependency.name, target);
            return if is_there { Outcome::Done } else { Outcome::Below(from) };
        }
        let mut watches = self.watches(from, target);
        let hoist_root = self.places[from as usize].hoist_root;
        let mut at = from;
        loop {
            for watch in &mut watches {
                if self.repels(from, at, watch) {
                    return Outcome::Below(from);
                }
            }
            if let Some(found) = self.slot(at, dependency.name) {
                return self.meet(from, at, found, dependency);
            }
            if at == hoist_root {
                return if at == ROOT {
                    Outcome::Below(at)
                } else {
                    self.reach_bundler(from, at, dependency)
                };
            }
            at = self.places[at as usize].parent;
        }
    }

    /// Returns the peers of the package `target` that decide how far it may climb from `from`.
    fn watches(&self, from: u32, target: Option<PackageId>) -> SmallVec<[Watch; 4]> {
        let mut watches = SmallVec::new();
        for probe in target.map_or(&[][..], |target| self.prepared.probes(target)) {
            let wanted = self.wanted[probe.name.0 as usize];
            let is_wanted = wanted.by == from;
            let own = wanted.own.filter(|_| is_wanted);
            let is_met = own.is_some_and(|own| self.satisfies(own, *probe));
            // Where the dependent's own copy is out of range, no other place is any worse.
            let is_hopeless = own.is_some() && !is_met;
            let is_contested = is_wanted && self.prepared.is_contested(probe.name);
            if !is_hopeless && (probe.is_strict || is_contested) {
                let keeps_to_own = is_contested;
                watches.push(Watch { probe: *probe, is_met, keeps_to_own, own });
            }
        }
        watches
    }

    /// Whether a package with this peer, needed at `from`, must not be placed at or above `at`.
    fn repels(&self, from: u32, at: u32, watch: &mut Watch) -> bool {
        let slot = self.slot(at, watch.probe.name);
        let Some(seen) = slot.and_then(|place| self.target_at(place)) else { return false };
        let is_in_range = self.satisfies(seen, watch.probe);
        let own = *watch.own.get_or_insert(seen);
        watch.keeps_to_own &= own != seen || is_in_range;
        if at == from {
            return false;
        }
        if !is_in_range {
            return watch.is_met && watch.probe.is_strict;
        }
        watch.is_met = true;
        watch.keeps_to_own && own != seen && self.prepared.is_peer_only(seen)
    }

    /// Decides what becomes of a dependency of the package at `from` that reached the bundler of
    /// its dependent, at `bundler`, without meeting its own name.
    fn reach_bundler(&self, from: u32, bundler: u32, dependency: &Dependency) -> Outcome {
        let Some(target) = self.targets[dependency.edge.index()] else {
            return Outcome::Below(bundler);
        };
        let place = &self.places[bundler as usize];
        if place.target == Some(target) && place.name == dependency.name {
            // It is the bundler itself.
            return Outcome::Done;
        }
        let would_shadow = self.would_shadow(bundler, dependency.name, target);
        Outcome::Below(if would_shadow { from } else { bundler })
    }

    /// Whether a package `target` under `name` directly below `bundler` could hide another one
    /// from the bundler or from what lies below it without being bundled.
    fn would_shadow(&self, bundler: u32, name: NameId, target: PackageId) -> bool {
        let needs = self.needs.get(&(bundler, name)).map_or(&[][..], |needs| needs);
        needs.iter().any(|edge| self.targets[edge.index()] != Some(target))
    }

    /// Notes what the package with these dependencies needs, which lies at or below `bundler`.
    fn note_needs(&mut self, bundler: u32, dependencies: &[Dependency]) {
        for dependency in dependencies {
            self.needs.entry((bundler, dependency.name)).or_default().push(dependency.edge);
        }
    }

    /// Whether the nearest package of that name, as seen from the place `from`, is this one.
    fn sees(&self, from: u32, name: NameId, target: Option<PackageId>) -> bool {
        let hoist_root = self.places[from as usize].hoist_root;
        let mut at = from;
        loop {
            if let Some(found) = self.slot(at, name) {
                return self.target_at(found) == target;
            }
            if at == hoist_root {
                return false;
            }
            at = self.places[at as usize].parent;
        }
    }

    /// Decides what becomes of a dependency of the package at `from` that meets its own name at
    /// `found`, a place directly below `at`.
    fn meet(&mut self, from: u32, at: u32, found: u32, dependency: &Dependency) -> Outcome {
        let seen_edge = self.places[found as usize].edge;
        let seen = self.target_at(found);
        let target = self.targets[dependency.edge.index()];
        match (seen, target) {
            (None, None) => {
                self.waiting.entry(dependency.name).or_default().push(dependency.edge);
                Outcome::Done
            }
            (None, Some(target)) => {
                self.targets[seen_edge.index()] = Some(target);
                let waiting = self.waiting.remove(&dependency.name).unwrap_or_default();
                self.bind(&waiting, target);
                self.replaced.extend(std::iter::once(seen_edge).chain(waiting));
                Outcome::Takes(found)
            }
            // Having reserved a place, it waits for a package to take that one.
            (Some(_), None) if self.reserved.contains(&dependency.edge) => Outcome::Done,
            (Some(seen), None) => {
                self.targets[dependency.edge.index()] = Some(seen);
                let waiting = self.waiting.remove(&dependency.name).unwrap_or_default();
                self.bind(&waiting, seen);
                // Known now, it may turn out to need a place of its own.
                self.climb(from, dependency)
            }
            (Some(seen), Some(target)) => {
                let is_good_enough = seen == target
                    || dependency.is_peer
                        && (self.prepared.satisfies_peer(self.graph, seen, dependency.edge)
                            || at == ROOT && self.prepared.is_root_dependency(dependency.name));
                if is_good_enough || at == from { Outcome::Done } else { Outcome::Below(from) }
            }
        }
    }

    /// Binds those of the optional peers that are not bound yet.
    fn bind(&mut self, peers: &[EdgeId], target: PackageId) {
        for peer in peers {
            self.targets[peer.index()].get_or_insert(target);
        }
    }

    /// Makes a place below `parent` for a dependency of the package at `from`.
    fn put(&mut self, parent: u32, from: u32, dependency: &Dependency) -> Result<(), HoistError> {
        let place = self.places.len() as u32;
        let from = self.places[from as usize];
        let depth = self.places[parent as usize].depth + 1;
        if place > self.place_limit {
            return Err(HoistError::TooManyPlaces { limit: self.place_limit });
        }
        let target = self.targets[dependency.edge.index()];
        if let Some(target) = target
            && depth > DEPTH_LIMIT
        {
            return Err(self.too_deep(parent, target));
        }
        let bundler = if self.bundlers.contains(&parent) {
            parent
        } else {
            self.places[parent as usize].bundler
        };
        self.places.push(Place {
            parent,
            depth,
            name: dependency.name,
            edge: dependency.edge,
            target,
            hoist_root: if dependency.is_bundled { parent } else { from.hoist_root },
            in_bundle: dependency.is_bundled || from.hoist_root != ROOT,
            bundler,
        });
        self.note_guest(place);
        if parent == ROOT {
            self.root_slots[dependency.name.0 as usize] = place;
        } else {
            self.slots.insert((parent, dependency.name), place);
        }
        if target.is_some() {
            self.enqueue(place);
        } else {
            self.reserved.insert(dependency.edge);
        }
        Ok(())
    }

    /// Notes what the package at `place` needs for all bundlers above that do not bundle it.
    fn note_guest(&mut self, place: u32) {
        let Place { mut bundler, hoist_root, target, .. } = self.places[place as usize];
        let Some(target) = target else { return };
        let prepared = self.prepared;
        while bundler != NOTHING {
            if self.places[hoist_root as usize].depth < self.places[bundler as usize].depth {
                self.note_needs(bundler, prepared.dependencies(target));
            }
            bundler = self.places[bundler as usize].bundler;
        }
    }

    /// Says why `package`, which should lie below `parent`, is nested that deep: most likely it
    /// needs itself in another version, which needs it again.
    #[cold]
    fn too_deep(&self, parent: u32, package: PackageId) -> HoistError {
        let mut chain = vec![package];
        let mut place = parent;
        while place != ROOT {
            chain.extend(self.places[place as usize].target);
            if chain.last() == Some(&package) {
                let packages = chain.iter().rev().map(|id| {
                    let package = self.graph.package(*id);
                    match package.version() {
                        Some(version) => format!("{}@{version}", package.name),
                        None => package.name.to_string(),
                    }
                });
                return HoistError::Cycle { packages: packages.collect() };
            }
            place = self.places[place as usize].parent;
        }
        HoistError::TooDeep { package: self.graph.package(package).name, limit: DEPTH_LIMIT }
    }

    /// Has the dependencies of the package at `place` visited. That may be the root once more:
    /// `"self": "file:."` leads to it.
    fn enqueue(&mut self, place: u32) {
        let target = self.places[place as usize].target;
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

    /// Returns what lies at `place`, or what the optional peer that reserved it was bound to when
    /// a package took another place that it had reserved.
    fn target_at(&self, place: u32) -> Option<PackageId> {
        let place = &self.places[place as usize];
        if place.target.is_none() && self.replaced.contains(&place.edge) {
            return self.targets[place.edge.index()];
        }
        place.target
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
                package: place.target?,
                in_bundle: place.in_bundle,
            })
        });
        HoistedTree::new(placed.collect(), self.places.len())
    }
}
