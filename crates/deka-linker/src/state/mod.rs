//! What the last install left behind: `node_modules/.deka-state`.
//!
//! Written last and atomically; removed before an install changes anything. So whoever finds it
//! finds a `node_modules` that was complete when it was written, and the question is only what has
//! happened since:
//!
//! - **Inputs changed.** Every manifest, lockfile and configuration file that decided about the
//!   install is remembered with size, time and hash, and as absent if it was. A time that differs is
//!   no change yet: the hash decides.
//! - **Somebody changed `node_modules`.** Every placed folder is remembered with its inode and the
//!   time of its last change, every `.bin` likewise, every link with its text.
//! - **Within one tick of the clock.** A folder changed in the same tick as its stamp was taken looks
//!   unchanged. As git does with its index, a stamp too young when it is taken is marked, and the
//!   names in such a folder are compared as well.
//! - **The power went.** The names of files reach the disk (journal) before their bytes (delayed
//!   allocation): for half a minute after an install a power cut leaves empty files under good names.
//!   Nothing written in this epoch (boot and mount, see `deka_fs::Epoch`) can be torn, for the page
//!   cache is the truth as long as it lives. So a state of another epoch is believed only as far as
//!   it was *sealed*: the first check that finds it older than the kernel needs to write everything
//!   back (`deka_fs::flush_horizon`, at least ten minutes) writes a mark into it. The check itself
//!   may be the one that knows, because it runs in the same epoch, which proves that there was no
//!   power cut up to now; the age counts on the clock that starts with the boot, so that no jump of
//!   the wall clock seals too early. A state of another epoch without the mark has every package
//!   verified that was placed less than that time before the state was written, contents included;
//!   then it is written again under the new epoch, so that this happens once.
//! - **An install was ended halfway.** There is no state then, but a note of what may be there; see `unfinished`.
//! - **It is torn itself.** It is not synced either; a checksum tells, and then there is no state.

mod check;
mod clock;
mod codec;
mod input;
#[cfg(test)]
mod tests;
mod unfinished;

use deka_fs::{Dir, FileKind, FsError};
use xxhash_rust::xxh3::xxh3_64;

pub use check::{UpToDate, check_up_to_date, settings_of_last};
pub(crate) use clock::{is_same_boot, now_on, uptime};
pub(crate) use input::young_since;
pub use input::{Input, InputState};
pub(crate) use unfinished::UNKNOWN;

use crate::plan::Identity;

/// The state file inside the project's `node_modules`.
pub const STATE_FILE: &str = "node_modules/.deka-state";

/// What the last install left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkState {
    /// The epoch in which it was written.
    pub epoch: String,
    /// Seconds since that boot when it was written.
    pub written_at: u64,
    /// Whether everything is on the disk with certainty.
    pub is_sealed: bool,
    /// Whether everything that was planned was done; what was not is tried again next time.
    pub is_complete: bool,
    /// The hash of the settings that decided about the install.
    pub settings: u64,
    /// The figures to report when there is nothing to do.
    pub summary: Summary,
    /// Whatever the caller wants to know next time.
    pub payload: Vec<u8>,
    /// The files that decided about the install.
    pub inputs: Vec<Input>,
    /// What was placed.
    pub placements: Vec<PlacedPackage>,
    /// The symlinks that were made, by folder.
    pub link_folders: Vec<PlacedLinks>,
    /// The `.bin` folders that were filled.
    pub bin_folders: Vec<PlacedLinks>,
}

/// The figures of an install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many packages are installed.
    pub installs: u32,
    /// How many packages the lockfile has.
    pub packages: u32,
}

/// A folder that was filled with the files of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedPackage {
    /// The folder, below the project.
    pub path: Box<str>,
    /// What was placed there.
    pub identity: Identity,
    /// The folder after the install.
    pub stamp: Stamp,
    /// Seconds since the boot when it was placed; `None` if it is on the disk with certainty.
    pub unflushed_since: Option<u64>,
    /// For a `file:` dependency, a hash over the names, sizes and times of the source.
    pub source_fingerprint: u64,
    /// The path of that source, relative to the project.
    pub source_path: Option<Box<str>>,
}

/// A symlink that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLink {
    /// Its name in its folder.
    pub name: Box<str>,
    /// What it says.
    pub target: Box<str>,
}

/// A folder with symlinks that were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLinks {
    /// The folder, below the project.
    pub path: Box<str>,
    /// The folder after the install. While it holds, the links do.
    pub stamp: Stamp,
    /// What was linked in it.
    pub links: Vec<PlacedLink>,
}

/// What tells that the names in a folder are still the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// When a name in the folder was last added or removed, in nanoseconds.
    pub modified: i64,
    /// The folder's inode.
    pub inode: u64,
    /// A hash over its names, if `modified` alone was too young to tell; else 0.
    pub names: u64,
}

impl Stamp {
    /// Looks at the folder `name` in `dir`; `None` if it is no folder.
    pub fn take(dir: &Dir, name: &str) -> Result<Option<Self>, FsError> {
        let metadata = dir.metadata(name)?;
        Ok(metadata.filter(|metadata| metadata.kind == FileKind::Directory).map(|metadata| Self {
            modified: metadata.modified as i64,
            inode: metadata.identity.1,
            names: 0,
        }))
    }

    /// Like [`Stamp::take`], with the names if the folder changed at `young` or later. What they hash
    /// to may be `known`, else they are listed.
    pub fn take_racy(
        dir: &Dir,
        name: &str,
        young: i64,
        known: Option<u64>,
    ) -> Result<Option<Self>, FsError> {
        let Some(mut stamp) = Self::take(dir, name)? else { return Ok(None) };
        if stamp.modified >= young {
            stamp.names = known.map_or_else(|| hash_names(dir, name), Ok)?;
        }
        Ok(Some(stamp))
    }

    /// Whether the folder `name` in `dir` is still the same.
    pub fn still_holds(&self, dir: &Dir, name: &str) -> bool {
        let has_names = |names| hash_names(dir, name).is_ok_and(|now| now == names);
        matches!(Self::take(dir, name), Ok(Some(now)) if self.is_still(&now, has_names))
    }

    /// Whether the folder is the same as `now`; `has_names` is asked for its names if time alone does not
    /// tell.
    pub(crate) fn is_still(&self, now: &Self, has_names: impl FnOnce(u64) -> bool) -> bool {
        now.modified == self.modified
            && now.inode == self.inode
            && (self.names == 0 || has_names(self.names))
    }
}

/// Hashes the names in a folder.
pub(crate) fn hash_names(dir: &Dir, name: &str) -> Result<u64, FsError> {
    let entries = dir.open_dir_no_follow(name)?.list()?;
    Ok(hash_names_of(entries.iter().map(|entry| entry.name.as_encoded_bytes())))
}

/// Hashes names in any order; never 0.
pub(crate) fn hash_names_of<'a>(names: impl Iterator<Item = &'a [u8]>) -> u64 {
    names.fold(0_u64, |sum, name| sum.wrapping_add(xxh3_64(name))).max(1)
}

impl LinkState {
    /// Reads the state of the project `root`; `None` if there is none that can be believed.
    pub fn load(root: &Dir) -> Option<Self> {
        let bytes = root.read(STATE_FILE).ok().flatten()?;
        let state = Self::decode(&bytes);
        if state.is_none() {
            tracing::debug!("the state in node_modules is damaged or of another version");
        }
        state
    }

    /// Returns paths and texts of the symlinks that were made, but for commands.
    pub fn links(&self) -> impl Iterator<Item = (String, &str)> {
        self.link_folders.iter().flat_map(|folder| {
            let path = |link: &PlacedLink| format!("{}/{}", folder.path, link.name);
            folder.links.iter().map(move |link| (path(link), &*link.target))
        })
    }

    /// Returns what was placed at `path`.
    pub fn placement(&self, path: &str) -> Option<&PlacedPackage> {
        self.placements.iter().find(|placed| *placed.path == *path)
    }
}
