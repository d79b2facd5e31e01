//! `file:` folders: copied, because what installs and builds do to a copy is nobody's source.
//!
//! Everything but `node_modules` comes along, hidden files too, as with Bun. Symlinks come along if
//! they stay inside. Bun hardlinks the files; sizes and modes are the same, but a `chmod` or a build
//! in `node_modules` would change the source, so these are clones or copies.

use std::path::{Component, Path};
use std::sync::PoisonError;

use deka_fs::{Creation, Dir, FileKind, FileMode, FsError};
use xxhash_rust::xxh3::Xxh3;

use super::Linker;
use crate::LinkError;
use crate::commands::Executable;
use crate::plan::Placement;

/// Deeper folders are taken for a circle.
const DEPTH_LIMIT: u32 = 128;

impl Linker<'_> {
    /// Makes the folder of a placement as a copy of the folder `source`.
    pub(super) fn place_folder(
        &self,
        placement: &Placement,
        source: &str,
    ) -> Result<(), LinkError> {
        let failed = |error| LinkError::Folder { path: self.path_of(source), source: error };
        let base = self.base(placement.base())?;
        let to = base.make_dir(placement.path_in_base()).map_err(self.place_failed(placement))?;
        let from = if source.is_empty() { "." } else { source };
        let from = self.root.open_dir(from).map_err(failed)?;
        // Before the copy: what changes meanwhile is copied next time.
        let fingerprint = folder_fingerprint(&self.root, source).map_err(failed)?;
        self.fingerprints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(placement.path.clone(), fingerprint);
        copy_folder(&from, &to, "", 0, &placement.executables).map_err(failed)
    }

    /// Returns what the source of the placement at `path` was when it was copied.
    pub(super) fn fingerprint_of(&self, path: &str) -> u64 {
        let fingerprints = self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner);
        fingerprints.get(path).copied().unwrap_or(0)
    }
}

fn copy_folder(
    from: &Dir,
    to: &Dir,
    path: &str,
    depth: u32,
    executables: &[Executable],
) -> Result<(), FsError> {
    for entry in from.list()? {
        let name = entry.name.as_os_str();
        let inner = format!("{path}{}", entry.name.to_string_lossy());
        match entry.kind {
            FileKind::Directory if name == "node_modules" || depth >= DEPTH_LIMIT => {}
            FileKind::Directory => {
                let (Creation::Made | Creation::Existed) = to.create_dir(name)?;
                let (from, to) = (from.open_dir_no_follow(name)?, to.open_dir_no_follow(name)?);
                copy_folder(&from, &to, &format!("{inner}/"), depth + 1, executables)?;
            }
            FileKind::Symlink => {
                let Some(target) = from.read_link(name)? else { continue };
                if stays_inside(depth, &target) {
                    if to.symlink(target.as_path(), name)? == Creation::Existed {
                        to.remove_all(name)?;
                        let (Creation::Made | Creation::Existed) =
                            to.symlink(target.as_path(), name)?;
                    }
                } else {
                    tracing::warn!(
                        path = inner,
                        "a symlink that leads out of a folder is left out"
                    );
                }
            }
            FileKind::File => {
                let is_command = executables.iter().any(|executable| executable.names(&inner));
                let metadata = from.metadata(name)?;
                let is_executable =
                    metadata.is_some_and(|metadata| metadata.permissions & 0o111 != 0);
                copy_file(from, to, name, is_executable || is_command)?;
            }
            FileKind::Other => {}
        }
    }
    Ok(())
}

fn copy_file(
    from: &Dir,
    to: &Dir,
    name: &std::ffi::OsStr,
    executable: bool,
) -> Result<(), FsError> {
    let mode = FileMode::from_executable(executable);
    let copy = || match from.reflink(name, to, name, mode) {
        Err(error) if error.is_link_refused() => from.copy(name, to, name, mode),
        result => result,
    };
    if copy()? == Creation::Existed {
        to.remove_all(name)?;
        let (Creation::Made | Creation::Existed) = copy()?;
    }
    Ok(())
}

/// Whether a symlink so many folders below the top stays below the top.
fn stays_inside(depth: u32, target: &Path) -> bool {
    let mut depth = i64::from(depth);
    target.components().all(|component| {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth -= 1,
            Component::RootDir | Component::Prefix(_) => return false,
        }
        depth >= 0
    })
}

/// Hashes names, kinds, sizes, times and modes of all that [`Linker::perform`] would copy from the
/// folder `source` of the project `root`.
pub(crate) fn folder_fingerprint(root: &Dir, source: &str) -> Result<u64, FsError> {
    let mut hasher = Xxh3::new();
    let source = if source.is_empty() { "." } else { source };
    fingerprint(&root.open_dir(source)?, 0, &mut hasher)?;
    Ok(hasher.digest())
}

fn fingerprint(dir: &Dir, depth: u32, hasher: &mut Xxh3) -> Result<(), FsError> {
    let mut entries = dir.list()?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    for entry in entries {
        let name = entry.name.as_os_str();
        let is_folder = entry.kind == FileKind::Directory;
        if is_folder && (name == "node_modules" || depth >= DEPTH_LIMIT) {
            continue;
        }
        hasher.update(name.as_encoded_bytes());
        hasher.update(&[0, entry.kind as u8]);
        match entry.kind {
            FileKind::Directory => fingerprint(&dir.open_dir_no_follow(name)?, depth + 1, hasher)?,
            FileKind::Symlink => {
                let target = dir.read_link(name)?.unwrap_or_default();
                hasher.update(target.as_os_str().as_encoded_bytes());
            }
            FileKind::File | FileKind::Other => {
                if let Some(metadata) = dir.metadata(name)? {
                    hasher.update(&metadata.size.to_le_bytes());
                    hasher.update(&metadata.modified.to_le_bytes());
                    hasher.update(&metadata.permissions.to_le_bytes());
                }
            }
        }
        hasher.update(&[1]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symlinks_that_leave_are_seen() {
        for (depth, target, expected) in [
            (0, "sub/s", true),
            (1, "../x", true),
            (0, "../x", false),
            (1, "a/../../../x", false),
            (3, "/etc/passwd", false),
            (0, "./a/..", true),
        ] {
            assert_eq!(stays_inside(depth, Path::new(target)), expected, "{depth} {target}");
        }
    }
}
