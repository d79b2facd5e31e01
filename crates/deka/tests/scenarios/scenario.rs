//! A project, what is done with it, and what a user sees then.
//!
//! In all texts `@/` stands for `@pnpm.e2e/`, and in those of files `{registry}` for the registry's URL without its
//! scheme.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use deka_test::{
    Installed, Outcome, Program, Registry, Tool,
    compare::{alike, compare},
    peer, scratch_folder,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::registry;

/// What Bun leaves in packages that it patched, and in those from tarballs that no registry has.
const BUN_TAG: &str = ".bun-tag";

/// How many gibibytes all scenarios take at once.
const SPACE: u64 = 1;

/// What all scenarios share.
struct Suite {
    registry: Registry,
    bun: Tool,
    deka: Tool,
    folder: PathBuf,
}

/// `None` if peers are to be skipped.
static SUITE: LazyLock<Option<Suite>> = LazyLock::new(|| {
    let registry = registry::start()?;
    let bun = peer::bun()?;
    let folder = scratch_folder("scenarios", SPACE);
    let deka = Path::new(env!("CARGO_BIN_EXE_deka"));
    Some(Suite {
        bun: tool("bun", &bun, &folder.join("bun"), &registry),
        deka: tool("deka", deka, &folder.join("deka"), &registry),
        registry,
        folder,
    })
});

/// A tool for which the registry stands in for GitHub as well.
fn tool(name: &'static str, program: &Path, folder: &Path, registry: &Registry) -> Tool {
    Tool::new(name, program, folder).env("GITHUB_API_URL", &registry.url())
}

/// Both layouts of `node_modules`.
const LAYOUTS: [&str; 2] = [HOISTED, ISOLATED];

pub(crate) const HOISTED: &str = "hoisted";
pub(crate) const ISOLATED: &str = "isolated";

/// A project before it is installed.
pub(crate) struct Scenario {
    files: BTreeMap<String, String>,
    npmrc: String,
    arguments: Vec<String>,
    layouts: Vec<&'static str>,
    runs_scripts: bool,
    is_compared: bool,
    has_own_cache: bool,
}

/// Begins a project with this `package.json`.
#[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
pub(crate) fn project(manifest: Value) -> Scenario {
    let scenario = Scenario {
        files: BTreeMap::new(),
        npmrc: String::new(),
        arguments: Vec::new(),
        layouts: LAYOUTS.to_vec(),
        runs_scripts: false,
        is_compared: true,
        has_own_cache: false,
    };
    scenario.file("package.json", &text(&manifest))
}

impl Scenario {
    /// Adds a file.
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), full(text));
        self
    }

    /// Adds the `package.json` of a folder.
    #[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
    pub(crate) fn member(self, folder: &str, manifest: Value) -> Self {
        self.file(&format!("{folder}/package.json"), &text(&manifest))
    }

    /// Adds lines to `.npmrc`.
    pub(crate) fn npmrc(mut self, lines: &str) -> Self {
        self.npmrc.push_str(lines);
        self.npmrc.push('\n');
        self
    }

    /// Calls `install` with more arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|argument| full(argument)).collect();
        self
    }

    /// Installs it in one layout only.
    pub(crate) fn only(mut self, layout: &'static str) -> Self {
        self.layouts = vec![layout];
        self
    }

    /// Runs the scripts of trusted packages.
    pub(crate) fn with_scripts(mut self) -> Self {
        self.runs_scripts = true;
        self
    }

    /// Begins with empty caches, where it matters what nobody has asked for before.
    pub(crate) fn with_own_cache(mut self) -> Self {
        self.has_own_cache = true;
        self
    }

    /// Leaves Bun out; the scenario has to say why.
    pub(crate) fn unlike_bun(mut self) -> Self {
        self.is_compared = false;
        self
    }

    /// Installs it in both layouts: clean, again, and frozen somewhere else. All three have to leave the
    /// same behind, and so has Bun.
    #[track_caller]
    pub(crate) fn install(self) -> Project {
        let Some(suite) = &*SUITE else { return Project { scenario: self, layouts: Vec::new() } };
        let layouts = self.layouts.iter().map(|layout| {
            let folder = TempDir::with_prefix_in(format!("{layout}-"), &suite.folder);
            let folder = folder.expect("a folder can be made");
            let ours = self.install_in(suite, layout, &folder);
            Layout { name: layout, folder, ours }
        });
        Project { layouts: layouts.collect(), scenario: self }
    }

    /// Installs it in each layout and expects both tools to fail; deka says all of this.
    #[track_caller]
    pub(crate) fn fails(self, said: &[&str]) {
        let Some(suite) = &*SUITE else { return };
        for layout in &self.layouts {
            let linker = format!("--linker={layout}");
            let folder = TempDir::with_prefix_in("fails-", &suite.folder).expect("a folder");
            let run = |tool: &Tool| {
                let project = folder.path().join(tool.name).join("project");
                self.run(tool, suite, &project, &[&linker]).outcome
            };
            if self.is_compared {
                let theirs = run(&suite.bun);
                assert_ne!(theirs.code, Some(0), "bun succeeds\n{}", theirs.snapshot());
            }
            let ours = run(&suite.deka);
            assert!(ours.code.is_some_and(|code| code > 0), "{}", ours.snapshot());
            for text in said {
                assert!(has_said(&ours, text), "`{text}` is not in\n{}", ours.snapshot());
            }
        }
    }

    #[track_caller]
    fn install_in(&self, suite: &Suite, layout: &str, folder: &TempDir) -> Installed {
        let fail = |message: String| panic!("{layout}, {message}");
        let path = |name: &str| folder.path().join(name).join("project");
        let linker = format!("--linker={layout}");
        let install = |tool: &Tool, name: &str, more: &[&str]| {
            self.run(tool, suite, &path(name), &[&[&*linker], more].concat())
        };
        let ours = install(&suite.deka, "deka", &[]);
        if self.is_compared {
            let (theirs, ours) = alike(install(&suite.bun, "bun", &[]), ours.clone());
            compare("clean", &theirs, &ours).unwrap_or_else(fail);
        }
        let again = install(&suite.deka, "deka", &[]);
        compare("again", &ours, &again).unwrap_or_else(fail);
        let frozen = path("frozen");
        if let Some(lockfile) = &ours.lockfile {
            fs::create_dir_all(&frozen).expect("a folder can be made");
            fs::write(frozen.join("bun.lock"), lockfile).expect("a file can be written");
        }
        let frozen = install(&suite.deka, "frozen", &["--frozen-lockfile"]);
        compare("frozen", &ours, &frozen).unwrap_or_else(fail);
        fs::remove_dir_all(path("frozen")).expect("it was installed");
        ours
    }

    /// Writes the files that are not there yet, or not as they should be, and installs.
    fn run(&self, tool: &Tool, suite: &Suite, project: &Path, more: &[&str]) -> Installed {
        let url = suite.registry.url();
        let fill_in = |text: &str| text.replace("{registry}", url.trim_start_matches("http:"));
        write(&project.join(".npmrc"), &format!("registry={url}\n{}", fill_in(&self.npmrc)));
        for (path, text) in &self.files {
            write(&project.join(path), &fill_in(text));
        }
        let mut arguments = vec!["install"];
        if !self.runs_scripts {
            arguments.push("--ignore-scripts");
        }
        arguments.extend(self.arguments.iter().map(String::as_str));
        arguments.extend(more);
        let beside = project.parent().expect("a project is in a folder of its own");
        let own = self
            .has_own_cache
            .then(|| crate::scenario::tool(tool.name, &tool.program, beside, &suite.registry));
        let tool = own.as_ref().unwrap_or(tool);
        let outcome = tool.command(project, arguments).run();
        let mut installed = tool.installed(project, outcome);
        // Bun makes `.bun` even if nothing comes into it.
        let tree = installed.tree.only(|path| !path.contains(BUN_TAG));
        installed.tree = tree.without_empty_directories();
        installed
    }
}

/// A project after it was installed, in each layout.
pub(crate) struct Project {
    scenario: Scenario,
    layouts: Vec<Layout>,
}

struct Layout {
    name: &'static str,
    folder: TempDir,
    ours: Installed,
}

impl Layout {
    fn project(&self) -> PathBuf {
        self.folder.path().join("deka/project")
    }

    /// Asks `find.js`.
    #[track_caller]
    fn ask(&self, lines: &[String]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/find.js");
        let project = self.project();
        let outcome = Program::new("node", &project).arg(script).arg(&project).args(lines).run();
        outcome.assert_success();
        outcome.stdout
    }
}

impl Project {
    /// Asserts lines of `find.js`: what Node finds from where.
    #[track_caller]
    pub(crate) fn finds(self, lines: &[&str]) -> Self {
        LAYOUTS.iter().fold(self, |project, layout| project.finds_if(layout, lines))
    }

    /// The same for one layout.
    #[track_caller]
    pub(crate) fn finds_if(self, layout: &str, lines: &[&str]) -> Self {
        for layout in self.layouts.iter().filter(|known| known.name == layout) {
            let lines: Vec<String> = lines.iter().map(|line| full(line)).collect();
            let answer = layout.ask(&lines);
            assert_eq!(answer.lines().collect::<Vec<_>>(), lines, "{}", layout.name);
        }
        self
    }

    /// Asserts that texts are in `bun.lock`.
    #[track_caller]
    pub(crate) fn locks(self, texts: &[&str]) -> Self {
        for layout in &self.layouts {
            let lockfile = layout.ours.lockfile.clone().unwrap_or_default();
            for text in texts {
                assert!(lockfile.contains(&full(text)), "`{text}` is not in\n{lockfile}");
            }
        }
        self
    }

    /// Asserts that nothing in `bun.lock` has one of these texts.
    #[track_caller]
    pub(crate) fn locks_not(self, texts: &[&str]) -> Self {
        for layout in &self.layouts {
            let lockfile = layout.ours.lockfile.clone().unwrap_or_default();
            for text in texts {
                assert!(!lockfile.contains(&full(text)), "`{text}` is in\n{lockfile}");
            }
        }
        self
    }

    /// Asserts that the first install printed texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for layout in &self.layouts {
            for text in texts {
                let said = has_said(&layout.ours.outcome, text);
                let snapshot = layout.ours.outcome.snapshot();
                assert!(said, "{}: `{text}` is not in\n{snapshot}", layout.name);
            }
        }
        self
    }

    /// Asserts what is in `node_modules`; `!path` is not.
    #[track_caller]
    pub(crate) fn has(self, paths: &[&str]) -> Self {
        for layout in &self.layouts {
            for path in paths {
                let (path, expected) = match path.strip_prefix('!') {
                    Some(path) => (path, false),
                    None => (*path, true),
                };
                let modules = layout.project().join("node_modules");
                let is_there = modules.join(full(path)).exists();
                let tree = &layout.ours.tree;
                assert_eq!(is_there, expected, "{}: `{path}`\n{tree}", layout.name);
            }
        }
        self
    }

    /// Reads a file of a package that Node finds this way, in each layout.
    #[track_caller]
    pub(crate) fn read(&self, way: &str, file: &str) -> Vec<String> {
        let read = |layout: &Layout| {
            let folder = layout.ask(&[format!("folder {}", full(way))]);
            let path = Path::new(folder.trim_end()).join(file);
            fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("reading `{}`: {error}", path.display()))
        };
        self.layouts.iter().map(read).collect()
    }

    /// Runs a command of `node_modules/.bin`, which has to print this.
    #[track_caller]
    pub(crate) fn runs(self, command: &str, expected: &str) -> Self {
        for layout in &self.layouts {
            let project = layout.project();
            let program = project.join("node_modules/.bin").join(command);
            let outcome = Program::new(program, &project).run();
            outcome.assert_success();
            assert_eq!(outcome.stdout.trim_end(), full(expected), "{}", layout.name);
        }
        self
    }

    /// Replaces `package.json` and installs over what is there; again as [`Scenario::install`] says.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "`json!` at the call reads best")]
    pub(crate) fn then(mut self, manifest: Value) -> Self {
        self.scenario = self.scenario.file("package.json", &text(&manifest));
        let Some(suite) = &*SUITE else { return self };
        for layout in &mut self.layouts {
            // In the isolated layout Bun leaves behind what is not wanted any more.
            let theirs = layout.folder.path().join("bun/project/node_modules");
            if theirs.exists() {
                fs::remove_dir_all(theirs).expect("a folder can be removed");
            }
            layout.ours = self.scenario.install_in(suite, layout.name, &layout.folder);
        }
        self
    }
}

fn has_said(outcome: &Outcome, text: &str) -> bool {
    let text = full(text);
    outcome.stdout.contains(&text) || outcome.stderr.contains(&text)
}

/// Writes a file, unless it is there already, just so.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}

fn text(manifest: &Value) -> String {
    serde_json::to_string_pretty(manifest).expect("JSON can be written") + "\n"
}

/// Writes the short scope out.
fn full(text: &str) -> String {
    text.replace("@/", "@pnpm.e2e/")
}
