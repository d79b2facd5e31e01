//! Whose scripts run.

use deka_test::Registry;
use serde_json::json;

use super::manifest;
use crate::project;

#[test]
fn nothing_runs_that_nobody_trusts() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .script("preinstall", "touch ran")
        .script("postinstall", "touch ran")
        .publish();
    registry.package("b", "1.0.0").script("install", "touch ran").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(manifest(&["a", "b"], json!({})));
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    let expected = "Blocked 3 postinstalls. Run `deka pm untrusted` for details.\n";
    assert!(outcome.stdout.ends_with(expected), "{}", outcome.snapshot());
    assert!(!project.exists("node_modules/a/ran"));
    let again = project.command(["install"]).run();
    assert!(!again.stdout.contains("Blocked"), "{}", again.snapshot());

    // Trusting it later is enough, and so is taking that back.
    project.package_json(manifest(&["a", "b"], json!({ "trustedDependencies": ["a"] })));
    project.command(["install"]).run().assert_success();
    assert!(project.exists("node_modules/a/ran") && !project.exists("node_modules/b/ran"));
    project.package_json(manifest(&["a", "b"], json!({})));
    project.command(["install"]).run().assert_success();
    assert!(!project.exists("node_modules/a/ran"));
}

#[test]
fn the_built_in_list_counts_for_the_default_registry() {
    let registry = Registry::start();
    registry.package("core-js", "1.0.0").publish();
    registry.package("better-sqlite3", "1.0.0").script("install", "touch ran").publish();
    let other = Registry::start();
    other.package("@parcel/watcher", "1.0.0").script("install", "touch ran").publish();
    let project = project();
    let npmrc = format!("registry={}\n@parcel:registry={}\n", registry.url(), other.url());
    project.write(".npmrc", npmrc);
    project.package_json(manifest(&["better-sqlite3", "@parcel/watcher"], json!({})));
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(project.exists("node_modules/better-sqlite3/ran"));
    assert!(!project.exists("node_modules/@parcel/watcher/ran"));
    assert!(outcome.stdout.contains("Blocked 1 postinstall."), "{}", outcome.snapshot());
    // A list of the project's own replaces it.
    project.package_json(manifest(&["better-sqlite3"], json!({ "trustedDependencies": [] })));
    project.command(["install"]).run().assert_success();
    assert!(!project.exists("node_modules/better-sqlite3/ran"));
}

#[test]
fn packages_are_trusted_by_their_real_names() {
    let registry = Registry::start();
    registry.package("real", "1.0.0").script("install", "touch ran").publish();
    for (trusted, runs) in [("real", true), ("alias", false)] {
        let project = project();
        project.use_registry(&registry);
        project.package_json(json!({
            "dependencies": { "alias": "npm:real@1" },
            "trustedDependencies": [trusted],
        }));
        project.command(["install"]).run().assert_success();
        assert_eq!(project.exists("node_modules/alias/ran"), runs, "{trusted}");
    }
}

#[test]
fn ignored_scripts_are_made_up_for() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").script("install", "touch ran").publish();
    let project = super::trusting(&registry, &["a"]);
    let outcome = project.command(["install", "--ignore-scripts"]).run();
    outcome.assert_success();
    assert!(!project.exists("node_modules/a/ran"));
    assert!(!outcome.stdout.contains("Blocked"), "{}", outcome.snapshot());
    project.command(["install"]).run().assert_success();
    assert!(project.exists("node_modules/a/ran"));
}

#[test]
fn a_native_program_needs_no_script() {
    let registry = Registry::start();
    registry
        .package("esbuild", "1.0.0")
        .optional("@esbuild/here", "1.0.0")
        .bin("esbuild", "bin/esbuild")
        .executable("bin/esbuild", "#!/usr/bin/env node")
        .script("postinstall", "touch ran")
        .publish();
    registry
        .package("@esbuild/here", "1.0.0")
        .os(&["linux"])
        .cpu(&["x64"])
        .executable("bin/esbuild", "#!/bin/sh\necho native")
        .publish();
    let project = super::trusting(&registry, &["esbuild"]);
    let platform = ["install", "--os=linux", "--cpu=x64"];
    project.command(platform).run().assert_success();
    assert!(!project.exists("node_modules/esbuild/ran"));
    let link = std::fs::read_link(project.path().join("node_modules/.bin/esbuild")).unwrap();
    assert_eq!(link.to_str(), Some("../@esbuild/here/bin/esbuild"));
    // Without the program of the platform the script has to help.
    project.command(["install", "--omit=optional"]).run().assert_success();
    assert!(project.exists("node_modules/esbuild/ran"));
}

#[test]
fn deka_pm_lists_and_trusts() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .script("preinstall", "touch one")
        .script("postinstall", "touch two; exit $(cat fails 2>/dev/null || echo 0)")
        .publish();
    registry.package("b", "1.0.0").script("install", "exit 4").publish();
    let project = project();
    project.use_registry(&registry);
    let text = "{\n\t\"dependencies\": { \"a\": \"1\", \"other\": \"npm:b@1\" }\n}\n";
    project.write("package.json", text);
    project.command(["pm", "untrusted"]).run().assert_code(1);
    project.command(["install"]).run().assert_success();

    let list = project.command(["pm", "untrusted"]).run();
    list.assert_success();
    assert_eq!(
        list.stdout,
        "./node_modules/a @1.0.0\n » [preinstall]: touch one\n » [postinstall]: touch two; exit \
         $(cat fails 2>/dev/null || echo 0)\n\n./node_modules/other @1.0.0\n » [install]: exit 4\n \
         alias of \"b\"\n\nThese dependencies had their lifecycle scripts blocked during install.\n\n\
         If you trust them and wish to run their scripts, use `deka pm trust`.\n"
    );
    let json = project.command(["pm", "untrusted", "--json"]).run();
    json.document("pm-untrusted");
    assert!(json.stdout.contains("\"trusted_as\":\"b\",\"scripts\":{\"install\":\"exit 4\"}"));

    let failed = project.command(["pm", "trust", "--all"]).run();
    failed.assert_code(4);
    assert_eq!(project.read("package.json"), text, "as it was");
    project.command(["pm", "trust", "nope", "other"]).run().assert_code(1);

    let trusted = project.command(["pm", "trust", "a"]).run();
    trusted.assert_success();
    let said = trusted.filtered(&trusted.stdout);
    assert!(
        said.ends_with(
            " 2 scripts ran across 1 package [TIME]\n\n 1 package with blocked scripts\n"
        ),
        "{said}"
    );
    assert!(project.exists("node_modules/a/one") && project.exists("node_modules/a/two"));
    let manifest = project.read("package.json");
    let expected = "\"npm:b@1\" },\n\t\"trustedDependencies\": [\n\t\t\"a\"\n\t]\n}\n";
    assert!(manifest.ends_with(expected), "{manifest}");
    assert!(project.read("bun.lock").contains("\"trustedDependencies\": [\n    \"a\","));
    project.command(["pm", "trust", "a"]).run().assert_code(1);
}

#[test]
fn deka_pm_shows_the_built_in_list() {
    project().command(["pm", "default-trusted", "--json"]).run().document("pm-default-trusted");
    let list = project().command(["pm", "default-trusted"]).run();
    list.assert_success();
    assert!(
        list.stdout.starts_with("Default trusted dependencies (367):\n - @airbnb/node-memwatch\n")
    );
    assert_eq!(list.stdout.lines().count(), 368);
}

/// As with Bun, measured: `link:` is no reason to trust what it leads to.
#[test]
fn scripts_of_linked_folders_run_where_they_are() {
    let project = project();
    let scripts = json!({ "install": "echo ran >> log", "prepare": "echo prepared >> log" });
    let manifest = json!({ "name": "mine", "version": "1.0.0", "scripts": scripts });
    project.write("mine/package.json", manifest.to_string());
    let log = || project.exists("mine/log").then(|| project.read("mine/log"));
    let dependencies = json!({ "mine": "link:./mine" });
    project.package_json(json!({ "dependencies": dependencies }));
    for linker in ["hoisted", "isolated"] {
        let outcome = project.command(["install", "--linker", linker]).run();
        outcome.assert_success();
        assert!(outcome.stdout.contains("Blocked 1 postinstall."), "{}", outcome.snapshot());
        assert_eq!(log(), None);
        let listed = project.command(["pm", "untrusted"]).run();
        assert!(
            listed.stdout.contains("./node_modules/mine @link:./mine"),
            "{}",
            listed.snapshot()
        );
        project.remove("node_modules");
    }

    let trusting = json!({ "dependencies": dependencies, "trustedDependencies": ["mine"] });
    project.command(["install"]).run().assert_success();
    project.package_json(trusting);
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(!outcome.stdout.contains("Blocked"), "{}", outcome.snapshot());
    assert_eq!(log().as_deref(), Some("ran\n"));
    // Once is enough, until it is linked again.
    project.write("other/package.json", json!({ "name": "other" }).to_string());
    project.command(["add", "other@link:./other"]).run().assert_success();
    assert_eq!(log().as_deref(), Some("ran\n"));
    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    assert_eq!(log().as_deref(), Some("ran\nran\n"));
}

/// Bun decides for each place in the hoisted layout, and by the first name alone in the isolated one. What is
/// trusted under one name is the same under another.
#[test]
fn one_trusted_name_of_several_is_enough() {
    let scripts = json!({ "install": "echo ran >> log" });
    let manifest = json!({ "name": "mine", "version": "1.0.0", "scripts": scripts });
    for (protocol, linker, logs) in [
        ("link", "hoisted", &["mine/log"][..]),
        ("link", "isolated", &["mine/log"]),
        ("file", "hoisted", &["node_modules/a/log", "node_modules/b/log"]),
        ("file", "isolated", &["node_modules/a/log"]),
    ] {
        for (trusted, runs) in [(["a"], true), (["b"], true), (["mine"], false)] {
            let project = project();
            project.write("mine/package.json", manifest.to_string());
            let spec = format!("{protocol}:./mine");
            project.package_json(json!({
                "dependencies": { "a": spec, "b": spec }, "trustedDependencies": trusted,
            }));
            let outcome = project.command(["install", "--linker", linker]).run();
            outcome.assert_success();
            let what = format!("{spec} {linker} {trusted:?}");
            assert_eq!(outcome.stdout.contains("Blocked"), !runs, "{what}");
            for log in logs {
                let log = project.exists(log).then(|| project.read(log));
                assert_eq!(log.as_deref(), runs.then_some("ran\n"), "{what}");
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn scripts_of_linked_folders_are_in_the_sandbox() {
    if !super::sandbox::has_sandbox("scripts of linked folders") {
        return;
    }
    let project = project();
    let scripts = json!({ "install": "touch ../escaped" });
    let manifest = json!({ "name": "mine", "version": "1.0.0", "scripts": scripts });
    project.write("mine/package.json", manifest.to_string());
    let dependencies = json!({ "mine": "link:./mine" });
    project.package_json(json!({ "dependencies": dependencies, "trustedDependencies": ["mine"] }));
    let outcome = project.command(["install"]).run();
    outcome.assert_code(1);
    assert!(!project.exists("escaped"), "{}", outcome.snapshot());
    project.command(["install", "--no-sandbox"]).run().assert_success();
    assert!(project.exists("escaped"));
}
