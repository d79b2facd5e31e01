//! Sets of peers, and which of them leave a package for its dependents to provide.

use deka_graph::{EdgeId, EdgeKind, Graph, PackageId};
use deka_manifest::Alias;
use hashbrown::HashMap;

/// What a peer dependency leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    /// The name that is asked for.
    pub(super) alias: Alias,
    pub(super) package: PackageId,
    /// Whether nobody above provides it, so that it is what was [chosen](super::automatic).
    pub(super) is_automatic: bool,
}

/// Peers by the names of their packages, one for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Peers(Vec<Peer>);

impl Peers {
    pub(super) fn insert(&mut self, graph: &Graph, peer: Peer) {
        let name = graph.package(peer.package).name;
        let known = self.0.binary_search_by_key(&name, |known| graph.package(known.package).name);
        if let Err(at) = known {
            self.0.insert(at, peer);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the peer of this name.
    pub(super) fn named(&self, alias: Alias) -> Option<&Peer> {
        self.0.iter().find(|peer| peer.alias == alias)
    }

    /// Returns the peer of this name that somebody provides.
    pub(super) fn found(&self, alias: Alias) -> Option<&Peer> {
        self.0.iter().find(|peer| peer.alias == alias && !peer.is_automatic)
    }

    /// Whether these are the same packages.
    pub(super) fn are(&self, other: &Self) -> bool {
        let packages = |peers: &Self| peers.0.iter().map(|peer| peer.package).collect::<Vec<_>>();
        packages(self) == packages(other)
    }
}

/// For each package the names of the peers that it or anything below it asks for and nobody below it
/// provides.
pub(super) struct Leaks {
    names: Vec<Alias>,
    /// How many words a set has.
    width: usize,
    /// One bit for each name, the words of each package side by side.
    sets: Vec<u64>,
}

impl Leaks {
    pub(super) fn of(graph: &Graph, keep: &dyn Fn(EdgeId, PackageId) -> bool) -> Self {
        let mut bits: HashMap<Alias, usize> = HashMap::new();
        let mut names = Vec::new();
        for edge in graph.edges().iter().filter(|edge| edge.kind == EdgeKind::Peer) {
            bits.entry(edge.alias).or_insert_with(|| {
                names.push(edge.alias);
                names.len() - 1
            });
        }
        let width = names.len().div_ceil(64);
        let mut leaks = Self { names, width, sets: vec![0; width * graph.packages().len()] };
        if width > 0 {
            leaks.find(graph, &bits, keep);
        }
        leaks
    }

    fn find(
        &mut self,
        graph: &Graph,
        bits: &HashMap<Alias, usize>,
        keep: &dyn Fn(EdgeId, PackageId) -> bool,
    ) {
        // A peer may become whatever somebody has under its name, or that is named so.
        let mut providers: Vec<Vec<PackageId>> = vec![Vec::new(); self.names.len()];
        for edge in graph.edges() {
            if let Some((bit, target)) = bits.get(&edge.alias).zip(edge.target)
                && !providers[*bit].contains(&target)
            {
                providers[*bit].push(target);
            }
        }
        for package in graph.package_ids() {
            if let Some(bit) = bits.get(&Alias::from(graph.package(package).name))
                && !providers[*bit].contains(&package)
            {
                providers[*bit].push(package);
            }
        }
        let mut own = vec![0_u64; self.sets.len()];
        let mut provided = vec![0_u64; self.sets.len()];
        for package in graph.package_ids() {
            for id in graph.edge_ids_of(package) {
                let edge = graph.edge(id);
                let Some(bit) = bits.get(&edge.alias) else { continue };
                let at = package.index() * self.width + bit / 64;
                if edge.kind == EdgeKind::Peer {
                    own[at] |= 1 << (bit % 64);
                } else if edge.target.is_some_and(|target| !edge.bundled && keep(id, target)) {
                    provided[at] |= 1 << (bit % 64);
                }
            }
        }
        let order = from_below(graph);
        let mut set = vec![0; self.width];
        let mut is_changing = true;
        while is_changing {
            is_changing = false;
            for package in &order {
                let words = package.index() * self.width..(package.index() + 1) * self.width;
                set.copy_from_slice(&own[words.clone()]);
                for edge in graph.edges_of(*package) {
                    let bit = bits.get(&edge.alias).filter(|_| edge.kind == EdgeKind::Peer);
                    match bit {
                        Some(bit) => {
                            providers[*bit].iter().for_each(|below| self.add(*below, &mut set));
                        }
                        None => edge.target.iter().for_each(|below| self.add(*below, &mut set)),
                    }
                }
                for (word, provided) in set.iter_mut().zip(&provided[words.clone()]) {
                    *word &= !provided;
                }
                if self.sets[words.clone()] != *set {
                    self.sets[words].copy_from_slice(&set);
                    is_changing = true;
                }
            }
        }
    }

    fn add(&self, package: PackageId, to: &mut [u64]) {
        let words = &self.sets[package.index() * self.width..];
        to.iter_mut().zip(words).for_each(|(to, from)| *to |= from);
    }

    /// Returns the names that leave `package`, always in the same order.
    pub(super) fn names(&self, package: PackageId) -> impl Iterator<Item = Alias> + use<'_> {
        let words = &self.sets[package.index() * self.width..(package.index() + 1) * self.width];
        words.iter().enumerate().flat_map(move |(at, word)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| self.names[at * 64 + bit])
        })
    }
}

/// Returns all packages, what others depend on before them as far as there are no circles: so most sets
/// are right in the first round.
fn from_below(graph: &Graph) -> Vec<PackageId> {
    let mut order = Vec::with_capacity(graph.packages().len());
    let mut is_seen = vec![false; graph.packages().len()];
    let mut open: Vec<(PackageId, usize)> = Vec::new();
    for start in graph.package_ids() {
        if std::mem::replace(&mut is_seen[start.index()], true) {
            continue;
        }
        open.push((start, 0));
        while let Some((package, next)) = open.last_mut() {
            let Some(edge) = graph.edges_of(*package).get(*next) else {
                order.push(*package);
                open.pop();
                continue;
            };
            *next += 1;
            if let Some(target) = edge.target
                && !std::mem::replace(&mut is_seen[target.index()], true)
            {
                open.push((target, 0));
            }
        }
    }
    order
}
