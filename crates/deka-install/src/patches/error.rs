//! Why a patch could not be made.

use std::path::PathBuf;

use deka_fs::FsError;
use deka_linker::{InvalidPatch, PatchFailure};
use deka_manifest::Symbol;

/// Why a patch could not be made, or not taken out.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// Nothing of that name is installed.
    #[error("The package `{package}` is not installed")]
    NotInstalled {
        /// What was named.
        package: String,
    },
    /// The folder is none of a package that was installed.
    #[error("`{}` is not the folder of an installed package", folder.display())]
    NoPackage {
        /// What was named.
        folder: PathBuf,
    },
    /// The name alone does not say which version is meant.
    #[error("Several versions of `{package}` are installed")]
    ManyVersions {
        /// What was named.
        package: String,
        /// All that it could be, as `name@version`.
        found: Vec<Symbol>,
    },
    /// The folder is a source: what is patched there would not come from a patch.
    #[error("`{package}` can't be patched: its files are those of `{folder}`")]
    OwnFolder {
        /// The package.
        package: String,
        /// Its folder.
        folder: String,
    },
    /// There is no patch of the package.
    #[error("There is no patch of `{package}` in `patchedDependencies`")]
    NotPatched {
        /// What was named.
        package: String,
    },
    /// The folder for patches is not inside of the project.
    #[error("The folder `{folder}` for patches is not inside of the project")]
    Outside {
        /// The folder as it was named.
        folder: String,
    },
    /// git is what compares.
    #[error("git is needed to make patches, and is not installed")]
    NoGit,
    /// git failed.
    #[error("git failed to compare `{package}` with what it was: {message}")]
    Git {
        /// The package.
        package: Symbol,
        /// What it said.
        message: String,
    },
    /// Patches are texts.
    #[error("Binary files can't be patched")]
    Binary {
        /// What git says of them.
        files: Vec<String>,
    },
    /// What git made of the changes is no patch.
    #[error("The changes of `{package}` can't be written as a patch")]
    Invalid {
        /// The package.
        package: Symbol,
        /// What is wrong with the patch.
        source: InvalidPatch,
    },
    /// The patch does not lead to what was edited.
    #[error("The changes of `{package}` can't be written as a patch")]
    Failed {
        /// The package.
        package: Symbol,
        /// Where it does not apply.
        source: PatchFailure,
    },
    /// The patch does not lead to what was edited.
    #[error("The changes of `{file}` in `{package}` can't be written as a patch")]
    Differs {
        /// The package.
        package: Symbol,
        /// A file that is not what it should be.
        file: String,
    },
    /// The files of the package could not be read, or copied.
    #[error("Failed to compare the files of `{package}`")]
    Files {
        /// The package.
        package: Symbol,
        /// The failed operation.
        source: FsError,
    },
    /// A patch, or the list of packages that are edited, could not be written.
    #[error("Failed to write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
}

impl PatchError {
    /// Returns the failed operation on the disk, if it was one.
    pub fn fs_error(&self) -> Option<&FsError> {
        match self {
            Self::Files { source, .. } | Self::Write { source, .. } => Some(source),
            _ => None,
        }
    }
}
