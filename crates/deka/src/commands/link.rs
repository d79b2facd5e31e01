//! `deka link` and `deka unlink`: packages under development, used by other projects from where they are.

use std::fmt::Write as _;

use deka_config::{Config, Environment, LogLevel};
use owo_colors::OwoColorize as _;
use serde_json::json;

use super::install;
use crate::arguments::{CommonArguments, InstallArguments, UnlinkArguments};
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::printable;

/// That of `schemas/link.json` and `schemas/unlink.json`.
const SCHEMA_VERSION: u32 = 1;

/// Registers the package in or above the working folder; with names, links registered packages into
/// the project.
pub(crate) fn link(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    if arguments.adding.has_packages() {
        return install::link(arguments, common, environment);
    }
    arguments.refuse_what_is_not_there()?;
    let folder = environment.working_folder();
    let config = Config::load(environment, &arguments.overrides(common)?, folder)?;
    let registered = deka_install::register(&config, folder)?;
    if arguments.json {
        let commands = &registered.commands;
        let folder = commands.folder.display().to_string();
        let commands = json!({ "folder": folder, "names": commands.names });
        let name = registered.name.as_str().into();
        document::print(SCHEMA_VERSION, [("name", name), ("commands", commands)]);
    } else if config.log_level >= LogLevel::Info {
        let name = printable(registered.name.as_str());
        let mut text = install::header("link");
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\nRegistered {}\n\nTo use it in a project, run there\n  deka link {name}\nor add to dependencies in its \
             package.json\n  \"{name}\": \"link:{name}\"\n",
            name.green()
        );
        super::print(&text);
    }
    super::global::check(&registered.commands, environment)
}

/// Takes the package in or above the working folder out of the register.
pub(crate) fn unlink(
    arguments: &UnlinkArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    if let Some(package) = arguments.packages.first() {
        return Err(Diagnostic::usage("`deka unlink` takes no packages").hint(format!(
            "Run it in the folder of `{package}`, or `deka remove {package}` to take the link out of a project"
        )));
    }
    let folder = environment.working_folder();
    let overrides = InstallArguments::default().overrides(common)?;
    let config = Config::load(environment, &overrides, folder)?;
    let (name, was_there) = deka_install::unregister(&config, folder)?;
    if arguments.json {
        let name = name.as_str().into();
        document::print(SCHEMA_VERSION, [("name", name), ("was_registered", was_there.into())]);
    } else if config.log_level >= LogLevel::Info {
        let name = printable(name.as_str());
        let text = if was_there {
            format!("\n{name} is no longer registered\n")
        } else {
            format!("\n{name} was not registered, there is nothing to do\n")
        };
        super::print(&(install::header("unlink") + &text));
    }
    Ok(())
}
