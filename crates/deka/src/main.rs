//! The `deka` command: arguments and environment in, one command run, an exit code out.
//!
//! Everything that a person sees is written here; the crates below return values and errors.
//! stdout gets the summary and data that other programs read, stderr everything else.

mod arguments;
mod commands;
mod debug_log;
mod diagnostic;
mod environment;
mod exit_code;
mod panic_hook;
mod render_error;
mod reporter;

use std::process::ExitCode;

use arguments::{Command, Parsed};
use diagnostic::Diagnostic;

fn main() -> ExitCode {
    panic_hook::install();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(diagnostic) => {
            render_error::print(&diagnostic);
            ExitCode::from(diagnostic.class.exit_code())
        }
    }
}

fn run() -> Result<(), Diagnostic> {
    let environment = environment::capture()?;
    environment::color_choice(&environment, None).write_global();
    let arguments = match arguments::parse(std::env::args_os())? {
        Parsed::Run(arguments) => arguments,
        Parsed::Print(text) => {
            commands::print(&text);
            return Ok(());
        }
    };
    let common = &arguments.common;
    environment::color_choice(&environment, common.color()).write_global();
    debug_log::start(&environment, common.verbose && !common.silent);
    let environment = match &common.cwd {
        Some(folder) => environment::within(&environment, commands::enter(&environment, folder)?),
        None => environment,
    };
    match &arguments.command {
        Command::Install(install) => {
            commands::install::run("install", install, common, &environment)
        }
        Command::Ci(install) => commands::install::run("ci", install, common, &environment),
        Command::Completions(completions) => {
            commands::completions::run(completions);
            Ok(())
        }
        Command::Help(help) => commands::help::run(help),
    }
}
