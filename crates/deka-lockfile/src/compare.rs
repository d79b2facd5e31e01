//! What was edited in the manifests since the lockfile was written.
//!
//! Compared is the meaning, not the text, and the rules are those of `bun install
//! --frozen-lockfile`: a range may change as long as the locked version lies in it, a dependency
//! may move between groups, and what nothing uses does not count.

use std::fmt;

use deka_graph::{EdgeKind, Graph};
use deka_manifest::{Alias, Spec, Symbol};
use hashbrown::{HashMap, HashSet};

use crate::{Lockfile, OverrideRule, WorkspaceEntry};

/// How the manifests differ from what the lockfile says of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The edits that the locked packages do not answer; a frozen lockfile fails on any.
    pub edits: Vec<Edit>,
    /// The dependencies of root and workspaces that are not what they were, answered or not. All
    /// others keep the packages that they lead to.
    pub rows: Vec<Row>,
    /// The workspaces that the lockfile lists and that are not there.
    pub missing_workspaces: Vec<Symbol>,
}

/// A dependency of the root or of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// The folder of the workspace; empty for the root.
    pub workspace: Symbol,
    /// The dependency.
    pub alias: Alias,
}

/// One edit that the locked packages do not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// A dependency that was not there.
    Added(Row),
    /// A dependency that is there no longer.
    Removed(Row),
    /// A dependency that asks for something else.
    Changed {
        /// The dependency.
        row: Row,
        /// What it asked for.
        from: Symbol,
        /// What it asks for.
        to: Symbol,
    },
    /// A dependency that asks for something else, and in another group.
    Moved(Row),
    /// A workspace that was not there, by its folder.
    WorkspaceAdded(Symbol),
    /// A workspace with another name, by its folder.
    WorkspaceRenamed(Symbol),
    /// `overrides` or `resolutions`.
    Overrides,
    /// What a catalog says of a package that is used.
    Catalog,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.alias)
    }
}

/// In the words of Bun, to go behind `dependencies in package.json changed since bun.lock was
/// saved: ` where it is about a dependency.
impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(row) => write!(f, "{row} was added")?,
            Self::Removed(row) => write!(f, "{row} was removed")?,
            Self::Changed { row, from, to } => write!(f, "{row} changed from {from} to {to}")?,
            Self::Moved(row) => write!(f, "{row} is in different dependency groups")?,
            Self::WorkspaceAdded(path) => write!(f, "the workspace {path} was added")?,
            Self::WorkspaceRenamed(path) => write!(f, "the workspace {path} was renamed")?,
            Self::Overrides => f.write_str("overrides in package.json changed")?,
            Self::Catalog => f.write_str("the catalog in package.json changed")?,
        }
        match self.row() {
            Some(row) if !row.workspace.is_empty() => write!(f, " in {}", row.workspace),
            _ => Ok(()),
        }
    }
}

impl Edit {
    /// Returns the dependency that the edit is about, if it is about one.
    pub fn row(&self) -> Option<Row> {
        match self {
            Self::Added(row)
            | Self::Removed(row)
            | Self::Changed { row, .. }
            | Self::Moved(row) => Some(*row),
            _ => None,
        }
    }
}

/// What a manifest asks of one dependency; of a name in several groups, the strongest counts.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wish {
    alias: Alias,
    kind: EdgeKind,
    spec: Symbol,
    is_optional_peer: bool,
}

/// Compares a lockfile with the sections that a new one would have; the graph of `wanted` does not
/// count.
pub fn compare(locked: &Lockfile, wanted: &Lockfile) -> Changes {
    let mut changes = Changes::default();
    let known: HashMap<&str, &WorkspaceEntry> =
        locked.workspaces.iter().map(|entry| (&*entry.path, entry)).collect();
    let catalog_rows = changed_catalog_rows(locked, wanted);
    for entry in &wanted.workspaces {
        let path = Symbol::new(&entry.path);
        let Some(before) = known.get(&*entry.path) else {
            changes.edits.push(Edit::WorkspaceAdded(path));
            let rows = wishes(entry).into_iter();
            changes.rows.extend(rows.map(|wish| Row { workspace: path, alias: wish.alias }));
            continue;
        };
        if !path.is_empty() && before.name != entry.name {
            changes.edits.push(Edit::WorkspaceRenamed(path));
        }
        changes.compare_entries(locked, before, entry);
    }
    let wanted_paths: HashSet<&str> = wanted.workspaces.iter().map(|entry| &*entry.path).collect();
    let missing = locked.workspaces.iter().filter(|entry| !wanted_paths.contains(&*entry.path));
    changes.missing_workspaces = missing.map(|entry| Symbol::new(&entry.path)).collect();
    if !same_overrides(&locked.overrides, &wanted.overrides) {
        changes.edits.push(Edit::Overrides);
    }
    if !catalog_rows.is_empty() {
        changes.edits.push(Edit::Catalog);
        for row in catalog_rows {
            if !changes.rows.contains(&row) {
                changes.rows.push(row);
            }
        }
    }
    changes
}

impl Changes {
    fn compare_entries(
        &mut self,
        locked: &Lockfile,
        before: &WorkspaceEntry,
        after: &WorkspaceEntry,
    ) {
        let workspace = Symbol::new(&after.path);
        let (old, new) = (wishes(before), wishes(after));
        for wish in &new {
            let row = Row { workspace, alias: wish.alias };
            let Some(known) = find(&old, wish.alias) else {
                self.rows.push(row);
                if !wish.is_optional_peer && !is_left_out(&locked.graph, &after.path, wish) {
                    self.edits.push(Edit::Added(row));
                }
                continue;
            };
            if known.spec.trim() == wish.spec.trim() {
                continue;
            }
            self.rows.push(row);
            if is_answered(&locked.graph, &after.path, wish) {
                continue;
            }
            self.edits.push(if known.kind == wish.kind {
                Edit::Changed { row, from: known.spec, to: wish.spec }
            } else {
                Edit::Moved(row)
            });
        }
        for wish in old.iter().filter(|wish| !wish.is_optional_peer) {
            if find(&new, wish.alias).is_none() {
                self.edits.push(Edit::Removed(Row { workspace, alias: wish.alias }));
            }
        }
    }
}

/// Returns what an entry asks for, by name.
fn wishes(entry: &WorkspaceEntry) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = Vec::new();
    for (kind, group) in entry.groups() {
        for (alias, spec) in group {
            let is_optional_peer = kind == EdgeKind::Peer && entry.optional_peers.contains(alias);
            wishes.push(Wish { alias: *alias, kind, spec: *spec, is_optional_peer });
        }
    }
    wishes.sort_by_key(|wish| (wish.alias, wish.kind));
    wishes.dedup_by_key(|wish| wish.alias);
    wishes
}

fn find(wishes: &[Wish], alias: Alias) -> Option<Wish> {
    wishes.binary_search_by_key(&alias, |wish| wish.alias).ok().map(|at| wishes[at])
}

/// Whether the locked graph knows the wish as a peer that npm was told not to install.
fn is_left_out(graph: &Graph, workspace: &str, wish: &Wish) -> bool {
    let Some(dependent) = graph.importer(workspace) else { return false };
    let mut edges = graph.edges_of(dependent).iter();
    edges.any(|edge| {
        edge.alias == wish.alias && edge.optional_peer && edge.spec.trim() == wish.spec.trim()
    })
}

/// Whether the locked package lies in the range that is asked for now.
fn is_answered(graph: &Graph, workspace: &str, wish: &Wish) -> bool {
    let Some(dependent) = graph.importer(workspace) else { return false };
    let edges = graph.edges_of(dependent).iter();
    let mut own = edges.filter(|edge| edge.alias == wish.alias && edge.kind != EdgeKind::Workspace);
    let Some(target) = own.find_map(|edge| edge.target) else { return wish.is_optional_peer };
    let package = graph.package(target);
    let Ok(spec) = Spec::parse(wish.alias, &wish.spec) else { return false };
    match (spec.registry(wish.alias), package.version()) {
        (Some((name, Spec::Range(range))), Some(version)) => {
            name == package.name && range.satisfies(version)
        }
        _ => false,
    }
}

fn same_overrides(one: &[(Symbol, OverrideRule)], other: &[(Symbol, OverrideRule)]) -> bool {
    let sorted = |rules: &[(Symbol, OverrideRule)]| {
        let mut flat: Vec<(Symbol, Option<Symbol>, Symbol)> = Vec::new();
        for (name, rule) in rules {
            match rule {
                OverrideRule::Everywhere(spec) => flat.push((*name, None, *spec)),
                OverrideRule::Scoped(below) => {
                    flat.extend(below.iter().map(|(child, spec)| (*name, Some(*child), *spec)));
                }
            }
        }
        flat.sort_unstable();
        flat
    };
    sorted(one) == sorted(other)
}

/// Returns the dependencies on a catalog whose catalog now says something else of them.
fn changed_catalog_rows(locked: &Lockfile, wanted: &Lockfile) -> Vec<Row> {
    let mut rows = Vec::new();
    if locked.catalog == wanted.catalog && locked.catalogs == wanted.catalogs {
        return rows;
    }
    for entry in &wanted.workspaces {
        for wish in wishes(entry) {
            let Some(catalog) = wish.spec.trim().strip_prefix("catalog:") else { continue };
            let is_known = locked
                .workspace(&entry.path)
                .is_some_and(|before| find(&wishes(before), wish.alias).is_some());
            if is_known
                && catalog_spec(locked, catalog, wish.alias)
                    != catalog_spec(wanted, catalog, wish.alias)
            {
                rows.push(Row { workspace: Symbol::new(&entry.path), alias: wish.alias });
            }
        }
    }
    rows
}

/// Returns what the catalog named `catalog` says of `alias`.
fn catalog_spec(lockfile: &Lockfile, catalog: &str, alias: Alias) -> Option<Symbol> {
    let is_named = |(known, _): &&(Symbol, _)| known.as_str() == catalog;
    let named = || lockfile.catalogs.iter().find(is_named).map(|(_, list)| list);
    let list = match catalog.trim() {
        "" | "default" if !lockfile.catalog.is_empty() => Some(&lockfile.catalog),
        _ => named(),
    };
    list?.iter().find(|(known, _)| *known == alias).map(|(_, spec)| *spec)
}
