//! What can be wrong with a lockfile.

use std::fmt;

use deka_graph::HoistError;
use deka_manifest::{InvalidName, InvalidSemver};

/// A place in a text, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// Returns the place of the byte at `offset` in `text`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: 1 + memchr::memchr_iter(b'\n', before.as_bytes()).count() as u32,
            column: 1 + before[line_start..].chars().count() as u32,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a lockfile cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockfileError {
    /// It is no UTF-8.
    #[error("the lockfile is not UTF-8 text at byte {offset}")]
    NotText {
        /// The first byte that is wrong.
        offset: usize,
    },
    /// It is larger than any real lockfile.
    #[error("the lockfile has {size} bytes, more than the {limit} that are read")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// It is no JSON with comments and trailing commas.
    #[error("expected {expected} at {position}")]
    Syntax {
        /// What should stand there.
        expected: &'static str,
        /// Where.
        position: Position,
    },
    /// Values are nested deeper than in any real lockfile.
    #[error("values are nested too deep at {position}")]
    TooDeep {
        /// Where.
        position: Position,
    },
    /// It has conflict markers of an unfinished merge.
    #[error("the lockfile has merge conflict markers at {position}")]
    MergeConflict {
        /// The first marker.
        position: Position,
    },
    /// A newer program wrote it.
    #[error("Unsupported lockfile version {version}: versions up to {newest} are understood")]
    UnsupportedVersion {
        /// Its version.
        version: u64,
        /// The newest version that is understood.
        newest: u32,
    },
    /// A section that every lockfile has is not there.
    #[error("the lockfile has no `{section}`")]
    MissingSection {
        /// The section.
        section: &'static str,
    },
    /// Two values under one key.
    #[error("Duplicate key `{key}` at {position}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The second one.
        position: Position,
    },
    /// A name that cannot be a folder in `node_modules`.
    #[error("Failed to read a name at {position}")]
    InvalidName {
        /// Where.
        position: Position,
        /// What is wrong with it.
        source: InvalidName,
    },
    /// A package whose version is none.
    #[error("Failed to read the version of `{package}` at {position}")]
    InvalidVersion {
        /// The package's key.
        package: String,
        /// Where.
        position: Position,
        /// What is wrong with it.
        source: InvalidSemver,
    },
    /// An entry that means nothing or nothing good.
    #[error("`{entry}` at {position} is invalid: {reason}")]
    InvalidEntry {
        /// The entry's key.
        entry: String,
        /// Where.
        position: Position,
        /// What is wrong with it, without a full stop.
        reason: &'static str,
    },
    /// A package from a registry without its fourth element.
    #[error("Missing integrity of `{package}` at {position}")]
    MissingIntegrity {
        /// The package's key.
        package: String,
        /// Where.
        position: Position,
    },
    /// A dependency that leads nowhere.
    #[error("Failed to resolve {kind} dependency `{dependency}` for package `{package}`")]
    Unresolved {
        /// `prod`, `dev` or what else it is.
        kind: &'static str,
        /// Its name.
        dependency: String,
        /// The key of the dependent, or its name if it is the root.
        package: String,
    },
    /// A part of a binary lockfile is not what it should be.
    #[error("the lockfile is damaged at byte {offset}: {part}")]
    Damaged {
        /// What should stand there.
        part: &'static str,
        /// Where.
        offset: usize,
    },
    /// It is no JSON or YAML.
    #[error("{message}")]
    Malformed {
        /// What the parser says, and where.
        message: String,
    },
    /// Another package manager wrote it in a version of its format that cannot be read.
    #[error("unsupported lockfileVersion {version}")]
    UnsupportedFormat {
        /// The version as the file has it.
        version: String,
    },
    /// An entry of another package manager's lockfile that means nothing or nothing good.
    #[error("`{entry}` is invalid: {reason}")]
    Foreign {
        /// The entry's key.
        entry: String,
        /// What is wrong with it, without a full stop.
        reason: &'static str,
    },
    /// Its packages have no places.
    #[error("Failed to place the packages of the lockfile")]
    Placement {
        /// Why not.
        #[from]
        source: HoistError,
    },
}
