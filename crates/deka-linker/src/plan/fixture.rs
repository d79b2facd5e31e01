//! Graphs and plans for tests, written and printed as text.

use std::fmt::Write as _;

use deka_graph::{Edge, EdgeKind, Graph, Package, PackageId, Resolution, TarballLocation, hoist};
use deka_manifest::{
    Alias, Bin, CpuSet, Integrity, LibcSet, OsSet, PackageName, Platforms, Symbol, Target, Version,
};

use hashbrown::HashMap;

use deka_store::BuildKey;

use super::{Build, HoistPatterns, IsolatedTree, LinkPlan, PlanError, PlanOptions};
use crate::commands::Commands;

/// Linux on x64 with glibc.
pub(crate) fn target() -> Target {
    Target { os: OsSet::of("linux"), cpu: CpuSet::of("x64"), libc: LibcSet::of("glibc") }
}

/// A graph under construction; packages are named by their labels (`a@1.0.0`).
#[derive(Default)]
pub(crate) struct Packages(Vec<(String, Package, Vec<String>)>, HashMap<PackageId, Build>);

impl Packages {
    /// Begins with the project and its dependencies: `prod a a@1.0.0` is kind, alias, label.
    pub(crate) fn new(dependencies: &[&str]) -> Self {
        Self::default().add("root@", Resolution::Root, dependencies)
    }

    /// Gives the project other dependencies.
    pub(crate) fn with_dependencies(mut self, dependencies: &[&str]) -> Self {
        self.0[0].2 = dependencies.iter().map(|text| (*text).to_owned()).collect();
        self
    }

    fn add(mut self, label: &str, resolution: Resolution, dependencies: &[&str]) -> Self {
        let name = label.rsplit_once('@').expect("a label").0;
        let package = Package {
            name: PackageName::parse(name).expect("a name"),
            resolution,
            integrity: Symbol::new(""),
            bun_tag: None,
            platforms: Platforms::ALL,
            has_install_script: false,
            bin: Bin::None,
            edges: 0..0,
        };
        let dependencies = dependencies.iter().map(|text| (*text).to_owned()).collect();
        self.0.push((label.to_owned(), package, dependencies));
        self
    }

    pub(crate) fn npm(self, label: &str, dependencies: &[&str]) -> Self {
        let version = label.rsplit_once('@').expect("a label").1;
        let version = Version::parse(version).expect("a version");
        let tarball = TarballLocation::Registry;
        let mut this = self.add(label, Resolution::Npm { version, tarball }, dependencies);
        this.last().integrity = Symbol::new(&format!("sha512-{label}"));
        this
    }

    pub(crate) fn workspace(self, name: &str, path: &str, dependencies: &[&str]) -> Self {
        self.add(&format!("{name}@ws"), Resolution::Workspace(Symbol::new(path)), dependencies)
    }

    pub(crate) fn folder(self, label: &str, path: &str) -> Self {
        self.add(label, Resolution::Folder(Symbol::new(path)), &[])
    }

    pub(crate) fn tarball(self, label: &str, path: &str, dependencies: &[&str]) -> Self {
        self.add(label, Resolution::LocalTarball(Symbol::new(path)), dependencies)
    }

    pub(crate) fn link(self, label: &str, path: &str) -> Self {
        self.add(label, Resolution::Symlink(Symbol::new(path)), &[])
    }

    fn last(&mut self) -> &mut Package {
        &mut self.0.last_mut().expect("a package").1
    }

    pub(crate) fn bin(mut self, bin: Bin) -> Self {
        self.last().bin = bin;
        self
    }

    /// Gives the last package commands: `tsc bin/tsc`.
    pub(crate) fn bins(self, commands: &[&str]) -> Self {
        let split =
            |text: &&str| text.split_once(' ').map(|(name, file)| (name.into(), file.into()));
        self.bin(Bin::Map(commands.iter().filter_map(split).collect()))
    }

    /// Has scripts of the last package run.
    pub(crate) fn built(mut self, key: u8, is_stored: bool) -> Self {
        let last = PackageId(self.0.len() as u32 - 1);
        self.1.insert(last, Build { key: BuildKey::of([[key]]), is_stored });
        self
    }

    pub(crate) fn only_on(mut self, os: &str, cpu: &str) -> Self {
        let platforms = Platforms { os: OsSet::of(os), cpu: CpuSet::of(cpu), libc: LibcSet::ALL };
        self.last().platforms = platforms;
        self
    }

    pub(crate) fn integrity(mut self, integrity: &Integrity) -> Self {
        self.last().integrity = Symbol::new(&integrity.to_string());
        self
    }

    pub(crate) fn graph(&self) -> Graph {
        let find = |label: &str| {
            let at = self.0.iter().position(|(other, ..)| other == label);
            PackageId(at.unwrap_or_else(|| panic!("no package `{label}`")) as u32)
        };
        let edge = |text: &String| {
            let mut words = text.split(' ');
            let mut word = || words.next().expect("kind, alias, label");
            let (kind, alias, label) = (word(), word(), word());
            Edge {
                alias: Alias::parse(alias).expect("an alias"),
                spec: Symbol::new("*"),
                kind: match kind {
                    "workspace" => EdgeKind::Workspace,
                    "dev" => EdgeKind::Dev,
                    "optional" => EdgeKind::Optional,
                    "peer" => EdgeKind::Peer,
                    _ => EdgeKind::Prod,
                },
                optional_peer: false,
                bundled: kind == "bundled",
                target: Some(find(label)),
            }
        };
        let mut graph = Graph::new();
        for (_, package, dependencies) in &self.0 {
            graph.add_package(package.clone(), dependencies.iter().map(edge));
        }
        graph
    }

    pub(crate) fn try_plan(&self) -> Result<LinkPlan, PlanError> {
        let mut graph = self.graph();
        let tree = hoist(&mut graph, deka_graph::HoistOptions::default()).expect("hoisting");
        let is_accepted = |edge, package| {
            graph.edge(edge).kind.is_accepted(&target(), &graph.package(package).platforms)
        };
        let tree = tree.pruned(&graph, &is_accepted);
        LinkPlan::hoisted(&graph, &tree, &self.options())
    }

    fn options(&self) -> PlanOptions {
        PlanOptions {
            target: target(),
            native_bins: super::NativeBins::default(),
            registered: hashbrown::HashMap::new(),
            builds: self.1.clone(),
            patches: hashbrown::HashMap::new(),
            edited: hashbrown::HashSet::new(),
            shared: None,
        }
    }

    /// Plans the isolated layout.
    pub(crate) fn isolated(&self, patterns: &HoistPatterns) -> LinkPlan {
        let mut graph = self.graph();
        hoist(&mut graph, deka_graph::HoistOptions::default()).expect("hoisting");
        let keep = |edge, package| {
            graph.edge(edge).kind.is_accepted(&target(), &graph.package(package).platforms)
        };
        let tree = IsolatedTree::new(&graph, patterns, &keep);
        LinkPlan::isolated(&graph, &tree, &self.options()).expect("a plan")
    }

    pub(crate) fn plan(&self) -> LinkPlan {
        self.try_plan().expect("a plan")
    }
}

/// Prints a plan, one line for each thing.
pub(crate) fn print(plan: &LinkPlan) -> String {
    let mut text = String::new();
    for placement in &plan.placements {
        writeln!(text, "{} = {}", placement.path, placement.label).expect("a string");
    }
    for link in &plan.links {
        writeln!(text, "{} -> {}", link.path, link.target).expect("a string");
    }
    for folder in &plan.bin_folders {
        writeln!(text, "{}:", folder.path).expect("a string");
        for owner in &folder.owners {
            let commands = match &*owner.commands {
                Commands::Files(commands) => commands
                    .iter()
                    .map(|command| format!("{} {}", command.name, command.target))
                    .collect::<Vec<_>>()
                    .join(", "),
                Commands::Folder(folder) => format!("* {folder}"),
            };
            let native =
                owner.native.as_ref().map_or(String::new(), |native| format!(" (or {native})"));
            writeln!(text, "  {}{native}: {commands}", owner.path).expect("a string");
        }
    }
    for skipped in &plan.skipped {
        writeln!(text, "{}: {}", skipped.path, skipped.reason).expect("a string");
    }
    text
}
