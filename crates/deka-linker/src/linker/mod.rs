//! The executor: applies a plan to the disk.
//!
//! ```text
//! begin    compare, take the state away, move aside what is in the way      one thread
//! perform  one task per placement, as soon as its files are in the store    all workers
//! finish   links, bins, removals, the state                                 one thread
//! undo     in place of finish: everything as it was at the beginning        one thread
//! ```
//! Each placement is a folder made and filled through descriptors on both sides: no path is
//! resolved twice, nothing is asked before it is made, nothing is changed after. Parents are made on
//! demand, so placements may come in any order. Whatever is in the way is moved into
//! `node_modules/.deka-trash-*` first (one rename each) and removed at the end; what a kill leaves
//! of it, the next run removes.

mod bins;
mod folder;
mod left_alone;
mod observe;
mod patches;
mod place;
mod shared;
mod state;
#[cfg(test)]
mod tests;
mod undo;
mod verify;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use deka_fs::{Creation, Dir, Entry, Epoch, FileKind, FsError, flush_horizon};
use deka_store::{PackageIndex, Store};
use hashbrown::{HashMap, HashSet};

pub(crate) use folder::folder_fingerprint;
pub use state::{Finish, Finished};

use crate::LinkError;
use crate::difference::{Action, Difference, Task, Trust, difference};
use crate::plan::{LinkPlan, Placement, Source};
use crate::state::LinkState;

/// How files get from the store into `node_modules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// The best that the two volumes allow: hardlink (clone on macOS), else clone, else copy.
    #[default]
    Auto,
    /// A second name of the store's file; where that is refused like [`Backend::Clone`].
    Hardlink,
    /// A file of its own that shares the blocks; where that is refused like [`Backend::Copy`].
    Clone,
    /// A file of its own.
    Copy,
    /// A symlink to the store's file. As with Bun, Node.js then needs `--preserve-symlinks`.
    Symlink,
}

/// What is to be done, by whom, and what was found; made by [`Linker::begin`].
#[derive(Debug, Default)]
pub struct Work {
    /// What differs.
    pub difference: Difference,
}

impl Work {
    /// Returns the tasks to perform.
    pub fn tasks(&self) -> &[Task] {
        &self.difference.tasks
    }
}

/// What became of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The folder was made.
    Placed,
    /// Everything was there already.
    Intact,
    /// Some files were missing or damaged and were made anew.
    Repaired,
}

/// Makes `node_modules`.
pub struct Linker<'a> {
    root: Dir,
    store: &'a Store,
    backend: Backend,
    force: bool,
    glances: bool,
    bases: Mutex<HashMap<Box<str>, Arc<Base>>>,
    /// Names in `node_modules` that are to be removed.
    trash: Mutex<Vec<String>>,
    trash_names: AtomicU32,
    /// What was moved out of the way, and what could not be moved and is gone.
    moved: Mutex<undo::Moved>,
    /// What was in the folders of commands that were made before [`Linker::finish`].
    commands: Mutex<Vec<undo::Commands>>,
    /// Placements that were found damaged and made anew, by their place in the plan.
    repaired: Mutex<HashSet<u32>>,
    /// What the names in placed folders hash to, by path, as far as nothing else has to be in them.
    names: Mutex<HashMap<Box<str>, u64>>,
    /// What the sources of `file:` dependencies were when they were copied, by placement.
    fingerprints: Mutex<HashMap<Box<str>, u64>>,
}

/// An outermost `node_modules`: the project's or a workspace's.
struct Base {
    dir: Dir,
    /// The way that works between the store and here, as a number of `place::Way`.
    way: AtomicU8,
}

const TRASH_PREFIX: &str = ".deka-trash-";
/// What deka's own passing files in `node_modules` begin with.
const OWN_PREFIX: &str = ".deka-";

impl<'a> Linker<'a> {
    /// Opens the project at `root`.
    pub fn new(root: &Path, backend: Backend, store: &'a Store) -> Result<Self, LinkError> {
        let dir = Dir::open(root)
            .map_err(|source| LinkError::NodeModules { path: root.to_owned(), source })?;
        Ok(Self {
            root: dir,
            store,
            backend,
            force: false,
            glances: false,
            bases: Mutex::default(),
            trash: Mutex::default(),
            trash_names: AtomicU32::new(0),
            moved: Mutex::default(),
            commands: Mutex::default(),
            repaired: Mutex::default(),
            names: Mutex::default(),
            fingerprints: Mutex::default(),
        })
    }

    /// Has everything placed anew, whatever the last state says.
    #[must_use]
    pub fn with_force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Has packages that are there be believed to be as they were left: one list of `node_modules` in place
    /// of a look at each of them. What was done inside of them is found by the next one that looks.
    #[must_use]
    pub fn with_glances(mut self, glances: bool) -> Self {
        self.glances = glances;
        self
    }

    /// Returns the project's folder.
    pub fn root(&self) -> &Dir {
        &self.root
    }

    /// Compares the plan with the last state and the disk, and touches nothing.
    pub fn compare(&self, plan: &LinkPlan, old: Option<&LinkState>) -> Work {
        let trust = old.map_or(Trust::All, |old| self.trust(old));
        let disk = observe::Disk::new(&self.root);
        let mut disk = if self.glances && !self.force { disk.with_glance() } else { disk };
        let mut difference = difference(old, plan, trust, self.force, &mut disk);
        difference.tasks.extend(shared::missing_shared(plan));
        Work { difference }
    }

    /// Compares the plan with the last state and the disk, and makes room for what is to be done.
    ///
    /// If something is, the state file is gone afterwards: until [`Linker::finish`] has written
    /// another one, nobody takes this `node_modules` for complete.
    pub fn begin(&self, plan: &LinkPlan, old: Option<&LinkState>) -> Result<Work, LinkError> {
        let work = self.compare(plan, old);
        if work.difference.is_empty() {
            if old.is_some_and(LinkState::is_unfinished) {
                self.find_left_over_trash(&*self.base("node_modules")?)?;
            }
            return Ok(work);
        }
        let is_there = self.root.metadata("node_modules").is_ok_and(|metadata| metadata.is_some());
        if is_there || !plan.is_empty() {
            let base = self.base("node_modules")?;
            let failed = |source| self.failed("node_modules", source);
            LinkState::begin_unfinished(&base.dir, old, plan, &work.difference).map_err(failed)?;
            // What was just written as well: at the end it goes.
            self.find_left_over_trash(&base)?;
        }
        for path in &work.difference.clear {
            if let Err(error) = self.move_aside(path) {
                if let Err(error) = self.undo_moves(old) {
                    tracing::debug!(%error, "what was moved could not be moved back");
                }
                return Err(error);
            }
        }
        let is_shared = |task: &Task| task.placement as usize >= plan.placements.len();
        if work.tasks().iter().any(is_shared) {
            self.make_staging(plan)?;
        }
        Ok(work)
    }

    /// Performs one task; safe to call from many threads, and again after it failed.
    ///
    /// `index` has to be the one of the package that the task names; `file:` folders need none.
    pub fn perform(
        &self,
        plan: &LinkPlan,
        task: Task,
        index: Option<&PackageIndex>,
    ) -> Result<Outcome, LinkError> {
        let Some(placement) = plan.placement_at(task.placement) else {
            return Ok(Outcome::Intact);
        };
        if let Source::Folder { path } = placement.source {
            self.place_folder(placement, &path)?;
            return Ok(Outcome::Placed);
        }
        let index = index.ok_or(LinkError::NoIndex { package: placement.label })?;
        match task.action {
            // What a patch made of the files cannot be told from damage.
            Action::Verify(_) if placement.patch.is_some() => {
                self.place(placement, index).map(|()| Outcome::Placed)
            }
            Action::Place => self.place(placement, index).map(|()| Outcome::Placed),
            Action::Verify(depth) => {
                let outcome = self.verify(placement, index, depth)?;
                if outcome == Outcome::Repaired {
                    let mut repaired = self.repaired.lock().unwrap_or_else(PoisonError::into_inner);
                    repaired.insert(task.placement);
                }
                Ok(outcome)
            }
        }
    }

    fn trust(&self, old: &LinkState) -> Trust {
        let epoch = self.root.open_dir("node_modules").and_then(|dir| Epoch::of(&dir));
        if old.is_sealed || epoch.is_ok_and(|epoch| epoch.as_str() == old.epoch) {
            return Trust::All;
        }
        Trust::Flushed { horizon: flush_horizon().map(|horizon| horizon.as_secs()) }
    }

    /// Returns the outermost `node_modules` at `path`, made if it does not exist.
    fn base(&self, path: &str) -> Result<Arc<Base>, LinkError> {
        let mut bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(base) = bases.get(path) {
            return Ok(base.clone());
        }
        let dir = match self.root.open_dir(path) {
            Err(error) if error.is_not_found() => {
                self.root.create_dir(path).and_then(|_| self.root.open_dir(path))
            }
            result => result,
        };
        let dir = dir.map_err(|source| self.failed(path, source))?;
        self.check_link(path, &dir)?;
        let base = Arc::new(Base { dir, way: AtomicU8::new(place::first_way(self.backend)) });
        bases.insert(path.into(), base.clone());
        Ok(base)
    }

    /// Fails where a symlink stands in the place of the `node_modules` that is open, unless it leads to
    /// another one, or to a folder that is empty or was filled by deka: it may have come with a cloned
    /// repository, and what lies elsewhere is not the project's to change.
    fn check_link(&self, path: &str, dir: &Dir) -> Result<(), LinkError> {
        let failed = |source| self.failed(path, source);
        if self.root.read_link(path).map_err(failed)?.is_none() {
            return Ok(());
        }
        let path = self.root.path_of(path);
        let real = std::fs::canonicalize(&path).unwrap_or_default();
        let names = dir.list().map_err(failed)?;
        let is_own =
            |entry: &Entry| entry.name.to_str().is_some_and(|name| name.starts_with(OWN_PREFIX));
        if real.ends_with("node_modules") || names.is_empty() || names.iter().any(is_own) {
            Ok(())
        } else {
            Err(LinkError::OtherFolder { path })
        }
    }

    fn find_left_over_trash(&self, base: &Base) -> Result<(), LinkError> {
        let is_own = |name: &OsStr| name.as_encoded_bytes().starts_with(OWN_PREFIX.as_bytes());
        let own =
            base.dir.list_some(is_own).map_err(|source| self.failed("node_modules", source))?;
        let mut trash = self.trash.lock().unwrap_or_else(PoisonError::into_inner);
        trash.extend(own.into_iter().filter_map(|entry| entry.name.into_string().ok()));
        Ok(())
    }

    /// Moves whatever is at `path` out of the way; to be removed at the end.
    fn move_aside(&self, path: &str) -> Result<(), LinkError> {
        // What lies outside of every node_modules is never cleared.
        let Some(end) = find_base(path) else { return Ok(()) };
        let base = self.base(&path[..end])?;
        let name = &path[end + 1..];
        let number = self.trash_names.fetch_add(1, Ordering::Relaxed);
        let trash = format!("{TRASH_PREFIX}{}-{number}", std::process::id());
        // All in one place, where what a kill leaves is found again.
        let bin = self.base("node_modules")?;
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        match base.dir.rename(name, &bin.dir, trash.as_str()) {
            Ok(()) => {
                moved.paths.push((path.into(), trash));
                Ok(())
            }
            Err(error) if error.is_not_found() => Ok(()),
            // Nor could it be removed, but perhaps what is in it.
            Err(source) if source.is_read_only() => Err(self.failed(path, source)),
            // Folders of lower layers of an overlay cannot be renamed, nor what is on another volume.
            Err(_) => {
                moved.is_lossy = true;
                base.dir.remove_all(name).map(drop).map_err(|source| self.failed(path, source))
            }
        }
    }

    /// Removes what was moved aside, with a few threads if there is much of it.
    fn empty_trash(&self) {
        /// As many as one thread removes before others would have started.
        const FEW: usize = 4;

        let mut trash =
            std::mem::take(&mut *self.trash.lock().unwrap_or_else(PoisonError::into_inner));
        let moved = std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner));
        trash.extend(moved.paths.into_iter().map(|(_, trash)| trash));
        if trash.is_empty() {
            return;
        }
        let Ok(base) = self.base("node_modules") else { return };
        let next = AtomicU32::new(0);
        let remove = || {
            while let Some(name) = trash.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                if let Err(error) = base.dir.remove_all(name.as_str()) {
                    // It is in nobody's way; the next run tries again.
                    tracing::debug!(%error, "what was replaced could not be removed");
                }
            }
        };
        if trash.len() <= FEW {
            return remove();
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(remove);
            }
            remove();
        });
    }

    /// Opens a folder that nothing but folders leads to from its outermost `node_modules`.
    fn open_reached(&self, path: &str) -> Option<Dir> {
        let end = find_base(path)?;
        let mut dir = self.root.open_dir(&path[..end]).ok()?;
        for name in path[end + 1..].split('/') {
            dir = dir.open_dir_no_follow(name).ok()?;
        }
        Some(dir)
    }

    fn path_of(&self, path: &str) -> PathBuf {
        self.root.path_of(path)
    }

    fn failed(&self, path: &str, source: FsError) -> LinkError {
        LinkError::NodeModules { path: self.path_of(path), source }
    }

    fn place_failed(&self, placement: &Placement) -> impl Fn(FsError) -> LinkError {
        let (package, path) = (placement.label, self.path_of(&placement.path));
        move |source| LinkError::Place { package, path: path.clone(), source }
    }
}

impl Base {
    /// Makes and opens the folder at `path`, with the folders above it that do not exist.
    ///
    /// What is there instead of a folder is removed.
    fn make_dir(&self, path: &str) -> Result<Dir, FsError> {
        make_dir(&self.dir, path)
    }
}

/// Makes and opens the folder `path` in `dir`, with the folders above it that do not exist; what is
/// there instead is removed.
fn make_dir(dir: &Dir, path: &str) -> Result<Dir, FsError> {
    match dir.create_dir(path) {
        Ok(Creation::Made) => return dir.open_dir_no_follow(path),
        Ok(Creation::Existed) => {}
        Err(error) if error.is_not_found() && path.contains('/') => {
            create_dir(dir, crate::path::parent(path))?;
            let (Creation::Made | Creation::Existed) = dir.create_dir(path)?;
        }
        Err(error) => return Err(error),
    }
    match dir.open_dir_no_follow(path) {
        Ok(opened) => Ok(opened),
        Err(error) => match dir.metadata(path)? {
            Some(metadata) if metadata.kind != FileKind::Directory => {
                dir.remove_file(path)?;
                let (Creation::Made | Creation::Existed) = dir.create_dir(path)?;
                dir.open_dir_no_follow(path)
            }
            _ => Err(error),
        },
    }
}

/// Like [`make_dir`], without opening what it makes.
fn create_dir(dir: &Dir, path: &str) -> Result<(), FsError> {
    match dir.create_dir(path) {
        Ok(Creation::Made) => {}
        // Unless it is a folder, it is replaced by one.
        Ok(Creation::Existed) => drop(make_dir(dir, path)?),
        Err(error) if error.is_not_found() && path.contains('/') => {
            create_dir(dir, crate::path::parent(path))?;
            let (Creation::Made | Creation::Existed) = dir.create_dir(path)?;
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Returns where the outermost `node_modules` of a path ends.
fn find_base(path: &str) -> Option<usize> {
    crate::path::base_of(path).map(str::len)
}
