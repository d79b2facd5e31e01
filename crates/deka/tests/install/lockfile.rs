//! What becomes of `bun.lock`.

use deka_test::{Registry, TestProject};
use serde_json::{Value, json};

use crate::project;

fn installed(registry: &Registry) -> TestProject {
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("a", version).publish();
    }
    registry.package("b", "1.0.0").publish();
    let project = project();
    project.use_registry(registry);
    project.package_json(json!({ "name": "p", "dependencies": { "a": "^1.0.0" } }));
    project.command(["install"]).run().assert_success();
    project
}

#[test]
fn locked_versions_stay() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry.package("a", "1.2.0").publish();
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@1.1.0"), "{lockfile}");
    project.package_json(json!({ "name": "p", "dependencies": { "a": "^1.0.0", "b": "1" } }));
    project.clear_cache().command(["install"]).run().assert_success();
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@1.1.0") && lockfile.contains("b@1.0.0"), "{lockfile}");
}

#[test]
fn a_frozen_lockfile_names_the_edit() {
    let registry = Registry::start();
    let project = installed(&registry);
    let lockfile = project.read("bun.lock");
    project.package_json(json!({ "name": "p", "dependencies": { "a": "^2.0.0", "b": "1" } }));
    for arguments in [vec!["install", "--frozen-lockfile"], vec!["ci"], vec!["install", "-p"]] {
        let outcome = project.command(&arguments).run();
        outcome.assert_code(1);
        let text = &outcome.stderr;
        assert!(text.contains("a changed from ^1.0.0 to ^2.0.0"), "{}", outcome.snapshot());
        assert!(text.contains("b was added"), "{}", outcome.snapshot());
        assert_eq!(project.read("bun.lock"), lockfile);
    }
    // What the locked version still satisfies is no change of meaning.
    project.package_json(json!({ "name": "q", "dependencies": { "a": "^1.0.1" } }));
    project.command(["ci"]).run().assert_success();
    assert_eq!(project.read("bun.lock"), lockfile);
}

#[test]
fn formatting_is_put_right_and_frozen_does_not_mind() {
    let registry = Registry::start();
    let project = installed(&registry);
    let lockfile = project.read("bun.lock");
    let odd = format!("\u{feff}// mine\r\n{}", lockfile.replace('\n', "\r\n"));
    project.write("bun.lock", &odd);
    project.command(["ci"]).run().assert_success();
    assert_eq!(project.read("bun.lock"), odd);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("bun.lock"), lockfile);
}

#[test]
fn a_broken_lockfile_is_replaced_unless_frozen() {
    let registry = Registry::start();
    let project = installed(&registry);
    let lockfile = project.read("bun.lock");
    project.write("bun.lock", &lockfile[..lockfile.len() / 2]);
    let frozen = project.command(["ci"]).run();
    frozen.assert_code(1);
    assert!(frozen.stderr.contains("bun.lock"), "{}", frozen.snapshot());
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(outcome.stderr.contains("bun.lock"), "{}", outcome.snapshot());
    assert_eq!(project.read("bun.lock"), lockfile);
}

#[test]
fn no_save_writes_no_lockfile() {
    let registry = Registry::start();
    let project = installed(&registry);
    project.remove("bun.lock").remove("node_modules");
    project.command(["install", "--no-save"]).run().assert_success();
    assert!(project.exists("node_modules/a") && !project.exists("bun.lock"));
    project.command(["install"]).run().assert_success();
    assert!(project.exists("bun.lock"));
}

#[test]
fn overrides_change_what_was_locked() {
    let registry = Registry::start();
    let project = installed(&registry);
    project.package_json(
        json!({ "name": "p", "dependencies": { "a": "^1.0.0" }, "overrides": { "a": "2.0.0" } }),
    );
    let frozen = project.command(["ci"]).run();
    frozen.assert_code(1);
    assert!(frozen.stderr.contains("overrides"), "{}", frozen.snapshot());
    project.command(["install"]).run().assert_success();
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@2.0.0") && lockfile.contains("\"overrides\""), "{lockfile}");
    project.command(["ci"]).run().assert_success();
}

#[test]
fn the_order_of_answers_means_nothing() {
    let registry = Registry::start();
    for (name, dep) in [("x", "y"), ("y", "z"), ("z", "w"), ("w", "x")] {
        for version in ["1.0.0", "1.5.0", "2.0.0"] {
            registry.package(name, version).dep(dep, "^1.0.0").peer("w", ">=1").publish();
        }
    }
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "x": "^1", "y": "2.0.0", "z": "~1.0.0" } }));
    let mut texts = Vec::new();
    for seed in 0..6 {
        registry.shuffle_answers(seed);
        project.clear_cache().remove("bun.lock").remove("node_modules");
        project.command(["install", "--lockfile-only"]).run().assert_success();
        texts.push(project.read("bun.lock"));
    }
    assert!(texts.iter().all(|text| *text == texts[0]));
}

/// Installs these dependencies; returns the lockfile.
fn locked(project: &TestProject, dependencies: &Value) -> String {
    project.package_json(json!({ "name": "p", "dependencies": dependencies }));
    project.command(["install"]).run().assert_success();
    project.read("bun.lock")
}

/// What git makes of two branches that both changed the same place.
fn conflict(ours: &str, theirs: &str) -> String {
    let [ours, theirs]: [Vec<&str>; 2] = [ours, theirs].map(|text| text.lines().collect());
    let same = |(one, other): &(&&str, &&str)| one == other;
    let head = ours.iter().zip(&theirs).take_while(same).count();
    let tail = ours[head..].iter().rev().zip(theirs[head..].iter().rev()).take_while(same).count();
    let [our_part, their_part] =
        [&ours, &theirs].map(|lines| lines[head..lines.len() - tail].join("\n"));
    format!(
        "{}\n<<<<<<< HEAD\n{our_part}\n=======\n{their_part}\n>>>>>>> feature\n{}\n",
        ours[..head].join("\n"),
        ours[ours.len() - tail..].join("\n")
    )
}

#[test]
fn a_merge_keeps_the_versions_of_both_sides() {
    let registry = Registry::start();
    let publish = |version: &str| {
        for name in ["both", "moved", "ours", "theirs"] {
            registry.package(name, version).dep("deep", "^1").publish();
        }
        registry.package("deep", version).publish();
    };
    publish("1.0.0");
    let project = project();
    project.use_registry(&registry);
    let lock = |dependencies: Value| locked(&project, &dependencies);
    let base = lock(json!({ "both": "1", "moved": "1.0" }));
    let ours = lock(json!({ "both": "1", "moved": "1.0", "ours": "1" }));
    project.write("bun.lock", &base);
    lock(json!({ "both": "1", "moved": "1.0", "theirs": "1" }));
    publish("1.1.0");
    project.clear_cache();
    let theirs = lock(json!({ "both": "1", "moved": "^1.1", "theirs": "1" }));
    publish("1.2.0");
    project.clear_cache();

    let merged = json!({ "both": "1", "moved": "^1.1", "ours": "1", "theirs": "1" });
    project.package_json(json!({ "name": "p", "dependencies": merged }));
    let conflict = conflict(&ours, &theirs);
    project.write("bun.lock", &conflict);
    for arguments in [&["ci"][..], &["why", "both"], &["install", "--frozen-lockfile"]] {
        let outcome = project.command(arguments).run();
        outcome.assert_code(1);
        assert!(outcome.stderr.contains("Run `deka install`"), "{}", outcome.snapshot());
        assert_eq!(project.read("bun.lock"), conflict);
    }
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(outcome.stderr.contains("Merging both sides"), "{}", outcome.snapshot());
    let lockfile = project.read("bun.lock");
    for entry in ["both@1.0.0", "moved@1.1.0", "ours@1.0.0", "theirs@1.0.0", "deep@1.0.0"] {
        assert!(lockfile.contains(&format!("[\"{entry}\"")), "{entry}: {lockfile}");
    }
    project.command(["ci"]).run().assert_success();
}

#[test]
fn what_merged_packages_find_is_what_they_ask_for() {
    let registry = Registry::start();
    for version in ["1.0.0", "2.0.0"] {
        registry.package("deep", version).publish();
        registry.package("top", version).dep("deep", &format!("^{version}")).publish();
    }
    registry.package("old", "1.0.0").dep("deep", "^1").publish();
    let project = project();
    project.use_registry(&registry);
    let lock = |dependencies: Value| locked(&project, &dependencies);
    let ours = lock(json!({ "top": "2" }));
    project.remove("bun.lock");
    let theirs = lock(json!({ "old": "1" }));
    project.write("bun.lock", conflict(&ours, &theirs));
    // In a mixture of both, `old` would find `deep` 2.
    let lockfile = lock(json!({ "old": "1", "top": "2" }));
    project.remove("bun.lock");
    assert_eq!(lock(json!({ "old": "1", "top": "2" })), lockfile);
}
