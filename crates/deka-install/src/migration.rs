//! A project that comes from another package manager: its lockfile stands in for `bun.lock`, as long
//! as there is none.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deka_fs::Dir;
use deka_lockfile::migrate::{self, FILES, Format, Migrated};
use deka_lockfile::pnpm::settings::{self, Setting};
use deka_lockfile::yarn::dialect::{self, Rewrite};
use deka_lockfile::{Lockfile, LockfileError};
use deka_manifest::package_json::edit::Editor;
use deka_manifest::{PackageName, Packument};
use deka_resolver::{PackumentSource, SourceAnswer, SourceError};
use deno_npmrc::NPM_DEFAULT_REGISTRY;
use hashbrown::HashMap;

use crate::change::Drafts;
use crate::{InstallError, MANIFEST};

/// Where pnpm has the settings of the whole project.
const WORKSPACE_FILE: &str = "pnpm-workspace.yaml";

/// The field of a manifest that names patches.
const PATCHES: &str = "patchedDependencies";

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

/// Manifests with settings that were elsewhere, and without what only the other package manager
/// understands.
#[derive(Default)]
pub(crate) struct MovedSettings {
    /// Their texts.
    pub(crate) drafts: Drafts,
    /// What was done, a line for each manifest.
    pub(crate) lines: Vec<String>,
}

impl MovedSettings {
    /// Takes the old and the new text of the root's manifest, and what was done to it.
    pub(crate) fn of_root(old: &[u8], (new, done): (String, Vec<String>)) -> Self {
        let mut moved = Self { drafts: Drafts::of_root(old, new), lines: Vec::new() };
        moved.add(MANIFEST, &done);
        moved
    }

    /// Adds what was done to a manifest.
    pub(crate) fn add(&mut self, manifest: &str, done: &[String]) {
        if !done.is_empty() {
            self.lines.push(format!("{} in {manifest}", done.join(", ")));
        }
    }
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
    /// Returns the text of the root's manifest with what the other package manager has elsewhere, and what
    /// was done to it; nothing if it stays as it is.
    pub(crate) fn move_settings(
        &self,
        dir: &Dir,
        manifest: &[u8],
    ) -> Result<Option<(String, Vec<String>)>, InstallError> {
        let Ok(editor) = Editor::new(manifest) else { return Ok(None) };
        let done = match self.format {
            Format::Pnpm => move_pnpm_settings(dir, manifest, &editor)?,
            Format::Yarn => self.move_yarn_patches(manifest, &editor)?,
            Format::PackageLock | Format::BunBinary => Vec::new(),
        };
        Ok((!done.is_empty()).then(|| (editor.to_string(), done)))
    }

    fn move_yarn_patches(
        &self,
        manifest: &[u8],
        editor: &Editor,
    ) -> Result<Vec<String>, InstallError> {
        if !self.has_dialect() {
            return Ok(Vec::new());
        }
        let mut done = rewrite(manifest, editor);
        let path = PathBuf::from(self.file);
        let patches = dialect::patches(&String::from_utf8_lossy(&self.bytes))
            .map_err(|source| InstallError::Lockfile { path, source: Arc::new(source) })?;
        if !patches.is_empty() {
            editor.add_field(PATCHES, &patches.into());
            done.push(format!("added {PATCHES}"));
        }
        Ok(done)
    }

    /// Whether manifests of the project may have what only yarn understands.
    pub(crate) fn has_dialect(&self) -> bool {
        let text = || std::str::from_utf8(&self.bytes);
        self.format == Format::Yarn && text().is_ok_and(dialect::is_berry)
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
                SourceAnswer::Packument(_, Err(SourceError::NotFound { .. }))
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

/// Copies pnpm's settings into the root's manifest; returns what was done.
fn move_pnpm_settings(
    dir: &Dir,
    manifest: &[u8],
    editor: &Editor,
) -> Result<Vec<String>, InstallError> {
    let path = || PathBuf::from(WORKSPACE_FILE);
    let text = dir
        .read(WORKSPACE_FILE)
        .map_err(|source| InstallError::Read { path: path(), source })?
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let settings = settings::missing(manifest, text.as_deref())
        .map_err(|source| InstallError::Lockfile { path: path(), source: Arc::new(source) })?;
    let mut done = Vec::new();
    for Setting { key, value, source } in &settings {
        editor.add_field(key, value);
        done.push(format!("copied {source} to {key}"));
    }
    Ok(done)
}

/// Says in other words what only yarn understands in a manifest; returns what was done.
pub(crate) fn rewrite(manifest: &[u8], editor: &Editor) -> Vec<String> {
    let rewrites = dialect::rewrites(manifest);
    for Rewrite { group, name, spec } in &rewrites {
        editor.set(&[*group], name, spec);
    }
    let mut done = Vec::new();
    if !rewrites.is_empty() {
        done.push("rewrote patch:, portal: and npm: ranges".to_owned());
    }
    let copies = rewrites.iter().filter(|rewrite| rewrite.is_copy());
    done.extend(copies.map(|rewrite| format!("made a copy of what `{}` links to", rewrite.name)));
    done
}
