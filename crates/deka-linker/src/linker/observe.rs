//! The disk as [`difference`](crate::difference()) asks for it.

use std::path::Path;

use deka_fs::{Dir, FileKind};
use hashbrown::HashMap;

use super::{find_base, folder_fingerprint};
use crate::difference::{Observed, Observer};
use crate::state::{Stamp, hash_names};

pub(super) struct Disk<'a> {
    root: &'a Dir,
    /// Which outermost `node_modules` exist, so that a fresh install asks only once.
    bases: HashMap<Box<str>, bool>,
}

impl<'a> Disk<'a> {
    pub(super) fn new(root: &'a Dir) -> Self {
        Self { root, bases: HashMap::new() }
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
