//! What is worth telling although it does not stop the install.

use deka_graph::EdgeKind;
use deka_manifest::{Alias, PackageName, Symbol, Version};

/// Something that the user may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A version was picked that its authors deprecated.
    Deprecated {
        /// The package.
        name: PackageName,
        /// Its version.
        version: Version,
        /// What the authors say.
        message: String,
    },
    /// A package that is not optional does not run on the platform; it is not installed.
    UnsupportedPlatform {
        /// The package as `name@version`.
        package: String,
        /// What it runs on: `os` or `cpu` with the entries that do not fit.
        wants: Vec<(&'static str, Vec<String>)>,
    },
    /// A manifest has a name in two groups; the second does not count.
    DuplicateDependency {
        /// The manifest's folder below the root.
        path: String,
        /// The name.
        alias: Alias,
        /// The group that counts.
        kept: EdgeKind,
        /// The group that does not.
        dropped: EdgeKind,
    },
    /// An optional dependency was left out because it could not be resolved.
    SkippedOptional {
        /// The dependency.
        alias: Alias,
        /// What is asked for.
        spec: Symbol,
        /// Why, in a few words.
        reason: String,
    },
}
