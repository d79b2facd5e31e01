//! What can go wrong with the store and with tarballs.

use deka_fs::FsError;
use deka_manifest::Integrity;

/// A failed operation of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A tarball is not the one that was asked for; the store does not have it.
    #[error("Integrity check failed for `{package}`: expected {expected}, found {found}")]
    Integrity {
        /// The package, as `name@version`.
        package: String,
        /// What the registry or the lockfile says.
        expected: Box<Integrity>,
        /// What the bytes hash to.
        found: Box<Integrity>,
    },
    /// A tarball that was unpacked on its way did not come whole.
    #[error("Failed to receive `{package}`")]
    Interrupted {
        /// The package, as `name@version`.
        package: String,
        /// What became of the rest.
        source: std::io::Error,
    },
    /// A tarball cannot be unpacked or must not be.
    #[error("Failed to unpack `{package}`")]
    Archive {
        /// The package, as `name@version`.
        package: String,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// A file of a package could not be written to the store.
    #[error("Failed to store `{package}`")]
    Write {
        /// The package, as `name@version`.
        package: String,
        /// The failed operation.
        source: FsError,
    },
    /// The store itself could not be read or changed.
    #[error("Failed to use the store")]
    Fs(#[from] FsError),
}

impl StoreError {
    /// Returns npm's code for the error, where npm has one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Integrity { .. } => Some("EINTEGRITY"),
            Self::Archive { .. } => Some("TAR_BAD_ARCHIVE"),
            Self::Write { source, .. } | Self::Fs(source) if source.is_full() => Some("ENOSPC"),
            Self::Write { .. } | Self::Fs(_) | Self::Interrupted { .. } => None,
        }
    }
}

/// What is wrong with a tarball.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes are neither a tar archive nor a gzipped one.
    #[error("it is not a tar archive")]
    NotAnArchive,
    /// The compressed data is damaged.
    #[error("its gzip data is damaged")]
    Gzip,
    /// The archive ends before its end.
    #[error("it is cut off")]
    Truncated,
    /// A header is damaged.
    #[error("the header behind `{after}` is damaged")]
    Header {
        /// The entry before it.
        after: String,
    },
    /// A header says something impossible about its entry.
    #[error("its entry `{entry}` is invalid: {reason}")]
    Entry {
        /// The entry's path as it stands in the archive.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An entry would be written outside of the package's folder, or nowhere.
    #[error("its entry `{entry}` is not safe to unpack: {reason}")]
    UnsafePath {
        /// The entry's path as it stands in the archive.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// One path is a file and the folder of another file.
    #[error("its entry `{entry}` is a file and a folder")]
    FileAndFolder {
        /// The path.
        entry: String,
    },
    /// There are more entries than any real package has.
    #[error("it has more than {limit} entries")]
    TooManyEntries {
        /// The most that is accepted.
        limit: usize,
    },
    /// There is more in it than in any real package.
    #[error("it unpacks to more than {limit} bytes")]
    TooLarge {
        /// The most that is accepted.
        limit: u64,
    },
}
