//! Open folders and what can be done inside them.
//!
//! `unix` works on descriptors, `fallback` on paths; both offer the same [`Dir`].

use std::ffi::OsString;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{Dir, Name};

#[cfg(any(not(unix), test))]
#[cfg_attr(unix, expect(dead_code, unreachable_pub, reason = "compiled for its tests only"))]
mod fallback;
#[cfg(not(unix))]
pub use fallback::{Dir, Name};

#[cfg(all(test, unix))]
mod tests;

/// Whether something new was made under the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Creation {
    /// It was made by this call.
    Made,
    /// The name was taken, by whatever it is; nothing was changed.
    Existed,
}

/// The two modes that files of packages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileMode {
    /// 0644.
    Regular,
    /// 0755.
    Executable,
}

impl FileMode {
    /// Chooses by the executable bit.
    pub const fn from_executable(executable: bool) -> Self {
        if executable { Self::Executable } else { Self::Regular }
    }

    /// Returns the permission bits.
    pub const fn permissions(self) -> Permissions {
        match self {
            Self::Regular => Permissions(0o644),
            Self::Executable => Permissions(0o755),
        }
    }
}

/// Permission bits as `chmod` takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(pub u32);

impl From<FileMode> for Permissions {
    fn from(mode: FileMode) -> Self {
        mode.permissions()
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symlink; on Windows also a junction.
    Symlink,
    /// A device, a socket, a pipe.
    Other,
}

/// What the file system knows about a name, without following a symlink unless asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Length in bytes.
    pub size: u64,
    /// Permission bits (0644 or 0755 where the system has none).
    pub permissions: u32,
    /// Time of the last change of the contents in nanoseconds since 1970.
    pub modified: i128,
    /// The device and inode; two names of one file have the same. Zero where unknown.
    pub identity: (u64, u64),
    /// How many names the file has.
    pub links: u64,
}

impl Metadata {
    /// Whether anybody may execute it.
    pub const fn is_executable(&self) -> bool {
        self.permissions & 0o111 != 0
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// Whether it is a folder.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Whether it is a symlink.
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::Symlink
    }
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// What it stands for.
    pub kind: FileKind,
}
