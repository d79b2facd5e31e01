//! pnpm's `pnpm-lock.yaml`, of the versions 5 to 9.
//!
//! ```text
//! importers:
//!   packages/a:
//!     dependencies:
//!       p: { specifier: ^1.0.0, version: 1.0.0(r@2.0.0) }       which instance of which package
//! packages:
//!   p@1.0.0: { resolution: { integrity: sha512-… }, peerDependencies: { r: ^2 } }
//! snapshots:
//!   p@1.0.0(r@2.0.0): { dependencies: { r: 2.0.0, s: 1.1.0 } }
//! ```
//! An instance is a package with what its peers lead to; for `bun.lock` the first instance stands for
//! all. Which ranges packages ask for is not told, so the versions that they got stand for them, as
//! with Bun. Older versions have packages and snapshots in one, and other keys; they are brought into
//! the shape of version 9.

mod old;
pub mod settings;

use deka_graph::{Edge, EdgeKind, Package, PackageId, Resolution, TarballLocation};
use deka_manifest::{
    Alias, Bin, CpuSet, LibcSet, OsSet, PackageName, Platforms, Symbol, Version, split_name,
};
use hashbrown::HashMap;
use serde_json::{Map, Value};

use crate::migrate::{
    Draft, Needs, Registries, edge, git_resolution, integrity, is_web, strings, symbols, text, yaml,
};
use crate::{Lockfile, LockfileError};

type Result<T> = std::result::Result<T, LockfileError>;

/// The groups in which a manifest or a package has dependencies.
const GROUPS: [(&str, EdgeKind); 3] = [
    ("dependencies", EdgeKind::Prod),
    ("devDependencies", EdgeKind::Dev),
    ("optionalDependencies", EdgeKind::Optional),
];

/// Reads the text; what it says of the manifests goes into `lockfile`'s sections.
pub(crate) fn read(
    text: &str,
    lockfile: &mut Lockfile,
    registries: Registries<'_>,
) -> Result<Draft> {
    let mut value = yaml(text)?;
    let version = self::text(&value, "lockfileVersion").to_owned();
    match version.split('.').next().and_then(|major| major.parse::<u32>().ok()) {
        Some(5) => value = old::from_5(&value),
        Some(6) => value = old::from_6(&value),
        Some(7..=9) => {}
        Some(_) => return Err(LockfileError::UnsupportedFormat { version }),
        None => return Err(LockfileError::MissingSection { section: "lockfileVersion" }),
    }
    let empty = Map::new();
    let object = |key: &str| value.get(key).and_then(Value::as_object).unwrap_or(&empty);
    let file = File {
        importers: object("importers"),
        packages: object("packages"),
        snapshots: object("snapshots"),
        registries,
    };
    file.describe_manifests(lockfile);
    file.into_draft(lockfile)
}

/// What the file says.
struct File<'a> {
    importers: &'a Map<String, Value>,
    packages: &'a Map<String, Value>,
    snapshots: &'a Map<String, Value>,
    registries: Registries<'a>,
}

/// What a version in the file leads to.
enum Reference {
    /// A member of the workspaces, or another folder, from the one of the dependent.
    Link(String),
    /// An instance of a package, by its key.
    Snapshot(String),
}

impl<'a> File<'a> {
    fn importer(&self, path: &str) -> Option<&'a Value> {
        self.importers.get(if path.is_empty() { "." } else { path })
    }

    /// Returns what a manifest got for a dependency, and what it asked for.
    fn importer_entry(&self, path: &str, alias: Alias) -> Option<(&'a str, &'a str)> {
        let importer = self.importer(path)?;
        let mut groups = GROUPS.iter().filter_map(|(group, _)| importer.get(*group));
        let entry = groups.find_map(|group| group.get(alias.as_str()))?;
        Some((text(entry, "specifier"), text(entry, "version")))
    }

    /// Puts what the file says of manifests into the sections; workspaces that it does not know go.
    fn describe_manifests(&self, lockfile: &mut Lockfile) {
        lockfile
            .workspaces
            .retain(|entry| entry.path.is_empty() || self.importer(&entry.path).is_some());
        let overridden: Vec<Symbol> = lockfile.overrides.iter().map(|(name, _)| *name).collect();
        for workspace in &mut lockfile.workspaces {
            let groups = [
                &mut workspace.dependencies,
                &mut workspace.dev_dependencies,
                &mut workspace.optional_dependencies,
            ];
            for (alias, spec) in groups.into_iter().flatten() {
                let entry = self.importer_entry(&workspace.path, *alias);
                if let Some((specifier, _)) = entry
                    && !specifier.is_empty()
                    // What overrides say stands in place of what the manifest does.
                    && !overridden.contains(&alias.symbol())
                {
                    *spec = Symbol::new(specifier);
                }
            }
        }
    }

    fn into_draft(self, lockfile: &Lockfile) -> Result<Draft> {
        let workspaces = &lockfile.workspaces;
        let mut draft = Draft::new(workspaces);
        let id_of_path: HashMap<&str, PackageId> =
            workspaces.iter().zip(0..).map(|(entry, id)| (&*entry.path, PackageId(id))).collect();
        let mut queue: Vec<(String, PackageId)> = Vec::new();
        for (workspace, id) in workspaces.iter().zip(0..).map(|(it, id)| (it, PackageId(id))) {
            let mut edges = std::mem::take(draft.edges_mut(id));
            for edge in edges.iter_mut().filter(|edge| edge.kind != EdgeKind::Workspace) {
                let entry = self.importer_entry(&workspace.path, edge.alias);
                let Some((_, version)) = entry else { continue };
                edge.target = match self.reference(edge.alias, version) {
                    Some(Reference::Link(path)) => {
                        id_of_path.get(&*join(&workspace.path, &path)).copied()
                    }
                    Some(Reference::Snapshot(key)) => {
                        Some(self.add(&mut draft, &mut queue, key, edge.alias)?)
                    }
                    None => None,
                };
            }
            *draft.edges_mut(id) = edges;
        }
        let mut at = 0;
        while let Some((key, id)) = queue.get(at).cloned() {
            at += 1;
            let edges = self.edges(&key, &mut draft, &mut queue)?;
            *draft.edges_mut(id) = edges;
        }
        Ok(draft)
    }

    /// Finds what a version stands for.
    fn reference(&self, alias: Alias, version: &str) -> Option<Reference> {
        if let Some(path) = version.strip_prefix("link:") {
            return Some(Reference::Link(path.to_owned()));
        }
        let named = format!("{alias}@{version}");
        [named.as_str(), version]
            .into_iter()
            .find(|key| self.snapshots.contains_key(*key))
            .map(|key| Reference::Snapshot(key.to_owned()))
    }

    /// Adds the package of an instance; the first one's edges are to be read.
    fn add(
        &self,
        draft: &mut Draft,
        queue: &mut Vec<(String, PackageId)>,
        key: String,
        alias: Alias,
    ) -> Result<PackageId> {
        let package = self.package(&key, alias)?;
        let (id, is_new) = draft.add(package, Needs::Facts);
        if is_new {
            queue.push((key, id));
        }
        Ok(id)
    }

    fn package(&self, key: &str, alias: Alias) -> Result<Package> {
        let invalid = |reason| LockfileError::Foreign { entry: key.to_owned(), reason };
        let base = without_peers(key);
        let missing = Value::Null;
        let known = self.packages.get(base).unwrap_or(&missing);
        let (name, version) = split_name(base).unwrap_or((alias.as_str(), base));
        let name = Some(text(known, "name")).filter(|name| !name.is_empty()).unwrap_or(name);
        let name =
            PackageName::parse(name).map_err(|_| invalid("its name is not that of a package"))?;
        let from = known.get("resolution").unwrap_or(&missing);
        let tarball = text(from, "tarball");
        let mut bun_tag = None;
        let resolution = if let Ok(version) = Version::parse(version) {
            let tarball = match tarball {
                "" => TarballLocation::Registry,
                url => self.registries.locate(url),
            };
            Resolution::Npm { version, tarball }
        } else if let Some((resolution, tag)) =
            git_resolution(tarball).or_else(|| git_resolution(version)).or_else(|| {
                let commit = text(from, "commit");
                git_resolution(&format!("git+{}#{commit}", text(from, "repo")))
            })
        {
            bun_tag = Some(tag);
            resolution
        } else if is_web(version) {
            Resolution::RemoteTarball(Symbol::new(version))
        } else if let Some(path) = version.strip_prefix("file:") {
            if tarball.is_empty() {
                Resolution::Folder(Symbol::new(path))
            } else {
                Resolution::LocalTarball(Symbol::new(path))
            }
        } else {
            return Err(invalid("its version is none"));
        };
        Ok(Package {
            name,
            resolution,
            integrity: integrity(text(from, "integrity")),
            bun_tag,
            platforms: Platforms {
                os: OsSet::from_entries(strings(known, "os")),
                cpu: CpuSet::from_entries(strings(known, "cpu")),
                libc: LibcSet::of_package(strings(known, "libc")),
            },
            has_install_script: text(known, "requiresBuild") == "true",
            bin: Bin::None,
            edges: 0..0,
        })
    }

    /// Reads the edges of an instance, and adds what they lead to.
    fn edges(
        &self,
        key: &str,
        draft: &mut Draft,
        queue: &mut Vec<(String, PackageId)>,
    ) -> Result<Vec<Edge>> {
        let missing = Value::Null;
        let known = self.packages.get(without_peers(key)).unwrap_or(&missing);
        let snapshot = self.snapshots.get(key).unwrap_or(&missing);
        let meta = known.get("peerDependenciesMeta");
        let mut edges: Vec<Edge> = symbols(known, "peerDependencies")
            .into_iter()
            .map(|(alias, spec)| {
                let optional = meta.and_then(|meta| meta.get(alias.as_str()));
                let optional_peer = optional.is_some_and(|meta| text(meta, "optional") == "true");
                Edge { optional_peer, ..edge(alias, spec, EdgeKind::Peer) }
            })
            .collect();
        for (group, kind) in GROUPS {
            for (alias, version) in symbols(snapshot, group) {
                let target = match self.reference(alias, &version) {
                    Some(Reference::Snapshot(key)) => Some((
                        self.add(draft, queue, key.clone(), alias)?,
                        without_peers(&key).to_owned(),
                    )),
                    Some(Reference::Link(_)) | None => None,
                };
                let id = target.as_ref().map(|(id, _)| *id);
                if let Some(peer) = edges.iter_mut().find(|edge| edge.alias == alias) {
                    peer.target = id;
                    continue;
                }
                let spec = match target.as_ref().and_then(|(_, base)| split_name(base)) {
                    Some((name, version)) if name == alias.as_str() => version.to_owned(),
                    Some((name, version)) => format!("npm:{name}@{version}"),
                    None => without_peers(&version).to_owned(),
                };
                edges.push(Edge { target: id, ..edge(alias, Symbol::new(&spec), kind) });
            }
        }
        Ok(edges)
    }
}

/// Returns the key of the package that `key` is an instance of.
fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or(key)
}

/// Returns the folder that is at `path` from the folder `from`, both below the root.
fn join(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
