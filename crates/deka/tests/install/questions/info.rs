//! `deka info`.

use deka_test::{Fault, Registry, TestProject};
use serde_json::json;

use super::{check, check_failure};

fn world(registry: &Registry) -> TestProject {
    registry.package("b", "1.0.0").publish();
    let package = registry
        .package("b", "1.1.0")
        .dep("c", "^1.0.0")
        .bin("b", "cli.js")
        .field("description", json!("The b package\u{1b}[2J"))
        .field("license", json!("MIT"))
        .field("homepage", json!("https://b.example"))
        .field("keywords", json!(["k1", "k2"]))
        .dist_field("unpackedSize", json!(12345))
        .dist_field("shasum", json!("5ha"))
        .integrity("sha512-x");
    package.publish();
    registry.package("b", "2.0.0").deprecated("do not use\nthis").publish();
    registry.tag("b", "latest", "1.1.0");
    registry.tag("b", "next", "2.0.0");
    let people = json!([{ "name": "bob", "email": "bob@x.example" }, { "name": "al", "email": "al@x.example" }]);
    registry.packument_field("b", "maintainers", people);
    registry.packument_field("b", "readme", json!("# b"));
    let project = crate::project();
    project.use_registry(registry);
    project
}

#[test]
fn a_package() {
    let registry = Registry::start();
    let project = world(&registry);
    let expected = "\
b@1.1.0 | MIT | deps: 1 | versions: 3
The b package\u{fffd}[2J
https://b.example
keywords: k1, k2
bin: b

dependencies (1):
- c: ^1.0.0

dist
 .tarball: http://127.0.0.1:[PORT]/b/-/b-1.1.0.tgz
 .shasum: 5ha
 .integrity: sha512-x
 .unpackedSize: 12.35 KB

dist-tags:
latest: 1.1.0
next: 2.0.0

maintainers:
- bob <bob@x.example>
- al <al@x.example>

Published: 2020-01-03T00:00:00.000Z
";
    for arguments in [
        &["info", "b"][..],
        &["view", "b"],
        &["show", "b@latest"],
        &["v", "b@1.1.0"],
        &["pm", "view", "b@^1"],
    ] {
        check(&project, arguments, 0, expected);
    }
    project.package_json(json!({ "name": "b" }));
    check(&project, &["info"], 0, expected);
    let outcome = project.command(["info", "b@next"]).run();
    assert!(
        outcome.stdout.contains("\n\nDEPRECATED ⚠️  - do not use this\n\n"),
        "{}",
        outcome.snapshot()
    );
    assert!(outcome.stdout.starts_with("b@2.0.0 | Proprietary | deps: 0 |"));
}

#[test]
fn properties() {
    let registry = Registry::start();
    let project = world(&registry);
    let check = |words: &[&str], expected: &str| {
        let arguments = [&["info"], words].concat();
        check(&project, &arguments, 0, expected);
    };
    check(&["b", "version"], "1.1.0\n");
    check(&["b", "dist.shasum"], "5ha\n");
    check(&["b", "versions[0]"], "1.0.0\n");
    check(&["b", "maintainers.1.name"], "al\n");
    check(&["b", "maintainers[0].email"], "bob@x.example\n");
    check(&["b", "dist.unpackedSize"], "12345\n");
    check(&["b", "readme"], "# b\n");
    check(&["b", "description"], "The b package\u{fffd}[2J\n");
    check(&["b", "dist-tags"], "{\n  \"latest\": \"1.1.0\",\n  \"next\": \"2.0.0\"\n}\n");
    check(&["b", "time[1.0.0]"], "2020-01-02T00:00:00.000Z\n");
    check(&["b", "nosuch", "version"], "1.1.0\n");
    check(&["b", "version", "license"], "version = \"1.1.0\"\nlicense = \"MIT\"\n");
    check(
        &["b", "maintainers.name"],
        "maintainers[0].name = \"bob\"\nmaintainers[1].name = \"al\"\n",
    );
    check(&["b@1", "version"], "b@1.0.0 \"1.0.0\"\nb@1.1.0 \"1.1.0\"\n");
    check(
        &["b@>=1.1", "version", "deprecated"],
        "b@1.1.0 version = \"1.1.0\"\nb@2.0.0 version = \"2.0.0\"\nb@2.0.0 deprecated = \"do not use\\nthis\"\n",
    );
}

#[test]
fn for_programs() {
    let registry = Registry::start();
    let project = world(&registry);
    let document = project
        .command(["info", "b@1", "version", "maintainers.name", "--json"])
        .run()
        .document("info");
    let people = [("maintainers[0].name", "bob"), ("maintainers[1].name", "al")];
    let version = |version: &str| {
        let mut properties = json!({ "version": version });
        for (path, name) in people {
            properties[path] = name.into();
        }
        json!({ "version": version, "properties": properties })
    };
    assert_eq!(document["versions"], json!([version("1.0.0"), version("1.1.0")]));
    let document = project.command(["info", "b", "--json"]).run().document("info");
    assert_eq!(document["name"], "b");
    assert_eq!(document["versions"][0]["properties"]["dist"]["shasum"], "5ha");
    assert_eq!(
        document["versions"][0]["properties"]["versions"],
        json!(["1.0.0", "1.1.0", "2.0.0"])
    );
}

#[test]
fn failures() {
    let registry = Registry::start();
    let project = world(&registry);
    check_failure(&project, &["info"], 1, "There is no `package.json`");
    check_failure(&project, &["info", "nosuch"], 1, "(E404)");
    check_failure(&project, &["info", "nosuch", "--json"], 1, "(E404)");
    check_failure(
        &project,
        &["info", "b@9"],
        1,
        "error: No version of `b` matches `9` (ETARGET)\n  available: 2.0.0, 1.1.0, 1.0.0",
    );
    check_failure(&project, &["info", "b@nosuchtag"], 1, "ETARGET");
    check_failure(&project, &["info", "b", "nosuch"], 1, "`b` has no property `nosuch`");
    check_failure(&project, &["info", "../b"], 1, "`../b` is no package");
    project.package_json(json!({}));
    check_failure(&project, &["info"], 1, "has no name");
    registry.fault(Fault::on("/b").body("<html>"));
    check_failure(&project, &["info", "b", "--fetch-retries=0"], 4, "is not a valid packument");
}

#[test]
fn offline_the_cache_answers() {
    let registry = Registry::start();
    registry.package("c", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    registry.package("b", "1.1.0").dep("c", "^1.0.0").bin("b", "b.js").publish();
    let project = crate::project();
    project.use_registry(&registry).package_json(json!({ "dependencies": { "b": "1" } }));
    project.command(["install"]).run().assert_success();
    registry.clear_requests();
    let outcome = project.command(["info", "b@1.1.0", "--offline"]).run();
    outcome.assert_success();
    let text = &outcome.stdout;
    assert!(text.starts_with("b@1.1.0 | ? | deps: 1 | versions: 2\n"), "{}", outcome.snapshot());
    assert!(text.contains("- c: ^1.0.0") && text.contains(".integrity: sha512-"), "{text}");
    assert!(outcome.stderr.starts_with("warn: Offline: "), "{}", outcome.stderr);
    let range = project.command(["info", "b", "dependencies.c", "--offline", "--silent"]).run();
    assert_eq!((range.stdout.as_str(), range.stderr.as_str()), ("^1.0.0\n", ""));
    let document = project.command(["info", "b", "--offline", "--json"]).run().document("info");
    assert_eq!(document["versions"][0]["properties"]["versions"].as_array().map(Vec::len), Some(2));
    check_failure(
        &project,
        &["info", "b", "license", "--offline"],
        1,
        "hint: Without `--offline`, `deka info b --json` shows all there is",
    );
    check_failure(
        &project,
        &["info", "unseen", "--offline"],
        1,
        "hint: Run it without `--offline`",
    );
    assert_eq!(registry.requests().len(), 0);
}
