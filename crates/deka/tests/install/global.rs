//! `--global`: what is there for all projects, its commands, and what the shell finds of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use deka_test::{Outcome, Registry, TestProject};
use serde_json::json;

use crate::project;

/// A project beside packages with commands: `tool`, which needs `helper`, and `other`.
fn with_tools(registry: &Registry) -> TestProject {
    let tool = |version| registry.package("tool", version).file("t.js", "#!/usr/bin/env node\n");
    tool("1.0.0").bin("tool", "t.js").dep("helper", "1").publish();
    tool("2.0.0").bin("tool", "t.js").bin("tool2", "t.js").publish();
    registry.package("helper", "1.0.0").file("h.js", "").bin("helper", "h.js").publish();
    registry.package("other", "1.0.0").file("o.js", "").bin("other", "o.js").publish();
    let project = project();
    project.package_json(json!({ "name": "p" }));
    fs::write(project.home().join(".npmrc"), format!("registry={}\n", registry.url())).unwrap();
    // Of no concern to what is there for all projects.
    project.write(".npmrc", "registry=http://127.0.0.1:9/\n");
    project.write("bunfig.toml", "[install]\nregistry = \"http://127.0.0.1:9/\"\n");
    project
}

fn run(project: &TestProject, arguments: &[&str]) -> Outcome {
    project.command(arguments).env("SHELL", "/bin/bash").run()
}

fn commands(project: &TestProject) -> PathBuf {
    project.home().join(".bun/bin")
}

fn packages(project: &TestProject) -> PathBuf {
    project.home().join(".bun/install/global")
}

/// The commands and where they lead.
fn links(project: &TestProject) -> Vec<String> {
    let Ok(entries) = fs::read_dir(commands(project)) else { return Vec::new() };
    let text = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).unwrap_or_else(|_| "(file)".into());
        format!("{} {}", entry.file_name().display(), target.display())
    };
    let mut links: Vec<String> = entries.map(|entry| text(entry.unwrap())).collect();
    links.sort();
    links
}

const TOOL: &str = "tool ../install/global/node_modules/tool/t.js";

#[test]
fn packages_come_and_go_with_their_commands() {
    let registry = Registry::start();
    let project = with_tools(&registry);
    let outcome = run(&project, &["add", "-g", "tool@1", "other"]);
    outcome.assert_success();
    assert_eq!(
        outcome.snapshot(),
        "exit code: 0\n----- stdout -----\ndeka add v0.1.0\n\ninstalled tool@1.0.0 with binaries:\n - tool\n\
         installed other@1.0.0 with binaries:\n - other\n\n3 packages installed [TIME]\n----- stderr -----\n\
         warn: Your shell does not look for commands in `[HOME]/.bun/bin`. Add this line to ~/.bashrc:\n\n\
         export PATH=\"[HOME]/.bun/bin:$PATH\"\n"
    );
    assert_eq!(links(&project), ["other ../install/global/node_modules/other/o.js", TOOL]);
    assert!(fs::metadata(commands(&project).join("tool")).is_ok());
    assert_eq!(project.read("package.json"), "{\n  \"name\": \"p\"\n}\n");
    assert!(!project.exists("node_modules"));

    // Somebody whose shell knows is not bothered.
    let outcome = project.command(["update", "--global", "--latest"]);
    let outcome = outcome.path_first(&commands(&project)).run();
    outcome.assert_success();
    assert_eq!(outcome.stderr, "");
    assert_eq!(links(&project).len(), 3, "{:?}", links(&project));
    let manifest = fs::read_to_string(packages(&project).join("package.json")).unwrap();
    assert!(manifest.contains("\"tool\": \"2\"") || manifest.contains("2.0.0"), "{manifest}");

    fs::remove_file(commands(&project).join("tool2")).unwrap();
    run(&project, &["install", "-g"]).assert_success();
    assert_eq!(links(&project).len(), 3, "{:?}", links(&project));

    run(&project, &["remove", "-g", "tool"]).assert_success();
    assert_eq!(links(&project), ["other ../install/global/node_modules/other/o.js"]);
    run(&project, &["remove", "-g", "other"]).assert_success();
    assert_eq!(links(&project), [""; 0]);
}

#[test]
fn what_belongs_to_somebody_else_stays() {
    let registry = Registry::start();
    let project = with_tools(&registry);
    fs::create_dir_all(commands(&project)).unwrap();
    fs::write(commands(&project).join("tool"), "mine").unwrap();
    symlink("/nowhere", commands(&project).join("theirs")).unwrap();
    let outcome = run(&project, &["add", "-g", "tool@1"]);
    outcome.assert_code(1);
    assert!(outcome.stdout.contains("2 packages installed"), "{}", outcome.snapshot());
    assert!(
        outcome.filtered(&outcome.stderr).ends_with(
            "error: The package is there, but not its command `tool` (EEXIST)\n  \
             Caused by: `[HOME]/.bun/bin/tool` was not made by deka\n\n\
             hint: Move it away, or run the command again with `--force` to replace it\n"
        ),
        "{}",
        outcome.snapshot()
    );
    assert_eq!(fs::read_to_string(commands(&project).join("tool")).unwrap(), "mine");
    run(&project, &["add", "-g", "tool@1", "--force"]).assert_success();
    assert_eq!(links(&project), ["theirs /nowhere", TOOL]);
    fs::remove_file(commands(&project).join("tool")).unwrap();
    fs::write(commands(&project).join("tool"), "mine").unwrap();
    run(&project, &["remove", "-g", "tool"]).assert_success();
    assert_eq!(links(&project), ["theirs /nowhere", "tool (file)"]);
}

#[test]
fn folders_are_named_by_where_they_are() {
    let registry = Registry::start();
    let project = with_tools(&registry);
    project.write("lib/package.json", r#"{ "name": "lib", "version": "1.0.0", "bin": "l.js" }"#);
    project.write("lib/l.js", "");
    run(&project, &["add", "-g", "./lib"]).assert_success();
    assert_eq!(links(&project), ["lib ../install/global/node_modules/lib/l.js"]);
    assert!(packages(&project).join("node_modules/lib/package.json").is_file());
    let outcome = run(&project, &["pm", "bin", "-g"]);
    assert_eq!(outcome.filtered(&outcome.stdout), "[HOME]/.bun/bin\n");
}

#[test]
fn the_folders_are_where_the_user_wants_them() {
    let registry = Registry::start();
    let project = with_tools(&registry);
    let said = |name: &str, value: &str| {
        let outcome = project.command(["pm", "bin", "-g"]).env(name, value).run();
        outcome.filtered(outcome.stdout.trim_end())
    };
    assert_eq!(said("BUN_INSTALL", "/b"), "/b/bin");
    assert_eq!(said("BUN_INSTALL_BIN", "/c"), "/c");
    assert_eq!(said("XDG_CACHE_HOME", "/x"), "/x/.bun/bin");
    fs::write(
        project.home().join(".bunfig.toml"),
        "[install]\nglobalDir = \"g\"\nglobalBinDir = \"b\"\n",
    )
    .unwrap();
    assert_eq!(said("A", "b"), "[HOME]/b");
    run(&project, &["add", "-g", "other"]).assert_success();
    let link = fs::read_link(project.home().join("b/other")).unwrap();
    assert_eq!(link, Path::new("../g/node_modules/other/o.js"));
}

#[test]
fn registered_packages_bring_their_commands() {
    let registry = Registry::start();
    let project = with_tools(&registry);
    let lib = |bins: &str| {
        let manifest = format!(r#"{{ "name": "@s/lib", "bin": {bins} }}"#);
        project.write("lib/package.json", manifest);
        run(&project, &["link", "--cwd=lib"])
    };
    project.write("lib/l.js", "");
    let outcome = lib(r#"{ "one": "l.js", "two": "l.js", "three": "missing.js" }"#);
    outcome.assert_success();
    assert!(outcome.stderr.contains("Add this line to ~/.bashrc"), "{}", outcome.snapshot());
    let target = "../install/global/node_modules/@s/lib/l.js";
    assert_eq!(links(&project), [format!("one {target}"), format!("two {target}")]);
    lib(r#"{ "two": "l.js" }"#).assert_success();
    assert_eq!(links(&project), [format!("two {target}")]);

    // What is installed for all projects lives beside it.
    run(&project, &["add", "-g", "tool@1"]).assert_success();
    run(&project, &["remove", "-g", "tool"]).assert_success();
    assert_eq!(links(&project), [format!("two {target}")]);
    fs::write(commands(&project).join("one"), "mine").unwrap();
    lib(r#"{ "one": "l.js", "two": "l.js" }"#).assert_code(1);
    run(&project, &["unlink", "--cwd=lib"]).assert_success();
    assert_eq!(links(&project), ["one (file)"]);
}

#[test]
fn what_is_there_is_looked_at() {
    let registry = Registry::start();
    let project = with_tools(&registry);
    let folder = packages(&project).display().to_string();
    let outcome = run(&project, &["list", "-g"]);
    outcome.assert_success();
    assert_eq!(outcome.stdout, format!("{folder} node_modules (0 installed)\n"));
    let document = run(&project, &["pm", "ls", "--global", "--json"]).document("list");
    assert_eq!(document["importers"], json!([]));
    for command in [&["why", "-g", "tool"][..], &["outdated", "-g"], &["licenses", "-g"]] {
        let outcome = run(&project, command);
        outcome.assert_code(1);
        assert!(outcome.stderr.contains("Nothing is installed for all projects"), "{command:?}");
    }

    run(&project, &["add", "-g", "tool@1", "other"]).assert_success();
    let outcome = run(&project, &["pm", "ls", "-g"]);
    let listed = "├── other@1.0.0\n└── tool@1.0.0\n";
    assert_eq!(outcome.stdout, format!("{folder} node_modules (3 installed)\n{listed}"));
    assert_eq!(outcome.stderr, "");
    assert!(run(&project, &["list", "-g", "--all"]).stdout.contains("helper@1.0.0"));
    let outcome = run(&project, &["why", "-g", "helper"]);
    assert!(outcome.stdout.contains("tool@1.0.0 (requires 1)"), "{}", outcome.snapshot());
    let outcome = run(&project, &["outdated", "--global"]);
    assert!(
        outcome.stdout.contains("tool") && outcome.stdout.contains("2.0.0"),
        "{}",
        outcome.snapshot()
    );
    let document = run(&project, &["licenses", "-g", "--json"]).document("licenses");
    assert_eq!(document["licenses"][0]["packages"].as_array().map(Vec::len), Some(3));
    run(&project, &["list", "-g", "nosuch"]).assert_code(1);
    // What is registered for links is no stranger.
    run(&project, &["link"]).assert_success();
    assert_eq!(
        run(&project, &["list", "-g"]).stdout,
        format!("{folder} node_modules (3 installed)\n{listed}")
    );
}
