//! What an earlier run resolved is kept: only what changed is asked for again.
//!
//! An edge of the root or of a workspace keeps its target if the manifest still says the same, or
//! something that the target satisfies as well. Edges of packages in the lockfile are not looked at
//! again, unless the overrides or the catalog that they went through changed.
//!
//! In an update the packages that it is about stay, too, but edges to them ask again.

use deka_graph::{EdgeKind, PackageId, Resolution};
use deka_manifest::{Spec, Symbol};
use hashbrown::{HashMap, HashSet};

use crate::arena::{EdgeId, NameId, NodeId, Origin};
use crate::requests::Want;
use crate::resolver::Resolver;
use crate::{Locked, Row};

impl Resolver<'_> {
    /// Adds the packages of the lockfile and gives the importers' edges their old targets.
    pub(crate) fn load_locked(&mut self, importers: &[NodeId]) {
        let Some(locked) = self.input.locked else { return };
        let graph = locked.graph;
        if graph.packages().is_empty() {
            return;
        }
        let mut node_of = self.add_locked_packages(locked, importers);
        node_of[PackageId::ROOT.index()] = Some(NodeId::ROOT);
        if let Some(update) = locked.update {
            self.updated.extend(update.packages.iter().map(|id| graph.package(*id).name));
        }
        let changed = self.changed_names(locked);
        let sole_ways = graph.sole_ways();
        for id in graph.package_ids() {
            let Some(node) = node_of[id.index()] else { continue };
            if self.arena.node(node).is_importer() {
                continue;
            }
            // Almost always they are the same, in the same order.
            let mut next = graph.edge_ids_of(id);
            let mut target_of = |row: Row| {
                let is_it = |edge| {
                    let edge = graph.edge(edge);
                    (edge.kind, edge.alias, edge.spec) == (row.kind, row.alias, row.spec)
                };
                let edge_id = match next.clone().position(is_it) {
                    Some(at) => next.nth(at),
                    None => graph.edge_ids_of(id).find(|edge| is_it(*edge)),
                }?;
                let edge = graph.edge(edge_id);
                // What it happened to find is found again.
                let is_kept = !edge.is_optional_peer() || sole_ways.contains(&edge_id);
                let target = edge.target.filter(|target| is_kept && !locked.is_updated(*target));
                let target = target.and_then(|target| node_of[target.index()]);
                Some((target, edge.optional_peer))
            };
            let leads_to = |row: Row, is_it: &dyn Fn(PackageId) -> bool| {
                graph.edges_of(id).iter().any(|edge| {
                    (edge.kind, edge.alias) == (row.kind, row.alias)
                        && edge.target.is_some_and(is_it)
                })
            };
            let mut is_changed = false;
            for edge in self.arena.edge_ids_of(node) {
                let row = self.arena.edge(edge).row;
                let known = target_of(row);
                if self.is_changed(row, known.and_then(|(target, _)| target), &changed) {
                    is_changed = true;
                    self.open(edge);
                    continue;
                }
                match known {
                    // An extension makes it optional by now.
                    Some((Some(_), false)) if row.optional_peer => {}
                    Some((Some(target), _)) => {
                        self.arena.edges[edge.index()].target = Some(target);
                    }
                    Some((None, _)) if leads_to(row, &|id| locked.is_updated(id)) => {
                        self.open_for_update(edge);
                    }
                    // It led to a package that is not what it was.
                    Some((None, _)) if leads_to(row, &|id| locked.stale.contains(&id)) => {
                        self.open(edge);
                    }
                    // Another package manager's lockfile forgot it.
                    Some((None, _)) if row.kind == EdgeKind::Prod => self.open(edge),
                    // No extension makes it optional any more.
                    Some((None, true)) if !row.optional_peer => self.open(edge),
                    Some((None, _)) => {}
                    // An extension added it, or asks for something else than before.
                    None => self.open(edge),
                }
            }
            if is_changed {
                tracing::debug!(package = %self.arena.node(node).label(), "overrides changed");
            }
        }
        for importer in importers {
            self.keep_targets(locked, *importer, &node_of, &sole_ways, &changed);
        }
    }

    /// Adds the packages that are neither the root, a workspace nor stale; returns the node of each, also
    /// of the workspaces that are still there.
    fn add_locked_packages(
        &mut self,
        locked: Locked<'_>,
        importers: &[NodeId],
    ) -> Vec<Option<NodeId>> {
        let graph = locked.graph;
        let path_of = |resolution: &Resolution| match resolution {
            Resolution::Workspace(path) => Some(*path),
            _ => None,
        };
        let workspaces: HashMap<Symbol, NodeId> = importers
            .iter()
            .filter_map(|id| Some((path_of(&self.arena.node(*id).package.resolution)?, *id)))
            .collect();
        let mut node_of = vec![None; graph.packages().len()];
        self.arena.reserve(graph.packages().len(), graph.edges().len());
        for id in graph.package_ids() {
            let package = graph.package(id);
            node_of[id.index()] = match &package.resolution {
                Resolution::Root => Some(NodeId::ROOT),
                Resolution::Workspace(path) => workspaces.get(path).copied(),
                _ if locked.stale.contains(&id) => None,
                _ => {
                    let (rows, added) = locked.rows_of(id, &self.input.extensions);
                    let node = self.arena.add_node(package.clone(), Origin::Locked, rows);
                    if !added.is_empty() {
                        self.added.insert(node, added);
                    }
                    Some(node)
                }
            };
        }
        node_of
    }

    /// Returns the names of dependencies that mean something else than before.
    fn changed_names(&self, locked: Locked<'_>) -> HashSet<Symbol> {
        self.input.overrides.changed_names(locked.overrides).collect()
    }

    /// Whether an edge may mean something else than before, because overrides of these names changed.
    fn is_changed(&self, row: Row, target: Option<NodeId>, changed: &HashSet<Symbol>) -> bool {
        if changed.is_empty() {
            return false;
        }
        if changed.contains(&row.alias.symbol()) {
            return true;
        }
        let is_nameless = Spec::parse(row.alias, &row.spec).is_ok_and(|spec| spec.is_nameless());
        // Here the name of the package counts; where it comes from a registry, that is an override's.
        is_nameless
            && target.is_some_and(|target| {
                let node = self.arena.node(target);
                node.version().is_some() || changed.contains(&node.package.name.symbol())
            })
    }

    fn keep_targets(
        &mut self,
        locked: Locked<'_>,
        importer: NodeId,
        node_of: &[Option<NodeId>],
        sole_ways: &HashSet<deka_graph::EdgeId>,
        changed: &HashSet<Symbol>,
    ) {
        let resolution = self.arena.node(importer).package.resolution.clone();
        let old = locked
            .graph
            .package_ids()
            .find(|id| locked.graph.package(*id).resolution == resolution);
        let Some(old) = old else { return };
        let mut old_edges: HashMap<Symbol, Vec<&deka_graph::Edge>> = HashMap::new();
        for id in locked.graph.edge_ids_of(old) {
            let edge = locked.graph.edge(id);
            let is_kept = !edge.is_optional_peer() || sole_ways.contains(&id);
            if edge.kind != EdgeKind::Workspace && is_kept {
                old_edges.entry(edge.alias.symbol()).or_default().push(edge);
            }
        }
        for edge in self.arena.edge_ids_of(importer) {
            let row = self.arena.edge(edge).row;
            if row.kind == EdgeKind::Workspace {
                continue;
            }
            let Some(candidates) = old_edges.get(&row.alias.symbol()) else { continue };
            let same_group = candidates.iter().find(|old| old.kind == row.kind);
            let Some(before) = same_group.or_else(|| candidates.first()) else { continue };
            if row.optional_peer && !before.optional_peer {
                continue;
            }
            // Also a workspace that an update is not about takes what others get.
            let is_old =
                |target: &PackageId| !self.updated.contains(&locked.graph.package(*target).name);
            let target = before.target.filter(is_old);
            let Some(target) = target.and_then(|target| node_of[target.index()]) else { continue };
            if self.is_changed(row, Some(target), changed) || self.is_about_workspaces(edge, target)
            {
                continue;
            }
            let is_same = before.spec == row.spec && self.means_the_same(locked, row);
            if is_same || self.will_do(edge, target) {
                self.arena.edges[edge.index()].target = Some(target);
            }
        }
    }

    /// Whether what an update is about is picked anew for a package: for all but workspaces that it
    /// is not about.
    fn asks_for_updates(&self, owner: NodeId) -> bool {
        let folder = match &self.arena.node(owner).package.resolution {
            Resolution::Root => "",
            Resolution::Workspace(folder) => folder.as_str(),
            _ => return true,
        };
        let update = self.input.locked.and_then(|locked| locked.update);
        update.is_none_or(|update| update.importers.iter().any(|importer| importer == folder))
    }

    /// Whether an edge gets the best version of a package even if another one will do.
    pub(crate) fn is_update(&self, edge: EdgeId, name: NameId) -> bool {
        !self.updated.is_empty()
            && self.updated.contains(&self.arena.names[name.index()].name)
            && self.asks_for_updates(self.arena.edge(edge).owner)
    }

    /// Whether an edge led to a workspace or may lead to one now: names and versions of workspaces
    /// change, so that is found out each time.
    fn is_about_workspaces(&mut self, edge: EdgeId, target: NodeId) -> bool {
        let request = self.request_of(edge);
        self.arena.node(target).is_importer()
            || self.linked_workspace(self.requests.get(request)).is_some()
    }

    /// Whether a spec that is written as before also stands for the same as before.
    fn means_the_same(&self, locked: Locked<'_>, row: Row) -> bool {
        match Spec::parse(row.alias, &row.spec) {
            Ok(Spec::Catalog(catalog)) => {
                self.input.catalogs.get(catalog, row.alias)
                    == locked.catalogs.get(catalog, row.alias)
            }
            _ => true,
        }
    }

    /// Whether a package of the lockfile is what an edge asks for now.
    fn will_do(&mut self, edge: EdgeId, target: NodeId) -> bool {
        let request = self.request_of(edge);
        let request = self.requests.get(request);
        let Want::Registry { name, .. } = request.want else { return false };
        let package = &self.arena.node(target).package;
        package.name == self.arena.names[name.index()].name
            && package.version().is_some_and(|version| {
                request.range.as_ref().is_some_and(|range| range.satisfies(version))
            })
    }

    /// Lets edges of packages follow the root's and the workspaces' edges: where such an edge led
    /// to a package of the lockfile and leads to another version now, all edges to the old version
    /// that accept the new one go there too.
    pub(crate) fn follow_moved(&mut self) {
        let Some(locked) = self.input.locked else { return };
        let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
        let label_of: HashMap<_, NodeId> = self
            .arena
            .node_ids()
            .filter(|id| self.arena.node(*id).origin == Origin::Locked)
            .map(|id| {
                let package = &self.arena.node(id).package;
                ((package.name, package.resolution.clone()), id)
            })
            .collect();
        for importer in self.arena.node_ids().take_while(|id| self.arena.node(*id).is_importer()) {
            let resolution = &self.arena.node(importer).package.resolution;
            let old = locked
                .graph
                .package_ids()
                .find(|id| locked.graph.package(*id).resolution == *resolution);
            let Some(old) = old else { continue };
            let is_placed = |edge: &EdgeId| !self.is_shadowed(*edge);
            for edge in self.arena.edge_ids_of(importer).filter(is_placed) {
                let edge = self.arena.edge(edge);
                let before =
                    locked.graph.edges_of(old).iter().find(|before| {
                        before.alias == edge.row.alias && before.kind == edge.row.kind
                    });
                let Some(before) = before.and_then(|before| before.target) else { continue };
                let before = locked.graph.package(before);
                let Some(from) = label_of.get(&(before.name, before.resolution.clone())) else {
                    continue;
                };
                if let Some(to) = edge.target
                    && to != *from
                    && self.arena.node(to).version().is_some()
                    && self.arena.node(to).package.name == before.name
                {
                    moved.entry(*from).or_insert(to);
                }
            }
        }
        if moved.is_empty() {
            return;
        }
        for edge in self.arena.edge_ids() {
            let state = self.arena.edge(edge);
            let Some(to) = state.target.and_then(|target| moved.get(&target)).copied() else {
                continue;
            };
            if !state.row.bundled && self.accepts(edge, to) {
                self.arena.edges[edge.index()].target = Some(to);
            }
        }
    }

    /// Whether the range of an edge accepts a package.
    pub(crate) fn accepts(&mut self, edge: EdgeId, node: NodeId) -> bool {
        let request = self.request_of(edge);
        let range = self.requests.get(request).range.as_ref();
        self.arena
            .node(node)
            .version()
            .is_some_and(|version| range.is_some_and(|range| range.satisfies(version)))
    }
}
