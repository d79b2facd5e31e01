//! Folders as paths, for systems without directory descriptors; tested on Unix as well.
//!
//! Slower, and a folder that is swapped for a symlink while deka runs is followed; otherwise it does
//! what `unix` does.

use std::borrow::Cow;
use std::ffi::{CStr, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Creation, Entry, FileKind, FileMode, Metadata, Permissions};
use crate::{FsError, Operation};

/// A name, or a path of several names, relative to a [`Dir`].
pub trait Name: Copy {
    /// Returns the name as a path.
    fn as_name(&self) -> Cow<'_, Path>;
}

impl Name for &str {
    fn as_name(&self) -> Cow<'_, Path> {
        Cow::Borrowed(Path::new(self))
    }
}

impl Name for &OsStr {
    fn as_name(&self) -> Cow<'_, Path> {
        Cow::Borrowed(Path::new(self))
    }
}

impl Name for &Path {
    fn as_name(&self) -> Cow<'_, Path> {
        Cow::Borrowed(self)
    }
}

impl Name for &CStr {
    fn as_name(&self) -> Cow<'_, Path> {
        match self.to_string_lossy() {
            Cow::Borrowed(name) => Cow::Borrowed(Path::new(name)),
            Cow::Owned(name) => Cow::Owned(name.into()),
        }
    }
}

impl Name for &[u8] {
    fn as_name(&self) -> Cow<'_, Path> {
        Cow::Owned(String::from_utf8_lossy(self).into_owned().into())
    }
}

/// An open folder.
#[derive(Debug)]
pub struct Dir {
    path: PathBuf,
}

/// `Existed` where the name was taken.
fn creation(result: io::Result<()>) -> io::Result<Creation> {
    match result {
        Ok(()) => Ok(Creation::Made),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Creation::Existed),
        Err(error) => Err(error),
    }
}

/// Whether something was there.
fn existence(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Dir {
    /// Opens the folder at `path`, following symlinks.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FsError> {
        let path = path.as_ref();
        let failed = |error| FsError::new(Operation::OpenDir, path, error);
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            return Err(failed(ErrorKind::NotADirectory.into()));
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Opens the folder at `path` after making it and the folders above it that do not exist.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, FsError> {
        let path = path.as_ref();
        fs::create_dir_all(path)
            .map_err(|error| FsError::new(Operation::CreateDir, path, error))?;
        Self::open(path)
    }

    /// Returns the path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a name in it.
    pub fn path_of(&self, name: impl Name) -> PathBuf {
        self.path.join(name.as_name())
    }

    fn failed(&self, operation: Operation, name: impl Name) -> impl FnOnce(io::Error) -> FsError {
        let path = self.path_of(name);
        move |error| FsError::new(operation, path, error)
    }

    fn failed_to(
        &self,
        operation: Operation,
        name: impl Name,
        to: &Dir,
        to_name: impl Name,
    ) -> impl FnOnce(io::Error) -> FsError {
        let (path, destination) = (self.path_of(name), to.path_of(to_name));
        move |error| FsError::new(operation, path, error).with_destination(destination)
    }

    /// Opens a folder in it, following symlinks.
    pub fn open_dir(&self, name: impl Name) -> Result<Self, FsError> {
        Self::open(self.path_of(name))
    }

    /// Opens a folder in it; fails if the last component of `name` is a symlink.
    pub fn open_dir_no_follow(&self, name: impl Name) -> Result<Self, FsError> {
        if self.metadata(name)?.is_some_and(|metadata| metadata.is_symlink()) {
            return Err(self.failed(Operation::OpenDir, name)(ErrorKind::NotADirectory.into()));
        }
        self.open_dir(name)
    }

    /// Makes a folder; the folder above it must exist.
    pub fn create_dir(&self, name: impl Name) -> Result<Creation, FsError> {
        creation(fs::create_dir(self.path_of(name)))
            .map_err(self.failed(Operation::CreateDir, name))
    }

    /// Opens a folder, making it if it does not exist.
    pub fn open_or_create_dir(&self, name: impl Name) -> Result<Self, FsError> {
        // Whoever made it in the meantime made the same.
        let (Creation::Made | Creation::Existed) = self.create_dir(name)?;
        self.open_dir(name)
    }

    /// Creates a file and opens it for writing; `None` if the name is taken.
    pub fn create_new(
        &self,
        name: impl Name,
        _mode: impl Into<Permissions>,
    ) -> Result<Option<File>, FsError> {
        match OpenOptions::new().write(true).create_new(true).open(self.path_of(name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(self.failed(Operation::Create, name)(error)),
        }
    }

    /// Every file has a name here.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as where there are such files"
    )]
    pub(crate) fn create_nameless(&self, _mode: Permissions) -> Result<Option<File>, FsError> {
        Ok(None)
    }

    /// There is no file without one.
    pub(crate) fn give_name(&self, _file: &File, name: impl Name) -> Result<Creation, FsError> {
        Err(self.failed(Operation::Create, name)(ErrorKind::Unsupported.into()))
    }

    /// Creates a file with the given contents; if that fails half-way (a full disk), the name is
    /// removed again.
    pub fn write_new(
        &self,
        name: impl Name,
        contents: &[u8],
        mode: impl Into<Permissions>,
    ) -> Result<Creation, FsError> {
        let Some(mut file) = self.create_new(name, mode)? else { return Ok(Creation::Existed) };
        match file.write_all(contents) {
            Ok(()) => Ok(Creation::Made),
            Err(error) => {
                drop(file);
                // The first error is the one to report.
                drop(self.remove_file(name));
                Err(self.failed(Operation::Write, name)(error))
            }
        }
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: impl Name) -> Result<File, FsError> {
        File::open(self.path_of(name)).map_err(self.failed(Operation::Open, name))
    }

    /// Reads a whole file; `None` if it does not exist.
    pub fn read(&self, name: impl Name) -> Result<Option<Vec<u8>>, FsError> {
        match fs::read(self.path_of(name)) {
            Ok(contents) => Ok(Some(contents)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(Operation::Read, name)(error)),
        }
    }

    /// Gives a file a second name in the folder `to`.
    pub fn hard_link(
        &self,
        name: impl Name,
        to: &Dir,
        to_name: impl Name,
    ) -> Result<Creation, FsError> {
        creation(fs::hard_link(self.path_of(name), to.path_of(to_name))).map_err(self.failed_to(
            Operation::HardLink,
            name,
            to,
            to_name,
        ))
    }

    /// Fails: there is nothing to clone with.
    pub fn reflink(
        &self,
        name: impl Name,
        to: &Dir,
        to_name: impl Name,
        _mode: FileMode,
    ) -> Result<Creation, FsError> {
        let unsupported = ErrorKind::Unsupported.into();
        Err(self.failed_to(Operation::Reflink, name, to, to_name)(unsupported))
    }

    /// Copies a file.
    pub fn copy(
        &self,
        name: impl Name,
        to: &Dir,
        to_name: impl Name,
        mode: FileMode,
    ) -> Result<Creation, FsError> {
        let mut source = self.open_file(name)?;
        let Some(mut target) = to.create_new(to_name, mode)? else { return Ok(Creation::Existed) };
        match crate::os::copy_contents(&mut source, &mut target) {
            Ok(()) => Ok(Creation::Made),
            Err(error) => {
                drop(target);
                drop(to.remove_file(to_name));
                Err(self.failed_to(Operation::Copy, name, to, to_name)(error))
            }
        }
    }

    /// Makes a symlink called `name` to `target`, which is stored as it is.
    pub fn symlink(&self, target: impl Name, name: impl Name) -> Result<Creation, FsError> {
        creation(make_symlink(&self.path, &target.as_name(), &self.path_of(name)))
            .map_err(self.failed(Operation::Symlink, name))
    }

    /// Reads a symlink; `None` if the name does not exist or is something else.
    pub fn read_link(&self, name: impl Name) -> Result<Option<PathBuf>, FsError> {
        if !self.metadata(name)?.is_some_and(|metadata| metadata.is_symlink()) {
            return Ok(None);
        }
        fs::read_link(self.path_of(name)).map(Some).map_err(self.failed(Operation::ReadLink, name))
    }

    /// Moves a name to the folder `to`, in place of the file that has `to_name` there if any.
    pub fn rename(&self, name: impl Name, to: &Dir, to_name: impl Name) -> Result<(), FsError> {
        fs::rename(self.path_of(name), to.path_of(to_name)).map_err(self.failed_to(
            Operation::Rename,
            name,
            to,
            to_name,
        ))
    }

    /// Removes a file or a symlink; returns whether it existed.
    pub fn remove_file(&self, name: impl Name) -> Result<bool, FsError> {
        let path = self.path_of(name);
        existence(fs::remove_file(&path).or_else(|error| remove_link_to_dir(&path, error)))
            .map_err(self.failed(Operation::Remove, name))
    }

    /// Removes an empty folder; returns whether it existed.
    pub fn remove_dir(&self, name: impl Name) -> Result<bool, FsError> {
        existence(fs::remove_dir(self.path_of(name))).map_err(self.failed(Operation::Remove, name))
    }

    /// Removes whatever has the name, folders with all they hold; returns whether it existed.
    ///
    /// Symlinks are removed, never followed.
    pub fn remove_all(&self, name: impl Name) -> Result<bool, FsError> {
        if self.metadata(name)?.is_some_and(|metadata| metadata.is_dir()) {
            return existence(fs::remove_dir_all(self.path_of(name)))
                .map_err(self.failed(Operation::Remove, name));
        }
        self.remove_file(name)
    }

    /// Removes everything in the folder.
    pub fn clear(&self) -> Result<(), FsError> {
        self.list()?.iter().try_for_each(|entry| self.remove_all(entry.name.as_os_str()).map(drop))
    }

    /// Looks at a name without following a symlink; `None` if it does not exist.
    pub fn metadata(&self, name: impl Name) -> Result<Option<Metadata>, FsError> {
        self.stat_with(name, fs::symlink_metadata(self.path_of(name)))
    }

    /// Looks at what a name stands for in the end; `None` if that does not exist.
    pub fn metadata_following(&self, name: impl Name) -> Result<Option<Metadata>, FsError> {
        self.stat_with(name, fs::metadata(self.path_of(name)))
    }

    fn stat_with(
        &self,
        name: impl Name,
        result: io::Result<fs::Metadata>,
    ) -> Result<Option<Metadata>, FsError> {
        match result {
            Ok(metadata) => Ok(Some(to_metadata(&metadata))),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.failed(Operation::Stat, name)(error)),
        }
    }

    /// Returns the names in the folder in no particular order.
    pub fn list(&self) -> Result<Vec<Entry>, FsError> {
        self.list_some(|_| true)
    }

    /// Returns those names in the folder that are wanted, in no particular order.
    pub fn list_some(&self, is_wanted: impl Fn(&OsStr) -> bool) -> Result<Vec<Entry>, FsError> {
        let failed = |error| FsError::new(Operation::ReadDir, &self.path, error);
        fs::read_dir(&self.path)
            .map_err(failed)?
            .filter(|entry| entry.as_ref().map_or(true, |entry| is_wanted(&entry.file_name())))
            .map(|entry| {
                let entry = entry.map_err(failed)?;
                let kind = to_kind(entry.file_type().map_err(failed)?);
                Ok(Entry { name: entry.file_name(), kind })
            })
            .collect()
    }

    /// Shows nothing: without a look at each, nothing is told here.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "other systems do")]
    pub fn visit_folders(&self, _see: impl FnMut(&str, u64)) -> Result<(), FsError> {
        Ok(())
    }

    /// Does nothing: modes do not exist here.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "other systems do")]
    pub fn set_permissions(
        &self,
        _name: impl Name,
        _mode: impl Into<Permissions>,
    ) -> Result<(), FsError> {
        Ok(())
    }

    /// Sets the time of the last change to now.
    pub fn touch(&self, name: impl Name) -> Result<(), FsError> {
        OpenOptions::new()
            .write(true)
            .open(self.path_of(name))
            .and_then(|file| file.set_modified(SystemTime::now()))
            .map_err(self.failed(Operation::Write, name))
    }

    /// Has everything written back that was written to the volume of the folder; here that is up to the
    /// system.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "other systems can fail")]
    pub fn sync_file_system(&self) -> Result<(), FsError> {
        Ok(())
    }

    /// Devices and mounts are not told apart here.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "other systems do")]
    pub(crate) fn mount(&self) -> io::Result<(u64, u64)> {
        Ok((0, 0))
    }
}

fn to_kind(kind: fs::FileType) -> FileKind {
    if kind.is_symlink() {
        FileKind::Symlink
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_file() {
        FileKind::File
    } else {
        FileKind::Other
    }
}

fn to_metadata(metadata: &fs::Metadata) -> Metadata {
    let modified = metadata.modified().map_or(0, |time| {
        time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos().cast_signed())
    });
    Metadata {
        kind: to_kind(metadata.file_type()),
        size: metadata.len(),
        permissions: FileMode::Regular.permissions().0,
        modified,
        identity: (0, 0),
        links: 1,
    }
}

#[cfg(windows)]
fn make_symlink(folder: &Path, target: &Path, link: &Path) -> io::Result<()> {
    // The system wants to know what the target is; what does not exist yet is taken for a folder.
    if folder.join(target).is_file() {
        std::os::windows::fs::symlink_file(target, link)
    } else {
        std::os::windows::fs::symlink_dir(target, link)
    }
}

#[cfg(unix)]
fn make_symlink(_folder: &Path, target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(any(unix, windows)))]
fn make_symlink(_folder: &Path, _target: &Path, _link: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Symlinks to folders and junctions are removed as folders on Windows.
#[cfg(windows)]
fn remove_link_to_dir(path: &Path, error: io::Error) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        fs::remove_dir(path)
    } else {
        Err(error)
    }
}

#[cfg(not(windows))]
fn remove_link_to_dir(_path: &Path, error: io::Error) -> io::Result<()> {
    Err(error)
}
