//! The packages that somebody edits in `node_modules`, to make patches of it.
//!
//! ```text
//! node_modules/.being-patched    is-odd@3.0.1
//!                                @types/node@20.0.0
//! ```
//! Installs leave their folders alone, whatever is in them. The list is gone with `node_modules`, as
//! the edits are.

use deka_fs::{Dir, Durability, FsError, atomic_write};
use deka_graph::{Graph, PackageId};
use deka_linker::Input;
use deka_manifest::Symbol;
use hashbrown::HashSet;

use crate::tarballs;

const FILE: &str = "node_modules/.being-patched";

/// The packages by `name@version`.
#[derive(Debug, Default)]
pub(crate) struct Edited(Vec<Symbol>);

impl Edited {
    /// Reads the list, if there is one.
    pub(crate) fn read(root: &Dir, inputs: &mut Vec<Input>) -> Result<Self, FsError> {
        let Some(text) = root.read(FILE)? else { return Ok(Self::default()) };
        inputs.push(Input::file(root, FILE, &text));
        let text = String::from_utf8_lossy(&text);
        Ok(Self(text.lines().map(Symbol::new).collect()))
    }

    /// Writes the list, or removes it if it is empty.
    pub(crate) fn write(&self, root: &Dir, inputs: &mut Vec<Input>) -> Result<(), FsError> {
        inputs.retain(|known| *known.path != *FILE);
        if self.0.is_empty() {
            return root.remove_file(FILE).map(drop);
        }
        let text: String = self.0.iter().flat_map(|package| [package.as_str(), "\n"]).collect();
        atomic_write(root.path_of(FILE), text.as_bytes(), Durability::None)?;
        inputs.push(Input::file(root, FILE, text.as_bytes()));
        Ok(())
    }

    /// Adds a package; returns whether it was not there.
    pub(crate) fn add(&mut self, package: Symbol) -> bool {
        let is_new = !self.0.contains(&package);
        if is_new {
            self.0.push(package);
        }
        is_new
    }

    /// Takes a package away; returns whether it was there.
    pub(crate) fn remove(&mut self, package: Symbol) -> bool {
        let before = self.0.len();
        self.0.retain(|known| *known != package);
        self.0.len() < before
    }

    /// Returns those of the packages that a graph has.
    pub(crate) fn of_graph(&self, graph: &Graph) -> HashSet<PackageId> {
        if self.0.is_empty() {
            return HashSet::new();
        }
        let is_edited =
            |id: &PackageId| self.0.contains(&Symbol::new(&tarballs::label(graph.package(*id))));
        graph.package_ids().filter(is_edited).collect()
    }
}
