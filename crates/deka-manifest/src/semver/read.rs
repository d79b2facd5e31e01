//! Reading versions and the partial versions of ranges, strictly for speed and loosely for the rest.
//!
//! The loose grammar is that of npm's `semver`, including what its regular expressions do by
//! backtracking: in `1.2.34.5` the patch gives up its last digit to a prerelease `4.5`.

use super::VersionRef;

/// The largest integer that JavaScript's numbers hold exactly; larger numbers are no versions.
pub(super) const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// Stands for numbers so large (1e21) that JavaScript prints them with an exponent.
pub(super) const ENORMOUS: u64 = u64::MAX;
/// Longer texts are no versions.
pub(super) const MAX_LENGTH: usize = 256;

/// What `\s` matches in JavaScript.
pub(super) fn is_space(c: char) -> bool {
    match c {
        ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' => true,
        c if c.is_ascii() => false,
        '\u{feff}' => true,
        '\u{85}' => false,
        c => c.is_whitespace(),
    }
}

/// Whether `text` is one or more identifiers of letters, digits and hyphens with dots between.
pub(super) fn are_identifiers(text: &str) -> bool {
    text.split('.').all(|identifier| {
        !identifier.is_empty()
            && identifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// Reads a number without leading zeros at the start of `bytes`, of at most 15 digits.
fn strict_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 15 || (digits > 1 && bytes[0] == b'0') {
        return None;
    }
    let (number, rest) = bytes.split_at(digits);
    Some((number.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0')), rest))
}

/// Whether every identifier is as strict semver wants it: no number has leading zeros.
fn are_strict_identifiers(text: &str) -> bool {
    are_identifiers(text)
        && text.split('.').all(|identifier| {
            identifier.len() == 1
                || !identifier.starts_with('0')
                || !identifier.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Reads a version that needs no looseness; `None` says nothing yet.
pub(super) fn strict_version(text: &str) -> Option<VersionRef<'_>> {
    match strict_partial(text)? {
        Partial {
            major: Component::Number { value: major, .. },
            minor: Component::Number { value: minor, .. },
            patch: Component::Number { value: patch, .. },
            prerelease,
            build,
        } if text.len() <= MAX_LENGTH => {
            Some(VersionRef { major, minor, patch, prerelease, build })
        }
        _ => None,
    }
}

/// Reads a version as npm's loose mode does.
pub(super) fn loose_version(text: &str) -> Option<VersionRef<'_>> {
    if text.len() > MAX_LENGTH && text.encode_utf16().count() > MAX_LENGTH {
        return None;
    }
    match loose_partial(text.trim_matches(is_space))? {
        Partial {
            major: Component::Number { value: major, .. },
            minor: Component::Number { value: minor, .. },
            patch: Component::Number { value: patch, .. },
            prerelease,
            build,
        } if major.max(minor).max(patch) <= MAX_SAFE_INTEGER => {
            Some(VersionRef { major, minor, patch, prerelease, build })
        }
        _ => None,
    }
}

/// One of the three numbers of a version in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Component {
    /// Not there, or `x`, `X` or `*`.
    Any {
        /// Whether it is written out.
        written: bool,
    },
    /// A number, saturated if it is larger than fits.
    Number {
        value: u64,
        /// Whether the text is `0`; npm treats `00` differently.
        is_plain_zero: bool,
    },
}

impl Component {
    pub(super) const MISSING: Self = Self::Any { written: false };

    pub(super) fn is_any(self) -> bool {
        matches!(self, Self::Any { .. })
    }

    fn from_digits(digits: &str) -> Self {
        Self::Number { value: digits.parse().unwrap_or(u64::MAX), is_plain_zero: digits == "0" }
    }
}

/// A version in a range, of which the later numbers may be open: `1`, `1.x`, `1.2.3-beta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partial<'a> {
    pub(super) major: Component,
    pub(super) minor: Component,
    pub(super) patch: Component,
    pub(super) prerelease: &'a str,
    pub(super) build: &'a str,
}

impl Partial<'_> {
    fn any() -> Self {
        Self {
            major: Component::MISSING,
            minor: Component::MISSING,
            patch: Component::MISSING,
            prerelease: "",
            build: "",
        }
    }
}

/// Reads a partial version that strict semver allows; `None` says nothing yet.
pub(super) fn strict_partial(text: &str) -> Option<Partial<'_>> {
    fn component(bytes: &[u8]) -> Option<(Component, &[u8])> {
        match bytes {
            [b'x' | b'X' | b'*', rest @ ..] => Some((Component::Any { written: true }, rest)),
            _ => strict_number(bytes).map(|(value, rest)| {
                (Component::Number { value, is_plain_zero: value == 0 }, rest)
            }),
        }
    }
    let mut partial = Partial::any();
    let (major, rest) = component(text.as_bytes())?;
    partial.major = major;
    let [b'.', rest @ ..] = rest else {
        return rest.is_empty().then_some(partial);
    };
    let (minor, rest) = component(rest)?;
    partial.minor = minor;
    let [b'.', rest @ ..] = rest else {
        return rest.is_empty().then_some(partial);
    };
    let (patch, rest) = component(rest)?;
    partial.patch = patch;
    if rest.is_empty() {
        return Some(partial);
    }
    let rest = text.get(text.len() - rest.len()..)?;
    let (rest, build) = match rest.split_once('+') {
        Some((rest, build)) if are_identifiers(build) => (rest, build),
        Some(_) => return None,
        None => (rest, ""),
    };
    partial.build = build;
    if !rest.is_empty() {
        partial.prerelease = rest.strip_prefix('-').filter(|text| are_strict_identifiers(text))?;
    }
    Some(partial)
}

/// Reads a partial version as npm's loose mode does.
pub(super) fn loose_partial(text: &str) -> Option<Partial<'_>> {
    fn component(text: &str) -> Option<(Component, &str, &str)> {
        if text.starts_with(['x', 'X', '*']) {
            let (written, rest) = text.split_at(1);
            return Some((Component::Any { written: true }, written, rest));
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at(digits);
        (1..=MAX_LENGTH)
            .contains(&digits.len())
            .then(|| (Component::from_digits(digits), digits, rest))
    }
    let text = text.trim_start_matches(|c| c == 'v' || c == '=' || is_space(c));
    let mut partial = Partial::any();
    let (major, _, rest) = component(text)?;
    partial.major = major;
    let Some(rest) = rest.strip_prefix('.') else {
        return rest.is_empty().then_some(partial);
    };
    let (minor, _, rest) = component(rest)?;
    partial.minor = minor;
    let Some(rest) = rest.strip_prefix('.') else {
        return rest.is_empty().then_some(partial);
    };
    let (patch, patch_text, rest) = component(rest)?;
    partial.patch = patch;
    let (rest, build) = match rest.split_once('+') {
        Some((rest, build)) if are_identifiers(build) => (rest, build),
        Some(_) => return None,
        None => (rest, ""),
    };
    partial.build = build;
    if rest.is_empty() {
        return Some(partial);
    }
    let after_hyphen = rest.strip_prefix('-').filter(|text| are_identifiers(text));
    if let Some(prerelease) =
        after_hyphen.or_else(|| Some(rest).filter(|text| are_identifiers(text)))
    {
        partial.prerelease = prerelease;
        return Some(partial);
    }
    // The regular expression tries again with one digit less for the patch.
    let shorter = patch_text.len().checked_sub(1).filter(|length| *length > 0)?;
    let end = text.len() - build.len() - usize::from(!build.is_empty());
    let prerelease = text.get(end - rest.len() - 1..end).filter(|text| are_identifiers(text))?;
    partial.patch = Component::from_digits(patch_text.get(..shorter)?);
    partial.prerelease = prerelease;
    Some(partial)
}
