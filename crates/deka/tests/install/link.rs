//! `deka link` and `deka unlink`: the register, and what becomes of projects.

use deka_test::TestProject;
use serde_json::json;

use crate::project;

/// A project with the folder of a package in it.
fn with_package() -> TestProject {
    let project = project();
    project.package_json(json!({ "name": "p" }));
    project.write("lib/package.json", r#"{ "name": "@s/lib", "bin": { "lib": "cli.js" } }"#);
    project.write("lib/cli.js", "");
    project
}

/// What follows the first line of what a command printed.
fn said(project: &TestProject, arguments: &[&str]) -> String {
    let outcome = project.command(arguments).run();
    outcome.assert_success();
    outcome.filtered(outcome.stdout.split_once('\n').unwrap_or_default().1)
}

#[test]
fn a_package_is_registered_and_linked() {
    let project = with_package();
    for _ in 0..2 {
        assert_eq!(
            said(&project, &["link", "--cwd=lib"]),
            "\nRegistered @s/lib\n\nTo use it in a project, run there\n  deka link @s/lib\nor add to dependencies in its \
             package.json\n  \"@s/lib\": \"link:@s/lib\"\n"
        );
    }
    let manifest = project.read("package.json");
    assert_eq!(
        said(&project, &["link", "@s/lib"]),
        "\ninstalled @s/lib@link:@s/lib with binaries:\n - lib\n\n1 package installed [TIME]\n"
    );
    project.write("lib/new.js", "1");
    assert_eq!(project.read("node_modules/@s/lib/new.js"), "1");
    assert!(project.exists("node_modules/.bin/lib"));
    assert_eq!(project.read("package.json"), manifest);
    assert!(!project.exists("bun.lock"));

    said(&project, &["link", "@s/lib", "--save"]);
    assert!(project.read("package.json").contains("\"@s/lib\": \"link:@s/lib\""));
    assert!(project.read("bun.lock").contains("\"@s/lib@link:@s/lib\""));
    assert!(said(&project, &["install"]).contains("(no changes)"));
}

#[test]
fn for_programs() {
    let project = with_package();
    let run = |command: &str| project.command([command, "--json", "--cwd=lib"]).run();
    let document = run("link").document("link");
    assert_eq!(
        (&document["name"], &document["commands"]["names"]),
        (&json!("@s/lib"), &json!(["lib"]))
    );
    project.command(["link", "@s/lib", "--json"]).run().document("install");
    for was_registered in [true, false] {
        let document = run("unlink").document("unlink");
        assert_eq!(document["was_registered"], was_registered);
    }
}

#[test]
fn another_folder_takes_the_name() {
    let project = with_package();
    project.write("other/package.json", r#"{ "name": "@s/lib" }"#);
    said(&project, &["link", "--cwd=lib"]);
    said(&project, &["link", "--cwd=other"]);
    said(&project, &["link", "@s/lib"]);
    assert!(!project.exists("node_modules/@s/lib/cli.js"));
    assert!(project.exists("node_modules/@s/lib/package.json"));
}

#[test]
fn a_package_is_forgotten() {
    let project = with_package();
    let nothing = "\n@s/lib was not registered, there is nothing to do\n";
    assert_eq!(said(&project, &["unlink", "--cwd=lib"]), nothing);
    said(&project, &["link", "--cwd=lib"]);
    assert_eq!(said(&project, &["unlink", "--cwd=lib"]), "\n@s/lib is no longer registered\n");
    assert_eq!(said(&project, &["unlink", "--cwd=lib"]), nothing);
    assert!(project.exists("lib/cli.js"));
    let outcome = project.command(["link", "@s/lib"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("@s/lib"), "{}", outcome.snapshot());
    assert!(!project.exists("node_modules/@s/lib"));
}

#[test]
fn an_installed_package_is_not_forgotten_but_replaced() {
    let project = with_package();
    project.command(["install", "-g", "./lib"]).run().assert_success();
    let home = project.home().join(".bun");
    let package = home.join("install/global/node_modules/@s/lib");
    let command = home.join("bin/lib");
    let nothing = "\n@s/lib was not registered, there is nothing to do\n";
    assert_eq!(said(&project, &["unlink", "--cwd=lib"]), nothing);
    assert!(package.join("cli.js").is_file() && command.exists());
    said(&project, &["link", "--cwd=lib"]);
    assert!(package.is_symlink() && command.exists());
    assert_eq!(said(&project, &["unlink", "--cwd=lib"]), "\n@s/lib is no longer registered\n");
    assert!(!package.is_symlink() && !command.is_symlink());
    assert!(project.exists("lib/cli.js"));
}

#[test]
fn what_cannot_be_linked() {
    let project = with_package();
    project.write("nameless/package.json", "{}");
    let outcome = project.command(["link", "--cwd=nameless"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("has no name"), "{}", outcome.snapshot());
    project.command(["link", "./lib"]).run().assert_code(2);
    project.command(["unlink", "@s/lib"]).run().assert_code(2);
    for command in ["link", "unlink"] {
        let help = project.command([command, "--help"]).run();
        assert!(help.stdout.contains("Examples:"), "{}", help.snapshot());
    }
}
