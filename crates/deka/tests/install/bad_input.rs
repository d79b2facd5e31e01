//! Whatever is wrong: a clear error, the documented exit code, nothing half-written, and the next
//! good install works.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use deka_test::{Fault, Outcome, Registry, TestProject, hostile};
use serde_json::json;

use crate::{is_root, project};

/// A project that asks for `a@1` from `registry`, which may lack it.
fn asking_for_a(registry: &Registry) -> TestProject {
    let project = project();
    project.use_registry(registry);
    project.package_json(json!({ "name": "p", "version": "1.0.0", "dependencies": { "a": "1" } }));
    project
}

/// Fails unless the error says all of `parts` and has the exit code.
#[track_caller]
fn check(outcome: &Outcome, code: i32, parts: &[&str]) {
    outcome.assert_code(code);
    assert!(outcome.stderr.starts_with("error: "), "{}", outcome.snapshot());
    for part in parts {
        assert!(outcome.stderr.contains(part), "`{part}` is missing in\n{}", outcome.snapshot());
    }
}

/// Fails unless the failed install left neither lockfile nor package, and a good one follows.
#[track_caller]
fn nothing_is_left(project: &TestProject, registry: &Registry) {
    assert!(!project.exists("bun.lock"));
    assert!(!project.exists("node_modules/a"));
    registry.clear_faults();
    registry.package("a", "1.9.0").file("good.js", "good").publish();
    project.command(["install", "--prefer-online"]).run().assert_success();
    assert_eq!(project.read("node_modules/a/good.js"), "good");
}

#[test]
fn no_manifest() {
    let project = project();
    check(&project.command(["install"]).run(), 1, &["package.json", "hint: "]);
    assert!(!project.exists("node_modules"));
}

#[test]
fn broken_json_shows_the_place() {
    let project = project();
    project
        .write("package.json", "{\n  \"name\": \"p\",\n  \"dependencies\": { \"a\" \"1\" }\n}\n");
    check(&project.command(["install"]).run(), 1, &["package.json", "line 3, column 2"]);
    project.write("package.json", "{ \"dependencies\": [\"a\"] }");
    check(&project.command(["install"]).run(), 1, &["dependencies", "line 1"]);
}

#[test]
fn unknown_package() {
    let registry = Registry::start();
    registry.package("b", "2.0.0").dep("a", "1").publish();
    let project = asking_for_a(&registry);
    project.package_json(json!({ "name": "p", "dependencies": { "b": "2" } }));
    check(
        &project.command(["install"]).run(),
        1,
        &["`a`", "(E404)", "required by: p > b@2.0.0", "hint: "],
    );
    nothing_is_left(&project, &registry);
}

#[test]
fn whatever_is_not_there_comes_with_something_to_try() {
    let registry = Registry::start();
    registry.package("a", "0.1.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.write("m/package.json", "{ \"name\": \"m\" }");
    let manifest =
        |range: &str| json!({ "name": "p", "workspaces": ["m"], "dependencies": { "a": range } });
    for (range, arguments, hint) in [
        ("1", &["install"][..], "hint: `deka info a versions` lists all that there are"),
        ("workspace:*", &["install"], "hint: A workspace is found by the `name`"),
        ("0", &["add", "a", "--filter", "nosuch"], "hint: A filter is a name"),
        ("0", &["update", "nosuch"], "hint: `deka add nosuch` makes it one"),
        ("0", &["link", "nosuch"], "hint: Run `deka link` in the folder of `nosuch` first"),
        ("0", &["info", "nosuch"], "hint: Check how the name is spelled"),
    ] {
        project.package_json(manifest(range));
        check(&project.command(arguments).run(), 1, &[hint]);
    }
}

#[test]
fn no_matching_version_says_what_exists() {
    let registry = Registry::start();
    registry.package("a", "0.1.0").publish();
    registry.package("a", "0.2.0").publish();
    let project = asking_for_a(&registry);
    check(
        &project.command(["install"]).run(),
        1,
        &[
            "No version of `a` matches `1`",
            "(ETARGET)",
            "required by: p",
            "0.2.0 (latest)",
            "0.1.0",
        ],
    );
    nothing_is_left(&project, &registry);
}

#[test]
fn a_version_published_a_moment_ago_is_found() {
    let registry = Registry::start();
    registry.package("a", "0.1.0").publish();
    let project = asking_for_a(&registry);
    project.command(["install"]).run().assert_code(1);
    registry.package("a", "1.0.0").publish();
    // The cached packument is fresh enough to be used, but does not know it.
    project.command(["install"]).run().assert_success();
    assert!(project.exists("node_modules/a"));
}

#[test]
fn wrong_integrity() {
    let registry = Registry::start();
    let digest = "A".repeat(86);
    registry.package("a", "1.0.0").integrity(&format!("sha512-{digest}==")).publish();
    let project = asking_for_a(&registry);
    check(
        &project.command(["install"]).run(),
        1,
        &[
            "Integrity check failed for `a@1.0.0`",
            "(EINTEGRITY)",
            "required by: p",
            "expected: sha512-AAAA",
            "found:",
        ],
    );
    // It may have been garbled on the way: asked again once.
    assert_eq!(registry.count("/a/-/a-1.0.0.tgz"), 2);
    nothing_is_left(&project, &registry);
}

#[test]
fn what_cannot_be_had_says_who_asks_for_it() {
    let registry = Registry::start();
    registry.package("far", "1.0.0").dep("near", "1").publish();
    registry.package("near", "1.0.0").dep("a", "1").publish();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.write(
        "m/package.json",
        r#"{ "name": "m", "version": "2.0.0", "dependencies": { "near": "1" } }"#,
    );
    project.package_json(json!({
        "name": "p", "version": "0.1.0", "workspaces": ["m"], "dependencies": { "far": "1" },
    }));
    // Only the shortest way is told, whether versions are picked or locked.
    let required_by = "required by: m@2.0.0 > near@1.0.0\n";
    registry.fault(Fault::on("/a/-/a-1.0.0.tgz").status(404));
    for _ in 0..2 {
        let outcome = project.command(["install"]).run();
        check(&outcome, 1, &["Failed to download `a@1.0.0`", required_by]);
        project.command(["install", "--lockfile-only"]).run().assert_success();
    }
    project.write("m/package.json", r#"{ "name": "m" }"#);
    registry.clear_faults();
    registry.fault(Fault::on("/a/-/a-1.0.0.tgz").corrupt());
    check(
        &project.command(["install"]).run(),
        1,
        &[
            "Integrity check failed for `a@1.0.0`",
            "required by: p@0.1.0 > far@1.0.0 > near@1.0.0\n",
        ],
    );
    registry.clear_faults();
    project.command(["install"]).run().assert_success();
}

#[test]
fn a_tarball_garbled_once_is_fetched_again() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("x.js", "x").publish();
    registry.fault(Fault::on_tarballs().nth(1).corrupt());
    let project = asking_for_a(&registry);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/a/x.js"), "x");
}

#[test]
fn hostile_tarballs() {
    for case in hostile::all() {
        let registry = Registry::start();
        registry.package("a", "1.0.0").tarball(case.bytes).publish();
        let project = asking_for_a(&registry);
        let outcome = project.command(["install"]).run();
        assert!(matches!(outcome.code, Some(0 | 1)), "{}: {}", case.name, outcome.snapshot());
        assert!(!Path::new("/tmp/deka-escaped").exists(), "{}", case.name);
        for folder in [project.root(), project.path(), project.path().join("node_modules")] {
            assert!(!folder.join("escaped").exists(), "{}", case.name);
        }
        let links = project.node_modules();
        let has_links = links.iter().any(|(path, node)| {
            matches!(node.kind, deka_test::Kind::Symlink(_)) && !path.starts_with(".bin")
        });
        assert!(!has_links, "{}: {links}", case.name);
        if outcome.code == Some(1) {
            check(&outcome, 1, &["a@1.0.0"]);
            nothing_is_left(&project, &registry);
        }
    }
}

#[test]
fn unreachable_registry() {
    let project = project();
    // The near end of a connection: nobody listens there, nor can begin to.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let port = connected.local_addr().unwrap().port();
    project.write(
        ".npmrc",
        format!("registry=http://127.0.0.1:{port}/\nfetch-retries=1\nfetch-retry-mintimeout=10\n"),
    );
    project.package_json(json!({ "name": "p", "dependencies": { "a": "1" } }));
    let outcome = project.command(["install"]).run();
    check(&outcome, 4, &["`a`", "127.0.0.1", "hint: "]);
    assert!(!project.exists("bun.lock"));
}

#[test]
fn offline_without_a_cache() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = asking_for_a(&registry);
    check(&project.command(["install", "--offline"]).run(), 1, &["`a`"]);
    assert_eq!(registry.paths(), Vec::<String>::new());
    nothing_is_left(&project, &registry);
}

#[test]
fn unknown_flag() {
    let project = project();
    project.package_json(json!({}));
    check(&project.command(["install", "--frozen-lockfil"]).run(), 2, &["--frozen-lockfile"]);
}

#[test]
fn read_only_node_modules() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = asking_for_a(&registry);
    let folder = project.path().join("node_modules");
    fs::create_dir(&folder).unwrap();
    if is_root() {
        // Permissions do not hold root back; a read-only mount does.
        let Some(_mount) = Mount::tmpfs(&folder, "ro") else { return };
        check(&project.command(["install"]).run(), 1, &["node_modules"]);
        assert!(!project.exists("bun.lock"));
    } else {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
        check(&project.command(["install"]).run(), 1, &["node_modules", "(EACCES)"]);
        assert!(!project.exists("bun.lock"));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    project.command(["install"]).run().assert_success();
}

#[test]
fn full_disk() {
    if !is_root() {
        return deka_test::say_skipped("only root can mount a small disk");
    }
    let registry = Registry::start();
    // What random bytes cannot do, a generator does: the store cannot share or compress them.
    let noise: Vec<u8> =
        (0..3_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    registry.package("a", "1.0.0").file("noise", noise).publish();
    for full in ["cache", "node_modules"] {
        let project = asking_for_a(&registry);
        let folder = match full {
            "cache" => project.cache().to_owned(),
            _ => project.path().join("node_modules"),
        };
        fs::create_dir_all(&folder).unwrap();
        {
            let Some(_mount) = Mount::tmpfs(&folder, "size=1m") else { return };
            check(&project.command(["install"]).run(), 1, &["(ENOSPC)", "hint: "]);
            assert!(!project.exists("bun.lock"));
        }
        project.command(["install"]).run().assert_success();
        assert_eq!(
            fs::metadata(project.path().join("node_modules/a/noise")).unwrap().len(),
            3_000_000
        );
    }
}

/// A file system that is mounted as long as this lives.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn tmpfs(folder: &'a Path, options: &str) -> Option<Self> {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder)
            .status();
        if status.is_ok_and(|status| status.success()) {
            Some(Self(folder))
        } else {
            deka_test::say_skipped("a tmpfs cannot be mounted here");
            None
        }
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(self.0).status();
        assert!(status.is_ok_and(|status| status.success()), "unmounting {}", self.0.display());
    }
}
