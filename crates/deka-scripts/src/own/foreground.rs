//! One command on deka's own terminal.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::line::replacing;
use super::relay::Relay;
use crate::{Ending, Variables};

/// A command of the user's own, ready to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCommand {
    program: PathBuf,
    arguments: Vec<OsString>,
    folder: PathBuf,
    variables: Variables,
}

impl OwnCommand {
    /// A program with arguments.
    pub fn program(
        program: PathBuf,
        arguments: Vec<OsString>,
        folder: &Path,
        variables: Variables,
    ) -> Self {
        Self { program, arguments, folder: folder.to_owned(), variables }
    }

    /// A line for a shell.
    pub fn line(shell: &Path, line: &OsStr, folder: &Path, variables: Variables) -> Self {
        let has_exec = shell.file_stem().is_some_and(|name| {
            ["sh", "bash", "dash", "ash", "ksh", "zsh"].iter().any(|known| name == *known)
        });
        let line = if has_exec { replacing(line) } else { line.into() };
        let arguments = vec!["-c".into(), line.into_owned()];
        Self::program(shell.to_owned(), arguments, folder, variables)
    }

    /// Returns what is started.
    pub fn name(&self) -> &Path {
        &self.program
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder);
        self.variables.apply(&mut command);
        command
    }

    /// Runs it in place of deka, where the system can do that; then this returns only if it failed.
    pub fn replace(&self) -> io::Result<Option<Ending>> {
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            Err(self.command().exec())
        }
        #[cfg(not(unix))]
        self.run().map(|(ending, _)| ending)
    }

    /// Runs it to its end. Returns also whether somebody wanted it to end before.
    pub fn run(&self) -> io::Result<(Option<Ending>, bool)> {
        let relay = Relay::start()?;
        let mut child = self.command().spawn()?;
        let _held = relay.hold(child.id(), false);
        let status = child.wait()?;
        Ok((Ending::of(status), relay.has_heard()))
    }
}
