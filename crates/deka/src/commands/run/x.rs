//! `deka x` and `deka create`: commands of packages that need not be part of the project.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use deka_config::{Config, Environment, LogLevel};
use deka_install::{Tool, ToolError, ToolState};
use deka_manifest::PackageArgument;
use deka_scripts::own::OwnCommand;
use deka_scripts::{Caller, Node, NpmCommand, ProjectOutput, command_folders};

use super::runner;
use crate::arguments::{CommonArguments, CreateArguments, SourceArguments, XArguments};
use crate::commands::install;
use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::render_error::print_warning;

/// Commands that everybody calls by a name that is another package's.
const KNOWN_COMMANDS: &[(&str, &str)] = &[("tsc", "typescript")];

/// Runs the command of a package.
pub(crate) fn x(
    arguments: &XArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let Some((first, rest)) = arguments.command.split_first() else { return Ok(()) };
    let first = first.to_string_lossy();
    let mut named: Vec<&str> = arguments.package.iter().map(String::as_str).collect();
    let is_known = |(command, _): &&(&str, &str)| *command == first;
    let mut command = (!named.is_empty()).then(|| first.to_string());
    if named.is_empty() {
        named.push(&first);
        if let Some((known, package)) = KNOWN_COMMANDS.iter().find(is_known) {
            named = vec![package];
            command = Some((*known).to_owned());
        }
    }
    let wanted = Wanted { packages: &named, command, may_install: !arguments.no_install };
    start(&wanted, rest, &arguments.source, common, environment)
}

/// Runs the package that makes projects from a template.
pub(crate) fn create(
    arguments: &CreateArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let Some((template, rest)) = arguments.command.split_first() else { return Ok(()) };
    create_from(template, rest, &arguments.source, common, environment)
}

/// Makes a project with a template, which is told `rest`.
pub(crate) fn create_from(
    template: &OsStr,
    rest: &[OsString],
    source: &SourceArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let package = deka_install::template_package(&template.to_string_lossy());
    let wanted = Wanted { packages: &[&package], command: None, may_install: true };
    start(&wanted, rest, source, common, environment)
}

/// What is to run.
struct Wanted<'a> {
    /// The packages that are needed; the command is the first's.
    packages: &'a [&'a str],
    /// Its name, if that is not for the package to say.
    command: Option<String>,
    may_install: bool,
}

fn start(
    wanted: &Wanted<'_>,
    arguments: &[OsString],
    source: &SourceArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let mut overrides = runner::overrides(common, None)?;
    overrides.registry.clone_from(&source.registry);
    overrides.offline = source.offline;
    overrides.prefer_offline = source.prefer_offline;
    overrides.ignore_scripts = source.ignore_scripts.then_some(true);
    let folder = environment.working_folder();
    let root = deka_install::find_project(folder).unwrap_or_else(|_| folder.to_owned());
    let config = Config::load(environment, &overrides, &root)?;
    let parsed = wanted.packages.iter().map(|text| PackageArgument::parse(text));
    let packages: Vec<PackageArgument> = parsed
        .map(|package| package.map(|package| package.absolute(&folder.to_string_lossy())))
        .collect::<Result<_, _>>()
        .map_err(|error| Diagnostic::usage(error.to_string()))?;
    let (program, commands) = if let Some(program) = installed(wanted, &packages, environment) {
        (program, None)
    } else {
        let tool = ready_tool(wanted, packages, &config, environment)?;
        let program = match &wanted.command {
            Some(command) => tool.commands().join(command),
            None => tool.main_program()?,
        };
        (program, Some(tool.commands()))
    };
    let own_program = install::own_program()?;
    let node = Node::locate(environment.get("PATH").unwrap_or_default());
    let command = NpmCommand::Exec;
    let mut caller = Caller::new(environment, &own_program, &root, &config, command, node.as_ref());
    caller.first_commands = commands;
    let variables = caller.variables(folder);
    let command = OwnCommand::program(program, arguments.to_vec(), folder, variables);
    runner::replace(&command)
}

/// Returns the program if the project has it.
fn installed(
    wanted: &Wanted<'_>,
    packages: &[PackageArgument],
    environment: &Environment,
) -> Option<PathBuf> {
    let [package] = packages else { return None };
    let folder = environment.working_folder();
    let Some(command) = &wanted.command else {
        return deka_install::installed_program(package, folder);
    };
    // Of a certain version nobody knows here whether the command is its own.
    let may_be = package.spec.is_empty() && !command.contains(['/', '\\']);
    let folders = command_folders(folder).filter(|_| may_be);
    folders.map(|folder| folder.join(command)).find(|program| program.is_file())
}

/// Returns the packages, installed.
fn ready_tool(
    wanted: &Wanted<'_>,
    packages: Vec<PackageArgument>,
    config: &Config,
    environment: &Environment,
) -> Result<Tool, Diagnostic> {
    let tool = Tool::new(packages, config)?;
    let state = tool.state();
    if state == ToolState::Ready || state == ToolState::Old && !wanted.may_install {
        return Ok(tool);
    }
    if !wanted.may_install {
        let message = format!("`{}` is not installed", wanted.packages.join("`, `"));
        return Err(Diagnostic::new(Class::User, message)
            .hint("Without `--no-install` it would be installed"));
    }
    deka_fs::make_room_for_open_files();
    let scripts = install::script_context(environment, ProjectOutput::Stderr)?;
    let request = tool.request(config, scripts);
    match install::quietly(&request, environment) {
        Ok(summary) => {
            tool.note_resolved()?;
            if summary.blocked_scripts > 0 && config.log_level >= LogLevel::Warn {
                print_warning(&format!(
                    "{} of its lifecycle scripts did not run, because nobody trusts the packages",
                    summary.blocked_scripts
                ));
            }
        }
        Err(error) if state == ToolState::Old => {
            let error = Diagnostic::from(error);
            print_warning(&format!("It may be out of date: {}", error.message));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(tool)
}

impl From<ToolError> for Diagnostic {
    fn from(error: ToolError) -> Self {
        let diagnostic = Self::from_error(Class::User, &error);
        match &error {
            ToolError::Folder { .. } => diagnostic.hint(
                "What deka runs from there must be nobody else's: set DEKA_CACHE_DIR to a folder of your own",
            ),
            ToolError::NoCommand { .. } => {
                diagnostic.hint("If another package has the command: `deka x -p <package> <command>`")
            }
            ToolError::ManyCommands { package, commands } => diagnostic
                .detail("commands", commands.join(", "))
                .hint(format!("Name one: `deka x -p {package} {}`", commands[0])),
        }
    }
}
