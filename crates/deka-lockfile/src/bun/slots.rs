//! The order of `trustedDependencies` and `patchedDependencies`.
//!
//! Bun prints both in the order in which they happen to lie in its hash table: a file in any other
//! order would change with the next `bun install`. So the table is rebuilt here: Wyhash (the
//! eleventh version of it that Zig had) of the text as the key, today's Wyhash of the key for the
//! slot, linear probing, filled in the order in which packages were placed.

use deka_graph::{Graph, HoistedTree};
use deka_manifest::Symbol;
use deka_manifest::wyhash::{wyhash, wyhash_11};
use hashbrown::{HashMap, HashSet};

/// Returns which of the `listed` names are in the tree, in printing order. What comes from a registry is meant by
/// the name that it has there, all else by what its dependents call it.
pub fn trusted_dependencies(listed: &[Symbol], graph: &Graph, tree: &HoistedTree) -> Vec<Symbol> {
    let listed: HashSet<Symbol> = listed.iter().copied().collect();
    let mut table = Table::for_entries(listed.len());
    for id in tree.in_order_of_placement() {
        let node = tree.node(*id);
        let package = graph.package(node.package);
        let is_of_registry = package.version().is_some();
        let name = if is_of_registry { package.name.symbol() } else { node.alias.symbol() };
        if listed.contains(&name) {
            table.insert(&name, name);
        }
    }
    table.into_values()
}

/// Returns which of the `listed` patches (`name@version` and path) are of packages in the tree, in
/// printing order.
pub fn patched_dependencies(
    listed: &[(Symbol, Symbol)],
    graph: &Graph,
    tree: &HoistedTree,
) -> Vec<(Symbol, Symbol)> {
    if listed.is_empty() {
        return Vec::new();
    }
    let paths: HashMap<&str, (Symbol, Symbol)> =
        listed.iter().map(|patch| (patch.0.as_str(), *patch)).collect();
    let mut table = Table::for_entries(paths.len());
    for id in tree.in_order_of_placement() {
        let package = graph.package(tree.node(*id).package);
        let key = format!("{}@{}", package.name, package.resolution);
        if let Some(patch) = paths.get(&*key) {
            table.insert(&key, *patch);
        }
    }
    table.into_values()
}

struct Table<T> {
    slots: Vec<Option<(u64, T)>>,
}

impl<T> Table<T> {
    fn for_entries(count: usize) -> Self {
        let capacity = (count * 100 / 80 + 1).next_power_of_two().max(8);
        Self { slots: (0..capacity).map(|_| None).collect() }
    }

    /// Inserts `value` unless something with this key is there.
    fn insert(&mut self, key: &str, value: T) {
        let key = wyhash_11(key.as_bytes());
        let mask = self.slots.len() - 1;
        let mut slot = wyhash(&key.to_le_bytes()) as usize & mask;
        while let Some((other, _)) = &self.slots[slot] {
            if *other == key {
                return;
            }
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = Some((key, value));
    }

    fn into_values(self) -> Vec<T> {
        self.slots.into_iter().flatten().map(|(_, value)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&'static str], listed: usize) -> Vec<&'static str> {
        let mut table = Table::for_entries(listed);
        for name in names {
            table.insert(name, *name);
        }
        table.into_values()
    }

    #[test]
    fn names_lie_where_bun_puts_them() {
        let mut names = [
            "zed",
            "alpha",
            "mike",
            "bravo",
            "yankee",
            "charlie",
            "kilo",
            "@scope/x",
            "@a/b",
            "esbuild",
            "sharp",
            "node-sass",
            "lima",
            "tango",
        ];
        names.sort_unstable();
        assert_eq!(
            order(&names, names.len()),
            [
                "@a/b",
                "alpha",
                "bravo",
                "zed",
                "mike",
                "tango",
                "esbuild",
                "node-sass",
                "sharp",
                "@scope/x",
                "yankee",
                "charlie",
                "kilo",
                "lima",
            ]
        );
        assert_eq!(order(&["core-js", "esbuild"], 3), ["core-js", "esbuild"]);
        assert_eq!(
            order(&["@types/node@20.0.0", "is-number@6.0.0", "is-odd@3.0.1"], 3),
            ["is-number@6.0.0", "@types/node@20.0.0", "is-odd@3.0.1"]
        );
    }

    #[test]
    fn of_two_names_for_one_slot_the_first_gets_it() {
        assert_eq!(order(&["a0", "h1"], 2), ["a0", "h1"]);
        assert_eq!(order(&["h1", "a0"], 2), ["h1", "a0"]);
    }

    #[test]
    fn a_name_that_comes_twice_is_one_entry() {
        assert_eq!(order(&["a", "a"], 1), ["a"]);
    }
}
