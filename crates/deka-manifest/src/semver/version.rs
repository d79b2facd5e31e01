//! Versions: three numbers, a prerelease, build metadata.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::{InvalidSemver, read};

/// A version by npm's rules.
///
/// Ordered by precedence, then by build metadata and at last by text, so that equal means the same
/// text.
#[derive(Clone)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    /// Prerelease and build metadata one after the other, without `-` and `+`.
    tail: Box<str>,
    prerelease_len: u16,
}

/// A [`Version`] whose texts lie elsewhere, for example in a packument's record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VersionRef<'a> {
    /// The first of the three numbers.
    pub major: u64,
    /// The second of the three numbers.
    pub minor: u64,
    /// The third of the three numbers.
    pub patch: u64,
    /// The prerelease without its hyphen, empty if there is none.
    pub prerelease: &'a str,
    /// The build metadata without its plus, empty if there is none.
    pub build: &'a str,
}

impl Version {
    /// Reads a version as npm does loosely: `v1.2.3`, `= 1.2.3` and `1.2.3pre` are versions.
    pub fn parse(text: &str) -> Result<Self, InvalidSemver> {
        VersionRef::parse(text)
            .map(VersionRef::to_version)
            .ok_or_else(|| InvalidSemver(text.to_owned(), "version"))
    }

    /// Builds a version without prerelease and build metadata.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch, tail: Box::default(), prerelease_len: 0 }
    }

    /// Returns the first of the three numbers.
    pub const fn major(&self) -> u64 {
        self.major
    }

    /// Returns the second of the three numbers.
    pub const fn minor(&self) -> u64 {
        self.minor
    }

    /// Returns the third of the three numbers.
    pub const fn patch(&self) -> u64 {
        self.patch
    }

    /// Returns the prerelease without its hyphen, empty if there is none.
    pub fn prerelease(&self) -> &str {
        self.tail.get(..usize::from(self.prerelease_len)).unwrap_or_default()
    }

    /// Returns the build metadata without its plus, empty if there is none.
    pub fn build(&self) -> &str {
        self.tail.get(usize::from(self.prerelease_len)..).unwrap_or_default()
    }

    /// Whether the version has a prerelease part, as `1.0.0-beta.1` has.
    pub const fn is_prerelease(&self) -> bool {
        self.prerelease_len != 0
    }

    /// Returns the version without owning its texts.
    pub fn as_ref(&self) -> VersionRef<'_> {
        VersionRef {
            major: self.major,
            minor: self.minor,
            patch: self.patch,
            prerelease: self.prerelease(),
            build: self.build(),
        }
    }

    /// Compares by precedence alone, for which build metadata does not count.
    pub fn cmp_precedence(&self, other: &Self) -> Ordering {
        self.as_ref().cmp_precedence(other.as_ref())
    }
}

impl<'a> VersionRef<'a> {
    /// Reads a version as [`Version::parse`] does; the result borrows from `text`.
    pub fn parse(text: &'a str) -> Option<Self> {
        read::strict_version(text).or_else(|| read::loose_version(text))
    }

    /// Returns a copy that owns its texts.
    pub fn to_version(self) -> Version {
        let tail = match (self.prerelease, self.build) {
            ("", "") => Box::default(),
            (prerelease, "") => Box::from(prerelease),
            ("", build) => Box::from(build),
            (prerelease, build) => [prerelease, build].concat().into_boxed_str(),
        };
        Version {
            major: self.major,
            minor: self.minor,
            patch: self.patch,
            tail,
            prerelease_len: self.prerelease.len() as u16,
        }
    }

    /// Whether the version has a prerelease part.
    pub const fn is_prerelease(self) -> bool {
        !self.prerelease.is_empty()
    }

    /// Whether both have the same three numbers.
    pub const fn same_numbers(self, other: VersionRef<'_>) -> bool {
        self.major == other.major && self.minor == other.minor && self.patch == other.patch
    }

    /// Compares by precedence alone, for which build metadata does not count.
    pub fn cmp_precedence(self, other: VersionRef<'_>) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| match (self.prerelease, other.prerelease) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (own, other) => cmp_identifiers(own, other),
            })
    }
}

/// Compares two lists of identifiers separated by dots; a list comes before its continuations.
fn cmp_identifiers(left: &str, right: &str) -> Ordering {
    let is_dot = |byte: &u8| *byte == b'.';
    let (mut left, mut right) = (left.as_bytes().split(is_dot), right.as_bytes().split(is_dot));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) if left == right => {}
            (Some(left), Some(right)) => {
                if let Some(ordering) = cmp_identifier(left, right) {
                    return ordering;
                }
            }
        }
    }
}

/// Compares identifiers of different texts; `None` if they are the same number all the same.
///
/// Numbers come before texts. They compare as JavaScript's do, which are exact to 2^53 only: two
/// that become one there end the comparison, as npm's does not look at what follows.
fn cmp_identifier(left: &[u8], right: &[u8]) -> Option<Ordering> {
    let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    Some(match (is_number(left), is_number(right)) {
        (false, false) => left.cmp(right),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (true, true) => {
            let (left, right) = (significant_digits(left), significant_digits(right));
            if left == right {
                return None;
            }
            if left.len().max(right.len()) <= 15 {
                left.len().cmp(&right.len()).then_with(|| left.cmp(right))
            } else {
                let number = |digits: &[u8]| {
                    let digits = std::str::from_utf8(digits).unwrap_or_default();
                    digits.parse::<f64>().unwrap_or_default()
                };
                number(left).total_cmp(&number(right))
            }
        }
    })
}

fn significant_digits(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

impl PartialOrd for VersionRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VersionRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cmp_precedence(*other)
            .then_with(|| match (self.build, other.build) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Less,
                (_, "") => Ordering::Greater,
                (own, other) => cmp_identifiers(own, other),
            })
            .then_with(|| (self.prerelease, self.build).cmp(&(other.prerelease, other.build)))
    }
}

impl Hash for VersionRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.major, self.minor, self.patch, self.prerelease, self.build).hash(state);
    }
}

/// The digits of the largest number.
const MOST_DIGITS: usize = 20;

impl fmt::Display for VersionRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 3 * MOST_DIGITS + 2];
        let mut at = digits.len();
        // From behind. It is done for every package of a lockfile, where formatting takes its time.
        for (number, dot) in [(self.patch, false), (self.minor, true), (self.major, true)] {
            if dot {
                at -= 1;
                digits[at] = b'.';
            }
            let mut rest = number;
            loop {
                at -= 1;
                digits[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
                if rest == 0 {
                    break;
                }
            }
        }
        f.write_str(std::str::from_utf8(&digits[at..]).unwrap_or_default())?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.build.is_empty() {
            write!(f, "+{}", self.build)?;
        }
        Ok(())
    }
}

impl fmt::Debug for VersionRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VersionRef({self})")
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}
