//! For tests: a registry in the process, hostile tarballs, projects in temporary folders, and what two
//! tools make of the same project.
//!
//! ```
//! use deka_test::Registry;
//!
//! let registry = Registry::start();
//! registry.package("b", "1.2.0").file("index.js", "module.exports = 1").publish();
//! registry.package("a", "1.0.0").dep("b", "^1").bin("a", "cli.js").publish();
//! // Point the code under test at `registry.url()`, then look at `registry.requests()`.
//! ```
//!
//! A dev-dependency only. It uses none of deka's other crates, so that each of them may use it,
//! and panics where a real program would return an error: a test has nobody to hand one to.

#![expect(clippy::missing_panics_doc, reason = "a failed expectation of a test is a panic")]

pub mod archive;
pub mod compare;
mod environment;
pub mod hostile;
pub mod peer;
mod project;
pub mod registry;
mod repository;
mod run;
pub mod schema;
mod scratch;
#[cfg(unix)]
mod terminal;
pub mod tool;
mod tree;

pub use archive::{Entry, EntryKind, LongName, Tar};
pub use environment::say_skipped;
pub use project::TestProject;
pub use registry::{Fault, PackageBuilder, Published, Registry, Request, Style};
pub use repository::Repository;
pub use run::{Outcome, Program};
pub use scratch::scratch_folder;
#[cfg(unix)]
pub use terminal::Terminal;
pub use tool::{Installed, Tool};
pub use tree::{Kind, Node, Tree};
