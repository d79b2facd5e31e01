//! bun.lock: read, compare with the manifests, write.
//!
//! A [`Lockfile`] is what the file says, as values: the [`Graph`](deka_graph::Graph) of packages
//! with every edge resolved, and the sections that repeat what the manifests asked for. One module
//! per format: [`bun`] is deka's own, those of other package managers are only read ([`migrate`]).
//!
//! ```text
//! bun.lock ──parse──► Lockfile { graph, workspaces, overrides, … } ──emit──► bun.lock
//!                        │
//! package.json ──────► compare ──► which edits it does not answer
//! ```
//! No file is read or written here: texts come in, texts go out.

mod binary;
pub mod bun;
mod compare;
mod error;
mod lockfile;
pub mod migrate;
mod package_lock;
pub mod pnpm;
pub mod yarn;

pub use compare::{Changes, Edit, Row, compare};
pub use error::{LockfileError, Position};
pub use lockfile::{Lockfile, OverrideRule, PackageExtension, WorkspaceEntry};
