//! What scripts made of a package is kept, and linked the next time.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use deka_manifest::{Algorithm, Integrity};
use deka_test::{Registry, TestProject};
use serde_json::json;

use super::sandbox::has_sandbox;
use super::{build_caches, manifest, trusting};

/// Publishes a package that notes in its cache how often it was built.
fn publish(registry: &Registry, version: &str, dependency: &str) {
    registry
        .package("a", version)
        .dep("b", dependency)
        .file("index.js", "as published")
        .executable("bin/tool", "#!/bin/sh\n")
        .script("install", "echo x >> $XDG_CACHE_HOME/runs")
        .script(
            "postinstall",
            "printf built > index.js; mkdir -p out/x; cp bin/tool out/x/; rm -r bin",
        )
        .publish();
}

fn runs(project: &TestProject) -> usize {
    let caches = build_caches(project);
    let texts = caches.iter().filter_map(|cache| fs::read_to_string(cache.join("runs")).ok());
    texts.map(|text| text.lines().count()).sum()
}

fn check(project: &TestProject) {
    assert_eq!(project.read("node_modules/a/index.js"), "built");
    assert!(!project.exists("node_modules/a/bin/tool"));
    let tool = fs::metadata(project.path().join("node_modules/a/out/x/tool")).unwrap();
    assert_eq!(tool.mode() & 0o777, 0o755);
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("b", "1.0.0").publish();
    registry.package("b", "2.0.0").publish();
    publish(&registry, "1.0.0", "*");
    registry
}

#[test]
fn a_build_is_linked_the_next_time() {
    if !has_sandbox("a_build_is_linked_the_next_time") {
        return;
    }
    let registry = registry();
    let project = trusting(&registry, &["a"]);
    project.command(["install"]).run().assert_success();
    check(&project);
    project.command(["install"]).run().assert_success();
    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    check(&project);
    let other = trusting(&registry, &["a"]).sharing_cache(project.cache());
    other.command(["install"]).run().assert_success();
    check(&other);
    assert_eq!(runs(&project), 1);
    let links = |path: &str| fs::metadata(other.path().join(path)).unwrap().nlink();
    assert!(links("node_modules/a/index.js") > 2, "the store, and two projects");

    // What was changed by hand is repaired without the scripts.
    other.remove("node_modules/a/out").write("node_modules/a/more", "");
    other.command(["install"]).run().assert_success();
    check(&other);
    assert_eq!(runs(&project), 1);
}

#[test]
fn a_build_is_made_again_when_something_decides_otherwise() {
    if !has_sandbox("a_build_is_made_again_when_something_decides_otherwise") {
        return;
    }
    let registry = registry();
    let project = trusting(&registry, &["a"]);
    project.command(["install"]).run().assert_success();
    project.command(["install", "--force"]).run().assert_success();
    assert_eq!(runs(&project), 2, "by force");

    let fields = json!({ "trustedDependencies": ["a"], "overrides": { "b": "1.0.0" } });
    project.package_json(manifest(&["a"], fields.clone()));
    project.command(["install"]).run().assert_success();
    check(&project);
    assert_eq!(runs(&project), 3, "another dependency");

    project.remove("node_modules");
    project.command(["install"]).env("CFLAGS", "-O1").run().assert_success();
    assert_eq!(runs(&project), 4, "other flags");
    let again = [("TERM", "dumb"), ("CFLAGS", "-O1")];
    for (variables, expected) in [(&again[..], 4), (&[("SHARP_OPTION", "1")], 5)] {
        project.remove("node_modules");
        let command = project.command(["install"]);
        let command = variables.iter().fold(command, |it, (name, value)| it.env(name, value));
        command.run().assert_success();
        assert_eq!(runs(&project), expected, "{variables:?}");
    }

    let mut fields = fields;
    fields["deka"] = json!({ "sandbox": { "a": { "network": true } } });
    project.package_json(manifest(&["a"], fields));
    project.command(["install"]).run().assert_success();
    assert_eq!(runs(&project), 6, "other rights");
}

#[test]
fn what_is_kept_for_all_runs_has_seen_nothing_of_one() {
    if !has_sandbox("what_is_kept_for_all_runs_has_seen_nothing_of_one") {
        return;
    }
    let registry = Registry::start();
    let script = "env | sort > seen; echo x >> $XDG_CACHE_HOME/runs";
    registry.package("a", "1.0.0").script("install", script).publish();
    let project = trusting(&registry, &["a"]);
    let install = |variables: &[(&str, &str)], arguments: &[&str]| {
        project.remove("node_modules");
        let command = project.command(["install"]).args(arguments);
        let command = variables.iter().fold(command, |it, (name, value)| it.env(name, value));
        command.run().assert_success();
        project.read("node_modules/a/seen")
    };
    let of_run = [
        ("GITHUB_RUN_ID", "17"),
        ("GITHUB_REF", "refs/heads/main"),
        ("CI_JOB_ID", "17"),
        ("XDG_SESSION_ID", "17"),
        ("DISPLAY", ":17"),
    ];
    let seen = install(&of_run, &[]);
    for (name, _) in of_run {
        assert!(!seen.contains(&format!("{name}=")), "{name} in {seen}");
    }
    let another = of_run.map(|(name, _)| (name, "18"));
    assert_eq!(install(&another, &[]), seen);
    assert_eq!(runs(&project), 1);

    // Which CI it is, is the same in all its runs.
    let seen = install(&[("GITHUB_ACTIONS", "true"), ("CI", "1"), ("GITHUB_RUN_ID", "19")], &[]);
    for expected in ["GITHUB_ACTIONS=true", "CI=1"] {
        assert!(seen.lines().any(|line| line == expected), "{seen}");
    }
    assert_eq!(runs(&project), 2);

    // What is not kept sees everything.
    let script = "env > seen";
    registry.package("a", "1.0.1").script("install", script).publish();
    project.package_json(manifest(&["a"], json!({ "trustedDependencies": ["a"] })));
    project.remove("bun.lock");
    let seen = install(&of_run, &["--no-sandbox", "--prefer-online"]);
    assert!(seen.contains("GITHUB_RUN_ID=17\n"), "{seen}");
}

#[test]
fn a_build_without_the_sandbox_is_not_kept() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").script("install", "echo x >> $HOME/runs").publish();
    let project = trusting(&registry, &["a"]);
    for runs in 1..3 {
        project.remove("node_modules");
        project.command(["install", "--no-sandbox"]).run().assert_success();
        let text = fs::read_to_string(project.home().join("runs")).unwrap();
        assert_eq!(text.lines().count(), runs);
    }
}

#[test]
fn what_the_store_has_lost_is_built_again() {
    if !has_sandbox("what_the_store_has_lost_is_built_again") {
        return;
    }
    let registry = registry();
    let project = trusting(&registry, &["a"]);
    project.command(["install"]).run().assert_success();
    project.remove("node_modules");
    for shard in fs::read_dir(project.cache().join("v1/files")).unwrap() {
        for file in fs::read_dir(shard.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            if fs::read(&file).unwrap() == b"built" {
                fs::remove_file(file).unwrap();
            }
        }
    }
    project.command(["install"]).run().assert_success();
    check(&project);
    assert_eq!(runs(&project), 2);
}

#[test]
fn a_lockfile_cannot_name_a_build() {
    if !has_sandbox("a_lockfile_cannot_name_a_build") {
        return;
    }
    let registry = registry();
    let project = trusting(&registry, &["a"]);
    project.command(["install"]).run().assert_success();
    let shard = fs::read_dir(project.cache().join("v1/builds")).unwrap().next().unwrap().unwrap();
    let index = fs::read_dir(shard.path()).unwrap().next().unwrap().unwrap().path();
    // Where the integrity stands in an index.
    let key = &fs::read(index).unwrap()[32..64];
    let forged = Integrity::from_digest(Algorithm::Sha256, key).unwrap().to_string();
    let lockfile = project.read("bun.lock");
    let start = lockfile.find("sha512-").unwrap();
    let end = start + lockfile[start..].find('"').unwrap();
    assert!(!lockfile[..start].contains("\"b@"), "it is the one of `a`: {lockfile}");
    project.write("bun.lock", lockfile.replace(&lockfile[start..end], &forged));
    project.remove("node_modules");
    let outcome = project.command(["ci", "--ignore-scripts"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("EINTEGRITY"), "{}", outcome.snapshot());
}

#[test]
fn what_an_index_cannot_hold_is_not_kept() {
    if !has_sandbox("what_an_index_cannot_hold_is_not_kept") {
        return;
    }
    let registry = Registry::start();
    let script = "echo x >> $XDG_CACHE_HOME/runs; ln -s package.json link; mkdir empty";
    registry.package("a", "1.0.0").script("install", script).publish();
    let project = trusting(&registry, &["a"]);
    for count in 1..3 {
        project.remove("node_modules");
        project.command(["install"]).run().assert_success();
        assert!(project.exists("node_modules/a/link") && project.exists("node_modules/a/empty"));
        assert_eq!(runs(&project), count);
    }
}
