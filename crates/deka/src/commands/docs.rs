//! `deka generate-docs`, which `cargo xtask docs` calls: a Markdown page and a man page for each command,
//! made of what `--help` shows.
//!
//! ```text
//! docs/commands/README.md       all commands, and the options that each of them has
//! docs/commands/deka-add.md     one of them
//! docs/man/deka-add.1
//! docs/exit-codes.md
//! ```

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command};
use deka_fs::{Durability, atomic_write};

use crate::arguments::{Arguments, DocsArguments};
use crate::diagnostic::Diagnostic;
use crate::exit_code::{self, Class};

/// What each page begins with.
const GENERATED: &str = "<!-- Made by `cargo xtask docs` of what `--help` shows. -->\n\n";

/// The heading of what has no name; it comes first.
const ARGUMENTS: &str = "Arguments";

/// Writes all pages below a folder, and removes those of commands that are gone.
pub(crate) fn run(arguments: &DocsArguments) -> Result<(), Diagnostic> {
    let folder = &arguments.folder;
    let failed = |error: &dyn std::error::Error| Diagnostic::from_error(Class::User, error);
    for name in ["commands", "man"] {
        let folder = folder.join(name);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(&error));
            }
            _ => std::fs::create_dir_all(&folder).map_err(|error| failed(&error))?,
        }
    }
    let write = |path: &str, text: &[u8]| {
        let path: &Path = &folder.join(path);
        atomic_write(path, text, Durability::None).map_err(|error| failed(&error))
    };
    let mut root = Arguments::command();
    root.build();
    let mut pages = Vec::new();
    collect(&root, "deka", &mut pages);
    for (name, command) in &pages {
        let file = name.replace(' ', "-");
        let man =
            clap_mangen::Man::new((*command).clone().name(file.clone()).bin_name(name.clone()));
        let mut text = Vec::new();
        man.render(&mut text).map_err(|error| failed(&error))?;
        write(&format!("man/{file}.1"), &text)?;
        if *name != "deka" {
            write(&format!("commands/{file}.md"), page(name, command).as_bytes())?;
        }
    }
    write("commands/README.md", index(&root, &pages).as_bytes())?;
    write("exit-codes.md", exit_codes().as_bytes())
}

/// Collects a command and all below it that help shows, with their full names.
fn collect<'c>(command: &'c Command, name: &str, pages: &mut Vec<(String, &'c Command)>) {
    pages.push((name.to_owned(), command));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        collect(inner, &format!("{name} {}", inner.get_name()), pages);
    }
}

fn index(root: &Command, pages: &[(String, &Command)]) -> String {
    let mut text = format!("{GENERATED}# Commands of deka\n\n| | |\n|---|---|\n");
    for (name, command) in pages.iter().filter(|(name, _)| name != "deka") {
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "| [`{name}`]({}.md) | {} |", name.replace(' ', "-"), about(command));
    }
    text.push_str("\n## Options of every command\n\n");
    let is_general = |argument: &&Arg| argument.is_global_set() && !argument.is_hide_set();
    for argument in root.get_arguments().filter(is_general) {
        option(&mut text, argument);
    }
    text.push_str("\nWhat each exit code means is in [exit-codes.md](../exit-codes.md).\n");
    text
}

fn page(name: &str, command: &Command) -> String {
    let mut text = format!("{GENERATED}# {name}\n\n{}.\n\n", about(command));
    let usage = command.clone().bin_name(name).render_usage().to_string();
    let _ = writeln!(text, "```sh\n{}\n```", usage.trim_start_matches("Usage:").trim());
    let aliases: Vec<String> =
        command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        let _ = writeln!(text, "\nAlso: {}", aliases.join(", "));
    }
    let shown = |argument: &&Arg| !argument.is_hide_set() && !argument.is_global_set();
    let mut headings: Vec<String> = Vec::new();
    for argument in command.get_arguments().filter(shown) {
        let heading = heading(argument);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings.sort_by_key(|heading| heading != ARGUMENTS);
    for title in headings {
        let _ = write!(text, "\n## {title}\n\n");
        for argument in command.get_arguments().filter(shown) {
            if heading(argument) == title {
                option(&mut text, argument);
            }
        }
    }
    let inner: Vec<&Command> =
        command.get_subcommands().filter(|inner| !inner.is_hide_set()).collect();
    if !inner.is_empty() {
        text.push_str("\n## Commands\n\n");
    }
    for inner in inner {
        let full = format!("{name} {}", inner.get_name());
        let _ = writeln!(text, "- [`{full}`]({}.md): {}", full.replace(' ', "-"), about(inner));
    }
    if let Some(more) = command.get_after_help() {
        after_help(&mut text, &more.to_string());
    }
    text.push_str(
        "\nSee also the [options of every command](README.md#options-of-every-command).\n",
    );
    text
}

/// Returns the heading that an argument stands below.
fn heading(argument: &Arg) -> String {
    match argument.get_help_heading() {
        _ if argument.is_positional() => ARGUMENTS.to_owned(),
        Some(heading) => heading.to_owned(),
        None => "Options".to_owned(),
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Writes an argument as an element of a list.
fn option(text: &mut String, argument: &Arg) {
    let values: Vec<String> = match argument.get_value_names() {
        Some(names) if argument.get_action().takes_values() => {
            names.iter().map(|name| format!("<{name}>")).collect()
        }
        _ => Vec::new(),
    };
    let mut names = Vec::new();
    names.extend(argument.get_short().map(|short| format!("-{short}")));
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let value = values.join(" ");
    let name = match names.pop() {
        None => value,
        Some(last) => {
            let equals = if argument.is_require_equals_set() { "=" } else { " " };
            names.push(if value.is_empty() { last } else { format!("{last}{equals}{value}") });
            names.join("`, `")
        }
    };
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "- `{name}`: {}", escaped(&help));
}

/// Lets no `<name>` outside of code be taken for a tag.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(
        |(at, part)| {
            if at % 2 == 0 { part.replace('<', "\\<") } else { part.to_owned() }
        },
    );
    parts.collect::<Vec<_>>().join("`")
}

/// Writes what stands below the options: examples as code, the rest as text.
fn after_help(text: &mut String, more: &str) {
    let mut is_code = false;
    text.push('\n');
    for line in more.lines() {
        let is_example = line.starts_with("  ");
        if is_example != is_code {
            text.push_str(if is_example { "```sh\n" } else { "```\n" });
            is_code = is_example;
        }
        if line == "Examples:" {
            text.push_str("## Examples\n\n");
        } else {
            match line.strip_prefix("  ") {
                Some(example) => text.extend([example, "\n"]),
                None => text.extend([&*escaped(line), "\n"]),
            }
        }
    }
    if is_code {
        text.push_str("```\n");
    }
}

fn exit_codes() -> String {
    let mut text = format!(
        "{GENERATED}# Exit codes\n\nA code never changes its meaning.\n\n| code | meaning |\n|---|---|\n"
    );
    for (code, meaning) in exit_code::TABLE {
        let _ = writeln!(text, "| {code} | {} |", meaning.join(" "));
    }
    let _ = writeln!(text, "\n{}", exit_code::OF_OTHERS.join("\n"));
    text
}
