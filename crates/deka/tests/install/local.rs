//! Dependencies that lie on this machine: what is read again, and what is not.

use std::fs;

use deka_test::TestProject;
use deka_test::archive::{Tar, gzip};
use serde_json::json;

use crate::project;

fn pack(manifest: &str, contents: &str) -> Vec<u8> {
    let tar = Tar::new().file("package/package.json", manifest).file("package/index.js", contents);
    gzip(&tar.finish())
}

fn install(project: &TestProject) -> String {
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    outcome.stdout
}

#[test]
fn a_changed_tarball_is_read_again() {
    let project = project();
    project.package_json(json!({ "dependencies": { "t": "file:./t.tgz" } }));
    project.write("t.tgz", pack(r#"{ "name": "t", "version": "1.0.0" }"#, "one"));
    install(&project);
    assert_eq!(project.read("node_modules/t/index.js"), "one");
    assert!(install(&project).contains("(no changes)"));

    let lockfile = project.read("bun.lock");
    project.write("t.tgz", pack(r#"{ "name": "t2", "version": "1.0.0" }"#, "two"));
    let frozen = project.command(["install", "--frozen-lockfile"]).run();
    frozen.assert_code(1);
    assert!(frozen.stderr.contains("t@./t.tgz"), "{}", frozen.snapshot());
    assert_eq!(project.read("bun.lock"), lockfile);

    install(&project);
    assert_eq!(project.read("node_modules/t/index.js"), "two");
    assert!(project.read("bun.lock").contains("t2@./t.tgz"));
}

#[test]
fn a_tarball_survives_the_loss_of_the_store() {
    let project = project();
    project.package_json(json!({ "dependencies": { "t": "file:./t.tgz" } }));
    project.write("t.tgz", pack(r#"{ "name": "t" }"#, "one"));
    install(&project);
    project.clear_cache().remove("node_modules");
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
    assert_eq!(project.read("node_modules/t/index.js"), "one");
}

#[test]
fn changes_in_a_folder_are_copied_and_change_nothing_there() {
    let project = project();
    project.package_json(json!({ "dependencies": { "f": "file:f" } }));
    project.write("f/package.json", r#"{ "name": "f", "bin": "cli.js" }"#);
    project.write("f/cli.js", "one");
    install(&project);
    assert!(install(&project).contains("(no changes)"));
    project.write("f/cli.js", "three");
    install(&project);
    assert_eq!(project.read("node_modules/f/cli.js"), "three");
    let source = fs::metadata(project.path().join("f/cli.js")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&source.permissions());
    assert_eq!(mode & 0o111, 0, "the source became executable");
}

#[test]
fn a_registered_package_is_linked_by_its_name() {
    let project = project();
    project.package_json(json!({ "dependencies": { "mine": "link:mine" } }));
    project.write("../mine/package.json", r#"{ "name": "mine", "bin": "cli.js" }"#);
    project.write("../mine/cli.js", "");
    let global = project.home().join("global");
    fs::create_dir_all(global.join("node_modules")).unwrap();
    let run = || {
        project.command(["install"]).env("BUN_INSTALL_GLOBAL_DIR", global.to_str().unwrap()).run()
    };
    let refused = run();
    refused.assert_code(1);
    assert!(refused.stderr.contains("no package named `mine` is registered"), "{}", refused.stderr);

    let link = global.join("node_modules/mine");
    std::os::unix::fs::symlink(project.path().join("../mine"), link).unwrap();
    run().assert_success();
    assert_eq!(
        fs::read_link(project.path().join("node_modules/mine")).unwrap().to_str(),
        Some("../../mine")
    );
    assert!(project.exists("node_modules/.bin/mine"));
    assert!(project.read("bun.lock").contains("mine@link:mine"));
}
