//! `overrides` and `resolutions`: what a project wants its dependencies' dependencies to be.
//!
//! npm nests them, yarn and pnpm write paths (`a/b`, `a>b`, `**/a`), both may name a range of the
//! package (`a@^1`). All become one list of paths, in declared order:
//! ```text
//! { "a": { ".": "1", "b": "2" }, "c@^1": "3" }   →   a = 1, a > b = 2, c@^1 = 3
//! ```

use jsonc_parser::ast::Value;

use super::ProblemKind;
use super::read::{Reader, entries, text};
use crate::Symbol;

/// One override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The packages from the outermost to the one that is overridden. Bun and deka follow paths of
    /// one and of two; longer ones are only kept.
    pub path: Vec<OverrideTarget>,
    /// What to use instead, with `$name` replaced by what the manifest asks for `name`.
    pub value: Symbol,
    /// Where it stands in the manifest, from `overrides` or `resolutions` on.
    pub keys: Vec<Symbol>,
    /// Whether it stands there as `$name`.
    pub is_reference: bool,
}

impl Override {
    /// Returns the packages of its path as pnpm writes them: `a>b@^1`.
    pub fn path_text(&self) -> String {
        let text = |target: &OverrideTarget| match target.range {
            Some(range) => format!("{}@{range}", target.name),
            None => target.name.to_string(),
        };
        self.path.iter().map(text).collect::<Vec<_>>().join(">")
    }
}

/// A package in the path of an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverrideTarget {
    /// Its name.
    pub name: Symbol,
    /// The range behind `@`, verbatim.
    pub range: Option<Symbol>,
}

/// Reads `overrides` or `resolutions`; `resolve` finds what the manifest asks for a name.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &'static str,
    value: &Value<'_>,
    resolve: &dyn Fn(&str) -> Option<Symbol>,
) -> Vec<Override> {
    let mut overrides = Vec::new();
    if !matches!(value, Value::Object(_)) {
        reader.problem(value, ProblemKind::NotAMap(field));
    }
    read_level(reader, value, (&[Symbol::new(field)], &[]), resolve, &mut overrides);
    overrides
}

fn read_level(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    (keys, above): (&[Symbol], &[OverrideTarget]),
    resolve: &dyn Fn(&str) -> Option<Symbol>,
    overrides: &mut Vec<Override>,
) {
    // Below the first level only maps come here.
    let Value::Object(object) = value else { return };
    for (key, value) in entries(reader, object) {
        let mut path = above.to_vec();
        if key != "." || above.is_empty() {
            path.extend(targets(key));
        }
        if path.is_empty() {
            continue;
        }
        let keys = [keys, &[Symbol::new(key)]].concat();
        if matches!(value, Value::Object(_)) {
            read_level(reader, value, (&keys, &path), resolve, overrides);
            continue;
        }
        let Some(wanted) = text(value) else { continue };
        if path.len() > 2 {
            reader.problem(value, ProblemKind::DeepOverride);
        }
        if wanted.is_empty() {
            reader.problem(value, ProblemKind::EmptyOverride);
            continue;
        }
        if wanted == "-" {
            reader.problem(value, ProblemKind::RemovingOverride);
            continue;
        }
        let reference = wanted.strip_prefix('$');
        let Some(value) = reference.map_or_else(|| Some(Symbol::new(wanted)), resolve) else {
            reader.problem(value, ProblemKind::UnknownReference(wanted.into()));
            continue;
        };
        overrides.push(Override { path, value, keys, is_reference: reference.is_some() });
    }
}

/// Reads a key: `a`, `@s/a`, `a@^1`, `**/a`, `a/b`, `a/**/b`, `a>b`.
fn targets(key: &str) -> Vec<OverrideTarget> {
    let mut targets = Vec::new();
    let mut rest = key.trim();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix("**/") {
            rest = behind;
            continue;
        }
        let scope = if rest.starts_with('@') { rest.find('/').map_or(0, |at| at + 1) } else { 0 };
        let end = rest[scope..].find(['/', '>', '@']).map_or(rest.len(), |at| scope + at);
        let (name, behind) = rest.split_at(end);
        let mut range = None;
        rest = behind;
        if let Some(behind) = rest.strip_prefix('@') {
            let end = range_end(behind);
            let text = behind[..end].trim();
            let text = text.strip_prefix("npm:").unwrap_or(text);
            range = (!text.is_empty()).then(|| Symbol::new(text));
            rest = &behind[end..];
        }
        rest = rest.strip_prefix(['/', '>']).unwrap_or(rest).trim_start();
        let name = name.trim();
        if !name.is_empty() {
            targets.push(OverrideTarget { name: Symbol::new(name), range });
        }
    }
    targets
}

/// Finds where a range in a key ends: at a `>` that is no operator, or at a `/`.
fn range_end(text: &str) -> usize {
    let mut before = None;
    for (at, c) in text.char_indices() {
        let starts_comparator = matches!(before, None | Some(' ' | '|'));
        if c == '/' || (c == '>' && !starts_comparator) {
            return at;
        }
        before = Some(c);
    }
    text.len()
}
