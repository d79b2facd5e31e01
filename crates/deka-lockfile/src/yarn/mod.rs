//! yarn's `yarn.lock`: that of yarn 1 (`classic`), and that of all later ones (`berry`).
//!
//! Both list what each range of each name was resolved to, and nothing of the project itself. Neither
//! tells all of a package, so manifests of the very versions are asked for; not for peers of yarn 1, which
//! does not install any. What only yarn understands in the project's manifests is said in other words first
//! ([`dialect`]).

mod berry;
mod classic;
pub mod dialect;

use deka_graph::{Edge, EdgeKind, Package, PackageId, Resolution};
use deka_manifest::{Alias, Bin, PackageName, Platforms, Range, Spec, Symbol};
use hashbrown::HashMap;

use crate::migrate::{Draft, Needs, Registries, edge};
use crate::{Lockfile, LockfileError, OverrideRule};

type Result<T> = std::result::Result<T, LockfileError>;

/// One entry: what some ranges lead to.
struct Entry {
    /// `name@range` of each.
    descriptors: Vec<String>,
    name: PackageName,
    place: Place,
    integrity: Symbol,
    bun_tag: Option<Symbol>,
    dependencies: Vec<(Alias, Symbol)>,
    optional_dependencies: Vec<(Alias, Symbol)>,
}

/// Where the package of an entry is.
enum Place {
    /// A member of the workspaces, by its folder.
    Member(String),
    /// What `bun.lock` has, too.
    Resolved(Resolution),
    /// On this machine: it is looked at anew.
    Unknown,
}

/// Reads the text for the manifests in `lockfile`'s sections.
pub(crate) fn read(
    text: &str,
    lockfile: &mut Lockfile,
    registries: Registries<'_>,
) -> Result<Draft> {
    let (entries, needs) = if dialect::is_berry(text) {
        (berry::entries(text, registries)?, Needs::Everything)
    } else {
        (classic::entries(text, registries)?, Needs::Facts)
    };
    let file = File::new(entries);
    file.keep_overrides_that_held(lockfile);
    let mut draft = file.draft(lockfile, needs);
    let mut workspaces = std::mem::take(&mut lockfile.workspaces);
    draft.forget_missing(&mut workspaces, |_, edge| file.find_direct(edge, lockfile).is_some());
    lockfile.workspaces = workspaces;
    Ok(draft)
}

/// The entries, by what leads to them.
struct File {
    entries: Vec<Entry>,
    by_descriptor: HashMap<String, usize>,
    by_name: HashMap<PackageName, Vec<usize>>,
}

impl File {
    fn new(entries: Vec<Entry>) -> Self {
        let mut by_descriptor = HashMap::new();
        let mut by_name: HashMap<PackageName, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            by_name.entry(entry.name).or_default().push(at);
            by_descriptor.extend(entry.descriptors.iter().map(|key| (key.clone(), at)));
        }
        Self { entries, by_descriptor, by_name }
    }

    /// Takes the overrides out of the sections that yarn did not apply: it reads `resolutions` only.
    fn keep_overrides_that_held(&self, lockfile: &mut Lockfile) {
        lockfile.overrides.retain(|(name, rule)| match rule {
            OverrideRule::Everywhere(spec) => self.is_always(name, spec),
            OverrideRule::Scoped(below) => below.iter().all(|(child, spec)| match &**child {
                "." => self.is_always(name, spec),
                _ => self.is_below(name, child, spec),
            }),
        });
    }

    /// Whether all versions of a package are in the range `spec`.
    fn is_always(&self, name: &str, spec: &str) -> bool {
        let mut all = self.named(name).filter_map(Entry::version);
        Range::parse(spec).is_ok_and(|range| all.all(|version| range.satisfies(version)))
    }

    /// Whether all that packages of the name `parent` get as `child` is in the range `spec`.
    fn is_below(&self, parent: &str, child: &str, spec: &str) -> bool {
        let rows = self.named(parent).flat_map(|entry| &entry.dependencies);
        let mut all = rows
            .filter(|(alias, _)| alias.as_str() == child)
            .filter_map(|(alias, spec)| self.find(*alias, *spec, true)?.version());
        Range::parse(spec).is_ok_and(|range| all.all(|version| range.satisfies(version)))
    }

    /// Returns the entries of a name.
    fn named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        let all = PackageName::parse(name).ok().and_then(|name| self.by_name.get(&name));
        all.into_iter().flatten().map(|at| &self.entries[*at])
    }

    /// `needs` is what an entry does not tell of its package.
    fn draft(&self, lockfile: &Lockfile, needs: Needs) -> Draft {
        let workspaces = &lockfile.workspaces;
        let mut draft = Draft::new(workspaces);
        let mut id_of_path: HashMap<&str, PackageId> = HashMap::new();
        let mut id_of_name: HashMap<&str, PackageId> = HashMap::new();
        for (workspace, id) in workspaces.iter().zip(0..) {
            id_of_path.insert(&workspace.path, PackageId(id));
            if let Some(name) = workspace.name.filter(|_| id > 0) {
                id_of_name.insert(name.as_str(), PackageId(id));
            }
        }
        let mut queue: Vec<PackageId> = (0..workspaces.len() as u32).map(PackageId).collect();
        let mut at = 0;
        while let Some(id) = queue.get(at).copied() {
            at += 1;
            let is_importer = id.index() < workspaces.len();
            let mut edges = std::mem::take(draft.edges_mut(id));
            for edge in edges.iter_mut().filter(|edge| edge.kind != EdgeKind::Workspace) {
                let found = if is_importer {
                    self.find_direct(edge, lockfile)
                } else {
                    self.find(edge.alias, edge.spec, true)
                };
                let Some(entry) = found else {
                    // yarn 1 says nothing of members.
                    let member = id_of_name.get(edge.alias.as_str()).copied();
                    edge.target = member.filter(|_| is_importer);
                    continue;
                };
                edge.target = match &entry.place {
                    Place::Member(path) => id_of_path.get(&**path).copied(),
                    Place::Resolved(resolution) => {
                        let package = entry.package(resolution.clone());
                        let (target, is_new) = draft.add(package, needs);
                        if is_new {
                            draft.edges_mut(target).extend(entry.edges());
                            queue.push(target);
                        }
                        Some(target)
                    }
                    Place::Unknown => None,
                };
            }
            *draft.edges_mut(id) = edges;
        }
        draft
    }

    /// Finds what a dependency of the root or of a workspace leads to.
    fn find_direct(&self, edge: &Edge, lockfile: &Lockfile) -> Option<&Entry> {
        let is_overridden =
            lockfile.overrides.iter().any(|(name, _)| name.as_str() == edge.alias.as_str());
        self.find(edge.alias, meaning(edge, lockfile), is_overridden)
    }

    /// Finds what a dependency leads to. What overrides said of it is not to be found under its own
    /// range: then the highest version counts that will do, or the only one if it is
    /// `may_be_overridden`.
    fn find(&self, alias: Alias, spec: Symbol, may_be_overridden: bool) -> Option<&Entry> {
        let spec = spec.trim();
        let exact = [format!("{alias}@{spec}"), format!("{alias}@npm:{spec}")];
        if let Some(at) = exact.iter().find_map(|key| self.by_descriptor.get(key)) {
            return Some(&self.entries[*at]);
        }
        let all = self.by_name.get(&alias.to_package_name())?;
        let range = Range::parse(spec).ok();
        let will_do = |at: &&usize| {
            let version = self.entries[**at].version();
            range.as_ref().zip(version).is_some_and(|(range, version)| range.satisfies(version))
        };
        let highest =
            all.iter().filter(will_do).max_by_key(|at| self.entries[**at].version().cloned());
        let only = || if let [only] = all.as_slice() { Some(only) } else { None };
        let at = highest.or_else(|| only().filter(|_| range.is_some() && may_be_overridden))?;
        Some(&self.entries[*at])
    }
}

/// Returns what an edge asks for, with what catalogs say.
fn meaning(edge: &Edge, lockfile: &Lockfile) -> Symbol {
    let Ok(Spec::Catalog(name)) = Spec::parse(edge.alias, &edge.spec) else { return edge.spec };
    let named = |name: Symbol| lockfile.catalogs.iter().find(|(known, _)| *known == name);
    let catalog = match name.and_then(named) {
        Some((_, catalog)) => catalog,
        None => &lockfile.catalog,
    };
    let row = catalog.iter().find(|(alias, _)| *alias == edge.alias);
    row.map_or(edge.spec, |(_, spec)| *spec)
}

impl Entry {
    fn version(&self) -> Option<&deka_manifest::Version> {
        match &self.place {
            Place::Resolved(Resolution::Npm { version, .. }) => Some(version),
            _ => None,
        }
    }

    fn package(&self, resolution: Resolution) -> Package {
        Package {
            name: self.name,
            resolution,
            integrity: self.integrity,
            bun_tag: self.bun_tag,
            platforms: Platforms::ALL,
            has_install_script: false,
            bin: Bin::None,
            edges: 0..0,
        }
    }

    fn edges(&self) -> impl Iterator<Item = Edge> {
        let groups = [
            (EdgeKind::Optional, &self.optional_dependencies),
            (EdgeKind::Prod, &self.dependencies),
        ];
        groups.into_iter().flat_map(|(kind, group)| {
            group.iter().map(move |(alias, spec)| edge(*alias, *spec, kind))
        })
    }
}

#[cfg(test)]
mod tests;
