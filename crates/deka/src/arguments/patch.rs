//! Arguments of `deka patch` and `deka patch-commit`.

use clap::Args;

use super::install::InstallArguments;
use crate::diagnostic::Diagnostic;

/// Arguments of `deka patch`.
#[derive(Debug, Args)]
pub(crate) struct PatchArguments {
    /// Make a patch of what was edited, and install it
    #[arg(long, conflicts_with = "remove")]
    pub(crate) commit: bool,

    /// Take the patch of the package out again
    #[arg(long)]
    pub(crate) remove: bool,

    #[command(flatten)]
    pub(crate) folder: PatchesFolder,

    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

/// Arguments of `deka patch-commit`.
#[derive(Debug, Args)]
pub(crate) struct PatchCommitArguments {
    #[command(flatten)]
    pub(crate) folder: PatchesFolder,

    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

/// Where patches are.
#[derive(Debug, Args)]
pub(crate) struct PatchesFolder {
    /// The folder that a new patch is written to
    #[arg(long, value_name = "folder", default_value = "patches")]
    pub(crate) patches_dir: String,
}

impl InstallArguments {
    /// Returns the package that a command is about, which takes one.
    pub(crate) fn package(&self, command: &str) -> Result<&str, Diagnostic> {
        match self.adding.names() {
            [package] => Ok(package),
            [] => Err(Diagnostic::usage(format!("`{command}` needs the name of a package"))
                .hint("Name it, or its folder in node_modules")),
            _ => Err(Diagnostic::usage(format!("`{command}` takes one package at a time"))),
        }
    }
}

pub(super) const AFTER_HELP: &str = "\
The package is named as `name`, `name@version` where there are several, or by its folder in node_modules. It
gets files of its own there, so edits reach neither the store nor other projects, and installs leave them
alone. The patch is what `git diff` says of them, in patches/<name>@<version>.patch, and package.json names it in
patchedDependencies: from then on every install applies it. To change a patch, edit and commit again.

Examples:
  deka patch is-odd                       Make is-odd ready for editing
  deka patch is-number@6.0.0              One of several versions
  deka patch node_modules/a/node_modules/b
  deka patch --commit is-odd              Write the patch, and install it
  deka patch --commit is-odd --patches-dir=fixes
  deka patch --remove is-odd              Back to the package as it was published

`deka help install` shows what else can be said about the install, `deka help exit-codes` the exit codes.";

pub(super) const AFTER_HELP_COMMIT: &str = "\
The same as `deka patch --commit`.

Examples:
  deka patch-commit node_modules/is-odd   Write the patch of what was edited there, and install it

`deka help patch` tells all about patches.";
