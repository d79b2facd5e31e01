//! The steps by which npm rewrites the text of a range before it looks at its words.

use super::build::next;
use super::read::{self, Component, Partial, is_space};

/// Trims the text and makes one space of every run of white space.
pub(super) fn collapse_spaces(text: &str) -> String {
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
pub(super) fn strip_builds(text: &str) -> String {
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

/// A hyphen range, rewritten.
pub(super) struct Hyphen {
    pub(super) comparators: String,
    /// Whether it named a prerelease; the comparators end at one in any case.
    pub(super) has_prerelease: bool,
}

/// Writes `1.2 - 2.3` as the comparators that it means; `None` if the set is no hyphen range.
pub(super) fn replace_hyphen(set: &str) -> Option<Hyphen> {
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
    let end = match (
        number(to_partial.major),
        number(to_partial.minor),
        number(to_partial.patch),
        to_partial.prerelease,
    ) {
        (None, ..) | (Some(read::ENORMOUS), None, ..) | (_, Some(read::ENORMOUS), None, _) => {
            String::new()
        }
        (Some(major), None, ..) => format!("<{}.0.0-0", next(major)),
        (Some(major), Some(minor), None, _) => format!("<{major}.{}.0-0", next(minor)),
        (Some(major), Some(minor), Some(patch), prerelease) if !prerelease.is_empty() => {
            format!("<={major}.{minor}.{patch}-{prerelease}")
        }
        _ => format!("<={to}"),
    };
    comparators.push(' ');
    comparators.push_str(&end);
    let names_prerelease = |partial: &Partial<'_>| {
        !partial.prerelease.is_empty() && !partial.minor.is_any() && !partial.patch.is_any()
    };
    Some(Hyphen {
        comparators: comparators.trim_matches(is_space).to_owned(),
        has_prerelease: names_prerelease(&from_partial) || names_prerelease(&to_partial),
    })
}

/// Drops the white space between an operator and its version: `> 1.2` becomes `>1.2`.
///
/// npm does so only where something like a version follows, and takes a run of `v`, `=` and spaces
/// for a part of the version.
pub(super) fn trim_comparators(set: &str) -> String {
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
pub(super) fn trim_behind(set: &str, mark: &str, with_arrow: bool) -> String {
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
