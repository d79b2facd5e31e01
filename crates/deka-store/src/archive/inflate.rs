//! Gzip: small archives in one go into a buffer that is used again, large ones as a stream.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{Crc, DecompressionError, Decompressor};

use super::tar::{BLOCK, Source};
use crate::ArchiveError;

/// Archives that unpack to more than this are streamed, so that memory stays flat.
const LARGEST_IN_MEMORY: usize = 16 << 20;

/// How much of a streamed archive is in memory at a time.
const WINDOW: usize = 256 << 10;

/// The fixed part of a gzip header, and what follows the compressed data.
const GZIP_HEADER: usize = 10;
const GZIP_TRAILER: usize = 8;

/// The most that one byte can inflate to.
const HIGHEST_RATIO: usize = 1032;

/// Whether the bytes start like gzip data.
pub(crate) fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b])
}

/// An inflated body.
pub(crate) enum Inflated<'a> {
    /// The whole archive, or the first of several parts of it.
    Memory(&'a [u8]),
    /// It is larger than what is kept in memory.
    Large,
}

/// Inflates in one go; its buffer grows to the largest archive that went through it.
pub(crate) struct Inflater {
    decompressor: Decompressor,
    buffer: Vec<u8>,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self { decompressor: Decompressor::new(), buffer: Vec::new() }
    }

    /// Inflates the first member of a gzip body.
    pub(crate) fn inflate(&mut self, body: &[u8]) -> Result<Inflated<'_>, ArchiveError> {
        // The length that the trailer states is the publisher's word: only a hint, and only if such
        // a body can inflate to so much.
        let hint = body
            .last_chunk::<4>()
            .map_or(0, |length| u32::from_le_bytes(*length) as usize)
            .min(body.len().saturating_mul(HIGHEST_RATIO));
        if hint > LARGEST_IN_MEMORY {
            return Ok(Inflated::Large);
        }
        let mut capacity = hint.max(body.len()).max(BLOCK);
        loop {
            if self.buffer.len() < capacity {
                // Rounded up, so that it does not grow by a little each time.
                let capacity = capacity.next_power_of_two();
                self.buffer = Vec::new();
                self.buffer.resize(capacity, 0);
            }
            match self.decompressor.gzip_decompress(body, &mut self.buffer) {
                Ok(length) => return Ok(Inflated::Memory(&self.buffer[..length])),
                Err(DecompressionError::BadData) => return Err(ArchiveError::Gzip),
                Err(DecompressionError::InsufficientSpace) => {
                    capacity = self.buffer.len() * 2;
                    if capacity > LARGEST_IN_MEMORY {
                        return Ok(Inflated::Large);
                    }
                }
            }
        }
    }
}

/// Returns the length of the gzip header, `None` if it is none.
fn header_length(body: &[u8]) -> Option<usize> {
    const HAS_CRC: u8 = 2;
    const HAS_EXTRA: u8 = 4;
    const HAS_NAME: u8 = 8;
    const HAS_COMMENT: u8 = 16;
    const DEFLATE: u8 = 8;

    let fixed: &[u8; GZIP_HEADER] = body.first_chunk()?;
    if !is_gzip(fixed) || fixed[2] != DEFLATE {
        return None;
    }
    let flags = fixed[3];
    let mut length = GZIP_HEADER;
    if flags & HAS_EXTRA != 0 {
        let extra = body.get(length..length + 2)?;
        length += 2 + usize::from(u16::from_le_bytes([extra[0], extra[1]]));
    }
    for flag in [HAS_NAME, HAS_COMMENT] {
        if flags & flag != 0 {
            length += memchr::memchr(0, body.get(length..)?)? + 1;
        }
    }
    if flags & HAS_CRC != 0 {
        length += 2;
    }
    (length <= body.len()).then_some(length)
}

/// An archive that is inflated piece by piece. Several gzip members follow one another as one.
pub(crate) struct Stream<'a> {
    /// What is not inflated yet.
    input: &'a [u8],
    /// `None` behind the last member.
    member: Option<Member>,
    window: Box<[u8]>,
    /// What of the window is inflated and not yet taken.
    start: usize,
    end: usize,
}

struct Member {
    inflate: Decompress,
    checksum: Crc,
    length: u64,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Result<Self, ArchiveError> {
        let mut stream = Self {
            input: body,
            member: None,
            window: vec![0; WINDOW].into_boxed_slice(),
            start: 0,
            end: 0,
        };
        stream.start_member()?;
        Ok(stream)
    }

    fn start_member(&mut self) -> Result<(), ArchiveError> {
        let length = header_length(self.input).ok_or(ArchiveError::Gzip)?;
        self.input = &self.input[length..];
        let inflate = Decompress::new(false);
        self.member = Some(Member { inflate, checksum: Crc::new(), length: 0 });
        Ok(())
    }

    /// Ends a member and starts the next one, if there is one; other bytes behind it are ignored, as
    /// Node does.
    fn end_member(&mut self, member: &Member) -> Result<(), ArchiveError> {
        let (trailer, rest) =
            self.input.split_first_chunk::<GZIP_TRAILER>().ok_or(ArchiveError::Gzip)?;
        let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
        if u32::from_le_bytes([c0, c1, c2, c3]) != member.checksum.sum()
            || u32::from_le_bytes([l0, l1, l2, l3]) != member.length as u32
        {
            return Err(ArchiveError::Gzip);
        }
        self.input = rest;
        if is_gzip(rest) { self.start_member() } else { Ok(()) }
    }

    /// Inflates until something can be taken; returns `false` at the end.
    fn fill(&mut self) -> Result<bool, ArchiveError> {
        while self.start == self.end {
            let Some(mut member) = self.member.take() else { return Ok(false) };
            let (consumed, produced) = (member.inflate.total_in(), member.inflate.total_out());
            let status = member
                .inflate
                .decompress(self.input, &mut self.window, FlushDecompress::None)
                .map_err(|_| ArchiveError::Gzip)?;
            let consumed = (member.inflate.total_in() - consumed) as usize;
            let produced = (member.inflate.total_out() - produced) as usize;
            self.input = &self.input[consumed..];
            (self.start, self.end) = (0, produced);
            member.checksum.update(&self.window[..produced]);
            member.length += produced as u64;
            if status == Status::StreamEnd {
                self.end_member(&member)?;
            } else if consumed == 0 && produced == 0 {
                // The data ends within a member.
                return Err(ArchiveError::Gzip);
            } else {
                self.member = Some(member);
            }
        }
        Ok(true)
    }

    /// Returns up to `most` of the next bytes and takes them; empty at the end.
    pub(crate) fn take(&mut self, most: u64) -> Result<&[u8], ArchiveError> {
        if most == 0 || !self.fill()? {
            return Ok(&[]);
        }
        let available = self.end - self.start;
        let length = usize::try_from(most).map_or(available, |most| most.min(available));
        let start = self.start;
        self.start += length;
        Ok(&self.window[start..start + length])
    }
}

impl Source for Stream<'_> {
    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, ArchiveError> {
        let mut filled = 0;
        while filled < BLOCK {
            let piece = self.take((BLOCK - filled) as u64)?;
            if piece.is_empty() {
                return Ok(false);
            }
            block[filled..filled + piece.len()].copy_from_slice(piece);
            filled += piece.len();
        }
        Ok(true)
    }

    fn read_exact(&mut self, length: usize, target: &mut Vec<u8>) -> Result<(), ArchiveError> {
        let mut left = length;
        while left > 0 {
            let piece = self.take(left as u64)?;
            if piece.is_empty() {
                return Err(ArchiveError::Truncated);
            }
            target.extend_from_slice(piece);
            left -= piece.len();
        }
        Ok(())
    }

    fn skip(&mut self, length: u64) -> Result<bool, ArchiveError> {
        let mut left = length;
        while left > 0 {
            let piece = self.take(left)?.len();
            if piece == 0 {
                return Ok(false);
            }
            left -= piece as u64;
        }
        Ok(true)
    }
}
