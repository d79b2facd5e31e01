//! Small registries written as text, and the places that resolving leads to.
//!
//! ```text
//! root a x@^1 dev:b peer:y@*          the project and what it depends on
//! workspace packages/w w@1.0.0 a@1    a workspace: folder, name, dependencies
//! override x@^1 = 1.0.0
//! a@1.0.0 x@^1 optional:z@2           a version; `_` stands for a space in ranges
//! x@1.5.0! deprecated                 `!`: `latest` points here
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use deka_graph::{Graph, HoistOptions, PackageId, Resolution, hoist};
use deka_manifest::{PackageJson, PackageName, Packument};
use deka_resolver::{
    ForeignError, ForeignId, ForeignRequest, Input, Locked, PackumentSource, ResolveError,
    Resolved, SourceAnswer, SourceError, resolve,
};

/// A project and the packages of its registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    root: String,
    workspaces: Vec<(String, String)>,
    packuments: BTreeMap<String, String>,
}

/// One package while its lines are read.
#[derive(Default)]
struct Package {
    versions: Vec<(String, String)>,
    latest: Option<String>,
}

impl World {
    /// Reads the lines of a scenario.
    pub(crate) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut world = Self::default();
        let mut root = manifest("root", None, "");
        let mut overrides = Vec::new();
        let mut packages: BTreeMap<String, Package> = BTreeMap::new();
        for line in lines {
            let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
            match head {
                "root" => root = manifest("root", None, rest),
                "override" => {
                    let (key, value) = rest.split_once(" = ").expect("`override key = value`");
                    overrides.push(format!("{key:?}:{value:?}"));
                }
                "workspace" => {
                    let (path, rest) = rest.split_once(' ').expect("a folder and a name");
                    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                    let (name, version) = split(name);
                    world.workspaces.push((path.to_owned(), manifest(name, version, rest)));
                }
                _ => {
                    let (name, version) = split(head);
                    let version = version.expect("a version");
                    let package = packages.entry(name.to_owned()).or_default();
                    let plain = version.trim_end_matches('!');
                    if plain != version {
                        package.latest = Some(plain.to_owned());
                    }
                    package.versions.push((plain.to_owned(), manifest(name, Some(plain), rest)));
                }
            }
        }
        root.pop();
        let _ = write!(root, ",\"overrides\":{{{}}}}}", overrides.join(","));
        world.root = root;
        for (name, package) in packages {
            let stable = package.versions.iter().rev().find(|(version, _)| !version.contains('-'));
            let latest = package
                .latest
                .as_ref()
                .or(stable.or(package.versions.last()).map(|(version, _)| version))
                .expect("a version");
            let versions: Vec<String> = package
                .versions
                .iter()
                .map(|(version, manifest)| format!("{version:?}:{manifest}"))
                .collect();
            let text = format!(
                "{{\"dist-tags\":{{\"latest\":{latest:?}}},\"versions\":{{{}}}}}",
                versions.join(",")
            );
            world.packuments.insert(name, text);
        }
        world
    }

    /// Resolves the project; packuments come in an order that `seed` decides.
    pub(crate) fn resolve(&self, seed: u64) -> Result<Resolved, ResolveError> {
        self.resolve_from(None, seed).0
    }

    /// Resolves the project from an older graph; returns which packuments were asked for, too.
    pub(crate) fn resolve_from(
        &self,
        locked: Option<&Graph>,
        seed: u64,
    ) -> (Result<Resolved, ResolveError>, Vec<String>) {
        let root = PackageJson::parse(self.root.as_bytes()).expect("a manifest");
        let workspaces: Vec<(&str, PackageJson)> = self
            .workspaces
            .iter()
            .map(|(path, text)| {
                (path.as_str(), PackageJson::parse(text.as_bytes()).expect("a manifest"))
            })
            .collect();
        let (mut input, _) = Input::from_manifests(
            &root,
            workspaces.iter().map(|(path, manifest)| (*path, manifest)),
        );
        let (overrides, catalogs) = (input.overrides.clone(), input.catalogs.clone());
        let (stale, added) = (hashbrown::HashSet::new(), hashbrown::HashMap::new());
        if let Some(graph) = locked {
            input.locked = Some(Locked {
                graph,
                stale: &stale,
                added: &added,
                overrides: &overrides,
                catalogs: &catalogs,
                update: None,
            });
        }
        let mut source = Source {
            world: self,
            waiting: VecDeque::new(),
            foreign: VecDeque::new(),
            seed,
            asked: Vec::new(),
        };
        let resolved = resolve(&input, &mut source, &mut ());
        let mut asked = source.asked;
        asked.sort();
        (resolved, asked)
    }
}

/// Splits `name@version`, of which the name may start with `@`.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.get(1..).and_then(|rest| rest.find(['@', '='])) {
        Some(at) => (&text[..=at], Some(&text[at + 2..])),
        None => (text, None),
    }
}

/// Writes a manifest from words such as `peer:x@^1`.
fn manifest(name: &str, version: Option<&str>, words: &str) -> String {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut text = format!("{{\"name\":{name:?}");
    if let Some(version) = version {
        let _ = write!(text, ",\"version\":{version:?}");
    }
    let (mut optional, mut bundled) = (Vec::new(), Vec::new());
    for word in words.split_ascii_whitespace() {
        if word == "deprecated" {
            text.push_str(",\"deprecated\":\"old\"");
            continue;
        }
        let (prefix, word) = match word.split_once(':') {
            Some((prefix @ ("peer" | "maybe" | "optional" | "dev" | "bundled"), rest)) => {
                (prefix, rest)
            }
            _ => ("", word),
        };
        let (name, range) = split(word);
        let group = match prefix {
            "peer" => "peerDependencies",
            "maybe" => {
                optional.push(format!("{name:?}:{{\"optional\":true}}"));
                "peerDependencies"
            }
            "optional" => "optionalDependencies",
            "dev" => "devDependencies",
            _ => "dependencies",
        };
        if prefix == "bundled" {
            bundled.push(format!("{name:?}"));
        }
        let range = range.unwrap_or("*").replace('_', " ");
        groups.entry(group).or_default().push(format!("{name:?}:{range:?}"));
    }
    for (group, entries) in groups {
        let _ = write!(text, ",{group:?}:{{{}}}", entries.join(","));
    }
    let _ = write!(text, ",\"peerDependenciesMeta\":{{{}}}", optional.join(","));
    let _ = write!(text, ",\"bundleDependencies\":[{}]}}", bundled.join(","));
    text
}

struct Source<'a> {
    world: &'a World,
    waiting: VecDeque<PackageName>,
    foreign: VecDeque<(ForeignId, ForeignRequest)>,
    seed: u64,
    asked: Vec<String>,
}

impl PackumentSource for Source<'_> {
    fn request(&mut self, name: PackageName) {
        self.asked.push(name.to_string());
        self.waiting.push_back(name);
    }

    fn request_foreign(&mut self, id: ForeignId, request: ForeignRequest) {
        self.foreign.push_back((id, request));
    }

    fn wait(&mut self) -> Option<SourceAnswer> {
        if let Some((id, _)) = self.foreign.pop_front() {
            return Some(SourceAnswer::Foreign(id, Err(ForeignError::Unsupported)));
        }
        let mut at = 0;
        if self.seed != 0 {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            at = (self.seed >> 33) as usize % self.waiting.len().max(1);
        }
        let name = self.waiting.remove(at)?;
        let answer = match self.world.packuments.get(name.as_str()) {
            Some(text) => {
                Ok(Arc::new(Packument::from_json(name, text.as_bytes()).expect("a packument")))
            }
            None => Err(SourceError::NotFound { asked: None }),
        };
        Some(SourceAnswer::Packument(name, answer))
    }
}

/// Returns the places in `node_modules`, sorted: `a@1.0.0`, `a/b@2.0.0`, `alias=name@3.0.0`.
pub(crate) fn places(graph: &Graph) -> Vec<String> {
    let mut graph = graph.clone();
    let tree = hoist(&mut graph, HoistOptions::default()).expect("a tree");
    let mut places: Vec<String> = tree
        .node_ids()
        .map(|id| {
            let node = tree.node(id);
            let package = graph.package(node.package);
            let path = tree.lockfile_key(id);
            let version = match &package.resolution {
                Resolution::Npm { version, .. } => version.to_string(),
                Resolution::Workspace(path) => path.to_string(),
                other => format!("{other:?}"),
            };
            if node.alias.as_str() == package.name.as_str() {
                format!("{path}@{version}")
            } else {
                format!("{path}={}@{version}", package.name)
            }
        })
        .collect();
    places.sort();
    places
}

/// Writes a graph with all that matters, to compare it; the order of packages does not.
pub(crate) fn describe(graph: &Graph) -> String {
    let label = |id: PackageId| {
        let package = graph.package(id);
        format!("{}@{:?}", package.name, package.resolution)
    };
    let mut packages: Vec<String> = graph
        .package_ids()
        .map(|id| {
            let mut text = format!("{}\n", label(id));
            for edge in graph.edges_of(id) {
                let target = edge.target.map_or("nothing".to_owned(), label);
                let (kind, alias, spec) = (edge.kind, edge.alias, edge.spec);
                let _ = writeln!(text, "  {kind:?} {alias}@{spec} -> {target}");
            }
            text
        })
        .collect();
    packages.sort();
    packages.concat()
}
