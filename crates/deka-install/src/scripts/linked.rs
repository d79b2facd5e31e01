//! Folders that the project links to (`link:`): their scripts run where they are, as with Bun.

use std::path::Path;

use deka_graph::{Graph, PackageId, Resolution};
use deka_linker::LinkPlan;
use deka_manifest::{Alias, PackageName, Symbol};
use deka_scripts::{Package, Provenance, Script, Trust, lifecycle};
use hashbrown::HashSet;

use super::decide::direct_aliases;
use super::{read_package, resolution_text, scripts_of};

/// A linked folder with scripts.
pub(super) struct LinkedFolder {
    /// Its first place in [`LinkPlan::links`].
    pub(super) link: u32,
    pub(super) node: PackageId,
    pub(super) name: PackageName,
    /// The name by which the project asks for it, and trusts it.
    pub(super) trusted_as: Option<Alias>,
    /// The folder that the link leads to.
    pub(super) package: Package,
    pub(super) scripts: Vec<Script>,
}

impl LinkedFolder {
    /// Whether its scripts may run.
    pub(super) fn is_trusted(&self, trust: &Trust) -> bool {
        self.trusted_as.is_some_and(|alias| trust.allows(self.name, Provenance::Direct(alias)))
    }
}

/// Returns the folders that a plan links to and that have scripts. Workspaces are none.
pub(super) fn linked_folders(
    root: &Path,
    graph: &Graph,
    plan: &LinkPlan,
    trusted: Option<&[Symbol]>,
) -> Vec<LinkedFolder> {
    let mut seen = HashSet::new();
    let is_linked = |id: PackageId| matches!(graph.package(id).resolution, Resolution::Symlink(_));
    let links = plan.links.iter().zip(0..);
    let links = links.filter(|(link, _)| is_linked(link.package) && seen.insert(link.package));
    let links: Vec<_> = links.collect();
    if links.is_empty() {
        return Vec::new();
    }
    let direct = direct_aliases(graph, trusted);
    let read = |(link, at): (&deka_linker::Link, u32)| {
        let name = graph.package(link.package).name;
        let trusted_as = direct.get(&link.package).copied();
        let label = format!("{name}@{}", resolution_text(graph, link.package));
        let folder = std::fs::canonicalize(root.join(&*link.path)).ok()?;
        let known_as = trusted_as.unwrap_or_else(|| name.into());
        let package = read_package(folder, label, known_as.as_str())?;
        let scripts = scripts_of(&package, lifecycle::of_dependency);
        let node = link.package;
        (!scripts.is_empty()).then_some(LinkedFolder {
            link: at,
            node,
            name,
            trusted_as,
            package,
            scripts,
        })
    };
    links.into_iter().filter_map(read).collect()
}
