//! `deka completions <shell>`, and what shells ask while somebody types.
//!
//! The script that is printed asks deka itself, by a variable, what can come next: so commands and flags
//! are those of the deka that is installed, and scripts and packages those of the project.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate, SubcommandCandidates};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use deka_config::Environment;
use deka_fs::Dir;
use deka_manifest::PackageJson;

use super::manifest_file::ManifestFile;
use crate::arguments::{Arguments, CompletionsArguments};
use crate::diagnostic::Diagnostic;
use crate::environment;
use crate::exit_code::Class;

/// The variable by which a shell asks; its value is the shell's name.
const VARIABLE: &str = "DEKA_COMPLETE";

/// Asks deka from bash. For bash, a word ends at `:` and `=` as well, so that of `build:watch` it replaces only what
/// follows the colon; and it runs on the bash of macOS, which is of 2007.
const BASH: &str = r#"_deka_complete() {
    local line="${COMP_LINE:0:COMP_POINT}" words word before candidate
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word="${words[${#words[@]} - 1]}"
    before="${word%"$2"}"
    COMPREPLY=()
    while IFS= read -r candidate || [[ -n $candidate ]]; do
        COMPREPLY+=("${candidate#"$before"}")
    done < <(
        DEKA_COMPLETE=bash _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1)) _CLAP_COMPLETE_COMP_TYPE=$COMP_TYPE \
            _CLAP_COMPLETE_SPACE=false _CLAP_IFS=$'\n' deka -- "${words[@]}" 2> /dev/null
    )
    [[ ${COMPREPLY[0]} == *[=/:] ]] && compopt -o nospace 2> /dev/null
}
complete -o bashdefault -o nosort -F _deka_complete deka 2> /dev/null || complete -o bashdefault -F _deka_complete deka
"#;

/// Prints the script that teaches a shell deka's commands, and the names in a project.
pub(crate) fn run(arguments: &CompletionsArguments) -> Result<(), Diagnostic> {
    let failed = |error: &dyn std::error::Error| Diagnostic::from_error(Class::Internal, error);
    let name = match arguments.shell {
        Shell::Elvish => "elvish",
        Shell::Fish => "fish",
        Shell::PowerShell => "powershell",
        Shell::Zsh => "zsh",
        _ => {
            super::print(BASH);
            return Ok(());
        }
    };
    let shells = Shells::builtins();
    let mut script = Vec::new();
    if let Some(shell) = shells.completer(name) {
        let written = shell.write_registration(VARIABLE, "deka", "deka", "deka", &mut script);
        written.map_err(|error| failed(&error))?;
    }
    super::print(&String::from_utf8_lossy(&script));
    Ok(())
}

/// Answers a shell, if one asks. Whatever goes wrong, there is just nothing to offer.
pub(crate) fn answer(environment: &Environment) -> bool {
    environment.get(VARIABLE).is_some()
        && CompleteEnv::with_factory(command)
            .var(VARIABLE)
            .try_complete(std::env::args_os(), Some(environment.working_folder()))
            .unwrap_or(true)
}

/// Returns the command line with what projects can be asked for.
fn command() -> Command {
    let dependencies = || ArgValueCandidates::new(dependencies);
    let locked = || ArgValueCandidates::new(locked);
    let mut command = Arguments::command();
    // What is described only when it is wanted, is wanted here.
    command.build();
    // A script runs by its name alone where no command has that name.
    let names = command.get_subcommands().flat_map(Command::get_name_and_visible_aliases);
    let names: Vec<String> = names.map(ToOwned::to_owned).collect();
    command = command.add(SubcommandCandidates::new(move || {
        let mut scripts = scripts();
        scripts.retain(|script| !names.iter().any(|name| script.get_value() == name.as_str()));
        scripts
    }));
    command = command.mut_subcommand("run", |command| {
        command.mut_arg("script", |argument| argument.add(ArgValueCandidates::new(scripts)))
    });
    for name in ["remove", "update", "outdated", "list"] {
        command = command.mut_subcommand(name, |command| {
            command.mut_arg("packages", |argument| argument.add(dependencies()))
        });
    }
    for name in ["patch", "patch-commit"] {
        command = command.mut_subcommand(name, |command| {
            command.mut_arg("packages", |argument| argument.add(locked()))
        });
    }
    command = command.mut_subcommand("why", |command| {
        command.mut_arg("package", |argument| argument.add(locked()))
    });
    command = command.mut_subcommand("pm", |command| {
        command.mut_subcommand("trust", |command| {
            command.mut_arg("names", |argument| argument.add(locked()))
        })
    });
    command = command.mut_subcommand("exec", |command| {
        command.mut_arg("command", |argument| argument.add(ArgValueCandidates::new(bins)))
    });
    command.mut_subcommands(|command| {
        let has_filter = command.get_arguments().any(|argument| argument.get_id() == "filter");
        let members = |argument: Arg| argument.add(ArgValueCandidates::new(members));
        if has_filter { command.mut_arg("filter", members) } else { command }
    })
}

/// Returns the scripts of the nearest package.json.
fn scripts() -> Vec<CompletionCandidate> {
    with_folder(|folder| {
        let manifest = ManifestFile::nearest(folder).ok()?.editor().ok()?.value();
        let scripts = manifest.get("scripts")?.as_object()?.iter();
        let scripts = scripts.filter_map(|(name, command)| Some((name, command.as_str()?)));
        let candidate = |(name, command): (&String, &str)| {
            CompletionCandidate::new(name).help(Some(command.to_owned().into()))
        };
        Some(scripts.map(candidate).collect())
    })
}

/// Returns what the nearest package.json asks for.
fn dependencies() -> Vec<CompletionCandidate> {
    with_folder(|folder| {
        let manifest = PackageJson::parse(&ManifestFile::nearest(folder).ok()?.text).ok()?;
        let groups = [
            &manifest.dependencies,
            &manifest.dev_dependencies,
            &manifest.optional_dependencies,
            &manifest.peer_dependencies,
        ];
        let names = groups.into_iter().flatten();
        Some(names.map(|(alias, _)| CompletionCandidate::new(alias.as_str())).collect())
    })
}

/// Returns the packages of bun.lock.
fn locked() -> Vec<CompletionCandidate> {
    with_folder(|folder| {
        let root = deka_install::find_project(folder).ok()?;
        let names = deka_install::locked_names(&root).ok()?;
        Some(names.into_iter().map(CompletionCandidate::new).collect())
    })
}

/// Returns the members of the workspaces.
fn members() -> Vec<CompletionCandidate> {
    with_folder(|folder| {
        let root = deka_install::find_project(folder).ok()?;
        let members = deka_install::own_packages(&root, &[], folder).ok()?.into_iter();
        let names = members.map(|member| member.package.name).filter(|name| !name.is_empty());
        Some(names.map(CompletionCandidate::new).collect())
    })
}

/// Returns the commands of the dependencies of the nearest package, and of the project that it is in.
fn bins() -> Vec<CompletionCandidate> {
    with_folder(|folder| {
        let package = deka_install::find_package(folder).ok()?;
        let root = deka_install::find_project(folder).ok()?;
        let folders = [package, root].map(|folder| Dir::open(folder.join("node_modules/.bin")));
        let entries = folders.iter().flatten().flat_map(|bins| bins.list().unwrap_or_default());
        let names: BTreeSet<OsString> = entries.map(|entry| entry.name).collect();
        Some(names.into_iter().map(CompletionCandidate::new).collect())
    })
}

fn with_folder(
    find: impl FnOnce(&Path) -> Option<Vec<CompletionCandidate>>,
) -> Vec<CompletionCandidate> {
    let environment = environment::capture().ok();
    environment.and_then(|environment| find(environment.working_folder())).unwrap_or_default()
}
