//! Packages as they are named on a command line: `react`, `react@^19`, `old@npm:react@18`, `../lib`.

use std::fmt;

use super::{Spec, is_github_path, is_tarball, split_version};
use crate::{Alias, InvalidSpec, split_name};

/// A package that is to be added to a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageArgument {
    /// The name that it gets in the project; `None` where only the package itself knows.
    pub alias: Option<Alias>,
    /// What is asked for, as it was written; empty if there is a name alone.
    pub spec: Box<str>,
}

/// A text that names no package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArgument {
    /// It is neither a name nor a place.
    #[error("`{0}` is no package: expected a name, name@version, or a folder or tarball")]
    Unknown(Box<str>),
    /// What stands behind the name is no spec.
    #[error(transparent)]
    Spec(#[from] InvalidSpec),
}

impl PackageArgument {
    /// Reads one argument.
    pub fn parse(text: &str) -> Result<Self, InvalidArgument> {
        let text = text.trim();
        if is_name(text)
            && !is_tarball(text)
            && let Ok(alias) = Alias::parse(text)
        {
            return Ok(Self { alias: Some(alias), spec: "".into() });
        }
        if !is_github_path(text)
            && let Some((name, spec)) = split_name(text)
            && is_name(name)
            && let Ok(alias) = Alias::parse(name)
        {
            let spec = spec.trim();
            Spec::parse(alias, spec)?;
            return Ok(Self { alias: Some(alias), spec: spec.into() });
        }
        let unknown = || InvalidArgument::Unknown(text.into());
        let nobody = Alias::parse(NOBODY).map_err(|_| unknown())?;
        match Spec::parse(nobody, text).map_err(|_| unknown())? {
            Spec::Alias { name, .. } if name.as_str() != NOBODY => {
                // A package of jsr is imported by the name that it has there.
                let alias = match text.strip_prefix("jsr:") {
                    Some(text) => Alias::parse(split_version(text).0).map_err(|_| unknown())?,
                    None => name.into(),
                };
                Ok(Self { alias: Some(alias), spec: text.into() })
            }
            Spec::Folder(_)
            | Spec::Link(_)
            | Spec::LocalTarball(_)
            | Spec::RemoteTarball(_)
            | Spec::Git { .. }
            | Spec::GitHub { .. } => Ok(Self { alias: None, spec: text.into() }),
            _ => Err(unknown()),
        }
    }
}

impl PackageArgument {
    /// Returns the same package; where it is a folder or tarball below `folder`, named by its whole path.
    #[must_use]
    pub fn absolute(&self, folder: &str) -> Self {
        let alias = self.alias.or_else(|| Alias::parse(NOBODY).ok());
        let spec = alias.and_then(|alias| Spec::parse(alias, &self.spec).ok());
        let relative = match spec {
            Some(Spec::Folder(path) | Spec::LocalTarball(path)) => path,
            Some(Spec::Link(path)) if path.starts_with('.') => path,
            _ => return self.clone(),
        };
        if relative.starts_with(['/', '~', '\\']) {
            return self.clone();
        }
        let protocol = self.spec.strip_suffix(relative.as_str()).unwrap_or_default();
        Self { alias: self.alias, spec: format!("{protocol}{folder}/{relative}").into() }
    }
}

impl fmt::Display for PackageArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alias {
            Some(alias) if self.spec.is_empty() => write!(f, "{alias}"),
            Some(alias) => write!(f, "{alias}@{}", self.spec),
            None => f.write_str(&self.spec),
        }
    }
}

/// What stands for a name where none is known, and is none.
const NOBODY: &str = "(nobody)";

/// Whether a text looks like a name: what else is allowed as one nobody types.
fn is_name(text: &str) -> bool {
    let base = match text.strip_prefix('@') {
        Some(scoped) => match scoped.split_once('/') {
            Some((scope, base)) if is_word(scope) => base,
            _ => return false,
        },
        None => text,
    };
    is_word(base) && !base.starts_with('.')
}

fn is_word(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::PackageArgument;

    #[track_caller]
    fn check(text: &str, alias: Option<&str>, spec: &str) {
        let argument = PackageArgument::parse(text).unwrap();
        let name = argument.alias.map(crate::Alias::as_str);
        assert_eq!((name, &*argument.spec), (alias, spec), "{text}");
    }

    #[test]
    fn names() {
        check("react", Some("react"), "");
        check("react@", Some("react"), "");
        check("react@^19 || 18", Some("react"), "^19 || 18");
        check("@s/x", Some("@s/x"), "");
        check("@s/x@next", Some("@s/x"), "next");
        check("old@npm:react@18", Some("old"), "npm:react@18");
        check("npm:@s/x@1", Some("@s/x"), "npm:@s/x@1");
        check("jsr:@s/x", Some("@s/x"), "jsr:@s/x");
        check("jsr:@s/x@1", Some("@s/x"), "jsr:@s/x@1");
        check("n@workspace:^", Some("n"), "workspace:^");
        check("n@../lib", Some("n"), "../lib");
        check("n@catalog:", Some("n"), "catalog:");
    }

    #[test]
    fn places() {
        for text in
            ["../lib", "./a@b", "file:lib", "link:../x", "a.tgz", "https://a.example/b.tgz", "o/r"]
        {
            check(text, None, text);
        }
    }

    #[test]
    fn whole_paths() {
        let check = |text: &str, expected: &str| {
            let argument = PackageArgument::parse(text).unwrap().absolute("/w");
            assert_eq!(&*argument.spec, expected, "{text}");
        };
        check("./lib", "/w/./lib");
        check("n@file:../lib", "file:/w/../lib");
        check("a.tgz", "/w/a.tgz");
        check("/x/a.tgz", "/x/a.tgz");
        check("link:../x", "link:/w/../x");
        check("n@link:x", "link:x");
        check("react@^19", "^19");
        check("react", "");
    }

    #[test]
    fn what_is_neither() {
        for text in ["", " ", "Bad Name", "workspace:a", "catalog:", "@s", "^1", "npm:^1"] {
            assert!(PackageArgument::parse(text).is_err(), "{text}");
        }
    }
}
