//! Projects of many files: workspaces, folders, tarballs, patches. They change step by step.
//!
//! A project is a list of steps, each an object of paths and what is written there: a text, JSON
//! for a manifest, files for a path that ends with `.tgz`, `null` to remove it. Besides:
//!
//! | | |
//! |---|---|
//! | `$arguments` | what `install` is called with, `--linker=hoisted` if it is not there |
//! | `$folder` | where it is called |
//! | `$links` | symlinks by path |
//! | `$served` | tarballs by their path at the [server](crate::served) |
//! | `$repositories` | git repositories by name, each a list of commits, see [`served`](crate::served) |
//! | `$commit` | the state before this step is committed to a git repository |
//! | `$fails` | both tools have to fail, and nothing else is compared |
//! | `$tree` | `false`: only the lockfile is compared |
//!
//! In all of them `{server}` is the URL of the server, and `{repositories}` the folder of the repositories.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use deka_test::{
    Tree,
    archive::{Tar, gzip},
};
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::{
    compare::{compare, compare_lockfiles, without_lonely_folders},
    project,
    served::Served,
    suite::SUITE,
    tool::{Installed, STATE_FILE, Tool},
};

/// What Bun leaves in packages that it patched, and in those from tarballs that no registry has.
const BUN_TAG: &str = ".bun-tag";

pub(crate) type Step = Map<String, Value>;

/// Installs each step over the last one, and on its own from Bun's lockfile.
pub(crate) fn check(name: &str) {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in(format!("{name}-"), &suite.folder).expect("a folder");
    let folder = |name: &str| work.path().join(name).join("project");
    let served = Served::new(name, &work.path().join("repositories"));
    let (ours, theirs) = (folder("deka"), folder("bun"));
    let mut files = Step::new();
    for (at, step) in project::folder_steps(name, |text| served.fill_in(text)).iter().enumerate() {
        let what = format!("step {}", at + 1);
        let fail = |message: String| panic!("{name}, {message}");
        add_step(&mut files, step);
        let install = |tool: &Tool, folder: &Path, more: &[&str]| run(tool, folder, step, more);
        served.serve(step);
        write(&theirs, step);
        write(&ours, step);
        let left = install(&suite.bun, &theirs, &[]);
        let right = install(&suite.deka, &ours, &[]);
        if fails(step) {
            for tool in [&left, &right] {
                let Installed { tool, outcome, .. } = tool;
                assert_ne!(outcome.code, Some(0), "{name}, {what}: {tool} did not fail");
            }
            continue;
        }
        let has_tree = has_tree(step);
        let compare = |what: &str, right: &Installed| {
            let left = without_lonely_folders(left.clone(), right);
            let compare = if has_tree { compare } else { compare_lockfiles };
            compare(what, &left, right).unwrap_or_else(fail);
        };
        compare(&what, &right);
        let again = install(&suite.deka, &ours, &[]);
        compare(&format!("{what}, again"), &again);

        let Some(lockfile) = left.lockfile.as_ref().filter(|_| has_tree) else { continue };
        let fresh = folder(&format!("frozen-{}", at + 1));
        write(&fresh, &files);
        fs::write(fresh.join("bun.lock"), lockfile).expect("a file can be written");
        let frozen = install(&suite.deka, &fresh, &["--frozen-lockfile"]);
        compare(&format!("{what}, frozen"), &frozen);
        let accepted = install(&suite.bun, &fresh, &["--frozen-lockfile"]);
        compare(&format!("{what}, Bun over deka's install"), &accepted);
    }
}

/// Adds the files of a step to those of the steps before it.
pub(crate) fn add_step(files: &mut Step, step: &Step) {
    for (path, content) in step {
        let below = format!("{path}/");
        files.retain(|known, _| !content.is_null() || !known.starts_with(&below));
        files.insert(path.clone(), content.clone());
    }
}

/// Whether both tools have to fail.
pub(crate) fn fails(step: &Step) -> bool {
    step.get("$fails").is_some_and(|fails| fails == true)
}

/// Whether more than lockfiles is compared.
pub(crate) fn has_tree(step: &Step) -> bool {
    step.get("$tree") != Some(&Value::Bool(false))
}

/// What `install` is called with.
pub(crate) fn arguments(step: &Step) -> Vec<&str> {
    step.get("$arguments").map_or_else(|| vec!["--linker=hoisted"], texts)
}

pub(crate) fn run(tool: &Tool, folder: &Path, step: &Step, more: &[&str]) -> Installed {
    let mut arguments = arguments(step);
    arguments.extend(more.iter().filter(|argument| !texts_of(step).contains(*argument)));
    let within = step.get("$folder").and_then(Value::as_str).unwrap_or("");
    let mut installed = tool.install(&folder.join(within), &arguments);
    installed.lockfile = fs::read_to_string(folder.join("bun.lock")).ok();
    let is_compared = |path: &str| {
        path.split('/').any(|name| name == "node_modules")
            && !path.ends_with(STATE_FILE)
            && !path.contains(BUN_TAG)
    };
    installed.tree = Tree::read_with_contents(folder).only(is_compared);
    installed
}

fn texts_of(step: &Step) -> Vec<&str> {
    step.get("$arguments").map(texts).unwrap_or_default()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Does what a step says of files.
pub(crate) fn write(folder: &Path, step: &Step) {
    fs::create_dir_all(folder).expect("a folder can be made");
    if step.get("$commit").is_some_and(|commit| commit == true) {
        commit(folder);
    }
    for (path, content) in step.iter().filter(|(path, _)| !path.starts_with('$')) {
        let path = folder.join(path);
        if content.is_null() {
            remove(&path);
            continue;
        }
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        let bytes = match content {
            Value::String(text) => text.clone().into_bytes(),
            Value::Object(files) if path.extension().is_some_and(|end| end == "tgz") => {
                tarball("package", files)
            }
            manifest => text_of(manifest).into_bytes(),
        };
        fs::write(&path, bytes).expect("a file can be written");
    }
    for (path, target) in step.get("$links").and_then(Value::as_object).into_iter().flatten() {
        let target = target.as_str().expect("a path");
        std::os::unix::fs::symlink(target, folder.join(path)).expect("a symlink can be made");
    }
}

pub(crate) fn text_of(manifest: &Value) -> String {
    serde_json::to_string_pretty(manifest).expect("JSON") + "\n"
}

pub(crate) fn tarball(top: &str, files: &Step) -> Vec<u8> {
    let tar = files.iter().fold(Tar::new(), |tar, (path, content)| {
        let text = content.as_str().map_or_else(|| text_of(content), ToOwned::to_owned);
        tar.file(format!("{top}/{path}"), text)
    });
    gzip(&tar.finish())
}

fn remove(path: &PathBuf) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed {
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "removing `{}`", path.display());
    }
}

/// Commits everything but `node_modules`.
fn commit(folder: &Path) {
    fs::write(folder.join(".gitignore"), "node_modules\n").expect("a file can be written");
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "before"]] {
        let status = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@registry.example"])
            .args(arguments)
            .current_dir(folder)
            .status()
            .expect("git can be started");
        assert!(status.success(), "git {arguments:?}");
    }
}
