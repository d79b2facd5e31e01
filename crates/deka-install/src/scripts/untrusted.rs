//! Whose scripts did not run, and under which name they can be trusted.

use std::path::Path;

use deka_graph::{Graph, Resolution};
use deka_linker::{LinkPlan, Placement};
use deka_manifest::Symbol;
use deka_scripts::{Script, Trust};

use super::blocked_scripts;
use super::decide::direct_aliases;
use super::linked::linked_folders;

/// A package in `node_modules` whose scripts did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// Its folder below the project.
    pub path: String,
    /// Its version, or what the lockfile has in its place.
    pub version: String,
    /// Its real name.
    pub name: String,
    /// The name that trusts it; `None` if no name does, because it comes from a folder, a tarball or
    /// git and the project does not ask for it itself.
    pub trusted_as: Option<String>,
    /// What would run.
    pub scripts: Vec<Script>,
}

/// Describes those of `placements` and of the linked folders of a plan that have scripts. The project trusts
/// none of the placements, and those of the folders that it names.
pub(crate) fn list_untrusted<'a>(
    root: &Path,
    graph: &Graph,
    plan: &LinkPlan,
    placements: impl Iterator<Item = &'a Placement>,
    trusted: Option<&[Symbol]>,
) -> Vec<Untrusted> {
    let direct = direct_aliases(graph, trusted);
    let trust = Trust::new(trusted);
    let folders = linked_folders(root, graph, plan, trusted).into_iter();
    let folders = folders.filter(|folder| !folder.is_trusted(&trust)).map(|folder| Untrusted {
        path: plan.links[folder.link as usize].path.to_string(),
        version: super::resolution_text(graph, folder.node),
        name: folder.name.to_string(),
        trusted_as: folder.trusted_as.as_ref().map(ToString::to_string),
        scripts: folder.scripts,
    });
    placements
        .filter_map(|placement| {
            let (_, scripts) = blocked_scripts(graph, placement, root.join(&*placement.path))?;
            let package = graph.package(placement.package);
            let trusted_as = match package.resolution {
                Resolution::Npm { .. } => Some(package.name.to_string()),
                _ => direct.get(&placement.package).map(ToString::to_string),
            };
            (!scripts.is_empty()).then(|| Untrusted {
                path: placement.path.to_string(),
                version: super::resolution_text(graph, placement.package),
                name: package.name.to_string(),
                trusted_as,
                scripts,
            })
        })
        .chain(folders)
        .collect()
}
