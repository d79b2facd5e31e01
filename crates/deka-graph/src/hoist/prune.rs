//! The tree on disk: the places of the lockfile, without those that this install leaves out.

use deka_manifest::Alias;
use hashbrown::HashMap;

use crate::{EdgeId, Graph, HoistedTree, NodeId, PackageId};

impl HoistedTree {
    /// Returns the tree without what is not reached from the root over edges that `keep` accepts.
    ///
    /// Nothing moves: what platform or `--omit` turn off leaves a gap, as with Bun, so that a package
    /// lies in the same folder on every machine. `keep` is asked for each edge together with the
    /// package that the dependent finds in the tree. What tarballs bundle comes with them: it is left
    /// out, and stands in for nothing.
    pub fn pruned(&self, graph: &Graph, keep: &dyn Fn(EdgeId, PackageId) -> bool) -> Self {
        let top: HashMap<Alias, NodeId> =
            self.children(None).map(|node| (self.node(node).alias, node)).collect();
        let mut is_kept = vec![false; self.nodes.len()];
        let mut open: Vec<Option<NodeId>> = vec![None];
        while let Some(place) = open.pop() {
            let package = place.map_or(PackageId::ROOT, |place| self.node(place).package);
            for id in graph.edge_ids_of(package) {
                let edge = graph.edge(id);
                if edge.target.is_none() || edge.bundled {
                    continue;
                }
                if let Some(found) = self.resolve_beside_bundles(place, edge.alias, &top)
                    && !is_kept[found.index()]
                    && keep(id, self.node(found).package)
                {
                    is_kept[found.index()] = true;
                    open.push(Some(found));
                }
            }
        }
        self.retain(&is_kept)
    }

    /// Like [`HoistedTree::resolve`], as if nothing were bundled; `top` are the root's.
    fn resolve_beside_bundles(
        &self,
        from: Option<NodeId>,
        alias: Alias,
        top: &HashMap<Alias, NodeId>,
    ) -> Option<NodeId> {
        let mut place = from;
        loop {
            let found = match place {
                Some(_) => self.child(place, alias),
                None => top.get(&alias).copied(),
            };
            if let Some(found) = found.filter(|found| !self.node(*found).in_bundle) {
                return Some(found);
            }
            place = self.node(place?).parent;
        }
    }

    /// Returns the tree of the nodes whose flag is set; nodes above them count as set, too.
    fn retain(&self, is_kept: &[bool]) -> Self {
        let mut is_kept = is_kept.to_vec();
        for index in (0..self.nodes.len()).rev() {
            if let (true, Some(parent)) = (is_kept[index], self.nodes[index].parent) {
                is_kept[parent.index()] = true;
            }
        }
        // For each old id, how many nodes before it stay.
        let mut new_id = Vec::with_capacity(self.nodes.len() + 1);
        let mut count = 0;
        for kept in &is_kept {
            new_id.push(count);
            count += u32::from(*kept);
        }
        new_id.push(count);
        let map = |id: u32| new_id[id as usize];
        let nodes = self
            .nodes
            .iter()
            .zip(&is_kept)
            .filter(|(_, kept)| **kept)
            .map(|(node, _)| {
                let mut node = node.clone();
                node.parent = node.parent.map(|parent| NodeId(map(parent.0)));
                node.children = map(node.children.start)..map(node.children.end);
                node
            })
            .collect();
        let placement = self.placement.iter().filter(|id| is_kept[id.index()]);
        Self {
            nodes,
            top_level: map(self.top_level),
            placement: placement.map(|id| NodeId(map(id.0))).collect(),
        }
    }
}
