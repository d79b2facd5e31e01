//! Finding what a power cut has torn.
//!
//! Blobs are named by their contents, so each proves itself; an index carries a checksum. Only what
//! was written since the earliest marker of another epoch is read (see `periods`).

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deka_fs::{Dir, FsError, Operation};
use hashbrown::HashSet;

use crate::blobs::{Blobs, Shards};
use crate::hash::BlobHash;
use crate::index::PackageIndex;
use crate::periods::{CLOCK_SLACK, Period, Periods};

/// What a store found when it was opened in another epoch than it was written in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// How many files were read and compared with their names.
    pub checked: usize,
    /// The contents that were lost, sorted. Files in `node_modules` that were hardlinked to them are
    /// torn as well.
    pub torn: Vec<BlobHash>,
    /// How many packages have to be fetched, or built, again.
    pub dropped_packages: usize,
}

/// Checks all that was written since `foreign` began, and removes what is torn.
///
/// The caller holds the store's lock alone.
pub(crate) fn recover(
    blobs: &Blobs,
    indexes: &[&Shards],
    periods: &Periods,
    foreign: &[Period],
    now: u64,
) -> Result<Recovery, FsError> {
    let Some(beginning) = foreign.iter().map(|period| period.beginning).min() else {
        return Ok(Recovery::default());
    };
    let suspicion = Suspicion::new(beginning, now);

    blobs.temporary.dir.clear()?;
    let (checked, mut torn) = check_blobs(&blobs.shards, suspicion)?;
    torn.sort_unstable();
    let mut dropped_packages = 0;
    for indexes in indexes {
        dropped_packages += check_indexes(indexes, blobs, suspicion, &torn)?;
    }

    // What is right in memory need not be on the disk if this is the same boot, in another mount or
    // container: then the time is not over but goes on as a period of this epoch.
    let goes_on = foreign.iter().filter(|period| period.epoch.is_same_boot(&periods.epoch));
    if let Some(beginning) = goes_on.map(|period| period.beginning).min() {
        periods.add(beginning)?;
    }
    foreign.iter().try_for_each(|period| periods.remove(period))?;
    Ok(Recovery { checked, torn, dropped_packages })
}

/// Times of change, in nanoseconds since 1970, that make a file suspicious.
#[derive(Clone, Copy)]
struct Suspicion {
    from: i128,
    /// Times in the future come from a clock that was wrong.
    future: i128,
}

impl Suspicion {
    fn new(beginning: u64, now: u64) -> Self {
        let nanoseconds = |seconds: u64| Duration::from_secs(seconds).as_nanos().cast_signed();
        let slack = CLOCK_SLACK.as_nanos().cast_signed();
        Self { from: nanoseconds(beginning) - slack, future: nanoseconds(now) + slack }
    }

    fn falls_on(self, modified: i128) -> bool {
        modified >= self.from || modified > self.future
    }
}

/// Runs `check` for all shards on as many threads as there are processors.
fn for_all_shards<T: Send>(
    shards: &Shards,
    check: impl Fn(u8, &Dir) -> Result<T, FsError> + Sync,
) -> Result<Vec<T>, FsError> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Ok(Vec::new()));
    let lock = || results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let work = || {
        while let Ok(shard) = u8::try_from(next.fetch_add(1, Ordering::Relaxed)) {
            let result = shards.existing(shard).and_then(|dir| match dir {
                Some(dir) => check(shard, dir).map(Some),
                None => Ok(None),
            });
            let mut results = lock();
            match (result, &mut *results) {
                (Ok(Some(value)), Ok(values)) => values.push(value),
                (Ok(_), _) => {}
                (Err(error), results) => {
                    *results = Err(error);
                    return;
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Hashes suspicious blobs and removes torn ones.
fn check_blobs(shards: &Shards, suspicion: Suspicion) -> Result<(usize, Vec<BlobHash>), FsError> {
    let empty = BlobHash::of(b"");
    let results = for_all_shards(shards, |shard, dir| {
        let (mut checked, mut torn) = (0, Vec::new());
        let mut buffer = Vec::new();
        for entry in dir.list()? {
            let name = entry.name.as_os_str();
            let parsed = BlobHash::from_name(shard, name.as_encoded_bytes());
            let Some((hash, _)) = parsed else { continue };
            let Some(metadata) = dir.metadata(name)? else { continue };
            // An empty file costs nothing to judge, whatever its time says.
            let is_empty = metadata.size == 0;
            if !is_empty && !suspicion.falls_on(metadata.modified) {
                continue;
            }
            checked += 1;
            let is_right = metadata.is_file()
                && if is_empty {
                    hash == empty
                } else {
                    hash_file(dir, name, &mut buffer)? == hash
                };
            if !is_right {
                dir.remove_all(name)?;
                torn.push(hash);
            }
        }
        Ok((checked, torn))
    })?;
    Ok(results.into_iter().fold((0, Vec::new()), |(sum, mut all), (checked, torn)| {
        all.extend(torn);
        (sum + checked, all)
    }))
}

fn hash_file(dir: &Dir, name: &std::ffi::OsStr, buffer: &mut Vec<u8>) -> Result<BlobHash, FsError> {
    const CHUNK: usize = 1 << 20;
    let mut file = dir.open_file(name)?;
    let mut hasher = blake3::Hasher::new();
    buffer.resize(CHUNK, 0);
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(BlobHash::from_blake3(hasher.finalize())),
            Ok(length) => {
                hasher.update(&buffer[..length]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FsError::new(Operation::Read, dir.path_of(name), error)),
        }
    }
}

/// Removes the indexes that are torn or whose blobs are not all there; returns how many.
fn check_indexes(
    shards: &Shards,
    blobs: &Blobs,
    suspicion: Suspicion,
    torn: &[BlobHash],
) -> Result<usize, FsError> {
    let torn: HashSet<&BlobHash> = torn.iter().collect();
    let results = for_all_shards(shards, |_, dir| {
        let mut dropped = 0;
        for entry in dir.list()? {
            let name = entry.name.as_os_str();
            let Some(metadata) = dir.metadata(name)? else { continue };
            let is_suspicious = suspicion.falls_on(metadata.modified);
            // If a blob was lost, older packages may have shared it.
            if !is_suspicious && torn.is_empty() {
                continue;
            }
            let index = dir.read(name)?.and_then(PackageIndex::parse);
            let is_right = match &index {
                None => false,
                Some(index) if is_suspicious => has_all_blobs(index, blobs)?,
                Some(index) => !index.files().any(|file| torn.contains(&file.hash)),
            };
            if !is_right {
                dir.remove_all(name)?;
                dropped += 1;
            }
        }
        Ok(dropped)
    })?;
    Ok(results.into_iter().sum())
}

fn has_all_blobs(index: &PackageIndex, blobs: &Blobs) -> Result<bool, FsError> {
    for file in index.files() {
        if !blobs.is_whole(&file.hash, file.executable, file.size)? {
            return Ok(false);
        }
    }
    Ok(true)
}
