//! Which package is meant by a name, by `name@version`, or by a folder.

use std::path::{Path, PathBuf};

use deka_graph::{Graph, PackageId, Resolution};
use deka_linker::{LinkPlan, Placement, Source};
use deka_manifest::Symbol;

use super::PatchError;
use crate::install::Request;
use crate::tarballs;

/// A package that is to be patched, at one of its places.
#[derive(Debug)]
pub(super) struct Target {
    /// `name@version`, by which `patchedDependencies` knows it.
    pub(super) label: Symbol,
    /// The place.
    pub(super) placement: Placement,
    /// Its folder, below the project where it is in it.
    pub(super) folder: String,
    /// Whether that is one that all projects share.
    pub(super) is_shared: bool,
}

/// Where packages are looked for.
pub(super) struct Places<'a> {
    pub(super) graph: &'a Graph,
    pub(super) plan: &'a LinkPlan,
    /// The project's folder.
    pub(super) root: &'a Path,
    /// Where the command was started.
    pub(super) folder: &'a Path,
}

impl<'a> Places<'a> {
    pub(super) fn of(request: &'a Request, graph: &'a Graph, plan: &'a LinkPlan) -> Self {
        Self { graph, plan, root: &request.root, folder: &request.folder }
    }

    /// Finds the package that `named` means.
    pub(super) fn find(&self, named: &str) -> Result<Target, PatchError> {
        let not_installed = || PatchError::NotInstalled { package: named.to_owned() };
        if is_path(named) {
            return self.find_folder(&self.folder.join(named));
        }
        let labels = self.labels(named);
        let label = match &*labels {
            [] => return Err(not_installed()),
            [label] => *label,
            _ => {
                let package = named.to_owned();
                return Err(PatchError::ManyVersions { package, found: labels });
            }
        };
        let is_meant = |placement: &Placement| self.label(placement.package) == label;
        let at = self.plan.all_placements().position(is_meant);
        if let Some(at) = at {
            return self.target(at);
        }
        let mut ids = self.graph.package_ids().filter(|id| self.label(*id) == label);
        match ids.next().map(|id| &self.graph.package(id).resolution) {
            Some(Resolution::Workspace(folder) | Resolution::Symlink(folder)) => {
                Err(PatchError::OwnFolder { package: named.to_owned(), folder: folder.to_string() })
            }
            _ => Err(not_installed()),
        }
    }

    /// Returns all that a name, with or without a version, or an alias can mean.
    fn labels(&self, named: &str) -> Vec<Symbol> {
        let mut found = Vec::new();
        for id in self.graph.package_ids().filter(|id| *id != PackageId::ROOT) {
            let label = self.label(id);
            let is_meant = self.graph.package(id).name.as_str() == named || label.as_str() == named;
            if is_meant && !found.contains(&label) {
                found.push(label);
            }
        }
        if found.is_empty() {
            let edges = self.graph.edges().iter().filter(|edge| edge.alias.as_str() == named);
            for label in edges.filter_map(|edge| edge.target).map(|id| self.label(id)) {
                if !found.contains(&label) {
                    found.push(label);
                }
            }
        }
        found
    }

    fn label(&self, id: PackageId) -> Symbol {
        Symbol::new(&tarballs::label(self.graph.package(id)))
    }

    fn find_folder(&self, folder: &Path) -> Result<Target, PatchError> {
        let no_package = || PatchError::NoPackage { folder: folder.to_owned() };
        let real = std::fs::canonicalize(folder).map_err(|_| no_package())?;
        let is_meant = |at: usize| self.folder_at(at).is_some_and(|known| known == real);
        match (0..self.plan.all_placements().count()).find(|at| is_meant(*at)) {
            Some(at) => self.target(at),
            None => Err(no_package()),
        }
    }

    /// Returns the folder of a placement, links resolved.
    fn folder_at(&self, at: usize) -> Option<PathBuf> {
        let folder = self.plan.folder_of(u32::try_from(at).ok()?)?;
        std::fs::canonicalize(self.root.join(folder)).ok()
    }

    fn target(&self, at: usize) -> Result<Target, PatchError> {
        let not_installed = || PatchError::NotInstalled { package: String::new() };
        let placement = self.plan.all_placements().nth(at).ok_or_else(not_installed)?.clone();
        if let Source::Folder { path } = placement.source {
            let package = placement.name.to_string();
            return Err(PatchError::OwnFolder { package, folder: path.to_string() });
        }
        let label = self.label(placement.package);
        let folder = u32::try_from(at).ok().and_then(|at| self.plan.folder_of(at));
        let folder = folder.ok_or_else(not_installed)?;
        Ok(Target { label, placement, folder, is_shared: at >= self.plan.placements.len() })
    }
}

/// Whether a folder is named.
pub(super) fn is_path(named: &str) -> bool {
    let is_scoped = named.starts_with('@');
    named.starts_with('.')
        || Path::new(named).is_absolute()
        || named.contains('\\')
        || named.split('/').any(|name| name == "node_modules")
        || (!is_scoped && named.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn names_and_folders() {
        for path in ["./x", "node_modules/a", "packages/m/node_modules/@s/a", "/a", "..", "a/b"] {
            assert!(is_path(path), "{path}");
        }
        for name in ["a", "@s/a", "a@1.0.0", "@s/a@1.0.0-beta.1"] {
            assert!(!is_path(name), "{name}");
        }
    }
}
