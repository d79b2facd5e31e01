//! `deka pm`: questions about what is installed, whose scripts run, and other lockfiles.

mod cache;
mod migrate;
mod pkg;
mod trust;
mod untrusted;

use std::sync::Arc;

use deka_config::{Config, Environment};
use deka_install::Request;
use deka_scripts::ProjectOutput;

use super::install::{script_context, text};
use crate::arguments::{
    BinArguments, CommonArguments, InstallArguments, ListArguments, PmArguments, PmCommand,
};
use crate::diagnostic::Diagnostic;
use crate::document;

/// That of `schemas/pm-default-trusted.json` and `schemas/pm-bin.json`.
const SCHEMA_VERSION: u32 = 1;

/// Runs the command that `arguments` name.
pub(crate) fn run(
    arguments: &PmArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    match &arguments.command {
        PmCommand::Ls(arguments) => super::list::run(arguments, common, environment),
        PmCommand::Licenses(arguments) => super::licenses::run(arguments, common, environment),
        PmCommand::Why(arguments) => super::why::run(arguments, common, environment),
        PmCommand::Cache(arguments) => cache::run(arguments, common, environment),
        PmCommand::Version(arguments) => super::version::run(arguments, common, environment),
        PmCommand::Pkg(arguments) => pkg::run(arguments, environment),
        PmCommand::Migrate(arguments) => migrate::run(arguments, common, environment),
        PmCommand::Trust(arguments) => trust::run(arguments, common, environment),
        PmCommand::Diff(arguments) => super::diff::run(arguments, common, environment),
        PmCommand::View(arguments) => super::info::run(arguments, common, environment),
        PmCommand::Untrusted(arguments) => untrusted::run(arguments, common, environment),
        PmCommand::DefaultTrusted(arguments) => {
            default_trusted(arguments);
            Ok(())
        }
        PmCommand::Bin(arguments) => bin(arguments, common, environment),
    }
}

fn bin(
    arguments: &BinArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let folder = if arguments.global {
        super::global::bin(environment, &InstallArguments::default().overrides(common)?)?
    } else {
        deka_install::find_project(environment.working_folder())?.join("node_modules/.bin")
    };
    let folder = folder.display().to_string();
    if arguments.json {
        document::print(SCHEMA_VERSION, [("folder", folder.into())]);
    } else {
        super::print(&format!("{folder}\n"));
    }
    Ok(())
}

fn default_trusted(arguments: &ListArguments) {
    let names: Vec<&str> = deka_scripts::default_trusted().collect();
    if arguments.json {
        document::print(SCHEMA_VERSION, [("names", names.into())]);
        return;
    }
    let list = names.join("\n - ");
    super::print(&format!("Default trusted dependencies ({}):\n - {list}\n", names.len()));
}

/// Returns what an install of the project in or above the working folder would be asked for.
fn request(common: &CommonArguments, environment: &Environment) -> Result<Request, Diagnostic> {
    let overrides = InstallArguments::default().overrides(common)?;
    let root = deka_install::find_project(environment.working_folder())?;
    let config = Arc::new(Config::load(environment, &overrides, &root)?);
    let scripts = script_context(environment, ProjectOutput::Inherit)?;
    let folder = environment.working_folder().to_owned();
    let (filters, change) = (Vec::new(), None);
    let (deduplicates, migrates, is_global) = (false, false, false);
    Ok(Request {
        root,
        config,
        scripts,
        filters,
        folder,
        change,
        deduplicates,
        migrates,
        is_global,
    })
}
