//! Making an index from the files of an archive.

use std::ops::Range;

use deka_manifest::{Bin, Integrity};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    BIN_DIRECTORY, BIN_FILE, BIN_MAP, BIN_NONE, BIN_SHIFT, FILE_EXECUTABLE, FLAG_BINDING_GYP,
    FLAG_INSTALL, FLAG_MANIFEST, FLAG_NAME, FLAG_POSTINSTALL, FLAG_PREINSTALL, FLAG_VERSION, Facts,
    HEADER, MAGIC, PackageIndex,
};
use crate::{ArchiveError, BlobHash};

/// One file of an archive, in the order of the archive.
#[derive(Debug, Clone)]
pub(crate) struct RawFile {
    /// Where its path is in [`FileList::paths`].
    pub(crate) path: Range<usize>,
    /// Whether any executable bit is set.
    pub(crate) executable: bool,
    /// Length of the contents.
    pub(crate) size: u64,
    /// Where the contents are in the archive, if it is in memory.
    pub(crate) offset: usize,
    /// The hash of the contents, once it is known.
    pub(crate) hash: BlobHash,
}

/// The files of an archive; reused from package to package.
#[derive(Debug, Default)]
pub(crate) struct FileList {
    /// All paths, one behind the other.
    pub(crate) paths: String,
    /// The files.
    pub(crate) files: Vec<RawFile>,
}

impl FileList {
    pub(crate) fn clear(&mut self) {
        self.paths.clear();
        self.files.clear();
    }

    pub(crate) fn path(&self, file: &RawFile) -> &str {
        &self.paths[file.path.clone()]
    }

    /// Sorts by folder and name, and keeps the last of several files with one path.
    pub(crate) fn arrange(&mut self) {
        let Self { paths, files } = self;
        let key = |file: &RawFile| split(&paths[file.path.clone()]);
        // The sort is stable: of equal paths the last one is the last in the archive.
        files.sort_by(|a, b| key(a).cmp(&key(b)));
        files.dedup_by(|later, kept| {
            let same = key(later) == key(kept);
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
    }
}

/// Splits a path into its folder and its name.
fn split(path: &str) -> (&str, &str) {
    memchr::memrchr(b'/', path.as_bytes())
        .map_or(("", path), |slash| (&path[..slash], &path[slash + 1..]))
}

/// The name of a command and its file.
type Command = (Box<str>, Box<str>);

/// Strings of an index under construction.
#[derive(Default)]
struct Strings(Vec<u8>);

impl Strings {
    fn push(&mut self, text: &str) -> (u32, u32) {
        let offset = self.0.len() as u32;
        self.0.extend_from_slice(text.as_bytes());
        (offset, text.len() as u32)
    }

    fn push_path(&mut self, path: &str) -> (u32, u16) {
        let (offset, length) = self.push(path);
        self.0.push(0);
        (offset, length as u16)
    }
}

/// Makes the index of a package from its arranged, hashed files.
///
/// The callers' limits on the number and length of paths keep all lengths within their fields.
pub(crate) fn build(
    integrity: &Integrity,
    list: &FileList,
    facts: &Facts,
) -> Result<PackageIndex, ArchiveError> {
    let mut strings = Strings::default();
    let folders = folders_of(list)?;

    let mut bytes = vec![0; HEADER];
    for (path, parent) in &folders {
        let (offset, length) = strings.push_path(path);
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&(*parent as u32).to_le_bytes());
    }

    let mut has_binding_gyp = false;
    let mut folder = 0;
    for file in &list.files {
        let path = list.path(file);
        has_binding_gyp |= path == "binding.gyp";
        // Folders and files are in the same order.
        while folders[folder].0 != split(path).0 {
            folder += 1;
        }
        let (offset, length) = strings.push_path(path);
        bytes.extend_from_slice(file.hash.as_bytes());
        bytes.extend_from_slice(&file.size.to_le_bytes());
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        let flags = if file.executable { FILE_EXECUTABLE } else { 0 };
        bytes.extend_from_slice(&flags.to_le_bytes());
        bytes.extend_from_slice(&(folder as u32).to_le_bytes());
    }

    let (bin_kind, bins): (u32, &[Command]) = match &facts.bin {
        Bin::None => (BIN_NONE, &[]),
        Bin::File(file) => (BIN_FILE, &[("".into(), file.clone())]),
        Bin::Directory(folder) => (BIN_DIRECTORY, &[("".into(), folder.clone())]),
        Bin::Map(pairs) => (BIN_MAP, pairs),
    };
    for (command, file) in bins {
        for text in [command, file] {
            let (offset, length) = strings.push(text);
            bytes.extend_from_slice(&offset.to_le_bytes());
            bytes.extend_from_slice(&length.to_le_bytes());
        }
    }
    let name = strings.push(facts.name.as_deref().unwrap_or_default());
    let version = strings.push(facts.version.as_deref().unwrap_or_default());
    bytes.extend_from_slice(&strings.0);

    let flag = |flag: u32, is_set: bool| if is_set { flag } else { 0 };
    let flags = flag(FLAG_PREINSTALL, facts.has_preinstall)
        | flag(FLAG_INSTALL, facts.has_install)
        | flag(FLAG_POSTINSTALL, facts.has_postinstall)
        | flag(FLAG_BINDING_GYP, has_binding_gyp)
        | flag(FLAG_MANIFEST, facts.is_readable)
        | flag(FLAG_NAME, facts.name.is_some())
        | flag(FLAG_VERSION, facts.version.is_some())
        | bin_kind << BIN_SHIFT;
    let digest = integrity.digest();
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &MAGIC);
    put(20, &flags.to_le_bytes());
    put(24, &[integrity.algorithm() as u8]);
    put(32, digest);
    put(96, &(folders.len() as u32).to_le_bytes());
    put(100, &(list.files.len() as u32).to_le_bytes());
    put(104, &(bins.len() as u32).to_le_bytes());
    put(112, &name.0.to_le_bytes());
    put(116, &name.1.to_le_bytes());
    put(120, &version.0.to_le_bytes());
    put(124, &version.1.to_le_bytes());
    let length = bytes.len() as u32;
    bytes[16..20].copy_from_slice(&length.to_le_bytes());
    let checksum = xxh3_64(&bytes[16..]);
    bytes[8..16].copy_from_slice(&checksum.to_le_bytes());

    Ok(PackageIndex {
        integrity: *integrity,
        flags,
        folders: folders.len(),
        files: list.files.len(),
        bins: bins.len(),
        bytes: bytes.into_boxed_slice(),
    })
}

/// Returns all folders that the files need with the position of the one that each is in.
fn folders_of(list: &FileList) -> Result<Vec<(&str, usize)>, ArchiveError> {
    let mut paths: Vec<&str> = vec![""];
    let mut previous = "";
    for file in &list.files {
        let folder = split(list.path(file)).0;
        if folder == previous {
            continue;
        }
        previous = folder;
        let mut rest = folder;
        // The folders above may hold no file themselves.
        while !rest.is_empty() && paths.last() != Some(&rest) {
            paths.push(rest);
            rest = split(rest).0;
        }
    }
    paths.sort_unstable();
    paths.dedup();

    let position = |path: &str| paths.binary_search(&path).unwrap_or(0);
    for file in &list.files {
        let path = list.path(file);
        if paths.binary_search(&path).is_ok() {
            return Err(ArchiveError::FileAndFolder { entry: path.to_owned() });
        }
    }
    Ok(paths.iter().map(|path| (*path, position(split(path).0))).collect())
}
