//! Whose scripts did not run, and under which name they can be trusted.

use std::path::Path;

use deka_graph::{Graph, Resolution};
use deka_linker::Placement;
use deka_scripts::Script;

use super::blocked_scripts;
use super::decide::direct_aliases;

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

/// Describes those of `placements` that have scripts.
pub(crate) fn list_untrusted<'a>(
    root: &Path,
    graph: &Graph,
    placements: impl Iterator<Item = &'a Placement>,
) -> Vec<Untrusted> {
    let direct = direct_aliases(graph);
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
        .collect()
}
