//! Arguments of `deka doctor`.

use clap::Args;

/// Arguments of `deka doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Ask this registry
    #[arg(long, value_name = "url")]
    pub(crate) registry: Option<String>,

    /// Don't ask the registry
    #[arg(long)]
    pub(crate) offline: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const AFTER_HELP: &str = "\
Looked at are the registry and your token there (one request), the clock, whether project and cache can be
written and lie on one volume, bun.lock, node_modules, versions that must not be there twice (such as two
majors of react), and peers that do not get what they want: who wants what, who got what, and why.

Examples:
  deka doctor                   All of that; it ends with 1 if something is wrong
  deka doctor --offline         Without asking the registry
  deka doctor --json            For programs";
