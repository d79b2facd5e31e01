//! What an older lockfile says, in the resolver's terms.

use deka_lockfile::{Lockfile, OverrideRule};
use deka_manifest::{Alias, Override, OverrideTarget, Symbol, split_name};
use deka_resolver::{Added, Addition, Catalogs, Overrides};
use hashbrown::{HashMap, HashSet};

/// Returns the overrides that held when the lockfile was written.
pub(crate) fn overrides(lockfile: &Lockfile) -> Overrides {
    let mut overrides = Vec::new();
    let mut add = |path: Vec<OverrideTarget>, value: Symbol| {
        overrides.push(Override { path, value, keys: Vec::new(), is_reference: false });
    };
    for (name, rule) in &lockfile.overrides {
        match rule {
            OverrideRule::Everywhere(spec) => add(vec![target(*name)], *spec),
            OverrideRule::Scoped(below) => {
                for (child, spec) in below {
                    let mut path = vec![target(*name)];
                    if child.as_str() != "." {
                        path.push(target(*child));
                    }
                    add(path, *spec);
                }
            }
        }
    }
    Overrides::new(&overrides)
}

/// Reads `name` or `name@range`.
fn target(key: Symbol) -> OverrideTarget {
    match split_name(&key) {
        Some((name, range)) => {
            OverrideTarget { name: Symbol::new(name), range: Some(Symbol::new(range)) }
        }
        None => OverrideTarget { name: key, range: None },
    }
}

/// Returns what extensions had added to packages, by `name@version`.
pub(crate) fn added(lockfile: &Lockfile) -> HashMap<Symbol, HashSet<Added>> {
    lockfile
        .package_extensions
        .iter()
        .map(|(package, extension)| {
            let groups = [
                (Addition::Dependency, &extension.dependencies),
                (Addition::Peer, &extension.peer_dependencies),
                (Addition::OptionalPeer, &extension.optional_peers),
            ];
            let added = groups.into_iter().flat_map(|(what, names)| {
                let aliases = names.iter().filter_map(|name| Alias::parse(name).ok());
                aliases.map(move |alias| Added { what, alias })
            });
            (*package, added.collect())
        })
        .collect()
}

/// Returns the catalogs that held when the lockfile was written.
pub(crate) fn catalogs(lockfile: &Lockfile) -> Catalogs {
    Catalogs {
        default: lockfile.catalog.iter().copied().collect(),
        named: lockfile
            .catalogs
            .iter()
            .map(|(name, catalog)| (*name, catalog.iter().copied().collect()))
            .collect(),
    }
}
