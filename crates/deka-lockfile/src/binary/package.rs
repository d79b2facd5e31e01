//! One package of the file: its resolution, its platforms, its commands.

use deka_graph::{Package, Resolution, TarballLocation};
use deka_manifest::{
    Algorithm, Bin, CpuSet, Integrity, LibcSet, OsSet, PackageName, Platforms, Symbol, Version,
};

use super::bytes::{number_at, slice_at};
use super::{File, Resolutions};
use crate::bun::{is_inside, unsafe_since_version_2};
use crate::migrate::{Registries, is_web};

type Found<T> = Result<T, &'static str>;

/// What a package is, by the first byte of its resolution.
mod tag {
    pub(super) const ROOT: u8 = 1;
    pub(super) const NPM: u8 = 2;
    pub(super) const FOLDER: u8 = 4;
    pub(super) const LOCAL_TARBALL: u8 = 8;
    pub(super) const GITHUB: u8 = 16;
    pub(super) const GIT: u8 = 32;
    pub(super) const SYMLINK: u8 = 64;
    pub(super) const WORKSPACE: u8 = 72;
    pub(super) const REMOTE_TARBALL: u8 = 80;
}

/// Systems, processors and C libraries in the order of their bits, from the second on.
const OS: &[&str] = &["aix", "darwin", "freebsd", "linux", "openbsd", "sunos", "win32", "android"];
const CPU: &[&str] =
    &["arm", "arm64", "ia32", "mips", "mipsel", "ppc", "ppc64", "s390", "s390x", "x32", "x64"];
const LIBC: &[&str] = &["glibc", "musl"];

/// Where the value of a resolution begins, behind its tag and padding.
const VALUE: usize = 8;

impl File<'_> {
    /// Returns a package without edges.
    pub(super) fn package(
        &self,
        index: usize,
        name: &str,
        bin: Bin,
        registries: Registries<'_>,
    ) -> Found<Package> {
        let record = match &self.resolutions {
            Resolutions::Version2(all) => &all[index][..],
            Resolutions::Version3(all) => &all[index][..],
        };
        let (resolution, bun_tag) = self.resolution(record, registries)?;
        let meta = &self.metas[index];
        let name = match resolution {
            Resolution::Root => {
                PackageName::parse(name).unwrap_or_else(|_| PackageName::of_nameless_project())
            }
            _ => PackageName::parse(name).map_err(|_| "its name is not that of a package")?,
        };
        let package = Package {
            name,
            resolution,
            integrity: integrity(meta)?,
            bun_tag,
            platforms: platforms(meta),
            has_install_script: meta[85] == 2,
            bin,
            edges: 0..0,
        };
        unsafe_since_version_2(&package).map_or(Ok(package), Err)
    }

    fn resolution(
        &self,
        record: &[u8],
        registries: Registries<'_>,
    ) -> Found<(Resolution, Option<Symbol>)> {
        let text = |at: usize| {
            self.texts.at(record, VALUE + at).ok_or("what it was resolved to cannot be read")
        };
        let symbol = |at| text(at).map(Symbol::new);
        let resolution = match record[0] {
            tag::ROOT => Resolution::Root,
            tag::NPM => {
                let url = text(0)?;
                let tarball = match url {
                    "" => TarballLocation::Registry,
                    url if is_web(url) => registries.locate_own(url),
                    _ => return Err("its tarball has no http or https URL"),
                };
                Resolution::Npm { version: self.version(&record[VALUE + 8..])?, tarball }
            }
            tag::FOLDER => Resolution::Folder(symbol(0)?),
            tag::LOCAL_TARBALL => Resolution::LocalTarball(symbol(0)?),
            tag::SYMLINK => Resolution::Symlink(symbol(0)?),
            tag::REMOTE_TARBALL => {
                let url = text(0)?;
                if !is_web(url) {
                    return Err("its tarball has no http or https URL");
                }
                Resolution::RemoteTarball(Symbol::new(url))
            }
            tag::WORKSPACE => {
                let path = text(0)?;
                if path.is_empty() || !is_inside(path) {
                    return Err("the folder of a workspace must lie inside the project");
                }
                Resolution::Workspace(Symbol::new(path))
            }
            tag @ (tag::GITHUB | tag::GIT) => {
                let [owner, name, committish, resolved] =
                    [text(0)?, text(8)?, text(16)?, text(24)?];
                return Ok(repository(tag == tag::GITHUB, owner, name, committish, resolved));
            }
            _ => return Err("nobody knows what it was resolved to"),
        };
        Ok((resolution, None))
    }

    /// Reads a version: three numbers, and the texts behind them.
    fn version(&self, record: &[u8]) -> Found<Version> {
        let invalid = "its version is none";
        let (numbers, texts) = match self.resolutions {
            Resolutions::Version2(_) => {
                let number = |at| number_at(record, at).map(u64::from).ok_or(invalid);
                ([number(0)?, number(4)?, number(8)?], 16)
            }
            Resolutions::Version3(_) => {
                let number = |at: usize| {
                    let bytes = record.get(at..).and_then(<[u8]>::first_chunk);
                    bytes.map(|bytes| u64::from_le_bytes(*bytes)).ok_or(invalid)
                };
                ([number(0)?, number(8)?, number(16)?], 24)
            }
        };
        let [major, minor, patch] = numbers;
        let mut text = format!("{major}.{minor}.{patch}");
        for (sign, at) in [('-', texts), ('+', texts + 16)] {
            let part = self.texts.at(record, at).ok_or(invalid)?;
            if !part.is_empty() {
                text.push(sign);
                text.push_str(part);
            }
        }
        Version::parse(&text).map_err(|_| invalid)
    }

    /// Reads commands; `left` is how many texts they may still have.
    pub(super) fn bin(&self, record: &[u8; 20], left: &mut usize) -> Found<Bin> {
        let invalid = "its commands cannot be read";
        let text = |at| self.texts.at(record, at).ok_or(invalid);
        match record[0] {
            0 => Ok(Bin::None),
            1 => Ok(Bin::File(text(4)?.into())),
            2 => Ok(Bin::Map([(text(4)?.into(), text(12)?.into())].into())),
            3 => Ok(Bin::Directory(text(4)?.into())),
            4 => {
                let texts = slice_at(self.command_texts, record, 4).ok_or(invalid)?;
                *left = left.checked_sub(texts.len()).ok_or(invalid)?;
                let text = |record: &[u8; 16]| Some(self.texts.at(record, 0)?.into());
                let (pairs, _) = texts.as_chunks();
                let commands = pairs.iter().map(|[name, file]| Some((text(name)?, text(file)?)));
                commands.collect::<Option<_>>().map(Bin::Map).ok_or(invalid)
            }
            _ => Err(invalid),
        }
    }
}

/// Returns what `bun.lock` says of a repository, and of its checkout.
fn repository(
    is_github: bool,
    owner: &str,
    name: &str,
    committish: &str,
    resolved: &str,
) -> (Resolution, Option<Symbol>) {
    let commit = match resolved {
        "" => committish,
        resolved => resolved.rsplit('-').next().unwrap_or(resolved),
    };
    let commit = Symbol::new(commit);
    let resolution = if is_github {
        let repository = Symbol::new(&format!("{owner}/{name}"));
        Resolution::GitHub { repository, commit }
    } else {
        let repository = if owner.is_empty() { name.to_owned() } else { format!("{owner}/{name}") };
        let repository = Symbol::new(&format!("git+{repository}"));
        Resolution::Git { repository, commit }
    };
    (resolution, Some(Symbol::new(resolved)))
}

/// Returns the integrity as `bun.lock` has it; empty if there is none.
fn integrity(meta: &[u8; 88]) -> Found<Symbol> {
    let algorithm = match meta[20] {
        0 => return Ok(Symbol::new("")),
        1 => Algorithm::Sha1,
        2 => Algorithm::Sha256,
        3 => Algorithm::Sha384,
        4 => Algorithm::Sha512,
        _ => return Err("its integrity is of no known kind"),
    };
    let digest = &meta[21..21 + algorithm.digest_len()];
    let integrity = Integrity::from_digest(algorithm, digest).ok_or("its integrity is damaged")?;
    Ok(Symbol::new(&integrity.to_string()))
}

fn platforms(meta: &[u8; 88]) -> Platforms {
    let names = |names: &'static [&'static str], bits: u16| {
        names.iter().zip(1..).filter(move |(_, bit)| bits >> bit & 1 == 1).map(|(name, _)| *name)
    };
    let number = |at: usize| u16::from_le_bytes([meta[at], meta[at + 1]]);
    let (os, cpu) = (number(4), number(2));
    Platforms {
        os: if os == 0 { OsSet::NONE } else { OsSet::from_entries(names(OS, os)) },
        cpu: if cpu == 0 { CpuSet::NONE } else { CpuSet::from_entries(names(CPU, cpu)) },
        libc: LibcSet::of_package(names(LIBC, u16::from(meta[6]))),
    }
}
