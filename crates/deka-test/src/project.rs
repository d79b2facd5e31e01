//! A project in a temporary folder, with a home and a cache of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Program, Registry, Tree};

/// A project that a program under test works on.
///
/// ```text
/// <temporary folder>/
///   project/   package.json and what the test writes; where programs are run
///   home/      HOME
///   cache/     DEKA_CACHE_DIR and BUN_INSTALL_CACHE_DIR
/// ```
#[derive(Debug)]
pub struct TestProject {
    program: PathBuf,
    folder: TempDir,
    cache: PathBuf,
}

impl TestProject {
    /// An empty project for `program`, such as `env!("CARGO_BIN_EXE_deka")`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self::at(program, TempDir::new().expect("a temporary folder"))
    }

    /// The same within `folder`, which may be a mounted image.
    pub fn inside(program: impl Into<PathBuf>, folder: &Path) -> Self {
        Self::at(program, TempDir::new_in(folder).expect("a temporary folder"))
    }

    fn at(program: impl Into<PathBuf>, folder: TempDir) -> Self {
        // macOS and others have links in the way to their temporary folders; what programs print
        // does not.
        let root = fs::canonicalize(folder.path()).expect("the folder exists");
        for name in ["project", "home", "cache"] {
            fs::create_dir(root.join(name)).expect("an empty folder");
        }
        Self { program: program.into(), cache: root.join("cache"), folder }
    }

    /// Uses a cache that other projects use too.
    #[must_use]
    pub fn sharing_cache(mut self, cache: &Path) -> Self {
        cache.clone_into(&mut self.cache);
        self
    }

    /// The folder with all that belongs to this project.
    pub fn root(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).expect("the folder exists")
    }

    /// The folder with `package.json`.
    pub fn path(&self) -> PathBuf {
        self.root().join("project")
    }

    /// The home folder that programs get.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The cache folder that programs get.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Writes `package.json`.
    #[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
    pub fn package_json(&self, manifest: Value) -> &Self {
        let mut text = serde_json::to_string_pretty(&manifest).expect("JSON can be written");
        text.push('\n');
        self.write("package.json", text)
    }

    /// Writes a file of the project, with the folders that it needs.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        let parent = path.parent().expect("a file is in a folder");
        fs::create_dir_all(parent).expect("a folder can be made");
        fs::write(&path, contents)
            .unwrap_or_else(|error| panic!("writing `{}`: {error}", path.display()));
        self
    }

    /// Writes an `.npmrc` that names the registry.
    pub fn use_registry(&self, registry: &Registry) -> &Self {
        self.write(".npmrc", format!("registry={}\n", registry.url()))
    }

    /// Reads a file of the project as text.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        let path = self.path().join(path);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("reading `{}`: {error}", path.display()))
    }

    /// Whether a path of the project exists (a dangling link does).
    pub fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path().join(path)).is_ok()
    }

    /// Removes a file, link or folder of the project; nothing there is fine.
    pub fn remove(&self, path: &str) -> &Self {
        let path = self.path().join(path);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(_) => Ok(()),
        }
        .unwrap_or_else(|error| panic!("removing `{}`: {error}", path.display()));
        self
    }

    /// Empties the cache.
    pub fn clear_cache(&self) -> &Self {
        fs::remove_dir_all(&self.cache).expect("the cache can be removed");
        fs::create_dir_all(&self.cache).expect("an empty folder");
        self
    }

    /// The program under test with these arguments; run it with [`Program::run`].
    pub fn command<A: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Program {
        self.other_program(&self.program).args(arguments)
    }

    /// Another program, in the same folder and environment.
    pub fn other_program(&self, program: impl Into<PathBuf>) -> Program {
        let mut program = Program::new(program, &self.path())
            .env("HOME", self.home())
            .env("DEKA_CACHE_DIR", &self.cache)
            .env("BUN_INSTALL_CACHE_DIR", &self.cache)
            .env("NO_COLOR", "1")
            .env("LANG", "C.UTF-8");
        for (path, name) in [
            (self.path(), "[PROJECT]"),
            (self.home(), "[HOME]"),
            (self.cache.clone(), "[CACHE]"),
            (self.root(), "[ROOT]"),
        ] {
            program = program.filter(path.to_string_lossy(), name);
        }
        program
    }

    /// What is in `node_modules`.
    pub fn node_modules(&self) -> Tree {
        Tree::read(&self.path().join("node_modules"))
    }

    /// What is in `node_modules`, with the contents of the files.
    pub fn node_modules_with_contents(&self) -> Tree {
        Tree::read_with_contents(&self.path().join("node_modules"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_program_runs_in_the_project() {
        let project = TestProject::new("sh");
        project.package_json(json!({ "name": "a" })).write("node_modules/a/index.js", "1");
        let script = "pwd; echo $HOME; echo $DEKA_CACHE_DIR; cat package.json";
        let outcome = project.command(["-c", script]).run();
        assert_eq!(
            outcome.snapshot(),
            "exit code: 0\n----- stdout -----\n[PROJECT]\n[HOME]\n[CACHE]\n{\n  \"name\": \"a\"\n}\n"
        );
        assert_eq!(project.node_modules().to_string(), "a/\na/index.js 1\n");
        project.remove("node_modules").remove("missing");
        assert!(project.node_modules().is_empty());
        assert!(project.exists("package.json"));
    }
}
