//! The packages of a project itself, as commands see them that run something in each.

use std::path::{Path, PathBuf};

use deka_fs::Dir;
use deka_graph::{PackageId, Resolution};
use deka_manifest::{PackageJson, Symbol};
use deka_scripts::{Package, order};

use super::{Filter, find, outline, path_below, select_manifests};
use crate::scripts::edges;
use crate::{InstallError, MANIFEST};

/// The root of a project, a member of its workspaces, or a package by itself.
#[derive(Debug, Clone)]
pub struct OwnPackage {
    /// What its scripts need to know of it.
    pub package: Package,
    /// Its manifest.
    pub manifest: PackageJson,
    /// Those that it depends on, as places in the list that it is in.
    pub after: Vec<usize>,
}

impl OwnPackage {
    /// Reads the package in a folder.
    pub fn read(folder: PathBuf) -> Result<Self, InstallError> {
        let path = folder.join(MANIFEST);
        let read = |source| InstallError::Read { path: path.clone(), source };
        let text = Dir::open(&folder).and_then(|dir| dir.read(MANIFEST)).map_err(read)?;
        let text = text.ok_or_else(|| InstallError::NoManifest { folder: folder.clone() })?;
        let manifest = PackageJson::parse(&text)
            .map_err(|source| InstallError::Manifest { path, source: Box::new(source) })?;
        let name = manifest.name.map_or_else(String::new, |name| name.to_string());
        let label = match folder.file_name() {
            Some(folder) if name.is_empty() => folder.to_string_lossy().into_owned(),
            _ => name.clone(),
        };
        let package = Package { label, name, folder, manifest: text };
        Ok(Self { package, manifest, after: Vec::new() })
    }

    /// Returns the names of its scripts, in the order of the manifest.
    pub fn scripts(&self) -> impl Iterator<Item = &str> {
        let scripts = self.manifest.scripts.iter().filter(|(_, command)| !command.is_empty());
        scripts.map(|(name, _)| &**name)
    }

    /// Returns the command of a script; an empty one is none.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.manifest.script(name).filter(|command| !command.is_empty())
    }
}

/// Returns the packages of the project in `root` that filters select: without any, all members of its
/// workspaces. Paths in filters are relative to `folder`.
pub fn own_packages(
    root: &Path,
    filters: &[String],
    folder: &Path,
) -> Result<Vec<OwnPackage>, InstallError> {
    let project = OwnPackage::read(root.to_owned())?;
    let dir =
        Dir::open(root).map_err(|source| InstallError::Read { path: root.to_owned(), source })?;
    let patterns = project.manifest.workspaces.as_deref().unwrap_or_default();
    let members = find(&dir, patterns, &mut Vec::new())?.members;
    let graph = outline(&project.manifest, &members);
    let selected: Vec<PackageId> = if filters.is_empty() {
        graph.package_ids().filter(|id| *id != PackageId::ROOT).collect()
    } else {
        let start = path_below(root, folder).unwrap_or_default();
        let filters: Vec<Filter> =
            filters.iter().map(|filter| Filter::parse(filter, &start)).collect();
        let root_name = project.manifest.name.map(Symbol::as_str);
        select_manifests(&filters, &graph, root, root_name)?
    };
    let nodes: Vec<usize> = selected.iter().map(|id| id.index()).collect();
    let after = order::predecessors(&edges(&graph), &nodes);
    let folders = selected.iter().map(|id| match &graph.package(*id).resolution {
        Resolution::Workspace(path) => root.join(path.as_str()),
        _ => root.to_owned(),
    });
    folders
        .zip(after)
        .map(|(folder, after)| Ok(OwnPackage { after, ..OwnPackage::read(folder)? }))
        .collect()
}
