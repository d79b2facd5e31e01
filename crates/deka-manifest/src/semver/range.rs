//! Ranges: sets of comparators, one of which has to hold in full.
//!
//! A range that strict semver allows and that npm would not rewrite is read in one pass. Anything
//! else goes the way of npm's own reader, which rewrites the text step by step (hyphen ranges, then
//! white space behind operators, then word by word); the quirks of that way are what people's
//! manifests rely on.

use std::cmp::Ordering;
use std::fmt;

use super::InvalidSemver;
use super::build::{Builder, TooLarge};
use super::read::{MAX_LENGTH, is_space};
use super::version::{Version, VersionRef};

/// How a version has to compare with that of a comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operator {
    /// Every version will do.
    Any,
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Comparator {
    pub(super) operator: Operator,
    /// Whether it is the last of its set.
    pub(super) ends_set: bool,
    pub(super) version: Version,
}

/// A range by npm's rules.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Range {
    /// The sets one after the other; at least one, none empty.
    comparators: Box<[Comparator]>,
    has_prerelease: bool,
    is_star: bool,
}

impl Range {
    /// Reads a range as npm does loosely; the empty text means `*`.
    pub fn parse(text: &str) -> Result<Self, InvalidSemver> {
        let mut builder = Builder::default();
        if builder.read_plainly(text).is_none() {
            builder = Builder::default();
            builder
                .read_loosely(text)
                .map_err(|TooLarge| InvalidSemver(text.to_owned(), "version range"))?;
        }
        let mut range =
            builder.finish().ok_or_else(|| InvalidSemver(text.to_owned(), "version range"))?;
        range.is_star = matches!(text.trim_matches(is_space), "" | "*");
        Ok(range)
    }

    /// Reads a range as far as it can be read, as Bun does: empty alternatives do not count
    /// (`1 ||` is `1`), `1.2.3.4` is `1.2.3`, and where nothing can be read every version will do.
    pub(crate) fn parse_as_bun(text: &str) -> Self {
        let is_written = |set: &&str| !set.trim_matches(is_space).is_empty();
        if text.split("||").any(|set| !is_written(&set))
            && text.split("||").any(|set| is_written(&set))
        {
            let written: Vec<&str> = text.split("||").filter(is_written).collect();
            return Self::parse_as_bun(&written.join("||"));
        }
        if let Ok(range) = Self::parse(text) {
            return range;
        }
        // Nothing that is longer than this is worth the time that trying takes.
        let mut ends: Vec<usize> =
            text.char_indices().map(|(at, _)| at).skip(1).take(MAX_LENGTH).collect();
        while let Some(end) = ends.pop() {
            match text.get(..end).map(Self::parse) {
                Some(Ok(range)) if range.is_star => break,
                Some(Ok(range)) => return range,
                _ => {}
            }
        }
        Self { is_star: false, ..Self::any() }
    }

    /// The range of every version that is no prerelease: `*`.
    pub fn any() -> Self {
        let version = Version::new(0, 0, 0);
        let comparator = Comparator { operator: Operator::Any, ends_set: true, version };
        Self { comparators: Box::new([comparator]), has_prerelease: false, is_star: true }
    }

    /// The range of one version.
    pub fn exact(version: Version) -> Self {
        let has_prerelease = version.is_prerelease();
        let comparator = Comparator { operator: Operator::Equal, ends_set: true, version };
        Self { comparators: Box::new([comparator]), has_prerelease, is_star: false }
    }

    pub(super) const fn new(comparators: Box<[Comparator]>, has_prerelease: bool) -> Self {
        Self { comparators, has_prerelease, is_star: false }
    }

    fn sets(&self) -> impl Iterator<Item = &[Comparator]> {
        self.comparators.split_inclusive(|comparator| comparator.ends_set)
    }

    /// Whether `version` lies in the range; a prerelease only does if the range names one of the
    /// same three numbers.
    pub fn satisfies(&self, version: &Version) -> bool {
        self.satisfies_ref(version.as_ref())
    }

    /// As [`Range::satisfies`], for a version that lies elsewhere.
    pub fn satisfies_ref(&self, version: VersionRef<'_>) -> bool {
        self.sets().any(|set| {
            set.iter().all(|comparator| comparator.holds(version))
                && (!version.is_prerelease()
                    || set.iter().any(|comparator| {
                        comparator.version.is_prerelease()
                            && comparator.version.as_ref().same_numbers(version)
                    }))
        })
    }

    /// Returns the version if the range is nothing but one: `1.2.3`, `=1.2.3`.
    pub fn is_exact(&self) -> Option<&Version> {
        match &*self.comparators {
            [Comparator { operator: Operator::Equal, version, .. }] => Some(version),
            _ => None,
        }
    }

    /// Whether the text is `*` or empty, which asks for `latest` whatever that is; `x` and `>=0`
    /// are not that, although they hold for the same versions.
    pub const fn is_star(&self) -> bool {
        self.is_star
    }

    /// Whether the text names a prerelease that counts: `^1.0.0-beta`, but not `^1.0.0`, which only
    /// ends at `2.0.0-0`.
    pub const fn has_prerelease(&self) -> bool {
        self.has_prerelease
    }

    /// Whether some version could lie in both ranges, by their bounds alone: that prereleases have
    /// to be named is not asked here, as npm does not.
    pub fn intersects(&self, other: &Self) -> bool {
        self.sets()
            .any(|own| other.sets().any(|others| Bounds::of(own.iter().chain(others)).are_open()))
    }
}

impl Comparator {
    fn holds(&self, version: VersionRef<'_>) -> bool {
        let compare = || version.cmp_precedence(self.version.as_ref());
        match self.operator {
            Operator::Any => true,
            Operator::Equal => compare() == Ordering::Equal,
            Operator::Less => compare() == Ordering::Less,
            Operator::LessOrEqual => compare() != Ordering::Greater,
            Operator::Greater => compare() == Ordering::Greater,
            Operator::GreaterOrEqual => compare() != Ordering::Less,
        }
    }

    /// Whether nothing satisfies it; npm writes impossible ranges so.
    pub(super) fn is_impossible(&self) -> bool {
        self.operator == Operator::Less && self.version.as_ref() == VersionRef::lowest(0, 0, 0)
    }
}

/// What a set of comparators leaves: at least, at most, and whether each end itself belongs to it.
#[derive(Default)]
struct Bounds<'a> {
    lower: Option<(&'a Version, bool)>,
    upper: Option<(&'a Version, bool)>,
}

impl<'a> Bounds<'a> {
    fn of(comparators: impl Iterator<Item = &'a Comparator>) -> Self {
        let mut bounds = Self::default();
        for Comparator { operator, version, .. } in comparators {
            match operator {
                Operator::Any => {}
                Operator::Equal => {
                    bounds.raise(version, true);
                    bounds.lower(version, true);
                }
                Operator::Less => bounds.lower(version, false),
                Operator::LessOrEqual => bounds.lower(version, true),
                Operator::Greater => bounds.raise(version, false),
                Operator::GreaterOrEqual => bounds.raise(version, true),
            }
        }
        bounds
    }

    fn raise(&mut self, version: &'a Version, included: bool) {
        let is_higher =
            self.lower.is_none_or(|(lower, was_included)| match version.cmp_precedence(lower) {
                Ordering::Greater => true,
                Ordering::Equal => was_included && !included,
                Ordering::Less => false,
            });
        if is_higher {
            self.lower = Some((version, included));
        }
    }

    fn lower(&mut self, version: &'a Version, included: bool) {
        let is_lower =
            self.upper.is_none_or(|(upper, was_included)| match version.cmp_precedence(upper) {
                Ordering::Less => true,
                Ordering::Equal => was_included && !included,
                Ordering::Greater => false,
            });
        if is_lower {
            self.upper = Some((version, included));
        }
    }

    /// Whether something lies between the bounds.
    fn are_open(&self) -> bool {
        let lowest = VersionRef::lowest(0, 0, 0);
        match (self.lower, self.upper) {
            (_, None) => true,
            (None, Some((upper, included))) => {
                upper.as_ref().cmp_precedence(lowest).is_gt() || included
            }
            (Some((lower, lower_included)), Some((upper, upper_included))) => {
                match lower.cmp_precedence(upper) {
                    Ordering::Less => true,
                    Ordering::Equal => lower_included && upper_included,
                    Ordering::Greater => false,
                }
            }
        }
    }
}

impl VersionRef<'static> {
    /// The lowest version with the given numbers.
    pub(super) const fn lowest(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch, prerelease: "0", build: "" }
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Range({self})")
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, comparator) in self.comparators.iter().enumerate() {
            match index.checked_sub(1).and_then(|before| self.comparators.get(before)) {
                None => {}
                Some(before) if before.ends_set => f.write_str("||")?,
                Some(_) => f.write_str(" ")?,
            }
            f.write_str(match comparator.operator {
                Operator::Any => {
                    f.write_str("*")?;
                    continue;
                }
                Operator::Equal => "",
                Operator::Less => "<",
                Operator::LessOrEqual => "<=",
                Operator::Greater => ">",
                Operator::GreaterOrEqual => ">=",
            })?;
            write!(f, "{}", comparator.version)?;
        }
        Ok(())
    }
}
