//! The store as a whole: opening, looking up, importing.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use deka_fs::{Creation, Dir, Epoch, FileLock, FileMode, FsError, LockKind, flush_horizon};
use deka_manifest::Integrity;
use tracing::trace_span;

use crate::archive::is_gzip;
use crate::blobs::{Blobs, Shards, Temporary};
use crate::hash::{BlobName, index_name, shard_name};
use crate::import::{Archive, Identity, Importer, folder};
use crate::index::PackageIndex;
use crate::integrity::{Verified, verify, vouched_for};
use crate::periods::{Period, Periods, now};
use crate::recovery::{Recovery, recover};
use crate::{BlobHash, BuildKey, StoreError};

/// The layout below the root; another one gets another folder.
pub(crate) const LAYOUT: &str = "v1";

/// A store on disk, open. Shared by the workers of a process; several processes may use it at once.
#[derive(Debug)]
pub struct Store {
    blobs: Blobs,
    indexes: Shards,
    /// Indexes of what scripts made of packages.
    builds: Shards,
    periods: Periods,
    recovery: Recovery,
    /// Whether this process has made sure that what it writes is covered by a marker.
    is_writing: AtomicBool,
    begin_writing: Mutex<()>,
    /// Held shared as long as the store is open.
    lock: FileLock,
}

impl Store {
    /// Opens the store below `root`, making it if it does not exist.
    ///
    /// If it was written in another epoch (before a power cut, on another mount), what was written
    /// last is checked first; [`Store::recovered`] tells what came out.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let dir = Dir::open_or_create(root.join(LAYOUT))?;
        let lock = FileLock::open(&dir, c"lock")?;
        let files = dir.open_or_create_dir(c"files")?;
        let temporary = Temporary::new(dir.open_or_create_dir(c"tmp")?);
        let periods =
            Periods { epoch: Epoch::of(&dir)?, dir: dir.open_or_create_dir(c"unsynced")? };
        let mut store = Self {
            blobs: Blobs::new(files, temporary),
            indexes: Shards::new(dir.open_or_create_dir(c"index")?),
            builds: Shards::new(dir.open_or_create_dir(c"builds")?),
            periods,
            recovery: Recovery::default(),
            is_writing: AtomicBool::new(false),
            begin_writing: Mutex::new(()),
            lock,
        };
        store.recovery = store.settle()?;
        Ok(store)
    }

    /// Takes the shared lock; before it, recovers if another epoch has left something unsynced.
    fn settle(&mut self) -> Result<Recovery, FsError> {
        let lock = &self.lock;
        lock.lock(LockKind::Shared)?;
        let all = self.periods.list()?;
        let foreign = |periods: &[Period]| -> Vec<Period> {
            periods.iter().filter(|period| period.epoch != self.periods.epoch).cloned().collect()
        };
        let foreign_now = foreign(&all);
        if foreign_now.is_empty() {
            self.forget_past(&all)?;
            return Ok(Recovery::default());
        }

        lock.unlock()?;
        if !lock.try_lock(LockKind::Exclusive)? {
            // Another process is at work in this boot, so nothing was cut off behind its own
            // beginning; its markers are foreign because it sees the disk through another mount.
            let is_alive = foreign_now.iter().all(|p| p.epoch.is_same_boot(&self.periods.epoch))
                && lock.try_lock(LockKind::Shared)?;
            if is_alive {
                return Ok(Recovery::default());
            }
            lock.lock(LockKind::Exclusive)?;
        }
        // Somebody else may have done it while this process waited.
        let foreign = foreign(&self.periods.list()?);
        let recovery =
            recover(&self.blobs, &[&self.indexes, &self.builds], &self.periods, &foreign, now())?;
        if recovery != Recovery::default() {
            tracing::debug!(
                checked = recovery.checked,
                torn = recovery.torn.len(),
                dropped_packages = recovery.dropped_packages,
                "checked what was stored before the disk was mounted anew"
            );
        }
        lock.lock(LockKind::Shared)?;
        // Between one lock and the other somebody may have emptied the store.
        for shards in [&mut self.blobs.shards, &mut self.indexes, &mut self.builds] {
            shards.close();
        }
        Ok(recovery)
    }

    /// Removes the markers of a store that nobody has written for so long that all is on the disk.
    fn forget_past(&self, periods: &[Period]) -> Result<(), FsError> {
        if !self.periods.are_over(periods, now(), flush_horizon())? {
            return Ok(());
        }
        // Alone, so that nobody relies on a marker that goes. A failed try loses the shared lock.
        if self.lock.try_lock(LockKind::Exclusive)? {
            for period in self.periods.list()? {
                if periods.contains(&period) {
                    self.periods.remove(&period)?;
                }
            }
        }
        self.lock.lock(LockKind::Shared)
    }

    /// Returns what opening the store found torn.
    pub const fn recovered(&self) -> &Recovery {
        &self.recovery
    }

    /// Returns the epoch of the file system that the store is on.
    pub const fn epoch(&self) -> &Epoch {
        &self.periods.epoch
    }

    /// Returns the index of a package that was imported, `None` if it has to be.
    ///
    /// That all of its blobs exist is not checked; the linker finds out and calls [`Store::forget`].
    pub fn lookup(&self, integrity: &Integrity) -> Result<Option<PackageIndex>, StoreError> {
        read_index(&self.indexes, integrity)
    }

    /// Returns the index of what scripts made of a package; otherwise as [`Store::lookup`].
    pub fn lookup_build(&self, key: &BuildKey) -> Result<Option<PackageIndex>, StoreError> {
        key.integrity().map_or(Ok(None), |key| read_index(&self.builds, &key))
    }

    /// Stores a tarball: checks it, unpacks it, writes its files and its index.
    ///
    /// Nothing is written before `expected` was found to be right; without it the package can be
    /// looked up by the SHA-512 that the returned index has. `package` names it in errors.
    pub fn import(
        &self,
        tarball: &[u8],
        expected: Option<&Integrity>,
        package: &str,
        importer: &mut Importer,
    ) -> Result<PackageIndex, StoreError> {
        let archive = Archive { bytes: tarball, identity: Identity::Hash(expected), added: &[] };
        self.import_archive(archive, package, importer)
    }

    /// Like [`Store::import`], for a large tarball that is still on its way: it is unpacked as it comes and
    /// verified at its end, before anything can name what was written.
    pub fn import_arriving(
        &self,
        mut body: &mut dyn Read,
        expected: Option<&Integrity>,
        package: &str,
        importer: &mut Importer,
    ) -> Result<PackageIndex, StoreError> {
        let interrupted = |source| StoreError::Interrupted { package: package.to_owned(), source };
        let mut head = Vec::new();
        (&mut body).take(2).read_to_end(&mut head).map_err(interrupted)?;
        let mut body = head.chain(body);
        if !is_gzip(&head) {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes).map_err(interrupted)?;
            return self.import(&bytes, expected, package, importer);
        }
        let _span = trace_span!("unpack", package);
        self.begin_writing()?;
        let index = importer.unpack_arriving(&mut body, expected, &self.blobs, package)?;
        self.write_index(&self.indexes, &index)
            .map_err(|source| StoreError::Write { package: package.to_owned(), source })?;
        Ok(index)
    }

    /// Like [`Store::import`], for packages that are more than the bytes of a tarball.
    pub fn import_archive(
        &self,
        archive: Archive<'_>,
        package: &str,
        importer: &mut Importer,
    ) -> Result<PackageIndex, StoreError> {
        let verifying = trace_span!("verify", package);
        let tarball: Verified<'_> = match archive.identity {
            Identity::Hash(expected) => verify(archive.bytes, expected, package)?,
            Identity::Given(identity) => vouched_for(archive.bytes, identity),
        };
        drop(verifying);
        let _span = trace_span!("unpack", package, bytes = tarball.body.len());
        self.begin_writing()?;
        let index = importer.unpack(tarball, archive.added, &self.blobs, package)?;
        self.write_index(&self.indexes, &index)
            .map_err(|source| StoreError::Write { package: package.to_owned(), source })?;
        Ok(index)
    }

    /// Stores what scripts made of a package's folder. `None` if it holds more than files in folders.
    ///
    /// `is_left_out` names paths in it that are not the package's.
    pub fn import_build(
        &self,
        folder: &Dir,
        key: &BuildKey,
        package: &str,
        is_left_out: &dyn Fn(&str) -> bool,
    ) -> Result<Option<PackageIndex>, StoreError> {
        self.begin_writing()?;
        let Some(key) = key.integrity() else { return Ok(None) };
        let index = folder::import(folder, &key, package, &self.blobs, is_left_out)?;
        if let Some(index) = &index {
            self.write_index(&self.builds, index)
                .map_err(|source| StoreError::Write { package: package.to_owned(), source })?;
        }
        Ok(index)
    }

    fn write_index(&self, indexes: &Shards, index: &PackageIndex) -> Result<(), FsError> {
        let (shard, name) = index_name(index.integrity().digest());
        let (folder, name) = (indexes.get(shard)?, name.as_str());
        // Its checksum tells a reader that it is whole, so it needs no other name before.
        match folder.write_new(name, index.as_bytes(), FileMode::Regular)? {
            Creation::Made => Ok(()),
            Creation::Existed => {
                let file = self.blobs.temporary.write(index.as_bytes(), FileMode::Regular)?;
                file.move_to(folder, name)
            }
        }
    }

    /// Returns where a blob is: its folder and its name in it.
    pub fn blob(&self, hash: &BlobHash, executable: bool) -> Result<(&Dir, BlobName), StoreError> {
        Ok((self.blobs.shards.get(hash.shard())?, hash.name(executable)))
    }

    /// Makes sure that the executable form of a blob exists, for commands that the package does not
    /// mark as such. The plain form keeps its mode: other packages share it.
    pub fn ensure_executable(&self, hash: &BlobHash) -> Result<(), StoreError> {
        self.begin_writing()?;
        Ok(self.blobs.make_executable(hash)?)
    }

    /// Drops the index of a package, so that it is fetched again: for when one of its blobs turned
    /// out to be missing or torn.
    ///
    /// A package without an integrity has no index; then only the files that this process wrote are
    /// looked at again.
    pub fn forget(&self, integrity: Option<&Integrity>) -> Result<(), StoreError> {
        self.blobs.forget_known();
        if let Some(integrity) = integrity {
            self.indexes.parent().remove_file(index_path(integrity).as_str())?;
        }
        Ok(())
    }

    /// Drops a build, so that it is made again; otherwise as [`Store::forget`].
    pub fn forget_build(&self, key: &BuildKey) -> Result<(), StoreError> {
        self.blobs.forget_known();
        if let Some(key) = key.integrity() {
            self.builds.parent().remove_file(index_path(&key).as_str())?;
        }
        Ok(())
    }

    fn begin_writing(&self) -> Result<(), FsError> {
        if self.is_writing.load(Ordering::Acquire) {
            return Ok(());
        }
        let _guard = self.begin_writing.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_writing.load(Ordering::Acquire) {
            self.periods.begin(now(), flush_horizon())?;
            self.is_writing.store(true, Ordering::Release);
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if *self.is_writing.get_mut() {
            // Without it the markers only stay longer.
            drop(self.periods.touch());
        }
    }
}

fn read_index(indexes: &Shards, integrity: &Integrity) -> Result<Option<PackageIndex>, StoreError> {
    let Some(bytes) = indexes.parent().read(index_path(integrity).as_str())? else {
        return Ok(None);
    };
    // A damaged index is as good as none: importing replaces it.
    Ok(PackageIndex::parse(bytes).filter(|index| index.integrity() == integrity))
}

fn index_path(integrity: &Integrity) -> String {
    let (shard, name) = index_name(integrity.digest());
    let [first, second] = shard_name(shard).map(char::from);
    format!("{first}{second}/{name}")
}
