//! What is to be resolved.

use deka_graph::{EdgeKind, Graph};
use deka_manifest::{Alias, Bin, PackageName, Symbol, Target, Version};
use hashbrown::{HashMap, HashSet};

use crate::{Overrides, ReleaseAge};

/// Everything that the answer depends on besides packuments.
#[derive(Debug, Default)]
pub struct Input<'a> {
    /// The project itself.
    pub root: Importer,
    /// The members of its workspaces, in any order.
    pub workspaces: Vec<Importer>,
    /// What replaces the specs of dependencies.
    pub overrides: Overrides,
    /// What `catalog:` stands for.
    pub catalogs: Catalogs,
    /// Versions that have a patch (`name@version`): never exchanged for others.
    pub patched: HashSet<Symbol>,
    /// What was resolved before.
    pub locked: Option<Locked<'a>>,
    /// How to resolve.
    pub options: Options,
}

/// The answer of an earlier run, from a lockfile.
#[derive(Debug, Clone, Copy)]
pub struct Locked<'a> {
    /// Packages and edges; the root first.
    pub graph: &'a Graph,
    /// The overrides that held then.
    pub overrides: &'a Overrides,
    /// The catalogs that held then.
    pub catalogs: &'a Catalogs,
}

/// How to resolve.
#[derive(Debug, Clone)]
pub struct Options {
    /// Nothing younger than this is picked.
    pub release_age: Option<ReleaseAge>,
    /// Whether peers that nothing provides are installed.
    pub install_peers: bool,
    /// Whether a plain range that a workspace's version satisfies leads to the workspace.
    pub link_workspaces: bool,
    /// What is installed for; packages for other platforms are resolved but not announced.
    pub target: Option<Target>,
    /// The URL below which tarballs are not written into the lockfile, with a slash at its end.
    pub registry_without_urls: Symbol,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            release_age: None,
            install_peers: true,
            link_workspaces: true,
            target: None,
            registry_without_urls: Symbol::new(""),
        }
    }
}

/// A manifest of the project: the root's or a workspace's.
#[derive(Debug, Clone, Default)]
pub struct Importer {
    /// The folder below the root; empty for the root itself.
    pub path: String,
    /// Its name.
    pub name: Option<PackageName>,
    /// Its version, if that is one.
    pub version: Option<Version>,
    /// Its commands.
    pub bin: Bin,
    /// What it depends on; of equal names only the row that counts.
    pub rows: Vec<Row>,
}

/// One entry of a manifest's dependency groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The name the dependent uses.
    pub alias: Alias,
    /// What it asks for, verbatim.
    pub spec: Symbol,
    /// The group.
    pub kind: EdgeKind,
    /// For a peer: whether it may be missing.
    pub optional_peer: bool,
    /// Whether the dependent ships it inside its own tarball.
    pub bundled: bool,
}

impl Row {
    /// Returns a row that is neither an optional peer nor bundled.
    pub const fn new(alias: Alias, spec: Symbol, kind: EdgeKind) -> Self {
        Self { alias, spec, kind, optional_peer: false, bundled: false }
    }
}

/// What `catalog:` and `catalog:name` stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogs {
    /// `catalog:`.
    pub default: HashMap<Alias, Symbol>,
    /// `catalog:name`.
    pub named: HashMap<Symbol, HashMap<Alias, Symbol>>,
}

impl Catalogs {
    /// Returns what a catalog says about a dependency.
    pub fn get(&self, catalog: Option<Symbol>, alias: Alias) -> Option<Symbol> {
        match catalog {
            None => self.default.get(&alias).copied(),
            Some(name) => match self.named.get(&name) {
                Some(catalog) => catalog.get(&alias).copied(),
                None if name.as_str() == "default" => self.default.get(&alias).copied(),
                None => None,
            },
        }
    }
}
