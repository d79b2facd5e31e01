//! The tree that hoisting makes.

use std::ops::Range;

use deka_manifest::Alias;

use crate::{EdgeId, Graph, PackageId, Resolution};

/// A place in a [`HoistedTree`].
///
/// Ids ascend in the order of `bun.lock`'s keys: by depth, then by the parent's path, then by
/// name, all by bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    /// Returns the place in [`HoistedTree::nodes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A package at one place of the tree; the same package may lie at several places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The place whose `node_modules` it lies in; `None` for the root's.
    pub parent: Option<NodeId>,
    /// The name of its folder.
    pub alias: Alias,
    /// The package that lies there.
    pub package: PackageId,
    /// The edge that led to this place.
    pub edge: EdgeId,
    /// How many `node_modules` it is deep; 1 for what lies in the root's.
    pub depth: u32,
    /// Whether the tarball of a package above ships it; an install leaves it alone.
    pub in_bundle: bool,
    pub(super) children: Range<u32>,
}

/// Packages by place, as `node_modules` holds them and `bun.lock` names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoistedTree {
    pub(super) nodes: Vec<Node>,
    pub(super) top_level: u32,
    /// All places, in the order of [`HoistedTree::in_order_of_placement`].
    pub(super) placement: Vec<NodeId>,
}

/// A place as hoisting numbered it, in any order.
pub(super) struct Placed {
    pub(super) number: u32,
    pub(super) parent: u32,
    pub(super) depth: u32,
    pub(super) alias: Alias,
    pub(super) package: PackageId,
    pub(super) edge: EdgeId,
    pub(super) in_bundle: bool,
}

impl HoistedTree {
    /// Numbers the places in the order of `bun.lock`'s keys; `numbers` is one more than the
    /// highest number given.
    pub(super) fn new(mut placed: Vec<Placed>, numbers: usize) -> Self {
        placed.sort_by_key(|place| place.depth);
        let mut tree =
            Self { nodes: Vec::with_capacity(placed.len()), top_level: 0, placement: Vec::new() };
        // For each number, where its path stands among the paths of its depth.
        let mut path_rank = vec![0_u32; numbers];
        let mut id_of_number = vec![0_u32; numbers];
        let mut has_children = vec![false; numbers];
        for place in &placed {
            has_children[place.parent as usize] = true;
        }
        for level in placed.chunk_by_mut(|one, other| one.depth == other.depth) {
            level.sort_unstable_by_key(|place| (path_rank[place.parent as usize], place.alias));
            let first = tree.nodes.len() as u32;
            for (place, id) in level.iter().zip(first..) {
                id_of_number[place.number as usize] = id;
                let parent = (place.depth > 1).then(|| id_of_number[place.parent as usize]);
                tree.nodes.push(Node {
                    parent: parent.map(NodeId),
                    alias: place.alias,
                    package: place.package,
                    edge: place.edge,
                    depth: place.depth,
                    in_bundle: place.in_bundle,
                    children: 0..0,
                });
                match parent {
                    Some(parent) => {
                        let children = &mut tree.nodes[parent as usize].children;
                        if children.start == children.end {
                            children.start = id;
                        }
                        children.end = id + 1;
                    }
                    None => tree.top_level = id + 1,
                }
            }
            // `a-b/c` comes before `a/c`: paths compare as texts, not name by name.
            let mut parents: Vec<(String, u32)> = level
                .iter()
                .filter(|place| has_children[place.number as usize])
                .map(|place| {
                    let id = NodeId(id_of_number[place.number as usize]);
                    (tree.lockfile_key(id), place.number)
                })
                .collect();
            parents.sort_unstable();
            for ((_, number), rank) in parents.iter().zip(0..) {
                path_rank[*number as usize] = rank;
            }
        }
        placed.sort_unstable_by_key(|place| (place.parent, place.number));
        let id = |place: &Placed| NodeId(id_of_number[place.number as usize]);
        tree.placement = placed.iter().map(id).collect();
        tree
    }

    /// Returns all places in the order of `bun.lock`'s keys.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the ids of all places in the order of `bun.lock`'s keys.
    pub fn node_ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Returns all places folder by folder, and within a folder in the order in which they were
    /// filled; `bun.lock` has one or two traces of it.
    pub fn in_order_of_placement(&self) -> &[NodeId] {
        &self.placement
    }

    /// Returns a place.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// Returns what lies in the `node_modules` of `parent` (of the root for `None`), by name.
    pub fn children(
        &self,
        parent: Option<NodeId>,
    ) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        self.child_range(parent).map(NodeId)
    }

    fn child_range(&self, parent: Option<NodeId>) -> Range<u32> {
        parent.map_or(0..self.top_level, |parent| self.node(parent).children.clone())
    }

    /// Returns what lies under the name `alias` in the `node_modules` of `parent`.
    pub fn child(&self, parent: Option<NodeId>, alias: Alias) -> Option<NodeId> {
        let range = self.child_range(parent);
        let children = &self.nodes[range.start as usize..range.end as usize];
        let index = children.binary_search_by(|node| node.alias.cmp(&alias)).ok()?;
        Some(NodeId(range.start + index as u32))
    }

    /// Returns what `require(alias)` finds from the package at `from`: in its own `node_modules`,
    /// else in those above.
    pub fn resolve(&self, from: Option<NodeId>, alias: Alias) -> Option<NodeId> {
        let mut place = from;
        loop {
            if let Some(found) = self.child(place, alias) {
                return Some(found);
            }
            place = self.node(place?).parent;
        }
    }

    /// Returns the key in `bun.lock`: the names of all folders down to the place, as in
    /// `@scope/a/b`.
    pub fn lockfile_key(&self, id: NodeId) -> String {
        let mut key = String::new();
        self.write_lockfile_key(id, &mut key);
        key
    }

    /// Appends the key in `bun.lock` to `out`.
    pub fn write_lockfile_key(&self, id: NodeId, out: &mut String) {
        let node = self.node(id);
        if let Some(parent) = node.parent {
            self.write_lockfile_key(parent, out);
            out.push('/');
        }
        out.push_str(node.alias.as_str());
    }

    /// Returns the path on disk below the project: `node_modules/a/node_modules/b`.
    ///
    /// What lies below a workspace goes to the workspace's own folder
    /// (`packages/a/node_modules/b`); the workspace itself has its link in the root's
    /// `node_modules`.
    pub fn path(&self, id: NodeId, graph: &Graph) -> String {
        let mut path = String::new();
        self.write_path(id, graph, &mut path);
        path
    }

    /// Appends the path on disk below the project to `out`.
    pub fn write_path(&self, id: NodeId, graph: &Graph, out: &mut String) {
        let node = self.node(id);
        if let Some(parent) = node.parent {
            if let Resolution::Workspace(folder) =
                &graph.package(self.node(parent).package).resolution
            {
                out.push_str(folder);
            } else {
                self.write_path(parent, graph, out);
            }
            out.push('/');
        }
        out.push_str("node_modules/");
        out.push_str(node.alias.as_str());
    }
}
