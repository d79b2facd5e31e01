//! What tests of several formats need.

use deka_graph::{Graph, PackageId};
use deka_manifest::PackageJson;

use super::{Format, migrate};
use crate::{Lockfile, LockfileError, WorkspaceEntry};

/// Migrates the lockfile `text` of a project with nothing but `manifest`; no registry is asked.
pub(crate) fn read(format: Format, manifest: &str, text: &str) -> Result<Lockfile, LockfileError> {
    let manifest = PackageJson::parse(manifest.as_bytes()).unwrap();
    let mut sections = Lockfile::new(Graph::new());
    sections.workspaces = vec![WorkspaceEntry::from_manifest("", &manifest)];
    let registry = "https://registry.example/";
    let migrated = migrate(format, text.as_bytes(), sections, registry)?;
    Ok(migrated.complete(|_, _| None, registry))
}

/// Returns `dependent > alias: package` for every edge.
pub(crate) fn edges(lockfile: &Lockfile) -> Vec<String> {
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
