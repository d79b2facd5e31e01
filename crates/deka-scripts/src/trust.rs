//! Whose scripts may run.
//!
//! As with Bun: a `trustedDependencies` in the project's `package.json`, even an empty one, replaces
//! the built-in list. A package from a registry is trusted by its real name, whatever it is called in
//! the project; the built-in list counts only for the default registry, because elsewhere the same
//! name may be somebody else's. What comes from a folder, a tarball or git chooses its own name, so it
//! is trusted by the name that the project gave it, and only if the project itself asks for it.

use deka_manifest::{Alias, PackageName, Symbol};
use hashbrown::HashSet;

/// The built-in list with a comment at its top, one name in each line.
pub const DEFAULT_TRUSTED: &str = include_str!("../data/default-trusted.txt");

/// Returns the names of the built-in list.
pub fn default_trusted() -> impl Iterator<Item = &'static str> {
    DEFAULT_TRUSTED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Where a package comes from, as far as it matters for trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// A version from the default registry.
    DefaultRegistry,
    /// A version from another registry.
    OtherRegistry,
    /// A folder, a tarball or a repository that the project names itself, under this name.
    Direct(Alias),
    /// The same, named by a dependency.
    Transitive,
}

/// The names that may run scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    names: HashSet<Box<str>>,
    is_default: bool,
}

impl Trust {
    /// Reads `trustedDependencies`, or takes the built-in list without one.
    pub fn new(trusted_dependencies: Option<&[Symbol]>) -> Self {
        let (names, is_default) = match trusted_dependencies {
            Some(names) => (names.iter().map(|name| name.as_str().into()).collect(), false),
            None => (default_trusted().map(Into::into).collect(), true),
        };
        Self { names, is_default }
    }

    /// Whether the scripts of the package `name` may run.
    pub fn allows(&self, name: PackageName, provenance: Provenance) -> bool {
        match provenance {
            Provenance::DefaultRegistry => self.names.contains(name.as_str()),
            Provenance::OtherRegistry => !self.is_default && self.names.contains(name.as_str()),
            Provenance::Direct(alias) => !self.is_default && self.names.contains(alias.as_str()),
            Provenance::Transitive => false,
        }
    }

    /// Whether the project names the package itself.
    pub fn names(&self, name: PackageName) -> bool {
        !self.is_default && self.names.contains(name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete() {
        assert_eq!(default_trusted().count(), 367);
        for name in default_trusted() {
            assert!(PackageName::parse(name).is_ok(), "{name}");
        }
    }

    fn check(list: Option<&[&str]>, name: &str, provenance: Provenance, expected: bool) {
        let list: Option<Vec<Symbol>> =
            list.map(|names| names.iter().map(|name| Symbol::new(name)).collect());
        let trust = Trust::new(list.as_deref());
        let allowed = trust.allows(PackageName::parse(name).unwrap(), provenance);
        assert_eq!(allowed, expected, "{list:?} {name} {provenance:?}");
    }

    #[test]
    fn names_and_where_they_count() {
        use Provenance::{DefaultRegistry, Direct, OtherRegistry, Transitive};
        let direct = |alias: &str| Direct(Alias::parse(alias).unwrap());
        check(None, "esbuild", DefaultRegistry, true);
        check(None, "esbuild", OtherRegistry, false);
        check(None, "esbuild", direct("esbuild"), false);
        check(None, "left-pad", DefaultRegistry, false);
        check(Some(&[]), "esbuild", DefaultRegistry, false);
        check(Some(&["a"]), "a", DefaultRegistry, true);
        check(Some(&["a"]), "a", OtherRegistry, true);
        check(Some(&["a"]), "real", direct("a"), true);
        check(Some(&["real"]), "real", direct("a"), false);
        check(Some(&["a"]), "a", Transitive, false);
    }
}
