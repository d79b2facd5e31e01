//! From the text of a range to its comparators.

use super::range::{Comparator, Operator, Range};
use super::read::{self, Component, MAX_LENGTH, MAX_SAFE_INTEGER, Partial, is_space};
use super::rewrite::{
    collapse_spaces, replace_hyphen, strip_builds, trim_behind, trim_comparators,
};
use super::version::{Version, VersionRef};

/// A number that no version can have, which makes npm refuse the whole range.
pub(super) struct TooLarge;

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
pub(super) struct Builder {
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

    /// Ends the range; `None` if it has no comparator.
    pub(super) fn finish(mut self) -> Option<Range> {
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
        (!self.comparators.is_empty())
            .then(|| Range::new(self.comparators.into_boxed_slice(), self.has_prerelease))
    }

    /// Reads a range of the shapes that are most of all, in one pass; `None` for any other.
    pub(super) fn read_plainly(&mut self, text: &str) -> Option<()> {
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
            if matches!(prefix, Prefix::Comparison(Operator::Less | Operator::Greater)) {
                return self.push_impossible();
            }
            self.any |= self.at_edge;
            return Ok(());
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
    pub(super) fn read_loosely(&mut self, text: &str) -> Result<(), TooLarge> {
        let mut text = collapse_spaces(text);
        if text.contains('+') {
            text = strip_builds(&text);
        }
        for set in text.split("||") {
            let set = set.trim_matches(is_space);
            let had_prerelease = self.has_prerelease;
            let hyphen = replace_hyphen(set);
            let text = hyphen.as_ref().map_or(set, |hyphen| &hyphen.comparators);
            let set = trim_comparators(text);
            let set = trim_behind(&set, "~", true);
            let set = trim_behind(&set, "^", false);
            let last = set.split(' ').count() - 1;
            for (index, word) in set.split(' ').enumerate() {
                self.at_edge = index == 0 || index == last;
                self.read_word(word)?;
            }
            if let Some(hyphen) = hyphen {
                self.has_prerelease = had_prerelease || hyphen.has_prerelease;
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
pub(super) const fn next(value: u64) -> u64 {
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
