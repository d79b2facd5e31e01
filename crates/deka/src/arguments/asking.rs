//! Arguments of the commands that ask the registry and install nothing: `outdated`, `info`, `search`, `audit`,
//! `diff`.
//!
//! They take the flags of an install, too, since those say which registry, cache and groups count; their help shows
//! what matters to them.

use clap::Args;
use deka_install::Severity;
use deka_manifest::Version;

use super::install::InstallArguments;
use crate::diagnostic::Diagnostic;

/// What all of them show.
macro_rules! shown {
    ($($name:literal),*) => {
        &["packages", "json", "registry", "offline", "no_cache", "cache_dir", $($name),*]
    };
}

pub(super) const SHOWN_FOR_OUTDATED: &[&str] = shown!(
    "fail",
    "filter",
    "recursive",
    "production",
    "omit",
    "minimum_release_age",
    "minimum_release_age_excludes",
    "prefer_offline"
);
pub(super) const SHOWN_FOR_INFO: &[&str] = shown!();
pub(super) const SHOWN_FOR_SEARCH: &[&str] = shown!("limit");
pub(super) const SHOWN_FOR_AUDIT: &[&str] =
    shown!("audit_level", "ignore", "production", "omit", "dry_run", "latest");

pub(super) const SHOWN_FOR_DIFF: &[&str] = shown!("diff", "name_only", "stat", "unified");

pub(super) const OUTDATED_HELP: &str = "\
Shown are the installed version, the one that `deka update` would bring, and the one that the tag `latest`
stands for. A * says that there is a newer one that is younger than the minimum release age.

Examples:
  deka outdated                           Dependencies of this package
  deka outdated react '@types/*' '!is-*'  Some of them
  deka outdated -r                        Those of all members of the workspaces
  deka outdated --filter web              Those of one member
  deka outdated --prod                    Without devDependencies
  deka outdated --fail                    End with 1 if there are any, as npm and pnpm do
  deka outdated --json                    The same for programs";

pub(super) const INFO_HELP: &str = "\
A range that several versions are in shows the newest, or what is asked of all of them. Without a package, it is
about this project's.

Examples:
  deka info react                         The newest version, as the tag `latest` has it
  deka info react@18.2.0                  A version, or a tag
  deka info react version license         Some of what there is to know
  deka info react dist.tarball versions[0] maintainers.0.name 'time[18.2.0]'
  deka info 'react@^18' version           Of each version in the range
  deka info react --json                  All of it, for programs";

pub(super) const SEARCH_HELP: &str = "\
Examples:
  deka search date picker                 What the registry finds for these words
  deka search keywords:parser --limit 50  More of it
  deka search react --json                The same for programs";

pub(super) const AUDIT_HELP: &str = "\
Each registry is asked about the packages that are from it: their names and versions, nothing else. The exit code
is 1 if there are vulnerabilities that count. `deka audit fix` takes the lowest safe version that the ranges of all
dependents allow, and says who is in the way where there is none.

Examples:
  deka audit                              All of bun.lock
  deka audit --prod --audit-level=high    What matters most
  deka audit --ignore GHSA-xxxx-xxxx-xxxx Without what is known and accepted
  deka audit --json                       The same for programs
  deka audit fix --dry-run                What could be done
  deka audit fix                          Do it: bun.lock and node_modules, and exact versions in package.json
  deka audit fix --latest                 Other ranges in package.json as well";

pub(super) const DIFF_HELP: &str = "\
One package is compared as it is installed with its newest version, or with the one that is named; two sides are
compared with one another. Both tarballs are verified. Files that are no text, or too large, are named only.

Examples:
  deka diff react                         What an update to the newest version would bring
  deka diff react@19.1.0                  The installed version and this one
  deka diff react@18.2.0 19.0.0           Two versions; the name may stand with both
  deka diff react@18.2.0 19.0.0 cjs '*.md'
                                          Only what is in a folder, or fits
  deka diff react --name-only             Only which files differ (also: --stat)
  deka diff --diff=a@1.0.0 --diff=a@2.0.0 As npm writes it
  deka diff react --json                  The same for programs";

/// Arguments of `deka outdated`.
#[derive(Debug, Args)]
pub(crate) struct OutdatedArguments {
    /// End with exit code 1 if something is outdated
    #[arg(long, alias = "exit-code")]
    pub(crate) fail: bool,

    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

/// Arguments of `deka info`.
#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

/// Arguments of `deka search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// At most so many packages
    #[arg(long, short = 'n', value_name = "number", default_value_t = 20, alias = "searchlimit")]
    pub(crate) limit: usize,

    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

/// Arguments of `deka audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Leave out an advisory, by GHSA, CVE or number
    #[arg(long, value_name = "id", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,

    /// With `fix`: also beyond the ranges of package.json
    #[arg(short = 'L', long)]
    pub(crate) latest: bool,

    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

/// Arguments of `deka diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// A side to compare; all else are paths then
    #[arg(long, value_name = "package")]
    diff: Vec<String>,

    /// Only say which files differ
    #[arg(long, alias = "diff-name-only", conflicts_with = "stat")]
    pub(crate) name_only: bool,

    /// Only say which files differ, and in how many lines
    #[arg(long)]
    pub(crate) stat: bool,

    /// So many lines around what differs
    #[arg(short = 'U', long, value_name = "lines", default_value_t = 3, alias = "diff-unified")]
    pub(crate) unified: usize,

    #[command(flatten)]
    pub(crate) install: InstallArguments,
}

impl DiffArguments {
    /// Returns the sides to compare, and the paths.
    pub(crate) fn sides(&self) -> (&[String], &[String]) {
        let words = self.install.adding.names();
        if !self.diff.is_empty() {
            return (&self.diff, words);
        }
        let is_side = |first: &String, word: &String| {
            word.contains('@')
                || first.strip_prefix(word).is_some_and(|rest| rest.starts_with('@'))
                || Version::parse(word).is_ok()
                || word.starts_with(['^', '~', '>', '<', '='])
        };
        let sides = match words {
            [first, second, ..] if is_side(first, second) => 2,
            [_, ..] => 1,
            [] => 0,
        };
        words.split_at(sides)
    }
}

impl AuditArguments {
    /// Returns how bad something has to be to count.
    pub(crate) fn level(&self) -> Result<Severity, Diagnostic> {
        let Some(word) = &self.install.audit_level else { return Ok(Severity::Info) };
        let mut known = Severity::ALL.into_iter();
        known.find(|severity| severity.word() == word).ok_or_else(|| {
            Diagnostic::usage(format!("Invalid value `{word}` for `--audit-level`"))
                .detail("valid", "info, low, moderate, high, critical")
        })
    }
}
