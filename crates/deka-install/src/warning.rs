//! The words for what the resolver noticed.

use deka_graph::EdgeKind;
use deka_resolver::Warning;

/// Returns the text of a warning.
pub(crate) fn text(warning: &Warning) -> String {
    match warning {
        Warning::Deprecated { name, version, message } => {
            format!("deprecated {name}@{version}: {}", one_line(message))
        }
        Warning::UnmetPeer { peer, spec, required_by } => format!(
            "No version of the peer `{peer}` matches `{spec}`, required by {}",
            required_by.join(" > ")
        ),
        Warning::IncorrectPeer { peer, spec, found, required_by } => format!(
            "incorrect peer dependency `{found}`: {} wants `{peer}@{spec}`",
            required_by.join(" > ")
        ),
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
                group(*kept),
                group(*dropped)
            )
        }
        Warning::SkippedOptional { alias, spec, reason } => {
            format!("skipped the optional dependency `{alias}@{spec}`: {reason}")
        }
    }
}

fn group(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Workspace => "workspaces",
        EdgeKind::Dev => "devDependencies",
        EdgeKind::Optional => "optionalDependencies",
        EdgeKind::Prod => "dependencies",
        EdgeKind::Peer => "peerDependencies",
    }
}

/// Registry text goes to terminals: no control characters, one line.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).collect::<Vec<_>>().join(" ")
}
