//! `deka dedupe`: what it says, and when it leaves the project alone.

use deka_test::{Registry, TestProject};
use serde_json::json;

use crate::project;

/// A project with two versions of `c` in its lockfile, of which one would do.
fn with_duplicates(registry: &Registry) -> TestProject {
    registry.package("b", "1.0.0").dep("c", "^1.0.0").publish();
    registry.package("c", "1.0.0").publish();
    registry.package("c", "1.1.0").publish();
    let project = project();
    project.use_registry(registry).package_json(json!({ "dependencies": { "b": "1.0.0" } }));
    project.command(["install"]).run().assert_success();
    project.command(["add", "c@1.0.0"]).run().assert_success();
    assert!(project.exists("node_modules/b/node_modules/c"));
    project
}

#[test]
fn what_dedupe_says() {
    let registry = Registry::start();
    let project = with_duplicates(&registry);
    let before = (project.read("bun.lock"), project.node_modules().to_string());
    registry.clear_requests();

    let lines = "\n~ c 1.1.0 -> 1.0.0\n\n1 duplicate version";
    let check = project.command(["dedupe", "--check"]).run();
    assert_eq!(
        check.snapshot(),
        format!(
            "exit code: 1\n----- stdout -----\ndeka dedupe v0.1.0\n{lines} can be removed (checked 4 packages in \
             bun.lock) [TIME]\n----- stderr -----\nerror: 1 duplicate version can be removed\n\n\
             hint: Run `deka dedupe`, and commit bun.lock\n"
        )
    );
    project.command(["dedupe", "--dry-run"]).run().assert_success();
    project.command(["dedupe", "--frozen-lockfile"]).run().assert_code(1);
    assert_eq!((project.read("bun.lock"), project.node_modules().to_string()), before);

    let outcome = project.command(["dedupe"]).run();
    assert_eq!(
        outcome.snapshot(),
        format!(
            "exit code: 0\n----- stdout -----\ndeka dedupe v0.1.0\n{lines} removed (checked 4 packages in bun.lock) \
             [TIME]\n"
        )
    );
    assert!(!project.exists("node_modules/b/node_modules/c"));
    // The lockfile has all the answers.
    assert_eq!(registry.paths(), Vec::<String>::new());

    let again = project.command(["dedupe", "--check"]).run();
    again.assert_success();
    assert!(again.stdout.contains("\nNo duplicates (checked 3 packages"), "{}", again.snapshot());
    let unchanged = project.command(["install"]).run();
    assert!(unchanged.stdout.contains("(no changes)"), "{}", unchanged.snapshot());
}

#[test]
fn for_programs() {
    let registry = Registry::start();
    let project = with_duplicates(&registry);
    let outcome = project.command(["dedupe", "--json", "--lockfile-only"]).run();
    outcome.assert_success();
    let summary = outcome.document("install");
    let removed = json!([{ "name": "c", "version": "1.1.0", "replacements": ["1.0.0"] }]);
    assert_eq!(summary["duplicates"], json!({ "checked": 4, "removed": removed }));
}

#[test]
fn a_patched_version_stays() {
    let registry = Registry::start();
    let project = with_duplicates(&registry);
    project.write("patches/c.patch", "");
    project.package_json(json!({
        "dependencies": { "b": "1.0.0", "c": "1.0.0" },
        "patchedDependencies": { "c@1.1.0": "patches/c.patch" },
    }));
    project.command(["install"]).run().assert_success();
    let outcome = project.command(["dedupe"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("No duplicates"), "{}", outcome.snapshot());
}

#[test]
fn a_lockfile_has_to_be_there_and_up_to_date() {
    let registry = Registry::start();
    let project = with_duplicates(&registry);
    project.package_json(json!({ "dependencies": { "b": "^1.0.0", "c": "1.1.0" } }));
    let outcome = project.command(["dedupe"]).run();
    assert_eq!(
        outcome.snapshot(),
        "exit code: 1\n----- stdout -----\ndeka dedupe v0.1.0\n----- stderr -----\n\
         error: `bun.lock` does not match `package.json`\n\nhint: Run `deka install` first\n"
    );
    project.remove("bun.lock");
    let outcome = project.command(["dedupe", "--check"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("There is no `bun.lock`"), "{}", outcome.snapshot());
    project.command(["dedupe", "b"]).run().assert_code(2);
    let help = project.command(["dedupe", "--help"]).run();
    assert!(help.stdout.contains("Examples:"), "{}", help.snapshot());
}
