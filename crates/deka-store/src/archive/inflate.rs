//! Gzip: small archives in one go into a buffer that is used again, large ones as a stream.

use std::io::{ErrorKind, Read};

use libdeflater::{Crc, DecompressionError, Decompressor};

use super::deflate::{Decoder, HISTORY, LEAST_INPUT, MARGIN};
use super::tar::{BLOCK, Source, end_in_block};
use crate::ArchiveError;

/// Archives that unpack to more than this are streamed, so that memory stays flat.
const LARGEST_IN_MEMORY: usize = 4 << 20;

/// How much of a streamed archive is inflated before what was taken of it makes room for more.
const WINDOW: usize = 512 << 10;

/// The most of it that can be had in one piece, see [`Stream::take_whole`].
pub(crate) const LARGEST_WHOLE: usize = WINDOW / 2;

/// How much of its compressed bytes is. It also limits the header of gzip, of which only the first ten
/// bytes have ever been seen in a package.
const INPUT: usize = 128 << 10;

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
                self.buffer = vec![0; capacity];
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

/// An archive that is inflated piece by piece, of bytes that come piece by piece. Several gzip members
/// follow one another as one.
pub(crate) struct Stream<R> {
    input: Input<R>,
    /// `None` behind the last member.
    member: Option<Member>,
    window: Box<[u8]>,
    /// What of the window is inflated and not yet taken.
    start: usize,
    end: usize,
}

/// Compressed bytes.
struct Input<R> {
    reader: R,
    buffer: Box<[u8]>,
    /// What of the buffer is read and not yet taken.
    start: usize,
    end: usize,
    /// Whether nothing more will come.
    is_all: bool,
}

impl<R: Read> Input<R> {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads on until there are at least so many bytes, or all.
    fn want(&mut self, least: usize) -> Result<(), ArchiveError> {
        if self.is_all || self.bytes().len() >= least {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        while self.end < least && !self.is_all {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_all = true,
                Ok(length) => self.end += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Who gave the reader knows the reason.
                Err(_) => return Err(ArchiveError::Truncated),
            }
        }
        Ok(())
    }

    /// Takes a gzip header.
    fn take_header(&mut self) -> Result<(), ArchiveError> {
        self.want(GZIP_HEADER)?;
        let mut length = header_length(self.bytes());
        if length.is_none() && is_gzip(self.bytes()) {
            self.want(self.buffer.len())?;
            length = header_length(self.bytes());
        }
        self.start += length.ok_or(ArchiveError::Gzip)?;
        Ok(())
    }

    /// Takes a gzip trailer: the checksum and the length.
    fn take_trailer(&mut self) -> Result<(u32, u32), ArchiveError> {
        self.want(GZIP_TRAILER)?;
        let trailer = self.bytes().first_chunk::<GZIP_TRAILER>().ok_or(ArchiveError::Gzip)?;
        let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
        self.start += GZIP_TRAILER;
        Ok((u32::from_le_bytes([c0, c1, c2, c3]), u32::from_le_bytes([l0, l1, l2, l3])))
    }
}

struct Member {
    decoder: Decoder,
    checksum: Crc,
    length: u64,
}

impl Member {
    /// Reads the header.
    fn new<R: Read>(input: &mut Input<R>) -> Result<Self, ArchiveError> {
        input.take_header()?;
        Ok(Self { decoder: Decoder::new(), checksum: Crc::new(), length: 0 })
    }

    /// How far back matches may reach.
    fn history(&self) -> usize {
        usize::try_from(self.length).map_or(HISTORY, |length| length.min(HISTORY))
    }

    /// Checks what follows the compressed data and returns the next member, if there is one; other
    /// bytes behind it are ignored, as Node does.
    fn finish<R: Read>(&self, input: &mut Input<R>) -> Result<Option<Self>, ArchiveError> {
        if input.take_trailer()? != (self.checksum.sum(), self.length as u32) {
            return Err(ArchiveError::Gzip);
        }
        input.want(GZIP_HEADER)?;
        if is_gzip(input.bytes()) { Self::new(input).map(Some) } else { Ok(None) }
    }
}

impl<R: Read> Stream<R> {
    pub(crate) fn new(reader: R) -> Result<Self, ArchiveError> {
        let buffer = vec![0; INPUT].into_boxed_slice();
        let mut input = Input { reader, buffer, start: 0, end: 0, is_all: false };
        let member = Some(Member::new(&mut input)?);
        let window = vec![0; HISTORY + WINDOW + MARGIN].into_boxed_slice();
        Ok(Self { input, member, window, start: 0, end: 0 })
    }

    /// Makes room behind what is inflated, for which nothing is kept but what matches may reach back to and what
    /// is not taken.
    fn make_room(&mut self) {
        let history = self.member.as_ref().map_or(0, Member::history);
        let kept = history.max(self.end - self.start);
        self.window.copy_within(self.end - kept..self.end, 0);
        (self.start, self.end) = (kept - (self.end - self.start), kept);
    }

    /// Inflates some more behind what is there; returns `false` at the end.
    fn inflate(&mut self) -> Result<bool, ArchiveError> {
        if self.window.len() - self.end < MARGIN {
            self.make_room();
        }
        let Self { input, member: Some(member), window, end, .. } = self else { return Ok(false) };
        input.want(LEAST_INPUT)?;
        // Matches do not reach into another member.
        let history = member.history();
        let begin = *end - history;
        let window = &mut window[begin..];
        let progress = member.decoder.decode(input.bytes(), input.is_all, window, history)?;
        input.start += progress.taken;
        let inflated = &window[history..progress.end];
        member.checksum.update(inflated);
        member.length += inflated.len() as u64;
        *end = begin + progress.end;
        if member.decoder.is_done() {
            self.member = member.finish(input)?;
        }
        Ok(true)
    }

    /// Returns up to `most` of the next bytes and takes them; empty at the end.
    fn take(&mut self, most: u64) -> Result<&[u8], ArchiveError> {
        while most > 0 && self.start == self.end && self.inflate()? {}
        let available = self.end - self.start;
        let length = usize::try_from(most).map_or(available, |most| most.min(available));
        self.start += length;
        Ok(&self.window[self.start - length..self.start])
    }

    /// Returns the next `length` bytes, at most [`LARGEST_WHOLE`], and takes them; fails if there are fewer.
    pub(crate) fn take_whole(&mut self, length: usize) -> Result<&[u8], ArchiveError> {
        if self.start + length + MARGIN > self.window.len() {
            self.make_room();
        }
        while self.end - self.start < length {
            if !self.inflate()? {
                return Err(ArchiveError::Truncated);
            }
        }
        self.start += length;
        Ok(&self.window[self.start - length..self.start])
    }

    /// Takes the next `length` bytes and has `use_piece` see them piece by piece; fails if there are fewer.
    pub(crate) fn take_pieces<E: From<ArchiveError>>(
        &mut self,
        length: u64,
        mut use_piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut left = length;
        while left > 0 {
            let piece = self.take(left)?;
            if piece.is_empty() {
                return Err(ArchiveError::Truncated.into());
            }
            use_piece(piece)?;
            left -= piece.len() as u64;
        }
        Ok(())
    }
}

impl<R: Read> Source for Stream<R> {
    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, ArchiveError> {
        let mut filled = 0;
        while filled < BLOCK {
            let piece = self.take((BLOCK - filled) as u64)?;
            if piece.is_empty() {
                return end_in_block(&block[..filled]);
            }
            block[filled..filled + piece.len()].copy_from_slice(piece);
            filled += piece.len();
        }
        Ok(true)
    }

    fn read_exact(&mut self, length: usize, target: &mut Vec<u8>) -> Result<(), ArchiveError> {
        self.take_pieces(length as u64, |piece| {
            target.extend_from_slice(piece);
            Ok(())
        })
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

#[cfg(test)]
mod tests {
    use deka_test::archive::{gzip, with_claimed_length};
    use proptest::prelude::*;

    use super::*;

    fn in_one_go(body: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
        Inflater::new().inflate(body).map(|inflated| match inflated {
            Inflated::Memory(bytes) => Some(bytes.to_vec()),
            Inflated::Large => None,
        })
    }

    fn streamed(body: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let mut stream = Stream::new(body)?;
        let mut bytes = Vec::new();
        loop {
            let piece = stream.take(u64::MAX)?;
            if piece.is_empty() {
                return Ok(bytes);
            }
            bytes.extend_from_slice(piece);
        }
    }

    /// Bytes that compress a little.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let step = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 & 0x3f
        };
        (0..length).map(step).collect()
    }

    #[test]
    fn small_and_large_bodies_come_out_whole() {
        for length in [0, 1, 1000, WINDOW - 1, WINDOW, WINDOW + 1, 3 << 20] {
            let bytes = noise(length);
            let body = gzip(&bytes);
            assert_eq!(in_one_go(&body).unwrap().unwrap(), bytes, "{length}");
            assert_eq!(streamed(&body).unwrap(), bytes, "{length}");
        }
    }

    #[test]
    fn the_claimed_length_is_only_a_hint() {
        let zeros = vec![0; 1 << 20];
        let body = gzip(&zeros);
        for claim in [0, 1, 1 << 16, (1 << 20) + 1, 3 << 20, u32::MAX] {
            // It is part of the checksum all the same.
            assert_ne!(
                in_one_go(&with_claimed_length(body.clone(), claim)),
                Ok(Some(zeros.clone()))
            );
        }
        // Behind the trailer anything may look like one.
        for claim in [0, 1, 1 << 19, u32::MAX] {
            let mut body = body.clone();
            body.extend_from_slice(&u32::to_le_bytes(claim));
            assert!(
                matches!(in_one_go(&body), Ok(None)) || in_one_go(&body) == Ok(Some(zeros.clone()))
            );
            assert_eq!(streamed(&body).unwrap(), zeros);
        }
    }

    #[test]
    fn what_is_large_is_not_kept_in_memory() {
        let body = gzip(&vec![7; LARGEST_IN_MEMORY + 1]);
        assert_eq!(in_one_go(&body), Ok(None));
        let mut lying = body.clone();
        lying.extend_from_slice(&[0; 4]);
        assert_eq!(in_one_go(&lying), Ok(None));
    }

    #[test]
    fn members_follow_one_another() {
        let body = [gzip(b"one "), gzip(b""), gzip(b"two"), b"rest".to_vec()].concat();
        assert_eq!(streamed(&body).unwrap(), b"one two");
        assert_eq!(in_one_go(&body).unwrap().unwrap(), b"one ");
    }

    #[test]
    fn optional_header_fields_are_passed_over() {
        let plain = gzip(b"text");
        for flags in 0..32_u8 {
            let mut body = plain[..GZIP_HEADER].to_vec();
            body[3] = flags;
            for (flag, field) in
                [(4, &b"\x03\0abc"[..]), (8, b"name\0"), (16, b"comment\0"), (2, b"\0\0")]
            {
                if flags & flag != 0 {
                    body.extend_from_slice(field);
                }
            }
            body.extend_from_slice(&plain[GZIP_HEADER..]);
            assert_eq!(streamed(&body).unwrap(), b"text", "{flags}");
        }
    }

    proptest! {
        /// The two ways agree on what is whole, and on what is not.
        #[test]
        fn damage_is_noticed(
            length in 0..5000_usize,
            at in any::<prop::sample::Index>(),
            byte in 1..=u8::MAX,
            cut in any::<prop::sample::Index>(),
        ) {
            let bytes = noise(length);
            let body = gzip(&bytes);
            let mut damaged = body.clone();
            // The time, the operating system and so on in the header do not matter.
            let at = GZIP_HEADER + at.index(body.len() - GZIP_HEADER);
            damaged[at] ^= byte;
            for result in [in_one_go(&damaged).map(Option::unwrap_or_default), streamed(&damaged)] {
                prop_assert!(result.is_err() || result.as_ref() == Ok(&bytes));
            }
            let cut = &body[..cut.index(body.len())];
            prop_assert!(in_one_go(cut).is_err());
            prop_assert!(streamed(cut).is_err());
        }
    }
}
