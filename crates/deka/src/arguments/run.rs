//! Arguments of what runs scripts and commands: `run`, `test`, `start`, `stop`, `restart`, `exec`.

use std::ffi::OsString;

use clap::Args;

pub(super) const AFTER_HELP_RUN: &str = "\
A script runs in the folder of its package.json, with the commands of its dependencies in PATH, after the
script with `pre` before its name and before the one with `post`. What follows the name goes to the script
as it is. Without a script of that name, a command of a dependency is run; without a name, scripts are
listed.

If node_modules was made by deka and is out of date, it is brought up to date before.

Examples:
  deka run                                Which scripts there are
  deka run build                          Run one; `deka build` does the same
  deka run test -- --watch                Give it arguments; `--` may be left out
  deka run --if-present lint              No error if there is no such script
  deka run --filter 'web...' build        In members of the workspaces, what they depend on first
  deka run --workspaces test              In all members; each must have it, unless --if-present
  deka run --parallel dev:api dev:web     Several at once, until one fails
  deka run --sequential lint test build   One after the other
  deka run --silent version               Without a line that shows the command

The exit code is the script's; 128 and the number of the signal if one ended it.";

pub(super) const AFTER_HELP_TEST: &str = "\
Examples:
  deka test                               Run the script `test`
  deka test -- --watch                    With arguments";

pub(super) const AFTER_HELP_START: &str = "\
Without such a script, `node server.js` is run if there is that file.

Examples:
  deka start                              Run the script `start`
  deka start --port 8080                  With arguments";

pub(super) const AFTER_HELP_STOP: &str = "\
Examples:
  deka stop                               Run the script `stop`";

pub(super) const AFTER_HELP_RESTART: &str = "\
Without such a script, `stop` is run, if there is one, and then `start`.

Examples:
  deka restart                            Run the script `restart`";

pub(super) const AFTER_HELP_EXEC: &str = "\
One word by itself is a line for the shell; more are a program and its arguments, as they are.

Examples:
  deka exec tsc --noEmit                  A command of a dependency
  deka exec 'eslint . | tee report.txt'   A line for the shell
  deka exec -c 'echo $PATH'               The same, as npm has it

The exit code is the command's; 127 if there is no such command.";

/// Arguments of `deka run`.
#[derive(Debug, Default, Args)]
pub(crate) struct RunArguments {
    /// The script, and what it is given; with --parallel and --sequential, several scripts
    #[arg(value_name = "script", trailing_var_arg = true)]
    pub(crate) script: Vec<OsString>,

    /// Do nothing if there is no such script
    #[arg(long)]
    pub(crate) if_present: bool,

    /// Run it in these members of the workspaces: a name, ./folder, {folder}, web..., ...web, !web
    #[arg(
        short = 'F',
        long,
        value_name = "filter",
        help_heading = "Several",
        aliases = ["workspace"],
        short_alias = 'w'
    )]
    pub(crate) filter: Vec<String>,

    /// Run it in all members of the workspaces
    #[arg(long, help_heading = "Several")]
    pub(crate) workspaces: bool,

    /// Run it in all members that have it, as pnpm has it
    #[arg(short, long, hide = true)]
    pub(crate) recursive: bool,

    /// Run several scripts at once
    #[arg(long, help_heading = "Several", conflicts_with = "sequential")]
    pub(crate) parallel: bool,

    /// Run several scripts one after the other
    #[arg(long, help_heading = "Several")]
    pub(crate) sequential: bool,

    /// Let the others go on when one fails
    #[arg(long, help_heading = "Several", alias = "no-bail", conflicts_with = "bail")]
    pub(crate) no_exit_on_error: bool,

    /// End the others when one fails
    #[arg(long, help_heading = "Several")]
    pub(crate) bail: bool,

    // No doc comment, which would want marks around the name.
    #[arg(long, help = "Do not look whether node_modules is out of date")]
    pub(crate) no_install: bool,

    /// Run scripts by this shell
    #[arg(long, value_name = "program", alias = "script-shell")]
    pub(crate) shell: Option<String>,

    /// With no script: list them as JSON
    #[arg(long)]
    pub(crate) json: bool,

    // What Bun has and what says nothing here.
    #[arg(short, long, hide = true)]
    bun: bool,
    #[arg(long, hide = true, value_name = "lines")]
    elide_lines: Option<String>,
}

/// Arguments of commands that run one script.
#[derive(Debug, Args)]
pub(crate) struct ScriptArguments {
    /// What the script is given
    #[arg(value_name = "argument", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}

/// Arguments of `deka exec`.
#[derive(Debug, Args)]
pub(crate) struct ExecArguments {
    /// The command, and what it is given
    #[arg(value_name = "command", trailing_var_arg = true, required_unless_present = "call")]
    pub(crate) command: Vec<OsString>,

    // `-c` becomes this before anything is parsed, because elsewhere it has another meaning.
    #[arg(
        long,
        value_name = "line",
        alias = "shell-mode",
        conflicts_with = "command",
        help = "Run this line by the shell; also -c"
    )]
    pub(crate) call: Option<OsString>,
}
