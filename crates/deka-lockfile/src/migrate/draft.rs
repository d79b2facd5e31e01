//! A graph in the making: packages come one by one, edges find their targets as the file is read.

use deka_graph::{Edge, EdgeKind, Graph, Package, PackageId, Resolution};
use deka_manifest::{Alias, PackageName, Range, Symbol, Version, VersionManifest};
use hashbrown::{HashMap, HashSet};

use super::Registries;
use crate::WorkspaceEntry;

/// What a file does not tell of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: all is there.
    Nothing,
    /// Commands, platforms, whether it has scripts; and a hash if the file has none.
    Facts,
    /// The same, and which dependencies are peers or optional.
    Everything,
}

/// Packages and edges; the first are the root and the workspaces, in the order of their entries.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    packages: Vec<Drafted>,
    known: HashMap<(PackageName, Resolution), PackageId>,
}

#[derive(Debug, Clone)]
struct Drafted {
    package: Package,
    edges: Vec<Edge>,
    needs: Needs,
}

impl Draft {
    /// Returns the draft of the root and the workspaces, whose edges lead nowhere yet.
    pub(crate) fn new(workspaces: &[WorkspaceEntry]) -> Self {
        let mut draft = Self { packages: Vec::new(), known: HashMap::new() };
        for entry in workspaces {
            let package = entry.package();
            let mut edges: Vec<Edge> = entry.edges().collect();
            if entry.path.is_empty() {
                edges.extend(workspaces.iter().zip(0..).skip(1).map(|(member, id)| Edge {
                    target: Some(PackageId(id)),
                    ..edge(member.package().name.into(), Symbol::new(""), EdgeKind::Workspace)
                }));
            }
            draft.packages.push(Drafted { package, edges, needs: Needs::Nothing });
        }
        draft
    }

    /// Adds a package, or returns the one that is the same with `false`.
    pub(crate) fn add(&mut self, package: Package, needs: Needs) -> (PackageId, bool) {
        let key = (package.name, package.resolution.clone());
        if let Some(known) = self.known.get(&key) {
            return (*known, false);
        }
        let id = PackageId(self.packages.len() as u32);
        self.known.insert(key, id);
        self.packages.push(Drafted { package, edges: Vec::new(), needs });
        (id, true)
    }

    /// Returns the edges of a package, to be filled.
    pub(crate) fn edges_mut(&mut self, id: PackageId) -> &mut Vec<Edge> {
        &mut self.packages[id.index()].edges
    }

    /// Takes out of the sections what the root and the workspaces ask for and the file does not have,
    /// so that it counts as added since. `keeps` is asked for each by folder and edge; optional peers
    /// stay. The edge of a required peer stays too, as that of an optional one: who has npm or yarn
    /// install no peers did not add it since.
    pub(crate) fn forget_missing(
        &mut self,
        workspaces: &mut [WorkspaceEntry],
        keeps: impl Fn(&str, &Edge) -> bool,
    ) {
        for (drafted, entry) in self.packages.iter_mut().zip(workspaces) {
            let is_missing = |edge: &Edge| {
                edge.target.is_none() && !edge.is_optional_peer() && !keeps(&entry.path, edge)
            };
            let missing: Vec<(EdgeKind, Alias)> = (drafted.edges.iter())
                .filter(|edge| is_missing(edge))
                .map(|edge| (edge.kind, edge.alias))
                .collect();
            for (kind, group) in [
                (EdgeKind::Prod, &mut entry.dependencies),
                (EdgeKind::Dev, &mut entry.dev_dependencies),
                (EdgeKind::Optional, &mut entry.optional_dependencies),
                (EdgeKind::Peer, &mut entry.peer_dependencies),
            ] {
                group.retain(|(alias, _)| !missing.contains(&(kind, *alias)));
            }
            for edge in &mut drafted.edges {
                edge.optional_peer |= missing.contains(&(EdgeKind::Peer, edge.alias));
            }
            drafted.edges.retain(|edge| {
                edge.kind == EdgeKind::Peer || !missing.contains(&(edge.kind, edge.alias))
            });
        }
    }

    /// Returns the names of the packages of which something is missing.
    pub(super) fn wanted(&self) -> impl Iterator<Item = PackageName> {
        let is_wanted = |drafted: &&Drafted| drafted.is_wanted();
        let names: HashSet<PackageName> =
            self.packages.iter().filter(is_wanted).map(|drafted| drafted.package.name).collect();
        names.into_iter()
    }

    /// Adds what manifests know.
    pub(super) fn complete(
        &mut self,
        mut manifest_of: impl FnMut(PackageName, &Version) -> Option<VersionManifest>,
        registries: Registries<'_>,
    ) {
        for drafted in self.packages.iter_mut().filter(|drafted| drafted.is_wanted()) {
            let Some(version) = drafted.package.version() else { continue };
            if let Some(manifest) = manifest_of(drafted.package.name, version) {
                drafted.fill(&manifest, registries);
            }
        }
        self.lead_to_what_is_there();
    }

    /// Lets edges that lead nowhere go to the highest version that is there and will do.
    fn lead_to_what_is_there(&mut self) {
        let mut versions: HashMap<PackageName, Vec<(Version, PackageId)>> = HashMap::new();
        for (drafted, id) in self.packages.iter().zip(0..) {
            if let Some(version) = drafted.package.version() {
                let all = versions.entry(drafted.package.name).or_default();
                all.push((version.clone(), PackageId(id)));
            }
        }
        for all in versions.values_mut() {
            all.sort_by(|(one, _), (other, _)| other.cmp(one));
        }
        for drafted in &mut self.packages {
            // What the manifests of the project ask for is compared with them later.
            if drafted.package.resolution.is_importer() {
                continue;
            }
            for edge in &mut drafted.edges {
                if edge.target.is_some() || edge.is_optional_peer() {
                    continue;
                }
                let Some(all) = versions.get(&edge.alias.to_package_name()) else { continue };
                let Ok(range) = Range::parse(&edge.spec) else { continue };
                let first = all.iter().find(|(version, _)| range.satisfies(version));
                // Who has the wrong version of a peer got it all the same.
                let first = first.or(all.first().filter(|_| edge.kind == EdgeKind::Peer));
                edge.target = first.map(|(_, id)| *id);
            }
        }
    }

    /// Returns what the root and the workspaces lead to, breadth first.
    pub(super) fn into_graph(mut self) -> Graph {
        self.drop_shadowed_workspaces();
        for drafted in &mut self.packages {
            drafted.tidy_edges();
        }
        let is_importer = |drafted: &&Drafted| drafted.package.resolution.is_importer();
        let importers = self.packages.iter().take_while(is_importer).count();
        let mut order: Vec<usize> = (0..importers).collect();
        let mut new_ids: Vec<Option<PackageId>> =
            order.iter().map(|at| Some(PackageId(*at as u32))).collect();
        new_ids.resize(self.packages.len(), None);
        let mut at = 0;
        while let Some(from) = order.get(at).copied() {
            at += 1;
            for edge in &self.packages[from].edges {
                let Some(target) = edge.target else { continue };
                if new_ids[target.index()].is_none() {
                    new_ids[target.index()] = Some(PackageId(order.len() as u32));
                    order.push(target.index());
                }
            }
        }
        let mut graph = Graph::new();
        for from in order {
            let Drafted { package, edges, .. } = &mut self.packages[from];
            for edge in edges.iter_mut() {
                edge.target = edge.target.and_then(|target| new_ids[target.index()]);
            }
            graph.add_package(package.clone(), std::mem::take(edges));
        }
        graph
    }

    /// Takes the place at the top from workspaces whose names the root's own dependencies have for
    /// something else.
    fn drop_shadowed_workspaces(&mut self) {
        let Some(root) = self.packages.first_mut() else { return };
        let own: HashMap<Alias, PackageId> = root
            .edges
            .iter()
            .filter(|edge| !matches!(edge.kind, EdgeKind::Peer | EdgeKind::Workspace))
            .filter_map(|edge| Some((edge.alias, edge.target?)))
            .collect();
        root.edges.retain(|edge| {
            edge.kind != EdgeKind::Workspace
                || own.get(&edge.alias).is_none_or(|other| Some(*other) == edge.target)
        });
    }
}

impl Drafted {
    fn is_wanted(&self) -> bool {
        match self.needs {
            Needs::Everything | Needs::Facts => self.package.version().is_some(),
            Needs::Nothing => self.package.version().is_some() && self.package.integrity.is_empty(),
        }
    }

    fn fill(&mut self, manifest: &VersionManifest, registries: Registries<'_>) {
        let package = &mut self.package;
        if package.integrity.is_empty() {
            package.integrity = manifest.integrity;
        }
        if self.needs == Needs::Nothing {
            return;
        }
        if let Resolution::Npm { tarball, .. } = &mut package.resolution {
            *tarball = registries.locate(&manifest.tarball);
        }
        package.platforms = manifest.platforms;
        package.bin = manifest.bin.clone();
        package.has_install_script = manifest.has_install_script;
        if self.needs == Needs::Facts {
            return;
        }
        let targets: HashMap<Alias, PackageId> =
            self.edges.iter().filter_map(|edge| Some((edge.alias, edge.target?))).collect();
        let groups = [
            (EdgeKind::Optional, &manifest.optional_dependencies),
            (EdgeKind::Prod, &manifest.dependencies),
            (EdgeKind::Peer, &manifest.peer_dependencies),
        ];
        self.edges.clear();
        for (kind, group) in groups {
            self.edges.extend(group.iter().map(|(alias, spec)| Edge {
                target: targets.get(alias).copied(),
                optional_peer: kind == EdgeKind::Peer && manifest.optional_peers.contains(alias),
                bundled: kind != EdgeKind::Peer && manifest.bundled.contains(*alias),
                ..edge(*alias, *spec, kind)
            }));
        }
    }

    /// Puts edges in order: of a name in several groups one counts.
    fn tidy_edges(&mut self) {
        self.edges.sort_by_key(|edge| (edge.kind, edge.alias));
    }
}

/// Returns an edge that leads nowhere.
pub(crate) fn edge(alias: Alias, spec: Symbol, kind: EdgeKind) -> Edge {
    Edge { alias, spec, kind, optional_peer: false, bundled: false, target: None }
}
