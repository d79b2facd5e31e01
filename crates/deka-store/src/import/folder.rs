//! From a folder on the disk to blobs and an index: what the scripts of a package made of it.
//!
//! An index knows files and nothing else. A folder that holds more than that (symlinks, sockets,
//! folders without files, names that are no UTF-8) is not stored at all, because what is linked from
//! the store later has to be the same.

use deka_fs::{Dir, FileKind, FsError};
use deka_manifest::Integrity;

use crate::blobs::Blobs;
use crate::facts::Facts;
use crate::index::{FileList, PackageIndex, RawFile, build};
use crate::{ArchiveError, BlobHash, StoreError};

/// Deeper folders are taken for a circle.
const DEPTH_LIMIT: u32 = 128;
/// What a path may have so that its length fits into an index.
const PATH_LIMIT: usize = u16::MAX as usize;

/// Writes the files of a folder and returns the index; `None` if an index cannot hold what is there.
///
/// `is_left_out` names paths that belong to others.
pub(crate) fn import(
    folder: &Dir,
    key: &Integrity,
    package: &str,
    blobs: &Blobs,
    is_left_out: &dyn Fn(&str) -> bool,
) -> Result<Option<PackageIndex>, StoreError> {
    let failed = |source| StoreError::Write { package: package.to_owned(), source };
    let mut walk = Walk { list: FileList::default(), facts: Facts::default(), blobs, is_left_out };
    if !walk.read(folder, "", 0).map_err(failed)? {
        return Ok(None);
    }
    let Walk { mut list, facts, .. } = walk;
    list.arrange();
    let built = |source: ArchiveError| StoreError::Archive { package: package.to_owned(), source };
    build(key, &list, &facts).map(Some).map_err(built)
}

struct Walk<'a> {
    list: FileList,
    facts: Facts,
    blobs: &'a Blobs,
    is_left_out: &'a dyn Fn(&str) -> bool,
}

impl Walk<'_> {
    /// Reads a folder; returns whether an index can hold all that is in it.
    fn read(&mut self, folder: &Dir, prefix: &str, depth: u32) -> Result<bool, FsError> {
        let mut is_empty = true;
        for entry in folder.list()? {
            let Some(name) = entry.name.to_str() else { return Ok(false) };
            let path = format!("{prefix}{name}");
            if (self.is_left_out)(&path) {
                is_empty = false;
                continue;
            }
            let can_be_named = !name.contains('\\') && path.len() <= PATH_LIMIT;
            let can_be_held = can_be_named
                && match entry.kind {
                    FileKind::Directory if depth < DEPTH_LIMIT => {
                        let inner = folder.open_dir_no_follow(name)?;
                        self.read(&inner, &format!("{path}/"), depth + 1)?
                    }
                    FileKind::File => self.store(folder, name, &path)?,
                    FileKind::Directory | FileKind::Symlink | FileKind::Other => false,
                };
            if !can_be_held {
                tracing::debug!(path, "a build is not kept because of this");
                return Ok(false);
            }
            is_empty = false;
        }
        Ok(!is_empty)
    }

    fn store(&mut self, folder: &Dir, name: &str, path: &str) -> Result<bool, FsError> {
        let Some(metadata) = folder.metadata(name)? else { return Ok(false) };
        let Some(contents) = folder.read(name)? else { return Ok(false) };
        if path == "package.json" {
            self.facts = Facts::read(&contents);
        }
        let hash = BlobHash::of(&contents);
        let executable = metadata.is_executable();
        self.blobs.write(&hash, executable, &contents)?;
        let start = self.list.paths.len();
        self.list.paths.push_str(path);
        self.list.files.push(RawFile {
            path: start..self.list.paths.len(),
            executable,
            size: contents.len() as u64,
            offset: 0,
            hash,
        });
        Ok(true)
    }
}
