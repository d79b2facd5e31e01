//! Hoisting: which folder of `node_modules` every package goes to.
//!
//! `bun.lock` names packages by their place in this tree, and the hoisted linker makes it on disk:
//! the rules are Bun 1.4's, to the letter, because any other choice is rewritten by the next
//! `bun install`.
//!
//! ```text
//! edges            root ─► p ─► q ─► s@1          places   p
//!                          p ─► r ─► s@2                   q
//!                                                          r
//!                                                          s@1      (first come, first served)
//!                                                          r/s@2    (below its dependent)
//! ```
//! Breadth first from the root; each dependency climbs from its dependent towards the root until
//! it meets its own name. The same package there: nothing to place. Another one: it goes below its
//! dependent. None: it goes to the top. An optional peer that nothing provides yet holds the place
//! that it would have, and binds to the first package of its name that comes along; because a bound
//! peer is visited earlier than its provider would be otherwise, a second pass then places
//! everything anew.

mod climb;
mod prepare;
#[cfg(test)]
mod tests;
mod tree;

use climb::Climb;
use deka_manifest::PackageName;
use prepare::Prepared;
pub use tree::{HoistedTree, Node, NodeId};

use crate::{EdgeId, EdgeKind, Graph};

/// How [`hoist`] treats what the graph says already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HoistOptions {
    /// Forget which packages optional peers are bound to and bind them anew.
    pub rebind_optional_peers: bool,
}

/// Why a graph has no hoisted tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoistError {
    /// Packages that conflict with one another in a circle would nest without end.
    #[error("`{package}` would be nested more than {limit} folders deep in `node_modules`")]
    TooDeep {
        /// The package that crossed the limit.
        package: PackageName,
        /// The limit.
        limit: u32,
    },
    /// Conflicting versions multiply at each level.
    #[error("the packages would need more than {limit} places in `node_modules`")]
    TooManyPlaces {
        /// The limit.
        limit: u32,
    },
}

/// Places all packages of `graph` and binds the optional peers that find a provider.
///
/// This is the tree whose places are the keys of `bun.lock`: it does not depend on the platform or
/// on what the install omits.
pub fn hoist(graph: &mut Graph, options: HoistOptions) -> Result<HoistedTree, HoistError> {
    if options.rebind_optional_peers {
        graph.forget_optional_peers();
    }
    let prepared = Prepared::new(graph, &|_| true);
    let mut climb = Climb::new(graph, &prepared);
    climb.run()?;
    if climb.has_bound_peers() {
        climb.run()?;
    }
    let tree = climb.to_tree();
    let bound = climb.into_bound_peers();
    for (edge, target) in bound {
        graph.edge_mut(edge).target = Some(target);
    }
    Ok(tree)
}

/// Places the packages that are reached over edges which `keep` accepts; binds nothing.
///
/// This is the tree on disk: what platform or `--omit` turn off takes no place, so that other
/// packages may lie higher than their key in `bun.lock` says.
pub fn hoist_filtered(
    graph: &Graph,
    keep: &dyn Fn(EdgeId) -> bool,
) -> Result<HoistedTree, HoistError> {
    let prepared = Prepared::new(graph, &|edge| graph.edge(edge).target.is_some() && keep(edge));
    let mut climb = Climb::new(graph, &prepared);
    climb.run()?;
    Ok(climb.to_tree())
}

impl Graph {
    /// Forgets which packages optional peers are bound to.
    fn forget_optional_peers(&mut self) {
        for index in 0..self.edges().len() as u32 {
            let edge = self.edge_mut(EdgeId(index));
            if edge.kind == EdgeKind::Peer && edge.optional_peer {
                edge.target = None;
            }
        }
    }
}
