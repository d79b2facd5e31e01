//! What a second install does to what the first one left.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use deka_test::{Registry, TestProject};
use serde_json::json;

use crate::project;

fn installed(registry: &Registry) -> TestProject {
    for version in ["1.0.0", "2.0.0"] {
        registry.package("a", version).dep("b", "^1").file("v.js", version).publish();
    }
    registry.package("b", "1.0.0").file("index.js", "b").file("lib/deep.js", "deep").publish();
    registry.package("@s/c", "1.0.0").publish();
    let project = project();
    project.use_registry(registry);
    project.package_json(json!({ "dependencies": { "a": "1.0.0", "@s/c": "1" } }));
    project.command(["install"]).run().assert_success();
    project
}

#[test]
fn only_what_changed_is_touched() {
    let registry = Registry::start();
    let project = installed(&registry);
    let inode = |path: &str| fs::metadata(project.path().join(path)).unwrap().ino();
    let (a, b) = (inode("node_modules/a"), inode("node_modules/b"));
    project.package_json(json!({ "dependencies": { "a": "2.0.0", "@s/c": "1" } }));
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("1 package installed"), "{}", outcome.snapshot());
    assert_eq!(project.read("node_modules/a/v.js"), "2.0.0");
    assert_ne!(inode("node_modules/a"), a);
    assert_eq!(inode("node_modules/b"), b);
}

#[test]
fn what_is_not_wanted_any_more_goes() {
    let registry = Registry::start();
    let project = installed(&registry);
    project.write("node_modules/.cache/mine", "keep");
    project.write("node_modules/foreign/index.js", "keep");
    project.package_json(json!({ "dependencies": { "@s/c": "1" } }));
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("2 packages removed"), "{}", outcome.snapshot());
    let tree = project.node_modules();
    assert!(tree.get("a").is_none() && tree.get("b").is_none(), "{tree}");
    assert!(tree.get("@s/c/package.json").is_some(), "{tree}");
    assert_eq!(project.read("node_modules/.cache/mine"), "keep");
    assert_eq!(project.read("node_modules/foreign/index.js"), "keep");
}

#[test]
fn what_was_deleted_by_hand_comes_back() {
    let registry = Registry::start();
    let project = installed(&registry);
    let tree = project.node_modules_with_contents().without(".deka-state");
    registry.clear_requests();
    for path in ["node_modules/b", "node_modules/b/index.js", "node_modules/@s", "node_modules"] {
        project.remove(path);
        project.command(["install"]).run().assert_success();
        let now = project.node_modules_with_contents().without(".deka-state");
        now.assert_same(&tree, path);
    }
    assert_eq!(registry.paths(), Vec::<String>::new());
}

#[test]
fn what_lies_in_place_is_not_fetched_to_be_picked_again() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry
        .package("d", "1.0.0")
        .field("bin", json!("d.js"))
        .file("d.js", "#!/bin/sh\n")
        .publish();
    let dependencies = json!({ "a": "1.0.0", "@s/c": "1", "d": "1" });
    project.package_json(json!({ "dependencies": dependencies }));
    project.command(["install"]).run().assert_success();
    let tree = project.node_modules_with_contents().without(".deka-state");
    let lockfile = project.read("bun.lock");
    let expected = [vec![], vec!["/b/-/b-1.0.0.tgz".to_owned()]];
    for (is_gone, expected) in [false, true].into_iter().zip(expected) {
        std::fs::remove_dir_all(project.cache()).unwrap();
        project.remove("bun.lock");
        if is_gone {
            project.remove("node_modules/b");
        }
        registry.clear_requests();
        project.command(["install"]).run().assert_success();
        let mut tarballs = registry.paths();
        tarballs.retain(|path| path.contains("/-/"));
        assert_eq!(tarballs, expected);
        assert_eq!(project.read("bun.lock"), lockfile);
        project.node_modules_with_contents().without(".deka-state").assert_same(&tree, "again");
    }
}

#[test]
fn a_change_looks_at_packages_if_somebody_else_was_there() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry.package("d", "1.0.0").publish();
    let set_modified = |path: &str, time: SystemTime| {
        fs::File::open(project.path().join(path)).unwrap().set_modified(time).unwrap();
    };
    // A folder that has just been made is always looked at.
    let (earlier, later) = (Duration::from_secs(100), Duration::from_secs(5));
    set_modified("node_modules/b", SystemTime::now() - earlier);
    project.command(["install"]).run().assert_success();
    // What was done inside of a package is left to an install.
    project.remove("node_modules/b/index.js");
    project.command(["add", "d"]).run().assert_success();
    assert!(!project.exists("node_modules/b/index.js"));
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/b/index.js"), "b");
    // What is not there is noticed, and so is whoever changed what there is.
    project.remove("node_modules/b");
    project.command(["remove", "d"]).run().assert_success();
    assert_eq!(project.read("node_modules/b/index.js"), "b");
    project.remove("node_modules/b/index.js");
    set_modified("node_modules/b", SystemTime::now() - earlier);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/b/index.js"), "b");
    project.remove("node_modules/b/index.js");
    set_modified("node_modules", SystemTime::now() + later);
    project.command(["add", "d"]).run().assert_success();
    assert_eq!(project.read("node_modules/b/index.js"), "b");
}

#[test]
fn a_replaced_package_is_put_right() {
    let registry = Registry::start();
    let project = installed(&registry);
    project.remove("node_modules/b").write("node_modules/b/index.js", "evil");
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/b/index.js"), "b");
    assert!(project.exists("node_modules/b/lib/deep.js"));
}

#[test]
fn another_managers_tree_is_taken_over() {
    let registry = Registry::start();
    let project = installed(&registry);
    // Removed first: what is there is the store's own file.
    project.remove("node_modules/.deka-state").remove("node_modules/b/index.js");
    project.write("node_modules/b/index.js", "old");
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/b/index.js"), "b");
}

#[test]
fn a_store_that_lost_a_file_is_healed() {
    let registry = Registry::start();
    let project = installed(&registry);
    let tree = project.node_modules_with_contents().without(".deka-state");
    let files = project.cache().join("v1/files");
    for shard in fs::read_dir(files).unwrap() {
        for blob in fs::read_dir(shard.unwrap().path()).unwrap() {
            fs::remove_file(blob.unwrap().path()).unwrap();
        }
    }
    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    project.node_modules_with_contents().without(".deka-state").assert_same(&tree, "healed");
}

#[test]
fn workers_share_a_large_package() {
    const FILES: usize = 1_700;
    let registry = Registry::start();
    let mut large = registry.package("large", "1.0.0");
    for file in 0..FILES {
        large = large.file(&format!("lib/{}/{file}.js", file % 7), format!("// {file}"));
    }
    large.publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "p", "dependencies": { "large": "1" } }));
    project.command(["install"]).run().assert_success();
    let tree = project.node_modules_with_contents().without(".deka-state");
    assert_eq!(tree.paths().filter(|path| path.starts_with("large/lib/")).count(), FILES + 7);

    // From the store, and from one that has lost files of several parts.
    for lost in [None, Some("0"), Some("1")] {
        for shard in fs::read_dir(project.cache().join("v1/files")).unwrap() {
            for blob in fs::read_dir(shard.unwrap().path()).unwrap() {
                let blob = blob.unwrap();
                if lost.is_some_and(|digit| blob.file_name().to_string_lossy().starts_with(digit)) {
                    fs::remove_file(blob.path()).unwrap();
                }
            }
        }
        project.remove("node_modules");
        project.command(["install"]).run().assert_success();
        project.node_modules_with_contents().without(".deka-state").assert_same(&tree, "again");
    }
}

#[test]
fn force_installs_everything_anew() {
    let registry = Registry::start();
    let project = installed(&registry);
    registry.clear_requests();
    let outcome = project.command(["install", "--force"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("3 packages installed"), "{}", outcome.snapshot());
    assert_eq!(registry.count("/b/-/b-1.0.0.tgz"), 1);
}

#[test]
fn installs_of_one_project_wait_for_one_another() {
    let registry = Registry::start();
    let project = installed(&registry);
    let tree = project.node_modules_with_contents().without(".deka-state");
    for _ in 0..3 {
        project.remove("node_modules");
        std::thread::scope(|scope| {
            let runs: Vec<_> =
                (0..4).map(|_| scope.spawn(|| project.command(["install"]).run())).collect();
            for run in runs {
                run.join().unwrap().assert_success();
            }
        });
        let now = project.node_modules_with_contents().without(".deka-state");
        now.assert_same(&tree, "after four installs at once");
    }
}

#[test]
fn an_install_that_was_killed_is_completed() {
    let registry = Registry::start();
    let project = installed(&registry);
    let tree = project.node_modules_with_contents().without(".deka-state");
    for milliseconds in [0, 1, 2, 4, 6, 8, 10, 12, 15, 20, 30] {
        project.remove("node_modules").remove("bun.lock").clear_cache();
        let mut child = project
            .command(["install"])
            .command()
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        project.command(["install"]).run().assert_success();
        let now = project.node_modules_with_contents().without(".deka-state");
        now.assert_same(&tree, "after a kill");
    }
}
