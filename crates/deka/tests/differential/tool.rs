//! A package manager under comparison.

use std::{
    fs,
    path::{Path, PathBuf},
};

use deka_test::{Outcome, Program, Tree, peer};

use crate::served;

/// The file in `node_modules` in which deka remembers what it did.
pub(crate) const STATE_FILE: &str = ".deka-state";

/// A program with a home and a cache.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    /// Contains `home` and `cache`.
    pub(crate) folder: PathBuf,
}

impl Tool {
    /// Makes home and cache, empty.
    pub(crate) fn new(name: &'static str, program: &Path, folder: &Path) -> Self {
        for part in ["home", "cache"] {
            fs::create_dir_all(folder.join(part)).expect("a folder can be made");
        }
        Self { name, program: program.to_owned(), folder: folder.to_owned() }
    }

    /// Runs `install` with more arguments in a project's folder, scripts ignored.
    pub(crate) fn install(&self, project: &Path, arguments: &[&str]) -> Installed {
        let cache = self.folder.join("cache");
        let mut program = Program::new(&self.program, project)
            .args(["install", "--ignore-scripts"])
            .args(arguments)
            .env("HOME", self.folder.join("home"))
            .env("BUN_INSTALL_CACHE_DIR", &cache)
            .env("DEKA_CACHE_DIR", &cache)
            .env("GITHUB_API_URL", served::SERVER.url())
            .env("NO_COLOR", "1");
        for (name, value) in peer::network_environment() {
            program = program.env(&name, value);
        }
        let outcome = program.run();
        Installed {
            tool: self.name,
            lockfile: fs::read_to_string(project.join("bun.lock")).ok(),
            tree: Tree::read(&project.join("node_modules")).without(STATE_FILE),
            outcome,
        }
    }
}

/// What an install left behind.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) tool: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) lockfile: Option<String>,
    pub(crate) tree: Tree,
}
