//! What `deka run` does before it runs something: bring `node_modules` up to date, if it is deka's.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use deka_test::{Registry, TestProject};
use serde_json::json;

use crate::project;

fn with_registry() -> (TestProject, Registry) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let tool = registry.package("tool", "1.0.0").file("cli.js", "#!/bin/sh\necho tool \"$@\"\n");
    tool.bin("tool", "cli.js").publish();
    let project = project();
    project.use_registry(&registry);
    let scripts = json!({ "hi": "echo hi", "use": "tool from script" });
    project.package_json(json!({ "dependencies": { "tool": "1" }, "scripts": scripts }));
    (project, registry)
}

fn add_a(project: &TestProject) {
    let scripts = json!({ "hi": "echo hi" });
    let dependencies = json!({ "tool": "1", "a": "1" });
    project.package_json(json!({ "dependencies": dependencies, "scripts": scripts }));
}

#[test]
fn what_is_missing_is_installed_first() {
    let (project, _registry) = with_registry();
    let outcome = project.command(["run", "--no-install", "hi"]).run();
    assert_eq!((&*outcome.stdout, project.exists("node_modules")), ("hi\n", false));
    let outcome = project.command(["run", "use"]).run();
    outcome.assert_success();
    assert_eq!(outcome.stdout, "tool from script\n");
    assert!(outcome.stderr.starts_with("1 package installed ["), "{}", outcome.stderr);
    assert!(project.exists("bun.lock"));
    // Now nothing is said any more, and nothing is done.
    let outcome = project.command(["run", "use"]).run();
    assert_eq!(outcome.stderr, "$ tool from script\n");
}

#[test]
fn what_is_out_of_date_is_installed_first() {
    let (project, _registry) = with_registry();
    project.command(["install"]).run().assert_success();
    add_a(&project);
    project.command(["run", "--no-install", "hi"]).run().assert_success();
    assert!(!project.exists("node_modules/a"));
    let nested = project.command(["run", "hi"]).env("npm_lifecycle_event", "x");
    nested.env("npm_config_local_prefix", project.path()).run().assert_success();
    assert!(!project.exists("node_modules/a"));
    project.command(["hi", "--silent"]).run().assert_success();
    assert!(project.exists("node_modules/a"));
    project.remove("node_modules/a");
    project.command(["exec", "true"]).run().assert_success();
    assert!(project.exists("node_modules/a"));
}

#[test]
fn what_was_decided_by_others_stays() {
    let (project, _registry) = with_registry();
    // Somebody else's `node_modules`.
    project.write("node_modules/x/package.json", "{}");
    project.command(["run", "hi"]).run().assert_success();
    assert!(!project.exists("node_modules/tool") && !project.exists("bun.lock"));
    // A project that has another lockfile.
    project.remove("node_modules").write("package-lock.json", "{}");
    project.command(["run", "hi"]).run().assert_success();
    assert!(!project.exists("node_modules"));
    project.remove("package-lock.json");
    // Other settings.
    project.command(["install", "--omit=dev"]).run().assert_success();
    add_a(&project);
    project.command(["run", "hi"]).run().assert_success();
    assert!(!project.exists("node_modules/a"));
    // Another tool came after deka.
    project.command(["install"]).run().assert_success();
    project.remove("node_modules/a").write("node_modules/.package-lock.json", "{}");
    project.command(["run", "hi"]).run().assert_success();
    assert!(!project.exists("node_modules/a"));
}

#[test]
fn what_cannot_be_installed_does_not_run() {
    let (project, _registry) = with_registry();
    let scripts = json!({ "hi": "echo hi" });
    project.package_json(json!({ "dependencies": { "nosuch": "1" }, "scripts": scripts }));
    let outcome = project.command(["run", "hi"]).run();
    outcome.assert_code(1);
    assert_eq!(outcome.stdout, "");
    project.command(["run", "--no-install", "hi"]).run().assert_success();
}

#[test]
fn an_install_that_is_under_way_is_waited_for() {
    const STATE: &str = "node_modules/.deka-state";
    let (project, registry) = with_registry();
    project.command(["install"]).run().assert_success();
    let requests = registry.requests().len();
    // What another install does: it holds the project, and takes the state away until it has finished.
    let folder = File::open(project.path()).unwrap();
    folder.lock().unwrap();
    let run = || {
        let mut command = project.command(["run", "hi"]).command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // As long as nothing has changed, nobody has to wait.
    assert!(run().wait().unwrap().success());
    let state = project.path().join(STATE);
    let whole = std::fs::read(&state).unwrap();
    std::fs::remove_file(&state).unwrap();

    let mut waiting = run();
    let mut stderr = BufReader::new(waiting.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "warn: Waiting for another install of this project to end\n");
    assert!(waiting.try_wait().unwrap().is_none());
    std::fs::write(&state, whole).unwrap();
    drop(folder);
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hi\n");
    assert_eq!(registry.requests().len(), requests);
}
