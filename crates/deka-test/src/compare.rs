//! Where the installs of two tools differ.

use crate::{Installed, Outcome, Tree};

/// How many differing lines a failure shows.
const SHOWN: usize = 30;

/// Says in which of exit code, lockfile and tree two installs differ.
pub fn compare(what: &str, left: &Installed, right: &Installed) -> Result<(), String> {
    succeeded(what, left)?;
    succeeded(what, right)?;
    let title = format!("{what}: - {}, + {}", left.tool, right.tool);
    let found: Vec<String> =
        lockfiles(left, right).into_iter().chain(trees(&left.tree, &right.tree)).collect();
    if found.is_empty() { Ok(()) } else { Err(format!("{title}\n{}", found.join("\n"))) }
}

/// Compares only the lockfiles: for installs that leave the tree alone.
pub fn compare_lockfiles(what: &str, left: &Installed, right: &Installed) -> Result<(), String> {
    succeeded(what, left)?;
    succeeded(what, right)?;
    match lockfiles(left, right) {
        None => Ok(()),
        Some(found) => Err(format!("{what}: - {}, + {}\n{found}", left.tool, right.tool)),
    }
}

/// Compares only the trees: for installs that may not touch the lockfile.
pub fn compare_trees(what: &str, left: &Installed, right: &Installed) -> Result<(), String> {
    succeeded(what, left)?;
    succeeded(what, right)?;
    match trees(&left.tree, &right.tree) {
        None => Ok(()),
        Some(found) => Err(format!("{what}: - {}, + {}\n{found}", left.tool, right.tool)),
    }
}

/// Takes out the empty folders that only `left` has: Bun leaves them where it removed everything, or found
/// nothing to put.
#[must_use]
pub fn without_lonely_folders(left: Installed, right: &Installed) -> Installed {
    let tree = left.tree.without_empty_directories_but_those_of(&right.tree);
    Installed { tree, ..left }
}

/// Takes out what may differ in the isolated layout: Bun links commands within its entries only where they are
/// there already, which they are not in circles of dependencies, nor before a script has made them.
pub fn alike(left: Installed, right: Installed) -> (Installed, Installed) {
    let is_command_of_entry =
        |path: &str| path.contains(".bun/") && path.contains("/node_modules/.bin/");
    let tree = right.tree.only(|path| !is_command_of_entry(path) || left.tree.get(path).is_some());
    // Nor are the folders of such commands.
    let is_folder_of_commands = |path: &str| path.contains(".bun/") && path.ends_with("/.bin");
    let tree = tree.only(|path| !is_folder_of_commands(path) || left.tree.get(path).is_some());
    let right = Installed { tree, ..right };
    (without_lonely_folders(left, &right), right)
}

fn succeeded(what: &str, installed: &Installed) -> Result<(), String> {
    let Outcome { code, .. } = installed.outcome;
    if code == Some(0) {
        return Ok(());
    }
    Err(format!("{what}: {} failed\n{}", installed.tool, installed.outcome.snapshot()))
}

fn lockfiles(left: &Installed, right: &Installed) -> Option<String> {
    let text = |installed: &Installed| installed.lockfile.clone().unwrap_or_default();
    (left.lockfile != right.lockfile)
        .then(|| format!("bun.lock differs\n{}", line_difference(&text(left), &text(right))))
}

fn trees(left: &Tree, right: &Tree) -> Option<String> {
    let lines = left.difference(right);
    (!lines.is_empty())
        .then(|| format!("node_modules differs in {} paths\n{}", lines.len(), first(&lines)))
}

/// The lines that only one side has, in the order of the files, as far as they are not common to
/// both ends. Not a minimal difference, but entries of a lockfile are lines of their own.
pub fn line_difference(left: &str, right: &str) -> String {
    let missing_in = |text: &str, other: &str, sign: char| -> Vec<String> {
        let other: std::collections::BTreeSet<&str> = other.lines().collect();
        text.lines()
            .filter(|line| !other.contains(line))
            .map(|line| format!("{sign} {line}"))
            .collect()
    };
    let mut lines = missing_in(left, right, '-');
    lines.truncate(SHOWN);
    lines.extend(missing_in(right, left, '+'));
    if lines.is_empty() {
        return "the same lines in another order".to_owned();
    }
    lines.truncate(2 * SHOWN);
    lines.join("\n")
}

fn first(lines: &[String]) -> String {
    lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Program;

    /// An "install" of one package by hand; the closure spoils it.
    fn installed(spoil: impl FnOnce(&std::path::Path)) -> Installed {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join("a")).unwrap();
        fs::write(path.join("a/index.js"), "1").unwrap();
        spoil(path);
        Installed {
            tool: "test",
            outcome: Program::new("true", path).run(),
            lockfile: Some("one\ntwo\n".to_owned()),
            tree: Tree::read(path),
        }
    }

    #[test]
    fn equal_installs_are_equal() {
        assert_eq!(compare("x", &installed(|_| ()), &installed(|_| ())), Ok(()));
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        let good = installed(|_| ());
        let check = |other: &Installed, expected: &str| {
            let message = compare("x", &good, other).unwrap_err();
            assert!(message.contains(expected), "{message}");
        };
        check(&installed(|path| fs::write(path.join("b"), "").unwrap()), "+ b 0");
        check(&installed(|path| fs::remove_file(path.join("a/index.js")).unwrap()), "- a/index.js");
        check(&installed(|path| fs::write(path.join("a/index.js"), "12").unwrap()), "1 / 2");
        let mode = |path: &std::path::Path| {
            use std::os::unix::fs::PermissionsExt;
            let all = fs::Permissions::from_mode(0o755);
            fs::set_permissions(path.join("a/index.js"), all).unwrap();
        };
        check(&installed(mode), "1 / 1 x");
        let mut other = installed(|_| ());
        other.lockfile = Some("two\none\n".to_owned());
        check(&other, "another order");
        other.lockfile = Some("one\nthree\n".to_owned());
        check(&other, "- two\n+ three");
        other.lockfile = None;
        check(&other, "- one\n- two");
        let mut failed = installed(|_| ());
        failed.outcome.code = Some(1);
        check(&failed, "test failed");
    }
}
