//! Arguments of `deka list` and `deka licenses`.

use clap::Args;
use deka_config::Environment;
use deka_install::{Groups, Scope};

/// Arguments of `deka list`.
#[derive(Debug, Args)]
pub(crate) struct LsArguments {
    /// Only packages of these names: `react`, `@types/*`, `react@18`
    #[arg(value_name = "package")]
    pub(crate) packages: Vec<String>,

    /// List all packages, each below the one in whose `node_modules` it lies
    #[arg(short, long)]
    pub(crate) all: bool,

    /// List what asks for what, down to this depth below the project's dependencies
    #[arg(long, value_name = "number", default_value_t = 0)]
    pub(crate) depth: usize,

    #[command(flatten)]
    pub(crate) scope: ScopeArguments,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `deka licenses`.
#[derive(Debug, Args)]
pub(crate) struct LicensesArguments {
    #[command(flatten)]
    pub(crate) scope: ScopeArguments,

    /// Print author, description and homepage as well
    #[arg(long)]
    pub(crate) long: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which packages are meant.
#[derive(Debug, Args)]
pub(crate) struct ScopeArguments {
    /// Leave out devDependencies
    #[arg(short = 'p', long = "prod", visible_alias = "production", short_alias = 'P')]
    production: bool,

    /// Only what devDependencies bring in
    #[arg(short = 'd', long, short_alias = 'D', conflicts_with = "production")]
    dev: bool,

    /// Only what these members of the workspaces ask for
    #[arg(
        short = 'F',
        long,
        value_name = "pattern",
        visible_alias = "workspace",
        short_alias = 'w'
    )]
    filter: Vec<String>,

    /// Look at what is there for all projects
    #[arg(short, long, conflicts_with = "filter")]
    pub(crate) global: bool,
}

impl ScopeArguments {
    /// Whether nothing is left out.
    pub(crate) fn is_whole(&self) -> bool {
        self.filter.is_empty()
    }

    /// Returns what is meant, seen from the working folder.
    pub(crate) fn scope(&self, environment: &Environment) -> Scope {
        let groups = match (self.production, self.dev) {
            (true, _) => Groups::Production,
            (_, true) => Groups::Development,
            _ => Groups::All,
        };
        let folder = environment.working_folder().to_owned();
        Scope { groups, filters: self.filter.clone(), folder }
    }
}

pub(super) const AFTER_HELP: &str = "\
Examples:
  deka list                     What the project asks for
  deka list --all               All packages, as they lie in node_modules
  deka list --depth 1           What those ask for, too
  deka list react '@types/*'    Only some, wherever they are
  deka list --prod --json       Without devDependencies, for programs
  deka list --filter api        What a member of the workspaces asks for
  deka list --global            What is there for all projects

It is answered from bun.lock. What is not in node_modules is marked `missing`, another version than that
of bun.lock `invalid`, and what nobody asks for `extraneous`.";

pub(super) const AFTER_HELP_LICENSES: &str = "\
Examples:
  deka licenses                 All packages by their licenses
  deka licenses --prod          Only those that are needed in production
  deka licenses --long          With authors, descriptions and homepages
  deka licenses --json          For programs

What a package's own package.json says is what counts, the forms of old included.";
