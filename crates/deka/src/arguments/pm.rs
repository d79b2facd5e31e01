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
    #[command(after_help = TRUST_HELP)]
    Trust(TrustArguments),

    /// List the dependencies whose lifecycle scripts did not run
    #[command(after_help = UNTRUSTED_HELP)]
    Untrusted(ListArguments),

    /// List the packages that are trusted without being named in `trustedDependencies`
    #[command(after_help = DEFAULT_TRUSTED_HELP)]
    DefaultTrusted(ListArguments),

    /// Print the folder with the commands of the project's packages
    #[command(after_help = BIN_HELP)]
    Bin(BinArguments),

    /// Look at the cache, or empty it
    #[command(after_help = CACHE_HELP)]
    Cache(CacheArguments),

    /// The same as `deka info`
    #[command(hide = true, aliases = ["info", "show"], after_help = super::asking::INFO_HELP)]
    View(Box<super::InfoArguments>),

    /// The same as `deka diff`
    #[command(hide = true, after_help = super::asking::DIFF_HELP)]
    Diff(Box<super::DiffArguments>),

    /// Write bun.lock from the lockfile of npm, yarn or pnpm, or from bun.lockb
    #[command(after_help = MIGRATE_HELP)]
    Migrate(MigrateArguments),

    /// The same as `deka version`
    #[command(after_help = super::version::AFTER_HELP)]
    Version(Box<super::VersionArguments>),

    /// Read and change the fields of package.json
    #[command(after_help = AFTER_HELP_PKG)]
    Pkg(PkgArguments),
}

const TRUST_HELP: &str = "\
Examples:
  deka pm trust esbuild         Run its scripts, and add it to trustedDependencies in package.json
  deka pm trust esbuild sharp   Of several
  deka pm trust --all           Of all whose scripts did not run";

const UNTRUSTED_HELP: &str = "\
Examples:
  deka pm untrusted             Which scripts did not run, and what they would do
  deka pm untrusted --json      The same for programs
  deka pm trust esbuild         Run those of one package";

const DEFAULT_TRUSTED_HELP: &str = "\
They are trusted only where they come from the npm registry, and only while package.json has no
trustedDependencies.

Examples:
  deka pm default-trusted
  deka pm default-trusted --json";

const BIN_HELP: &str = "\
Examples:
  deka pm bin                   The project's node_modules/.bin
  deka pm bin --global          Where the commands of `deka add --global` are
  PATH=\"$(deka pm bin):$PATH\"  Find the project's commands first";

const MIGRATE_HELP: &str = "\
The versions are those that the other lockfile names. It stays where it is.

Examples:
  deka pm migrate               From package-lock.json, yarn.lock, pnpm-lock.yaml or bun.lockb
  deka pm migrate --force       Also where there is a bun.lock already";

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
    #[command(after_help = "Examples:\n  deka pm cache dir\n  du -sh \"$(deka pm cache dir)\"")]
    Dir(ListArguments),

    /// List the packages in it
    #[command(alias = "list", after_help = CACHE_LS_HELP)]
    Ls(CacheLsArguments),

    /// Say how large it is
    #[command(after_help = CACHE_SIZE_HELP)]
    Size(ListArguments),

    /// Empty it
    #[command(visible_alias = "rm", alias = "clear", after_help = CACHE_CLEAN_HELP)]
    Clean(CacheCleanArguments),
}

const CACHE_LS_HELP: &str = "\
Examples:
  deka pm cache ls              All packages
  deka pm cache ls react        Those with this in their names
  deka pm cache ls --json       For programs";

const CACHE_SIZE_HELP: &str = "\
Examples:
  deka pm cache size            All of it, and how much of it no project uses
  deka pm cache size --json     In bytes, for programs";

const CACHE_CLEAN_HELP: &str = "\
Examples:
  deka pm cache clean           Empty it
  deka pm cache clean --dry-run Say what would go
  deka pm cache clean --all     Also what projects of a global store have links to";

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
/// Arguments of `deka pm pkg`.
#[derive(Debug, Args)]
pub(crate) struct PkgArguments {
    #[command(subcommand)]
    pub(crate) command: PkgCommand,
}

/// What can be done with package.json.
#[derive(Debug, Subcommand)]
pub(crate) enum PkgCommand {
    /// Print values; of several, or of none, an object
    #[command(after_help = PKG_GET_HELP)]
    Get {
        /// Paths of fields
        #[arg(value_name = "path")]
        paths: Vec<String>,

        /// What is printed is JSON anyway
        #[arg(long, hide = true)]
        json: bool,
    },

    /// Set values
    #[command(after_help = PKG_SET_HELP)]
    Set {
        /// Paths of fields, with the values that they get
        #[arg(value_name = "path=value", required = true)]
        fields: Vec<String>,

        /// Read the values as JSON; else they are texts
        #[arg(long)]
        json: bool,
    },

    /// Delete values
    #[command(alias = "rm", after_help = PKG_DELETE_HELP)]
    Delete {
        /// Paths of fields
        #[arg(value_name = "path", required = true)]
        paths: Vec<String>,
    },

    /// Put right what is often wrong
    #[command(
        after_help = "Examples:\n  deka pm pkg fix      A name in capitals, commands that are no files"
    )]
    Fix,
}

const PKG_GET_HELP: &str = "\
Examples:
  deka pm pkg get                     All of package.json
  deka pm pkg get scripts.build       The value alone, as JSON
  deka pm pkg get name version        An object of both";

const PKG_SET_HELP: &str = "\
Examples:
  deka pm pkg set scripts.test=jest
  deka pm pkg set private=true --json     true, not \"true\"
  deka pm pkg set 'keywords[]=cli'        Add to a list";

const PKG_DELETE_HELP: &str = "\
Examples:
  deka pm pkg delete scripts.test
  deka pm pkg delete 'contributors[0]' homepage";

const AFTER_HELP_PKG: &str = "\
A path is `scripts.build`, `contributors[0].name`, `exports[./x.js]`; `keywords[]` is behind the last of a
list. It is the package.json in or above the working folder, and keeps its form where nothing changes.

Examples:
  deka pm pkg get name version            {\"name\": …, \"version\": …}
  deka pm pkg get scripts.build           The value alone, as JSON
  deka pm pkg set scripts.test=jest private=true
  deka pm pkg set private=true --json     true, not \"true\"
  deka pm pkg set 'keywords[]=cli'        Add to a list
  deka pm pkg delete scripts.test         Take it out
  deka pm pkg fix                         A name in capitals, commands that are no files";

/// Arguments of `deka pm bin`.
#[derive(Debug, Args)]
pub(crate) struct BinArguments {
    /// The folder with the commands that are there for all projects
    #[arg(long, short)]
    pub(crate) global: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
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
  deka pm pkg set type=module    Change package.json
  deka pm migrate                Write bun.lock from another lockfile, which stays where it is";
