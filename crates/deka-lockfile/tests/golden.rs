//! Lockfiles that Bun wrote: loaded, placed again and written, they must come out as they were.

use std::path::PathBuf;

use deka_graph::{HoistOptions, hoist};
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
fn optional_peers_find_the_same_packages_again() {
    let mut failures = Vec::new();
    for (name, text) in samples() {
        let mut lockfile = bun::parse(&text).unwrap();
        let tree =
            hoist(&mut lockfile.graph, HoistOptions { rebind_optional_peers: true }).unwrap();
        if let Some(difference) = difference(&text, &bun::emit_placed(&lockfile, &tree)) {
            failures.push(format!("{name}: {difference}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
