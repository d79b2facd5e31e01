//! Settings from .npmrc, bunfig.toml, the environment and flags, merged into one plain value.
