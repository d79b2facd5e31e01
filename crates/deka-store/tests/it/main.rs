//! The store on real file systems: what it takes in, what it refuses, and what it survives.
#![cfg(unix)]

mod arriving;
mod child;
mod concurrent;
mod hostile;
mod import;
mod mounts;
mod recovery;
mod support;
