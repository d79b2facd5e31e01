//! `deka help [topic]`.

use std::fmt::Write as _;

use crate::arguments::{self, HelpArguments};
use crate::diagnostic::Diagnostic;
use crate::exit_code;

/// Prints the help of deka, of a command, or of a topic.
pub(crate) fn run(arguments: &HelpArguments) -> Result<(), Diagnostic> {
    let text = match arguments.topic.as_deref() {
        None => arguments::help(None)?,
        Some("exit-codes" | "exit-code" | "exitcodes") => exit_codes(),
        Some(command) => arguments::help(Some(command))?,
    };
    super::print(&text);
    Ok(())
}

fn exit_codes() -> String {
    let mut text = "Exit codes of deka. A code never changes its meaning.\n\n".to_owned();
    for (code, meaning) in exit_code::TABLE {
        for (number, line) in meaning.iter().enumerate() {
            let code = if number == 0 { code.to_string() } else { String::new() };
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {code:>2}  {line}");
        }
    }
    let _ = writeln!(text, "\n{}", exit_code::OF_OTHERS.join("\n"));
    text
}
