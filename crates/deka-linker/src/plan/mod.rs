//! What `node_modules` shall be, as a value.
//!
//! ```text
//! placements   node_modules/next                          ◄─ files of next@16.4.5
//!              node_modules/next/node_modules/postcss     ◄─ files of postcss@8.4.31
//!              packages/web/node_modules/react            ◄─ files of react@18.3.1
//! links        node_modules/web                           ─► ../packages/web
//! bins         node_modules/.bin    next, postcss, …      by precedence of their owners
//! ```
//! A plan knows no disk and no store: it is built from graph and tree, printed in tests, compared
//! with the last one. Of the isolated layout all placements lie below `node_modules/.bun`, and all the
//! rest are links.

#[cfg(test)]
pub(crate) mod fixture;
mod hoisted;
mod isolated;
mod package;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use deka_graph::{Graph, PackageId};
use deka_manifest::{CpuSet, OsSet, PackageName, Symbol, Target};
use deka_store::BuildKey;
use hashbrown::{HashMap, HashSet};
use xxhash_rust::xxh3::Xxh3;

use crate::commands::{Commands, Executable};
use crate::patch::Patch;
use crate::state::LinkState;

pub(crate) use isolated::ENTRIES;
pub use isolated::{HoistPatterns, IsolatedTree};

/// What `node_modules` shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkPlan {
    /// Folders with the files of packages; what lies inside another comes after it.
    pub placements: Vec<Placement>,
    /// Symlinks to folders: workspaces, the project itself, `link:` dependencies.
    pub links: Vec<Link>,
    /// The `.bin` folders and whose commands go there.
    pub bin_folders: Vec<BinFolder>,
    /// Dependencies that cannot be placed, with the reason; to be reported as warnings.
    pub skipped: Vec<Skipped>,
    /// Which of the two it is.
    pub layout: Layout,
    /// What all projects of the machine share, and the project has links to.
    pub shared: SharedPlan,
}

/// Entries of the isolated layout that lie in one folder for all projects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedPlan {
    /// Where they are.
    pub places: SharedPlaces,
    /// What has to be there.
    pub entries: Vec<SharedEntry>,
}

/// Where shared entries are, as absolute paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharedPlaces {
    /// The folder with all of them.
    pub folder: Box<str>,
    /// A folder of this process below it, in which they are made.
    pub staging: Box<str>,
}

/// A package with links to its dependencies, the same for all projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedEntry {
    /// The name of its folder, which says all about it.
    pub name: Box<str>,
    /// Where its package is made.
    pub placement: Placement,
    /// Its symlinks: where they are in its folder, and what they say.
    pub links: Vec<(Box<str>, Box<str>)>,
    /// Whose commands go to its `.bin` folder. Where two offer the same name, the first one has it.
    pub bins: Vec<SharedBin>,
}

/// A package whose commands go to the `.bin` folder of a shared entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedBin {
    /// Where the entry has it.
    pub path: Box<str>,
    /// Where its files are, below [`SharedPlaces::folder`].
    pub folder: Box<str>,
    /// Where the native programs are that stand in for them.
    pub native: Option<Box<str>>,
    /// The commands.
    pub commands: Commands,
}

/// The shape of `node_modules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Packages lie where those that need them find them by looking upwards.
    #[default]
    Hoisted,
    /// Each package has a folder with links to its own dependencies.
    Isolated,
}

/// A package at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Its folder below the project: `node_modules/a/node_modules/b`.
    pub path: Box<str>,
    /// How many bytes of `path` name the outermost `node_modules` (`packages/web/node_modules`).
    pub base_length: u32,
    /// The package in the graph.
    pub package: PackageId,
    /// The package's real name.
    pub name: PackageName,
    /// `name@version` for messages.
    pub label: Symbol,
    /// Where its files come from.
    pub source: Source,
    /// Which of its files have to be executable.
    pub executables: Arc<[Executable]>,
    /// What is changed in its files.
    pub patch: Option<Arc<Patch>>,
    /// The names in its own `node_modules` that other placements fill: a tarball that ships
    /// something there loses it.
    pub nested: Box<[Symbol]>,
    /// What its scripts make of it, if they may run.
    pub build: Option<Build>,
    /// Whether it lies in the folder of a package whose scripts are going to run, so that they can write
    /// into its files.
    pub is_exposed: bool,
    /// Whether somebody edits its files: then they are left alone.
    pub is_edited: bool,
    /// What it will be on disk: equal means nothing to do.
    pub identity: Identity,
}

/// What the scripts of a package make of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// Tells one result from another.
    pub key: BuildKey,
    /// Whether the store has the result. Else the files get inodes of their own, because scripts
    /// write into them, and what is on disk afterwards cannot be repaired but by running them again.
    pub is_stored: bool,
}

/// Where the files of a placement come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The store, by the SRI string of the graph; empty if there is none.
    Store {
        /// The SRI string, verbatim.
        integrity: Symbol,
    },
    /// A folder (`file:`), relative to the project.
    Folder {
        /// The folder, normal; may start with `..`, or be absolute.
        path: Symbol,
    },
}

/// A hash over everything that decides about the bytes and modes of a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity(pub u128);

/// A symlink to a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it is, below the project.
    pub path: Box<str>,
    /// What it says: a relative path.
    pub target: Box<str>,
    /// The package that it leads to.
    pub package: PackageId,
}

/// A `.bin` folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinFolder {
    /// The folder below the project: `node_modules/.bin`.
    pub path: Box<str>,
    /// Whose commands go there. Where two offer the same name, the first one whose file exists has it.
    pub owners: Vec<BinOwner>,
}

/// A package whose commands go to a `.bin` folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinOwner {
    /// The package's folder (or the symlink to it), below the project.
    pub path: Box<str>,
    /// The folder of the package that holds the same commands as native programs for this platform,
    /// preferred where it has them.
    pub native: Option<Box<str>>,
    /// The commands.
    pub commands: Arc<Commands>,
    /// Whether the files are those of a placement, and not the user's own.
    pub is_placed: bool,
}

/// A dependency that is not placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it would be.
    pub path: Box<str>,
    /// What is in the way, without a full stop.
    pub reason: &'static str,
}

/// What a plan depends on besides graph and tree.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// The platform that is installed for.
    pub target: Target,
    /// Whose commands may be replaced by the native programs of their platform packages.
    pub native_bins: NativeBins,
    /// The folders of packages that are registered for `link:` by name, relative to the project.
    pub registered: HashMap<Symbol, Box<str>>,
    /// The packages whose scripts run, and what is known of the result.
    pub builds: HashMap<PackageId, Build>,
    /// What is changed in the files of packages, at each of their places.
    pub patches: HashMap<PackageId, Arc<Patch>>,
    /// The packages that somebody edits in place, to make patches of it.
    pub edited: HashSet<PackageId>,
    /// Where the entries of the isolated layout are that projects share, if they do.
    pub shared: Option<SharedPlaces>,
}

/// The packages whose JavaScript launchers are skipped in favour of the program they start.
///
/// Bun has two by default; a `nativeDependencies` in the project's manifest names others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeBins(pub Vec<PackageName>);

impl NativeBins {
    /// None at all.
    pub const NONE: Self = Self(Vec::new());

    /// Returns the package that brings the native programs of `package`, if it is one of these: its
    /// first dependency for exactly this platform.
    pub fn native_of(
        &self,
        graph: &Graph,
        package: PackageId,
        target: &Target,
    ) -> Option<PackageId> {
        if !self.0.contains(&graph.package(package).name)
            || target.os.intersects(OsSet::of("win32"))
        {
            return None;
        }
        let is_for_target = |package: &PackageId| {
            let platforms = &graph.package(*package).platforms;
            platforms.os != OsSet::ALL
                && platforms.cpu != CpuSet::ALL
                && platforms.os.intersects(target.os)
                && platforms.cpu.intersects(target.cpu)
        };
        graph.edges_of(package).iter().filter_map(|edge| edge.target).find(is_for_target)
    }
}

impl Default for NativeBins {
    fn default() -> Self {
        let names = ["esbuild", "@anthropic-ai/claude-code"];
        Self(names.into_iter().filter_map(|name| PackageName::parse(name).ok()).collect())
    }
}

/// Why there can be no plan: the lockfile or a manifest says something that would leave the project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A workspace that is not inside the project.
    #[error("The workspace `{name}` lies outside of the project, at `{path}`")]
    WorkspaceOutside {
        /// The workspace's name.
        name: PackageName,
        /// Its path as the lockfile or manifest has it.
        path: Symbol,
    },
}

impl LinkPlan {
    /// Returns the placement at `path`.
    pub fn placement(&self, path: &str) -> Option<&Placement> {
        self.placements.iter().find(|placement| *placement.path == *path)
    }

    /// Returns the placement that a task is about: the shared ones follow the project's own.
    pub fn placement_at(&self, at: u32) -> Option<&Placement> {
        let at = at as usize;
        let shared = || self.shared.entries.get(at - self.placements.len());
        self.placements.get(at).or_else(|| shared().map(|entry| &entry.placement))
    }

    /// Returns all placements in the order in which tasks count them.
    pub fn all_placements(&self) -> impl Iterator<Item = &Placement> {
        let shared = self.shared.entries.iter().map(|entry| &entry.placement);
        self.placements.iter().chain(shared)
    }

    /// Whether a link leads to a shared entry.
    pub fn is_shared(&self, link: &Link) -> bool {
        let folder = &*self.shared.places.folder;
        !folder.is_empty() && crate::path::is_within(&link.target, folder)
    }

    /// Returns the folder in which the files of a placement are once all is done.
    pub fn folder_of(&self, at: u32) -> Option<String> {
        let placement = self.placement_at(at)?;
        let SharedPlaces { folder, staging } = &self.shared.places;
        let shared = placement.path.strip_prefix(&**staging).filter(|_| !staging.is_empty());
        Some(shared.map_or_else(|| placement.path.to_string(), |rest| format!("{folder}{rest}")))
    }

    /// Keeps what is in another plan, and what the last install placed; so an install of a part of a
    /// project takes nothing away from the others.
    pub fn keep_parts(&mut self, wanted: &Self, old: Option<&LinkState>) {
        let placements = wanted.placements.iter().map(|placement| &*placement.path);
        let links = wanted.links.iter().map(|link| &*link.path);
        let old_placements = old.into_iter().flat_map(|old| &old.placements);
        let old_placements = old_placements.map(|placed| &*placed.path);
        let old_links: Vec<(String, &str)> = old.into_iter().flat_map(LinkState::links).collect();
        let old_links = old_links.iter().map(|(path, _)| &**path);
        let kept: HashSet<&str> =
            placements.chain(links).chain(old_placements).chain(old_links).collect();
        self.placements.retain(|placement| kept.contains(&*placement.path));
        self.links.retain(|link| kept.contains(&*link.path));
        for folder in &mut self.bin_folders {
            folder.owners.retain(|owner| kept.contains(&*owner.path));
        }
        self.bin_folders.retain(|folder| !folder.owners.is_empty());
    }

    /// Whether there is nothing to place and nothing to link.
    pub fn is_empty(&self) -> bool {
        self.placements.is_empty() && self.links.is_empty()
    }
}

impl BinOwner {
    /// Whether its native programs come in a package inside of its own folder.
    fn has_native_inside(&self) -> bool {
        let native = self.native.as_deref();
        native.is_some_and(|native| crate::path::is_within(native, &self.path))
    }
}

impl Placement {
    /// Returns the outermost `node_modules` that it lies in.
    pub fn base(&self) -> &str {
        &self.path[..self.base_length as usize]
    }

    /// Whether its scripts are going to run.
    pub fn is_private(&self) -> bool {
        self.build.is_some_and(|build| !build.is_stored)
    }

    /// Returns its path inside [`Placement::base`].
    pub fn path_in_base(&self) -> &str {
        &self.path[self.base_length as usize + 1..]
    }
}

impl Identity {
    fn of(
        source: &Source,
        resolution: &str,
        executables: &[Executable],
        build: Option<Build>,
        patch: Option<&Patch>,
    ) -> Self {
        let mut hasher = Xxh3::new();
        let mut part = |tag: u8, text: &str| {
            hasher.update(&[tag]);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        match source {
            Source::Store { integrity } if !integrity.is_empty() => part(0, integrity),
            Source::Store { .. } => part(1, resolution),
            Source::Folder { path } => part(2, path),
        }
        if let Some(patch) = patch {
            part(7, &format!("{:032x}", patch.hash()));
        }
        for executable in executables {
            match executable {
                Executable::FirstOf(files) => {
                    part(3, "");
                    for file in files {
                        part(4, file);
                    }
                }
                Executable::AllIn(folder) => part(5, folder),
            }
        }
        if let Some(build) = build {
            part(6, &format!("{:02x?}", build.key.as_bytes()));
        }
        Self(hasher.digest128())
    }
}
