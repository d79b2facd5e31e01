//! Which versions fell away when a lockfile was deduplicated, and what took their places.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use deka_graph::{Graph, PackageId, Resolution};
use deka_manifest::{PackageName, Version};
use hashbrown::HashMap;

/// What became of the versions of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// Packages in the lockfile before, the project itself among them.
    pub checked: usize,
    /// The versions that fell away, by name and version.
    pub removed: Vec<RemovedVersion>,
}

/// A version that fell away although another one of its package stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedVersion {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// What those get who asked for it; nothing if they fell away, too.
    pub replacements: Vec<Version>,
}

impl RemovedVersion {
    /// Whether someone gets an older major version.
    pub fn is_downgrade(&self) -> bool {
        self.replacements.iter().any(|version| version.major() < self.version.major())
    }
}

impl fmt::Display for RemovedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replacements: Vec<String> = self.replacements.iter().map(ToString::to_string).collect();
        let replacements = match replacements.as_slice() {
            [] => "(removed)".to_owned(),
            some => some.join(", "),
        };
        let mark = if self.is_downgrade() { " (downgrade)" } else { "" };
        write!(f, "{} {} -> {replacements}{mark}", self.name, self.version)
    }
}

impl Duplicates {
    /// Compares a lockfile's graph with what is left of it.
    pub(crate) fn between(before: &Graph, after: &Graph) -> Self {
        let versions_before = versions(before);
        let versions_after = versions(after);
        let replacements = replacements(before, after);
        let mut removed = Vec::new();
        for (name, versions) in &versions_before {
            let Some(left) = versions_after.get(name).filter(|_| versions.len() > 1) else {
                continue;
            };
            for version in versions.difference(left) {
                let replacements = replacements.get(&(*name, *version)).into_iter().flatten();
                removed.push(RemovedVersion {
                    name: *name,
                    version: (*version).clone(),
                    replacements: replacements.map(|version| (*version).clone()).collect(),
                });
            }
        }
        Self { checked: before.packages().len(), removed }
    }
}

fn versions(graph: &Graph) -> BTreeMap<PackageName, BTreeSet<&Version>> {
    let mut versions: BTreeMap<PackageName, BTreeSet<&Version>> = BTreeMap::new();
    for package in graph.packages() {
        if let Some(version) = package.version() {
            versions.entry(package.name).or_default().insert(version);
        }
    }
    versions
}

/// Returns for each version what the dependencies that led to it lead to now.
fn replacements<'a>(
    before: &'a Graph,
    after: &'a Graph,
) -> HashMap<(PackageName, &'a Version), BTreeSet<&'a Version>> {
    let now: HashMap<(PackageName, &Resolution), PackageId> = after
        .package_ids()
        .map(|id| (id, after.package(id)))
        .map(|(id, package)| ((package.name, &package.resolution), id))
        .collect();
    let mut replacements: HashMap<_, BTreeSet<&Version>> = HashMap::new();
    for id in before.package_ids() {
        let dependent = before.package(id);
        let Some(dependent) = now.get(&(dependent.name, &dependent.resolution)) else { continue };
        for edge in before.edges_of(id) {
            let Some(target) = edge.target.map(|target| before.package(target)) else { continue };
            let Some(version) = target.version() else { continue };
            let is_same =
                |other: &&deka_graph::Edge| (other.kind, other.alias) == (edge.kind, edge.alias);
            let other = after.edges_of(*dependent).iter().find(is_same);
            let other = other.and_then(|other| after.package(other.target?).version());
            if let Some(other) = other.filter(|other| *other != version) {
                replacements.entry((target.name, version)).or_default().insert(other);
            }
        }
    }
    replacements
}
