//! Command lines that change a project, run by Bun and by deka on the same files.
//!
//! After each line the exit code (whether it is 0), every `package.json`, `bun.lock` and `node_modules`
//! have to be equal, the patches, and the folder of the commands for all projects: with `-g` the project is
//! that of what is installed for all. The packages come from a registry in the process, so a line costs
//! milliseconds.

mod lines;
mod world;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use deka_test::{Outcome, Program, Tree, peer};
use tempfile::TempDir;

use crate::compare::line_difference;
use crate::suite::deka;
use crate::tool::{STATE_FILE, Tool};
use world::{MANIFESTS, REGISTRY};

/// What deka notes while packages are edited.
const LIST_OF_EDITED: &str = ".being-patched";
/// Commands whose output has to be the same, too.
const LOOKING: &[&str] = &["pm ls", "pm licenses", "outdated", "info", "pm view", "audit"];
/// Of which only what they change counts.
const NOT_LOOKING: &[&str] = &["audit fix", "--json"];
/// Commands that start others, where exit codes have to be the same, too.
const RUNNING: &[&str] = &["run ", "exec ", "x ", "start "];

/// Both tools, and the folder that they work in.
struct Tools {
    bun: Tool,
    deka: Tool,
    folder: TempDir,
}

/// `None` if peers are to be skipped.
static TOOLS: LazyLock<Option<Tools>> = LazyLock::new(|| {
    let bun = peer::bun()?;
    let folder = TempDir::new().expect("a folder");
    Some(Tools {
        bun: tool("bun", &bun, folder.path()),
        deka: tool("deka", &deka(), folder.path()),
        folder,
    })
});

/// The folder below the project with the commands for all projects.
const COMMANDS: &str = "commands";

fn tool(name: &'static str, program: &Path, folder: &Path) -> Tool {
    Tool::new(name, program, &folder.join(name)).env("npm_config_registry", &REGISTRY.url())
}

/// What a command left behind.
struct Left {
    outcome: Outcome,
    files: Vec<(&'static str, Option<String>)>,
    tree: Tree,
    commands: Tree,
    patches: Tree,
}

/// Runs lines such as `plain: add a | remove a`: a project, and what is done in it. A command that
/// begins with `<folder>/` is run in that folder, one that begins with `$` by the shell.
fn check(lines: &[&str]) {
    let Some(tools) = &*TOOLS else { return };
    let failures: Vec<String> = lines.iter().filter_map(|line| difference(tools, line)).collect();
    assert!(failures.is_empty(), "{} lines differ\n\n{}", failures.len(), failures.join("\n\n"));
}

fn difference(tools: &Tools, line: &str) -> Option<String> {
    let (project, commands) = line.split_once(": ").expect("a project and its commands");
    let work = TempDir::new_in(tools.folder.path()).expect("a folder");
    let folders = [work.path().join("bun"), work.path().join("deka")];
    for folder in &folders {
        world::write(project, folder);
    }
    for command in commands.split(" | ") {
        if let Some(script) = command.strip_prefix("$ ") {
            for folder in &folders {
                shell(script, folder);
            }
            continue;
        }
        let left = run(&tools.bun, &folders[0], command);
        let right = run(&tools.deka, &folders[1], command);
        let is_one_of = |list: &[&str]| list.iter().any(|part| command.contains(part));
        let said = is_one_of(LOOKING) && !is_one_of(NOT_LOOKING);
        let said = said.then(|| compare_texts(&left.outcome, &right.outcome)).flatten();
        let is_running = RUNNING.iter().any(|running| words_of(command).starts_with(running));
        let ran = is_running.then(|| compare_ends(&left.outcome, &right.outcome)).flatten();
        if let Some(found) = compare(&left, &right).or(said).or(ran) {
            let (bun, deka) = (left.outcome.snapshot(), right.outcome.snapshot());
            return Some(format!("{line}\nat `{command}`: - bun, + deka\n{found}\n{bun}\n{deka}"));
        }
    }
    None
}

/// Edits the files of a project.
fn shell(script: &str, project: &Path) {
    Program::new("sh", project).args(["-c", script]).run().assert_success();
}

fn run(tool: &Tool, project: &Path, command: &str) -> Left {
    let (folder, words) = match command.split_once("/ ") {
        Some((folder, words)) => (project.join(folder), words),
        None => (project.to_owned(), command),
    };
    let words = words.replace("{registry}", &REGISTRY.url());
    let is_global = words.split_whitespace().any(|word| matches!(word, "-g" | "--global"));
    let global = project.join("global");
    let outcome = tool
        .command(&folder, words.split_whitespace())
        .env("BUN_INSTALL_GLOBAL_DIR", if is_global { project } else { &global })
        .env("BUN_INSTALL_BIN", project.join(COMMANDS))
        .run();
    let read = |path: &&'static str| (*path, fs::read_to_string(project.join(path)).ok());
    Left {
        outcome,
        files: MANIFESTS.iter().chain(&["bun.lock"]).map(read).collect(),
        tree: Tree::read(&project.join("node_modules"))
            .without(STATE_FILE)
            .without(LIST_OF_EDITED)
            .only(|path| !path.contains("/.bun-tag"))
            // Bun links the commands of global packages for all projects alone.
            .only(|path| !is_global || !path.starts_with(".bin"))
            .without_empty_directories(),
        commands: Tree::read(&project.join(COMMANDS)),
        patches: Tree::read_with_contents(&project.join("patches")).without_empty_directories(),
    }
}

/// Returns a command without the folder that it is run in.
fn words_of(command: &str) -> &str {
    command.split_once("/ ").map_or(command, |(_, words)| words)
}

/// Compares all that was written to stdout, and exit codes.
fn compare_ends(left: &Outcome, right: &Outcome) -> Option<String> {
    if left.code != right.code {
        return Some(format!("exit codes differ: {:?}, {:?}", left.code, right.code));
    }
    (left.stdout != right.stdout).then(|| line_difference(&left.stdout, &right.stdout))
}

/// Compares what was said, but for the first line, which names the folder or the program.
fn compare_texts(left: &Outcome, right: &Outcome) -> Option<String> {
    let rest = |outcome: &Outcome| {
        let text = outcome.filtered(&outcome.stdout).replace("bun audit", "deka audit");
        text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned())
    };
    let (left, right) = (rest(left), rest(right));
    (left != right).then(|| line_difference(&left, &right))
}

fn compare(left: &Left, right: &Left) -> Option<String> {
    let succeeded = |left: &Left| left.outcome.code == Some(0);
    if succeeded(left) != succeeded(right) {
        return Some("one fails, the other does not".to_owned());
    }
    let mut found = Vec::new();
    for ((path, left), (_, right)) in left.files.iter().zip(&right.files) {
        if left != right {
            let text = |file: &Option<String>| file.clone().unwrap_or_default();
            let lines = line_difference(&text(left), &text(right));
            found.push(format!("{path} differs\n{lines}"));
        }
    }
    found.extend(left.tree.difference(&right.tree));
    found.extend(left.commands.difference(&right.commands));
    found.extend(left.patches.difference(&right.patches));
    (!found.is_empty()).then(|| found.join("\n"))
}
