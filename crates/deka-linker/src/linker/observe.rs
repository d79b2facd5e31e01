//! The disk as [`difference`](crate::difference()) asks for it.

use std::path::Path;

use deka_fs::{Dir, FileKind, FsError};
use hashbrown::HashMap;

use super::{find_base, folder_fingerprint};
use crate::difference::{Observed, Observer};
use crate::state::{STATE_FILE, Stamp, hash_names};

pub(super) struct Disk<'a> {
    root: &'a Dir,
    /// Which outermost `node_modules` exist, so that a fresh install asks only once.
    bases: HashMap<Box<str>, bool>,
    /// The folders in the project's `node_modules`, if a glance at them is enough.
    listed: Option<HashMap<Box<str>, u64>>,
}

impl<'a> Disk<'a> {
    pub(super) fn new(root: &'a Dir) -> Self {
        Self { root, bases: HashMap::new(), listed: None }
    }

    /// Has what lies in the project's `node_modules` be believed to be as it was left, if it is there and
    /// nothing was added to, taken from or replaced in `node_modules` since.
    pub(super) fn with_glance(mut self) -> Self {
        self.listed = self.list().ok().flatten();
        self
    }

    fn list(&self) -> Result<Option<HashMap<Box<str>, u64>>, FsError> {
        /// What an install does there after it has written the state takes less, in nanoseconds.
        const TAIL: i128 = 1_000_000_000;

        let modified = |path| {
            let metadata = self.root.metadata(path)?;
            Ok(metadata.map(|metadata| metadata.modified))
        };
        // A symlink's own time says nothing of where it leads to.
        let (folder, state) = (modified("node_modules/.")?, modified(STATE_FILE)?);
        if folder.zip(state).is_none_or(|(folder, state)| folder > state + TAIL) {
            return Ok(None);
        }
        let mut listed = HashMap::new();
        self.root.open_dir("node_modules")?.visit_folders(|name, inode| {
            listed.insert(name.into(), inode);
        })?;
        Ok(Some(listed))
    }

    fn has_base(&mut self, path: &str) -> bool {
        let Some(end) = find_base(path) else { return true };
        if let Some(exists) = self.bases.get(&path[..end]) {
            return *exists;
        }
        let exists = self.root.metadata(&path[..end]).is_ok_and(|metadata| metadata.is_some());
        self.bases.insert(path[..end].into(), exists);
        exists
    }
}

impl Observer for Disk<'_> {
    fn observe(&mut self, path: &str) -> Observed {
        if !self.has_base(path) {
            return Observed::Missing;
        }
        match self.root.metadata(path) {
            Ok(None) => Observed::Missing,
            Ok(Some(metadata)) => match metadata.kind {
                FileKind::Directory => Observed::Folder(Stamp {
                    modified: metadata.modified as i64,
                    inode: metadata.identity.1,
                    names: 0,
                }),
                FileKind::Symlink => Observed::Symlink,
                FileKind::File | FileKind::Other => Observed::Other,
            },
            // What cannot be looked at is replaced, which then fails with the reason.
            Err(_) => Observed::Other,
        }
    }

    fn is_there(&mut self, path: &str, inode: u64) -> bool {
        let Some(listed) = &self.listed else { return false };
        let name = path.strip_prefix("node_modules/");
        name.and_then(|name| listed.get(name)).is_some_and(|listed| *listed == inode)
    }

    fn has_names(&mut self, path: &str, hash: u64) -> bool {
        hash_names(self.root, path).is_ok_and(|names| names == hash)
    }

    fn is_link(&mut self, path: &str, target: &str) -> bool {
        self.has_base(path)
            && matches!(self.root.read_link(path), Ok(Some(now)) if now == Path::new(target))
    }

    fn names(&mut self, path: &str) -> Vec<String> {
        let entries = self.root.open_dir(path).and_then(|dir| dir.list()).unwrap_or_default();
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()
    }

    fn source_fingerprint(&mut self, path: &str) -> u64 {
        folder_fingerprint(self.root, path).unwrap_or(0)
    }
}
