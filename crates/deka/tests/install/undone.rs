//! A command that fails to change the project when it has begun with `node_modules`: everything is as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use deka_test::{Fault, Registry, TestProject, Tree};
use serde_json::json;

use crate::{is_root, project};

/// A registry with packages that depend on others, and with some that cannot be installed.
fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "2.0.0"] {
        let range = format!("^{version}");
        registry.package("leaf", version).file("index.js", version).publish();
        registry.package("@s/mid", version).dep("leaf", &range).publish();
        let tool = registry.package("tool", version).dep("@s/mid", &range);
        tool.bin("tool", "t.js").bin(version, "t.js").file("t.js", version).publish();
    }
    registry.package("@t/new", "1.0.0").bin("new", "n.js").file("n.js", "").publish();
    for name in ["failing", "gone"] {
        let package = registry.package(name, "1.0.0").dep("tool", "2").dep("@t/new", "1");
        package.script("postinstall", "exit 3").publish();
    }
    registry.fault(Fault::on("/gone/-/gone-1.0.0.tgz").status(404));
    registry
}

/// All that must not change: the files of the project with their contents, and what the last install noted.
fn state(project: &TestProject) -> (String, Vec<String>, bool) {
    let files = ["package.json", "bun.lock"];
    let texts = files.iter().filter(|file| project.exists(file)).map(|file| project.read(file));
    let tree = project.node_modules_with_contents().to_string();
    (tree, texts.collect(), project.exists("node_modules/.deka-state"))
}

#[track_caller]
fn check_undone(project: &TestProject, arguments: &[&str], code: i32) {
    let before = state(project);
    let outcome = project.command(arguments).run();
    outcome.assert_code(code);
    assert_eq!(state(project), before, "{arguments:?} {}", outcome.snapshot());
    if before.2 {
        let linker = arguments.last().filter(|last| last.starts_with("--linker="));
        let again = project.command(["install"].iter().chain(linker)).run();
        assert!(again.stdout.contains("(no changes)"), "{arguments:?} {}", again.snapshot());
    }
}

#[test]
fn what_was_replaced_added_and_removed() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry).package_json(json!({
        "dependencies": { "tool": "^1.0.0", "leaf": "1" },
        "trustedDependencies": ["failing"],
    }));
    for linker in ["hoisted", "isolated"] {
        let linker = format!("--linker={linker}");
        project.remove("node_modules");
        project.command(["install", &linker]).run().assert_success();
        check_undone(&project, &["add", "failing", &linker], 3);
        check_undone(&project, &["add", "gone", &linker], 1);
        check_undone(&project, &["add", "gone", "tool@2", "leaf@2", &linker], 1);
        check_undone(&project, &["add", "failing", "tool@2", &linker], 3);
        check_undone(&project, &["add", "failing", "--no-save", &linker], 3);
    }
}

#[test]
fn what_was_not_there() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry).package_json(json!({ "trustedDependencies": ["failing"] }));
    for (name, code) in [("failing", 3), ("gone", 1)] {
        check_undone(&project, &["add", name], code);
        assert!(!project.exists("node_modules"), "{name}");
    }
    // Somebody else's.
    project.write("node_modules/leaf/own.js", "own");
    project.write("node_modules/.bin/own", "own");
    project.write("node_modules/@t/new", "a file");
    check_undone(&project, &["add", "leaf", "failing"], 3);
    check_undone(&project, &["add", "leaf", "gone"], 1);
}

#[test]
fn an_install_leaves_what_was_complete() {
    let registry = registry();
    let project = project();
    let manifest = |more: &str| {
        let mut dependencies = json!({ "tool": "^1.0.0" });
        dependencies[more] = "*".into();
        json!({ "dependencies": dependencies, "trustedDependencies": ["failing"] })
    };
    project.use_registry(&registry).package_json(manifest("leaf"));
    project.command(["install"]).run().assert_success();
    let before = state(&project);
    project.package_json(manifest("gone"));
    project.command(["install"]).run().assert_code(1);
    project.package_json(manifest("leaf"));
    assert_eq!(state(&project), before);
    // One may want to see why a script fails.
    project.package_json(manifest("failing"));
    project.command(["install"]).run().assert_code(3);
    assert!(project.exists("node_modules/failing/package.json"));
    project.package_json(manifest("@t/new"));
    project.command(["install"]).run().assert_success();
    assert!(project.exists("node_modules/@t/new/package.json"));
    for gone in ["failing", ".bin/2.0.0", ".deka-unfinished"] {
        assert!(!project.exists(&format!("node_modules/{gone}")), "{gone}");
    }
}

#[test]
fn in_workspaces() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry).package_json(json!({
        "workspaces": ["web"],
        "dependencies": { "leaf": "2" },
        "trustedDependencies": ["failing"],
    }));
    let member = json!({ "name": "web", "dependencies": { "leaf": "1" } });
    project.write("web/package.json", member.to_string());
    for linker in ["hoisted", "isolated"] {
        let linker = format!("--linker={linker}");
        project.remove("node_modules");
        project.command(["install", &linker]).run().assert_success();
        let of_member = || Tree::read_with_contents(&project.path().join("web")).to_string();
        let before = of_member();
        for name in ["failing", "gone"] {
            let code = if name == "failing" { 3 } else { 1 };
            check_undone(&project, &["add", "--filter", "web", name, "leaf@2", &linker], code);
            check_undone(&project, &["add", "--filter", "web", name, "tool@1", &linker], code);
            assert_eq!(of_member(), before);
        }
    }
}

#[test]
fn what_cannot_be_moved_out_of_the_way() {
    if is_root() {
        return;
    }
    let registry = registry();
    let project = project();
    let manifest = json!({ "dependencies": { "leaf": "1", "@s/mid": "1" } });
    project.use_registry(&registry).package_json(manifest);
    project.command(["install"]).run().assert_success();
    let scope = project.path().join("node_modules/@s");
    let set_mode = |mode| fs::set_permissions(&scope, fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o555);
    check_undone(&project, &["add", "leaf@2", "@s/mid@2"], 1);
    set_mode(0o755);
}
