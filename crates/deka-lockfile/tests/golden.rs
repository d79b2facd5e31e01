//! Lockfiles that Bun wrote: loaded, placed again and written, they must come out as they were.

use std::path::PathBuf;

use deka_graph::{Graph, HoistOptions, hoist};
use deka_lockfile::{Lockfile, bun};
use deka_manifest::Symbol;

/// Real projects, and below `rules` small ones that show one rule each.
fn samples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut samples = Vec::new();
    for folder in [folder.join("rules"), folder] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "lock") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                samples.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    samples.sort();
    assert!(samples.len() > 50, "samples are missing");
    samples
}

fn sample(name: &str) -> Lockfile {
    let samples = samples();
    let (_, text) = samples.iter().find(|(known, _)| known.starts_with(name)).unwrap();
    bun::parse(text).unwrap()
}

fn difference(expected: &str, found: &str) -> Option<String> {
    if expected == found {
        return None;
    }
    let mut lines = expected.lines().zip(found.lines()).enumerate();
    let (number, (expected, found)) =
        lines.find(|(_, (expected, found))| expected != found).unwrap_or((0, ("a prefix", "")));
    let cut = |line: &str| line.chars().take(300).collect::<String>();
    Some(format!("line {}\n  expected {}\n  found    {}", number + 1, cut(expected), cut(found)))
}

#[test]
fn bun_s_own_lockfiles_stay_as_they_are() {
    let mut failures = Vec::new();
    for (name, text) in samples() {
        match bun::parse(&text).and_then(|lockfile| bun::emit(&lockfile)) {
            Ok(found) => {
                if let Some(difference) = difference(&text, &found) {
                    failures.push(format!("{name}: {difference}"));
                }
            }
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_order_of_edges_does_not_matter() {
    for (name, text) in samples() {
        let lockfile = bun::parse(&text).unwrap();
        let mut turned = lockfile.clone();
        turned.graph = Graph::new();
        for id in lockfile.graph.package_ids() {
            let edges = lockfile.graph.edges_of(id).iter().rev().cloned();
            turned.graph.add_package(lockfile.graph.package(id).clone(), edges);
        }
        assert_eq!(difference(&text, &bun::emit(&turned).unwrap()), None, "{name}");
    }
}

#[test]
fn placing_twice_changes_nothing() {
    for (name, text) in samples() {
        let mut lockfile = bun::parse(&text).unwrap();
        let tree = hoist(&mut lockfile.graph, HoistOptions::default()).unwrap();
        assert_eq!(hoist(&mut lockfile.graph, HoistOptions::default()).unwrap(), tree, "{name}");
        assert_eq!(difference(&text, &bun::emit(&lockfile).unwrap()), None, "{name}");
    }
}

#[test]
fn lists_are_in_the_order_of_bun_s_hash_table() {
    let cases: [(&str, &[&str]); 3] = [
        ("trusted-in-order", &[]),
        ("platform", &["not-installed"]),
        ("workspaces-v3", &["not-installed"]),
    ];
    for (name, not_installed) in cases {
        let mut lockfile = sample(name);
        let tree = hoist(&mut lockfile.graph, HoistOptions::default()).unwrap();
        let expected = lockfile.trusted_dependencies.unwrap();
        let mut listed = expected.clone();
        listed.extend(not_installed.iter().map(|name| Symbol::new(name)));
        listed.sort();
        let trusted = bun::trusted_dependencies(&listed, &lockfile.graph, &tree);
        assert_eq!(trusted, expected, "{name}");
    }
    for name in ["patched", "patches-by-slot"] {
        let mut lockfile = sample(name);
        let tree = hoist(&mut lockfile.graph, HoistOptions::default()).unwrap();
        let expected = lockfile.patched_dependencies;
        let mut listed = expected.clone();
        listed.sort();
        let found = bun::patched_dependencies(&listed, &lockfile.graph, &tree);
        assert_eq!(found, expected, "{name}");
    }
}
