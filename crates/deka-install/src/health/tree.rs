//! Whether `node_modules` is what the lockfile says, and the lockfile makes sense.

use std::collections::BTreeMap;

use super::Finding;
use crate::inventory::{Inventory, ListOptions, Problem, Row};
use crate::peers::PeerConflict;

/// What must not be there twice: each copy has a state of its own that the others don't see.
const SINGLE: &[&str] = &[
    "@angular/core",
    "@apollo/client",
    "@emotion/react",
    "@tanstack/react-query",
    "graphql",
    "preact",
    "react",
    "react-dom",
    "react-native",
    "react-redux",
    "react-router",
    "rxjs",
    "solid-js",
    "styled-components",
    "svelte",
    "vue",
    "zone.js",
];

/// How many cases are named.
const MOST_DETAILS: usize = 10;

pub(super) fn examine(inventory: &Inventory) -> Vec<Finding> {
    let options = ListOptions { all: true, ..ListOptions::default() };
    let rows: Vec<Row> =
        inventory.list(&options).into_iter().flat_map(|listing| listing.rows).collect();
    let mut findings = vec![installed(&rows)];
    findings.push(single(&rows));
    findings.push(peers(&inventory.peer_conflicts()));
    findings
}

fn installed(rows: &[Row]) -> Finding {
    const CHECK: &str = "node_modules";
    let describe = |row: &Row| match &row.problem {
        Some(Problem::Missing) => Some(format!("{}@{} is missing", row.alias, row.version)),
        Some(Problem::Invalid { installed }) => {
            Some(format!("{}@{} is there as {installed}", row.alias, row.version))
        }
        Some(Problem::Extraneous) | None => None,
    };
    let wrong: Vec<String> = rows.iter().filter_map(describe).collect();
    if !wrong.is_empty() {
        let message =
            format!("{} of bun.lock are not in node_modules as they should be", wrong.len());
        return Finding::problem(CHECK, message, "Run `deka install`").with_details(few(wrong));
    }
    let is_extraneous = |row: &&Row| row.problem == Some(Problem::Extraneous);
    let extraneous: Vec<String> =
        rows.iter().filter(is_extraneous).map(|row| row.alias.clone()).collect();
    if extraneous.is_empty() {
        return Finding::good(CHECK, "node_modules is what bun.lock says");
    }
    let message = format!("{} in node_modules are asked for by nobody", extraneous.len());
    let advice = "Remove them with `deka prune`, if they are not yours";
    Finding::notice(CHECK, message, advice).with_details(few(extraneous))
}

fn single(rows: &[Row]) -> Finding {
    const CHECK: &str = "duplicates";
    let mut majors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| SINGLE.contains(&row.name.as_str())) {
        let versions = majors.entry(&row.name).or_default();
        let major = |version: &str| version.split('.').next().map(ToOwned::to_owned);
        if !versions.iter().any(|known| major(known) == major(&row.version)) {
            versions.push(&row.version);
        }
    }
    majors.retain(|_, versions| versions.len() > 1);
    let Some(first) = majors.keys().next() else {
        return Finding::good(CHECK, "Nothing is there twice that must be there once");
    };
    let advice =
        format!("See who asks for each with `deka why {first}`, and bring them to one version");
    let describe =
        |(name, versions): (&&str, &Vec<&str>)| format!("{name}: {}", versions.join(", "));
    let details = majors.iter().map(describe).collect();
    let message = "Several major versions are there of what works only once";
    Finding::problem(CHECK, message, advice).with_details(details)
}

fn peers(conflicts: &[PeerConflict]) -> Finding {
    const CHECK: &str = "peers";
    let Some(first) = conflicts.first() else {
        return Finding::good(CHECK, "All peers get what they want");
    };
    let advice = match &first.found {
        // The project and its members have no version.
        Some(_) if !first.dependent.contains('@') => format!(
            "Bring `{}` to a version that fits {}, or let peerDependencies ask for another range",
            first.peer, first.wanted
        ),
        Some(_) => format!(
            "Update `{}`, or bring `{}` to a version that fits {}",
            first.dependent, first.peer, first.wanted
        ),
        None => format!("Run `deka add {}@{}`", first.peer, first.wanted),
    };
    // All of them: an install that names some says that the rest is here.
    let details = conflicts.iter().map(ToString::to_string).collect();
    let message = match conflicts.len() {
        1 => "1 peer does not get what it wants".to_owned(),
        number => format!("{number} peers do not get what they want"),
    };
    Finding::problem(CHECK, message, advice).with_details(details)
}

fn few(mut details: Vec<String>) -> Vec<String> {
    let more = details.len().saturating_sub(MOST_DETAILS);
    details.truncate(MOST_DETAILS);
    if more > 0 {
        details.push(format!("and {more} more"));
    }
    details
}
