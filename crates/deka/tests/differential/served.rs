//! What projects fetch from elsewhere than the registry: tarballs and git repositories of their own.
//!
//! Both tools ask the same server and the same repositories, so that their lockfiles can be equal. In
//! a tarball (an object of paths and what is in them) `$top` is the name of its folder. A commit is an
//! object of all its files, and besides:
//!
//! | | |
//! |---|---|
//! | `$tag`, `$branch` | what leads to it; `$branch` alone does, other commits are on `main` |
//! | `$links` | symlinks by path |
//!
//! A repository lies in the folder, to be used by `git+file:`, and at the server below `/git/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use deka_test::Registry;
use serde_json::{Map, Value};

use crate::folders::{tarball, text_of};

/// A server for everybody, which also stands in for GitHub's.
pub(crate) static SERVER: LazyLock<Registry> = LazyLock::new(Registry::start);

/// What is served to one project.
pub(crate) struct Served {
    name: String,
    repositories: PathBuf,
}

impl Served {
    pub(crate) fn new(name: &str, repositories: &Path) -> Self {
        Self { name: name.to_owned(), repositories: repositories.to_owned() }
    }

    /// Puts places in place of `{server}` and `{repositories}`.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let server = SERVER.url();
        text.replace("{server}", &format!("{server}{}", self.name))
            .replace("{repositories}", &self.repositories.to_string_lossy())
    }

    /// Serves what a step says.
    pub(crate) fn serve(&self, step: &Map<String, Value>) {
        let objects = |key: &str| step.get(key).and_then(Value::as_object).into_iter().flatten();
        for (path, files) in objects("$served") {
            let files = files.as_object().expect("the files of a tarball");
            let top = files.get("$top").and_then(Value::as_str).unwrap_or("package");
            let mut files = files.clone();
            files.remove("$top");
            // GitHub has its own paths.
            let path = match path.strip_prefix("/repos/") {
                Some(_) => path.clone(),
                None => format!("/{}/{path}", self.name),
            };
            SERVER.put_tarball(&path, tarball(top, &files));
        }
        for (name, commits) in objects("$repositories") {
            let folder = self.repositories.join(name);
            for commit in commits.as_array().expect("a list of commits") {
                self::commit(&folder, commit.as_object().expect("the files of a commit"));
            }
            git(&folder, &["update-server-info"]);
            put_folder(&folder.join(".git"), &format!("/{}/git/{name}", self.name));
        }
    }
}

/// Serves all files of a folder.
fn put_folder(folder: &Path, path: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("a readable folder");
        let path = format!("{path}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a kind").is_dir() {
            put_folder(&entry.path(), &path);
        } else {
            SERVER.put_tarball(&path, fs::read(entry.path()).expect("a file"));
        }
    }
}

/// Makes a commit of nothing but these files.
fn commit(folder: &Path, files: &Map<String, Value>) {
    let text = |key: &str| files.get(key).and_then(Value::as_str);
    if !folder.exists() {
        fs::create_dir_all(folder).expect("a folder can be made");
        git(folder, &["init", "-q", "-b", "main"]);
    }
    if let Some(branch) = text("$branch") {
        git(folder, &["checkout", "-q", "-b", branch]);
    }
    git(folder, &["rm", "-rq", "--ignore-unmatch", "."]);
    for (path, content) in files.iter().filter(|(path, _)| !path.starts_with('$')) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        let text = content.as_str().map_or_else(|| text_of(content), ToOwned::to_owned);
        fs::write(&path, text).expect("a file can be written");
    }
    for (path, target) in files.get("$links").and_then(Value::as_object).into_iter().flatten() {
        let target = target.as_str().expect("a path");
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        std::os::unix::fs::symlink(target, path).expect("a symlink can be made");
    }
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", "a commit"]);
    if let Some(tag) = text("$tag") {
        git(folder, &["tag", tag]);
    }
    if text("$branch").is_some() {
        git(folder, &["checkout", "-q", "main"]);
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let date = "2020-01-01T00:00:00Z";
    let status = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@registry.example"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_AUTHOR_DATE", date)
        .env("GIT_COMMITTER_DATE", date)
        .status()
        .expect("git can be started");
    assert!(status.success(), "git {arguments:?}");
}
