//! What an install does when all is well.

use deka_test::Registry;
use serde_json::json;

use crate::project;

#[test]
fn installs_links_and_locks() {
    let registry = Registry::start();
    registry.package("b", "1.2.0").file("index.js", "module.exports = 'b'").publish();
    registry
        .package("a", "1.0.0")
        .dep("b", "^1.0.0")
        .bin("a", "cli.js")
        .file("cli.js", "#!/usr/bin/env node\n")
        .publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "p", "dependencies": { "a": "^1.0.0" } }));

    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    let expected = "deka install v0.1.0\n\n+ a@1.0.0\n\n2 packages installed [TIME]\n";
    assert_eq!(outcome.filtered(&outcome.stdout), expected);
    assert_eq!(outcome.stderr, "");
    assert_eq!(project.read("node_modules/b/index.js"), "module.exports = 'b'");
    let tree = project.node_modules();
    assert!(tree.get(".bin/a").is_some(), "{tree}");
    assert!(project.read("bun.lock").contains("\"b\": [\"b@1.2.0\""));

    let again = project.command(["install"]).run();
    again.assert_success();
    assert!(
        again.stdout.contains("Checked 2 installs across 3 packages (no changes)"),
        "{}",
        again.snapshot()
    );
}

#[test]
fn a_warm_cache_needs_no_network() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1.0.0" } }));
    project.command(["install"]).run().assert_success();
    let tree = project.node_modules_with_contents().without(".deka-state");
    registry.clear_requests();

    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    assert_eq!(registry.paths(), Vec::<String>::new());
    project
        .node_modules_with_contents()
        .without(".deka-state")
        .assert_same(&tree, "with lockfile and cache");

    project.remove("node_modules").remove("bun.lock");
    project.command(["install", "--offline"]).run().assert_success();
    assert_eq!(registry.paths(), Vec::<String>::new());
    project
        .node_modules_with_contents()
        .without(".deka-state")
        .assert_same(&tree, "offline, without lockfile");
}

#[test]
fn lockfile_only_and_dry_run_leave_node_modules_alone() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1.0.0" } }));
    let dry = project.command(["install", "--dry-run"]).run();
    dry.assert_success();
    assert!(dry.stdout.contains(" a@1.0.0\n"), "{}", dry.snapshot());
    assert!(!project.exists("node_modules") && !project.exists("bun.lock"));
    let only = project.command(["install", "--lockfile-only"]).run();
    only.assert_success();
    assert!(only.stdout.contains("Saved bun.lock (2 packages)"), "{}", only.snapshot());
    assert!(!project.exists("node_modules") && project.exists("bun.lock"));
}

#[test]
fn production_and_omit_leave_groups_out() {
    let registry = Registry::start();
    for name in ["prod", "dev", "optional"] {
        registry.package(name, "1.0.0").publish();
    }
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({
        "dependencies": { "prod": "1" },
        "devDependencies": { "dev": "1" },
        "optionalDependencies": { "optional": "1" },
    }));
    project.command(["install", "--lockfile-only"]).run().assert_success();
    let lockfile = project.read("bun.lock");
    for (arguments, expected) in [
        (vec!["install", "--production"], vec!["optional", "prod"]),
        (vec!["install", "--omit", "optional"], vec!["dev", "prod"]),
        (vec!["install"], vec!["dev", "optional", "prod"]),
        (vec!["install", "--omit=dev", "--omit=optional"], vec!["prod"]),
    ] {
        project.command(&arguments).run().assert_success();
        let there: Vec<_> = ["dev", "optional", "prod"]
            .into_iter()
            .filter(|name| project.exists(&format!("node_modules/{name}/package.json")))
            .collect();
        assert_eq!(there, expected, "{arguments:?}");
        assert_eq!(project.read("bun.lock"), lockfile, "{arguments:?}");
    }
}

#[test]
fn other_platforms_are_locked_and_not_installed() {
    let registry = Registry::start();
    registry.package("here", "1.0.0").os(&["linux", "darwin", "win32"]).publish();
    registry.package("there", "1.0.0").os(&["aix"]).publish();
    registry
        .package("a", "1.0.0")
        .optional("here", "1.0.0")
        .optional("there", "1.0.0")
        .optional("missing", "1.0.0")
        .publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    project.command(["install"]).run().assert_success();
    assert!(project.exists("node_modules/here") && !project.exists("node_modules/there"));
    assert!(project.read("bun.lock").contains("there@1.0.0"));
    assert_eq!(registry.count("/there/-/there-1.0.0.tgz"), 0);
    project.command(["install", "--os", "aix"]).run().assert_success();
    assert!(!project.exists("node_modules/here") && project.exists("node_modules/there"));
}

#[test]
fn a_project_without_dependencies_has_no_lockfile() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "p", "dependencies": { "a": "1" } }));
    project.command(["install"]).run().assert_success();
    project.package_json(json!({ "name": "p" }));
    project.command(["install"]).run().assert_success();
    assert!(!project.exists("bun.lock") && !project.exists("node_modules/a"));
}

#[test]
fn works_from_a_folder_below_and_with_cwd() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    project.write("src/index.js", "");
    let below = project.path().join("src");
    project.command(["i"]).current_dir(&below).run().assert_success();
    assert!(project.exists("node_modules/a") && !project.exists("src/node_modules"));
    project.remove("node_modules");
    let path = project.path().to_string_lossy().into_owned();
    project.command(["install", "--cwd", &path]).current_dir("/".as_ref()).run().assert_success();
    assert!(project.exists("node_modules/a"));
}

#[test]
fn every_backend_gives_the_same_files() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("x.js", "x").executable("run.sh", "#!/bin/sh\n").publish();
    let mut trees = Vec::new();
    for backend in ["hardlink", "clonefile", "copyfile"] {
        let project = project();
        project.use_registry(&registry);
        project.package_json(json!({ "dependencies": { "a": "1" } }));
        project.command(["install", "--backend", backend]).run().assert_success();
        trees.push(project.node_modules_with_contents().without(".deka-state"));
    }
    trees[1].assert_same(&trees[0], "clonefile");
    trees[2].assert_same(&trees[0], "copyfile");
}

#[test]
fn a_timeline_names_every_stage() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("index.js", "a").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "p", "dependencies": { "a": "1" } }));
    project.command(["install", "--timeline", "trace.json"]).run().assert_success();

    let trace: serde_json::Value = serde_json::from_str(&project.read("trace.json")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let has = |phase: &str, name: &str| {
        events.iter().any(|event| event["ph"] == phase && event["name"] == name)
    };
    for stage in ["read project", "resolve", "hoist", "plan", "verify", "unpack", "link", "finish"]
    {
        assert!(has("X", stage), "{stage}");
    }
    for request in ["packument", "tarball"] {
        assert!(has("b", request) && has("e", request), "{request}");
    }
    let failed = project.command(["install", "--timeline", "missing/trace.json"]).run();
    failed.assert_success();
    assert!(failed.stderr.contains("the timeline can't be written"), "{}", failed.snapshot());
}

#[test]
fn only_the_variant_for_this_libc_is_installed() {
    let registry = Registry::start();
    let variants = ["tool-linux-x64", "tool-linux-x64-musl"];
    for (name, libc) in variants.into_iter().zip(["glibc", "musl"]) {
        registry.package(name, "1.0.0").os(&["linux"]).libc(&[libc]).publish();
    }
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({
        "name": "p",
        "optionalDependencies": { "tool-linux-x64": "1", "tool-linux-x64-musl": "1" },
    }));
    project.command(["install", "--os", "linux", "--libc", "musl"]).run().assert_success();
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains(r#"{ "os": "linux", "libc": "glibc" }"#), "{lockfile}");
    assert!(lockfile.contains(r#"{ "os": "linux", "libc": "musl" }"#), "{lockfile}");
    let tree = project.node_modules();
    let installed = variants.map(|name| tree.get(name).is_some());
    assert_eq!(installed, [false, true], "{tree}");
}
