//! `--reporter ndjson`: what an install does, for programs.

use deka_test::{Outcome, Registry, TestProject, schema};
use serde_json::Value;

/// Returns the events, each checked against the schema.
#[track_caller]
fn events(outcome: &Outcome) -> Vec<Value> {
    let event = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(schema::validate("install-event", &event), Ok(()));
        event
    };
    outcome.stdout.lines().map(event).collect()
}

#[test]
fn an_install_from_beginning_to_end() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").script("postinstall", "echo built").publish();
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(&registry).write(
        "package.json",
        r#"{ "dependencies": { "a": "1" }, "trustedDependencies": ["a"], "scripts": { "install": "echo own" } }"#,
    );
    let outcome = project.command(["install", "--reporter", "ndjson"]).run();
    outcome.assert_success();
    let events = events(&outcome);
    let is_there = |name: &str| events.iter().any(|event| event["event"] == name);
    for name in ["progress", "script-started", "script-output", "script-ended", "project-script"] {
        assert!(is_there(name), "{name}: {}", outcome.snapshot());
    }
    let progress = |phase: &str| events.iter().rfind(|event| event["phase"] == phase).cloned();
    let linking = progress("linking").expect("it was linked");
    assert_eq!((&linking["done"], &linking["total"]), (&1.into(), &1.into()));
    let last = events.last().expect("events");
    assert_eq!(
        (&last["event"], &last["summary"]["outcome"]),
        (&"summary".into(), &"installed".into())
    );
    // What scripts of the project write is no event.
    assert!(outcome.stderr.contains("own"), "{}", outcome.snapshot());

    let again = project.command(["install", "--reporter=ndjson", "--json"]).run();
    let again = self::events(&again);
    assert_eq!(again.last().expect("events")["summary"]["outcome"], "unchanged");
}

#[test]
fn a_failure_is_the_last_event() {
    let registry = Registry::start();
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(&registry).write("package.json", r#"{ "dependencies": { "no": "1" } }"#);
    let outcome = project.command(["install", "--reporter", "ndjson"]).run();
    assert_ne!(outcome.code, Some(0));
    let events = events(&outcome);
    assert_eq!(events.last().expect("events")["event"], "error");
    assert!(outcome.stderr.starts_with("error: "), "{}", outcome.snapshot());
}
