//! The isolated layout: the same projects as the hoisted one, with `--linker=isolated` or, for workspaces,
//! without any setting.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    compare::{alike, compare, compare_trees},
    folders::{self, Step},
    project,
    served::Served,
    suite::{Folder, SUITE},
};

/// Installs a project clean, again, frozen, and by way of the hoisted layout.
pub(crate) fn check_project(name: &str) {
    let Some(suite) = &*SUITE else { return };
    let work =
        TempDir::with_prefix_in(format!("isolated-{name}-"), &suite.folder).expect("a folder");
    let fail = |message: String| panic!("{name}, {message}");
    let manifest = project::manifest(name);
    let ours = Folder::new(work.path(), "deka", &manifest);
    let theirs = Folder::new(work.path(), "bun", &manifest);
    let expected = suite.bun.install(&theirs.path, &["--linker=isolated"]);
    ours.write_lockfile(&expected);
    let right = suite.deka.install(&ours.path, &["--linker=isolated", "--frozen-lockfile"]);
    let (expected, same) = alike(expected, right.clone());
    compare("isolated", &expected, &same).unwrap_or_else(fail);
    let again = suite.deka.install(&ours.path, &[]);
    compare("isolated, without the flag", &right, &again).unwrap_or_else(fail);
    let hoisted = suite.deka.install(&ours.path, &["--linker=hoisted"]);
    ours.remove("node_modules");
    let clean = suite.deka.install(&ours.path, &["--linker=hoisted"]);
    compare_trees("from isolated to hoisted", &clean, &hoisted).unwrap_or_else(fail);
    let back = suite.deka.install(&ours.path, &["--linker=isolated"]);
    compare_trees("from hoisted to isolated", &right, &back).unwrap_or_else(fail);
}

/// Installs each step of a project of many files, clean for the comparison with Bun, which leaves
/// behind what is not wanted any more, and over the last step for the comparison with the clean one.
pub(crate) fn check_folder(name: &str) {
    let Some(suite) = &*SUITE else { return };
    let work =
        TempDir::with_prefix_in(format!("isolated-{name}-"), &suite.folder).expect("a folder");
    let folder = |name: &str| work.path().join(name).join("project");
    let grown = folder("grown");
    let mut files = Step::new();
    let served = Served::new(&format!("isolated-{name}"), &work.path().join("repositories"));
    for (at, step) in project::folder_steps(name, |text| served.fill_in(text)).iter().enumerate() {
        served.serve(step);
        let what = format!("step {}", at + 1);
        let fail = |message: String| panic!("{name}, {what}, {message}");
        folders::add_step(&mut files, step);
        let is_compared = !folders::fails(step) && folders::has_tree(step);
        let mut step = step.clone();
        let mut arguments = folders::arguments(&step);
        arguments.retain(|argument| *argument != "--linker=hoisted");
        if !files.contains_key("packages/a/package.json") {
            // Without workspaces the other layout is the default.
            arguments.push("--linker=isolated");
        }
        let arguments = arguments.into_iter().map(Value::from).collect();
        step.insert("$arguments".to_owned(), Value::Array(arguments));
        folders::write(&grown, &step);
        let over = folders::run(&suite.deka, &grown, &step, &[]);
        if !is_compared {
            continue;
        }
        let (theirs, ours) = (folder(&format!("bun-{at}")), folder(&format!("deka-{at}")));
        for clean in [&theirs, &ours] {
            folders::write(clean, &files);
            if let Some(lockfile) = &over.lockfile {
                fs::write(clean.join("bun.lock"), lockfile).expect("a file can be written");
            }
        }
        let left = folders::run(&suite.bun, &theirs, &step, &[]);
        let right = folders::run(&suite.deka, &ours, &step, &[]);
        let (left, right) = alike(left, right);
        compare(&what, &left, &right).unwrap_or_else(fail);
        compare("over the last step", &right, &alike(left, over).1).unwrap_or_else(fail);
    }
}
