//! Files by the hash of their contents.
//!
//! A blob is written under its final name at once, without a sync. That is safe because a name that
//! is taken is only trusted if the size is right: a process that was killed leaves a shorter file,
//! and what a power cut leaves is found by recovery.

use std::ffi::CStr;
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use deka_fs::{Creation, Dir, FileMode, FsError, Operation};
use hashbrown::HashSet;

use crate::hash::{BlobHash, shard_name};

/// Folders named `00` to `ff`, opened when they are needed.
#[derive(Debug)]
pub(crate) struct Shards {
    parent: Dir,
    open: Box<[OnceLock<Dir>]>,
}

impl Shards {
    pub(crate) fn new(parent: Dir) -> Self {
        Self { parent, open: (0..256).map(|_| OnceLock::new()).collect() }
    }

    /// Returns the folder of a shard, made if it does not exist.
    pub(crate) fn get(&self, shard: u8) -> Result<&Dir, FsError> {
        let slot = &self.open[usize::from(shard)];
        if let Some(dir) = slot.get() {
            return Ok(dir);
        }
        let dir = self.parent.open_or_create_dir(&shard_name(shard)[..])?;
        // Another thread may have opened it as well.
        Ok(slot.get_or_init(|| dir))
    }

    /// Returns the folder of a shard, `None` if it does not exist.
    pub(crate) fn existing(&self, shard: u8) -> Result<Option<&Dir>, FsError> {
        match self.open[usize::from(shard)].get() {
            Some(dir) => Ok(Some(dir)),
            None => match self.parent.open_dir(&shard_name(shard)[..]) {
                Ok(dir) => Ok(Some(self.open[usize::from(shard)].get_or_init(|| dir))),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Closes all folders; who needs one opens it again.
    pub(crate) fn close(&mut self) {
        self.open.iter_mut().for_each(|folder| drop(folder.take()));
    }

    /// Returns the folder that the shards are in.
    pub(crate) fn parent(&self) -> &Dir {
        &self.parent
    }
}

/// The folder of files that have no final name yet.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub(crate) dir: Dir,
    /// Tells processes with the same id (in containers) apart.
    salt: u64,
    count: AtomicU64,
}

impl Temporary {
    pub(crate) fn new(dir: Dir) -> Self {
        use std::hash::{BuildHasher, RandomState};
        Self {
            dir,
            salt: RandomState::new().hash_one(std::process::id()),
            count: AtomicU64::new(0),
        }
    }

    fn name(&self) -> TemporaryName<'_> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:x}-{:x}-{count:x}", std::process::id(), self.salt);
        TemporaryName { dir: &self.dir, name, is_taken: false }
    }

    /// Creates an empty file.
    pub(crate) fn create(&self, mode: FileMode) -> Result<TemporaryFile<'_>, FsError> {
        loop {
            let mut name = self.name();
            if let Some(file) = self.dir.create_new(name.name.as_str(), mode)? {
                name.is_taken = true;
                return Ok(TemporaryFile { name, file });
            }
        }
    }

    /// Copies a file, with this mode.
    fn copy(&self, from: &Dir, file: &CStr, mode: FileMode) -> Result<TemporaryName<'_>, FsError> {
        loop {
            let mut name = self.name();
            if from.copy(file, &self.dir, name.name.as_str(), mode)? == Creation::Made {
                name.is_taken = true;
                return Ok(name);
            }
        }
    }

    /// Creates a file with the given contents.
    pub(crate) fn write(
        &self,
        contents: &[u8],
        mode: FileMode,
    ) -> Result<TemporaryFile<'_>, FsError> {
        let mut file = self.create(mode)?;
        file.append(contents)?;
        Ok(file)
    }
}

/// The name of a file on its way to its final one; removed at the end if the file still has it.
struct TemporaryName<'a> {
    dir: &'a Dir,
    name: String,
    is_taken: bool,
}

impl TemporaryName<'_> {
    /// Gives the file its final name, unless that is taken.
    fn offer(&mut self, dir: &Dir, name: &CStr) -> Result<Creation, FsError> {
        match self.dir.hard_link(self.name.as_str(), dir, name) {
            Err(error) if error.is_link_refused() => {
                self.move_to(dir, name).map(|()| Creation::Made)
            }
            result => result,
        }
    }

    /// Gives the file its final name, in place of what has it.
    fn move_to(&mut self, dir: &Dir, name: impl deka_fs::Name) -> Result<(), FsError> {
        self.dir.rename(self.name.as_str(), dir, name)?;
        self.is_taken = false;
        Ok(())
    }
}

impl Drop for TemporaryName<'_> {
    fn drop(&mut self) {
        if self.is_taken {
            // Nobody waits for the result; recovery empties the folder.
            drop(self.dir.remove_file(self.name.as_str()));
        }
    }
}

/// A file that is written before it gets its final name.
pub(crate) struct TemporaryFile<'a> {
    name: TemporaryName<'a>,
    file: File,
}

impl TemporaryFile<'_> {
    pub(crate) fn append(&mut self, contents: &[u8]) -> Result<(), FsError> {
        self.file.write_all(contents).map_err(|error| {
            let path = self.name.dir.path_of(self.name.name.as_str());
            FsError::new(Operation::Write, path, error)
        })
    }

    /// Gives it its final name, in place of what has it.
    pub(crate) fn move_to(mut self, dir: &Dir, name: impl deka_fs::Name) -> Result<(), FsError> {
        self.name.move_to(dir, name)
    }
}

/// The blobs of a store.
#[derive(Debug)]
pub(crate) struct Blobs {
    pub(crate) shards: Shards,
    pub(crate) temporary: Temporary,
    /// What this process wrote, or found whole, by shard: the same licence in a hundred packages costs
    /// no system call but for the first.
    known: Box<[Mutex<Known>]>,
}

/// Hashes, and whether it is the executable form.
type Known = HashSet<(BlobHash, bool)>;

impl Blobs {
    pub(crate) fn new(files: Dir, temporary: Temporary) -> Self {
        let known = (0..256).map(|_| Mutex::default()).collect();
        Self { shards: Shards::new(files), temporary, known }
    }

    fn known(&self, hash: &BlobHash) -> MutexGuard<'_, Known> {
        lock(&self.known[usize::from(hash.shard())])
    }

    /// Relies no longer on what is known to be written: for when a blob turned out to be missing.
    pub(crate) fn forget_known(&self) {
        self.known.iter().for_each(|known| lock(known).clear());
    }

    /// Writes a blob, or finds it written.
    pub(crate) fn write(
        &self,
        hash: &BlobHash,
        executable: bool,
        contents: &[u8],
    ) -> Result<(), FsError> {
        if self.known(hash).contains(&(*hash, executable)) {
            return Ok(());
        }
        self.write_unknown(hash, executable, contents)?;
        self.known(hash).insert((*hash, executable));
        Ok(())
    }

    fn write_unknown(
        &self,
        hash: &BlobHash,
        executable: bool,
        contents: &[u8],
    ) -> Result<(), FsError> {
        let mode = FileMode::from_executable(executable);
        let shard = self.shards.get(hash.shard())?;
        let name = hash.name(executable);
        match shard.write_new(name.as_c_str(), contents, mode)? {
            Creation::Made => Ok(()),
            Creation::Existed if self.is_whole(hash, executable, contents.len() as u64)? => Ok(()),
            // Somebody is writing it, or was killed while doing so.
            Creation::Existed => {
                let file = self.temporary.write(contents, mode)?;
                self.adopt(hash, executable, contents.len() as u64, file)
            }
        }
    }

    /// Gives a written file its name as a blob, unless it is there.
    pub(crate) fn adopt(
        &self,
        hash: &BlobHash,
        executable: bool,
        size: u64,
        mut file: TemporaryFile<'_>,
    ) -> Result<(), FsError> {
        self.give_name(&mut file.name, hash, executable, size)
    }

    /// Gives a file its name as a blob, unless that is whole.
    ///
    /// What is whole stays: an inode that is linked into projects is better than a new one, and
    /// another process that is about to link it would find it gone.
    fn give_name(
        &self,
        file: &mut TemporaryName<'_>,
        hash: &BlobHash,
        executable: bool,
        size: u64,
    ) -> Result<(), FsError> {
        let (shard, name) = (self.shards.get(hash.shard())?, hash.name(executable));
        match file.offer(shard, name.as_c_str())? {
            Creation::Made => Ok(()),
            Creation::Existed if self.is_whole(hash, executable, size)? => Ok(()),
            Creation::Existed => file.move_to(shard, name.as_c_str()),
        }
    }

    /// Whether the blob exists with all of its bytes.
    pub(crate) fn is_whole(
        &self,
        hash: &BlobHash,
        executable: bool,
        size: u64,
    ) -> Result<bool, FsError> {
        let Some(shard) = self.shards.existing(hash.shard())? else { return Ok(false) };
        let metadata = shard.metadata(hash.name(executable).as_c_str())?;
        Ok(metadata.is_some_and(|metadata| metadata.is_file() && metadata.size == size))
    }

    /// Makes the executable twin of a blob: a copy with its own inode, because the mode belongs to
    /// the inode that all projects share.
    pub(crate) fn make_executable(&self, hash: &BlobHash) -> Result<(), FsError> {
        let shard = self.shards.get(hash.shard())?;
        let plain = hash.name(false);
        let size = shard.metadata(plain.as_c_str())?.map(|plain| plain.size);
        if let Some(size) = size
            && self.is_whole(hash, true, size)?
        {
            return Ok(());
        }
        let mut copy = self.temporary.copy(shard, plain.as_c_str(), FileMode::Executable)?;
        self.give_name(&mut copy, hash, true, size.unwrap_or_default())
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
