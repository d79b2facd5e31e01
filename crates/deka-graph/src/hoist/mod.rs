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
//! that it would have, and the first package of its name that comes along takes it; because a bound peer
//! is visited earlier than that package was, a second pass then places everything anew.

mod climb;
mod prepare;
mod prune;
#[cfg(test)]
mod tests;
mod tree;

use climb::Climb;
use deka_manifest::PackageName;
use prepare::Prepared;
pub use tree::{HoistedTree, Node, NodeId};

use crate::{EdgeId, Graph};

/// Bounds of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoistOptions {
    /// How many places a tree may have; packages made to conflict at every level would have
    /// millions.
    pub place_limit: u32,
}

impl Default for HoistOptions {
    /// Bounds far beyond any real project.
    fn default() -> Self {
        Self { place_limit: 1_000_000 }
    }
}

/// Why a graph has no hoisted tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoistError {
    /// Packages that conflict with one another in a circle would nest without end.
    #[error("cannot install dependency cycle into node_modules: {}", .packages.join(" > "))]
    Cycle {
        /// `name@version` of each, from one package to the same one again.
        packages: Vec<String>,
    },
    /// No path could be that long.
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

/// Places all packages of `graph` and binds the optional peers that find a provider; what they
/// were bound to before counts only where nothing else leads there.
///
/// This is the tree whose places are the keys of `bun.lock`: it does not depend on the platform or
/// on what the install omits.
pub fn hoist(graph: &mut Graph, options: HoistOptions) -> Result<HoistedTree, HoistError> {
    let prepared = Prepared::new(graph);
    let mut climb = Climb::new(graph, &prepared, options.place_limit);
    climb.run()?;
    if climb.start_again() {
        climb.run()?;
    }
    let tree = climb.to_tree();
    for (edge, target) in climb.into_targets().into_iter().enumerate() {
        graph.edge_mut(EdgeId(edge as u32)).target = target;
    }
    Ok(tree)
}
