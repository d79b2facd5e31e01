//! Scenarios whose answers are those of Bun 1.4.5.

use crate::world::{World, places};

/// Runs all scenarios of a file: blocks of a title, the world, and `=>` with the places.
fn check(file: &str) {
    let mut failures = Vec::new();
    for block in file.split("\n\n") {
        let lines: Vec<&str> =
            block.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let Some((title, lines)) = lines.split_first() else { continue };
        let (expected, world) = lines.split_last().expect("lines behind the title");
        let mut expected: Vec<&str> =
            expected.strip_prefix("=>").expect("`=>`").split_ascii_whitespace().collect();
        expected.sort_unstable();
        let found = match World::parse(world.iter().copied()).resolve(0) {
            Ok(resolved) => places(&resolved.graph),
            Err(error) => vec![error.to_string()],
        };
        if found != expected {
            failures.push(format!("{title}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn ranges() {
    check(include_str!("scenarios/ranges.txt"));
}

#[test]
fn versions() {
    check(include_str!("scenarios/versions.txt"));
}

#[test]
fn aliases() {
    check(include_str!("scenarios/aliases.txt"));
}

#[test]
fn peers() {
    check(include_str!("scenarios/peers.txt"));
}

#[test]
fn workspaces() {
    check(include_str!("scenarios/workspaces.txt"));
}

#[test]
fn overrides() {
    check(include_str!("scenarios/overrides.txt"));
}
