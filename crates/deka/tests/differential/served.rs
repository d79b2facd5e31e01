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
    path::{Path, PathBuf},
    sync::LazyLock,
};

use deka_test::{Registry, Repository};
use serde_json::{Map, Value};

use crate::folders::{tarball, text_of};

/// A server for everybody, which also stands in for GitHub's.
pub(crate) static SERVER: LazyLock<Registry> = LazyLock::new(Registry::start);

/// What is served to one project.
pub(crate) struct Served {
    name: String,
    repositories: PathBuf,
}

/// Where yarn has the npm registry.
const YARN_REGISTRY: &str = concat!("https://registry.", "yarnpkg", ".com/");

impl Served {
    pub(crate) fn new(name: &str, repositories: &Path) -> Self {
        Self { name: name.to_owned(), repositories: repositories.to_owned() }
    }

    /// Puts places in place of `{server}`, `{yarn}` and `{repositories}`.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let server = SERVER.url();
        text.replace("{server}", &format!("{server}{}", self.name))
            .replace("{yarn}", YARN_REGISTRY)
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
            let repository = Repository::at(&self.repositories.join(name));
            for files in commits.as_array().expect("a list of commits") {
                commit(&repository, files.as_object().expect("the files of a commit"));
            }
            repository.serve(&SERVER, &format!("/{}/git/{name}", self.name));
        }
    }
}

/// Makes a commit of nothing but these files.
fn commit(repository: &Repository, files: &Map<String, Value>) {
    let text = |key: &str| files.get(key).and_then(Value::as_str);
    if let Some(branch) = text("$branch") {
        repository.branch(branch);
    }
    repository.clear();
    for (path, content) in files.iter().filter(|(path, _)| !path.starts_with('$')) {
        let text = content.as_str().map_or_else(|| text_of(content), ToOwned::to_owned);
        repository.file(path, text);
    }
    for (path, target) in files.get("$links").and_then(Value::as_object).into_iter().flatten() {
        repository.link(path, target.as_str().expect("a path"));
    }
    repository.commit();
    if let Some(tag) = text("$tag") {
        repository.tag(tag);
    }
    if text("$branch").is_some() {
        repository.switch("main");
    }
}
