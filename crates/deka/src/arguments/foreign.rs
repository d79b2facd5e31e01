//! Flags that npm, pnpm and yarn have and deka does not need.
//!
//! Those with a meaning here are arguments of `install`, hidden from its help. The rest, below, is
//! accepted and forgotten, as Bun does it: scripts and habits keep working. None of them would make
//! an install less safe by being ignored.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// Flags without a value. Each may also be written `--no-…`, `--…=true` and `--…=false`.
const SWITCHES: &[&str] = &[
    // npm
    "audit",
    "bin-links",
    "engine-strict",
    "foreground-scripts",
    "fund",
    "global-style",
    "include-workspace-root",
    "install-links",
    "legacy-bundling",
    "legacy-peer-deps",
    "package-lock",
    "parseable",
    "prefer-dedupe",
    "save-bundle",
    "save-optional",
    "save-peer",
    "shrinkwrap",
    "strict-peer-deps",
    "timing",
    "unicode",
    "update-notifier",
    "workspaces",
    "yes",
    // pnpm
    "aggregate-output",
    "dedupe-peer-dependents",
    "fix-lockfile",
    "hoist",
    "ignore-pnpmfile",
    "ignore-workspace",
    "merge-git-branch-lockfiles",
    "optimistic-repeat-install",
    "prefer-frozen-lockfile",
    "prefer-workspace-packages",
    "recursive",
    "shamefully-hoist",
    "shared-workspace-lockfile",
    "side-effects-cache",
    "stream",
    "strict-peer-dependencies",
    "use-stderr",
    "verify-store-integrity",
    // yarn
    "check-cache",
    "check-files",
    "check-resolutions",
    "default-rc",
    "emoji",
    "flat",
    "har",
    "ignore-engines",
    "ignore-platform",
    "immutable-cache",
    "inline-builds",
    "link-duplicates",
    "node-version-check",
    "non-interactive",
    "refresh-lockfile",
    "skip-integrity-check",
    "update-checksums",
    // Bun
    "save-text-lockfile",
    "use-system-ca",
    "use-openssl-ca",
    "use-bundled-ca",
];

/// Flags with a value.
const OPTIONS: &[&str] = &[
    // npm
    "audit-level",
    "node-options",
    "script-shell",
    "scope",
    "tag",
    "user-agent",
    // pnpm
    "child-concurrency",
    "hoist-pattern",
    "lockfile-dir",
    "modules-dir",
    "public-hoist-pattern",
    "reporter",
    "store-dir",
    "trust-policy",
    "virtual-store-dir",
    "workspace-concurrency",
    // yarn
    "link-folder",
    "modules-folder",
    "mutex",
    "network-timeout",
    "use-yarnrc",
    // Bun
    "env-file",
];

/// Adds the flags to a command, and reads nothing back.
#[derive(Debug, Default)]
pub(super) struct Ignored;

impl Args for Ignored {
    fn augment_args(command: Command) -> Command {
        let switches = SWITCHES
            .iter()
            .map(|name| Arg::new(*name).long(*name).action(ArgAction::Count).hide(true));
        let options = OPTIONS
            .iter()
            .map(|name| Arg::new(*name).long(*name).action(ArgAction::Append).hide(true));
        command.args(switches).args(options)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Ignored {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

/// Switches of deka that npm lets people write with a value, `--production=false`.
const OWN_SWITCHES: &[&str] = &[
    "cache",
    "dry-run",
    "force",
    "frozen-lockfile",
    "ignore-scripts",
    "immutable",
    "json",
    "lockfile",
    "lockfile-only",
    "offline",
    "optional",
    "package-lock-only",
    "prefer-offline",
    "prefer-online",
    "prod",
    "production",
    "progress",
    "quiet",
    "save",
    "save-dev",
    "save-exact",
    "save-prod",
    "silent",
    "strict-ssl",
    "summary",
    "verbose",
    "verify",
];

/// Brings a command line into the one form that is parsed: `--flag=true` and `--flag=false` of
/// switches become `--flag` and `--no-flag`, and of ignored ones only `--flag` is left. What follows
/// `--` is left alone.
pub(super) fn rewrite(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut rest_is_positional = false;
    arguments
        .into_iter()
        .map(|argument| {
            rest_is_positional |= argument == "--";
            match argument.to_str() {
                Some(text) if !rest_is_positional => switch(text).map_or(argument, Into::into),
                _ => argument,
            }
        })
        .collect()
}

fn switch(argument: &str) -> Option<String> {
    let flag = argument.strip_prefix("--")?;
    let (name, value) =
        flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
    let positive = name.strip_prefix("no-").unwrap_or(name);
    let is_on = match value {
        None | Some("true") => positive == name,
        Some("false") => positive != name,
        Some(_) => return None,
    };
    if SWITCHES.contains(&positive) {
        return Some(format!("--{positive}"));
    }
    // Without a value there is nothing to bring into form.
    value.filter(|_| OWN_SWITCHES.contains(&positive))?;
    Some(if is_on { format!("--{positive}") } else { format!("--no-{positive}") })
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn switches_with_values() {
        let check = |argument: &str, expected: &str| {
            assert_eq!(rewrite(vec![argument.into()]), [expected], "{argument}");
        };
        check("--production=false", "--no-production");
        check("--production=true", "--production");
        check("--no-save=false", "--save");
        check("--no-audit", "--audit");
        check("--no-audit=true", "--audit");
        check("--fund=false", "--fund");
        check("--no-production", "--no-production");
        check("--omit=dev", "--omit=dev");
        check("--cwd=false", "--cwd=false");
        check("--cache=true", "--cache");
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        let arguments = ["deka", "install", "--", "--save=false"].map(Into::into).to_vec();
        assert_eq!(rewrite(arguments.clone()), arguments);
    }
}
