//! Changing a `package.json` in place.
//!
//! Everything that is not changed stays byte for byte: comments, order, indentation, the end of
//! lines and of the file, a byte order mark.

use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};

use super::ManifestError;
use super::read::{OPTIONS, decode, syntax_error};

/// A `package.json` that is being changed.
#[derive(Debug)]
pub struct Editor {
    root: CstRootNode,
    has_bom: bool,
}

impl Editor {
    /// Takes the text of a `package.json`; an empty one becomes an object with the first change.
    pub fn new(text: &[u8]) -> Result<Self, ManifestError> {
        let has_bom = text.starts_with(b"\xef\xbb\xbf");
        let text = decode(text)?;
        let root =
            CstRootNode::parse(text, &OPTIONS).map_err(|error| syntax_error(text, &error))?;
        Ok(Self { root, has_bom })
    }

    /// Sets the spec of a dependency. A new one is put where its name sorts in if the group is
    /// sorted, else at its end; a new group comes last.
    pub fn set_dependency(&self, group: &str, name: &str, spec: &str) {
        let object = self.root.object_value_or_set().object_value_or_set(group);
        let value = CstInputValue::String(spec.to_owned());
        match object.get(name) {
            Some(property) => property.set_value(value),
            None => {
                object.insert(place_for(&object, name), name, value);
            }
        }
    }

    /// Removes a dependency, and its group if that was the last one. Returns whether it was there.
    pub fn remove_dependency(&self, group: &str, name: &str) -> bool {
        let Some(group) = self.root.object_value().and_then(|object| object.get(group)) else {
            return false;
        };
        let Some(property) = group.object_value().and_then(|object| object.get(name)) else {
            return false;
        };
        property.remove();
        if group.object_value().is_some_and(|object| object.properties().is_empty()) {
            group.remove();
        }
        true
    }
}

impl std::fmt::Display for Editor {
    /// Writes the text with its changes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.has_bom {
            f.write_str("\u{feff}")?;
        }
        write!(f, "{}", self.root)
    }
}

/// Finds where `name` belongs in a group.
fn place_for(group: &CstObject, name: &str) -> usize {
    let names: Vec<String> = group
        .properties()
        .iter()
        .map(|property| property.decoded_name().unwrap_or_default())
        .collect();
    if names.is_sorted() {
        names.partition_point(|known| known.as_str() < name)
    } else {
        names.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            |editor| editor.set_dependency("dependencies", "b", "^2"),
            "{\n\t\"name\": \"p\", // mine\n\t\"dependencies\": {\n\t\t\"a\": \"1\",\n\t\t\"b\": \"^2\",\n\t\t\"c\": \"1\"\n\t}\n}\n",
        );
    }

    #[test]
    fn a_known_dependency_keeps_its_place() {
        check(
            "\u{feff}{ \"dependencies\": { \"b\": \"1\", \"a\": \"1\" } }",
            |editor| editor.set_dependency("dependencies", "b", "2"),
            "\u{feff}{ \"dependencies\": { \"b\": \"2\", \"a\": \"1\" } }",
        );
    }

    #[test]
    fn a_new_group_comes_last() {
        check(
            "{\r\n    \"name\": \"p\"\r\n}",
            |editor| editor.set_dependency("devDependencies", "a", "1"),
            "{\r\n    \"name\": \"p\",\r\n    \"devDependencies\": {\r\n        \"a\": \"1\"\r\n    }\r\n}",
        );
    }

    #[test]
    fn an_empty_group_goes() {
        check(
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"a\": \"1\"\n  }\n}\n",
            |editor| {
                assert!(!editor.remove_dependency("dependencies", "b"));
                assert!(!editor.remove_dependency("devDependencies", "a"));
                assert!(editor.remove_dependency("dependencies", "a"));
            },
            "{\n  \"name\": \"p\"\n}\n",
        );
    }
}
