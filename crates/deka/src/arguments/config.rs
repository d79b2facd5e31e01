//! Arguments of `deka config`.

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `deka config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What can be done with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print values
    #[command(after_help = GET_HELP)]
    Get(ConfigGetArguments),

    /// Write values into an .npmrc
    #[command(after_help = SET_HELP)]
    Set(ConfigSetArguments),

    /// Print all settings, and where each comes from
    #[command(visible_alias = "ls", after_help = LIST_HELP)]
    List(ConfigListArguments),

    /// Take settings out of an .npmrc
    #[command(visible_alias = "rm", alias = "del", after_help = DELETE_HELP)]
    Delete(ConfigDeleteArguments),
}

const GET_HELP: &str = "\
Examples:
  deka config get registry
  deka config get registry --show-origin    And where it comes from
  deka config get --json                    All, for programs";

const SET_HELP: &str = "\
Examples:
  deka config set registry=https://registry.example/    In ~/.npmrc
  deka config set save-exact true --location project    In the .npmrc beside package.json";

const LIST_HELP: &str = "\
Examples:
  deka config list
  deka config list --json    For programs";

const DELETE_HELP: &str = "\
Examples:
  deka config delete save-exact
  deka config delete save-exact --location project    From the .npmrc beside package.json";

/// Arguments of `deka config get`.
#[derive(Debug, Args)]
pub(crate) struct ConfigGetArguments {
    /// The settings; without any, all
    #[arg(value_name = "name")]
    pub(crate) names: Vec<String>,

    /// Print where the value comes from, too
    #[arg(long)]
    pub(crate) show_origin: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `deka config list`.
#[derive(Debug, Args)]
pub(crate) struct ConfigListArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    // Of npm; defaults are shown anyway.
    #[arg(long, short, hide = true)]
    long: bool,
}

/// Arguments of `deka config set`.
#[derive(Debug, Args)]
pub(crate) struct ConfigSetArguments {
    /// `name=value`, several of them, or a name and a value
    #[arg(value_name = "name=value", required = true)]
    pub(crate) settings: Vec<String>,

    /// Whose .npmrc
    #[arg(short = 'L', long, value_name = "whose", default_value = "user")]
    pub(crate) location: Location,
}

/// Arguments of `deka config delete`.
#[derive(Debug, Args)]
pub(crate) struct ConfigDeleteArguments {
    /// The settings
    #[arg(value_name = "name", required = true)]
    pub(crate) names: Vec<String>,

    /// Whose .npmrc
    #[arg(short = 'L', long, value_name = "whose", default_value = "user")]
    pub(crate) location: Location,
}

/// Whose `.npmrc` is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Location {
    /// The user's: ~/.npmrc
    User,
    /// The project's, beside package.json
    Project,
    /// That of the whole machine, where npm has one
    Global,
}

pub(super) const AFTER_HELP: &str = "\
Examples:
  deka config list                                      All settings, and where each comes from
  deka config get registry
  deka config get registry --show-origin
  deka config set registry=https://registry.example/    In ~/.npmrc
  deka config set save-exact true --location project    In the .npmrc beside package.json
  deka config delete save-exact --location project

Everything else in the file stays as it is, byte for byte. Tokens, passwords and keys are never shown.";
