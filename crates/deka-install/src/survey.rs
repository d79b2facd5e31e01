//! What is said about a graph and a plan: who may be missing, what is direct, what would be placed.

use deka_graph::{EdgeKind, Graph, PackageId};
use deka_linker::LinkPlan;
use deka_manifest::{PackageName, Version};
use hashbrown::{HashMap, HashSet};

use crate::report::DirectDependency;
use crate::tarballs;

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

/// Returns the direct dependencies that were placed anew, in the order in which Bun prints them: by
/// group, then by name.
pub(crate) fn direct_dependencies(
    graph: &Graph,
    latest: &HashMap<PackageName, Option<Version>>,
    placed: &HashSet<PackageId>,
) -> Vec<DirectDependency> {
    let mut edges: Vec<_> = graph
        .edges_of(PackageId::ROOT)
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

/// Returns what would be in `node_modules`, each package once, by name.
pub(crate) fn planned_packages(plan: &LinkPlan) -> Vec<String> {
    let mut labels: Vec<String> =
        plan.placements.iter().map(|placement| placement.label.to_string()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}
