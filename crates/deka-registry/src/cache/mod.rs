//! The manifest cache: what registries said about packages, on disk, ready to be mapped.
//!
//! ```text
//! <cache>/packuments/
//!   registry.example-3f0c…/           one folder per registry: its host and a hash of its base URL
//!     react.packument                 one file per package
//!     @types%2fnode.packument         names are encoded; see `file_name`
//! ```
//!
//! A file is a header (whose answer it is, its validators, checksums; see `file`) and a
//! [`Packument`]'s record. Its time of modification is when the registry last said that it holds, so a 304
//! costs one system call. Files are replaced by renaming and never changed in place, so that a map
//! of one stays what it is. Nothing is synced: after a power cut a file may be cut or hold zeros, which
//! the checksums tell, and then it is as if it were not there.
//!
//! Everything here is synchronous and needs no runtime.

mod file;
mod name;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use deka_config::Config;
use deka_fs::{Dir, Epoch, FsError, MappedFile};
use deka_manifest::{PackageName, Packument};
use hashbrown::HashMap;

use crate::{RegistryError, RegistryKey, Validators};
use file::{Contents, EpochMark};
use name::{file_name, folder_name};

/// Files up to this size are read instead of mapped.
const SMALL: u64 = 32 * 1024;

/// The manifest cache; cheap to clone.
#[derive(Debug, Clone)]
pub struct ManifestCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// The folders of registries that were opened.
    registries: Mutex<HashMap<RegistryKey, Arc<Folder>>>,
}

/// The folder of one registry.
#[derive(Debug)]
struct Folder {
    dir: Dir,
    epoch: EpochMark,
}

/// A packument from the cache.
#[derive(Debug)]
pub struct CachedPackument {
    /// The packument itself, mapped.
    pub packument: Packument,
    /// Whether it is young enough to be used without asking the registry.
    pub is_fresh: bool,
    /// What to ask the registry with.
    pub validators: Validators,
}

impl ManifestCache {
    /// Returns the cache that the configuration wants, if it wants one.
    pub fn of(config: &Config) -> Option<Self> {
        let folder = config.cache.folder();
        let is_wanted = !config.cache.manifests_disabled && !folder.as_os_str().is_empty();
        is_wanted.then(|| Self::at(&folder.join("packuments")))
    }

    /// Returns the cache in `folder`, which need not exist.
    pub fn at(folder: &Path) -> Self {
        let registries = Mutex::default();
        Self(Arc::new(Inner { folder: folder.to_owned(), registries }))
    }

    /// Returns what is known about `name` from `registry`. A file that is damaged, or of another version of
    /// deka, is the same as none.
    pub fn load(&self, registry: &RegistryKey, name: PackageName) -> Option<CachedPackument> {
        self.load_at(registry, name, SystemTime::now())
    }

    fn load_at(
        &self,
        registry: &RegistryKey,
        name: PackageName,
        now: SystemTime,
    ) -> Option<CachedPackument> {
        let folder = self.open(registry, false).ok()?;
        let file = file_name(name);
        // Looked at before the file is mapped: if it is replaced in between, it seems older than it is.
        let metadata = folder.dir.metadata(file.as_str()).ok()??;
        let contents = if metadata.size <= SMALL {
            Contents::Read(folder.dir.read(file.as_str()).ok()??)
        } else {
            Contents::Mapped(MappedFile::open(&folder.dir, file.as_str()).ok()??)
        };
        let (validators, record) = match file::read(contents, registry, name, folder.epoch) {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%name, %error, "a file of the manifest cache is not used");
                return None;
            }
        };
        let packument = Packument::from_record(record)
            .inspect_err(|error| tracing::debug!(%name, %error, "a cached packument is not used"))
            .ok()
            .filter(|packument| packument.name() == name)?;
        let is_fresh = is_fresh(metadata.modified, validators.max_age, now);
        Some(CachedPackument { packument, is_fresh, validators })
    }

    /// Keeps what `registry` said.
    pub fn store(
        &self,
        registry: &RegistryKey,
        packument: &Packument,
        validators: &Validators,
    ) -> Result<(), RegistryError> {
        let name = packument.name();
        let folder = self.open(registry, true).map_err(failed)?;
        let contents = file::write(registry, name, validators, folder.epoch, packument.record());
        deka_fs::replace(&folder.dir, file_name(name).as_str(), &contents).map_err(failed)
    }

    /// Notes that `registry` said just now that its last answer still holds.
    pub fn touch(&self, registry: &RegistryKey, name: PackageName) -> Result<(), RegistryError> {
        let folder = self.open(registry, false).map_err(failed)?;
        folder.dir.touch(file_name(name).as_str()).map_err(failed)
    }

    fn open(&self, registry: &RegistryKey, create: bool) -> Result<Arc<Folder>, FsError> {
        let known = || self.0.registries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known().get(registry) {
            return Ok(folder.clone());
        }
        let path = self.0.folder.join(folder_name(registry));
        let dir = if create { Dir::open_or_create(&path) } else { Dir::open(&path) }?;
        let epoch = EpochMark::of(Epoch::of(&dir).ok().as_ref());
        let folder = Arc::new(Folder { dir, epoch });
        known().insert(registry.clone(), folder.clone());
        Ok(folder)
    }
}

fn failed(error: FsError) -> RegistryError {
    RegistryError::Cache { path: error.path().to_owned(), source: Arc::new(error) }
}

/// Whether what was true at `modified` (nanoseconds since 1970) still counts. A time in the future is that
/// of a clock which was set back.
fn is_fresh(modified: i128, max_age: Duration, now: SystemTime) -> bool {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let age = i128::try_from(now).unwrap_or(i128::MAX) - modified;
    u128::try_from(age).is_ok_and(|age| age < max_age.as_nanos())
}

#[cfg(test)]
mod tests;
