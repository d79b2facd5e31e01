//! `deka completions <shell>`.

use clap::{Arg, Command, CommandFactory as _};

use crate::arguments::{Arguments, CompletionsArguments};

/// Prints the script that teaches a shell deka's commands and flags.
pub(crate) fn run(arguments: &CompletionsArguments) {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut visible(Arguments::command()),
        "deka",
        &mut script,
    );
    super::print(&String::from_utf8_lossy(&script));
}

/// Returns the command without what its help does not show. Shells would offer it otherwise, and a
/// hundred flags of other package managers are no help to anybody.
fn visible(mut command: Command) -> Command {
    // Flags that all commands have are added to each only by this.
    command.build();
    copy(&command)
}

fn copy(command: &Command) -> Command {
    let mut shown = Command::new(command.get_name().to_owned())
        .visible_aliases(command.get_visible_aliases().map(ToOwned::to_owned).collect::<Vec<_>>())
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true);
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        shown = shown.version(version.to_owned());
    }
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    shown.args(arguments.map(copy_argument)).subcommands(command.get_subcommands().map(copy))
}

/// Returns what a shell wants to know of an argument. How it gets along with hidden ones is left
/// out, as they are.
fn copy_argument(argument: &Arg) -> Arg {
    let mut shown = Arg::new(argument.get_id().to_string()).action(argument.get_action().clone());
    if let Some(short) = argument.get_short() {
        shown = shown.short(short);
    }
    if let Some(long) = argument.get_long() {
        shown = shown.long(long.to_owned());
    }
    if let Some(help) = argument.get_help() {
        shown = shown.help(help.clone());
    }
    if argument.get_action().takes_values() {
        shown = shown
            .value_parser(argument.get_value_parser().clone())
            .value_hint(argument.get_value_hint())
            .required(argument.is_required_set());
        if let Some(names) = argument.get_value_names() {
            shown = shown.value_names(names.to_vec());
        }
    }
    shown
}
