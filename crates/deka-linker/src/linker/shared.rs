//! Entries that all projects of the machine share.
//!
//! An entry is made whole in a folder of this process, the disk is told to write everything back, and one
//! rename lets it be seen: so an entry that is there is right, also after a power cut, and nothing about
//! it has to be remembered or looked at. Who comes second with the same entry drops it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use deka_fs::{Dir, FsError};
use hashbrown::HashSet;
use tracing::trace_span;

use super::bins::set_link;
use super::{Linker, Work, make_dir};
use crate::LinkError;
use crate::difference::{Action, Task};
use crate::path::{parent, relative};
use crate::plan::{BinOwner, LinkPlan, SharedBin, SharedEntry, SharedPlaces};

/// When what a process has left half-made is removed: none takes that long.
const ABANDONED: Duration = Duration::from_hours(24);

impl Linker<'_> {
    /// Makes the folder in which shared entries are made.
    pub(super) fn make_staging(&self, plan: &LinkPlan) -> Result<(), LinkError> {
        let path = &plan.shared.places.staging;
        Dir::open_or_create(Path::new(&**path)).map_err(|source| self.failed(path, source))?;
        Ok(())
    }

    /// Lets the shared entries be seen whose packages have been placed, all but the `failed` ones.
    pub fn publish(&self, plan: &LinkPlan, work: &Work, failed: &[u32]) -> Result<(), LinkError> {
        let first = plan.placements.len() as u32;
        let failed: HashSet<u32> = failed.iter().copied().collect();
        let tasks = work.tasks().iter().map(|task| task.placement);
        let made: Vec<&SharedEntry> = tasks
            .filter(|at| *at >= first && !failed.contains(at))
            .filter_map(|at| plan.shared.entries.get((at - first) as usize))
            .collect();
        if made.is_empty() {
            return Ok(());
        }
        let _span = trace_span!("publish shared entries");
        let SharedPlaces { folder, staging } = &plan.shared.places;
        let failed = |source| self.failed(folder, source);
        let links = Dir::open(Path::new(&**folder)).map_err(failed)?;
        let own = Dir::open(Path::new(&**staging)).map_err(failed)?;
        for entry in &made {
            self.link_shared(&own, &plan.shared.places, entry).map_err(failed)?;
        }
        own.sync_file_system().map_err(failed)?;
        for entry in &made {
            if let Err(error) = own.rename(&*entry.name, &links, &*entry.name)
                && !matches!(links.metadata(&*entry.name), Ok(Some(_)))
            {
                return Err(failed(error));
            }
        }
        remove_abandoned(staging);
        Ok(())
    }

    /// Makes the links and commands of a shared entry.
    fn link_shared(
        &self,
        staging: &Dir,
        places: &SharedPlaces,
        entry: &SharedEntry,
    ) -> Result<(), FsError> {
        let mut last: Option<(&str, Dir)> = None;
        for (path, target) in &entry.links {
            let folder = parent(path);
            let dir = match last.take() {
                Some((path, dir)) if path == folder => dir,
                _ => make_dir(staging, &format!("{}/{folder}", entry.name))?,
            };
            set_link(&dir, &path[folder.len() + 1..], target)?;
            last = Some((folder, dir));
        }
        let bin_folder = format!("{}/node_modules/.bin", entry.name);
        let mut names = HashSet::new();
        let mut dir = None;
        for bin in &entry.bins {
            for (name, target) in self.find_shared_commands(staging, places, entry, bin) {
                if names.insert(name.clone()) {
                    let dir = match &mut dir {
                        Some(dir) => dir,
                        dir => dir.insert(make_dir(staging, &bin_folder)?),
                    };
                    set_link(dir, &name, &relative(&bin_folder, &target))?;
                }
            }
        }
        Ok(())
    }

    /// Returns the commands whose files exist, and their files as the entry sees them.
    fn find_shared_commands(
        &self,
        staging: &Dir,
        places: &SharedPlaces,
        entry: &SharedEntry,
        bin: &SharedBin,
    ) -> Vec<(Box<str>, String)> {
        let find = |folder: &str| {
            let is_new = matches!(staging.metadata(folder), Ok(Some(_)));
            format!("{}/{folder}", if is_new { &places.staging } else { &places.folder })
        };
        let real = find(&bin.folder);
        let native = bin.native.as_ref().map(|native| (native, find(native)));
        let owner = BinOwner {
            path: real.as_str().into(),
            native: native.as_ref().map(|(_, real)| real.as_str().into()),
            commands: Arc::new(bin.commands.clone()),
            is_placed: false,
        };
        let seen = |file: &str| match (&native, file.strip_prefix(&*real)) {
            (_, Some(rest)) => Some(format!("{}/{}{rest}", entry.name, bin.path)),
            (Some((native, real)), None) => {
                Some(format!("{native}{}", file.strip_prefix(&**real)?))
            }
            (None, None) => None,
        };
        let found = self.find_commands(&owner, |_, _| false).into_iter();
        found.filter_map(|found| Some((found.name, seen(&found.file)?))).collect()
    }
}

/// Returns a task for each shared entry of a plan that nobody has made yet.
pub(super) fn missing_shared(plan: &LinkPlan) -> Vec<Task> {
    let entries = &plan.shared.entries;
    if entries.is_empty() {
        return Vec::new();
    }
    let links = Dir::open(Path::new(&*plan.shared.places.folder)).ok();
    let is_there = |entry: &SharedEntry| {
        let links = links.as_ref();
        links.is_some_and(|links| matches!(links.metadata(&*entry.name), Ok(Some(_))))
    };
    let first = plan.placements.len() as u32;
    let missing = entries.iter().zip(first..).filter(|(entry, _)| !is_there(entry));
    let task = |(entry, placement): (&SharedEntry, u32)| Task {
        package: entry.placement.package,
        placement,
        action: Action::Place,
    };
    missing.map(task).collect()
}

/// Removes the folder of this process, and those that others left behind long ago.
fn remove_abandoned(staging: &str) {
    let Ok(all) = Dir::open(Path::new(parent(staging))) else { return };
    let own = &staging[parent(staging).len() + 1..];
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let long_ago = now.saturating_sub(ABANDONED).as_nanos().cast_signed();
    for entry in all.list().unwrap_or_default() {
        let name = entry.name.as_os_str();
        let is_old = || {
            let metadata = all.metadata(name).ok().flatten();
            metadata.is_some_and(|metadata| metadata.modified < long_ago)
        };
        if (name == own || is_old())
            && let Err(error) = all.remove_all(name)
        {
            tracing::debug!(%error, "what was left half-made could not be removed");
        }
    }
}
