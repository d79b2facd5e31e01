//! What decides about the result of scripts besides packages.
//!
//! Results are kept, and linked on the next install instead of running anything. So all has to be in their
//! key that scripts see: the system, the programs that builds call, and the variables. Those of sessions and of
//! runs of CI are another in each, so scripts in the sandbox, whose results are the ones that are kept, do not
//! see them; and a few, which say who and where, are seen but of no account.

use std::path::Path;

use deka_config::{Config, Environment};

use crate::node::find_program;
use crate::sandbox::is_secret;

/// Programs that builds call. Which of them is found counts, and not what else `PATH` has.
const PROGRAMS: &str = "
    node node-gyp cc c++ gcc g++ clang clang++ ld make cmake ninja pkg-config python python3
    cargo rustc";

/// Where Linux says which distribution it is, and so which libraries there are.
const SYSTEM: &str = "/etc/os-release";

/// Variables that are seen and of no account: they say who and where, and how to show something, or come from
/// deka. (`PATH` counts by its programs.)
const OF_NO_ACCOUNT: &str = "
    _ CLICOLOR COLORTERM COLUMNS FORCE_COLOR HOME INIT_CWD LINES LOGNAME LS_COLORS NODE NO_COLOR
    PATH PWD SHELL SHLVL TEMP TERM TMP TMPDIR USER USERNAME XDG_CACHE_HOME npm_command
    npm_config_cache npm_config_local_prefix npm_config_user_agent npm_execpath
    npm_node_execpath";

/// How names of such variables begin: deka sets them for each script.
const OF_NO_ACCOUNT_PREFIXES: &str = "npm_lifecycle_ npm_package_";

/// Variables of users' sessions and of runs of CI.
const OF_SESSIONS: &str = "
    BUILD_ID BUILD_NUMBER BUILD_TAG BUILD_URL DISPLAY EDITOR HOST HOSTNAME INVOCATION_ID
    JOURNAL_STREAM MAIL OLDPWD PAGER PS1 VISUAL WAYLAND_DISPLAY WINDOWID WORKSPACE XAUTHORITY";

/// How names of such variables begin.
const OF_SESSIONS_PREFIXES: &str = "
    BITBUCKET_ BUILDKITE_ BUN_ CIRCLE_ CI_ DEKA_ DRONE_ GITHUB_ HIST ITERM_ JENKINS_ KITTY_
    LESS RUNNER_ SSH_ TERM_ TMUX TRAVIS_ VSCODE_ XDG_";

/// Variables that begin so and are the same in each run.
const OF_SYSTEMS: &str = "
    GITHUB_ACTIONS GITHUB_API_URL GITHUB_SERVER_URL RUNNER_ARCH RUNNER_OS XDG_CACHE_HOME";

/// Returns what decides about results, as texts; their order says nothing.
pub fn inputs(environment: &Environment, config: &Config) -> Vec<String> {
    let path = environment.get("PATH").unwrap_or_default();
    let programs = PROGRAMS
        .split_whitespace()
        .filter_map(|name| Some(format!("{name}: {}", identity(&find_program(path, name)?)?)));
    let mut inputs: Vec<String> = programs.collect();
    inputs.extend(std::fs::read_to_string(SYSTEM).ok());
    // Files and flags say in `npm_config_*` what the environment may say in any spelling.
    let of_files = config.script_variables.iter().chain(&config.script_flags);
    let of_files = of_files.map(|(name, value)| (&**name, value.expose()));
    let variables = environment.variables().filter(|(name, value)| counts(name, value));
    inputs.extend(of_files.chain(variables).map(|(name, value)| format!("{name}={value}")));
    inputs.sort_unstable();
    inputs
}

/// Whether a variable counts. What scripts do not see does not.
fn counts(name: &str, value: &str) -> bool {
    !is_in(OF_NO_ACCOUNT, name)
        && !begins_as(OF_NO_ACCOUNT_PREFIXES, name)
        && !is_of_session(name)
        && !is_secret(name, value)
}

/// Whether a variable is another one in each session or run, so that scripts do not see it whose results are
/// for all of them.
pub(crate) fn is_of_session(name: &str) -> bool {
    (is_in(OF_SESSIONS, name) || begins_as(OF_SESSIONS_PREFIXES, name)) && !is_in(OF_SYSTEMS, name)
}

fn is_in(names: &str, name: &str) -> bool {
    names.split_whitespace().any(|known| known == name)
}

fn begins_as(prefixes: &str, name: &str) -> bool {
    prefixes.split_whitespace().any(|prefix| name.starts_with(prefix))
}

/// Tells a program from any other, without starting it.
fn identity(program: &Path) -> Option<String> {
    let real = std::fs::canonicalize(program).ok()?;
    let metadata = std::fs::metadata(&real).ok()?;
    Some(format!("{} {} {:?}", real.display(), metadata.len(), metadata.modified().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Vec<String> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        inputs(&Environment::new(owned, None, "/project".into()), &Config::default())
    }

    #[test]
    fn variables_that_count() {
        let plain = of(&[]);
        for (name, expected) in [
            ("CFLAGS", true),
            ("npm_config_arch", true),
            ("CYPRESS_INSTALL_BINARY", true),
            ("NODE_ENV", true),
            ("CI", true),
            ("TERM", false),
            ("GITHUB_RUN_ID", false),
            ("GITHUB_ACTIONS", true),
            ("XDG_CACHE_HOME", false),
            ("npm_package_name", false),
            ("NPM_TOKEN", false),
        ] {
            assert_eq!(of(&[(name, "x")]) != plain, expected, "{name}");
        }
        assert_eq!(of(&[("A", "1"), ("B", "2")]), of(&[("B", "2"), ("A", "1")]));
    }

    #[cfg(unix)]
    #[test]
    fn programs_count_and_not_where_else_they_might_be() {
        use std::os::unix::fs::PermissionsExt;

        let folders = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folders.path().join(name));
        for folder in [&first, &second] {
            std::fs::create_dir(folder).unwrap();
        }
        let path_of =
            |folders: &[&Path]| std::env::join_paths(folders).unwrap().into_string().unwrap();
        let in_path = |folders: &[&Path]| of(&[("PATH", &path_of(folders))]);
        let program = second.join("cc");
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let before = in_path(&[&second]);
        assert_eq!(in_path(&[&first, &second]), before);
        std::fs::write(&program, "#!/bin/sh\n# newer\n").unwrap();
        assert_ne!(in_path(&[&second]), before);
    }
}
