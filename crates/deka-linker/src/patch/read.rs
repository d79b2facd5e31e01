//! From the text to a list of changes.

use super::{Change, Hunk, InvalidPatch, Line};
use crate::path::normalise_inside;

/// The lines of a text with their ends; of a patch whose every line ends with `\r\n`, without `\r`.
struct Lines<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
    has_crlf: bool,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        // Headers never end with `\r` by themselves: something has converted the whole patch.
        let is_header =
            |line: &&&[u8]| line.starts_with(b"diff --git ") || line.starts_with(b"--- ");
        let has_crlf = lines.iter().find(is_header).is_some_and(|line| line.ends_with(b"\r\n"));
        Self { lines, at: 0, has_crlf }
    }

    /// Returns the next line without its end.
    fn peek(&self) -> Option<&'a str> {
        let line = self.lines.get(self.at)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = if self.has_crlf { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        // What is no UTF-8 is part of a hunk, and those are read as bytes.
        Some(std::str::from_utf8(line).unwrap_or("\u{fffd}"))
    }

    /// Returns the next line as it is in the file, for hunks.
    fn next_bytes(&mut self) -> Option<Vec<u8>> {
        let line = *self.lines.get(self.at)?;
        self.at += 1;
        Some(match line.strip_suffix(b"\r\n") {
            Some(rest) if self.has_crlf => [rest, b"\n"].concat(),
            _ => line.to_vec(),
        })
    }

    fn number(&self) -> usize {
        self.at + 1
    }
}

pub(super) fn read(text: &[u8]) -> Result<Vec<Change>, InvalidPatch> {
    let mut lines = Lines::new(text);
    let mut changes = Vec::new();
    while let Some(line) = lines.peek() {
        if line.starts_with("diff --git ") || line.starts_with("--- ") {
            changes.push(change(&mut lines)?);
        } else {
            // What stands before the first file is a comment.
            if !changes.is_empty() && !line.trim().is_empty() && !is_trailer(line) {
                return Err(InvalidPatch::Line { line: lines.number() });
            }
            lines.at += 1;
        }
    }
    Ok(changes)
}

/// Whether a line is what mail programs and `git format-patch` put at the end.
fn is_trailer(line: &str) -> bool {
    line == "-- " || line.starts_with(|c: char| c.is_ascii_digit())
}

/// Reads all about one file.
fn change(lines: &mut Lines<'_>) -> Result<Change, InvalidPatch> {
    let mut change =
        Change { from: None, to: None, is_copy: false, executable: None, hunks: Vec::new() };
    let (mut from, mut to) = (None, None);
    let (mut is_new, mut is_deleted) = (false, false);
    if let Some(names) = lines.peek().and_then(|line| line.strip_prefix("diff --git ")) {
        (from, to) = names_of_header(names);
        lines.at += 1;
    }
    while let Some(line) = lines.peek() {
        let value = |key: &str| line.strip_prefix(key).map(str::trim_end);
        if line.starts_with("diff --git ") || line.starts_with("@@ ") {
            break;
        } else if let Some(mode) = value("new file mode ") {
            is_new = true;
            change.executable = Some(mode.ends_with("755"));
        } else if value("deleted file mode ").is_some() {
            is_deleted = true;
        } else if let Some(mode) = value("new mode ") {
            change.executable = Some(mode.ends_with("755"));
        } else if let Some(path) = value("rename from ").or(value("copy from ")) {
            change.is_copy = line.starts_with("copy");
            from = Some(unquote(path));
        } else if let Some(path) = value("rename to ").or(value("copy to ")) {
            to = Some(unquote(path));
        } else if let Some(path) = value("--- ") {
            match side(path) {
                Some(path) => from = Some(path),
                None => is_new = true,
            }
        } else if let Some(path) = value("+++ ") {
            match side(path) {
                Some(path) => to = Some(path),
                None => is_deleted = true,
            }
        } else if line.starts_with("GIT binary patch") || line.starts_with("Binary files ") {
            return Err(InvalidPatch::Binary { line: lines.number() });
        } else if !["index ", "old mode ", "similarity ", "dissimilarity "]
            .iter()
            .any(|key| line.starts_with(key))
        {
            break;
        }
        lines.at += 1;
    }
    let inside = |path: Option<String>| match path {
        None => Err(InvalidPatch::Line { line: lines.number() }),
        Some(path) => match normalise_inside(&path).filter(|inside| !inside.is_empty()) {
            Some(inside) => Ok(Some(inside.into_boxed_str())),
            None => Err(InvalidPatch::Outside { path }),
        },
    };
    change.from = if is_new { None } else { inside(from)? };
    change.to = if is_deleted { None } else { inside(to)? };
    while lines.peek().is_some_and(|line| line.starts_with("@@ ")) {
        let hunk = hunk(lines)?;
        change.hunks.push(hunk);
    }
    Ok(change)
}

/// Reads the two names behind `diff --git`; where they hold spaces only equal ones can be told apart.
fn names_of_header(names: &str) -> (Option<String>, Option<String>) {
    let names = names.trim_end();
    let pair = if let Some(quoted) = names.strip_prefix('"') {
        let end = quoted.find("\" ").map(|at| at + 2);
        end.map(|end| (&names[..end], &names[end + 1..]))
    } else {
        let middle = names.len() / 2;
        match names.split_at_checked(middle) {
            Some((one, other))
                if other.strip_prefix(' ').map(|other| &other[1..]) == one.get(1..) =>
            {
                Some((one, &other[1..]))
            }
            _ => names.split_once(' '),
        }
    };
    let Some((one, other)) = pair else { return (None, None) };
    (side(one), side(other))
}

/// Reads `a/path` or `b/path`; `None` for `/dev/null`.
fn side(path: &str) -> Option<String> {
    // GNU diff puts a time behind a tab.
    let path = unquote(path.split('\t').next().unwrap_or(path));
    if path == "/dev/null" {
        return None;
    }
    Some(path.strip_prefix("a/").or(path.strip_prefix("b/")).unwrap_or(&path).to_owned())
}

/// Takes the quotes and escapes away that git writes around unusual names.
fn unquote(path: &str) -> String {
    let Some(inner) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else {
        return path.to_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(digit @ b'0'..=b'3') => {
                let mut number = digit - b'0';
                for _ in 0..2 {
                    let next = rest.next().filter(|digit| (b'0'..=b'7').contains(digit));
                    number = number.wrapping_mul(8).wrapping_add(next.map_or(0, |d| d - b'0'));
                }
                number
            }
            Some(other) => other,
            None => b'\\',
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hunk(lines: &mut Lines<'_>) -> Result<Hunk, InvalidPatch> {
    let invalid = InvalidPatch::Line { line: lines.number() };
    let header = lines.peek().and_then(header).ok_or(invalid)?;
    lines.at += 1;
    let (start, mut before, mut after) = header;
    let mut hunk = Hunk { start, lines: Vec::new() };
    while before > 0 || after > 0 {
        let number = lines.number();
        let line = lines.next_bytes().ok_or(InvalidPatch::Length { line: number })?;
        let too_long = || InvalidPatch::Length { line: number };
        let less = |count: usize| count.checked_sub(1).ok_or_else(too_long);
        hunk.lines.push(match line.split_first() {
            Some((b'+', rest)) => {
                after = less(after)?;
                Line::Added(rest.to_vec())
            }
            Some((b'-', rest)) => {
                before = less(before)?;
                Line::Removed(rest.to_vec())
            }
            Some((b' ', rest)) => {
                (before, after) = (less(before)?, less(after)?);
                Line::Context(rest.to_vec())
            }
            // Editors like to remove the space of an empty line.
            Some((b'\n', _)) => {
                (before, after) = (less(before)?, less(after)?);
                Line::Context(line)
            }
            Some((b'\\', _)) => {
                without_end(&mut hunk.lines);
                continue;
            }
            _ => return Err(too_long()),
        });
    }
    if lines.peek().is_some_and(|line| line.starts_with('\\')) {
        without_end(&mut hunk.lines);
        lines.at += 1;
    }
    Ok(hunk)
}

/// Takes the end from the last line: `\ No newline at end of file`.
fn without_end(lines: &mut [Line]) {
    if let Some(Line::Context(line) | Line::Removed(line) | Line::Added(line)) = lines.last_mut()
        && line.last() == Some(&b'\n')
    {
        line.pop();
    }
}

/// Reads `@@ -start,count +start,count @@`; returns the first start and both counts.
fn header(line: &str) -> Option<(usize, usize, usize)> {
    let mut words = line.split(' ').skip(1);
    let range = |word: &str, sign: char| -> Option<(usize, usize)> {
        let word = word.strip_prefix(sign)?;
        match word.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((word.parse().ok()?, 1)),
        }
    };
    let (start, before) = range(words.next()?, '-')?;
    let (_, after) = range(words.next()?, '+')?;
    Some((start, before, after))
}
