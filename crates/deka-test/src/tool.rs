//! A package manager under comparison.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Outcome, Program, Tree, peer};

/// The file in `node_modules` in which deka remembers what it did.
pub const STATE_FILE: &str = ".deka-state";

/// A program with a home and a cache of its own.
#[derive(Clone, Debug)]
pub struct Tool {
    /// What messages call it.
    pub name: &'static str,
    /// The path of the program.
    pub program: PathBuf,
    /// Contains `home` and `cache`.
    pub folder: PathBuf,
    variables: Vec<(String, String)>,
}

impl Tool {
    /// Makes home and cache, empty.
    pub fn new(name: &'static str, program: &Path, folder: &Path) -> Self {
        for part in ["home", "cache"] {
            fs::create_dir_all(folder.join(part)).expect("a folder can be made");
        }
        let (program, folder) = (program.to_owned(), folder.to_owned());
        Self { name, program, folder, variables: Vec::new() }
    }

    /// Lets it reach the registry that npm is configured with.
    #[must_use]
    pub fn on_network(mut self) -> Self {
        self.variables.extend(peer::network_environment());
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The program in a folder, with its environment.
    pub fn command<'a>(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Program {
        let cache = self.folder.join("cache");
        let program = Program::new(&self.program, folder)
            .args(arguments)
            .env("HOME", self.folder.join("home"))
            .env("BUN_INSTALL_CACHE_DIR", &cache)
            .env("DEKA_CACHE_DIR", &cache)
            .env("NO_COLOR", "1");
        let variables = self.variables.iter();
        variables.fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Runs `install` with more arguments in a project's folder, scripts ignored.
    pub fn install(&self, project: &Path, arguments: &[&str]) -> Installed {
        let arguments = ["install", "--ignore-scripts"].iter().chain(arguments).copied();
        let outcome = self.command(project, arguments).run();
        self.installed(project, outcome)
    }

    /// What is in a project's folder after the program ended so.
    pub fn installed(&self, project: &Path, outcome: Outcome) -> Installed {
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
pub struct Installed {
    /// Who it was.
    pub tool: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The text of `bun.lock`.
    pub lockfile: Option<String>,
    /// What is in `node_modules`.
    pub tree: Tree,
}
