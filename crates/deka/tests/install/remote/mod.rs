//! Dependencies that come over the network but from no registry.

mod github;
mod repositories;
mod tarballs;
