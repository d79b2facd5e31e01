//! `deka install` from outside: the real binary in a temporary project, against a registry in the
//! process.

mod bad_input;
mod basics;
mod cache;
mod change;
mod dedupe;
mod doctor;
mod events;
mod extremes;
mod global;
mod guide;
mod incremental;
mod interrupted;
mod isolated;
mod lessons;
mod link;
mod links;
mod local;
mod lockfile;
mod migration;
mod network;
mod patch;
mod peers;
mod power_cut;
mod prune;
mod questions;
mod remote;
mod run;
mod scripts;
mod terminal;
mod together;
mod undone;
mod workspaces;
mod x;

use deka_test::TestProject;

/// An empty project with its own home and cache.
fn project() -> TestProject {
    TestProject::new(env!("CARGO_BIN_EXE_deka"))
}

/// Whether permissions hold nobody back.
fn is_root() -> bool {
    std::fs::metadata("/proc/self")
        .is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}
