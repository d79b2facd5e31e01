//! Writes a [`Diagnostic`] for people.

use std::fmt::Write as _;
use std::io::Write as _;

use owo_colors::OwoColorize as _;

use crate::diagnostic::Diagnostic;

/// Prints to stderr. Without a message there is nothing to say.
pub(crate) fn print(diagnostic: &Diagnostic) {
    if diagnostic.message.is_empty() {
        return;
    }
    let text = render(diagnostic);
    // Nobody is left to tell when stderr is closed.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Prints a warning to stderr.
pub(crate) fn print_warning(text: &str) {
    let line = format!("{} {}\n", "warn:".yellow().bold(), printable(text));
    let _ = anstream::stderr().write_all(line.as_bytes());
}

/// Prints lines to stderr that are neither a warning nor an error.
pub(crate) fn print_note(lines: &str) {
    let _ = anstream::stderr().write_all(lines.as_bytes());
}

/// Prints to stderr the command of a script that is about to run.
pub(crate) fn print_command(command: &str) {
    let line = format!("{} {}\n", "$".dimmed(), printable(command).bold());
    let _ = anstream::stderr().write_all(line.as_bytes());
}

/// Prints to stderr that the lockfile of another package manager was read.
pub(crate) fn print_migrated(file: &str, time: std::time::Duration, moved: &[String]) {
    let time = crate::commands::install::text::elapsed(time);
    let mut line = format!("[{}] migrated lockfile from {}\n", time.bold(), file.green());
    line.extend(moved.iter().flat_map(|moved| [printable(moved), "\n".into()]));
    let _ = anstream::stderr().write_all(line.as_bytes());
}

/// Prints to stderr a line that a script of `package` wrote.
pub(crate) fn print_script(package: &str, text: &str) {
    let line =
        format!("{} {}\n", format_args!("{}:", printable(package)).dimmed(), printable(text));
    let _ = anstream::stderr().write_all(line.as_bytes());
}

/// Returns the lines, with colours that the stream takes out where they are not wanted.
fn render(diagnostic: &Diagnostic) -> String {
    let mut output = String::new();
    // Writing to a string does not fail.
    let _ = write!(output, "{} {}", "error:".red().bold(), indented(&diagnostic.message, 2));
    if let Some(code) = diagnostic.code {
        let _ = write!(output, " {}", format_args!("({code})").dimmed());
    }
    output.push('\n');
    for (label, text) in &diagnostic.details {
        let _ = writeln!(output, "  {label}: {}", indented(text, label.len() + 4));
    }
    for cause in &diagnostic.causes {
        let _ = writeln!(output, "  Caused by: {}", indented(cause, 4));
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(output, "\n{} {}", "hint:".cyan().bold(), indented(hint, 6));
    }
    output
}

/// Makes a text safe for a terminal and moves its further lines to the right.
fn indented(text: &str, columns: usize) -> String {
    printable(text.trim_end()).replace('\n', &format!("\n{:columns$}", ""))
}

/// Takes out what a registry or a file name could steer a terminal with, or show text in another order by
/// than it is in.
pub(crate) fn printable(text: &str) -> String {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_bad = |c: char| c.is_control() && c != '\n' && c != '\t' || turns(c);
    text.chars().map(|c| if is_bad(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::diagnostic::Diagnostic;
    use crate::exit_code::Class;

    fn check(diagnostic: &Diagnostic, expected: &str) {
        let text = anstream::adapter::strip_str(&render(diagnostic)).to_string();
        assert_eq!(text, expected);
    }

    #[test]
    fn message_details_and_hint() {
        let diagnostic = Diagnostic::new(Class::User, "No version of `left-pad` matches `^9.0.0`")
            .code("ETARGET")
            .detail("required by", "web@1.0.0 > ui-kit@2.1.0")
            .detail("available", "1.3.0 (latest), 1.2.0")
            .hint("To use another version, add `left-pad` to `overrides`");
        check(
            &diagnostic,
            "error: No version of `left-pad` matches `^9.0.0` (ETARGET)\n  \
             required by: web@1.0.0 > ui-kit@2.1.0\n  \
             available: 1.3.0 (latest), 1.2.0\n\n\
             hint: To use another version, add `left-pad` to `overrides`\n",
        );
    }

    #[test]
    fn causes_down_to_the_root() {
        let mut diagnostic = Diagnostic::new(Class::User, "Failed to read `package.json`");
        diagnostic.causes = vec!["expected `,`\nat line 12".to_owned(), "the root".to_owned()];
        check(
            &diagnostic,
            "error: Failed to read `package.json`\n  Caused by: expected `,`\n    at line 12\n  \
             Caused by: the root\n",
        );
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        let diagnostic = Diagnostic::new(Class::User, "bad \u{1b}[2J\u{7}name");
        check(&diagnostic, "error: bad \u{fffd}[2J\u{fffd}name\n");
    }
}
