//! What places lead to.

use deka_graph::{Graph, PackageId};
use deka_manifest::PackageJson;

use crate::migrate::{Format, migrate};
use crate::{Lockfile, LockfileError, WorkspaceEntry};

fn read(manifest: &str, text: &str) -> Result<Lockfile, LockfileError> {
    let manifest = PackageJson::parse(manifest.as_bytes()).unwrap();
    let mut sections = Lockfile::new(Graph::new());
    sections.workspaces = vec![WorkspaceEntry::from_manifest("", &manifest)];
    let registry = "https://registry.example/";
    let migrated = migrate(Format::PackageLock, text.as_bytes(), sections, registry)?;
    Ok(migrated.complete(|_, _| None, registry))
}

/// Returns `dependent > alias: package` for every edge.
fn edges(lockfile: &Lockfile) -> Vec<String> {
    let graph = &lockfile.graph;
    let label = |id: PackageId| {
        let package = graph.package(id);
        let version = package.version().map(ToString::to_string).unwrap_or_default();
        format!("{}@{version}", package.name)
    };
    let mut edges = Vec::new();
    for id in graph.package_ids() {
        for edge in graph.edges_of(id) {
            let target = edge.target.map_or("nothing".to_owned(), label);
            edges.push(format!("{} > {}: {target}", label(id), edge.alias));
        }
    }
    edges
}

const MANIFEST: &str = r#"{ "name": "p", "dependencies": { "a": "^1.0.0", "l": "npm:s@^1.0.0" } }"#;

const EDGES: [&str; 4] =
    ["p@ > a: a@1.2.0", "p@ > l: s@1.0.0", "a@1.2.0 > o: nothing", "a@1.2.0 > s: s@2.0.0"];

#[test]
fn a_dependency_leads_to_what_node_would_find() {
    let lockfile = read(
        MANIFEST,
        r#"{ "lockfileVersion": 3, "packages": {
            "": { "dependencies": { "a": "^1.0.0", "l": "npm:s@^1.0.0" } },
            "node_modules/a": { "version": "1.2.0", "resolved": "https://registry.example/a.tgz",
                "dependencies": { "s": "2" }, "optionalDependencies": { "o": "1" } },
            "node_modules/a/node_modules/s": { "version": "2.0.0", "resolved": "https://other.example/s.tgz" },
            "node_modules/l": { "name": "s", "version": "1.0.0" },
            "node_modules/nobody": { "version": "1.0.0" }
        } }"#,
    );
    let lockfile = lockfile.unwrap();
    assert_eq!(edges(&lockfile), EDGES);
    assert_eq!(lockfile.config_version, 0);
}

#[test]
fn version_1_nests_places() {
    let lockfile = read(
        MANIFEST,
        r#"{ "lockfileVersion": 1, "dependencies": {
            "a": { "version": "1.2.0", "requires": { "s": "2", "o": "1" },
                "dependencies": { "s": { "version": "2.0.0" } } },
            "l": { "version": "npm:s@1.0.0" }
        } }"#,
    );
    assert_eq!(edges(&lockfile.unwrap()), EDGES);
}

#[test]
fn edits_since_are_seen() {
    let text = r#"{ "lockfileVersion": 2, "packages": {
        "": { "dependencies": { "a": "^1.0.0", "gone": "1" } }, "node_modules/a": { "version": "1.2.0" } } }"#;
    let lockfile = read(r#"{ "name": "p", "dependencies": { "a": "^1.1.0" } }"#, text).unwrap();
    let known = &lockfile.root().unwrap().dependencies;
    let known: Vec<String> = known.iter().map(|(name, spec)| format!("{name} {spec}")).collect();
    assert_eq!(known, ["a ^1.0.0", "gone 1"]);
}

#[test]
fn what_is_wrong_is_named() {
    let message = |text: &str| read(MANIFEST, text).unwrap_err().to_string();
    assert_eq!(message(r#"{ "lockfileVersion": 9 }"#), "unsupported lockfileVersion 9");
    assert!(message("{").contains("line 1"));
    let text =
        r#"{ "lockfileVersion": 3, "packages": { "node_modules/a": { "version": "../x" } } }"#;
    assert_eq!(message(text), "`node_modules/a` is invalid: its version is none");
    let text = r#"{ "lockfileVersion": 3, "packages": { "node_modules/a": { "name": "../x" } } }"#;
    assert_eq!(message(text), "`node_modules/a` is invalid: its name is not that of a package");
}
