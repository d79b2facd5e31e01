//! Arguments of `deka pm`.

use clap::{Args, Subcommand};

use super::{LicensesArguments, LsArguments, WhyArguments};

/// Arguments of `deka pm`.
#[derive(Debug, Args)]
pub(crate) struct PmArguments {
    #[command(subcommand)]
    pub(crate) command: PmCommand,
}

/// What `deka pm` can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum PmCommand {
    /// List what is installed; the same as `deka list`
    #[command(visible_alias = "list", after_help = super::list::AFTER_HELP)]
    Ls(Box<LsArguments>),

    /// List the licenses of installed packages; the same as `deka licenses`
    #[command(after_help = super::list::AFTER_HELP_LICENSES)]
    Licenses(Box<LicensesArguments>),

    /// Explain why a package is installed; the same as `deka why`
    #[command(after_help = super::why::AFTER_HELP)]
    Why(Box<WhyArguments>),

    /// Trust dependencies: run their lifecycle scripts, now and from now on
    Trust(TrustArguments),

    /// List the dependencies whose lifecycle scripts did not run
    Untrusted(ListArguments),

    /// List the packages that are trusted without being named in `trustedDependencies`
    DefaultTrusted(ListArguments),

    /// Print the folder with the commands of the project's packages
    Bin(BinArguments),

    /// Write bun.lock from the lockfile of npm, yarn or pnpm, or from bun.lockb
    Migrate(MigrateArguments),
}

/// Arguments of `deka pm bin`.
#[derive(Debug, Args)]
pub(crate) struct BinArguments {
    /// The folder with the commands that are there for all projects
    #[arg(long, short)]
    pub(crate) global: bool,
}

/// Arguments of `deka pm migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArguments {
    /// Replace a bun.lock that is there
    #[arg(long, short)]
    pub(crate) force: bool,
}

/// Arguments of `deka pm trust`.
#[derive(Debug, Args)]
pub(crate) struct TrustArguments {
    /// The packages
    #[arg(value_name = "name", required_unless_present = "all")]
    pub(crate) names: Vec<String>,

    /// All packages whose scripts did not run
    #[arg(long, short, conflicts_with = "names")]
    pub(crate) all: bool,
}

/// Arguments of a command that lists something.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const AFTER_HELP: &str = "\
Examples:
  deka pm untrusted              Which scripts did not run
  deka pm trust esbuild sharp    Run theirs, and add them to trustedDependencies
  deka pm trust --all            The same for all of them
  PATH=\"$(deka pm bin):$PATH\"   Find the commands of the project's packages
  deka pm migrate                Write bun.lock from another lockfile, which stays where it is";
