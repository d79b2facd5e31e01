//! What went wrong, with the operation and the path.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failed operation on a file or folder.
#[derive(Debug, thiserror::Error)]
#[error("Failed to {operation} `{}`{}", path.display(), Target(destination.as_deref()))]
pub struct FsError {
    operation: Operation,
    path: PathBuf,
    destination: Option<Box<Path>>,
    source: io::Error,
}

/// What was attempted; displays as the verb of an error message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Operation {
    OpenDir,
    CreateDir,
    ReadDir,
    Open,
    Create,
    Read,
    Map,
    Write,
    Sync,
    SetMode,
    HardLink,
    Reflink,
    Copy,
    Symlink,
    ReadLink,
    Rename,
    Remove,
    Stat,
    Lock,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenDir => "open the folder",
            Self::CreateDir => "create the folder",
            Self::ReadDir => "list the folder",
            Self::Open => "open",
            Self::Create => "create",
            Self::Read => "read",
            Self::Map => "map",
            Self::Write => "write",
            Self::Sync => "flush",
            Self::SetMode => "set the mode of",
            Self::HardLink => "hardlink",
            Self::Reflink => "clone",
            Self::Copy => "copy",
            Self::Symlink => "create the symlink",
            Self::ReadLink => "read the symlink",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::Stat => "look at",
            Self::Lock => "lock",
        })
    }
}

struct Target<'a>(Option<&'a Path>);

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, " to `{}`", path.display()),
            None => Ok(()),
        }
    }
}

impl FsError {
    /// Makes the error of an `operation` on `path`.
    pub fn new(
        operation: Operation,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self { operation, path: path.into(), destination: None, source: source.into() }
    }

    /// Adds the second path of a link, copy or rename.
    #[must_use]
    pub fn with_destination(mut self, destination: impl Into<PathBuf>) -> Self {
        self.destination = Some(destination.into().into_boxed_path());
        self
    }

    /// Returns what was attempted.
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the path it was attempted on.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the kind of the operating system's error.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// Returns the operating system's error.
    pub const fn io_error(&self) -> &io::Error {
        &self.source
    }

    /// Whether the path does not exist.
    pub fn is_not_found(&self) -> bool {
        self.kind() == io::ErrorKind::NotFound
    }

    /// Whether the volume is full or the user's quota is used up.
    pub fn is_full(&self) -> bool {
        matches!(self.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Whether the volume or the folder may not be written.
    pub fn is_read_only(&self) -> bool {
        matches!(self.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
    }

    /// Whether this way to link is refused between the two folders, so that the next one should be
    /// tried: other volumes, a file system without it, a sandbox that forbids it.
    pub fn is_link_refused(&self) -> bool {
        crate::os::is_link_refused(&self.source)
    }

    /// Whether this one file has as many names as its file system allows (65,000 on ext4): only this
    /// file has to be linked another way.
    pub fn is_too_many_links(&self) -> bool {
        self.kind() == io::ErrorKind::TooManyLinks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_operation_and_paths() {
        let error = FsError::new(Operation::HardLink, "a", io::Error::other("x"));
        assert_eq!(error.to_string(), "Failed to hardlink `a`");
        assert_eq!(error.with_destination("b").to_string(), "Failed to hardlink `a` to `b`");
    }
}
