//! Why something that is in no registry could not be fetched.

use deka_manifest::Symbol;
use deka_registry::RegistryError;

use super::{GitError, InvalidLocation};
use crate::engine::InvalidTarballUrl;

/// Why something that is in no registry could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The server or the way to it failed.
    #[error(transparent)]
    Server(#[from] RegistryError),
    /// It is no URL.
    #[error(transparent)]
    Url(#[from] InvalidTarballUrl),
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// git must not be asked for it.
    #[error(transparent)]
    Location(#[from] InvalidLocation),
    /// GitHub has no archive, or not for us, and git can't have the commit either.
    #[error("{archive}; with git: {git}")]
    NeitherWay {
        /// What GitHub said.
        archive: RegistryError,
        /// What git said.
        git: GitError,
    },
    /// GitHub's archive does not say which commit it is of.
    #[error("the archive of `{repository}` is none that GitHub made")]
    NoGitHubArchive {
        /// `owner/name`.
        repository: Symbol,
    },
}
