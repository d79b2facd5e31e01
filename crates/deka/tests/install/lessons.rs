//! What other package managers learned from their users' reports.

use std::fs;
use std::os::unix::fs::symlink;

use deka_test::{Registry, Tar, TestProject, archive};
use serde_json::json;

use crate::project;

fn asking_for(registry: &Registry, dependencies: &serde_json::Value) -> TestProject {
    let project = project();
    project.use_registry(registry).package_json(json!({ "dependencies": dependencies }));
    project
}

#[test]
fn one_odd_version_does_not_spoil_the_others() {
    let registry = Registry::start();
    registry
        .package("a", "0.1.0")
        .packument_field("dependencies", json!({ "b": { "version": "1" } }))
        .packument_field("engines", json!(["node >= 0.4"]))
        .packument_field("scripts", json!({ "install": true }))
        .packument_field("libc", json!([null]))
        .packument_field("bin", json!(7))
        .publish();
    registry
        .package("a", "1.0.0")
        .packument_field("peerDependencies", json!(null))
        .packument_field("deprecated", json!(false))
        .publish();
    registry.packument_field("a", "time", json!(null));
    registry.packument_field("a", "dist-tags", json!({ "latest": null, "next": "1.0.0" }));
    for spec in ["", "*", "0.1.0", "next"] {
        let project = asking_for(&registry, &json!({ "a": spec }));
        project.command(["install"]).run().assert_success();
        assert!(project.exists("node_modules/a/package.json"), "{spec}");
    }
}

#[test]
fn a_tag_does_not_take_the_place_of_a_version_or_a_range() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("x", "1.0.0").publish();
    registry.package("a", "6.6.6").file("x", "6.6.6").publish();
    for tag in ["1.0.0", "^1.0.0", "workspace:*", "latest"] {
        registry.tag("a", tag, "6.6.6");
    }
    for spec in ["1.0.0", "^1.0.0", "v1.0.0", "=1.0.0"] {
        let project = asking_for(&registry, &json!({ "a": spec }));
        project.command(["install"]).run().assert_success();
        assert_eq!(project.read("node_modules/a/x"), "1.0.0", "{spec}");
    }
    let project = asking_for(&registry, &json!({ "a": "workspace:*" }));
    project.command(["install"]).run().assert_code(1);
}

#[test]
fn a_version_of_two_registries_is_two() {
    let registries = [Registry::start(), Registry::start()];
    let cache = project();
    for (registry, text) in registries.iter().zip(["one", "two"]) {
        registry.package("a", "1.0.0").file("x", text).publish();
        let project = asking_for(registry, &json!({ "a": "1" })).sharing_cache(cache.cache());
        project.command(["install"]).run().assert_success();
        assert_eq!(project.read("node_modules/a/x"), text);
        assert!(project.read("bun.lock").contains("sha512-"));
    }
    // A lockfile of one does not make what the other has good.
    let project = asking_for(&registries[0], &json!({ "a": "1" }));
    project.command(["install", "--lockfile-only"]).run().assert_success();
    let lockfile = project.read("bun.lock").replace(&registries[0].url(), &registries[1].url());
    project.write("bun.lock", lockfile).use_registry(&registries[1]);
    let outcome = project.command(["install"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("(EINTEGRITY)"), "{}", outcome.snapshot());
}

#[test]
fn a_package_without_a_manifest_or_a_hash_is_installed() {
    let registry = Registry::start();
    let tarball = archive::gzip(&Tar::new().file("whatever/index.js", "x").finish());
    registry.package("bare", "1.0.0").tarball(tarball).publish();
    registry.package("old", "1.0.0").shasum_only().file("index.js", "x").publish();
    registry.package("older", "1.0.0").without_integrity().file("index.js", "x").publish();
    let project = asking_for(&registry, &json!({ "bare": "1", "old": "1", "older": "1" }));
    for arguments in [&["install"][..], &["install", "--frozen-lockfile"]] {
        project.remove("node_modules").command(arguments).run().assert_success();
        for name in ["bare", "old", "older"] {
            assert_eq!(project.read(&format!("node_modules/{name}/index.js")), "x");
        }
    }
    let outcome = project.command(["install"]).run();
    assert!(outcome.stdout.contains("no changes"), "{}", outcome.snapshot());
}

#[test]
fn a_manifest_keeps_its_form_and_its_place() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    let text = "\u{feff}{\r\n\t\"name\": \"p\",\r\n\t\"engines\": { \"pnpm\": \"8\" },\r\n\t\
                \"packageManager\": \"pnpm@8.0.0\"\r\n}\r\n";
    project.write("elsewhere.json", text);
    symlink("elsewhere.json", project.path().join("package.json")).unwrap();
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("package.json"), text);
    project.command(["add", "a"]).run().assert_success();
    let manifest = fs::symlink_metadata(project.path().join("package.json")).unwrap();
    assert!(manifest.is_symlink());
    let text = project.read("elsewhere.json");
    assert!(text.contains("\t\"dependencies\": {") && text.contains("\"a\": \"^1.0.0\""), "{text}");
    project.command(["run", "--if-present", "none"]).run().assert_success();
}

#[test]
fn a_symlinked_lockfile_is_read_and_what_it_leads_to_is_changed() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    let project = asking_for(&registry, &json!({ "a": "1" }));
    project.command(["install"]).run().assert_success();
    let text = project.read("bun.lock");
    project.remove("bun.lock").write("shared/bun.lock", &text);
    symlink("shared/bun.lock", project.path().join("bun.lock")).unwrap();
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
    project.command(["add", "b"]).run().assert_success();
    assert!(project.read("shared/bun.lock").contains("b@1.0.0"));
    assert!(fs::symlink_metadata(project.path().join("bun.lock")).unwrap().is_symlink());
}

#[test]
fn a_script_that_passes_a_flag_needs_no_dashes() {
    let project = project();
    project.package_json(
        json!({ "scripts": { "x": "printf '%s,' \"$@\"", "y": "sh -c 'kill -9 $$'" } }),
    );
    let outcome = project.command(["run", "x", "--flag", "a b", "--", "$HOME"]).run();
    assert!(outcome.stdout.contains("--flag"), "{}", outcome.snapshot());
    // What a shell makes of it: the script took the place of deka.
    let line = format!("'{}' run y; exit $?", env!("CARGO_BIN_EXE_deka"));
    project.other_program("sh").args(["-c", &line]).run().assert_code(128 + 9);
}
