//! Projects that come from other package managers keep their versions.

use std::fs;

use deka_manifest::Integrity;
use deka_test::{Registry, TestProject};
use serde_json::json;

use crate::project;

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        registry.package("a", version).publish();
        registry.package("b", version).dep("a", "^1.0.0").publish();
    }
    registry
}

/// A project that asks for more than its lockfile has versions of.
fn old_project(registry: &Registry) -> TestProject {
    let project = project();
    project.use_registry(registry);
    project.package_json(json!({ "name": "p", "dependencies": { "b": "^1.0.0" } }));
    project
}

fn package_lock() -> String {
    json!({ "name": "p", "lockfileVersion": 3, "packages": {
        "": { "name": "p", "dependencies": { "b": "^1.0.0" } },
        "node_modules/a": { "version": "1.0.0" },
        "node_modules/b": { "version": "1.1.0", "dependencies": { "a": "^1.0.0" } },
    } })
    .to_string()
}

/// Checks that the versions of an old lockfile are kept, and the file too.
fn check_kept(file: &str, text: &str) {
    let registry = registry();
    let project = old_project(&registry);
    project.write(file, text);
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    let line = format!("migrated lockfile from {file}");
    assert!(outcome.stderr.contains(&line), "{}", outcome.snapshot());
    assert_eq!(project.read(file), text);
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@1.0.0") && lockfile.contains("b@1.1.0"), "{lockfile}");
    assert!(project.read("node_modules/a/package.json").contains("1.0.0"));
    // From now on bun.lock counts.
    let outcome = project.command(["install"]).run();
    assert!(!outcome.stderr.contains("migrated"), "{}", outcome.snapshot());
    assert_eq!(project.read("bun.lock"), lockfile);
}

#[test]
fn npm_s_lockfile() {
    check_kept("package-lock.json", &package_lock());
    check_kept("npm-shrinkwrap.json", &package_lock());
}

/// Returns a lockfile of Bun's old format, in which `b` 1.0.0 needs `a` 1.1.0, for what this registry
/// serves.
fn binary_lockfile(registry: &Registry) -> Vec<u8> {
    const MADE_WITH: &[u8] = b"127.0.0.1:41873";
    /// Where the integrity of the first package after the root is, and that of the next.
    const INTEGRITIES: [(usize, &str); 2] = [(549, "\"b@1.0.0\""), (637, "\"a@1.1.0\"")];

    let project = old_project(registry);
    project.package_json(json!({ "dependencies": { "a": "1.1.0", "b": "1.0.0" } }));
    project.command(["install", "--lockfile-only"]).run().assert_success();
    let lockfile = project.read("bun.lock");
    let mut bytes = include_bytes!("two-packages.lockb").to_vec();
    for (at, package) in INTEGRITIES {
        let line = lockfile.lines().find(|line| line.contains(package)).unwrap();
        let integrity = Integrity::parse(line.rsplit('"').nth(1).unwrap()).unwrap();
        bytes[at..at + 64].copy_from_slice(integrity.digest());
    }
    let url = registry.url();
    let host = url.trim_start_matches("http://").trim_end_matches('/').as_bytes();
    assert_eq!(host.len(), MADE_WITH.len(), "ports that are chosen have five digits");
    while let Some(at) = bytes.windows(host.len()).position(|known| known == MADE_WITH) {
        bytes[at..at + host.len()].copy_from_slice(host);
    }
    bytes
}

#[test]
fn bun_s_binary_lockfile() {
    let registry = registry();
    let bytes = binary_lockfile(&registry);
    let project = old_project(&registry);
    project.package_json(json!({ "name": "p", "dependencies": { "b": "1.0.0" } }));
    project.write("bun.lockb", &bytes);
    let outcome = project.command(["ci"]).run();
    outcome.assert_success();
    assert!(project.read("node_modules/a/package.json").contains("1.1.0"));
    assert!(!project.exists("bun.lock"));
    project.remove("node_modules");
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(outcome.stderr.contains("migrated lockfile from bun.lockb"), "{}", outcome.snapshot());
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@1.1.0") && lockfile.contains("b@1.0.0"), "{lockfile}");
    assert_eq!(fs::read(project.path().join("bun.lockb")).unwrap(), bytes);
    // What was edited since is resolved, the rest stays.
    project.remove("bun.lock").remove("node_modules");
    let dependencies = json!({ "b": "1.0.0", "c": "npm:b@^1.0.0" });
    project.package_json(json!({ "name": "p", "dependencies": dependencies }));
    project.command(["install"]).run().assert_success();
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@1.1.0") && lockfile.contains("\"c\""), "{lockfile}");

    // What cannot be read stands in nobody's way, unless it must not change.
    project.remove("bun.lock").remove("node_modules");
    project.write("bun.lockb", &bytes[..1000]);
    project.command(["ci"]).run().assert_code(1);
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(outcome.stderr.contains("the lockfile is damaged"), "{}", outcome.snapshot());
}

#[test]
fn npm_s_first_lockfile() {
    let text = json!({ "name": "p", "lockfileVersion": 1, "requires": true, "dependencies": {
        "a": { "version": "1.0.0" },
        "b": { "version": "1.1.0", "requires": { "a": "^1.0.0" } },
    } });
    check_kept("package-lock.json", &text.to_string());
}

#[test]
fn yarn_s_lockfiles() {
    let text = "# yarn lockfile v1\n\n\na@^1.0.0:\n  version \"1.0.0\"\n  resolved \
         \"{yarn}/a/-/a-1.0.0.tgz\"\n\nb@^1.0.0:\n  version \"1.1.0\"\n  resolved \
         \"{yarn}/b/-/b-1.1.0.tgz\"\n  dependencies:\n    a \"^1.0.0\"\n";
    // Where yarn has the npm registry.
    let host = concat!("https://registry.", "yarnpkg", ".com");
    check_kept("yarn.lock", &text.replace("{yarn}", host));
    check_kept(
        "yarn.lock",
        "__metadata:\n  version: 8\n\n\"a@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \
         \"a@npm:1.0.0\"\n\n\"b@npm:^1.0.0\":\n  version: 1.1.0\n  resolution: \"b@npm:1.1.0\"\n  \
         dependencies:\n    a: \"npm:^1.0.0\"\n",
    );
}

#[test]
fn pnpm_s_lockfiles() {
    check_kept(
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      b:\n        \
         specifier: ^1.0.0\n        version: 1.1.0\n\npackages:\n\n  a@1.0.0:\n    resolution: {}\n\n  \
         b@1.1.0:\n    resolution: {}\n\nsnapshots:\n\n  a@1.0.0: {}\n\n  b@1.1.0:\n    \
         dependencies:\n      a: 1.0.0\n",
    );
    check_kept(
        "pnpm-lock.yaml",
        "lockfileVersion: '6.0'\n\ndependencies:\n  b:\n    specifier: ^1.0.0\n    version: 1.1.0\n\n\
         packages:\n\n  /a@1.0.0:\n    resolution: {}\n\n  /b@1.1.0:\n    resolution: {}\n    \
         dependencies:\n      a: 1.0.0\n",
    );
    check_kept(
        "pnpm-lock.yaml",
        "lockfileVersion: 5.4\n\nspecifiers:\n  b: ^1.0.0\n\ndependencies:\n  b: 1.1.0_a@1.0.0\n\n\
         packages:\n\n  /a/1.0.0:\n    resolution: {}\n\n  /b/1.1.0_a@1.0.0:\n    resolution: {}\n    \
         dependencies:\n      a: 1.0.0\n",
    );
}

#[test]
fn pnpm_s_settings_come_along() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry);
    let manifest =
        "{\n  \"name\": \"p\",\n  \"pnpm\": { \"overrides\": { \"a\": \"1.0.0\" } }\n}\n";
    project.write("package.json", manifest);
    project.write("pnpm-workspace.yaml", "packages:\n  - 'members/*'\ncatalog:\n  b: ^1.0.0\n");
    let member = json!({ "name": "m", "dependencies": { "b": "catalog:" } });
    project.write("members/m/package.json", member.to_string());
    project.write(
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'\n\noverrides:\n  a: 1.0.0\n\nimporters:\n  .: {}\n  members/m:\n    \
         dependencies:\n      b:\n        specifier: 'catalog:'\n        version: 1.1.0\n\npackages:\n  \
         a@1.0.0:\n    resolution: {}\n  b@1.1.0:\n    resolution: {}\nsnapshots:\n  a@1.0.0: {}\n  \
         b@1.1.0:\n    dependencies:\n      a: 1.0.0\n",
    );
    let outcome = project.command(["pm", "migrate"]).run();
    outcome.assert_success();
    assert!(outcome.stderr.contains("pnpm.overrides to overrides"), "{}", outcome.snapshot());
    let text = project.read("package.json");
    assert!(text.starts_with(manifest.trim_end_matches("\n}\n")), "{text}");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["overrides"], json!({ "a": "1.0.0" }));
    let workspaces = json!({ "packages": ["members/*"], "catalog": { "b": "^1.0.0" } });
    assert_eq!(value["workspaces"], workspaces);
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@1.0.0") && lockfile.contains("b@1.1.0"), "{lockfile}");
    assert!(
        lockfile.contains("\"configVersion\": 1") && lockfile.contains("catalog"),
        "{lockfile}"
    );
}

#[test]
fn what_only_yarn_understands_is_said_in_other_words() {
    let registry = registry();
    let project = project();
    project.use_registry(&registry);
    let manifest = r#"{
  "name": "p",
  "workspaces": ["m"],
  "dependencies": {
    "a": "patch:a@npm%3A^1.0.0#optional!builtin<compat/a>",
    "b": "patch:b@npm%3A1.1.0#~/patches/b.patch"
  }
}
"#;
    project.write("package.json", manifest);
    project.write("m/package.json", r#"{ "name": "m", "dependencies": { "a": "npm:^1.0.0" } }"#);
    project.write("patches/b.patch", "--- /dev/null\n+++ b/new.js\n@@ -0,0 +1 @@\n+new\n");
    let entry = |key: &str, resolution: &str, version: &str| {
        format!("\"{key}\":\n  version: {version}\n  resolution: \"{resolution}\"\n")
    };
    let lockfile = [
        "__metadata:\n  version: 8\n".to_owned(),
        entry("a@npm:^1.0.0", "a@npm:1.0.0", "1.0.0"),
        entry(
            "a@patch:a@npm%3A^1.0.0#optional!builtin<compat/a>",
            "a@patch:a@npm%3A1.0.0#optional!builtin<compat/a>::version=1.0.0&hash=1",
            "1.0.0",
        ),
        entry("b@npm:1.1.0", "b@npm:1.1.0", "1.1.0") + "  dependencies:\n    a: \"npm:^1.0.0\"\n",
        entry(
            "b@patch:b@npm%3A1.1.0#~/patches/b.patch",
            "b@patch:b@npm%3A1.1.0#~/patches/b.patch::version=1.1.0&hash=1",
            "1.1.0",
        ),
    ];
    project.write("yarn.lock", lockfile.join("\n"));

    let outcome = project.command(["install", "--linker=hoisted"]).run();
    outcome.assert_success();
    assert!(outcome.stderr.contains("added patchedDependencies in package.json"), "{outcome:?}");
    assert!(outcome.stderr.contains("ranges in m/package.json"), "{outcome:?}");
    let plain = manifest
        .replace("patch:a@npm%3A^1.0.0#optional!builtin<compat/a>", "^1.0.0")
        .replace("patch:b@npm%3A1.1.0#~/patches/b.patch", "1.1.0");
    let text = project.read("package.json");
    assert!(text.starts_with(plain.trim_end_matches("\n}\n")), "{text}");
    assert!(text.contains(r#""b@1.1.0": "patches/b.patch""#), "{text}");
    assert!(project.read("m/package.json").contains(r#""a": "^1.0.0""#));
    assert_eq!(project.read("node_modules/b/new.js"), "new\n");
    assert!(project.read("node_modules/a/package.json").contains("1.0.0"));
    project.command(["ci"]).run().assert_success();
}

#[test]
fn edits_since_count() {
    let registry = registry();
    let project = old_project(&registry);
    project.write("package-lock.json", package_lock());
    let manifest = json!({ "name": "p", "dependencies": { "b": "^1.2.0" } });
    project.package_json(manifest);
    let frozen = project.command(["ci"]).run();
    frozen.assert_code(1);
    assert!(frozen.stderr.contains("b changed from ^1.0.0 to ^1.2.0"), "{}", frozen.snapshot());
    assert!(!project.path().join("bun.lock").exists());
    project.command(["install"]).run().assert_success();
    let lockfile = project.read("bun.lock");
    assert!(lockfile.contains("a@1.0.0") && lockfile.contains("b@1.2.0"), "{lockfile}");
}

#[test]
fn what_cannot_be_read_is_no_lockfile() {
    let registry = registry();
    let project = old_project(&registry);
    project.write("package-lock.json", "{");
    let outcome = project.command(["pm", "migrate"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("package-lock.json"), "{}", outcome.snapshot());
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    assert!(outcome.stderr.contains("Ignoring `package-lock.json`"), "{}", outcome.snapshot());
    assert!(project.read("bun.lock").contains("b@1.2.0"));
}

#[test]
fn migrating_alone() {
    let registry = registry();
    let project = old_project(&registry);
    let nothing = project.command(["pm", "migrate"]).run();
    nothing.assert_code(1);
    project.write("package-lock.json", package_lock());
    project.command(["pm", "migrate"]).run().assert_success();
    assert!(!project.path().join("node_modules").exists());
    assert!(project.read("bun.lock").contains("b@1.1.0"));
    let there = project.command(["pm", "migrate"]).run();
    there.assert_code(1);
    assert!(there.stderr.contains("already exists"), "{}", there.snapshot());
    project.write("bun.lock", "old");
    project.command(["pm", "migrate", "--force"]).run().assert_success();
    assert!(project.read("bun.lock").contains("b@1.1.0"));
}

#[test]
fn migrating_alone_leaves_edits_to_the_next_install() {
    let registry = registry();
    let project = old_project(&registry);
    project.write("package-lock.json", package_lock());
    project.package_json(json!({ "name": "p", "dependencies": { "a": "1.2.0", "b": "^1.0.0" } }));
    project.command(["pm", "migrate"]).run().assert_success();
    assert!(!project.read("bun.lock").contains("a@1.2.0"));
    project.command(["install"]).run().assert_success();
    assert!(project.read("bun.lock").contains("a@1.2.0"));
}
