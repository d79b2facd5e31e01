//! What the network did so far, for the progress line and for debugging.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that grow while a [`Client`](crate::Client) works; cheap to read at any time.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    connections: AtomicU64,
    cache_hits: AtomicU64,
    not_modified: AtomicU64,
    packuments: AtomicU64,
    tarballs: AtomicU64,
}

/// The values of [`Counters`] at one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, including retries and redirects.
    pub requests: u64,
    /// Bytes of bodies received, as they came over the wire.
    pub bytes: u64,
    /// Requests sent again after a failure.
    pub retries: u64,
    /// Connections opened.
    pub connections: u64,
    /// Packuments taken from the cache without asking the registry.
    pub cache_hits: u64,
    /// Packuments of which the registry said that the cached one still holds.
    pub not_modified: u64,
    /// Packuments received.
    pub packuments: u64,
    /// Tarballs received.
    pub tarballs: u64,
}

macro_rules! count {
    ($($count:ident),*) => {
        impl Counters {
            $(pub(crate) fn $count(&self) -> Counter<'_> {
                Counter(&self.$count)
            })*

            /// Returns the values of this moment.
            pub fn now(&self) -> Traffic {
                Traffic { $($count: self.$count.load(Ordering::Relaxed)),* }
            }
        }
    };
}

count!(requests, bytes, retries, connections, cache_hits, not_modified, packuments, tarballs);

/// One of the numbers, to be raised.
pub(crate) struct Counter<'a>(&'a AtomicU64);

impl Counter<'_> {
    pub(crate) fn raise(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }
}
