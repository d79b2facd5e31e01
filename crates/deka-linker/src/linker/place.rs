//! Filling the folder of a package.
//!
//! The way of linking is found out by doing: the first file that is refused (another volume, a file
//! system or sandbox without hardlinks) moves the whole base to the next way, once; a file that has
//! as many names as its file system allows is copied alone. A name that is taken is never written
//! to: it may be the store's own inode, which opening for writing would empty.

use std::ffi::CStr;
use std::io::Read as _;
use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use deka_fs::{Creation, Dir, FileMode, FsError, Operation};
use deka_store::{BlobName, IndexedFile, PackageIndex, StoreError};
use smallvec::SmallVec;

use super::{Backend, Base, Linker};
use crate::LinkError;
use crate::commands::Executable;
use crate::plan::Placement;
use crate::state::hash_names_of;

/// A way to bring a file to its place, each the fallback of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Way {
    Symlink,
    Hardlink,
    Clone,
    Copy,
}

impl Way {
    fn of(number: u8) -> Self {
        match number {
            0 => Self::Symlink,
            1 => Self::Hardlink,
            2 => Self::Clone,
            _ => Self::Copy,
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Symlink => Some(Self::Hardlink),
            Self::Hardlink => Some(Self::Clone),
            Self::Clone => Some(Self::Copy),
            Self::Copy => None,
        }
    }
}

/// Returns the number of the way to try first.
pub(super) fn first_way(backend: Backend) -> u8 {
    let way = match backend {
        Backend::Auto if cfg!(target_os = "macos") => Way::Clone,
        Backend::Auto | Backend::Hardlink => Way::Hardlink,
        Backend::Clone => Way::Clone,
        Backend::Copy => Way::Copy,
        Backend::Symlink => Way::Symlink,
    };
    way as u8
}

/// How much of a file is looked at for its first line, as Bun does.
const FIRST_LINE_LIMIT: usize = 2048;

/// Files that are made executable although their tarball did not, by path; few or none.
pub(super) struct Executables<'a>(SmallVec<[&'a str; 4]>);

impl<'a> Executables<'a> {
    pub(super) fn find(rules: &[Executable], index: &'a PackageIndex) -> Self {
        let mut paths = SmallVec::new();
        for rule in rules {
            match rule {
                Executable::FirstOf(candidates) => {
                    let first = candidates.iter().find_map(|path| index.file(path));
                    paths.extend(first.map(|file| file.path));
                }
                Executable::AllIn(_) => {
                    paths.extend(
                        index.files().map(|file| file.path).filter(|path| rule.names(path)),
                    );
                }
            }
        }
        Self(paths)
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        self.0.contains(&path)
    }
}

/// Returns whether other placements fill this path of the package, so that what the tarball ships
/// there is left out.
pub(super) fn is_shadowed(placement: &Placement, path: &str) -> bool {
    if placement.nested.is_empty() {
        return false;
    }
    path.strip_prefix("node_modules/").is_some_and(|inner| {
        placement.nested.iter().any(|name| crate::path::is_within(inner, name))
    })
}

/// Hashes the names that the folder of a placement holds once everything is in place: if others are
/// there as well, that is found out when the folder is compared for the first time.
fn hash_of_names(placement: &Placement, index: &PackageIndex) -> u64 {
    let folders =
        index.directories().skip(1).filter(|folder| folder.parent == 0).map(|folder| folder.name);
    let files = index.files().take_while(|file| file.directory == 0).map(|file| file.name);
    let holds_others = !placement.nested.is_empty()
        && !index.directories().any(|folder| folder.path == "node_modules");
    let others = holds_others.then_some(c"node_modules");
    hash_names_of(folders.chain(files).chain(others).map(CStr::to_bytes))
}

impl Linker<'_> {
    /// Makes the folder of a placement and fills it with the files of its package.
    ///
    /// Whatever lies in it already stays unless it has the name of a file of the package.
    pub fn place(&self, placement: &Placement, index: &PackageIndex) -> Result<(), LinkError> {
        self.place_folders(placement, index)?;
        self.place_files(placement, index, 0..index.file_count())?;
        self.apply_patch(placement)
    }

    /// The first half of [`Linker::place`]: makes the folders. What has a patch is not to be placed in
    /// halves.
    pub fn place_folders(
        &self,
        placement: &Placement,
        index: &PackageIndex,
    ) -> Result<(), LinkError> {
        let failed = self.place_failed(placement);
        let base = self.base(placement.base())?;
        let package = base.make_dir(placement.path_in_base()).map_err(&failed)?;
        // The first one is the package's own folder.
        for directory in index.directories().skip(1) {
            if !is_shadowed(placement, directory.path) {
                let (Creation::Made | Creation::Existed) =
                    package.create_dir(directory.path).map_err(&failed)?;
            }
        }
        // Which names the folder has after a patch or a script, only the disk knows.
        if placement.patch.is_none() && !placement.is_private() {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.insert(placement.path.clone(), hash_of_names(placement, index));
        }
        Ok(())
    }

    /// The second half of [`Linker::place`]: fills the folders with some of the files, by their place
    /// in the index. Several threads may do so at once for different files.
    pub fn place_files(
        &self,
        placement: &Placement,
        index: &PackageIndex,
        files: Range<usize>,
    ) -> Result<(), LinkError> {
        let failed = self.place_failed(placement);
        let base = self.base(placement.base())?;
        let path = placement.path_in_base();
        let package = base.dir.open_dir_no_follow(path).map_err(&failed)?;
        let executables = Executables::find(&placement.executables, index);

        let mut inner: Option<(usize, Dir)> = None;
        for file in index.files_in(files) {
            if is_shadowed(placement, file.path) {
                continue;
            }
            let dir = match &mut inner {
                _ if file.directory == 0 => &package,
                Some((at, dir)) if *at == file.directory => dir,
                inner => {
                    let folder = crate::path::parent(file.path);
                    let dir = match package.open_dir_no_follow(folder) {
                        Ok(dir) => dir,
                        // Something else has the name, left over from whoever was here before.
                        Err(_) => super::make_dir(&package, folder).map_err(&failed)?,
                    };
                    &inner.insert((file.directory, dir)).1
                }
            };
            let is_command = executables.contains(file.path);
            self.place_file(&base, placement, dir, &file, is_command)?;
        }
        Ok(())
    }

    /// Gives a file its place in `dir`; what has its name there is removed.
    pub(super) fn place_file(
        &self,
        base: &Base,
        placement: &Placement,
        dir: &Dir,
        file: &IndexedFile<'_>,
        is_command: bool,
    ) -> Result<(), LinkError> {
        if is_command && let Some(contents) = self.with_unix_first_line(placement, file)? {
            return write(dir, file.name, &contents).map_err(self.place_failed(placement));
        }
        let blob = self.blob(placement, file, file.executable || is_command)?;
        let sharing = Sharing::of(placement);
        match link_somehow(base, &blob, dir, file.name, sharing) {
            Ok(()) => return Ok(()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(self.place_failed(placement)(error)),
        }
        // Another process may have made it in the meantime, so that it is there by now.
        if !blob.executable || file.executable {
            if blob.is_missing() {
                return Err(missing(placement, file));
            }
        } else if let Err(error) = self.store.ensure_executable(&file.hash) {
            // A command that its tarball does not mark as executable, met for the first time.
            let plain = self.blob(placement, file, false)?;
            let is_missing = plain.is_missing();
            return Err(if is_missing {
                missing(placement, file)
            } else {
                store_error(placement, file, error)
            });
        }
        link_somehow(base, &blob, dir, file.name, sharing).map_err(self.place_failed(placement))
    }

    pub(super) fn blob(
        &self,
        placement: &Placement,
        file: &IndexedFile<'_>,
        executable: bool,
    ) -> Result<Blob<'_>, LinkError> {
        let (folder, name) = self
            .store
            .blob(&file.hash, executable)
            .map_err(|source| store_error(placement, file, source))?;
        Ok(Blob { folder, name, executable })
    }

    /// Returns the contents of a command with `\n` for the `\r\n` of its first line, if that is a
    /// `#!` line: with the `\r` the kernel looks for `node\r`.
    pub(super) fn with_unix_first_line(
        &self,
        placement: &Placement,
        file: &IndexedFile<'_>,
    ) -> Result<Option<Vec<u8>>, LinkError> {
        let blob = self.blob(placement, file, file.executable)?;
        let mut opened = match blob.folder.open_file(blob.name.as_c_str()) {
            Ok(opened) => opened,
            Err(error) if error.is_not_found() => return Err(missing(placement, file)),
            Err(error) => return Err(self.place_failed(placement)(error)),
        };
        let failed = |error| {
            let path = blob.folder.path_of(blob.name.as_c_str());
            self.place_failed(placement)(FsError::new(Operation::Read, path, error))
        };
        let mut contents = Vec::with_capacity(FIRST_LINE_LIMIT);
        (&mut opened).take(FIRST_LINE_LIMIT as u64).read_to_end(&mut contents).map_err(failed)?;
        let Some(at) = carriage_return(&contents) else { return Ok(None) };
        opened.read_to_end(&mut contents).map_err(failed)?;
        contents.remove(at);
        Ok(Some(contents))
    }
}

/// A file of the store.
pub(super) struct Blob<'a> {
    pub(super) folder: &'a Dir,
    pub(super) name: BlobName,
    executable: bool,
}

impl Blob<'_> {
    fn is_missing(&self) -> bool {
        matches!(self.folder.metadata(self.name.as_c_str()), Ok(None))
    }

    fn link(&self, way: Way, dir: &Dir, name: &CStr) -> Result<Creation, FsError> {
        let (blob, mode) = (self.name.as_c_str(), FileMode::from_executable(self.executable));
        match way {
            Way::Hardlink => self.folder.hard_link(blob, dir, name),
            Way::Clone => self.folder.reflink(blob, dir, name, mode),
            Way::Copy => self.folder.copy(blob, dir, name, mode),
            Way::Symlink => {
                let path = self.folder.path_of(blob);
                let path = std::path::absolute(&path).unwrap_or(path);
                dir.symlink(path.as_path(), name)
            }
        }
    }
}

/// Whether a file may share its inode with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Allowed,
    /// Scripts are going to write into it, or could.
    Refused,
}

impl Sharing {
    fn of(placement: &Placement) -> Self {
        if placement.is_private() || placement.is_exposed { Self::Refused } else { Self::Allowed }
    }
}

/// Links a blob the way that works in `base`, or finds the one that does.
fn link_somehow(
    base: &Base,
    blob: &Blob<'_>,
    dir: &Dir,
    name: &CStr,
    sharing: Sharing,
) -> Result<(), FsError> {
    /// More than one other process that makes the same file at the same time is not to be expected.
    const TRIES: u32 = 3;
    let mut way = Way::of(base.way.load(Ordering::Relaxed));
    if sharing == Sharing::Refused {
        way = way.max(Way::Clone);
    }
    // What one file cannot have says nothing about the others.
    let mut is_alone = sharing == Sharing::Refused;
    let mut was_refused = false;
    for _ in 0..TRIES {
        loop {
            match blob.link(way, dir, name) {
                Ok(Creation::Made) => {
                    if was_refused && !is_alone {
                        tracing::debug!(?way, "files cannot be linked the first way here");
                        base.way.fetch_max(way as u8, Ordering::Relaxed);
                    }
                    return Ok(());
                }
                Ok(Creation::Existed) => break,
                Err(error) => {
                    let is_refused = error.is_link_refused();
                    let Some(next) = way.next().filter(|_| is_refused || error.is_too_many_links())
                    else {
                        return Err(error);
                    };
                    is_alone |= !is_refused;
                    was_refused |= is_refused;
                    way = next;
                }
            }
        }
        dir.remove_all(name)?;
    }
    Ok(())
}

/// Returns where the `\r` before the end of a `#!` line is.
pub(super) fn carriage_return(contents: &[u8]) -> Option<usize> {
    let head = contents.get(..FIRST_LINE_LIMIT).unwrap_or(contents);
    // At least `#!a\r\n`.
    if head.len() < 5 || !head.starts_with(b"#!") {
        return None;
    }
    let end = memchr::memchr(b'\n', head)?;
    (head[end - 1] == b'\r').then_some(end - 1)
}

fn write(dir: &Dir, name: &CStr, contents: &[u8]) -> Result<(), FsError> {
    if dir.write_new(name, contents, FileMode::Executable)? == Creation::Existed {
        dir.remove_all(name)?;
        let (Creation::Made | Creation::Existed) =
            dir.write_new(name, contents, FileMode::Executable)?;
    }
    Ok(())
}

pub(super) fn missing(placement: &Placement, file: &IndexedFile<'_>) -> LinkError {
    LinkError::MissingBlob { package: placement.label, file: file.path.into() }
}

fn store_error(placement: &Placement, file: &IndexedFile<'_>, source: StoreError) -> LinkError {
    LinkError::Store { package: placement.label, file: file.path.into(), source }
}
