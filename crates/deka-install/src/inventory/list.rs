//! The packages of a project as a list or a tree.

use std::path::PathBuf;

use deka_graph::{EdgeKind, Node, NodeId, PackageId, Resolution};
use deka_manifest::{Range, split_name};
use hashbrown::HashSet;

use super::{Groups, Inventory};
use crate::workspaces::Glob;

/// What of the packages is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only packages that fit one of these (`react`, `@types/*`, `react@18`), wherever they are.
    pub patterns: Vec<String>,
    /// All packages, each below the one in whose `node_modules` it lies.
    pub all: bool,
    /// Who asks for what, down to so many steps below the project's own dependencies.
    pub depth: usize,
}

/// What is installed for one manifest of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The folder of the manifest.
    pub folder: PathBuf,
    /// Packages; what is below another comes right after it.
    pub rows: Vec<Row>,
    /// How many packages there are in `node_modules`, shown or not.
    pub installed: usize,
    /// How many are missing there, shown or not.
    pub missing: usize,
}

/// A package in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name that it is asked for by.
    pub alias: String,
    /// Its real name.
    pub name: String,
    /// The version in the lockfile, or what stands in its place.
    pub version: String,
    /// Where its files are below the project; `None` for what `node_modules` has a link to.
    pub path: Option<String>,
    /// The group of the manifest that asks for it, where the listing is of who asks.
    pub kind: Option<EdgeKind>,
    /// The row that it is below.
    pub of: Option<usize>,
    /// How many rows it is below.
    pub depth: usize,
    /// Whether only devDependencies lead to it.
    pub is_dev: bool,
    /// Whether what it asks for is shown elsewhere.
    pub is_repeated: bool,
    /// What is wrong with it.
    pub problem: Option<Problem>,
}

/// What is wrong with a package in `node_modules`; the words are npm's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is not there.
    Missing,
    /// It is another version.
    Invalid {
        /// The version that is there.
        installed: String,
    },
    /// It is there, and nobody asks for it.
    Extraneous,
}

/// What one pattern says.
struct Pattern {
    name: Glob,
    range: Option<Range>,
}

impl Inventory {
    /// Lists packages. With filters there is a listing for each member that they name.
    pub fn list(&self, options: &ListOptions) -> Vec<Listing> {
        let problems: Vec<Option<Problem>> = self
            .places()
            .map(|(place, node)| {
                let home = self.home(place)?;
                self.problem(node.package, self.installed(home).as_ref())
            })
            .collect();
        let lister = Lister { inventory: self, problems };
        if !options.patterns.is_empty() {
            return vec![lister.fitting(&options.patterns)];
        }
        let Some(selected) = &self.selected else {
            return vec![lister.of(None, PackageId::ROOT, options)];
        };
        let ids = self.graph.package_ids().filter(|id| selected.contains(id));
        let listing = |id| {
            let place = self.places().find(|(_, node)| node.package == id).map(|(place, _)| place);
            lister.of(place, id, options)
        };
        ids.map(listing).collect()
    }
}

struct Lister<'a> {
    inventory: &'a Inventory,
    /// By place.
    problems: Vec<Option<Problem>>,
}

impl Lister<'_> {
    /// Lists what lies in all of `node_modules` under names that fit.
    fn fitting(&self, patterns: &[String]) -> Listing {
        let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::parse(text)).collect();
        let fits = |node: &Node| {
            let version = self.inventory.graph.package(node.package).version();
            patterns.iter().any(|pattern| {
                pattern.name.matches(node.alias.as_str())
                    && pattern
                        .range
                        .as_ref()
                        .is_none_or(|range| version.is_some_and(|version| range.satisfies(version)))
            })
        };
        let mut found: Vec<(NodeId, &Node)> =
            self.inventory.places().filter(|(_, node)| fits(node)).collect();
        found.sort_by_key(|(place, node)| (node.alias, *place));
        let mut seen = HashSet::new();
        // The same version at several places is one thing to those who ask what there is.
        found.retain(|(place, node)| {
            self.problems[place.index()].is_some() || seen.insert((node.alias, node.package))
        });
        let rows = found.into_iter().map(|(place, _)| self.row(place)).collect();
        self.listing(PackageId::ROOT, rows)
    }

    /// Lists what belongs to the root or a member.
    fn of(&self, place: Option<NodeId>, importer: PackageId, options: &ListOptions) -> Listing {
        let mut rows = Vec::new();
        if options.all && options.depth == 0 {
            self.add_places(place, &mut rows);
        } else {
            self.add_asked(place, importer, options.depth, &mut rows);
        }
        if self.inventory.selected.is_none() && self.inventory.groups == Groups::All {
            rows.extend(self.extraneous());
        }
        self.listing(importer, rows)
    }

    fn listing(&self, importer: PackageId, rows: Vec<Row>) -> Listing {
        let missing =
            self.problems.iter().filter(|problem| **problem == Some(Problem::Missing)).count();
        let folder = match &self.inventory.graph.package(importer).resolution {
            Resolution::Workspace(path) => self.inventory.root.join(path.as_str()),
            _ => self.inventory.root.clone(),
        };
        Listing { folder, rows, installed: self.problems.len() - missing, missing }
    }

    fn row(&self, place: NodeId) -> Row {
        let inventory = self.inventory;
        let node = inventory.tree.node(place);
        Row {
            alias: node.alias.to_string(),
            name: inventory.name(node.package).to_string(),
            version: inventory.version(node.package),
            path: inventory.home(place).map(ToOwned::to_owned),
            kind: None,
            of: None,
            depth: 0,
            is_dev: inventory.is_dev[node.package.index()],
            is_repeated: false,
            problem: self.problems[place.index()].clone(),
        }
    }

    /// Adds what lies in the `node_modules` of a place, and in those below.
    fn add_places(&self, top: Option<NodeId>, rows: &mut Vec<Row>) {
        // Not by recursion: nothing limits how deep a lockfile is.
        let inventory = self.inventory;
        let tops = inventory.tree.children(top).rev();
        let mut open: Vec<(NodeId, Option<usize>, usize)> =
            tops.map(|place| (place, None, 0)).collect();
        while let Some((place, of, depth)) = open.pop() {
            let at = rows.len();
            rows.push(Row { of, depth, ..self.row(place) });
            let children = self.inventory.tree.children(Some(place)).rev();
            open.extend(children.map(|place| (place, Some(at), depth + 1)));
        }
    }

    /// Adds what a manifest asks for, and what that asks for.
    fn add_asked(
        &self,
        place: Option<NodeId>,
        importer: PackageId,
        depth: usize,
        rows: &mut Vec<Row>,
    ) {
        let mut expanded: HashSet<NodeId> = HashSet::new();
        let asked = self.asked_by(place, importer).into_iter().rev();
        let mut open: Vec<(NodeId, EdgeKind, Option<usize>, usize)> =
            asked.map(|(place, kind)| (place, kind, None, 0)).collect();
        while let Some((place, kind, of, level)) = open.pop() {
            let at = rows.len();
            let package = self.inventory.tree.node(place).package;
            let children =
                if level < depth { self.asked_by(Some(place), package) } else { Vec::new() };
            let is_repeated = !children.is_empty() && !expanded.insert(place);
            rows.push(Row { of, depth: level, is_repeated, kind: Some(kind), ..self.row(place) });
            if !is_repeated {
                let children = children.into_iter().rev();
                open.extend(children.map(|(place, kind)| (place, kind, Some(at), level + 1)));
            }
        }
    }

    /// Returns what a package finds of what it asks for, by name.
    fn asked_by(&self, place: Option<NodeId>, package: PackageId) -> Vec<(NodeId, EdgeKind)> {
        let inventory = self.inventory;
        let is_own = inventory.graph.package(package).resolution.is_importer();
        let edges = inventory.graph.edges_of(package).iter();
        let mut found: Vec<_> = edges
            .filter(|edge| edge.target.is_some() && inventory.groups.contain(edge.kind, is_own))
            .filter_map(|edge| {
                let place = inventory.tree.resolve(place, edge.alias)?;
                Some((edge.alias, place, edge.kind))
            })
            .collect();
        found.sort_by_key(|(alias, _, kind)| (*alias, *kind));
        found.dedup_by_key(|(alias, _, _)| *alias);
        found.into_iter().map(|(_, place, kind)| (place, kind)).collect()
    }

    /// Returns what lies in the project's own `node_modules`, and should not.
    fn extraneous(&self) -> impl Iterator<Item = Row> {
        let inventory = self.inventory;
        let known: HashSet<&str> = inventory
            .places()
            .filter(|(_, node)| inventory.is_isolated || node.depth == 1)
            .map(|(_, node)| node.alias.as_str())
            .collect();
        let names = inventory.packages_in("node_modules").into_iter();
        let is_registered = |name: &str| {
            let link = inventory.dir.metadata(format!("node_modules/{name}").as_str());
            inventory.has_registered && matches!(link, Ok(Some(link)) if link.is_symlink())
        };
        let strange = names.filter(move |name| !known.contains(&**name) && !is_registered(name));
        strange.map(|name| {
            let path = format!("node_modules/{name}");
            let version = inventory.installed(&path).and_then(|manifest| manifest.version);
            Row {
                alias: name.clone(),
                name,
                version: version.unwrap_or_default(),
                path: Some(path),
                kind: None,
                of: None,
                depth: 0,
                is_dev: false,
                is_repeated: false,
                problem: Some(Problem::Extraneous),
            }
        })
    }
}

impl Pattern {
    fn parse(text: &str) -> Self {
        let (name, range) =
            split_name(text).map_or((text, None), |(name, range)| (name, Some(range)));
        Self { name: Glob::parse(name), range: range.and_then(|range| Range::parse(range).ok()) }
    }
}
