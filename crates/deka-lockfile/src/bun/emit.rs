//! From [`Lockfile`] to text, byte for byte as Bun 1.4 writes it.
//!
//! One element per line with a comma behind each, except in `packages`: there every entry takes one
//! line, with a blank line between two.

use std::fmt::Write as _;

use deka_graph::{
    Edge, EdgeId, EdgeKind, Graph, HoistOptions, HoistedTree, NodeId, Package, PackageId,
    Resolution, TarballLocation, hoist,
};
use deka_manifest::{Alias, Bin, CpuSet, LibcSet, OsSet, Platforms, Symbol};
use hashbrown::HashSet;
use smallvec::SmallVec;

use super::entries::unsafe_since_version_2;
use crate::{Lockfile, LockfileError, OverrideRule, WorkspaceEntry};

/// Places the packages and writes the text.
///
/// Who needs the places too calls [`deka_graph::hoist`] and [`emit_placed`].
pub fn emit(lockfile: &Lockfile) -> Result<String, LockfileError> {
    let mut graph = lockfile.graph.clone();
    let tree = hoist(&mut graph, HoistOptions::default())?;
    Ok(emit_placed(lockfile, &tree))
}

/// Writes the text of a lockfile whose packages were placed already.
pub fn emit_placed(lockfile: &Lockfile, tree: &HoistedTree) -> String {
    let mut out = Writer {
        text: String::with_capacity(2048 + tree.nodes().len() * 288),
        unresolved: unresolved(&lockfile.graph, tree),
    };
    out.head(lockfile);
    out.packages(lockfile, tree);
    out.text.push_str("}\n");
    out.text
}

/// Returns the version of the format to write.
///
/// Version 1 stays, for teams with an older Bun. Version 3 is for overrides below one package, and
/// version 2 refuses packages that nothing vouches for: a lockfile with such a package is written
/// in version 1, or nobody could load it again.
pub fn written_version(lockfile: &Lockfile) -> u32 {
    if lockfile.has_scoped_overrides() {
        return 3;
    }
    let packages = lockfile.graph.packages();
    if packages.iter().any(|package| unsafe_since_version_2(package).is_some()) {
        return 1;
    }
    lockfile.version.clamp(1, 2)
}

/// Finds the optional dependencies that lead nowhere although a lookup from a place of their
/// dependent finds something of their name: whoever loads the lockfile has to be told.
fn unresolved(graph: &Graph, tree: &HoistedTree) -> HashSet<EdgeId> {
    let is_open = |edge: &EdgeId| {
        let edge = graph.edge(*edge);
        edge.kind == EdgeKind::Optional && edge.target.is_none()
    };
    if !graph.edges().iter().zip(0..).any(|(_, id)| is_open(&EdgeId(id))) {
        return HashSet::new();
    }
    let places = tree.node_ids().map(|id| (Some(id), tree.node(id).package));
    let mut found = HashSet::new();
    for (place, package) in places.chain([(None, PackageId::ROOT)]) {
        let misleading = |edge: &EdgeId| tree.resolve(place, graph.edge(*edge).alias).is_some();
        found.extend(graph.edge_ids_of(package).filter(is_open).filter(misleading));
    }
    found
}

struct Writer {
    text: String,
    unresolved: HashSet<EdgeId>,
}

impl Writer {
    fn head(&mut self, lockfile: &Lockfile) {
        self.text.push_str("{\n  \"lockfileVersion\": ");
        self.text.push_str(&written_version(lockfile).to_string());
        self.text.push_str(",\n  \"configVersion\": ");
        self.text.push_str(&lockfile.config_version.to_string());
        self.text.push_str(",\n  \"workspaces\": {\n");
        for entry in &lockfile.workspaces {
            self.workspace(entry, &lockfile.graph);
        }
        self.text.push_str("  },\n");
        if let Some(names) = &lockfile.trusted_dependencies {
            if names.is_empty() {
                self.text.push_str("  \"trustedDependencies\": [],\n");
            } else {
                self.text.push_str("  \"trustedDependencies\": [\n");
                for name in names {
                    self.text.push_str("    ");
                    self.string(name);
                    self.text.push_str(",\n");
                }
                self.text.push_str("  ],\n");
            }
        }
        self.section("patchedDependencies", &lockfile.patched_dependencies, |out, (key, path)| {
            out.field(4, key, path);
        });
        self.section("overrides", &lockfile.overrides, |out, (key, rule)| match rule {
            OverrideRule::Everywhere(spec) => out.field(4, key, spec),
            OverrideRule::Scoped(rules) => out.object(4, key, rules, |out, (name, spec)| {
                out.field(6, name, spec);
            }),
        });
        self.section("catalog", &lockfile.catalog, |out, (name, spec)| {
            out.field(4, name.as_str(), spec);
        });
        self.section("catalogs", &lockfile.catalogs, |out, (key, catalog)| {
            out.object(4, key, catalog, |out, (name, spec)| out.field(6, name.as_str(), spec));
        });
        self.section("packageExtensions", &lockfile.package_extensions, |out, (key, added)| {
            out.text.push_str("    ");
            out.string(key);
            out.text.push_str(": {");
            let mut separator = " ";
            for (group, names) in [
                ("dependencies", &added.dependencies),
                ("peerDependencies", &added.peer_dependencies),
                ("optionalPeers", &added.optional_peers),
            ] {
                if !names.is_empty() {
                    out.text.push_str(separator);
                    out.string(group);
                    out.text.push_str(": ");
                    out.list(names.iter().map(|name| name.as_str()));
                    separator = ", ";
                }
            }
            out.text.push_str(" },\n");
        });
    }

    fn indent(&mut self, width: usize) {
        self.text.push_str(&"          "[..width]);
    }

    /// Writes a section unless it is empty.
    fn section<T>(&mut self, key: &str, elements: &[T], write: impl Fn(&mut Self, &T)) {
        if !elements.is_empty() {
            self.object(2, key, elements, write);
        }
    }

    fn object<T>(&mut self, width: usize, key: &str, of: &[T], write: impl Fn(&mut Self, &T)) {
        self.indent(width);
        self.string(key);
        self.text.push_str(": {\n");
        for element in of {
            write(self, element);
        }
        self.indent(width);
        self.text.push_str("},\n");
    }

    /// Writes one line `"key": "value",`.
    fn field(&mut self, width: usize, key: &str, value: &str) {
        self.indent(width);
        self.string(key);
        self.text.push_str(": ");
        self.string(value);
        self.text.push_str(",\n");
    }

    fn workspace(&mut self, entry: &WorkspaceEntry, graph: &Graph) {
        self.indent(4);
        self.string(&entry.path);
        self.text.push_str(": {");
        let empty = self.text.len();
        self.text.push('\n');
        if let Some(name) = entry.name {
            self.field(6, "name", &name);
        }
        if let Some(version) = entry.version {
            self.field(6, "version", &version);
        }
        match &entry.bin {
            Bin::None => {}
            Bin::Directory(path) => self.field(6, "binDir", path),
            Bin::File(path) => self.field(6, "bin", path),
            Bin::Map(bins) => self.object(6, "bin", bins, |out, (name, path)| {
                out.field(8, name, path);
            }),
        }
        for (kind, group) in entry.groups() {
            if !group.is_empty() {
                self.object(6, group_name(kind), group, |out, (name, spec)| {
                    out.field(8, name.as_str(), spec);
                });
            }
        }
        self.workspace_list("optionalPeers", &entry.optional_peers);
        if !self.unresolved.is_empty() {
            let package = graph.importer(&entry.path);
            let unresolved = package.map(|package| self.unresolved_of(graph, package));
            self.workspace_list("unresolved", &unresolved.unwrap_or_default());
        }
        if self.text.len() == empty + 1 {
            self.text.truncate(empty);
            self.text.push_str("},\n");
        } else {
            self.text.push_str("    },\n");
        }
    }

    fn workspace_list(&mut self, key: &str, names: &[Alias]) {
        if names.is_empty() {
            return;
        }
        self.indent(6);
        self.string(key);
        self.text.push_str(": [\n");
        for name in names {
            self.indent(8);
            self.string(name.as_str());
            self.text.push_str(",\n");
        }
        self.text.push_str("      ],\n");
    }

    /// Returns the names of a package's edges that are in `unresolved`, sorted.
    fn unresolved_of(&self, graph: &Graph, package: PackageId) -> Vec<Alias> {
        let open = graph.edge_ids_of(package).filter(|edge| self.unresolved.contains(edge));
        let mut names: Vec<Alias> = open.map(|edge| graph.edge(edge).alias).collect();
        names.sort_unstable();
        names
    }

    fn packages(&mut self, lockfile: &Lockfile, tree: &HoistedTree) {
        if tree.nodes().is_empty() {
            self.text.push_str("  \"packages\": {}\n");
            return;
        }
        self.text.push_str("  \"packages\": {\n");
        let graph = &lockfile.graph;
        // Where the tuple of each package was written first.
        let mut tuples = vec![(0, 0); graph.packages().len()];
        let mut separator = "    \"";
        for id in tree.node_ids() {
            self.text.push_str(separator);
            separator = ",\n\n    \"";
            self.key(tree, id);
            self.text.push_str("\": ");
            let node = tree.node(id);
            if graph.edge(node.edge).bundled {
                self.tuple(lockfile, node.package, true);
                continue;
            }
            let (start, end) = tuples[node.package.index()];
            if end == 0 {
                let start = self.text.len();
                self.tuple(lockfile, node.package, false);
                tuples[node.package.index()] = (start, self.text.len());
            } else {
                self.text.extend_from_within(start..end);
            }
        }
        self.text.push_str(",\n  }\n");
    }

    fn key(&mut self, tree: &HoistedTree, id: NodeId) {
        let node = tree.node(id);
        if let Some(parent) = node.parent {
            self.key(tree, parent);
            self.text.push('/');
        }
        self.escaped(node.alias.as_str());
    }

    fn tuple(&mut self, lockfile: &Lockfile, id: PackageId, is_bundled: bool) {
        let graph = &lockfile.graph;
        let package = graph.package(id);
        self.text.push_str("[\"");
        match (&package.resolution, lockfile.root()) {
            (Resolution::Root, Some(root)) => self.escaped(root.name.map_or("", Symbol::as_str)),
            _ => self.escaped(package.name.as_str()),
        }
        self.text.push('@');
        let resolution = package.resolution.to_string();
        self.escaped(&resolution);
        self.text.push('"');
        match &package.resolution {
            Resolution::Workspace(_) => {}
            Resolution::Root | Resolution::Symlink(_) => {
                self.text.push_str(", ");
                self.info(graph, None, package, is_bundled);
            }
            Resolution::Folder(_) => {
                self.text.push_str(", ");
                self.info(graph, Some(id), package, is_bundled);
            }
            Resolution::Npm { tarball, .. } => {
                self.text.push_str(", ");
                match tarball {
                    TarballLocation::Registry => self.text.push_str("\"\""),
                    TarballLocation::Url(url) => self.string(url),
                }
                self.text.push_str(", ");
                self.info(graph, Some(id), package, is_bundled);
                self.text.push_str(", ");
                self.string(&package.integrity);
            }
            Resolution::LocalTarball(_)
            | Resolution::RemoteTarball(_)
            | Resolution::Git { .. }
            | Resolution::GitHub { .. } => {
                self.text.push_str(", ");
                self.info(graph, Some(id), package, is_bundled);
                if let Some(tag) = package.bun_tag {
                    self.text.push_str(", ");
                    self.string(&tag);
                }
                if !package.integrity.is_empty() {
                    self.text.push_str(", ");
                    self.string(&package.integrity);
                }
            }
        }
        self.text.push(']');
    }

    /// Writes the info object; with the edges of `edges_of`, if that is given.
    fn info(
        &mut self,
        graph: &Graph,
        edges_of: Option<PackageId>,
        package: &Package,
        is_bundled: bool,
    ) {
        self.text.push('{');
        let empty = self.text.len();
        let edges = edges_of.map_or(&[][..], |id| graph.edges_of(id));
        for kind in [EdgeKind::Prod, EdgeKind::Dev, EdgeKind::Optional, EdgeKind::Peer] {
            self.info_group(kind, edges);
        }
        if let Some(id) = edges_of
            && !self.unresolved.is_empty()
        {
            let names = self.unresolved_of(graph, id);
            if !names.is_empty() {
                self.info_key("unresolved");
                self.list(names.iter().map(|name| name.as_str()));
            }
        }
        if is_bundled {
            self.info_key("bundled");
            self.text.push_str("true");
        }
        let Platforms { os, cpu, libc } = package.platforms;
        // Most run everywhere, which nobody need find out name by name.
        if os != OsSet::ALL {
            self.info_platforms("os", OsSet::NAMES, |name| os.intersects(OsSet::of(name)));
        }
        if cpu != CpuSet::ALL {
            self.info_platforms("cpu", CpuSet::NAMES, |name| cpu.intersects(CpuSet::of(name)));
        }
        if let Some(name) = LibcSet::NAMES
            .iter()
            .find(|name| libc != LibcSet::ALL && libc.intersects(LibcSet::of(name)))
        {
            self.info_key("libc");
            self.string(name);
        }
        if package.has_install_script {
            self.info_key("hasInstallScript");
            self.text.push_str("true");
        }
        match &package.bin {
            Bin::None => {}
            Bin::Directory(path) => {
                self.info_key("binDir");
                self.string(path);
            }
            Bin::File(path) => {
                self.info_key("bin");
                self.string(path);
            }
            Bin::Map(bins) => {
                self.info_key("bin");
                self.inline_object(bins.iter().map(|(name, path)| (&**name, &**path)));
            }
        }
        if self.text.len() > empty {
            // Every key begins with a comma; the first one should not.
            self.text.remove(empty);
            self.text.push_str(" }");
        } else {
            self.text.push('}');
        }
    }

    fn info_group(&mut self, kind: EdgeKind, edges: &[Edge]) {
        let mut group: SmallVec<[&Edge; 32]> =
            edges.iter().filter(|edge| edge.kind == kind).collect();
        if group.is_empty() {
            return;
        }
        if !group.is_sorted_by_key(|edge| edge.alias) {
            group.sort_by_key(|edge| edge.alias);
        }
        self.info_key(group_name(kind));
        self.inline_object(group.iter().map(|edge| (edge.alias.as_str(), edge.spec.as_str())));
        if kind == EdgeKind::Peer && group.iter().any(|edge| edge.optional_peer) {
            self.info_key("optionalPeers");
            let optional = group.iter().filter(|edge| edge.optional_peer);
            self.list(optional.map(|edge| edge.alias.as_str()));
        }
    }

    fn info_key(&mut self, key: &str) {
        self.text.push_str(", \"");
        self.text.push_str(key);
        self.text.push_str("\": ");
    }

    fn inline_object<'x>(&mut self, fields: impl Iterator<Item = (&'x str, &'x str)>) {
        let mut separator = "{ ";
        for (key, value) in fields {
            self.text.push_str(separator);
            separator = ", ";
            self.string(key);
            self.text.push_str(": ");
            self.string(value);
        }
        self.text.push_str(if separator == ", " { " }" } else { "{}" });
    }

    /// Writes `["a", "b"]`.
    fn list<'x>(&mut self, elements: impl Iterator<Item = &'x str>) {
        let mut separator = "[";
        for element in elements {
            self.text.push_str(separator);
            separator = ", ";
            self.string(element);
        }
        self.text.push_str(if separator == ", " { "]" } else { "[]" });
    }

    /// Writes `"os": "linux"`, `"os": [ "linux", "darwin", ]` or, unless more names are missing
    /// than there, the missing ones: `"os": "!win32"`.
    fn info_platforms(&mut self, key: &str, names: &[&str], has: impl Fn(&str) -> bool) {
        let included = names.iter().filter(|name| has(name)).count();
        let excluded = names.len() - included;
        if excluded == 0 {
            return;
        }
        self.info_key(key);
        if included == 0 {
            self.text.push_str("\"none\"");
            return;
        }
        let prints_included = excluded > included;
        let is_alone = if prints_included { included == 1 } else { excluded == 1 };
        if !is_alone {
            self.text.push_str("[ ");
        }
        for name in names.iter().filter(|name| has(name) == prints_included) {
            self.text.push_str(if prints_included { "\"" } else { "\"!" });
            self.text.push_str(name);
            self.text.push_str(if is_alone { "\"" } else { "\", " });
        }
        if !is_alone {
            self.text.push(']');
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        self.escaped(text);
        self.text.push('"');
    }

    /// Writes the inside of a string.
    fn escaped(&mut self, text: &str) {
        // The last two begin U+2028, U+2029 and U+FEFF, which Bun escapes too.
        let may_need_escape = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\' | 0xe2 | 0xef);
        // Without a branch in it, the compiler makes vector code of this.
        if !text.bytes().fold(false, |any, byte| any | may_need_escape(byte)) {
            self.text.push_str(text);
            return;
        }
        for letter in text.chars() {
            match letter {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                    // Writing to a string cannot fail.
                    let _ = write!(self.text, "\\u{:04X}", letter as u32);
                }
                letter => self.text.push(letter),
            }
        }
    }
}

/// Returns the key of a group of dependencies.
fn group_name(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Dev => "devDependencies",
        EdgeKind::Optional => "optionalDependencies",
        EdgeKind::Peer => "peerDependencies",
        EdgeKind::Prod | EdgeKind::Workspace => "dependencies",
    }
}
