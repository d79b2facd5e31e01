//! The end of an install: links, bins, removals, and the state that says that all is done.

use std::path::Path;
use std::sync::PoisonError;

use deka_fs::{Dir, Durability, Epoch, FileKind, FsError, atomic_write, flush_horizon};
use hashbrown::{HashMap, HashSet};
use tracing::trace_span;

use super::bins::set_link;
use super::left_alone::LeftAlone;
use super::{Linker, Work, find_base, make_dir};
use crate::LinkError;
use crate::path::{is_within, link_target, parent};
use crate::plan::{ENTRIES, Link, LinkPlan, Source};
use crate::state::{
    Input, LinkState, PlacedLink, PlacedLinks, PlacedPackage, STATE_FILE, Stamp, Summary,
    hash_names_of, is_same_boot, now_on, uptime, young_since,
};

/// What [`Linker::finish`] needs to know.
#[derive(Debug)]
pub struct Finish<'a> {
    /// The plan.
    pub plan: &'a LinkPlan,
    /// What [`Linker::begin`] returned.
    pub work: &'a Work,
    /// The state that it was compared with.
    pub old: Option<&'a LinkState>,
    /// The placements (by their place in the plan) that could not be made and need not be: optional
    /// packages that failed. They are tried again next time.
    pub failed: &'a [u32],
    /// The files that decided about the install.
    pub inputs: Vec<Input>,
    /// The hash of the settings that decided about the install.
    pub settings: u64,
    /// The figures to report when there is nothing to do.
    pub summary: Summary,
    /// Whatever the caller wants to know next time.
    pub payload: Vec<u8>,
    /// Whether scripts ran since [`Linker::begin`], which may have changed what nobody expects.
    pub has_run_scripts: bool,
}

/// What [`Linker::finish`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finished {
    /// How many commands are linked.
    pub bins: usize,
    /// How many packages were removed that nothing replaces.
    pub removed: usize,
}

impl Linker<'_> {
    /// Makes the links of a plan that are not there yet; they may lead to what is still to come.
    pub fn make_links(&self, plan: &LinkPlan, work: &Work) -> Result<(), LinkError> {
        let _span = trace_span!("make links");
        let mut last: Option<(&str, Dir)> = None;
        for at in &work.difference.links {
            let Some(link) = plan.links.get(*at as usize) else { continue };
            let failed = |source| self.failed(&link.path, source);
            let folder = parent(&link.path);
            let dir = match last.take() {
                Some((path, dir)) if path == folder => dir,
                _ => self.make_link_folder(folder)?,
            };
            set_link(&dir, &link.path[folder.len() + 1..], &link.target).map_err(failed)?;
            last = Some((folder, dir));
        }
        Ok(())
    }

    /// Makes the folder that links go to; the outermost `node_modules` may be a symlink.
    pub(super) fn make_link_folder(&self, path: &str) -> Result<Dir, LinkError> {
        let made = match find_base(path) {
            Some(end) => make_dir(&self.base(&path[..end])?.dir, &path[end + 1..]),
            None => self.root.open_or_create_dir(path),
        };
        made.map_err(|source| self.failed(path, source))
    }

    /// Makes the commands of a plan whose tasks have been performed, for scripts that run before
    /// [`Linker::finish`].
    pub fn link_commands(&self, plan: &LinkPlan) -> Result<(), LinkError> {
        for folder in &plan.bin_folders {
            self.note_commands(&folder.path)?;
            self.link_bins(folder, &LeftAlone::default())?;
        }
        Ok(())
    }

    /// Removes the links to placements that could not be made.
    fn unlink_failed(&self, plan: &LinkPlan, failed: &[u32]) -> Result<(), LinkError> {
        let paths: HashSet<String> = failed.iter().filter_map(|at| plan.folder_of(*at)).collect();
        let is_failed = |link: &&Link| match link_target(&link.path, &link.target) {
            Some(target) => paths.contains(&target),
            // A link to a shared entry.
            None => paths.iter().any(|path| is_within(path, &link.target)),
        };
        for link in plan.links.iter().filter(|_| !paths.is_empty()).filter(is_failed) {
            self.root.remove_file(&*link.path).map_err(|source| self.failed(&link.path, source))?;
        }
        Ok(())
    }

    /// Ends an install: makes commands, removes what is obsolete, writes the state last.
    ///
    /// All links have to be made, and all tasks performed but for those of [`Finish::failed`].
    pub fn finish(&self, finish: Finish<'_>) -> Result<Finished, LinkError> {
        let plan = finish.plan;
        for path in &finish.work.difference.unlink {
            self.root.remove_file(&**path).map_err(|source| self.failed(path, source))?;
        }
        self.unlink_failed(plan, finish.failed)?;
        let linking = trace_span!("link commands");
        let mut bin_folders = Vec::with_capacity(plan.bin_folders.len());
        let mut left_alone = LeftAlone::of(&finish);
        for folder in &plan.bin_folders {
            let bins = self.link_bins(folder, &left_alone)?;
            if !bins.is_empty() {
                bin_folders.push((&*folder.path, bins));
            }
        }
        left_alone.touch_commands(&bin_folders);
        drop(linking);
        let removing = trace_span!("remove");
        self.remove_obsolete_bins(finish.old, &bin_folders);
        if finish.old.is_some_and(LinkState::is_unfinished) {
            self.remove_dangling_bins(&bin_folders);
        }
        self.empty_trash();
        if finish.old.is_some() {
            let difference = &finish.work.difference;
            let gone = difference.removed.iter().chain(&difference.unlink);
            self.remove_empty_folders(gone.map(|path| &**path));
        }
        drop(removing);

        let count = bin_folders.iter().map(|(_, bins)| bins.len()).sum();
        let removed = count_removed(&finish);
        if self.root.metadata("node_modules").is_ok_and(|metadata| metadata.is_some()) {
            self.write_state(finish, bin_folders, &left_alone)
                .map_err(|source| self.failed(STATE_FILE, source))?;
        }
        Ok(Finished { bins: count, removed })
    }

    /// Removes the links of the last install that were not made again and are still its own.
    fn remove_obsolete_bins(&self, old: Option<&LinkState>, now: &[(&str, Vec<PlacedLink>)]) {
        let Some(old) = old else { return };
        let now: HashMap<&str, &[PlacedLink]> =
            now.iter().map(|(path, bins)| (*path, &**bins)).collect();
        for folder in &old.bin_folders {
            let made = now.get(&*folder.path).copied().unwrap_or_default();
            let made: HashSet<&str> = made.iter().map(|bin| &*bin.name).collect();
            if !made.is_empty() && folder.links.iter().all(|bin| made.contains(&*bin.name)) {
                continue;
            }
            let Some(dir) = self.open_reached(&folder.path) else { continue };
            for bin in folder.links.iter().filter(|bin| !made.contains(&*bin.name)) {
                let is_ours = matches!(dir.read_link(&*bin.name),
                    Ok(Some(target)) if target == Path::new(&*bin.target));
                if is_ours && let Err(error) = dir.remove_file(&*bin.name) {
                    tracing::debug!(%error, "an obsolete command could not be removed");
                }
            }
            if made.is_empty() {
                // Unless somebody else's are in it.
                drop(self.root.remove_dir(&*folder.path));
            }
        }
    }

    /// Removes commands of packages that are gone, of which there is no note.
    fn remove_dangling_bins(&self, folders: &[(&str, Vec<PlacedLink>)]) {
        for (path, _) in folders {
            let Some(dir) = self.open_reached(path) else { continue };
            for entry in dir.list().unwrap_or_default() {
                let name = entry.name.as_os_str();
                if entry.kind == FileKind::Symlink
                    && matches!(dir.metadata_following(name), Ok(None))
                {
                    drop(dir.remove_file(name));
                }
            }
        }
    }

    /// Removes scopes and inner `node_modules` that nothing is left in since these paths are gone.
    pub(super) fn remove_empty_folders<'p>(&self, gone: impl Iterator<Item = &'p str>) {
        for path in gone {
            let mut folder = parent(path);
            while folder != "node_modules" && is_folder_of_packages(folder) {
                // Stops at the first one that is not empty.
                if !self.root.remove_dir(folder).unwrap_or(false) {
                    break;
                }
                folder = parent(folder);
            }
        }
    }

    fn write_state(
        &self,
        finish: Finish<'_>,
        bin_folders: Vec<(&str, Vec<PlacedLink>)>,
        left_alone: &LeftAlone<'_>,
    ) -> Result<(), FsError> {
        let _span = trace_span!("write state");
        let node_modules = self.root.open_dir("node_modules")?;
        let moment = Moment {
            epoch: Epoch::of(&node_modules)?,
            now: uptime(),
            // Taken before the stamps: what changes later is younger.
            young: young_since(now_on(&node_modules)?),
        };
        let placements = self.placed_packages(&finish, left_alone, &moment)?;
        let (link_folders, bin_folders) =
            self.placed_links(&finish, bin_folders, left_alone, &moment)?;
        let state = LinkState {
            epoch: moment.epoch.as_str().to_owned(),
            written_at: moment.now.unwrap_or(0),
            is_sealed: placements.iter().all(|placed| placed.unflushed_since.is_none()),
            is_complete: finish.failed.is_empty()
                && placements.len() == finish.plan.placements.len(),
            settings: finish.settings,
            summary: finish.summary,
            payload: finish.payload,
            inputs: finish.inputs,
            placements,
            link_folders,
            bin_folders,
        };
        atomic_write(self.root.path_of(STATE_FILE), &state.encode(), Durability::None)
    }

    /// Describes the placements that are there.
    fn placed_packages(
        &self,
        finish: &Finish<'_>,
        left_alone: &LeftAlone<'_>,
        moment: &Moment,
    ) -> Result<Vec<PlacedPackage>, FsError> {
        let failed: HashSet<u32> = finish.failed.iter().copied().collect();
        let repaired = self.repaired.lock().unwrap_or_else(PoisonError::into_inner);
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let may_be_torn = may_be_torn(finish.old, moment);
        let mut placements = Vec::with_capacity(finish.plan.placements.len());
        for (placement, at) in finish.plan.placements.iter().zip(0..) {
            let kept = finish.work.difference.kept.get(at as usize).copied().flatten();
            let kept = finish.old.zip(kept).and_then(|(old, kept)| {
                let placed = old.placements.get(kept.at as usize)?;
                Some((old, placed, kept.holds))
            });
            let unchanged = kept
                .filter(|(_, _, holds)| *holds)
                .and_then(|(_, placed, _)| left_alone.stamp_of_placement(placed));
            let stamp = if unchanged.is_some() {
                unchanged
            } else {
                let known = names.get(&*placement.path).copied();
                Stamp::take_racy(&self.root, &placement.path, moment.young, known)?
            };
            let Some(stamp) = stamp.filter(|_| !failed.contains(&at)) else { continue };
            let unflushed_since = match kept {
                Some((_, placed, _)) if !repaired.contains(&at) => {
                    placed.unflushed_since.filter(|since| may_be_torn(*since))
                }
                _ => Some(moment.now.unwrap_or(0)),
            };
            let source_path: Option<Box<str>> = match placement.source {
                Source::Folder { path } => Some(path.as_str().into()),
                Source::Store { .. } => None,
            };
            let source_fingerprint = match kept {
                Some((_, placed, _)) => placed.source_fingerprint,
                None => self.fingerprint_of(&placement.path),
            };
            placements.push(PlacedPackage {
                path: placement.path.clone(),
                identity: placement.identity,
                stamp,
                unflushed_since,
                source_fingerprint,
                source_path,
            });
        }
        Ok(placements)
    }

    /// Describes the folders with links, and those with commands.
    fn placed_links(
        &self,
        finish: &Finish<'_>,
        bin_folders: Vec<(&str, Vec<PlacedLink>)>,
        left_alone: &LeftAlone<'_>,
        moment: &Moment,
    ) -> Result<(Vec<PlacedLinks>, Vec<PlacedLinks>), FsError> {
        let bin_paths: Vec<&str> = bin_folders.iter().map(|(path, _)| *path).collect();
        // Where most is as it was, a few folders are listed sooner.
        let known = finish.old.is_none().then(|| NamesOfEntries::of(finish.plan, &bin_paths));
        let mut link_folders = links_by_folder(finish.plan);
        let mut bin_folders: Vec<PlacedLinks> = bin_folders
            .into_iter()
            .map(|(path, links)| PlacedLinks { path: path.into(), stamp: Stamp::default(), links })
            .collect();
        for folder in link_folders.iter_mut().chain(&mut bin_folders) {
            // The state itself is going to change that one.
            if &*folder.path == "node_modules" {
                continue;
            }
            folder.stamp = if let Some(stamp) = left_alone.stamp_of_links(&folder.path) {
                stamp
            } else {
                let names = known.as_ref().and_then(|known| known.in_folder(&folder.path));
                let stamp = Stamp::take_racy(&self.root, &folder.path, moment.young, names)?;
                stamp.unwrap_or_default()
            };
        }
        Ok((link_folders, bin_folders))
    }
}

/// When a state is taken.
struct Moment {
    epoch: Epoch,
    /// Seconds since the boot.
    now: Option<u64>,
    /// From when on a change is too young for its time to tell.
    young: i64,
}

/// Returns how many packages of the last install are nowhere any more: neither their files nor, where
/// they are the user's own, a link to them.
fn count_removed(finish: &Finish<'_>) -> usize {
    let Finish { plan, work, old: Some(old), .. } = finish else { return 0 };
    let difference = &work.difference;
    if difference.removed.is_empty() && difference.unlink.is_empty() {
        return 0;
    }
    let planned: HashSet<_> = plan.all_placements().map(|placement| placement.identity).collect();
    let removed: HashSet<&str> = difference.removed.iter().map(|path| &**path).collect();
    let unlinked: HashSet<&str> = difference.unlink.iter().map(|path| &**path).collect();
    let is_gone = |placed: &&PlacedPackage| {
        removed.contains(&*placed.path) && !planned.contains(&placed.identity)
    };
    let to_entry = |path: &str, target: &str| {
        link_target(path, target).is_some_and(|target| target.starts_with(ENTRIES))
    };
    old.placements.iter().filter(is_gone).count()
        + old
            .links()
            .filter(|(path, target)| unlinked.contains(&**path) && !to_entry(path, target))
            .count()
}

/// Returns the links of a plan by the folders that they are in.
fn links_by_folder(plan: &LinkPlan) -> Vec<PlacedLinks> {
    let mut folders: Vec<PlacedLinks> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for link in &plan.links {
        let path = parent(&link.path);
        let at = *at.entry(path).or_insert_with(|| {
            let (stamp, links) = (Stamp::default(), Vec::new());
            folders.push(PlacedLinks { path: path.into(), stamp, links });
            folders.len() - 1
        });
        let name = link.path[path.len() + 1..].into();
        folders[at].links.push(PlacedLink { name, target: link.target.clone() });
    }
    folders
}

/// What the names in the folders below `node_modules/.bun` hash to, where nobody else puts anything: so
/// that these many folders need not be listed. Should there be something else after all, that is found
/// out when a folder is compared for the first time.
struct NamesOfEntries<'a>(HashMap<&'a str, u64>);

impl<'a> NamesOfEntries<'a> {
    fn of(plan: &'a LinkPlan, bin_folders: &[&'a str]) -> Self {
        let placements = plan.placements.iter().map(|placement| &*placement.path);
        let links = plan.links.iter().map(|link| &*link.path);
        let bins = bin_folders.iter().copied();
        let mut known = HashSet::new();
        let mut hashes: HashMap<&str, u64> = HashMap::new();
        for mut path in placements.chain(links).chain(bins) {
            while let folder = parent(path)
                && folder.starts_with(ENTRIES)
                && known.insert(path)
            {
                let name = &path.as_bytes()[folder.len() + 1..];
                let hash = hashes.entry(folder).or_default();
                *hash = hash.wrapping_add(hash_names_of(std::iter::once(name)));
                path = folder;
            }
        }
        Self(hashes)
    }

    fn in_folder(&self, path: &str) -> Option<u64> {
        self.0.get(path).copied()
    }
}

/// Returns whether a placement that stayed, and was made at some time on this boot's clock, may be torn by a
/// power cut.
fn may_be_torn(old: Option<&LinkState>, moment: &Moment) -> impl Fn(u64) -> bool + use<> {
    // After another boot, it was verified in this run by reading what was on the disk when the machine started.
    let was_in_doubt =
        old.is_some_and(|old| !old.is_sealed && is_same_boot(&old.epoch, &moment.epoch));
    let known = moment.now.zip(flush_horizon()).filter(|_| was_in_doubt);
    move |since| {
        known.is_some_and(|(now, horizon)| {
            now.checked_sub(since).is_some_and(|age| age < horizon.as_secs())
        })
    }
}

/// Whether a path is that of a scope, of a `node_modules`, or of what leads to one in the isolated
/// layout.
fn is_folder_of_packages(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "node_modules"
        || name.starts_with('@') && parent(path).ends_with("node_modules")
        || path == ENTRIES
        || parent(path) == ENTRIES
}
