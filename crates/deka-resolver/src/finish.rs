//! From the arena to the graph: what is needed, in an order of its own.

use deka_graph::{Edge, EdgeKind, Graph, PackageId};
use deka_manifest::{Alias, Symbol, Target, VersionIndex, without_credentials};
use hashbrown::{HashMap, HashSet};

use crate::arena::{Answer, EdgeId, NodeId, Origin};
use crate::pick::NoPick;
use crate::requests::{Choice, Request, Want};
use crate::resolver::Resolver;
use crate::{Added, Available, InvalidSpecOf, RequiredBy, ResolveError, SourceError, Warning};

/// What a project was resolved to.
#[derive(Debug)]
pub struct Resolved {
    /// Packages and edges: the root, the workspaces by name, then breadth first.
    pub graph: Graph,
    /// What is worth telling.
    pub warnings: Vec<Warning>,
    /// What extensions added to packages, by package.
    pub extensions: Vec<(PackageId, Vec<Added>)>,
    /// How many packages were not in the lockfile.
    pub added: usize,
}

/// Removes the peers of an importer that another group of it has, too, and leads somewhere. They
/// had their say in which versions stay; what is placed is the other one.
fn drop_shadowed_peers(edges: &mut Vec<Edge>) {
    let is_dependency = |edge: &&Edge| {
        !matches!(edge.kind, EdgeKind::Peer | EdgeKind::Workspace) && edge.target.is_some()
    };
    let own: HashSet<Alias> = edges.iter().filter(is_dependency).map(|edge| edge.alias).collect();
    edges.retain(|edge| edge.kind != EdgeKind::Peer || !own.contains(&edge.alias));
}

impl Resolver<'_> {
    /// Reports what is missing, binds peers to the best that is left, and builds the graph.
    pub(crate) fn finish(mut self) -> Result<Resolved, ResolveError> {
        if let Some(error) = self.first_error() {
            return Err(error);
        }
        self.drop_shadowed_workspaces();
        let order = self.order();
        self.warn_about(&order);
        let mut id_of = vec![None; self.arena.nodes.len()];
        for (id, node) in order.iter().enumerate() {
            id_of[node.index()] = Some(PackageId(id as u32));
        }
        let mut graph = Graph::with_capacity(order.len(), self.arena.edges.len());
        let mut added = 0;
        let mut extensions = Vec::new();
        let mut edges: Vec<Edge> = Vec::new();
        for node in order {
            let own = self.arena.edges_of(node).iter();
            let own =
                own.filter(|edge| edge.row.kind != EdgeKind::Workspace || edge.target.is_some());
            edges.extend(own.map(|edge| Edge {
                alias: edge.row.alias,
                spec: edge.row.spec,
                kind: edge.row.kind,
                optional_peer: edge.row.optional_peer,
                bundled: edge.row.bundled,
                target: edge.target.and_then(|target| id_of[target.index()]),
            }));
            let state = &self.arena.nodes[node.index()];
            if state.is_importer() {
                drop_shadowed_peers(&mut edges);
            }
            edges.sort_by_key(|edge| (edge.kind, edge.alias));
            added += usize::from(!matches!(state.origin, Origin::Importer | Origin::Locked));
            let id = graph.add_package(state.package.clone(), edges.drain(..));
            extensions.extend(self.added.remove(&node).map(|added| (id, added)));
        }
        Ok(Resolved { graph, extensions, warnings: self.warnings, added })
    }

    /// Takes the place at the top from workspaces whose names the root's own dependencies have for
    /// something else.
    fn drop_shadowed_workspaces(&mut self) {
        let own: HashMap<Alias, NodeId> = self
            .arena
            .edges_of(NodeId::ROOT)
            .iter()
            .filter(|edge| !matches!(edge.row.kind, EdgeKind::Peer | EdgeKind::Workspace))
            .filter_map(|edge| Some((edge.row.alias, edge.target?)))
            .collect();
        for edge in self.arena.edge_ids_of(NodeId::ROOT) {
            let edge = &mut self.arena.edges[edge.index()];
            if edge.row.kind == EdgeKind::Workspace
                && own.get(&edge.row.alias).is_some_and(|other| Some(*other) != edge.target)
            {
                edge.target = None;
            }
        }
    }

    /// Returns the packages that are needed: importers first, the rest breadth first. Optional peers
    /// lead only to what a lockfile has for their sake alone.
    fn order(&self) -> Vec<NodeId> {
        let mut order = self.arena.breadth_first(|_| true);
        order.sort_by_key(|node| !self.arena.node(*node).is_importer());
        order
    }

    fn warn_about(&mut self, order: &[NodeId]) {
        let mut warnings = Vec::new();
        for node in order {
            let state = self.arena.node(*node);
            if let (Some(message), Some(version)) = (&state.deprecated, state.version()) {
                warnings.push(Warning::Deprecated {
                    name: state.package.name,
                    version: version.clone(),
                    message: message.to_string(),
                });
            }
        }
        if let Some(target) = self.input.options.target {
            let mut warned = vec![false; self.arena.nodes.len()];
            for node in order {
                for edge in self.arena.edges_of(*node) {
                    let Some(to) = edge.target else { continue };
                    let is_skipped = matches!(edge.row.kind, EdgeKind::Prod | EdgeKind::Dev)
                        && self.arena.node(*node).is_announced
                        && !edge
                            .row
                            .kind
                            .is_accepted(&target, &self.arena.node(to).package.platforms);
                    if is_skipped && !std::mem::replace(&mut warned[to.index()], true) {
                        warnings.push(Warning::UnsupportedPlatform {
                            package: self.arena.node(to).label(),
                            wants: unsupported(&target, &self.arena.node(to).package.platforms),
                        });
                    }
                }
            }
        }
        self.warnings.extend(warnings);
    }

    /// Returns the way from the project to a package, as people write it.
    pub(crate) fn required_by(&self, node: NodeId) -> RequiredBy {
        let label = |id: &NodeId| {
            let node = self.arena.node(*id);
            let importer = if *id == NodeId::ROOT {
                Some(&self.input.root)
            } else {
                self.input.workspaces.iter().find(|workspace| {
                    node.is_importer() && workspace.name == Some(node.package.name)
                })
            };
            match importer {
                Some(importer) => match (importer.name, &importer.version) {
                    (Some(name), Some(version)) => format!("{name}@{version}"),
                    (Some(name), None) => name.to_string(),
                    (None, _) => "the project".to_owned(),
                },
                None => node.label(),
            }
        };
        let mut path = self.arena.path_to(node);
        let starts_at_importer = path.first().is_some_and(|id| self.arena.node(*id).is_importer());
        if !starts_at_importer {
            path.insert(0, NodeId::ROOT);
        }
        RequiredBy(path.iter().map(label).collect())
    }

    /// Returns the error of the first edge that could not be resolved, in breadth-first order.
    fn first_error(&mut self) -> Option<ResolveError> {
        if self.failed.is_empty() {
            return None;
        }
        let mut rank = vec![u32::MAX; self.arena.nodes.len()];
        for (at, node) in self.arena.breadth_first(|_| true).into_iter().enumerate() {
            rank[node.index()] = at as u32;
        }
        let rank_of = |edge: &EdgeId| rank[self.arena.edge(*edge).owner.index()];
        // Who has fallen away may ask for versions that there are not.
        let matters = |edge: &&EdgeId| rank_of(edge) != u32::MAX || !self.is_no_version(**edge);
        let first = self.failed.iter().filter(matters).min_by_key(|edge| (rank_of(edge), **edge));
        let edge = *first?;
        Some(self.error_of(edge))
    }

    /// Whether an edge has failed because the registry has no version that will do.
    fn is_no_version(&self, edge: EdgeId) -> bool {
        let Some(request) = self.arena.edge(edge).request else { return false };
        let Want::Registry { name, .. } = self.requests.get(request).want else { return false };
        matches!(self.arena.names[name.index()].answer, Answer::Here(_))
    }

    fn error_of(&mut self, edge: EdgeId) -> ResolveError {
        let required_by = self.required_by(self.arena.edge(edge).owner);
        let id = self.request_of(edge);
        let request = self.requests.get(id);
        let (alias, spec) = (request.alias, request.spec);
        match &request.want {
            Want::Registry { name, .. } => {
                let name = *name;
                match std::mem::replace(&mut self.arena.names[name.index()].answer, Answer::Unasked)
                {
                    Answer::Here(packument) => {
                        no_version(request, &packument, required_by, self.input)
                    }
                    Answer::Failed(SourceError::NotFound { asked }) => ResolveError::NotFound {
                        asked,
                        name: self.arena.names[name.index()].name,
                        spec,
                        required_by,
                    },
                    Answer::Failed(source) => ResolveError::Source {
                        name: self.arena.names[name.index()].name,
                        required_by,
                        source,
                    },
                    Answer::Unasked | Answer::Asked => ResolveError::Source {
                        name: self.arena.names[name.index()].name,
                        required_by,
                        source: SourceError::Offline,
                    },
                }
            }
            Want::Workspace(_) => match self.project_named(alias.to_package_name()) {
                Some(_) => {
                    let workspaces = self.input.workspaces.iter();
                    let mut projects = workspaces.chain([&self.input.root]);
                    let workspace =
                        projects.find(|workspace| workspace.name == Some(alias.to_package_name()));
                    ResolveError::WorkspaceMismatch {
                        alias,
                        spec,
                        version: workspace
                            .and_then(|workspace| workspace.version.as_ref())
                            .map(ToString::to_string),
                        required_by,
                    }
                }
                None => ResolveError::WorkspaceNotFound { alias, spec, required_by },
            },
            Want::NotInCatalog(spec) => {
                ResolveError::NotInCatalog { alias, spec: *spec, required_by }
            }
            Want::Invalid(invalid) => InvalidSpecOf { source: invalid.clone(), required_by }.into(),
            Want::Foreign(_) => {
                let source = self.take_foreign_error(edge, id);
                let spec = Symbol::new(&without_credentials(&spec));
                ResolveError::Foreign { alias, spec, required_by, source }
            }
        }
    }
}

fn no_version(
    request: &Request,
    packument: &deka_manifest::Packument,
    required_by: RequiredBy,
    input: &crate::Input<'_>,
) -> ResolveError {
    let name = packument.name();
    let text = |index: VersionIndex| packument.version(index).to_string();
    match (request.best, &request.want) {
        // A version was picked but could not be decoded.
        (Some(Ok(index)), _) => match packument.manifest(index) {
            Err(source) => ResolveError::Packument { name, source },
            Ok(_) => ResolveError::NotFound { name, spec: request.spec, asked: None, required_by },
        },
        (Some(Err(NoPick::TooRecent)), _) => ResolveError::TooRecent {
            name,
            spec: request.spec,
            required_by,
            minimum_seconds: input
                .options
                .release_age
                .as_ref()
                .map_or(0, |age| age.minimum_ms.unsigned_abs() / 1000),
        },
        (_, Want::Registry { choice: Choice::Tag(tag), .. }) => ResolveError::NoTag {
            name,
            tag: *tag,
            required_by,
            tags: packument
                .dist_tags()
                .take(Available::LISTED)
                .map(|(tag, version)| (tag.to_owned(), text(version)))
                .collect(),
        },
        _ => {
            let latest = packument.dist_tag("latest");
            let stable =
                packument.versions().rev().filter(|index| !packument.is_prerelease(*index));
            let prereleases =
                packument.versions().rev().filter(|index| packument.is_prerelease(*index));
            ResolveError::NoVersion {
                name,
                spec: request.spec,
                required_by,
                available: Available {
                    latest: latest.map(text),
                    versions: stable
                        .chain(prereleases)
                        .filter(|index| Some(*index) != latest)
                        .take(Available::LISTED)
                        .map(text)
                        .collect(),
                    total: packument.len(),
                },
            }
        }
    }
}

/// Says what of a package's platforms does not fit.
fn unsupported(
    target: &Target,
    platforms: &deka_manifest::Platforms,
) -> Vec<(&'static str, Vec<String>)> {
    let mut wants = Vec::new();
    if !target.os.intersects(platforms.os) {
        wants.push(("os", platforms.os.entries().unwrap_or_default()));
    }
    if !target.cpu.intersects(platforms.cpu) {
        wants.push(("cpu", platforms.cpu.entries().unwrap_or_default()));
    }
    wants
}
