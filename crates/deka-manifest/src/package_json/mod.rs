//! `package.json`: of projects, of workspaces and from tarballs.
//!
//! Read tolerantly: a byte order mark, comments and trailing commas pass, as with Bun, and a field of
//! an odd shape counts as absent. For a project that is noted in [`PackageJson::problems`], most of
//! which Bun takes for errors there ([`ProblemKind::is_error`]); for what comes from a tarball nobody
//! needs to look. [`edit`] changes a text in place.

pub mod edit;
mod overrides;
mod problem;
mod read;

pub use overrides::{Override, OverrideTarget};
pub use problem::{ManifestError, Place, Problem, ProblemKind};

use crate::{Alias, Bin, Bundled, PackageName, Platforms, Symbol, Version};

/// Names and specs of one group, in declared order.
pub type DependencyGroup = Vec<(Alias, Symbol)>;

/// A `package.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageJson {
    /// The name as written; a project's may be one that no package can have.
    pub name: Option<Symbol>,
    /// The version as written.
    pub version: Option<Symbol>,
    /// `dependencies`.
    pub dependencies: DependencyGroup,
    /// `devDependencies`.
    pub dev_dependencies: DependencyGroup,
    /// `optionalDependencies`.
    pub optional_dependencies: DependencyGroup,
    /// `peerDependencies`, then those that only `peerDependenciesMeta` has (`*`).
    pub peer_dependencies: DependencyGroup,
    /// Those of `peer_dependencies` that may be missing.
    pub optional_peers: Vec<Alias>,
    /// `bundleDependencies` or `bundledDependencies`.
    pub bundled: Bundled,
    /// `bin` or `directories.bin`.
    pub bin: Bin,
    /// `engines` in declared order.
    pub engines: Vec<(Box<str>, Box<str>)>,
    /// `os`, `cpu` and `libc`.
    pub platforms: Platforms,
    /// `scripts` in declared order.
    pub scripts: Vec<(Box<str>, Box<str>)>,
    /// Patterns of workspaces' folders; `None` if the manifest has no `workspaces`.
    pub workspaces: Option<Vec<Box<str>>>,
    /// `overrides`, or `resolutions` if there are none.
    pub overrides: Vec<Override>,
    /// `catalog`, the one without a name.
    pub catalog: DependencyGroup,
    /// `catalogs` by name, in declared order.
    pub catalogs: Vec<(Symbol, DependencyGroup)>,
    /// `trustedDependencies`; an empty list is not the same as none.
    pub trusted_dependencies: Option<Vec<Symbol>>,
    /// `patchedDependencies`: `name@version` and the patch's path.
    pub patched_dependencies: Vec<(Symbol, Symbol)>,
    /// `packageExtensions` in declared order.
    pub package_extensions: Vec<PackageExtension>,
    /// What was left out or read otherwise than written.
    pub problems: Vec<Problem>,
}

/// Dependencies that a project adds to the manifest of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageExtension {
    /// The package, with an optional range: `react-redux@1`.
    pub package: Symbol,
    /// What it gets as `dependencies`.
    pub dependencies: DependencyGroup,
    /// What it gets as `optionalDependencies`.
    pub optional_dependencies: DependencyGroup,
    /// What it gets as `peerDependencies`.
    pub peer_dependencies: DependencyGroup,
    /// Those of its peers that may be missing.
    pub optional_peers: Vec<Alias>,
}

impl PackageJson {
    /// Reads a `package.json`. Fails only where the text is no JSON at all; an empty text is an
    /// empty manifest.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        read::read(text)
    }

    /// Returns the name if it is one that a package can have.
    pub fn package_name(&self) -> Option<PackageName> {
        PackageName::parse(self.name?.as_str()).ok()
    }

    /// Returns the version if it is one.
    pub fn parsed_version(&self) -> Option<Version> {
        Version::parse(self.version?.as_str()).ok()
    }

    /// Returns the command of a script.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.scripts.iter().find(|(known, _)| **known == *name).map(|(_, command)| &**command)
    }

    /// Whether it has scripts that run when it is installed as a dependency.
    pub fn has_install_script(&self) -> bool {
        ["preinstall", "install", "postinstall"]
            .into_iter()
            .any(|name| self.script(name).is_some_and(|command| !command.is_empty()))
    }
}

#[cfg(test)]
mod tests;
