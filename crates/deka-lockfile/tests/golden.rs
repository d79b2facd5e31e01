//! Lockfiles that Bun wrote: loaded, placed again and written, they must come out as they were.

use std::path::PathBuf;

use deka_graph::{Graph, HoistOptions, hoist, hoist_filtered};
use deka_lockfile::bun;

fn samples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut samples: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".bun.lock"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    samples.sort();
    samples
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
        assert_eq!(
            hoist_filtered(&lockfile.graph, &|_| true).unwrap().nodes().len(),
            tree.nodes().len(),
            "{name}"
        );
    }
}
