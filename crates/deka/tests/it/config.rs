//! `deka config`: what is shown, what is not, and what becomes of files.

use std::os::unix::fs::PermissionsExt as _;

use deka_test::TestProject;
use serde_json::json;

use crate::project;

const NPMRC: &str = "; mine\nsave-exact = true ; always\nfund=false\n\
                     //registry.example/:_authToken=s3cret\nregistry=https://registry.example/\n";

fn configured() -> TestProject {
    let project = project();
    project.write(".npmrc", NPMRC);
    project.write(
        "user.npmrc",
        "fund=true\nignore-scripts=true\n@s:registry=https://u:s3cret@s.example/\n",
    );
    project.write("bunfig.toml", "[install]\nlinker = \"isolated\"\n");
    project
}

#[track_caller]
fn get(project: &TestProject, arguments: &[&str], expected: &str) {
    let program = project.command(["--userconfig", "user.npmrc", "config", "get"]).args(arguments);
    let outcome = program.run();
    outcome.assert_success();
    assert_eq!(outcome.filtered(&outcome.stdout), expected, "{arguments:?}");
}

#[test]
fn values_and_where_they_come_from() {
    let project = configured();
    get(&project, &["registry"], "https://registry.example/\n");
    get(&project, &["save-exact"], "true\n");
    get(&project, &["fund"], "false\n");
    get(&project, &["@s:registry"], "https://s.example/\n");
    get(&project, &["nope"], "undefined\n");
    get(&project, &["monkey", "_authToken"], "monkey=undefined\n_authToken=undefined\n");
    get(&project, &["linker", "strict-ssl"], "linker=isolated\nstrict-ssl=true\n");
    get(
        &project,
        &["save-exact", "--show-origin"],
        "true  ; `save-exact` in `[PROJECT]/.npmrc`, line 2\n",
    );
    get(&project, &["strict-ssl", "--show-origin"], "true  ; `strict-ssl` (default)\n");
    let outcome = project
        .command(["config", "get", "registry"])
        .env("npm_config_registry", "https://e.example")
        .run();
    assert_eq!(outcome.stdout, "https://e.example/\n");
}

#[test]
fn secrets_are_not_shown() {
    let project = configured();
    let key = "//registry.example/:_authToken";
    let outcome = project.command(["config", "get", key]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("is protected"), "{}", outcome.stderr);
    let run = |arguments: &[&str]| {
        let outcome = project.command(["--userconfig", "user.npmrc"]).args(arguments).run();
        outcome.assert_success();
        assert!(!outcome.snapshot().contains("s3cret"), "{}", outcome.snapshot());
        outcome
    };
    let list = run(&["config", "list"]).stdout;
    assert!(list.contains("//registry.example/:_authToken = (protected)\n"), "{list}");
    assert!(list.contains("; fund = true ; overridden\n") && list.contains("\nfund = false\n"));
    let document = run(&["config", "list", "--json"]).document("config");
    let settings = document["settings"].as_array().unwrap();
    let token = settings.iter().find(|setting| setting["name"] == key).unwrap();
    assert_eq!((&token["value"], &token["protected"]), (&json!(null), &json!(true)));
    assert_eq!((&token["source"], &token["line"]), (&json!("project-npmrc"), &json!(4)));
    let fund = |setting: &&serde_json::Value| setting["name"] == "fund";
    assert_eq!(settings.iter().filter(fund).count(), 2);
    run(&["config", "get", "--json", "registry"]).document("config");
}

#[test]
fn files_keep_what_is_not_changed() {
    let project = configured();
    let run = |arguments: &[&str]| project.command(["config"]).args(arguments).run();
    run(&["set", "save-exact=false", "a=b", "--location", "project"]).assert_success();
    let expected = NPMRC.replace("save-exact = true ;", "save-exact = false ;") + "a=b\n";
    assert_eq!(project.read(".npmrc"), expected);
    run(&["delete", "save-exact", "a", "--location=project"]).assert_success();
    assert_eq!(project.read(".npmrc"), NPMRC.replace("save-exact = true ; always\n", ""));
    run(&["delete", "nope", "--location=project"]).assert_code(1);
    run(&["set", "novalue"]).assert_code(2);
    run(&["set", "[x]=1"]).assert_code(2);
    run(&["set", "a=1", "--location", "moon"]).assert_code(2);

    // A new file is for its owner alone.
    let set = ["--userconfig", "new.npmrc", "config", "set", "//r.example/:_authToken", "t"];
    project.command(set).run().assert_success();
    assert_eq!(project.read("new.npmrc"), "//r.example/:_authToken=t\n");
    let mode = std::fs::metadata(project.path().join("new.npmrc")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn without_any_file() {
    let outcome = project().command(["config", "list"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("; default\n"), "{}", outcome.stdout);
    project().command(["config", "list", "--json"]).run().document("config");
    project().command(["config"]).run().assert_code(2);
}
