//! From the project's manifest to the sections of the lockfile that repeat it.

use deka_graph::{Graph, PackageId};
use deka_lockfile::{OverrideRule, PackageExtension};
use deka_manifest::{Alias, Override, OverrideTarget, Symbol};
use deka_resolver::{Added, Addition};

/// Returns a group by name, bytewise.
pub(crate) fn sorted(group: &[(Alias, Symbol)]) -> Vec<(Alias, Symbol)> {
    let mut group = group.to_vec();
    group.sort();
    group
}

/// Returns what extensions added, by `name@version`.
pub(crate) fn package_extensions(
    graph: &Graph,
    extensions: &[(PackageId, Vec<Added>)],
) -> Vec<(Symbol, PackageExtension)> {
    let names = |added: &[Added], what: Addition| {
        let mut names: Vec<Symbol> = added
            .iter()
            .filter(|added| added.what == what)
            .map(|added| added.alias.symbol())
            .collect();
        names.sort();
        names
    };
    let mut sections: Vec<(Symbol, PackageExtension)> = extensions
        .iter()
        .map(|(id, added)| {
            let label = Symbol::new(&crate::tarballs::label(graph.package(*id)));
            let extension = PackageExtension {
                dependencies: names(added, Addition::Dependency),
                peer_dependencies: names(added, Addition::Peer),
                optional_peers: names(added, Addition::OptionalPeer),
            };
            (label, extension)
        })
        .collect();
    sections.sort_by_key(|(label, _)| *label);
    sections
}

/// Returns the overrides by name: flat ones as a text, scoped ones with what is below.
pub(crate) fn override_rules(overrides: &[Override]) -> Vec<(Symbol, OverrideRule)> {
    let mut rules: Vec<(Symbol, Vec<(Symbol, Symbol)>)> = Vec::new();
    let itself = Symbol::new(".");
    for Override { path, value, .. } in overrides {
        let (key, below) = match path.as_slice() {
            [target] => (key(target), itself),
            [parent, target] => (key(parent), key(target)),
            // Bun's lockfile has no words for deeper ones, and the resolver leaves them out.
            _ => continue,
        };
        let at = rules.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            rules.push((key, Vec::new()));
            rules.len() - 1
        });
        let list = &mut rules[at].1;
        list.retain(|(known, _)| *known != below);
        list.push((below, *value));
    }
    rules.sort_by_key(|(key, _)| *key);
    rules
        .into_iter()
        .map(|(key, mut below)| {
            below.sort();
            let has_range = key.char_indices().skip(1).any(|(_, c)| c == '@');
            let rule = match below.as_slice() {
                [(name, spec)] if *name == itself && !has_range => OverrideRule::Everywhere(*spec),
                _ => OverrideRule::Scoped(below),
            };
            (key, rule)
        })
        .collect()
}

fn key(target: &OverrideTarget) -> Symbol {
    match target.range {
        Some(range) => Symbol::new(&format!("{}@{range}", target.name)),
        None => target.name,
    }
}
