//! What goes wrong while settings are read.

use std::fmt;
use std::path::PathBuf;

use crate::Origin;

/// Why settings could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was asked for by `--config` cannot be read.
    #[error("Failed to read the configuration file `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A `bunfig.toml` is no TOML.
    #[error("Failed to parse `{}` at line {line}, column {column}: {message}", file.display())]
    Toml {
        /// The file.
        file: PathBuf,
        /// Line of the mistake, counted from one.
        line: usize,
        /// Column of the mistake, counted from one.
        column: usize,
        /// What the parser says, without the text of the line: it may hold a token.
        message: String,
    },
    /// The registry named by a flag cannot be used.
    #[error("The registry given by {origin} cannot be used")]
    Registry {
        /// The flag.
        origin: Origin,
        /// What is wrong with it.
        source: crate::InvalidRegistry,
    },
}

/// A setting that was left out, and why. Never holds the value, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where the setting is.
    pub origin: Origin,
    /// What is wrong, as a clause without a full stop: `expected a number`.
    pub problem: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ignored {}: {}", self.origin, self.problem)
    }
}
