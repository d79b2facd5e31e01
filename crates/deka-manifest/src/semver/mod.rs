//! npm's semantic versions and ranges, read as npm reads what registries serve: loosely.
//!
//! npm hands `loose: true` to its `semver` package for every version and range of a packument, and
//! so does this module, always: `1.2.3pre` is `1.2.3-pre`, `>01.02.03` and `~ 1.0.3alpha` are ranges,
//! and a word in a range that is no comparator (`^1.0.0 foo`) counts for nothing as long as one
//! comparator is left. Validity and every answer of [`Range::satisfies`] are compared with that
//! package in `tests/semver_npm.rs`.
//!
//! Two things are not npm's: a prerelease keeps its text (`1.0.0-01` stays so, as in `bun.lock`,
//! and only compares as `1.0.0-1`), and equality of [`Version`]s is equality of their texts, build
//! metadata included.
//!
//! # Where Bun 1.4.5 answers differently
//!
//! `Bun.semver.satisfies` reads by rules of its own, which are looser: it takes garbage for `*` and
//! ignores what follows a version (`1.2.3.4` is `1.2.3`).
//! [`Spec::parse`](crate::Spec::parse) is where deka follows it as far as lockfiles need it.

mod range;
mod read;
mod version;

pub use range::{Operator, Range};
pub use version::{Version, VersionRef};

/// A text that is neither a version nor a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid {1}")]
pub struct InvalidSemver(pub String, pub &'static str);

#[cfg(test)]
mod tests;
