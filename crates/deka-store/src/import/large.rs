//! Archives that are too large for memory: one thread inflates and reads headers, another hashes and
//! writes.
//!
//! The largest package is what an install waits for at the end, when the other workers have nothing
//! left to do; its two halves take about as long as one another. Between them travel blocks of about
//! half a megabyte, few at a time, so that memory stays flat.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use deka_fs::FileMode;

use super::{Failure, NO_HASH};
use crate::archive::{FileHeader, Limits, Source, Stream, Walker};
use crate::blobs::{Blobs, TemporaryFile};
use crate::facts::Facts;
use crate::index::{FileList, RawFile};
use crate::{ArchiveError, BlobHash};

/// Files up to this size are written in one go.
const LARGEST_GATHERED: u64 = 1 << 20;

/// A block is sent when it holds this much.
const BLOCK_BYTES: usize = 512 << 10;

/// Blocks that wait to be written.
const BLOCKS: usize = 3;

/// Manifests beyond this size are not read.
const LARGEST_MANIFEST: u64 = LARGEST_GATHERED;

/// A piece of the archive on its way from one thread to the other.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

/// What a part of a block's bytes is.
struct Part {
    length: usize,
    /// The position of the file in the list.
    file: usize,
    executable: bool,
    /// The size of the whole file, of which this may be a piece.
    size: u64,
}

/// Writes the files of an archive as they come, and lists them.
pub(super) fn unpack(
    stream: Stream<impl Read>,
    list: &mut FileList,
    blobs: &Blobs,
    limits: Limits,
) -> Result<Facts, Failure> {
    let (full, to_write) = sync_channel(BLOCKS);
    let (empty, to_fill) = sync_channel(BLOCKS + 2);
    let (read, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || write(blobs, &to_write, &empty));
        let read = Reader { full, to_fill, block: Block::default() }.read(stream, list, limits);
        (read, writer.join())
    });
    let hashes = match written {
        Ok(written) => written?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let facts = read?;
    for (file, hash) in list.files.iter_mut().zip(hashes) {
        file.hash = hash;
    }
    list.arrange();
    Ok(facts)
}

/// The thread that inflates.
struct Reader {
    full: SyncSender<Block>,
    /// Blocks that were written, to be used again.
    to_fill: Receiver<Block>,
    block: Block,
}

impl Reader {
    fn read(
        mut self,
        stream: Stream<impl Read>,
        list: &mut FileList,
        limits: Limits,
    ) -> Result<Facts, Failure> {
        let mut facts = Facts::default();
        let mut walker = Walker::new(stream, limits);
        while let Some(FileHeader { path, size, executable }) = walker.next_file(&mut list.paths)? {
            let is_manifest =
                &list.paths[path.clone()] == "package.json" && size <= LARGEST_MANIFEST;
            let file = list.files.len();
            list.files.push(RawFile { path, executable, size, offset: 0, hash: NO_HASH });
            if size <= LARGEST_GATHERED {
                let start = self.block.bytes.len();
                let length = size as usize;
                walker.source().read_exact(length, &mut self.block.bytes)?;
                if is_manifest {
                    facts = Facts::read(&self.block.bytes[start..]);
                }
                self.block.parts.push(Part { length, file, executable, size });
                if self.block.bytes.len() >= BLOCK_BYTES && !self.send() {
                    break;
                }
            } else if !self.read_pieces(walker.source(), file, executable, size)? {
                break;
            }
        }
        self.send();
        Ok(facts)
    }

    /// Sends a large file piece by piece; returns whether there is still somebody to send to.
    fn read_pieces(
        &mut self,
        stream: &mut Stream<impl Read>,
        file: usize,
        executable: bool,
        size: u64,
    ) -> Result<bool, ArchiveError> {
        let mut left = size;
        while left > 0 {
            let piece = stream.take(left)?;
            if piece.is_empty() {
                return Err(ArchiveError::Truncated);
            }
            self.block.bytes.extend_from_slice(piece);
            self.block.parts.push(Part { length: piece.len(), file, executable, size });
            left -= piece.len() as u64;
            if self.block.bytes.len() >= BLOCK_BYTES && !self.send() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends what was gathered; returns `false` if the writer gave up, which has the reason.
    fn send(&mut self) -> bool {
        let next = self.to_fill.try_recv().unwrap_or_default();
        self.full.send(std::mem::replace(&mut self.block, next)).is_ok()
    }
}

/// The thread that writes: returns the hash of each file in the order of the archive.
fn write(
    blobs: &Blobs,
    to_write: &Receiver<Block>,
    empty: &SyncSender<Block>,
) -> Result<Vec<BlobHash>, Failure> {
    let mut hashes = Vec::new();
    let mut large: Option<Large<'_>> = None;
    while let Ok(mut block) = to_write.recv() {
        let mut rest = &block.bytes[..];
        for part in &block.parts {
            let (contents, behind) = rest.split_at(part.length);
            rest = behind;
            if contents.len() as u64 == part.size {
                let hash = BlobHash::of(contents);
                blobs.write(&hash, part.executable, contents)?;
                hashes.push(hash);
                continue;
            }
            let file = match &mut large {
                Some(file) if file.file == part.file => file,
                other => other.insert(Large::new(blobs, part)?),
            };
            file.append(contents)?;
            if file.left == 0
                && let Some(file) = large.take()
            {
                hashes.push(file.finish(blobs, part)?);
            }
        }
        block.bytes.clear();
        block.parts.clear();
        // If there are enough, this one is let go.
        drop(empty.try_send(block));
    }
    Ok(hashes)
}

/// A file that comes in pieces.
struct Large<'a> {
    file: usize,
    left: u64,
    hasher: blake3::Hasher,
    temporary: TemporaryFile<'a>,
}

impl<'a> Large<'a> {
    fn new(blobs: &'a Blobs, part: &Part) -> Result<Self, Failure> {
        let mode = FileMode::from_executable(part.executable);
        Ok(Self {
            file: part.file,
            left: part.size,
            hasher: blake3::Hasher::new(),
            temporary: blobs.temporary.create(mode)?,
        })
    }

    fn append(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.hasher.update(piece);
        self.temporary.append(piece)?;
        self.left = self.left.saturating_sub(piece.len() as u64);
        Ok(())
    }

    fn finish(self, blobs: &Blobs, part: &Part) -> Result<BlobHash, Failure> {
        let hash = BlobHash::from_blake3(self.hasher.finalize());
        blobs.adopt(&hash, part.executable, part.size, self.temporary)?;
        Ok(hash)
    }
}
