//! A project that comes from another package manager: its lockfile stands in for `bun.lock`, as long
//! as there is none.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deka_fs::Dir;
use deka_lockfile::migrate::{self, FILES, Format, Migrated};
use deka_lockfile::pnpm::settings::{self, Setting};
use deka_lockfile::{Lockfile, LockfileError};
use deka_manifest::package_json::edit::Editor;
use deka_manifest::{PackageName, Packument};
use deka_resolver::{PackumentSource, SourceAnswer, SourceError};
use deno_npmrc::NPM_DEFAULT_REGISTRY;
use hashbrown::HashMap;

use crate::InstallError;

/// Where pnpm has the settings of the whole project.
const WORKSPACE_FILE: &str = "pnpm-workspace.yaml";

/// The lockfile of another package manager that lies in a project.
pub(crate) struct Found {
    /// Its name.
    pub(crate) file: &'static str,
    format: Format,
    bytes: Vec<u8>,
}

/// What became of reading it.
pub(crate) struct Migration {
    /// The name of the file.
    pub(crate) file: &'static str,
    /// What it says.
    migrated: Migrated,
    /// How long reading it took.
    reading: Duration,
}

/// The root's manifest with settings that were elsewhere.
pub(crate) struct MovedSettings {
    /// Its text.
    pub(crate) manifest: String,
    /// What was moved, such as `pnpm.overrides to overrides`.
    pub(crate) fields: Vec<String>,
}

/// Finds the lockfile of another package manager; of several the one that Bun would take.
pub(crate) fn find(dir: &Dir) -> Result<Option<Found>, InstallError> {
    for (file, format) in FILES {
        let bytes =
            dir.read(*file).map_err(|source| InstallError::Read { path: file.into(), source })?;
        if let Some(bytes) = bytes {
            return Ok(Some(Found { file, format: *format, bytes }));
        }
    }
    Ok(None)
}

impl Found {
    /// Adds to the text of the root's manifest what the other package manager has elsewhere.
    pub(crate) fn moved_settings(
        &self,
        dir: &Dir,
        manifest: &[u8],
    ) -> Result<Option<MovedSettings>, InstallError> {
        if self.format != Format::Pnpm {
            return Ok(None);
        }
        let path = || PathBuf::from(WORKSPACE_FILE);
        let text = dir
            .read(WORKSPACE_FILE)
            .map_err(|source| InstallError::Read { path: path(), source })?
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let settings = settings::missing(manifest, text.as_deref())
            .map_err(|source| InstallError::Lockfile { path: path(), source: Arc::new(source) })?;
        let Ok(editor) = Editor::new(manifest) else { return Ok(None) };
        let mut fields = Vec::new();
        for Setting { key, value, source } in &settings {
            editor.add_field(key, value);
            fields.push(format!("{source} to {key}"));
        }
        let manifest = editor.to_string();
        Ok((!fields.is_empty()).then_some(MovedSettings { manifest, fields }))
    }

    /// Reads the file; `sections` is what the manifests say.
    pub(crate) fn read(&self, sections: Lockfile) -> Result<Migration, LockfileError> {
        let started = Instant::now();
        let migrated = migrate::migrate(self.format, &self.bytes, sections, NPM_DEFAULT_REGISTRY)?;
        Ok(Migration { file: self.file, migrated, reading: started.elapsed() })
    }
}

impl Migration {
    /// Returns which defaults the project is set up with.
    pub(crate) fn config_version(&self) -> u32 {
        self.migrated.config_version()
    }

    /// Whether the file lists the workspace in `folder`.
    pub(crate) fn has_workspace(&self, folder: &str) -> bool {
        self.migrated.has_workspace(folder)
    }

    /// Asks the registry for what the file does not tell of its packages; returns the whole, and how
    /// long all of it took.
    pub(crate) fn complete(
        &self,
        source: &mut dyn PackumentSource,
    ) -> Result<(Lockfile, Duration), InstallError> {
        let started = Instant::now();
        let mut packuments: HashMap<PackageName, Arc<Packument>> = HashMap::new();
        for name in self.migrated.wanted() {
            source.request(name);
        }
        while let Some(answer) = source.wait() {
            match answer {
                SourceAnswer::Packument(name, Ok(packument)) => {
                    packuments.insert(name, packument);
                }
                // Taken from the registry since; what the file tells may do.
                SourceAnswer::Packument(_, Err(SourceError::NotFound))
                | SourceAnswer::Foreign(..) => {}
                SourceAnswer::Packument(name, Err(source)) => {
                    return Err(InstallError::Migrate { file: self.file, name, source });
                }
            }
        }
        let manifest_of = |name: PackageName, version: &deka_manifest::Version| {
            let packument = packuments.get(&name)?;
            packument.manifest(packument.find(version)?).ok()
        };
        let lockfile = self.migrated.complete(manifest_of, NPM_DEFAULT_REGISTRY);
        Ok((lockfile, self.reading + started.elapsed()))
    }
}
