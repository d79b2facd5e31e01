//! Fingerprints of the files that decide about an install.

use deka_fs::{Dir, FileKind, FsError};
use xxhash_rust::xxh3::xxh3_128;

use super::hash_names;

/// A file (or folder) that decided about the install, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Its path: relative to the project, or absolute.
    pub path: Box<str>,
    /// What was there.
    pub state: InputState,
}

/// What an [`Input`] was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputState {
    /// Nothing: the file was looked for and did not exist.
    Absent,
    /// A file.
    File {
        /// Its size.
        size: u64,
        /// When it was last written, in nanoseconds; [`UNSURE`](Self::UNSURE) if only the hash can
        /// tell.
        modified: i64,
        /// The hash of what was read.
        hash: u128,
    },
    /// A folder whose names were listed (for the globs of workspaces).
    Folder {
        /// When a name was last added or removed, in nanoseconds.
        modified: i64,
        /// A hash over its names.
        names: u64,
    },
}

/// How long before now a time has to be to prove that nothing was written after it: more than a tick
/// of the kernel's clock.
const TICK: i64 = 20_000_000;
/// The same where times are kept in seconds (FAT: two of them).
const COARSE_TICK: i64 = 2_100_000_000;

/// Returns from which time on a change may be as young as `now` on the same clock.
pub(crate) fn young_since(now: i64) -> i64 {
    let is_coarse = now % 1_000_000_000 == 0;
    now.saturating_sub(if is_coarse { COARSE_TICK } else { TICK })
}

fn wall_clock() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

impl InputState {
    /// In place of a time that proves nothing, because the file was written just before it was read.
    pub const UNSURE: i64 = i64::MIN;
}

impl Input {
    /// Notes that the file at `path` does not exist.
    pub fn absent(path: &str) -> Self {
        Self { path: path.into(), state: InputState::Absent }
    }

    /// Notes the file at `path`, relative to `root` or absolute, which was read or written as
    /// `contents`.
    ///
    /// If the file is another one by now, the next install will see that.
    pub fn file(root: &Dir, path: &str, contents: &[u8]) -> Self {
        let size = contents.len() as u64;
        let metadata = root.metadata_following(path).ok().flatten();
        let modified = metadata
            .filter(|metadata| metadata.size == size)
            .map(|metadata| metadata.modified as i64)
            .filter(|modified| is_settled(*modified))
            .unwrap_or(InputState::UNSURE);
        let hash = xxh3_128(contents);
        Self { path: path.into(), state: InputState::File { size, modified, hash } }
    }

    /// Reads the file at `path`, relative to `root` or absolute, and notes it.
    pub fn capture(root: &Dir, path: &str) -> Result<Self, FsError> {
        Ok(match root.read(path)? {
            Some(contents) => Self::file(root, path, &contents),
            None => Self::absent(path),
        })
    }

    /// Notes the names in the folder at `path`.
    pub fn folder(root: &Dir, path: &str) -> Result<Self, FsError> {
        let state = match root.metadata_following(path)? {
            Some(metadata) if metadata.kind == FileKind::Directory => {
                let modified = metadata.modified as i64;
                let modified = if is_settled(modified) { modified } else { InputState::UNSURE };
                InputState::Folder { modified, names: hash_names_following(root, path)? }
            }
            _ => InputState::Absent,
        };
        Ok(Self { path: path.into(), state })
    }

    /// Whether the same is there now.
    pub fn still_holds(&self, root: &Dir) -> bool {
        self.state.still_holds(root, &self.path)
    }
}

impl InputState {
    /// Whether the same is at `path` now.
    pub(super) fn still_holds(&self, root: &Dir, path: &str) -> bool {
        let Ok(metadata) = root.metadata_following(path) else { return false };
        match (self, metadata) {
            (Self::Absent, None) => true,
            (Self::File { size, modified, hash }, Some(now)) => {
                now.kind == FileKind::File
                    && now.size == *size
                    && (now.modified as i64 == *modified
                        || matches!(root.read(path), Ok(Some(contents))
                            if xxh3_128(&contents) == *hash))
            }
            (Self::Folder { modified, names }, Some(now)) => {
                now.kind == FileKind::Directory
                    && (now.modified as i64 == *modified
                        || hash_names_following(root, path).is_ok_and(|now| now == *names))
            }
            _ => false,
        }
    }
}

/// Whether a file of this time cannot be changed any more without getting another one.
fn is_settled(modified: i64) -> bool {
    let now = wall_clock();
    let tick = if modified % 1_000_000_000 == 0 { COARSE_TICK } else { TICK };
    modified < now.saturating_sub(tick)
}

fn hash_names_following(root: &Dir, path: &str) -> Result<u64, FsError> {
    let dir = root.open_dir(path)?;
    hash_names(&dir, ".")
}
