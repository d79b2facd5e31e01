//! Package names and the names that dependents give to packages.

use std::fmt;

use crate::Symbol;

/// The name of a package as its own manifest and the registry say it: `react`, `@types/node`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageName(Symbol);

/// The name under which a dependent knows a package, and the folder it gets in `node_modules`.
///
/// Differs from the [`PackageName`] only for aliases (`"lodash4": "npm:lodash@4"`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias(Symbol);

/// Why a text is no package name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a valid package name: {reason}")]
pub struct InvalidName {
    /// The text as it was found.
    pub name: String,
    /// What is wrong with it, without a full stop.
    pub reason: &'static str,
}

/// Splits `name@rest`, of which the name may have a scope; `None` if nothing is behind the name.
///
/// Neither part is checked.
pub fn split_name(text: &str) -> Option<(&str, &str)> {
    // The first character may be the `@` of a scope.
    let at = text.char_indices().skip(1).find(|(_, letter)| *letter == '@')?.0;
    Some((&text[..at], &text[at + 1..]))
}

/// Checks that `name` can be a folder below `node_modules` and nothing else.
///
/// Looser than the registry's rules for new names (old packages have capitals), but strict on all
/// that could leave `node_modules` or hide in it.
fn check(name: &str) -> Result<(), &'static str> {
    let (scope, base) = match name.strip_prefix('@') {
        Some(rest) => match rest.split_once('/') {
            Some((scope, base)) => (Some(scope), base),
            None => return Err("a scope needs a name behind it, as in `@scope/name`"),
        },
        None => (None, name),
    };
    for part in scope.into_iter().chain([base]) {
        if part.is_empty() {
            return Err("it is empty");
        }
        if part.starts_with('.') {
            return Err("it starts with a dot");
        }
        if part.contains(|c: char| matches!(c, '/' | '\\' | '\0') || c.is_control()) {
            return Err("it contains a path separator or a control character");
        }
    }
    if name.len() > 214 {
        return Err("it is longer than 214 characters");
    }
    if scope.is_none() && base == "node_modules" {
        return Err("the name is reserved");
    }
    Ok(())
}

macro_rules! name_type {
    ($type:ident) => {
        impl $type {
            /// Checks and interns `name`.
            pub fn parse(name: &str) -> Result<Self, InvalidName> {
                match check(name) {
                    Ok(()) => Ok(Self(Symbol::new(name))),
                    Err(reason) => Err(InvalidName { name: name.to_owned(), reason }),
                }
            }

            /// Returns the text.
            pub const fn as_str(self) -> &'static str {
                self.0.as_str()
            }

            /// Returns the interned text.
            pub const fn symbol(self) -> Symbol {
                self.0
            }

            /// Returns the scope with its `@`, if the name has one.
            pub fn scope(self) -> Option<&'static str> {
                let name = self.as_str();
                name.starts_with('@').then(|| name.split_once('/').map_or(name, |(scope, _)| scope))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.0.as_str(), f)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.as_str())
            }
        }
    };
}

name_type!(PackageName);
name_type!(Alias);

impl From<PackageName> for Alias {
    fn from(name: PackageName) -> Self {
        Self(name.0)
    }
}

impl PackageName {
    /// Returns what stands for the name of a project that has none, or none that a package could have.
    pub fn of_nameless_project() -> Self {
        Self(Symbol::new("project"))
    }
}

impl Alias {
    /// Takes the alias for the package's real name, as a plain range does.
    pub fn to_package_name(self) -> PackageName {
        PackageName(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_names_pass() {
        for name in ["react", "@types/node", "JSONStream", "lodash.merge", "_", "a b", "@a/b.c"] {
            assert!(PackageName::parse(name).is_ok(), "{name}");
        }
        assert_eq!(PackageName::parse("@types/node").unwrap().scope(), Some("@types"));
        assert_eq!(PackageName::parse("react").unwrap().scope(), None);
    }

    #[test]
    fn what_is_behind_names_is_split_off() {
        assert_eq!(split_name("@s/a@1.0.0"), Some(("@s/a", "1.0.0")));
        assert_eq!(split_name("a@npm:b@1"), Some(("a", "npm:b@1")));
        assert_eq!(split_name("ä@"), Some(("ä", "")));
        for text in ["a", "@s/a", "", "@"] {
            assert_eq!(split_name(text), None, "{text}");
        }
    }

    #[test]
    fn names_that_leave_node_modules_fail() {
        for name in [
            "",
            ".",
            "..",
            ".bin",
            "../x",
            "a/b",
            "/etc",
            "@a",
            "@a/",
            "@/b",
            "@../b",
            "@a/..",
            "@a/b/c",
            "a\\b",
            "a\0b",
            "node_modules",
            "a\nb",
        ] {
            assert!(PackageName::parse(name).is_err(), "{name:?}");
        }
    }
}
