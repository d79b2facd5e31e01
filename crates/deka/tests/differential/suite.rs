//! What is done with each project.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use deka_test::{peer, scratch_folder};
use tempfile::TempDir;

use crate::{
    compare::{compare, compare_lockfiles, compare_trees, without_lonely_folders},
    project,
    served::SERVER,
    tool::{Installed, Tool},
};

/// How often a project is resolved anew once the caches are warm.
const WARM_ROUNDS: usize = 3;

/// Arguments that leave something out; each is installed from Bun's lockfile.
const PARTIAL: &[&[&str]] = &[
    &["--production"],
    &["--omit=optional"],
    &["--omit=dev", "--omit=peer"],
    &["--os=darwin", "--cpu=arm64"],
];

/// Trees with more paths than this are left out only in the first of these ways, or the suite
/// would spend its time on creating and removing files.
const LARGE_TREE: usize = 12_000;

/// How many gibibytes both caches and the trees take.
const SPACE: u64 = 6;

/// Both tools, with caches that are empty when the first project comes.
pub(crate) struct Suite {
    pub(crate) bun: Tool,
    pub(crate) deka: Tool,
    pub(crate) folder: PathBuf,
}

/// `None` if peers are to be skipped.
pub(crate) static SUITE: LazyLock<Option<Suite>> = LazyLock::new(|| {
    let bun = peer::bun()?;
    let folder = scratch_folder("differential", SPACE);
    Some(Suite {
        bun: tool("bun", &bun, &folder.join("bun")),
        deka: tool("deka", &deka(), &folder.join("deka")),
        folder,
    })
});

/// A tool that installs from the network; the suite's own server stands in for GitHub's.
fn tool(name: &'static str, program: &Path, folder: &Path) -> Tool {
    Tool::new(name, program, folder).on_network().env("GITHUB_API_URL", &SERVER.url())
}

/// The program that is compared with Bun.
pub(crate) fn deka() -> PathBuf {
    variable("DEKA_UNDER_TEST").unwrap_or_else(|| env!("CARGO_BIN_EXE_deka").to_owned()).into()
}

/// How often all is done with each project; from the second time on with empty caches of its own.
fn rounds() -> usize {
    variable("DEKA_TEST_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number of rounds"))
}

#[expect(clippy::disallowed_methods, reason = "who runs the suite decides by environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Installs a project in all ways that the module of the suite lists.
pub(crate) fn check_project(name: &str) {
    let Some(suite) = &*SUITE else { return };
    let manifest = project::manifest(name);
    for round in 1..=rounds() {
        let work = TempDir::with_prefix_in(format!("{name}-"), &suite.folder).expect("a folder");
        let tools = (round > 1).then(|| suite.with_empty_caches(work.path()));
        if let Err(message) = suite.check(&manifest, work.path(), tools) {
            panic!("{name}, round {round}, {message}");
        }
    }
}

/// Installs a project, changes its manifest, installs again, and so on.
pub(crate) fn check_edits(name: &str) {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in(format!("{name}-"), &suite.folder).expect("a folder");
    let steps = project::steps(name);
    let result = edit(&suite.bun, &suite.deka, &steps, &work.path().join("edits"));
    if let Err(message) = result {
        say_again(name, &message);
        let (bun, deka) = suite.with_empty_caches(work.path());
        if let Err(message) = edit(&bun, &deka, &steps, &work.path().join("again")) {
            panic!("{name}, {message}");
        }
    }
}

impl Suite {
    fn check(
        &self,
        manifest: &str,
        work: &Path,
        tools: Option<(Tool, Tool)>,
    ) -> Result<(), String> {
        let (mut bun, mut deka) = tools.unwrap_or_else(|| (self.bun.clone(), self.deka.clone()));
        let ours = Folder::new(work, "deka", manifest);
        let theirs = Folder::new(work, "bun", manifest);
        let mut expected = bun.install(&theirs.path, &[]);
        let clean = compare("clean install", &expected, &deka.install(&ours.path, &[]));
        if let Err(message) = clean {
            say_again("a clean install", &message);
            (bun, deka) = self.with_empty_caches(&work.join("again"));
            theirs.clear();
            ours.clear();
            expected = bun.install(&theirs.path, &[]);
            let again = deka.install(&ours.path, &[]);
            compare("clean install, again", &expected, &again)?;
        }

        let nothing = deka.install(&ours.path, &[]);
        compare("install with nothing to do", &expected, &nothing)?;
        for round in 1..=WARM_ROUNDS {
            ours.remove("bun.lock");
            let resolved = deka.install(&ours.path, &["--lockfile-only"]);
            compare_lockfiles(&format!("warm resolution {round}"), &expected, &resolved)?;
        }
        ours.clear();
        let warm = deka.install(&ours.path, &[]);
        compare("clean install with a warm cache", &expected, &warm)?;
        ours.clear();
        ours.write_lockfile(&expected);
        let frozen = deka.install(&ours.path, &["--frozen-lockfile"]);
        compare("frozen install", &expected, &frozen)?;

        let ways = if expected.tree.len() > LARGE_TREE { 1 } else { PARTIAL.len() };
        for arguments in &PARTIAL[..ways] {
            let what = format!("install {}", arguments.join(" "));
            for folder in [&theirs, &ours] {
                folder.remove("node_modules");
                folder.write_lockfile(&expected);
            }
            let left = bun.install(&theirs.path, arguments);
            let right = deka.install(&ours.path, arguments);
            compare_trees(&what, &left, &right)?;
            compare_lockfiles(&what, &expected, &right)?;
        }
        ours.remove("node_modules");
        deka.install(&ours.path, &["--production"]);
        let whole = deka.install(&ours.path, &[]);
        compare("install over a production install", &expected, &whole)?;
        let accepted = bun.install(&ours.path, &["--frozen-lockfile"]);
        compare("Bun over deka's install", &expected, &accepted)
    }

    /// Both tools as if they had never run.
    fn with_empty_caches(&self, work: &Path) -> (Tool, Tool) {
        let bun = tool("bun", &self.bun.program, &work.join("empty-bun"));
        let deka = tool("deka", &self.deka.program, &work.join("empty-deka"));
        (bun, deka)
    }
}

/// Installs each step over the last one, and on its own from Bun's lockfile.
fn edit(bun: &Tool, deka: &Tool, steps: &[String], work: &Path) -> Result<(), String> {
    let ours = Folder::new(work, "deka", "");
    let theirs = Folder::new(work, "bun", "");
    for (at, manifest) in steps.iter().enumerate() {
        let step = at + 1;
        for folder in [&theirs, &ours] {
            folder.write_manifest(manifest);
        }
        let right = deka.install(&ours.path, &[]);
        let left = without_lonely_folders(bun.install(&theirs.path, &[]), &right);
        compare(&format!("step {step}"), &left, &right)?;
        let fresh = Folder::new(work, &format!("frozen-{step}"), manifest);
        fresh.write_lockfile(&left);
        let frozen = deka.install(&fresh.path, &["--frozen-lockfile"]);
        compare(&format!("step {step}, frozen"), &left, &frozen)?;
    }
    Ok(())
}

/// A project's folder.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

impl Folder {
    pub(crate) fn new(work: &Path, name: &str, manifest: &str) -> Self {
        let path = work.join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        let folder = Self { path };
        folder.write_manifest(manifest);
        folder
    }

    fn write_manifest(&self, manifest: &str) {
        fs::write(self.path.join("package.json"), manifest).expect("a file can be written");
    }

    pub(crate) fn write_lockfile(&self, of: &Installed) {
        if let Some(lockfile) = &of.lockfile {
            fs::write(self.path.join("bun.lock"), lockfile).expect("a file can be written");
        }
    }

    /// Removes lockfile and `node_modules`.
    fn clear(&self) {
        self.remove("bun.lock");
        self.remove("node_modules");
    }

    pub(crate) fn remove(&self, part: &str) {
        let path = self.path.join(part);
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed
            && error.kind() != std::io::ErrorKind::NotFound
        {
            panic!("removing `{}`: {error}", path.display());
        }
    }
}

/// A difference that goes away on a second try is worth a look all the same.
#[expect(clippy::print_stderr, reason = "whoever reads the output of the tests should see it")]
fn say_again(what: &str, message: &str) {
    eprintln!("{what} differed, so both try again with empty caches:\n{message}\n");
}
