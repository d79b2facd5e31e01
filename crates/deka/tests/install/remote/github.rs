//! Repositories at GitHub, through a server that stands in for it.

use std::fs;

use deka_test::archive::{Tar, gzip};
use deka_test::registry::Authorization;
use deka_test::{Fault, Outcome, Registry, Repository, TestProject};
use serde_json::json;

use crate::project;

/// An archive as GitHub makes it.
fn archive(folder: &str, contents: &str) -> Vec<u8> {
    let tar = Tar::new()
        .file(format!("{folder}/package.json"), r#"{ "name": "r" }"#)
        .file(format!("{folder}/index.js"), contents);
    gzip(&tar.finish())
}

/// A project without any way to the real GitHub.
fn with_dependency(spec: &str) -> TestProject {
    let project = project();
    let config = format!(
        "[url \"file://{0}/\"]\n\tinsteadOf = https://github.com/\n\tinsteadOf = ssh://git@github.com/\n",
        project.root().join("github").display()
    );
    fs::write(project.home().join(".gitconfig"), config).unwrap();
    project.package_json(json!({ "name": "p", "dependencies": { "r": spec } }));
    project
}

fn install(project: &TestProject, server: &Registry, arguments: &[&str]) -> Outcome {
    let arguments = ["install"].iter().chain(arguments);
    project.command(arguments).env("GITHUB_API_URL", server.url()).run()
}

#[test]
fn an_archive_is_fetched_once_and_then_by_its_commit() {
    let server = Registry::start();
    let bytes = archive("o-r-0123abc", "one");
    server.put_tarball("/repos/o/r/tarball/feature/x", bytes.clone());
    server.put_tarball("/repos/o/r/tarball/0123abc", bytes);
    let project = with_dependency("o/r#feature/x");
    install(&project, &server, &[]).assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "one");
    assert_eq!(project.read("node_modules/r/.bun-tag"), "o-r-0123abc");
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("\"r@github:o/r#0123abc\", {}, \"o-r-0123abc\", \"sha512-"));

    project.remove("node_modules");
    install(&project, &server, &["--frozen-lockfile", "--offline"]).assert_success();
    assert_eq!(server.paths(), ["/repos/o/r/tarball/feature/x"]);
    project.remove("node_modules").clear_cache();
    install(&project, &server, &["--frozen-lockfile"]).assert_success();
    assert_eq!(server.paths()[1..], ["/repos/o/r/tarball/0123abc"]);
    assert_eq!(project.read("node_modules/r/.bun-tag"), "o-r-0123abc");

    server.put_tarball("/repos/o/r/tarball/0123abc", archive("o-r-0123abc", "other"));
    project.remove("node_modules").clear_cache();
    let other = install(&project, &server, &["--frozen-lockfile"]);
    other.assert_code(1);
    assert!(other.stderr.contains("(EINTEGRITY)"), "{}", other.snapshot());
}

#[test]
fn an_older_lockfile_without_hashes_is_enough() {
    let server = Registry::start();
    let project = with_dependency("o/r");
    server.put_tarball("/repos/o/r/tarball/", archive("o-r-0123abc", "one"));
    server.put_tarball("/repos/o/r/tarball/0123abc", archive("o-r-0123abc", "one"));
    install(&project, &server, &["--lockfile-only"]).assert_success();
    let lockfile = project.read("bun.lock");
    let (start, end) = lockfile.split_once(", \"sha512-").unwrap();
    let end = end.split_once('"').unwrap().1;
    project.write("bun.lock", format!("{start}{end}")).clear_cache();
    server.clear_requests();
    for _ in 0..2 {
        install(&project, &server, &["--frozen-lockfile"]).assert_success();
        assert_eq!(project.read("node_modules/r/index.js"), "one");
        assert_eq!(server.paths(), ["/repos/o/r/tarball/0123abc"]);
        project.remove("node_modules");
    }
}

#[test]
fn the_token_stays_with_the_api() {
    let server = Registry::start();
    let store = Registry::start();
    server.require(Authorization::bearer("secret-token"));
    server.put_tarball("/repos/o/r/tarball/", archive("o-r-0123abc", "one"));
    let path = "/repos/o/r/tarball/";
    let project = with_dependency("github:o/r");
    let run = || {
        let url = server.url();
        let command = project.command(["install"]).env("GITHUB_API_URL", url);
        command.env("GITHUB_TOKEN", "secret-token").env("DEKA_DEBUG", "trace").run()
    };
    let outcome = run();
    outcome.assert_success();
    assert!(!outcome.stderr.contains("secret-token"));

    store.put_tarball(path, archive("o-r-0123abc", "one"));
    server.fault(Fault::on(path).redirect_host(&store.url_as_localhost()));
    project.remove("node_modules").remove("bun.lock").clear_cache();
    run().assert_success();
    assert!(store.requests()[0].header("authorization").is_none());
}

#[test]
fn where_there_is_no_archive_git_is_asked() {
    let server = Registry::start();
    let project = with_dependency("o/r");
    let repository = Repository::at(&project.root().join("github/o/r.git"));
    for version in ["1.0.0", "2.0.0"] {
        let manifest = format!(r#"{{ "name": "r", "version": "{version}" }}"#);
        repository.file("package.json", manifest).file("index.js", version).commit();
        repository.tag(&format!("v{version}"));
    }
    install(&project, &server, &[]).assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
    assert!(project.read("bun.lock").contains("\"r@git+ssh://git@github.com/o/r.git#"));

    project.package_json(json!({ "dependencies": { "r": "o/r#semver:^1" } })).remove("bun.lock");
    server.clear_requests();
    install(&project, &server, &[]).assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "1.0.0");
    assert_eq!(server.paths(), [""; 0]);
}

#[test]
fn what_cannot_be_had_is_told() {
    let server = Registry::start();
    server.put_tarball("/repos/o/other/tarball/", archive("package", "one"));
    for (spec, message) in [
        ("o/r#nope", "tarball/nope` was not found (404); with git: git failed to fetch"),
        ("o/r#a/../../../x", "it leads elsewhere"),
        ("o/other", "the archive of `o/other` is none that GitHub made"),
    ] {
        let project = with_dependency(spec);
        let outcome = install(&project, &server, &[]);
        outcome.assert_code(1);
        assert!(outcome.stderr.contains(message), "{}", outcome.snapshot());
        assert!(outcome.stderr.contains("required by: p"), "{}", outcome.snapshot());
        assert!(!project.exists("bun.lock"));
    }
}
