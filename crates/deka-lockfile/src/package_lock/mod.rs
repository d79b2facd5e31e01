//! npm's `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
//!
//! ```text
//! "packages": {
//!   "": { "dependencies": { "p": "^1" } },           the root; its edges, as in package.json
//!   "packages/a": { … },                             a workspace or a folder
//!   "node_modules/a": { "resolved": "packages/a", "link": true },
//!   "node_modules/p": { "version": "1.0.0", "resolved": "https://…", "integrity": "sha512-…" },
//!   "node_modules/p/node_modules/s": { … }
//! }
//! ```
//! A key is a place on the disk, and a dependency leads to what Node would find from there. Version 1
//! nests the places in one another and tells of neither peers, commands nor platforms; its places are
//! brought into the shape of the others.

mod entry;
mod version_1;

use deka_graph::{Edge, EdgeKind, Package, PackageId, Resolution, TarballLocation};
use deka_manifest::{Alias, Bin, PackageName, Spec, Symbol, Version};
use entry::Entry;
use hashbrown::HashMap;
use serde_json::Value;

use crate::migrate::{
    Draft, Needs, Registries, edge, git_resolution, github_resolution, is_web, json,
};
use crate::{Lockfile, LockfileError, WorkspaceEntry};

type Result<T> = std::result::Result<T, LockfileError>;

/// Reads the text; what it says of the manifests goes into `lockfile`'s sections.
pub(crate) fn read(
    text: &str,
    lockfile: &mut Lockfile,
    registries: Registries<'_>,
) -> Result<Draft> {
    let value = json(text)?;
    let places = match value.get("lockfileVersion").and_then(Value::as_u64) {
        Some(2..=4) => entry::all(&value)?,
        Some(1) | None if value.get("dependencies").is_some() => {
            version_1::all(&value, &lockfile.workspaces)
        }
        Some(version) => {
            return Err(LockfileError::UnsupportedFormat { version: version.to_string() });
        }
        None => {
            return Err(LockfileError::MissingSection { section: "lockfileVersion" });
        }
    };
    let index_of = places.iter().zip(0..).map(|((key, _), index)| (key.clone(), index)).collect();
    let tree = Tree { places, index_of, registries };
    tree.describe_manifests(&mut lockfile.workspaces);
    let mut draft = tree.draft(&lockfile.workspaces)?;
    draft.forget_missing(&mut lockfile.workspaces, |folder, edge| {
        edge.kind == EdgeKind::Optional || tree.manifest_in(folder).is_none()
    });
    Ok(draft)
}

/// The places by their keys.
struct Tree<'a> {
    places: Vec<(String, Entry)>,
    index_of: HashMap<String, usize>,
    registries: Registries<'a>,
}

impl Tree<'_> {
    /// Puts what the file says of manifests into the sections; workspaces that it does not know go.
    fn describe_manifests(&self, workspaces: &mut Vec<WorkspaceEntry>) {
        workspaces.retain(|entry| entry.path.is_empty() || self.index_of.contains_key(&entry.path));
        for workspace in workspaces {
            let Some(entry) = self.manifest_in(&workspace.path) else { continue };
            workspace.dependencies.clone_from(&entry.dependencies);
            workspace.dev_dependencies.clone_from(&entry.dev_dependencies);
            workspace.optional_dependencies.clone_from(&entry.optional_dependencies);
            workspace.peer_dependencies.clone_from(&entry.peer_dependencies);
            workspace.optional_peers.clone_from(&entry.optional_peers);
        }
    }

    /// Returns what the file says of the manifest in `folder`; version 1 says nothing.
    fn manifest_in(&self, folder: &str) -> Option<&Entry> {
        let entry = &self.places[*self.index_of.get(folder)?].1;
        (entry.needs != Needs::Everything).then_some(entry)
    }

    /// Follows all edges from the root and the workspaces on.
    fn draft(&self, workspaces: &[WorkspaceEntry]) -> Result<Draft> {
        let mut draft = Draft::new(workspaces);
        let mut ids: HashMap<usize, PackageId> = HashMap::new();
        let mut queue: Vec<(String, PackageId)> = Vec::new();
        for (workspace, id) in workspaces.iter().zip(0..) {
            if let Some(index) = self.index_of.get(&workspace.path) {
                ids.insert(*index, PackageId(id));
            }
            queue.push((workspace.path.clone(), PackageId(id)));
        }
        let mut at = 0;
        while let Some((place, id)) = queue.get(at).cloned() {
            at += 1;
            let mut edges = std::mem::take(draft.edges_mut(id));
            for edge in edges.iter_mut().filter(|edge| edge.kind != EdgeKind::Workspace) {
                let Some(index) = self.find(&place, edge.alias) else {
                    // `--legacy-peer-deps` installs no peers: Bun then takes them for optional.
                    edge.optional_peer |=
                        edge.kind == EdgeKind::Peer && id.index() >= workspaces.len();
                    continue;
                };
                let (key, entry) = &self.places[index];
                let is_below = key.strip_prefix(&*place).is_some_and(|rest| {
                    rest.strip_prefix("/node_modules/") == Some(edge.alias.as_str())
                });
                edge.bundled |= entry.is_bundled && is_below;
                let real = self.follow_link(index);
                if let Some(known) = ids.get(&real) {
                    edge.target = Some(*known);
                    continue;
                }
                let (key, entry) = &self.places[real];
                let package = self.package(key, entry, edge)?;
                let is_folder = matches!(package.resolution, Resolution::Folder(_));
                let (target, is_new) = draft.add(package, entry.needs);
                ids.insert(real, target);
                edge.target = Some(target);
                if is_new {
                    draft.edges_mut(target).extend(entry.edges(is_folder));
                    queue.push((key.clone(), target));
                }
            }
            *draft.edges_mut(id) = edges;
        }
        Ok(draft)
    }

    /// Finds what Node would find in or above the folder `place`.
    fn find(&self, place: &str, alias: Alias) -> Option<usize> {
        let mut folder = place;
        loop {
            let separator = if folder.is_empty() { "" } else { "/" };
            let key = format!("{folder}{separator}node_modules/{alias}");
            if let Some(index) = self.index_of.get(&key) {
                return Some(*index);
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rfind('/').map_or("", |slash| &folder[..slash]);
        }
    }

    /// Returns the place that a link leads to, or `index` itself.
    fn follow_link(&self, index: usize) -> usize {
        let entry = &self.places[index].1;
        let target = entry.is_link.then(|| self.index_of.get(&entry.resolved)).flatten();
        target.copied().unwrap_or(index)
    }

    /// Returns the package at a place, without edges; `edge` is one that leads there.
    fn package(&self, key: &str, entry: &Entry, edge: &Edge) -> Result<Package> {
        let invalid = |reason| LockfileError::Foreign { entry: key.to_owned(), reason };
        let named = match key.rsplit_once("node_modules/") {
            Some((_, name)) => name,
            // A folder without a name has that of its dependent's wish.
            None => edge.alias.as_str(),
        };
        let name = entry.name.as_deref().unwrap_or(named);
        let name =
            PackageName::parse(name).map_err(|_| invalid("its name is not that of a package"))?;
        let mut bun_tag = None;
        let spec = Spec::parse(edge.alias, &edge.spec).ok();
        let git = match &spec {
            Some(Spec::GitHub { .. }) => github_resolution(&entry.resolved),
            _ => None,
        };
        let git = git.or_else(|| git_resolution(&entry.resolved));
        let resolution = match (spec, git) {
            (_, Some((resolution, tag))) => {
                bun_tag = Some(tag);
                resolution
            }
            (Some(Spec::RemoteTarball(_)), None) if is_web(&entry.resolved) => {
                Resolution::RemoteTarball(Symbol::new(&entry.resolved))
            }
            _ if !key.contains("node_modules/") => Resolution::Folder(Symbol::new(key)),
            _ => match entry.resolved.strip_prefix("file:") {
                Some(path) if is_tarball(path) => Resolution::LocalTarball(Symbol::new(path)),
                Some(path) => Resolution::Folder(Symbol::new(path)),
                None if entry.is_link => Resolution::Folder(Symbol::new(&entry.resolved)),
                None => Resolution::Npm {
                    version: Version::parse(&entry.version)
                        .map_err(|_| invalid("its version is none"))?,
                    tarball: match &*entry.resolved {
                        "" => TarballLocation::Registry,
                        url => self.registries.locate(url),
                    },
                },
            },
        };
        Ok(Package {
            name,
            resolution,
            integrity: entry.integrity,
            bun_tag,
            platforms: entry.platforms,
            has_install_script: entry.has_install_script,
            bin: entry.bin(name),
            edges: 0..0,
        })
    }
}

fn is_tarball(path: &str) -> bool {
    [".tgz", ".tar.gz"].iter().any(|end| path.ends_with(end))
}

impl Entry {
    /// Returns its edges, without targets.
    fn edges(&self, with_dev: bool) -> Vec<Edge> {
        let groups = [
            (EdgeKind::Dev, &self.dev_dependencies),
            (EdgeKind::Optional, &self.optional_dependencies),
            (EdgeKind::Prod, &self.dependencies),
            (EdgeKind::Peer, &self.peer_dependencies),
        ];
        let mut edges: Vec<Edge> = Vec::new();
        for (kind, group) in groups {
            if kind == EdgeKind::Dev && !with_dev {
                continue;
            }
            for (alias, spec) in group {
                if edges.iter().all(|known| known.alias != *alias) {
                    let optional_peer =
                        kind == EdgeKind::Peer && self.optional_peers.contains(alias);
                    edges.push(Edge { optional_peer, ..edge(*alias, *spec, kind) });
                }
            }
        }
        edges
    }

    fn bin(&self, name: PackageName) -> Bin {
        crate::migrate::file_bin(&self.bin, name)
    }
}

#[cfg(test)]
mod tests;
