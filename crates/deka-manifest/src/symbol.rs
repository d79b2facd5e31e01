//! Interned strings: names, ranges and paths appear in thousands of edges but differ in few.
//!
//! A [`Symbol`] is a pointer to a string that lives as long as the process: copying, comparing and
//! hashing one costs as much as an integer. Interned text is never freed, which suits a command that
//! ends after one job; bodies of packuments and files are not interned.

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::{LazyLock, Mutex};

use hashbrown::{DefaultHashBuilder, HashTable};

/// A string that exists once in the process; equality is identity.
#[derive(Clone, Copy)]
pub struct Symbol(&'static str);

const SHARDS: usize = 16;
/// Each chunk is twice as large as the one before, from the first to the last size: most projects need
/// little of the last.
const FIRST_CHUNK: usize = 2 * 1024;
const LAST_CHUNK: usize = 32 * 1024;
/// Of how many strings each shard has room from the start.
const FIRST_STRINGS: usize = 56;

struct Shard {
    table: HashTable<&'static str>,
    /// What is left of the chunk that new strings are copied into.
    free: &'static mut [u8],
    next_chunk: usize,
}

struct Interner {
    hasher: DefaultHashBuilder,
    shards: [Mutex<Shard>; SHARDS],
}

static INTERNER: LazyLock<Interner> = LazyLock::new(|| Interner {
    hasher: DefaultHashBuilder::default(),
    shards: std::array::from_fn(|_| {
        Mutex::new(Shard {
            table: HashTable::with_capacity(FIRST_STRINGS),
            free: Default::default(),
            next_chunk: FIRST_CHUNK,
        })
    }),
});

impl Shard {
    fn store(&mut self, text: &str) -> &'static str {
        if text.len() > FIRST_CHUNK / 2 {
            return Box::leak(text.to_owned().into_boxed_str());
        }
        if self.free.len() < text.len() {
            self.free = vec![0; self.next_chunk].leak();
            self.next_chunk = (2 * self.next_chunk).min(LAST_CHUNK);
        }
        let (used, rest) = std::mem::take(&mut self.free).split_at_mut(text.len());
        self.free = rest;
        used.copy_from_slice(text.as_bytes());
        std::str::from_utf8(used).expect("copied from a str")
    }
}

impl Symbol {
    /// Returns the symbol of `text`, storing the text if it was not known yet.
    pub fn new(text: &str) -> Self {
        let hash = INTERNER.hasher.hash_one(text);
        // The table uses the upper bits of the hash for its tags and the lower ones for its slots.
        let shard = &INTERNER.shards[(hash >> 32) as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = shard.table.find(hash, |known| *known == text) {
            return Self(known);
        }
        let stored = shard.store(text);
        shard.table.insert_unique(hash, stored, |text| INTERNER.hasher.hash_one(text));
        Self(stored)
    }

    /// Returns the text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0.as_ptr(), other.0.as_ptr()) && self.0.len() == other.0.len()
    }
}

impl Eq for Symbol {}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Two symbols may share an address only if one of them is empty.
        (self.0.as_ptr() as usize).hash(state);
        self.0.len().hash(state);
    }
}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By bytes of the text, as `bun.lock` sorts.
impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(other.0)
    }
}

impl Deref for Symbol {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl From<&str> for Symbol {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_symbol() {
        let long = "x".repeat(LAST_CHUNK);
        for text in ["", "a", "react", "@types/node", &long] {
            let copy = text.to_owned();
            assert_eq!(Symbol::new(text), Symbol::new(&copy));
            assert_eq!(Symbol::new(text).as_str(), text);
        }
        assert_ne!(Symbol::new("a"), Symbol::new("b"));
        assert_ne!(Symbol::new(""), Symbol::new("a"));
    }

    #[test]
    fn symbols_sort_by_bytes() {
        let mut symbols = ["b", "@b/a", "a-b", "a"].map(Symbol::new);
        symbols.sort();
        assert_eq!(symbols.map(Symbol::as_str), ["@b/a", "a", "a-b", "b"]);
    }

    #[test]
    fn threads_agree_on_symbols() {
        let texts: Vec<String> = (0..2000).map(|i| format!("name-{i}")).collect();
        let symbols: Vec<Vec<Symbol>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| texts.iter().map(|text| Symbol::new(text)).collect()))
                .collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        });
        assert!(symbols.iter().all(|other| *other == symbols[0]));
    }
}
