//! Tarballs by URL.

use deka_test::archive::{Entry, Tar, gzip};
use deka_test::registry::Authorization;
use deka_test::{Fault, Registry, TestProject};
use serde_json::json;

use crate::project;

fn pack(manifest: &str, contents: &str) -> Vec<u8> {
    let tar = Tar::new().file("package/package.json", manifest).file("package/index.js", contents);
    gzip(&tar.finish())
}

/// A project that depends on `t.tgz` of a server.
fn with_tarball(registry: &Registry) -> TestProject {
    let project = project();
    project.use_registry(registry);
    let url = format!("{}t.tgz", registry.url());
    project.package_json(json!({ "dependencies": { "t": url, "again": url } }));
    project
}

#[test]
fn it_is_fetched_once_and_never_again_while_the_lockfile_pins_it() {
    let registry = Registry::start();
    registry.package("b", "1.0.0").publish();
    registry.package("c", "1.0.0").publish();
    let manifest = r#"{ "name": "t", "version": "1.0.0", "dependencies": { "b": "1" } }"#;
    registry.put_tarball("/t.tgz", pack(manifest, "one"));
    let project = with_tarball(&registry);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/t/index.js"), "one");
    assert!(project.exists("node_modules/again/index.js") && project.exists("node_modules/b"));
    assert_eq!(registry.count("/t.tgz"), 1);

    let lockfile = project.read("bun.lock");
    registry.put_tarball("/t.tgz", pack(manifest, "two"));
    project.remove("node_modules");
    project.command(["install", "--offline", "--frozen-lockfile"]).run().assert_success();
    assert_eq!(project.read("node_modules/t/index.js"), "one");
    let url = format!("{}t.tgz", registry.url());
    project.package_json(json!({ "dependencies": { "t": url, "again": url, "c": "1" } }));
    project.command(["install"]).run().assert_success();
    assert_eq!(registry.count("/t.tgz"), 1);

    project.write("bun.lock", &lockfile).clear_cache().remove("node_modules");
    project.package_json(json!({ "dependencies": { "t": url, "again": url } }));
    let other = project.command(["install", "--frozen-lockfile"]).run();
    other.assert_code(1);
    assert!(other.stderr.contains("(EINTEGRITY)"), "{}", other.snapshot());
    assert!(!project.exists("node_modules/t"));
    assert_eq!(project.read("bun.lock"), lockfile);
}

#[test]
fn only_the_lockfile_needs_it_too() {
    let registry = Registry::start();
    registry.put_tarball("/t.tgz", pack(r#"{ "name": "t" }"#, "one"));
    let project = with_tarball(&registry);
    project.command(["install", "--lockfile-only"]).run().assert_success();
    assert!(project.read("bun.lock").contains("\"t@http://127.0.0.1"));
    assert!(!project.exists("node_modules"));
}

#[test]
fn what_cannot_be_had_is_told_with_who_wants_it() {
    let registry = Registry::start();
    let url = format!("{}gone.tgz", registry.url());
    registry.package("a", "1.0.0").dep("gone", &url).publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "name": "p", "dependencies": { "a": "1" } }));
    let outcome = project.command(["install"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("Failed to resolve `gone`"), "{}", outcome.snapshot());
    assert!(outcome.stderr.contains("required by: p > a@1.0.0"), "{}", outcome.snapshot());
    assert!(outcome.stderr.contains("(E404)"), "{}", outcome.snapshot());

    project.package_json(json!({ "optionalDependencies": { "gone": url } }));
    project.command(["install"]).run().assert_success();
    project.package_json(json!({ "dependencies": { "gone": url } })).clear_cache();
    let offline = project.command(["install", "--offline"]).run();
    offline.assert_code(1);
    assert!(offline.stderr.contains("gone.tgz"), "{}", offline.snapshot());
}

#[test]
fn hostile_archives_leave_nothing_behind() {
    let manifest = r#"{ "name": "t" }"#;
    let climbing = Tar::new().file("package/package.json", manifest).file("package/../../x", "x");
    let linked = Tar::new()
        .file("package/package.json", manifest)
        .entry(Entry::symlink("package/out", "../../.."))
        .file("package/out/x", "x");
    for (archive, is_refused) in [
        (gzip(&climbing.finish()), true),
        (b"<html>no archive</html>".to_vec(), true),
        (gzip(&linked.finish()), false),
    ] {
        let registry = Registry::start();
        registry.put_tarball("/t.tgz", archive);
        let project = with_tarball(&registry);
        let outcome = project.command(["install"]).run();
        assert_eq!(outcome.code == Some(0), !is_refused, "{}", outcome.snapshot());
        assert!(!project.exists("x") && !project.exists("../x"));
        assert_eq!(project.exists("bun.lock"), !is_refused);
    }
}

#[test]
fn credentials_stay_with_their_host_and_are_not_shown() {
    let registry = Registry::start();
    registry.put_tarball("/t.tgz", pack(r#"{ "name": "t" }"#, "one"));
    registry.require(Authorization::bearer("secret-token"));
    let project = with_tarball(&registry);
    let url = registry.url();
    let place = url.trim_start_matches("http:");
    project.write(".npmrc", format!("registry={url}\n{place}:_authToken=secret-token\n"));
    project.command(["install"]).run().assert_success();

    let elsewhere = Registry::start();
    elsewhere.put_tarball("/t.tgz", pack(r#"{ "name": "t" }"#, "one"));
    registry.fault(Fault::on("/t.tgz").redirect_host(&elsewhere.url_as_localhost()));
    project.clear_cache().remove("node_modules").remove("bun.lock");
    project.command(["install"]).run().assert_success();
    let requests = elsewhere.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].header("authorization").is_none(), "{requests:?}");

    let private = format!("{}nope.tgz", elsewhere.url().replace("//", "//me:hidden@"));
    project.package_json(json!({ "dependencies": { "t": private } }));
    let failed = project.command(["install"]).env("DEKA_DEBUG", "trace").run();
    failed.assert_code(1);
    assert!(!failed.stderr.contains("hidden"), "{}", failed.snapshot());
    assert!(elsewhere.requests()[1].header("authorization").is_some());

    let private = private.replace("nope", "t");
    project.package_json(json!({ "dependencies": { "t": private } }));
    let planned = project.command(["install", "--dry-run"]).run();
    planned.assert_success();
    assert!(planned.stdout.contains("t@http://"), "{}", planned.snapshot());
    assert!(!planned.stdout.contains("hidden"), "{}", planned.snapshot());
}
