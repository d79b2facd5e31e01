//! git repositories made by tests, with commits that are the same each time.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Registry;

/// A repository with a working tree.
#[derive(Clone, Debug)]
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// An empty repository in a folder, or the one that is there.
    pub fn at(folder: &Path) -> Self {
        let repository = Self { folder: folder.to_owned() };
        if !folder.join(".git").exists() {
            fs::create_dir_all(folder).expect("a folder can be made");
            repository.git(&["init", "-q", "-b", "main"]);
        }
        repository
    }

    /// What a dependency says to mean it.
    pub fn url(&self) -> String {
        format!("git+file://{}", self.folder.display())
    }

    /// Removes all files.
    pub fn clear(&self) -> &Self {
        self.git(&["rm", "-rq", "--ignore-unmatch", "."]);
        self
    }

    /// Writes a file.
    pub fn file(&self, path: &str, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, contents).expect("a file can be written");
        self
    }

    /// Makes a symbolic link.
    #[cfg(unix)]
    pub fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        std::os::unix::fs::symlink(target, path).expect("a symlink can be made");
        self
    }

    /// Commits everything, and returns the hash of the commit.
    pub fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a commit"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Gives the last commit a tag.
    pub fn tag(&self, name: &str) -> &Self {
        self.git(&["tag", name]);
        self
    }

    /// Goes on with a new branch.
    pub fn branch(&self, name: &str) -> &Self {
        self.git(&["checkout", "-q", "-b", name]);
        self
    }

    /// Goes on with a branch that exists.
    pub fn switch(&self, name: &str) -> &Self {
        self.git(&["checkout", "-q", name]);
        self
    }

    /// Takes a branch away; its commits stay, and whoever asks for one gets it.
    pub fn drop_branch(&self, name: &str) -> &Self {
        self.git(&["branch", "-q", "-D", name]);
        self.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        self
    }

    /// Serves it as it is now, for git's plain protocol over HTTP: `git+<registry><path>`.
    pub fn serve(&self, registry: &Registry, path: &str) {
        self.git(&["update-server-info"]);
        serve_folder(registry, &self.folder.join(".git"), path);
    }

    fn git(&self, arguments: &[&str]) -> String {
        let date = "2020-01-01T00:00:00Z";
        let output = Command::new("git")
            .args(["-c", "user.name=test", "-c", "user.email=test@registry.example"])
            .args(arguments)
            .current_dir(&self.folder)
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .output()
            .expect("git can be started");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn serve_folder(registry: &Registry, folder: &Path, path: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("a readable folder");
        let path = format!("{path}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a kind").is_dir() {
            serve_folder(registry, &entry.path(), &path);
        } else {
            registry.put_tarball(&path, fs::read(entry.path()).expect("a file"));
        }
    }
}
