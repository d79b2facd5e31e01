//! `deka version`: a new version into package.json, a commit, and a tag.

use std::fmt::Write as _;
use std::sync::Arc;

use deka_config::{Config, Environment, LogLevel};
use deka_install::{NewVersion, Request, VersionOptions};
use deka_manifest::{Bump, Version};
use deka_scripts::ProjectOutput;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::install::script_context;
use super::manifest_file::ManifestFile;
use crate::arguments::{CommonArguments, InstallArguments, VersionArguments};
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::printable;
use crate::reporter::Progress;

/// That of `schemas/version.json`.
const SCHEMA_VERSION: u32 = 1;

/// Changes the version, or says what it is.
pub(crate) fn run(
    arguments: &VersionArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let Some(wanted) = arguments.wanted()? else { return show(arguments, environment) };
    let mut overrides = InstallArguments::default().overrides(common)?;
    if arguments.ignore_scripts {
        overrides.ignore_scripts = Some(true);
    }
    let folder = environment.working_folder().to_owned();
    let root = deka_install::find_project(&folder)?;
    let config = Arc::new(Config::load(environment, &overrides, &root)?);
    let level = config.log_level;
    let output = if arguments.json { ProjectOutput::Stderr } else { ProjectOutput::Inherit };
    let request = Request {
        root,
        config,
        scripts: script_context(environment, output)?,
        filters: arguments.filter.clone(),
        folder,
        change: None,
        deduplicates: false,
        migrates: false,
        is_global: false,
    };
    let options = VersionOptions {
        wanted,
        identifier: arguments.preid.clone(),
        is_recursive: arguments.recursive,
        uses_git: arguments.uses_git(),
        message: arguments.message.clone(),
        may_be_same: arguments.allow_same_version,
        may_be_dirty: arguments.force,
        is_dry_run: arguments.dry_run,
    };
    let progress = Progress::start(false, level >= LogLevel::Warn);
    let versions = deka_install::set_version(&request, &options, &progress)?;
    if arguments.json {
        document::print(SCHEMA_VERSION, [("packages", versions.iter().map(describe).collect())]);
    } else if level > LogLevel::Silent {
        let is_named = arguments.recursive || !arguments.filter.is_empty();
        let lines = versions.iter().map(|version| line(version, is_named));
        super::print(&lines.collect::<String>());
    }
    Ok(())
}

/// Returns the version, with the name where several packages may be meant.
fn line(version: &NewVersion, is_named: bool) -> String {
    match &version.name {
        Some(name) if is_named => format!("{}@{}\n", printable(name), version.to),
        _ => format!("v{}\n", version.to),
    }
}

fn describe(version: &NewVersion) -> Value {
    let NewVersion { name, folder, from, to, tag } = version;
    json!({ "name": name, "path": folder, "from": from, "to": to.to_string(), "tag": tag })
}

/// Says what there is, and what would come next.
fn show(arguments: &VersionArguments, environment: &Environment) -> Result<(), Diagnostic> {
    let manifest = ManifestFile::nearest(environment.working_folder())?.editor()?.value();
    let text = |field: &str| manifest.get(field).and_then(Value::as_str);
    let (name, current) = (text("name"), text("version"));
    if arguments.json {
        let package =
            json!({ "name": name, "path": null, "from": current, "to": null, "tag": null });
        document::print(SCHEMA_VERSION, [("packages", vec![package].into())]);
        return Ok(());
    }
    let Some(current) = current else {
        super::print("package.json has no version\n");
        return Ok(());
    };
    let mut output = format!("{}\n", printable(current).bold());
    if let Ok(version) = Version::parse(current) {
        output.push('\n');
        for (name, bump) in Bump::ALL {
            if let Ok(next) = version.bumped(bump, arguments.preid.as_deref()) {
                // Writing to a string does not fail.
                let _ = writeln!(output, "  {name:<11}{next}");
            }
        }
    }
    super::print(&output);
    Ok(())
}
