//! One module per command.

pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod diff;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod global;
pub(crate) mod help;
pub(crate) mod info;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod licenses;
pub(crate) mod link;
pub(crate) mod list;
mod manifest_file;
pub(crate) mod outdated;
pub(crate) mod patch;
pub(crate) mod pm;
pub(crate) mod prune;
pub(crate) mod question;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod version;
pub(crate) mod why;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use deka_config::Environment;

use crate::diagnostic::Diagnostic;

/// Writes to stdout. A reader that went away (`deka help | head`) is no error.
pub(crate) fn print(text: &str) {
    let mut stdout = anstream::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Does what deka does when it started itself as the supervisor of a lifecycle script, if it did.
pub(crate) fn supervise() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != deka_scripts::supervisor::ARGUMENT {
        return None;
    }
    let order = arguments.next()?;
    let (code, problem) = deka_scripts::supervisor::supervise(&order.to_string_lossy());
    if let Some(problem) = problem {
        let _ = writeln!(anstream::stderr(), "deka: {problem}");
    }
    Some(ExitCode::from(code))
}

/// Returns the folder that `--cwd` names, if there is one.
pub(crate) fn enter(environment: &Environment, folder: &Path) -> Result<PathBuf, Diagnostic> {
    let folder = environment.working_folder().join(folder);
    let problem = |cause: String| {
        let mut diagnostic =
            Diagnostic::usage(format!("Failed to change to the folder `{}`", folder.display()));
        diagnostic.causes.push(cause);
        diagnostic
    };
    let found = std::fs::canonicalize(&folder).map_err(|error| problem(error.to_string()))?;
    if found.is_dir() { Ok(found) } else { Err(problem("it is not a folder".to_owned())) }
}
