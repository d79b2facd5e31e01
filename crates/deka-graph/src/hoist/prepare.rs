//! What hoisting reads again and again, laid out for it: names as small integers, the edges of
//! each package in the order of visiting, required peers with their ranges parsed.

use std::ops::Range;

use deka_manifest::{Alias, Range as VersionRange, Symbol, split_name};
use hashbrown::HashMap;

use crate::{EdgeId, EdgeKind, Graph, PackageId};

/// A name as an index into [`Prepared::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NameId(pub(super) u32);

/// A range of versions as an index into [`Prepared::ranges`].
#[derive(Debug, Clone, Copy)]
pub(super) struct RangeId(u32);

/// One edge in visiting order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dependency {
    pub(super) edge: EdgeId,
    pub(super) name: NameId,
    pub(super) is_peer: bool,
    pub(super) is_optional_peer: bool,
    pub(super) is_bundled: bool,
}

/// A peer of a package.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    pub(super) name: NameId,
    pub(super) range: RangeId,
    /// Whether only versions in range will do: it is required and has a range.
    pub(super) is_strict: bool,
}

/// The graph as hoisting reads it.
pub(super) struct Prepared {
    pub(super) names: Vec<Alias>,
    dependencies: Vec<Dependency>,
    dependencies_of: Vec<Range<u32>>,
    probes: Vec<Probe>,
    probes_of: Vec<Range<u32>>,
    /// `None` accepts every package, whether it has a version or not.
    ranges: Vec<RangeOf>,
    range_of_spec: HashMap<Symbol, RangeId>,
    root_names: Vec<bool>,
    is_peer_only: Vec<bool>,
    is_contested: Vec<bool>,
}

/// Returns the range that stands in a spec, also in `npm:name@range`.
fn range_of(spec: &str) -> &str {
    let Some(target) = spec.trim().strip_prefix("npm:") else { return spec.trim() };
    split_name(target).map_or("", |(_, range)| range.trim())
}

/// What a peer's spec means for placement.
enum RangeOf {
    Anything,
    Versions(VersionRange),
    /// A tag or a text that is no range.
    Nothing,
}

impl Prepared {
    /// Reads the edges of `graph` that lead somewhere or may come to.
    pub(super) fn new(graph: &Graph) -> Self {
        let edge_count = graph.edges().len();
        let mut names = Vec::new();
        let mut ids: HashMap<Alias, NameId> = HashMap::with_capacity(edge_count / 4);
        let mut prepared = Self {
            names: Vec::new(),
            dependencies: Vec::with_capacity(edge_count),
            dependencies_of: Vec::with_capacity(graph.packages().len()),
            probes: Vec::new(),
            probes_of: Vec::with_capacity(graph.packages().len()),
            ranges: Vec::new(),
            range_of_spec: HashMap::new(),
            root_names: Vec::new(),
            is_peer_only: vec![true; graph.packages().len()],
            is_contested: Vec::new(),
        };
        for package in graph.package_ids() {
            let start = prepared.dependencies.len();
            for id in graph.edge_ids_of(package) {
                let edge = graph.edge(id);
                let is_peer = edge.kind == EdgeKind::Peer;
                let is_optional_peer = edge.is_optional_peer();
                if edge.target.is_none() && !is_optional_peer {
                    continue;
                }
                let name = *ids.entry(edge.alias).or_insert_with(|| {
                    names.push(edge.alias);
                    NameId(names.len() as u32 - 1)
                });
                if let Some(target) = edge.target
                    && !is_peer
                {
                    prepared.is_peer_only[target.index()] = false;
                }
                let is_bundled = edge.bundled;
                prepared.dependencies.push(Dependency {
                    edge: id,
                    name,
                    is_peer,
                    is_optional_peer,
                    is_bundled,
                });
            }
            let order = |dependency: &Dependency| {
                let edge = graph.edge(dependency.edge);
                (edge.kind, edge.alias)
            };
            let own = &mut prepared.dependencies[start..];
            if !own.is_sorted_by_key(order) {
                own.sort_by_key(order);
            }
            prepared.drop_shadowed_peers(start);
            prepared.dependencies_of.push(start as u32..prepared.dependencies.len() as u32);
            prepared.find_probes(graph, start);
        }
        let mut root_names = vec![false; names.len()];
        for dependency in prepared.dependencies(PackageId::ROOT) {
            if graph.edge(dependency.edge).kind != EdgeKind::Workspace {
                root_names[dependency.name.0 as usize] = true;
            }
        }
        prepared.root_names = root_names;
        prepared.is_contested = vec![false; names.len()];
        for dependency in &prepared.dependencies {
            let target = graph.edge(dependency.edge).target;
            if target.is_some_and(|target| prepared.is_peer_only[target.index()]) {
                prepared.is_contested[dependency.name.0 as usize] = true;
            }
        }
        prepared.names = names;
        prepared
    }

    /// Drops each peer that the package also has as a dependency of another kind: that one wins.
    fn drop_shadowed_peers(&mut self, start: usize) {
        let own = &self.dependencies[start..];
        let first_peer = start + own.partition_point(|dependency| !dependency.is_peer);
        if first_peer == start || first_peer == self.dependencies.len() {
            return;
        }
        let (others, peers) = self.dependencies.split_at_mut(first_peer);
        let others = &others[start..];
        let is_shadowed =
            |peer: &Dependency| others.iter().any(|dependency| dependency.name == peer.name);
        let mut kept = 0;
        for index in 0..peers.len() {
            if !is_shadowed(&peers[index]) {
                peers[kept] = peers[index];
                kept += 1;
            }
        }
        self.dependencies.truncate(first_peer + kept);
    }

    fn find_probes(&mut self, graph: &Graph, start: usize) {
        let first = self.probes.len() as u32;
        for index in start..self.dependencies.len() {
            let dependency = self.dependencies[index];
            if !dependency.is_peer {
                continue;
            }
            let spec = graph.edge(dependency.edge).spec;
            let range = self.parse_range(spec);
            let accepts_anything = matches!(self.ranges[range.0 as usize], RangeOf::Anything);
            let is_strict = !dependency.is_optional_peer && !accepts_anything;
            self.probes.push(Probe { name: dependency.name, range, is_strict });
        }
        self.probes_of.push(first..self.probes.len() as u32);
    }

    fn parse_range(&mut self, spec: Symbol) -> RangeId {
        *self.range_of_spec.entry(spec).or_insert_with(|| {
            self.ranges.push(match range_of(&spec) {
                "" | "*" => RangeOf::Anything,
                text => VersionRange::parse(text).map_or(RangeOf::Nothing, RangeOf::Versions),
            });
            RangeId(self.ranges.len() as u32 - 1)
        })
    }

    /// Returns the dependencies of `package` in the order in which they are placed.
    pub(super) fn dependencies(&self, package: PackageId) -> &[Dependency] {
        let range = &self.dependencies_of[package.index()];
        &self.dependencies[range.start as usize..range.end as usize]
    }

    /// Returns the required peers of `package` that need a certain range.
    pub(super) fn probes(&self, package: PackageId) -> &[Probe] {
        let range = &self.probes_of[package.index()];
        &self.probes[range.start as usize..range.end as usize]
    }

    /// Whether `package` is there for nothing but required peers that nobody provides.
    pub(super) fn is_peer_only(&self, package: PackageId) -> bool {
        self.is_peer_only[package.index()]
    }

    /// Whether a package of that name is there only for peers.
    pub(super) fn is_contested(&self, name: NameId) -> bool {
        self.is_contested[name.0 as usize]
    }

    /// Whether the root itself depends on `name`, other than by having it as a workspace.
    pub(super) fn is_root_dependency(&self, name: NameId) -> bool {
        self.root_names[name.0 as usize]
    }

    /// Whether `package` lies in the range `range`.
    pub(super) fn satisfies(&self, graph: &Graph, package: PackageId, range: RangeId) -> bool {
        match &self.ranges[range.0 as usize] {
            RangeOf::Anything => graph.package(package).version().is_some(),
            RangeOf::Nothing => false,
            RangeOf::Versions(range) => {
                graph.package(package).version().is_some_and(|version| range.satisfies(version))
            }
        }
    }

    /// Whether `package` satisfies what the peer `edge` asks for.
    pub(super) fn satisfies_peer(&self, graph: &Graph, package: PackageId, edge: EdgeId) -> bool {
        let range = self.range_of_spec.get(&graph.edge(edge).spec);
        range.is_some_and(|range| self.satisfies(graph, package, *range))
    }
}
