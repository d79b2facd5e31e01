//! Why the version of a package could not be changed.

use std::path::PathBuf;

use deka_fs::FsError;
use deka_manifest::InvalidSemver;

/// Why the version of a package could not be changed. Nothing is changed then, unless git failed to make
/// the tag, which comes last.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The version that is there is none, so there is no next one.
    #[error("`{}` has no valid version", path.display())]
    Current {
        /// The manifest.
        path: PathBuf,
        /// What it says.
        source: InvalidSemver,
    },
    /// The identifier of prereleases can't be part of a version.
    #[error("There is no such prerelease")]
    Identifier(#[source] InvalidSemver),
    /// The version is the one that is there.
    #[error("The version of `{}` is `{version}` already", path.display())]
    Unchanged {
        /// The manifest.
        path: PathBuf,
        /// The version.
        version: String,
    },
    /// There are changes that are not committed.
    #[error("There are changes in `{}` that are not committed", folder.display())]
    Dirty {
        /// The repository.
        folder: PathBuf,
        /// What git says of them.
        changes: Vec<String>,
    },
    /// There is such a tag.
    #[error("There is a tag `{tag}` already")]
    TagExists {
        /// The tag.
        tag: String,
    },
    /// The last tag of the repository is no version.
    #[error("The last tag of the repository, `{tag}`, is no version")]
    NoVersionTag {
        /// The tag.
        tag: String,
    },
    /// git is not there.
    #[error("git is needed, and is not installed")]
    NoGit,
    /// git failed.
    #[error("git failed to {doing}: {message}")]
    Git {
        /// What it was to do.
        doing: &'static str,
        /// What it said.
        message: String,
    },
    /// A manifest could not be written.
    #[error("Failed to write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
}
