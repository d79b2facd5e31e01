//! The words of npm as types: package names and specs, versions and ranges, integrity,
//! `package.json` and packuments.
//!
//! Everything here is data and pure functions: no file, no socket. Texts from outside are checked
//! where they become one of these types, so that the rest of deka can rely on the types.

mod bin;
mod bundled;
mod integrity;
mod name;
pub mod package_json;
mod packument;
mod platform;
mod semver;
mod spec;
mod symbol;
pub mod wyhash;

pub use bin::Bin;
pub use bundled::Bundled;
pub use integrity::{Algorithm, Integrity, InvalidIntegrity};
pub use name::{Alias, InvalidName, PackageName, split_name};
pub use package_json::{
    ManifestError, Override, OverrideTarget, PackageExtension, PackageJson, Problem,
};
pub use packument::{Packument, PackumentError, VersionIndex, VersionManifest};
pub use platform::{CpuSet, LibcSet, OsSet, Platforms, Target};
pub use semver::{Bump, InvalidSemver, Range, Version, VersionRef};
pub use spec::{
    InvalidArgument, InvalidSpec, InvalidSpecReason, PackageArgument, Spec, without_credentials,
};
pub use symbol::Symbol;
