//! `deka update --interactive`: the versions to update to are chosen from a list.

use deka_config::{Environment, LogLevel};
use deka_graph::EdgeKind;
use deka_install::{Change, Chosen, ChosenPlace, OutdatedDependency};

use crate::arguments::{CommonArguments, UpdateArguments};
use crate::commands::{outdated, print};
use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::picker::{Choice, Ending, Picker, terminal};
use crate::render_error::printable;

/// Lets the user choose; `None` if there is nothing to do.
pub(super) fn choose(
    arguments: &UpdateArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<Option<Change>, Diagnostic> {
    if !terminal::is_there(environment) {
        return Err(Diagnostic::usage("`deka update --interactive` needs a terminal").hint(
            "`deka outdated` lists what may be updated, `deka update <package>` updates it",
        ));
    }
    let request = outdated::request(&arguments.install, common, environment)?;
    let says_more = request.config.log_level >= LogLevel::Info;
    let outdated = deka_install::outdated(&request)?;
    let is_newer = |dependency: &&OutdatedDependency| {
        dependency.update.version != dependency.current
            || dependency.latest.version.cmp_precedence(&dependency.current).is_gt()
    };
    let dependencies: Vec<&OutdatedDependency> =
        outdated.dependencies.iter().filter(is_newer).collect();
    if dependencies.is_empty() {
        if says_more {
            print("All packages are up to date\n");
        }
        return Ok(None);
    }
    let shows_members = outdated.members > 1;
    let choices = dependencies.iter().map(|dependency| choice(dependency, shows_members)).collect();
    let ending = terminal::ask(Picker::new(choices, arguments.latest)).map_err(|error| {
        let mut diagnostic = Diagnostic::new(Class::User, "Failed to read from the terminal");
        diagnostic.causes.push(error.to_string());
        diagnostic
    })?;
    match ending {
        Ending::Cancelled => {
            if says_more {
                print("Cancelled, nothing was changed\n");
            }
            Ok(None)
        }
        Ending::Chosen(chosen) if chosen.is_empty() => {
            if says_more {
                print("Nothing was chosen, nothing was changed\n");
            }
            Ok(None)
        }
        Ending::Chosen(chosen) => {
            let chosen = chosen.into_iter().flat_map(|(place, version)| {
                let dependency = dependencies[place];
                places(dependency).into_iter().map(move |place| Chosen {
                    alias: dependency.alias,
                    place,
                    version: version.clone(),
                })
            });
            Ok(Some(arguments.update_chosen(chosen.collect())))
        }
    }
}

fn choice(dependency: &OutdatedDependency, shows_members: bool) -> Choice {
    let mut note = Vec::new();
    if dependency.kind != EdgeKind::Prod {
        note.push(dependency.kind.word().to_owned());
    }
    if dependency.catalog.is_some() {
        note.push("catalog".to_owned());
    }
    if shows_members {
        let names: Vec<String> =
            dependency.members.iter().map(|member| printable(&member.name)).collect();
        note.push(format!("({})", names.join(", ")));
    }
    Choice {
        name: printable(dependency.alias.as_str()),
        note: note.join(" "),
        current: dependency.current.clone(),
        update: dependency.update.version.clone(),
        latest: dependency.latest.version.clone(),
    }
}

/// Returns where the version is asked for.
fn places(dependency: &OutdatedDependency) -> Vec<ChosenPlace> {
    match dependency.catalog {
        Some(catalog) => vec![ChosenPlace::Catalog(catalog)],
        None => dependency
            .members
            .iter()
            .map(|member| ChosenPlace::Manifest(member.folder.clone()))
            .collect(),
    }
}
