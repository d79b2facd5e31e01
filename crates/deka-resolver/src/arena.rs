//! Packages and edges while they are being resolved.
//!
//! The finished [`Graph`](deka_graph::Graph) wants the edges of a package with the package; here
//! their targets are found one by one, and packages may turn out not to be needed.

use std::ops::Range;

use deka_graph::{EdgeKind, Package, Resolution};
use deka_manifest::{PackageName, Version, VersionManifest, without_credentials};
use smallvec::SmallVec;

use crate::{Row, SourceError};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name(pub(crate) u32);

        impl $name {
            pub(crate) const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A package in [`Arena::nodes`].
    NodeId
);
id!(
    /// An edge in [`Arena::edges`].
    EdgeId
);
id!(
    /// A package's name in [`Arena::names`].
    NameId
);
id!(
    /// A request in [`Requests`](crate::requests::Requests).
    RequestId
);

impl NodeId {
    pub(crate) const ROOT: Self = Self(0);
}

/// A package that was picked, or is given.
#[derive(Debug)]
pub(crate) struct Node {
    /// As it will stand in the graph, but for its edges.
    pub(crate) package: Package,
    /// Its edges, as a range of [`Arena::edges`].
    pub(crate) edges: Range<u32>,
    pub(crate) origin: Origin,
    /// Whether it was picked for somebody who asked for exactly this version.
    pub(crate) is_pinned: bool,
    /// Whether only dependents that ship it inside their tarballs want it, or what they ship; nobody else reuses
    /// it.
    pub(crate) is_bundled: bool,
    /// What the registry says, until somebody hears that it was picked.
    pub(crate) unannounced: Option<Box<VersionManifest>>,
    pub(crate) is_announced: bool,
    /// What its authors say about its deprecation.
    pub(crate) deprecated: Option<Box<str>>,
}

/// Where a package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The root or a workspace.
    Importer,
    /// The lockfile.
    Locked,
    /// Picked in this run.
    Picked,
}

impl Node {
    pub(crate) fn is_importer(&self) -> bool {
        self.origin == Origin::Importer
    }

    /// Returns the version if the package comes from a registry.
    pub(crate) fn version(&self) -> Option<&Version> {
        self.package.version()
    }

    /// Returns `name@version`, or what else says which package it is.
    pub(crate) fn label(&self) -> String {
        let name = self.package.name;
        match &self.package.resolution {
            Resolution::Npm { version, .. } => format!("{name}@{version}"),
            Resolution::Root => name.to_string(),
            Resolution::Workspace(path) => format!("{name} ({path})"),
            Resolution::Folder(path) | Resolution::LocalTarball(path) => {
                format!("{name}@file:{path}")
            }
            Resolution::Symlink(path) => format!("{name}@link:{path}"),
            Resolution::RemoteTarball(url) => format!("{name}@{}", without_credentials(url)),
            Resolution::Git { repository, commit } => {
                format!("{name}@{}#{commit}", without_credentials(repository))
            }
            Resolution::GitHub { repository, commit } => {
                format!("{name}@github:{repository}#{commit}")
            }
        }
    }
}

/// An entry of a manifest and what it leads to.
#[derive(Debug, Clone)]
pub(crate) struct EdgeState {
    pub(crate) row: Row,
    pub(crate) owner: NodeId,
    /// What is asked for after overrides; `None` until it is needed (edges of the lockfile).
    pub(crate) request: Option<RequestId>,
    pub(crate) target: Option<NodeId>,
}

impl EdgeState {
    /// Whether the edge is a peer that has to be there.
    pub(crate) fn is_required_peer(&self) -> bool {
        self.row.kind == EdgeKind::Peer && !self.row.optional_peer
    }
}

/// A package's name and all versions that there are so far.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) name: PackageName,
    pub(crate) answer: Answer,
    /// From the registry or the lockfile, the highest version first.
    pub(crate) nodes: SmallVec<[NodeId; 2]>,
    /// Whether a version was guessed and announced before any was picked.
    pub(crate) is_guessed: bool,
}

/// What is known of a packument.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Nobody asked.
    Unasked,
    /// It is under way.
    Asked,
    /// Here it is.
    Here(std::sync::Arc<deka_manifest::Packument>),
    /// There is none.
    Failed(SourceError),
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<EdgeState>,
    pub(crate) names: Vec<Name>,
    name_of: hashbrown::HashMap<PackageName, NameId>,
}

impl Arena {
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(crate) fn edge(&self, id: EdgeId) -> &EdgeState {
        &self.edges[id.index()]
    }

    pub(crate) fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    pub(crate) fn edge_ids(&self) -> impl Iterator<Item = EdgeId> + use<> {
        (0..self.edges.len() as u32).map(EdgeId)
    }

    pub(crate) fn edges_of(&self, id: NodeId) -> &[EdgeState] {
        let range = &self.node(id).edges;
        &self.edges[range.start as usize..range.end as usize]
    }

    pub(crate) fn edge_ids_of(&self, id: NodeId) -> impl Iterator<Item = EdgeId> + use<> {
        self.node(id).edges.clone().map(EdgeId)
    }

    /// Makes room for so many more packages and edges.
    pub(crate) fn reserve(&mut self, packages: usize, edges: usize) {
        self.nodes.reserve(packages);
        self.edges.reserve(edges);
        self.names.reserve(packages);
        self.name_of.reserve(packages);
    }

    /// Adds a package; its edges have no targets yet and are decided in the order of `rows`.
    pub(crate) fn add_node(&mut self, package: Package, origin: Origin, rows: Vec<Row>) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        let start = self.edges.len() as u32;
        self.edges.extend(rows.into_iter().map(|row| EdgeState {
            row,
            owner: id,
            request: None,
            target: None,
        }));
        let (name, is_npm) = (package.name, package.version().is_some());
        self.nodes.push(Node {
            package,
            edges: start..self.edges.len() as u32,
            origin,
            is_pinned: false,
            is_bundled: false,
            unannounced: None,
            is_announced: false,
            deprecated: None,
        });
        if is_npm {
            let name = self.name(name);
            let nodes = &self.names[name.index()].nodes;
            let version = self.nodes[id.index()].version();
            let at = nodes
                .iter()
                .position(|other| self.node(*other).version() < version)
                .unwrap_or(nodes.len());
            self.names[name.index()].nodes.insert(at, id);
        }
        id
    }

    /// Returns the id of a name, which is made if it is new.
    pub(crate) fn name(&mut self, name: PackageName) -> NameId {
        *self.name_of.entry(name).or_insert_with(|| {
            self.names.push(Name {
                name,
                answer: Answer::Unasked,
                nodes: SmallVec::new(),
                is_guessed: false,
            });
            NameId(self.names.len() as u32 - 1)
        })
    }

    /// Returns the packages that can be reached from the root, breadth first, following edges that
    /// `follows` accepts.
    pub(crate) fn breadth_first(&self, follows: impl Fn(&EdgeState) -> bool) -> Vec<NodeId> {
        let mut seen = vec![false; self.nodes.len()];
        let mut order = vec![NodeId::ROOT];
        seen[0] = true;
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for edge in self.edges_of(node) {
                if let Some(target) = edge.target
                    && follows(edge)
                    && !std::mem::replace(&mut seen[target.index()], true)
                {
                    order.push(target);
                }
            }
        }
        order
    }

    /// Returns how the root comes to depend on a package: the shortest path, ending with it.
    pub(crate) fn path_to(&self, wanted: NodeId) -> Vec<NodeId> {
        let mut parent = vec![None; self.nodes.len()];
        for node in self.breadth_first(|_| true) {
            for edge in self.edges_of(node) {
                if let Some(target) = edge.target
                    && target != NodeId::ROOT
                    && parent[target.index()].is_none()
                {
                    parent[target.index()] = Some(node);
                }
            }
        }
        let mut path = vec![wanted];
        let mut at = wanted;
        // A chain of parents cannot be longer than there are packages.
        for _ in 0..self.nodes.len() {
            let Some(up) = parent[at.index()] else { break };
            if up == NodeId::ROOT || at == NodeId::ROOT {
                break;
            }
            path.push(up);
            at = up;
        }
        path.reverse();
        path
    }
}
