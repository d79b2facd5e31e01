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
        // Each is one flag with many names: a flag takes more memory than its name.
        let flag = |id: &'static str, names: &'static [&'static str], action| {
            Arg::new(id).long(names[0]).aliases(&names[1..]).action(action).hide(true)
        };
        command.arg(flag("ignored-switches", SWITCHES, ArgAction::Count)).arg(flag(
            "ignored-options",
            OPTIONS,
            ArgAction::Append,
        ))
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
/// follows `--` is left alone, and so is what is for a script or another program. `command` is what all
/// of it is for.
pub(super) fn rewrite(mut arguments: Vec<OsString>, command: &Command) -> Vec<OsString> {
    let ours = verbatim_from(&arguments, command).unwrap_or(arguments.len());
    // Elsewhere `-c` names a file with settings.
    let is_exec = ours.checked_sub(1).is_some_and(|at| arguments[at] == "exec");
    if let Some(flag) = arguments.get_mut(ours).filter(|flag| is_exec && **flag == "-c") {
        *flag = "--call".into();
    }
    let mut rest_is_positional = false;
    let mut output = Vec::with_capacity(arguments.len());
    for (at, argument) in arguments.into_iter().enumerate() {
        rest_is_positional |= argument == "--" || at >= ours;
        match argument.to_str().map(switch) {
            Some(Switch::Is(text)) if !rest_is_positional => output.push(text.into()),
            Some(Switch::Nothing) if !rest_is_positional => {}
            _ => output.push(argument),
        }
    }
    output
}

/// Returns where the arguments begin that a script or another program may be given.
fn verbatim_from(arguments: &[OsString], command: &Command) -> Option<usize> {
    let takes_next = |flag: &str| {
        let is_named = |argument: &&Arg| match flag.strip_prefix("--") {
            Some(long) => {
                argument.get_long_and_visible_aliases().is_some_and(|names| names.contains(&long))
                    || argument.get_all_aliases().is_some_and(|names| names.contains(&long))
            }
            None => flag.strip_prefix('-').is_some_and(|short| {
                let mut letters = short.chars();
                let (letter, rest) = (letters.next(), letters.next());
                let shorts = argument.get_short().into_iter();
                let mut shorts =
                    shorts.chain(argument.get_all_short_aliases().into_iter().flatten());
                rest.is_none() && shorts.any(|short| Some(short) == letter)
            }),
        };
        let optional =
            |argument: &Arg| argument.get_num_args().is_some_and(|it| it.min_values() == 0);
        let named = command.get_arguments().find(is_named);
        named.is_some_and(|it| it.get_action().takes_values() && !optional(it))
    };
    let mut rest = arguments.iter().enumerate().skip(1);
    while let Some((at, argument)) = rest.next() {
        let text = argument.to_str()?;
        if !text.starts_with('-') {
            let known = command.find_subcommand(text);
            let is_verbatim =
                known.is_none_or(|known| known.get_positionals().any(Arg::is_trailing_var_arg_set));
            return is_verbatim.then_some(at + 1);
        }
        if takes_next(text) {
            rest.next();
        }
    }
    None
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
    use crate::arguments::Arguments;

    fn rewritten(arguments: &[&str]) -> Vec<OsString> {
        rewrite(arguments.iter().map(Into::into).collect(), &Arguments::command())
    }

    #[test]
    fn switches_with_values() {
        let check = |argument: &str, expected: &str| {
            assert_eq!(rewritten(&["deka", argument]), ["deka", expected], "{argument}");
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
        assert_eq!(rewritten(&["deka", "--offline=false"]), ["deka"]);
        assert_eq!(rewritten(&["deka", "--verify=true"]), ["deka"]);
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        let arguments = ["deka", "install", "--", "--save=false"];
        assert_eq!(rewritten(&arguments), arguments);
    }

    #[test]
    fn what_scripts_are_given_is_left_alone() {
        for arguments in [
            &["deka", "run", "build", "--save=false"][..],
            &["deka", "--cwd", "install", "build", "--save=false"],
            &["deka", "-C", "install", "--silent", "test", "--save=false"],
            &["deka", "exec", "tool", "--offline=false", "-c"],
        ] {
            assert_eq!(rewritten(arguments), arguments);
        }
        assert_eq!(rewritten(&["deka", "exec", "-c", "x"]), ["deka", "exec", "--call", "x"]);
        let ours = ["deka", "--cwd=x", "-C", "y", "--color", "install", "--save=false"];
        assert_eq!(rewritten(&ours)[6], "--no-save");
    }
}
