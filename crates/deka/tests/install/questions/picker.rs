//! `deka update --interactive`, on a terminal.

use deka_test::{Registry, Terminal, TestProject};
use serde_json::Value;

use super::{check_failure, installed};

const ENTER: &str = "\r";
const CONTROL_C: &str = "\u{3}";

fn open(project: &TestProject, arguments: &[&str], columns: u16) -> Terminal {
    let terminal = project.command(["update"]).args(arguments).on_terminal(columns, 24);
    terminal.wait_for("chosen", 0);
    terminal
}

/// What must not change.
fn state(project: &TestProject) -> (String, String, String) {
    let tree = project.node_modules_with_contents().to_string();
    (project.read("package.json"), project.read("bun.lock"), tree)
}

/// Presses keys one after the other, and waits until each was answered.
fn press(terminal: &mut Terminal, keys: &[&str]) {
    for key in keys {
        let seen = terminal.written().len();
        terminal.press(key);
        terminal.wait_for("chosen", seen);
    }
}

#[test]
fn what_is_chosen_is_updated() {
    let registry = Registry::start();
    let project = installed(&registry);
    let mut terminal = open(&project, &["-i"], 80);
    let shown = terminal.written();
    for text in ["Patch", "Major", "a           ", "z           ", "d dev       ", "c optional  "] {
        assert!(shown.contains(text), "{text}\n{shown}");
    }
    // `a` in its range, then `z`, the last one, beyond it.
    press(&mut terminal, &[" ", "\u{1b}[A", "l"]);
    assert!(terminal.written().contains("2 of 4 chosen"), "{}", terminal.written());
    terminal.press(ENTER);
    let (code, written) = terminal.end();
    assert_eq!(code, Some(0), "{written}");
    assert!(written.contains("packages installed"), "{written}");
    let manifest: Value = serde_json::from_str(&project.read("package.json")).unwrap();
    assert_eq!(manifest["dependencies"]["a"], "~1.0.2");
    let updated: Vec<bool> = [
        ("dependencies", "z", "npm:@s/x@^2.0.0"),
        ("devDependencies", "d", "0.2.0"),
        ("optionalDependencies", "c", "^2.0.1"),
    ]
    .iter()
    .map(|(group, name, spec)| manifest[*group][*name] == *spec)
    .collect();
    assert_eq!(updated.iter().filter(|is_updated| **is_updated).count(), 1, "{manifest}");
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
}

#[test]
fn all_within_ranges_or_beyond() {
    let registry = Registry::start();
    let project = installed(&registry);
    let mut terminal = open(&project, &["--interactive"], 200);
    press(&mut terminal, &["a"]);
    assert!(terminal.written().contains("1 of 4 chosen"), "{}", terminal.written());
    press(&mut terminal, &["a", "i"]);
    terminal.press(ENTER);
    assert_eq!(terminal.end().0, Some(0));
    assert!(project.read("package.json").contains("\"a\": \"~1.0.2\""));

    let mut terminal = open(&project, &["-i", "--latest", "[acd]"], 200);
    press(&mut terminal, &["a"]);
    terminal.press(ENTER);
    assert_eq!(terminal.end().0, Some(0));
    let manifest = project.read("package.json");
    for text in ["\"a\": \"~2.1.0\"", "\"d\": \"0.2.0\"", "\"c\": \"^2.0.1\"", "npm:@s/x@^1.0.0"] {
        assert!(manifest.contains(text), "{text}\n{manifest}");
    }
}

#[test]
fn leaving_changes_nothing() {
    let registry = Registry::start();
    let project = installed(&registry);
    let before = state(&project);
    for key in [CONTROL_C, "q", ENTER] {
        let mut terminal = open(&project, &["-i"], 80);
        if key != ENTER {
            press(&mut terminal, &["a", "\u{1b}[B"]);
        }
        terminal.press(key);
        let (code, written) = terminal.end();
        assert_eq!(code, Some(0), "{written}");
        assert!(written.contains("nothing was changed"), "{written}");
        assert_eq!(state(&project), before, "{key:?}");
    }
}

#[test]
fn nothing_to_choose() {
    let registry = Registry::start();
    let project = installed(&registry);
    let (code, written) = project.command(["update", "-i", "b"]).on_terminal(80, 24).end();
    assert_eq!((code, written.trim()), (Some(0), "All packages are up to date"));
}

#[test]
fn without_colour() {
    let registry = Registry::start();
    let project = installed(&registry);
    let mut terminal = open(&project, &["-i"], 80);
    // Only what moves the cursor and clears lines is left.
    assert!(!terminal.written().contains("\u{1b}[3"), "{:?}", terminal.written());
    terminal.press("q");
    terminal.end();
    let terminal = project.command(["update", "-i", "--color=always"]).on_terminal(80, 24);
    terminal.wait_for("\u{1b}[3", 0);
}

#[test]
fn it_needs_a_terminal() {
    let registry = Registry::start();
    let project = installed(&registry);
    let before = state(&project);
    check_failure(&project, &["update", "-i"], 2, "`deka update --interactive` needs a terminal");
    assert_eq!(state(&project), before);
}
