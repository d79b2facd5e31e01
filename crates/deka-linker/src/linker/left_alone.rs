//! What an install did not touch, so that it need not be looked at again at its end.
//!
//! A stamp of the last state that held at the beginning still is true of a folder that nothing was
//! done to. To take one for untouched that was not costs a closer look the next time, no more.

use hashbrown::{HashMap, HashSet};

use super::Finish;
use crate::path::{is_within, parent};
use crate::plan::BinOwner;
use crate::state::{LinkState, PlacedLink, PlacedLinks, PlacedPackage, Stamp};

/// Folders of the last state that are as they were.
#[derive(Default)]
pub(super) struct LeftAlone<'a> {
    old: Option<&'a LinkState>,
    /// Those with links.
    folders: HashMap<&'a str, &'a PlacedLinks>,
    /// Paths that something was done to, with all that lead to them.
    touched: HashSet<&'a str>,
}

impl<'a> LeftAlone<'a> {
    /// Finds what is to be left alone.
    pub(super) fn of(finish: &Finish<'a>) -> Self {
        let mut left = Self::default();
        // Scripts may have done anything.
        let Some(old) = finish.old.filter(|_| !finish.has_run_scripts) else { return left };
        left.old = Some(old);
        let difference = &finish.work.difference;
        let is_moved = |path: &str| difference.clear.iter().any(|outer| is_within(path, outer));
        let links = old.link_folders.iter().zip(&difference.link_folders);
        let commands = old.bin_folders.iter().zip(&difference.bin_folders);
        let holding = links.chain(commands).filter(|(_, holds)| **holds).map(|(folder, _)| folder);
        let holding = holding.filter(|folder| !is_moved(&folder.path));
        left.folders = holding.map(|folder| (&*folder.path, folder)).collect();

        let tasks = difference.tasks.iter();
        let placed = tasks.filter_map(|task| finish.plan.placements.get(task.placement as usize));
        placed.for_each(|placement| left.touch(&placement.path));
        let links = difference.links.iter();
        let made = links.filter_map(|at| finish.plan.links.get(*at as usize));
        made.for_each(|link| left.touch(&link.path));
        let gone = difference.clear.iter().chain(&difference.removed).chain(&difference.unlink);
        gone.for_each(|path| left.touch(path));
        left
    }

    /// Notes that something was done to a path.
    fn touch(&mut self, path: &'a str) {
        let mut path = path;
        while !path.is_empty() && self.touched.insert(path) {
            path = parent(path);
        }
    }

    /// Notes which commands there are now, by folder.
    pub(super) fn touch_commands(&mut self, now: &[(&'a str, Vec<PlacedLink>)]) {
        let Some(old) = self.old else { return };
        for (path, links) in now {
            if self.links(path) != Some(links) {
                self.touch(path);
            }
        }
        let now: HashSet<&str> = now.iter().map(|(path, _)| *path).collect();
        for gone in old.bin_folders.iter().filter(|folder| !now.contains(&*folder.path)) {
            self.touch(&gone.path);
        }
    }

    /// Returns the links that are in a folder for certain.
    pub(super) fn links(&self, folder: &str) -> Option<&'a Vec<PlacedLink>> {
        self.folders.get(folder).map(|folder| &folder.links)
    }

    /// Whether nothing was done to a package of the last install, which the owner of commands is, nor to the one
    /// that stands in for it.
    pub(super) fn is_owner_untouched(&self, owner: &BinOwner) -> bool {
        let is_untouched = |path: &str| !self.touched.contains(path);
        self.old.is_some()
            && owner.is_placed
            && is_untouched(&owner.path)
            && owner.native.as_deref().is_none_or(is_untouched)
    }

    /// Returns the stamp of a folder of links that is as it was.
    pub(super) fn stamp_of_links(&self, path: &str) -> Option<Stamp> {
        let folder = self.folders.get(path)?;
        self.stamp(path, folder.stamp)
    }

    /// Returns the stamp of a placement's folder that held at the beginning, if it still does.
    pub(super) fn stamp_of_placement(&self, placed: &PlacedPackage) -> Option<Stamp> {
        self.old.and_then(|_| self.stamp(&placed.path, placed.stamp))
    }

    /// The names that were noted because time alone did not tell are noted no longer than needed.
    fn stamp(&self, path: &str, stamp: Stamp) -> Option<Stamp> {
        (stamp.names == 0 && !self.touched.contains(path)).then_some(stamp)
    }
}
