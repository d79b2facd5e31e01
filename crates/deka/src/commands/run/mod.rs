//! `deka run` and what is short for it: scripts of `package.json`, and commands of dependencies.
//!
//! What comes last takes deka's place, so that signals and the exit code are its own.

mod exec;
mod list;
mod runner;
mod several;
mod x;

use std::ffi::{OsStr, OsString};

use deka_config::Environment;
use deka_install::InstallError;

use crate::arguments::{CommonArguments, RunArguments, ScriptArguments, nearest, unknown_command};
use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::render_error::printable;
use runner::{Planned, Runner};

pub(crate) use exec::exec;
pub(crate) use x::{create, create_from, x};

/// Runs a script or several, or lists them.
pub(crate) fn run(
    arguments: &RunArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let overrides = runner::overrides(common, arguments.shell.as_deref())?;
    let is_for_members =
        !arguments.filter.is_empty() || arguments.workspaces || arguments.recursive;
    let Some((name, rest)) = name_and_rest(&arguments.script) else {
        if is_for_members || arguments.parallel || arguments.sequential {
            return Err(Diagnostic::usage("`deka run` needs the name of a script")
                .hint("Run `deka run` to see which there are"));
        }
        let runner = Runner::in_package(environment, &overrides)?;
        list::print(&runner.own, arguments.json);
        return Ok(());
    };
    let runner = match Runner::in_package(environment, &overrides) {
        Err(_)
            if arguments.if_present
                && deka_install::find_package(environment.working_folder()).is_err() =>
        {
            return Ok(());
        }
        found => found?,
    };
    if !arguments.no_install {
        runner.refresh(common)?;
    }
    if is_for_members || arguments.parallel || arguments.sequential {
        return several::run(arguments, &runner);
    }
    let name = name.to_string_lossy();
    if let Some(planned) = runner.script(&name, rest) {
        return runner.run(&planned);
    }
    if let Some(program) = runner.command(&name) {
        return runner.replace(program, rest);
    }
    if arguments.if_present { Ok(()) } else { Err(no_script(&name, &runner)) }
}

/// Runs a script or a command of a dependency whose name is no command of deka.
pub(crate) fn other(
    words: &[OsString],
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let Some((name, rest)) = name_and_rest(words) else { return Ok(()) };
    let name = name.to_string_lossy();
    let overrides = runner::overrides(common, None)?;
    // Whatever is wrong with the project, it is not what was asked about.
    let Ok(runner) = Runner::in_package(environment, &overrides) else {
        return Err(unknown_command(&name, &[]));
    };
    let planned = runner.script(&name, rest);
    let program = runner.command(&name).filter(|_| planned.is_none());
    if planned.is_some() || program.is_some() {
        runner.refresh(common)?;
    }
    match (planned, program) {
        (Some(planned), _) => runner.run(&planned),
        (None, Some(program)) => runner.replace(program, rest),
        (None, None) => {
            let scripts: Vec<&str> = runner.own.scripts().collect();
            Err(unknown_command(&name, &scripts))
        }
    }
}

/// Runs the script `test` or `stop`.
pub(crate) fn named(
    name: &str,
    arguments: &ScriptArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let runner = ready(common, environment)?;
    let planned = runner.script(name, &arguments.arguments);
    runner.run(&planned.ok_or_else(|| no_script(name, &runner))?)
}

/// Runs the script `start`, or the server that is in its place.
pub(crate) fn start(
    arguments: &ScriptArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let runner = ready(common, environment)?;
    let planned = planned_start(&runner, &arguments.arguments);
    runner.run(&planned.ok_or_else(|| no_script("start", &runner))?)
}

/// Runs the script `restart`, or `stop` and `start`.
pub(crate) fn restart(
    arguments: &ScriptArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let runner = ready(common, environment)?;
    if let Some(planned) = runner.script("restart", &arguments.arguments) {
        return runner.run(&planned);
    }
    let start = planned_start(&runner, &arguments.arguments);
    let start = start.ok_or_else(|| no_script("start", &runner))?;
    let mut planned = runner.script("stop", &[]).unwrap_or_default();
    planned.extend(start);
    runner.run(&planned)
}

/// Splits words into a name and what that is given. `--` between them says only that.
fn name_and_rest(words: &[OsString]) -> Option<(&OsString, &[OsString])> {
    let (name, rest) = words.split_first()?;
    match rest.split_first() {
        Some((first, rest)) if first == "--" => Some((name, rest)),
        _ => Some((name, rest)),
    }
}

fn ready<'e>(
    common: &CommonArguments,
    environment: &'e Environment,
) -> Result<Runner<'e>, Diagnostic> {
    let runner = Runner::in_package(environment, &runner::overrides(common, None)?)?;
    runner.refresh(common)?;
    Ok(runner)
}

/// npm starts a server that is called so.
fn planned_start(runner: &Runner<'_>, arguments: &[OsString]) -> Option<Vec<Planned>> {
    let has_server = || runner.own.package.folder.join("server.js").is_file();
    runner
        .script("start", arguments)
        .or_else(|| has_server().then(|| runner.line("start", "node server.js", arguments)))
}

/// Says that the package has no such script.
fn no_script(name: &str, runner: &Runner<'_>) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Class::User, format!("There is no script `{}`", printable(name)))
            .detail("in", runner.own.package.folder.join("package.json").display().to_string());
    match nearest(name, runner.own.scripts()) {
        Some(near) => diagnostic.hint(format!("Did you mean `deka run {near}`?")),
        None => diagnostic.hint("Run `deka run` to see which scripts there are"),
    }
}

/// Says that something could not be started.
fn not_started(program: &OsStr, error: &std::io::Error) -> Diagnostic {
    /// What shells say of a command that is not there, or can't be started.
    const CODES: (u8, u8) = (127, 126);
    let is_missing = error.kind() == std::io::ErrorKind::NotFound;
    let program = program.to_string_lossy();
    let message = format!("Failed to start `{}`", printable(&program));
    let mut diagnostic = Diagnostic::new(Class::User, message);
    diagnostic.causes.push(error.to_string());
    diagnostic.program_exit_code = Some(if is_missing { CODES.0 } else { CODES.1 });
    diagnostic
}

/// Whether there is no package to run anything in.
fn is_nowhere(error: &InstallError) -> bool {
    matches!(error, InstallError::NoManifest { .. })
}
