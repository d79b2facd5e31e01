//! Edits of manifests: what a frozen lockfile puts up with, and what it names.

use deka_graph::Graph;
use deka_lockfile::{Lockfile, OverrideRule, WorkspaceEntry, bun, compare};
use deka_manifest::{Alias, PackageJson, Symbol};

const LOCKED: &str = r#"{
  "lockfileVersion": 2,
  "configVersion": 1,
  "workspaces": {
    "": {
      "name": "root",
      "dependencies": { "ms": "^2.0.0", "cat": "catalog:" },
    },
    "p/a": {
      "name": "a",
      "dependencies": { "ms": "^2.0.0", "wrappy": "1" },
    },
    "p/b": { "name": "b" },
  },
  "catalog": { "cat": "^1.0.0", "unused": "1" },
  "packages": {
    "a": ["a@workspace:p/a"],
    "b": ["b@workspace:p/b"],
    "cat": ["cat@1.0.0", "", {}, ""],
    "ms": ["ms@2.1.0", "", {}, ""],
    "wrappy": ["wrappy@1.0.2", "", {}, ""],
  }
}"#;

fn alias(name: &str) -> Alias {
    Alias::parse(name).unwrap()
}

/// Changes the sections as `edit` says and compares.
fn edited(edit: impl FnOnce(&mut Lockfile)) -> (Vec<String>, Vec<String>) {
    let locked = bun::parse(LOCKED).unwrap();
    let mut wanted = locked.clone();
    wanted.graph = Graph::new();
    edit(&mut wanted);
    let changes = compare(&locked, &wanted);
    let rows = changes.rows.iter().map(|row| format!("{}:{}", row.workspace, row.alias));
    (changes.edits.iter().map(ToString::to_string).collect(), rows.collect())
}

#[track_caller]
fn check(edit: impl FnOnce(&mut Lockfile), edits: &[&str], rows: &[&str]) {
    let (found_edits, found_rows) = edited(edit);
    assert_eq!(found_edits, edits);
    assert_eq!(found_rows, rows);
}

fn set(entry: &mut WorkspaceEntry, name: &str, spec: &str) {
    entry.dependencies.retain(|(known, _)| *known != alias(name));
    entry.dependencies.push((alias(name), Symbol::new(spec)));
    entry.dependencies.sort();
}

fn remove(entry: &mut WorkspaceEntry, name: &str) {
    entry.dependencies.retain(|(known, _)| *known != alias(name));
}

#[test]
fn nothing_changed() {
    check(|_| {}, &[], &[]);
    check(|new| set(&mut new.workspaces[0], "ms", " ^2.0.0 "), &[], &[]);
    check(|new| new.workspaces[0].name = Some(Symbol::new("other")), &[], &[]);
    check(|new| new.workspaces[1].version = Some(Symbol::new("2.0.0")), &[], &[]);
    check(|new| new.trusted_dependencies = Some(Vec::new()), &[], &[]);
}

#[test]
fn edits_of_dependencies_are_named() {
    check(
        |new| set(&mut new.workspaces[0], "ms", "^1.0.0"),
        &["ms changed from ^2.0.0 to ^1.0.0"],
        &[":ms"],
    );
    check(
        |new| set(&mut new.workspaces[0], "ms", "npm:once@1"),
        &["ms changed from ^2.0.0 to npm:once@1"],
        &[":ms"],
    );
    check(|new| set(&mut new.workspaces[0], "once", "1"), &["once was added"], &[":once"]);
    check(|new| remove(&mut new.workspaces[0], "ms"), &["ms was removed"], &[]);
    check(
        |new| set(&mut new.workspaces[1], "ms", "^1.0.0"),
        &["ms changed from ^2.0.0 to ^1.0.0 in p/a"],
        &["p/a:ms"],
    );
    check(
        |new| set(&mut new.workspaces[2], "once", "1"),
        &["once was added in p/b"],
        &["p/b:once"],
    );
    check(|new| remove(&mut new.workspaces[1], "wrappy"), &["wrappy was removed in p/a"], &[]);
}

#[test]
fn ranges_around_the_locked_version_are_answered() {
    check(|new| set(&mut new.workspaces[0], "ms", ">=2"), &[], &[":ms"]);
    check(|new| set(&mut new.workspaces[0], "ms", "*"), &[], &[":ms"]);
}

#[test]
fn groups_may_change_alone() {
    let move_to_dev = |spec: &'static str| {
        move |new: &mut Lockfile| {
            remove(&mut new.workspaces[0], "ms");
            new.workspaces[0].dev_dependencies.push((alias("ms"), Symbol::new(spec)));
        }
    };
    check(move_to_dev("^2.0.0"), &[], &[]);
    check(move_to_dev("^1.0.0"), &["ms is in different dependency groups"], &[":ms"]);
}

#[test]
fn peers_count_unless_they_are_optional() {
    let add_peer = |is_optional: bool| {
        move |new: &mut Lockfile| {
            let entry = &mut new.workspaces[0];
            entry.peer_dependencies.push((alias("peer"), Symbol::new("1")));
            if is_optional {
                entry.optional_peers.push(alias("peer"));
            }
        }
    };
    check(add_peer(false), &["peer was added"], &[":peer"]);
    check(add_peer(true), &[], &[":peer"]);
}

#[test]
fn workspaces_may_be_missing_but_not_new() {
    let locked = bun::parse(LOCKED).unwrap();
    let mut wanted = locked.clone();
    wanted.workspaces.remove(2);
    let changes = compare(&locked, &wanted);
    assert!(changes.edits.is_empty());
    assert_eq!(changes.missing_workspaces, [Symbol::new("p/b")]);
    check(
        |new| {
            let mut entry = new.workspaces[1].clone();
            entry.path = "p/c".to_owned();
            new.workspaces.push(entry);
        },
        &["the workspace p/c was added"],
        &["p/c:ms", "p/c:wrappy"],
    );
    check(
        |new| new.workspaces[2].name = Some(Symbol::new("bb")),
        &["the workspace p/b was renamed"],
        &[],
    );
}

#[test]
fn overrides_count_even_if_nothing_uses_them() {
    check(
        |new| {
            new.overrides.push((Symbol::new("zz"), OverrideRule::Everywhere(Symbol::new("1"))));
        },
        &["overrides in package.json changed"],
        &[],
    );
}

#[test]
fn catalogs_count_where_they_are_used() {
    check(
        |new| new.catalog[0].1 = Symbol::new(">=1"),
        &["the catalog in package.json changed"],
        &[":cat"],
    );
    check(|new| new.catalog[1].1 = Symbol::new("2"), &[], &[]);
    check(|new| new.catalog.push((alias("more"), Symbol::new("2"))), &[], &[]);
}

#[test]
fn sections_mirror_the_manifest() {
    let manifest = br#"{ "name": "@scope/dups", "version": "1.2.3", "bin": { "zeta": "./z.js" },
        "dependencies": { "ms": "^2", "once": "1", "wrappy": "1" },
        "devDependencies": { "rimraf": "^3", "ms": "2.0.0" },
        "optionalDependencies": { "once": "^1.4.0", "fsevents": "*" },
        "peerDependencies": { "wrappy": "*", "react": "^18", "vue": "^3" },
        "peerDependenciesMeta": { "vue": { "optional": true }, "svelte": { "optional": true } } }"#;
    let manifest = PackageJson::parse(manifest).unwrap();
    let text = include_str!("samples/one-name-in-two-groups.bun.lock");
    let locked = bun::parse(text).unwrap();
    assert_eq!(WorkspaceEntry::from_manifest("", &manifest), locked.workspaces[0]);
    let workspace = WorkspaceEntry::from_manifest("packages/x", &manifest);
    assert_eq!(workspace.version, Some(Symbol::new("1.2.3")));
    assert_eq!(workspace.bin, manifest.bin);
}
