//! Says what is wrong with a command line in deka's own words.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::diagnostic::Diagnostic;

/// How alike two words must be for one to be offered in place of the other.
const ALIKE: f64 = 0.8;

/// Translates an error of clap.
pub(super) fn diagnostic(error: &clap::Error, command: &Command) -> Diagnostic {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    let (name, running) = running(error, command);
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            unknown_flag(argument, &name, running)
        }
        ErrorKind::UnknownArgument => {
            Diagnostic::usage(format!("`{name}` takes no argument `{argument}`"))
                .hint(format!("Run `{}` to see what it takes", help_of(&name)))
        }
        ErrorKind::InvalidSubcommand if !std::ptr::eq(running, command) => {
            let wanted = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            let diagnostic = Diagnostic::usage(format!("`{name}` has no command `{wanted}`"));
            match nearest(wanted, names_of(running)) {
                Some(near) => diagnostic.hint(format!("Did you mean `{name} {near}`?")),
                None => diagnostic.hint(format!("Run `{}` to see all commands", help_of(&name))),
            }
        }
        ErrorKind::InvalidSubcommand => {
            let wanted = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            unknown_command(wanted, &[], command)
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let what = if std::ptr::eq(running, command) {
                "No command was given".to_owned()
            } else {
                format!("`{name}` needs a command")
            };
            Diagnostic::usage(what).hint(format!("Run `{}` to see all commands", help_of(&name)))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            Diagnostic::usage(format!("`{}` needs a value", flag_of(argument)))
                .hint(format!("Write `{argument}`"))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let mut diagnostic =
                Diagnostic::usage(format!("Invalid value `{value}` for `{}`", flag_of(argument)));
            if let Some(source) = std::error::Error::source(error) {
                diagnostic.causes.push(source.to_string());
            }
            if let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue) {
                diagnostic = diagnostic.detail("valid", valid.join(", "));
                if let Some(near) = nearest(value, valid.iter().map(String::as_str)) {
                    diagnostic = diagnostic.hint(format!("Did you mean `{near}`?"));
                }
            }
            diagnostic
        }
        ErrorKind::TooManyValues => {
            let flag = flag_of(argument);
            Diagnostic::usage(format!("`{flag}` takes no value"))
                .hint(format!("Write `{flag}` alone"))
        }
        ErrorKind::ArgumentConflict => {
            let other = text(ContextKind::PriorArg).unwrap_or("another flag");
            Diagnostic::usage(format!(
                "`{}` cannot be used with `{}`",
                flag_of(argument),
                flag_of(other)
            ))
        }
        ErrorKind::MissingRequiredArgument => {
            Diagnostic::usage(format!("`{name}` needs `{argument}`"))
                .hint(format!("Run `{}` to see what it takes", help_of(&name)))
        }
        _ => {
            let rendered = error.render().to_string();
            let first = rendered.lines().next().unwrap_or_default();
            Diagnostic::usage(first.strip_prefix("error: ").unwrap_or(first))
        }
    }
}

fn unknown_flag(flag: &str, name: &str, running: &Command) -> Diagnostic {
    let diagnostic = Diagnostic::usage(format!("`{name}` has no flag `{flag}`"));
    let bare = flag.split('=').next().unwrap_or(flag);
    match nearest_flag(bare, running) {
        Some(near) => diagnostic.hint(format!("Did you mean `{near}`?")),
        None => diagnostic.hint(format!("Run `{}` to see all flags", help_of(name))),
    }
}

/// Says that there is no such command, nor one of the `scripts` of the project.
pub(super) fn unknown_command(wanted: &str, scripts: &[&str], command: &Command) -> Diagnostic {
    let names = names_of(command).chain(scripts.iter().copied());
    let diagnostic = Diagnostic::usage(format!("deka has no command `{wanted}`"));
    if NOT_YET.contains(&wanted) {
        return diagnostic.detail("planned", format!("`deka {wanted}` is not there yet"))
            .hint("Edit package.json and run `deka install`, or use Bun beside deka: both keep bun.lock alike");
    }
    match nearest(wanted, names) {
        Some(near) => diagnostic.hint(format!("Did you mean `deka {near}`?")),
        None => diagnostic.hint("Run `deka help` to see all commands"),
    }
}

/// Commands that people will try because other package managers have them.
const NOT_YET: [&str; 1] = ["publish"];

/// Returns what the commands of a command are called.
fn names_of(command: &Command) -> impl Iterator<Item = &str> {
    command.get_subcommands().filter(|command| !command.is_hide_set()).flat_map(|command| {
        std::iter::once(command.get_name()).chain(command.get_visible_aliases())
    })
}

/// Returns the command that was being read and what it is called, as in `deka pm cache`: clap tells it by its
/// usage line alone.
fn running<'c>(error: &clap::Error, command: &'c Command) -> (String, &'c Command) {
    let usage = if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        usage.to_string()
    } else {
        // Where a command is missing, the help is the error.
        let help = error.render().to_string();
        let line = help.lines().find(|line| line.starts_with("Usage:"));
        line.unwrap_or_default().to_owned()
    };
    let mut running = (command.get_name().to_owned(), command);
    let words = usage.split_whitespace().skip_while(|word| *word != command.get_name());
    for word in words.skip(1) {
        let Some(inner) = running.1.find_subcommand(word) else { break };
        running = (format!("{} {word}", running.0), inner);
    }
    running
}

/// Returns the line that shows the help of a command. `deka help` takes one name.
fn help_of(name: &str) -> String {
    match name.split_once(' ') {
        None => "deka help".to_owned(),
        Some((_, command)) if !command.contains(' ') => format!("deka help {command}"),
        Some(_) => format!("{name} --help"),
    }
}

/// Takes the names of values off: `--omit <group>` is shown as `--omit`.
fn flag_of(argument: &str) -> &str {
    argument.split([' ', '=', '[']).next().unwrap_or(argument)
}

fn nearest_flag(wanted: &str, command: &Command) -> Option<String> {
    let word = wanted.trim_start_matches('-');
    if wanted.starts_with("--") {
        let flags: Vec<&str> = command.get_arguments().flat_map(names).collect();
        return nearest(word, flags.into_iter()).map(|near| format!("--{near}"));
    }
    // A long flag with one dash: `-frozen-lockfile`.
    let is_long = command.get_arguments().flat_map(names).any(|name| name == word);
    is_long.then(|| format!("--{word}"))
}

/// Returns the long names of a flag. Hidden ones work, but are not worth a hint.
fn names(argument: &Arg) -> Vec<&str> {
    if argument.is_hide_set() { Vec::new() } else { argument.get_long().into_iter().collect() }
}

/// Returns the most similar of some words, if any is similar.
pub(crate) fn nearest<'w>(wanted: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    words
        .map(|word| {
            let similarity = strsim::jaro_winkler(wanted, word);
            // `--frozen` for `--frozen-lockfile`.
            let is_part = wanted.len() >= 4 && word.split('-').any(|part| part == wanted);
            (word, if is_part { similarity.max(ALIKE) } else { similarity })
        })
        .filter(|(_, similarity)| *similarity >= ALIKE)
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn similar_words() {
        let words = ["frozen-lockfile", "lockfile-only", "offline", "omit", "production"];
        let check = |wanted, expected| {
            assert_eq!(nearest(wanted, words.into_iter()), expected, "{wanted}");
        };
        check("frozen-lockfil", Some("frozen-lockfile"));
        check("frozen", Some("frozen-lockfile"));
        check("lockfile-olny", Some("lockfile-only"));
        check("ofline", Some("offline"));
        check("prodution", Some("production"));
        check("foo-bar", None);
        check("zzz", None);
    }
}
