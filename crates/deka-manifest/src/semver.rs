//! npm's semantic versions and ranges.
//!
//! Parsing and comparing is `js_semver`'s, which agrees with npm's own `semver` on all of its strict
//! fixtures; what is added here is the loose reading of versions and ranges that npm does for
//! packages published long ago, and what the resolver needs to know of a range.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A version by npm's rules. Ordered by precedence, then by build metadata, so that equal means
/// the same text.
#[derive(Debug, Clone)]
pub struct Version(js_semver::Version);

/// A range by npm's rules.
#[derive(Debug, Clone)]
pub struct Range {
    inner: js_semver::Range,
    has_prerelease: bool,
}

/// A text that is neither a version nor a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid {1}")]
pub struct InvalidSemver(pub String, pub &'static str);

impl Version {
    /// Reads a version; a leading `v` or `=` and white space around it are dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidSemver> {
        js_semver::Version::parse(text)
            .or_else(|_| js_semver::Version::parse(text.trim().trim_start_matches(['v', '='])))
            .map(Self)
            .map_err(|_| InvalidSemver(text.to_owned(), "version"))
    }

    /// Returns the first of the three numbers.
    pub fn major(&self) -> u64 {
        self.0.major
    }

    /// Returns the second of the three numbers.
    pub fn minor(&self) -> u64 {
        self.0.minor
    }

    /// Returns the third of the three numbers.
    pub fn patch(&self) -> u64 {
        self.0.patch
    }

    /// Whether the version has a prerelease part, as `1.0.0-beta.1` has.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre_release.is_empty()
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp_build(&other.0)
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.major, self.0.minor, self.0.patch).hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Range {
    /// Reads a range; the empty text means `*`.
    pub fn parse(text: &str) -> Result<Self, InvalidSemver> {
        let inner = js_semver::Range::parse(text)
            .map_err(|_| InvalidSemver(text.to_owned(), "version range"))?;
        let has_prerelease = text.contains('-') && inner.to_string().contains('-');
        Ok(Self { inner, has_prerelease })
    }

    /// Whether `version` lies in the range; a prerelease only does if the range names one of the
    /// same three numbers.
    pub fn satisfies(&self, version: &Version) -> bool {
        self.inner.satisfies(&version.0)
    }

    /// Whether some comparator of the range has a prerelease part.
    pub fn has_prerelease(&self) -> bool {
        self.has_prerelease
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
