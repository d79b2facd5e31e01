//! `deka list` and `deka licenses`, of projects whose packages are written by hand.

use deka_test::TestProject;
use serde_json::json;

use crate::project;

const LOCKFILE: &str = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "app",
      "dependencies": { "x": "^1.0.0" },
      "devDependencies": { "o": "npm:z@2" },
    },
    "packages/m": { "name": "m", "version": "1.2.3", "devDependencies": { "z": "1" } },
  },
  "packages": {
    "@s/y": ["@s/y@1.0.1", "", { "dependencies": { "z": "^1.0.0" } }, ""],

    "m": ["m@workspace:packages/m"],

    "o": ["z@2.0.0", "", {}, ""],

    "w": ["w@1.0.0", "", { "os": "none" }, ""],

    "x": ["x@1.0.0", "", { "dependencies": { "@s/y": "~1.0.0" }, "optionalDependencies": { "w": "1" } }, ""],

    "z": ["z@1.0.0", "", {}, ""],
  }
}
"#;

/// All is there, but for what is for another system.
fn installed() -> TestProject {
    let project = project();
    project.write("bun.lock", LOCKFILE);
    let package = |path: &str, name: &str, version: &str, more: &str| {
        let text = format!(r#"{{ "name": "{name}", "version": "{version}"{more} }}"#);
        project.write(&format!("node_modules/{path}/package.json"), &text);
    };
    package("x", "x", "1.0.0", r#", "license": "MIT", "author": "Ada" "#);
    package("@s/y", "@s/y", "1.0.1", r#", "licenses": [{ "type": "ISC" }, { "type": "MIT" }]"#);
    package("z", "z", "1.0.0", r#", "license": { "type": "MIT" }"#);
    package("o", "z", "2.0.0", "");
    project.write("packages/m/package.json", r#"{ "name": "m" }"#);
    project
}

#[track_caller]
fn check(project: &TestProject, arguments: &[&str], expected: &str) {
    let outcome = project.command(arguments).run();
    outcome.assert_success();
    let lines: Vec<&str> = outcome.stdout.lines().skip(1).collect();
    assert_eq!(lines.join("\n"), expected.trim_end(), "{}", outcome.snapshot());
    assert_eq!(outcome.stderr, "");
}

#[test]
fn dependencies_of_the_project() {
    let project = installed();
    check(&project, &["list"], "├── m@workspace:packages/m\n├── o@2.0.0\n└── x@1.0.0\n");
    check(&project, &["ls", "--prod"], "├── m@workspace:packages/m\n└── x@1.0.0\n");
    let head = project.command(["pm", "ls"]).run();
    assert!(head.filtered(&head.stdout).starts_with("[PROJECT] node_modules (5 installed)\n"));
    check(
        &project,
        &["ls", "--all"],
        "├── @s/y@1.0.1\n├── m@workspace:packages/m\n├── o@2.0.0\n├── x@1.0.0\n└── z@1.0.0\n",
    );
    check(
        &project,
        &["ls", "--depth", "9"],
        "├── m@workspace:packages/m\n│   └── z@1.0.0\n├── o@2.0.0\n└── x@1.0.0\n    \
         └── @s/y@1.0.1\n        └── z@1.0.0\n",
    );
    check(&project, &["ls", "--filter", "m"], "└── z@1.0.0\n");
    check(&project, &["ls", "z", "@s/*"], "├── @s/y@1.0.1\n└── z@1.0.0\n");
    check(&project, &["ls", "?@2", "x@1"], "├── o@2.0.0\n└── x@1.0.0\n");
}

#[test]
fn what_differs_from_the_lockfile_is_marked() {
    let project = installed();
    project.remove("node_modules/x").remove("node_modules/z");
    project.write("node_modules/o/package.json", r#"{ "version": "2.1.0" }"#);
    project.write("node_modules/@t/e/package.json", r#"{ "version": "9.0.0" }"#);
    let outcome = project.command(["ls"]).run();
    outcome.assert_success();
    let expected = "[PROJECT] node_modules (3 installed)\n├── m@workspace:packages/m\n├── o@2.0.0 invalid: 2.1.0 is \
                    installed\n├── x@1.0.0 missing\n└── @t/e@9.0.0 extraneous\n";
    assert_eq!(outcome.filtered(&outcome.stdout), expected);
    assert!(outcome.stderr.contains("2 packages of bun.lock are not installed"));
    let document = project.command(["ls", "--json"]).run().document("list");
    let packages = &document["importers"][0]["packages"];
    assert_eq!(packages[1]["problem"], "invalid");
    assert_eq!(packages[1]["installed"], "2.1.0");
    assert_eq!(packages[3]["version"], json!(null));
}

#[test]
fn for_programs() {
    let project = installed();
    let outcome = project.command(["ls", "--json", "--depth", "1"]).run();
    let document = outcome.document("list");
    let importer = &document["importers"][0];
    assert_eq!(importer["installed"], 5);
    assert_eq!(
        importer["packages"][4],
        json!({
            "of": 3, "depth": 1, "alias": "@s/y", "name": "@s/y", "version": "1.0.1",
            "path": "node_modules/@s/y", "kind": "prod", "dev": false, "repeated": false,
            "problem": null, "installed": null,
        })
    );
    assert_eq!(importer["packages"][2]["dev"], true);
    project.command(["ls", "--all", "--json"]).run().document("list");
}

#[test]
fn licenses_by_name() {
    let project = installed();
    let outcome = project.command(["licenses"]).run();
    outcome.assert_success();
    assert_eq!(
        outcome.filtered(&outcome.stdout),
        "deka licenses v0.1.0\n\n(ISC OR MIT) (1)\n└── @s/y@1.0.1\n\nMIT (2)\n├── x@1.0.0\n└── z@1.0.0\n\nUnknown (1)\n\
         └── z@2.0.0 (dev)\n\n4 packages across 3 licenses (checked 4 packages in bun.lock) [TIME]\n"
    );
    let production = project.command(["pm", "licenses", "--prod", "--long"]).run().stdout;
    assert!(!production.contains("Unknown") && production.contains("│   Ada\n"), "{production}");
    let document = project.command(["licenses", "--json"]).run().document("licenses");
    assert_eq!(document["licenses"][2]["license"], json!(null));
    assert_eq!(document["licenses"][2]["packages"][0]["dev"], true);
    project.remove("node_modules/x");
    let outcome = project.command(["licenses"]).run();
    assert!(outcome.stderr.contains("1 package of bun.lock is not installed"));
}

#[test]
fn what_is_not_there() {
    for command in ["list", "licenses"] {
        let outcome = project().command([command]).run();
        outcome.assert_code(1);
        assert!(outcome.stderr.contains("There is no `bun.lock`"), "{}", outcome.stderr);
        let outcome = installed().command([command, "--filter", "nope"]).run();
        outcome.assert_code(1);
        let broken = project();
        broken.write("bun.lock", "{");
        broken.command([command]).run().assert_code(1);
    }
    let outcome = installed().command(["list", "nope", "no*"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("No packages match `nope`, `no*`"), "{}", outcome.stderr);
    installed().command(["list", "--depth", "x"]).run().assert_code(2);
    // Nothing asked for, nothing there.
    let empty = project();
    empty.write(
        "bun.lock",
        "{ \"lockfileVersion\": 1, \"workspaces\": { \"\": {} }, \"packages\": {} }",
    );
    let outcome = empty.command(["list"]).run();
    assert_eq!(outcome.filtered(&outcome.stdout), "[PROJECT] node_modules (0 installed)\n");
    empty.command(["licenses", "--json"]).run().document("licenses");
}
