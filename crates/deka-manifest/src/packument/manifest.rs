//! One version, decoded.

use std::borrow::Cow;

use super::record::{Field, VersionRow};
use super::scan::{Scanner, read_string};
use super::{Packument, PackumentError, VersionIndex};
use crate::{
    Alias, Bin, Bundled, CpuSet, Integrity, LibcSet, OsSet, PackageName, Platforms, Symbol, Version,
};

/// What the registry says about one version, as far as installing needs it.
///
/// Odd shapes count as absent, as they do for Bun: object-valued ranges, arrays of dependencies,
/// names that are none. A name in several groups is left in one of them: `optionalDependencies`
/// come before `dependencies`, these before `peerDependencies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionManifest {
    /// The package's name.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// `dependencies` in declared order, ranges verbatim.
    pub dependencies: Vec<(Alias, Symbol)>,
    /// `optionalDependencies` in declared order.
    pub optional_dependencies: Vec<(Alias, Symbol)>,
    /// `peerDependencies` in declared order, then those that only `peerDependenciesMeta` has (`*`).
    pub peer_dependencies: Vec<(Alias, Symbol)>,
    /// Those of `peer_dependencies` that may be missing.
    pub optional_peers: Vec<Alias>,
    /// Which dependencies come inside the tarball.
    pub bundled: Bundled,
    /// Its commands, in the shape in which the registry has them. Names and paths are not checked.
    pub bin: Bin,
    /// Where it runs.
    pub platforms: Platforms,
    /// Whether it has scripts that run when it is installed.
    pub has_install_script: bool,
    /// The tarball's URL verbatim; empty if the registry names none.
    pub tarball: Symbol,
    /// What the tarball must hash to, as `bun.lock` has it: the strongest hash of `dist.integrity`,
    /// else `dist.shasum` as SRI; empty if there is neither.
    pub integrity: Symbol,
    /// The size of all files, a hint that the publisher gave.
    pub unpacked_size: Option<u64>,
    /// The number of files, a hint that the publisher gave.
    pub file_count: Option<u32>,
    /// Why it should not be used any more.
    pub deprecated: Option<Box<str>>,
}

impl VersionManifest {
    /// Decodes the version at `index`.
    pub(super) fn decode(
        packument: &Packument,
        index: VersionIndex,
    ) -> Result<Self, PackumentError> {
        let (layout, record) = (packument.layout, packument.record());
        let row = layout.version_row(record, index.0);
        let mut values = [&b""[..]; Field::COUNT + 1];
        for field in layout.fields(record, row) {
            let (field, value) = field?;
            if let Some(slot) = values.get_mut(usize::from(field)) {
                *slot = value;
            }
        }
        let value = |field: Field| values[field as usize];

        let optional_dependencies = dependencies(value(Field::OptionalDependencies));
        let mut dependency_group = dependencies(value(Field::Dependencies));
        without(&mut dependency_group, &optional_dependencies);
        let mut peer_dependencies = dependencies(value(Field::PeerDependencies));
        let optional_peers = add_optional_peers(
            value(Field::PeerDependenciesMeta),
            &mut peer_dependencies,
            [&dependency_group, &optional_dependencies],
        );

        // `bundleDependencies` is what npm documents; the other spelling is an alias.
        let bundled = match value(Field::BundleDependencies) {
            b"" => value(Field::BundledDependencies),
            bundled => bundled,
        };
        let bin = match bin(value(Field::Bin)) {
            Bin::None => read_string(value(Field::DirectoriesBin))
                .filter(|folder| !folder.is_empty())
                .map_or(Bin::None, |folder| Bin::Directory(folder.into())),
            bin => bin,
        };
        Ok(Self {
            name: packument.name(),
            version: packument.version(index),
            dependencies: dependency_group,
            optional_dependencies,
            peer_dependencies,
            optional_peers,
            bundled: self::bundled(bundled),
            bin,
            platforms: Platforms {
                os: OsSet::from_entries(list(value(Field::Os)).iter().map(|entry| &**entry)),
                cpu: CpuSet::from_entries(list(value(Field::Cpu)).iter().map(|entry| &**entry)),
                libc: LibcSet::of_package(list(value(Field::Libc)).iter().map(|entry| &**entry)),
            },
            has_install_script: row.flags & VersionRow::INSTALL_SCRIPT != 0,
            tarball: Symbol::new(&read_string(value(Field::Tarball)).unwrap_or_default()),
            integrity: integrity(value(Field::Integrity), value(Field::Shasum)),
            unpacked_size: number(value(Field::UnpackedSize)),
            file_count: number(value(Field::FileCount)).and_then(|count| count.try_into().ok()),
            deprecated: (row.flags & VersionRow::DEPRECATED != 0)
                .then(|| read_string(value(Field::Deprecated)).unwrap_or_default().into()),
        })
    }
}

/// Removes those of `group` that are in `stronger` too.
fn without(group: &mut Vec<(Alias, Symbol)>, stronger: &[(Alias, Symbol)]) {
    if !stronger.is_empty() {
        group.retain(|(alias, _)| stronger.iter().all(|(other, _)| other != alias));
    }
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Reads the entries of an object whose values are strings; others are left out. Of equal names the
/// last value counts, at the place of the first.
fn dependencies(value: &[u8]) -> Vec<(Alias, Symbol)> {
    let mut group: Vec<(Alias, Symbol)> = Vec::new();
    if !value.starts_with(b"{") {
        return group;
    }
    // What stands behind a broken entry is not there.
    let _ = Scanner::new(value).object(|scanner, key| {
        let value = scanner.skip()?;
        let Some(range) = read_string(value) else { return Some(()) };
        let alias = std::str::from_utf8(&key).ok().and_then(|name| Alias::parse(name).ok());
        if let Some(alias) = alias {
            let range = Symbol::new(&range);
            match group.iter_mut().find(|(known, _)| *known == alias) {
                Some((_, known)) => *known = range,
                None => group.push((alias, range)),
            }
        }
        Some(())
    });
    group
}

/// Reads `peerDependenciesMeta`, adds peers that only it has, and drops peers that are in a
/// `stronger` group.
fn add_optional_peers(
    meta: &[u8],
    peers: &mut Vec<(Alias, Symbol)>,
    stronger: [&[(Alias, Symbol)]; 2],
) -> Vec<Alias> {
    let mut optional = Vec::new();
    if meta.starts_with(b"{") {
        let _ = Scanner::new(meta).object(|scanner, key| {
            let mut is_optional = false;
            scanner.object_or_skip(|scanner, key| {
                let value = scanner.skip()?;
                if &*key == b"optional" {
                    is_optional = value == b"true";
                }
                Some(())
            })?;
            let alias = std::str::from_utf8(&key).ok().and_then(|name| Alias::parse(name).ok());
            if let Some(alias) = alias.filter(|alias| is_optional && !optional.contains(alias)) {
                optional.push(alias);
                if peers.iter().all(|(known, _)| *known != alias) {
                    peers.push((alias, Symbol::new("*")));
                }
            }
            Some(())
        });
    }
    for group in stronger {
        without(peers, group);
    }
    optional.retain(|alias| peers.iter().any(|(known, _)| known == alias));
    optional
}

fn bundled(value: &[u8]) -> Bundled {
    match value {
        b"true" => Bundled::All,
        [b'[', ..] => {
            let names: Vec<Symbol> = list(value).iter().map(|name| Symbol::new(name)).collect();
            if names.is_empty() { Bundled::None } else { Bundled::Names(names) }
        }
        _ => Bundled::None,
    }
}

fn bin(value: &[u8]) -> Bin {
    match value.first() {
        Some(b'"') => read_string(value)
            .filter(|file| !file.is_empty())
            .map_or(Bin::None, |file| Bin::File(file.into())),
        Some(b'{') => {
            let mut commands: Vec<(Box<str>, Box<str>)> = Vec::new();
            let _ = Scanner::new(value).object(|scanner, key| {
                let value = scanner.skip()?;
                let Some(file) = read_string(value) else { return Some(()) };
                if let Ok(command) = std::str::from_utf8(&key) {
                    match commands.iter_mut().find(|(known, _)| **known == *command) {
                        Some((_, known)) => *known = file.into(),
                        None => commands.push((command.into(), file.into())),
                    }
                }
                Some(())
            });
            if commands.is_empty() { Bin::None } else { Bin::Map(commands.into_boxed_slice()) }
        }
        _ => Bin::None,
    }
}

/// Reads a string or the strings of an array.
fn list(value: &[u8]) -> Vec<Cow<'_, str>> {
    match value.first() {
        Some(b'"') => read_string(value).into_iter().collect(),
        Some(b'[') => {
            let mut entries = Vec::new();
            let _ = Scanner::new(value).array(|scanner| {
                entries.extend(read_string(scanner.skip()?));
                Some(())
            });
            entries
        }
        _ => Vec::new(),
    }
}

fn integrity(integrity: &[u8], shasum: &[u8]) -> Symbol {
    let strongest = read_string(integrity).and_then(|text| Integrity::parse(&text).ok());
    let strongest = strongest
        .or_else(|| read_string(shasum).and_then(|text| Integrity::from_shasum(text.trim())));
    strongest.map_or_else(|| Symbol::new(""), |integrity| Symbol::new(&integrity.to_string()))
}
