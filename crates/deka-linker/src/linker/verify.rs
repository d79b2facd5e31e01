//! Looking whether a placed package is intact, and repairing it file by file.
//!
//! For folders that somebody has changed (by name: sizes are compared) and for what a power cut may
//! have torn (contents are). What is missing or wrong is placed anew; files that are not the
//! package's stay.

use deka_fs::{Creation, Dir, FileKind, FsError};
use deka_store::{BlobHash, IndexedFile, PackageIndex};

use super::place::{Executables, is_shadowed, missing};
use super::{Linker, Outcome, make_dir};
use crate::LinkError;
use crate::difference::Depth;
use crate::path::parent;
use crate::plan::Placement;

impl Linker<'_> {
    /// Compares the folder of a placement with its package and repairs it.
    pub fn verify(
        &self,
        placement: &Placement,
        index: &PackageIndex,
        depth: Depth,
    ) -> Result<Outcome, LinkError> {
        let failed = self.place_failed(placement);
        let base = self.base(placement.base())?;
        let package = base.make_dir(placement.path_in_base()).map_err(&failed)?;
        let executables = Executables::find(&placement.executables, index);
        let mut outcome = Outcome::Intact;
        for directory in index.directories().skip(1) {
            if is_shadowed(placement, directory.path) {
                continue;
            }
            if package.create_dir(directory.path).map_err(&failed)? == Creation::Made {
                outcome = Outcome::Repaired;
            } else {
                drop(make_dir(&package, directory.path).map_err(&failed)?);
            }
        }
        for file in index.files() {
            if is_shadowed(placement, file.path) {
                continue;
            }
            let is_command = executables.contains(file.path);
            if self.is_intact(placement, &package, &file, is_command, depth)? {
                continue;
            }
            outcome = Outcome::Repaired;
            let dir = make_dir(&package, parent(file.path));
            let dir = if file.directory == 0 { Ok(None) } else { dir.map(Some) };
            let dir = dir.map_err(&failed)?;
            let dir = dir.as_ref().unwrap_or(&package);
            // What is wrong may be the store's own inode under another name.
            if !self.is_blob_good(placement, &file, depth)? {
                return Err(missing(placement, &file));
            }
            dir.remove_all(file.name).map_err(&failed)?;
            self.place_file(&base, placement, dir, &file, is_command)?;
        }
        Ok(outcome)
    }

    fn is_intact(
        &self,
        placement: &Placement,
        package: &Dir,
        file: &IndexedFile<'_>,
        is_command: bool,
        depth: Depth,
    ) -> Result<bool, LinkError> {
        let failed = self.place_failed(placement);
        let look = || -> Result<Option<(u64, u32)>, FsError> {
            let metadata = package.metadata(file.path)?;
            // The symlink backend links to the store.
            let metadata = match metadata.map(|metadata| metadata.kind) {
                Some(FileKind::Symlink) => package.metadata_following(file.path)?,
                _ => metadata,
            };
            Ok(metadata
                .filter(|metadata| metadata.kind == FileKind::File)
                .map(|metadata| (metadata.size, metadata.permissions)))
        };
        let Some((size, permissions)) = look().map_err(&failed)? else { return Ok(false) };
        if (is_command || file.executable) && permissions & 0o111 == 0 {
            return Ok(false);
        }
        if size == file.size {
            return match depth {
                Depth::Sizes => Ok(true),
                Depth::Contents => {
                    let contents = package.read(file.path).map_err(&failed)?;
                    Ok(contents.is_some_and(|contents| BlobHash::of(&contents) == file.hash))
                }
            };
        }
        if !is_command || size.checked_add(1) != Some(file.size) {
            return Ok(false);
        }
        let expected = self.with_unix_first_line(placement, file)?;
        let contents = package.read(file.path).map_err(&failed)?;
        Ok(expected.is_some() && expected == contents)
    }

    fn is_blob_good(
        &self,
        placement: &Placement,
        file: &IndexedFile<'_>,
        depth: Depth,
    ) -> Result<bool, LinkError> {
        let blob = self.blob(placement, file, file.executable)?;
        let name = blob.name.as_c_str();
        let good = match depth {
            Depth::Sizes => blob
                .folder
                .metadata(name)
                .map(|metadata| metadata.is_some_and(|metadata| metadata.size == file.size)),
            Depth::Contents => blob
                .folder
                .read(name)
                .map(|contents| contents.is_some_and(|all| BlobHash::of(&all) == file.hash)),
        };
        good.map_err(self.place_failed(placement))
    }
}
