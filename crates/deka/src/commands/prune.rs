//! `deka prune`: takes out of `node_modules` what nobody asks for.

use std::fmt::Write as _;
use std::time::Instant;

use deka_config::{Config, Environment, LogLevel, Omit};
use deka_install::{Groups, Pruned, PrunedPackage};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::install::text::{count, elapsed};
use crate::arguments::{CommonArguments, InstallArguments, PruneArguments};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::exit_code::Class;
use crate::render_error::printable;
use crate::reporter::Progress;

/// That of `schemas/prune.json`.
const SCHEMA_VERSION: u32 = 1;

/// Removes packages, or says which it would remove.
pub(crate) fn run(
    arguments: &PruneArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let started = Instant::now();
    let root = deka_install::find_project(environment.working_folder())?;
    let overrides = InstallArguments::default().overrides(common)?;
    let mut config = Config::load(environment, &overrides, &root)?;
    let omit = arguments.omit.iter().copied().fold(config.install.omit, Omit::union);
    config.install.omit = omit;
    let groups = if arguments.production { Groups::Production } else { Groups::All };
    let is_dry = arguments.dry_run || arguments.check;
    let progress = Progress::start(false, config.log_level >= LogLevel::Warn);
    let pruned = deka_install::prune(&root, &config, groups, is_dry, &progress)?;
    progress.finish();
    if arguments.json {
        let removed = pruned.removed.iter().map(json).collect();
        let fields =
            [("dry_run", is_dry.into()), ("checked", pruned.checked.into()), ("removed", removed)];
        document::print(SCHEMA_VERSION, fields);
    } else if config.log_level >= LogLevel::Info {
        let time = elapsed(started.elapsed());
        print(&text(&pruned, is_dry, &format!("[{}]", time.bold())));
    }
    if arguments.check && !pruned.removed.is_empty() {
        let message = format!("{} can be removed", count(pruned.removed.len(), "package"));
        return Err(Diagnostic::new(Class::User, message).hint("Run `deka prune`"));
    }
    Ok(())
}

fn text(pruned: &Pruned, is_dry: bool, time: &str) -> String {
    let mut output = super::install::header("prune");
    output.push('\n');
    let checked = count(pruned.checked, "installed package");
    if pruned.removed.is_empty() {
        // Writing to a string does not fail.
        let _ = writeln!(output, "Done! Checked {checked} (nothing to prune) {time}");
        return output;
    }
    for package in &pruned.removed {
        let version = package.version.as_ref().map(|version| format!("@{}", printable(version)));
        let version = version.unwrap_or_default();
        let name = printable(&package.name);
        let _ = writeln!(output, "{} {name}{}", "-".red(), version.dimmed());
    }
    let verb = if is_dry { "can be removed" } else { "removed" };
    let removed = count(pruned.removed.len(), "package");
    let _ = writeln!(output, "{removed} {verb} (checked {checked}) {time}");
    output
}

fn json(package: &PrunedPackage) -> Value {
    json!({ "path": package.path, "name": package.name, "version": package.version })
}
