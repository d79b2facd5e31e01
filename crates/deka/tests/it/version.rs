//! `deka version`: package.json, git, scripts.

use deka_test::{Program, TestProject};
use serde_json::json;

use crate::project;

const TEXT: &str = "{\n\t\"name\": \"p\",\n\t\"version\": \"1.2.3\"\n}";

fn git(project: &TestProject, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@registry.example"];
    let program = Program::new("git", &project.path()).env("HOME", project.home());
    let outcome = program.args(identity).args(arguments).run();
    outcome.assert_success().stdout.clone()
}

/// A project of which everything is committed.
fn committed(files: &[(&str, &str)]) -> TestProject {
    let project = project();
    project.write("package.json", TEXT);
    for (path, text) in files {
        project.write(path, text);
    }
    git(&project, &["init", "-q"]);
    git(&project, &["config", "user.name", "t"]);
    git(&project, &["config", "user.email", "t@registry.example"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "first"]);
    project
}

#[test]
fn what_it_says() {
    let project = project();
    project.write("package.json", TEXT);
    let shown = project.command(["version"]).run();
    assert_eq!(
        shown.stdout,
        "1.2.3\n\n  patch      1.2.4\n  minor      1.3.0\n  major      2.0.0\n  prepatch   1.2.4-0\n  \
         preminor   1.3.0-0\n  premajor   2.0.0-0\n  prerelease 1.2.4-0\n"
    );
    assert_eq!(project.command(["version", "minor", "--dry-run"]).run().stdout, "v1.3.0\n");
    assert_eq!(project.read("package.json"), TEXT);
    assert_eq!(project.command(["pm", "version", "minor"]).run().stdout, "v1.3.0\n");
    assert_eq!(project.read("package.json"), TEXT.replace("1.2.3", "1.3.0"));
    project.write("package.json", "{}");
    let shown = project.command(["version"]).run();
    assert_eq!(shown.assert_success().stdout, "package.json has no version\n");
}

#[test]
fn it_is_committed_and_tagged() {
    let project = committed(&[]);
    project.command(["version", "patch", "--message=-- Release %s"]).run().assert_success();
    assert_eq!(git(&project, &["log", "-1", "--format=%s"]), "-- Release 1.2.4\n");
    assert_eq!(git(&project, &["tag", "-n"]), "v1.2.4          v1.2.4\n");
    assert_eq!(git(&project, &["status", "--porcelain"]), "");
    // That tag is there already.
    git(&project, &["commit", "-q", "--allow-empty", "-m", "more"]);
    git(&project, &["tag", "v3.0.0"]);
    project.command(["version", "from-git"]).run().assert_success();
    assert_eq!(git(&project, &["log", "-1", "--format=%s"]), "v3.0.0\n");
    project.command(["version", "patch", "--no-git-tag-version"]).run().assert_success();
    assert_eq!(git(&project, &["status", "--porcelain"]), " M package.json\n");
}

#[test]
fn scripts_run_around_it() {
    let manifest = json!({ "name": "p", "version": "1.0.0", "scripts": {
        "preversion": "echo pre $npm_package_version $npm_new_version >> log",
        "version": "echo new $npm_package_version $npm_old_version >> log; git add log",
        "postversion": "git log -1 --format=%s >> after",
    }});
    let project = committed(&[("package.json", &manifest.to_string())]);
    project.command(["version", "major"]).run().assert_success();
    assert_eq!(project.read("log"), "pre 1.0.0 2.0.0\nnew 2.0.0 1.0.0\n");
    assert_eq!(project.read("after"), "v2.0.0\n");
    assert!(git(&project, &["show", "--stat", "--format="]).contains(" 2 ++\n"));
    project.remove("after").remove("log");
    let ignoring = ["version", "major", "--ignore-scripts", "--force"];
    project.command(ignoring).run().assert_success();
    assert!(!project.exists("log"));
}

#[test]
fn members_have_their_own() {
    let project = committed(&[
        ("package.json", r#"{ "name": "root", "version": "9.0.0", "workspaces": ["a", "b"] }"#),
        ("a/package.json", r#"{ "name": "a", "version": "1.0.0" }"#),
        ("b/package.json", r#"{ "name": "@s/b", "version": "2.0.0" }"#),
    ]);
    let outcome = project.command(["version", "minor", "-F", "a", "-F", "@s/b"]).run();
    assert_eq!(outcome.assert_success().stdout, "a@1.1.0\n@s/b@2.1.0\n");
    assert_eq!(git(&project, &["tag"]), "@s/b@2.1.0\na@1.1.0\n");
    assert_eq!(git(&project, &["log", "--format=%s"]), "a@1.1.0, @s/b@2.1.0\nfirst\n");
    let outcome = project.command(["version", "patch", "-r", "--json"]).run();
    let packages = &outcome.document("version")["packages"];
    assert_eq!(
        packages[0],
        json!({ "name": "root", "path": "", "from": "9.0.0", "to": "9.0.1", "tag": "v9.0.1" })
    );
    assert_eq!(packages[2]["tag"], "@s/b@2.1.1");
    // In a member, without a filter, it is about that member, as with npm and Bun without git.
    let outcome = project.command(["version", "major", "--cwd", "a"]).run();
    assert_eq!(outcome.assert_success().stdout, "v2.0.0\n");
    assert_eq!(git(&project, &["status", "--porcelain"]), " M a/package.json\n");
    project.command(["version", "--json"]).run().document("version");
}

#[test]
fn what_fails_changes_nothing() {
    let manifest = r#"{ "name": "p", "version": "1.0.0", "scripts": { "version": "exit 3" } }"#;
    let project = committed(&[("package.json", manifest)]);
    git(&project, &["tag", "v1.1.0"]);
    for (arguments, code, expected) in [
        (&["patch"][..], 3, "ELIFECYCLE"),
        (&["minor"], 1, "There is a tag `v1.1.0` already"),
        (&["1.0.0"], 1, "is `1.0.0` already"),
        (&["next"], 2, "`next` is not a valid version"),
        (&["premajor", "--preid", "a b"], 1, "There is no such prerelease"),
        (&["patch", "-F", "nosuch"], 1, "No member of the workspaces matches `nosuch`"),
    ] {
        let outcome = project.command(["version"]).args(arguments).run();
        outcome.assert_code(code);
        assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
        assert_eq!(project.read("package.json"), manifest, "{arguments:?}");
        assert_eq!(git(&project, &["status", "--porcelain"]), "", "{arguments:?}");
    }
    // A hook refuses.
    project.write(".git/hooks/pre-commit", "#!/bin/sh\necho no commits today >&2\nexit 1\n");
    let hook = project.path().join(".git/hooks/pre-commit");
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let outcome = project.command(["version", "patch", "--ignore-scripts"]).run();
    outcome.assert_code(1);
    assert!(
        outcome.stderr.contains("git failed to commit: no commits today"),
        "{}",
        outcome.snapshot()
    );
    assert_eq!(project.read("package.json"), manifest);
    assert_eq!(git(&project, &["status", "--porcelain"]), "");
    project.write("new", "");
    let outcome = project.command(["version", "patch"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("git: ?? new"), "{}", outcome.snapshot());
}
