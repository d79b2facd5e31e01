//! Workspaces: whose project it is, what is noticed, and what is refused.

use deka_test::{Registry, TestProject};
use serde_json::json;

use crate::project;

/// A project with the member `a`, installed.
fn installed(registry: &Registry) -> TestProject {
    registry.package("x", "1.0.0").publish();
    let project = project();
    project.use_registry(registry);
    project.package_json(json!({ "name": "root", "workspaces": ["packages/*"] }));
    project.write(
        "packages/a/package.json",
        r#"{ "name": "a", "version": "1.0.0", "dependencies": { "x": "^1" } }"#,
    );
    install(&project);
    project
}

fn install(project: &TestProject) -> String {
    let outcome = project.command(["install", "--linker=hoisted"]).run();
    outcome.assert_success();
    outcome.stdout
}

#[test]
fn every_change_of_a_member_is_noticed() {
    let project = installed(&Registry::start());
    let is_unchanged = |project: &TestProject| install(project).contains("(no changes)");
    assert!(is_unchanged(&project));

    project.write("packages/b/package.json", r#"{ "name": "b" }"#);
    assert!(!is_unchanged(&project), "a new member");
    assert!(project.exists("node_modules/b"));
    assert!(is_unchanged(&project));

    project.write("packages/b/package.json", r#"{ "name": "b", "dependencies": { "x": "1" } }"#);
    install(&project);
    assert!(project.read("bun.lock").contains("\"x\": \"1\""), "an edit");

    project.write("packages/c/readme.md", "");
    install(&project);
    project.write("packages/c/package.json", r#"{ "name": "c" }"#);
    assert!(!is_unchanged(&project), "a manifest in a folder that was there");
    assert!(project.exists("node_modules/c"));

    project.remove("packages/b");
    assert!(!is_unchanged(&project), "a member that went");
    assert!(!project.exists("node_modules/b"));
    assert!(!project.read("bun.lock").contains("packages/b"));
}

#[test]
fn a_folder_that_is_no_member_is_a_project_of_its_own() {
    let registry = Registry::start();
    let project = installed(&registry);
    project.write("other/.npmrc", project.read(".npmrc"));
    let other = r#"{ "name": "other", "dependencies": { "x": "1.0.0" } }"#;
    project.write("other/package.json", other);
    let folder = project.path().join("other");
    project.command(["install"]).current_dir(&folder).run().assert_success();
    assert!(project.exists("other/bun.lock"));
    assert!(project.exists("other/node_modules/x"));
}

#[test]
fn what_changed_since_a_commit_is_installed_for() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry.package("y", "1.0.0").publish();
    let member =
        |name: &str| format!(r#"{{ "name": "{name}", "dependencies": {{ "y": "1.0.0" }} }}"#);
    project.write("packages/b/package.json", member("b"));
    project.write("packages/c/package.json", member("c"));
    let git = |arguments: &[&str]| {
        let author = ["-c", "user.name=test", "-c", "user.email=test@registry.example"];
        let git = project.other_program("git").args(author).args(arguments);
        git.run().assert_success();
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "first"]);
    project.remove("node_modules").write("packages/a/new.js", "");
    let run = |filter: &str| {
        project.command(["install", "--linker=hoisted", &format!("--filter={filter}")]).run()
    };
    run("[HEAD]").assert_success();
    assert!(project.exists("node_modules/a") && project.exists("node_modules/x"));
    assert!(!project.exists("node_modules/b") && !project.exists("node_modules/y"));

    // What another filter installed stays.
    run("b").assert_success();
    assert!(project.exists("node_modules/b") && project.exists("node_modules/y"));
    assert!(project.exists("node_modules/a") && !project.exists("node_modules/c"));
    install(&project);
    assert!(project.exists("node_modules/c"), "an install without filters is for all");

    let failed = run("[--help]");
    failed.assert_code(1);
    assert!(failed.stderr.contains("what changed since `--help`"), "{}", failed.snapshot());
}

#[test]
fn members_that_changed_bring_others_along() {
    // Words and meaning are pnpm's; Bun takes the brackets for a set of characters.
    let registry = Registry::start();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "root", "workspaces": ["packages/*"] }));
    let lines = [("base", ""), ("lib", "base"), ("app", "lib"), ("other", "")];
    for (name, needs) in lines {
        let own = format!("of-{name}");
        registry.package(&own, "1.0.0").publish();
        let mut manifest = json!({ "name": name, "dependencies": { own: "1.0.0" } });
        if !needs.is_empty() {
            manifest["dependencies"][needs] = "workspace:*".into();
        }
        project.write(&format!("packages/{name}/package.json"), manifest.to_string());
        project.write(&format!("packages/{name}/old.js"), name);
    }
    let git = |arguments: &[&str]| {
        let author = ["-c", "user.name=test", "-c", "user.email=test@registry.example"];
        project.other_program("git").args(author).args(arguments).run().assert_success();
    };
    project.write(".gitignore", "node_modules\n");
    install(&project);
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "."], &["commit", "-qm", "1"]] {
        git(arguments);
    }
    let check = |filters: &[&str], expected: &[&str]| {
        project.remove("node_modules");
        let filters = filters.iter().map(|filter| format!("--filter={filter}"));
        let arguments = ["install", "--linker=hoisted"].map(str::to_owned).into_iter();
        let arguments: Vec<String> = arguments.chain(filters).collect();
        let outcome = project.command(arguments.iter().map(String::as_str)).run();
        outcome.assert_success();
        let found = lines.iter().map(|(name, _)| *name);
        let found = found.filter(|name| project.exists(&format!("node_modules/of-{name}")));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{arguments:?}");
    };
    check(&["[main]"], &[]);
    project.write("packages/lib/old.js", "changed");
    check(&["[main]"], &["base", "lib"]);
    git(&["commit", "-qam", "2"]);
    check(&["[HEAD]"], &[]);
    check(&["[HEAD~1]..."], &["base", "lib"]);
    check(&["...[HEAD~1]"], &["base", "lib", "app"]);
    check(&["...^[HEAD~1]"], &["base", "lib", "app"]);
    check(&["[HEAD~1]^..."], &["base"]);
    check(&["other", "[HEAD~1]"], &["base", "lib", "other"]);
    check(&["!...[HEAD~1]"], &["base", "other"]);
    check(&["app[HEAD~1]"], &[]);
    check(&["{packages/lib}[HEAD~1]"], &["base", "lib"]);

    // What was moved is missed by the one and new to the other, though the file is the same.
    git(&["mv", "packages/base/old.js", "packages/other/moved.js"]);
    check(&["[HEAD]"], &["base", "other"]);
}

#[test]
fn members_that_a_container_lacks_are_counted() {
    let project = installed(&Registry::start());
    for at in 0..20 {
        let manifest = format!(r#"{{ "name": "m{at:02}", "version": "1.0.0" }}"#);
        project.write(&format!("packages/m{at:02}/package.json"), manifest);
    }
    install(&project);
    project.remove("node_modules");
    let warned = |expected: &str| {
        let frozen = project.command(["install", "--frozen-lockfile"]).run();
        frozen.assert_success();
        assert!(frozen.stderr.contains(expected), "{}", frozen.snapshot());
    };
    project.remove("packages/m19").remove("packages/m18");
    warned("skipped 2 workspaces listed in bun.lock but not on disk: \"m18\", \"m19\"\n");
    for at in 0..18 {
        project.remove(&format!("packages/m{at:02}"));
    }
    warned(
        "skipped 20 workspaces listed in bun.lock but not on disk: \"m00\", \"m01\", \"m02\", \"m03\", \"m04\" \
         and 15 more\n",
    );
}

#[test]
fn what_nobody_could_install_is_refused() {
    let registry = Registry::start();
    let check = |packages: &[(&str, &str)], patterns: &[&str], expected: &str| {
        let project = project();
        project.use_registry(&registry).package_json(json!({ "workspaces": patterns }));
        for (path, manifest) in packages {
            project.write(&format!("{path}/package.json"), manifest);
        }
        let outcome = project.command(["install", "--linker=hoisted"]).run();
        outcome.assert_code(1);
        assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
        assert!(!project.exists("bun.lock"));
    };
    check(
        &[],
        &["packages/a"],
        "`workspaces` names `packages/a`, where there is no `package.json`",
    );
    let twice = [("p/a", r#"{"name":"x"}"#), ("p/b", r#"{"name":"x"}"#)];
    check(&twice, &["p/*"], "The workspaces `p/a` and `p/b` are both named `x`");
    check(&[("p/a", r#"{"name":"../x"}"#)], &["p/*"], "`../x` is not a valid package name");
    check(&[("p/a", r#"{"name": "#)], &["p/*"], "p/a/package.json");
}
