//! What is deeper, wider or more entangled than anything real: it ends, soon, and with an exit code.

use std::time::Duration;

use deka_test::{Fault, Outcome, Registry, TestProject};
use serde_json::json;

use crate::project;

/// Much longer than any of this takes, much shorter than what grows exponentially.
const LONG: Duration = Duration::from_mins(1);

#[track_caller]
fn run(what: &str, project: &TestProject, arguments: &[&str]) -> Outcome {
    let outcome = project.command(arguments).timeout(LONG).run();
    let is_ended = outcome.code.is_some_and(|code| code < 100);
    assert!(is_ended, "{what} {arguments:?}: {}", outcome.snapshot());
    assert!(!outcome.stderr.contains("panicked"), "{what} {arguments:?}: {}", outcome.snapshot());
    outcome
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    [&*open.repeat(depth), inner, &*close.repeat(depth)].concat()
}

#[test]
fn files_of_a_project() {
    const DEPTH: usize = 20_000;
    let arrays = nested("[", "", "]", DEPTH);
    let objects = nested("{\"a\":", "1", "}", DEPTH);
    let lock_v1 = nested("{\"a\":{\"version\":\"1.0.0\",\"dependencies\":", "{}", "}}", DEPTH);
    let aliases = (1..40).fold(String::new(), |text, at| {
        text + &format!("a{at}: &a{at} [*a{}, *a{0}, *a{0}]\n", at - 1)
    });
    for (file, text) in [
        ("package.json", format!("{{\"x\":{arrays}}}")),
        ("package.json", "[".repeat(1_000_000)),
        ("package.json", format!("{{\"overrides\":{objects}}}")),
        ("package.json", format!("{{\"workspaces\":[\"{}\"]}}", "{a,b}/**/".repeat(60))),
        ("bun.lock", format!("{{\"lockfileVersion\":1,\"packages\":{{\"a\":{arrays}}}}}")),
        ("bun.lock", "[".repeat(1_000_000)),
        (
            "bun.lockb",
            "#!/usr/bin/env bun\nbun-lockfile-format-v0\n".to_owned() + &"\u{7f}".repeat(9999),
        ),
        ("package-lock.json", format!("{{\"lockfileVersion\":1,\"dependencies\":{lock_v1}}}")),
        ("pnpm-lock.yaml", format!("lockfileVersion: '9.0'\na0: &a0 [x]\n{aliases}")),
        ("pnpm-lock.yaml", format!("lockfileVersion: '9.0'\nx: {arrays}")),
        ("yarn.lock", (0..2000).fold(String::new(), |text, at| text + &" ".repeat(at) + "a:\n")),
        ("bunfig.toml", format!("x = {arrays}")),
        (".npmrc", format!("x={}", nested("${A", "", "}", DEPTH))),
    ] {
        let project = project();
        project.package_json(json!({ "dependencies": {} })).write(file, &text);
        for arguments in [&["install"][..], &["run"], &["list"]] {
            run(&format!("{file} {}", &text[..30]), &project, arguments);
        }
    }
}

#[test]
fn answers_of_a_registry() {
    let arrays = nested("[", "", "]", 20_000);
    for body in [
        "[".repeat(1_000_000),
        format!("{{\"name\":\"a\",\"versions\":{{\"1.0.0\":{{\"x\":{arrays}}}}},\"x\":{arrays}}}"),
        format!("{{\"name\":\"a\",\"dist-tags\":{{}},\"versions\":{arrays}}}"),
        "0".repeat(1_000_000),
    ] {
        let registry = Registry::start();
        registry.package("a", "1.0.0").publish();
        registry.fault(Fault::on_everything().body(body));
        let project = project();
        project.use_registry(&registry);
        project.package_json(json!({ "dependencies": { "a": "1" } }));
        for arguments in [&["install"][..], &["info", "a"], &["search", "a"], &["audit"]] {
            run("an answer", &project, arguments);
        }
    }
}

#[test]
fn ways_that_multiply() {
    const LAYERS: usize = 30;
    let registry = Registry::start();
    for layer in 0..LAYERS {
        for side in ["a", "b"] {
            let mut package = registry.package(&format!("{side}{layer}"), "1.0.0");
            // The last layer leads to the first.
            let next = (layer + 1) % LAYERS;
            package = package.dep(&format!("a{next}"), "1").dep(&format!("b{next}"), "1");
            package.publish();
        }
    }
    let last = format!("a{}", LAYERS - 1);
    registry.advise(
        &last,
        &["1.0.0"],
        json!({ "id": 1, "url": "x", "title": "x", "severity": "high", "vulnerable_versions": "*" }),
    );
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a0": "1" } }));
    for arguments in [
        &["install"][..],
        &["install", "--linker=isolated"],
        &["why", &*last],
        &["list", "--all"],
        &["audit"],
        &["audit", "fix"],
        &["licenses"],
        &["outdated"],
        &["dedupe"],
        &["doctor"],
        &["prune"],
    ] {
        run("ways", &project, arguments);
    }
}
