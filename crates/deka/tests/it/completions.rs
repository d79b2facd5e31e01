//! Completion scripts.

use std::path::Path;

use deka_test::{Program, say_skipped};

use crate::{deka, project};

#[test]
fn every_shell_learns_commands_and_flags() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = deka(&["completions", shell]);
        outcome.assert_success();
        for word in ["install", "ci", "completions", "frozen-lockfile", "minimum-release-age"] {
            assert!(outcome.stdout.contains(word), "{shell} does not know `{word}`");
        }
        for word in ["no-frozen-lockfile", "legacy-peer-deps"] {
            assert!(!outcome.stdout.contains(word), "{shell} shows `{word}`");
        }
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn shells_can_read_the_scripts() {
    for (shell, path) in [("bash", "/bin/bash"), ("zsh", "/bin/zsh"), ("fish", "/usr/bin/fish")] {
        if !Path::new(path).exists() {
            say_skipped(&format!("`{path}` is not here, so its completions are not read"));
            continue;
        }
        let project = project();
        project.write("script", deka(&["completions", shell]).stdout);
        let outcome = Program::new(path, &project.path()).args(["-n", "script"]).run();
        outcome.assert_success();
        assert_eq!(outcome.stderr, "");
    }
}

#[test]
fn a_shell_has_to_be_named() {
    let outcome = deka(&["completions"]);
    outcome.assert_code(2);
    assert!(outcome.stderr.contains("`deka completions` needs `<shell>`"), "{}", outcome.stderr);
    let outcome = deka(&["completions", "tcsh"]);
    outcome.assert_code(2);
    assert!(outcome.stderr.contains("valid: bash, elvish, fish"), "{}", outcome.stderr);
}
