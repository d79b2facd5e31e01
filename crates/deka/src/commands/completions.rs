//! `deka completions <shell>`.

use clap::CommandFactory as _;

use crate::arguments::{Arguments, CompletionsArguments};
use crate::diagnostic::Diagnostic;

/// Prints the script that teaches a shell deka's commands and flags.
pub(crate) fn run(arguments: &CompletionsArguments) -> Result<(), Diagnostic> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "deka", &mut script);
    super::print(&String::from_utf8_lossy(&script));
    Ok(())
}
