//! Archives that are too large for memory: each file is hashed and written as soon as it is inflated.
//!
//! One thread does it all, because what it inflated lies in the caches of its processor. To have another one
//! write costs 4 % of an install's processor time, and gains nothing while there are other packages to unpack.

use std::io::Read;

use deka_fs::{FileMode, FsError};

use super::Failure;
use crate::BlobHash;
use crate::archive::{FileHeader, LARGEST_WHOLE, Limits, Stream, Walker};
use crate::blobs::{Blobs, TemporaryFile};
use crate::facts::Facts;
use crate::index::{FileList, RawFile};

/// Manifests beyond this size are not read.
const LARGEST_MANIFEST: u64 = 1 << 20;

/// Writes the files of a gzipped archive as they come, and lists them.
pub(super) fn unpack(
    body: impl Read,
    list: &mut FileList,
    blobs: &Blobs,
    limits: Limits,
) -> Result<Facts, Failure> {
    let mut walker = Walker::new(Stream::new(body)?, limits);
    let mut facts = Facts::default();
    while let Some(FileHeader { path, size, executable }) = walker.next_file(&mut list.paths)? {
        let is_manifest = &list.paths[path.clone()] == "package.json" && size <= LARGEST_MANIFEST;
        let stream = walker.source();
        let hash = match usize::try_from(size) {
            Ok(size) if size <= LARGEST_WHOLE => {
                let contents = stream.take_whole(size)?;
                if is_manifest {
                    facts = Facts::read(contents);
                }
                let hash = BlobHash::of(contents);
                blobs.write(&hash, executable, contents)?;
                hash
            }
            _ => {
                let mut file = Large::new(blobs, executable)?;
                let mut manifest = Vec::new();
                stream.take_pieces(size, |piece| {
                    if is_manifest {
                        manifest.extend_from_slice(piece);
                    }
                    file.append(piece).map_err(Failure::from)
                })?;
                if is_manifest {
                    facts = Facts::read(&manifest);
                }
                file.finish(blobs, executable, size)?
            }
        };
        list.files.push(RawFile { path, executable, size, offset: 0, hash });
    }
    list.arrange();
    Ok(facts)
}

/// A file that comes in pieces.
struct Large<'a> {
    hasher: blake3::Hasher,
    temporary: TemporaryFile<'a>,
}

impl<'a> Large<'a> {
    fn new(blobs: &'a Blobs, executable: bool) -> Result<Self, FsError> {
        let temporary = blobs.temporary.create(FileMode::from_executable(executable))?;
        Ok(Self { hasher: blake3::Hasher::new(), temporary })
    }

    fn append(&mut self, piece: &[u8]) -> Result<(), FsError> {
        self.hasher.update(piece);
        self.temporary.append(piece)
    }

    fn finish(self, blobs: &Blobs, executable: bool, size: u64) -> Result<BlobHash, FsError> {
        let hash = BlobHash::from_blake3(self.hasher.finalize());
        blobs.adopt(&hash, executable, size, self.temporary)?;
        Ok(hash)
    }
}
