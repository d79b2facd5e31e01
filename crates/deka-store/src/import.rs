//! From a verified tarball to blobs and an index.

use deka_fs::FsError;

use crate::archive::{
    FileHeader, Inflated, Inflater, Limits, Memory, Source, Stream, Walker, is_gzip,
};
use crate::blobs::Blobs;
use crate::facts::Facts;
use crate::index::{FileList, PackageIndex, RawFile, build};
use crate::integrity::Verified;
use crate::{ArchiveError, BlobHash, StoreError};

/// Files of streamed archives up to this size are gathered in memory and written in one go.
const LARGEST_GATHERED: u64 = 1 << 20;

/// Manifests beyond this size are not read.
const LARGEST_MANIFEST: u64 = 16 << 20;

const NO_HASH: BlobHash = BlobHash::from_bytes([0; 32]);

/// What one worker needs to import packages; its buffers are used again for each of them.
pub struct Importer {
    inflater: Inflater,
    list: FileList,
    gathered: Vec<u8>,
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
        Self {
            inflater: Inflater::new(),
            list: FileList::default(),
            gathered: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// Writes the files of a tarball and returns the index of the package.
    pub(crate) fn unpack(
        &mut self,
        tarball: Verified<'_>,
        blobs: &Blobs,
        package: &str,
    ) -> Result<PackageIndex, StoreError> {
        self.unpack_files(tarball.body, blobs)
            .and_then(|facts| Ok(build(&tarball.integrity, &self.list, &facts)?))
            .map_err(|failure| match failure {
                Failure::Archive(source) => {
                    StoreError::Archive { package: package.to_owned(), source }
                }
                Failure::Write(source) => StoreError::Write { package: package.to_owned(), source },
            })
    }

    fn unpack_files(&mut self, body: &[u8], blobs: &Blobs) -> Result<Facts, Failure> {
        let Self { inflater, list, gathered, limits } = self;
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
        unpack_stream(Stream::new(body)?, list, gathered, blobs, *limits)
    }
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

/// Writes the files of an archive that is too large for memory as they come.
fn unpack_stream(
    stream: Stream<'_>,
    list: &mut FileList,
    gathered: &mut Vec<u8>,
    blobs: &Blobs,
    limits: Limits,
) -> Result<Facts, Failure> {
    let mut facts = Facts::default();
    let mut walker = Walker::new(stream, limits);
    while let Some(FileHeader { path, size, executable }) = walker.next_file(&mut list.paths)? {
        let is_manifest = &list.paths[path.clone()] == "package.json" && size <= LARGEST_MANIFEST;
        let hash = if size <= LARGEST_GATHERED || is_manifest {
            gathered.clear();
            walker.source().read_exact(size as usize, gathered)?;
            if is_manifest {
                facts = Facts::read(gathered);
            }
            let hash = BlobHash::of(gathered);
            blobs.write(&hash, executable, gathered)?;
            hash
        } else {
            copy_large(walker.source(), size, executable, blobs)?
        };
        list.files.push(RawFile { path, executable, size, offset: 0, hash });
    }
    list.arrange();
    Ok(facts)
}

fn copy_large(
    stream: &mut Stream<'_>,
    size: u64,
    executable: bool,
    blobs: &Blobs,
) -> Result<BlobHash, Failure> {
    let mode = deka_fs::FileMode::from_executable(executable);
    let mut file = blobs.temporary.create(mode)?;
    let mut hasher = blake3::Hasher::new();
    let mut left = size;
    while left > 0 {
        let piece = stream.take(left)?;
        if piece.is_empty() {
            return Err(ArchiveError::Truncated.into());
        }
        hasher.update(piece);
        file.append(piece)?;
        left -= piece.len() as u64;
    }
    let hash = BlobHash::from_bytes(*hasher.finalize().as_bytes());
    blobs.adopt(&hash, executable, size, file)?;
    Ok(hash)
}
