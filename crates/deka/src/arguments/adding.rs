//! Arguments that name packages, and say what becomes of them in `package.json`.

use clap::Args;
use deka_graph::EdgeKind;
use deka_install::{Addition, Change};
use deka_manifest::{Alias, PackageArgument};

use super::install::WHAT;
use crate::diagnostic::Diagnostic;

pub(super) const AFTER_HELP_ADD: &str = "\
A package is a name, name@range, name@tag, alias@npm:name@range, a folder (../lib, file:, link:), a tarball,
name@workspace:* or name@catalog:. Without a version the newest is taken, and ^ of it written.

Examples:
  deka add react react-dom                Newest versions, into dependencies
  deka add -D typescript@~5.9             Into devDependencies, with that range
  deka add -E next@canary                 What a tag points to, as an exact version
  deka add old@npm:react@18               Under another name
  deka add ../lib                         A folder
  deka add zod --filter api               Into the package.json of a member of the workspaces
  deka add --catalog react                Into the catalog, and `catalog:` into package.json
  deka add --trust esbuild                And let its scripts run

`deka help install` shows what else can be said about the install, `deka help exit-codes` the exit codes.";

pub(super) const AFTER_HELP_REMOVE: &str = "\
Examples:
  deka remove react                       Out of all groups of package.json, and out of node_modules
  deka remove react react-dom
  deka remove zod --filter api            Out of the package.json of a member of the workspaces

`deka help install` shows what else can be said about the install, `deka help exit-codes` the exit codes.";

/// Packages, and what becomes of them. Hidden where they are not what a command is for.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = WHAT)]
pub(crate) struct AddingArguments {
    /// The packages
    #[arg(value_name = "package", hide = true)]
    packages: Vec<String>,

    /// Add to devDependencies
    #[arg(short = 'd', long, hide = true, alias = "save-dev", short_alias = 'D')]
    dev: bool,

    /// Add to optionalDependencies
    #[arg(short = 'O', long, hide = true)]
    optional: bool,

    /// Add to peerDependencies
    #[arg(long, hide = true)]
    peer: bool,

    /// Add to dependencies, also if another group has it
    #[arg(long, hide = true)]
    save_prod: bool,

    /// Write the exact version in place of a range
    #[arg(short = 'E', long, hide = true, alias = "save-exact")]
    exact: bool,

    /// Leave alone what package.json has already
    #[arg(long, hide = true)]
    only_missing: bool,

    /// Let the packages' lifecycle scripts run: adds them to trustedDependencies
    #[arg(long, hide = true)]
    trust: bool,

    // No doc comment, which would take the name for something else.
    #[arg(
        long,
        hide = true,
        value_name = "name",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        help = "Write the version into the catalog, or the one of that name"
    )]
    catalog: Option<String>,

    #[arg(short, long, hide = true)]
    pub(super) analyze: bool,
}

/// What `deka add` shows of the above.
pub(super) const SHOWN_FOR_ADD: &[&str] = &[
    "packages",
    "dev",
    "optional",
    "peer",
    "save_prod",
    "exact",
    "only_missing",
    "trust",
    "catalog",
];

impl AddingArguments {
    /// Whether packages are named.
    pub(crate) fn has_packages(&self) -> bool {
        !self.packages.is_empty()
    }

    /// Returns what is to be added.
    pub(crate) fn addition(&self) -> Result<Change, Diagnostic> {
        let packages: Result<Vec<_>, _> =
            self.packages.iter().map(|text| PackageArgument::parse(text)).collect();
        let packages = packages.map_err(|error| Diagnostic::usage(error.to_string()))?;
        // As with Bun, of several the first in this order counts.
        let group = [
            (self.dev, EdgeKind::Dev),
            (self.optional, EdgeKind::Optional),
            (self.peer, EdgeKind::Peer),
            (self.save_prod, EdgeKind::Prod),
        ];
        Ok(Change::Add(Addition {
            packages,
            group: group.into_iter().find(|(is_given, _)| *is_given).map(|(_, kind)| kind),
            is_exact: self.exact,
            only_missing: self.only_missing,
            is_trusted: self.trust,
            catalog: self.catalog.as_deref().map(Into::into),
        }))
    }

    /// Returns what is to be removed.
    pub(crate) fn removal(&self) -> Result<Change, Diagnostic> {
        let name = |text: &String| {
            // A version says nothing here, but people write it.
            let at = text.get(1..).and_then(|rest| rest.find('@')).map_or(text.len(), |at| at + 1);
            Alias::parse(&text[..at]).map_err(|error| Diagnostic::usage(error.to_string()))
        };
        self.packages.iter().map(name).collect::<Result<_, _>>().map(Change::Remove)
    }
}
