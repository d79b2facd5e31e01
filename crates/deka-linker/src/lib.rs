//! From the graph and the store to `node_modules`.
//!
//! ```text
//! graph + tree ─► LinkPlan ─┐                       ┌─► tasks ─► Linker::perform  (workers)
//!                           ├─► difference ─────────┤
//! .deka-state ─► LinkState ─┘   (and the disk)      └─► Linker::finish ─► .deka-state
//! ```
//! - [`LinkPlan`]: what `node_modules` shall be. A pure value; Bun's hoisted and isolated layouts to the
//!   letter.
//! - [`difference()`]: what has to be done to get there. A pure function; only what is planned and
//!   what deka itself placed is ever touched.
//! - [`Linker`]: does it, from as many threads as there are.
//! - [`LinkState`]: what was done, for the next time; [`check_up_to_date`] answers from it whether
//!   there is anything to do, before anything else of deka exists.
//!
//! What this crate does not do: fetch, unpack, run scripts, decide what is installed.

mod commands;
mod difference;
mod error;
mod linker;
mod patch;
mod path;
mod plan;
mod state;

pub use commands::{Command, Commands, Executable};
pub use difference::{
    Action, Depth, Difference, Kept, Observed, Observer, Task, Trust, difference,
};
pub use error::LinkError;
pub use linker::{Backend, Finish, Finished, Linker, Outcome, Work};
pub use patch::{InvalidPatch, Patch, PatchFailure};
pub use plan::{
    BinFolder, BinOwner, Build, HoistPatterns, Identity, IsolatedTree, Layout, Link, LinkPlan,
    NativeBins, Placement, PlanError, PlanOptions, SharedBin, SharedEntry, SharedPlaces,
    SharedPlan, Skipped, Source,
};
pub use state::{
    Input, InputState, LinkState, PlacedLink, PlacedLinks, PlacedPackage, STATE_FILE, Stamp,
    Summary, UpToDate, check_up_to_date, settings_of_last,
};
