//! Folders of packages beside one another: copied, compared, made independent.
//!
//! The packages inside of a package's own `node_modules` are others' and never looked at.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use deka_fs::{Creation, Dir, FileKind, FileMode, FsError};

/// What Bun leaves in packages that it patched begins with this.
const BUN_TAG: &str = ".bun-tag-";

/// A folder that is removed in the end.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder that nobody else uses.
    pub(super) fn new(parent: &Path) -> Result<Self, FsError> {
        let time =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let folder = parent.join(format!("{}-{}", std::process::id(), time.as_nanos()));
        drop(Dir::open_or_create(&folder)?);
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "a folder for comparing packages could not be removed");
        }
    }
}

/// A file of a package.
#[derive(Debug, PartialEq, Eq)]
enum File {
    Regular {
        contents: Vec<u8>,
        is_executable: bool,
    },
    /// Nothing that a patch can make.
    Other,
}

type Visit<'a> = dyn FnMut(&Dir, &str, &OsStr, FileKind) -> Result<(), FsError> + 'a;

/// Calls `visit` for all of a package but its inner packages: with the folder, the path of the
/// folder with a `/` at the end, and each entry.
fn walk(folder: &Dir, path: &str, visit: &mut Visit<'_>) -> Result<(), FsError> {
    for entry in folder.list()? {
        let name = entry.name.as_os_str();
        let is_tag = || name.to_str().is_some_and(|name| name.starts_with(BUN_TAG));
        if path.is_empty() && (name == "node_modules" || is_tag()) {
            continue;
        }
        visit(folder, path, name, entry.kind)?;
        if entry.kind == FileKind::Directory {
            let inner = folder.open_dir_no_follow(name)?;
            walk(&inner, &format!("{path}{}/", name.to_string_lossy()), visit)?;
        }
    }
    Ok(())
}

/// Gives all files of a package inodes of their own, which no store and no other project shares.
pub(super) fn make_own(folder: &Dir) -> Result<(), FsError> {
    const TEMPORARY: &str = ".deka-own-copy";
    walk(folder, "", &mut |folder, _, name, kind| {
        let is_file = match kind {
            FileKind::File => true,
            // The backend that links with symlinks.
            FileKind::Symlink => {
                folder.metadata_following(name)?.is_some_and(|found| found.is_file())
            }
            FileKind::Directory | FileKind::Other => false,
        };
        let Some(metadata) = folder.metadata_following(name)?.filter(|_| is_file) else {
            return Ok(());
        };
        let mode = FileMode::from_executable(metadata.is_executable());
        if folder.copy(name, folder, TEMPORARY, mode)? == Creation::Existed {
            // Of a run that was killed.
            folder.remove_all(TEMPORARY)?;
            let (Creation::Made | Creation::Existed) =
                folder.copy(name, folder, TEMPORARY, mode)?;
        }
        folder.rename(TEMPORARY, folder, name)
    })
}

/// Copies a package to a folder that is empty.
pub(super) fn copy(from: &Dir, to: &Dir) -> Result<(), FsError> {
    walk(from, "", &mut |folder, path, name, kind| {
        let target = if path.is_empty() { to.open_dir(".")? } else { to.open_dir(path)? };
        match kind {
            FileKind::Directory => target.create_dir(name).map(drop),
            FileKind::File => {
                let executable = folder.metadata(name)?.is_some_and(|found| found.is_executable());
                folder.copy(name, &target, name, FileMode::from_executable(executable)).map(drop)
            }
            FileKind::Symlink => match folder.read_link(name)? {
                Some(link) => target.symlink(link.as_path(), name).map(drop),
                None => Ok(()),
            },
            FileKind::Other => Ok(()),
        }
    })
}

/// Returns the first file, by path, in which two packages differ.
pub(super) fn difference(one: &Dir, other: &Dir) -> Result<Option<String>, FsError> {
    let (one, other) = (files(one)?, files(other)?);
    let differs = |path: &&String| one.get(*path) != other.get(*path) || one[*path] == File::Other;
    let in_one = one.keys().find(differs);
    Ok(in_one.or_else(|| other.keys().find(|path| !one.contains_key(*path))).cloned())
}

fn files(folder: &Dir) -> Result<BTreeMap<String, File>, FsError> {
    let mut files = BTreeMap::new();
    walk(folder, "", &mut |folder, path, name, kind| {
        let file = match kind {
            FileKind::Directory => return Ok(()),
            FileKind::File => File::Regular {
                contents: folder.read(name)?.unwrap_or_default(),
                is_executable: folder.metadata(name)?.is_some_and(|found| found.is_executable()),
            },
            FileKind::Symlink | FileKind::Other => File::Other,
        };
        files.insert(format!("{path}{}", name.to_string_lossy()), file);
        Ok(())
    })?;
    Ok(files)
}
