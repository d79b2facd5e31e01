//! Why a project could not be resolved.

use std::fmt;

use deka_manifest::{Alias, InvalidSpec, PackageName, PackumentError, Symbol};

use crate::{ForeignError, SourceError};

/// Who asks for a package: from the project (or a workspace) on, as `name@version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequiredBy(pub Vec<String>);

impl fmt::Display for RequiredBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" > "))
    }
}

/// What a registry has of a package, to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Available {
    /// The version that `latest` points to.
    pub latest: Option<String>,
    /// A few versions, the highest first, without `latest`.
    pub versions: Vec<String>,
    /// How many there are in all.
    pub total: usize,
}

impl Available {
    /// How many versions are listed at most.
    pub(crate) const LISTED: usize = 5;
}

impl fmt::Display for Available {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.total == 0 {
            return f.write_str("none");
        }
        let latest = self.latest.as_ref().map(|latest| format!("{latest} (latest)"));
        let mut listed: Vec<&str> = latest.as_deref().into_iter().collect();
        listed.extend(self.versions.iter().map(String::as_str));
        let count = self.versions.len() + usize::from(self.latest.is_some());
        if count < self.total {
            listed.push("…");
        }
        f.write_str(&listed.join(", "))
    }
}

/// Why a project could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The registry has no package of that name.
    #[error("The package `{name}` does not exist")]
    NotFound {
        /// The package.
        name: PackageName,
        /// What is asked for.
        spec: Symbol,
        /// Where the registry was asked, if it is known.
        asked: Option<String>,
        /// Who asks for it.
        required_by: RequiredBy,
    },
    /// The package has no version in the range.
    #[error("No version of `{name}` matches `{spec}`")]
    NoVersion {
        /// The package.
        name: PackageName,
        /// What is asked for.
        spec: Symbol,
        /// Who asks for it.
        required_by: RequiredBy,
        /// What there is.
        available: Available,
    },
    /// The package has no such dist-tag.
    #[error("`{name}` has no dist-tag `{tag}`")]
    NoTag {
        /// The package.
        name: PackageName,
        /// The tag.
        tag: Symbol,
        /// Who asks for it.
        required_by: RequiredBy,
        /// The tags that there are, with their versions.
        tags: Vec<(String, String)>,
    },
    /// All versions that would do are younger than they may be.
    #[error("Every version of `{name}` that matches `{spec}` is younger than {minimum_seconds} s")]
    TooRecent {
        /// The package.
        name: PackageName,
        /// What is asked for.
        spec: Symbol,
        /// Who asks for it.
        required_by: RequiredBy,
        /// The age that versions must have.
        minimum_seconds: u64,
    },
    /// The packument could not be had.
    #[error("Failed to get the versions of `{name}`")]
    Source {
        /// The package.
        name: PackageName,
        /// Who asks for it.
        required_by: RequiredBy,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// A packument is damaged.
    #[error("Failed to read the versions of `{name}`")]
    Packument {
        /// The package.
        name: PackageName,
        /// What is wrong with it.
        #[source]
        source: PackumentError,
    },
    /// A manifest asks for something that is no spec.
    #[error(transparent)]
    InvalidSpec {
        /// What is wrong with it.
        #[from]
        source: InvalidSpecOf,
    },
    /// No workspace has that name.
    #[error("There is no workspace named `{alias}`")]
    WorkspaceNotFound {
        /// The name.
        alias: Alias,
        /// What is asked for.
        spec: Symbol,
        /// Who asks for it.
        required_by: RequiredBy,
    },
    /// The workspace of that name has another version.
    #[error("The workspace `{alias}` does not match `{spec}`")]
    WorkspaceMismatch {
        /// The name.
        alias: Alias,
        /// What is asked for.
        spec: Symbol,
        /// Which version the workspace has, if it has one.
        version: Option<String>,
        /// Who asks for it.
        required_by: RequiredBy,
    },
    /// Two workspaces have the same name.
    #[error("The workspaces `{first}` and `{second}` are both named `{name}`")]
    DuplicateWorkspace {
        /// The name.
        name: PackageName,
        /// The folder of one.
        first: String,
        /// The folder of the other.
        second: String,
    },
    /// The catalog has no entry of that name.
    #[error("`{alias}` is not in the catalog `{spec}`")]
    NotInCatalog {
        /// The name.
        alias: Alias,
        /// `catalog:` or `catalog:name`.
        spec: Symbol,
        /// Who asks for it.
        required_by: RequiredBy,
    },
    /// A dependency that no registry has could not be resolved.
    #[error("Failed to resolve `{alias}` from `{spec}`")]
    Foreign {
        /// The name.
        alias: Alias,
        /// What is asked for.
        spec: Symbol,
        /// Who asks for it.
        required_by: RequiredBy,
        /// Why.
        #[source]
        source: ForeignError,
    },
}

/// A spec that is none, and who has it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("Failed to read what `{alias}` asks for", alias = source.alias)]
pub struct InvalidSpecOf {
    /// What is wrong with it.
    #[source]
    pub source: InvalidSpec,
    /// Who has it.
    pub required_by: RequiredBy,
}

impl ResolveError {
    /// Returns npm's code for the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "E404",
            Self::NoVersion { .. } | Self::NoTag { .. } | Self::TooRecent { .. } => "ETARGET",
            Self::Source { .. } => "ENETWORK",
            Self::Packument { .. } => "EPACKUMENT",
            Self::InvalidSpec { .. } => "EINVALIDSPEC",
            Self::WorkspaceNotFound { .. }
            | Self::WorkspaceMismatch { .. }
            | Self::DuplicateWorkspace { .. } => "EWORKSPACE",
            Self::NotInCatalog { .. } => "ECATALOG",
            Self::Foreign { source: ForeignError::Unsupported, .. } => "EUNSUPPORTED",
            Self::Foreign { .. } => "EFOREIGN",
        }
    }

    /// Returns who asks for what is missing.
    pub fn required_by(&self) -> Option<&RequiredBy> {
        match self {
            Self::NotFound { required_by, .. }
            | Self::NoVersion { required_by, .. }
            | Self::NoTag { required_by, .. }
            | Self::TooRecent { required_by, .. }
            | Self::Source { required_by, .. }
            | Self::WorkspaceNotFound { required_by, .. }
            | Self::WorkspaceMismatch { required_by, .. }
            | Self::NotInCatalog { required_by, .. }
            | Self::Foreign { required_by, .. }
            | Self::InvalidSpec { source: InvalidSpecOf { required_by, .. } } => Some(required_by),
            Self::Packument { .. } | Self::DuplicateWorkspace { .. } => None,
        }
    }

    /// Returns one thing to try, if there is one.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoVersion { name, required_by, .. } => match required_by.0.as_slice() {
                [_, .., dependent] => {
                    format!("To use another version for `{dependent}`, add `{name}` to `overrides`")
                }
                _ => format!("`deka info {name} versions` lists all that there are"),
            },
            Self::WorkspaceNotFound { .. } => {
                "A workspace is found by the `name` in its package.json, if `workspaces` of the root's has \
                 its folder"
                    .to_owned()
            }
            Self::Foreign { alias, source: ForeignError::NotRegistered(_), .. } => {
                format!("Run `deka link` in the folder of `{alias}` first")
            }
            Self::NoTag { tags, .. } if !tags.is_empty() => {
                let tags: Vec<String> =
                    tags.iter().map(|(tag, version)| format!("`{tag}` ({version})")).collect();
                format!("There are {}", tags.join(", "))
            }
            Self::TooRecent { name, .. } => {
                format!("To take `{name}` at any age, add it to `minimumReleaseAgeExcludes`")
            }
            Self::Source { source: SourceError::Offline, .. } => {
                "Run once without `--offline` to fill the cache".to_owned()
            }
            Self::WorkspaceMismatch { version: Some(version), .. } => {
                format!("Its version is {version}; `workspace:*` takes any")
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_to_choose_from() {
        let version = |text: &str| text.to_owned();
        let some = Available {
            latest: Some(version("2.0.0")),
            versions: vec![version("1.1.0"), version("1.0.0")],
            total: 4,
        };
        assert_eq!(some.to_string(), "2.0.0 (latest), 1.1.0, 1.0.0, …");
        assert_eq!(Available::default().to_string(), "none");
    }
}
