//! `patchedDependencies`: the project's patches for packages of others, and how they are made.

mod copies;
mod diff;
mod edited;
mod error;
mod making;
mod target;

use std::sync::Arc;

use deka_fs::Dir;
use deka_graph::{Graph, PackageId};
use deka_linker::{Input, Patch};
use deka_manifest::Symbol;
use hashbrown::HashMap;

use crate::{InstallError, tarballs};

pub(crate) use edited::Edited;
pub(crate) use making::PatchFile;

pub use error::PatchError;
pub use making::{PatchChange, PatchCommit, PreparedPatch, prepare_patch, undo_patch, write_patch};

/// The patches of a project by `name@version`.
#[derive(Debug, Default)]
pub(crate) struct Patches(HashMap<Symbol, Arc<Patch>>);

impl Patches {
    /// Reads all patches, those of packages that nobody has, too: a file that is missing is most
    /// likely one that somebody forgot to commit.
    pub(crate) fn read(
        root: &Dir,
        listed: &[(Symbol, Symbol)],
        inputs: &mut Vec<Input>,
    ) -> Result<Self, InstallError> {
        let mut patches = HashMap::with_capacity(listed.len());
        for (package, path) in listed {
            let file = root.path().join(path.as_str());
            let text = root
                .read(path.as_str())
                .map_err(|source| InstallError::Read { path: file.clone(), source })?
                .ok_or(InstallError::NoPatch { package: *package, path: *path })?;
            inputs.push(Input::file(root, path, &text));
            let patch =
                Patch::read(&text).map_err(|source| InstallError::Patch { path: file, source })?;
            patches.insert(*package, Arc::new(patch));
        }
        Ok(Self(patches))
    }

    /// Puts a patch in the place of the one that a package has, or takes that away.
    pub(crate) fn set(&mut self, package: Symbol, patch: Option<Patch>) {
        match patch {
            Some(patch) => drop(self.0.insert(package, Arc::new(patch))),
            None => drop(self.0.remove(&package)),
        }
    }

    /// Returns the patches of the packages of a graph.
    pub(crate) fn of_graph(&self, graph: &Graph) -> HashMap<PackageId, Arc<Patch>> {
        if self.0.is_empty() {
            return HashMap::new();
        }
        let patch_of = |id: PackageId| {
            let label = Symbol::new(&tarballs::label(graph.package(id)));
            Some((id, self.0.get(&label)?.clone()))
        };
        graph.package_ids().filter_map(patch_of).collect()
    }
}
