//! Lifecycle scripts: which run, with what around them, in which order, and how they are held.
//!
//! ```text
//! package.json ─► lifecycle ─┐
//! trust: may it run at all? ─┼─► Job ─► run ─► process ═══► supervisor ─► sh -c …
//! order: after which others? ┘          (threads)           (a process of its own, in the sandbox)
//! ```
//! - [`lifecycle`]: the scripts of a package in npm's order, `node-gyp rebuild` included.
//! - [`Trust`]: dependencies run nothing unless the project or the built-in list trusts them.
//! - [`own`]: scripts and commands of the user's own, which are held by nobody.
//! - [`order`]: what has to be built before what. A pure function.
//! - [`Caller`]: the variables of a script, as npm sets them.
//! - [`inputs()`]: what decides about their results, besides packages.
//! - [`Surroundings`]: what else is around the scripts of dependencies.
//! - [`run()`]: runs jobs side by side, keeps what they print, ends all of them when one fails.
//! - [`supervisor`]: the program between deka and a script. deka starts itself in this role; it enters
//!   the [`sandbox`], starts the shell, and ends every process that the script leaves behind, also when
//!   deka is killed.
//!
//! What this crate does not do: decide what is installed, place files, print.

mod board;
mod error;
mod inputs;
pub mod lifecycle;
mod node;
pub mod order;
pub mod own;
mod process;
mod run;
pub mod sandbox;
pub mod supervisor;
mod surroundings;
mod trust;
mod variables;

pub use error::{Ending, FailedScript, ScriptError};
pub use inputs::inputs;
pub use lifecycle::{Event, Script};
pub use node::Node;
pub use run::{Job, JobOutcome, Observer, ProjectOutput, run, run_in_foreground};
pub use surroundings::{Package, Surroundings, shell};
pub use trust::{DEFAULT_TRUSTED, Provenance, Trust, default_trusted};
pub use variables::{Caller, NpmCommand, Variables, command_folders};
