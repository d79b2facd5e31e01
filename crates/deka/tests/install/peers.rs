//! Peers that do not get what they want: when that is said, and how.

use deka_test::{Registry, TestProject};
use serde_json::json;

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["17.0.0", "18.2.0", "19.0.0"] {
        registry.package("react", version).publish();
    }
    for name in ["a", "b", "c", "d"] {
        registry.package(name, "1.0.0").peer("react", "^17").publish();
    }
    registry.package("content", "1.0.0").optional_peer("react", "^17").publish();
    registry.package("hopeless", "1.0.0").peer("react", "^99").publish();
    registry
}

fn project(registry: &Registry, manifest: serde_json::Value) -> TestProject {
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(registry).package_json(manifest);
    project
}

/// Returns what a command that succeeds says besides its result.
#[track_caller]
fn says(project: &TestProject, command: &[&str]) -> String {
    let outcome = project.command(command.iter().copied()).run();
    outcome.assert_success();
    outcome.stderr
}

#[test]
fn they_are_told_when_they_come_up() {
    let registry = registry();
    let project = project(&registry, json!({ "dependencies": { "react": "^18", "a": "1" } }));
    let a = "a@1.0.0 wants react@^17 and gets 18.2.0, because the project asks for react@^18\n";
    assert_eq!(says(&project, &["install"]), format!("warn: {a}"));
    // Who has it knows it, also where everything is made anew from the lockfile.
    assert_eq!(says(&project, &["install"]), "");
    project.remove("node_modules");
    assert_eq!(says(&project, &["install"]), "");
    assert_eq!(says(&project, &["ci"]), "");
    let b = a.replace("a@1.0.0", "b@1.0.0");
    assert_eq!(says(&project, &["add", "b"]), format!("warn: {b}"));
    let both = format!("warn: 2 peers do not get what they want\n  {a}  {b}");
    let both = both.replace("18.2.0", "19.0.0").replace("react@^18", "react@19");
    assert_eq!(says(&project, &["add", "react@19"]), both);
    assert_eq!(says(&project, &["add", "--silent", "c"]), "");
    assert_eq!(says(&project, &["update"]), "");
    assert_eq!(says(&project, &["remove", "c"]), "");
    assert_eq!(says(&project, &["add", "content"]), "");
    project.remove("bun.lock");
    assert_eq!(says(&project, &["install"]), both);
}

#[test]
fn many_are_counted() {
    let registry = registry();
    let project = project(&registry, json!({ "dependencies": { "react": "^18" } }));
    project.command(["install"]).run().assert_success();
    let said = says(&project, &["add", "a", "b", "c", "d"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert_eq!(lines[0], "warn: 4 peers do not get what they want");
    assert_eq!(lines[4], "  and 1 more; `deka doctor` shows all");
    let doctor = project.command(["doctor"]).run();
    assert!(doctor.stdout.contains("d@1.0.0 wants react@^17"), "{}", doctor.snapshot());
}

#[test]
fn nobody_is_told_of_what_was_decided() {
    let registry = registry();
    let dependencies = json!({ "a": "1" });
    let project = project(
        &registry,
        json!({ "dependencies": dependencies, "overrides": { "react": "^18" } }),
    );
    assert_eq!(says(&project, &["install"]), "");
    let document = project.command(["doctor", "--json", "--offline"]).run().document("doctor");
    let checks = document["checks"].as_array().expect("checks");
    let peers = checks.iter().find(|check| check["check"] == "peers").expect("peers");
    assert_eq!(peers["health"], "good");

    let project = self::project(&registry, json!({ "dependencies": { "hopeless": "1" } }));
    assert_eq!(says(&project, &["install", "--omit=peer"]), "");
    project.remove("bun.lock");
    let said = "warn: hopeless@1.0.0 wants react@^99 and nobody has it\n";
    assert_eq!(says(&project, &["install"]), said);
}

#[test]
fn programs_are_told_too() {
    let registry = registry();
    let project = project(&registry, json!({ "dependencies": { "react": "^18", "a": "1" } }));
    let conflict = json!([{
        "dependent": "a@1.0.0", "peer": "react", "wanted": "^17", "found": "18.2.0",
        "because": { "dependent": "the project", "asks": "react@^18" }
    }]);
    let document = project.command(["install", "--json", "--dry-run"]).run().document("install");
    assert_eq!(document["peer_conflicts"], conflict);
    let outcome = project.command(["install", "--reporter", "ndjson"]).run();
    let last = outcome.stdout.lines().last().expect("events");
    let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["summary"]["peer_conflicts"], conflict);
    let document = project.command(["install", "--json"]).run().document("install");
    assert_eq!(document["peer_conflicts"], json!([]));
}

#[test]
fn why_says_what_peers_want_and_get() {
    let registry = registry();
    let project = project(&registry, json!({ "name": "p", "dependencies": { "react": "^18" } }));
    project.command(["add", "a", "hopeless"]).run().assert_success();
    let outcome = project.command(["why", "react"]).run();
    assert_eq!(
        outcome.stdout,
        "react@18.2.0\n  ├─ p (requires ^18)\n  ├─ peer a@1.0.0 (requires ^17, gets 18.2.0)\n  \
         │  └─ p (requires ^1.0.0)\n  └─ peer hopeless@1.0.0 (requires ^99, gets 18.2.0)\n     \
         └─ p (requires ^1.0.0)\n\n"
    );
    let outcome = project.command(["why", "a"]).run();
    assert_eq!(
        outcome.stdout,
        "a@1.0.0\n  └─ p (requires ^1.0.0)\n  wants react@^17, gets 18.2.0\n\n"
    );
    let document = project.command(["why", "a", "--json"]).run().document("why");
    let peers = json!([{ "name": "react", "range": "^17", "found": "18.2.0", "satisfied": false }]);
    assert_eq!(document["packages"][0]["peers"], peers);
}
