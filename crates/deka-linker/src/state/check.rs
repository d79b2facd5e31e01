//! The question asked before everything else: is there anything to do at all?
//!
//! It has to be answered before a runtime, a pool or the store exists, in a millisecond or two for a
//! few hundred packages: one file is read, and for each input and each placed folder the system is
//! asked once. Whatever is not certain is a no, which costs time but is never wrong.

use std::path::Path;

use deka_fs::{Dir, Durability, Epoch, FileLock, LockKind, atomic_write, flush_horizon};

use super::codec::Reader;
use super::{LinkState, STATE_FILE, Stamp, Summary, is_same_boot, now_on, uptime, young_since};
use crate::linker::folder_fingerprint;

/// There is nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpToDate {
    /// How many packages are installed.
    pub installs: u32,
    /// How many packages the lockfile has.
    pub packages: u32,
    /// What the last install left for this one.
    pub payload: Vec<u8>,
}

/// Returns `Some` if the last install of the project `root` was complete, had the same `settings`, and
/// nothing has changed since. Without `settings` it counts as it is: any, with all that it could do.
///
/// `required` are paths (as in [`Input::path`](super::Input)) that decide about this install; if the
/// last one did not know one of them, the answer is no.
pub fn check_up_to_date(root: &Path, settings: Option<u64>, required: &[&str]) -> Option<UpToDate> {
    let root = Dir::open(root).ok()?;
    let bytes = root.read(STATE_FILE).ok().flatten()?;
    let mut reader = Reader::open(&bytes)?;
    let head = reader.head()?;
    if settings.is_some_and(|settings| !head.is_complete || head.settings != settings) {
        return no("the last install had other settings or was not complete");
    }
    let node_modules = root.open_dir("node_modules").ok()?;
    let epoch = Epoch::of(&node_modules).ok()?;
    if !head.is_sealed && head.epoch != epoch.as_str() {
        return no("the last install may not have reached the disk");
    }

    let mut known = 0;
    for _ in 0..reader.count()? {
        let (path, state) = reader.input()?;
        known += usize::from(required.contains(&path));
        if !state.still_holds(&root, path) {
            tracing::debug!(path, "changed since the last install");
            return None;
        }
    }
    if known < required.len() {
        return no("a file decides that the last install did not know");
    }
    let mut stamps = Stamps { root: &root, node_modules: &node_modules, young: None };
    if !placements_hold(&mut stamps, &mut reader)? || !links_hold(&mut stamps, &mut reader)? {
        return no("node_modules was changed");
    }
    if !links_hold(&mut stamps, &mut reader)? || !reader.is_at_end() {
        return no("a .bin folder was changed");
    }

    let age = uptime().and_then(|now| now.checked_sub(head.written_at));
    let seals = !head.is_sealed && is_same_boot(head.epoch, &epoch) && is_flushed(age);
    if seals || stamps.young.is_some() {
        mature(&root, &bytes, seals, stamps.young);
    }
    let Summary { installs, packages } = head.summary;
    Some(UpToDate { installs, packages, payload: head.payload.to_vec() })
}

/// Returns the settings of the last install of the project `root`; `None` if `node_modules` is not there,
/// or not as deka left it.
pub fn settings_of_last(root: &Path) -> Option<u64> {
    let bytes = Dir::open(root).ok()?.read(STATE_FILE).ok().flatten()?;
    Reader::open(&bytes)?.head().map(|head| head.settings)
}

fn no(reason: &str) -> Option<UpToDate> {
    tracing::debug!("{reason}");
    None
}

/// Compares stamps with the disk.
struct Stamps<'a> {
    root: &'a Dir,
    node_modules: &'a Dir,
    /// From which time on a folder was too young for its stamp when the first names were compared;
    /// `None` as long as that was not needed.
    young: Option<i64>,
}

impl Stamps<'_> {
    fn hold(&mut self, stamp: Stamp, path: &str) -> bool {
        if stamp.names != 0 && self.young.is_none() {
            self.young = now_on(self.node_modules).ok().map(young_since);
        }
        stamp.still_holds(self.root, path)
    }
}

fn placements_hold(stamps: &mut Stamps<'_>, reader: &mut Reader<'_>) -> Option<bool> {
    for _ in 0..reader.count()? {
        let placed = reader.placement()?;
        let source_holds = |source: &str| {
            folder_fingerprint(stamps.root, source)
                .is_ok_and(|now| now == placed.source_fingerprint)
        };
        if !placed.source_path.is_none_or(source_holds) || !stamps.hold(placed.stamp, placed.path) {
            tracing::debug!(path = placed.path, "changed since the last install");
            return Some(false);
        }
    }
    Some(true)
}

/// A folder of links that others add to is fine as long as our own are in it.
fn links_hold(stamps: &mut Stamps<'_>, reader: &mut Reader<'_>) -> Option<bool> {
    for _ in 0..reader.count()? {
        let (path, stamp) = (reader.text()?, reader.stamp()?);
        let folder = if stamps.hold(stamp, path) {
            None
        } else {
            match stamps.root.open_dir_no_follow(path) {
                Ok(folder) => Some(folder),
                Err(_) => return Some(false),
            }
        };
        for _ in 0..reader.count()? {
            let (name, target) = (reader.text()?, reader.text()?);
            if folder.as_ref().is_some_and(|folder| !is_link(folder, name, target)) {
                return Some(false);
            }
        }
    }
    Some(true)
}

fn is_link(dir: &Dir, name: &str, target: &str) -> bool {
    matches!(dir.read_link(name), Ok(Some(now)) if now == Path::new(target))
}

fn is_flushed(age: Option<u64>) -> bool {
    // The cheap half first: the horizon is read from files.
    age.is_some_and(|age| {
        age >= 600 && flush_horizon().is_some_and(|horizon| age >= horizon.as_secs())
    })
}

/// Writes down what time has made certain: that everything is on the disk, if `seals`, and that the
/// stamps of folders older than `young` tell by themselves. If that fails the next check tries again.
fn mature(root: &Dir, bytes: &[u8], seals: bool, young: Option<i64>) {
    let Some(mut state) = LinkState::decode(bytes) else { return };
    let mut is_changed = seals;
    state.is_sealed |= seals;
    let placements = state.placements.iter_mut().map(|placed| &mut placed.stamp);
    let folders = state.link_folders.iter_mut().chain(&mut state.bin_folders);
    let folders = folders.map(|folder| &mut folder.stamp);
    for stamp in placements.chain(folders) {
        if stamp.names != 0 && young.is_some_and(|young| stamp.modified < young) {
            stamp.names = 0;
            is_changed = true;
        }
    }
    if !is_changed {
        return;
    }
    // An install that is under way has taken this state away, or is about to write another one. It holds
    // the lock of the project; where there are no locks nobody waits for anybody.
    let lock = FileLock::open(root, ".");
    if lock.as_ref().is_ok_and(|lock| matches!(lock.try_lock(LockKind::Exclusive), Ok(false))) {
        return;
    }
    if !matches!(root.read(STATE_FILE), Ok(Some(now)) if now == bytes) {
        return;
    }
    let path = root.path_of(STATE_FILE);
    if let Err(error) = atomic_write(path, &state.encode(), Durability::None) {
        tracing::debug!(%error, "what is certain now could not be written down");
    }
}
