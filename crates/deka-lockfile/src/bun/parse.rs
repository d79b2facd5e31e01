//! From text to [`Lockfile`]: the sections of the file, one after the other in any order.

use std::borrow::Cow;

use deka_graph::Graph;
use deka_manifest::{Alias, Bin, Symbol};
use smallvec::SmallVec;

use super::entries::Entries;
use super::reader::{Reader, Result};
use crate::{Lockfile, LockfileError, OverrideRule, PackageExtension, Position, WorkspaceEntry};

/// Ten times the lockfile of a project with 30,000 packages; offsets stay far below 4 GiB.
const SIZE_LIMIT: usize = 256 * 1024 * 1024;

/// Reads the text of a `bun.lock`.
///
/// Unknown keys are ignored, as Bun does. Everything that later becomes a path was checked when
/// this returns: names cannot leave `node_modules`, workspaces cannot leave the project.
pub fn parse(text: impl AsRef<[u8]>) -> Result<Lockfile> {
    let bytes = text.as_ref();
    if bytes.len() > SIZE_LIMIT {
        return Err(LockfileError::TooLarge { size: bytes.len(), limit: SIZE_LIMIT });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| LockfileError::NotText { offset: error.valid_up_to() })?;
    parse_text(text).map_err(|error| match (error, merge_marker(text)) {
        (LockfileError::Syntax { .. }, Some(offset)) => {
            LockfileError::MergeConflict { position: Position::of(text, offset) }
        }
        (error, _) => error,
    })
}

fn merge_marker(text: &str) -> Option<usize> {
    if text.starts_with("<<<<<<< ") {
        return Some(0);
    }
    memchr::memmem::find(text.as_bytes(), b"\n<<<<<<< ").map(|offset| offset + 1)
}

pub(super) fn parse_text(text: &str) -> Result<Lockfile> {
    let mut reader = Reader::new(text);
    let mut seen = Seen::default();
    let mut lockfile = Lockfile::new(Graph::new());
    let mut version = None;
    let mut has_workspaces = false;
    let mut entries = None;
    lockfile.config_version = 0;
    reader.object(|reader, key, offset| {
        seen.check(reader, key.clone(), offset)?;
        match &*key {
            "lockfileVersion" => {
                let found = reader.number()?;
                let newest = Lockfile::NEWEST_VERSION;
                if found > u64::from(newest) {
                    return Err(LockfileError::UnsupportedVersion { version: found, newest });
                }
                version = Some(found as u32);
            }
            "configVersion" => {
                lockfile.config_version = u32::try_from(reader.number()?).unwrap_or(u32::MAX);
            }
            "workspaces" => {
                lockfile.workspaces = read_workspaces(reader)?;
                has_workspaces = true;
            }
            "trustedDependencies" => {
                lockfile.trusted_dependencies = Some(read_symbols(reader)?);
            }
            "patchedDependencies" => {
                lockfile.patched_dependencies = read_symbol_map(reader)?;
            }
            "overrides" => lockfile.overrides = read_overrides(reader)?,
            "catalog" => lockfile.catalog = read_dependencies(reader)?,
            "catalogs" => lockfile.catalogs = read_map(reader, read_dependencies)?,
            "packageExtensions" => {
                lockfile.package_extensions = read_map(reader, read_extension)?;
            }
            "packages" => entries = Some(Entries::read(reader)?),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    reader.end()?;
    let missing = |section| LockfileError::MissingSection { section };
    lockfile.version = version.ok_or(missing("lockfileVersion"))?;
    if !has_workspaces {
        return Err(missing("workspaces"));
    }
    let entries = entries.ok_or(missing("packages"))?;
    lockfile.workspaces.sort_by(|one, other| one.path.cmp(&other.path));
    if lockfile.root().is_none() {
        return Err(missing("workspaces\".\"\""));
    }
    lockfile.graph = entries.into_graph(&reader, lockfile.version, &lockfile.workspaces)?;
    Ok(lockfile)
}

/// Finds keys that come twice in one object.
///
/// Almost every object is in ascending order, in which case a comparison with the last key does.
#[derive(Default)]
pub(super) struct Seen<'a> {
    keys: SmallVec<[Cow<'a, str>; 8]>,
    hashed: Option<hashbrown::HashSet<Cow<'a, str>>>,
}

impl<'a> Seen<'a> {
    /// Fails if `key` was there before.
    pub(super) fn check(
        &mut self,
        reader: &Reader<'_>,
        key: Cow<'a, str>,
        offset: usize,
    ) -> Result<()> {
        let is_new = match &mut self.hashed {
            Some(hashed) => hashed.insert(key.clone()),
            None if self.keys.last().is_none_or(|last| **last < *key) => {
                self.keys.push(key.clone());
                true
            }
            None => self.hashed.insert(self.keys.drain(..).collect()).insert(key.clone()),
        };
        if is_new {
            return Ok(());
        }
        Err(LockfileError::DuplicateKey {
            key: key.into_owned(),
            position: reader.position(offset),
        })
    }
}

fn read_map<'a, T>(
    reader: &mut Reader<'a>,
    read_value: impl Fn(&mut Reader<'a>) -> Result<T>,
) -> Result<Vec<(Symbol, T)>> {
    let mut seen = Seen::default();
    let mut map = Vec::new();
    reader.object(|reader, key, offset| {
        seen.check(reader, key.clone(), offset)?;
        map.push((Symbol::new(&key), read_value(reader)?));
        Ok(())
    })?;
    Ok(map)
}

fn read_symbol(reader: &mut Reader<'_>) -> Result<Symbol> {
    Ok(Symbol::new(&reader.string()?))
}

fn read_symbols(reader: &mut Reader<'_>) -> Result<Vec<Symbol>> {
    let mut symbols = Vec::new();
    reader.array(|reader| {
        symbols.push(read_symbol(reader)?);
        Ok(())
    })?;
    Ok(symbols)
}

fn read_symbol_map(reader: &mut Reader<'_>) -> Result<Vec<(Symbol, Symbol)>> {
    read_map(reader, read_symbol)
}

/// Reads the name of a dependency.
pub(super) fn alias(reader: &Reader<'_>, name: &str, offset: usize) -> Result<Alias> {
    Alias::parse(name)
        .map_err(|source| LockfileError::InvalidName { position: reader.position(offset), source })
}

/// Reads `{ "name": "spec" }`, in the order of the text.
pub(super) fn read_dependencies(reader: &mut Reader<'_>) -> Result<Vec<(Alias, Symbol)>> {
    let mut seen = Seen::default();
    let mut dependencies = Vec::new();
    reader.object(|reader, key, offset| {
        seen.check(reader, key.clone(), offset)?;
        dependencies.push((alias(reader, &key, offset)?, read_symbol(reader)?));
        Ok(())
    })?;
    Ok(dependencies)
}

/// Reads `["name"]`.
pub(super) fn read_aliases(reader: &mut Reader<'_>) -> Result<Vec<Alias>> {
    let mut aliases = Vec::new();
    reader.array(|reader| {
        let offset = reader.offset()?;
        let name = reader.string()?;
        aliases.push(alias(reader, &name, offset)?);
        Ok(())
    })?;
    Ok(aliases)
}

/// Reads a `bin`: a string or an object.
pub(super) fn read_bin(reader: &mut Reader<'_>) -> Result<Bin> {
    if reader.peek()? == Some(b'"') {
        return Ok(Bin::File(reader.string()?.into()));
    }
    let mut bins: Vec<(Box<str>, Box<str>)> = Vec::new();
    reader.object(|reader, key, _| {
        bins.push((key.into(), reader.string()?.into()));
        Ok(())
    })?;
    Ok(Bin::Map(bins.into()))
}

fn read_overrides(reader: &mut Reader<'_>) -> Result<Vec<(Symbol, OverrideRule)>> {
    read_map(reader, |reader| {
        Ok(if reader.peek()? == Some(b'"') {
            OverrideRule::Everywhere(read_symbol(reader)?)
        } else {
            OverrideRule::Scoped(read_symbol_map(reader)?)
        })
    })
}

fn read_extension(reader: &mut Reader<'_>) -> Result<PackageExtension> {
    let mut extension = PackageExtension::default();
    reader.object(|reader, key, _| {
        match &*key {
            "dependencies" => extension.dependencies = read_symbols(reader)?,
            "peerDependencies" => extension.peer_dependencies = read_symbols(reader)?,
            "optionalPeers" => extension.optional_peers = read_symbols(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(extension)
}

fn read_workspaces(reader: &mut Reader<'_>) -> Result<Vec<WorkspaceEntry>> {
    let mut seen = Seen::default();
    let mut workspaces = Vec::new();
    reader.object(|reader, key, offset| {
        seen.check(reader, key.clone(), offset)?;
        if !is_inside(&key) {
            return Err(LockfileError::InvalidEntry {
                entry: key.into_owned(),
                position: reader.position(offset),
                reason: "the folder of a workspace must lie inside the project",
            });
        }
        workspaces.push(read_workspace(reader, key.into_owned())?);
        Ok(())
    })?;
    Ok(workspaces)
}

/// Whether `path` is empty or leads, name by name, to a folder inside the project.
pub(crate) fn is_inside(path: &str) -> bool {
    let leads_astray = |part: &str| {
        matches!(part, "" | "." | ".." | "node_modules")
            || part.contains(|c: char| matches!(c, '\\' | ':') || c.is_control())
    };
    path.is_empty() || !path.split('/').any(leads_astray)
}

fn read_workspace(reader: &mut Reader<'_>, path: String) -> Result<WorkspaceEntry> {
    let mut entry = WorkspaceEntry { path, ..WorkspaceEntry::default() };
    let mut seen = Seen::default();
    reader.object(|reader, key, offset| {
        seen.check(reader, key.clone(), offset)?;
        match &*key {
            "name" => {
                let offset = reader.offset()?;
                let name = reader.string()?;
                // A workspace's name is a folder in `node_modules`; the root's is only shown.
                if !entry.path.is_empty() {
                    alias(reader, &name, offset)?;
                }
                entry.name = Some(Symbol::new(&name));
            }
            "version" => entry.version = Some(read_symbol(reader)?),
            "bin" => entry.bin = read_bin(reader)?,
            "binDir" => entry.bin = Bin::Directory(reader.string()?.into()),
            "dependencies" => entry.dependencies = read_dependencies(reader)?,
            "devDependencies" => entry.dev_dependencies = read_dependencies(reader)?,
            "optionalDependencies" => entry.optional_dependencies = read_dependencies(reader)?,
            "peerDependencies" => entry.peer_dependencies = read_dependencies(reader)?,
            "optionalPeers" => entry.optional_peers = read_aliases(reader)?,
            "unresolved" => entry.unresolved = read_aliases(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(entry)
}
