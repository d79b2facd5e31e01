//! The first phase: everything but peers.
//!
//! Each question that edges ask (a name and a range) is answered once, when the packument is there.
//! The answer depends on the packument and on the lockfile alone, never on what was answered
//! before, so that the order in which packuments come means nothing. Only edges of the root and of
//! workspaces look at one another: they are settled together, name by name, in their order.

use deka_graph::{EdgeKind, Package, Resolution, TarballLocation};
use deka_manifest::{
    PackageName, PackumentError, Platforms, Symbol, Version, VersionIndex, VersionManifest,
};
use hashbrown::HashMap;

use crate::arena::{Answer, Arena, EdgeId, EdgeState, NameId, Node, NodeId, Origin, RequestId};
use crate::overrides::Dependent;
use crate::pick::pick;
use crate::requests::{Context, Request, RequestState, Requests, Want};
use crate::{
    ForeignRequest, Importer, Input, Observer, PackumentSource, ResolveError, Row, SourceError,
    Warning,
};

/// The work of one run.
pub(crate) struct Resolver<'a> {
    pub(crate) input: &'a Input<'a>,
    source: &'a mut dyn PackumentSource,
    observer: &'a mut dyn Observer,
    pub(crate) arena: Arena,
    pub(crate) requests: Requests,
    /// Workspaces by name.
    pub(crate) workspaces: HashMap<PackageName, NodeId>,
    /// The workspaces' versions.
    versions: HashMap<NodeId, Version>,
    /// Peers that have to be there and have no target yet.
    pub(crate) peers: Vec<EdgeId>,
    /// Edges whose request failed, but for optional ones.
    pub(crate) failed: Vec<EdgeId>,
    /// What kind of errors requests that are not about a registry ended with.
    pub(crate) foreign_errors: HashMap<RequestId, crate::ForeignError>,
    pub(crate) warnings: Vec<Warning>,
    /// Packages whose edges have to be looked at.
    new_nodes: Vec<NodeId>,
    asked: usize,
    answered: usize,
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
            workspaces: HashMap::new(),
            versions: HashMap::new(),
            peers: Vec::new(),
            failed: Vec::new(),
            foreign_errors: HashMap::new(),
            warnings: Vec::new(),
            new_nodes: Vec::new(),
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
        self.arena.add_node(importer_package(root, Resolution::Root), Origin::Importer, rows);
        self.requests.note_aliases(&self.arena, NodeId::ROOT);
        let mut importers = vec![NodeId::ROOT];
        for workspace in workspaces {
            let resolution = Resolution::Workspace(Symbol::new(&workspace.path));
            let package = importer_package(workspace, resolution);
            let id = self.arena.add_node(package, Origin::Importer, workspace.rows.clone());
            self.requests.note_aliases(&self.arena, id);
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
            if let Some(version) = &workspace.version {
                self.versions.insert(id, version.clone());
            }
            importers.push(id);
        }
        for id in &importers {
            self.arena.nodes[id.index()].is_announced = true;
        }
        Ok(importers)
    }

    /// Returns what an edge asks for.
    pub(crate) fn request_of(&mut self, edge: EdgeId) -> RequestId {
        let state = &self.arena.edges[edge.index()];
        if let Some(request) = state.request {
            return request;
        }
        let (row, owner) = (state.row, state.owner);
        let owner_node = self.arena.node(owner);
        let owner_name = owner_node.package.name.symbol();
        let version = owner_node.version().or_else(|| self.versions.get(&owner)).cloned();
        let dependent = Dependent { name: owner_name, version: version.as_ref() };
        let mut context = Context {
            overrides: &self.input.overrides,
            catalogs: &self.input.catalogs,
            arena: &mut self.arena,
        };
        let request = self.requests.of_row(&row, dependent, &mut context);
        self.arena.edges[edge.index()].request = Some(request);
        request
    }

    /// Looks at every edge of a package that has no target yet.
    pub(crate) fn open_edges_of(&mut self, node: NodeId) {
        for edge in self.arena.edge_ids_of(node) {
            if self.arena.edge(edge).target.is_none() {
                self.open(edge);
            }
        }
    }

    /// Starts to find the target of an edge; peers wait for the second phase.
    pub(crate) fn open(&mut self, edge: EdgeId) {
        let EdgeState { row, owner, .. } = *self.arena.edge(edge);
        if row.kind == EdgeKind::Peer {
            if !row.optional_peer {
                self.peers.push(edge);
            }
            return;
        }
        let is_direct = self.arena.node(owner).is_importer();
        let request = self.request_of(edge);
        match self.requests.get(request).want {
            Want::Registry { name, .. } if is_direct && self.is_of_registry(request) => {
                match self.locked_version(request) {
                    Some(locked) => self.bind(edge, locked),
                    None => {
                        self.arena.names[name.index()].direct.push(edge);
                        self.ask(name);
                    }
                }
            }
            _ => self.demand(edge, request),
        }
    }

    /// Whether the answer has to come from a registry: no workspace will do.
    fn is_of_registry(&self, request: RequestId) -> bool {
        self.linked_workspace(self.requests.get(request)).is_none()
    }

    /// Returns the workspace that a plain range leads to.
    pub(crate) fn linked_workspace(&self, request: &Request) -> Option<NodeId> {
        let Want::Registry { name, choice } = &request.want else { return None };
        let range = choice.range().filter(|_| self.input.options.link_workspaces)?;
        let name = self.arena.names[name.index()].name;
        let workspace = *self.workspaces.get(&name)?;
        let fits = match self.versions.get(&workspace) {
            Some(version) => range.is_star() || range.satisfies(version),
            None => range.is_star() || range.satisfies(&unversioned()),
        };
        fits.then_some(workspace)
    }

    /// Returns the highest version of the lockfile that will do.
    pub(crate) fn locked_version(&self, request: RequestId) -> Option<NodeId> {
        self.input.locked?;
        let request = self.requests.get(request);
        let Want::Registry { name, .. } = request.want else { return None };
        let range = request.range.as_ref()?;
        self.arena.names[name.index()].nodes.iter().copied().find(|node| {
            let node = self.arena.node(*node);
            node.origin == Origin::Locked
                && node.version().is_some_and(|version| range.satisfies(version))
        })
    }

    /// Gives the edge the answer to its request, or lets it wait for it.
    pub(crate) fn demand(&mut self, edge: EdgeId, request: RequestId) {
        match self.requests.get(request).state {
            RequestState::Answered(node) => self.bind(edge, node),
            RequestState::Failed => self.fail(edge),
            RequestState::Waiting => self.requests.get_mut(request).waiting.push(edge),
            RequestState::Open => {
                self.requests.get_mut(request).waiting.push(edge);
                self.start(request, edge);
            }
        }
    }

    fn start(&mut self, request: RequestId, edge: EdgeId) {
        let state = match &self.requests.get(request).want {
            Want::Registry { name, .. } => {
                let name = *name;
                if let Some(workspace) = self.linked_workspace(self.requests.get(request)) {
                    RequestState::Answered(workspace)
                } else if let Some(locked) = self.locked_version(request) {
                    RequestState::Answered(locked)
                } else {
                    match self.arena.names[name.index()].answer {
                        Answer::Here(_) | Answer::Failed(_) => self.answer(request),
                        Answer::Unasked | Answer::Asked => {
                            self.arena.names[name.index()].waiting.push(request);
                            self.requests.get_mut(request).state = RequestState::Waiting;
                            self.ask(name);
                            return;
                        }
                    }
                }
            }
            Want::Workspace(text) => self.find_workspace(request, *text),
            Want::Foreign(_) => self.find_foreign(request, edge),
            Want::NotInCatalog(_) | Want::Invalid(_) => RequestState::Failed,
        };
        self.settle(request, state);
    }

    /// Passes an answer to all edges that wait for it.
    fn settle(&mut self, request: RequestId, state: RequestState) {
        let request = self.requests.get_mut(request);
        request.state = state;
        for edge in std::mem::take(&mut request.waiting) {
            match state {
                RequestState::Answered(node) => self.bind(edge, node),
                _ => self.fail(edge),
            }
        }
    }

    /// Finds the package that a request gets; the packument has been answered.
    fn answer(&mut self, request: RequestId) -> RequestState {
        let found = match self.best(request) {
            Some((name, index)) => self.reuse_or_add(request, name, index),
            None => self.workspace_by_tag(request),
        };
        found.map_or(RequestState::Failed, RequestState::Answered)
    }

    /// A dist-tag that the registry lacks may still be meant for a workspace.
    fn workspace_by_tag(&self, request: RequestId) -> Option<NodeId> {
        let Want::Registry { name, choice } = &self.requests.get(request).want else { return None };
        if choice.range().is_some() {
            return None;
        }
        self.workspaces.get(&self.arena.names[name.index()].name).copied()
    }

    /// Returns the version that the registry would give.
    pub(crate) fn best(&mut self, request: RequestId) -> Option<(NameId, VersionIndex)> {
        let Want::Registry { name, choice } = &self.requests.get(request).want else { return None };
        let name = *name;
        let Answer::Here(packument) = &self.arena.names[name.index()].answer else { return None };
        let best = match self.requests.get(request).best {
            Some(best) => best,
            None => {
                let release_age = self.input.options.release_age.as_ref();
                let best = pick(packument, choice.query(), release_age);
                self.requests.get_mut(request).best = Some(best);
                best
            }
        };
        best.ok().map(|index| (name, index))
    }

    /// Returns the package of the version that a request picked; it is made if it is new.
    pub(crate) fn node_of(
        &mut self,
        name: NameId,
        index: VersionIndex,
        request: RequestId,
    ) -> Result<NodeId, PackumentError> {
        let entry = &self.arena.names[name.index()];
        let Answer::Here(packument) = &entry.answer else {
            return Err(PackumentError::Record { reason: "it is not there" });
        };
        let version = packument.version_ref(index);
        let known = entry.nodes.iter().copied().find(|node| {
            self.arena.node(*node).version().is_some_and(|known| known.as_ref() == version)
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let manifest = packument.manifest(index)?;
        let (package, rows) = self.npm_package(&manifest);
        let id = self.arena.add_node(package, Origin::Picked, rows);
        let range = self.requests.get(request).range.as_ref();
        let node = &mut self.arena.nodes[id.index()];
        node.is_pinned = range.is_some_and(|range| range.is_exact().is_some());
        node.deprecated.clone_from(&manifest.deprecated);
        node.unannounced = Some(Box::new(manifest));
        self.new_nodes.push(id);
        Ok(id)
    }

    fn npm_package(&self, manifest: &VersionManifest) -> (Package, Vec<Row>) {
        let default = self.input.options.registry_without_urls;
        let tarball = if manifest.tarball.is_empty()
            || (!default.is_empty() && manifest.tarball.starts_with(default.as_str()))
        {
            TarballLocation::Registry
        } else {
            TarballLocation::Url(manifest.tarball)
        };
        let package = Package {
            name: manifest.name,
            resolution: Resolution::Npm { version: manifest.version.clone(), tarball },
            integrity: manifest.integrity,
            bun_tag: None,
            platforms: manifest.platforms,
            has_install_script: manifest.has_install_script,
            bin: manifest.bin.clone(),
            edges: 0..0,
        };
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
        (package, rows)
    }

    fn find_workspace(&mut self, request: RequestId, text: Symbol) -> RequestState {
        let request = self.requests.get(request);
        let by_name = self.workspaces.get(&request.alias.to_package_name()).copied();
        let by_path = || {
            let path = text.trim_start_matches("./").trim_end_matches('/');
            self.arena.node_ids().take_while(|id| self.arena.node(*id).is_importer()).find(|id| {
                matches!(&self.arena.node(*id).package.resolution,
                    Resolution::Workspace(known) if known.as_str() == path)
            })
        };
        let Some(workspace) = by_name.or_else(by_path) else { return RequestState::Failed };
        let fits = match text.as_str() {
            "*" | "^" | "~" => true,
            range => match (deka_manifest::Range::parse(range), self.versions.get(&workspace)) {
                (Ok(range), Some(version)) => range.satisfies(version),
                (Ok(range), None) => range.is_star() || range.satisfies(&unversioned()),
                // What is no range is a path or a name, and those were looked at.
                (Err(_), _) => true,
            },
        };
        if fits { RequestState::Answered(workspace) } else { RequestState::Failed }
    }

    fn find_foreign(&mut self, request: RequestId, edge: EdgeId) -> RequestState {
        let Want::Foreign(spec) = &self.requests.get(request).want else {
            return RequestState::Failed;
        };
        let EdgeState { row, owner, .. } = self.arena.edge(edge);
        let dependent = &self.arena.node(*owner).package.resolution;
        match self.source.foreign(ForeignRequest { alias: row.alias, spec, dependent }) {
            Ok(found) => {
                let known = self.arena.node_ids().find(|id| {
                    let package = &self.arena.node(*id).package;
                    package.name == found.name && package.resolution == found.resolution
                });
                RequestState::Answered(known.unwrap_or_else(|| {
                    let package = Package {
                        name: found.name,
                        resolution: found.resolution,
                        integrity: found.integrity,
                        bun_tag: found.bun_tag,
                        platforms: found.platforms,
                        has_install_script: found.has_install_script,
                        bin: found.bin,
                        edges: 0..0,
                    };
                    let id = self.arena.add_node(package, Origin::Picked, found.rows);
                    self.new_nodes.push(id);
                    id
                }))
            }
            Err(error) => {
                self.foreign_errors.insert(request, error);
                RequestState::Failed
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
            let Node { package, is_announced, unannounced, .. } =
                &mut self.arena.nodes[target.index()];
            let target_accepts = self
                .input
                .options
                .target
                .is_none_or(|target| target.accepts(&package.platforms));
            if *is_announced || !target_accepts {
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

    /// Works until every edge that was opened has its target or has failed.
    pub(crate) fn drain(&mut self) {
        loop {
            while let Some(node) = self.new_nodes.pop() {
                self.open_edges_of(node);
            }
            if self.answered == self.asked {
                return;
            }
            let Some((name, answer)) = self.source.wait() else { return };
            self.receive(name, answer);
        }
    }

    /// Waits until the root's aliases lead somewhere, for that decides what others mean by their
    /// names.
    pub(crate) fn settle_aliases(&mut self) {
        if self.requests.has_aliases() {
            self.wait_for_packuments();
        }
    }

    /// Waits for all packuments that were asked for, without looking at new packages.
    pub(crate) fn wait_for_packuments(&mut self) {
        while self.answered < self.asked {
            let Some((name, answer)) = self.source.wait() else { return };
            self.receive(name, answer);
        }
    }

    fn receive(
        &mut self,
        name: PackageName,
        answer: Result<std::sync::Arc<deka_manifest::Packument>, SourceError>,
    ) {
        let id = self.arena.name(name);
        let entry = &mut self.arena.names[id.index()];
        if !matches!(entry.answer, Answer::Asked) {
            return;
        }
        self.answered += 1;
        self.observer.progress(self.answered, self.asked);
        entry.answer = match answer {
            Ok(packument) => Answer::Here(packument),
            Err(error) => Answer::Failed(error),
        };
        let waiting = std::mem::take(&mut entry.waiting);
        self.settle_direct(id);
        for request in waiting {
            let state = self.answer(request);
            self.settle(request, state);
        }
    }

    /// Settles the edges of the root and the workspaces on one name, in their order.
    fn settle_direct(&mut self, name: NameId) {
        let mut edges = std::mem::take(&mut self.arena.names[name.index()].direct);
        edges.sort_unstable();
        for edge in edges {
            let request = self.request_of(edge);
            let target = match self.best(request) {
                Some((name, index)) => self.reuse_or_add(request, name, index),
                None => self.workspace_by_tag(request),
            };
            match target {
                Some(node) => {
                    self.arena.nodes[node.index()].is_reusable = true;
                    self.bind(edge, node);
                }
                None => self.fail(edge),
            }
        }
    }

    /// Returns a package that the lockfile or a direct edge brought, if it will do, else the best
    /// version.
    ///
    /// A lower version than the best will do if it comes from the lockfile, if it was pinned, or if
    /// it is of the same major version.
    fn reuse_or_add(
        &mut self,
        request: RequestId,
        name: NameId,
        index: VersionIndex,
    ) -> Option<NodeId> {
        let entry = &self.arena.names[name.index()];
        let Answer::Here(packument) = &entry.answer else { return None };
        let best = packument.version(index);
        let range = self.requests.get(request).range.as_ref();
        let reused = entry.nodes.iter().copied().find(|id| {
            let node = self.arena.node(*id);
            let Some(version) = node.version() else { return false };
            let is_good_enough = *version >= best
                || version.major() == best.major()
                || node.origin == Origin::Locked
                || node.is_pinned;
            *version == best
                || (node.is_reusable
                    && is_good_enough
                    && range.is_some_and(|range| range.satisfies(version)))
        });
        match reused {
            Some(reused) => Some(reused),
            None => self.node_of(name, index, request).ok(),
        }
    }
}

fn importer_package(importer: &Importer, resolution: Resolution) -> Package {
    Package {
        name: importer.name.unwrap_or_else(nameless),
        resolution,
        integrity: Symbol::new(""),
        bun_tag: None,
        platforms: Platforms::ALL,
        has_install_script: false,
        bin: importer.bin.clone(),
        edges: 0..0,
    }
}

/// Returns the name of a project that has none.
fn nameless() -> PackageName {
    PackageName::parse("project").expect("a valid name")
}

/// Returns the version that a workspace without one counts as.
fn unversioned() -> Version {
    Version::new(0, 0, 0)
}
