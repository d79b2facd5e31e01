//! Several commands at the same time: on one project, on one cache, for all projects.

use std::thread;

use deka_test::{Outcome, Registry, TestProject};
use serde_json::{Value, json};

use crate::project;

/// Packages that share files, with commands that have no executable form yet.
fn registry() -> Registry {
    let registry = Registry::start();
    for name in ["a", "b", "c", "d", "e"] {
        for version in ["1.0.0", "2.0.0"] {
            let package = registry.package(name, version).dep("shared", "1").bin(name, "cli.js");
            let package = package.file("cli.js", "#!/usr/bin/env node\n").file("LICENSE", "MIT");
            package.file("windows.js", "#!/usr/bin/env node\r\n").publish();
        }
    }
    registry.package("shared", "1.0.0").file("LICENSE", "MIT").bin("shared", "cli.js").publish();
    let tool = registry.package("tool", "1.0.0").dep("a", "1").bin("tool", "tool.sh");
    tool.executable("tool.sh", "#!/bin/sh\necho it runs").publish();
    registry
}

/// Runs them all at once.
fn at_once(commands: impl IntoIterator<Item = deka_test::Program>) -> Vec<Outcome> {
    thread::scope(|scope| {
        let started: Vec<_> =
            commands.into_iter().map(|command| scope.spawn(|| command.run())).collect();
        started.into_iter().map(|one| one.join().expect("it ends")).collect()
    })
}

fn dependencies(project: &TestProject) -> Value {
    let manifest: Value = serde_json::from_str(&project.read("package.json")).unwrap();
    manifest["dependencies"].clone()
}

#[test]
fn changes_of_one_project_come_one_after_the_other() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry);
    // One stays, for without any there would be no lockfile at times.
    let manifest =
        json!({ "dependencies": { "a": "1", "e": "1" }, "scripts": { "hi": "echo hi" } });
    project.package_json(manifest);
    project.command(["install"]).run().assert_success();
    let commands: [&[&str]; 10] = [
        &["add", "b@1"],
        &["add", "c@2"],
        &["add", "--exact", "d@1"],
        &["remove", "a"],
        &["install"],
        &["install", "--force"],
        &["prune"],
        &["dedupe"],
        &["run", "hi"],
        &["run", "hi"],
    ];
    for outcome in at_once(commands.map(|command| project.command(command))) {
        outcome.assert_success();
    }
    assert_eq!(dependencies(&project), json!({ "b": "1", "c": "2", "d": "1.0.0", "e": "1" }));
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
    let tree = project.node_modules_with_contents().without(".deka-state");
    project.remove("node_modules");
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
    let anew = project.node_modules_with_contents().without(".deka-state");
    tree.assert_same(&anew, "after all changes");
}

#[test]
fn a_cache_is_emptied_while_others_fill_it() {
    let registry = registry();
    let first = project();
    let others: Vec<TestProject> = (0..3).map(|_| project().sharing_cache(first.cache())).collect();
    let all: Vec<&TestProject> = others.iter().chain([&first]).collect();
    for project in &all {
        project.use_registry(&registry);
        project.package_json(json!({ "dependencies": { "a": "1", "b": "2", "c": "1" } }));
    }
    first.command(["install"]).run().assert_success();
    for _ in 0..2 {
        let cleaning = [&["pm", "cache", "clean"][..], &["pm", "cache", "ls"], &["outdated"]];
        let cleaning = cleaning.map(|command| first.command(command));
        let installs = others.iter().map(|project| project.command(["install"]));
        for outcome in at_once(installs.chain(cleaning)) {
            outcome.assert_success();
        }
        let tree = first.node_modules_with_contents().without(".deka-state");
        for project in &others {
            let now = project.node_modules_with_contents().without(".deka-state");
            now.assert_same(&tree, "while the cache was emptied");
            project.remove("node_modules");
        }
    }
}

#[test]
fn a_tool_is_run_by_many_at_once() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry);
    for outcome in at_once((0..4).map(|_| project.command(["x", "tool"]))) {
        outcome.assert_success();
        assert_eq!(outcome.stdout, "it runs\n", "{}", outcome.snapshot());
    }
}

#[test]
fn many_packages_are_made_global_at_once() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "mine", "version": "1.0.0", "bin": "mine.sh" }));
    project.write("mine.sh", "#!/bin/sh\n");
    std::fs::copy(project.path().join(".npmrc"), project.home().join(".npmrc")).unwrap();
    let names = ["a", "b", "tool"];
    let adds = names.map(|name| project.command(["add", "--global", name]));
    let links = [(); 2].map(|()| project.command(["link"]));
    for outcome in at_once(adds.into_iter().chain(links)) {
        outcome.assert_success();
    }
    let folder = project.home().join(".bun/install/global");
    let manifest = std::fs::read(folder.join("package.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for name in names {
        assert!(manifest["dependencies"][name].is_string(), "{name}: {manifest}");
    }
    for name in ["a", "b", "tool", "mine"] {
        assert!(project.home().join(".bun/bin").join(name).is_file(), "{name}");
    }
}
