//! Paragraphs of help, which are as wide as the terminal has room for.

use clap::Command;

/// Lets the texts below the options of a command, and of all below it, flow.
pub(super) fn flowing(command: Command) -> Command {
    let text = command.get_after_help().map(|text| joined(&text.to_string()));
    let command = match text {
        Some(text) => command.after_help(text),
        None => command,
    };
    command.mut_subcommands(flowing)
}

/// Makes one line of each paragraph; examples, which are indented, keep theirs.
fn joined(text: &str) -> String {
    let mut joined = String::new();
    let mut is_open = false;
    for line in text.lines() {
        let is_prose = !line.is_empty() && !line.starts_with(' ');
        if !joined.is_empty() {
            joined.push(if is_open && is_prose { ' ' } else { '\n' });
        }
        joined.push_str(line);
        is_open = is_prose;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn paragraphs_are_lines() {
        let text = "Examples:\n  deka a   One\n  deka b   Two\n\nOne that is\nlong. It\ngoes on.\n\nAnother.";
        let expected = "Examples:\n  deka a   One\n  deka b   Two\n\nOne that is long. It goes on.\n\nAnother.";
        assert_eq!(joined(text), expected);
    }
}
