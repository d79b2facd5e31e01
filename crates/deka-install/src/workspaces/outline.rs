//! Who among the members of the workspaces depends on whom, before anything is resolved.

use deka_graph::{Edge, EdgeKind, Graph, Package, PackageId, Resolution};
use deka_manifest::{PackageJson, PackageName, Platforms, Symbol};
use hashbrown::HashMap;

use super::Member;

/// Returns a graph of the root and the members alone; what has the name of a member leads to it.
pub(crate) fn outline(root: &PackageJson, members: &[Member]) -> Graph {
    let id_of: HashMap<Symbol, PackageId> = (1..)
        .zip(members)
        .filter_map(|(id, member)| Some((member.manifest.name?, PackageId(id))))
        .collect();
    let edges = |manifest: &PackageJson| {
        let groups = [
            (EdgeKind::Dev, &manifest.dev_dependencies),
            (EdgeKind::Optional, &manifest.optional_dependencies),
            (EdgeKind::Prod, &manifest.dependencies),
            (EdgeKind::Peer, &manifest.peer_dependencies),
        ];
        let rows = groups
            .into_iter()
            .flat_map(|(kind, group)| group.iter().map(move |(alias, spec)| (kind, *alias, *spec)));
        rows.filter_map(|(kind, alias, spec)| {
            let target = Some(*id_of.get(&alias.symbol())?);
            Some(Edge { alias, spec, kind, optional_peer: false, bundled: false, target })
        })
        .collect::<Vec<Edge>>()
    };
    let mut graph = Graph::new();
    let mut add = |manifest: &PackageJson, resolution| {
        let name = manifest.package_name().unwrap_or_else(PackageName::of_nameless_project);
        graph.add_package(package(name, resolution), edges(manifest));
    };
    add(root, Resolution::Root);
    for member in members {
        add(&member.manifest, Resolution::Workspace(Symbol::new(&member.path)));
    }
    graph
}

fn package(name: PackageName, resolution: Resolution) -> Package {
    Package {
        name,
        resolution,
        integrity: Symbol::new(""),
        bun_tag: None,
        platforms: Platforms::ALL,
        has_install_script: false,
        bin: deka_manifest::Bin::None,
        edges: 0..0,
    }
}
