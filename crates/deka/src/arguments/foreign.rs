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

/// Switches of deka with a `--no-…` beside them. npm lets people write both with a value:
/// `--production=false`.
const WITH_OPPOSITE: &[&str] = &[
    "dry-run",
    "force",
    "frozen-lockfile",
    "ignore-scripts",
    "immutable",
    "prod",
    "production",
    "progress",
    "save",
    "strict-ssl",
];

/// Switches of deka that are off unless given, so that switching them off says nothing.
const WITHOUT_OPPOSITE: &[&str] = &[
    "json",
    "lockfile-only",
    "offline",
    "package-lock-only",
    "prefer-offline",
    "prefer-online",
    "quiet",
    "save-dev",
    "save-exact",
    "save-prod",
    "silent",
    "verbose",
];

/// Switches of deka that exist as `--no-…` alone.
const OPPOSITE_ALONE: &[&str] = &["lockfile", "optional", "summary", "verify"];

/// Brings a command line into the one form that is parsed: `--flag=true` and `--flag=false` of
/// switches become `--flag`, `--no-flag` or nothing, and of ignored ones only `--flag` is left. What
/// follows `--` is left alone.
pub(super) fn rewrite(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut rest_is_positional = false;
    let mut output = Vec::with_capacity(arguments.len());
    for argument in arguments {
        rest_is_positional |= argument == "--";
        match argument.to_str().map(switch) {
            Some(Switch::Is(text)) if !rest_is_positional => output.push(text.into()),
            Some(Switch::Nothing) if !rest_is_positional => {}
            _ => output.push(argument),
        }
    }
    output
}

/// What an argument is rewritten to.
enum Switch {
    Other,
    Is(String),
    Nothing,
}

fn switch(argument: &str) -> Switch {
    let Some(flag) = argument.strip_prefix("--") else { return Switch::Other };
    let (name, value) =
        flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
    let positive = name.strip_prefix("no-").unwrap_or(name);
    let is_on = match value {
        None | Some("true") => positive == name,
        Some("false") => positive != name,
        Some(_) => return Switch::Other,
    };
    let on = || Switch::Is(format!("--{positive}"));
    let off = || Switch::Is(format!("--no-{positive}"));
    if SWITCHES.contains(&positive) {
        return on();
    }
    if WITH_OPPOSITE.contains(&positive) {
        return if is_on { on() } else { off() };
    }
    if WITHOUT_OPPOSITE.contains(&positive) {
        return if is_on { on() } else { Switch::Nothing };
    }
    if OPPOSITE_ALONE.contains(&positive) {
        // `--optional` alone is another flag: the group to add to.
        return match (is_on, value) {
            (false, _) => off(),
            (true, None) => Switch::Other,
            (true, Some(_)) => Switch::Nothing,
        };
    }
    Switch::Other
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

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
        check("--cache=true", "--cache=true");
        check("--summary=false", "--no-summary");
        check("--optional", "--optional");
        check("--optional=false", "--no-optional");
        check("--json=true", "--json");
        assert_eq!(rewrite(vec!["--offline=false".into()]), Vec::<OsString>::new());
        assert_eq!(rewrite(vec!["--verify=true".into()]), Vec::<OsString>::new());
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        let arguments = ["deka", "install", "--", "--save=false"].map(Into::into).to_vec();
        assert_eq!(rewrite(arguments.clone()), arguments);
    }
}
