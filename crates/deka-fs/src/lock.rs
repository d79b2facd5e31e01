//! Advisory locks between deka processes.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::{Dir, FileMode, FsError, Name, Operation};

/// How much a lock excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// Others may hold it shared as well.
    Shared,
    /// Nobody else holds it.
    Exclusive,
}

/// An open lock file; what it holds is let go when it is dropped or the process ends in any way.
#[derive(Debug)]
pub struct FileLock {
    file: File,
    path: PathBuf,
}

impl FileLock {
    /// Opens the lock file `name` in `dir`, creating it if need be; holds nothing yet.
    pub fn open(dir: &Dir, name: impl Name) -> Result<Self, FsError> {
        let path = dir.path_of(name);
        // Opening comes first, so that it works where nothing may be written.
        let file = match dir.open_file(name) {
            Err(error) if error.is_not_found() => match dir.create_new(name, FileMode::Regular)? {
                Some(file) => file,
                None => dir.open_file(name)?,
            },
            result => result?,
        };
        Ok(Self { file, path })
    }

    /// Returns the path of the lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until the lock is held; a lock held already is changed to `kind`, which is not atomic.
    pub fn lock(&self, kind: LockKind) -> Result<(), FsError> {
        match kind {
            LockKind::Shared => self.file.lock_shared(),
            LockKind::Exclusive => self.file.lock(),
        }
        .map_err(|error| FsError::new(Operation::Lock, &self.path, error))
    }

    /// Takes the lock if nobody is in the way; returns whether it is held now.
    ///
    /// A failed try to change a held lock may lose it: lock again before relying on it.
    pub fn try_lock(&self, kind: LockKind) -> Result<bool, FsError> {
        let result = match kind {
            LockKind::Shared => self.file.try_lock_shared(),
            LockKind::Exclusive => self.file.try_lock(),
        };
        match result {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => {
                Err(FsError::new(Operation::Lock, &self.path, error))
            }
        }
    }

    /// Lets go of the lock.
    pub fn unlock(&self) -> Result<(), FsError> {
        self.file.unlock().map_err(|error| FsError::new(Operation::Lock, &self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_locks_exclude_exclusive_ones() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let [one, two, three] = [(); 3].map(|()| FileLock::open(&dir, "lock").unwrap());
        one.lock(LockKind::Shared).unwrap();
        assert!(two.try_lock(LockKind::Shared).unwrap());
        assert!(!three.try_lock(LockKind::Exclusive).unwrap());
        drop(one);
        two.unlock().unwrap();
        assert!(three.try_lock(LockKind::Exclusive).unwrap());
        assert!(!two.try_lock(LockKind::Shared).unwrap());
    }
}
