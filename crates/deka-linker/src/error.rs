//! What can go wrong between the store and `node_modules`.

use std::path::PathBuf;

use deka_fs::FsError;
use deka_manifest::Symbol;

use crate::patch::PatchFailure;

/// Why `node_modules` could not be made as planned.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The store lacks a file that its index names, or has it torn: forget the package in the store,
    /// fetch it again, and perform the same task again.
    #[error("The store lacks `{file}` of `{package}`")]
    MissingBlob {
        /// `name@version`.
        package: Symbol,
        /// The file's path inside the package.
        file: Box<str>,
    },
    /// The store could not make a file executable, or not say where it is.
    #[error("Failed to get `{file}` of `{package}` from the store")]
    Store {
        /// `name@version`.
        package: Symbol,
        /// The file's path inside the package.
        file: Box<str>,
        /// What the store says.
        source: deka_store::StoreError,
    },
    /// A task was performed without the files of its package.
    #[error("The files of `{package}` are not known")]
    NoIndex {
        /// `name@version`.
        package: Symbol,
    },
    /// A file of a package could not be placed.
    #[error("Failed to place `{package}` in `{}`", path.display())]
    Place {
        /// `name@version`.
        package: Symbol,
        /// The package's folder.
        path: PathBuf,
        /// The operation that failed.
        source: FsError,
    },
    /// A patch does not apply to the package that it is for.
    #[error("Failed to patch `{package}`")]
    Patch {
        /// `name@version`.
        package: Symbol,
        /// What does not fit.
        source: PatchFailure,
    },
    /// A `file:` dependency could not be read.
    #[error("Failed to copy the folder `{}`", path.display())]
    Folder {
        /// The source.
        path: PathBuf,
        /// The operation that failed.
        source: FsError,
    },
    /// A command could not be linked.
    #[error("Failed to link the command `{name}` in `{}`", folder.display())]
    Bin {
        /// The command.
        name: Box<str>,
        /// The `.bin` folder.
        folder: PathBuf,
        /// The operation that failed.
        source: FsError,
    },
    /// `node_modules` itself could not be read or written.
    #[error("Failed to update `{}`", path.display())]
    NodeModules {
        /// The folder.
        path: PathBuf,
        /// The operation that failed.
        source: FsError,
    },
    /// A symlink stands in the place of `node_modules`, and leads to something else.
    #[error("`{}` is a symlink to a folder with other things in it", path.display())]
    OtherFolder {
        /// The symlink.
        path: PathBuf,
    },
}

impl LinkError {
    /// Returns the failed operation on the disk, if it was one.
    pub fn fs_error(&self) -> Option<&FsError> {
        match self {
            Self::Place { source, .. }
            | Self::Folder { source, .. }
            | Self::Bin { source, .. }
            | Self::NodeModules { source, .. } => Some(source),
            Self::MissingBlob { .. }
            | Self::Store { .. }
            | Self::NoIndex { .. }
            | Self::OtherFolder { .. }
            | Self::Patch { .. } => None,
        }
    }

    /// Whether fetching the package again is the remedy.
    pub const fn is_missing_blob(&self) -> bool {
        matches!(self, Self::MissingBlob { .. })
    }
}
