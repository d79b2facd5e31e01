//! The index of a package: which files it has, and what the linker wants to know of its manifest.
//!
//! One index is one file in the store and one block of bytes in memory; nothing is decoded before it
//! is asked for. All numbers are little endian.
//! ```text
//! header   magic, checksum of all that follows, length, flags, integrity, counts, name, version
//! folders  path, folder above it                         sorted by path, the package's own first
//! files    BLAKE3 hash, size, path, folder, executable   sorted by folder, then by name
//! bins     command, file
//! strings  UTF-8; paths end with a NUL, so that a file name is ready for system calls
//! ```
//! Paths are relative to the package's folder, `/`-separated, and checked both when an index is made
//! and when it is read: no part is empty, `.` or `..`.

use std::ffi::CStr;
use std::ops::Range;

use deka_manifest::{Algorithm, Bin, Integrity};
use xxhash_rust::xxh3::xxh3_64;

use crate::BlobHash;
use crate::facts::Facts;

mod build;

pub(crate) use build::{FileList, RawFile, build};

const MAGIC: [u8; 8] = *b"dekaidx\x02";
const HEADER: usize = 128;
const FOLDER: usize = 12;
const FILE: usize = 44;
const BIN: usize = 16;

const FLAG_PREINSTALL: u32 = 1;
const FLAG_INSTALL: u32 = 1 << 1;
const FLAG_POSTINSTALL: u32 = 1 << 2;
const FLAG_BINDING_GYP: u32 = 1 << 3;
const FLAG_MANIFEST: u32 = 1 << 4;
const FLAG_NAME: u32 = 1 << 5;
const FLAG_VERSION: u32 = 1 << 6;
const BIN_SHIFT: u32 = 8;
const BIN_NONE: u32 = 0;
const BIN_FILE: u32 = 1;
const BIN_MAP: u32 = 2;
const BIN_DIRECTORY: u32 = 3;

const FILE_EXECUTABLE: u16 = 1;

/// What a package consists of.
pub struct PackageIndex {
    bytes: Box<[u8]>,
    integrity: Integrity,
    flags: u32,
    folders: usize,
    files: usize,
    bins: usize,
}

/// One file of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexedFile<'a> {
    /// The path in the package.
    pub path: &'a str,
    /// The hash of the contents.
    pub hash: BlobHash,
    /// The length of the contents.
    pub size: u64,
    /// Whether the package marks it as executable.
    pub executable: bool,
    /// The folder it is in: a position in [`PackageIndex::directories`].
    pub directory: usize,
    /// The last part of the path.
    pub name: &'a CStr,
}

/// One folder of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexedDirectory<'a> {
    /// The path in the package; empty for the package's own folder.
    pub path: &'a str,
    /// The folder it is in: an earlier position in [`PackageIndex::directories`]; its own position
    /// for the package's own folder.
    pub parent: usize,
    /// The last part of the path.
    pub name: &'a CStr,
}

/// What the linker wants to know of a package's own `package.json`, without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestFacts {
    /// The name; `None` if there is none or no manifest.
    pub name: Option<String>,
    /// The version; `None` if there is none or no manifest.
    pub version: Option<String>,
    /// The commands, in the shape in which the manifest has them; names and paths are unchecked.
    pub bin: Bin,
    /// Whether there is a `preinstall` script.
    pub has_preinstall: bool,
    /// Whether there is an `install` script.
    pub has_install: bool,
    /// Whether there is a `postinstall` script.
    pub has_postinstall: bool,
    /// Whether there is a `binding.gyp` beside the manifest, which means an `install` script.
    pub has_binding_gyp: bool,
    /// Whether the package has a readable `package.json` at all.
    pub has_manifest: bool,
}

impl ManifestFacts {
    /// Whether npm would run something after unpacking.
    pub fn has_install_script(&self) -> bool {
        self.has_preinstall || self.has_install || self.has_postinstall || self.has_binding_gyp
    }
}

impl PackageIndex {
    /// Returns the integrity of the tarball.
    pub const fn integrity(&self) -> &Integrity {
        &self.integrity
    }

    /// Returns the number of files.
    pub const fn file_count(&self) -> usize {
        self.files
    }

    /// Returns the files: all of one folder after another, in the order of the folders.
    pub fn files(&self) -> impl ExactSizeIterator<Item = IndexedFile<'_>> {
        self.files_in(0..self.files)
    }

    /// Returns some of the [files](Self::files), by their positions; there are none behind the last.
    pub fn files_in(
        &self,
        positions: Range<usize>,
    ) -> impl ExactSizeIterator<Item = IndexedFile<'_>> {
        (positions.start..positions.end.min(self.files)).map(|position| self.file_at(position))
    }

    /// Returns the folders, each behind the one that it is in; the first is the package's own.
    pub fn directories(&self) -> impl ExactSizeIterator<Item = IndexedDirectory<'_>> {
        (0..self.folders).map(|position| self.directory_at(position))
    }

    /// Returns the file with the given path.
    pub fn file(&self, path: &str) -> Option<IndexedFile<'_>> {
        let folder = match path.rsplit_once('/') {
            Some((folder, _)) => search(self.folders, |i| self.directory_at(i).path.cmp(folder))?,
            None => 0,
        };
        let position = search(self.files, |position| {
            let file = self.file_at(position);
            file.directory.cmp(&folder).then_with(|| file.path.cmp(path))
        })?;
        Some(self.file_at(position))
    }

    /// Returns the sum of the sizes of all files.
    pub fn unpacked_size(&self) -> u64 {
        self.files().map(|file| file.size).fold(0, u64::saturating_add)
    }

    /// Returns what is known of the package's `package.json`.
    pub fn manifest(&self) -> ManifestFacts {
        let has = |flag| self.flags & flag != 0;
        let text = |at: usize| {
            let header = &self.bytes[at..];
            self.string(read_u32(header, 0), read_u32(header, 4)).to_owned()
        };
        ManifestFacts {
            name: has(FLAG_NAME).then(|| text(112)),
            version: has(FLAG_VERSION).then(|| text(120)),
            bin: self.bin(),
            has_preinstall: has(FLAG_PREINSTALL),
            has_install: has(FLAG_INSTALL),
            has_postinstall: has(FLAG_POSTINSTALL),
            has_binding_gyp: has(FLAG_BINDING_GYP),
            has_manifest: has(FLAG_MANIFEST),
        }
    }

    /// Returns the bytes to keep on disk.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn bin(&self) -> Bin {
        let pair = |position: usize| -> (Box<str>, Box<str>) {
            let record = &self.bytes[self.bins_offset() + position * BIN..];
            (
                self.string(read_u32(record, 0), read_u32(record, 4)).into(),
                self.string(read_u32(record, 8), read_u32(record, 12)).into(),
            )
        };
        match self.flags >> BIN_SHIFT {
            BIN_FILE if self.bins == 1 => Bin::File(pair(0).1),
            BIN_DIRECTORY if self.bins == 1 => Bin::Directory(pair(0).1),
            BIN_MAP => Bin::Map((0..self.bins).map(pair).collect()),
            _ => Bin::None,
        }
    }

    const fn files_offset(&self) -> usize {
        HEADER + self.folders * FOLDER
    }

    const fn bins_offset(&self) -> usize {
        self.files_offset() + self.files * FILE
    }

    const fn strings_offset(&self) -> usize {
        self.bins_offset() + self.bins * BIN
    }

    /// Returns a string whose bounds were checked when the index was made or read.
    fn string(&self, offset: u32, length: u32) -> &str {
        let start = self.strings_offset() + offset as usize;
        let bytes = self.bytes.get(start..start + length as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Returns a path and its last part.
    fn path(&self, offset: u32, length: u16) -> (&str, &CStr) {
        let start = self.strings_offset() + offset as usize;
        let end = start + usize::from(length);
        let bytes = self.bytes.get(start..=end).unwrap_or_default();
        let path = bytes.strip_suffix(b"\0").unwrap_or_default();
        let name = memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1);
        let name = CStr::from_bytes_with_nul(bytes.get(name..).unwrap_or_default());
        (std::str::from_utf8(path).unwrap_or_default(), name.unwrap_or_default())
    }

    fn directory_at(&self, position: usize) -> IndexedDirectory<'_> {
        let record = &self.bytes[HEADER + position * FOLDER..];
        let (path, name) = self.path(read_u32(record, 0), read_u16(record, 4));
        IndexedDirectory { path, parent: read_u32(record, 8) as usize, name }
    }

    fn file_at(&self, position: usize) -> IndexedFile<'_> {
        let record = &self.bytes[self.files_offset() + position * FILE..];
        let mut hash = [0; 24];
        hash.copy_from_slice(&record[..24]);
        let (path, name) = self.path(read_u32(record, 32), read_u16(record, 36));
        IndexedFile {
            path,
            hash: BlobHash::from_bytes(hash),
            size: read_u64(record, 24),
            executable: read_u16(record, 38) & FILE_EXECUTABLE != 0,
            directory: read_u32(record, 40) as usize,
            name,
        }
    }

    /// Reads an index from the disk; `None` if it is anything but what [`build()`] once made.
    pub(crate) fn parse(bytes: Vec<u8>) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        if header[..8] != MAGIC
            || read_u32(header, 16) as usize != bytes.len()
            || read_u64(header, 8) != xxh3_64(&bytes[16..])
        {
            return None;
        }
        let index = Self {
            integrity: parse_integrity(header)?,
            flags: read_u32(header, 20),
            folders: read_u32(header, 96) as usize,
            files: read_u32(header, 100) as usize,
            bins: read_u32(header, 104) as usize,
            bytes: bytes.into_boxed_slice(),
        };
        index.check().then_some(index)
    }

    /// Whether every offset is within bounds and every path within the package.
    fn check(&self) -> bool {
        let tables = [(self.folders, FOLDER), (self.files, FILE), (self.bins, BIN)];
        let size: Option<usize> = tables
            .into_iter()
            .try_fold(HEADER, |sum, (count, size)| sum.checked_add(count.checked_mul(size)?));
        let Some(strings) = size.and_then(|size| self.bytes.get(size..)) else { return false };
        let Ok(strings) = std::str::from_utf8(strings) else { return false };

        let is_text = |bytes: &[u8], at: usize| {
            let (offset, length) = (read_u32(bytes, at) as usize, read_u32(bytes, at + 4) as usize);
            offset.checked_add(length).is_some_and(|end| strings.get(offset..end).is_some())
        };
        let path = |offset: u32, length: u16| {
            let end = offset as usize + usize::from(length);
            let path = strings.get(offset as usize..end)?;
            (strings.as_bytes().get(end) == Some(&0)).then_some(path)
        };
        // A path is that of its folder and one more name.
        let is_within = |path: &str, folder: &str| {
            let name = match folder {
                "" => Some(path),
                folder => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
            };
            name.is_some_and(is_safe_name)
        };

        let mut folders: Vec<&str> = Vec::with_capacity(self.folders);
        for record in self.bytes[HEADER..].chunks_exact(FOLDER).take(self.folders) {
            let Some(path) = path(read_u32(record, 0), read_u16(record, 4)) else { return false };
            let parent = read_u32(record, 8) as usize;
            let fits = match folders.last() {
                None => path.is_empty() && parent == 0,
                Some(previous) => {
                    path > *previous && folders.get(parent).is_some_and(|up| is_within(path, up))
                }
            };
            if !fits {
                return false;
            }
            folders.push(path);
        }
        if folders.is_empty() {
            return false;
        }

        let mut previous = (0, "");
        for record in self.bytes[self.files_offset()..].chunks_exact(FILE).take(self.files) {
            let Some(path) = path(read_u32(record, 32), read_u16(record, 36)) else { return false };
            let folder = read_u32(record, 40) as usize;
            let is_sorted = (folder, path) > previous;
            if !is_sorted || !folders.get(folder).is_some_and(|up| is_within(path, up)) {
                return false;
            }
            previous = (folder, path);
        }

        self.bytes[self.bins_offset()..]
            .chunks_exact(BIN)
            .take(self.bins)
            .all(|record| is_text(record, 0) && is_text(record, 8))
            && is_text(&self.bytes, 112)
            && is_text(&self.bytes, 120)
    }
}

impl std::fmt::Debug for PackageIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackageIndex")
            .field("integrity", &self.integrity)
            .field("manifest", &self.manifest())
            .field("files", &self.files().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Whether `name` is one part of a path that stays where it is.
fn is_safe_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && memchr::memchr3(b'/', b'\\', 0, name.as_bytes()).is_none()
}

fn search(count: usize, order: impl Fn(usize) -> std::cmp::Ordering) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = usize::midpoint(low, high);
        match order(middle) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(middle),
        }
    }
    None
}

const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];

fn parse_integrity(header: &[u8]) -> Option<Integrity> {
    let algorithm = *ALGORITHMS.get(usize::from(header[24]))?;
    Integrity::from_digest(algorithm, &header[32..32 + algorithm.digest_len()])
}

fn read_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from(read_u32(bytes, at)) | u64::from(read_u32(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests;
