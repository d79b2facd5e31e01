//! What is installed, as far as it is not left out, and for whose sake.

use std::collections::VecDeque;

use deka_config::{Config, Install};
use deka_graph::{Edge, EdgeKind, Graph, PackageId, Resolution};
use deka_manifest::{PackageName, Version};
use hashbrown::HashMap;
use url::Url;

use crate::settings::omits;

/// Names with all versions that are installed of each.
pub(super) type Versions = Vec<(PackageName, Vec<Version>)>;

/// The packages of a graph that something leads to.
pub(super) struct Installed<'a> {
    graph: &'a Graph,
    /// Each package with the one that it was found from, the nearest to the root, in the order of finding.
    found: Vec<PackageId>,
    parents: HashMap<PackageId, Option<PackageId>>,
    options: &'a Install,
}

impl<'a> Installed<'a> {
    pub(super) fn of(graph: &'a Graph, options: &'a Install) -> Self {
        let mut parents = HashMap::from([(PackageId::ROOT, None)]);
        let mut found = vec![PackageId::ROOT];
        let mut queue = VecDeque::from([PackageId::ROOT]);
        while let Some(id) = queue.pop_front() {
            for edge in graph.edges_of(id).iter().filter(|edge| !omits(options, edge.kind)) {
                let Some(target) = edge.target else { continue };
                if !parents.contains_key(&target) {
                    parents.insert(target, Some(id));
                    found.push(target);
                    queue.push_back(target);
                }
            }
        }
        Self { graph, found, parents, options }
    }

    /// Returns how many packages there are that a registry may know something about.
    pub(super) fn count(&self) -> usize {
        self.found.iter().filter(|id| is_published(self.graph, **id)).count()
    }

    /// Returns names and versions by the registry that they are from.
    pub(super) fn by_registry(&self, config: &Config) -> Vec<(Url, Versions)> {
        let mut registries: Vec<(Url, Versions)> = Vec::new();
        let mut ids = self.found.clone();
        ids.retain(|id| is_published(self.graph, *id));
        ids.sort_by_key(|id| self.graph.package(*id).name);
        for id in ids {
            let package = self.graph.package(id);
            let Some(version) = package.version().cloned() else { continue };
            let registry = config.registry_for(package.name.as_str()).url();
            let at = registries.iter().position(|(known, _)| known == registry);
            let at = at.unwrap_or_else(|| {
                registries.push((registry.clone(), Vec::new()));
                registries.len() - 1
            });
            let packages = &mut registries[at].1;
            match packages.last_mut().filter(|(name, _)| *name == package.name) {
                Some((_, versions)) => versions.push(version),
                None => packages.push((package.name, vec![version])),
            }
        }
        registries
    }

    /// Returns the packages of a name.
    pub(super) fn packages_of(&self, name: PackageName) -> Vec<PackageId> {
        let mut ids = self.found.clone();
        ids.retain(|id| self.graph.package(*id).name == name && is_published(self.graph, *id));
        ids
    }

    /// Whether somebody asks for what an edge leads to, and it is installed for that.
    fn counts(&self, edge: &Edge) -> bool {
        edge.kind != EdgeKind::Workspace && !omits(self.options, edge.kind)
    }

    /// Returns who asks for one of `packages`, the nearest to the root first, then in the lockfile's order.
    pub(super) fn dependents_of(&self, packages: &[PackageId]) -> Vec<PackageId> {
        let asks = |edge: &Edge| {
            self.counts(edge) && edge.target.is_some_and(|target| packages.contains(&target))
        };
        let mut dependents: Vec<PackageId> = self
            .found
            .iter()
            .copied()
            .filter(|id| self.graph.edges_of(*id).iter().any(&asks))
            .collect();
        dependents.sort_by_cached_key(|id| (self.path_to(*id).len(), *id));
        dependents
    }

    /// Returns who asks for a package, and how.
    pub(super) fn edges_to(&self, package: PackageId) -> Vec<(PackageId, &'a Edge)> {
        let edges = |id: PackageId| self.graph.edges_of(id).iter().map(move |edge| (id, edge));
        let is_wanted =
            |(_, edge): &(PackageId, &Edge)| edge.target == Some(package) && self.counts(edge);
        self.found.iter().flat_map(|id| edges(*id)).filter(is_wanted).collect()
    }

    /// Returns the names on the shortest way from the root to a package, without the root's.
    pub(super) fn path_to(&self, id: PackageId) -> Vec<String> {
        let mut names = Vec::new();
        let mut at = Some(id);
        while let Some(id) = at.filter(|id| *id != PackageId::ROOT) {
            let package = self.graph.package(id);
            names.push(match &package.resolution {
                Resolution::Workspace(_) => format!("workspace:{}", package.name),
                _ => package.name.to_string(),
            });
            at = self.parents.get(&id).copied().flatten();
        }
        names.reverse();
        names
    }
}

fn is_published(graph: &Graph, id: PackageId) -> bool {
    matches!(graph.package(id).resolution, Resolution::Npm { .. })
}
