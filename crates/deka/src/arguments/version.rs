//! Arguments of `deka version` and `deka pm version`.

use clap::Args;
use deka_install::WantedVersion;
use deka_manifest::{Bump, Version};

use crate::diagnostic::Diagnostic;

/// Arguments of `deka version`.
#[derive(Debug, Args)]
pub(crate) struct VersionArguments {
    /// patch, minor, major, prepatch, preminor, premajor, prerelease, from-git, or a version
    #[arg(value_name = "version")]
    version: Option<String>,

    /// What prereleases are called: beta makes 1.2.4-beta.0
    #[arg(long, value_name = "identifier")]
    pub(crate) preid: Option<String>,

    /// Make no commit and no tag
    #[arg(long, overrides_with = "git_tag_version")]
    pub(crate) no_git_tag_version: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "boolean")]
    git_tag_version: Option<bool>,

    /// The message of the commit; %s becomes the version
    #[arg(long, short, value_name = "text")]
    pub(crate) message: Option<String>,

    /// Accept the version that is there already
    #[arg(long)]
    pub(crate) allow_same_version: bool,

    /// Even if there are changes that are not committed
    #[arg(long, short)]
    pub(crate) force: bool,

    /// Say which version it would be, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Do not run preversion, version and postversion
    #[arg(long)]
    pub(crate) ignore_scripts: bool,

    /// For these members of the workspaces, each with its own version
    #[arg(long, short = 'F', value_name = "filter", aliases = ["workspace"], short_alias = 'w')]
    pub(crate) filter: Vec<String>,

    /// For the root and all members
    #[arg(long, short, aliases = ["workspaces"])]
    pub(crate) recursive: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl VersionArguments {
    /// Returns the version that is wanted, if one is.
    pub(crate) fn wanted(&self) -> Result<Option<WantedVersion>, Diagnostic> {
        let Some(text) = &self.version else { return Ok(None) };
        if text == "from-git" {
            return Ok(Some(WantedVersion::FromGit));
        }
        if let Some((_, bump)) = Bump::ALL.iter().find(|(name, _)| name == text) {
            return Ok(Some(WantedVersion::Next(*bump)));
        }
        match Version::parse(text) {
            Ok(version) => Ok(Some(WantedVersion::Exact(version))),
            Err(error) => {
                let names: Vec<&str> = Bump::ALL.iter().map(|(name, _)| *name).collect();
                let valid = format!("{}, from-git, or a version such as 1.2.3", names.join(", "));
                Err(Diagnostic::usage(error.to_string()).detail("valid", valid))
            }
        }
    }

    /// Whether there is to be a commit and a tag.
    pub(crate) fn uses_git(&self) -> bool {
        !self.no_git_tag_version && self.git_tag_version != Some(false)
    }
}

pub(super) const AFTER_HELP: &str = "\
Where package.json is at the top of a git repository, the change is committed, and tagged v1.2.4. The scripts
preversion, version (before the commit) and postversion run, and see npm_old_version and npm_new_version.
Without a version it says what there is, and what would come next.

Examples:
  deka version patch                      1.2.3 becomes 1.2.4
  deka version prerelease --preid beta    1.2.4-beta.0, then 1.2.4-beta.1
  deka version 2.0.0 -m 'Release %s'      That one, with a message for the commit
  deka version minor --no-git-tag-version package.json alone
  deka version from-git                   What the last tag says
  deka version patch -F web -F api        Members of the workspaces, tagged web@1.0.1 and api@3.2.2

`deka help exit-codes` explains the exit codes.";
