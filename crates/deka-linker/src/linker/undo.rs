//! Taking back what was begun, for a command that failed to change the project.
//!
//! What was moved out of the way is still there, under another name, and goes back by one rename each. What was
//! placed in its stead, or anew, is removed. The state is written again as it was, unless something could not
//! be brought back: then `node_modules` stays marked as unfinished.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use deka_fs::{Creation, Durability, FsError, atomic_write};
use hashbrown::HashMap;

use super::bins::set_link;
use super::{Linker, Work, find_base};
use crate::LinkError;
use crate::difference::Action;
use crate::path::parent;
use crate::plan::{Link, LinkPlan, Placement};
use crate::state::{LinkState, STATE_FILE};

/// What was moved out of the way.
#[derive(Default)]
pub(super) struct Moved {
    /// Paths, with the names in `node_modules` that they have now.
    pub(super) paths: Vec<(Box<str>, String)>,
    /// Whether something could not be moved, and was removed at once.
    pub(super) is_lossy: bool,
}

/// A folder of commands as it was.
pub(super) struct Commands {
    path: Box<str>,
    /// The symlinks that were there.
    before: Vec<(OsString, PathBuf)>,
}

impl Linker<'_> {
    /// Takes back everything since [`Linker::begin`], which returned `work`, so that `node_modules` is as it was; in
    /// place of [`Linker::finish`], and when no task is being performed any more.
    ///
    /// Files that were found damaged and were mended stay mended.
    pub fn undo(
        &self,
        plan: &LinkPlan,
        work: &Work,
        old: Option<&LinkState>,
    ) -> Result<(), LinkError> {
        if work.difference.is_empty() {
            return Ok(());
        }
        let failed = |path: &str| {
            let path = path.to_owned();
            move |source: FsError| self.failed(&path, source)
        };
        let made: Vec<&Link> = links_made(plan, work).collect();
        for link in &made {
            self.remove_link(link).map_err(failed(&link.path))?;
        }
        for placement in placed(plan, work) {
            let base = self.base(placement.base())?;
            let removed = base.dir.remove_all(placement.path_in_base());
            removed.map_err(failed(&placement.path))?;
        }
        let is_whole = self.move_back()?;
        self.unlink_commands()?;
        let links = made.iter().map(|link| &*link.path);
        let placed = placed(plan, work).map(|placement| &*placement.path);
        self.remove_empty_folders(placed.chain(links));
        let Some(old) = old else {
            self.empty_trash();
            // If that is what it was, for else something is in it.
            drop(self.root.remove_dir("node_modules"));
            return Ok(());
        };
        if old.is_unfinished() {
            return Ok(());
        }
        let before: HashMap<String, &str> = old.links().collect();
        for link in made {
            if let Some(target) = before.get(&*link.path) {
                let folder = parent(&link.path);
                let dir = self.make_link_folder(folder)?;
                set_link(&dir, &link.path[folder.len() + 1..], target)
                    .map_err(failed(&link.path))?;
            }
        }
        self.empty_trash();
        if is_whole { self.restore_state(old) } else { Ok(()) }
    }

    /// Takes back what was moved out of the way, where nothing else has been done yet.
    pub(super) fn undo_moves(&self, old: Option<&LinkState>) -> Result<(), LinkError> {
        let is_whole = self.move_back()?;
        let Some(old) = old.filter(|old| is_whole && !old.is_unfinished()) else { return Ok(()) };
        self.empty_trash();
        self.restore_state(old)
    }

    fn restore_state(&self, old: &LinkState) -> Result<(), LinkError> {
        atomic_write(self.root.path_of(STATE_FILE), &old.encode(), Durability::None)
            .map_err(|source| self.failed(STATE_FILE, source))
    }

    /// Removes a link that was made.
    fn remove_link(&self, link: &Link) -> Result<(), FsError> {
        let is_ours = self.root.read_link(&*link.path)?;
        if is_ours.is_some_and(|target| target == Path::new(&*link.target)) {
            self.root.remove_file(&*link.path)?;
        }
        Ok(())
    }

    /// Moves back what was moved out of the way; returns whether that is all of it.
    fn move_back(&self) -> Result<bool, LinkError> {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        let bin = self.base("node_modules")?;
        while let Some((path, trash)) = moved.paths.pop() {
            let Some(end) = find_base(&path) else { continue };
            let (base, name) = (self.base(&path[..end])?, &path[end + 1..]);
            // Whatever has the name now was made since.
            let back = base.dir.remove_all(name);
            let back = back.and_then(|_| bin.dir.rename(trash.as_str(), &base.dir, name));
            if let Err(source) = back {
                moved.paths.push((path.clone(), trash));
                return Err(self.failed(&path, source));
            }
        }
        Ok(!moved.is_lossy)
    }

    /// Notes what is in a folder of commands that others are to be made in.
    pub(super) fn note_commands(&self, path: &str) -> Result<(), LinkError> {
        let mut before = Vec::new();
        if let Some(dir) = self.open_reached(path) {
            let failed = |source| self.failed(path, source);
            for entry in dir.list().map_err(failed)? {
                let Some(target) = dir.read_link(&*entry.name).map_err(failed)? else { continue };
                before.push((entry.name, target));
            }
        }
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.push(Commands { path: path.into(), before });
        Ok(())
    }

    /// Lets commands lead where they did before, and removes the others.
    fn unlink_commands(&self) -> Result<(), LinkError> {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        for Commands { path, before } in &*commands {
            let Some(dir) = self.open_reached(path) else { continue };
            let failed = |source| self.failed(path, source);
            for entry in dir.list().map_err(failed)? {
                let name = entry.name.as_os_str();
                let Some(target) = dir.read_link(name).map_err(failed)? else { continue };
                match before.iter().find(|(known, _)| known == name) {
                    Some((_, then)) if *then == target => continue,
                    _ => dir.remove_file(name).map_err(failed)?,
                };
            }
            for (name, target) in before {
                let (Creation::Made | Creation::Existed) =
                    dir.symlink(target.as_os_str(), name.as_os_str()).map_err(failed)?;
            }
            // Unless something is in it.
            drop(self.root.remove_dir(&**path));
        }
        Ok(())
    }
}

/// Returns the placements that were, or were to be, made anew.
fn placed<'p>(plan: &'p LinkPlan, work: &'p Work) -> impl Iterator<Item = &'p Placement> {
    let tasks = work.tasks().iter().filter(|task| task.action == Action::Place);
    tasks.filter_map(|task| plan.placements.get(task.placement as usize))
}

/// Returns the links that were, or were to be, made.
fn links_made<'p>(plan: &'p LinkPlan, work: &'p Work) -> impl Iterator<Item = &'p Link> {
    work.difference.links.iter().filter_map(|at| plan.links.get(*at as usize))
}
