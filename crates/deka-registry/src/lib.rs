//! The npm registry over HTTP: packuments, tarballs, and the manifest cache.
//!
//! ```text
//! Client::packument(name)                       Client::tarball(url)
//!   asked before in this run? ── that answer      │
//!   ManifestCache: fresh? ────── that one         │
//!   Gate: packuments first  ──────────────────── Gate: then the largest tarball
//!   Transport: one HTTP/2 connection             Transport: many HTTP/1.1 connections
//!   ◄─ 304: the cached one                        │
//!   unpack, scan, answer, write cache (Workers)   bytes, whole or through a Pipe, to be verified by the store
//! ```
//!
//! - Nothing is opened before it is needed, and with `offline` nothing at all.
//! - A credential goes to the host and path that it belongs to, on each hop of a redirect anew. Errors and
//!   logs show [`SafeUrl`]s only.
//! - What registries send is hostile: bodies have limits, lengths are hints, dates and tags are checked,
//!   redirects lead from `https:` to `https:` only.
//! - What may pass by itself is tried again; see [`RegistryError::code`] and [`RegistryError::hint`] for what
//!   is said about the rest.
//!
//! This crate knows neither lockfiles nor the store, and verifies no integrity.

mod cache;
mod client;
mod counters;
mod encoding;
mod error;
mod form;
mod gate;
mod location;
mod packument;
mod pipe;
mod retry;
mod transport;
mod validators;
mod workers;

pub use cache::{CachedPackument, ManifestCache};
pub use client::{Client, Taker, TarballOptions};
pub use counters::{Counters, Traffic};
pub use error::{Cause, RegistryError};
pub use location::{RegistryKey, SafeUrl, packument_url, tarball_url};
pub use pipe::{Pieces, Pipe, pipe};
pub use validators::Validators;
pub use workers::{BlockingThreads, Workers};
