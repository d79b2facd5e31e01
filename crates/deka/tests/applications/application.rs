//! What is done with each application.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use deka_scripts::sandbox;
use deka_test::{Outcome, Program, peer, say_skipped, scratch_folder};
use tempfile::TempDir;

use crate::server::{Server, free_port};

/// How many gibibytes the store and the applications take that are there at the same time.
const SPACE: u64 = 4;

/// What tools leave in an application's folder, and what deka does.
const GENERATED: &[&str] =
    &[".angular", ".astro", ".next", ".svelte-kit", "build", "dist", "node_modules"];

/// How an application is built, started and looked at.
#[derive(Debug, Default)]
pub(crate) struct Application {
    /// Relative to the folder of this suite.
    pub(crate) folder: &'static str,
    /// Whether it needs no `DEKA_TEST_APPLICATIONS`.
    pub(crate) runs_always: bool,
    /// The tool that keeps its packages in the project, if one does.
    pub(crate) refuses_to_share: Option<&'static str>,
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// Commands from `node_modules/.bin`, with their arguments.
    pub(crate) build: &'static [&'static [&'static str]],
    /// The command of the server, if it has one; it is told the port as `{port}` and as the variable `PORT`.
    pub(crate) start: &'static [&'static str],
    /// Paths to ask the server for, each with a text that the answer contains.
    pub(crate) pages: &'static [(&'static str, &'static str)],
}

/// The layout of `node_modules`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Linker {
    Hoisted,
    Isolated,
    /// Isolated, with the folders of packages shared where the tools of the application allow it.
    Shared,
}

/// A home with deka's store, shared by all applications; `None` if they are to be skipped.
static HOME: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    peer::npm_registry()?;
    let home = scratch_folder("applications", SPACE);
    fs::create_dir(home.join("store")).expect("a folder can be made");
    Some(home)
});

impl Application {
    /// Installs, builds and starts a copy.
    pub(crate) fn check(&self, linker: Linker) {
        let runs_always = self.runs_always && !matches!(linker, Linker::Shared);
        let Some(home) = home(runs_always) else { return };
        let work = TempDir::with_prefix_in("application-", home).expect("a folder");
        let copy = work.path().join("application");
        copy_sources(&suite_folder().join(self.folder), &copy);
        let lockfile = read(&copy.join("bun.lock"));

        let outcome = install(&copy, home, linker);
        outcome.assert_success();
        assert_eq!(read(&copy.join("bun.lock")), lockfile, "bun.lock changed");
        let entries = copy.join("node_modules/.bun");
        assert_eq!(entries.is_dir(), !matches!(linker, Linker::Hoisted), "the layout");
        if matches!(linker, Linker::Shared) {
            let warning = "Packages stay in the project, because `";
            let refusing = outcome.stderr.split(warning).nth(1).and_then(|it| it.split('`').next());
            assert_eq!(refusing, self.refuses_to_share, "{}", outcome.snapshot());
            let leaves = fs::read_dir(&entries)
                .expect("the entries can be listed")
                .any(|entry| entry.expect("a readable folder").path().is_symlink());
            assert_eq!(leaves, refusing.is_none(), "links that leave the project");
        }

        for command in self.build {
            self.program(&copy, home, command).run().assert_success();
        }
        if self.start.is_empty() {
            return;
        }
        let port = free_port();
        let arguments = self.start.iter().map(|part| part.replace("{port}", &port.to_string()));
        let start: Vec<String> = arguments.collect();
        let start: Vec<&str> = start.iter().map(String::as_str).collect();
        let program = self.program(&copy, home, &start).env("PORT", port.to_string());
        let mut server = Server::start(&program, port);
        for (path, text) in self.pages {
            let answer = server.get(path);
            assert!(answer.contains(text), "no `{text}` in `{path}`\n{answer}");
        }
    }

    /// A command of the application itself, or of Node.
    fn program(&self, copy: &Path, home: &Path, command: &[&str]) -> Program {
        let (name, arguments) = command.split_first().expect("a command has a name");
        let own = copy.join("node_modules/.bin").join(name);
        let executable = if own.exists() { own } else { PathBuf::from(name) };
        let mut program = Program::new(executable, copy)
            .args(arguments)
            .env("HOME", home)
            .env("CI", "1")
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .env("ASTRO_TELEMETRY_DISABLED", "1")
            .env("NG_CLI_ANALYTICS", "false");
        for (name, value) in self.variables {
            program = program.env(name, value);
        }
        program
    }
}

/// Installs an application with a script that the sandbox stops, and looks for what would allow it.
pub(crate) fn check_refused(folder: &str, hint: &str) {
    let Some(home) = home(false) else { return };
    if !sandbox::support().network {
        say_skipped("this kernel cannot hold back sockets");
        return;
    }
    let work = TempDir::with_prefix_in("application-", home).expect("a folder");
    let copy = work.path().join("application");
    copy_sources(&suite_folder().join(folder), &copy);
    let outcome = install(&copy, home, Linker::Hoisted);
    assert_ne!(outcome.code, Some(0), "{}", outcome.snapshot());
    assert!(outcome.stderr.contains(hint), "{}", outcome.snapshot());
}

/// The folder with deka's store, unless the application is to be skipped; says so then.
fn home(runs_always: bool) -> Option<&'static Path> {
    if !runs_always && variable("DEKA_TEST_APPLICATIONS").is_none() {
        say_skipped("DEKA_TEST_APPLICATIONS is not set, so only some applications are built");
        return None;
    }
    HOME.as_deref()
}

fn install(copy: &Path, home: &Path, linker: Linker) -> Outcome {
    let switch = if matches!(linker, Linker::Shared) { "1" } else { "0" };
    let linker = match linker {
        Linker::Hoisted => "--linker=hoisted",
        Linker::Isolated | Linker::Shared => "--linker=isolated",
    };
    let mut program = Program::new(env!("CARGO_BIN_EXE_deka"), copy)
        .args(["install", "--frozen-lockfile", linker])
        .env("HOME", home)
        .env("DEKA_CACHE_DIR", home.join("store"))
        .env("BUN_INSTALL_GLOBAL_STORE", switch)
        .env("NO_COLOR", "1");
    // Where node-gyp's Python is one of pyenv, it is found by this.
    if let Some(root) = variable("PYENV_ROOT") {
        program = program.env("PYENV_ROOT", root);
    }
    for (name, value) in peer::network_environment() {
        program = program.env(&name, value);
    }
    program.run()
}

/// The names of the applications beside this file, sorted.
pub(crate) fn folders() -> Vec<String> {
    let entries = fs::read_dir(suite_folder()).expect("the suite has a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.join("package.json").is_file())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

fn suite_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/applications")
}

/// Copies what is in git.
fn copy_sources(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the application is there") {
        let entry = entry.expect("a readable folder");
        let name = entry.file_name();
        if GENERATED.iter().any(|generated| name == **generated) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy_sources(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("reading `{}`: {error}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "who runs the suite decides by environment")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
