//! Bun's text lockfile, `bun.lock`, versions 0 to 3.
//!
//! ```text
//! {
//!   "lockfileVersion": 2,
//!   "configVersion": 1,
//!   "workspaces": {                                  what the manifests ask for
//!     "": { "name": "app", "dependencies": { "p": "^1" } },
//!   },
//!   "packages": {
//!     "p": ["p@1.0.0", "", { "dependencies": { "s": "^2" } }, "sha512-…"],
//!     "s": ["s@1.0.0", …],
//!     "p/s": ["s@2.0.0", …],                         place in the hoisted tree
//!   }
//! }
//! ```
//! Edges are not written: a dependency leads to what Node would find from the place of its
//! dependent. There are three exceptions. A required peer with a range leads to the highest version
//! that lies in the range; what an optional peer leads to follows from the placement; what is listed
//! as `unresolved` leads nowhere. [`parse()`] recovers the edges, [`emit()`] places all packages
//! anew. What Bun 1.4 writes and what `emit` writes is the same to the byte, so that a team may use
//! both side by side.

mod conflict;
mod emit;
mod entries;
mod parse;
mod places;
mod reader;
mod slots;

pub(crate) use entries::unsafe_since_version_2;
pub(crate) use parse::is_inside;

pub use conflict::parse_conflicted;
pub use emit::{emit, emit_placed, written_version};
pub use parse::parse;
pub use slots::{patched_dependencies, trusted_dependencies};
