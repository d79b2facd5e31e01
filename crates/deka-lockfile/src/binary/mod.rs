//! Bun's older, binary lockfile: `bun.lockb`, versions 2 and 3 of its format.
//!
//! ```text
//! #!/usr/bin/env bun\nbun-lockfile-format-v0\n   version   hash   length
//! number of packages, then one column for each of their fields:
//!   name │ hash of it │ resolution │ slice of dependencies │ slice of targets │ platforms, integrity │ bin │ scripts
//! arrays: places, hoisted, targets, dependencies, texts of commands, texts
//! a zero, and what was added later, each behind a tag of eight letters
//! ```
//! Everything is little-endian. An array is preceded by where it begins and ends, a text of up to eight
//! bytes stands for itself, a longer one for a part of all texts. The file is somebody else's: every
//! offset and length is checked, and what it costs to read grows with its size alone.

mod bytes;
mod package;

use deka_graph::{Edge, EdgeKind, PackageId, Resolution};
use deka_manifest::{Alias, Symbol};
use hashbrown::HashMap;

use self::bytes::{Cursor, Texts, number_at, slice_at};
use crate::migrate::{Draft, Needs, Registries, edge};
use crate::{Lockfile, LockfileError, WorkspaceEntry};

type Result<T> = std::result::Result<T, LockfileError>;

const HEADER: &[u8] = b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n";

/// What a dependency stands for, as bits.
mod behavior {
    pub(super) const PROD: u8 = 1 << 1;
    pub(super) const OPTIONAL: u8 = 1 << 2;
    pub(super) const DEV: u8 = 1 << 3;
    pub(super) const PEER: u8 = 1 << 4;
    pub(super) const WORKSPACE: u8 = 1 << 5;
    pub(super) const BUNDLED: u8 = 1 << 6;
}

/// Reads the file; what it says of the manifests goes into `lockfile`'s sections.
pub(crate) fn read(
    bytes: &[u8],
    lockfile: &mut Lockfile,
    registries: Registries<'_>,
) -> Result<Draft> {
    let file = File::read(bytes)?;
    lockfile.config_version = file.config_version;
    let packages = file.packages(registries)?;
    describe_manifests(&packages, &mut lockfile.workspaces);
    Ok(into_draft(&packages, &lockfile.workspaces))
}

/// The parts of the file.
struct File<'a> {
    names: &'a [[u8; 8]],
    resolutions: Resolutions<'a>,
    dependency_slices: &'a [[u8; 8]],
    target_slices: &'a [[u8; 8]],
    metas: &'a [[u8; 88]],
    bins: &'a [[u8; 20]],
    targets: &'a [[u8; 4]],
    dependencies: &'a [[u8; 26]],
    /// Names and files of commands.
    command_texts: &'a [[u8; 16]],
    texts: Texts<'a>,
    config_version: u32,
}

/// What packages were resolved to; the numbers of versions grew.
enum Resolutions<'a> {
    Version2(&'a [[u8; 64]]),
    Version3(&'a [[u8; 72]]),
}

/// A package with its edges, whose targets are numbers of packages in the file.
struct Read {
    package: deka_graph::Package,
    edges: Vec<(Edge, Option<usize>)>,
}

impl<'a> File<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut cursor = Cursor::new(bytes);
        if cursor.take(HEADER.len(), "header")? != HEADER {
            return Err(cursor.damaged("header"));
        }
        let version = number_at(cursor.take(4, "version")?, 0).unwrap_or_default();
        if !matches!(version, 2 | 3) {
            return Err(LockfileError::UnsupportedFormat { version: version.to_string() });
        }
        cursor.take(32, "hash")?;
        let length = cursor.number("length")?;
        if length > bytes.len() {
            return Err(cursor.damaged("length"));
        }

        let count = cursor.number("packages")?;
        cursor.take(16, "packages")?;
        let (start, end) = (cursor.number("packages")?, cursor.number("packages")?);
        cursor.skip_to(start, "packages")?;
        let names = cursor.column(count, "names")?;
        cursor.column::<8>(count, "hashes of names")?;
        let resolutions = match version {
            2 => Resolutions::Version2(cursor.column(count, "resolutions")?),
            _ => Resolutions::Version3(cursor.column(count, "resolutions")?),
        };
        let dependency_slices = cursor.column(count, "dependencies")?;
        let target_slices = cursor.column(count, "targets")?;
        let metas = cursor.column(count, "platforms")?;
        let bins = cursor.column(count, "commands")?;
        cursor.skip_to(end, "packages")?;

        cursor.array::<1>("places")?;
        cursor.array::<1>("hoisted dependencies")?;
        let targets = cursor.array("targets")?;
        let dependencies = cursor.array("dependencies")?;
        let command_texts = cursor.array("texts of commands")?;
        let texts = Texts(cursor.array::<1>("texts")?.as_flattened());
        if targets.len() != dependencies.len() {
            return Err(cursor.damaged("targets"));
        }
        let config_version = config_version(&mut cursor, length)?;
        Ok(Self {
            names,
            resolutions,
            dependency_slices,
            target_slices,
            metas,
            bins,
            targets,
            dependencies,
            command_texts,
            texts,
            config_version,
        })
    }

    fn packages(&self, registries: Registries<'_>) -> Result<Vec<Read>> {
        // Slices of honest files do not overlap; others must not cost more than those.
        let (mut edges_left, mut texts_left) = (self.dependencies.len(), self.command_texts.len());
        let mut packages = Vec::with_capacity(self.names.len());
        for index in 0..self.names.len() {
            let name = self.texts.at(&self.names[index], 0).unwrap_or_default();
            let invalid = |reason| LockfileError::Foreign {
                entry: if name.is_empty() { format!("package {index}") } else { name.to_owned() },
                reason,
            };
            let dependencies = slice_at(self.dependencies, &self.dependency_slices[index], 0);
            let targets = slice_at(self.targets, &self.target_slices[index], 0);
            let (Some(dependencies), Some(targets)) = (dependencies, targets) else {
                return Err(invalid("its dependencies are not in the file"));
            };
            if dependencies.len() != targets.len() || dependencies.len() > edges_left {
                return Err(invalid("its dependencies are those of others"));
            }
            edges_left -= dependencies.len();
            let bin = self.bin(&self.bins[index], &mut texts_left).map_err(invalid)?;
            let package = self.package(index, name, bin, registries).map_err(invalid)?;
            let edges = dependencies.iter().zip(targets).map(|(dependency, target)| {
                let edge = self.edge(dependency)?;
                let target = u32::from_le_bytes(*target) as usize;
                let is_there = target < self.names.len();
                if !is_there && target != u32::MAX as usize {
                    return Err("it depends on a package that is not in the file");
                }
                Ok((edge, is_there.then_some(target)))
            });
            let edges = edges.collect::<std::result::Result<_, _>>().map_err(invalid)?;
            packages.push(Read { package, edges });
        }
        match packages.first() {
            Some(first) if first.package.resolution == Resolution::Root => Ok(packages),
            _ => Err(LockfileError::MissingSection { section: "packages" }),
        }
    }

    fn edge(&self, dependency: &[u8; 26]) -> std::result::Result<Edge, &'static str> {
        let name = self.texts.at(dependency, 0).and_then(|name| Alias::parse(name).ok());
        let name = name.ok_or("the name of a dependency is none")?;
        let spec = self.texts.at(dependency, 18).ok_or("a dependency has no readable version")?;
        let is = |bit: u8| dependency[16] & bit != 0;
        // Version 2 has the bit of workspaces at what they ask for as well.
        let kind = if is(behavior::PEER) {
            EdgeKind::Peer
        } else if is(behavior::OPTIONAL) {
            EdgeKind::Optional
        } else if is(behavior::DEV) {
            EdgeKind::Dev
        } else if is(behavior::WORKSPACE) && !is(behavior::PROD) {
            EdgeKind::Workspace
        } else {
            EdgeKind::Prod
        };
        Ok(Edge {
            optional_peer: is(behavior::PEER) && is(behavior::OPTIONAL),
            bundled: is(behavior::BUNDLED),
            ..edge(name, Symbol::new(spec), kind)
        })
    }
}

/// Goes through what was added later as far as the defaults that the project was set up with; 0 without.
fn config_version(cursor: &mut Cursor<'_>, end: usize) -> Result<u32> {
    const PART: &str = "later additions";

    cursor.number(PART)?;
    while cursor.is_before(end) {
        let arrays = match cursor.take(8, PART)? {
            b"eMpTrUsT" => 0,
            b"tRuStEDd" => 1,
            b"oVeRriDs" | b"pAtChEdD" => 2,
            b"wOrKsPaC" => 4,
            b"cAtAlOgS" => {
                cursor.array::<1>(PART)?;
                cursor.array::<1>(PART)?;
                cursor.array::<8>(PART)?.len() * 2
            }
            b"cNfGvRsN" => return Ok(number_at(cursor.take(8, PART)?, 0).unwrap_or_default()),
            _ => break,
        };
        for _ in 0..arrays {
            cursor.array::<1>(PART)?;
        }
    }
    Ok(0)
}

/// Puts what the file says of manifests into the sections; workspaces that it does not know go.
fn describe_manifests(packages: &[Read], workspaces: &mut Vec<WorkspaceEntry>) {
    let by_path: HashMap<&str, &Read> = packages
        .iter()
        .filter_map(|read| Some((read.package.resolution.importer_folder()?, read)))
        .collect();
    workspaces.retain(|entry| by_path.contains_key(&*entry.path));
    for entry in workspaces {
        let Some(read) = by_path.get(&*entry.path) else { continue };
        let group = |kind: EdgeKind| {
            let edges = read.edges.iter().filter(|(edge, _)| edge.kind == kind);
            let mut group: Vec<_> = edges.map(|(edge, _)| (edge.alias, edge.spec)).collect();
            group.sort();
            group.dedup_by_key(|(alias, _)| *alias);
            group
        };
        entry.dependencies = group(EdgeKind::Prod);
        entry.dev_dependencies = group(EdgeKind::Dev);
        entry.optional_dependencies = group(EdgeKind::Optional);
        entry.peer_dependencies = group(EdgeKind::Peer);
        let optional = read.edges.iter().filter(|(edge, _)| edge.optional_peer);
        entry.optional_peers = optional.map(|(edge, _)| edge.alias).collect();
        entry.optional_peers.sort();
    }
}

fn into_draft(packages: &[Read], workspaces: &[WorkspaceEntry]) -> Draft {
    let mut draft = Draft::new(workspaces);
    let own: HashMap<&str, PackageId> =
        workspaces.iter().zip(0..).map(|(entry, id)| (&*entry.path, PackageId(id))).collect();
    // A package may stand in the file more than once; its first edges count.
    let mut ids = Vec::with_capacity(packages.len());
    let mut fresh = Vec::with_capacity(packages.len());
    for read in packages {
        let id = match read.package.resolution.importer_folder() {
            Some(path) => own.get(path).map(|id| (*id, false)),
            None => Some(draft.add(read.package.clone(), Needs::Nothing)),
        };
        ids.push(id.map(|(id, _)| id));
        fresh.push(id.is_some_and(|(_, is_new)| is_new));
    }
    // The project itself, where a package asks for it.
    let mut itself = None;
    let root = packages.first().map(|read| read.package.clone());
    let mut target_of = |draft: &mut Draft, target: Option<usize>| match target? {
        0 => {
            let root = root.clone()?;
            Some(*itself.get_or_insert_with(|| draft.add(root, Needs::Nothing).0))
        }
        target => ids[target],
    };
    for (read, (id, is_new)) in packages.iter().zip(ids.iter().zip(&fresh)) {
        let Some(id) = *id else { continue };
        if *is_new {
            let edges = read.edges.iter().filter(|(edge, _)| edge.kind != EdgeKind::Workspace);
            let edges = edges.map(|(edge, target)| Edge {
                target: target_of(&mut draft, *target),
                ..edge.clone()
            });
            let edges: Vec<Edge> = edges.collect();
            draft.edges_mut(id).extend(edges);
        } else if read.package.resolution.importer_folder().is_some() {
            let targets: HashMap<(EdgeKind, Alias), Option<usize>> =
                read.edges.iter().map(|(edge, to)| ((edge.kind, edge.alias), *to)).collect();
            let mut edges = std::mem::take(draft.edges_mut(id));
            for edge in edges.iter_mut().filter(|edge| edge.kind != EdgeKind::Workspace) {
                let target = targets.get(&(edge.kind, edge.alias)).copied().flatten();
                edge.target = target_of(&mut draft, target);
            }
            *draft.edges_mut(id) = edges;
        }
    }
    draft
}
