//! `deka diff`.

use deka_test::{Fault, Registry, TestProject};
use serde_json::json;

use super::{check, check_failure};

fn world(registry: &Registry) -> TestProject {
    let lines = |third: &str| format!("1\n2\n{third}\n4\n5\n6\n7\n8\n");
    let old = registry.package("a", "1.0.0").package_json("{}\n").file("lib/x.js", lines("3"));
    old.file("logo.png", [0, 1, 2]).file("gone.md", "old\n").publish();
    let new = registry.package("a", "1.1.0").package_json("{}\n").file("lib/x.js", lines("three"));
    new.file("logo.png", [0, 9]).file("new.md", "\u{1b}[2Jnew").publish();
    let project = crate::project();
    project.use_registry(registry).package_json(json!({ "dependencies": { "a": "1.0.0" } }));
    project
}

const PATCH: &str = "\
a@1.0.0 → a@1.1.0

diff --git a/gone.md b/gone.md
deleted file mode 100644
--- a/gone.md
+++ /dev/null
@@ -1 +0,0 @@
-old
diff --git a/lib/x.js b/lib/x.js
--- a/lib/x.js
+++ b/lib/x.js
@@ -1,6 +1,6 @@
 1
 2
-3
+three
 4
 5
 6
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
diff --git a/new.md b/new.md
new file mode 100644
--- /dev/null
+++ b/new.md
@@ -0,0 +1 @@
+\u{1b}[2Jnew
\\ No newline at end of file

a@1.0.0 → a@1.1.0
2 files changed, 1 added, 1 removed  (+2 -2 lines)
";

#[test]
fn two_versions() {
    let registry = Registry::start();
    let project = world(&registry);
    for arguments in [
        &["diff", "a@1.0.0", "a@1.1.0"][..],
        &["diff", "a@1.0.0", "1.1.0"],
        &["diff", "a@1.0.0", "a"],
        &["pm", "diff", "a@1.0.0", "a@latest"],
        &["diff", "--diff=a@1.0.0", "--diff", "a@^1.0.1"],
    ] {
        check(&project, arguments, 0, PATCH);
    }
    // Everything came from the store after the first time.
    assert_eq!(registry.count("/a/-/a-1.0.0.tgz"), 1);
    check(
        &project,
        &["diff", "a@1", "a@1.1.0"],
        0,
        "a@1.1.0 → a@1.1.0\nNo differences (4 files)\n",
    );
}

#[test]
fn what_is_installed() {
    let registry = Registry::start();
    let project = world(&registry);
    project.command(["install"]).run().assert_success();
    check(&project, &["diff", "a"], 0, PATCH);
    check(&project, &["diff", "a@1.1.0"], 0, PATCH);
}

#[test]
fn parts_of_it() {
    let registry = Registry::start();
    let project = world(&registry);
    let head = "a@1.0.0 → a@1.1.0\n\n";
    let tail = "\na@1.0.0 → a@1.1.0\n2 files changed, 1 added, 1 removed  (+2 -2 lines)\n";
    for flag in ["--name-only", "--diff-name-only"] {
        let names = "D gone.md\nM lib/x.js\nM logo.png\nA new.md\n";
        let arguments = ["diff", "a@1.0.0", "a@1.1.0", flag];
        check(&project, &arguments, 0, &format!("{head}{names}{tail}"));
    }
    let lines = " gone.md  |     1 -\n lib/x.js |     2 +-\n logo.png |   Bin 3 -> 2 bytes\n new.md   |     1 +\n";
    check(&project, &["diff", "a@1.0.0", "a@1.1.0", "--stat"], 0, &format!("{head}{lines}{tail}"));
    for path in ["lib", "lib/x.js", "./lib", "**/*.js", "l*"] {
        let outcome = project.command(["diff", "a@1.0.0", "a@1.1.0", path, "-U0"]).run();
        let names: Vec<&str> =
            outcome.stdout.lines().filter(|line| line.starts_with("diff")).collect();
        let expected = if path == "l*" { 2 } else { 1 };
        assert_eq!(names.len(), expected, "{path}\n{}", outcome.snapshot());
        assert!(outcome.stdout.contains("@@ -3 +3 @@\n-3\n+three\n"), "{}", outcome.snapshot());
    }
    let document = project.command(["diff", "a@1.0.0", "a@1.1.0", "--json"]).run().document("diff");
    assert_eq!((&document["from"], &document["unchanged"]), (&json!("a@1.0.0"), &json!(1)));
    assert_eq!(
        document["files"][2],
        json!({ "path": "logo.png", "status": "modified", "bytes_before": 3, "bytes_after": 2,
                "lines_added": 0, "lines_deleted": 0, "hunks": null })
    );
}

#[test]
fn failures() {
    let registry = Registry::start();
    let project = world(&registry);
    check_failure(&project, &["diff"], 2, "`deka diff` needs one or two packages");
    check_failure(&project, &["diff", "a"], 1, "hint: Run `deka install` first");
    check_failure(
        &project,
        &["diff", "a@1.0.0", "a@9"],
        1,
        "No version of `a` matches `9` (ETARGET)",
    );
    check_failure(
        &project,
        &["diff", "a@1.0.0", "nosuch@1"],
        1,
        "No version of `nosuch` matches `1`",
    );
    check_failure(&project, &["diff", "../a", "1.0.0"], 1, "`../a` is no package");
    project.command(["install"]).run().assert_success();
    check_failure(&project, &["diff", "other"], 1, "`other` is not a dependency of the project");
    // What is not what the registry promised is not shown.
    registry.fault(Fault::on("/a/-/a-1.1.0.tgz").corrupt());
    check_failure(&project, &["diff", "a"], 1, "EINTEGRITY");
}
