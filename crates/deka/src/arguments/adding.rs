//! Arguments that name packages, and say what becomes of them in `package.json`.

use clap::Args;
use deka_graph::EdgeKind;
use deka_install::{Addition, Change, Chosen, Update};
use deka_manifest::{Alias, PackageArgument, PackageName, split_name};

use super::install::{InstallArguments, WHAT};
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

pub(super) const AFTER_HELP_LINK: &str = "\
Without a name, the package in this folder is registered; with names, registered packages are linked into
the project. The link is in node_modules alone, and the next install takes it away, unless `--save` writes
it into package.json.

Examples:
  deka link                               In the folder of the package my-lib: register it
  deka link my-lib                        In a project: use it
  deka link my-lib --save                 The same, and keep it as \"link:my-lib\" in dependencies
  deka unlink                             In the folder of the package: forget it

`deka help install` shows what else can be said about the install, `deka help exit-codes` the exit codes.";

pub(super) const AFTER_HELP_UPDATE: &str = "\
Without names everything is updated as far as package.json allows, dependencies of dependencies too. Ranges in
package.json and catalogs follow, in the style they have: ^1.2.0 becomes ^1.3.1.

Examples:
  deka update                             All that may be newer
  deka update react                       One package, wherever it is in the tree
  deka update --latest                    Beyond what package.json allows
  deka update react@18                    To a version that is named
  deka update --depth 0                   Without dependencies of dependencies
  deka update --interactive               Choose from a list, with the arrow keys
  deka update -r                          What all members of the workspaces ask for

`deka help install` shows what else can be said about the install, `deka help exit-codes` the exit codes.";

/// Arguments of `deka update`.
#[derive(Debug, Default, Args)]
pub(crate) struct UpdateArguments {
    #[command(flatten)]
    pub(crate) install: InstallArguments,

    /// Update to the newest versions, whatever package.json says
    #[arg(short = 'L', long, help_heading = WHAT)]
    pub(crate) latest: bool,

    /// Update dependencies down to this depth: 0 for those of the project alone
    #[arg(long, value_name = "depth", help_heading = WHAT)]
    depth: Option<u32>,

    /// Choose from a list what to update
    #[arg(short, long, help_heading = WHAT)]
    pub(crate) interactive: bool,
}

/// What `deka update` shows of the below.
pub(super) const SHOWN_FOR_UPDATE: &[&str] = &["packages", "exact", "recursive"];

impl UpdateArguments {
    /// Returns what is to be updated.
    pub(crate) fn update(&self) -> Result<Change, Diagnostic> {
        Ok(Change::Update(Update {
            packages: self.install.adding.packages()?,
            to_latest: self.latest,
            is_exact: self.install.adding.exact,
            direct_only: self.depth == Some(0),
            is_recursive: self.install.adding.recursive,
            chosen: Vec::new(),
        }))
    }

    /// Returns what was chosen from the list.
    pub(crate) fn update_chosen(&self, chosen: Vec<Chosen>) -> Change {
        Change::Update(Update {
            is_exact: self.install.adding.exact,
            direct_only: true,
            // The choices say where.
            is_recursive: true,
            chosen,
            ..Update::default()
        })
    }
}

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

    /// For the root and all members of the workspaces
    #[arg(short, long, hide = true)]
    pub(crate) recursive: bool,

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

/// What `deka link` shows of the arguments that others hide.
pub(super) const SHOWN_FOR_LINK: &[&str] = &["packages", "save"];

impl AddingArguments {
    /// Whether packages are named.
    pub(crate) fn has_packages(&self) -> bool {
        !self.packages.is_empty()
    }

    /// Returns the packages as they are named.
    pub(crate) fn names(&self) -> &[String] {
        &self.packages
    }

    fn packages(&self) -> Result<Vec<PackageArgument>, Diagnostic> {
        let packages = self.packages.iter().map(|text| PackageArgument::parse(text));
        packages.collect::<Result<_, _>>().map_err(|error| Diagnostic::usage(error.to_string()))
    }

    /// Returns what is to be added.
    pub(crate) fn addition(&self) -> Result<Change, Diagnostic> {
        // As with Bun, of several the first in this order counts.
        let group = [
            (self.dev, EdgeKind::Dev),
            (self.optional, EdgeKind::Optional),
            (self.peer, EdgeKind::Peer),
            (self.save_prod, EdgeKind::Prod),
        ];
        Ok(Change::Add(Addition {
            packages: self.packages()?,
            group: group.into_iter().find(|(is_given, _)| *is_given).map(|(_, kind)| kind),
            is_exact: self.exact,
            only_missing: self.only_missing,
            is_trusted: self.trust,
            catalog: self.catalog.as_deref().map(Into::into),
        }))
    }

    /// Returns the registered packages that are to be linked, as what is to be added.
    pub(crate) fn links(&self) -> Result<Change, Diagnostic> {
        let package = |text: &String| {
            let name = PackageName::parse(text).map_err(|error| {
                Diagnostic::usage(error.to_string())
                    .hint("A folder is linked by `deka add link:<folder>`")
            })?;
            Ok(PackageArgument { alias: Some(name.into()), spec: format!("link:{name}").into() })
        };
        let packages = self.packages.iter().map(package).collect::<Result<_, Diagnostic>>()?;
        Ok(Change::Add(Addition { packages, ..Addition::default() }))
    }

    /// Returns what is to be removed.
    pub(crate) fn removal(&self) -> Result<Change, Diagnostic> {
        let name = |text: &String| {
            // A version says nothing here, but people write it.
            let name = split_name(text).map_or(text.as_str(), |(name, _)| name);
            Alias::parse(name).map_err(|error| Diagnostic::usage(error.to_string()))
        };
        self.packages.iter().map(name).collect::<Result<_, _>>().map(Change::Remove)
    }
}
