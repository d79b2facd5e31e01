//! `deka pm cache`: what is in the cache, and emptying it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use deka_test::{Registry, TestProject};

fn installed(registry: &Registry) -> TestProject {
    registry.package("a", "1.0.0").file("index.js", "module.exports = 1").publish();
    registry.package("b", "2.0.0").publish();
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.use_registry(registry);
    project.write("package.json", r#"{ "dependencies": { "a": "1", "b": "2" } }"#);
    project.command(["install"]).run().assert_success();
    project
}

#[test]
fn the_cache_is_looked_at() {
    let registry = Registry::start();
    let project = installed(&registry);
    let folder = project.command(["pm", "cache"]).run();
    folder.assert_success();
    assert_eq!(project.command(["pm", "cache", "dir"]).run().stdout, folder.stdout);
    let document = project.command(["pm", "cache", "dir", "--json"]).run().document("pm-cache-dir");
    assert_eq!(document["folder"], folder.stdout.trim_end());
    let list = project.command(["pm", "cache", "ls"]).run();
    assert!(list.stdout.starts_with("a@1.0.0 ") && list.stdout.contains("\nb@2.0.0 "));
    assert_eq!(project.command(["pm", "cache", "ls", "b"]).run().stdout.lines().count(), 1);
    project.command(["pm", "cache", "ls", "c"]).run().assert_code(1);
    let list = project.command(["pm", "cache", "ls", "--json"]).run().document("pm-cache-ls");
    assert_eq!(list["packages"][0]["files"], 2);
    let size = project.command(["pm", "cache", "size"]).run();
    assert!(size.stdout.contains("  packages "), "{}", size.stdout);
    let size = project.command(["pm", "cache", "size", "--json"]).run().document("pm-cache-size");
    assert!(size["parts"][0]["bytes"].as_u64() > size["parts"][0]["unused_bytes"].as_u64());
    project.command(["pm", "cache", "size", "--nope"]).run().assert_code(2);
}

#[test]
fn the_cache_is_emptied() {
    let registry = Registry::start();
    let project = installed(&registry);
    let dry = project.command(["pm", "cache", "rm", "--dry-run", "--json"]).run();
    let dry = dry.document("pm-cache-clean");
    let outcome = project.command(["pm", "cache", "clean", "--json"]).run();
    let cleaned = outcome.document("pm-cache-clean");
    assert_eq!(cleaned["parts"], dry["parts"]);
    assert_eq!(project.command(["pm", "cache", "ls"]).run().stdout, "");
    let again = project.command(["pm", "cache", "clean"]).run();
    again.assert_success();
    assert!(again.stdout.contains("empty already"), "{}", again.stdout);
    // What is installed stays, and what is not is fetched again.
    assert!(project.read("node_modules/a/index.js").contains("exports"));
    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    assert_eq!(registry.count("/a/-/a-1.0.0.tgz"), 2);
    let text = project.command(["pm", "cache", "clean"]).run().stdout;
    assert!(text.contains("Removed packages (") && text.contains("Freed "), "{text}");
}

#[test]
fn an_install_that_is_under_way_is_waited_for() {
    let registry = Registry::start();
    let project = installed(&registry);
    let script = "touch started; while ! test -e go; do sleep 0.01; done";
    registry.package("slow", "1.0.0").script("postinstall", script).publish();
    project.write(
        "package.json",
        r#"{ "dependencies": { "a": "1", "slow": "1" }, "trustedDependencies": ["slow"] }"#,
    );
    let mut install =
        project.command(["install", "--silent"]).command().spawn().expect("deka starts");
    while !project.exists("node_modules/slow/started") {
        assert!(install.try_wait().expect("deka runs").is_none(), "the script waits");
        sleep(Duration::from_millis(5));
    }
    let clean = project.command(["pm", "cache", "clean"]).command().stderr(Stdio::piped()).spawn();
    let mut clean = clean.expect("deka starts");
    let mut said = BufReader::new(clean.stderr.take().expect("it is piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it says that it waits");
    assert!(line.contains("Waiting for installs"), "{line}");
    assert!(install.try_wait().expect("deka runs").is_none());
    project.write("node_modules/slow/go", "");
    assert!(clean.wait().expect("deka ends").success());
    assert!(install.wait().expect("deka ends").success());
    assert!(project.exists("node_modules/slow/package.json"));
}

#[test]
fn no_project_and_no_cache() {
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    for command in [&["pm", "cache"][..], &["pm", "cache", "size"], &["pm", "cache", "ls"]] {
        project.command(command).run().assert_success();
    }
    let outcome = project.command(["pm", "cache", "clean"]).run();
    outcome.assert_success();
    assert!(outcome.stdout.contains("empty already"), "{}", outcome.snapshot());
}
