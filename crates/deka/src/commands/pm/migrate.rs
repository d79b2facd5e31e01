//! `deka pm migrate`: `bun.lock` from the lockfile of another package manager.

use deka_config::{Environment, LogLevel};

use super::request;
use crate::arguments::{CommonArguments, MigrateArguments};
use crate::diagnostic::Diagnostic;
use crate::environment::is_interactive;
use crate::reporter::Progress;

/// Migrates the project in or above the working folder.
pub(super) fn run(
    arguments: &MigrateArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let request = request(common, environment)?;
    let shows_warnings = request.config.log_level >= LogLevel::Warn;
    let progress = Progress::start(shows_warnings && is_interactive(environment), shows_warnings);
    let migrated = deka_install::migrate(&request, arguments.force, &progress);
    progress.finish();
    Ok(migrated?)
}
