//! The dependency graph: which packages there are, which edges lead to which.
//!
//! ```text
//! packages  [0 root][1 web (workspace)][2 react@19.2.0][3 scheduler@0.27.0] …
//! edges     [root→web][root→react ^19] [web→react ^19] [react→scheduler ^0.27]
//!            └── packages[0].edges ──┘ └ packages[1] ┘ └── packages[2].edges ─┘
//! ```
//! An arena with integer ids, built for 10,000 packages and 100,000 edges. It knows nothing of
//! registries, files or formats; the resolver and the lockfile build it, the linker reads it.

mod graph;
mod hoist;

pub use graph::{Edge, EdgeId, EdgeKind, Graph, Package, PackageId, Resolution, TarballLocation};
pub use hoist::{HoistError, HoistOptions, HoistedTree, Node, NodeId, hoist};
