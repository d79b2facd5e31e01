//! A workspace that is made up: many packages that need each other, and what such packages need
//! from npm, in versions that do not all agree.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::serve::MADE_UP_SCOPE;

/// Dependencies from npm and the ranges in use; who comes later in the list uses the next one.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("react", &["^18"]),
    ("react-dom", &["^18"]),
    ("lodash", &["^4"]),
    ("zod", &["^3", "^4"]),
    ("date-fns", &["^2", "^3", "^4"]),
    ("express", &["^4", "^5"]),
    ("chalk", &["^4", "^5"]),
    ("commander", &["^11", "^12"]),
    ("axios", &["^1"]),
    ("uuid", &["^8", "^9"]),
    ("semver", &["^6", "^7"]),
    ("fastify", &["^4", "^5"]),
    ("@mui/material", &["^5"]),
    ("redux", &["^4", "^5"]),
    ("rxjs", &["^7"]),
    ("graphql", &["^16"]),
    ("ws", &["^8"]),
    ("yargs", &["^16", "^17"]),
    ("debug", &["^3", "^4"]),
    ("glob", &["^8", "^10"]),
];

/// Tools, needed by each third package.
const TOOLS: &[(&str, &[&str])] = &[
    ("typescript", &["^5"]),
    ("eslint", &["^8", "^9"]),
    ("vitest", &["^2"]),
    ("esbuild", &["^0.24", "^0.25"]),
    ("rollup", &["^3", "^4"]),
];

/// The files of a workspace with this many packages.
pub(crate) fn files(packages: usize) -> Vec<(PathBuf, String)> {
    let root = json!({
        "name": "workspace",
        "version": "1.0.0",
        "private": true,
        "workspaces": ["packages/*"],
        "dependencies": { name(0): "^1.0.0", "semver": "^7" },
        "devDependencies": { "typescript": "5.9.3", "prettier": "^3" },
    });
    let mut files = vec![
        (PathBuf::from("package.json"), format!("{root:#}")),
        // Only pnpm reads it. The others link what the workspace has without being told.
        (
            PathBuf::from("pnpm-workspace.yaml"),
            "packages:\n  - packages/*\nlinkWorkspacePackages: true\n".to_owned(),
        ),
    ];
    files.extend((0..packages).map(|number| {
        let path = PathBuf::from(format!("packages/package-{number}/package.json"));
        (path, format!("{:#}", package(number)))
    }));
    files
}

fn name(number: usize) -> String {
    format!("{MADE_UP_SCOPE}package-{number}")
}

fn package(number: usize) -> Value {
    // Those before it, so that there is no circle.
    let near = [1, 2, 7].into_iter().filter_map(|distance| number.checked_sub(distance));
    let mut dependencies: Map<String, Value> =
        near.map(|other| (name(other), "^1.0.0".into())).collect();
    for step in 0..5 {
        dependencies.extend(pick(DEPENDENCIES, number * 3 + step * 4, number / 3));
    }
    let mut tools = Map::new();
    if number.is_multiple_of(3) {
        for step in 0..2 {
            tools.extend(pick(TOOLS, number + step, number / 3));
        }
    }
    json!({
        "name": name(number),
        "version": "1.0.0",
        "main": "index.js",
        "dependencies": dependencies,
        "devDependencies": tools,
    })
}

fn pick(list: &[(&str, &[&str])], at: usize, turn: usize) -> Option<(String, Value)> {
    let (name, ranges) = list.get(at % list.len())?;
    let range = ranges.get(turn % ranges.len())?;
    Some(((*name).to_owned(), (*range).into()))
}

#[cfg(test)]
mod tests {
    use hashbrown::HashSet;

    use super::*;

    #[test]
    fn all_of_the_lists_is_used() {
        let mut used = HashSet::new();
        for number in 0..50 {
            let package = package(number);
            for group in ["dependencies", "devDependencies"] {
                for (name, range) in package[group].as_object().unwrap() {
                    used.insert(format!("{name}@{}", range.as_str().unwrap()));
                }
            }
        }
        for (name, ranges) in DEPENDENCIES.iter().chain(TOOLS) {
            for range in *ranges {
                assert!(used.contains(&format!("{name}@{range}")), "{name}@{range}");
            }
        }
        assert_eq!(files(50).len(), 52);
    }
}
