//! Dependencies that come inside a tarball.

use crate::{Alias, Symbol};

/// The `bundleDependencies` (or `bundledDependencies`) of a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Bundled {
    /// Nothing is bundled.
    #[default]
    None,
    /// All dependencies are, peers too: `true`.
    All,
    /// Those of these names are.
    Names(Vec<Symbol>),
}

impl Bundled {
    /// Whether the dependency of this name is bundled.
    pub fn contains(&self, alias: Alias) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Names(names) => names.contains(&alias.symbol()),
        }
    }
}
