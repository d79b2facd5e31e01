//! The words for what the resolver noticed.

use deka_lockfile::Lockfile;
use deka_manifest::{Symbol, without_credentials};
use deka_resolver::Warning;

/// Returns the text of a warning.
pub(crate) fn text(warning: &Warning) -> String {
    match warning {
        Warning::Deprecated { name, version, message } => {
            format!("deprecated {name}@{version}: {}", one_line(message))
        }
        Warning::UnsupportedPlatform { package, wants } => {
            let wants: Vec<String> = wants
                .iter()
                .map(|(property, entries)| format!("{property} {}", entries.join(", ")))
                .collect();
            format!("skipped {package}: unsupported platform (wants {})", wants.join(" and "))
        }
        Warning::DuplicateDependency { path, alias, kept, dropped } => {
            let place = if path.is_empty() { "package.json" } else { path };
            format!(
                "`{alias}` is in two groups of {place}: {} counts, {} does not",
                kept.field(),
                dropped.field()
            )
        }
        Warning::SkippedOptional { alias, spec, reason } => {
            let spec = without_credentials(spec);
            format!("skipped the optional dependency `{alias}@{spec}`: {}", one_line(reason))
        }
    }
}

/// How many members are named; containers often have a handful of hundreds.
const NAMED: usize = 5;

/// Returns the text about members that the lockfile has and the disk has not.
pub(crate) fn pruned(lockfile: &Lockfile, folders: &[Symbol]) -> String {
    let name = |folder: &Symbol| {
        let name = lockfile.workspace(folder).and_then(|entry| entry.name);
        format!("\"{}\"", name.unwrap_or(*folder))
    };
    let names: Vec<String> = folders.iter().take(NAMED).map(name).collect();
    let plural = if folders.len() == 1 { "" } else { "s" };
    let others = match folders.len() - names.len() {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    format!(
        "skipped {} workspace{plural} listed in bun.lock but not on disk: {}{others}",
        folders.len(),
        names.join(", ")
    )
}

/// Registry text goes to terminals: no control characters, one line.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).collect::<Vec<_>>().join(" ")
}
