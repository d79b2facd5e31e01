//! `deka pm pkg`: reading and changing package.json.

use deka_test::TestProject;

use crate::project;

const TEXT: &str = "{\r\n\t\"name\": \"P\", // mine\r\n\t\"scripts\": { \"a.b\": \"x\" },\r\n\t\"files\": [\"a\",\"b\"],\r\n\t\"bin\": { \"c\": \"./c.js\" }\r\n}";

fn with_text() -> TestProject {
    let project = project();
    project.write("package.json", TEXT);
    project
}

#[test]
fn values_are_printed_as_json() {
    let project = with_text();
    let check = |paths: &[&str], expected: &str| {
        let outcome = project.command(["pm", "pkg", "get"]).args(paths).run();
        outcome.assert_success();
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (expected, ""), "{paths:?}");
    };
    check(&["name"], "\"P\"\n");
    check(
        &["scripts[a.b]", "files[1]"],
        "{\n  \"scripts[a.b]\": \"x\",\n  \"files[1]\": \"b\"\n}\n",
    );
    check(&["name", "nosuch"], "\"P\"\n");
    check(&["nosuch"], "{}\n");
    check(&["files"], "[\n  \"a\",\n  \"b\"\n]\n");
    check(&["name", "--json"], "\"P\"\n");
    let all = project.command(["pm", "pkg", "get"]).run().stdout;
    assert!(all.starts_with("{\n  \"name\": \"P\",\n  \"scripts\": {\n"), "{all}");
}

#[test]
fn the_file_keeps_its_form() {
    let project = with_text();
    let run = |arguments: &[&str]| {
        let outcome = project.command(["pm", "pkg"]).args(arguments).run();
        outcome.assert_success();
        assert_eq!(outcome.stdout, "");
        outcome.stderr
    };
    run(&["set", "scripts[a.b]=\"y\"", "files[]=\"c\"", "private=true", "--json"]);
    let changed = TEXT.replace("\"x\"", "\"y\"").replace("\"a\",\"b\"]", "\"a\",\"b\", \"c\"]");
    let expected = changed.replace("./c.js\" }\r\n", "./c.js\" },\r\n\t\"private\": true\r\n");
    assert_eq!(project.read("package.json"), expected);
    run(&["delete", "private", "files[2]", "nosuch"]);
    assert_eq!(project.read("package.json"), TEXT.replace("\"x\"", "\"y\""));
    assert_eq!(run(&["fix"]), "warn: There is no `./c.js`, which `bin` names\n");
    let fixed = TEXT.replace("\"x\"", "\"y\"").replace("\"P\"", "\"p\"");
    assert_eq!(project.read("package.json"), fixed);
}

#[test]
fn what_fails_changes_nothing() {
    let project = with_text();
    for (arguments, code, expected) in [
        (&["set", "a=1", "name.x=1"][..], 1, "`name.x` can't be set: `name` is neither"),
        (&["set", "a=1", "files[7]=1"], 1, "hint: `files[]` adds to the list"),
        (&["set", "a=1", "b"], 2, "`b` has no `=`"),
        (&["set", "a={", "--json"], 2, "The value for `a` is no JSON"),
        (&["set"], 2, "needs `<path=value>...`"),
        (&["get", "files[]"], 2, "it names no value that is there"),
        (&["delete", "a["], 2, "`a[` has a `[` without a `]`"),
        (&["nosuch"], 2, "EUSAGE"),
    ] {
        let outcome = project.command(["pm", "pkg"]).args(arguments).run();
        outcome.assert_code(code);
        assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
        assert_eq!(project.read("package.json"), TEXT);
    }
    project.write("package.json", "{");
    project.command(["pm", "pkg", "set", "a=1"]).run().assert_code(1);
    project.remove("package.json");
    let outcome = project.command(["pm", "pkg", "get", "a"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("There is no `package.json`"), "{}", outcome.snapshot());
}
