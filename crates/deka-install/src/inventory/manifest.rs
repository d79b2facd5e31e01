//! The `package.json` of an installed package, read for people: nothing in it has to be right.

use std::fmt;

use deka_fs::Dir;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What the `package.json` of an installed package says; all that is missing or odd is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstalledManifest {
    /// `version`.
    pub version: Option<String>,
    /// The license as an SPDX expression, where the package has one.
    pub license: Option<String>,
    /// The author: name, address and page.
    pub author: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `homepage`, else the repository.
    pub homepage: Option<String>,
}

impl InstalledManifest {
    /// Reads that of the package in a folder; `None` if there is none.
    pub(super) fn read(dir: &Dir, folder: &str) -> Option<Self> {
        let text = dir.read(format!("{folder}/package.json").as_str()).ok()??;
        Some(Self::parse(&text))
    }

    fn parse(text: &[u8]) -> Self {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let Fields(fields) = serde_json::from_slice(text).unwrap_or_default();
        let value = |field: Field| fields.iter().rev().find(|(known, _)| *known == field);
        let value = |field| value(field).map(|(_, value)| value);
        let string = |field| value(field).and_then(Value::as_str).and_then(full);
        let license_in = |field| value(field).and_then(license);
        Self {
            version: string(Field::Version),
            license: license_in(Field::License).or_else(|| license_in(Field::Licenses)),
            author: value(Field::Author).and_then(person),
            description: string(Field::Description),
            homepage: string(Field::Homepage)
                .or_else(|| value(Field::Repository).and_then(repository)),
        }
    }
}

/// The fields that are read.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Version,
    License,
    Licenses,
    Author,
    Description,
    Homepage,
    Repository,
    #[serde(other)]
    Other,
}

/// What a manifest has of these, in its order. Of two fields with one name the last one counts, as
/// everywhere in JavaScript; the rest is skipped without being kept, as there are hundreds of manifests.
#[derive(Default)]
struct Fields(Vec<(Field, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_key::<Field>()? {
            if field == Field::Other {
                map.next_value::<IgnoredAny>()?;
            } else {
                fields.push((field, map.next_value()?));
            }
        }
        Ok(Fields(fields))
    }
}

fn full(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads `"MIT"` and the forms of old: `{ "type": "MIT" }`, `["MIT", { "type": "ISC" }]`.
fn license(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => full(text),
        Value::Object(fields) => {
            let name = fields.get("type").or_else(|| fields.get("name"));
            name.and_then(Value::as_str).and_then(full)
        }
        Value::Array(values) => {
            let mut names: Vec<String> = values.iter().filter_map(license).collect();
            match names.len() {
                0 => None,
                1 => names.pop(),
                _ => Some(format!("({})", names.join(" OR "))),
            }
        }
        _ => None,
    }
}

/// Reads `"Name <address> (page)"`, or the same as an object.
fn person(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => full(text),
        Value::Object(fields) => {
            let field = |name| fields.get(name).and_then(Value::as_str).and_then(full);
            let address = field("email").map(|address| format!("<{address}>"));
            let page = field("url").map(|page| format!("({page})"));
            let parts: Vec<String> = [field("name"), address, page].into_iter().flatten().collect();
            full(&parts.join(" "))
        }
        _ => None,
    }
}

/// Reads `"owner/name"`, a URL, or an object with one.
fn repository(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("url")?.as_str()).and_then(full)
}

#[cfg(test)]
mod tests {
    use super::InstalledManifest;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            InstalledManifest::parse(text.as_bytes()).license.as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn licenses_of_all_times() {
        check(r#"{ "license": "MIT" }"#, Some("MIT"));
        check(r#"{ "license": " UNLICENSED " }"#, Some("UNLICENSED"));
        check(r#"{ "license": "(MIT OR ISC)" }"#, Some("(MIT OR ISC)"));
        check(r#"{ "license": { "type": "MIT", "url": "x" } }"#, Some("MIT"));
        check(r#"{ "license": ["MIT", "ISC"] }"#, Some("(MIT OR ISC)"));
        check(r#"{ "licenses": [{ "type": "MIT" }, { "type": "ISC" }] }"#, Some("(MIT OR ISC)"));
        check(r#"{ "licenses": [{ "type": "MIT" }] }"#, Some("MIT"));
        check(r#"{ "licenses": { "type": "MIT" } }"#, Some("MIT"));
        check(r#"{ "license": "", "licenses": ["ISC"] }"#, Some("ISC"));
        check(r#"{ "license": "MIT", "license": "ISC" }"#, Some("ISC"));
        check("\u{feff}{ \"license\": \"MIT\" }", Some("MIT"));
        for nothing in ["{}", "", "{", "[]", r#"{ "license": 5 }"#, r#"{ "license": [] }"#] {
            check(nothing, None);
        }
    }

    #[test]
    fn homepages() {
        let homepage = |text: &str| InstalledManifest::parse(text.as_bytes()).homepage;
        let repository = r#""repository": { "url": "git://x" }"#;
        assert_eq!(homepage(&format!("{{ {repository} }}")).as_deref(), Some("git://x"));
        let both = format!(r#"{{ "homepage": "y", {repository} }}"#);
        assert_eq!(homepage(&both).as_deref(), Some("y"));
        assert_eq!(homepage(r#"{ "repository": "a/b" }"#).as_deref(), Some("a/b"));
    }

    #[test]
    fn people() {
        let author = |text: &str| InstalledManifest::parse(text.as_bytes()).author;
        assert_eq!(author(r#"{ "author": "A <a@b>" }"#).as_deref(), Some("A <a@b>"));
        let object = r#"{ "author": { "name": "A", "email": "a@b", "url": "u" } }"#;
        assert_eq!(author(object).as_deref(), Some("A <a@b> (u)"));
        assert_eq!(author(r#"{ "author": {} }"#), None);
    }
}
