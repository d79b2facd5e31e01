//! Whole installs of the packages that pnpm is tested with.
//!
//! `@pnpm/registry-mock` has some two hundred small packages, each made for something that package
//! managers got wrong. A registry of this process serves them. Each scenario is a project that is installed
//! hoisted and isolated: clean, again, and frozen from the lockfile; Bun installs it too and has to leave
//! the same lockfile and tree behind, unless the scenario says why not. Then Node is asked what it
//! finds from where.
//!
//! `DEKA_TEST_SKIP_PEERS=1` skips all of it.

mod aliases;
mod bins;
mod bundled;
mod cycles;
mod exotic;
mod graph;
mod hoisting;
mod peers;
mod platforms;
mod private;
mod registry;
mod scenario;
mod scripts;
mod versions;
mod workspaces;
