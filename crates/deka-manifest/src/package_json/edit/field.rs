//! Fields by their paths, as npm and Bun write them: `scripts.build`, `contributors[0].name`,
//! `exports[./x.js]`, `keywords[]`.

use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstObjectProp};
use serde_json::Value;

use super::{Editor, input_value};

/// Where a value is in a `package.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    text: String,
    steps: Vec<Step>,
}

/// One step of a path. What is a number is a place if it leads into a list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `name`
    Name(String),
    /// `[name]`
    Bracket(String),
    /// `[]`: behind the last element of a list.
    End,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// There is a `[` without `]`.
    #[error("`{path}` has a `[` without a `]`")]
    Unclosed {
        /// The path.
        path: String,
    },
    /// The path has no names.
    #[error("a path has to name a field")]
    Empty,
    /// What is behind the last element of a list can only be set.
    #[error("`[]` of `{path}` adds to a list; it names no value that is there")]
    End {
        /// The path.
        path: String,
    },
    /// Something is in the way.
    #[error("`{path}` can't be set: `{inner}` is neither an object nor a list")]
    NoContainer {
        /// The path.
        path: String,
        /// Its part that is something else.
        inner: String,
    },
    /// A list is shorter than that, or is no list of that.
    #[error("`{path}` can't be set: `{inner}` has {length} elements, and no `{step}`")]
    OutOfRange {
        /// The path.
        path: String,
        /// Its part that is the list.
        inner: String,
        /// The place that is not there.
        step: String,
        /// How long the list is.
        length: usize,
    },
}

impl FieldPath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let unclosed = || FieldError::Unclosed { path: text.to_owned() };
                let (name, after) = inner.split_once(']').ok_or_else(unclosed)?;
                steps.push(match name {
                    "" => Step::End,
                    name => Step::Bracket(name.to_owned()),
                });
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if !name.is_empty() {
                    steps.push(Step::Name(name.to_owned()));
                }
                rest = after.strip_prefix('.').unwrap_or(after);
            }
        }
        if steps.is_empty() {
            return Err(FieldError::Empty);
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// Returns the first `count` steps as they would be written.
    fn part(&self, count: usize) -> String {
        let mut text = String::new();
        for step in &self.steps[..count] {
            match step {
                Step::Name(name) if text.is_empty() => text.push_str(name),
                Step::Name(name) => text.extend([".", name]),
                Step::Bracket(name) => text.extend(["[", name, "]"]),
                Step::End => text.push_str("[]"),
            }
        }
        text
    }

    /// Returns the value that the path leads to.
    pub fn get<'v>(&self, manifest: &'v Value) -> Result<Option<&'v Value>, FieldError> {
        let mut value = Some(manifest);
        for step in &self.steps {
            let name = step.name().ok_or_else(|| FieldError::End { path: self.text.clone() })?;
            value = match value {
                Some(Value::Array(list)) => name.parse().ok().and_then(|at: usize| list.get(at)),
                Some(value) => value.get(name),
                None => None,
            };
        }
        Ok(value)
    }
}

impl std::fmt::Display for FieldPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Step {
    /// Returns the name or the number; `None` for `[]`.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) | Self::Bracket(name) => Some(name),
            Self::End => None,
        }
    }

    /// Whether what is made for it is a list.
    fn wants_list(&self) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Bracket(name) => name.parse::<usize>().is_ok(),
            Self::End => true,
        }
    }
}

/// What a step leads out of.
enum Container {
    Object(CstObject),
    List(CstArray),
}

impl Container {
    fn of(node: &CstNode) -> Option<Self> {
        node.as_object().map(Self::Object).or_else(|| node.as_array().map(Self::List))
    }

    /// Returns what is at a step, and for a list its place.
    fn at(&self, step: &Step) -> Option<CstNode> {
        let name = step.name()?;
        match self {
            Self::Object(object) => object.get(name)?.value(),
            Self::List(list) => list.elements().into_iter().nth(name.parse().ok()?),
        }
    }
}

impl Editor {
    /// Returns all values.
    pub fn value(&self) -> Value {
        self.root.to_serde_value().unwrap_or(Value::Null)
    }

    /// Sets the value at a path. Objects and lists that are missing on the way are made; what is not
    /// there comes last.
    pub fn set_field(&self, path: &FieldPath, value: &Value) -> Result<(), FieldError> {
        let root = self.root.object_value_or_set();
        if root.properties().is_empty() {
            root.ensure_multiline();
        }
        let mut container = Container::Object(root);
        let Some((end, way)) = path.steps.split_last() else { return Err(FieldError::Empty) };
        for (at, step) in way.iter().enumerate() {
            let next = if let Some(found) = container.at(step) {
                found
            } else {
                let is_list = path.steps[at + 1].wants_list();
                let empty = if is_list {
                    CstInputValue::Array(Vec::new())
                } else {
                    CstInputValue::Object(Vec::new())
                };
                let made = add(path, at, &container, step, empty)?;
                match Container::of(&made) {
                    Some(Container::Object(object)) => object.ensure_multiline(),
                    Some(Container::List(list)) => list.ensure_multiline(),
                    None => {}
                }
                made
            };
            container = Container::of(&next).ok_or_else(|| FieldError::NoContainer {
                path: path.text.clone(),
                inner: path.part(at + 1),
            })?;
        }
        let value = input_value(value);
        match (&container, container.at(end)) {
            (Container::Object(object), Some(_)) => {
                if let Some(property) = end.name().and_then(|name| object.get(name)) {
                    property.set_value(value);
                }
            }
            (Container::List(list), Some(_)) => {
                let at = end.name().and_then(|name| name.parse().ok()).unwrap_or(0);
                let old = list.elements().into_iter().nth(at);
                list.insert(at, value);
                if let Some(old) = old {
                    old.remove();
                }
            }
            (_, None) => drop(add(path, way.len(), &container, end, value)?),
        }
        Ok(())
    }

    /// Removes what is at a path; returns whether something was.
    pub fn delete_field(&self, path: &FieldPath) -> Result<bool, FieldError> {
        let Some((end, way)) = path.steps.split_last() else { return Err(FieldError::Empty) };
        if path.steps.contains(&Step::End) {
            return Err(FieldError::End { path: path.text.clone() });
        }
        let root = self.root.object_value().map(Container::Object);
        let step_in =
            |container: Option<Container>, step: &Step| Container::of(&container?.at(step)?);
        let Some(container) = way.iter().fold(root, step_in) else { return Ok(false) };
        Ok(match (&container, container.at(end)) {
            (_, None) => false,
            (Container::Object(object), Some(_)) => {
                let property = end.name().and_then(|name| object.get(name));
                property.map(CstObjectProp::remove).is_some()
            }
            (Container::List(_), Some(element)) => {
                element.remove();
                true
            }
        })
    }
}

/// Adds what a container does not have yet; `at` is the place of the step in the path.
fn add(
    path: &FieldPath,
    at: usize,
    container: &Container,
    step: &Step,
    value: CstInputValue,
) -> Result<CstNode, FieldError> {
    let no_container = || FieldError::NoContainer { path: path.text.clone(), inner: path.part(at) };
    match (container, step.name()) {
        (Container::Object(object), Some(name)) => {
            object.append(name, value).value().ok_or_else(no_container)
        }
        (Container::Object(_), None) => Err(no_container()),
        (Container::List(list), name) => {
            let length = list.elements().len();
            let is_next = name.is_none_or(|name| name.parse() == Ok(length));
            if !is_next {
                return Err(FieldError::OutOfRange {
                    path: path.text.clone(),
                    inner: path.part(at),
                    step: name.unwrap_or_default().to_owned(),
                    length,
                });
            }
            Ok(list.append(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "{\n    \"name\": \"p\", // mine\n  \"scripts\": { \"a.b\": \"x\" },\n\t\"list\": [{ \"n\": 1 }, \"B\"]\n}\n";

    #[track_caller]
    fn check_get(path: &str, expected: &Value) {
        let value = Editor::new(TEXT.as_bytes()).unwrap().value();
        let found = FieldPath::parse(path).and_then(|path| Ok(path.get(&value)?.cloned()));
        assert_eq!(found.unwrap().unwrap_or(json!("nothing")), *expected, "{path}");
    }

    #[test]
    fn values_are_found() {
        check_get("name", &json!("p"));
        check_get("scripts[a.b]", &json!("x"));
        check_get("list[0].n", &json!(1));
        check_get("list.1", &json!("B"));
        for nothing in ["x", "scripts.a", "list[2]", "list.x", "name.x", "name[0]"] {
            check_get(nothing, &json!("nothing"));
        }
    }

    #[track_caller]
    fn check_set(text: &str, path: &str, value: &Value, expected: Result<&str, &str>) {
        let editor = Editor::new(text.as_bytes()).unwrap();
        let set = FieldPath::parse(path).and_then(|path| editor.set_field(&path, value));
        let found = set.map(|()| editor.to_string()).map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(|error| &**error), expected, "{path}");
    }

    #[test]
    fn values_are_set_and_the_rest_stays() {
        let with = |from: &str, to: &str| TEXT.replace(from, to);
        check_set(TEXT, "name", &json!("q"), Ok(&with("\"p\"", "\"q\"")));
        check_set(TEXT, "scripts[a.b]", &json!("y"), Ok(&with("\"x\"", "\"y\"")));
        check_set(TEXT, "list[0].n", &json!(true), Ok(&with("1", "true")));
        check_set(TEXT, "list.1", &json!("C"), Ok(&with("\"B\"", "\"C\"")));
        check_set(TEXT, "list[]", &json!("C"), Ok(&with("\"B\"", "\"B\", \"C\"")));
        check_set(TEXT, "list[2]", &json!("C"), Ok(&with("\"B\"", "\"B\", \"C\"")));
    }

    #[test]
    fn what_is_missing_is_made() {
        check_set("{}", "a.b", &json!("1"), Ok("{\n  \"a\": {\n    \"b\": \"1\"\n  }\n}"));
        check_set(
            "{}",
            "x[0].y",
            &json!(1),
            Ok("{\n  \"x\": [\n    {\n      \"y\": 1\n    }\n  ]\n}"),
        );
        check_set("{}", "x[]", &json!(1), Ok("{\n  \"x\": [\n    1\n  ]\n}"));
        check_set("{}", "x.0", &json!(1), Ok("{\n  \"x\": {\n    \"0\": 1\n  }\n}"));
        check_set("{}", "[a]..b.", &json!(1), Ok("{\n  \"a\": {\n    \"b\": 1\n  }\n}"));
    }

    #[test]
    fn what_is_in_the_way() {
        let none = "`name.x` can't be set: `name` is neither an object nor a list";
        check_set(TEXT, "name.x", &json!(1), Err(none));
        let short = "`list[9].x` can't be set: `list` has 2 elements, and no `9`";
        check_set(TEXT, "list[9].x", &json!(1), Err(short));
        check_set(TEXT, "a[", &json!(1), Err("`a[` has a `[` without a `]`"));
        check_set(TEXT, "..", &json!(1), Err("a path has to name a field"));
        let object = "`scripts[]` can't be set: `scripts` is neither an object nor a list";
        check_set(TEXT, "scripts[]", &json!(1), Err(object));
    }

    #[test]
    fn values_are_deleted() {
        let check = |path: &str, expected: Option<&str>| {
            let editor = Editor::new(TEXT.as_bytes()).unwrap();
            let was_there = editor.delete_field(&FieldPath::parse(path).unwrap()).unwrap();
            assert_eq!(was_there.then(|| editor.to_string()).as_deref(), expected, "{path}");
        };
        check("list[1]", Some(&TEXT.replace(", \"B\"", "")));
        check("list", Some(&TEXT.replace(",\n\t\"list\": [{ \"n\": 1 }, \"B\"]", "")));
        for nothing in ["x", "x.y", "list[2]", "name.x"] {
            check(nothing, None);
        }
    }
}
