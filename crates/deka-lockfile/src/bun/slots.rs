//! The order of `trustedDependencies` and `patchedDependencies`.
//!
//! Bun prints both in the order in which they happen to lie in its hash table: a file in any other
//! order would change with the next `bun install`. So the table is rebuilt here: Wyhash (the
//! eleventh version of it that Zig had) of the text as the key, today's Wyhash of the key for the
//! slot, linear probing, filled in the order in which packages were placed.

use deka_graph::{Graph, HoistedTree};
use deka_manifest::Symbol;
use hashbrown::{HashMap, HashSet};

use super::emit::resolution_text;

/// Returns which of the `listed` names are in the tree, in printing order.
pub fn trusted_dependencies(listed: &[Symbol], tree: &HoistedTree) -> Vec<Symbol> {
    let listed: HashSet<Symbol> = listed.iter().copied().collect();
    let mut table = Table::for_entries(listed.len());
    for id in tree.in_order_of_placement() {
        let name = tree.node(*id).alias.symbol();
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
        let key = format!("{}@{}", package.name, resolution_text(&package.resolution));
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
        let mut slot = wyhash_of_key(key) as usize & mask;
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

const PRIMES: [u64; 5] = [
    0xa076_1d64_78bd_642f,
    0xe703_7ed1_a0b4_28db,
    0x8ebc_6af0_9c88_c6e3,
    0x5899_65cc_7537_4cc3,
    0x1d8e_4e27_c47d_124f,
];

/// Reads up to 8 bytes, the first one lowest.
fn read(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Multiplies and folds the upper half onto the lower one.
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
}

fn mix_first(one: u64, other: u64, seed: u64) -> u64 {
    fold(one ^ seed ^ PRIMES[0], other ^ seed ^ PRIMES[1])
}

fn mix_second(one: u64, other: u64, seed: u64) -> u64 {
    fold(one ^ seed ^ PRIMES[2], other ^ seed ^ PRIMES[3])
}

/// Reads 8 bytes as two halves, the first one upper.
fn read_swapped(bytes: &[u8]) -> u64 {
    read(&bytes[..4]) << 32 | read(&bytes[4..8])
}

/// Reads 1 to 8 bytes the way that the hash reads what is left at the end.
fn read_tail(bytes: &[u8]) -> u64 {
    match bytes.len() {
        3 => read(&bytes[..2]) << 8 | read(&bytes[2..]),
        5 => read(&bytes[..4]) << 8 | read(&bytes[4..]),
        6 => read(&bytes[..4]) << 16 | read(&bytes[4..]),
        7 => read(&bytes[..4]) << 24 | read(&bytes[4..6]) << 8 | read(&bytes[6..]),
        8 => read_swapped(bytes),
        _ => read(bytes),
    }
}

/// Zig's `Wyhash11` with the seed 0.
fn wyhash_11(bytes: &[u8]) -> u64 {
    let mut seed = 0;
    let blocks = bytes.chunks_exact(32);
    let rest = blocks.remainder();
    for block in blocks {
        seed = mix_first(read(&block[..8]), read(&block[8..16]), seed)
            ^ mix_second(read(&block[16..24]), read(&block[24..]), seed);
    }
    seed = match rest.len() {
        0 => seed,
        1..=8 => mix_first(read_tail(rest), PRIMES[4], seed),
        9..=16 => mix_first(read_swapped(rest), read_tail(&rest[8..]), seed),
        17..=24 => {
            mix_first(read_swapped(rest), read_swapped(&rest[8..]), seed)
                ^ mix_second(read_tail(&rest[16..]), PRIMES[4], seed)
        }
        _ => {
            mix_first(read_swapped(rest), read_swapped(&rest[8..]), seed)
                ^ mix_second(read_swapped(&rest[16..]), read_tail(&rest[24..]), seed)
        }
    };
    fold(seed ^ bytes.len() as u64, PRIMES[4])
}

/// Zig's `Wyhash` of the 8 bytes of `key` with the seed 0.
fn wyhash_of_key(key: u64) -> u64 {
    const LENGTH: u64 = 8;
    let state = fold(PRIMES[0], PRIMES[1]);
    let (low, high) = (key & 0xffff_ffff, key >> 32);
    let first = (low << 32 | high) ^ PRIMES[1];
    let second = (high << 32 | low) ^ state;
    let product = u128::from(first) * u128::from(second);
    fold(product as u64 ^ PRIMES[0] ^ LENGTH, (product >> 64) as u64 ^ PRIMES[1])
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
