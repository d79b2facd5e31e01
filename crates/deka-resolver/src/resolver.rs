//! The first phase: everything but peers, edge by edge.
//!
//! Edges are decided in one order, whatever order packuments come in: breadth first from the root,
//! within a package as its manifest has them. An edge takes a version that is there already if it
//! is good enough, so every decision depends on those before it, and on nothing else. The edge at
//! the head of the queue waits for its packument; meanwhile [speculation](crate::speculation) asks
//! for the packuments that the edges behind it will need.

use std::collections::VecDeque;
use std::sync::Arc;

use deka_graph::{EdgeKind, Package, Resolution, TarballLocation};
use deka_manifest::{
    PackageName, Packument, Platforms, Range, Spec, Symbol, Version, VersionIndex, VersionManifest,
    split_name,
};
use hashbrown::{HashMap, HashSet};

use crate::arena::{Answer, Arena, EdgeId, EdgeState, NameId, Node, NodeId, Origin, RequestId};
use crate::foreign::Foreign;
use crate::overrides::Dependent;
use crate::pick::{Query, pick};
use crate::requests::{Context, Request, Requests, Want};
use crate::speculation::Speculation;
use crate::{
    Added, Importer, Input, Observer, PackumentSource, ResolveError, Row, SourceAnswer,
    SourceError, Warning,
};

/// The work of one run.
pub(crate) struct Resolver<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) source: &'a mut dyn PackumentSource,
    pub(crate) observer: &'a mut dyn Observer,
    pub(crate) arena: Arena,
    pub(crate) requests: Requests,
    pub(crate) speculation: Speculation,
    /// Workspaces by name.
    pub(crate) workspaces: HashMap<PackageName, NodeId>,
    /// The workspaces' versions.
    versions: HashMap<NodeId, Version>,
    /// Edges to decide, peers aside.
    queue: VecDeque<EdgeId>,
    /// Peers that have to be there and have no target yet.
    pub(crate) peers: Vec<EdgeId>,
    /// Edges that cannot be resolved although they have to be.
    pub(crate) failed: Vec<EdgeId>,
    /// Requests that are not about a registry.
    pub(crate) foreign: Foreign,
    pub(crate) warnings: Vec<Warning>,
    /// What extensions added to packages.
    pub(crate) added: HashMap<NodeId, Vec<Added>>,
    /// The names of packages that are updated.
    pub(crate) updated: HashSet<PackageName>,
    asked: usize,
    answered: usize,
}

/// What became of the edge at the head of the queue.
pub(crate) enum Decision {
    Found(NodeId),
    Missing,
    /// The packument is not there yet.
    Blocked,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        input: &'a Input<'a>,
        source: &'a mut dyn PackumentSource,
        observer: &'a mut dyn Observer,
    ) -> Self {
        Self {
            input,
            source,
            observer,
            arena: Arena::default(),
            requests: Requests::default(),
            speculation: Speculation::default(),
            workspaces: HashMap::new(),
            versions: HashMap::new(),
            queue: VecDeque::new(),
            peers: Vec::new(),
            failed: Vec::new(),
            foreign: Foreign::default(),
            warnings: Vec::new(),
            added: HashMap::new(),
            updated: HashSet::new(),
            asked: 0,
            answered: 0,
        }
    }

    /// Adds the root and the workspaces, these by name; returns them in that order.
    pub(crate) fn add_importers(&mut self) -> Result<Vec<NodeId>, ResolveError> {
        let mut workspaces: Vec<&Importer> = self.input.workspaces.iter().collect();
        workspaces.sort_by(|a, b| (a.name, &a.path).cmp(&(b.name, &b.path)));
        for pair in workspaces.windows(2) {
            if let (Some(name), true) = (pair[0].name, pair[0].name == pair[1].name) {
                return Err(ResolveError::DuplicateWorkspace {
                    name,
                    first: pair[0].path.clone(),
                    second: pair[1].path.clone(),
                });
            }
        }
        let root = &self.input.root;
        let mut rows: Vec<Row> = workspaces
            .iter()
            .filter_map(|workspace| workspace.name)
            .map(|name| Row::new(name.into(), Symbol::new(""), EdgeKind::Workspace))
            .collect();
        rows.extend(&root.rows);
        let mut importers = vec![self.add_importer(root, Resolution::Root, rows)];
        for workspace in workspaces {
            let resolution = Resolution::Workspace(Symbol::new(&workspace.path));
            let id = self.add_importer(workspace, resolution, workspace.rows.clone());
            if let Some(name) = workspace.name {
                self.workspaces.insert(name, id);
                let edge = self.arena.edge_ids_of(NodeId::ROOT).find(|edge| {
                    let row = &self.arena.edge(*edge).row;
                    row.kind == EdgeKind::Workspace && row.alias == name.into()
                });
                if let Some(edge) = edge {
                    self.arena.edges[edge.index()].target = Some(id);
                }
            }
            importers.push(id);
        }
        Ok(importers)
    }

    fn add_importer(
        &mut self,
        importer: &Importer,
        resolution: Resolution,
        mut rows: Vec<Row>,
    ) -> NodeId {
        rows.sort_by_key(|row| (row.kind, row.alias));
        let package = importer_package(importer, resolution);
        let id = self.arena.add_node(package, Origin::Importer, rows);
        self.arena.nodes[id.index()].is_announced = true;
        self.requests.note_aliases(&self.arena, id);
        if let Some(version) = &importer.version {
            self.versions.insert(id, version.clone());
        }
        id
    }

    /// Finds out what peers of the root or a workspace under other names than their own would get,
    /// for others may mean them.
    pub(crate) fn look_up_peer_aliases(&mut self) {
        let names: Vec<PackageName> =
            self.requests.open_peer_aliases(&self.arena).map(|(name, ..)| name).collect();
        let names: Vec<NameId> = names.into_iter().map(|name| self.arena.name(name)).collect();
        for name in &names {
            self.ask(*name);
        }
        self.wait_for(&names);
        let release_age = self.input.options.release_age.as_ref();
        let aliases = self.requests.open_peer_aliases(&self.arena);
        for ((_, range, best), name) in aliases.zip(names) {
            let Answer::Here(packument) = &self.arena.names[name.index()].answer else { continue };
            *best = pick(packument, Query::Range(range), release_age)
                .ok()
                .map(|index| packument.version(index));
        }
    }

    /// Returns what an edge asks for.
    pub(crate) fn request_of(&mut self, edge: EdgeId) -> RequestId {
        let state = &self.arena.edges[edge.index()];
        if let Some(request) = state.request {
            return request;
        }
        let (row, owner) = (state.row, state.owner);
        let (name, version) = self.name_and_version(owner);
        let dependent = Dependent { name, version: version.as_ref() };
        let request = self.request_of_row(&row, dependent);
        self.arena.edges[edge.index()].request = Some(request);
        request
    }

    pub(crate) fn request_of_row(&mut self, row: &Row, dependent: Dependent<'_>) -> RequestId {
        let mut context = Context {
            overrides: &self.input.overrides,
            catalogs: &self.input.catalogs,
            arena: &mut self.arena,
        };
        self.requests.of_row(row, dependent, &mut context)
    }

    /// Lets an edge ask for what an override says of the package that it led to, if one does: for
    /// tarballs and repositories, whose names nobody knows before. Returns whether one does.
    pub(crate) fn override_by_name(&mut self, edge: EdgeId, spec: &Spec, found: Symbol) -> bool {
        let EdgeState { row, owner, .. } = self.arena.edge(edge);
        let (alias, owner) = (row.alias, *owner);
        let (name, version) = self.name_and_version(owner);
        let dependent = Dependent { name, version: version.as_ref() };
        let overrides = &self.input.overrides;
        let Some(text) = overrides.find(found, spec, dependent) else { return false };
        let catalogs = &self.input.catalogs;
        let mut context = Context { overrides, catalogs, arena: &mut self.arena };
        let request = self.requests.of_override(alias, text, &mut context);
        self.arena.edges[edge.index()].request = Some(request);
        true
    }

    fn name_and_version(&self, id: NodeId) -> (Symbol, Option<Version>) {
        let node = self.arena.node(id);
        let version = node.version().or_else(|| self.versions.get(&id)).cloned();
        (node.package.name.symbol(), version)
    }

    /// Queues every edge of a package that has no target yet.
    pub(crate) fn open_edges_of(&mut self, node: NodeId) {
        for edge in self.arena.edge_ids_of(node) {
            if self.arena.edge(edge).target.is_none() {
                self.open(edge);
            }
        }
    }

    /// Queues an edge; peers wait for the second phase.
    pub(crate) fn open(&mut self, edge: EdgeId) {
        let row = self.arena.edge(edge).row;
        if row.kind != EdgeKind::Peer {
            self.queue.push_back(edge);
        } else if !row.optional_peer {
            self.peers.push(edge);
        }
    }

    /// Queues an edge that is to lead to something newer; peers wait for nothing then.
    pub(crate) fn open_for_update(&mut self, edge: EdgeId) {
        if !self.arena.edge(edge).row.optional_peer {
            self.queue.push_back(edge);
        }
    }

    /// Works until every queued edge has its target or has failed.
    pub(crate) fn drain(&mut self) {
        loop {
            self.speculate();
            while let Some(&edge) = self.queue.front() {
                match self.decide(edge) {
                    Decision::Found(node) => self.bind(edge, node),
                    Decision::Missing => self.fail(edge),
                    Decision::Blocked => break,
                }
                self.queue.pop_front();
            }
            if self.queue.is_empty() {
                return;
            }
            if !self.receive_next() {
                return;
            }
        }
    }

    pub(crate) fn decide(&mut self, edge: EdgeId) -> Decision {
        let request = self.request_of(edge);
        let Want::Registry { name, .. } = self.requests.get(request).want else {
            return self.find_outside(edge, request);
        };
        if let Some(workspace) = self.linked_workspace(self.requests.get(request)) {
            return Decision::Found(workspace);
        }
        if let Some(locked) = self.locked_version(edge, request) {
            return Decision::Found(locked);
        }
        match self.arena.names[name.index()].answer {
            Answer::Here(_) | Answer::Failed(_) => {}
            Answer::Unasked | Answer::Asked => {
                self.ask(name);
                return Decision::Blocked;
            }
        }
        let found = match self.best(request) {
            Some((name, index)) => {
                let count = self.arena.nodes.len();
                let found = self.reuse_or_add(edge, request, (name, index));
                if let Some(found) = found {
                    let is_bundled = self.is_in_bundle(edge);
                    let is_new = found.index() >= count;
                    let node = &mut self.arena.nodes[found.index()];
                    node.is_bundled = is_bundled && (is_new || node.is_bundled);
                }
                found
            }
            None => self.workspace_by_tag(request),
        };
        found.map_or(Decision::Missing, Decision::Found)
    }

    /// Returns the workspace that a plain range leads to.
    pub(crate) fn linked_workspace(&self, request: &Request) -> Option<NodeId> {
        let Want::Registry { name, .. } = &request.want else { return None };
        let range = request.picking_range().filter(|_| self.input.options.link_workspaces)?;
        let name = self.arena.names[name.index()].name;
        let workspace = *self.workspaces.get(&name)?;
        self.workspace_fits(workspace, range).then_some(workspace)
    }

    fn workspace_fits(&self, workspace: NodeId, range: &Range) -> bool {
        range.is_star()
            || match self.versions.get(&workspace) {
                Some(version) => range.satisfies(version),
                None => range.satisfies(&Version::new(0, 0, 0)),
            }
    }

    /// Returns the highest version that will do if one of the lockfile would and nothing newer is
    /// wanted; then nobody needs a packument.
    fn locked_version(&self, edge: EdgeId, request: RequestId) -> Option<NodeId> {
        self.input.locked?;
        let request = self.requests.get(request);
        let Want::Registry { name, .. } = request.want else { return None };
        let range = request.picking_range().filter(|_| !self.is_update(edge, name))?;
        let mut satisfying = self.arena.names[name.index()].nodes.iter().copied().filter(|node| {
            let node = self.arena.node(*node);
            node.version().is_some_and(|version| range.satisfies(version))
        });
        let is_locked = |node: NodeId| self.arena.node(node).origin == Origin::Locked;
        let highest = satisfying.next()?;
        (is_locked(highest) || satisfying.any(is_locked)).then_some(highest)
    }

    /// Returns the version that the registry would give.
    pub(crate) fn best(&mut self, request: RequestId) -> Option<(NameId, VersionIndex)> {
        let Want::Registry { name, choice } = &self.requests.get(request).want else { return None };
        let name = *name;
        let Answer::Here(packument) = &self.arena.names[name.index()].answer else { return None };
        let best = if let Some(best) = self.requests.get(request).best {
            best
        } else {
            let options = &self.input.options;
            let best = preferred(packument, choice.range(), &options.preferred)
                .map_or_else(|| pick(packument, choice.query(), options.release_age.as_ref()), Ok);
            self.requests.get_mut(request).best = Some(best);
            best
        };
        best.ok().map(|index| (name, index))
    }

    /// Whether an edge leads to what a tarball contains, or is of such a package.
    fn is_in_bundle(&self, edge: EdgeId) -> bool {
        let EdgeState { row, owner, .. } = self.arena.edge(edge);
        row.bundled || self.arena.node(*owner).is_bundled
    }

    /// Returns a package that is there already and will do, else that of the best version.
    ///
    /// A lower version than the best will do if it comes from the lockfile, if it was pinned, or if
    /// it is of the same major version; none will do where newer ones are wanted. What only tarballs
    /// contain will do for other tarballs.
    pub(crate) fn reuse_or_add(
        &mut self,
        edge: EdgeId,
        request: RequestId,
        (name, index): (NameId, VersionIndex),
    ) -> Option<NodeId> {
        let is_bundled = self.is_in_bundle(edge);
        let is_update = self.is_update(edge, name);
        let entry = &self.arena.names[name.index()];
        let count = entry.nodes.len() as u32;
        if let Some((known, at)) = self.requests.get(request).answer
            && at == count
            && !is_bundled
            && !is_update
        {
            return Some(known);
        }
        let Answer::Here(packument) = &entry.answer else { return None };
        let best = packument.version_ref(index);
        let range = self.requests.get(request).picking_range();
        let reused = entry.nodes.iter().copied().find(|id| {
            let node = self.arena.node(*id);
            let Some(version) = node.version() else { return false };
            let is_good_enough = !is_update
                && (node.origin == Origin::Locked
                    || node.is_pinned
                    || version.as_ref() >= best
                    || version.major() == best.major);
            version.as_ref() == best
                || (is_good_enough
                    && (is_bundled || !node.is_bundled)
                    && range.is_some_and(|range| range.satisfies(version)))
        });
        let found = match reused {
            Some(reused) => reused,
            None => self.add_npm(request, name, index)?,
        };
        if !is_bundled {
            let count = self.arena.names[name.index()].nodes.len() as u32;
            self.requests.get_mut(request).answer = Some((found, count));
        }
        Some(found)
    }

    fn add_npm(&mut self, request: RequestId, name: NameId, index: VersionIndex) -> Option<NodeId> {
        let (manifest, is_announced) = self.take_manifest(name, index)?;
        let package = self.npm_package(&manifest);
        let (rows, added) = self.rows_of(&manifest);
        let id = self.arena.add_node(package, Origin::Picked, rows);
        if !added.is_empty() {
            self.added.insert(id, added);
        }
        let range = self.requests.get(request).picking_range();
        let node = &mut self.arena.nodes[id.index()];
        node.is_pinned = range.is_some_and(|range| range.is_exact().is_some());
        node.deprecated.clone_from(&manifest.deprecated);
        if !is_announced {
            node.unannounced = Some(manifest);
        }
        self.open_edges_of(id);
        self.speculate_on(id);
        Some(id)
    }

    /// Returns what a version depends on, and what of that extensions added.
    pub(crate) fn rows_of(&self, manifest: &VersionManifest) -> (Vec<Row>, Vec<Added>) {
        let mut rows = rows_of(manifest);
        let extensions = &self.input.extensions;
        let added = extensions.extend(manifest.name, &manifest.version, &mut rows);
        (rows, added)
    }

    fn npm_package(&self, manifest: &VersionManifest) -> Package {
        let default = self.input.options.registry_without_urls;
        let is_default = !default.is_empty() && manifest.tarball.starts_with(default.as_str());
        let tarball = if manifest.tarball.is_empty() || is_default {
            TarballLocation::Registry
        } else {
            TarballLocation::Url(manifest.tarball)
        };
        Package {
            name: manifest.name,
            resolution: Resolution::Npm { version: manifest.version.clone(), tarball },
            integrity: manifest.integrity,
            bun_tag: None,
            platforms: manifest.platforms,
            has_install_script: manifest.has_install_script,
            bin: manifest.bin.clone(),
            edges: 0..0,
        }
    }

    /// A dist-tag that the registry lacks may still be meant for a workspace.
    fn workspace_by_tag(&self, request: RequestId) -> Option<NodeId> {
        let Want::Registry { name, choice } = &self.requests.get(request).want else { return None };
        if choice.range().is_some() {
            return None;
        }
        self.workspaces.get(&self.arena.names[name.index()].name).copied()
    }

    /// Finds what is asked for outside the registry.
    pub(crate) fn find_outside(&mut self, edge: EdgeId, request: RequestId) -> Decision {
        match &self.requests.get(request).want {
            Want::Workspace(text) => match self.find_workspace(request, *text) {
                Some(workspace) => Decision::Found(workspace),
                None => Decision::Missing,
            },
            Want::Foreign(_) => self.find_foreign(edge, request),
            Want::Registry { .. } | Want::NotInCatalog(_) | Want::Invalid(_) => Decision::Missing,
        }
    }

    fn find_workspace(&self, request: RequestId, text: Symbol) -> Option<NodeId> {
        let request = self.requests.get(request);
        if let Some(known) = self.project_named(request.alias.to_package_name()) {
            return self.workspace_allows(known, &text).then_some(known);
        }
        // Under another name: `workspace:name@range`, or the workspace's folder.
        let renamed = split_name(&text).and_then(|(name, range)| {
            let name = PackageName::parse(name).ok()?;
            Some((self.project_named(name)?, range))
        });
        if let Some((known, range)) = renamed {
            return self.workspace_allows(known, range).then_some(known);
        }
        let path = text.trim_start_matches("./").trim_end_matches('/');
        self.workspaces.values().copied().find(|id| {
            matches!(&self.arena.node(*id).package.resolution,
                Resolution::Workspace(known) if known.as_str() == path)
        })
    }

    /// Returns the workspace of a name, or the root if that is called so.
    pub(crate) fn project_named(&self, name: PackageName) -> Option<NodeId> {
        let is_root = self.input.root.name == Some(name);
        self.workspaces.get(&name).copied().or_else(|| is_root.then_some(NodeId::ROOT))
    }

    /// Whether the version of a workspace does for what stands behind `workspace:`.
    fn workspace_allows(&self, workspace: NodeId, text: &str) -> bool {
        match text {
            "" | "*" | "^" | "~" => true,
            // What is no range is a path or a name, and those were looked at.
            range => {
                Range::parse(range).map_or(true, |range| self.workspace_fits(workspace, &range))
            }
        }
    }

    /// Sets the target of an edge and lets the observer hear of what gets wanted thereby.
    pub(crate) fn bind(&mut self, edge: EdgeId, target: NodeId) {
        self.arena.edges[edge.index()].target = Some(target);
        if self.arena.node(self.arena.edge(edge).owner).is_announced {
            self.announce(edge);
        }
    }

    fn announce(&mut self, edge: EdgeId) {
        let mut edges = vec![edge];
        while let Some(edge) = edges.pop() {
            let EdgeState { row, target, .. } = self.arena.edge(edge);
            // What lies inside another tarball needs none of its own.
            let Some(target) = target.filter(|_| !row.bundled) else { continue };
            let platforms = &self.arena.node(target).package.platforms;
            let is_accepted = (self.input.options.target)
                .is_none_or(|wanted| row.kind.is_accepted(&wanted, platforms));
            let Node { is_announced, unannounced, .. } = &mut self.arena.nodes[target.index()];
            if *is_announced || !is_accepted {
                continue;
            }
            *is_announced = true;
            if let Some(manifest) = unannounced.take() {
                self.observer.picked(&manifest);
            }
            edges.extend(self.arena.edge_ids_of(target));
        }
    }

    fn fail(&mut self, edge: EdgeId) {
        let EdgeState { row, request, .. } = self.arena.edge(edge);
        let may_be_missing = row.kind == EdgeKind::Optional && {
            let want = request.map(|request| &self.requests.get(request).want);
            // A registry that was not reached may well have it: then the lockfile would be wrong.
            !matches!(want, Some(Want::Registry { name, .. }) if matches!(
                self.arena.names[name.index()].answer,
                Answer::Failed(SourceError::Offline | SourceError::Failed(_))
            ))
        };
        if !may_be_missing {
            self.failed.push(edge);
        } else if let Some(request) = *request
            && let Some(reason) = self.foreign_problem(edge, request)
        {
            let EdgeState { row, .. } = self.arena.edge(edge);
            let (alias, spec) = (row.alias, row.spec);
            self.warnings.push(Warning::SkippedOptional { alias, spec, reason });
        }
    }

    /// Asks for a packument unless that was done before.
    pub(crate) fn ask(&mut self, name: NameId) {
        let entry = &mut self.arena.names[name.index()];
        if matches!(entry.answer, Answer::Unasked) {
            entry.answer = Answer::Asked;
            self.asked += 1;
            self.source.request(entry.name);
            self.observer.progress(self.answered, self.asked);
        }
    }

    /// Waits until the packuments of these names are answered.
    pub(crate) fn wait_for(&mut self, names: &[NameId]) {
        for name in names {
            while matches!(self.arena.names[name.index()].answer, Answer::Asked) {
                if !self.receive_next() {
                    return;
                }
            }
        }
    }

    /// Waits for the next answer; returns whether there was one.
    pub(crate) fn receive_next(&mut self) -> bool {
        match self.source.wait() {
            None => return false,
            Some(SourceAnswer::Packument(name, answer)) => self.receive(name, answer),
            Some(SourceAnswer::Foreign(id, answer)) => self.foreign.receive(id, answer),
        }
        true
    }

    fn receive(&mut self, name: PackageName, answer: Result<Arc<Packument>, SourceError>) {
        let id = self.arena.name(name);
        let entry = &mut self.arena.names[id.index()];
        if !matches!(entry.answer, Answer::Asked) {
            return;
        }
        entry.answer = match answer {
            Ok(packument) => Answer::Here(packument),
            Err(error) => Answer::Failed(error),
        };
        self.answered += 1;
        self.observer.progress(self.answered, self.asked);
        self.speculate_with(id);
    }
}

/// Returns what a version depends on, in the order in which its edges are decided.
fn rows_of(manifest: &VersionManifest) -> Vec<Row> {
    let groups = [
        (EdgeKind::Prod, &manifest.dependencies),
        (EdgeKind::Optional, &manifest.optional_dependencies),
        (EdgeKind::Peer, &manifest.peer_dependencies),
    ];
    let mut rows = Vec::with_capacity(groups.iter().map(|(_, group)| group.len()).sum());
    for (kind, group) in groups {
        rows.extend(group.iter().map(|(alias, spec)| Row {
            alias: *alias,
            spec: *spec,
            kind,
            optional_peer: kind == EdgeKind::Peer && manifest.optional_peers.contains(alias),
            bundled: kind != EdgeKind::Peer && manifest.bundled.contains(*alias),
        }));
    }
    rows
}

fn importer_package(importer: &Importer, resolution: Resolution) -> Package {
    Package {
        name: importer.name.unwrap_or_else(PackageName::of_nameless_project),
        resolution,
        integrity: Symbol::new(""),
        bun_tag: None,
        platforms: Platforms::ALL,
        has_install_script: false,
        bin: importer.bin.clone(),
        edges: 0..0,
    }
}

/// Returns the first of the preferred versions that is in the range, if one is.
fn preferred(
    packument: &Packument,
    range: Option<&Range>,
    preferred: &HashMap<PackageName, Vec<Version>>,
) -> Option<VersionIndex> {
    let mut versions = preferred.get(&packument.name())?.iter();
    let range = range?;
    versions.find_map(|version| packument.find(version).filter(|_| range.satisfies(version)))
}
