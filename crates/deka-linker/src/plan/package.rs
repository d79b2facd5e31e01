//! What every layout makes of a package of the graph.

use std::fmt::Write as _;
use std::sync::Arc;

use deka_graph::{Graph, PackageId};
use deka_manifest::{Alias, Symbol, VersionManifest, without_credentials};
use hashbrown::HashMap;

use super::{Identity, Placement, PlanOptions, Source};
use crate::commands::{Commands, Executable};
use crate::path::normalise;

/// Collects which files of packages have to be executable.
#[derive(Debug, Default)]
pub(super) struct Executables(HashMap<PackageId, Vec<Executable>>);

/// Which files of packages have to be executable.
#[derive(Debug)]
pub(super) struct FoundExecutables(HashMap<PackageId, Arc<[Executable]>>);

impl Executables {
    /// Adds the files of `commands`, which `package` offers and `native` stands in for.
    pub(super) fn add(
        &mut self,
        commands: &Commands,
        package: PackageId,
        native: Option<PackageId>,
    ) {
        match native {
            Some(native) => commands.add_native_executables(self.0.entry(native).or_default()),
            None => commands.add_executables(self.0.entry(package).or_default()),
        }
    }

    pub(super) fn finish(self) -> FoundExecutables {
        let found = self.0.into_iter().map(|(package, list)| (package, in_order(list).into()));
        FoundExecutables(found.collect())
    }
}

impl FoundExecutables {
    pub(super) fn of(&self, package: PackageId) -> Arc<[Executable]> {
        self.0.get(&package).cloned().unwrap_or_default()
    }
}

impl Identity {
    /// Returns what a placement of this version is known by, if it is neither patched nor built, and no
    /// other package stands in for its commands.
    pub fn of_version(manifest: &VersionManifest) -> Self {
        let commands = Commands::read(&manifest.bin, Alias::from(manifest.name));
        let mut executables = Vec::new();
        if let Some(commands) = commands {
            commands.add_executables(&mut executables);
        }
        let source = Source::Store { integrity: manifest.integrity };
        Self::of(&source, "", &in_order(executables), None, None)
    }
}

/// Has each once, and always in the same order.
fn in_order(mut executables: Vec<Executable>) -> Vec<Executable> {
    executables.sort_unstable_by(Executable::cmp_text);
    executables.dedup();
    executables
}

/// A place for the files of a package.
pub(super) struct Place {
    pub(super) path: Box<str>,
    pub(super) base_length: u32,
    pub(super) source: Source,
    /// The names in its own `node_modules` that others fill.
    pub(super) nested: Box<[Symbol]>,
}

impl Placement {
    pub(super) fn new(
        graph: &Graph,
        options: &PlanOptions,
        package: PackageId,
        place: Place,
        executables: Arc<[Executable]>,
    ) -> Self {
        let Place { path, base_length, source, nested } = place;
        let name = graph.package(package).name;
        let mut label = String::with_capacity(name.as_str().len() + 24);
        label.extend([name.as_str(), "@"]);
        // Writing to a string cannot fail.
        let _ = write!(label, "{}", graph.package(package).resolution);
        let resolution = &label[name.as_str().len() + 1..];
        let build = options.builds.get(&package).copied();
        let patch = options.patches.get(&package).cloned();
        Self {
            path,
            base_length,
            package,
            name,
            label: Symbol::new(&without_credentials(&label)),
            source,
            build,
            identity: Identity::of(&source, resolution, &executables, build, patch.as_deref()),
            patch,
            executables,
            nested,
            is_exposed: false,
            is_edited: options.edited.contains(&package),
        }
    }
}

/// Returns the folder of `link:./folder`; a plain name means one that was registered globally.
pub(super) fn linked_folder(target: &str) -> Option<String> {
    (target.starts_with("./") || target.starts_with("../") || target == "." || target == "..")
        .then(|| normalise(target))
        .flatten()
}

/// Returns the folder of `file:folder`.
pub(super) fn source_folder(folder: &str) -> Option<Symbol> {
    if folder.starts_with('/') && !folder.contains('\0') {
        return Some(Symbol::new(folder));
    }
    normalise(folder).map(|folder| Symbol::new(&folder))
}
