//! `deka exec`: a command with those of the dependencies in `PATH`.

use deka_config::{Config, Environment};
use deka_scripts::own::OwnCommand;
use deka_scripts::{Caller, Node, NpmCommand};

use super::{is_nowhere, runner};
use crate::arguments::{CommonArguments, ExecArguments};
use crate::commands::install;
use crate::diagnostic::Diagnostic;

/// Runs a command in deka's place, where the user is.
pub(crate) fn exec(
    arguments: &ExecArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let overrides = runner::overrides(common, None)?;
    let folder = environment.working_folder();
    let node = Node::locate(environment.get("PATH").unwrap_or_default());
    let (config, variables) = match deka_install::find_package(folder) {
        Ok(_) => {
            let runner = runner::Runner::in_package(environment, &overrides)?;
            runner.refresh(common)?;
            let caller = runner.caller(NpmCommand::Exec);
            (runner.config.clone(), caller.variables_in_package(&runner.own.package))
        }
        Err(error) if is_nowhere(&error) => {
            let config = Config::load(environment, &overrides, folder)?;
            let program = install::own_program()?;
            let command = NpmCommand::Exec;
            let caller =
                Caller::new(environment, &program, folder, &config, command, node.as_ref());
            let variables = caller.variables(folder);
            (config, variables)
        }
        Err(error) => return Err(error.into()),
    };
    let line = match (&arguments.call, &*arguments.command) {
        (Some(line), _) => line,
        (None, [line]) => line,
        (None, [program, rest @ ..]) => {
            let command = OwnCommand::program(program.into(), rest.to_vec(), folder, variables);
            return runner::replace(&command);
        }
        (None, []) => return Ok(()),
    };
    let shell = deka_scripts::shell(&config);
    runner::replace(&OwnCommand::line(&shell, line, folder, variables))
}
