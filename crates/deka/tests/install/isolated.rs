//! The isolated layout: when it is made, what changes into it, what mends it.

use deka_test::{Kind, Outcome, Registry, TestProject};
use serde_json::json;

use crate::project;

const NOTHING: &str = "(no changes)";

/// A project with a package that needs another one and has a peer.
fn asking_for_ui(registry: &Registry) -> TestProject {
    registry.package("react", "18.0.0").publish();
    registry.package("react", "19.0.0").publish();
    registry.package("@s/dep", "1.0.0").bin("dep", "cli.js").file("cli.js", "#!x").publish();
    registry.package("ui", "1.0.0").dep("@s/dep", "1").peer("react", "*").publish();
    let project = project();
    project.use_registry(registry);
    project.package_json(json!({ "dependencies": { "ui": "1", "react": "18.0.0" } }));
    project
}

fn install(project: &TestProject, more: &[&str]) -> Outcome {
    let outcome = project.command(["install"].iter().chain(more)).run();
    outcome.assert_success();
    outcome
}

/// Returns the text of the symlink at a path in `node_modules`; of a folder `/`.
fn link(project: &TestProject, path: &str) -> String {
    match project.node_modules().get(path).map(|node| node.kind.clone()) {
        None => String::new(),
        Some(Kind::Symlink(target)) => target,
        Some(_) => "/".to_owned(),
    }
}

/// Where the package lies that has `react` 18 as its peer, as Bun calls it.
const UI: &str = ".bun/ui@1.0.0+e368962e8454d434/node_modules";

#[test]
fn packages_see_what_they_ask_for() {
    let registry = Registry::start();
    let project = asking_for_ui(&registry);
    let first = install(&project, &["--linker=isolated"]);
    assert!(first.stdout.contains("+ ui@1.0.0\n"), "{}", first.snapshot());
    assert!(first.stdout.contains("3 packages installed"), "{}", first.snapshot());
    let tree = project.node_modules();
    let entry =
        tree.paths().find(|path| path.starts_with(".bun/ui@")).expect("an entry").to_owned();
    assert_eq!(format!("{entry}/node_modules"), UI);
    assert_eq!(link(&project, "ui"), format!("{UI}/ui"));
    assert_eq!(
        link(&project, &format!("{UI}/@s/dep")),
        "../../../@s+dep@1.0.0/node_modules/@s/dep"
    );
    assert_eq!(link(&project, &format!("{UI}/react")), "../../react@18.0.0/node_modules/react");
    assert_eq!(link(&project, &format!("{UI}/.bin/dep")), "../@s/dep/cli.js");
    assert_eq!(link(&project, "@s/dep"), "", "the project has not asked for it");
    assert_eq!(
        link(&project, ".bun/node_modules/@s/dep"),
        "../../@s+dep@1.0.0/node_modules/@s/dep"
    );
    // It stays so without being asked for.
    assert!(install(&project, &[]).stdout.contains(NOTHING));
    assert!(install(&project, &[]).stdout.contains(NOTHING));
}

#[test]
fn workspaces_are_isolated_unless_their_lockfile_is_old() {
    let registry = Registry::start();
    registry.package("x", "1.0.0").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "workspaces": ["a", "b"] }));
    project.write("a/package.json", r#"{ "name": "a", "dependencies": { "x": "1" } }"#);
    project.write("b/package.json", r#"{ "name": "b", "dependencies": { "a": "workspace:*" } }"#);
    install(&project, &[]);
    assert!(project.exists("a/node_modules/x/package.json"));
    assert!(project.exists("b/node_modules/a/node_modules/x"));
    assert!(!project.exists("node_modules/a") && !project.exists("node_modules/x"));

    project.remove("node_modules").remove("a/node_modules").remove("b/node_modules");
    let lockfile = project.read("bun.lock").replace("\"configVersion\": 1", "\"configVersion\": 0");
    project.write("bun.lock", lockfile);
    install(&project, &[]);
    assert!(project.exists("node_modules/a") && project.exists("node_modules/x"));
    assert!(!project.exists("node_modules/.bun") && !project.exists("a/node_modules"));
}

#[test]
fn the_layout_changes_in_place() {
    let registry = Registry::start();
    let project = asking_for_ui(&registry);
    install(&project, &["--linker=isolated"]);
    let isolated = project.node_modules().without(".deka-state");
    project.write("node_modules/.cache/x", "");
    project.write("node_modules/mine/x", "");
    install(&project, &["--linker=hoisted"]);
    assert!(!project.exists("node_modules/.bun"));
    assert_eq!((link(&project, "ui"), link(&project, "react")), ("/".into(), "/".into()));
    assert!(project.exists("node_modules/.cache/x") && project.exists("node_modules/mine/x"));
    // Nothing says any more that it has ever been isolated.
    install(&project, &[]);
    assert!(!project.exists("node_modules/.bun"));

    install(&project, &["--linker=isolated"]);
    assert!(project.exists("node_modules/.cache/x") && project.exists("node_modules/mine/x"));
    project.remove("node_modules/.cache").remove("node_modules/mine");
    project.node_modules().without(".deka-state").assert_same(&isolated, "isolated again");
}

#[test]
fn another_tools_packages_give_way() {
    let registry = Registry::start();
    let project = asking_for_ui(&registry);
    project.write("node_modules/ui/package.json", "{}");
    project.write("node_modules/unasked/package.json", "{}");
    project.write("node_modules/.cache/x", "");
    install(&project, &["--linker=isolated"]);
    assert!(!project.exists("node_modules/unasked"));
    assert!(project.exists("node_modules/.cache/x"));

    project.remove("node_modules/.deka-state");
    project.write("node_modules/.bun/old@1.0.0/node_modules/old/package.json", "{}");
    install(&project, &["--linker=hoisted"]);
    assert!(!project.exists("node_modules/.bun"));
}

#[test]
fn what_is_not_wanted_any_more_goes() {
    let registry = Registry::start();
    let project = asking_for_ui(&registry);
    install(&project, &["--linker=isolated"]);
    project.package_json(json!({ "dependencies": { "react": "19.0.0" } }));
    let outcome = install(&project, &[]);
    assert!(outcome.stdout.contains("Removed: 3"), "{}", outcome.snapshot());
    let left: Vec<String> = project.node_modules().paths().map(ToOwned::to_owned).collect();
    let expected = [
        ".bun",
        ".bun/node_modules",
        ".bun/node_modules/react",
        ".bun/react@19.0.0",
        ".bun/react@19.0.0/node_modules",
        ".bun/react@19.0.0/node_modules/react",
        ".bun/react@19.0.0/node_modules/react/package.json",
        ".deka-state",
        "react",
    ];
    assert_eq!(left, expected);
}

#[test]
fn damage_is_noticed_and_mended() {
    type Damage = fn(&TestProject);
    let damages: &[(&str, Damage)] = &[
        ("an entry", |project| {
            project.remove("node_modules/.bun/react@18.0.0");
        }),
        ("files", |project| {
            project.remove("node_modules/.bun/react@18.0.0/node_modules/react/package.json");
        }),
        ("a link of an entry", |project| {
            project.remove(&format!("node_modules/{UI}/react"));
        }),
        ("a link to a scope", |project| {
            project.remove(&format!("node_modules/{UI}/@s"));
        }),
        ("a hidden link", |project| {
            project.remove("node_modules/.bun/node_modules/react");
        }),
        ("a link of the project", |project| {
            project.remove("node_modules/ui");
        }),
        ("a link elsewhere", |project| {
            project.remove("node_modules/ui");
            std::os::unix::fs::symlink("..", project.path().join("node_modules/ui")).unwrap();
        }),
        ("a folder for a link", |project| {
            project.remove("node_modules/ui").write("node_modules/ui/x", "");
        }),
        ("a command", |project| {
            project.remove(&format!("node_modules/{UI}/.bin/dep"));
        }),
    ];
    let registry = Registry::start();
    let project = asking_for_ui(&registry);
    install(&project, &["--linker=isolated"]);
    let whole = project.node_modules_with_contents().without(".deka-state");
    for (what, damage) in damages {
        damage(&project);
        let mended = install(&project, &[]);
        let now = project.node_modules_with_contents().without(".deka-state");
        now.assert_same(&whole, what);
        assert!(!mended.stdout.is_empty());
        assert!(install(&project, &[]).stdout.contains(NOTHING), "{what}");
    }
}

#[test]
fn patterns_decide_who_sees_what() {
    let registry = Registry::start();
    let project = asking_for_ui(&registry);
    project.write("bunfig.toml", "[install]\nlinker = 'isolated'\npublicHoistPattern = ['@s/*']\n");
    install(&project, &[]);
    assert_eq!(link(&project, "@s/dep"), "../.bun/@s+dep@1.0.0/node_modules/@s/dep");
    assert_eq!(link(&project, ".bin/dep"), "../@s/dep/cli.js");
    let bunfig = "[install]\nlinker = 'isolated'\nhoistPattern = ['*', '!react']\n";
    project.write("bunfig.toml", bunfig);
    install(&project, &[]);
    assert_eq!(link(&project, "@s/dep"), "");
    assert_eq!(link(&project, ".bun/node_modules/react"), "");
    assert_ne!(link(&project, ".bun/node_modules/@s/dep"), "");
    project.write("bunfig.toml", "[install]\nlinker = 'isolated'\nhoist = false\n");
    install(&project, &[]);
    assert!(!project.exists("node_modules/.bun/node_modules"));
}

#[test]
fn optional_packages_that_fail_leave_no_links() {
    let registry = Registry::start();
    registry.package("o", "1.0.0").script("postinstall", "exit 3").publish();
    registry.package("a", "1.0.0").optional("o", "1").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1" }, "trustedDependencies": ["o"] }));
    install(&project, &["--linker=isolated"]);
    assert_eq!(link(&project, ".bun/a@1.0.0/node_modules/o"), "");
    assert_eq!(link(&project, ".bun/node_modules/o"), "");
    assert!(!project.exists("node_modules/.bun/o@1.0.0/node_modules/o"));
}

#[test]
fn scripts_run_in_their_entry_and_find_commands() {
    let registry = Registry::start();
    let tool = "#!/bin/sh\necho made > made-by-tool\n";
    registry.package("tool", "1.0.0").bin("tool", "tool.sh").file("tool.sh", tool).publish();
    registry.package("s", "1.0.0").dep("tool", "1").script("postinstall", "tool").publish();
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "s": "1" }, "trustedDependencies": ["s"] }));
    install(&project, &["--linker=isolated"]);
    assert_eq!(project.read("node_modules/.bun/s@1.0.0/node_modules/s/made-by-tool"), "made\n");
    assert!(install(&project, &[]).stdout.contains(NOTHING));
}

/// Installs with shared packages, for two projects with one cache.
mod shared {
    use super::*;

    const ARGUMENTS: &[&str] = &["install", "--linker=isolated", "--global-store"];

    fn install(project: &TestProject) -> Outcome {
        let outcome = project.command(ARGUMENTS).run();
        outcome.assert_success();
        outcome
    }

    fn links(project: &TestProject) -> Vec<String> {
        let entries = std::fs::read_dir(project.cache().join("links")).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    fn is_shared(project: &TestProject, entry: &str) -> bool {
        let folder = project.cache().join("links");
        link(project, &format!(".bun/{entry}")).starts_with(folder.to_str().unwrap())
    }

    #[test]
    fn projects_share_what_is_the_same() {
        let registry = Registry::start();
        let project = asking_for_ui(&registry);
        let first = install(&project);
        assert!(first.stdout.contains("3 packages installed"), "{}", first.snapshot());
        for entry in ["react@18.0.0", "@s+dep@1.0.0", "ui@1.0.0+e368962e8454d434"] {
            assert!(is_shared(&project, entry), "{entry}");
        }
        assert_eq!(links(&project).len(), 3);
        assert!(project.exists(&format!("node_modules/{UI}/@s/dep/package.json")));
        assert!(project.exists(&format!("node_modules/{UI}/.bin/dep")));
        assert!(!project.exists("node_modules/.bun/node_modules"), "nobody would look there");
        assert!(install(&project).stdout.contains(NOTHING));

        let other = asking_for_ui(&registry).sharing_cache(project.cache());
        other.package_json(json!({ "dependencies": { "ui": "1", "react": "19.0.0" } }));
        let second = install(&other);
        assert!(second.stdout.contains("3 packages installed"), "{}", second.snapshot());
        // Another peer is another entry; what does not see it is the same.
        assert_eq!(links(&project).len(), 5, "{:?}", links(&project));

        other.remove("node_modules");
        registry.clear_requests();
        let warm = install(&other);
        assert!(warm.stdout.contains("3 packages installed"), "{}", warm.snapshot());
        assert_eq!(registry.paths(), Vec::<String>::new());
        assert_eq!(links(&project).len(), 5);
    }

    #[test]
    fn what_is_shared_and_gone_is_noticed() {
        let registry = Registry::start();
        let project = asking_for_ui(&registry);
        install(&project);
        std::fs::remove_dir_all(project.cache().join("links")).unwrap();
        assert!(!install(&project).stdout.contains(NOTHING));
        assert!(project.exists("node_modules/react/package.json"));
        assert!(install(&project).stdout.contains(NOTHING));
    }

    #[test]
    fn what_a_project_changes_is_its_own() {
        let registry = Registry::start();
        registry.package("leaf", "1.0.0").file("index.js", "one\n").publish();
        registry.package("above", "1.0.0").dep("leaf", "1").publish();
        registry.package("built", "1.0.0").script("postinstall", "echo > made").publish();
        registry.package("apart", "1.0.0").publish();
        let project = project();
        project.use_registry(&registry);
        let patch = "diff --git a/index.js b/index.js\n--- a/index.js\n+++ b/index.js\n@@ -1 +1 @@\n\
                     -one\n+two\n";
        let dependencies = json!({ "above": "1", "built": "1", "apart": "1" });
        project.package_json(json!({ "dependencies": dependencies }));
        install(&project);
        assert!(is_shared(&project, "leaf@1.0.0") && is_shared(&project, "above@1.0.0"));

        project.write("leaf.patch", patch);
        project.package_json(json!({
            "dependencies": dependencies,
            "trustedDependencies": ["built"],
            "patchedDependencies": { "leaf@1.0.0": "leaf.patch" },
        }));
        install(&project);
        for entry in ["leaf@1.0.0", "above@1.0.0", "built@1.0.0"] {
            assert!(!is_shared(&project, entry), "{entry}");
        }
        assert!(is_shared(&project, "apart@1.0.0"));
        assert_eq!(project.read("node_modules/above/../leaf/index.js"), "two\n");
        assert!(project.exists("node_modules/built/made"));
        let folder = project.cache().join("links");
        for entry in links(&project) {
            let index = folder.join(&entry).join("node_modules/leaf/index.js");
            assert!(
                std::fs::read_to_string(index).is_ok_and(|text| text == "one\n")
                    || !entry.starts_with("leaf")
            );
            assert!(!folder.join(&entry).join("node_modules/built/made").exists());
        }
    }

    #[test]
    fn tools_that_refuse_links_are_known() {
        let registry = Registry::start();
        registry.package("vite", "1.0.0").publish();
        let project = project();
        project.use_registry(&registry);
        project.package_json(json!({ "devDependencies": { "vite": "1" } }));
        project.write("bunfig.toml", "[install]\nlinker = 'isolated'\nglobalStore = true\n");
        let outcome = project.command(["install"]).run();
        outcome.assert_success();
        assert!(outcome.stderr.contains("`vite` does not follow links"), "{}", outcome.snapshot());
        assert!(!is_shared(&project, "vite@1.0.0") && links(&project).is_empty());
        install(&project);
        assert!(is_shared(&project, "vite@1.0.0"));
    }

    #[test]
    fn installs_at_the_same_time_share() {
        let registry = Registry::start();
        let first = asking_for_ui(&registry);
        let others: Vec<TestProject> =
            (0..4).map(|_| asking_for_ui(&registry).sharing_cache(first.cache())).collect();
        std::thread::scope(|scope| {
            for project in &others {
                scope.spawn(|| install(project));
            }
        });
        assert_eq!(links(&first).len(), 3);
        for project in &others {
            assert!(project.exists("node_modules/ui/package.json"));
        }
        let making = first.cache().join("links/.making");
        assert_eq!(std::fs::read_dir(making).unwrap().count(), 0);
    }
}
