//! `deka x` and `deka create`: packages that are installed to be run.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use deka_test::{Outcome, Registry, TestProject};
use serde_json::json;

use crate::project;

fn script(text: &str) -> String {
    format!("#!/bin/sh\necho {text} \"$@\"\n")
}

fn with_registry() -> (TestProject, Registry) {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        let tool = registry.package("tool", version).dep("helper", "1");
        tool.file("cli.js", script(&format!("tool {version}"))).bin("tool", "cli.js").publish();
    }
    let helper = registry.package("helper", "1.0.0").file("help.js", script("helper"));
    helper.bin("helper", "help.js").publish();
    let many = registry.package("@s/many", "1.0.0").file("a.js", script("a"));
    many.file("b.js", script("b")).bin("one", "a.js").bin("two", "b.js").publish();
    let creator = registry.package("@s/create-app", "1.0.0");
    creator.file("cli.js", script("created")).bin("create-app", "cli.js").publish();
    registry.package("plain", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    (project, registry)
}

#[track_caller]
fn check(project: &TestProject, arguments: &[&str], stdout: &str) -> Outcome {
    let outcome = project.command(arguments).run();
    outcome.assert_success();
    assert_eq!(outcome.stdout, stdout, "{arguments:?}");
    outcome
}

/// Returns the folders of tools.
fn tools(project: &TestProject) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project.cache().join("x")).expect("tools");
    entries.map(|entry| entry.expect("a tool").path()).collect()
}

#[test]
fn commands_are_installed_once() {
    let (project, registry) = with_registry();
    check(
        &project,
        &["x", "tool", "a b", "--silent", "--", "-x"],
        "tool 2.0.0 a b --silent -- -x\n",
    );
    assert!(!project.exists("node_modules") && !project.exists("package.json"));
    registry.package("tool", "3.0.0").file("cli.js", script("new")).bin("tool", "cli.js").publish();
    drop(registry);
    // Now nothing is asked any more.
    let outcome = check(&project, &["x", "tool"], "tool 2.0.0\n");
    assert_eq!(outcome.stderr, "");
    check(&project, &["x", "--no-install", "-y", "--bun", "tool"], "tool 2.0.0\n");
}

#[test]
fn versions_and_packages() {
    let (project, _registry) = with_registry();
    check(&project, &["x", "tool@1.0.0", "x"], "tool 1.0.0 x\n");
    check(&project, &["x", "tool@^1"], "tool 1.1.0\n");
    check(&project, &["x", "-p", "@s/many", "two", "x"], "b x\n");
    check(&project, &["x", "--package=@s/many", "-p", "tool", "one"], "a\n");
    check(&project, &["x", "-p", "tool", "helper"], "helper\n");
    check(&project, &["create", "@s/app", "--template", "x"], "created --template x\n");
    check(&project, &["create", "@s/app@1.0.0"], "created\n");
    check(
        &project,
        &["init", "@s/app", "folder", "--template", "x"],
        "created folder --template x\n",
    );
    let outcome = project.command(["x", "@s/many"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("commands: one, two"), "{}", outcome.stderr);
    let outcome = project.command(["x", "plain"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("`plain` has no command"), "{}", outcome.stderr);
    for (arguments, code) in [
        (&["x", "nosuch"][..], 1),
        (&["x", "--no-install", "tool@2.0.0"], 1),
        (&["x", "tool@9"], 1),
        (&["x", "-p", "tool", "nosuch"], 127),
        (&["x", "to ol"], 2),
        (&["x"], 2),
        (&["create"], 2),
        (&["create", "nosuch"], 1),
    ] {
        let outcome = project.command(arguments).run();
        assert_eq!(outcome.code, Some(code), "{arguments:?}\n{}", outcome.snapshot());
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}

#[test]
fn what_the_project_has_is_run() {
    let (project, _registry) = with_registry();
    project.package_json(json!({ "dependencies": { "tool": "1.0.0", "@s/create-app": "1" } }));
    project.command(["install"]).run().assert_success();
    project.write("deep/er/x", "");
    check(&project, &["x", "tool"], "tool 1.0.0\n");
    check(&project, &["x", "tool@^1"], "tool 1.0.0\n");
    check(&project, &["x", "--no-install", "helper"], "helper\n");
    check(&project, &["create", "@s/app"], "created\n");
    let folder = project.path().join("deep/er");
    project.command(["x", "tool"]).current_dir(&folder).run().assert_success();
    assert!(!project.cache().join("x").exists());
    check(&project, &["x", "tool@2"], "tool 2.0.0\n");
    check(&project, &["x", "tool@latest"], "tool 2.0.0\n");
}

#[test]
fn names_are_looked_up_again_after_a_day() {
    let (project, registry) = with_registry();
    check(&project, &["x", "tool"], "tool 2.0.0\n");
    check(&project, &["x", "tool@1.0.0"], "tool 1.0.0\n");
    let age = |hours: u64| {
        for tool in tools(&project) {
            let file = std::fs::File::options().write(true).open(tool.join(".resolved")).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_hours(hours)).unwrap();
        }
    };
    let publish = |version: &str| {
        let tool = registry.package("tool", version).file("cli.js", script(version));
        tool.bin("tool", "cli.js").publish();
    };
    // The registry's answers are taken from the cache for some minutes.
    let forget_answers =
        || std::fs::remove_dir_all(project.cache().join("packuments")).expect("packuments");
    publish("2.1.0");
    age(23);
    check(&project, &["x", "tool"], "tool 2.0.0\n");
    age(25);
    forget_answers();
    check(&project, &["x", "tool"], "2.1.0\n");
    check(&project, &["x", "tool@1.0.0"], "tool 1.0.0\n");
    age(25);
    forget_answers();
    drop(registry);
    let outcome = check(&project, &["x", "tool"], "2.1.0\n");
    assert!(outcome.stderr.starts_with("warn: It may be out of date"), "{}", outcome.stderr);
    check(&project, &["x", "tool@1.0.0"], "tool 1.0.0\n");
}

#[test]
fn a_torn_tool_is_made_again() {
    let (project, _registry) = with_registry();
    check(&project, &["x", "tool"], "tool 2.0.0\n");
    for tool in tools(&project) {
        std::fs::remove_dir_all(tool.join("node_modules/helper")).unwrap();
        std::fs::remove_dir_all(tool.join("node_modules/tool")).unwrap();
    }
    check(&project, &["x", "tool"], "tool 2.0.0\n");
}

#[cfg(unix)]
#[test]
fn what_others_can_change_is_not_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let (project, _registry) = with_registry();
    check(&project, &["x", "tool"], "tool 2.0.0\n");
    let shelf = project.cache().join("x");
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&shelf, open).unwrap();
    let outcome = project.command(["x", "tool"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("other users can write to it"), "{}", outcome.stderr);
}

#[cfg(unix)]
#[test]
fn another_name_does_the_same() {
    let (project, _registry) = with_registry();
    project.write("bin/x", "");
    let link = project.path().join("bin/dekax");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_deka"), &link).unwrap();
    let outcome = project.other_program(&link).args(["tool", "-v"]).run();
    outcome.assert_success();
    assert_eq!(outcome.stdout, "tool 2.0.0 -v\n");
    let help = project.other_program(&link).args(["--help"]).run();
    assert_eq!(help.stdout, project.command(["x", "--help"]).run().stdout);
}
