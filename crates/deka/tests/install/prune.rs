//! `deka prune`: what goes, and what must not.

use deka_test::{Registry, TestProject};
use serde_json::json;

fn installed(registry: &Registry) -> TestProject {
    registry.package("a", "1.0.0").publish();
    registry
        .package("@s/d", "2.0.0")
        .bin("d", "d.js")
        .file("d.js", "#!/usr/bin/env node\n")
        .publish();
    registry.package("ships", "1.0.0").file("node_modules/own/package.json", "{}").publish();
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(registry).write(
        "package.json",
        r#"{ "dependencies": { "a": "1", "ships": "1" }, "devDependencies": { "@s/d": "2" } }"#,
    );
    project.command(["install"]).run().assert_success();
    project
}

#[test]
fn strangers_go() {
    let registry = Registry::start();
    let project = installed(&registry);
    let nothing = project.command(["prune"]).run();
    nothing.assert_success();
    assert!(nothing.stdout.contains("(nothing to prune)"), "{}", nothing.snapshot());

    project.write("node_modules/x/package.json", r#"{ "version": "3.0.0" }"#);
    project.write("node_modules/@t/y/file", "").write("node_modules/.cache/file", "");
    project.command(["prune", "--check"]).run().assert_code(1);
    let dry = project.command(["prune", "--dry-run", "--json"]).run().document("prune");
    assert_eq!(
        dry["removed"][1],
        json!({ "path": "node_modules/x", "name": "x", "version": "3.0.0" })
    );
    assert!(project.exists("node_modules/x") && project.exists("node_modules/@t/y"));

    let outcome = project.command(["prune"]).run();
    outcome.assert_success();
    let expected = "deka prune v0.1.0\n\n- @t/y\n- x@3.0.0\n2 packages removed (checked 5 installed packages) [TIME]\n";
    assert_eq!(outcome.filtered(&outcome.stdout), expected);
    assert!(!project.exists("node_modules/x") && !project.exists("node_modules/@t"));
    // What a package brings along by itself, and what begins with a dot, stays.
    assert!(project.exists("node_modules/ships/node_modules/own/package.json"));
    assert!(project.exists("node_modules/.cache/file") && project.exists("node_modules/.bin/d"));
    project.command(["prune", "--check"]).run().assert_success();
}

#[test]
fn what_production_does_not_need_goes() {
    let registry = Registry::start();
    for linker in ["hoisted", "isolated"] {
        let project = installed(&registry);
        project.command(["install", "--linker", linker]).run().assert_success();
        let outcome = project.command(["prune", "--production"]).run();
        outcome.assert_success();
        assert!(!project.exists("node_modules/@s/d"), "{linker}: {}", outcome.snapshot());
        assert!(!project.exists("node_modules/.bun/@s+d@2.0.0"), "{linker}");
        assert!(std::fs::symlink_metadata(project.path().join("node_modules/.bin/d")).is_err());
        assert!(project.exists("node_modules/a/package.json"), "{linker}");
        // An install brings it back.
        project.command(["install"]).run().assert_success();
        assert!(project.exists("node_modules/@s/d/package.json"), "{linker}");
        assert!(project.exists("node_modules/.bin/d"), "{linker}");
    }
}

#[test]
fn without_a_lockfile_nothing_goes() {
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.write("package.json", "{}").write("node_modules/x/package.json", "{}");
    let outcome = project.command(["prune"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("There is no `bun.lock`"), "{}", outcome.stderr);
    assert!(project.exists("node_modules/x/package.json"));
    project.command(["prune", "--nope"]).run().assert_code(2);
}

#[cfg(unix)]
#[test]
fn what_links_lead_to_stays() {
    use std::os::unix::fs::symlink;
    let registry = Registry::start();
    registry.package("x", "1.0.0").publish();
    registry.package("x", "2.0.0").publish();
    registry.package("a", "1.0.0").optional("x", "2").publish();
    registry.package("dev", "1.0.0").dep("x", "2").publish();
    registry.package("dev-other", "1.0.0").publish();
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(&registry).package_json(json!({
        "dependencies": { "a": "1", "x": "1" },
        "devDependencies": { "dev": "1", "dev-other": "1" },
    }));
    project.command(["install"]).run().assert_success();
    // As somebody has it who works on `a` and on a scope beside the project.
    project.write("beside/a/package.json", "{}").write("beside/a/node_modules/x/file", "");
    project.write("beside/dev/node_modules/x/file", "");
    project.write("beside/scope/y/file", "");
    let beside = |name: &str| project.path().join("beside").join(name);
    for name in ["a", "dev"] {
        project.remove(&format!("node_modules/{name}"));
        symlink(beside(name), project.path().join("node_modules").join(name)).unwrap();
    }
    symlink(beside("scope"), project.path().join("node_modules/@t")).unwrap();

    project.command(["prune", "--production", "--omit", "optional"]).run().assert_success();
    for file in ["a/node_modules/x/file", "dev/node_modules/x/file", "scope/y/file"] {
        assert!(beside(file).exists(), "{file}");
    }
    assert!(!project.exists("node_modules/dev") && !project.exists("node_modules/dev-other"));
    assert!(project.exists("node_modules/x/package.json"));
}
