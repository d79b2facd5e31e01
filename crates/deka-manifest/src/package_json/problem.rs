//! What is wrong with a `package.json`: errors that end its reading, and problems that do not.

use std::fmt;

use crate::InvalidName;

/// A place in a text, to be shown with the line it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The text of the line without its end; long lines are cut around the place.
    pub excerpt: Box<str>,
    /// Which character of `excerpt` the place is, from 1.
    pub excerpt_column: usize,
}

/// Longer lines are shown in part.
const EXCERPT_CHARS: usize = 120;

impl Place {
    /// Finds the place of byte `offset` of `text`.
    pub(super) fn at(text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let (before, behind) = text.split_at(offset);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = behind.find('\n').map_or(text.len(), |newline| offset + newline);
        let column = before[line_start..].chars().count();
        let line = text[line_start..line_end].trim_end_matches('\r');
        let skipped = if line.chars().count() > EXCERPT_CHARS {
            column.saturating_sub(EXCERPT_CHARS / 2)
        } else {
            0
        };
        Self {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            excerpt: line.chars().skip(skipped).take(EXCERPT_CHARS).collect(),
            excerpt_column: column - skipped + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a `package.json` cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is no JSON, even if comments and trailing commas are let pass.
    #[error("{message} at {place}")]
    Syntax {
        /// What was found or missed there.
        message: String,
        /// Where.
        place: Place,
    },
    /// It is not UTF-8.
    #[error("text that is not UTF-8 at {place}")]
    Encoding {
        /// Where the first such byte is.
        place: Place,
    },
}

/// Something in a `package.json` that was left out or read otherwise than written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Where it is.
    pub place: Place,
}

/// What is wrong at one place of a `package.json`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The whole is no object.
    #[error("a manifest has to be an object")]
    NotAnObject,
    /// A field is no object of strings.
    #[error("`{0}` has to map names to strings")]
    NotAMap(&'static str),
    /// A field is no array of strings.
    #[error("`{0}` has to be an array of strings")]
    NotAList(&'static str),
    /// A dependency has a name that no package can have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A key stands twice in one object; the last one counts.
    #[error("`{0}` stands here twice")]
    DuplicateKey(Box<str>),
    /// An override is nested more than once, which neither Bun nor deka follows.
    #[error("overrides can be nested one level deep only")]
    DeepOverride,
    /// An override has an empty text.
    #[error("an override needs a version or location")]
    EmptyOverride,
    /// An override wants to remove a dependency, which neither Bun nor deka does.
    #[error("overrides cannot remove dependencies with `-`")]
    RemovingOverride,
    /// An override refers to a dependency that the manifest does not have.
    #[error("`{0}` refers to no dependency of this manifest")]
    UnknownReference(Box<str>),
}

impl ProblemKind {
    /// Whether a project with this problem cannot be installed, as by Bun; the others are warnings.
    pub const fn is_error(&self) -> bool {
        match self {
            Self::NotAMap(_) | Self::NotAList(_) | Self::Name(_) => true,
            Self::NotAnObject
            | Self::DuplicateKey(_)
            | Self::DeepOverride
            | Self::EmptyOverride
            | Self::RemovingOverride
            | Self::UnknownReference(_) => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind, self.place)
    }
}
