//! `deka run`, what is short for it, and `deka exec`.

use std::process::Stdio;
use std::time::{Duration, Instant};

use deka_test::{Outcome, TestProject};
use serde_json::{Value, json};

use crate::project;

fn with_scripts(scripts: &Value) -> TestProject {
    let project = project();
    project.package_json(json!({ "name": "app", "version": "1.2.3", "scripts": scripts }));
    project
}

#[track_caller]
fn check(outcome: &Outcome, code: i32, stdout: &str, stderr: &str) {
    outcome.assert_code(code);
    assert_eq!((&*outcome.stdout, &*outcome.filtered(&outcome.stderr)), (stdout, stderr));
}

#[cfg(unix)]
fn command(project: &TestProject, path: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    project.write(path, format!("#!/bin/sh\n{text}\n"));
    let path = project.path().join(path);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn scripts_are_listed() {
    let project =
        with_scripts(&json!({ "build": "tsc -p .", "empty": "", "test": "node test.js" }));
    let expected = "package.json scripts (2 found):\n  $ deka run build\n    tsc -p .\n\n  \
                    $ deka run test\n    node test.js\n\n";
    check(&project.command(["run"]).run(), 0, expected, "");
    let document = project.command(["run", "--json"]).run().document("run");
    assert_eq!(document["package"], "app");
    assert_eq!(document["scripts"][1], json!({ "name": "test", "command": "node test.js" }));
    project.package_json(json!({}));
    check(&project.command(["run-script"]).run(), 0, "No scripts in package.json\n", "");
    let document = project.command(["run", "--json"]).run().document("run");
    assert_eq!((&document["package"], &document["scripts"]), (&json!(null), &json!([])));
}

#[test]
fn before_and_after() {
    let project = with_scripts(&json!({
        "prebuild": "echo $npm_lifecycle_event",
        "build": "echo building",
        "postbuild": "echo after",
    }));
    let said = "$ echo $npm_lifecycle_event\n$ echo building x\n$ echo after\n";
    for arguments in [&["run", "build", "x"][..], &["build", "x"], &["build", "--", "x"]] {
        let outcome = project.command(arguments).run();
        check(&outcome, 0, "prebuild\nbuilding x\nafter\n", said);
    }
    let outcome = project.command(["run", "--silent", "build"]).run();
    check(&outcome, 0, "prebuild\nbuilding\nafter\n", "");
}

#[test]
fn arguments_arrive_as_they_are() {
    let project = with_scripts(&json!({ "tell": "printf '<%s>'" }));
    let hard = [
        "a b",
        "$HOME",
        "\"q\"",
        "it's",
        "*",
        "",
        "--silent",
        "--save=false",
        "--",
        "-h",
        "a\nb",
        "\\",
    ];
    let expected = format!("<{}>", hard.join("><"));
    for start in [&["run", "tell"][..], &["run", "tell", "--"], &["run", "--", "tell"], &["tell"]] {
        let outcome = project.command(start.iter().chain(&hard)).run();
        outcome.assert_success();
        assert_eq!(outcome.stdout, expected, "{start:?}");
    }
}

#[test]
fn what_is_not_there() {
    let project = with_scripts(&json!({ "build": "true" }));
    let outcome = project.command(["run", "biuld"]).run();
    let expected = "error: There is no script `biuld`\n  in: [PROJECT]/package.json\n\n\
                    hint: Did you mean `deka run build`?\n";
    check(&outcome, 1, "", expected);
    check(&project.command(["run", "--if-present", "biuld"]).run(), 0, "", "");
    let outcome = project.command(["biuld"]).run();
    let expected =
        "error: deka has no command `biuld` (EUSAGE)\n\nhint: Did you mean `deka build`?\n";
    check(&outcome, 2, "", expected);
    project.command(["run", "--filter", "x"]).run().assert_code(2);
    project.command(["stop"]).run().assert_code(1);
    project.remove("package.json");
    for arguments in [&["run"][..], &["run", "build"], &["test"]] {
        let outcome = project.command(arguments).run();
        outcome.assert_code(1);
        assert!(outcome.stderr.contains("There is no `package.json`"), "{}", outcome.stderr);
    }
    project.command(["run", "--if-present", "build"]).run().assert_success();
    project.write("package.json", "{");
    project.command(["run", "build"]).run().assert_code(1);
}

#[cfg(unix)]
#[test]
fn exit_codes_are_those_of_scripts() {
    let project = with_scripts(&json!({
        "three": "exit 3",
        "prelate": "exit 4",
        "late": "echo never",
        "early": "exit 5",
        "postearly": "echo never",
        "killed": "kill -TERM $$",
        "postkilled": "echo never",
    }));
    check(&project.command(["run", "three"]).run(), 3, "", "$ exit 3\n");
    let said = "$ exit 4\nerror: The script `prelate` exited with 4\n";
    check(&project.command(["run", "late"]).run(), 4, "", said);
    let said = "$ exit 5\nerror: The script `early` exited with 5\n";
    check(&project.command(["run", "early"]).run(), 5, "", said);
    project.command(["run", "killed"]).run().assert_code(143);
}

#[cfg(unix)]
#[test]
fn commands_of_dependencies() {
    let project = with_scripts(&json!({ "use": "tool from script", "shadowed": "echo script" }));
    command(&project, "node_modules/.bin/tool", "echo \"tool $*\"; pwd");
    command(&project, "node_modules/.bin/shadowed", "echo bin");
    command(&project, "packages/a/node_modules/.bin/near", "echo near");
    project.write("packages/a/package.json", r#"{ "scripts": { "both": "near && tool" } }"#);
    let path = |below: &str| project.path().join(below).display().to_string();
    let here = path("");
    let here = here.trim_end_matches('/');
    let outcome = project.command(["use"]).run();
    check(&outcome, 0, &format!("tool from script\n{here}\n"), "$ tool from script\n");
    for arguments in
        [&["run", "tool", "-x", "a b"][..], &["tool", "-x", "a b"], &["exec", "tool", "-x", "a b"]]
    {
        let outcome = project.command(arguments).run();
        check(&outcome, 0, &format!("tool -x a b\n{here}\n"), "");
    }
    check(&project.command(["run", "shadowed"]).run(), 0, "script\n", "$ echo script\n");
    let within = |arguments: &[&str]| {
        project.command(arguments).current_dir(&project.path().join("packages/a")).run()
    };
    let below = path("packages/a");
    check(&within(&["both"]), 0, &format!("near\ntool \n{below}\n"), "$ near && tool\n");
    check(&within(&["tool", "x"]), 0, &format!("tool x\n{below}\n"), "");
    project.command(["run", "../.bin/tool"]).run().assert_code(1);
}

#[test]
fn variables_are_npms() {
    let project = with_scripts(&json!({ "show": "env" }));
    project.write("deep/er/x", "");
    let folder = project.path().join("deep/er");
    let outcome = project.command(["run", "show"]).current_dir(&folder).run();
    outcome.assert_success();
    let root = project.path().display().to_string();
    for (name, value) in [
        ("npm_command", "run-script"),
        ("npm_lifecycle_event", "show"),
        ("npm_lifecycle_script", "env"),
        ("npm_package_name", "app"),
        ("npm_package_version", "1.2.3"),
        ("npm_config_local_prefix", &*root),
        ("INIT_CWD", &*folder.display().to_string()),
        ("PWD", &*root),
    ] {
        let line = format!("{name}={value}");
        assert!(outcome.stdout.lines().any(|found| found == line), "{line}\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.contains("npm_config_user_agent=deka/"), "{}", outcome.stdout);
}

#[test]
fn start_stop_and_restart() {
    let project = with_scripts(
        &json!({ "stop": "echo stop", "poststop": "echo stopped", "start": "echo start" }),
    );
    let outcome = project.command(["restart", "now"]).run();
    assert_eq!(outcome.stdout, "stop\nstopped\nstart now\n");
    assert_eq!(project.command(["stop"]).run().stdout, "stop\nstopped\n");
    let project = with_scripts(&json!({ "restart": "echo again", "test": "echo test" }));
    assert_eq!(project.command(["restart"]).run().stdout, "again\n");
    assert_eq!(project.command(["t", "--", "--watch"]).run().stdout, "test --watch\n");
    assert_eq!(project.command(["test", "--watch"]).run().stdout, "test --watch\n");
    project.command(["start"]).run().assert_code(1);
    project.write("server.js", "");
    let outcome = project.command(["start", "--port=80"]).env("PATH", "/nowhere").run();
    outcome.assert_code(127);
    assert!(outcome.stderr.starts_with("$ node server.js --port=80\n"), "{}", outcome.stderr);
}

#[test]
fn other_shells() {
    let project = with_scripts(&json!({ "tell": "x" }));
    let outcome = project.command(["run", "--shell", "/bin/echo", "tell"]).run();
    check(&outcome, 0, "-c x\n", "$ x\n");
    project.write(".npmrc", "script-shell=/bin/echo\n");
    assert_eq!(project.command(["tell"]).run().stdout, "-c x\n");
    let outcome = project.command(["run", "--shell", "/no/shell", "tell"]).run();
    outcome.assert_code(127);
    assert!(outcome.stderr.contains("Failed to start `/no/shell`"), "{}", outcome.stderr);
}

#[test]
fn lines_and_programs_are_executed() {
    let project = project();
    check(&project.command(["exec", "echo a; exit 4"]).run(), 4, "a\n", "");
    check(&project.command(["exec", "-c", "echo $npm_command"]).run(), 0, "exec\n", "");
    check(&project.command(["exec", "--", "echo", "a  b", "$HOME"]).run(), 0, "a  b $HOME\n", "");
    let outcome = project.command(["exec", "no-such-program", "x"]).run();
    outcome.assert_code(127);
    assert!(outcome.stderr.contains("Failed to start `no-such-program`"), "{}", outcome.stderr);
    project.command(["exec"]).run().assert_code(2);
    project.remove("package.json");
    check(&project.command(["exec", "echo a"]).run(), 0, "a\n", "");
}

/// A root with members: `a` depends on `b`.
fn workspaces() -> TestProject {
    let project = project();
    project.package_json(json!({ "name": "root", "workspaces": ["packages/*"], "scripts": { "build": "echo root" } }));
    let member = |name: &str, manifest: &Value| {
        project.write(&format!("packages/{name}/package.json"), manifest.to_string());
    };
    let of_a = json!({ "build": "echo a; cat ../b/built", "only": "echo \"only $*\" >&2; printf 'end %s'", "fail": "true" });
    member("a", &json!({ "name": "a", "dependencies": { "b": "workspace:*" }, "scripts": of_a }));
    let of_b = json!({ "prebuild": "sleep 0.2", "build": "echo done > built; echo b", "fail": "exit 3", "postfail": "x" });
    member("b", &json!({ "name": "b", "scripts": of_b }));
    member("c", &json!({ "name": "c", "scripts": { "other": "echo c" } }));
    project
}

#[test]
fn members_run_what_they_depend_on_first() {
    let project = workspaces();
    let run =
        |arguments: &[&str]| project.command(["run", "--no-install"].iter().chain(arguments)).run();
    let built = "b prebuild: Exited with code 0\nb build: b\nb build: Exited with code 0\n\
                 a build: a\na build: done\na build: Exited with code 0\n";
    check(&run(&["--filter", "*", "build"]), 0, built, "");
    check(&run(&["-F", "a...", "build"]), 0, built, "");
    check(&run(&["--workspaces", "--if-present", "build"]), 0, built, "");
    check(&run(&["--recursive", "build"]), 0, built, "");
    let rooted = "root build: root\nroot build: Exited with code 0\n";
    check(&run(&["-F", "root", "build"]), 0, rooted, "");
    let only = "a only: end x y\na only: Exited with code 0\n";
    check(&run(&["-F", "*", "only", "--", "x y"]), 0, only, "a only: only \n");
    let failed = "b fail: Exited with code 3\nb postfail: Skipped\na fail: Exited with code 0\n";
    check(&run(&["-F", "*", "fail"]), 3, failed, "");
    let bailed = "b fail: Exited with code 3\nb postfail: Skipped\n";
    check(&run(&["-F", "*", "--bail", "fail"]), 3, bailed, "");
    for (arguments, code) in [
        (&["--workspaces", "build"][..], 1),
        (&["-F", "*", "nosuch"], 1),
        (&["-F", "nosuch", "build"], 1),
        (&["-F", "nosuch", "--if-present", "build"], 1),
        (&["-F", "*", "--if-present", "nosuch"], 0),
    ] {
        let outcome = run(arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}\n{}", outcome.snapshot());
        assert_eq!(outcome.stdout, "", "{arguments:?}");
    }
}

#[test]
fn side_by_side_and_one_after_the_other() {
    let project = with_scripts(&json!({
        "s:one": "echo one",
        "pres:two": "echo before",
        "s:two": "echo two",
        "waiting": "while ! test -e called; do sleep 0.01; done; echo waited",
        "calling": "touch called; echo called",
        "bad": "exit 6",
        "long": "sleep 60",
        // Starts something that never heard of the signal.
        "stubborn": "exec 2> /dev/null; trap 'sleep 60 & exit 3' INT TERM; touch ready; while :; do sleep 0.01; done",
        "late": "while ! test -e ready; do sleep 0.01; done; exit 6",
    }));
    let run = |arguments: &[&str]| {
        let mut outcome = project.command(["run"].iter().chain(arguments)).run();
        let lines = outcome.stdout.lines();
        let lines: Vec<&str> =
            lines.map(|line| line.split(" | Done in ").next().unwrap_or(line)).collect();
        outcome.stdout = lines.join("\n") + "\n";
        outcome
    };
    let two = "s:two | before\ns:two\ns:two | two\ns:two\n";
    let one = "s:one | one\ns:one\n";
    check(&run(&["--sequential", "s:one", "s:two"]), 0, &format!("{one}{two}"), "");
    // Ends only if both run at once; which of them is through first is up to the machine.
    let outcome = run(&["--parallel", "waiting", "calling"]);
    outcome.assert_code(0);
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    lines.sort_by_key(|line| line.starts_with("waiting"));
    assert_eq!(lines, ["calling | called", "calling", "waiting | waited", "waiting"]);
    let outcome = run(&["--parallel", "s:*"]);
    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    lines.sort_by_key(|line| line.starts_with("s:one"));
    assert_eq!(lines.join("\n") + "\n", format!("{two}{one}"));
    let started = Instant::now();
    let outcome = run(&["--parallel", "long", "bad"]);
    // Another one if the tests themselves were started to ignore Ctrl-C.
    let said = outcome.filtered(&outcome.stdout).replace("signal 15", "signal 2");
    assert_eq!(said, "bad  | Exited with code 6\nlong | Ended by signal 2\n");
    assert_eq!(outcome.code, Some(6));
    let deka = env!("CARGO_BIN_EXE_deka");
    let in_background = format!("trap '' INT; exec {deka} run --parallel long bad");
    let outcome = project.other_program("sh").args(["-c", &in_background]).run();
    check(&outcome, 6, "bad  | Exited with code 6\nlong | Ended by signal 15\n", "");
    let in_background = format!("trap '' INT; exec {deka} run --parallel stubborn late");
    let outcome = project.other_program("sh").args(["-c", &in_background]).run();
    let said = "late     | Exited with code 6\nstubborn | Exited with code 3\n";
    check(&outcome, 6, said, "");
    assert!(started.elapsed() < Duration::from_mins(1));
    let stopped = "bad   | Exited with code 6\n";
    check(&run(&["--sequential", "bad", "s:one"]), 6, stopped, "");
    let outcome = run(&["--sequential", "--no-exit-on-error", "bad", "s:one"]);
    check(&outcome, 6, &format!("{stopped}{one}"), "");
    run(&["--parallel", "s:one", "nosuch"]).assert_code(1);
}

/// A signal for deka alone reaches the script, once, and deka ends as the script does.
#[cfg(unix)]
#[test]
fn signals_are_passed_on() {
    let trap = "trap 'echo got >> log; exit 7' TERM; echo > ready; while :; do sleep 0.02; done";
    for (script, arguments) in [
        (json!({ "wait": trap }), &["wait"][..]),
        (json!({ "wait": trap, "postwait": "echo never >> log" }), &["wait"]),
        (json!({ "wait": trap }), &["run", "--parallel", "wait"]),
        // Not every shell lets the one command that it has to run take its place.
        (json!({ "wait": "A=1 sh wait.sh" }), &["wait"]),
        (json!({ "wait": "sh wait.sh", "postwait": "echo never >> log" }), &["wait"]),
    ] {
        let project = with_scripts(&script);
        project.write("wait.sh", trap);
        let mut command = project.command(arguments).command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        while !project.exists("ready") {
            assert!(started.elapsed() < Duration::from_secs(20), "the script never began");
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = child.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7), "{arguments:?}");
        assert_eq!(project.read("log"), "got\n");
    }
}
