//! Ctrl-C while an install works: nothing runs on, and the next install puts everything right.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use deka_test::{Fault, Registry, TestProject};
use serde_json::json;

use crate::project;

/// How long something may take to show up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts an install as a shell does: in a group of its own, which gets what the keyboard sends.
fn start(project: &TestProject, arguments: &[&str]) -> Child {
    let mut command = project.command(arguments).command();
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Presses Ctrl-C, and checks that it is the end. If the tests themselves were started to ignore it, as in the
/// background of a shell, so does what they start; then it is told to end otherwise.
fn interrupt(mut child: Child) {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignores_interrupts = u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << 1) != 0;
    let (name, number) = if ignores_interrupts { ("-TERM", 15) } else { ("-INT", 2) };
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args([name, "--", &group]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().signal(), Some(number));
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The files that wait beside those that they are to replace.
fn temporary(project: &TestProject) -> Vec<PathBuf> {
    let entries = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "tmp")).collect()
}

fn is_running(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

#[test]
fn while_a_script_runs() {
    // Nobody else's.
    let time = format!("61.{}", std::process::id());
    let registry = Registry::start();
    registry.package("slow", "1.0.0").script("postinstall", &format!("sleep {time}")).publish();
    for arguments in [&["install"][..], &["add", "slow"]] {
        let project = project();
        project.use_registry(&registry);
        let dependencies =
            if arguments == ["install"] { json!({ "slow": "1" }) } else { json!({}) };
        let manifest = |trusted: &[&str]| json!({ "dependencies": dependencies, "trustedDependencies": trusted });
        project.package_json(manifest(&["slow"]));
        let before = project.read("package.json");
        let child = start(&project, arguments);
        wait_until("the script starts", || is_running(&time));
        interrupt(child);
        wait_until("the script is ended", || !is_running(&time));
        assert!(!project.exists("bun.lock"), "{arguments:?}");
        assert_eq!(project.read("package.json"), before, "{arguments:?}");
        // What has a name while it waits, because the file system can't do otherwise, goes later.
        for file in temporary(&project) {
            let while_ago = SystemTime::now() - Duration::from_hours(2);
            File::options().write(true).open(file).unwrap().set_modified(while_ago).unwrap();
        }
        project.package_json(manifest(&[]));
        project.command(arguments).run().assert_success();
        assert_eq!(temporary(&project), [] as [PathBuf; 0], "{arguments:?}");
        for path in ["node_modules/slow/package.json", "bun.lock"] {
            assert!(project.exists(path), "{arguments:?}: {path}");
        }
    }
}

#[test]
fn what_is_not_wanted_any_more_goes() {
    let registry = Registry::start();
    registry.package("@s/part", "1.0.0").bin("part", "p.js").file("p.js", "").publish();
    registry.package("a", "1.0.0").publish();
    registry.package("old", "1.0.0").publish();
    registry.package("slow", "1.0.0").dep("@s/part", "1").dep("a", "1").publish();
    let tarball = "/slow/-/slow-1.0.0.tgz";
    registry.fault(Fault::on(tarball).times(2).delay(Duration::from_mins(1)));
    for linker in ["--linker=hoisted", "--linker=isolated"] {
        let project = project();
        project.use_registry(&registry).package_json(json!({ "dependencies": { "a": "1" } }));
        project.command(["install", linker]).run().assert_success();
        let before = project.node_modules_with_contents().to_string();
        project.package_json(json!({ "dependencies": { "a": "1", "old": "1" } }));
        project.command(["install", linker]).run().assert_success();
        let asked = registry.count(tarball);
        let child = start(&project, &["add", "slow", linker]);
        let part = match linker {
            "--linker=hoisted" => "node_modules/@s/part/p.js",
            _ => "node_modules/.bun/@s+part@1.0.0/node_modules/@s/part/p.js",
        };
        wait_until("it is asked", || registry.count(tarball) > asked && project.exists(part));
        interrupt(child);
        // As scripts would have found it.
        project.write("node_modules/.bin/own", "own");
        std::os::unix::fs::symlink(
            "../@s/part/p.js",
            project.path().join("node_modules/.bin/part"),
        )
        .unwrap();
        project.write("node_modules/own/index.js", "own");
        // Nor is what was there before the other one began.
        assert!(project.exists("node_modules/old"), "{linker}");
        project.package_json(json!({ "dependencies": { "a": "1" } }));
        project.command(["install", linker]).run().assert_success();
        assert!(project.exists("node_modules/own/index.js"), "{linker}");
        project.remove("node_modules/own").remove("node_modules/.bin/own");
        let is_same = |line: &&str| !line.starts_with(".deka-state") && !line.starts_with(".bin/");
        let lines =
            |tree: &str| tree.lines().filter(is_same).map(str::to_owned).collect::<Vec<_>>();
        let after = project.node_modules_with_contents().to_string();
        assert_eq!(lines(&after), lines(&before), "{linker}");
        let again = project.command(["install", linker]).run();
        assert!(again.stdout.contains("(no changes)"), "{linker}: {}", again.snapshot());
    }
}

#[test]
fn while_the_registry_is_asked() {
    for path in ["/a", "/a/-/a-1.0.0.tgz"] {
        let registry = Registry::start();
        registry.package("a", "1.0.0").publish();
        registry.fault(Fault::on(path).times(1).delay(Duration::from_mins(1)));
        let project = project();
        project.use_registry(&registry).package_json(json!({ "dependencies": { "a": "1" } }));
        let child = start(&project, &["install"]);
        wait_until("it is asked", || registry.count(path) > 0);
        interrupt(child);
        assert!(!project.exists("bun.lock"), "{path}");
        project.command(["install"]).run().assert_success();
        assert!(project.exists("node_modules/a/package.json"), "{path}");
    }
}
