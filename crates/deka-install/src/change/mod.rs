//! What a command changes in the manifests of a project before it installs: `add`, `remove`, `update`,
//! `patch`.
//!
//! A change has two halves. [`begin`](Change::begin) writes into the manifests what was asked for, in
//! memory; then everything is resolved as if the user had edited the files. What the versions are is
//! known then, so [`settle`](Draft::settle) puts `^1.2.3` where `latest` was. The new texts are written
//! when everything else has succeeded, together with the lockfile.

mod add;
mod drafts;
mod mend;
mod update;

use deka_graph::{EdgeId, EdgeKind, Graph, PackageId, Resolution};
use deka_manifest::{Alias, PackageJson, PackageName, Spec, Symbol, Version};
use deka_resolver::PackumentSource;
use hashbrown::{HashMap, HashSet};

pub use add::Addition;
pub use mend::{Mending, NewSpec, Replacement};
pub use update::{Chosen, ChosenPlace, Update};

pub(crate) use drafts::{Drafts, NewManifest};
pub(crate) use update::{split_alias, style};

use crate::InstallError;
use crate::patches::{PatchChange, PatchFile};
use crate::project::Project;
use crate::report::{AddedPackage, UpdatedPackage};
use crate::tarballs;

/// What is to be changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// Dependencies are added, or get another spec.
    Add(Addition),
    /// Dependencies are taken away, from all groups.
    Remove(Vec<Alias>),
    /// Dependencies get newer versions.
    Update(Update),
    /// A package gets a patch, or loses it.
    Patch(PatchChange),
    /// Vulnerable packages get safe versions.
    Mend(Mending),
}

impl Change {
    /// Whether it makes sense without a `package.json`, which it would create.
    pub(crate) fn may_create_manifest(&self) -> bool {
        matches!(self, Self::Add(_))
    }

    /// Whether it is about the root and all members, wherever the command was started.
    pub(crate) fn is_recursive(&self) -> bool {
        matches!(self, Self::Update(update) if update.is_recursive)
    }

    /// Returns the packages of the lockfile that are to be picked anew.
    pub(crate) fn outdated(
        &self,
        graph: &Graph,
        targets: &[String],
    ) -> Result<HashSet<PackageId>, InstallError> {
        match self {
            Self::Update(update) => update.outdated(graph, targets),
            Self::Mend(mending) => Ok(mending.outdated(graph)),
            Self::Add(_) | Self::Remove(_) | Self::Patch(_) => Ok(HashSet::new()),
        }
    }

    /// Returns the versions that are to be picked where a range allows, the best first.
    pub(crate) fn preferred(&self) -> HashMap<PackageName, Vec<Version>> {
        match self {
            Self::Mend(mending) => mending.preferred(),
            _ => HashMap::new(),
        }
    }

    /// Whether there is nothing in these manifests that it could change.
    pub(crate) fn is_pointless(&self, project: &Project, targets: &[String]) -> bool {
        let has_none = |folder: &String| {
            project.manifest_of(folder).is_none_or(|manifest| {
                GROUPS.into_iter().all(|kind| group_of(manifest, kind).is_empty())
            })
        };
        matches!(self, Self::Remove(_)) && targets.iter().all(has_none)
    }

    /// Changes the manifests in the folders `targets` as far as that is possible before versions are
    /// known. `source` tells what packages are called that are named by their place.
    pub(crate) fn begin(
        &self,
        project: &mut Project,
        targets: &[String],
        locked: Option<&Graph>,
        source: &mut dyn PackumentSource,
        drafts: Drafts,
    ) -> Result<Draft, InstallError> {
        let mut draft = Draft::of(drafts);
        match self {
            Self::Add(addition) => {
                for folder in targets {
                    addition.begin(&mut draft, project, folder, source)?;
                }
            }
            Self::Remove(names) => {
                for folder in targets {
                    draft.remove(project, folder, names)?;
                }
            }
            Self::Update(update) => {
                draft.updates_of = targets.first().cloned();
                update.begin(&mut draft, project, targets, locked)?;
            }
            Self::Patch(change) => {
                draft.patch_file = Some(change.begin(project, &mut draft.drafts)?);
            }
            Self::Mend(mending) => {
                draft.updates_of = Some(String::new());
                mending.begin(&mut draft, project)?;
            }
        }
        Ok(draft)
    }
}

/// The groups of dependencies; where a name is in several, the first counts.
pub(crate) const GROUPS: [EdgeKind; 4] =
    [EdgeKind::Optional, EdgeKind::Dev, EdgeKind::Prod, EdgeKind::Peer];

pub(crate) fn group_of(manifest: &PackageJson, kind: EdgeKind) -> &[(Alias, Symbol)] {
    match kind {
        EdgeKind::Dev => &manifest.dev_dependencies,
        EdgeKind::Optional => &manifest.optional_dependencies,
        EdgeKind::Peer => &manifest.peer_dependencies,
        EdgeKind::Prod => &manifest.dependencies,
        EdgeKind::Workspace => &[],
    }
}

pub(crate) fn spec_in(group: &[(Alias, Symbol)], alias: Alias) -> Option<Symbol> {
    group.iter().find(|(known, _)| *known == alias).map(|(_, spec)| *spec)
}

/// A change that has begun.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) drafts: Drafts,
    rows: Vec<Row>,
    /// Dependencies that were there and are not any more.
    pub(crate) removed: Vec<Alias>,
    /// Those that were asked for, once they have versions.
    pub(crate) added: Vec<AddedPackage>,
    /// The folder of the manifest whose updates are spoken of first, if there are any.
    updates_of: Option<String>,
    /// What has another version than before.
    pub(crate) updated: Vec<UpdatedPackage>,
    /// What becomes of the file of a patch.
    pub(crate) patch_file: Option<PatchFile>,
}

/// A dependency that a change is about.
#[derive(Debug)]
struct Row {
    /// The folder of the manifest that has it.
    folder: String,
    kind: EdgeKind,
    alias: Alias,
    /// Where the version is to be written, and what in front of it.
    settling: Option<Settling>,
    /// Whether its scripts may run from now on, if it has any.
    becomes_trusted: bool,
    /// Whether it is spoken of as added.
    is_reported: bool,
}

#[derive(Debug)]
struct Settling {
    /// The object of the manifest, which is the root's if it is a catalog.
    path: Vec<String>,
    is_catalog: bool,
    /// What stands in front of the range: `npm:react@`.
    name: String,
    prefix: &'static str,
}

impl Draft {
    /// Returns a change that has begun with these manifests.
    pub(crate) fn of(drafts: Drafts) -> Self {
        Self { drafts, ..Self::default() }
    }

    fn remove(
        &mut self,
        project: &mut Project,
        folder: &str,
        names: &[Alias],
    ) -> Result<(), InstallError> {
        let Some(manifest) = project.manifest_of(folder) else { return Ok(()) };
        let is_there = |alias: &Alias| {
            GROUPS.into_iter().any(|kind| spec_in(group_of(manifest, kind), *alias).is_some())
        };
        let found: Vec<Alias> = names.iter().copied().filter(is_there).collect();
        self.drafts.edit(project, folder, |editor| {
            for (alias, kind) in found.iter().flat_map(|alias| GROUPS.map(|kind| (alias, kind))) {
                editor.remove(&[kind.field()], alias.as_str());
            }
        })?;
        for alias in found {
            if !self.removed.contains(&alias) {
                self.removed.push(alias);
            }
        }
        Ok(())
    }

    /// Writes the versions that were picked into the manifests, and into the graph what the manifests
    /// say then.
    pub(crate) fn settle(
        &mut self,
        project: &mut Project,
        locked: Option<&Graph>,
        graph: &mut Graph,
    ) -> Result<(), InstallError> {
        if let (Some(locked), Some(folder)) = (locked, &self.updates_of) {
            self.updated = update::updates(locked, graph, folder);
        }
        for row in &self.rows {
            let Some(edge) = row.edge(graph) else { continue };
            let Some(target) = graph.edge(edge).target else { continue };
            let added = added_package(graph, row.alias, target);
            if row.is_reported && !self.added.contains(&added) {
                self.added.push(added);
            }
            let package = graph.package(target);
            if row.becomes_trusted && package.has_install_script {
                self.drafts.edit(project, "", |editor| {
                    editor.add_to_list("trustedDependencies", &[package.name.as_str()]);
                })?;
            }
            let Some(settling) = &row.settling else { continue };
            let Some(version) = package.version() else { continue };
            let spec = settling.spec_for(version);
            let folder = if settling.is_catalog { "" } else { &row.folder };
            let path: Vec<&str> = settling.path.iter().map(String::as_str).collect();
            self.drafts.edit(project, folder, |editor| {
                editor.set(&path, row.alias.as_str(), &spec);
            })?;
            if !settling.is_catalog && graph.edge(edge).kind == row.kind {
                graph.edge_mut(edge).spec = Symbol::new(&spec);
            }
        }
        Ok(())
    }
}

impl Row {
    fn edge(&self, graph: &Graph) -> Option<EdgeId> {
        if let Some(catalog) = self.settling.as_ref().and_then(Settling::catalog) {
            let is_of_catalog = |id: &EdgeId| {
                let edge = graph.edge(*id);
                edge.alias == self.alias
                    && matches!(Spec::parse(edge.alias, &edge.spec), Ok(Spec::Catalog(name)) if name.map_or("default", Symbol::as_str) == catalog)
            };
            return (0..graph.edges().len() as u32).map(EdgeId).find(is_of_catalog);
        }
        let importer = graph.importer(&self.folder)?;
        let edges = || graph.edge_ids_of(importer).filter(|id| graph.edge(*id).alias == self.alias);
        // A peer that another group has as well has no edge of its own.
        let is_own = |id: &EdgeId| graph.edge(*id).kind == self.kind;
        let is_any = |id: &EdgeId| graph.edge(*id).kind != EdgeKind::Workspace;
        edges().find(is_own).or_else(|| edges().find(is_any))
    }
}

impl Settling {
    /// Returns the name of the catalog that gets the version, if one does.
    fn catalog(&self) -> Option<&str> {
        self.is_catalog.then(|| catalog_name(&self.path))
    }

    /// Returns what asks for a version, as it was asked for.
    fn spec_for(&self, version: &Version) -> String {
        format!("{}{}{version}", self.name, self.prefix)
    }
}

/// Returns the name of the catalog at a path of the root's manifest.
fn catalog_name(path: &[String]) -> &str {
    match path.last().map_or("", String::as_str) {
        "catalog" if path.iter().all(|part| part != "catalogs") => "default",
        name => name,
    }
}

fn added_package(graph: &Graph, alias: Alias, target: PackageId) -> AddedPackage {
    let package = graph.package(target);
    let text = match &package.resolution {
        Resolution::Npm { version, .. } if package.name.as_str() != alias.as_str() => {
            format!("npm:{}@{version}", package.name)
        }
        resolution => tarballs::version_text(resolution),
    };
    AddedPackage { alias, version: text, bins: package.bin.names(package.name) }
}
