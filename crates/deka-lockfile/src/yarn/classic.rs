//! The lockfile of yarn 1.
//!
//! ```text
//! "@scope/p@^1.0.0", "@scope/p@^1.1.0":
//!   version "1.1.0"
//!   resolved "https://…/p-1.1.0.tgz#<sha1>"
//!   integrity sha512-…
//!   dependencies:
//!     s "^2.0.0"
//! ```

use deka_graph::Resolution;
use deka_manifest::{Alias, Integrity, PackageName, Symbol, Version, split_name};

use super::{Entry, Place, Result};
use crate::migrate::{Registries, git_resolution, integrity, is_web};
use crate::{LockfileError, Position};

/// What stands in one entry, as texts.
#[derive(Default)]
struct Raw<'a> {
    descriptors: Vec<&'a str>,
    version: &'a str,
    resolved: &'a str,
    integrity: &'a str,
    dependencies: Vec<(&'a str, &'a str)>,
    optional_dependencies: Vec<(&'a str, &'a str)>,
}

/// What the lines of the last heading within an entry belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    None,
    Dependencies,
    Optional,
}

pub(super) fn entries(text: &str, registries: Registries<'_>) -> Result<Vec<Entry>> {
    let mut raw: Vec<Raw<'_>> = Vec::new();
    let mut group = Group::None;
    let mut offset = 0;
    for line in text.split('\n') {
        let expected =
            |expected| LockfileError::Syntax { expected, position: Position::of(text, offset) };
        let content = line.trim_end();
        let indent = content.len() - content.trim_start_matches(' ').len();
        let content = &content[indent..];
        if content.is_empty() || content.starts_with('#') {
            offset += line.len() + 1;
            continue;
        }
        match (indent, raw.last_mut()) {
            (0, _) => {
                let keys = content.strip_suffix(':').ok_or_else(|| expected("`name@range:`"))?;
                let descriptors = keys.split(", ").map(unquoted).collect();
                raw.push(Raw { descriptors, ..Raw::default() });
                group = Group::None;
            }
            (2, Some(entry)) => match content.strip_suffix(':') {
                Some("dependencies") => group = Group::Dependencies,
                Some("optionalDependencies") => group = Group::Optional,
                Some(_) => group = Group::None,
                None => {
                    group = Group::None;
                    let (key, value) = pair(content).ok_or_else(|| expected("a value"))?;
                    match key {
                        "version" => entry.version = value,
                        "resolved" => entry.resolved = value,
                        "integrity" => entry.integrity = value,
                        _ => {}
                    }
                }
            },
            (4, Some(entry)) => {
                let row = pair(content).ok_or_else(|| expected("a range"))?;
                match group {
                    Group::Dependencies => entry.dependencies.push(row),
                    Group::Optional => entry.optional_dependencies.push(row),
                    Group::None => {}
                }
            }
            _ => return Err(expected("an entry")),
        }
        offset += line.len() + 1;
    }
    raw.iter().map(|entry| entry.read(registries)).collect()
}

/// Splits a name and its value; either may be quoted.
fn pair(content: &str) -> Option<(&str, &str)> {
    let end = match content.strip_prefix('"') {
        Some(rest) => rest.find('"')? + 2,
        None => content.find(' ')?,
    };
    let (key, value) = content.split_at(end);
    Some((unquoted(key), unquoted(value.trim_start())))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

impl Raw<'_> {
    fn read(&self, registries: Registries<'_>) -> Result<Entry> {
        let first = self.descriptors.first().copied().unwrap_or_default();
        let invalid = |reason| LockfileError::Foreign { entry: first.to_owned(), reason };
        let (alias, range) =
            split_name(first).ok_or_else(|| invalid("it should be `name@range`"))?;
        let name = match range.strip_prefix("npm:") {
            Some(real) => split_name(real).map_or(real, |(name, _)| name),
            None => alias,
        };
        let name =
            PackageName::parse(name).map_err(|_| invalid("its name is not that of a package"))?;
        let (url, hash) = self.resolved.split_once('#').unwrap_or((self.resolved, ""));
        let mut bun_tag = None;
        let place = if let Some((resolution, tag)) = git_resolution(self.resolved) {
            bun_tag = Some(tag);
            Place::Resolved(resolution)
        } else if is_web(range) {
            Place::Resolved(Resolution::RemoteTarball(Symbol::new(url)))
        } else if is_web(url) {
            let version =
                Version::parse(self.version).map_err(|_| invalid("its version is none"))?;
            Place::Resolved(Resolution::Npm { version, tarball: registries.locate(url) })
        } else {
            Place::Unknown
        };
        let shasum = || {
            let hash = Integrity::from_shasum(hash);
            hash.map_or(Symbol::new(""), |hash| Symbol::new(&hash.to_string()))
        };
        let hash = match self.integrity {
            "" => shasum(),
            text => integrity(text),
        };
        Ok(Entry {
            descriptors: self.descriptors.iter().map(ToString::to_string).collect(),
            name,
            integrity: if bun_tag.is_some() { Symbol::new("") } else { hash },
            place,
            bun_tag,
            dependencies: symbols(&self.dependencies),
            optional_dependencies: symbols(&self.optional_dependencies),
        })
    }
}

fn symbols(rows: &[(&str, &str)]) -> Vec<(Alias, Symbol)> {
    rows.iter()
        .filter_map(|(name, range)| Some((Alias::parse(name).ok()?, Symbol::new(range))))
        .collect()
}
