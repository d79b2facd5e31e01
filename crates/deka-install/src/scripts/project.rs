//! The scripts of the project itself, which run at the end of every install, also of one that finds
//! nothing to do; and what the state remembers of them, so that such an install need not look.

use std::path::Path;

use deka_config::Config;
use deka_graph::{Graph, PackageId, Resolution};
use deka_manifest::PackageJson;
use deka_scripts::lifecycle::Event;
use deka_scripts::{Package, lifecycle, run_in_foreground};

use super::{Observing, ScriptContext, read_package, scripts_of};
use crate::{InstallError, Reporter};

/// What an install leaves for the next one in the state of `node_modules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Payload {
    /// The lockfile is to the letter what deka would write.
    pub(crate) is_lockfile_good: bool,
    /// Some workspace has scripts, so that there is something to do in any case.
    pub(crate) has_workspace_scripts: bool,
    /// The project itself has scripts.
    pub(crate) has_project_scripts: bool,
}

impl Payload {
    /// Returns its bytes.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        vec![
            u8::from(self.is_lockfile_good)
                | u8::from(self.has_workspace_scripts) << 1
                | u8::from(self.has_project_scripts) << 2,
        ]
    }

    /// Reads its bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let flags = bytes.first().copied().unwrap_or(0);
        Self {
            is_lockfile_good: flags & 1 != 0,
            has_workspace_scripts: flags & 2 != 0,
            has_project_scripts: flags & 4 != 0,
        }
    }
}

/// Returns the workspaces with their folders.
pub(super) fn workspaces(graph: &Graph) -> Vec<(PackageId, String)> {
    graph
        .package_ids()
        .filter_map(|id| match &graph.package(id).resolution {
            Resolution::Workspace(folder) => Some((id, folder.to_string())),
            _ => None,
        })
        .collect()
}

/// Whether the project itself has scripts.
pub(crate) fn has_scripts(root: &Path) -> bool {
    project(root).is_some_and(|package| !scripts_of(&package, lifecycle::of_project).is_empty())
}

/// Runs the project's own scripts.
pub(crate) fn run_in_project(
    root: &Path,
    config: &Config,
    context: &ScriptContext,
    reporter: &dyn Reporter,
) -> Result<(), InstallError> {
    let Some(package) = project(root) else { return Ok(()) };
    let scripts = scripts_of(&package, lifecycle::of_project);
    if config.install.ignore_scripts || scripts.is_empty() {
        return Ok(());
    }
    let surroundings = context.surroundings(root, config)?;
    for script in &scripts {
        reporter.project_script(&script.command);
        let one = std::slice::from_ref(script);
        let observer = Observing(reporter);
        run_in_foreground(&package, one, &surroundings, context.output, &observer)?;
    }
    Ok(())
}

/// Runs the script that the package in `folder` has for a moment, if it has one.
pub(crate) fn run_one(
    event: Event,
    folder: &Path,
    root: &Path,
    config: &Config,
    context: &ScriptContext,
    reporter: &dyn Reporter,
) -> Result<(), InstallError> {
    let Some(package) = project(folder) else { return Ok(()) };
    let manifest = PackageJson::parse(&package.manifest).unwrap_or_default();
    let Some(script) = lifecycle::for_event(&manifest, event) else { return Ok(()) };
    let surroundings = context.surroundings(root, config)?;
    reporter.project_script(&script.command);
    let observer = Observing(reporter);
    run_in_foreground(&package, &[script], &surroundings, context.output, &observer)?;
    Ok(())
}

fn project(root: &Path) -> Option<Package> {
    let mut package = read_package(root.to_owned(), String::new(), "")?;
    let manifest = PackageJson::parse(&package.manifest).ok()?;
    package.name = manifest.name.map(|name| name.to_string()).unwrap_or_default();
    package.label =
        if package.name.is_empty() { "package.json".to_owned() } else { package.name.clone() };
    Some(package)
}

#[cfg(test)]
mod tests {
    use super::Payload;

    #[test]
    fn payloads_survive() {
        for flags in 0..8 {
            let payload = Payload::from_bytes(&[flags]);
            assert_eq!(payload.to_bytes(), [flags]);
        }
        assert_eq!(Payload::from_bytes(b""), Payload::default());
    }
}
