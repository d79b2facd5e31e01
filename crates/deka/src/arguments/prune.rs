//! Arguments of `deka prune`.

use clap::Args;
use deka_config::Omit;

/// Arguments of `deka prune`.
#[derive(Debug, Args)]
pub(crate) struct PruneArguments {
    /// Also remove what only devDependencies ask for
    #[arg(short, long, visible_alias = "prod", short_alias = 'P')]
    pub(crate) production: bool,

    /// Also remove what only this group asks for: dev, optional or peer
    #[arg(long, value_name = "group", value_delimiter = ',', value_parser = super::install::omit_words(), hide_possible_values = true)]
    pub(crate) omit: Vec<Omit>,

    /// Remove nothing, and fail if there is something to remove
    #[arg(long)]
    pub(crate) check: bool,

    /// Remove nothing, and say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const AFTER_HELP: &str = "\
Removed is what bun.lock does not have. What is missing is not installed, and what begins with a dot stays.

Examples:
  deka prune                    Remove what nobody asks for from node_modules
  deka prune --production       And what only devDependencies ask for
  deka prune --dry-run          Say what would go
  deka prune --check            Fail if something would, as in CI";
