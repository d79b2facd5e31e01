//! Placement of small graphs; real projects are placed in deka-lockfile's golden tests.

use std::fmt::Write as _;

use deka_manifest::{Alias, Bin, PackageName, Platforms, Symbol, Version};
use hashbrown::HashMap;
use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{HoistError, HoistOptions, HoistedTree, hoist};
use crate::{Edge, EdgeId, EdgeKind, Graph, Package, PackageId, Resolution, TarballLocation};

/// A graph written as text, a package with its dependencies per line:
/// `name@version: alias dev:alias peer:alias=range optional-peer:alias?range …`. A dependency names
/// its target as `alias@version`; a lone `alias` stands for the only package of that name.
fn graph(text: &str) -> Graph {
    let lines: Vec<(&str, &str)> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(':').expect("a line needs a colon"))
        .collect();
    let mut ids = HashMap::new();
    for ((package, _), id) in lines.iter().zip(0..) {
        ids.insert(package.trim(), PackageId(id));
        let name = package.rfind('@').filter(|at| *at > 0).map_or(*package, |at| &package[..at]);
        ids.insert(name.trim(), PackageId(id));
    }
    let mut graph = Graph::new();
    for (package, dependencies) in &lines {
        let (name, version) = package.trim().rsplit_once('@').unwrap_or((package.trim(), ""));
        let resolution = match version {
            "" => Resolution::Root,
            "workspace" => Resolution::Workspace(Symbol::new(&format!("packages/{name}"))),
            "folder" => Resolution::Folder(Symbol::new(name)),
            version => Resolution::Npm {
                version: Version::parse(version).unwrap(),
                tarball: TarballLocation::Registry,
            },
        };
        let edges = dependencies.split_whitespace().map(|text| {
            let (kind, text) = text.split_once('!').unwrap_or(("prod", text));
            let (text, range) = text.split_once('=').unwrap_or((text, "*"));
            let alias = text.rfind('@').filter(|at| *at > 0).map_or(text, |at| &text[..at]);
            Edge {
                alias: Alias::parse(alias).unwrap(),
                spec: Symbol::new(range),
                kind: match kind {
                    "workspace" => EdgeKind::Workspace,
                    "dev" => EdgeKind::Dev,
                    "optional" => EdgeKind::Optional,
                    "prod" | "bundled" => EdgeKind::Prod,
                    "peer" | "optional-peer" => EdgeKind::Peer,
                    other => panic!("unknown kind {other}"),
                },
                optional_peer: kind == "optional-peer",
                bundled: kind == "bundled",
                target: if kind == "optional-peer" { None } else { ids.get(text).copied() },
            }
        });
        graph.add_package(
            Package {
                name: PackageName::parse(name).unwrap(),
                resolution,
                integrity: Symbol::new(""),
                bun_tag: None,
                platforms: Platforms::ALL,
                has_install_script: false,
                bin: Bin::None,
                edges: 0..0,
            },
            edges,
        );
    }
    graph
}

fn print(graph: &Graph, tree: &HoistedTree) -> String {
    let mut lines = Vec::new();
    for id in tree.node_ids() {
        let node = tree.node(id);
        let version = match &graph.package(node.package).resolution {
            Resolution::Npm { version, .. } => format!("@{version}"),
            _ => String::new(),
        };
        let mark = if node.in_bundle { " (bundled)" } else { "" };
        lines.push(format!("{}{version}{mark}", tree.lockfile_key(id)));
    }
    lines.join("\n")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let mut graph = graph(text);
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(print(&graph, &tree), expected.join("\n"));
}

#[test]
fn conflicting_versions_go_below_their_dependents() {
    check(
        "root: p
         p@1.0.0: q r
         q@1.0.0: s@1.0.0
         r@1.0.0: s@2.0.0
         s@1.0.0:
         s@2.0.0:",
        "p@1.0.0
         q@1.0.0
         r@1.0.0
         s@1.0.0
         r/s@2.0.0",
    );
}

#[test]
fn keys_compare_as_texts() {
    check(
        "root: a a-b x@1.0.0
         a@1.0.0: x@2.0.0
         a-b@1.0.0: x@2.0.0
         x@1.0.0: y@1.0.0
         x@2.0.0: y@2.0.0
         y@1.0.0:
         y@2.0.0: x@1.0.0",
        "a@1.0.0
         a-b@1.0.0
         x@1.0.0
         y@1.0.0
         a/x@2.0.0
         a-b/x@2.0.0
         a-b/x/y@2.0.0
         a/x/y@2.0.0
         a-b/x/y/x@1.0.0
         a/x/y/x@1.0.0
         a-b/x/y/x/y@1.0.0
         a/x/y/x/y@1.0.0",
    );
}

#[test]
fn packages_do_not_climb_past_a_wrong_copy_of_their_peer() {
    check(
        "root: dev!ajv@6.0.0 utils
         utils@1.0.0: ajv@8.0.0 keywords
         ajv@6.0.0:
         ajv@8.0.0:
         keywords@1.0.0: peer!ajv@8.0.0=^8.0.0",
        "ajv@6.0.0
         utils@1.0.0
         utils/ajv@8.0.0
         utils/keywords@1.0.0",
    );
}

#[test]
fn peers_put_up_with_what_the_root_chose() {
    check(
        "root: host@1.0.0 plugin
         host@1.0.0:
         host@2.0.0:
         plugin@1.0.0: peer!host@2.0.0=^2.0.0",
        "host@1.0.0
         plugin@1.0.0",
    );
}

#[test]
fn optional_peers_bind_to_what_they_see_and_are_then_visited_first() {
    let text = "root: vite other
         vite@1.0.0: optional-peer!terser
         other@1.0.0: deep
         deep@1.0.0: terser
         terser@1.0.0: source-map@1.0.0
         source-map@1.0.0:";
    let mut graph = graph(text);
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    let vite = PackageId(1);
    assert_eq!(graph.edges_of(vite)[0].target, Some(PackageId(4)));
    let again = hoist(&mut graph, HoistOptions::default()).unwrap();
    assert_eq!(tree, again);
    check(
        &text
            .replace("deep@1.0.0: terser", "deep@1.0.0:")
            .replace("terser@1.0.0:", "unused@1.0.0:"),
        "deep@1.0.0
         other@1.0.0
         vite@1.0.0",
    );
}

#[test]
fn what_only_optional_peers_lead_to_stays() {
    let text = "root: a
         a@1.0.0: optional-peer!p
         p@1.0.0: q
         q@1.0.0:";
    let mut graph = graph(text);
    let p = PackageId(2);
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    assert_eq!(print(&graph, &tree), "a@1.0.0");
    graph.edge_mut(EdgeId(1)).target = Some(p);
    assert_eq!(graph.sole_ways().into_iter().collect::<Vec<_>>(), [EdgeId(1)]);
    for _ in 0..2 {
        let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
        assert_eq!(print(&graph, &tree), "a@1.0.0\np@1.0.0\nq@1.0.0");
    }
    // Where something else leads to it, it is only what the peer happens to find.
    graph.edge_mut(EdgeId(0)).target = Some(p);
    assert!(graph.sole_ways().is_empty());
}

#[test]
fn bundled_packages_stay_with_their_bundler() {
    check(
        "root: bundler w
         bundler@1.0.0: bundled!x bundled!y w
         w@1.0.0:
         x@1.0.0:
         y@1.0.0: deep
         deep@1.0.0: w",
        "bundler@1.0.0
         w@1.0.0
         bundler/deep@1.0.0 (bundled)
         bundler/w@1.0.0 (bundled)
         bundler/x@1.0.0 (bundled)
         bundler/y@1.0.0 (bundled)",
    );
}

#[test]
fn bundles_hide_nothing_that_is_found_above_them() {
    let text = "root: bundler s@1.0.0 m@2.0.0
         bundler@1.0.0: bundled!k m@1.0.0
         k@1.0.0: s@2.0.0
         m@1.0.0: s@1.0.0
         m@2.0.0:
         s@1.0.0:
         s@2.0.0:";
    check(
        text,
        "bundler@1.0.0
         m@2.0.0
         s@1.0.0
         bundler/k@1.0.0 (bundled)
         bundler/m@1.0.0
         bundler/k/s@2.0.0 (bundled)",
    );
    // Without the neighbour that needs the other one, it goes up to the bundler.
    check(
        &text.replace("bundled!k m@1.0.0", "bundled!k"),
        "bundler@1.0.0
         m@2.0.0
         s@1.0.0
         bundler/k@1.0.0 (bundled)
         bundler/s@2.0.0 (bundled)",
    );
}

#[test]
fn what_a_bundle_needs_of_its_bundler_is_the_bundler() {
    check(
        "root: a
         a@1.0.0: bundled!b
         b@1.0.0: a",
        "a@1.0.0
         a/b@1.0.0 (bundled)",
    );
}

#[test]
fn optional_peers_in_bundles_bind_where_they_were_bound_before() {
    // The copy at the root sees `s` first; the one in the bundle then gets its own.
    check(
        "root: bundler q s
         bundler@1.0.0: bundled!q
         q@1.0.0: optional-peer!s=1.0.0
         s@1.0.0:",
        "bundler@1.0.0
         q@1.0.0
         s@1.0.0
         bundler/q@1.0.0 (bundled)
         bundler/s@1.0.0 (bundled)",
    );
    // The one in the bundle comes first, reserves a place that nobody takes, and stays unbound.
    check(
        "root: bundler s z
         bundler@1.0.0: bundled!q
         z@1.0.0: q
         q@1.0.0: optional-peer!s=1.0.0
         s@1.0.0:",
        "bundler@1.0.0
         q@1.0.0
         s@1.0.0
         z@1.0.0
         bundler/q@1.0.0 (bundled)",
    );
}

#[test]
fn what_peers_brought_does_not_draw_away_from_ones_own_copy() {
    let text = "root: bc c
         bc@1.0.0: peer!d@2.1.0=2.1.0
         c@1.0.0: b d@2.0.0
         b@1.0.0: optional-peer!d
         d@2.0.0:
         d@2.1.0:";
    check(text, "bc@1.0.0\nc@1.0.0\nd@2.1.0\nc/b@1.0.0\nc/d@2.0.0");
    check(
        &text.replace("peer!d@2.1.0=2.1.0", "d@2.1.0"),
        "b@1.0.0\nbc@1.0.0\nc@1.0.0\nd@2.1.0\nc/d@2.0.0",
    );
}

#[test]
fn the_root_may_depend_on_itself() {
    let mut graph = graph(
        "root: self lib@folder
         lib@folder: ms
         ms@1.0.0:",
    );
    graph.edge_mut(EdgeId(0)).target = Some(PackageId::ROOT);
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    assert_eq!(print(&graph, &tree), "lib\nms@1.0.0\nself\nself/lib");
}

#[test]
fn explosions_end_at_the_limit() {
    // Each package needs both of the next level, in versions that the root has others of.
    let mut text = String::from("root: dev!a0@1.0.0 dev!b0@1.0.0");
    for level in 1..20 {
        let _ = write!(text, " x{level}@1.0.0 y{level}@1.0.0");
    }
    for level in 0..19 {
        let next = level + 1;
        for (name, version) in [("a", 1), ("b", 1), ("x", 1), ("y", 1), ("x", 2), ("y", 2)] {
            let exists = if matches!(name, "a" | "b") { level == 0 } else { level > 0 };
            if exists {
                let needs = if version == 1 && level > 0 {
                    String::new()
                } else {
                    format!("x{next}@2.0.0 y{next}@2.0.0")
                };
                let _ = write!(text, "\n{name}{level}@{version}.0.0: {needs}");
            }
        }
    }
    for name in ["x19@1.0.0", "x19@2.0.0", "y19@1.0.0", "y19@2.0.0"] {
        let _ = write!(text, "\n{name}:");
    }
    let limit = HoistOptions { place_limit: 10_000 };
    let result = hoist(&mut graph(&text), limit);
    assert_eq!(result, Err(HoistError::TooManyPlaces { limit: 10_000 }));
}

#[test]
fn workspaces_come_first_and_have_their_own_folders() {
    let mut graph = graph(
        "root: workspace!web x@1.0.0
         web@workspace: x@2.0.0
         x@1.0.0:
         x@2.0.0:",
    );
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    let paths: Vec<String> = tree.node_ids().map(|id| tree.path(id, &graph)).collect();
    assert_eq!(paths, ["node_modules/web", "node_modules/x", "packages/web/node_modules/x"]);
}

#[test]
fn a_circle_of_conflicts_ends_in_an_error() {
    let mut graph = graph(
        "root: a@1.0.0 b@1.0.0
         a@1.0.0: b@1.0.0
         b@1.0.0: a@2.0.0
         a@2.0.0: b@2.0.0
         b@2.0.0: a@1.0.0",
    );
    let Err(HoistError::Cycle { packages }) = hoist(&mut graph, HoistOptions::default()) else {
        panic!("the packages should have no places");
    };
    assert_eq!(packages.len(), 5);
    assert_eq!(packages.first(), packages.last());
}

#[test]
fn lookup_follows_node() {
    let mut graph = graph(
        "root: p s@1.0.0
         p@1.0.0: s@2.0.0 t
         s@1.0.0:
         s@2.0.0:
         t@1.0.0:",
    );
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    let name = |text| Alias::parse(text).unwrap();
    let p = tree.child(None, name("p")).unwrap();
    let s = tree.resolve(Some(p), name("s")).unwrap();
    assert_eq!(tree.lockfile_key(s), "p/s");
    assert_eq!(tree.resolve(Some(p), name("t")), tree.child(None, name("t")));
    assert_eq!(tree.resolve(Some(p), name("missing")), None);
}

#[test]
fn what_is_pruned_leaves_a_gap() {
    let mut graph = graph(
        "root: optional!native app
         native@1.0.0: x@1.0.0 only
         only@1.0.0:
         app@1.0.0: x@2.0.0 native
         x@1.0.0:
         x@2.0.0:",
    );
    let native = Alias::parse("native").unwrap();
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    assert_eq!(print(&graph, &tree), "app@1.0.0\nnative@1.0.0\nonly@1.0.0\nx@1.0.0\napp/x@2.0.0");
    let all = tree.pruned(&graph, &|_, _| true);
    assert_eq!(all, tree);
    let pruned = tree.pruned(&graph, &|edge, _| graph.edge(edge).alias != native);
    assert_eq!(print(&graph, &pruned), "app@1.0.0\napp/x@2.0.0");
    let app = pruned.child(None, Alias::parse("app").unwrap());
    assert_eq!(pruned.children(app).len(), 1);
    assert_eq!(pruned.children(None).len(), 1);
}

#[test]
fn what_is_bundled_stands_in_for_nothing() {
    let mut graph = graph(
        "root: bundler
         bundler@1.0.0: bundled!y w
         w@1.0.0: deep
         y@1.0.0: w deep
         deep@1.0.0:",
    );
    let tree = hoist(&mut graph, HoistOptions::default()).unwrap();
    assert_eq!(
        print(&graph, &tree),
        "bundler@1.0.0\ndeep@1.0.0\nw@1.0.0\nbundler/deep@1.0.0 (bundled)\n\
         bundler/w@1.0.0 (bundled)\nbundler/y@1.0.0 (bundled)"
    );
    let pruned = tree.pruned(&graph, &|_, _| true);
    assert_eq!(print(&graph, &pruned), "bundler@1.0.0\ndeep@1.0.0\nw@1.0.0");
}

/// What one random package needs: the number of the package, what kind of edge leads there and
/// whether it bundles it.
type RandomEdge = (usize, u8, bool);

fn random_graph(packages: &[Vec<RandomEdge>]) -> Graph {
    let package = |index: usize| (format!("p{}", index / 3), format!("{}.0.0", index % 3 + 1));
    let mut lines = Vec::new();
    for (index, edges) in packages.iter().enumerate() {
        let (name, version) = package(index);
        let mut line = if index == 0 { "root:".to_owned() } else { format!("{name}@{version}:") };
        let mut names = Vec::new();
        for (target, kind, is_bundled) in edges {
            let target = 1 + target % packages.len().saturating_sub(1).max(1);
            let (name, version) = package(target);
            if target >= packages.len() || names.contains(&name) {
                continue;
            }
            let kind = match kind {
                0 => "peer!",
                1 => "optional-peer!",
                2 => "optional!",
                _ if *is_bundled => "bundled!",
                _ => "",
            };
            let _ = write!(line, " {kind}{name}@{version}=^{version}");
            names.push(name);
        }
        lines.push(line);
    }
    graph(&lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the graph, there is a tree or an error, and every dependency finds in the tree what
    /// the graph says. One exception is Bun's: a bundle that needs its own bundler may also need
    /// another version of it.
    #[test]
    fn dependencies_find_what_the_graph_says(
        packages in vec(vec((0_usize..30, 0_u8..8, weighted(0.1)), 0..5), 1..30),
    ) {
        let mut graph = random_graph(&packages);
        let options = HoistOptions { place_limit: 3_000 };
        let Ok(tree) = hoist(&mut graph, options) else { return Ok(()) };
        let places = std::iter::once((None, PackageId::ROOT))
            .chain(tree.node_ids().map(|id| (Some(id), tree.node(id).package)));
        for (place, package) in places {
            let above: Vec<PackageId> =
                std::iter::successors(place, |id| tree.node(*id).parent)
                    .map(|id| tree.node(id).package)
                    .collect();
            let is_in_bundle = place.is_some_and(|id| tree.node(id).in_bundle);
            for edge in graph.edges_of(package) {
                let Some(target) = edge.target else { continue };
                let found = tree.resolve(place, edge.alias).map(|id| tree.node(id).package);
                if edge.kind == EdgeKind::Peer {
                    prop_assert!(found.is_some() || edge.optional_peer);
                } else if !is_in_bundle || !above.contains(&target) {
                    prop_assert_eq!(found, Some(target));
                }
            }
        }
        prop_assert_eq!(hoist(&mut graph, options), Ok(tree));
    }
}
