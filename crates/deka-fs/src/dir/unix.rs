//! Folders as descriptors, on anything like Unix.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

use super::{Creation, Entry, FileKind, FileMode, Metadata, Permissions};
use crate::os::{self, OPEN_DIR};
use crate::{FsError, Operation};

/// A name, or a path of several names, relative to a [`Dir`]: `&str`, `&CStr`, `&OsStr`, `&Path`.
///
/// A `&CStr` costs nothing, the others are copied to the stack for the NUL at their end.
pub trait Name: Arg + Copy {}

impl<T: Arg + Copy> Name for T {}

/// An open folder. Everything is relative to it, wherever it is moved to.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    /// The path it was opened by, for messages only.
    path: PathBuf,
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn to_os_string(name: impl Name) -> OsString {
    name.into_c_str().map_or_else(
        |_| OsString::from("…"),
        |name| OsString::from_vec(name.into_owned().into_bytes()),
    )
}

/// `Existed` where the name was taken.
fn creation(result: rustix::io::Result<()>) -> rustix::io::Result<Creation> {
    match result {
        Ok(()) => Ok(Creation::Made),
        Err(Errno::EXIST) => Ok(Creation::Existed),
        Err(error) => Err(error),
    }
}

impl Dir {
    /// Opens the folder at `path`, following symlinks.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FsError> {
        let path = path.as_ref();
        let fd = rustix::fs::open(path, OPEN_DIR, Mode::empty())
            .map_err(|error| FsError::new(Operation::OpenDir, path, error))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens the folder at `path` after making it and the folders above it that do not exist.
    pub fn open_or_create(path: impl AsRef<Path>) -> Result<Self, FsError> {
        let path = path.as_ref();
        match Self::open(path) {
            Err(error) if error.is_not_found() => {
                std::fs::create_dir_all(path)
                    .map_err(|error| FsError::new(Operation::CreateDir, path, error))?;
                Self::open(path)
            }
            result => result,
        }
    }

    /// Returns the path it was opened by, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a name in it, for messages.
    pub fn path_of(&self, name: impl Name) -> PathBuf {
        self.path.join(to_os_string(name))
    }

    fn failed(&self, operation: Operation, name: impl Name) -> impl FnOnce(Errno) -> FsError {
        move |error| FsError::new(operation, self.path_of(name), io::Error::from(error))
    }

    fn failed_to<'a>(
        &'a self,
        operation: Operation,
        name: impl Name + 'a,
        to: &'a Dir,
        to_name: impl Name + 'a,
    ) -> impl FnOnce(Errno) -> FsError + 'a {
        move |error| self.failed(operation, name)(error).with_destination(to.path_of(to_name))
    }

    fn open_dir_with(&self, name: impl Name, flags: OFlags) -> Result<Self, FsError> {
        let fd = rustix::fs::openat(&self.fd, name, OPEN_DIR.union(flags), Mode::empty())
            .map_err(self.failed(Operation::OpenDir, name))?;
        Ok(Self { fd, path: self.path_of(name) })
    }

    /// Opens a folder in it, following symlinks.
    pub fn open_dir(&self, name: impl Name) -> Result<Self, FsError> {
        self.open_dir_with(name, OFlags::empty())
    }

    /// Opens a folder in it; fails if the last component of `name` is a symlink.
    pub fn open_dir_no_follow(&self, name: impl Name) -> Result<Self, FsError> {
        self.open_dir_with(name, OFlags::NOFOLLOW)
    }

    /// Makes a folder; the folder above it must exist.
    pub fn create_dir(&self, name: impl Name) -> Result<Creation, FsError> {
        creation(rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777)))
            .map_err(self.failed(Operation::CreateDir, name))
    }

    /// Opens a folder, making it if it does not exist.
    pub fn open_or_create_dir(&self, name: impl Name) -> Result<Self, FsError> {
        match self.open_dir(name) {
            Err(error) if error.is_not_found() => {
                // Whoever made it in the meantime made the same.
                let (Creation::Made | Creation::Existed) = self.create_dir(name)?;
                self.open_dir(name)
            }
            result => result,
        }
    }

    /// Creates a file and opens it for writing; `None` if the name is taken.
    pub fn create_new(
        &self,
        name: impl Name,
        mode: impl Into<Permissions>,
    ) -> Result<Option<File>, FsError> {
        let mode = mode.into();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(mode.0 as _)) {
            Ok(fd) => {
                undo_umask(&fd, mode).map_err(self.failed(Operation::SetMode, name))?;
                Ok(Some(File::from(fd)))
            }
            Err(Errno::EXIST) => Ok(None),
            Err(error) => Err(self.failed(Operation::Create, name)(error)),
        }
    }

    /// Creates a file for writing that has no name, so that it vanishes if nobody gives it one; `None` where
    /// files can't be so.
    pub(crate) fn create_nameless(&self, mode: Permissions) -> Result<Option<File>, FsError> {
        let file = os::create_nameless(self.as_fd(), Mode::from_raw_mode(mode.0 as _));
        let Some(file) = file else { return Ok(None) };
        undo_umask(&file, mode).map_err(self.failed(Operation::SetMode, c"."))?;
        Ok(Some(File::from(file)))
    }

    /// Gives a file of [`create_nameless`](Self::create_nameless) its name.
    pub(crate) fn give_name(&self, file: &File, name: impl Name) -> Result<Creation, FsError> {
        let result = name
            .into_c_str()
            .and_then(|name| creation(os::give_name(file.as_fd(), self.as_fd(), &name)));
        result.map_err(self.failed(Operation::Create, name))
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
                // The first error is the one to report.
                drop(self.remove_file(name));
                Err(FsError::new(Operation::Write, self.path_of(name), error))
            }
        }
    }

    /// Opens a file for reading.
    pub fn open_file(&self, name: impl Name) -> Result<File, FsError> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::empty())
            .map(File::from)
            .map_err(self.failed(Operation::Open, name))
    }

    /// Reads a whole file; `None` if it does not exist.
    pub fn read(&self, name: impl Name) -> Result<Option<Vec<u8>>, FsError> {
        let mut file = match self.open_file(name) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let failed = |error| FsError::new(Operation::Read, self.path_of(name), error);
        // A read that returns less than it could has reached the end, so that a file whose size is
        // right costs one read.
        let size = file.metadata().map_err(failed)?.len();
        let mut contents = Vec::new();
        let mut length = 0;
        loop {
            if length == contents.len() {
                let wanted = usize::try_from(size).unwrap_or(usize::MAX).max(length);
                let more = wanted.saturating_add(1) - length;
                contents.try_reserve_exact(more).map_err(|error| failed(error.into()))?;
                contents.resize(length + more, 0);
            }
            match file.read(&mut contents[length..]) {
                Ok(count) => {
                    length += count;
                    if count == 0 || length < contents.len() && length as u64 >= size {
                        contents.truncate(length);
                        return Ok(Some(contents));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Gives a file a second name in the folder `to`. A symlink is linked itself.
    pub fn hard_link(
        &self,
        name: impl Name,
        to: &Dir,
        to_name: impl Name,
    ) -> Result<Creation, FsError> {
        creation(rustix::fs::linkat(&self.fd, name, &to.fd, to_name, AtFlags::empty()))
            .map_err(self.failed_to(Operation::HardLink, name, to, to_name))
    }

    /// Clones a file by reference (FICLONE, clonefile): own inode, shared blocks.
    pub fn reflink(
        &self,
        name: impl Name,
        to: &Dir,
        to_name: impl Name,
        mode: FileMode,
    ) -> Result<Creation, FsError> {
        let source = self.open_file(name)?;
        let failed = |error| {
            FsError::new(Operation::Reflink, self.path_of(name), error)
                .with_destination(to.path_of(to_name))
        };
        clone(&source, to, to_name, mode, failed)
    }

    /// Copies a file, in the kernel where it can.
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
                drop(to.remove_file(to_name));
                Err(FsError::new(Operation::Copy, self.path_of(name), error)
                    .with_destination(to.path_of(to_name)))
            }
        }
    }

    /// Makes a symlink called `name` to `target`, which is stored as it is.
    pub fn symlink(&self, target: impl Name, name: impl Name) -> Result<Creation, FsError> {
        creation(rustix::fs::symlinkat(target, &self.fd, name))
            .map_err(self.failed(Operation::Symlink, name))
    }

    /// Reads a symlink; `None` if the name does not exist or is something else.
    pub fn read_link(&self, name: impl Name) -> Result<Option<PathBuf>, FsError> {
        match rustix::fs::readlinkat(&self.fd, name, Vec::new()) {
            Ok(target) => Ok(Some(PathBuf::from(OsString::from_vec(target.into_bytes())))),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(self.failed(Operation::ReadLink, name)(error)),
        }
    }

    /// Moves a name to the folder `to`, in place of the file that has `to_name` there if any.
    pub fn rename(&self, name: impl Name, to: &Dir, to_name: impl Name) -> Result<(), FsError> {
        rustix::fs::renameat(&self.fd, name, &to.fd, to_name).map_err(self.failed_to(
            Operation::Rename,
            name,
            to,
            to_name,
        ))
    }

    /// Removes a file or a symlink; returns whether it existed.
    pub fn remove_file(&self, name: impl Name) -> Result<bool, FsError> {
        self.remove_with(name, AtFlags::empty())
    }

    /// Removes an empty folder; returns whether it existed.
    pub fn remove_dir(&self, name: impl Name) -> Result<bool, FsError> {
        self.remove_with(name, AtFlags::REMOVEDIR)
    }

    fn remove_with(&self, name: impl Name, flags: AtFlags) -> Result<bool, FsError> {
        match rustix::fs::unlinkat(&self.fd, name, flags) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.failed(Operation::Remove, name)(error)),
        }
    }

    /// Removes whatever has the name, folders with all they hold; returns whether it existed.
    ///
    /// Symlinks are removed, never followed.
    pub fn remove_all(&self, name: impl Name) -> Result<bool, FsError> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => return Ok(true),
            Err(Errno::NOENT) => return Ok(false),
            // What systems say of a folder; PERM and ACCESS may also mean a file in a folder that
            // may not be written, which the calls below report.
            Err(Errno::ISDIR | Errno::PERM | Errno::ACCESS) => {}
            Err(error) => return Err(self.failed(Operation::Remove, name)(error)),
        }
        let inner = match self.open_dir_no_follow(name) {
            Ok(inner) => inner,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(_) => return self.remove_file(name),
        };
        inner.clear()?;
        self.remove_dir(name)
    }

    /// Removes everything in the folder.
    pub fn clear(&self) -> Result<(), FsError> {
        for entry in self.list()? {
            if entry.kind == FileKind::Directory {
                self.remove_all(entry.name.as_os_str())?;
            } else {
                self.remove_file(entry.name.as_os_str())?;
            }
        }
        Ok(())
    }

    /// Looks at a name without following a symlink; `None` if it does not exist.
    pub fn metadata(&self, name: impl Name) -> Result<Option<Metadata>, FsError> {
        self.stat_with(name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Looks at what a name stands for in the end; `None` if that does not exist.
    pub fn metadata_following(&self, name: impl Name) -> Result<Option<Metadata>, FsError> {
        self.stat_with(name, AtFlags::empty())
    }

    fn stat_with(&self, name: impl Name, flags: AtFlags) -> Result<Option<Metadata>, FsError> {
        match rustix::fs::statat(&self.fd, name, flags) {
            Ok(stat) => Ok(Some(to_metadata(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(self.failed(Operation::Stat, name)(error)),
        }
    }

    /// Returns the names in the folder in no particular order.
    pub fn list(&self) -> Result<Vec<Entry>, FsError> {
        self.list_some(|_| true)
    }

    /// Returns those names in the folder that are wanted, in no particular order.
    pub fn list_some(&self, is_wanted: impl Fn(&OsStr) -> bool) -> Result<Vec<Entry>, FsError> {
        let mut entries = Vec::new();
        let mut unknown = Vec::new();
        self.visit(|name, kind, _| {
            let name = OsStr::from_bytes(name.to_bytes());
            if !is_wanted(name) {
                return;
            }
            match kind {
                FileType::Unknown => unknown.push(name.to_owned()),
                kind => entries.push(Entry { name: name.to_owned(), kind: to_kind(kind) }),
            }
        })?;
        for name in unknown {
            let metadata = self.metadata(name.as_os_str())?;
            entries.extend(metadata.map(|metadata| Entry { name, kind: metadata.kind }));
        }
        Ok(entries)
    }

    /// Shows the folders in the folder to `see` with their inodes, as far as they are told without a look at
    /// each of them; a name that is not text is left out.
    pub fn visit_folders(&self, mut see: impl FnMut(&str, u64)) -> Result<(), FsError> {
        self.visit(|name, kind, inode| {
            if let (FileType::Directory, Ok(name)) = (kind, name.to_str()) {
                see(name, inode);
            }
        })
    }

    /// Shows each name in the folder to `see`, with its kind if that is known, and its inode.
    fn visit(&self, mut see: impl FnMut(&CStr, FileType, u64)) -> Result<(), FsError> {
        let failed = |error: Errno| FsError::new(Operation::ReadDir, &self.path, error);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // The descriptor held may be good for paths only.
        let readable = rustix::fs::openat(&self.fd, c".", flags, Mode::empty()).map_err(failed)?;
        let visited = os::visit_entries(readable, |name, kind, inode| {
            if !matches!(name.to_bytes(), b"." | b"..") {
                see(name, kind, inode);
            }
        });
        visited.map_err(failed)
    }

    /// Changes the permissions of a file that nothing else shares, following symlinks.
    pub fn set_permissions(
        &self,
        name: impl Name,
        mode: impl Into<Permissions>,
    ) -> Result<(), FsError> {
        let mode = Mode::from_raw_mode(mode.into().0 as _);
        rustix::fs::chmodat(&self.fd, name, mode, AtFlags::empty())
            .map_err(self.failed(Operation::SetMode, name))
    }

    /// Sets the time of the last change to now.
    pub fn touch(&self, name: impl Name) -> Result<(), FsError> {
        let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
        rustix::fs::utimensat(&self.fd, name, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(self.failed(Operation::Write, name))
    }

    /// Has everything written back that was written to the volume of the folder.
    pub fn sync_file_system(&self) -> Result<(), FsError> {
        let failed = |error: io::Error| FsError::new(Operation::Sync, &self.path, error);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // The descriptor held may be good for paths only.
        let readable = rustix::fs::openat(&self.fd, c".", flags, Mode::empty());
        let readable = readable.map_err(|error| failed(error.into()))?;
        crate::os::sync_file_system(readable.as_fd()).map_err(failed)
    }

    /// Returns the device and mount of the folder.
    pub(crate) fn mount(&self) -> io::Result<(u64, u64)> {
        crate::os::mount_of(self.fd.as_fd())
    }
}

#[cfg(not(target_os = "macos"))]
fn clone(
    source: &File,
    to: &Dir,
    to_name: impl Name,
    mode: FileMode,
    failed: impl FnOnce(io::Error) -> FsError,
) -> Result<Creation, FsError> {
    let Some(target) = to.create_new(to_name, mode)? else { return Ok(Creation::Existed) };
    match crate::os::clone_into(source, &target) {
        Ok(()) => Ok(Creation::Made),
        Err(error) => {
            drop(to.remove_file(to_name));
            Err(failed(error))
        }
    }
}

/// Here the system makes the name itself, with the mode of the source.
#[cfg(target_os = "macos")]
fn clone(
    source: &File,
    to: &Dir,
    to_name: impl Name,
    _mode: FileMode,
    failed: impl FnOnce(io::Error) -> FsError,
) -> Result<Creation, FsError> {
    let result = to_name
        .into_c_str()
        .map_err(io::Error::from)
        .and_then(|name| crate::os::clone_at(source, to.fd.as_fd(), &name));
    match result {
        Ok(()) => Ok(Creation::Made),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Creation::Existed),
        Err(error) => Err(failed(error)),
    }
}

/// Sets the mode of a file just created if the umask of the process takes bits away.
///
/// The umask cannot be read without changing it for all threads, so the first file of each mode
/// tells. It does not change while deka runs.
fn undo_umask(fd: &OwnedFd, wanted: Permissions) -> rustix::io::Result<()> {
    const UNKNOWN: u8 = 0;
    const HARMLESS: u8 = 1;
    const TAKES_BITS: u8 = 2;
    static STATES: [AtomicU8; 2] = [AtomicU8::new(UNKNOWN), AtomicU8::new(UNKNOWN)];

    let state = match wanted.0 {
        0o644 => &STATES[0],
        0o755 => &STATES[1],
        _ => return rustix::fs::fchmod(fd, Mode::from_raw_mode(wanted.0 as _)),
    };
    let mut known = state.load(Ordering::Relaxed);
    if known == UNKNOWN {
        let mode = to_metadata(&rustix::fs::fstat(fd)?).permissions & 0o777;
        known = if mode == wanted.0 { HARMLESS } else { TAKES_BITS };
        state.store(known, Ordering::Relaxed);
    }
    if known == TAKES_BITS {
        match rustix::fs::fchmod(fd, Mode::from_raw_mode(wanted.0 as _)) {
            // File systems without modes (FAT, some network mounts) refuse or ignore it.
            Ok(()) | Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn to_kind(kind: FileType) -> FileKind {
    match kind {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

/// The widths of these fields differ between systems.
#[cfg_attr(
    target_os = "linux",
    expect(
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        clippy::cast_lossless,
        reason = "not on every system"
    )
)]
#[cfg_attr(
    target_os = "macos",
    expect(clippy::unnecessary_cast, clippy::cast_lossless, reason = "not on every system")
)]
fn to_metadata(stat: &rustix::fs::Stat) -> Metadata {
    Metadata {
        kind: to_kind(FileType::from_raw_mode(stat.st_mode)),
        size: stat.st_size as u64,
        permissions: u32::from(stat.st_mode) & 0o7777,
        modified: stat.st_mtime as i128 * 1_000_000_000 + stat.st_mtime_nsec as i128,
        identity: (stat.st_dev as u64, stat.st_ino as u64),
        links: stat.st_nlink as u64,
    }
}
