//! Which scripts run, when, with what around them, and how they end.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use deka_test::Registry;
use serde_json::json;

use super::{manifest, trusting};
use crate::project;

#[test]
fn dependencies_are_built_before_dependents() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("plain", "1")
        .script("install", "cat ../b/built > built")
        .publish();
    registry.package("plain", "1.0.0").dep("b", "1").publish();
    registry
        .package("b", "1.0.0")
        .script("preinstall", "printf 1 > order")
        .script("install", "sleep 0.2; printf 2 >> order")
        .script("postinstall", "printf 3 >> order; cp order built")
        .publish();
    let project = trusting(&registry, &["a", "b"]);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/a/built"), "123");
}

#[test]
fn scripts_see_npms_variables_and_commands() {
    let registry = Registry::start();
    registry
        .package("tool", "1.0.0")
        .bin("tool", "t.js")
        .executable("t.js", "#!/bin/sh\necho tool")
        .publish();
    registry
        .package("a", "1.0.0")
        .dep("tool", "1")
        .field("config", json!({ "port": 8080 }))
        .script("postinstall", "tool > out; env >> out; pwd >> out; command -v node-gyp >> out")
        .publish();
    let project = trusting(&registry, &["a"]);
    project.command(["install"]).run().assert_success();
    let out = project.read("node_modules/a/out");
    let path = project.path();
    let path = path.display();
    for expected in [
        "tool".to_owned(),
        "npm_lifecycle_event=postinstall".to_owned(),
        "npm_package_name=a".to_owned(),
        "npm_package_version=1.0.0".to_owned(),
        "npm_package_config_port=8080".to_owned(),
        format!("npm_package_json={path}/node_modules/a/package.json"),
        format!("npm_execpath={}", env!("CARGO_BIN_EXE_deka")),
        format!("INIT_CWD={path}"),
        format!("{path}/node_modules/a"),
    ] {
        assert!(out.lines().any(|line| line == expected), "{expected}\n{out}");
    }
    assert!(out.contains("\nnpm_config_user_agent=deka/"), "{out}");
    assert!(out.trim_end().ends_with("/node-gyp"), "{out}");
}

#[test]
fn scripts_see_what_npmrc_files_say() {
    let registry = Registry::start();
    let script = "env | grep -i ^npm_config > out; true";
    registry.package("a", "1.0.0").script("postinstall", script).publish();
    let project = trusting(&registry, &["a"]);
    let npmrc = |more: &str| {
        let text = format!(
            "registry={}\npython=/opt/python\na_binary_host = https://h.example/${{PART}}\nbuild-from-source=true\n\
             @s:registry=https://secret:secret@s.example/\n//s.example/:_authToken=secret\n_authToken=secret\n\
             my-token=secret\nproxied=http://secret:secret@p.example/\nother=${{MY_TOKEN}}\nemail=secret\n{more}",
            registry.url()
        );
        project.write(".npmrc", text);
    };
    let install = || {
        let command = project.command(["install"]);
        let command = command.env("PART", "x").env("MY_TOKEN", "secret");
        command.env("NPM_CONFIG_PYTHON", "/env/python").run().assert_success();
        project.read("node_modules/a/out")
    };
    npmrc("");
    let out = install();
    let has = |line: &str| out.lines().any(|found| found == line);
    assert!(has("npm_config_a_binary_host=https://h.example/x"), "{out}");
    assert!(has("npm_config_build_from_source=true"), "{out}");
    assert!(has("NPM_CONFIG_PYTHON=/env/python") && !out.contains("/opt/python"), "{out}");
    assert!(has(&format!("npm_config_registry={}", registry.url())), "{out}");
    assert!(!out.contains("secret") && !out.contains("npm_config_other"), "{out}");

    // What was built with other settings is another build.
    npmrc("a_binary_host=https://other.example/\n");
    project.remove("node_modules");
    assert!(install().contains("npm_config_a_binary_host=https://other.example/"));

    // Flags say more, and who somebody is stays with deka.
    let url = registry.url().replace("://", "://me:secret@");
    let flags = ["install", "--force", "--registry", &url, "--noproxy=.flag.example"];
    let command = project.command(flags).env("NPM_CONFIG_NOPROXY", ".env.example");
    command.env("PART", "x").run().assert_success();
    let out = project.read("node_modules/a/out");
    assert!(
        out.lines().any(|line| line == format!("npm_config_registry={}", registry.url())),
        "{out}"
    );
    assert!(out.contains("npm_config_noproxy=.flag.example"), "{out}");
    assert!(!out.contains("secret") && !out.contains(".env.example"), "{out}");
}

#[test]
fn as_many_scripts_run_at_once_as_are_wanted() {
    let registry = Registry::start();
    // The first one waits for another one to come: long if that is expected.
    let script = "if mkdir ../../running; then \
                  for _ in $(seq $(cat ../../patience)); do \
                  test -e ../../both && break; sleep 0.01; done; rmdir ../../running; \
                  else touch ../../both; fi; true";
    for name in ["a", "b", "c"] {
        registry.package(name, "1.0.0").script("install", script).publish();
    }
    let project = trusting(&registry, &["a", "b", "c"]);
    let overlaps = |patience: &str, arguments: &[&str]| {
        project.remove("node_modules").remove("both").write("patience", patience);
        project.command(["install", "--no-sandbox"]).args(arguments).run().assert_success();
        project.exists("both")
    };
    assert!(overlaps("2000", &[]));
    assert!(overlaps("2000", &["--concurrent-scripts=3"]));
    assert!(overlaps("2000", &["--concurrent-scripts=0"]), "zero says nothing");
    assert!(!overlaps("10", &["--concurrent-scripts", "1"]));
    project.write("bunfig.toml", "[install]\nconcurrentScripts = 1\n");
    assert!(!overlaps("10", &[]));
    assert!(!overlaps("10", &["--concurrent-scripts=0"]));
}

#[test]
fn the_projects_own_scripts_run_on_every_install() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .bin("tool", "t.js")
        .executable("t.js", "#!/bin/sh\necho tool")
        .publish();
    let project = project();
    project.use_registry(&registry);
    let scripts = json!({
        "preinstall": "echo pre >> log",
        "postinstall": "tool",
        "prepare": "echo prepare $npm_lifecycle_event $npm_package_version >> log",
        "test": "echo never >> log",
    });
    project.package_json(manifest(&["a"], json!({ "scripts": scripts })));
    let first = project.command(["install"]).run();
    first.assert_success();
    assert_eq!(project.read("log"), "pre\nprepare prepare 2.0.0\n");
    assert!(first.stdout.contains("\ntool\n"), "{}", first.snapshot());
    assert!(first.stderr.contains("$ tool\n"), "{}", first.snapshot());

    let again = project.command(["install"]).run();
    again.assert_success();
    assert!(again.stdout.contains("(no changes)"), "{}", again.snapshot());
    assert_eq!(project.read("log").lines().count(), 4);
    project.command(["install", "--ignore-scripts"]).run().assert_success();
    assert_eq!(project.read("log").lines().count(), 4);

    let json = project.command(["install", "--json"]).run();
    json.assert_success();
    json.document("install");
    assert!(json.stderr.contains("tool\n"), "{}", json.snapshot());
}

#[test]
fn a_failed_script_fails_the_install_and_runs_again() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .script("postinstall", "echo to stdout; echo to stderr >&2; test -e ../../fixed || exit 3")
        .publish();
    registry.package("slow", "1.0.0").script("postinstall", "sleep 60").publish();
    let project = trusting(&registry, &["a", "slow"]);
    let started = Instant::now();
    let outcome = project.command(["install"]).run();
    outcome.assert_code(3);
    assert!(started.elapsed() < Duration::from_secs(30), "the others are ended");
    let said = outcome.filtered(&outcome.stderr);
    for expected in [
        "error: The postinstall script of `a@1.0.0` exited with 3 (ELIFECYCLE)",
        "command: echo to stdout",
        "folder: [PROJECT]/node_modules/a",
        "to stdout\n",
        "to stderr\n",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(!project.exists("bun.lock"), "nothing is saved");

    project.package_json(manifest(&["a"], json!({ "trustedDependencies": ["a"] })));
    project.command(["install"]).run().assert_code(3);
    project.write("fixed", "");
    project.command(["install"]).run().assert_success();
    assert!(project.exists("bun.lock"));
}

#[test]
fn an_optional_package_that_fails_is_left_out() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "1").script("install", "echo no; exit 5").publish();
    registry.package("b", "1.0.0").publish();
    registry.package("c", "1.0.0").script("install", "touch built").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({
        "dependencies": { "c": "1" },
        "optionalDependencies": { "a": "1" },
        "trustedDependencies": ["a", "c"],
    }));
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert_eq!(outcome.stderr, "");
    assert!(!project.exists("node_modules/a"));
    assert!(project.exists("node_modules/c/built"));
    assert!(project.read("bun.lock").contains("\"a@1.0.0\""));
}

#[test]
fn what_a_script_makes_is_linked_as_a_command() {
    let registry = Registry::start();
    let script = "mkdir bin && printf '#!/bin/sh\\necho made' > bin/tool && chmod +x bin/tool";
    registry.package("a", "1.0.0").bin("tool", "bin/tool").script("postinstall", script).publish();
    let project = trusting(&registry, &["a"]);
    project.command(["install"]).run().assert_success();
    assert!(project.exists("node_modules/.bin/tool"));
}

#[test]
fn a_binding_gyp_is_built_with_the_projects_node_gyp() {
    let registry = Registry::start();
    registry
        .package("node-gyp", "1.0.0")
        .bin("node-gyp", "gyp.sh")
        .executable("gyp.sh", "#!/bin/sh\necho gyp $1 > built\n")
        .publish();
    registry.package("a", "1.0.0").file("binding.gyp", "{}").publish();
    let project = trusting(&registry, &["a", "node-gyp"]);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/a/built"), "gyp rebuild\n");
}

#[test]
fn scripts_write_into_copies_of_their_own() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .file("index.js", "as published")
        .script("postinstall", "printf built > index.js")
        .publish();
    let project = trusting(&registry, &["a"]);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/a/index.js"), "built");
    project.package_json(manifest(&["a"], json!({ "trustedDependencies": [] })));
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/a/index.js"), "as published");
}

#[test]
fn a_command_behind_a_link_is_left_as_it_is() {
    let registry = Registry::start();
    let script = "ln -s \"$SECRETS\" b; ln -s \"$SECRETS/key\" key";
    registry
        .package("a", "1.0.0")
        .bin("one", "b/key")
        .bin("other", "key")
        .script("postinstall", script)
        .publish();
    let project = trusting(&registry, &["a"]);
    let secrets = project.home().join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("key"), "secret").unwrap();
    fs::set_permissions(secrets.join("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let before = fs::metadata(secrets.join("key")).unwrap();
    project.command(["install"]).env("SECRETS", &secrets).run().assert_success();
    let after = fs::metadata(secrets.join("key")).unwrap();
    assert_eq!((after.mode(), after.ino()), (before.mode(), before.ino()));
    assert_eq!(fs::read_dir(&secrets).unwrap().count(), 1);
    let key = fs::symlink_metadata(project.path().join("node_modules/a/key")).unwrap();
    assert!(key.is_symlink(), "no copy of what it leads to");
}

#[test]
fn output_is_shown_on_request() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").script("postinstall", "echo hello; printf end").publish();
    let project = trusting(&registry, &["a"]);
    let outcome = project.command(["install", "--foreground-scripts"]).run();
    outcome.assert_success();
    for expected in ["a@1.0.0: postinstall: echo hello", "a@1.0.0: hello\n", "a@1.0.0: end\n"] {
        assert!(outcome.stderr.contains(expected), "{}", outcome.snapshot());
    }
    project.remove("node_modules");
    let outcome = project.command(["install"]).run();
    assert_eq!(outcome.stderr, "");
}

#[test]
fn script_shell_runs_the_scripts() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").script("postinstall", "true").publish();
    let project = trusting(&registry, &["a"]);
    project.write("shell", "#!/bin/sh\necho \"$1 $2\" > by-shell\n");
    let shell = project.path().join("shell");
    fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let shell = shell.to_str().unwrap();
    project.command(["install", "--script-shell", shell]).run().assert_success();
    assert_eq!(project.read("node_modules/a/by-shell"), "-c true\n");
}

/// Waits until `done` says so.
fn wait_for(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and not merely waiting to be noticed.
pub(super) fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[test]
fn nothing_outlives_a_deka_that_is_killed() {
    let registry = Registry::start();
    let script = "sleep 600 & echo $! > background; (setsid sleep 600 & echo $! > detached); \
                  echo $$ > shell; sleep 600";
    registry.package("a", "1.0.0").script("postinstall", script).publish();
    for of_project in [false, true] {
        let project = trusting(&registry, &["a"]);
        let mut folder = "node_modules/a/";
        if of_project {
            folder = "";
            project.package_json(json!({ "scripts": { "postinstall": script } }));
        }
        let mut command = project.command(["install"]).command();
        let mut deka = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let path = |name: &str| project.path().join(format!("{folder}{name}"));
        wait_for("the script runs", || fs::metadata(path("shell")).is_ok_and(|it| it.len() > 1));
        let pids =
            ["background", "detached", "shell"].map(|name| fs::read_to_string(path(name)).unwrap());
        assert!(pids.iter().all(|pid| is_alive(pid)));
        deka.kill().unwrap();
        deka.wait().unwrap();
        wait_for("all has ended", || !pids.iter().any(|pid| is_alive(pid)));
    }
}

#[test]
fn workspaces_run_theirs_on_every_install() {
    let registry = Registry::start();
    registry.package("dep", "1.0.0").script("install", "touch built").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({
        "name": "root",
        "workspaces": ["packages/*"],
        "trustedDependencies": ["dep"],
        "scripts": { "postinstall": "echo root >> log" },
    }));
    let member = |name: &str, dependency: serde_json::Value| {
        let script = |event: &str| format!("echo {name} {event} >> ../../log");
        let manifest = json!({
            "name": name,
            "dependencies": dependency,
            "scripts": {
                "preinstall": "test -e ../../node_modules/dep/built",
                "postinstall": script("postinstall"),
                "prepare": script("prepare"),
                "postprepare": script("postprepare"),
            },
        });
        project.write(&format!("packages/{name}/package.json"), manifest.to_string());
    };
    member("a", json!({ "b": "workspace:*" }));
    member("b", json!({ "dep": "1" }));
    for _ in 0..2 {
        project.write("log", "");
        project.command(["install", "--linker", "hoisted"]).run().assert_success();
        assert_eq!(
            project.read("log"),
            "b postinstall\nb prepare\na postinstall\na prepare\nroot\n"
        );
    }
}

#[test]
fn a_script_may_install_the_project_that_runs_it() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    let deka = env!("CARGO_BIN_EXE_deka");
    let script =
        format!("test -n \"$NESTED\" || NESTED=1 {deka} install --ignore-scripts --linker hoisted");
    project.package_json(manifest(&["a"], json!({ "scripts": { "postinstall": script } })));
    let install = || project.command(["install"]).timeout(Duration::from_mins(1)).run();
    install().assert_success();
    project.package_json(json!({ "workspaces": ["w"], "dependencies": { "a": "1" } }));
    project.write(
        "w/package.json",
        json!({ "name": "w", "scripts": { "install": script } }).to_string(),
    );
    let program = project.command(["install", "--linker", "hoisted"]);
    program.timeout(Duration::from_mins(1)).run().assert_success();
}

#[test]
fn scripts_of_several_workspaces_may_install_the_project() {
    let registry = Registry::start();
    let project = project();
    project.use_registry(&registry);
    let deka = env!("CARGO_BIN_EXE_deka");
    let once = format!("test -n \"$NESTED\" || NESTED=1 {deka} install --linker hoisted");
    let twice = format!("test \"$NESTED\" = 11 || NESTED=1$NESTED {deka} install --linker hoisted");
    let mut names = Vec::new();
    for number in 0..20 {
        let name = format!("a{number}");
        let mut package = registry.package(&name, "1.0.0");
        for file in 0..20 {
            package = package.file(&format!("{file}.js"), format!("{number} {file}"));
        }
        package.publish();
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    project.package_json(manifest(&names, json!({ "workspaces": ["w/*"] })));
    for (name, script) in [("v", &once), ("w", &once), ("x", &twice)] {
        let manifest = json!({ "name": name, "scripts": { "install": script } });
        project.write(&format!("w/{name}/package.json"), manifest.to_string());
    }
    let install = project.command(["install", "--linker", "hoisted"]);
    install.timeout(Duration::from_mins(1)).run().assert_success();
    for name in names {
        assert!(project.exists(&format!("node_modules/{name}/19.js")));
    }
}
