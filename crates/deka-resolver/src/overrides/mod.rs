//! `overrides` and `resolutions`: specs that the root puts in the place of those of dependencies.
//!
//! All spellings come down to one kind of rule: *below this parent (or anywhere), a dependency of
//! this name (if its range meets that one) gets this spec*.
//!
//! ```text
//! "qs": "6.11.0"                            anywhere: qs ─► 6.11.0
//! "qs@<6.10": "6.11.0"                      … only where the spec has something in common with <6.10
//! "express": { "qs": "6.11.0" }             below express
//! "express>qs", "express/qs", "**/qs"       the same in pnpm's and yarn's words
//! "express": { ".": "4.18.2", "qs": "…" }   express itself too
//! "qs": "$qs"                               what the root itself asks for
//! ```
//! One level of nesting is all that Bun's lockfile can say; deeper rules are reported and dropped.

use deka_manifest::{Range, Spec, Symbol, Version};
use hashbrown::HashMap;

use crate::{Row, Warning};

/// What stands behind a key of `overrides`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideValue {
    /// A spec.
    Spec(String),
    /// Rules for what is below that package.
    Children(Vec<(String, OverrideValue)>),
}

/// All rules, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    rules: HashMap<Symbol, Vec<Rule>>,
}

/// Puts `spec` in the place of what a dependency asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// Whose dependencies are meant; everybody's if there is none.
    parent: Option<Selector>,
    /// What the replaced range has to meet.
    range: Option<Condition>,
    spec: Symbol,
}

/// A package by its name and perhaps its version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Selector {
    name: Symbol,
    range: Option<Condition>,
}

/// A range with its text, which decides between rules that fit equally.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    text: Symbol,
    range: Range,
}

/// Who depends on the package in question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dependent<'a> {
    pub(crate) name: Symbol,
    pub(crate) version: Option<&'a Version>,
}

impl Overrides {
    /// Reads the entries of `overrides` or `resolutions` (`field`), of which `root` are the rows
    /// that `$name` refers to.
    pub fn parse(
        field: &'static str,
        entries: &[(String, OverrideValue)],
        root: &[Row],
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let mut reader = Reader { field, root, warnings, rules: HashMap::new() };
        for (key, value) in entries {
            reader.entry(key, value);
        }
        let mut rules = reader.rules;
        for rules in rules.values_mut() {
            // The more a rule says, the earlier it is asked.
            rules.sort_by_key(|rule| {
                let parent = rule.parent.as_ref();
                let text = |condition: Option<&Condition>| condition.map(|range| range.text);
                (
                    parent.is_none(),
                    parent.is_some_and(|parent| parent.range.is_none()),
                    rule.range.is_none(),
                    parent.map(|parent| (parent.name, text(parent.range.as_ref()))),
                    text(rule.range.as_ref()),
                )
            });
        }
        Self { rules }
    }

    /// Whether nothing is overridden.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether some rule is about dependencies of this name.
    pub(crate) fn concerns(&self, name: Symbol) -> bool {
        self.rules.contains_key(&name)
    }

    /// Returns the names whose rules are not the same in `other`.
    pub(crate) fn changed_names<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Symbol> {
        let changed =
            self.rules.iter().filter(|(name, rules)| other.rules.get(*name) != Some(*rules));
        let gone = other.rules.keys().filter(|name| !self.rules.contains_key(*name));
        changed.map(|(name, _)| *name).chain(gone.copied())
    }

    /// Returns what a dependency on `name` with the spec `spec` gets instead.
    pub(crate) fn find(&self, name: Symbol, spec: &Spec, dependent: Dependent<'_>) -> Option<Symbol> {
        self.rules.get(&name)?.iter().find(|rule| rule.fits(spec, dependent)).map(|rule| rule.spec)
    }
}

impl Rule {
    fn fits(&self, spec: &Spec, dependent: Dependent<'_>) -> bool {
        let parent_fits = self.parent.as_ref().is_none_or(|parent| {
            parent.name == dependent.name
                && parent.range.as_ref().is_none_or(|wanted| {
                    dependent.version.is_some_and(|version| wanted.range.satisfies(version))
                })
        });
        parent_fits
            && self.range.as_ref().is_none_or(
                |wanted| matches!(spec, Spec::Range(range) if range.intersects(&wanted.range)),
            )
    }
}

struct Reader<'a> {
    field: &'static str,
    root: &'a [Row],
    warnings: &'a mut Vec<Warning>,
    rules: HashMap<Symbol, Vec<Rule>>,
}

impl Reader<'_> {
    fn warn(&mut self, key: &str, reason: OverrideProblem) {
        self.warnings.push(Warning::Override { field: self.field, key: key.to_owned(), reason });
    }

    fn entry(&mut self, key: &str, value: &OverrideValue) {
        let (parent, target) = match parse_key(key) {
            Ok(path) => path,
            Err(problem) => return self.warn(key, problem),
        };
        match value {
            OverrideValue::Spec(spec) => self.rule(key, parent, target, spec),
            OverrideValue::Children(_) if parent.is_some() => {
                self.warn(key, OverrideProblem::TooDeep);
            }
            OverrideValue::Children(children) => {
                for (child, value) in children {
                    let OverrideValue::Spec(spec) = value else {
                        self.warn(child, OverrideProblem::TooDeep);
                        continue;
                    };
                    if child == "." {
                        self.rule(child, None, target.clone(), spec);
                        continue;
                    }
                    match parse_key(child) {
                        Ok((None, below)) => self.rule(child, Some(target.clone()), below, spec),
                        Ok((Some(_), _)) => self.warn(child, OverrideProblem::TooDeep),
                        Err(problem) => self.warn(child, problem),
                    }
                }
            }
        }
    }

    fn rule(&mut self, key: &str, parent: Option<Selector>, target: Selector, spec: &str) {
        let spec = match spec.trim() {
            "" => return self.warn(key, OverrideProblem::Empty),
            "-" => return self.warn(key, OverrideProblem::Removal),
            reference if reference.starts_with('$') => {
                let name = &reference[1..];
                match self.root.iter().find(|row| row.alias.as_str() == name) {
                    Some(row) => row.spec,
                    None => return self.warn(key, OverrideProblem::Reference(name.to_owned())),
                }
            }
            spec => Symbol::new(spec),
        };
        let rule = Rule { parent, range: target.range, spec };
        self.rules.entry(target.name).or_default().push(rule);
    }
}

/// Why an entry of `overrides` counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideProblem {
    /// It nests more than one level deep.
    #[error("only one level of nesting is supported")]
    TooDeep,
    /// The key names no package.
    #[error("the key names no package")]
    Key,
    /// There is no spec.
    #[error("the value is empty")]
    Empty,
    /// `-` removes a dependency for pnpm.
    #[error("removing a dependency with `-` is not supported")]
    Removal,
    /// `$name` refers to nothing.
    #[error("`{0}` is not a dependency of the project")]
    Reference(String),
}

/// Reads a key in anybody's spelling: what is overridden, and below what.
fn parse_key(key: &str) -> Result<(Option<Selector>, Selector), OverrideProblem> {
    if let Some(at) = pnpm_delimiter(key) {
        let (parent, target) = (key[..at].trim(), key[at + 1..].trim());
        if pnpm_delimiter(target).is_some() {
            return Err(OverrideProblem::TooDeep);
        }
        return Ok((Some(parse_selector(parent)?), parse_selector(target)?));
    }
    let mut path: Vec<String> = Vec::new();
    let mut parts = key.split('/');
    while let Some(part) = parts.next() {
        match part {
            "" => return Err(OverrideProblem::Key),
            "**" => {}
            scope if scope.starts_with('@') => {
                let base = parts.next().ok_or(OverrideProblem::Key)?;
                path.push(format!("{scope}/{base}"));
            }
            name => path.push(name.to_owned()),
        }
    }
    match path.as_slice() {
        [] => Err(OverrideProblem::Key),
        [target] => Ok((None, parse_selector(target)?)),
        [parent, target] => Ok((Some(parse_selector(parent)?), parse_selector(target)?)),
        _ => Err(OverrideProblem::TooDeep),
    }
}

/// Finds the `>` of `parent>child`, which is not one of a range such as `name@>=1`.
fn pnpm_delimiter(key: &str) -> Option<usize> {
    let bytes = key.as_bytes();
    (1..bytes.len()).find(|&at| bytes[at] == b'>' && !matches!(bytes[at - 1], b' ' | b'|' | b'@'))
}

/// Reads `name` or `name@range`.
fn parse_selector(text: &str) -> Result<Selector, OverrideProblem> {
    let (name, range) = match text.get(1..).and_then(|rest| rest.find('@')) {
        Some(at) => (&text[..=at], Some(&text[at + 2..])),
        None => (text, None),
    };
    let is_scope_only = name.starts_with('@') && !name.contains('/');
    if name.is_empty() || is_scope_only {
        return Err(OverrideProblem::Key);
    }
    let range = match range.map(|range| range.strip_prefix("npm:").unwrap_or(range)) {
        None => None,
        Some("") => return Err(OverrideProblem::Key),
        Some(text) => {
            let range = Range::parse(text).map_err(|_| OverrideProblem::Key)?;
            Some(Condition { text: Symbol::new(text), range })
        }
    };
    Ok(Selector { name: Symbol::new(name), range })
}

#[cfg(test)]
mod tests;
