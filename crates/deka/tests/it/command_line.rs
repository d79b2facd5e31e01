//! Commands, flags, help, and what is said about mistakes.

use deka_test::{Outcome, TestProject};

use crate::{deka, project};

/// Fails unless `deka` ends with 2, says nothing on stdout, and this on stderr.
#[track_caller]
fn check_mistake(arguments: &[&str], expected: &str) {
    let outcome = deka(arguments);
    outcome.assert_code(2);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", expected), "{arguments:?}");
}

/// Fails unless `deka` ends with 0 and says nothing on stderr.
#[track_caller]
fn check_accepted(arguments: &[&str]) -> Outcome {
    let outcome = deka(arguments);
    outcome.assert_success();
    assert_eq!(outcome.stderr, "", "{arguments:?}");
    outcome
}

#[test]
fn versions() {
    for flag in ["--version", "-v", "-V"] {
        let outcome = check_accepted(&[flag]);
        assert_eq!(outcome.stdout, concat!(env!("CARGO_PKG_VERSION"), "\n"));
    }
}

#[test]
fn the_version_needs_no_folder_and_no_environment() {
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    let program = project.command(["--version"]).env_remove("HOME").env_remove("PATH");
    program.run().assert_success();
}

#[test]
fn help() {
    insta::assert_snapshot!("help", check_accepted(&["help"]).stdout);
    assert_eq!(deka(&["--help"]).stdout, deka(&["help"]).stdout);
    assert_eq!(deka(&["-h"]).stdout, deka(&["help"]).stdout);
    assert_eq!(deka(&[]).stdout, deka(&["help"]).stdout);
}

#[test]
fn help_of_commands() {
    insta::assert_snapshot!("help-install", check_accepted(&["help", "install"]).stdout);
    insta::assert_snapshot!("help-completions", check_accepted(&["help", "completions"]).stdout);
    for name in ["install", "ci", "completions"] {
        let flag = deka(&[name, "--help"]);
        assert_eq!(flag.stdout, check_accepted(&["help", name]).stdout);
    }
    assert_eq!(deka(&["help", "i"]).stdout, deka(&["help", "install"]).stdout);
}

#[test]
fn exit_codes_are_documented() {
    insta::assert_snapshot!("help-exit-codes", check_accepted(&["help", "exit-codes"]).stdout);
}

#[test]
fn unknown_flags_are_refused_with_the_nearest() {
    let check = |flag: &str, nearest: &str| {
        check_mistake(
            &["install", flag],
            &format!(
                "error: `deka install` has no flag `{flag}` (EUSAGE)\n\nhint: Did you mean `{nearest}`?\n"
            ),
        );
    };
    check("--frozen-lockfil", "--frozen-lockfile");
    check("--frozen", "--frozen-lockfile");
    check("--ofline", "--offline");
    check("--minimum-release-agee", "--minimum-release-age");
    check_mistake(
        &["ci", "--foo-bar"],
        "error: `deka ci` has no flag `--foo-bar` (EUSAGE)\n\n\
         hint: Run `deka help ci` to see all flags\n",
    );
    check_mistake(
        &["--foo-bar"],
        "error: `deka` has no flag `--foo-bar` (EUSAGE)\n\nhint: Run `deka help` to see all flags\n",
    );
}

#[test]
fn unknown_commands() {
    check_mistake(
        &["instal"],
        "error: deka has no command `instal` (EUSAGE)\n\nhint: Did you mean `deka install`?\n",
    );
    check_mistake(
        &["frobnicate"],
        "error: deka has no command `frobnicate` (EUSAGE)\n\n\
         hint: Run `deka help` to see all commands\n",
    );
    check_mistake(
        &["pm", "trsut"],
        "error: `deka pm` has no command `trsut` (EUSAGE)\n\nhint: Did you mean `deka pm trust`?\n",
    );
    check_mistake(
        &["config", "frobnicate"],
        "error: `deka config` has no command `frobnicate` (EUSAGE)\n\n\
         hint: Run `deka help config` to see all commands\n",
    );
    check_mistake(
        &["pm", "cache", "frobnicate"],
        "error: `deka pm cache` has no command `frobnicate` (EUSAGE)\n\n\
         hint: Run `deka pm cache --help` to see all commands\n",
    );
    check_mistake(
        &["pm"],
        "error: `deka pm` needs a command (EUSAGE)\n\nhint: Run `deka help pm` to see all commands\n",
    );
    let outcome = deka(&["publish", "left-pad"]);
    outcome.assert_code(2);
    assert!(outcome.stderr.contains("not there yet"), "{}", outcome.snapshot());
}

#[test]
fn wrong_values() {
    check_mistake(
        &["install", "--omit", "deps"],
        "error: Invalid value `deps` for `--omit` (EUSAGE)\n  valid: dev, optional, peer\n",
    );
    check_mistake(
        &["install", "--linker", "isolate"],
        "error: Invalid value `isolate` for `--linker` (EUSAGE)\n  \
         valid: auto, hoisted, isolated\n\nhint: Did you mean `isolated`?\n",
    );
    check_mistake(
        &["install", "--network-concurrency", "0"],
        "error: Invalid value `0` for `--network-concurrency` (EUSAGE)\n  \
         Caused by: expected a number of at least 1\n",
    );
    check_mistake(
        &["install", "--libc", "uclibc"],
        "error: Invalid value `uclibc` for `--libc` (EUSAGE)\n  valid: *, glibc, musl\n",
    );
    check_mistake(
        &["install", "--minimum-release-age", "soon"],
        "error: Invalid value `soon` for `--minimum-release-age` (EUSAGE)\n  \
         Caused by: expected a number of seconds, or a duration such as `3d` or `12h`\n",
    );
    check_mistake(
        &["install", "--registry"],
        "error: `--registry` needs a value (EUSAGE)\n\nhint: Write `--registry <url>`\n",
    );
    check_mistake(
        &["install", "--registry", "nonsense"],
        "error: The registry given by flag `--registry` cannot be used (EUSAGE)\n  \
         Caused by: it is not a URL\n  Caused by: relative URL without a base\n\n\
         hint: A registry is written as in `--registry=https://registry.example/`\n",
    );
    check_mistake(
        &["install", "--frozen-lockfile=maybe"],
        "error: `--frozen-lockfile` takes no value (EUSAGE)\n\nhint: Write `--frozen-lockfile` alone\n",
    );
    let outcome = deka(&["install", "--cwd", "nowhere"]);
    outcome.assert_code(2);
    assert_eq!(
        outcome.filtered(&outcome.stderr),
        "error: Failed to change to the folder `[PROJECT]/nowhere` (EUSAGE)\n  \
         Caused by: No such file or directory (os error 2)\n"
    );
}

#[test]
fn flags_that_would_be_ignored_at_a_cost_are_refused() {
    for arguments in [&["install", "--before=2020-01-01"][..], &["install", "--yarn"]] {
        let outcome = deka(arguments);
        outcome.assert_code(2);
        assert!(outcome.stderr.contains("is not supported"), "{}", outcome.snapshot());
    }
}

#[test]
fn own_flags_are_accepted() {
    check_accepted(&["i", "-p"]);
    check_accepted(&["install", "--filter", "*", "-F", "./", "--workspace=*"]);
    check_accepted(&["ci"]);
    check_accepted(&[
        "install",
        "--frozen-lockfile",
        "--production",
        "--omit",
        "dev",
        "--omit=optional,peer",
        "--ignore-scripts",
        "--force",
        "--prefer-offline",
        "--no-cache",
        "--cache-dir=cache",
        "--registry=https://registry.example/",
        "--cwd=.",
        "--linker=hoisted",
        "--backend=copyfile",
        "--network-concurrency=8",
        "--cpu=x64",
        "--os=linux,darwin",
        "--libc=*",
        "--minimum-release-age=3d",
        "--minimum-release-age-excludes=a,b",
        "--no-save",
        "--no-progress",
        "--no-summary",
        "--offline",
        "--dry-run",
        "--silent",
        "--quiet",
    ]);
}

#[test]
fn flags_of_other_package_managers_are_accepted() {
    for flag in [
        // npm
        "--no-audit",
        "--no-fund",
        "--audit=false",
        "--fund=false",
        "--legacy-peer-deps",
        "--package-lock-only",
        "--save-dev",
        "-D",
        "--save-exact",
        "-E",
        "--include=dev",
        "--only=prod",
        "--also=dev",
        "--no-optional",
        "--install-strategy=hoisted",
        "--no-package-lock",
        "--prefer-online",
        "--loglevel=warn",
        "--production=false",
        "--save=false",
        "--no-bin-links",
        "--foreground-scripts",
        "--strict-peer-deps",
        "--color",
        "--no-color",
        "--color=always",
        "--fetch-retries=2",
        "--fetch-timeout=1000",
        "--maxsockets=4",
        "--strict-ssl=true",
        "--min-release-age=2",
        "-s",
        "-q",
        "-f",
        "--cache=folder",
        "--userconfig=.npmrc",
        // pnpm
        "--prod",
        "-P",
        "--no-frozen-lockfile",
        "--prefer-frozen-lockfile",
        "--shamefully-hoist",
        "--node-linker=hoisted",
        "--package-import-method=copy",
        "--store-dir=x",
        "--reporter=silent",
        "--ignore-pnpmfile",
        "--no-hoist",
        "--recursive",
        "--modules-dir=x",
        "-C.",
        "--dir=.",
        // yarn
        "--immutable",
        "--no-immutable",
        "--pure-lockfile",
        "--no-lockfile",
        "--ignore-optional",
        "--ignore-engines",
        "--non-interactive",
        "--check-cache",
        "--network-timeout=1000",
        "--mode=skip-build",
        "--mode=update-lockfile",
        "--cache-folder=x",
        "--inline-builds",
        // Bun
        "--save-text-lockfile",
        "--use-system-ca",
        "--no-env-file",
        "--env-file=.env",
        "--trust",
        "--concurrent-scripts=2",
        "--exact",
        "--dev",
        "--peer",
        "--optional",
    ] {
        let outcome = deka(&["install", flag]);
        assert_eq!(outcome.code, Some(0), "{flag}\n{}", outcome.snapshot());
        assert_eq!(outcome.stderr, "", "{flag}");
    }
}

#[test]
fn integrity_is_verified_whatever_flags_say() {
    let outcome = deka(&["install", "--no-verify"]);
    outcome.assert_success();
    assert!(
        outcome.stderr.starts_with("warn: `--no-verify` changes nothing"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn another_folder() {
    let project = project();
    project.write("app/package.json", "{}\n").write("app/deep/er/x", "");
    let runs = |arguments: &[&str]| project.command(arguments).run().assert_success().code;
    project.remove("package.json");
    project.command(["install"]).run().assert_code(1);
    runs(&["install", "--cwd", "app"]);
    runs(&["--cwd=app", "install"]);
    runs(&["install", "--prefix", "app"]);
    // The project is found from within.
    runs(&["install", "--cwd", "app/deep/er"]);
}

#[test]
fn paragraphs_of_help_flow() {
    let outcome = deka(&["pm", "cache", "--help"]);
    outcome.assert_success();
    let text = "Projects keep their files,\nwhich the next install fetches again";
    assert!(outcome.stdout.contains(text), "{}", outcome.stdout);
}
