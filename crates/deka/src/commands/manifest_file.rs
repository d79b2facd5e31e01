//! A `package.json` that a command reads and changes by itself, without an install.

use std::path::{Path, PathBuf};

use deka_fs::{Durability, atomic_write};
use deka_install::{InstallError, MANIFEST};
use deka_manifest::package_json::edit::Editor;

use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;

/// A `package.json` as it was read.
pub(crate) struct ManifestFile {
    pub(crate) path: PathBuf,
    pub(crate) text: Vec<u8>,
}

impl ManifestFile {
    /// Reads the one in `folder` or the nearest folder above it.
    pub(crate) fn nearest(folder: &Path) -> Result<Self, Diagnostic> {
        let paths = folder.ancestors().map(|folder| folder.join(MANIFEST));
        let path = paths.into_iter().find(|path| path.is_file());
        Self::read(path.ok_or_else(|| InstallError::NoManifest { folder: folder.to_owned() })?)
    }

    /// Reads the file at `path`.
    pub(crate) fn read(path: PathBuf) -> Result<Self, Diagnostic> {
        let text = std::fs::read(&path).map_err(|error| failed("read", &path, &error))?;
        Ok(Self { path, text })
    }

    /// Returns what changes the text.
    pub(crate) fn editor(&self) -> Result<Editor, Diagnostic> {
        Editor::new(&self.text).map_err(|source| {
            let (path, source) = (self.path.clone(), Box::new(source));
            InstallError::Manifest { path, source }.into()
        })
    }

    /// Writes another text, if it is another.
    pub(crate) fn write(&self, text: &str) -> Result<(), Diagnostic> {
        if text.as_bytes() == self.text { Ok(()) } else { self.put(text.as_bytes()) }
    }

    /// Writes the text that was read.
    pub(crate) fn restore(&self) -> Result<(), Diagnostic> {
        self.put(&self.text)
    }

    fn put(&self, text: &[u8]) -> Result<(), Diagnostic> {
        atomic_write(&self.path, text, Durability::Fsync)
            .map_err(|error| failed("write", &self.path, &error))
    }
}

/// Returns what to say if a file of the project could not be read or written.
pub(crate) fn failed(verb: &str, path: &Path, error: &dyn std::error::Error) -> Diagnostic {
    let message = format!("Failed to {verb} `{}`", path.display());
    let mut diagnostic = Diagnostic::new(Class::User, message);
    diagnostic.causes.push(error.to_string());
    diagnostic
}
