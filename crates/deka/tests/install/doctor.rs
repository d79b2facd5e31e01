//! `deka doctor`: what it finds, and what it says about it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use deka_test::{Fault, Outcome, Registry, TestProject, say_skipped};
use serde_json::Value;

use crate::is_root;

fn installed(registry: &Registry, manifest: &str) -> TestProject {
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(registry).write("package.json", manifest);
    project.command(["install"]).run().assert_success();
    project
}

/// Returns what one check found.
#[track_caller]
fn check(project: &TestProject, name: &str) -> Value {
    let document = project.command(["doctor", "--json"]).run().document("doctor");
    let checks = document["checks"].as_array().expect("a list").clone();
    checks.into_iter().find(|check| check["check"] == name).expect("such a check")
}

#[test]
fn all_is_well() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = installed(&registry, r#"{ "dependencies": { "a": "1" } }"#);
    let outcome = project.command(["doctor"]).run();
    outcome.assert_success();
    for line in ["✓ registry", "✓ cache", "✓ project", "✓ bun.lock", "✓ node_modules", "✓ peers"]
    {
        assert!(outcome.stdout.contains(line), "{line}: {}", outcome.snapshot());
    }
    let document = project.command(["doctor", "--json"]).run().document("doctor");
    assert_eq!(document["healthy"], true);
    // Nothing is left behind.
    let names = std::fs::read_dir(project.path()).unwrap();
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(!names.into_iter().any(|name| name.starts_with(".deka-doctor")));
}

#[test]
fn the_registry_is_asked_once() {
    let registry = Registry::start();
    let project = installed(&registry, "{}");
    assert_eq!(check(&project, "registry")["health"], "good");
    assert_eq!(registry.count("/-/ping"), 1);
    registry.fault(Fault::on("/-/ping").status(503));
    let found = check(&project, "registry");
    assert_eq!(found["health"], "problem");
    assert_eq!(registry.count("/-/ping"), 2);
    let offline = project.command(["doctor", "--offline"]).run();
    offline.assert_success();
    assert!(offline.stdout.contains("- registry"), "{}", offline.stdout);

    let outcome = project.command(["doctor", "--registry", "http://127.0.0.1:1/"]).run();
    outcome.assert_code(1);
    assert!(outcome.stdout.contains("✗ registry"), "{}", outcome.snapshot());
    assert!(outcome.stderr.contains("1 problem found"), "{}", outcome.stderr);
}

#[test]
fn a_wrong_token_and_a_wrong_clock() {
    let registry = Registry::start();
    let project = installed(&registry, "{}");
    let date = "Mon, 01 Jan 2024 00:00:00 GMT";
    registry.fault(Fault::on("/-/ping").times(1).header("date", date));
    let clock = check(&project, "clock");
    assert_eq!(clock["health"], "problem");
    assert!(clock["message"].as_str().unwrap().contains("ahead of"), "{clock}");

    let address = registry.url();
    let place = address.trim_start_matches("http:").trim_end_matches('/').to_owned();
    project.write(".npmrc", format!("registry={address}\n{place}/:_authToken=s3cret\n"));
    registry.fault(Fault::on("/-/whoami").times(1).status(401));
    let outcome = project.command(["doctor"]).run();
    outcome.assert_code(1);
    assert!(
        outcome.stdout.contains("→ Look with `deka config list` which token"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stdout.contains("s3cret"));
}

#[test]
fn what_is_stale_is_found() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    let project = installed(&registry, r#"{ "dependencies": { "a": "1" } }"#);
    project.write("node_modules/stranger/package.json", "{}");
    assert_eq!(check(&project, "node_modules")["health"], "notice");
    project.remove("node_modules/a");
    let found = check(&project, "node_modules");
    assert_eq!(found["details"], serde_json::json!(["a@1.0.0 is missing"]));
    assert_eq!(found["advice"], "Run `deka install`");
    project.write("package.json", r#"{ "dependencies": { "a": "1", "b": "1" } }"#);
    assert_eq!(check(&project, "bun.lock")["health"], "problem");
    project.remove("bun.lock");
    assert_eq!(check(&project, "bun.lock")["message"], "There is no bun.lock");
    project.write("package.json", "{");
    assert_eq!(check(&project, "package.json")["health"], "problem");
}

#[test]
fn peers_and_what_must_be_there_once() {
    let registry = Registry::start();
    registry.package("react", "17.0.0").publish();
    registry.package("react", "18.2.0").publish();
    registry.package("old", "1.0.0").dep("react", "^17").publish();
    registry.package("plugin", "1.0.0").peer("react", "^17").publish();
    let project = installed(
        &registry,
        r#"{ "dependencies": { "react": "^18", "old": "1", "plugin": "1" } }"#,
    );
    let found = check(&project, "duplicates");
    assert_eq!(found["details"], serde_json::json!(["react: 17.0.0, 18.2.0"]));
    let found = check(&project, "peers");
    assert_eq!(
        found["details"],
        serde_json::json!([
            "plugin@1.0.0 wants react@^17 and gets 18.2.0, because the project asks for react@^18"
        ])
    );
    project.command(["doctor"]).run().assert_code(1);
}

#[test]
fn without_a_project() {
    let registry = Registry::start();
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(&registry);
    let outcome = project.command(["doctor"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("✓ cache") && !outcome.stdout.contains("peers"));
    project.command(["doctor", "--nope"]).run().assert_code(2);
}

/// Runs `doctor` as a user who owns nothing; `None` where that can't be done.
fn as_a_stranger(project: &TestProject) -> Option<Outcome> {
    let deka = PathBuf::from(env!("CARGO_BIN_EXE_deka"));
    if !is_root() {
        return Some(project.other_program(deka).args(["doctor", "--offline"]).run());
    }
    // Where the program was built may be closed to others.
    let reachable = project.root().join("deka");
    if !reachable.exists() {
        let link = fs::hard_link(&deka, &reachable);
        link.or_else(|_| fs::copy(&deka, &reachable).map(drop)).unwrap();
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        say_skipped("there is no setpriv to be somebody else with");
        return None;
    }
    let stranger = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let program = project.other_program("setpriv").args(stranger).arg(reachable);
    Some(program.args(["doctor", "--offline"]).run())
}

#[test]
fn what_cannot_be_written_is_found() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = installed(&registry, r#"{ "dependencies": { "a": "1" } }"#);
    let open = Permissions::from_mode(0o755);
    fs::set_permissions(project.root(), open).unwrap();
    // For who is no root, the folder is closed; for root's stranger, it is another's anyway.
    let modules = project.path().join("node_modules");
    fs::set_permissions(&modules, Permissions::from_mode(0o555)).unwrap();
    let Some(outcome) = as_a_stranger(&project) else { return };
    fs::set_permissions(&modules, Permissions::from_mode(0o755)).unwrap();
    outcome.assert_code(1);
    assert!(outcome.stdout.contains("✗ project"), "{}", outcome.snapshot());
    assert!(outcome.stdout.contains("can't be written: "), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("→ Give it back to yourself"), "{}", outcome.stdout);

    let store = project.cache().join("v1/files");
    fs::set_permissions(&store, Permissions::from_mode(0o555)).unwrap();
    let Some(outcome) = as_a_stranger(&project) else { return };
    fs::set_permissions(&store, Permissions::from_mode(0o755)).unwrap();
    assert!(outcome.stdout.contains("✗ cache"), "{}", outcome.snapshot());
}

#[test]
fn a_cache_on_another_volume_is_found() {
    let registry = Registry::start();
    let here = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    let volume = |folder: &Path| Some(fs::metadata(folder).ok()?.dev());
    let memory = Path::new("/dev/shm");
    if volume(memory).is_none() || volume(memory) == volume(here.path().as_path()) {
        return say_skipped("/dev/shm is no other volume than the folder for temporary files");
    }
    let Ok(cache) = tempfile::tempdir_in(memory) else {
        return say_skipped("/dev/shm can't be written");
    };
    let project = here.sharing_cache(cache.path());
    project.use_registry(&registry).write("package.json", "{}");
    let found = check(&project, "volume");
    assert_eq!(found["health"], "notice");
    let message = found["message"].as_str().expect("a message");
    assert!(message.contains("on another volume"), "{message}");
    assert!(found["advice"].as_str().is_some_and(|advice| advice.contains("DEKA_CACHE_DIR")));
    project.command(["doctor"]).run().assert_success();
}
