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
//! Asked about 2,400 ranges of real manifests and 180,000 pairs of them and versions near their
//! bounds, `Bun.semver.satisfies` answers as npm does every time. It differs on what npm refuses or
//! reads oddly:
//! - an alternative without a text (`1 ||`, `|| 1`) counts for nothing, where for npm it means `*`;
//! - text behind a version is passed over (`1.2.3.4`, `1.x.1`, `1-2`, `1.2.3, 2`), where npm sees no
//!   range or none in that word;
//! - garbage (`>=latest`, `a || b`) means any version, where npm sees no range.
//!
//! [`Range::parse`] is npm's reading; [`Spec::parse`](crate::Spec::parse) follows Bun in these
//! cases, for one lockfile has to mean the same to both.

mod build;
mod bump;
mod range;
mod read;
mod rewrite;
mod version;

pub use bump::Bump;
pub use range::Range;
pub use version::{Version, VersionRef};

/// A text that is neither a version nor a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid {1}")]
pub struct InvalidSemver(pub String, pub &'static str);

#[cfg(test)]
mod tests;
