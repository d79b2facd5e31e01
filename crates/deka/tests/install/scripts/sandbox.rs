//! What trusted scripts of dependencies cannot do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use deka_test::{Registry, TestProject, say_skipped};
use serde_json::{Value, json};

use super::running::is_alive;
use super::{build_caches, manifest, trusting};

/// Whether the kernel can hold files and sockets back; says so if not.
pub(super) fn has_sandbox(test: &str) -> bool {
    let support = deka_scripts::sandbox::support();
    if !support.files || !support.network {
        say_skipped(&format!("{test}: the kernel lacks what the sandbox needs: {support:?}"));
    }
    support.files && support.network
}

/// A project with the trusted package `a`, whose `install` script is this.
fn with_script(script: &str) -> (Registry, TestProject) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("index.js", "").script("install", script).publish();
    let project = trusting(&registry, &["a"]);
    fs::write(project.home().join(".npmrc"), "//registry.example/:_authToken=secret\n").unwrap();
    (registry, project)
}

fn allow(project: &TestProject, what: &Value) {
    let fields = json!({ "trustedDependencies": ["a"], "deka": { "sandbox": { "a": what } } });
    project.package_json(manifest(&["a"], fields));
}

#[test]
fn the_home_folder_cannot_be_read() {
    if !has_sandbox("the_home_folder_cannot_be_read") {
        return;
    }
    let (_registry, project) = with_script("cat \"$REAL_HOME/.npmrc\" > stolen");
    let install =
        |arguments: &[&str]| project.command(arguments).env("REAL_HOME", project.home()).run();
    let outcome = install(&["install"]);
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("Permission denied"), "{}", outcome.snapshot());
    assert!(
        outcome.stderr.contains("hint: The scripts of dependencies write to their own folder only"),
        "{}",
        outcome.snapshot()
    );
    install(&["install", "--no-sandbox"]).assert_success();
    assert!(project.read("node_modules/a/stolen").contains("secret"));
}

#[test]
fn what_could_not_be_fetched_is_said() {
    if !has_sandbox("what_could_not_be_fetched_is_said") {
        return;
    }
    let warning = "something that they wanted to fetch may be missing";
    let silent = "node -e \"require('http').get('http://127.0.0.1:9').on('error', () => {})\"";
    for script in ["echo 'getaddrinfo EAI_AGAIN host.example'", silent] {
        let (_registry, project) = with_script(&format!("{script}; touch made"));
        // Not only the first time: what was made is not kept.
        for _ in 0..2 {
            project.remove("node_modules");
            let outcome = project.command(["install"]).run();
            outcome.assert_success();
            assert!(outcome.stderr.contains("`a@1.0.0` ended well"), "{}", outcome.snapshot());
            assert!(outcome.stderr.contains(warning), "{}", outcome.snapshot());
            assert!(project.exists("node_modules/a/made"));
        }
        allow(&project, &json!({ "network": true }));
        project.remove("node_modules");
        let outcome = project.command(["install"]).run();
        outcome.assert_success();
        assert!(!outcome.stderr.contains(warning), "{}", outcome.snapshot());
    }
    // What was built in its place is all there.
    let (_registry, project) = with_script(&format!("{silent}; echo 'gyp info ok'"));
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(!outcome.stderr.contains(warning), "{}", outcome.snapshot());
    // The addresses of the machine itself are no network.
    let (_registry, project) = with_script("node -e \"require('os').networkInterfaces()\"");
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(!outcome.stderr.contains(warning), "{}", outcome.snapshot());
}

#[test]
fn a_build_in_place_of_a_download_is_told_apart() {
    if !has_sandbox("a_build_in_place_of_a_download_is_told_apart") {
        return;
    }
    let script =
        "echo 'prebuild-install warn getaddrinfo EAI_AGAIN'; echo 'gyp ERR! no compiler'; exit 1";
    let (_registry, project) = with_script(script);
    let outcome = project.command(["install"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("so `a` was built here"), "{}", outcome.snapshot());
}

#[test]
fn tools_behind_shims_are_found() {
    if !has_sandbox("tools_behind_shims_are_found") {
        return;
    }
    let (_registry, project) = with_script("python > out");
    let write = |path: &str, text: &str| {
        let path = project.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    };
    write(
        ".pyenv/shims/python",
        "#!/bin/sh\nexec \"${PYENV_ROOT:-$HOME/.pyenv}/versions/3/bin/python\"\n",
    );
    write(".pyenv/versions/3/bin/python", "#!/bin/sh\necho three\n");
    let install = project.command(["install"]).path_first(&project.home().join(".pyenv/shims"));
    install.run().assert_success();
    assert_eq!(project.read("node_modules/a/out"), "three\n");
}

#[test]
fn tokens_are_nowhere_to_be_found() {
    if !has_sandbox("tokens_are_nowhere_to_be_found") {
        return;
    }
    let script = "env > seen; echo end-of-env >> seen; cat ~/.npmrc >> seen 2>/dev/null; cat ../../.npmrc >> seen 2>/dev/null; \
                  cat ../../.env >> seen 2>/dev/null; \
                  for p in /proc/[0-9]*; do tr '\\000' '\\n' < $p/environ >> seen; done 2>/dev/null; true";
    let (registry, project) = with_script(script);
    project.write(".env", "SECRET=secret-in-env-file");
    let npmrc =
        format!("registry={}\n//registry.example/:_authToken=secret-in-npmrc\n", registry.url());
    project.write(".npmrc", npmrc);
    let outcome = project
        .command(["install"])
        .env("NPM_TOKEN", "secret-in-variable")
        .env("HTTPS_PROXY_OF_MINE", "http://me:secret-in-url@proxy.example/")
        .run();
    outcome.assert_success();
    let seen = fs::read(project.path().join("node_modules/a/seen")).unwrap();
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("npm_lifecycle_event=install"));
    for secret in ["secret-in", "=secret"] {
        assert!(!seen.contains(secret), "{seen}");
    }
}

#[test]
fn nothing_outside_can_be_written() {
    if !has_sandbox("nothing_outside_can_be_written") {
        return;
    }
    for target in ["../../package.json", "../b.js", "../../.git/hooks/x", "$REAL_HOME/.bashrc"] {
        let (_registry, project) = with_script(&format!("echo x >> {target}"));
        project.write(".git/hooks/y", "");
        let install = || project.command(["install"]).env("REAL_HOME", project.home()).run();
        let outcome = install();
        assert_ne!(outcome.code, Some(0), "{target}: {}", outcome.snapshot());
        assert!(outcome.stderr.contains("\"write\": [\"<folder>\"]"), "{}", outcome.snapshot());
    }
    let (_registry, project) = with_script("mkdir -p ../../made && echo x > ../../made/x");
    project.command(["install"]).run().assert_code(1);
    allow(&project, &json!({ "write": ["made"] }));
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("made/x"), "x\n");
}

#[test]
fn its_own_folder_its_cache_and_temporary_files_can_be_written() {
    if !has_sandbox("its_own_folder_its_cache_and_temporary_files_can_be_written") {
        return;
    }
    let script = "echo x > index.js && mkdir -p out && mv index.js out/ && echo x > $TMPDIR/t && \
                  echo x > ~/h && mktemp && echo x > /dev/null && echo x > $XDG_CACHE_HOME/kept && \
                  node -e 'require(\"fs\").writeFileSync(\"by-node\", \"x\")'";
    let (_registry, project) = with_script(script);
    project.command(["install"]).run().assert_success();
    assert!(project.exists("node_modules/a/by-node"));
    assert!(build_caches(&project)[0].join("kept").exists());
    assert!(fs::read_dir(project.home()).unwrap().count() == 1, "only .npmrc");
}

#[test]
fn there_is_no_network() {
    if !has_sandbox("there_is_no_network") {
        return;
    }
    let script = "node -e \"fetch(process.env.URL).then((it) => it.text()).then(() => {}, (error) => { \
                  console.error(error); process.exit(9) })\"";
    let (registry, project) = with_script(script);
    let install =
        |arguments: &[&str]| project.command(arguments).env("URL", registry.url().as_str()).run();
    let outcome = install(&["install"]);
    outcome.assert_code(9);
    let hint = "\"deka\": { \"sandbox\": { \"a\": { \"network\": true } } }";
    assert!(outcome.stderr.contains(hint), "{}", outcome.snapshot());
    allow(&project, &json!({ "network": true }));
    install(&["install"]).assert_success();
    allow(&project, &json!({}));
    project.remove("node_modules");
    install(&["install", "--no-sandbox"]).assert_success();
}

#[test]
fn services_of_the_machine_cannot_be_reached() {
    if !has_sandbox("services_of_the_machine_cannot_be_reached") {
        return;
    }
    let script =
        "node -e \"require('net').connect(process.env.SOCKET).on('error', () => process.exit(9))\"";
    let (_registry, project) = with_script(script);
    let path = project.home().join("service");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    project.command(["install"]).env("SOCKET", &path).run().assert_code(9);
}

#[test]
fn no_process_is_left_behind() {
    let script = "setsid sleep 600 > /dev/null 2>&1 & echo $! > pid; \
                  (nohup setsid sh -c 'echo $$ > pid2; sleep 600' > /dev/null 2>&1 &); \
                  while ! test -s pid2; do sleep 0.01; done";
    let (_registry, project) = with_script(script);
    project.command(["install"]).run().assert_success();
    for file in ["pid", "pid2"] {
        let pid = project.read(&format!("node_modules/a/{file}"));
        assert!(!is_alive(&pid), "{file}: {pid}");
    }
}

#[test]
fn others_cannot_be_signalled() {
    if !has_sandbox("others_cannot_be_signalled") {
        return;
    }
    let (_registry, project) = with_script("kill -0 $OTHER 2> denied || exit 7");
    let other = std::process::id().to_string();
    let outcome = project.command(["install"]).env("OTHER", &other).run();
    // Kernels before 6.12 do not hold signals back.
    assert!(matches!(outcome.code, Some(0 | 7)), "{}", outcome.snapshot());
}

#[test]
fn its_guard_cannot_be_ended() {
    if !has_sandbox("its_guard_cannot_be_ended") {
        return;
    }
    let script = "(setsid sh -c 'echo $$ > pid; sleep 600' > /dev/null 2>&1 &); \
                  while ! test -s pid; do sleep 0.01; done; \
                  guard=$(awk '/PPid/ { print $2 }' /proc/$$/status); kill -9 $guard; true";
    let (_registry, project) = with_script(script);
    let outcome = project.command(["install"]).run();
    let pid = project.read("node_modules/a/pid");
    // Kernels before 6.12 do not hold signals back.
    assert!(!is_alive(&pid) || outcome.code != Some(0), "{}", outcome.snapshot());
}

/// Everything that leads out past all files, tried by a program in C.
#[test]
fn nothing_else_leads_out() {
    if !has_sandbox("nothing_else_leads_out") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("escapes");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/install/scripts/escapes.c");
    let status = Command::new("cc").arg("-o").arg(&compiled).arg(source).status().unwrap();
    assert!(status.success());
    for network in [false, true] {
        let registry = Registry::start();
        let script = "guard=$(awk '/PPid/ { print $2 }' /proc/$$/status); \
                      deka=$(awk '/PPid/ { print $2 }' /proc/$guard/status); \
                      ./escapes $guard $deka > escaped";
        let package = registry.package("a", "1.0.0").script("install", script);
        package.executable("escapes", fs::read(&compiled).unwrap()).publish();
        let project = trusting(&registry, &["a"]);
        allow(&project, &json!({ "network": network }));
        project.command(["install"]).run().assert_success();
        let escaped = project.read("node_modules/a/escaped");
        let expected = if network { "internet\nend\n" } else { "end\n" };
        assert_eq!(escaped, expected, "{network}");
    }
}

#[test]
fn what_somebody_else_has_open_is_not_inherited() {
    if !has_sandbox("what_somebody_else_has_open_is_not_inherited") {
        return;
    }
    let (_registry, project) = with_script("echo x >&9; true");
    let open = project.home().join("open");
    let command = format!("exec 9> {}; exec \"$0\" install", open.display());
    let deka = env!("CARGO_BIN_EXE_deka");
    project.other_program("sh").args(["-c", &*command, deka]).run().assert_success();
    assert_eq!(fs::read_to_string(open).unwrap(), "");
}

#[test]
fn what_lies_below_its_folder_is_not_the_stores() {
    if !has_sandbox("what_lies_below_its_folder_is_not_the_stores") {
        return;
    }
    let registry = Registry::start();
    registry.package("b", "1.0.0").file("index.js", "good").publish();
    registry.package("b", "2.0.0").publish();
    let script = "echo evil > node_modules/b/index.js";
    registry.package("a", "1.0.0").dep("b", "1").script("install", script).publish();
    let project = trusting(&registry, &["a"]);
    let fields = json!({ "trustedDependencies": ["a"], "dependencies": { "a": "1", "b": "2" } });
    project.package_json(fields);
    project.command(["install"]).run();
    let other = trusting(&registry, &[]).sharing_cache(project.cache());
    other.package_json(json!({ "dependencies": { "b": "1" } }));
    other.command(["install", "--offline"]).run().assert_success();
    assert_eq!(other.read("node_modules/b/index.js"), "good");
}

#[test]
fn secrets_of_workspaces_cannot_be_read() {
    if !has_sandbox("secrets_of_workspaces_cannot_be_read") {
        return;
    }
    let script =
        "cat ../../packages/web/* ../../packages/web/.env* ../../packages/web/.npmrc > seen; true";
    let (_registry, project) = with_script(script);
    let fields = json!({ "trustedDependencies": ["a"], "workspaces": ["packages/*"] });
    project.package_json(manifest(&["a"], fields));
    project.write("packages/web/package.json", "{ \"name\": \"web\" }");
    for file in [".env", ".env.local", ".envrc", ".npmrc"] {
        project.write(&format!("packages/web/{file}"), "# secret=1");
    }
    project.write("packages/web/open.txt", "open");
    let outcome = project.command(["install", "--linker=hoisted"]).run();
    outcome.assert_success();
    let seen = project.read("node_modules/a/seen");
    assert!(seen.contains("open") && !seen.contains("secret"), "{seen}{}", outcome.snapshot());
}

#[test]
fn a_tarball_that_takes_another_name_gets_nothing_of_it() {
    if !has_sandbox("a_tarball_that_takes_another_name_gets_nothing_of_it") {
        return;
    }
    let script = "node -e \"fetch(process.env.URL).then(() => {}, () => process.exit(9))\"";
    let (registry, project) = with_script(script);
    let url = format!("{}a/-/a-1.0.0.tgz", registry.url());
    let install = |name: &str| {
        project.package_json(json!({
            "dependencies": { "other": url }, "trustedDependencies": ["other"],
            "deka": { "sandbox": { name: { "network": true } } },
        }));
        project.remove("node_modules").command(["install"]).env("URL", registry.url()).run()
    };
    install("a").assert_code(9);
    install("other").assert_success();
}

#[test]
fn the_project_itself_is_free() {
    let registry = Registry::start();
    let project = trusting(&registry, &[]);
    let script = "cat \"$HOME/file\" > copied && echo x > ../outside";
    fs::write(project.home().join("file"), "home").unwrap();
    project.package_json(json!({ "scripts": { "postinstall": script } }));
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("copied"), "home");
}
