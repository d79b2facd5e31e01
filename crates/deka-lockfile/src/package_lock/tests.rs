//! What places lead to.

use deka_manifest::Bin;

use crate::migrate::Format;
use crate::migrate::fixture::{edges, read as read_format};
use crate::{Lockfile, LockfileError};

fn read(manifest: &str, text: &str) -> Result<Lockfile, LockfileError> {
    read_format(Format::PackageLock, manifest, text)
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
fn version_1_names_what_is_for_other_platforms_without_a_version() {
    let lockfile = read(
        r#"{ "dependencies": { "a": "1" } }"#,
        r#"{ "lockfileVersion": 1, "dependencies": {
            "a": { "version": "1.2.0", "requires": { "o": "1" },
                "dependencies": { "o": { "optional": true } } } } }"#,
    );
    assert_eq!(lockfile.unwrap().graph.packages().len(), 2);
}

#[test]
fn peers_that_npm_did_not_install_are_optional() {
    let text = r#"{ "lockfileVersion": 3, "packages": {
        "": { "dependencies": { "a": "^1.0.0" } },
        "node_modules/a": { "version": "1.2.0", "peerDependencies": { "b": "1", "c": "1" } },
        "node_modules/b": { "version": "1.0.0" } } }"#;
    let manifest =
        r#"{ "name": "p", "dependencies": { "a": "^1.0.0" }, "peerDependencies": { "d": "1" } }"#;
    let lockfile = read(manifest, text).unwrap();
    let optional = lockfile.graph.edges().iter().filter(|edge| edge.optional_peer);
    assert_eq!(optional.map(|edge| edge.alias.to_string()).collect::<Vec<_>>(), ["c"]);
}

#[test]
fn what_npm_did_not_install_is_added_since() {
    let text = r#"{ "lockfileVersion": 3, "packages": { "": {
        "dependencies": { "a": "1" }, "devDependencies": { "b": "1" }, "optionalDependencies": { "c": "1" },
        "peerDependencies": { "d": "1", "e": "1" }, "peerDependenciesMeta": { "e": { "optional": true } } } } }"#;
    let lockfile = read(r#"{ "name": "p", "peerDependencies": { "d": "1" } }"#, text).unwrap();
    let groups = lockfile.workspaces[0].groups();
    let left: Vec<&str> =
        groups.iter().flat_map(|(_, rows)| rows.iter().map(|(alias, _)| alias.as_str())).collect();
    assert_eq!(left, ["c", "e"]);
    // Peers are not what a frozen install fails for: nobody wanted them installed.
    assert_eq!(edges(&lockfile), ["p@ > c: nothing", "p@ > d: nothing", "p@ > e: nothing"]);
    let manifest = |text: &str| {
        let manifest = deka_manifest::PackageJson::parse(text.as_bytes()).unwrap();
        let workspaces = vec![crate::WorkspaceEntry::from_manifest("", &manifest)];
        let wanted = Lockfile { workspaces, ..lockfile.clone() };
        let edits = crate::compare(&lockfile, &wanted).edits;
        edits.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let rest = r#""optionalDependencies": { "c": "1" }"#;
    let peers = r#""peerDependencies": { "d": "1" }"#;
    assert_eq!(manifest(&format!("{{ {rest}, {peers} }}")), [""; 0]);
    let dependencies = r#""dependencies": { "a": "1", "d": "2" }"#;
    assert_eq!(manifest(&format!("{{ {rest}, {dependencies} }}")), ["a was added", "d was added"]);
}

#[test]
fn a_command_is_called_like_its_package_scope_and_all() {
    let bin = |name: &str, command: &str| {
        let manifest = format!(r#"{{ "dependencies": {{ "{name}": "1" }} }}"#);
        let text = format!(
            r#"{{ "lockfileVersion": 3, "packages": {{ "": {{ "dependencies": {{ "{name}": "1" }} }},
                "node_modules/{name}": {{ "version": "1.0.0", "bin": {{ "{command}": "x.js" }} }} }} }}"#
        );
        let graph = read(&manifest, &text).unwrap().graph;
        let bins: Vec<Bin> = graph.package_ids().map(|id| graph.package(id).bin.clone()).collect();
        bins[1].clone()
    };
    let file = Bin::File("x.js".into());
    assert_eq!(bin("a", "a"), file);
    assert_eq!(bin("@s/a", "@s/a"), file);
    assert_eq!(bin("@s/a", "a"), Bin::Map([("a".into(), "x.js".into())].into()));
}

#[test]
fn edits_since_are_seen() {
    let text = r#"{ "lockfileVersion": 2, "packages": {
        "": { "dependencies": { "a": "^1.0.0", "gone": "1" } },
        "node_modules/a": { "version": "1.2.0" }, "node_modules/gone": { "version": "1.0.0" } } }"#;
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
