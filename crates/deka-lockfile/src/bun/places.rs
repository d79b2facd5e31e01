//! Keys as places in a tree of names, and the edges that follow from them.

use deka_graph::{Edge, EdgeId, EdgeKind, Graph, PackageId, Resolution};
use deka_manifest::{Alias, Bin, PackageName, Range, Symbol};
use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::entries::Entries;
use super::parse::alias;
use super::reader::{Reader, Result};
use crate::{LockfileError, WorkspaceEntry};

/// Deeper than any path that an operating system takes.
const DEPTH_LIMIT: usize = 512;

const TOP: u32 = 0;
const NOTHING: u32 = u32::MAX;

/// All keys; the first place is the root's `node_modules`.
pub(super) struct Places {
    all: Vec<Place>,
    top: HashMap<Alias, u32>,
    nested: HashMap<(u32, Alias), u32>,
}

struct Place {
    parent: u32,
    /// The number of the package in the order of the text, or nothing for a key that only others
    /// begin with.
    package: u32,
    name: Option<Alias>,
    has_children: bool,
    is_bundled: bool,
}

impl Places {
    pub(super) fn new() -> Self {
        let root = Place {
            parent: NOTHING,
            package: NOTHING,
            name: None,
            has_children: true,
            is_bundled: false,
        };
        Self { all: vec![root], top: HashMap::new(), nested: HashMap::new() }
    }

    /// Returns the place of `key`, which may be new.
    pub(super) fn insert(&mut self, reader: &Reader<'_>, key: &str, offset: usize) -> Result<u32> {
        let mut place = TOP;
        let mut rest = key;
        for _ in 0..DEPTH_LIMIT {
            let scope =
                if rest.starts_with('@') { rest.find('/').map_or(0, |at| at + 1) } else { 0 };
            let end = rest[scope..].find('/').map_or(rest.len(), |at| scope + at);
            let name = alias(reader, &rest[..end], offset)?;
            place = self.child_or_new(place, name);
            if end == rest.len() {
                return Ok(place);
            }
            rest = &rest[end + 1..];
        }
        Err(LockfileError::TooDeep { position: reader.position(offset) })
    }

    fn child_or_new(&mut self, parent: u32, name: Alias) -> u32 {
        let next = self.all.len() as u32;
        let place = if parent == TOP {
            *self.top.entry(name).or_insert(next)
        } else {
            *self.nested.entry((parent, name)).or_insert(next)
        };
        if place == next {
            self.all[parent as usize].has_children = true;
            self.all.push(Place {
                parent,
                package: NOTHING,
                name: Some(name),
                has_children: false,
                is_bundled: false,
            });
        }
        place
    }

    /// Lays `package` at `place`, unless something lies there already.
    pub(super) fn fill(
        &mut self,
        place: u32,
        package: u32,
        is_bundled: bool,
        occupied: impl FnOnce() -> LockfileError,
    ) -> Result<()> {
        let place = &mut self.all[place as usize];
        if place.package != NOTHING {
            return Err(occupied());
        }
        place.package = package;
        place.is_bundled = is_bundled;
        Ok(())
    }

    fn package_at(&self, parent: u32, name: Alias) -> Option<u32> {
        let place = if parent == TOP {
            self.top.get(&name)
        } else if self.all[parent as usize].has_children {
            self.nested.get(&(parent, name))
        } else {
            None
        };
        let package = self.all[*place? as usize].package;
        (package != NOTHING).then_some(package)
    }

    /// Returns what a package at `place` finds under `name`: in its own `node_modules`, else in
    /// those above.
    fn look_up(&self, mut place: u32, name: Alias) -> Option<u32> {
        loop {
            if let Some(package) = self.package_at(place, name) {
                return Some(package);
            }
            if place == TOP {
                return None;
            }
            place = self.all[place as usize].parent;
        }
    }

    fn key(&self, place: u32) -> String {
        let mut names = Vec::new();
        let mut at = &self.all[place as usize];
        while let Some(name) = at.name {
            names.push(name.as_str());
            at = &self.all[at.parent as usize];
        }
        names.reverse();
        names.join("/")
    }
}

/// Joins packages and workspaces and finds what every edge leads to.
///
/// The graph has the root first, then the workspaces by path, then all others in the order of the
/// text.
pub(super) fn into_graph(
    entries: Entries,
    reader: &Reader<'_>,
    workspaces: &[WorkspaceEntry],
) -> Result<Graph> {
    let Entries { keys: places, packages, edges, unresolved } = entries;
    let mut leads_nowhere = HashSet::new();
    let mut graph = Graph::with_capacity(
        workspaces.len() + packages.len(),
        // The edges of workspaces are not among them.
        edges.len() + edges.len() / 8,
    );
    let mut id_of_raw = vec![None; packages.len()];
    let mut root_bin = Bin::None;
    let mut raw_of_workspace: HashMap<Symbol, usize> = HashMap::new();
    let listed: HashSet<&str> = workspaces.iter().map(|entry| &*entry.path).collect();
    for (index, raw) in packages.iter().enumerate() {
        match &raw.package.resolution {
            Resolution::Root => {
                id_of_raw[index] = Some(PackageId::ROOT);
                root_bin = raw.package.bin.clone();
            }
            Resolution::Workspace(path) => {
                if !listed.contains(path.as_str()) || path.is_empty() {
                    return Err(LockfileError::InvalidEntry {
                        entry: raw.package.name.to_string(),
                        position: reader.position(raw.offset),
                        reason: "its folder is not listed in `workspaces`",
                    });
                }
                raw_of_workspace.insert(*path, index);
            }
            _ => {}
        }
    }

    // Workspaces get the ids behind the root's in the order of their paths.
    for (entry, id) in workspaces.iter().zip(0..) {
        let mut package = entry.package();
        if entry.path.is_empty() {
            package.bin = root_bin.clone();
        }
        let mut own: Vec<Edge> = Vec::new();
        if entry.path.is_empty() {
            for (workspace, id) in workspaces.iter().zip(0..).skip(1) {
                let Some(raw) = raw_of_workspace.get(&Symbol::new(&workspace.path)) else {
                    continue;
                };
                id_of_raw[*raw] = Some(PackageId(id));
                let name = packages[*raw].package.name;
                // A dependency of the root may have the name for something else.
                if places.package_at(TOP, name.into()) != Some(*raw as u32) {
                    continue;
                }
                own.push(Edge {
                    alias: Alias::from(name),
                    spec: Symbol::new(""),
                    kind: EdgeKind::Workspace,
                    optional_peer: false,
                    bundled: false,
                    target: Some(PackageId(id)),
                });
            }
        }
        own.extend(entry.edges());
        let added = graph.add_package(package, own);
        debug_assert_eq!(added, PackageId(id));
        for edge in graph.edge_ids_of(added) {
            let Edge { alias, kind, .. } = graph.edge(edge);
            if *kind == EdgeKind::Optional && entry.unresolved.contains(alias) {
                leads_nowhere.insert(edge);
            }
        }
    }
    for (index, raw) in packages.into_iter().enumerate() {
        if id_of_raw[index].is_none() {
            let range = raw.package.edges.start as usize..raw.package.edges.end as usize;
            let before = range.start as u32..range.end as u32;
            let added = graph.add_package(raw.package, edges[range].iter().cloned());
            id_of_raw[index] = Some(added);
            if !unresolved.is_empty() {
                let marked = graph.edge_ids_of(added).zip(before);
                let marked = marked.filter(|(_, before)| unresolved.contains(before));
                leads_nowhere.extend(marked.map(|(edge, _)| edge));
            }
        }
    }

    let mut recovery = Recovery::new(&graph, &places, id_of_raw);
    recovery.recover(&mut graph, &leads_nowhere)?;
    Ok(graph)
}

/// Finds what edges lead to.
struct Recovery<'a> {
    places: &'a Places,
    id_of_raw: Vec<Option<PackageId>>,
    /// The place of each package that its edges are looked up from: its first key.
    place_of: Vec<u32>,
    /// Packages from registries by name, the highest version first.
    by_name: HashMap<PackageName, SmallVec<[PackageId; 2]>>,
    ranges: HashMap<Symbol, Option<Range>>,
}

impl<'a> Recovery<'a> {
    fn new(graph: &Graph, places: &'a Places, id_of_raw: Vec<Option<PackageId>>) -> Self {
        let mut place_of = vec![NOTHING; graph.packages().len()];
        for (place, index) in places.all.iter().zip(0..).skip(1) {
            let id = id_of_raw.get(place.package as usize).copied().flatten();
            if let Some(id) = id {
                place_of[id.index()] = index;
            }
        }
        place_of[PackageId::ROOT.index()] = TOP;
        Self { places, id_of_raw, place_of, by_name: HashMap::new(), ranges: HashMap::new() }
    }

    fn recover(&mut self, graph: &mut Graph, leads_nowhere: &HashSet<EdgeId>) -> Result<()> {
        self.mark_bundled(graph);
        for id in graph.package_ids() {
            let place = self.place_of[id.index()];
            // A workspace without a key of its own still sees the root's `node_modules`.
            let place = if place == NOTHING { TOP } else { place };
            for edge_id in graph.edge_ids_of(id) {
                let edge = graph.edge(edge_id);
                // What optional peers lead to follows from the places of all others, mostly.
                let is_known = edge.target.is_some() || leads_nowhere.contains(&edge_id);
                if is_known || edge.is_optional_peer() {
                    continue;
                }
                let (kind, may_be_missing) =
                    (edge.kind, edge.kind == EdgeKind::Peer || edge.may_be_missing());
                let target = self.target(graph, place, edge_id);
                if target.is_none() && !may_be_missing {
                    return Err(LockfileError::Unresolved {
                        kind: match kind {
                            EdgeKind::Dev => "dev",
                            EdgeKind::Optional => "optional",
                            EdgeKind::Peer => "peer",
                            EdgeKind::Prod | EdgeKind::Workspace => "prod",
                        },
                        dependency: graph.edge(edge_id).alias.to_string(),
                        package: match place {
                            TOP => graph.package(id).name.to_string(),
                            place => self.places.key(place),
                        },
                    });
                }
                graph.edge_mut(edge_id).target = target;
            }
        }
        self.recover_sole_ways(graph);
        Ok(())
    }

    /// Lets optional peers lead to the packages that nothing else leads to.
    fn recover_sole_ways(&mut self, graph: &mut Graph) {
        let mut is_wanted = vec![false; graph.packages().len()];
        for target in graph.edges().iter().filter_map(|edge| edge.target) {
            is_wanted[target.index()] = true;
        }
        let is_left_over = |id: &PackageId| {
            let is_importer = matches!(
                graph.package(*id).resolution,
                Resolution::Root | Resolution::Workspace(_)
            );
            !is_importer && !is_wanted[id.index()]
        };
        let left_over: HashSet<PackageId> = graph.package_ids().filter(is_left_over).collect();
        if left_over.is_empty() {
            return;
        }
        for id in graph.package_ids() {
            let place = self.place_of[id.index()];
            let place = if place == NOTHING { TOP } else { place };
            for edge in graph.edge_ids_of(id) {
                if !graph.edge(edge).is_optional_peer() {
                    continue;
                }
                let target = self.target(graph, place, edge);
                if target.is_some_and(|target| left_over.contains(&target)) {
                    graph.edge_mut(edge).target = target;
                }
            }
        }
    }

    fn target(&mut self, graph: &Graph, place: u32, edge: EdgeId) -> Option<PackageId> {
        let edge = graph.edge(edge);
        let is_ranged = !matches!(edge.spec.trim(), "" | "*");
        if edge.kind == EdgeKind::Peer && is_ranged {
            let highest = self.highest_in_range(graph, edge);
            if highest.is_some() {
                return highest;
            }
        }
        let raw = self.places.look_up(place, edge.alias)?;
        self.id_of_raw[raw as usize]
    }

    fn highest_in_range(&mut self, graph: &Graph, peer: &Edge) -> Option<PackageId> {
        if self.by_name.is_empty() {
            self.sort_by_name(graph);
        }
        let range = self.ranges.entry(peer.spec).or_insert_with(|| Range::parse(&peer.spec).ok());
        let range = range.as_ref()?;
        let candidates = self.by_name.get(&peer.alias.to_package_name())?;
        let satisfies =
            |id: &&PackageId| graph.package(**id).version().is_some_and(|v| range.satisfies(v));
        candidates.iter().find(satisfies).copied()
    }

    fn sort_by_name(&mut self, graph: &Graph) {
        self.by_name.reserve(graph.packages().len());
        for id in graph.package_ids() {
            let package = graph.package(id);
            if package.version().is_some() {
                self.by_name.entry(package.name).or_default().push(id);
            }
        }
        for ids in self.by_name.values_mut() {
            ids.sort_by(|one, other| {
                graph.package(*other).version().cmp(&graph.package(*one).version())
            });
        }
    }

    /// Marks the edges whose targets lie in the tarballs of their dependents.
    fn mark_bundled(&self, graph: &mut Graph) {
        for place in self.places.all.iter().filter(|place| place.is_bundled) {
            let parent = &self.places.all[place.parent as usize];
            let bundler = match place.parent {
                TOP => Some(PackageId::ROOT),
                _ => self.id_of_raw.get(parent.package as usize).copied().flatten(),
            };
            let Some(bundler) = bundler else { continue };
            for edge in graph.edge_ids_of(bundler) {
                let edge = graph.edge_mut(edge);
                if Some(edge.alias) == place.name && edge.kind != EdgeKind::Peer {
                    edge.bundled = true;
                }
            }
        }
    }
}
