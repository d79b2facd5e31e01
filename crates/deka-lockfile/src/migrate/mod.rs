//! From the lockfiles of other package managers to a [`Lockfile`].
//!
//! ```text
//! package-lock.json ┐                                  packuments of what
//! yarn.lock         ├─► draft: packages and edges ◄─── the file does not tell
//! pnpm-lock.yaml    │     │
//! bun.lockb         ┘     │
//!                         └─► Lockfile ─► as if bun.lock had been there
//! ```
//! Every format names the version of each package; some lack what `bun.lock` has besides, such as
//! commands and platforms. [`Migrated`] says which packages those are, and takes the manifests of
//! the very same versions.

mod draft;
#[cfg(test)]
pub(crate) mod fixture;
mod git;
mod value;
mod yaml;

pub(crate) use draft::{Draft, Needs, edge};
pub(crate) use git::{git_resolution, github_resolution};
pub(crate) use value::{file_bin, json, strings, symbols, text};
pub(crate) use yaml::yaml;

use deka_manifest::{Integrity, PackageName, Symbol, Version, VersionManifest};

use crate::{Lockfile, LockfileError, binary, package_lock, pnpm, yarn};

/// The registry that is npm's under another name; yarn asks it.
pub(crate) const YARN_REGISTRY: &str = concat!("https://registry.", "yarnpkg", ".com/");

/// Ten times the largest real lockfile.
const SIZE_LIMIT: usize = 256 * 1024 * 1024;

/// A lockfile that another package manager writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// npm's, of its versions 1 to 3, under both of its names.
    PackageLock,
    /// yarn's, of all its versions.
    Yarn,
    /// pnpm's.
    Pnpm,
    /// Bun's own of before, in binary.
    BunBinary,
}

/// The files that are looked for, the first one found counts.
pub const FILES: &[(&str, Format)] = &[
    ("bun.lockb", Format::BunBinary),
    ("npm-shrinkwrap.json", Format::PackageLock),
    ("package-lock.json", Format::PackageLock),
    ("yarn.lock", Format::Yarn),
    ("pnpm-lock.yaml", Format::Pnpm),
];

/// What a lockfile of another package manager says, before what it lacks is added.
#[derive(Debug, Clone)]
pub struct Migrated {
    draft: Draft,
    lockfile: Lockfile,
}

/// Reads the bytes of a lockfile.
///
/// `sections` is what the manifests say, with a graph that does not count. Where the file has its
/// own account of a manifest, that goes into the sections, so that edits made since are seen.
/// `registry` is the URL of the registry below which tarballs need no URL of their own.
pub fn migrate(
    format: Format,
    bytes: &[u8],
    sections: Lockfile,
    registry: &str,
) -> Result<Migrated, LockfileError> {
    if bytes.len() > SIZE_LIMIT {
        return Err(LockfileError::TooLarge { size: bytes.len(), limit: SIZE_LIMIT });
    }
    let mut lockfile = sections;
    let registries = Registries { default: registry };
    let draft = match format {
        Format::PackageLock => {
            lockfile.config_version = 0;
            package_lock::read(as_text(bytes)?, &mut lockfile, registries)?
        }
        Format::Yarn => {
            lockfile.config_version = 0;
            yarn::read(as_text(bytes)?, &mut lockfile, registries)?
        }
        Format::Pnpm => {
            lockfile.config_version = 1;
            pnpm::read(as_text(bytes)?, &mut lockfile, registries)?
        }
        Format::BunBinary => binary::read(bytes, &mut lockfile, registries)?,
    };
    Ok(Migrated { draft, lockfile })
}

impl Migrated {
    /// Returns the packages of which the file does not tell all: their manifests are wanted.
    pub fn wanted(&self) -> impl Iterator<Item = PackageName> {
        self.draft.wanted()
    }

    /// Adds what `manifest_of` knows of packages of which the file does not tell all, and returns
    /// the whole. A required dependency may lead nowhere then: it is to be resolved.
    pub fn complete(
        &self,
        manifest_of: impl FnMut(PackageName, &Version) -> Option<VersionManifest>,
        registry: &str,
    ) -> Lockfile {
        let mut draft = self.draft.clone();
        draft.complete(manifest_of, Registries { default: registry });
        Lockfile { graph: draft.into_graph(), ..self.lockfile.clone() }
    }

    /// Returns which defaults the project is set up with.
    pub fn config_version(&self) -> u32 {
        self.lockfile.config_version
    }

    /// Whether the file lists the workspace in the folder `path`.
    pub fn has_workspace(&self, path: &str) -> bool {
        self.lockfile.workspace(path).is_some()
    }
}

/// The registries below which tarballs need no URL of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registries<'a> {
    default: &'a str,
}

impl Registries<'_> {
    /// Returns where the tarball lies that is at `url`; without a URL it is where the registry has
    /// it.
    pub(crate) fn locate(self, url: &str) -> deka_graph::TarballLocation {
        let is_default = [self.default, YARN_REGISTRY].iter().any(|known| url.starts_with(known));
        if is_default || !is_web(url) {
            deka_graph::TarballLocation::Registry
        } else {
            deka_graph::TarballLocation::Url(Symbol::new(url))
        }
    }

    /// The same for a lockfile of Bun's, which tells the default registry from all others.
    pub(crate) fn locate_own(self, url: &str) -> deka_graph::TarballLocation {
        if url.starts_with(self.default) {
            deka_graph::TarballLocation::Registry
        } else {
            deka_graph::TarballLocation::Url(Symbol::new(url))
        }
    }
}

/// Whether `url` is one that tarballs are fetched from.
pub(crate) fn is_web(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && !url.contains(char::is_control)
}

/// Returns the strongest hash of `text` as `bun.lock` has it; empty if there is none.
pub(crate) fn integrity(text: &str) -> Symbol {
    Integrity::parse(text).map_or(Symbol::new(""), |hash| Symbol::new(&hash.to_string()))
}

fn as_text(bytes: &[u8]) -> Result<&str, LockfileError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes)
        .map_err(|error| LockfileError::NotText { offset: error.valid_up_to() })
}
