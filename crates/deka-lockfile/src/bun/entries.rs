//! The `packages` section: keys, tuples and info objects.

use std::borrow::Cow;

use deka_graph::{Edge, EdgeKind, Graph, Package, Resolution, TarballLocation};
use deka_manifest::{
    Bin, CpuSet, Integrity, LibcSet, OsSet, PackageName, Platforms, Symbol, Version, split_name,
};
use hashbrown::hash_map::Entry as Slot;
use hashbrown::{HashMap, HashSet};

use super::parse::{Seen, alias, read_aliases, read_bin};
use super::places::Places;
use super::reader::{Reader, Result};
use crate::{LockfileError, WorkspaceEntry};

/// Everything that the section says.
pub(super) struct Entries {
    /// Keys in the order of the text.
    pub(super) keys: Places,
    /// Packages in the order in which the first key of each comes.
    pub(super) packages: Vec<Raw>,
    /// Their edges, without targets.
    pub(super) edges: Vec<Edge>,
    /// Which of the edges lead nowhere although something of their name is in sight.
    pub(super) unresolved: HashSet<u32>,
}

/// A package as its tuple has it.
pub(super) struct Raw {
    pub(super) package: Package,
    /// Where its first tuple stands.
    pub(super) offset: usize,
}

/// What a tuple says besides name and resolution.
#[derive(Default)]
struct Info {
    is_bundled: bool,
    platforms: Platforms,
    has_install_script: bool,
    bin: Bin,
}

impl Entries {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut entries = Self {
            keys: Places::new(),
            packages: Vec::new(),
            edges: Vec::new(),
            unresolved: HashSet::new(),
        };
        let mut known: HashMap<Cow<'_, str>, u32> = HashMap::new();
        reader.object(|reader, key, offset| {
            let (package, is_bundled) = entries.read_tuple(reader, &mut known, &key)?;
            let place = entries.keys.insert(reader, &key, offset)?;
            entries.keys.fill(place, package, is_bundled, || LockfileError::DuplicateKey {
                key: key.clone().into_owned(),
                position: reader.position(offset),
            })
        })?;
        Ok(entries)
    }

    /// Reads one tuple; returns the package and whether the key's parent bundles it.
    fn read_tuple<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        known: &mut HashMap<Cow<'a, str>, u32>,
        key: &str,
    ) -> Result<(u32, bool)> {
        reader.array_start()?;
        let offset = reader.offset()?;
        let identity = reader.string()?;
        let next = self.packages.len() as u32;
        match known.entry(identity) {
            Slot::Occupied(package) => {
                let mut is_bundled = false;
                while reader.array_goes_on()? {
                    if reader.peek()? == Some(b'{') {
                        is_bundled = read_bundled(reader)?;
                    } else {
                        reader.skip()?;
                    }
                }
                Ok((*package.get(), is_bundled))
            }
            Slot::Vacant(slot) => {
                let (raw, is_bundled) = self.read_package(reader, slot.key(), key, offset)?;
                self.packages.push(raw);
                slot.insert(next);
                Ok((next, is_bundled))
            }
        }
    }

    fn read_package(
        &mut self,
        reader: &mut Reader<'_>,
        identity: &str,
        key: &str,
        offset: usize,
    ) -> Result<(Raw, bool)> {
        let invalid = |reader: &Reader<'_>, reason| LockfileError::InvalidEntry {
            entry: key.to_owned(),
            position: reader.position(offset),
            reason,
        };
        let Some((name, resolved)) = split_name(identity) else {
            return Err(invalid(reader, "it should begin with `name@version`"));
        };
        let name = PackageName::parse(name).map_err(|source| LockfileError::InvalidName {
            position: reader.position(offset),
            source,
        })?;
        let mut resolution = match resolution(resolved) {
            Ok(resolution) => resolution,
            Err(Unclear::Version(source)) => {
                return Err(LockfileError::InvalidVersion {
                    package: key.to_owned(),
                    position: reader.position(offset),
                    source,
                });
            }
            Err(Unclear::Other(reason)) => return Err(invalid(reader, reason)),
        };
        let first_edge = self.edges.len() as u32;
        let mut info = Info::default();
        let mut bun_tag = None;
        let mut integrity = Symbol::new("");
        let mut goes_on = reader.array_goes_on()?;
        if let Resolution::Npm { tarball, .. } = &mut resolution {
            if !goes_on {
                return Err(invalid(reader, "it should have four elements"));
            }
            let url = reader.string()?;
            if !url.is_empty() {
                let is_web = url.starts_with("https://") || url.starts_with("http://");
                if !is_web || url.contains(char::is_control) {
                    return Err(invalid(reader, "its tarball has no http or https URL"));
                }
                *tarball = TarballLocation::Url(Symbol::new(&url));
            }
            goes_on = reader.array_goes_on()?;
        }
        let is_workspace = matches!(resolution, Resolution::Workspace(_));
        if goes_on && !is_workspace {
            info = self.read_info(reader)?;
            goes_on = reader.array_goes_on()?;
            if goes_on && matches!(resolution, Resolution::Git { .. } | Resolution::GitHub { .. }) {
                bun_tag = Some(Symbol::new(&reader.string()?));
                goes_on = reader.array_goes_on()?;
            }
            if goes_on {
                integrity = Symbol::new(&reader.string()?);
                goes_on = reader.array_goes_on()?;
            } else if matches!(resolution, Resolution::Npm { .. }) {
                return Err(LockfileError::MissingIntegrity {
                    package: key.to_owned(),
                    position: reader.position(offset),
                });
            }
        } else if matches!(resolution, Resolution::Npm { .. }) {
            return Err(invalid(reader, "it should have four elements"));
        }
        if goes_on {
            // Workspaces of version 0 repeated their dependencies here.
            reader.skip()?;
            reader.skip_rest_of_array()?;
        }
        if matches!(resolution, Resolution::Symlink(_) | Resolution::Root) {
            self.edges.truncate(first_edge as usize);
        }
        let package = Package {
            name,
            resolution,
            integrity,
            bun_tag,
            platforms: info.platforms,
            has_install_script: info.has_install_script,
            bin: info.bin,
            edges: first_edge..self.edges.len() as u32,
        };
        Ok((Raw { package, offset }, info.is_bundled))
    }

    fn read_info(&mut self, reader: &mut Reader<'_>) -> Result<Info> {
        let mut info = Info::default();
        let mut optional_peers = Vec::new();
        let mut unresolved = Vec::new();
        let first_edge = self.edges.len();
        reader.object(|reader, key, _| {
            let kind = match &*key {
                "dependencies" => EdgeKind::Prod,
                "devDependencies" => EdgeKind::Dev,
                "optionalDependencies" => EdgeKind::Optional,
                "peerDependencies" => EdgeKind::Peer,
                "optionalPeers" => {
                    optional_peers = read_aliases(reader)?;
                    return Ok(());
                }
                "unresolved" => {
                    unresolved = read_aliases(reader)?;
                    return Ok(());
                }
                "bundled" => {
                    info.is_bundled = reader.boolean()?;
                    return Ok(());
                }
                "hasInstallScript" => {
                    info.has_install_script = reader.boolean()?;
                    return Ok(());
                }
                "os" => {
                    info.platforms.os = read_platforms(reader, |names| OsSet::from_entries(names))?;
                    return Ok(());
                }
                "cpu" => {
                    info.platforms.cpu =
                        read_platforms(reader, |names| CpuSet::from_entries(names))?;
                    return Ok(());
                }
                "libc" => {
                    info.platforms.libc =
                        read_platforms(reader, |names| LibcSet::of_package(names))?;
                    return Ok(());
                }
                "bin" => {
                    info.bin = read_bin(reader)?;
                    return Ok(());
                }
                "binDir" => {
                    info.bin = Bin::Directory(reader.string()?.into());
                    return Ok(());
                }
                _ => return reader.skip(),
            };
            let mut seen = Seen::default();
            reader.object(|reader, name, offset| {
                seen.check(reader, name.clone(), offset)?;
                let edge = Edge {
                    alias: alias(reader, &name, offset)?,
                    spec: Symbol::new(&reader.string()?),
                    kind,
                    optional_peer: false,
                    bundled: false,
                    target: None,
                };
                self.edges.push(edge);
                Ok(())
            })
        })?;
        for (edge, id) in self.edges[first_edge..].iter_mut().zip(first_edge as u32..) {
            edge.optional_peer =
                edge.kind == EdgeKind::Peer && optional_peers.contains(&edge.alias);
            if unresolved.contains(&edge.alias) && edge.may_be_missing() {
                self.unresolved.insert(id);
            }
        }
        Ok(info)
    }

    /// Joins packages and workspaces and finds what every edge leads to.
    pub(super) fn into_graph(
        self,
        reader: &Reader<'_>,
        version: u32,
        workspaces: &[WorkspaceEntry],
    ) -> Result<Graph> {
        if version >= 2 {
            for raw in &self.packages {
                if let Some(reason) = unsafe_since_version_2(&raw.package) {
                    return Err(LockfileError::InvalidEntry {
                        entry: raw.package.name.to_string(),
                        position: reader.position(raw.offset),
                        reason,
                    });
                }
            }
        }
        super::places::into_graph(self, reader, workspaces)
    }
}

/// Returns why version 2 of the format does not allow `package`, if it does not.
pub(crate) fn unsafe_since_version_2(package: &Package) -> Option<&'static str> {
    match &package.resolution {
        Resolution::Npm { tarball: TarballLocation::Url(_), .. } => {
            (Integrity::parse(&package.integrity).is_err())
                .then_some("a tarball outside the registry needs an integrity")
        }
        Resolution::Git { .. } | Resolution::GitHub { .. } => {
            let tag = package.bun_tag.map_or("", Symbol::as_str);
            let is_safe = !matches!(tag, "" | "." | "..")
                && !tag.contains(|c: char| matches!(c, '/' | '\\' | ':') || c.is_control());
            (!is_safe).then_some("the tag of its checkout cannot be a folder's name")
        }
        _ => None,
    }
}

fn read_platforms<T>(
    reader: &mut Reader<'_>,
    set: impl Fn(&mut dyn Iterator<Item = &str>) -> T,
) -> Result<T> {
    let mut names: Vec<Cow<'_, str>> = Vec::new();
    if reader.peek()? == Some(b'"') {
        names.push(reader.string()?);
    } else {
        reader.array(|reader| {
            names.push(reader.string()?);
            Ok(())
        })?;
    }
    Ok(set(&mut names.iter().map(|name| &**name)))
}

/// Reads an info object for nothing but its `bundled`.
fn read_bundled(reader: &mut Reader<'_>) -> Result<bool> {
    let mut is_bundled = false;
    reader.object(|reader, key, _| {
        if key == "bundled" {
            is_bundled = reader.boolean()?;
            return Ok(());
        }
        reader.skip()
    })?;
    Ok(is_bundled)
}

/// Why a resolution cannot be read.
enum Unclear {
    Version(deka_manifest::InvalidSemver),
    Other(&'static str),
}

/// Reads what stands behind `name@`.
fn resolution(text: &str) -> std::result::Result<Resolution, Unclear> {
    let is_tarball = [".tgz", ".tar.gz"].iter().any(|end| text.ends_with(end));
    if text.starts_with(|c: char| c.is_ascii_digit()) && !is_tarball {
        let version = Version::parse(text).map_err(Unclear::Version)?;
        return Ok(Resolution::Npm { version, tarball: TarballLocation::Registry });
    }
    if text.contains(|c: char| c.is_control()) {
        return Err(Unclear::Other("it contains control characters"));
    }
    if text == "root:" {
        return Ok(Resolution::Root);
    }
    if let Some(path) = text.strip_prefix("workspace:") {
        return Ok(Resolution::Workspace(Symbol::new(path)));
    }
    if let Some(path) = text.strip_prefix("file:") {
        return Ok(Resolution::Folder(Symbol::new(path)));
    }
    if let Some(path) = text.strip_prefix("link:") {
        return Ok(Resolution::Symlink(Symbol::new(path)));
    }
    let with_commit = |text: &str| {
        let (repository, commit) =
            text.rsplit_once('#').ok_or(Unclear::Other("a git package needs its commit"))?;
        Ok((Symbol::new(repository), Symbol::new(commit)))
    };
    if let Some(rest) = text.strip_prefix("github:") {
        let (repository, commit) = with_commit(rest)?;
        return Ok(Resolution::GitHub { repository, commit });
    }
    if text.starts_with("git+") || text.starts_with("git:") || text.starts_with("ssh:") {
        let (repository, commit) = with_commit(text)?;
        return Ok(Resolution::Git { repository, commit });
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return Ok(Resolution::RemoteTarball(Symbol::new(text)));
    }
    if text.starts_with(['.', '/']) || is_tarball {
        return Ok(Resolution::LocalTarball(Symbol::new(text)));
    }
    match Version::parse(text) {
        Ok(_) => Err(Unclear::Other("its version should begin with a digit")),
        Err(source) => Err(Unclear::Version(source)),
    }
}
