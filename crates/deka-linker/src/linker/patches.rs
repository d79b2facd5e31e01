//! Changing the files of a placement as its patch says.

use deka_fs::{Creation, Dir, FileMode, FsError};

use super::{Linker, make_dir};
use crate::LinkError;
use crate::patch::{Change, PatchFailure, changed};
use crate::path::parent;
use crate::plan::Placement;

impl Linker<'_> {
    /// Applies the patch of a placement, if it has one, to the files in its folder.
    ///
    /// A changed file is written anew under its name, never through it: the name may be that of a file
    /// in the store.
    pub fn apply_patch(&self, placement: &Placement) -> Result<(), LinkError> {
        let Some(patch) = &placement.patch else { return Ok(()) };
        let failed = self.place_failed(placement);
        let base = self.base(placement.base())?;
        let package = &base.dir.open_dir_no_follow(placement.path_in_base()).map_err(&failed)?;
        for change in &patch.changes {
            let bytes = prepare(package, change)
                .map_err(&failed)?
                .map_err(|source| LinkError::Patch { package: placement.label, source })?;
            write(package, change, &bytes).map_err(&failed)?;
        }
        Ok(())
    }
}

/// What a changed file will be.
struct Changed {
    bytes: Vec<u8>,
    mode: FileMode,
}

fn prepare(package: &Dir, change: &Change) -> Result<Result<Changed, PatchFailure>, FsError> {
    let Some(from) = &change.from else {
        let mode = FileMode::from_executable(change.executable.unwrap_or(false));
        return Ok(changed(change, b"").map(|bytes| Changed { bytes, mode }));
    };
    let missing = || PatchFailure::Missing { file: from.clone() };
    let found = match open_folder(package, from) {
        Some(folder) => {
            let name = name_of(from);
            folder.metadata(name)?.filter(deka_fs::Metadata::is_file).zip(folder.read(name)?)
        }
        None => None,
    };
    let Some((metadata, before)) = found else { return Ok(Err(missing())) };
    let executable = change.executable.unwrap_or(metadata.is_executable());
    let mode = FileMode::from_executable(executable);
    Ok(changed(change, &before).map(|bytes| Changed { bytes, mode }))
}

fn write(package: &Dir, change: &Change, changed: &Changed) -> Result<(), FsError> {
    if let Some(from) = &change.from
        && !change.is_copy
        && let Some(folder) = open_folder(package, from)
    {
        folder.remove_file(name_of(from))?;
    }
    let Some(to) = &change.to else { return Ok(()) };
    let (folder, name) = (parent(to), name_of(to));
    let made = if folder.is_empty() { None } else { Some(make_folder(package, folder)?) };
    let folder = made.as_ref().unwrap_or(package);
    folder.remove_all(name)?;
    let (Creation::Made | Creation::Existed) =
        folder.write_new(name, &changed.bytes, changed.mode)?;
    Ok(())
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Opens the folder that a file of the package lies in, if nothing but folders leads there.
fn open_folder(package: &Dir, file: &str) -> Option<Dir> {
    let mut dir = package.open_dir_no_follow(".").ok()?;
    for name in parent(file).split('/').filter(|name| !name.is_empty()) {
        dir = dir.open_dir_no_follow(name).ok()?;
    }
    Some(dir)
}

/// Makes a folder of the package name by name, so that no symlink leads out of it.
fn make_folder(package: &Dir, path: &str) -> Result<Dir, FsError> {
    let mut dir = package.open_dir_no_follow(".")?;
    for name in path.split('/') {
        dir = make_dir(&dir, name)?;
    }
    Ok(dir)
}
