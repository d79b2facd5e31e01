//! Files that exist either as they were or as they shall be.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::os;
use crate::{Creation, Dir, FileMode, FsError, Name, Operation, Permissions};

/// How much it takes to lose a file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// After a power cut there is the old file or the new one, whole: for what belongs to the user
    /// (lockfiles, manifests).
    Fsync,
    /// Survives the end of the process: for what can be fetched or computed again. After a power
    /// cut it may be empty under its final name, so it has to carry a checksum.
    None,
}

/// How many symlinks a path may lead through.
const MOST_SYMLINKS: usize = 40;

/// Replaces the file at `path` by one with `contents`, or creates it.
///
/// The contents are written beside the file and renamed over it: no reader sees a part of them, and
/// an error or a kill leaves the old file. If `path` is a symlink, what it leads to is replaced and
/// the symlink stays. A new file has mode 0644 whatever the umask is, an existing one keeps its mode.
pub fn atomic_write(
    path: impl AsRef<Path>,
    contents: &[u8],
    durability: Durability,
) -> Result<(), FsError> {
    let replacement = Replacement::prepare(path.as_ref(), contents)?;
    if durability == Durability::Fsync {
        replacement.file.sync_all().map_err(|error| replacement.sync_failed(error))?;
    }
    replacement.put_in_place()
}

/// Replaces the file `name` of a folder that is deka's own, or creates it: no reader sees a part of it, and after
/// a power cut it may be empty (as [`Durability::None`] has it).
///
/// Nothing is asked of the old file, so this costs half of what [`atomic_write`] does: the new one has mode 0644,
/// and takes the place of a symlink.
pub fn replace(dir: &Dir, name: impl Name, contents: &[u8]) -> Result<(), FsError> {
    let temporary =
        make_temporary(|temporary| dir.write_new(temporary, contents, FileMode::Regular))?;
    rename_over(dir, &temporary, name)
}

/// Replaces what has the name `name` in a folder, unless that is a folder, by a symlink to `target`, or makes
/// the symlink. Nobody sees the name without one.
pub fn replace_by_symlink(dir: &Dir, target: impl Name, name: impl Name) -> Result<(), FsError> {
    let temporary = make_temporary(|temporary| dir.symlink(target, temporary))?;
    rename_over(dir, &temporary, name)
}

/// Has something made under a name that nobody has; returns the name.
fn make_temporary(make: impl Fn(&str) -> Result<Creation, FsError>) -> Result<String, FsError> {
    loop {
        let name = temporary_name();
        if make(&name)? == Creation::Made {
            return Ok(name);
        }
    }
}

/// Gives what has a temporary name its own; it is removed if that fails.
fn rename_over(dir: &Dir, temporary: &str, name: impl Name) -> Result<(), FsError> {
    dir.rename(temporary, dir, name).inspect_err(|_| {
        // Whatever kept it from its place is the error to report.
        drop(dir.remove_file(temporary));
    })
}

/// A file that is written already and waits in the folder of the one that it will replace; removed if it is
/// dropped before. For what takes effect only if something else succeeds.
///
/// Where the file system can do that it has no name as long as it waits, and vanishes with the process.
#[derive(Debug)]
pub struct Replacement {
    dir: Dir,
    file: File,
    temporary: Option<String>,
    name: OsString,
    /// Waits until the contents are on the disk.
    sync: Option<JoinHandle<io::Result<()>>>,
}

impl Replacement {
    /// Writes what [`atomic_write`] would, but for the last step. While the caller goes on, another thread waits
    /// for the disk.
    pub fn write(
        path: impl AsRef<Path>,
        contents: &[u8],
        durability: Durability,
    ) -> Result<Self, FsError> {
        let mut replacement = Self::prepare(path.as_ref(), contents)?;
        if durability == Durability::Fsync {
            replacement.begin_sync().map_err(|error| replacement.sync_failed(error))?;
        }
        Ok(replacement)
    }

    fn prepare(path: &Path, contents: &[u8]) -> Result<Self, FsError> {
        let path = follow_symlinks(path)?;
        let unusable = || FsError::new(Operation::Write, &path, std::io::ErrorKind::IsADirectory);
        let name = path.file_name().ok_or_else(unusable)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let dir = Dir::open(folder)?;
        let mode = match dir.metadata(name)? {
            Some(metadata) => Permissions(metadata.permissions & 0o777),
            None => FileMode::Regular.permissions(),
        };
        let (temporary, file) = match dir.create_nameless(mode)? {
            Some(file) => (None, file),
            None => create_temporary(&dir, mode).map(|(name, file)| (Some(name), file))?,
        };
        let mut replacement = Self { dir, file, temporary, name: name.to_owned(), sync: None };
        let file = &mut replacement.file;
        file.write_all(contents).map_err(|error| FsError::new(Operation::Write, &path, error))?;
        Ok(replacement)
    }

    fn begin_sync(&mut self) -> io::Result<()> {
        if os::is_in_memory(&self.file) {
            return Ok(());
        }
        let file = self.file.try_clone()?;
        let thread = std::thread::Builder::new().name("sync".to_owned());
        self.sync = Some(thread.spawn(move || file.sync_all())?);
        Ok(())
    }

    fn sync_failed(&self, error: io::Error) -> FsError {
        FsError::new(Operation::Sync, self.dir.path_of(self.name.as_os_str()), error)
    }

    /// Renames it over the file that it replaces.
    pub fn put_in_place(mut self) -> Result<(), FsError> {
        if let Some(sync) = self.sync.take() {
            let synced = sync.join().unwrap_or_else(|_| Err(io::Error::other("it was given up")));
            synced.map_err(|error| self.sync_failed(error))?;
        }
        let temporary = match &self.temporary {
            Some(temporary) => temporary.clone(),
            None => self.named()?,
        };
        self.dir.rename(temporary.as_str(), &self.dir, self.name.as_os_str())?;
        self.temporary = None;
        Ok(())
    }

    /// Gives the file a name, since only what has one can take the place of another.
    fn named(&mut self) -> Result<String, FsError> {
        let name = make_temporary(|name| self.dir.give_name(&self.file, name))?;
        self.temporary = Some(name.clone());
        Ok(name)
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Whatever kept it from its place is the error to report.
            drop(self.dir.remove_file(temporary.as_str()));
        }
    }
}

/// Removes from a folder what replacements by processes that were killed have left there, once it is so old that
/// nobody waits with it.
pub fn remove_leftovers(dir: &Dir) -> Result<(), FsError> {
    const OLD: u128 = 3_600_000_000_000;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    for entry in dir.list_some(|name| name.to_str().is_some_and(is_temporary_name))? {
        let name = &*entry.name;
        let metadata = dir.metadata(name)?;
        let written = metadata.and_then(|metadata| u128::try_from(metadata.modified).ok());
        if written.is_some_and(|written| now.saturating_sub(written) > OLD) {
            dir.remove_file(name)?;
        }
    }
    Ok(())
}

/// Whether a name is one of [`temporary_name`]'s.
fn is_temporary_name(name: &str) -> bool {
    let numbers = name.strip_prefix(".deka-").and_then(|name| name.strip_suffix(".tmp"));
    numbers.is_some_and(|numbers| {
        let is_number = |part: &str| u64::from_str_radix(part, 16).is_ok();
        numbers.split('-').count() == 3 && numbers.split('-').all(is_number)
    })
}

fn create_temporary(dir: &Dir, mode: Permissions) -> Result<(String, File), FsError> {
    loop {
        let name = temporary_name();
        if let Some(file) = dir.create_new(name.as_str(), mode)? {
            return Ok((name, file));
        }
    }
}

/// Returns a name that no other process or thread is likely to use at the same time, not even one
/// with the same process id in another container.
pub(crate) fn temporary_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let nanoseconds =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    format!(".deka-{:x}-{nanoseconds:x}-{count:x}.tmp", std::process::id())
}

/// Returns the path that `path` leads to in the end; that need not exist.
fn follow_symlinks(path: &Path) -> Result<PathBuf, FsError> {
    let mut path = path.to_owned();
    for _ in 0..MOST_SYMLINKS {
        match std::fs::read_link(&path) {
            Ok(target) => {
                // A relative target counts from the symlink's folder; an absolute one replaces all.
                path.pop();
                path.push(target);
            }
            // Not a symlink, or nothing there.
            Err(_) => return Ok(path),
        }
    }
    Err(FsError::new(Operation::ReadLink, path, std::io::ErrorKind::InvalidInput))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_of_a_folder_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let outside = folder.path().join("outside");
        std::fs::write(&outside, "kept").unwrap();
        symlink(&outside, folder.path().join("a")).unwrap();
        for contents in ["a long first text", "short", ""] {
            replace(&dir, "a", contents.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), contents);
            assert_eq!(mode(&folder.path().join("a")), 0o644);
        }
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "kept");

        std::fs::create_dir(folder.path().join("taken")).unwrap();
        replace(&dir, "taken", b"").unwrap_err();
        assert_eq!(dir.list().unwrap().len(), 3, "nothing is left behind");
    }

    #[test]
    fn symlinks_take_the_place_of_files_and_symlinks() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        for target in ["one", "two", "../three"] {
            replace_by_symlink(&dir, target, "a").unwrap();
            assert_eq!(dir.read_link("a").unwrap().unwrap(), Path::new(target));
        }
        std::fs::create_dir(folder.path().join("taken")).unwrap();
        replace_by_symlink(&dir, "one", "taken").unwrap_err();
        assert_eq!(dir.list().unwrap().len(), 2, "nothing is left behind");
    }

    #[test]
    fn writes_replace_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bun.lock");
        for (contents, durability) in [
            ("a long first text", Durability::Fsync),
            ("short", Durability::None),
            ("", Durability::None),
        ] {
            atomic_write(&path, contents.as_bytes(), durability).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), contents);
            assert_eq!(mode(&path), 0o644);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_mode_that_was_chosen_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".npmrc");
        std::fs::write(&path, "secret").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        atomic_write(&path, b"other", Durability::None).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn symlinks_stay_and_their_targets_change() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link, twice] = ["real", "link", "twice"].map(|name| folder.path().join(name));
        symlink("real", &link).unwrap();
        symlink(&link, &twice).unwrap();
        // Dangling at first.
        for contents in ["one", "two"] {
            atomic_write(&twice, contents.as_bytes(), Durability::None).unwrap();
            assert_eq!(std::fs::read_to_string(&real).unwrap(), contents);
            assert!(twice.is_symlink() && link.is_symlink() && !real.is_symlink());
        }
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(atomic_write(&circle, b"", Durability::None).is_err());
    }

    #[test]
    fn a_replacement_waits_for_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bun.lock");
        std::fs::write(&path, "old").unwrap();
        drop(Replacement::write(&path, b"dropped", Durability::Fsync).unwrap());
        let replacement = Replacement::write(&path, b"new", Durability::Fsync).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        replacement.put_in_place().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        assert!(atomic_write(&path, b"x", Durability::None).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(atomic_write(folder.path().join("missing/file"), b"", Durability::None).is_err());
    }

    #[test]
    fn what_waits_has_no_name_where_that_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let can_be = dir.create_nameless(FileMode::Regular.permissions()).unwrap().is_some();
        let path = folder.path().join("file");
        let replacement = Replacement::write(&path, b"new", Durability::Fsync).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), usize::from(!can_be));
        replacement.put_in_place().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (b"new".to_vec(), 0o644));
        // What is in the way of the last step leaves nothing either.
        let replacement = Replacement::write(&path, b"newer", Durability::None).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(replacement.put_in_place().is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_killed_processes_have_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (old, young) = (".deka-1b-1f-0.tmp", ".deka-1b-1f-1.tmp");
        let others = [".deka-1-1.tmp", ".deka-x-1-1.tmp", ".deka-1-1-1-1.tmp", "package.json"];
        let names = [&[old, young][..], &others].concat();
        for name in &names {
            let file = File::create(folder.path().join(name)).unwrap();
            if *name != young {
                file.set_modified(SystemTime::now() - std::time::Duration::from_hours(2)).unwrap();
            }
        }
        remove_leftovers(&Dir::open(folder.path()).unwrap()).unwrap();
        for name in &names {
            assert_eq!(folder.path().join(name).exists(), *name != old, "{name}");
        }
    }
}
