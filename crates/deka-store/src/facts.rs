//! Reading what the linker wants to know out of a package's `package.json`.
//!
//! Tolerant where npm is: a wrong type counts as absent, and a manifest that is no JSON at all only
//! means that nothing is known. The rules are those of `deka_manifest::PackageJson`; but this runs
//! once for every package that is unpacked, so all but a few members are skipped unread instead of
//! becoming a tree with interned names.

use std::fmt;

use deka_manifest::Bin;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// What a manifest says; the default is that of a package without a readable one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) is_readable: bool,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) bin: Bin,
    pub(crate) has_preinstall: bool,
    pub(crate) has_install: bool,
    pub(crate) has_postinstall: bool,
}

impl Facts {
    /// Reads a `package.json`.
    pub(crate) fn read(text: &[u8]) -> Self {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        serde_json::from_slice(text).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ManifestVisitor)
    }
}

struct ManifestVisitor;

impl<'de> Visitor<'de> for ManifestVisitor {
    type Value = Facts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
        let mut facts = Facts { is_readable: true, ..Facts::default() };
        let mut bin = Bin::None;
        let mut folder = None;
        // Of a key that stands twice the last one counts, as in JSON.parse.
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => facts.name = text(map.next_value()?),
                "version" => facts.version = text(map.next_value()?),
                "bin" => bin = read_bin(map.next_value()?),
                "directories" => {
                    let directories: Value = map.next_value()?;
                    folder = directories.get("bin").cloned().and_then(text);
                }
                "scripts" => {
                    let scripts: Value = map.next_value()?;
                    let has = |name: &str| {
                        scripts.get(name).and_then(Value::as_str).is_some_and(|s| !s.is_empty())
                    };
                    facts.has_preinstall = has("preinstall");
                    facts.has_install = has("install");
                    facts.has_postinstall = has("postinstall");
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        facts.bin = match (bin, folder) {
            (Bin::None, Some(folder)) if !folder.is_empty() => Bin::Directory(folder.into()),
            (bin, _) => bin,
        };
        Ok(facts)
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// An empty `bin` declares no command, so that `directories.bin` counts.
fn read_bin(value: Value) -> Bin {
    match value {
        Value::String(file) if !file.is_empty() => Bin::File(file.into()),
        Value::Object(map) => {
            let pairs: Box<[_]> = map
                .into_iter()
                .filter_map(|(command, file)| Some((command.into(), text(file)?.into())))
                .collect();
            if pairs.is_empty() { Bin::None } else { Bin::Map(pairs) }
        }
        _ => Bin::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(manifest: &str) -> Bin {
        let facts = Facts::read(manifest.as_bytes());
        assert!(facts.is_readable, "{manifest}");
        facts.bin
    }

    #[test]
    fn bins_keep_their_shape() {
        assert_eq!(bin(r#"{"bin":"./cli.js"}"#), Bin::File("./cli.js".into()));
        assert_eq!(
            bin(r#"{"bin":{"b":"1","a":"2","c":3,"b":"4"}}"#),
            Bin::Map([("b".into(), "4".into()), ("a".into(), "2".into())].into())
        );
        assert_eq!(bin(r#"{"directories":{"bin":"./bin"}}"#), Bin::Directory("./bin".into()));
        assert_eq!(bin(r#"{"bin":"a","directories":{"bin":"b"}}"#), Bin::File("a".into()));
    }

    #[test]
    fn empty_and_odd_bins_are_none() {
        for manifest in [
            "{}",
            r#"{"bin":""}"#,
            r#"{"bin":{}}"#,
            r#"{"bin":["a"]}"#,
            r#"{"bin":7}"#,
            r#"{"bin":null,"directories":"x"}"#,
            r#"{"bin":{"a":null},"directories":{"bin":""}}"#,
        ] {
            assert_eq!(bin(manifest), Bin::None, "{manifest}");
        }
        let both = r#"{"bin":"","directories":{"bin":"b"}}"#;
        assert_eq!(bin(both), Bin::Directory("b".into()));
    }

    #[test]
    fn scripts_count_if_they_run_something() {
        let facts = Facts::read(
            br#"{"name":"a","version":"1.0.0","scripts":{"install":"x","preinstall":"","postinstall":["y"]},"n":1e999}"#,
        );
        assert_eq!((facts.name.as_deref(), facts.version.as_deref()), (Some("a"), Some("1.0.0")));
        assert!(facts.has_install && !facts.has_preinstall && !facts.has_postinstall);
        assert!(!Facts::read(br#"{"scripts":"x"}"#).has_install);
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(Facts::read(b"\xef\xbb\xbf{\"name\":\"a\"}").name.as_deref(), Some("a"));
    }

    #[test]
    fn what_is_no_manifest_is_unreadable() {
        for text in ["", "[]", "{", "null", "\u{feff}", "{\"name\":\"a\",}", &"[".repeat(100_000)] {
            assert_eq!(Facts::read(text.as_bytes()), Facts::default(), "{text}");
        }
    }
}
