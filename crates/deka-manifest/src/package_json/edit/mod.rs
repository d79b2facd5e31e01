//! Changing a `package.json` in place.
//!
//! Everything that is not changed stays byte for byte: comments, order, indentation, the end of
//! lines and of the file, a byte order mark.

mod field;

use jsonc_parser::cst::{CstInputValue, CstNode, CstObjectProp, CstRootNode};

pub use field::{FieldError, FieldPath};

use super::ManifestError;
use super::read::{OPTIONS, decode, syntax_error};

/// A `package.json` that is being changed.
#[derive(Debug)]
pub struct Editor {
    root: CstRootNode,
    has_bom: bool,
    lines: Lines,
}

/// How the text is divided into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// As usual.
    Many,
    /// All lines end as on Windows.
    ManyOfWindows,
    /// All is in one line, with spaces in it.
    One,
    /// All is in one line, as short as it can be.
    OneShort,
}

impl Editor {
    /// Takes the text of a `package.json`; an empty one becomes an object with the first change.
    pub fn new(text: &[u8]) -> Result<Self, ManifestError> {
        let has_bom = text.starts_with(b"\xef\xbb\xbf");
        let text = decode(text)?;
        let text = if text.trim().is_empty() { "{}" } else { text };
        let root =
            CstRootNode::parse(text, &OPTIONS).map_err(|error| syntax_error(text, &error))?;
        Ok(Self { root, has_bom, lines: Lines::of(text) })
    }

    /// Whether there is an object at `path`, as `workspaces` may be one.
    pub fn has_object(&self, path: &[&str]) -> bool {
        let root = self.root.object_value();
        path.iter().fold(root, |object, key| object?.object_value(key)).is_some()
    }

    /// Sets a text in the object at `path`, such as a spec in `["dependencies"]`. What is not there comes
    /// last.
    pub fn set(&self, path: &[&str], name: &str, value: &str) {
        let root = self.root.object_value_or_set();
        if root.properties().is_empty() {
            root.ensure_multiline();
        }
        let object = path.iter().fold(root.clone(), |object, key| object.object_value_or_set(key));
        let value = CstInputValue::String(value.to_owned());
        match object.get(name) {
            Some(property) if is_text(&property, &value) => {}
            Some(property) => property.set_value(value),
            None => {
                object.append(name, value);
            }
        }
        if root.children().iter().any(CstNode::is_newline) {
            object.ensure_multiline();
        }
    }

    /// Adds a field, which comes last.
    pub fn add_field(&self, field: &str, value: &serde_json::Value) {
        let root = self.root.object_value_or_set();
        if root.get(field).is_none() {
            root.append(field, input_value(value));
        }
    }

    /// Sorts the object at `path` by name, bytewise.
    pub fn sort(&self, path: &[&str]) {
        let root = self.root.object_value();
        let object = path.iter().fold(root, |object, key| object?.object_value(key));
        let Some(object) = object else { return };
        let names = object.properties();
        if !names.iter().map(CstObjectProp::decoded_name).is_sorted() {
            object.sort_properties().pin_comment_headers().by_key(CstObjectProp::decoded_name);
        }
    }

    /// Removes a name from the object at `path`, and the object if that was the last one. Returns whether
    /// it was there.
    pub fn remove(&self, path: &[&str], name: &str) -> bool {
        let Some((last, outer)) = path.split_last() else { return false };
        let root = self.root.object_value();
        let outer = outer.iter().fold(root, |object, key| object?.object_value(key));
        let Some(group) = outer.and_then(|object| object.get(last)) else { return false };
        let Some(property) = group.object_value().and_then(|object| object.get(name)) else {
            return false;
        };
        property.remove();
        if group.object_value().is_some_and(|object| object.properties().is_empty()) {
            group.remove();
        }
        true
    }

    /// Adds texts to a list, such as `trustedDependencies`, and sorts it. A list that is not there comes
    /// last.
    pub fn add_to_list(&self, field: &str, texts: &[&str]) {
        let root = self.root.object_value_or_set();
        let is_new = root.get(field).is_none();
        let list = root.array_value_or_set(field);
        let text_of = |node: &CstNode| node.as_string_lit()?.decoded_value().ok();
        for text in texts {
            if !list.elements().iter().any(|known| text_of(known).as_deref() == Some(text)) {
                list.append(CstInputValue::String((*text).to_owned()));
            }
        }
        if is_new {
            list.ensure_multiline();
        }
        if !list.elements().iter().map(text_of).is_sorted() {
            list.sort_elements().by_key(text_of);
        }
    }
}

impl std::fmt::Display for Editor {
    /// Writes the text with its changes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.has_bom {
            f.write_str("\u{feff}")?;
        }
        let text = self.root.to_string();
        let end = &text[text.trim_end().len()..];
        match self.lines {
            Lines::Many => f.write_str(&text),
            // New lines of the syntax tree are not always like the others.
            Lines::ManyOfWindows => f.write_str(&text.replace("\r\n", "\n").replace('\n', "\r\n")),
            Lines::One => write!(f, "{}{end}", joined(&text)),
            Lines::OneShort => match shortened(&text) {
                Some(short) => write!(f, "{short}{end}"),
                None => f.write_str(&text),
            },
        }
    }
}

impl Lines {
    fn of(text: &str) -> Self {
        let trimmed = text.trim();
        if !trimmed.contains('\n') {
            return match shortened(trimmed) {
                // Nothing is there yet that has a form.
                Some(short) if short.len() <= "{}".len() => Self::Many,
                Some(short) if short == trimmed => Self::OneShort,
                _ => Self::One,
            };
        }
        let all = text.matches('\n').count();
        if text.matches("\r\n").count() == all { Self::ManyOfWindows } else { Self::Many }
    }
}

/// Returns a text without what JSON can do without, if it is JSON.
fn shortened(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string(&value).ok()
}

/// Returns a text in one line. A string has no ends of lines in it, nor has a comment in a text that was in one
/// line.
fn joined(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Whether a property has this text already: how it is written then stays, too.
fn is_text(property: &CstObjectProp, value: &CstInputValue) -> bool {
    let known = property.value().and_then(|value| value.as_string_lit()?.decoded_value().ok());
    matches!(value, CstInputValue::String(text) if known.as_ref() == Some(text))
}

/// Returns a value as the parser takes it.
fn input_value(value: &serde_json::Value) -> CstInputValue {
    use serde_json::Value;
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(list) => CstInputValue::Array(list.iter().map(input_value).collect()),
        Value::Object(object) => CstInputValue::Object(
            object.iter().map(|(key, value)| (key.clone(), input_value(value))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::{btree_map, vec as list_of};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::PackageJson;

    fn check(text: &str, change: impl Fn(&Editor), expected: &str) {
        let editor = Editor::new(text.as_bytes()).unwrap();
        change(&editor);
        assert_eq!(editor.to_string(), expected);
    }

    #[test]
    fn a_new_dependency_sorts_in() {
        let text = "{\n\t\"name\": \"p\", // mine\n\t\"dependencies\": {\n\t\t\"a\": \"1\",\n\t\t\"c\": \"1\"\n\t}\n}\n";
        check(
            text,
            |editor| {
                editor.set(&["dependencies"], "b", "^2");
                editor.sort(&["dependencies"]);
            },
            "{\n\t\"name\": \"p\", // mine\n\t\"dependencies\": {\n\t\t\"a\": \"1\",\n\t\t\"b\": \"^2\",\n\t\t\"c\": \"1\"\n\t}\n}\n",
        );
    }

    #[test]
    fn a_known_dependency_is_changed() {
        check(
            "\u{feff}{ \"dependencies\": { \"a\": \"1\", \"b\": \"1\" } }",
            |editor| editor.set(&["dependencies"], "b", "2"),
            "\u{feff}{ \"dependencies\": { \"a\": \"1\", \"b\": \"2\" } }",
        );
    }

    #[test]
    fn one_line_stays_one_line() {
        let add = |editor: &Editor| {
            editor.set(&["dependencies"], "b", "2");
            editor.sort(&["dependencies"]);
        };
        check(
            "{\"name\":\"p\",\"dependencies\":{\"c\":\"1\"},\"x\":[1,2]}\n",
            add,
            "{\"name\":\"p\",\"dependencies\":{\"b\":\"2\",\"c\":\"1\"},\"x\":[1,2]}\n",
        );
        check("{\"name\":\"p\"}", add, "{\"name\":\"p\",\"dependencies\":{\"b\":\"2\"}}");
        check(
            "{ \"name\": \"p\" /* mine */, \"dependencies\": { \"a\": \"1\" } }\r\n",
            add,
            "{ \"name\": \"p\" /* mine */, \"dependencies\": { \"a\": \"1\", \"b\": \"2\" } }\r\n",
        );
        check(
            "{ \"name\": \"p\" }",
            add,
            "{ \"name\": \"p\", \"dependencies\": { \"b\": \"2\" } }",
        );
    }

    #[test]
    fn a_new_group_comes_last() {
        check(
            "{\r\n    \"name\": \"p\"\r\n}",
            |editor| editor.set(&["devDependencies"], "a", "1"),
            "{\r\n    \"name\": \"p\",\r\n    \"devDependencies\": {\r\n        \"a\": \"1\"\r\n    }\r\n}",
        );
    }

    #[test]
    fn an_empty_group_goes() {
        check(
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"a\": \"1\"\n  }\n}\n",
            |editor| {
                assert!(!editor.remove(&["dependencies"], "b"));
                assert!(!editor.remove(&["devDependencies"], "a"));
                assert!(editor.remove(&["dependencies"], "a"));
            },
            "{\n  \"name\": \"p\"\n}\n",
        );
    }

    #[test]
    fn a_group_is_sorted() {
        check(
            "{\n  \"dependencies\": {\"c\": \"1\", \"a\": \"1\"}\n}",
            |editor| {
                editor.set(&["dependencies"], "B", "2");
                editor.sort(&["dependencies"]);
            },
            "{\n  \"dependencies\": {\n    \"B\": \"2\",\n    \"a\": \"1\",\n    \"c\": \"1\"\n  }\n}",
        );
    }

    #[test]
    fn what_was_empty() {
        let expected = "{\n  \"catalogs\": {\n    \"t\": {\n      \"a\": \"1\"\n    }\n  }\n}";
        for text in ["{}", ""] {
            check(text, |editor| editor.set(&["catalogs", "t"], "a", "1"), expected);
        }
    }

    #[test]
    fn lists() {
        let add = |editor: &Editor| editor.add_to_list("trustedDependencies", &["b", "a", "z"]);
        check(
            "{\n  \"name\": \"p\"\n}\n",
            add,
            "{\n  \"name\": \"p\",\n  \"trustedDependencies\": [\n    \"a\",\n    \"b\",\n    \"z\"\n  ]\n}\n",
        );
        check(
            "{\n  \"trustedDependencies\": [\"z\", \"c\"]\n}\n",
            add,
            "{\n  \"trustedDependencies\": [\"a\", \"b\", \"c\", \"z\"]\n}\n",
        );
    }

    /// The text of an object, one entry a line.
    fn object(entries: &BTreeMap<String, String>, newline: &str, indent: &str) -> String {
        let lines =
            entries.iter().map(|(name, spec)| format!("{indent}{indent}\"{name}\": \"{spec}\""));
        let lines: Vec<String> = lines.collect();
        format!("{{{newline}{}{newline}{indent}}}", lines.join(&format!(",{newline}")))
    }

    proptest! {
        /// What is around the group stays byte for byte, and the group is what it should be.
        #[test]
        fn only_the_group_changes(
            group in btree_map("[a-e]{1,2}", "[0-9]", 1..5),
            changes in list_of(("[a-e]{1,2}", proptest::option::of("[0-9]")), 1..6),
            newline in select(vec!["\n", "\r\n"]),
            indent in select(vec!["  ", "\t", "    "]),
            before in select(vec!["", "\"x\": { \"y\":[1,  2 ]},", "/* first */ \"name\" :\"p\","]),
            after in select(vec!["", ", \"files\": [ ]", ",\"scripts\":{\"a\":\"\\u0041\"} // end"]),
            end in select(vec!["", "\n", "\n\n"]),
        ) {
            let prefix = format!("{{{newline}{indent}{before}{newline}{indent}\"dependencies\": ");
            let end = end.replace('\n', newline);
            let suffix = format!("{after}{newline}}}{end}");
            let text = format!("{prefix}{}{suffix}", object(&group, newline, indent));
            let editor = Editor::new(text.as_bytes()).unwrap();
            let mut expected = group.clone();
            for (name, spec) in changes {
                match spec {
                    Some(spec) => {
                        editor.set(&["dependencies"], &name, &spec);
                        editor.sort(&["dependencies"]);
                        expected.insert(name, spec);
                    }
                    // The last one would take its group along.
                    None if expected.len() > 1 => {
                        let was_there = editor.remove(&["dependencies"], &name);
                        prop_assert_eq!(was_there, expected.remove(&name).is_some());
                    }
                    None => {}
                }
            }
            let edited = editor.to_string();
            prop_assert_eq!(&edited, &format!("{prefix}{}{suffix}", object(&expected, newline, indent)));
            let manifest = PackageJson::parse(edited.as_bytes()).unwrap();
            let read: BTreeMap<String, String> = manifest
                .dependencies
                .iter()
                .map(|(name, spec)| (name.to_string(), spec.to_string()))
                .collect();
            prop_assert_eq!(read, expected);
        }
    }
}
