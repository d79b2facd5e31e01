//! `deka patch`: editing a package, committing what was edited, taking it back.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use deka_test::{Registry, TestProject};
use serde_json::json;

use crate::project;

/// A project with `text` and `@s/scoped`, installed.
fn installed(registry: &Registry) -> TestProject {
    let text = registry.package("text", "1.0.0").file("a.txt", "1\n2\n3\n");
    text.file("cr.txt", "1\r\n2\r\n").file("deep/in/b.txt", "b").publish();
    registry.package("@s/scoped", "1.0.0").file("a.txt", "1\n").dep("text", "1").publish();
    registry.package("text", "2.0.0").file("a.txt", "two\n").publish();
    let project = project();
    project.use_registry(registry);
    project.package_json(json!({ "dependencies": { "text": "1", "@s/scoped": "1" } }));
    project.command(["install"]).run().assert_success();
    project
}

fn links(project: &TestProject, path: &str) -> u64 {
    std::fs::metadata(project.path().join(path)).unwrap().nlink()
}

#[track_caller]
fn run(project: &TestProject, arguments: &[&str]) -> String {
    let outcome = project.command(arguments).run();
    outcome.assert_success();
    outcome.snapshot()
}

#[test]
fn what_it_says() {
    let registry = Registry::start();
    let project = installed(&registry);
    assert_eq!(
        run(&project, &["patch", "text"]),
        "exit code: 0\n----- stdout -----\ndeka patch v0.1.0\n\nChecked 2 installs across 3 packages (no changes) [TIME]\n\n\
         To patch text, edit the following folder:\n\n  node_modules/text\n\nOnce you're done with your changes, run:\n\n  \
         deka patch --commit 'node_modules/text'\n"
    );
    project.write("node_modules/text/a.txt", "1\ntwo\n3\n");
    assert_eq!(
        run(&project, &["patch", "--commit", "text"]),
        "exit code: 0\n----- stdout -----\ndeka patch v0.1.0\n\n+ text@1.0.0\n\n1 package installed [TIME]\n"
    );
    assert_eq!(
        project.read("patches/text@1.0.0.patch"),
        "diff --git a/a.txt b/a.txt\nindex 01e79c32a8c99c557f0757da7cb6d65b3414466d..d8eb09865eea17463394416e1be16d5bc553da88 100644\n\
         --- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"
    );
    assert_eq!(
        run(&project, &["patch", "--commit", "@s/scoped"]),
        "exit code: 0\n----- stdout -----\ndeka patch v0.1.0\n\nNo changes of @s/scoped@1.0.0 to commit\n"
    );
    let removed = run(&project, &["patch", "--remove", "text"]);
    let end = "\n\nRemoved the patch for text@1.0.0 (deleted patches/text@1.0.0.patch)\n";
    assert!(removed.ends_with(end), "{removed}");
    assert!(!project.exists("patches/text@1.0.0.patch"));
    assert_eq!(project.read("node_modules/text/a.txt"), "1\n2\n3\n");
    assert!(!project.read("package.json").contains("patched"));
}

#[test]
fn nobody_else_sees_the_edits() {
    let registry = Registry::start();
    let project = installed(&registry);
    let other = project_beside(&project, &registry);
    assert!(links(&project, "node_modules/text/a.txt") > 1);
    run(&project, &["patch", "text"]);
    for file in ["a.txt", "deep/in/b.txt", "package.json"] {
        assert_eq!(links(&project, &format!("node_modules/text/{file}")), 1, "{file}");
    }
    // In place, as many editors write.
    let file = project.path().join("node_modules/text/a.txt");
    let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
    std::io::Write::write_all(&mut file, b"4\n").unwrap();
    assert_eq!(other.read("node_modules/text/a.txt"), "1\n2\n3\n");
    run(&project, &["patch", "--commit", "text"]);
    assert_eq!(project.read("node_modules/text/a.txt"), "1\n2\n3\n4\n");
    other.remove("node_modules");
    run(&other, &["install"]);
    assert_eq!(other.read("node_modules/text/a.txt"), "1\n2\n3\n");
}

fn project_beside(project: &TestProject, registry: &Registry) -> TestProject {
    let other = crate::project().sharing_cache(project.cache());
    other.use_registry(registry).write("package.json", project.read("package.json"));
    run(&other, &["install"]);
    other
}

#[test]
fn installs_leave_edits_alone() {
    let registry = Registry::start();
    for linker in ["hoisted", "isolated"] {
        let project = installed(&registry);
        project.write("bunfig.toml", format!("[install]\nlinker = \"{linker}\"\n"));
        run(&project, &["install"]);
        run(&project, &["patch", "text"]);
        project.write("node_modules/text/a.txt", "edited\n");
        project.write("node_modules/text/new.txt", "new").remove("node_modules/text/cr.txt");
        run(&project, &["install"]);
        run(&project, &["remove", "@s/scoped"]);
        // A failed install forgets what it had placed.
        project.remove("node_modules/.deka-state");
        run(&project, &["install"]);
        assert_eq!(project.read("node_modules/text/a.txt"), "edited\n", "{linker}");
        assert!(project.exists("node_modules/text/new.txt"));
        assert!(!project.exists("node_modules/text/cr.txt"));
        run(&project, &["patch", "--commit", "text"]);
        assert!(!project.exists("node_modules/.being-patched"));
        project.remove("node_modules");
        run(&project, &["ci"]);
        assert_eq!(project.read("node_modules/text/a.txt"), "edited\n", "{linker}");
        assert_eq!(project.read("node_modules/text/new.txt"), "new");
        assert!(!project.exists("node_modules/text/cr.txt"));
    }
}

#[test]
fn what_is_shared_by_all_projects_becomes_the_projects_own() {
    let registry = Registry::start();
    let project = installed(&registry);
    let linker = "[install]\nlinker = \"isolated\"\nglobalStore = true\n";
    project.write("bunfig.toml", linker);
    run(&project, &["install"]);
    let entry = project.path().join("node_modules/.bun/text@1.0.0");
    assert!(entry.is_symlink());
    run(&project, &["patch", "text"]);
    assert!(!entry.is_symlink());
    project.write("node_modules/text/a.txt", "edited\n");
    run(&project, &["install"]);
    run(&project, &["patch", "--commit", "text"]);
    assert_eq!(project.read("node_modules/text/a.txt"), "edited\n");
    run(&project, &["patch", "--remove", "text"]);
    assert!(entry.is_symlink());
    assert_eq!(project.read("node_modules/text/a.txt"), "1\n2\n3\n");
}

/// A file and what is written there; `None` if it goes.
type Edit = (&'static str, Option<&'static str>);

/// What `patch` writes is what `install` applies, byte for byte.
#[test]
fn whatever_is_edited_comes_back() {
    let registry = Registry::start();
    let project = installed(&registry);
    let folder = "node_modules/text";
    let edits: &[(&str, &[Edit])] = &[
        ("line ends to unix", &[("cr.txt", Some("1\n2\n"))]),
        ("line ends to windows", &[("a.txt", Some("1\r\n2\r\n3\r\n"))]),
        ("one line end", &[("cr.txt", Some("1\r\n2\n"))]),
        ("a changed line with another end", &[("cr.txt", Some("1\r\ntwo\n"))]),
        ("an end alone", &[("deep/in/b.txt", Some("b\n"))]),
        ("no end", &[("a.txt", Some("1\n2\n3"))]),
        ("emptied", &[("a.txt", Some(""))]),
        ("names", &[("q\"uo\\te", Some("1")), ("日本 語", Some("3"))]),
        (
            "names that git means otherwise",
            &[("a b/b b", Some("1")), ("-x", Some("2")), ("b", Some("3"))],
        ),
        ("moved", &[("a.txt", None), ("b\"/moved.txt", Some("1\n2\n3\n"))]),
        (
            "like a patch",
            &[("a.txt", Some("1\n-- a\n++ b\ndiff --git a/x b/x\nrename from a/x\n"))],
        ),
        ("all gone", &[("a.txt", None), ("cr.txt", None), ("deep/in/b.txt", None)]),
        (
            "hidden",
            &[
                (".gitattributes", Some("* -diff\n*.txt text\n")),
                (".git/config", Some("[core]\n")),
                ("a.txt", Some("x\n")),
            ],
        ),
    ];
    for (what, files) in edits {
        run(&project, &["patch", "text"]);
        for (path, contents) in *files {
            let path = format!("{folder}/{path}");
            match contents {
                Some(contents) => project.write(&path, contents),
                None => project.remove(&path),
            };
        }
        let expected = deka_test::Tree::read_with_contents(&project.path().join(folder));
        let expected = expected.without_empty_directories();
        run(&project, &["patch", "--commit", "text"]);
        project.remove("node_modules");
        run(&project, &["install", "--frozen-lockfile"]);
        let found = deka_test::Tree::read_with_contents(&project.path().join(folder));
        let difference = expected.difference(&found.without_empty_directories());
        assert_eq!(difference, Vec::<String>::new(), "{what}");
        run(&project, &["patch", "--remove", "text"]);
    }
    run(&project, &["patch", "text"]);
    let script = project.path().join(folder).join("a.txt");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    run(&project, &["patch", "--commit", "text"]);
    assert_eq!(std::fs::metadata(&script).unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn settings_of_git_change_nothing() {
    let registry = Registry::start();
    let project = installed(&registry);
    let config =
        "[diff]\nnoprefix = true\ncontext = 9\n[color]\nui = always\n[core]\nautocrlf = true\n";
    std::fs::write(project.home().join(".gitconfig"), config).unwrap();
    project.write(".git/HEAD", "ref: refs/heads/main\n").write(".git/config", config);
    run(&project, &["patch", "text"]);
    project.write("node_modules/text/a.txt", "1\n2\n3\n4\n");
    let committed = project.command(["patch", "--commit", "text"]).env("GIT_DIFF_OPTS", "-u0");
    committed.env("GIT_DIR", "/nowhere").run().assert_success();
    let patch = project.read("patches/text@1.0.0.patch");
    assert!(
        patch.ends_with("\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,4 @@\n 1\n 2\n 3\n+4\n"),
        "{patch}"
    );
}

#[test]
fn a_package_that_the_store_has_lost_is_fetched_again() {
    let registry = Registry::start();
    let project = installed(&registry);
    run(&project, &["patch", "text"]);
    project.write("node_modules/text/a.txt", "x\n").clear_cache();
    run(&project, &["patch", "--commit", "text"]);
    assert!(project.read("patches/text@1.0.0.patch").contains("\n-1\n-2\n-3\n+x\n"));
}

#[test]
fn what_fails_changes_nothing() {
    let registry = Registry::start();
    let project = installed(&registry);
    run(&project, &["add", "two@npm:text@2"]);
    run(&project, &["patch", "text@1.0.0"]);
    project.write("node_modules/text/binary", "a\0b");
    std::os::unix::fs::symlink("a.txt", project.path().join("node_modules/@s/scoped/link"))
        .unwrap();
    let state = || {
        let tree = project.node_modules_with_contents().without(".deka-state").to_string();
        (project.read("package.json"), project.read("bun.lock"), tree, project.exists("patches"))
    };
    let before = state();
    for (arguments, code, expected) in [
        (&["patch"][..], 2, "`deka patch` needs the name of a package"),
        (&["patch", "a", "b"], 2, "`deka patch` takes one package at a time"),
        (&["patch", "--commit"], 2, "`deka patch --commit` needs the name of a package"),
        (&["patch", "--commit", "--remove", "a"], 2, "cannot be used with"),
        (&["patch", "nosuch"], 1, "The package `nosuch` is not installed"),
        (&["patch", "text"], 1, "installed: text@2.0.0"),
        (&["patch", "node_modules/nosuch"], 1, "is not the folder of an installed package"),
        (&["patch", "--commit", "node_modules"], 1, "is not the folder of an installed package"),
        (
            &["patch", "--commit", "text@1.0.0"],
            1,
            "git: Binary files /dev/null and b/binary differ",
        ),
        (
            &["patch", "--commit", "@s/scoped"],
            1,
            "The changes of `link` in `@s/scoped@1.0.0` can't",
        ),
        (&["patch", "--commit", "two", "--patches-dir=../x"], 1, "is not inside of the project"),
        (&["patch", "--remove", "text"], 1, "There is no patch of `text`"),
    ] {
        let outcome = project.command(arguments).run();
        outcome.assert_code(code);
        assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
        assert_eq!(state(), before, "{arguments:?}");
    }
    project.remove("node_modules/text/binary").write("node_modules/text/a.txt", "x\n");
    let outcome = project.command(["patch", "--commit", "text@1.0.0", "--frozen-lockfile"]).run();
    outcome.assert_code(1);
    let empty = project.root().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let outcome = project.command(["patch", "--commit", "text@1.0.0"]).env("PATH", empty).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("git is needed to make patches"), "{}", outcome.snapshot());
    assert_eq!((project.read("package.json"), project.read("bun.lock")), (before.0, before.1));
    assert!(!project.exists("patches"));
    assert_eq!(project.read("node_modules/text/a.txt"), "x\n");
}

#[test]
fn nothing_is_installed() {
    let empty = project();
    let outcome = empty.command(["patch", "text"]).run();
    outcome.assert_code(1);
    let outcome = empty.command(["patch", "--commit", "text"]).run();
    outcome.assert_code(1);
    empty.remove("package.json");
    let outcome = empty.command(["patch", "text"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("There is no `package.json`"), "{}", outcome.snapshot());
}

#[test]
fn for_programs() {
    let registry = Registry::start();
    let project = installed(&registry);
    project.command(["patch", "text", "--json"]).run().document("install");
    project.write("node_modules/text/a.txt", "x\n");
    let document = project.command(["patch", "--commit", "text", "--json"]).run();
    assert_eq!(document.document("install")["installed"], 1);
}
