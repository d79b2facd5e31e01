//! Symlinks where folders should be, left by a cloned repository or by a script: nothing outside of the
//! project changes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use deka_test::{Registry, TestProject, Tree};
use serde_json::json;

use crate::project;

/// A project with a folder beside it that belongs to somebody else.
struct Scene {
    _registry: Registry,
    project: TestProject,
    outside: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let registry = Registry::start();
        registry
            .package("a", "1.0.0")
            .dep("b", "1")
            .bin("keys", "cli.js")
            .file("cli.js", "#!/usr/bin/env node\n")
            .publish();
        registry.package("b", "1.0.0").file("index.js", "b1").publish();
        registry.package("b", "2.0.0").file("index.js", "b2").publish();
        registry.package("@s/c", "1.0.0").file("index.js", "c").publish();
        let project = project();
        project.use_registry(&registry);
        project.package_json(json!({ "dependencies": { "a": "1", "b": "2", "@s/c": "1" } }));
        let outside = project.root().join("outside");
        for path in ["keys", "b/index.js", "c/index.js", "node_modules/b/keep.js", "cli.js"] {
            let path = outside.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "somebody else's").unwrap();
        }
        Self { _registry: registry, project, outside }
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.project.remove(path).path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(self.outside.join(target), path).unwrap();
    }

    /// Installs in the way given, and fails if something outside has changed.
    #[track_caller]
    fn check(&self, what: &str, arguments: &[&str]) {
        let before = Tree::read_with_contents(&self.outside);
        let outcome = self.project.command(arguments).run();
        let after = Tree::read_with_contents(&self.outside);
        let differences = before.difference(&after);
        assert!(differences.is_empty(), "{what}: {differences:?}\n{}", outcome.snapshot());
    }
}

const INSTALLS: &[&[&str]] = &[
    &["install"],
    &["install", "--force"],
    &["install", "--linker=isolated"],
    &["install", "--linker=hoisted"],
    &["prune"],
];

#[test]
fn of_a_cloned_repository() {
    for (path, target) in [
        ("node_modules/a", ""),
        ("node_modules/@s", ""),
        ("node_modules/.bin", ""),
        ("node_modules/.bun", ""),
        ("node_modules/a/node_modules", "node_modules"),
        ("node_modules/b", "b"),
        ("node_modules", ""),
        ("packages/web/node_modules", "node_modules/b"),
    ] {
        for arguments in INSTALLS {
            let scene = Scene::new();
            scene.link(path, target);
            if path.starts_with("packages") {
                let web = json!({ "name": "web", "dependencies": { "b": "1" } });
                let web_folder = scene.project.path().join("packages/web");
                fs::write(web_folder.join("package.json"), web.to_string()).unwrap();
                scene.project.package_json(json!({
                    "workspaces": ["packages/*"], "dependencies": { "a": "1", "b": "2" },
                }));
            }
            scene.check(&format!("{path} {arguments:?}"), arguments);
        }
    }
}

#[test]
fn left_by_a_script() {
    for (path, target) in [
        ("node_modules/a", ""),
        ("node_modules/@s", ""),
        ("node_modules/.bin", ""),
        ("node_modules/a/node_modules", "node_modules"),
        ("node_modules/a/cli.js", "cli.js"),
        ("node_modules/a/node_modules/b", "b"),
        ("node_modules/.bun", ""),
        ("node_modules/.bun/a@1.0.0", ""),
        ("node_modules/.bun/a@1.0.0/node_modules", ""),
        ("node_modules/.bun/a@1.0.0/node_modules/a", ""),
        ("node_modules", ""),
    ] {
        for arguments in INSTALLS {
            let scene = Scene::new();
            let linker = if path.contains(".bun") { "isolated" } else { "hoisted" };
            let linker = format!("--linker={linker}");
            scene.project.command(["install", &linker]).run().assert_success();
            scene.link(path, target);
            scene.check(&format!("{path} {arguments:?}"), arguments);
            let manifest = json!({ "dependencies": { "a": "1", "b": "1" } });
            scene.project.package_json(manifest);
            scene.check(&format!("then another, {path} {arguments:?}"), arguments);
            scene.check(&format!("then again, {path} {arguments:?}"), &["install", &linker]);
        }
    }
}
