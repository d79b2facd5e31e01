//! Arguments that are described to the parser only if their command is used.
//!
//! An install has more than a hundred flags, and a dozen commands take them. To describe them all took longer than
//! to find out that there is nothing to install.

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, FromArgMatches, Id};

use super::{adding, asking};

/// The arguments of a command with many.
#[derive(Debug)]
pub(crate) struct Deferred<T>(T);

impl<T> std::ops::Deref for Deferred<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Deferred<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| describe(command, T::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| describe(command, T::augment_args_for_update))
    }
}

/// Adds the arguments to a command as if they had been there from the start.
fn describe(command: Command, augment: fn(Command) -> Command) -> Command {
    let (about, long_about) = (command.get_about().cloned(), command.get_long_about().cloned());
    let for_all: Vec<Id> =
        command.get_arguments().map(|argument| argument.get_id().clone()).collect();
    let command = styled(
        augment(command).about(Resettable::from(about)).long_about(Resettable::from(long_about)),
    );
    // What is looked at and left as it is goes to the end: the flags of all commands stand behind its own.
    for_all.into_iter().fold(command, |command, id| command.mut_arg(id, |argument| argument))
}

/// Has the help of a command show what matters to it.
fn styled(command: Command) -> Command {
    match command.get_name() {
        "add" => command.mut_args(shown(adding::SHOWN_FOR_ADD)),
        "remove" | "patch" | "patch-commit" => command.mut_args(shown(&["packages"])),
        "update" => command.mut_args(shown(adding::SHOWN_FOR_UPDATE)),
        "link" => command.mut_args(shown(adding::SHOWN_FOR_LINK)),
        "outdated" => {
            command.mut_args(only(asking::SHOWN_FOR_OUTDATED)).mut_arg("packages", |argument| {
                argument.help("Only these: names, or patterns such as '@types/*' and '!react'")
            })
        }
        "info" => command.mut_args(only(asking::SHOWN_FOR_INFO)).mut_arg("packages", |argument| {
            argument.help("A name, name@version or name@range; then the properties to show")
        }),
        "search" => command
            .mut_args(only(asking::SHOWN_FOR_SEARCH))
            .mut_arg("packages", |argument| argument.value_name("word").help("What to search for")),
        "audit" => command
            .mut_args(only(asking::SHOWN_FOR_AUDIT))
            .mut_arg("packages", |argument| {
                argument.value_name("fix").help("`fix` to take safe versions")
            })
            .mut_arg("audit_level", |argument| {
                argument.help("Only what is at least so bad: low, moderate, high or critical")
            }),
        "diff" => command.mut_args(only(asking::SHOWN_FOR_DIFF)).mut_arg("packages", |argument| {
            argument.help("One or two of name, name@version; then paths")
        }),
        _ => command,
    }
}

/// Shows some of the arguments that other commands hide.
fn shown(names: &'static [&'static str]) -> impl Fn(clap::Arg) -> clap::Arg {
    |argument| {
        let is_shown = names.contains(&argument.get_id().as_str());
        if is_shown { argument.hide(false) } else { argument }
    }
}

/// Hides all arguments but some, and those of all commands.
fn only(names: &'static [&'static str]) -> impl Fn(clap::Arg) -> clap::Arg {
    |argument| {
        let is_shown = names.contains(&argument.get_id().as_str());
        if argument.is_global_set() { argument } else { argument.hide(!is_shown) }
    }
}
