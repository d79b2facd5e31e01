//! The plan of the hoisted layout.

use std::sync::Arc;

use deka_graph::{EdgeKind, Graph, HoistedTree, NodeId, Package, PackageId, Resolution};
use deka_manifest::Alias;
use hashbrown::HashSet;

use super::package::{self, Executables, linked_folder, source_folder};
use super::{
    BinFolder, BinOwner, Link, LinkPlan, Placement, PlanError, PlanOptions, Skipped, Source,
};
use crate::commands::Commands;
use crate::path::{normalise_inside, parent, relative};

impl LinkPlan {
    /// Plans the hoisted layout: `tree` must hold what is wanted on disk and nothing else (see
    /// [`HoistedTree::pruned`]).
    pub fn hoisted(
        graph: &Graph,
        tree: &HoistedTree,
        options: &PlanOptions,
    ) -> Result<Self, PlanError> {
        let mut builder = Builder {
            graph,
            tree,
            options,
            places: Vec::with_capacity(tree.nodes().len()),
            executables: Executables::default(),
            direct: direct(graph),
            workspaces: HashSet::new(),
            plan: Self::default(),
        };
        builder.find_places()?;
        builder.plan_bins();
        builder.plan_packages();
        Ok(builder.plan)
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    tree: &'a HoistedTree,
    options: &'a PlanOptions,
    /// For each node its place, `None` for what is not on disk.
    places: Vec<Option<Place>>,
    executables: Executables,
    /// What the project and its workspaces ask for, other than as peers.
    direct: HashSet<PackageId>,
    /// Workspaces that have their link; what lies in their own `node_modules` is placed once.
    workspaces: HashSet<PackageId>,
    plan: LinkPlan,
}

struct Place {
    path: Box<str>,
    /// Where the folder's own `node_modules` lies; `None` if nothing is placed in it.
    inner: Option<Box<str>>,
    base_length: u32,
    kind: Kind,
}

/// Which of several packages has a command that all of them offer. Those that are equal go by name, which
/// is the order of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precedence {
    /// The project or a workspace asks for the package, not only as a peer; not necessarily here.
    Direct,
    /// It is a workspace.
    Workspace,
    /// It came along, or is a peer.
    Other,
}

#[derive(Clone, Copy)]
enum Kind {
    Files(Source),
    Link,
}

impl Builder<'_> {
    fn find_places(&mut self) -> Result<(), PlanError> {
        for id in self.tree.node_ids() {
            let place = self.place(id)?;
            self.places.push(place);
        }
        Ok(())
    }

    /// Finds out what a node becomes; the nodes above it have been visited.
    fn place(&mut self, id: NodeId) -> Result<Option<Place>, PlanError> {
        let node = self.tree.node(id);
        if node.in_bundle {
            return Ok(None);
        }
        let (folder, base_length) = match node.parent {
            None => ("node_modules", "node_modules".len() as u32),
            Some(parent) => match &self.places[parent.index()] {
                Some(Place { inner: Some(inner), base_length, .. }) => (&**inner, *base_length),
                _ => return Ok(None),
            },
        };
        let path = [folder, "/", node.alias.as_str()].concat().into_boxed_str();
        let package = self.graph.package(node.package);
        let link = |target: &str, inner: Option<Box<str>>| {
            let base_length = inner.as_ref().map_or(0, |inner| inner.len() as u32);
            let target = relative(parent(&path), target).into_boxed_str();
            let link = Link { path: path.clone(), target, package: node.package };
            (link, Place { path: path.clone(), inner, base_length, kind: Kind::Link })
        };
        let (link, place) = match &package.resolution {
            Resolution::Root => link("", None),
            Resolution::Workspace(folder) => {
                let folder = normalise_inside(folder)
                    .ok_or(PlanError::WorkspaceOutside { name: package.name, path: *folder })?;
                let is_first = !folder.is_empty() && self.workspaces.insert(node.package);
                link(&folder, is_first.then(|| format!("{folder}/node_modules").into()))
            }
            Resolution::Symlink(target) => {
                let registered = || self.options.registered.get(target).map(ToString::to_string);
                let Some(target) = linked_folder(target).or_else(registered) else {
                    let reason = "no package of this name is registered for links";
                    self.plan.skipped.push(Skipped { path, reason });
                    return Ok(None);
                };
                link(&target, None)
            }
            Resolution::Folder(inside)
                if inside.starts_with("./")
                    && let Some(outer) = self.folder_of_stranger(node.parent) =>
            {
                let Some(inside) = normalise_inside(inside) else {
                    let reason = "a package may only ask for folders inside of itself";
                    self.plan.skipped.push(Skipped { path, reason });
                    return Ok(None);
                };
                link(&format!("{outer}/{inside}"), None)
            }
            Resolution::Folder(folder) => {
                let Some(folder) = source_folder(folder) else {
                    let reason = "the path of the folder is not valid";
                    self.plan.skipped.push(Skipped { path, reason });
                    return Ok(None);
                };
                return Ok(Some(self.files(
                    id,
                    path,
                    base_length,
                    Source::Folder { path: folder },
                )));
            }
            Resolution::Npm { .. }
            | Resolution::LocalTarball(_)
            | Resolution::RemoteTarball(_)
            | Resolution::Git { .. }
            | Resolution::GitHub { .. } => {
                let source = Source::Store { integrity: package.integrity };
                return Ok(Some(self.files(id, path, base_length, source)));
            }
        };
        self.plan.links.push(link);
        Ok(Some(place))
    }

    fn files(&self, id: NodeId, path: Box<str>, base_length: u32, source: Source) -> Place {
        let has_inner = self.tree.children(Some(id)).len() > 0;
        let inner = has_inner.then(|| [&*path, "/node_modules"].concat().into_boxed_str());
        Place { path, inner, base_length, kind: Kind::Files(source) }
    }

    /// Returns the folder of the package at `parent` if it came from elsewhere: the folders that it
    /// asks for lie inside of it.
    fn folder_of_stranger(&self, parent: Option<NodeId>) -> Option<&str> {
        let is_ours = |package: &Package| {
            matches!(
                package.resolution,
                Resolution::Root | Resolution::Workspace(_) | Resolution::Folder(_)
            )
        };
        let parent = parent.filter(|parent| !is_ours(self.package_at(*parent)))?;
        Some(&self.places[parent.index()].as_ref()?.path)
    }

    fn plan_bins(&mut self) {
        let with_children =
            self.tree.node_ids().filter(|id| self.tree.children(Some(*id)).len() > 0);
        let folders: Vec<Option<NodeId>> =
            std::iter::once(None).chain(with_children.map(Some)).collect();
        for folder in folders {
            let path = match folder {
                None => "node_modules",
                Some(id) => match &self.places[id.index()] {
                    Some(Place { inner: Some(inner), .. }) => inner,
                    _ => continue,
                },
            };
            let path = format!("{path}/.bin").into_boxed_str();
            let mut nodes: Vec<NodeId> = self
                .tree
                .children(folder)
                .filter(|id| !self.package_at(*id).bin.is_none())
                .collect();
            nodes.sort_by_key(|id| self.precedence(*id));
            let mut owners: Vec<(Precedence, BinOwner)> = nodes
                .into_iter()
                .filter_map(|id| Some((self.precedence(id), self.bin_owner(id)?)))
                .collect();
            // Bun links a native program as soon as its package is there, and that is earlier for one
            // inside of the package that it belongs to.
            owners.sort_by_key(|(precedence, owner)| (*precedence, !owner.has_native_inside()));
            let owners: Vec<BinOwner> = owners.into_iter().map(|(_, owner)| owner).collect();
            if !owners.is_empty() {
                self.plan.bin_folders.push(BinFolder { path, owners });
            }
        }
    }

    fn bin_owner(&mut self, id: NodeId) -> Option<BinOwner> {
        let place = self.places[id.index()].as_ref()?;
        let (path, is_placed) = (place.path.clone(), matches!(place.kind, Kind::Files(_)));
        let node = self.tree.node(id);
        let package = self.graph.package(node.package);
        let commands = Commands::read(&package.bin, node.alias)?;
        let native = self.native_node(id).and_then(|native| {
            let place = self.places[native.index()].as_ref()?;
            Some((self.tree.node(native).package, place.path.clone()))
        });
        self.executables.add(&commands, node.package, native.as_ref().map(|(native, _)| *native));
        let native = native.map(|(_, path)| path);
        Some(BinOwner { path, native, commands: Arc::new(commands), is_placed })
    }

    /// Finds the package that brings the native programs of the package at `id`: its first
    /// dependency for exactly this platform, where `require` would find it.
    fn native_node(&self, id: NodeId) -> Option<NodeId> {
        let package = self.tree.node(id).package;
        let native =
            self.options.native_bins.native_of(self.graph, package, &self.options.target)?;
        let alias = Alias::from(self.graph.package(native).name);
        let found = self.tree.resolve(Some(id), alias)?;
        (self.tree.node(found).package == native).then_some(found)
    }

    fn plan_packages(&mut self) {
        let executables = std::mem::take(&mut self.executables).finish();
        for (id, place) in self.tree.node_ids().zip(std::mem::take(&mut self.places)) {
            let Some(Place { path, base_length, kind: Kind::Files(source), .. }) = place else {
                continue;
            };
            let package = self.tree.node(id).package;
            let nested = self
                .tree
                .children(Some(id))
                .map(|child| self.tree.node(child))
                .filter(|child| !child.in_bundle)
                .map(|child| child.alias.symbol())
                .collect();
            let place = package::Place { path, base_length, source, nested };
            let executables = executables.of(package);
            let placement = Placement::new(self.graph, self.options, package, place, executables);
            self.plan.placements.push(placement);
        }
        self.find_exposed();
    }

    /// Marks what lies in the folders of packages whose scripts are going to run.
    fn find_exposed(&mut self) {
        let placements = &mut self.plan.placements;
        let private = placements.iter().filter(|one| one.is_private());
        let private: HashSet<Box<str>> = private.map(|one| one.path.clone()).collect();
        if private.is_empty() {
            return;
        }
        for placement in placements {
            let mut above = placement.path.match_indices("/node_modules/");
            placement.is_exposed = above.any(|(end, _)| private.contains(&placement.path[..end]));
        }
    }

    fn precedence(&self, id: NodeId) -> Precedence {
        let id = self.tree.node(id).package;
        if self.direct.contains(&id) {
            Precedence::Direct
        } else if self.graph.package(id).resolution.is_importer() {
            Precedence::Workspace
        } else {
            Precedence::Other
        }
    }

    fn package_at(&self, id: NodeId) -> &Package {
        self.graph.package(self.tree.node(id).package)
    }
}

/// Returns what the project and its workspaces ask for, other than as peers.
fn direct(graph: &Graph) -> HashSet<PackageId> {
    let importers = graph.package_ids().filter(|id| graph.package(*id).resolution.is_importer());
    let edges = importers.flat_map(|id| graph.edges_of(id));
    let edges = edges.filter(|edge| !matches!(edge.kind, EdgeKind::Peer | EdgeKind::Workspace));
    edges.filter_map(|edge| edge.target).collect()
}
