//! The resolver against small registries written down as text.

mod properties;
mod scenarios;
mod world;
