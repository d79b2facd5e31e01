//! The text of an `.npmrc`, read as npm's own `ini` package reads it.
//!
//! One `key = value` per line; there is no continuation of lines. `;` and `#` start a comment at the
//! start of a line and inside an unquoted value, unless a backslash stands before. Values in quotes
//! are JSON strings. `key[] = value` adds to a list. What follows a `[section]` belongs to that
//! section, and npm asks no section for anything, so it is skipped.

use hashbrown::HashMap;

/// One key of a file with what it was set to, expansion of variables still to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key without `[]`.
    pub(crate) key: String,
    /// One value, or several of a list.
    pub(crate) values: Vec<String>,
    /// The line of the last value, counted from one.
    pub(crate) line: u32,
    /// Whether the key was written with `[]`.
    is_list: bool,
}

/// Reads a file. A key that is set twice appears once, where it was first.
pub(crate) fn parse(text: &str) -> Vec<Entry> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries: Vec<Entry> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut in_section = false;
    for (number, line) in lines(text) {
        if is_section(line) {
            in_section = true;
            continue;
        }
        if in_section {
            continue;
        }
        let Some((key, is_list)) = key_of(line) else { continue };
        let value =
            line.split_once('=').map_or_else(|| "true".to_owned(), |(_, value)| unquote(value));
        if let Some(place) = places.get(&key) {
            let entry = &mut entries[*place];
            // Once a list, a key stays one, even where the brackets were forgotten.
            entry.is_list |= is_list;
            if !entry.is_list {
                entry.values.clear();
            }
            entry.values.push(value);
            entry.line = number;
        } else {
            places.insert(key.clone(), entries.len());
            entries.push(Entry { key, values: vec![value], line: number, is_list });
        }
    }
    entries
}

/// Returns the key of a line that is in no section, and whether it was written with `[]`.
pub(crate) fn key_of(line: &str) -> Option<(String, bool)> {
    let trimmed = trim(line);
    if trimmed.is_empty() || trimmed.starts_with([';', '#']) {
        return None;
    }
    let key = unquote(line.split_once('=').map_or(line, |(key, _)| key));
    match key.strip_suffix("[]") {
        Some(name) if !name.is_empty() => Some((name.to_owned(), true)),
        _ => (!key.is_empty()).then_some((key, false)),
    }
}

/// Splits at `\n`, `\r\n` and a lone `\r`, and counts.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let mut number = 0;
    text.split('\n').flat_map(move |line| {
        number += 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r').map(move |part| (number, part))
    })
}

/// Takes quotes, escapes and a comment off a key or value.
fn unquote(text: &str) -> String {
    let text = trim(text);
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            // npm takes single quotes off and then reads JSON. Where that fails it keeps double
            // quotes; whoever writes `"C:\certs"` does not want them.
            let json = if quote == '"' { text } else { inner };
            return serde_json::from_str::<String>(json).unwrap_or_else(|_| inner.to_owned());
        }
    }
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ';' | '#' => break,
            '\\' => match characters.peek() {
                Some(';' | '#' | '\\') => value.extend(characters.next()),
                _ => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    value.truncate(value.trim_end_matches(is_blank).len());
    value
}

/// Whether a line is `[section]` and nothing more.
pub(crate) fn is_section(line: &str) -> bool {
    let inner = line.trim_end_matches(is_blank).strip_prefix('[').and_then(|l| l.strip_suffix(']'));
    inner.is_some_and(|inner| !inner.contains(']'))
}

fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// What JavaScript takes for white space: a byte order mark, too.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(text: &str, expected: &[(&str, &[&str], u32)]) {
        let entries = parse(text);
        let found: Vec<_> =
            entries.iter().map(|e| (e.key.as_str(), e.values.clone(), e.line)).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(key, values, line)| {
                (*key, values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>(), *line)
            })
            .collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn keys_and_values() {
        check(
            "a=1\n b = two words \nflag\n",
            &[("a", &["1"], 1), ("b", &["two words"], 2), ("flag", &["true"], 3)],
        );
        check("a=b=c\n=x\n", &[("a", &["b=c"], 1)]);
        check("a=\n", &[("a", &[""], 1)]);
    }

    #[test]
    fn byte_order_mark_and_line_ends() {
        check("\u{feff}a=1\r\nb=2\rc=3", &[("a", &["1"], 1), ("b", &["2"], 2), ("c", &["3"], 2)]);
    }

    #[test]
    fn comments() {
        check(
            "; x=1\n  # y=2\na=1 ; rest\nb=1#2\nc=1\\;2\\#3\n",
            &[("a", &["1"], 3), ("b", &["1"], 4), ("c", &["1;2#3"], 5)],
        );
        check("a=\"1;2#3\"", &[("a", &["1;2#3"], 1)]);
    }

    #[test]
    fn quotes_and_escapes() {
        check(r#"a="x\ny""#, &[("a", &["x\ny"], 1)]);
        check("a='x y'", &[("a", &["x y"], 1)]);
        check(r#"'//h/:_authToken' = "t""#, &[("//h/:_authToken", &["t"], 1)]);
        check(r#"a="C:\certs""#, &[("a", &[r"C:\certs"], 1)]);
        check(r"a=C:\certs\", &[("a", &[r"C:\certs\"], 1)]);
        check(r#"a=""#, &[("a", &["\""], 1)]);
    }

    #[test]
    fn lines_are_not_continued() {
        check("a=1\\\nb=2", &[("a", &["1\\"], 1), ("b", &["2"], 2)]);
    }

    #[test]
    fn lists_and_repetition() {
        check("a[]=1\na[]=2\na=3\n", &[("a", &["1", "2", "3"], 3)]);
        check("a=1\na=2\n", &[("a", &["2"], 2)]);
        check("a=1\na[]=2\n", &[("a", &["1", "2"], 2)]);
    }

    #[test]
    fn sections_are_skipped() {
        check("a=1\n[section]\na=2\nb=3\n", &[("a", &["1"], 1)]);
        check("[a][b]\nc=1", &[("[a][b]", &["true"], 1), ("c", &["1"], 2)]);
    }
}
