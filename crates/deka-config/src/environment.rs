//! What the process was started with, as a plain value.

use std::path::{Path, PathBuf};

use hashbrown::HashMap;

/// Environment variables and folders, taken from the process by the `deka` binary.
///
/// Variables whose value is no Unicode are left out by whoever fills this in. `Debug` shows no
/// value: variables hold tokens.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<Box<str>, Box<str>>,
    home: Option<PathBuf>,
    working_folder: PathBuf,
}

impl Environment {
    /// Collects variables and folders. `home` is where `~/.npmrc` is.
    pub fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        home: Option<PathBuf>,
        working_folder: PathBuf,
    ) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into_boxed_str(), value.into_boxed_str()))
            .collect();
        Self { variables, home, working_folder }
    }

    /// Returns the same with one variable more, or with another value of it.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.variables.insert(name.into(), value.into());
        changed
    }

    /// Returns a variable by its exact name; empty ones are there.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(AsRef::as_ref)
    }

    /// Returns a variable that is set and not empty.
    pub fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Iterates over all variables, in no particular order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Returns the user's home folder, if one is known.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Returns the folder that relative paths of flags and variables start from.
    pub fn working_folder(&self) -> &Path {
        &self.working_folder
    }

    /// Whether the process runs under continuous integration (`CI`, set and neither `false` nor `0`).
    pub fn is_ci(&self) -> bool {
        self.non_empty("CI").is_some_and(|value| !matches!(value, "false" | "0"))
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<_> = self.variables.keys().collect();
        names.sort_unstable();
        formatter
            .debug_struct("Environment")
            .field("variables", &names)
            .field("home", &self.home)
            .field("working_folder", &self.working_folder)
            .finish()
    }
}
