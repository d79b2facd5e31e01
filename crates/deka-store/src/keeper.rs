//! The store seen from outside: what is in it, and emptying it when nobody uses it.

use std::path::Path;

use deka_fs::{Dir, FileKind, FileLock, FsError, LockKind};

use crate::index::PackageIndex;
use crate::store::LAYOUT;

/// What holds the store's contents. The folders themselves stay when it is emptied: who waits for the
/// lock has them open already.
const CONTENTS: [&str; 5] = ["index", "builds", "files", "tmp", "unsynced"];

/// A package in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredPackage {
    /// The name in its manifest.
    pub name: Option<String>,
    /// The version in its manifest.
    pub version: Option<String>,
    /// How many files it has.
    pub files: usize,
    /// How many bytes these have; other packages may share some.
    pub bytes: u64,
}

/// A store that is looked through or emptied, and not used.
#[derive(Debug)]
pub struct Keeper {
    dir: Dir,
    lock: FileLock,
}

impl Keeper {
    /// Opens the store below `root`; `None` if there is none.
    pub fn open(root: &Path) -> Result<Option<Self>, FsError> {
        let dir = match Dir::open(root.join(LAYOUT)) {
            Err(error) if error.is_not_found() => return Ok(None),
            dir => dir?,
        };
        let lock = FileLock::open(&dir, c"lock")?;
        Ok(Some(Self { dir, lock }))
    }

    /// Makes sure that nobody else uses the store until `self` is dropped; returns whether that is so
    /// now. If it is not, [`Keeper::wait_until_alone`] waits for it.
    pub fn is_alone(&self) -> Result<bool, FsError> {
        self.lock.try_lock(LockKind::Exclusive)
    }

    /// Waits until nobody else uses the store.
    pub fn wait_until_alone(&self) -> Result<(), FsError> {
        self.lock.lock(LockKind::Exclusive)
    }

    /// Removes all that is in the store. Files that projects have linked stay there.
    ///
    /// Only for those who are alone. Indexes go first, so that an end halfway leaves files without an
    /// index, and never an index without its files.
    pub fn clear(&self) -> Result<(), FsError> {
        for name in CONTENTS {
            match self.dir.open_dir_no_follow(name) {
                Ok(folder) => folder.clear()?,
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns all packages by name and version. Damaged indexes are left out.
    pub fn packages(&self) -> Result<Vec<StoredPackage>, FsError> {
        let mut packages = Vec::new();
        let index = match self.dir.open_dir("index") {
            Err(error) if error.is_not_found() => return Ok(packages),
            index => index?,
        };
        for shard in index.list()?.into_iter().filter(|shard| shard.kind == FileKind::Directory) {
            let shard = match index.open_dir(shard.name.as_os_str()) {
                // Somebody is emptying the store.
                Err(error) if error.is_not_found() => continue,
                shard => shard?,
            };
            for file in shard.list()? {
                let bytes = shard.read(file.name.as_os_str())?;
                let Some(package) = bytes.and_then(PackageIndex::parse) else { continue };
                let manifest = package.manifest();
                packages.push(StoredPackage {
                    name: manifest.name,
                    version: manifest.version,
                    files: package.file_count(),
                    bytes: package.unpacked_size(),
                });
            }
        }
        packages.sort_unstable();
        Ok(packages)
    }
}

#[cfg(test)]
mod tests {
    use super::Keeper;
    use crate::Store;

    #[test]
    fn who_uses_the_store_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Keeper::open(folder.path()).unwrap().is_none());
        let store = Store::open(folder.path()).unwrap();
        let keeper = Keeper::open(folder.path()).unwrap().unwrap();
        assert!(!keeper.is_alone().unwrap());
        drop(store);
        assert!(keeper.is_alone().unwrap());
        std::fs::write(folder.path().join("v1/files/x"), "x").unwrap();
        std::fs::write(folder.path().join("v1/mine"), "x").unwrap();
        keeper.clear().unwrap();
        assert!(!folder.path().join("v1/files/x").exists());
        assert!(folder.path().join("v1/mine").exists(), "not deka's");
        assert_eq!(keeper.packages().unwrap(), []);
        drop(keeper);
        Store::open(folder.path()).unwrap();
    }
}
