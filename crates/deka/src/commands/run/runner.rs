//! What runs something: a package, the settings of its project, and what scripts see of both.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use deka_config::{Config, Environment, LogLevel, Overrides};
use deka_install::OwnPackage;
use deka_scripts::own::{OwnCommand, with_arguments};
use deka_scripts::{Caller, Ending, Node, NpmCommand, Variables, command_folders};

use super::not_started;
use crate::arguments::{CommonArguments, InstallArguments};
use crate::commands::install;
use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::render_error::{print_command, printable};
use crate::reporter::Progress;

/// A package in which something runs.
pub(super) struct Runner<'e> {
    pub(super) own: OwnPackage,
    /// The folder of the project: another one for a member of workspaces.
    pub(super) root: PathBuf,
    pub(super) environment: &'e Environment,
    pub(super) config: Config,
    program: PathBuf,
    node: Option<Node>,
}

/// A script of a [`Runner`]'s package, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) event: String,
    /// What is shown of it.
    pub(super) line: OsString,
    pub(super) command: OwnCommand,
}

/// Returns what flags say about the settings; `shell` may be one of Bun's words for the system's.
pub(super) fn overrides(
    common: &CommonArguments,
    shell: Option<&str>,
) -> Result<Overrides, Diagnostic> {
    let mut overrides = InstallArguments::default().overrides(common)?;
    overrides.script_shell =
        shell.filter(|shell| !["bun", "system"].contains(shell)).map(Into::into);
    Ok(overrides)
}

impl<'e> Runner<'e> {
    /// Reads the package in or above the working folder.
    pub(super) fn in_package(
        environment: &'e Environment,
        overrides: &Overrides,
    ) -> Result<Self, Diagnostic> {
        let folder = deka_install::find_package(environment.working_folder())?;
        let root = deka_install::find_project(&folder)?;
        let config = Config::load(environment, overrides, &root)?;
        let own = OwnPackage::read(folder)?;
        let program = install::own_program()?;
        let node = Node::locate(environment.get("PATH").unwrap_or_default());
        Ok(Self { own, root, environment, config, program, node })
    }

    /// Installs if `node_modules` is out of date.
    pub(super) fn refresh(&self, common: &CommonArguments) -> Result<(), Diagnostic> {
        let get = |name| self.environment.non_empty(name);
        // What started this script has looked already.
        let is_within = get("npm_lifecycle_event").is_some()
            && get("npm_config_local_prefix").is_some_and(|root| self.root == Path::new(root));
        let reporter = Progress::start(false, self.config.log_level >= LogLevel::Warn);
        if is_within || !deka_install::is_stale(&self.root, &reporter) {
            return Ok(());
        }
        install::refresh(common, self.environment)
    }

    pub(super) fn caller(&self, command: NpmCommand) -> Caller<'_> {
        let Self { environment, program, root, config, node, .. } = self;
        Caller::new(environment, program, root, config, command, node.as_ref())
    }

    /// Returns a script with those before and after it.
    pub(super) fn script(&self, name: &str, arguments: &[OsString]) -> Option<Vec<Planned>> {
        self.script_of(&self.own, name, arguments)
    }

    /// The same of another package of the project.
    pub(super) fn script_of(
        &self,
        own: &OwnPackage,
        name: &str,
        arguments: &[OsString],
    ) -> Option<Vec<Planned>> {
        own.script(name)?;
        let events = [format!("pre{name}"), name.to_owned(), format!("post{name}")];
        let planned = events.into_iter().filter_map(|event| {
            let command = own.script(&event)?;
            let arguments = if event == name { arguments } else { &[] };
            Some(self.planned(own, event, command, arguments))
        });
        Some(planned.collect())
    }

    /// Returns a line in place of a script, with those before and after it.
    pub(super) fn line(&self, name: &str, line: &str, arguments: &[OsString]) -> Vec<Planned> {
        let mut own = self.own.clone();
        own.manifest.scripts.push((name.into(), line.into()));
        self.script_of(&own, name, arguments).unwrap_or_default()
    }

    fn planned(
        &self,
        own: &OwnPackage,
        event: String,
        command: &str,
        arguments: &[OsString],
    ) -> Planned {
        let caller = self.caller(NpmCommand::RunScript);
        let variables = caller.variables_of_script(&own.package, &event, command);
        let line = with_arguments(command, arguments);
        let command = self.shell_command(&line, &own.package.folder, variables);
        Planned { event, line, command }
    }

    /// Returns a line for the shell, ready to run.
    pub(super) fn shell_command(
        &self,
        line: &OsStr,
        folder: &Path,
        variables: Variables,
    ) -> OwnCommand {
        OwnCommand::line(&deka_scripts::shell(&self.config), line, folder, variables)
    }

    /// Returns the program of a dependency's command.
    pub(super) fn command(&self, name: &str) -> Option<PathBuf> {
        if name.is_empty() || name.contains(['/', '\\']) || [".", ".."].contains(&name) {
            return None;
        }
        let folders = command_folders(self.environment.working_folder());
        folders.map(|folder| folder.join(name)).find(|program| program.is_file())
    }

    /// Runs scripts one after the other, the last in deka's place.
    pub(super) fn run(&self, planned: &[Planned]) -> Result<(), Diagnostic> {
        let Some((last, first)) = planned.split_last() else { return Ok(()) };
        let failed =
            |planned: &Planned, error| not_started(planned.command.name().as_os_str(), &error);
        for script in first {
            self.announce(script);
            let (ending, is_interrupted) =
                script.command.run().map_err(|error| failed(script, error))?;
            if is_interrupted {
                /// What shells say of a command that Ctrl-C ended.
                const INTERRUPTED: u8 = 130;
                return Err(Diagnostic::ended(ending.map_or(INTERRUPTED, Ending::exit_code)));
            }
            if let Some(ending) = ending {
                return Err(script_failed(script, ending));
            }
        }
        self.announce(last);
        match last.command.replace().map_err(|error| failed(last, error))? {
            None => Ok(()),
            Some(ending) => Err(Diagnostic::ended(ending.exit_code())),
        }
    }

    /// Runs a program in deka's place, where the user is.
    pub(super) fn replace(
        &self,
        program: PathBuf,
        arguments: &[OsString],
    ) -> Result<(), Diagnostic> {
        let variables = self.caller(NpmCommand::Exec).variables_in_package(&self.own.package);
        let folder = self.environment.working_folder();
        replace(&OwnCommand::program(program, arguments.to_vec(), folder, variables))
    }

    fn announce(&self, script: &Planned) {
        if self.config.log_level >= LogLevel::Info {
            print_command(&script.line.to_string_lossy());
        }
    }
}

/// Runs a command in deka's place.
pub(super) fn replace(command: &OwnCommand) -> Result<(), Diagnostic> {
    match command.replace() {
        Ok(None) => Ok(()),
        Ok(Some(ending)) => Err(Diagnostic::ended(ending.exit_code())),
        Err(error) => Err(not_started(command.name().as_os_str(), &error)),
    }
}

fn script_failed(script: &Planned, ending: Ending) -> Diagnostic {
    let message = format!("The script `{}` {ending}", printable(&script.event));
    let mut diagnostic = Diagnostic::new(Class::User, message);
    diagnostic.program_exit_code = Some(ending.exit_code());
    diagnostic
}
