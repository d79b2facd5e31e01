//! From a tarball to blobs and an index.

use std::io::Read;

use deka_fs::FsError;
use deka_manifest::Integrity;

use crate::archive::{
    FileHeader, Inflated, Inflater, Limits, Memory, Stream, Walker, is_gzip, push_path,
};
use crate::blobs::Blobs;
use crate::facts::Facts;
use crate::index::{FileList, PackageIndex, RawFile, build};
use crate::integrity::{Hashed, Verified};
use crate::{ArchiveError, BlobHash, StoreError};

pub(crate) mod folder;
mod large;

const NO_HASH: BlobHash = BlobHash::from_bytes([0; 24]);

/// A package as it comes.
#[derive(Debug, Clone, Copy)]
pub struct Archive<'a> {
    /// A tar archive, gzipped or not.
    pub bytes: &'a [u8],
    /// What it is found by later.
    pub identity: Identity<'a>,
    /// Files that are not in the archive. They take the place of those in it.
    pub added: &'a [AddedFile],
}

/// What a package is found by.
#[derive(Debug, Clone, Copy)]
pub enum Identity<'a> {
    /// What the bytes of the archive hash to. If it is known what that has to be, nothing else is
    /// stored.
    Hash(Option<&'a Integrity>),
    /// What the caller says: for archives that were made on this machine, out of what was verified
    /// in another way.
    Given(&'a Integrity),
}

/// A file beside an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedFile {
    /// Its path in the package.
    pub path: Box<[u8]>,
    /// Whether it is executable.
    pub executable: bool,
    /// What is in it.
    pub contents: Vec<u8>,
}

/// What one worker needs to import packages; its buffers are used again for each of them.
pub struct Importer {
    inflater: Inflater,
    list: FileList,
    limits: Limits,
}

impl Default for Importer {
    fn default() -> Self {
        Self::new()
    }
}

/// Why unpacking failed, before the package's name is added.
enum Failure {
    Archive(ArchiveError),
    Write(FsError),
}

impl Failure {
    fn of(self, package: &str) -> StoreError {
        let package = package.to_owned();
        match self {
            Self::Archive(source) => StoreError::Archive { package, source },
            Self::Write(source) => StoreError::Write { package, source },
        }
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<FsError> for Failure {
    fn from(error: FsError) -> Self {
        Self::Write(error)
    }
}

impl Importer {
    /// Makes the buffers, small at first.
    pub fn new() -> Self {
        Self { inflater: Inflater::new(), list: FileList::default(), limits: Limits::default() }
    }

    /// Writes the files of a tarball and returns the index of the package.
    pub(crate) fn unpack(
        &mut self,
        tarball: Verified<'_>,
        added: &[AddedFile],
        blobs: &Blobs,
        package: &str,
    ) -> Result<PackageIndex, StoreError> {
        self.unpack_files(tarball.body, blobs)
            .and_then(|mut facts| {
                if !added.is_empty() {
                    add_files(added, &mut self.list, &mut facts, blobs)?;
                }
                Ok(facts)
            })
            .and_then(|facts| Ok(build(&tarball.integrity, &self.list, &facts)?))
            .map_err(|failure| failure.of(package))
    }

    /// Writes the files of a gzipped tarball while it comes in, and returns its index if it turns out to be
    /// the expected one. Until then nothing can name these files.
    pub(crate) fn unpack_arriving(
        &mut self,
        body: &mut dyn Read,
        expected: Option<&Integrity>,
        blobs: &Blobs,
        package: &str,
    ) -> Result<PackageIndex, StoreError> {
        let Self { list, limits, .. } = self;
        list.clear();
        let mut body = Hashed::new(body, expected);
        let facts = large::unpack(&mut body, list, blobs, *limits);
        if let Err(failure @ Failure::Write(_)) = facts {
            return Err(failure.of(package));
        }
        // Only what is the right tarball is worth a word about what is wrong in it.
        let integrity = body.verify(expected, package)?;
        facts
            .and_then(|facts| Ok(build(&integrity, list, &facts)?))
            .map_err(|failure| failure.of(package))
    }

    fn unpack_files(&mut self, body: &[u8], blobs: &Blobs) -> Result<Facts, Failure> {
        let Self { inflater, list, limits } = self;
        list.clear();
        if !is_gzip(body) {
            let is_terminated = read_headers(body, list, *limits)?;
            // Without gzip's checksum nothing else tells that the end is missing.
            if !is_terminated {
                return Err(ArchiveError::Truncated.into());
            }
            return write_files(body, list, blobs);
        }
        if let Inflated::Memory(archive) = inflater.inflate(body)? {
            match read_headers(archive, list, *limits) {
                Ok(true) => return write_files(archive, list, blobs),
                // There may be more in another gzip member. If not, and the archive only lacks the
                // mark of its end, that is as good for npm.
                Ok(false) | Err(ArchiveError::Truncated) => list.clear(),
                Err(error) => return Err(error.into()),
            }
        }
        large::unpack(body, list, blobs, *limits)
    }
}

/// Returns the name of the folder that a gzipped archive has around its files: the first part of the
/// path of the first.
pub fn top_folder(tarball: &[u8]) -> Option<String> {
    let mut walker = Walker::new(Stream::new(tarball).ok()?, Limits::default());
    walker.next_file(&mut String::new()).ok()??;
    String::from_utf8(walker.first_part().to_vec()).ok()
}

/// Lists the files of an archive in memory; returns whether the mark of its end was there.
fn read_headers(archive: &[u8], list: &mut FileList, limits: Limits) -> Result<bool, ArchiveError> {
    let mut walker = Walker::new(Memory::new(archive), limits);
    while let Some(FileHeader { path, size, executable }) = walker.next_file(&mut list.paths)? {
        let offset = walker.source().take(size)?;
        list.files.push(RawFile { path, executable, size, offset, hash: NO_HASH });
    }
    Ok(walker.has_terminator())
}

/// Writes files that are not in the archive and puts them on its list.
fn add_files(
    added: &[AddedFile],
    list: &mut FileList,
    facts: &mut Facts,
    blobs: &Blobs,
) -> Result<(), Failure> {
    for AddedFile { path, executable, contents } in added {
        let start = list.paths.len();
        push_path(&[b"package/", &**path].concat(), &mut list.paths)?;
        let path = start..list.paths.len();
        if &list.paths[path.clone()] == "package.json" {
            *facts = Facts::read(contents);
        }
        let hash = BlobHash::of(contents);
        blobs.write(&hash, *executable, contents)?;
        let size = contents.len() as u64;
        list.files.push(RawFile { path, executable: *executable, size, offset: 0, hash });
    }
    list.arrange();
    Ok(())
}

fn write_files(archive: &[u8], list: &mut FileList, blobs: &Blobs) -> Result<Facts, Failure> {
    list.arrange();
    let mut facts = Facts::default();
    let FileList { paths, files } = list;
    for file in files {
        let contents = &archive[file.offset..file.offset + file.size as usize];
        if &paths[file.path.clone()] == "package.json" {
            facts = Facts::read(contents);
        }
        file.hash = BlobHash::of(contents);
        blobs.write(&file.hash, file.executable, contents)?;
    }
    Ok(facts)
}
