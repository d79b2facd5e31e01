//! `overrides` and `resolutions`: specs that the root puts in the place of those of dependencies.
//!
//! All spellings come down to one kind of rule: *below this parent (or anywhere), a dependency of
//! this name (if its range meets that one) gets this spec*.
//!
//! ```text
//! "qs": "6.11.0"                            anywhere: qs ─► 6.11.0
//! "qs@<6.10": "6.11.0"                      … only where the spec has something in common with <6.10
//! "express": { "qs": "6.11.0" }             below express
//! "express": { ".": "4.18.2", "qs": "…" }   express itself too
//! ```
//! One level of nesting is all that Bun's lockfile can say; deeper rules count for nothing.

use deka_manifest::{Override, OverrideTarget, Range, Spec, Symbol, Version};
use hashbrown::HashMap;

/// All rules, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    rules: HashMap<Symbol, Vec<Rule>>,
}

/// Puts `spec` in the place of what a dependency asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// As the manifest has it.
    path: Vec<OverrideTarget>,
    /// Whose dependencies are meant; everybody's if there is none.
    parent: Option<(Symbol, Option<Condition>)>,
    /// What the replaced range has to meet.
    condition: Option<Condition>,
    spec: Symbol,
}

/// A range with its text, which decides between rules that fit equally.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    text: Symbol,
    range: Range,
}

/// Who depends on the package in question.
#[derive(Debug, Clone, Copy)]
pub struct Dependent<'a> {
    /// Its name.
    pub name: Symbol,
    /// Its version, if it has one.
    pub version: Option<&'a Version>,
}

impl Overrides {
    /// Prepares the overrides of the root's manifest. Those that nest deeper than one level, name a
    /// range that is none, or want to remove a dependency (`-`) count for nothing.
    pub fn new(overrides: &[Override]) -> Self {
        let mut rules: HashMap<Symbol, Vec<Rule>> = HashMap::new();
        for Override { path, value, .. } in overrides {
            let (parent, target) = match path.as_slice() {
                [target] => (None, target),
                [parent, target] => (Some(parent), target),
                _ => continue,
            };
            let parent = match parent.map(|parent| (parent.name, condition(parent))) {
                None => None,
                Some((name, Ok(condition))) => Some((name, condition)),
                Some((_, Err(Unusable))) => continue,
            };
            if let Ok(condition) = condition(target)
                && value.as_str() != "-"
            {
                let path = path.clone();
                let rule = Rule { path, parent, condition, spec: *value };
                rules.entry(target.name).or_default().push(rule);
            }
        }
        for rules in rules.values_mut() {
            // Of equal rules the last one counts.
            rules.reverse();
            // The more a rule says, the earlier it is asked.
            rules.sort_by_key(Rule::rank);
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
    pub fn find(&self, name: Symbol, spec: &Spec, dependent: Dependent<'_>) -> Option<Symbol> {
        self.rule(name, spec, dependent).map(|rule| rule.spec)
    }

    /// Returns the path of the override that [`find`](Self::find) finds.
    pub fn path_of(
        &self,
        name: Symbol,
        spec: &Spec,
        dependent: Dependent<'_>,
    ) -> Option<&[OverrideTarget]> {
        self.rule(name, spec, dependent).map(|rule| &*rule.path)
    }

    fn rule(&self, name: Symbol, spec: &Spec, dependent: Dependent<'_>) -> Option<&Rule> {
        self.rules.get(&name)?.iter().find(|rule| rule.fits(spec, dependent))
    }
}

/// The target of an override says something that is no range.
struct Unusable;

fn condition(target: &OverrideTarget) -> Result<Option<Condition>, Unusable> {
    let Some(text) = target.range else { return Ok(None) };
    let range = Range::parse(&text).map_err(|_| Unusable)?;
    Ok(Some(Condition { text, range }))
}

impl Rule {
    fn rank(&self) -> (bool, bool, bool, Option<Symbol>, Option<Symbol>) {
        let parent = self.parent.as_ref();
        let parent_range = parent.and_then(|(_, condition)| condition.as_ref());
        (
            parent.is_none(),
            parent_range.is_none(),
            self.condition.is_none(),
            parent_range.map(|condition| condition.text),
            self.condition.as_ref().map(|condition| condition.text),
        )
    }

    fn fits(&self, spec: &Spec, dependent: Dependent<'_>) -> bool {
        let parent_fits = self.parent.as_ref().is_none_or(|(name, condition)| {
            *name == dependent.name
                && condition.as_ref().is_none_or(|condition| {
                    dependent.version.is_some_and(|version| condition.range.satisfies(version))
                })
        });
        let condition_fits = self.condition.as_ref().is_none_or(
            |condition| matches!(spec, Spec::Range(range) if range.intersects(&condition.range)),
        );
        parent_fits && condition_fits
    }
}

#[cfg(test)]
mod tests {
    use deka_manifest::{Alias, PackageJson};

    use super::*;

    /// Checks what `name` gets with each spec below `parent`, `-` meaning: nothing else.
    fn check(overrides: &str, parent: &str, name: &str, expected: &[(&str, &str)]) {
        let manifest = format!(r#"{{"dependencies":{{"r":"^5"}},"overrides":{overrides}}}"#);
        let overrides = Overrides::new(&PackageJson::parse(manifest.as_bytes()).unwrap().overrides);
        let (parent, version) = parent.split_once('@').unwrap();
        let version = Version::parse(version).unwrap();
        let dependent = Dependent { name: Symbol::new(parent), version: Some(&version) };
        for (spec, expected) in expected {
            let parsed = Spec::parse(Alias::parse(name).unwrap(), spec).unwrap();
            let found = overrides.find(Symbol::new(name), &parsed, dependent);
            assert_eq!(found.map_or("-", Symbol::as_str), *expected, "{overrides:?} {spec}");
        }
    }

    #[test]
    fn ranges_in_keys_have_to_meet_the_spec() {
        let overrides = r#"{"x@^1":"1.0.0","x":"2.0.0"}"#;
        check(
            overrides,
            "a@1.0.0",
            "x",
            &[
                ("^1", "1.0.0"),
                (">=1", "1.0.0"),
                ("*", "1.0.0"),
                ("^2", "2.0.0"),
                ("next", "2.0.0"),
            ],
        );
        check(r#"{"x@>=3":"1.0.0"}"#, "a@1.0.0", "x", &[("^2", "-"), ("*", "1.0.0")]);
        // Found with Bun: the text decides, not the order in the manifest.
        check(r#"{"x@^1":"1.0.0","x@>=1":"2.0.0"}"#, "a@1.0.0", "x", &[("^1", "2.0.0")]);
    }

    #[test]
    fn nested_rules_come_first_and_hold_for_direct_dependencies() {
        let overrides = r#"{"x":"2.0.0","a":{".":"1.1.1","x":"3.0.0"},"b@^2>x":"4.0.0"}"#;
        check(overrides, "a@1.0.0", "x", &[("^1", "3.0.0")]);
        check(overrides, "b@1.0.0", "x", &[("^1", "2.0.0")]);
        check(overrides, "b@2.1.0", "x", &[("^1", "4.0.0")]);
        check(overrides, "c@1.0.0", "a", &[("^1", "1.1.1")]);
    }

    #[test]
    fn references_removals_and_deep_rules() {
        let overrides = r#"{"x":"$r","y":"-","a":{"b":{"c":"1"}},"z@nonsense nonsense":"1"}"#;
        check(overrides, "a@1.0.0", "x", &[("^1", "^5")]);
        check(overrides, "a@1.0.0", "y", &[("^1", "-")]);
        check(overrides, "b@1.0.0", "c", &[("^1", "-")]);
    }
}
