//! Scripts and commands of the user's own: without supervisor and sandbox.
//!
//! - [`with_arguments`]: what a shell is given.
//! - [`OwnCommand`]: a process to start. [`OwnCommand::replace`] puts it in deka's place, so that its
//!   signals and its end are nobody else's; [`OwnCommand::run`] waits for it, because something follows.
//! - [`run_together`]: several side by side, line by line.
//! - `relay`: signals that reach deka while it waits, and what becomes of them.

mod foreground;
mod line;
mod relay;
mod together;

pub use foreground::OwnCommand;
pub use line::{quoted, with_arguments};
pub use together::{Part, PartScript, Stream, Together, TogetherObserver, run_together};
