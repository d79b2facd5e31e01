//! Ranges: sets of comparators, one of which has to hold in full.
//!
//! A range that strict semver allows and that npm would not rewrite is read in one pass. Anything
//! else goes the way of npm's own reader, which rewrites the text step by step (hyphen ranges, then
//! white space behind operators, then word by word); the quirks of that way are what people's
//! manifests rely on.

use std::cmp::Ordering;
use std::fmt;

use super::InvalidSemver;
use super::read::{self, Component, MAX_LENGTH, MAX_SAFE_INTEGER, Partial, is_space};
use super::version::{Version, VersionRef};

/// How a version has to compare with that of a comparator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
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
struct Comparator {
    operator: Operator,
    /// Whether it is the last of its set.
    ends_set: bool,
    version: Version,
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

    /// Reads a range as far as it can be read, as Bun does: `1.2.3.4` is `1.2.3`, and where nothing
    /// can be read every version will do.
    pub(crate) fn parse_prefixes(text: &str) -> Self {
        if let Ok(range) = Self::parse(text) {
            return range;
        }
        // No version is longer than this, and longer texts would take their time.
        let text = text.get(..MAX_LENGTH).unwrap_or(text);
        let mut ends: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
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
    fn is_impossible(&self) -> bool {
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

/// A number that no version can have, which makes npm refuse the whole range.
struct TooLarge;

/// What stands before a version in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    None,
    Caret,
    Tilde,
    Comparison(Operator),
}

/// Collects comparators set by set, by the rules by which npm drops some of them.
#[derive(Default)]
struct Builder {
    comparators: Vec<Comparator>,
    /// Where the set that is being read starts.
    start: usize,
    /// Whether that set has a comparator that everything satisfies.
    any: bool,
    /// Whether that set has one that nothing satisfies.
    impossible: bool,
    /// Whether the word that is being read is the first or last of its set; elsewhere npm loses
    /// stars.
    at_edge: bool,
    has_prerelease: bool,
}

impl Builder {
    fn push(&mut self, operator: Operator, version: VersionRef<'_>) -> Result<(), TooLarge> {
        if version.major.max(version.minor).max(version.patch) > MAX_SAFE_INTEGER {
            return Err(TooLarge);
        }
        if self.impossible {
            return Ok(());
        }
        let comparator = Comparator { operator, ends_set: false, version: version.to_version() };
        if comparator.is_impossible() {
            self.impossible = true;
            self.comparators.truncate(self.start);
        } else if self.comparators[self.start..].contains(&comparator) {
            return Ok(());
        }
        self.comparators.push(comparator);
        Ok(())
    }

    fn push_impossible(&mut self) -> Result<(), TooLarge> {
        self.push(Operator::Less, VersionRef::lowest(0, 0, 0))
    }

    /// Pushes `>=` of these numbers; npm drops it where the text reads `>=0.0.0`.
    fn push_floor(
        &mut self,
        numbers: [u64; 3],
        prerelease: &str,
        is_plain_zero: bool,
    ) -> Result<(), TooLarge> {
        if is_plain_zero && prerelease.is_empty() {
            self.any = true;
            return Ok(());
        }
        let [major, minor, patch] = numbers;
        self.push(
            Operator::GreaterOrEqual,
            VersionRef { major, minor, patch, prerelease, build: "" },
        )
    }

    fn push_below(&mut self, major: u64, minor: u64, patch: u64) -> Result<(), TooLarge> {
        self.push(Operator::Less, VersionRef::lowest(major, minor, patch))
    }

    fn finish_set(&mut self) {
        if self.comparators.len() == self.start {
            if !self.any {
                return;
            }
            self.comparators.push(Comparator {
                operator: Operator::Any,
                ends_set: true,
                version: Version::new(0, 0, 0),
            });
        }
        if let Some(last) = self.comparators.last_mut() {
            last.ends_set = true;
        }
        self.start = self.comparators.len();
        self.any = false;
        self.impossible = false;
    }

    fn finish(mut self) -> Option<Range> {
        let sets = self.comparators.iter().filter(|comparator| comparator.ends_set).count();
        if sets > 1 {
            // An impossible set is alone with its comparator; so is one that everything satisfies.
            if self.comparators.iter().all(Comparator::is_impossible) {
                self.comparators.truncate(1);
            } else {
                self.comparators.retain(|comparator| !comparator.is_impossible());
                if let Some(any) = self
                    .comparators
                    .iter()
                    .position(|comparator| comparator.operator == Operator::Any)
                {
                    self.comparators.swap(0, any);
                    self.comparators.truncate(1);
                }
            }
        }
        (!self.comparators.is_empty()).then(|| Range {
            comparators: self.comparators.into_boxed_slice(),
            has_prerelease: self.has_prerelease,
            is_star: false,
        })
    }

    /// Reads a range of the shapes that are most of all, in one pass; `None` for any other.
    fn read_plainly(&mut self, text: &str) -> Option<()> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        self.at_edge = true;
        for set in text.split("||") {
            let mut words = set.split(' ').filter(|word| !word.is_empty()).peekable();
            self.any |= words.peek().is_none();
            for word in words {
                let (prefix, version) = match word.as_bytes() {
                    [b'^', ..] => (Prefix::Caret, &word[1..]),
                    [b'~', ..] => (Prefix::Tilde, &word[1..]),
                    [b'>', b'=', ..] => (Prefix::Comparison(Operator::GreaterOrEqual), &word[2..]),
                    [b'<', b'=', ..] => (Prefix::Comparison(Operator::LessOrEqual), &word[2..]),
                    [b'>', ..] => (Prefix::Comparison(Operator::Greater), &word[1..]),
                    [b'<', ..] => (Prefix::Comparison(Operator::Less), &word[1..]),
                    _ => (Prefix::None, word),
                };
                let partial = read::strict_partial(version)?;
                if is_out_of_order(&partial) || (partial.major.is_any() && word.len() > 1) {
                    return None;
                }
                self.expand(prefix, &partial, true).ok()?;
            }
            self.finish_set();
        }
        Some(())
    }

    /// Adds the comparators that a prefix and a version stand for.
    ///
    /// `is_plain`: whether npm's text of a full version behind `>=` would be just its numbers.
    fn expand(
        &mut self,
        prefix: Prefix,
        partial: &Partial<'_>,
        is_plain: bool,
    ) -> Result<(), TooLarge> {
        let number = |component: Component| match component {
            Component::Number { value, is_plain_zero } => Some((value, is_plain_zero)),
            Component::Any { .. } => None,
        };
        let Some((major, zero_major)) = number(partial.major) else {
            return match prefix {
                Prefix::Comparison(Operator::Less | Operator::Greater) => self.push_impossible(),
                _ => {
                    self.any |= self.at_edge;
                    Ok(())
                }
            };
        };
        let minor = number(partial.minor);
        let patch = minor.and_then(|_| number(partial.patch));
        let (Some((minor, zero_minor)), Some((patch, zero_patch))) = (minor, patch) else {
            // The version is open behind its first or second number.
            let (minor_value, zero_minor) = minor.unwrap_or((0, true));
            let end = match minor {
                None => [next(major), 0, 0],
                Some((minor, _)) => [major, next(minor), 0],
            };
            // npm has counted on here from a number that JavaScript prints as `1e+21`, which makes
            // a comparator that it cannot read any more.
            let is_lost = minor.map_or(end[0], |_| end[1]) == read::ENORMOUS;
            let floor = ([major, minor_value, 0], zero_major && zero_minor);
            return match prefix {
                Prefix::Caret if !zero_major => {
                    self.push_floor(floor.0, "", floor.1)?;
                    self.push_below(next(major), 0, 0)
                }
                Prefix::None
                | Prefix::Caret
                | Prefix::Tilde
                | Prefix::Comparison(Operator::Equal | Operator::Any) => {
                    self.push_floor(floor.0, "", floor.1)?;
                    self.push_below(end[0], end[1], end[2])
                }
                Prefix::Comparison(Operator::GreaterOrEqual) => {
                    self.push_floor(floor.0, "", floor.1)
                }
                Prefix::Comparison(Operator::Greater | Operator::LessOrEqual) if is_lost => Ok(()),
                Prefix::Comparison(Operator::Greater) => self.push_floor(end, "", false),
                Prefix::Comparison(Operator::LessOrEqual) => {
                    self.push_below(end[0], end[1], end[2])
                }
                Prefix::Comparison(Operator::Less) => self.push_below(major, minor_value, 0),
            };
        };
        let prerelease = partial.prerelease;
        self.has_prerelease |= !prerelease.is_empty();
        let version = VersionRef { major, minor, patch, prerelease, build: "" };
        let floor = ([major, minor, patch], zero_major && zero_minor && zero_patch);
        match prefix {
            Prefix::Caret => {
                self.push_floor(floor.0, prerelease, floor.1)?;
                match (zero_major, zero_minor) {
                    (false, _) => self.push_below(next(major), 0, 0),
                    (true, false) => self.push_below(major, next(minor), 0),
                    (true, true) => self.push_below(major, minor, next(patch)),
                }
            }
            Prefix::Tilde => {
                self.push_floor(floor.0, prerelease, floor.1)?;
                self.push_below(major, next(minor), 0)
            }
            Prefix::None => self.push(Operator::Equal, version),
            Prefix::Comparison(Operator::GreaterOrEqual) => {
                self.push_floor(floor.0, prerelease, floor.1 && is_plain)
            }
            Prefix::Comparison(operator) => self.push(operator, version),
        }
    }

    /// Reads a range the way npm's loose mode does.
    fn read_loosely(&mut self, text: &str) -> Result<(), TooLarge> {
        let mut text = collapse_spaces(text);
        if text.contains('+') {
            text = strip_builds(&text);
        }
        for set in text.split("||") {
            let set = set.trim_matches(is_space);
            let hyphen = replace_hyphen(set);
            let set = trim_comparators(hyphen.as_deref().unwrap_or(set));
            let set = trim_behind(&set, "~", true);
            let set = trim_behind(&set, "^", false);
            let last = set.split(' ').count() - 1;
            for (index, word) in set.split(' ').enumerate() {
                self.at_edge = index == 0 || index == last;
                self.read_word(word)?;
            }
            self.finish_set();
        }
        Ok(())
    }

    /// Reads one word of a set; a word that is no comparator counts for nothing.
    fn read_word(&mut self, word: &str) -> Result<(), TooLarge> {
        let word = word.trim_matches(is_space);
        if word.is_empty() {
            self.any |= self.at_edge;
            return Ok(());
        }
        if let Some(partial) = word.strip_prefix('^').and_then(read::loose_partial) {
            return self.expand_loosely(Prefix::Caret, &partial, word);
        }
        if let Some(rest) = word.strip_prefix('~') {
            // `~>` is an old way to write `~`.
            if let Some(partial) = read::loose_partial(rest.strip_prefix('>').unwrap_or(rest)) {
                return self.expand_loosely(Prefix::Tilde, &partial, word);
            }
        }
        let (prefix, version) = split_operator(word);
        match read::loose_partial(version) {
            Some(partial) if !is_out_of_order(&partial) => {
                return self.expand_loosely(prefix, &partial, word);
            }
            _ => {}
        }
        // npm drops one star from words that it cannot read so far, and tries them once more.
        let Some(star) = word.find('*') else { return Ok(()) };
        let mut before = &word[..star];
        before = before.strip_suffix('=').unwrap_or(before);
        before = before.strip_suffix(['<', '>']).unwrap_or(before);
        let word = [before, &word[star + 1..]].concat();
        if word.is_empty() {
            self.any |= self.at_edge;
            return Ok(());
        }
        let (prefix, version) = split_operator(&word);
        match read::loose_partial(version) {
            Some(partial)
                if !partial.major.is_any()
                    && !partial.minor.is_any()
                    && !partial.patch.is_any() =>
            {
                self.expand_loosely(prefix, &partial, &word)
            }
            _ => Ok(()),
        }
    }

    fn expand_loosely(
        &mut self,
        prefix: Prefix,
        partial: &Partial<'_>,
        word: &str,
    ) -> Result<(), TooLarge> {
        if word.len() > MAX_LENGTH {
            return Err(TooLarge);
        }
        self.expand(prefix, partial, word == ">=0.0.0")
    }
}

/// Counts on, unless the number is too large to be one anyway.
const fn next(value: u64) -> u64 {
    if value > MAX_SAFE_INTEGER { value } else { value + 1 }
}

/// Whether a number stands behind an open one, as in `1.x.3`, which npm's ranges do not have.
fn is_out_of_order(partial: &Partial<'_>) -> bool {
    (partial.major.is_any() && !partial.minor.is_any())
        || (partial.minor.is_any() && !partial.patch.is_any())
}

/// Splits `<`, `<=`, `>`, `>=` or `=` from a word.
fn split_operator(word: &str) -> (Prefix, &str) {
    let (operator, rest) = match word.as_bytes() {
        [b'<', b'=', ..] => (Operator::LessOrEqual, &word[2..]),
        [b'>', b'=', ..] => (Operator::GreaterOrEqual, &word[2..]),
        [b'<', ..] => (Operator::Less, &word[1..]),
        [b'>', ..] => (Operator::Greater, &word[1..]),
        _ => return (Prefix::None, word.strip_prefix('=').unwrap_or(word)),
    };
    (Prefix::Comparison(operator), rest)
}

/// Trims the text and makes one space of every run of white space.
fn collapse_spaces(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

/// Drops all build metadata: `+` with identifiers behind it.
fn strip_builds(text: &str) -> String {
    let mut stripped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(plus) = rest.find('+') {
        stripped.push_str(&rest[..plus]);
        let behind = &rest[plus + 1..];
        let length = identifiers_length(behind);
        if length == 0 {
            stripped.push('+');
        }
        rest = &behind[length..];
    }
    stripped.push_str(rest);
    stripped
}

/// Returns how many bytes at the start of `text` are identifiers with dots between.
fn identifiers_length(text: &str) -> usize {
    let word = |text: &str| {
        text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count()
    };
    let mut length = word(text);
    while length > 0 && text[length..].starts_with('.') {
        match word(&text[length + 1..]) {
            0 => break,
            more => length += 1 + more,
        }
    }
    length
}

/// Writes `1.2 - 2.3` as the comparators that it means; `None` if the set is no hyphen range.
fn replace_hyphen(set: &str) -> Option<String> {
    let (from, to) = set.split_once(" - ")?;
    let (from_partial, to_partial) = (read::loose_partial(from)?, read::loose_partial(to)?);
    let number = |component: Component| match component {
        Component::Number { value, .. } => Some(value),
        Component::Any { .. } => None,
    };
    // The numbers stay as they are written, for `>=00.0.0` is not dropped as `>=0.0.0` is.
    let mut texts = from.trim_start_matches(|c| c == 'v' || c == '=' || is_space(c)).split('.');
    let mut text = || texts.next().unwrap_or_default();
    let mut comparators = match (number(from_partial.major), number(from_partial.minor)) {
        (None, _) => String::new(),
        (Some(_), None) => format!(">={}.0.0", text()),
        (Some(_), Some(_)) if from_partial.patch.is_any() => format!(">={}.{}.0", text(), text()),
        _ => format!(">={from}"),
    };
    comparators.push(' ');
    comparators += &match (
        number(to_partial.major),
        number(to_partial.minor),
        number(to_partial.patch),
        to_partial.prerelease,
    ) {
        (None, ..) => String::new(),
        (Some(read::ENORMOUS), None, ..) | (_, Some(read::ENORMOUS), None, _) => String::new(),
        (Some(major), None, ..) => format!("<{}.0.0-0", next(major)),
        (Some(major), Some(minor), None, _) => format!("<{major}.{}.0-0", next(minor)),
        (Some(major), Some(minor), Some(patch), prerelease) if !prerelease.is_empty() => {
            format!("<={major}.{minor}.{patch}-{prerelease}")
        }
        _ => format!("<={to}"),
    };
    Some(comparators.trim_matches(is_space).to_owned())
}

/// Drops the white space between an operator and its version: `> 1.2` becomes `>1.2`.
///
/// npm does so only where something like a version follows, and takes a run of `v`, `=` and spaces
/// for a part of the version.
fn trim_comparators(set: &str) -> String {
    let bytes = set.as_bytes();
    let is_prefix = |byte: u8| matches!(byte, b'v' | b'=' | b' ');
    let starts_version = |byte: u8| matches!(byte, b'0'..=b'9' | b'x' | b'X' | b'*');
    let mut trimmed = String::with_capacity(set.len());
    let (mut copied, mut cursor) = (0, 0);
    while let Some(&byte) = bytes.get(cursor) {
        let start = cursor;
        if matches!(byte, b'<' | b'>') {
            cursor += 1;
        } else if !is_prefix(byte) && !starts_version(byte) {
            cursor += 1;
            continue;
        }
        cursor += bytes[cursor..].iter().take_while(|byte| is_prefix(**byte)).count();
        if !bytes.get(cursor).is_some_and(|byte| starts_version(*byte)) {
            continue;
        }
        // A space before the operator stays, one behind it goes.
        let mut space = start + usize::from(bytes[start] == b' ');
        space += usize::from(matches!(bytes.get(space), Some(b'<' | b'>')));
        space += usize::from(bytes.get(space) == Some(&b'='));
        if bytes.get(space) == Some(&b' ') {
            trimmed.push_str(&set[copied..space]);
            copied = space + 1;
        }
        cursor += version_length(&set[cursor..]);
    }
    trimmed.push_str(&set[copied..]);
    trimmed
}

/// Returns how many bytes at the start of `text` npm's expression takes for a version: a loose full
/// one, else a strict partial one. At least one.
fn version_length(text: &str) -> usize {
    loose_version_length(text).unwrap_or_else(|| partial_length(text)).max(1)
}

fn digits_length(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn loose_version_length(text: &str) -> Option<usize> {
    let mut end = 0;
    for component in 0..3 {
        match digits_length(&text[end..]) {
            0 => return None,
            digits => end += digits,
        }
        if component < 2 {
            text[end..].starts_with('.').then_some(())?;
            end += 1;
        }
    }
    let rest = &text[end..];
    let hyphen = usize::from(rest.starts_with('-'));
    end += match identifiers_length(&rest[hyphen..]) {
        0 => identifiers_length(rest),
        length => hyphen + length,
    };
    Some(end + build_length(&text[end..]))
}

fn build_length(text: &str) -> usize {
    match text.strip_prefix('+').map(identifiers_length) {
        Some(length) if length > 0 => length + 1,
        _ => 0,
    }
}

fn partial_length(text: &str) -> usize {
    let component = |text: &str| match text.bytes().next() {
        Some(b'0' | b'x' | b'X' | b'*') => 1,
        _ => digits_length(text),
    };
    let mut end = component(text);
    for _ in 0..2 {
        let Some(rest) = text[end..].strip_prefix('.') else { return end };
        match component(rest) {
            0 => return end,
            length => end += 1 + length,
        }
    }
    if let Some(prerelease) = text[end..].strip_prefix('-') {
        match strict_identifiers_length(prerelease) {
            0 => {}
            length => end += 1 + length,
        }
    }
    end + build_length(&text[end..])
}

/// As [`identifiers_length`], but of a number with leading zeros only the first zero counts.
fn strict_identifiers_length(text: &str) -> usize {
    let word = |text: &str| {
        let length =
            text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-').count();
        let is_number = digits_length(text) == length;
        if is_number && text.starts_with('0') { 1.min(length) } else { length }
    };
    let mut length = word(text);
    while length > 0 && text[length..].starts_with('.') {
        match word(&text[length + 1..]) {
            0 => break,
            more => length += 1 + more,
        }
    }
    length
}

/// Drops the white space behind `~` (or `~>`, which becomes `~`) and `^`.
fn trim_behind(set: &str, mark: &str, with_arrow: bool) -> String {
    let mut trimmed = String::with_capacity(set.len());
    let mut rest = set;
    while let Some(at) = rest.find(mark) {
        let (before, behind) = rest.split_at(at + mark.len());
        trimmed.push_str(before);
        let arrow = behind.strip_prefix('>').filter(|_| with_arrow).unwrap_or(behind);
        rest = arrow.strip_prefix(' ').unwrap_or(behind);
    }
    trimmed.push_str(rest);
    trimmed
}
