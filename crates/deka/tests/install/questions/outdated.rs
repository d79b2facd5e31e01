//! `deka outdated`.

use deka_test::{Fault, Registry};
use serde_json::json;

use super::{check, check_failure, installed};

#[test]
fn the_table() {
    let registry = Registry::start();
    let project = installed(&registry);
    let expected = "\
deka outdated v0.1.0
|------------------------------------------|
| Package      | Current | Update | Latest |
|--------------|---------|--------|--------|
| a            | 1.0.1   | 1.0.2  | 2.1.0  |
|--------------|---------|--------|--------|
| z@npm:@s/x   | 1.5.0   | 1.5.0  | 2.0.0  |
|--------------|---------|--------|--------|
| d (dev)      | 0.1.0   | 0.1.0  | 0.2.0  |
|--------------|---------|--------|--------|
| c (optional) | 1.1.0   | 1.1.0  | 2.0.1  |
|------------------------------------------|
";
    let outcome = check(&project, &["outdated"], 0, expected);
    assert_eq!(outcome.stderr, "");
    check(&project, &["outdated", "--fail"], 1, expected);
    for arguments in [&["outdated", "z"][..], &["outdated", "@s/*"], &["outdated", "[yz]"]] {
        check(
            &project,
            arguments,
            0,
            "\
deka outdated v0.1.0
|----------------------------------------|
| Package    | Current | Update | Latest |
|------------|---------|--------|--------|
| z@npm:@s/x | 1.5.0   | 1.5.0  | 2.0.0  |
|----------------------------------------|
",
        );
    }
    let outcome = project.command(["outdated", "--prod", "!z", "--omit=optional"]).run();
    let lines = outcome.stdout.lines().filter(|line| line.contains("| 1.0")).count();
    assert_eq!(lines, 1, "{}", outcome.snapshot());
    let colored = project.command(["outdated", "a", "--color=always"]).run();
    assert!(colored.stdout.contains("│ a        │ 1.0.1   │"), "{}", colored.snapshot());
}

#[test]
fn nothing_newer() {
    let registry = Registry::start();
    let project = installed(&registry);
    for arguments in [&["outdated", "b"][..], &["outdated", "nosuch"], &["outdated", "!*"]] {
        check(&project, arguments, 0, "deka outdated v0.1.0\n");
    }
    check(&project, &["outdated", "b", "--fail"], 0, "deka outdated v0.1.0\n");
    let document = project.command(["outdated", "b", "--json"]).run().document("outdated");
    assert_eq!(document["dependencies"], json!([]));
}

#[test]
fn for_programs() {
    let registry = Registry::start();
    let project = installed(&registry);
    let document = project.command(["outdated", "a", "--json"]).run().document("outdated");
    assert_eq!(
        document["dependencies"],
        json!([{
            "name": "a", "package": "a", "kind": "prod", "range": "~1.0.0", "current": "1.0.1",
            "update": { "version": "1.0.2", "step": "patch", "held_back": false },
            "latest": { "version": "2.1.0", "step": "major", "held_back": false },
            "catalog": null, "members": [{ "name": "p", "folder": "" }],
        }])
    );
}

#[test]
fn packuments_are_asked_for_once_and_all_at_once() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry.clear_requests();
    registry.latency(std::time::Duration::from_millis(500));
    project.command(["outdated"]).run().assert_success();
    assert_eq!(registry.requests().len(), 6);
    assert!(registry.most_in_flight() >= 4, "{}", registry.most_in_flight());
    registry.clear_requests();
    project.command(["outdated"]).run().assert_success();
    assert_eq!(registry.paths(), Vec::<String>::new());
}

#[test]
fn minimum_release_age() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = crate::project();
    project.use_registry(&registry).package_json(json!({ "dependencies": { "a": "^1.0.0" } }));
    project.command(["install"]).run().assert_success();
    registry.package("a", "1.1.0").publish();
    registry.package("a", "2.0.0").published("2999-01-01T00:00:00.000Z").publish();
    let arguments = ["outdated", "--minimum-release-age=1d", "--prefer-online"];
    check(
        &project,
        &arguments,
        0,
        "\
deka outdated v0.1.0
|---------------------------------------|
| Package  | Current | Update | Latest  |
|----------|---------|--------|---------|
| a        | 1.0.0   | 1.1.0  | 1.1.0 * |
|---------------------------------------|
Note: The * indicates that version isn't true latest due to minimum release age
",
    );
    let document = project.command(arguments).arg("--json").run().document("outdated");
    assert_eq!(document["dependencies"][0]["latest"]["held_back"], true);
}

#[test]
fn workspaces_and_catalogs() {
    let registry = Registry::start();
    for (name, version) in [("a", "1.0.0"), ("a", "1.2.0"), ("c", "1.1.0"), ("d", "0.1.0")] {
        registry.package(name, version).publish();
    }
    let project = crate::project();
    project.use_registry(&registry).package_json(json!({
        "name": "root",
        "workspaces": ["packages/*"],
        "catalog": { "c": "^1.0.0" },
        "catalogs": { "t": { "d": "0.1.0" } },
        "dependencies": { "a": "1.0.0" },
    }));
    let member = |name: &str, text: &str| {
        project.write(&format!("packages/{name}/package.json"), text);
    };
    member("m", r#"{ "name": "m", "dependencies": { "c": "catalog:", "a": "^1.0.0" } }"#);
    member(
        "n",
        r#"{ "name": "n", "dependencies": { "d": "catalog:t", "c": "catalog:" }, "devDependencies": { "a": "1" } }"#,
    );
    project.command(["install"]).run().assert_success();
    for (name, version) in [("a", "2.1.0"), ("c", "2.0.1"), ("d", "0.2.0")] {
        registry.package(name, version).publish();
    }
    project.clear_cache();
    let all = "\
deka outdated v0.1.0
|-------------------------------------------------------|
| Package  | Current | Update | Latest | Workspace      |
|----------|---------|--------|--------|----------------|
| a        | 1.0.0   | 1.0.0  | 2.1.0  | root           |
|----------|---------|--------|--------|----------------|
| a        | 1.0.0   | 1.2.0  | 2.1.0  | m              |
|----------|---------|--------|--------|----------------|
| c        | 1.1.0   | 1.1.0  | 2.0.1  | catalog (m, n) |
|----------|---------|--------|--------|----------------|
| d        | 0.1.0   | 0.1.0  | 0.2.0  | catalog:t (n)  |
|----------|---------|--------|--------|----------------|
| a (dev)  | 1.0.0   | 1.2.0  | 2.1.0  | n              |
|-------------------------------------------------------|
";
    check(&project, &["outdated", "-r"], 0, all);
    check(&project, &["outdated", "--filter", "*"], 0, all);
    let document =
        project.command(["outdated", "--filter=n", "c", "--json"]).run().document("outdated");
    assert_eq!(document["dependencies"][0]["catalog"], "default");
    assert_eq!(
        document["dependencies"][0]["members"],
        json!([{ "name": "n", "folder": "packages/n" }])
    );
    check(
        &project,
        &["outdated"],
        0,
        "\
deka outdated v0.1.0
|--------------------------------------|
| Package  | Current | Update | Latest |
|----------|---------|--------|--------|
| a        | 1.0.0   | 1.0.0  | 2.1.0  |
|--------------------------------------|
",
    );
    check(
        &project,
        &["outdated", "--cwd=packages/n", "d"],
        0,
        "\
deka outdated v0.1.0
|------------------------------------------------------|
| Package  | Current | Update | Latest | Workspace     |
|----------|---------|--------|--------|---------------|
| d        | 0.1.0   | 0.1.0  | 0.2.0  | catalog:t (n) |
|------------------------------------------------------|
",
    );
    let outcome = check(&project, &["outdated", "--filter", "nosuch"], 0, "deka outdated v0.1.0\n");
    assert!(outcome.stderr.contains("No member of the workspaces matches `nosuch`"));
}

#[test]
fn failures() {
    let registry = Registry::start();
    let project = crate::project();
    project.use_registry(&registry);
    check_failure(&project, &["outdated"], 1, "There is no `package.json`");
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    check_failure(&project, &["outdated"], 1, "hint: Run `deka install` first");
    project.write("bun.lock", "{");
    check_failure(&project, &["outdated"], 1, "bun.lock");

    let project = installed(&registry);
    check_failure(&project, &["outdated", "--offline"], 1, "is not in the cache");
    registry.fault(Fault::on("/a").status(404));
    let outcome = project.command(["outdated"]).run();
    outcome.assert_success();
    assert!(
        outcome.stderr.contains("warn: The registry does not know `a`"),
        "{}",
        outcome.snapshot()
    );
    project.clear_cache();
    registry.fault(Fault::on("/b").status(403));
    check_failure(&project, &["outdated"], 4, "E403");
}
