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

    /// Look at the cache, or empty it
    #[command(after_help = CACHE_HELP)]
    Cache(CacheArguments),

    /// Write bun.lock from the lockfile of npm, yarn or pnpm, or from bun.lockb
    Migrate(MigrateArguments),
}

const CACHE_HELP: &str = "\
Examples:
  deka pm cache                 Where it is
  deka pm cache size            How large it is, and how much of it no project uses
  deka pm cache ls react        Which packages it holds
  deka pm cache clean           Empty it; also: deka pm cache rm
  deka pm cache clean --dry-run Say what would go

Installs that are under way are waited for, and others wait meanwhile. Projects keep their files, which
the next install fetches again where it needs them. What projects of a global store have links to stays
unless `--all` says otherwise.";

/// Arguments of `deka pm cache`.
#[derive(Debug, Args)]
pub(crate) struct CacheArguments {
    #[command(subcommand)]
    pub(crate) command: Option<CacheCommand>,
}

/// What can be done with the cache.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print its folder
    Dir,

    /// List the packages in it
    #[command(alias = "list")]
    Ls(CacheLsArguments),

    /// Say how large it is
    Size(ListArguments),

    /// Empty it
    #[command(visible_alias = "rm", alias = "clear")]
    Clean(CacheCleanArguments),
}

/// Arguments of `deka pm cache ls`.
#[derive(Debug, Args)]
pub(crate) struct CacheLsArguments {
    /// Only packages whose names have this in them
    #[arg(value_name = "name")]
    pub(crate) names: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `deka pm cache clean`.
#[derive(Debug, Args)]
pub(crate) struct CacheCleanArguments {
    /// Also what projects of a global store have links to; they have to be installed again
    #[arg(short, long)]
    pub(crate) all: bool,

    /// Say what would go, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    // Of npm, which asks for it.
    #[arg(long, short, hide = true)]
    force: bool,
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
  deka pm cache size             How large the cache is; `deka pm cache clean` empties it
  deka pm migrate                Write bun.lock from another lockfile, which stays where it is";
