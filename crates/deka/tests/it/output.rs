//! What goes to which stream, in which colours, and how much of it.

use crate::{deka, project};

#[test]
fn the_summary_is_on_stdout_and_nothing_else_is_said() {
    let outcome = deka(&["install"]);
    outcome.assert_success();
    let header = concat!("deka install v", env!("CARGO_PKG_VERSION"), "\n\n");
    assert_eq!(outcome.filtered(&outcome.stdout), format!("{header}[TIME] done\n"));
    assert_eq!(outcome.stderr, "");
}

#[test]
fn less_output() {
    for flag in ["--silent", "--quiet", "--no-summary", "--loglevel=error"] {
        let outcome = deka(&["install", flag]);
        outcome.assert_success();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "{flag}");
    }
    // Errors are said even then.
    let project = project();
    project.write("package.json", "{");
    let outcome = project.command(["install", "--silent"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.starts_with("error: "), "{}", outcome.stderr);
}

#[test]
fn json() {
    let outcome = deka(&["install", "--json"]);
    outcome.assert_success();
    assert_eq!(outcome.document("install")["outcome"], "no-dependencies");
    assert_eq!(outcome.stdout.lines().count(), 1);
}

#[test]
fn colours() {
    let is_coloured = |variables: &[(&str, &str)], arguments: &[&str]| {
        let project = project();
        let mut program = project.command(arguments).env_remove("NO_COLOR");
        for (name, value) in variables {
            program = program.env(name, value);
        }
        let outcome = program.run();
        (outcome.stdout.contains('\u{1b}'), outcome.stderr.contains('\u{1b}'))
    };
    // Neither stream is a terminal here.
    assert_eq!(is_coloured(&[], &["help"]), (false, false));
    assert_eq!(is_coloured(&[], &["--foo"]), (false, false));
    assert_eq!(is_coloured(&[("FORCE_COLOR", "1")], &["install"]), (true, false));
    assert_eq!(is_coloured(&[("FORCE_COLOR", "1")], &["--foo"]), (false, true));
    assert_eq!(is_coloured(&[("FORCE_COLOR", "0")], &["install"]), (false, false));
    assert_eq!(is_coloured(&[], &["install", "--color"]), (true, false));
    assert_eq!(is_coloured(&[("FORCE_COLOR", "1")], &["install", "--no-color"]), (false, false));
    assert_eq!(is_coloured(&[("NO_COLOR", "1")], &["install"]), (false, false));
}

#[test]
fn the_log_is_for_those_who_ask() {
    let debug = |value: &str| {
        let outcome = project().command(["install"]).env("DEKA_DEBUG", value).run();
        outcome.assert_success();
        outcome
    };
    assert_eq!(debug("").stderr, "");
    assert_eq!(debug("0").stderr, "");
    let wrong = debug("a=b=c");
    assert!(wrong.stderr.starts_with("warn: `DEKA_DEBUG` is no filter"), "{}", wrong.stderr);
    let everything = debug("1");
    assert!(everything.stderr.contains("DEBUG deka"), "{}", everything.snapshot());
    assert!(!everything.stdout.contains("DEBUG"));
    assert!(deka(&["install", "--verbose"]).stderr.contains("DEBUG deka"));
    assert_eq!(deka(&["install", "--verbose", "--silent"]).stderr, "");
}
