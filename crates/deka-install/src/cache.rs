//! The cache as a whole: how large its parts are, what the store holds, and emptying it.

use std::path::Path;

use deka_fs::{Dir, FileKind, FsError};
use deka_store::{Keeper, StoredPackage};

use crate::InstallError;

/// What the parts are called, and whether projects need them once they are installed.
const PARTS: &[(&str, &str, bool)] = &[
    ("packages", "v1", false),
    ("packuments", "packuments", false),
    ("git", "git", false),
    ("builds", "build", false),
    ("links", "links", true),
];

/// A part of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePart {
    /// What it is called: `packages`, `packuments`, `git`, `builds`, or `links`, which is what projects
    /// with a global store have links to.
    pub name: &'static str,
    /// How many files it has.
    pub files: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// How many bytes are in files that no project has linked, and would be free without it.
    pub unused_bytes: u64,
    /// Whether projects do not work without it.
    pub is_needed: bool,
}

/// Returns the parts of the cache in `folder` that are there.
pub fn cache_parts(folder: &Path) -> Result<Vec<CachePart>, InstallError> {
    let failed = |source| InstallError::Cache { path: folder.to_owned(), source };
    let Some(cache) = open(folder).map_err(failed)? else { return Ok(Vec::new()) };
    let mut parts = Vec::new();
    for (name, path, is_needed) in PARTS.iter().copied() {
        if let Some(dir) = inner(&cache, path).map_err(failed)? {
            let part = CachePart { name, files: 0, bytes: 0, unused_bytes: 0, is_needed };
            parts.push(measured(dir, part).map_err(failed)?);
        }
    }
    Ok(parts)
}

/// Returns the packages in the store of the cache in `folder`, by name and version.
pub fn cached_packages(folder: &Path) -> Result<Vec<StoredPackage>, InstallError> {
    let failed = |source| InstallError::Cache { path: folder.to_owned(), source };
    match Keeper::open(folder).map_err(failed)? {
        Some(keeper) => keeper.packages().map_err(failed),
        None => Ok(Vec::new()),
    }
}

/// Removes the parts of the cache in `folder`, but for those that projects need, which go only
/// `with_needed`. Returns what went.
///
/// It waits until no install uses the cache (`waiting` is called before), and those that begin
/// meanwhile wait for it. What else lies in the folder stays.
pub fn clean_cache(
    folder: &Path,
    with_needed: bool,
    waiting: &dyn Fn(),
) -> Result<Vec<CachePart>, InstallError> {
    let failed = |source| InstallError::Cache { path: folder.to_owned(), source };
    let Some(cache) = open(folder).map_err(failed)? else { return Ok(Vec::new()) };
    let keeper = Keeper::open(folder).map_err(failed)?;
    if let Some(keeper) = &keeper
        && !keeper.is_alone().map_err(failed)?
    {
        waiting();
        keeper.wait_until_alone().map_err(failed)?;
    }
    let mut parts = cache_parts(folder)?;
    parts.retain(|part| with_needed || !part.is_needed);
    if let Some(keeper) = &keeper {
        keeper.clear().map_err(failed)?;
    }
    for (name, path, _) in PARTS {
        // The folder of the store stays, with the lock in it.
        let is_store = *name == "packages";
        if !is_store && parts.iter().any(|part| part.name == *name) {
            cache.remove_all(*path).map_err(failed)?;
        }
    }
    parts.retain(|part| part.files > 0);
    Ok(parts)
}

fn open(folder: &Path) -> Result<Option<Dir>, FsError> {
    match Dir::open(folder) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn inner(dir: &Dir, name: &str) -> Result<Option<Dir>, FsError> {
    match dir.open_dir_no_follow(name) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn measured(top: Dir, mut part: CachePart) -> Result<CachePart, FsError> {
    let mut open = vec![top];
    while let Some(dir) = open.pop() {
        for entry in dir.list()? {
            let name = entry.name.as_os_str();
            if entry.kind == FileKind::Directory {
                match dir.open_dir_no_follow(name) {
                    Ok(inner) => open.push(inner),
                    // An install that is under way may have taken it away.
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                }
            } else if let Some(file) =
                dir.metadata(name)?.filter(|file| name != "lock" || file.size > 0)
            {
                part.files += 1;
                part.bytes += file.size;
                if file.links <= 1 {
                    part.unused_bytes += file.size;
                }
            }
        }
    }
    Ok(part)
}
