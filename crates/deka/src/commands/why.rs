//! `deka why`: who asks for a package.

use std::fmt::Write as _;

use deka_config::Environment;
use deka_graph::EdgeKind;
use deka_install::{Explanation, Peer, Reason};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::arguments::{CommonArguments, InstallArguments, WhyArguments};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::exit_code::Class;
use crate::render_error::printable;

/// That of `schemas/why.json`.
const SCHEMA_VERSION: u32 = 1;

/// Explains the packages that are asked about.
pub(crate) fn run(
    arguments: &WhyArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let root = if arguments.global {
        let overrides = InstallArguments::default().overrides(common)?;
        super::global::project(true, environment, &overrides)?.0
    } else {
        // Without settings: none counts, and editors ask all the time.
        deka_install::find_project(environment.working_folder())?
    };
    let explanations = deka_install::why(&root, &arguments.package)?;
    if explanations.is_empty() {
        let message = format!("No packages matching `{}` found in bun.lock", arguments.package);
        return Err(Diagnostic::new(Class::User, message));
    }
    let depth = if arguments.top { Some(1) } else { arguments.depth };
    if arguments.json {
        document::print(SCHEMA_VERSION, [("packages", json(&explanations, depth))]);
    } else {
        let texts = explanations.iter().map(|found| text(found, depth, arguments.top));
        print(&texts.collect::<String>());
    }
    Ok(())
}

fn text(found: &Explanation, depth: Option<usize>, is_top: bool) -> String {
    let name = printable(&found.name);
    let version = format!("@{}", printable(&found.version));
    let mut output = format!("{}{}\n", name.bold(), version.dimmed());
    let mut children = vec![Vec::new(); found.reasons.len()];
    let mut rest = Vec::new();
    for (at, reason) in found.reasons.iter().enumerate().rev() {
        // The first is the last, because it is taken from the end.
        let list = reason.of.map_or(&mut rest, |of| &mut children[of]);
        let is_last = list.is_empty();
        list.push((at, is_last));
    }
    if rest.is_empty() {
        output.push_str("  └─ No dependents found\n");
    }
    // Not by recursion: nothing limits how deep a lockfile is.
    let mut levels: Vec<bool> = Vec::new();
    while let Some((at, is_last)) = rest.pop() {
        let reason = &found.reasons[at];
        levels.truncate(reason.depth - 1);
        let indent: String =
            levels.iter().map(|is_last| if *is_last { "   " } else { "│  " }).collect();
        let branch = if is_last { "└─" } else { "├─" };
        // Writing to a string does not fail.
        let asked = reason.of.map_or(Some(&found.version), |of| found.reasons[of].version.as_ref());
        let _ = writeln!(output, "  {indent}{branch} {}", line(reason, asked.map(String::as_str)));
        levels.push(is_last);
        let indent: String =
            levels.iter().map(|is_last| if *is_last { "   " } else { "│  " }).collect();
        let more = std::mem::take(&mut children[at]);
        let is_hidden = depth.is_some_and(|depth| reason.depth >= depth);
        if is_hidden && !is_top && (!more.is_empty() || reason.is_repeated) {
            let _ = writeln!(output, "  {indent}└─ (deeper dependencies hidden)");
        } else if !is_hidden && reason.is_repeated {
            let _ = writeln!(output, "  {indent}└─ *deduped");
        } else if !is_hidden {
            rest.extend(more);
        }
    }
    for peer in &found.peers {
        let _ = writeln!(output, "  {}", peer_line(peer));
    }
    output.push('\n');
    output
}

/// Returns what a package wants beside it, and gets.
fn peer_line(peer: &Peer) -> String {
    let wanted = format!("wants {}@{}", printable(&peer.name), printable(&peer.range));
    let gets = match &peer.found {
        Some(found) => format!("gets {}", printable(found)),
        None => "nobody has it".to_owned(),
    };
    let line = format!("{wanted}, {gets}");
    if peer.is_kept { line.dimmed().to_string() } else { line.yellow().to_string() }
}

/// Returns who asks, and for what; `asked` is the version of the package that is asked for.
fn line(reason: &Reason, asked: Option<&str>) -> String {
    let kind = match kind(reason) {
        "prod" => String::new(),
        "optional-peer" => "optional peer ".to_owned(),
        kind => format!("{kind} "),
    };
    let name = printable(reason.name.as_deref().unwrap_or("the root package"));
    let version = reason.version.as_deref().map(|version| format!("@{}", printable(version)));
    let range = printable(&reason.range);
    let range = match asked.filter(|_| !reason.is_kept) {
        Some(asked) => {
            format!("(requires {range}, gets {})", printable(asked)).yellow().to_string()
        }
        None => format!("(requires {range})").dimmed().to_string(),
    };
    format!("{}{name}{} {}", kind.dimmed(), version.unwrap_or_default().dimmed(), range)
}

fn kind(reason: &Reason) -> &'static str {
    match reason.kind {
        EdgeKind::Peer if reason.is_optional_peer => "optional-peer",
        kind => kind.word(),
    }
}

fn json(explanations: &[Explanation], depth: Option<usize>) -> Value {
    let describe = |reason: &Reason| -> Value {
        json!({
            "of": reason.of,
            "depth": reason.depth,
            "name": reason.name,
            "version": reason.version,
            "range": reason.range,
            "kind": kind(reason),
            "repeated": reason.is_repeated,
            "satisfied": reason.is_kept,
        })
    };
    let describe_peer = |peer: &Peer| -> Value {
        json!({
            "name": peer.name,
            "range": peer.range,
            "found": peer.found,
            "satisfied": peer.is_kept,
        })
    };
    explanations
        .iter()
        .map(|found| {
            let is_shown =
                |reason: &&Reason| depth.is_none_or(|depth| reason.depth <= depth.max(1));
            let reasons: Vec<Value> =
                found.reasons.iter().take_while(is_shown).map(describe).collect();
            let peers: Vec<Value> = found.peers.iter().map(describe_peer).collect();
            json!({
                "name": found.name,
                "version": found.version,
                "reasons": reasons,
                "peers": peers,
            })
        })
        .collect()
}
