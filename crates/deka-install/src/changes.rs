//! What was edited in the manifest since the lockfile was written.

use deka_graph::{Edge, EdgeKind, Graph, PackageId};
use deka_lockfile::{Lockfile, OverrideRule, WorkspaceEntry};
use deka_manifest::{Alias, Spec, Symbol};

/// How manifest and lockfile differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The edits that the locked versions do not answer, one line for each.
    pub(crate) edits: Vec<String>,
    /// Whether the lockfile's copy of the manifest is still to the letter what the manifest says.
    pub(crate) are_sections_equal: bool,
}

impl Changes {
    /// Compares the lockfile with the sections that a new one would have.
    pub(crate) fn between(old: &Lockfile, new: &Lockfile) -> Self {
        let mut edits = Vec::new();
        let root = WorkspaceEntry::default();
        let (known, wanted) = (old.root().unwrap_or(&root), new.root().unwrap_or(&root));
        let (known_rows, wanted_rows) = (rows(known), rows(wanted));
        for (alias, spec) in &wanted_rows {
            match find(&known_rows, *alias) {
                None => edits.push(format!("{alias} was added")),
                Some(before) if before == *spec || is_answered(&old.graph, *alias, *spec) => {}
                Some(before) => edits.push(format!("{alias} changed from {before} to {spec}")),
            }
        }
        for (alias, _) in &known_rows {
            if find(&wanted_rows, *alias).is_none() {
                edits.push(format!("{alias} was removed"));
            }
        }
        if sorted(&old.overrides) != sorted(&new.overrides) {
            edits.push("overrides in package.json changed".to_owned());
        }
        if used_catalogs(old) != used_catalogs(new) {
            edits.push("the catalog in package.json changed".to_owned());
        }
        let are_sections_equal = edits.is_empty()
            && known == wanted
            && old.catalog == new.catalog
            && old.catalogs == new.catalogs;
        Self { edits, are_sections_equal }
    }
}

/// Returns what counts of an entry: of a name in several groups, the strongest.
fn rows(entry: &WorkspaceEntry) -> Vec<(Alias, Symbol)> {
    let mut rows: Vec<(EdgeKind, Alias, Symbol)> = entry
        .groups()
        .into_iter()
        .flat_map(|(kind, group)| group.iter().map(move |(alias, spec)| (kind, *alias, *spec)))
        .collect();
    rows.sort_by_key(|(kind, alias, _)| (*alias, *kind));
    rows.dedup_by_key(|(_, alias, _)| *alias);
    rows.into_iter().map(|(_, alias, spec)| (alias, spec)).collect()
}

fn find(rows: &[(Alias, Symbol)], alias: Alias) -> Option<Symbol> {
    rows.binary_search_by_key(&alias, |(alias, _)| *alias).ok().map(|at| rows[at].1)
}

/// Whether the version that is locked for a direct dependency lies in its new range.
fn is_answered(graph: &Graph, alias: Alias, spec: Symbol) -> bool {
    let edge = |edge: &&Edge| edge.alias == alias && edge.kind != EdgeKind::Workspace;
    let Some(target) = graph.edges_of(PackageId::ROOT).iter().find(edge).and_then(|e| e.target)
    else {
        return false;
    };
    let package = graph.package(target);
    match Spec::parse(alias, &spec) {
        Ok(spec) => match (spec.registry(alias), package.version()) {
            (Some((name, Spec::Range(range))), Some(version)) => {
                name == package.name && range.satisfies(version)
            }
            _ => false,
        },
        Err(_) => false,
    }
}

fn sorted(overrides: &[(Symbol, OverrideRule)]) -> Vec<(Symbol, OverrideRule)> {
    let mut overrides = overrides.to_vec();
    overrides.sort_by_key(|(name, _)| *name);
    for (_, rule) in &mut overrides {
        if let OverrideRule::Scoped(below) = rule {
            below.sort();
        }
    }
    overrides
}

/// Returns what the catalogs say of the dependencies that refer to them.
fn used_catalogs(lockfile: &Lockfile) -> Vec<(Alias, Option<Symbol>)> {
    let Some(root) = lockfile.root() else { return Vec::new() };
    rows(root)
        .into_iter()
        .filter_map(|(alias, spec)| {
            let name = spec.strip_prefix("catalog:")?;
            let catalog = if name.is_empty() {
                Some(&lockfile.catalog)
            } else {
                lockfile.catalogs.iter().find(|(known, _)| &**known == name).map(|(_, list)| list)
            };
            let spec = catalog?.iter().find(|(known, _)| *known == alias).map(|(_, spec)| *spec);
            Some((alias, spec))
        })
        .collect()
}
