//! Patches: what `git diff` prints, read and applied to placed packages.
//!
//! A patch is applied to the folder of a placement after the package's files were linked there. What
//! it changes becomes a file of its own: the name is removed first, for it may be the store's inode.
//! Patches are a project's own, yet written for one version of a stranger's package: everything has to
//! fit, and nothing outside of the package is touched.

mod apply;
mod read;
#[cfg(test)]
mod tests;

use xxhash_rust::xxh3::xxh3_128;

pub(crate) use apply::changed;

/// A patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// What it does, in the order of the text.
    pub(crate) changes: Vec<Change>,
    hash: u128,
}

/// What happens to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The file before, inside the package; `None` if it is new.
    pub(crate) from: Option<Box<str>>,
    /// The file after; `None` if it goes away.
    pub(crate) to: Option<Box<str>>,
    /// Whether the file before stays although there is one with another name after.
    pub(crate) is_copy: bool,
    /// Whether it is executable after, if the patch says so.
    pub(crate) executable: Option<bool>,
    pub(crate) hunks: Vec<Hunk>,
}

/// Lines that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The first line before, counted from one; 0 for an empty file.
    pub(crate) start: usize,
    pub(crate) lines: Vec<Line>,
}

/// A line with its end, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Context(Vec<u8>),
    Removed(Vec<u8>),
    Added(Vec<u8>),
}

/// Why a patch cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPatch {
    /// A line is not what patches are made of.
    #[error("line {line} is no part of a patch")]
    Line {
        /// The line, counted from one.
        line: usize,
    },
    /// A hunk has not as many lines as it says.
    #[error("the hunk before line {line} has another length than it says")]
    Length {
        /// The line behind it, counted from one.
        line: usize,
    },
    /// A file of the patch is not inside the package.
    #[error("`{path}` is not inside the package")]
    Outside {
        /// The path as the patch has it.
        path: String,
    },
    /// The patch is about bytes that are no text.
    #[error("binary files cannot be patched, in line {line}")]
    Binary {
        /// The line, counted from one.
        line: usize,
    },
}

/// Why a patch does not apply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchFailure {
    /// The file that it changes is not there.
    #[error("there is no `{file}`")]
    Missing {
        /// The file.
        file: Box<str>,
    },
    /// The lines that it changes are not there.
    #[error("the lines that it changes at line {line} of `{file}` are not there")]
    Mismatch {
        /// The file.
        file: Box<str>,
        /// Where they were expected.
        line: usize,
    },
}

impl Patch {
    /// Reads the text of a patch.
    pub fn read(text: &[u8]) -> Result<Self, InvalidPatch> {
        Ok(Self { changes: read::read(text)?, hash: xxh3_128(text) })
    }

    /// Returns the hash of its text.
    pub const fn hash(&self) -> u128 {
        self.hash
    }
}
