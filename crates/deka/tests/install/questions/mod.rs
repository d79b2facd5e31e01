//! Commands that ask the registry and install nothing.

mod audit;
mod diff;
mod info;
mod outdated;
#[cfg(unix)]
mod picker;
mod search;

use deka_test::{Outcome, Registry, TestProject};
use serde_json::json;

/// Runs deka, which has to end with `code`, and compares what it prints.
#[track_caller]
fn check(project: &TestProject, arguments: &[&str], code: i32, expected: &str) -> Outcome {
    let outcome = project.command(arguments).run();
    outcome.assert_code(code);
    assert_eq!(outcome.filtered(&outcome.stdout), expected, "{}", outcome.snapshot());
    outcome
}

/// Runs deka, which has to fail and to say this.
#[track_caller]
fn check_failure(project: &TestProject, arguments: &[&str], code: i32, expected: &str) {
    let outcome = project.command(arguments).run();
    outcome.assert_code(code);
    assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
}

/// A project with dependencies of all groups, installed when some versions were not there yet.
fn installed(registry: &Registry) -> TestProject {
    for version in ["1.0.0", "1.0.1"] {
        registry.package("a", version).file("index.js", version).publish();
    }
    registry.package("b", "1.0.0").dep("c", "^1.0.0").publish();
    registry.package("holder", "1.0.0").dep("c", "1.0.0").publish();
    for version in ["1.0.0", "1.1.0"] {
        registry.package("c", version).publish();
    }
    registry.package("d", "0.1.0").publish();
    registry.package("@s/x", "1.5.0").publish();
    let project = crate::project();
    project.use_registry(registry).package_json(json!({
        "name": "p",
        "dependencies": { "a": "~1.0.0", "b": "^1.0.0", "holder": "1.0.0", "z": "npm:@s/x@^1.0.0" },
        "devDependencies": { "d": "0.1.0" },
        "optionalDependencies": { "c": "^1.0.0" },
    }));
    project.command(["install"]).run().assert_success();
    for (name, version) in [
        ("a", "1.0.2"),
        ("a", "1.2.0"),
        ("a", "2.1.0"),
        ("c", "2.0.0"),
        ("c", "2.0.1"),
        ("d", "0.1.5"),
    ] {
        registry.package(name, version).file("index.js", version).publish();
    }
    registry.package("d", "0.2.0").publish();
    registry.package("@s/x", "2.0.0").publish();
    // What the cache knows is younger than all that.
    project.clear_cache();
    project
}
