//! Changing one key in the text of an `.npmrc`, and leaving every other byte alone.

use crate::ini::{is_section, key_of};

/// Returns the text with `key` set to `value`: where it stands last, else in a new line.
pub fn set_in_npmrc(text: &str, key: &str, value: &str) -> String {
    let value = quoted(value);
    let places = places(text, key);
    if let Some((last, earlier)) = places.lines.split_last() {
        let mut output = String::with_capacity(text.len() + value.len());
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if number == *last {
                output.push_str(&with_value(line, &value));
            } else if !(places.is_list && earlier.contains(&number)) {
                // Of a list nothing else may stay.
                output.push_str(line);
            }
        }
        return output;
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (before, after) = text.split_at(places.end);
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { end };
    format!("{before}{gap}{key}={value}{end}{after}")
}

/// Returns the text without `key`; `None` if it does not have it.
pub fn delete_from_npmrc(text: &str, key: &str) -> Option<String> {
    let places = places(text, key);
    let is_kept = |(number, _): &(usize, &str)| !places.lines.contains(number);
    let lines = text.split_inclusive('\n').enumerate().filter(is_kept);
    (!places.lines.is_empty()).then(|| lines.map(|(_, line)| line).collect())
}

/// Where a key is in a text.
struct Places {
    /// The lines, counted from zero.
    lines: Vec<usize>,
    /// Whether one of them is `key[]`.
    is_list: bool,
    /// Where a new line may go: before the first section.
    end: usize,
}

fn places(text: &str, key: &str) -> Places {
    let mut places = Places { lines: Vec::new(), is_list: false, end: text.len() };
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let plain = line.trim_end_matches(['\n', '\r']);
        if is_section(plain) {
            places.end = at;
            break;
        }
        if let Some((found, is_list)) = key_of(plain)
            && found == key
        {
            places.lines.push(number);
            places.is_list |= is_list;
        }
        at += line.len();
    }
    places
}

/// Returns a line with another value; the key, the spaces around `=`, a comment and the end stay.
fn with_value(line: &str, value: &str) -> String {
    let end = line.len() - line.trim_end_matches(['\n', '\r']).len();
    let (body, end) = line.split_at(line.len() - end);
    let Some(equals) = body.find('=') else { return format!("{body}={value}{end}") };
    let rest = &body[equals + 1..];
    let start = equals + 1 + (rest.len() - rest.trim_start().len());
    let old = body[start..].trim_end();
    let is_quoted = old.len() > 1
        && ['"', '\''].iter().any(|quote| old.starts_with(*quote) && old.ends_with(*quote));
    let length = if is_quoted {
        old.len()
    } else {
        let mut escaped = false;
        let comment = old.char_indices().find(|(_, c)| {
            let is_comment = !escaped && matches!(c, ';' | '#');
            escaped = !escaped && *c == '\\';
            is_comment
        });
        comment.map_or(old.len(), |(at, _)| old[..at].trim_end().len())
    };
    format!("{}{value}{}{end}", &body[..start], &body[start + length..])
}

/// Returns a value as a file has it: in quotes where it would be read as something else.
fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty()
        && value.trim() == value
        && !value.contains([';', '#', '\\', '\n', '\r', '\u{feff}'])
        && !value.starts_with(['"', '\'']);
    if is_plain { value.to_owned() } else { serde_json::Value::from(value).to_string() }
}

#[cfg(test)]
mod tests {
    use super::{delete_from_npmrc, set_in_npmrc};
    use crate::ini;

    #[track_caller]
    fn check(text: &str, key: &str, value: &str, expected: &str) {
        let found = set_in_npmrc(text, key, value);
        assert_eq!(found, expected, "{text:?}");
        let entry = ini::parse(&found).into_iter().find(|entry| entry.key == key).unwrap();
        assert_eq!(entry.values, [value], "it is read back");
    }

    #[test]
    fn a_key_is_set() {
        check("", "a", "1", "a=1\n");
        check("b=2", "a", "1", "b=2\na=1\n");
        check("; c\r\nb = 2\r\n", "a", "1", "; c\r\nb = 2\r\na=1\r\n");
        check("a = 1 ; why\nb=2\n", "a", "3", "a = 3 ; why\nb=2\n");
        check("a=1\r\n\r\n#x\r\n", "a", "3", "a=3\r\n\r\n#x\r\n");
        check("a=1\na=2\n", "a", "3", "a=1\na=3\n");
        check("a[]=1\nb=1\na[]=2", "a", "3", "b=1\na[]=3");
        check("a=\n", "a", "3", "a=3\n");
        check("a\n", "a", "false", "a=false\n");
        check("\"a\" = \"x;y\" \n", "a", "z", "\"a\" = z \n");
        check("b=1\n[section]\na=1\n", "a", "2", "b=1\na=2\n[section]\na=1\n");
        check("@s:registry=x\n", "@s:registry", "http://y/", "@s:registry=http://y/\n");
        check("a=1\n", "a", "x # y", "a=\"x # y\"\n");
        check("a=1\n", "a", "", "a=\"\"\n");
        check("a=1\n", "a", "C:\\certs", "a=\"C:\\\\certs\"\n");
        check("a=1\n", "a", "-----BEGIN\nx", "a=\"-----BEGIN\\nx\"\n");
        check("a=x\\;y ;z\n", "a", "w", "a=w ;z\n");
    }

    #[test]
    fn a_key_is_deleted() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(delete_from_npmrc(text, "a").as_deref(), expected, "{text:?}");
        };
        check("a=1\n", Some(""));
        check("# a\nb=1\r\na = 1 ; x\nc=1", Some("# a\nb=1\r\nc=1"));
        check("a[]=1\nb=1\na[]=2", Some("b=1\n"));
        check("b=1\n", None);
        check("[s]\na=1\n", None);
    }
}
