//! What an older lockfile says, in the resolver's terms.

use deka_lockfile::{Lockfile, OverrideRule};
use deka_manifest::{Alias, Override, OverrideTarget, Symbol};
use deka_resolver::{Catalogs, Overrides};
use hashbrown::{HashMap, HashSet};

/// Returns the overrides that held when the lockfile was written.
pub(crate) fn overrides(lockfile: &Lockfile) -> Overrides {
    let mut overrides = Vec::new();
    let mut add =
        |path: Vec<OverrideTarget>, value: Symbol| overrides.push(Override { path, value });
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
    // The first character may be the `@` of a scope.
    match key.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => OverrideTarget {
            name: Symbol::new(&key[..at]),
            range: Some(Symbol::new(&key[at + 1..])),
        },
        None => OverrideTarget { name: key, range: None },
    }
}

/// Returns what extensions had added to packages, by `name@version`.
pub(crate) fn added(lockfile: &Lockfile) -> HashMap<Symbol, HashSet<Alias>> {
    let aliases = |names: &[Symbol]| -> Vec<Alias> {
        names.iter().filter_map(|name| Alias::parse(name).ok()).collect()
    };
    lockfile
        .package_extensions
        .iter()
        .map(|(package, extension)| {
            let names = aliases(&extension.dependencies).into_iter();
            (*package, names.chain(aliases(&extension.peer_dependencies)).collect())
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
