//! `deka add`, `deka remove` and `deka update`: what they say, and what they leave alone; `deka pm bin`.

use deka_test::{Fault, Registry, TestProject};
use serde_json::json;

use crate::project;

/// A project that has `a` installed, of which there is a newer version.
fn installed(registry: &Registry) -> TestProject {
    registry.package("a", "1.0.0").publish();
    registry.package("a", "2.0.0").publish();
    registry.package("tool", "1.0.0").file("t.js", "").bin("tool", "t.js").publish();
    let project = project();
    project.use_registry(registry).package_json(json!({ "dependencies": { "a": "^1.0.0" } }));
    project.command(["install"]).run().assert_success();
    project
}

/// What must not change when a command fails.
fn state(project: &TestProject) -> (String, String, String) {
    let tree = project.node_modules_with_contents().to_string();
    (project.read("package.json"), project.read("bun.lock"), tree)
}

#[test]
fn what_add_and_remove_say() {
    let registry = Registry::start();
    let project = installed(&registry);
    let outcome = project.command(["add", "-D", "tool", "a"]).run();
    outcome.assert_success();
    assert_eq!(
        outcome.snapshot(),
        "exit code: 0\n----- stdout -----\ndeka add v0.1.0\n\ninstalled tool@1.0.0 with binaries:\n - tool\n\
         installed a@2.0.0\n\n2 packages installed [TIME]\n"
    );
    assert_eq!(
        project.read("package.json"),
        "{\n  \"devDependencies\": {\n    \"a\": \"^2.0.0\",\n    \"tool\": \"^1.0.0\"\n  }\n}\n"
    );
    let again = project.command(["install"]).run();
    assert!(again.stdout.contains("(no changes)"), "{}", again.snapshot());

    let outcome = project.command(["rm", "tool", "nothing"]).run();
    assert_eq!(
        outcome.snapshot(),
        "exit code: 0\n----- stdout -----\ndeka remove v0.1.0\n\n- tool\n\n1 package removed [TIME]\n"
    );
    assert!(!project.exists("node_modules/tool"));
    let outcome = project.command(["remove", "a", "--json"]).run();
    let summary = outcome.document("install");
    assert_eq!(summary["removed_dependencies"], json!(["a"]));
    assert_eq!(project.read("package.json"), "{}\n");
    assert!(!project.exists("bun.lock"));

    let outcome = project.command(["remove", "a"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("nothing to remove"), "{}", outcome.snapshot());
}

#[test]
fn for_programs() {
    let registry = Registry::start();
    let project = installed(&registry);
    let outcome = project.command(["add", "tool", "--json"]).run();
    let summary = outcome.document("install");
    let tool = json!({ "name": "tool", "version": "1.0.0", "bins": ["tool"] });
    assert_eq!(summary["requested"], json!([tool]));
    assert_eq!(summary["outcome"], "installed");
}

#[test]
fn what_fails_changes_nothing() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry.package("broken", "1.0.0").publish();
    registry.fault(Fault::on("/broken/-/broken-1.0.0.tgz").status(404));
    let before = state(&project);
    for (arguments, expected) in [
        (&["add", "nosuch"][..], "The package `nosuch` does not exist (E404)"),
        (&["add", "tool", "a@9"], "ETARGET"),
        (&["add", "Bad Name"], "`Bad Name` is no package"),
        (&["add", "./nosuch"], "Failed to find out the name of `./nosuch`"),
        (&["add", "--catalog", "tool"], "There are no catalogs without `workspaces`"),
        (&["add", "tool", "--filter", "x"], "No member of the workspaces matches `x`"),
        (&["add", "tool", "--frozen-lockfile"], "The lockfile would change"),
        (&["add", "--analyze", "tool"], "`--analyze` is not supported"),
        (&["add"], "`deka add` needs the name of a package"),
        (&["remove"], "`deka remove` needs the name of a package"),
        (&["ci", "tool"], "`deka ci` takes no packages"),
        // Here packages are linked while the tarball is asked for.
        (&["add", "broken"], "Failed to download `broken@1.0.0` (E404)"),
    ] {
        let outcome = project.command(arguments).run();
        assert_ne!(outcome.code, Some(0), "{arguments:?}");
        assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
        assert_eq!(state(&project), before, "{arguments:?}");
    }
}

/// Has an editor save `text` as `path` when the registry is asked for `asked`.
fn save_when_asked(
    registry: &Registry,
    asked: &str,
    project: &TestProject,
    path: &str,
    text: &str,
) {
    let (file, text) = (project.path().join(path), text.to_owned());
    registry.fault(Fault::on(asked).times(1).call(move || {
        std::fs::write(&file, &text).expect("the editor can save");
    }));
}

#[test]
fn what_an_editor_saves_meanwhile_is_not_lost() {
    let registry = Registry::start();
    let project = installed(&registry);
    let edited = "{ \"dependencies\": { \"a\": \"^1.0.0\" }, \"private\": true }";
    let message = "package.json` was changed by somebody else meanwhile";
    for (asked, arguments) in [
        ("/tool", &["add", "tool"][..]),
        ("/a", &["update", "--latest", "--prefer-online"]),
        ("/tool", &["add", "tool", "--lockfile-only", "--prefer-online"]),
    ] {
        project.package_json(json!({ "dependencies": { "a": "^1.0.0" } }));
        let (_, lockfile, tree) = state(&project);
        save_when_asked(&registry, asked, &project, "package.json", edited);
        let outcome = project.command(arguments).run();
        outcome.assert_code(1);
        assert!(outcome.stderr.contains(message), "{arguments:?} {}", outcome.snapshot());
        assert!(outcome.stderr.contains("hint: "), "{}", outcome.snapshot());
        assert_eq!(state(&project), (edited.to_owned(), lockfile, tree), "{arguments:?}");
        project.command(["install"]).run().assert_success();
    }
    // With the versions known, `node_modules` is begun before the last bytes are there.
    registry.package("b", "1.0.0").publish();
    save_when_asked(&registry, "/b/-/b-1.0.0.tgz", &project, "package.json", "{ }");
    project.command(["add", "b"]).run().assert_code(1);
    assert_eq!(project.read("package.json"), "{ }");
    project.command(["add", "b"]).run().assert_success();
    assert!(project.exists("node_modules/b"));
}

#[test]
fn nor_is_what_is_saved_in_a_member() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "p", "workspaces": ["m"] }));
    project.write("m/package.json", "{ \"name\": \"m\" }");
    let edited = "{ \"name\": \"m\", \"private\": true }";
    save_when_asked(&registry, "/a", &project, "m/package.json", edited);
    let outcome = project.command(["add", "a", "--filter", "m"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("m/package.json` was changed"), "{}", outcome.snapshot());
    assert_eq!(project.read("m/package.json"), edited);
    assert!(!project.exists("bun.lock") && !project.exists("node_modules"));
}

#[test]
fn the_file_keeps_its_own_form() {
    let registry = Registry::start();
    let project = installed(&registry);
    let text = "{\r\n\t\"dependencies\": { // mine\r\n\t\t\"a\": \"^1.0.0\"\r\n\t},\r\n\t\"files\": [\"x\",\"y\"]\r\n}";
    project.write("package.json", text);
    project.command(["add", "tool"]).run().assert_success();
    assert_eq!(
        project.read("package.json"),
        text.replace("\"^1.0.0\"\r\n", "\"^1.0.0\",\r\n\t\t\"tool\": \"^1.0.0\"\r\n")
    );
    project.command(["remove", "tool"]).run().assert_success();
    assert_eq!(project.read("package.json"), text);
}

#[test]
fn a_project_is_made_where_there_is_none() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry).remove("package.json");
    project.command(["add", "a"]).run().assert_success();
    assert_eq!(
        project.read("package.json"),
        "{\n  \"dependencies\": {\n    \"a\": \"^1.0.0\"\n  }\n}"
    );
    assert!(project.exists("node_modules/a/package.json"));
}

#[test]
fn what_update_says() {
    let registry = Registry::start();
    let project = installed(&registry);
    let outcome = project.command(["update"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("(no changes)"), "{}", outcome.snapshot());
    registry.package("a", "1.1.0").publish();
    registry.tag("a", "latest", "2.0.0");

    let outcome = project.command(["up", "a", "--prefer-online"]).run();
    assert_eq!(
        outcome.snapshot(),
        "exit code: 0\n----- stdout -----\ndeka update v0.1.0\n\n^ a 1.0.0 -> 1.1.0\n\n1 package installed [TIME]\n"
    );
    assert!(project.read("package.json").contains("\"a\": \"^1.1.0\""));
    let outcome = project.command(["update", "--latest", "--json"]).run();
    let summary = outcome.document("install");
    assert_eq!(summary["updated"], json!([{ "name": "a", "from": "1.1.0", "to": "2.0.0" }]));
    assert!(project.read("node_modules/a/package.json").contains("2.0.0"));

    let before = state(&project);
    for (arguments, expected) in [
        (&["update", "nosuch"][..], "`nosuch` is not a dependency of the project"),
        (&["update", "a@9"], "ETARGET"),
        (&["update", "--interactive"], "`deka update --interactive` needs a terminal"),
    ] {
        let outcome = project.command(arguments).run();
        assert_ne!(outcome.code, Some(0), "{arguments:?}");
        assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
        assert_eq!(state(&project), before, "{arguments:?}");
    }
}

#[test]
fn packages_under_other_names_keep_their_spelling() {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("a", version).publish();
        registry.package("@jsr/s__x", version).publish();
    }
    let project = project();
    let npmrc = format!("registry={0}\n@jsr:registry={0}\n", registry.url());
    project.write(".npmrc", npmrc).package_json(json!({ "name": "root" }));
    let check = |arguments: &[&str], expected: serde_json::Value| {
        project.command(arguments).run().assert_success();
        let manifest: serde_json::Value =
            serde_json::from_str(&project.read("package.json")).expect("JSON");
        assert_eq!(manifest["dependencies"], expected, "{arguments:?}");
    };
    check(&["add", "jsr:@s/x"], json!({ "@s/x": "jsr:@s/x@^2.0.0" }));
    check(&["add", "@s/x@jsr:^1.0.0"], json!({ "@s/x": "jsr:^1.0.0" }));
    check(&["update"], json!({ "@s/x": "jsr:^1.1.0" }));
    check(&["update", "--latest"], json!({ "@s/x": "jsr:^2.0.0" }));
    assert!(project.exists("node_modules/@s/x/package.json"));
    check(&["remove", "@s/x"], serde_json::Value::Null);

    check(&["add", "b@npm:a@~1.0.0"], json!({ "b": "npm:a@~1.0.0" }));
    check(&["update", "--latest"], json!({ "b": "npm:a@~2.0.0" }));
    check(&["remove", "b"], serde_json::Value::Null);

    // As with Bun, npm is not told to take what it would take anyway.
    check(&["add", "a@npm:^1.0.0"], json!({ "a": "npm:^1.0.0" }));
    check(&["update", "--latest"], json!({ "a": "^2.0.0" }));
}

#[test]
fn where_the_commands_of_packages_are() {
    let project = project();
    project
        .write("package.json", r#"{ "workspaces": ["a"] }"#)
        .write("a/package.json", r#"{ "name": "a" }"#);
    for folder in [".", "a"] {
        let outcome = project.command(["pm", "bin", "--cwd", folder]).run();
        let expected = project.path().join("node_modules/.bin");
        assert_eq!(outcome.assert_success().stdout.trim_end(), expected.to_string_lossy());
        let outcome = project.command(["pm", "bin", "--json", "--cwd", folder]).run();
        assert_eq!(outcome.document("pm-bin")["folder"], json!(expected));
    }
    project.remove("package.json").remove("a");
    let outcome = project.command(["pm", "bin"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("There is no `package.json`"), "{}", outcome.snapshot());
}
