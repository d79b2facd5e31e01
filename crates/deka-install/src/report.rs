//! What an install says while it works, and what it says in the end.

use std::time::Duration;

use deka_manifest::{Alias, PackageName, Version};

use crate::{Duplicates, GlobalCommands, PeerConflict};

/// Hears how far an install is. All methods may be called from any thread, often; the default does
/// nothing.
pub trait Reporter: Send + Sync {
    /// `answered` of `asked` packuments are there; `asked` still grows.
    fn resolving(&self, answered: usize, asked: usize) {
        let _ = (answered, asked);
    }

    /// `done` of `wanted` tarballs are in the store, `bytes` have come over the network so far.
    fn downloading(&self, done: usize, wanted: usize, bytes: u64) {
        let _ = (done, wanted, bytes);
    }

    /// `done` of `wanted` packages are in `node_modules`.
    fn linking(&self, done: usize, wanted: usize) {
        let _ = (done, wanted);
    }

    /// `done` of `wanted` packages have run their scripts.
    fn building(&self, done: usize, wanted: usize) {
        let _ = (done, wanted);
    }

    /// The lockfile of another package manager was read, in so much time; `moved` says what
    /// that does to manifests (`copied pnpm.overrides to overrides in package.json`).
    fn migrated(&self, file: &str, elapsed: Duration, moved: &[String]) {
        let _ = (file, elapsed, moved);
    }

    /// A script of the project itself is about to write to deka's own streams.
    fn project_script(&self, command: &str) {
        let _ = command;
    }

    /// A script of a dependency or a workspace has begun.
    fn script_started(&self, package: &str, event: &str, command: &str) {
        let _ = (package, event, command);
    }

    /// A script of `package` has written something, not always whole lines.
    fn script_wrote(&self, package: &str, bytes: &[u8]) {
        let _ = (package, bytes);
    }

    /// A script has ended well.
    fn script_ended(&self, package: &str, event: &str, elapsed: Duration) {
        let _ = (package, event, elapsed);
    }

    /// The scripts of a dependency have ended well, but seem to have missed the network, which they do
    /// not have in the sandbox. `name` is by what the project could allow it.
    fn missed_network(&self, package: &str, name: &str) {
        let _ = (package, name);
    }

    /// Something that the user should know, although the install goes on.
    fn warning(&self, text: &str) {
        let _ = text;
    }
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {}

/// What became of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Something in `node_modules` changed.
    Installed {
        /// Packages that were linked.
        installed: usize,
        /// Packages that were taken away.
        removed: usize,
    },
    /// Everything stood as it should.
    Unchanged {
        /// Folders in `node_modules` that hold a package.
        installs: usize,
        /// Packages in the lockfile, the project itself among them.
        packages: usize,
    },
    /// Only the lockfile was written (`--lockfile-only`).
    LockfileSaved {
        /// Packages in the lockfile, the project itself among them.
        packages: usize,
    },
    /// What an install would do (`--dry-run`): every `name@version` that would be installed.
    DryRun(Vec<String>),
    /// No dependency was there to be removed.
    NothingToRemove,
    /// `package.json` asks for nothing.
    NoDependencies {
        /// Whether a lockfile without packages was deleted.
        lockfile_deleted: bool,
    },
}

/// A direct dependency that was installed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectDependency {
    /// Its name in `package.json`.
    pub alias: Alias,
    /// Its real name.
    pub name: PackageName,
    /// What was installed: a version, or for other kinds what the lockfile calls it.
    pub version: String,
    /// The version that the `latest` tag names, when it is known and newer.
    pub latest: Option<Version>,
}

/// A package that a command was told to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedPackage {
    /// Its name in `package.json`.
    pub alias: Alias,
    /// What was installed: a version, `npm:<name>@<version>` if it has another name, or for other kinds
    /// what the lockfile calls it.
    pub version: String,
    /// The commands that it brings.
    pub bins: Vec<Box<str>>,
}

/// A package that has another version than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedPackage {
    /// Its name in `package.json`, or its own if it is no direct dependency.
    pub alias: Alias,
    /// The version that was locked.
    pub from: Version,
    /// The version that is locked now.
    pub to: Version,
}

/// The end of an install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What became of the project.
    pub outcome: Outcome,
    /// Direct dependencies that were installed anew, in the order of `package.json`'s groups.
    pub direct: Vec<DirectDependency>,
    /// What was to be added, in the order in which it was asked for.
    pub added: Vec<AddedPackage>,
    /// What has another version than before, if that was what was asked for.
    pub updated: Vec<UpdatedPackage>,
    /// What was taken out of `package.json`.
    pub removed: Vec<Alias>,
    /// What became of duplicate versions, if that was the question.
    pub duplicates: Option<Duplicates>,
    /// The commands of what is installed for all projects, if that was what was asked for.
    pub global: Option<GlobalCommands>,
    /// Peers that do not get what they want, and got it or were not there before.
    pub peer_conflicts: Vec<PeerConflict>,
    /// Lifecycle scripts that did not run because nobody trusts their packages.
    pub blocked_scripts: usize,
    /// Whether a new lockfile was written.
    pub lockfile_saved: bool,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// Returns a summary that says nothing but what became of the project.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            direct: Vec::new(),
            added: Vec::new(),
            updated: Vec::new(),
            removed: Vec::new(),
            duplicates: None,
            global: None,
            peer_conflicts: Vec::new(),
            blocked_scripts: 0,
            lockfile_saved: false,
            elapsed: Duration::ZERO,
        }
    }
}
