//! What is said about a graph and a plan: who may be missing, what is direct, what would be placed.

use std::collections::VecDeque;

use deka_graph::{EdgeKind, Graph, Package, PackageId, Resolution};
use deka_linker::{Link, LinkPlan, LinkState};
use deka_manifest::{PackageName, Symbol, Version};
use deka_resolver::RequiredBy;
use hashbrown::{HashMap, HashSet};

use crate::project::Project;
use crate::report::DirectDependency;
use crate::{InstallError, tarballs};

/// Returns for each package whether only optional dependencies lead to it.
pub(crate) fn only_optional(graph: &Graph) -> Vec<bool> {
    let mut optional = vec![true; graph.packages().len()];
    let mut open = vec![PackageId::ROOT];
    optional[PackageId::ROOT.index()] = false;
    while let Some(package) = open.pop() {
        for edge in graph.edges_of(package) {
            if let Some(target) = edge.target
                && !edge.may_be_missing()
                && std::mem::replace(&mut optional[target.index()], false)
            {
                open.push(target);
            }
        }
    }
    optional
}

/// Adds to an error about a package who asks for it.
pub(crate) fn tell_who_asks(
    mut error: InstallError,
    project: &Project,
    graph: &Graph,
) -> InstallError {
    if let InstallError::Download { package, required_by, .. }
    | InstallError::Import { package, required_by, .. } = &mut error
    {
        let is_it = |id: &PackageId| tarballs::label(graph.package(*id)) == package.as_str();
        if let Some(id) = graph.package_ids().find(is_it) {
            **required_by = who_asks(project, graph, id);
        }
    }
    error
}

/// Returns the shortest way from the project, or a member of it, to a package, without the package itself.
fn who_asks(project: &Project, graph: &Graph, package: PackageId) -> RequiredBy {
    let is_importer = |id: &PackageId| graph.package(*id).resolution.is_importer();
    let mut open: VecDeque<PackageId> = graph.package_ids().filter(is_importer).collect();
    let mut reached_from: HashMap<PackageId, Option<PackageId>> =
        open.iter().map(|id| (*id, None)).collect();
    while let Some(id) = open.pop_front() {
        let edges = graph.edges_of(id).iter().filter(|edge| edge.kind != EdgeKind::Workspace);
        for target in edges.filter_map(|edge| edge.target) {
            reached_from.entry(target).or_insert_with(|| {
                open.push_back(target);
                Some(id)
            });
        }
    }
    let dependent = |id: &PackageId| reached_from.get(id).copied().flatten();
    let mut way: Vec<String> = std::iter::successors(dependent(&package), dependent)
        .map(|id| dependent_label(project, graph.package(id)))
        .collect();
    way.reverse();
    RequiredBy(way)
}

/// Returns what people call a package that asks for another: a manifest of the project by its name.
fn dependent_label(project: &Project, package: &Package) -> String {
    let manifest =
        package.resolution.importer_folder().and_then(|folder| project.manifest_of(folder));
    let Some(manifest) = manifest else { return tarballs::label(package) };
    match (manifest.name, &manifest.version) {
        (Some(name), Some(version)) => format!("{name}@{version}"),
        (Some(name), None) => name.to_string(),
        (None, _) => "the project".to_owned(),
    }
}

/// Returns the workspaces in these folders, which are not on the disk. Fails if one that is there
/// needs one of them.
pub(crate) fn pruned_packages(
    graph: &Graph,
    folders: &[Symbol],
) -> Result<HashSet<PackageId>, InstallError> {
    if folders.is_empty() {
        return Ok(HashSet::new());
    }
    let folder_of = |id: PackageId| match &graph.package(id).resolution {
        Resolution::Workspace(folder) => Some(*folder),
        _ => None,
    };
    let is_pruned = |id: &PackageId| folder_of(*id).is_some_and(|folder| folders.contains(&folder));
    let pruned: HashSet<PackageId> = graph.package_ids().filter(is_pruned).collect();
    for id in graph.package_ids().filter(|id| !pruned.contains(id)) {
        for edge in graph.edges_of(id) {
            let target = edge.target.filter(|target| pruned.contains(target));
            if edge.kind != EdgeKind::Workspace
                && !edge.may_be_missing()
                && let Some(folder) = target.and_then(folder_of)
            {
                let dependent = graph.package(id).name;
                return Err(InstallError::PrunedWorkspace { dependent, folder });
            }
        }
    }
    Ok(pruned)
}

/// Returns the direct dependencies of `importer` that were placed anew, in the order in which Bun prints them: by
/// group, then by name.
pub(crate) fn direct_dependencies(
    graph: &Graph,
    importer: PackageId,
    latest: &HashMap<PackageName, Option<Version>>,
    placed: &HashSet<PackageId>,
) -> Vec<DirectDependency> {
    let mut edges: Vec<_> = graph
        .edges_of(importer)
        .iter()
        .filter(|edge| edge.kind != EdgeKind::Workspace)
        .filter_map(|edge| Some((edge, edge.target.filter(|target| placed.contains(target))?)))
        .collect();
    edges.sort_by_key(|(edge, _)| (edge.kind, edge.alias));
    edges.dedup_by_key(|(edge, _)| edge.alias);
    edges
        .into_iter()
        .map(|(edge, target)| {
            let package = graph.package(target);
            let newest = latest.get(&package.name).cloned().flatten();
            DirectDependency {
                alias: edge.alias,
                name: package.name,
                version: tarballs::version_text(&package.resolution),
                latest: newest.filter(|newest| package.version().is_some_and(|now| now < newest)),
            }
        })
        .collect()
}

/// Returns the packages that were linked from a folder of the user's, such as workspaces, or from that
/// which all projects share, where the last install had no link.
pub(crate) fn new_links<'a>(
    graph: &'a Graph,
    plan: &'a LinkPlan,
    old: Option<&LinkState>,
) -> impl Iterator<Item = PackageId> + use<'a> {
    let known: HashSet<String> =
        old.into_iter().flat_map(LinkState::links).map(|(path, _)| path).collect();
    let is_new = move |link: &&Link| {
        let resolution = &graph.package(link.package).resolution;
        let is_own = matches!(
            resolution,
            Resolution::Workspace(_) | Resolution::Symlink(_) | Resolution::Root
        );
        (is_own || plan.is_shared(link)) && !known.contains(&*link.path)
    };
    plan.links.iter().filter(is_new).map(|link| link.package)
}

/// Returns what would be in `node_modules`, each package once, by name.
pub(crate) fn planned_packages(plan: &LinkPlan) -> Vec<String> {
    let mut labels: Vec<String> =
        plan.placements.iter().map(|placement| placement.label.to_string()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}
