//! Where a setting's value came from.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// One source of settings, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Built into deka.
    Default,
    /// npm's file for the whole machine, `<prefix>/etc/npmrc`.
    GlobalNpmrc,
    /// The user's `~/.npmrc`.
    UserNpmrc,
    /// The `.npmrc` beside `package.json`.
    ProjectNpmrc,
    /// The user's `~/.bunfig.toml`.
    UserBunfig,
    /// The `bunfig.toml` beside `package.json`.
    ProjectBunfig,
    /// A variable of the environment.
    Environment,
    /// A flag of the command line.
    Flag,
}

impl Layer {
    /// Whether the layer came with the project, so that its author need not be the user.
    pub const fn is_of_project(self) -> bool {
        matches!(self, Self::ProjectNpmrc | Self::ProjectBunfig)
    }
}

/// The exact place that a value was read from, to be shown to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The source.
    pub layer: Layer,
    /// The file, for layers that are files.
    pub file: Option<Arc<Path>>,
    /// The line in the file, counted from one.
    pub line: Option<u32>,
    /// The key, variable or flag as it is spelled there.
    pub key: Box<str>,
}

impl Origin {
    /// Returns the origin of what nobody has set.
    pub fn default_value(key: &str) -> Self {
        Self { layer: Layer::Default, file: None, line: None, key: key.into() }
    }

    /// Returns the origin of an environment variable.
    pub fn variable(name: &str) -> Self {
        Self { layer: Layer::Environment, file: None, line: None, key: name.into() }
    }

    /// Returns the origin of a flag, given with its dashes.
    pub fn flag(name: &str) -> Self {
        Self { layer: Layer::Flag, file: None, line: None, key: name.into() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.layer, &self.file, self.line) {
            (Layer::Default, ..) => write!(formatter, "`{}` (default)", self.key),
            (Layer::Environment, ..) => write!(formatter, "environment variable `{}`", self.key),
            (Layer::Flag, ..) => write!(formatter, "flag `{}`", self.key),
            (_, Some(file), Some(line)) => {
                write!(formatter, "`{}` in `{}`, line {line}", self.key, file.display())
            }
            (_, Some(file), None) => write!(formatter, "`{}` in `{}`", self.key, file.display()),
            (_, None, _) => write!(formatter, "`{}`", self.key),
        }
    }
}
