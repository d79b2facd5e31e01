//! Tar headers: ustar, GNU long names, pax.

use std::ops::Range;

use super::path::push_path;
use crate::ArchiveError;

/// Everything in a tar archive comes in blocks of this size.
pub(crate) const BLOCK: usize = 512;

/// The longest extended header that is read.
const LONGEST_EXTENSION: u64 = 1 << 20;

/// How much an archive may claim to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Headers of any kind.
    pub(crate) entries: usize,
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// Bytes of all paths.
    pub(crate) path_bytes: usize,
}

impl Default for Limits {
    /// Many times of what the largest packages have.
    fn default() -> Self {
        Self { entries: 1 << 20, bytes: 8 << 30, path_bytes: 64 << 20 }
    }
}

/// Where an archive's bytes come from.
pub(crate) trait Source {
    /// Fills `block`; returns `false` if nothing is left, or zeros that are less than a block.
    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, ArchiveError>;
    /// Appends the next `length` bytes to `target`; fails if there are fewer.
    fn read_exact(&mut self, length: usize, target: &mut Vec<u8>) -> Result<(), ArchiveError>;
    /// Passes over `length` bytes; returns `false`, and is at the end, if there are fewer.
    fn skip(&mut self, length: u64) -> Result<bool, ArchiveError>;
}

/// An archive that is in memory as a whole.
pub(crate) struct Memory<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Takes the next `length` bytes and returns where they start.
    pub(crate) fn take(&mut self, length: u64) -> Result<usize, ArchiveError> {
        let start = self.position;
        let length = usize::try_from(length).map_err(|_| ArchiveError::Truncated)?;
        match start.checked_add(length) {
            Some(end) if end <= self.bytes.len() => {
                self.position = end;
                Ok(start)
            }
            _ => Err(ArchiveError::Truncated),
        }
    }
}

impl Source for Memory<'_> {
    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, ArchiveError> {
        let rest = &self.bytes[self.position..];
        let Some(next) = rest.first_chunk::<BLOCK>() else {
            return end_in_block(rest);
        };
        *block = *next;
        self.position += BLOCK;
        Ok(true)
    }

    fn read_exact(&mut self, length: usize, target: &mut Vec<u8>) -> Result<(), ArchiveError> {
        let start = self.take(length as u64)?;
        target.extend_from_slice(&self.bytes[start..start + length]);
        Ok(())
    }

    fn skip(&mut self, length: u64) -> Result<bool, ArchiveError> {
        let is_whole = self.take(length).is_ok();
        if !is_whole {
            self.position = self.bytes.len();
        }
        Ok(is_whole)
    }
}

/// What a header that is cut off means: only zeros can be missing without harm.
pub(super) fn end_in_block(rest: &[u8]) -> Result<bool, ArchiveError> {
    if rest.iter().all(|byte| *byte == 0) { Ok(false) } else { Err(ArchiveError::Truncated) }
}

/// A regular file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileHeader {
    /// Where its path is in the text that [`Walker::next_file`] appended it to.
    pub(crate) path: Range<usize>,
    /// Length of its contents.
    pub(crate) size: u64,
    /// Whether any executable bit is set.
    pub(crate) executable: bool,
}

/// What extended headers say about the entry behind them.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    pax_path: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Goes through the entries of an archive.
///
/// After each file its contents have to be taken from the source, all of them.
pub(crate) struct Walker<S> {
    source: S,
    limits: Limits,
    entries: usize,
    bytes: u64,
    /// What fills the last block of the file returned last.
    padding: u64,
    /// The path of the last entry as it stands in the archive, for messages.
    last: Vec<u8>,
    extension: Vec<u8>,
    has_terminator: bool,
}

impl<S: Source> Walker<S> {
    pub(crate) fn new(source: S, limits: Limits) -> Self {
        Self {
            source,
            limits,
            entries: 0,
            bytes: 0,
            padding: 0,
            last: Vec::new(),
            extension: Vec::new(),
            has_terminator: false,
        }
    }

    pub(crate) fn source(&mut self) -> &mut S {
        &mut self.source
    }

    /// Returns the first part of the last entry's path.
    pub(crate) fn first_part(&self) -> &[u8] {
        self.last.split(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// Whether the walk ended at a block of zeros and not because there was nothing more.
    pub(crate) fn has_terminator(&self) -> bool {
        self.has_terminator
    }

    /// Returns the next regular file and appends its path to `paths`; `None` at the end.
    pub(crate) fn next_file(
        &mut self,
        paths: &mut String,
    ) -> Result<Option<FileHeader>, ArchiveError> {
        let mut block = [0; BLOCK];
        let mut extension = Extension::default();
        // Missing padding shows as a missing header.
        let padding = std::mem::take(&mut self.padding);
        if !self.source.skip(padding)? {
            return Ok(None);
        }
        loop {
            match self.source.read_block(&mut block) {
                Ok(true) => {}
                Ok(false) => return self.end(),
                // Behind the mark of the end it is no header that is cut off.
                Err(ArchiveError::Truncated) if self.has_terminator => return self.end(),
                Err(error) => return Err(error),
            }
            if block.iter().all(|byte| *byte == 0) {
                // Two blocks of zeros are the end; a single one in between is passed over.
                let had_one = std::mem::replace(&mut self.has_terminator, true);
                if had_one {
                    return self.end();
                }
                continue;
            }
            if !is_checksum_right(&block) {
                if self.has_terminator {
                    // What follows one block of zeros and is no header is garbage.
                    return Ok(None);
                }
                return Err(match self.entries {
                    0 => ArchiveError::NotAnArchive,
                    _ => ArchiveError::Header { after: escape(&self.last) },
                });
            }
            self.has_terminator = false;
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(ArchiveError::TooManyEntries { limit: self.limits.entries });
            }

            let size = read_number(&block[124..136]);
            let kind = block[156];
            match kind {
                b'x' | b'X' | b'L' => {
                    self.read_extension(kind, size, &mut extension)?;
                    continue;
                }
                // Global headers and long targets of links.
                b'g' | b'K' => {
                    let size = size.ok_or_else(|| self.entry("its size is not a number"))?;
                    self.pass(size)?;
                    continue;
                }
                _ => {}
            }

            let Extension { path, pax_path, size: pax_size } = std::mem::take(&mut extension);
            self.last = pax_path.or(path).unwrap_or_else(|| header_path(&block));
            let Some(size) = pax_size.or(size) else {
                return Err(self.entry("its size is not a number"));
            };
            let is_file = matches!(kind, b'0' | 0 | b'7') && self.last.last() != Some(&b'/');
            if !is_file {
                // What has no contents may claim some all the same.
                let has_contents = !matches!(kind, b'0' | 0 | b'2'..=b'6');
                self.pass(if has_contents { size } else { 0 })?;
                continue;
            }

            let start = paths.len();
            if !push_path(&self.last, paths)? {
                self.pass(size)?;
                continue;
            }
            if paths.len() > self.limits.path_bytes {
                return Err(ArchiveError::TooManyEntries { limit: self.limits.entries });
            }
            self.count(size)?;
            self.padding = padding_of(size);
            let executable = read_number(&block[100..108]).is_some_and(|mode| mode & 0o111 != 0);
            return Ok(Some(FileHeader { path: start..paths.len(), size, executable }));
        }
    }

    /// Ends the walk; an archive without a single entry is none.
    fn end(&self) -> Result<Option<FileHeader>, ArchiveError> {
        if self.entries == 0 { Err(ArchiveError::NotAnArchive) } else { Ok(None) }
    }

    /// Adds to the bytes that the archive holds.
    fn count(&mut self, size: u64) -> Result<(), ArchiveError> {
        self.bytes = self.bytes.saturating_add(size);
        let limit = self.limits.bytes;
        if self.bytes > limit { Err(ArchiveError::TooLarge { limit }) } else { Ok(()) }
    }

    /// Passes over the contents of an entry.
    fn pass(&mut self, size: u64) -> Result<(), ArchiveError> {
        self.count(size)?;
        if !self.source.skip(size)? {
            return Err(ArchiveError::Truncated);
        }
        // As above: the padding may be missing at the end.
        self.source.skip(padding_of(size)).map(drop)
    }

    fn read_extension(
        &mut self,
        kind: u8,
        size: Option<u64>,
        extension: &mut Extension,
    ) -> Result<(), ArchiveError> {
        let size = match size {
            Some(size) if size <= LONGEST_EXTENSION => size,
            _ => return Err(self.entry("its extended header is too long")),
        };
        self.extension.clear();
        self.source.read_exact(size as usize, &mut self.extension)?;
        self.source.skip(padding_of(size))?;
        if kind == b'L' {
            let end = memchr::memchr(0, &self.extension).unwrap_or(self.extension.len());
            extension.path = Some(self.extension[..end].to_vec());
            return Ok(());
        }
        if read_pax(&self.extension, extension).is_none() {
            return Err(self.entry("its extended header is damaged"));
        }
        Ok(())
    }

    fn entry(&self, reason: &'static str) -> ArchiveError {
        ArchiveError::Entry { entry: escape(&self.last), reason }
    }
}

fn escape(path: &[u8]) -> String {
    String::from_utf8_lossy(path).escape_debug().to_string()
}

fn padding_of(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// The sum of all bytes, those of the sum itself counted as spaces.
fn is_checksum_right(block: &[u8; BLOCK]) -> bool {
    let Some(expected) = read_number(&block[148..156]) else { return false };
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let spaces = 8 * u64::from(b' ');
    let unsigned = sum(block) - sum(&block[148..156]) + spaces;
    if unsigned == expected {
        return true;
    }
    // Some old programs took the bytes as signed.
    let high = |bytes: &[u8]| bytes.iter().filter(|byte| **byte >= 128).count() as u64 * 256;
    let signed = unsigned.wrapping_sub(high(block) - high(&block[148..156]));
    signed == expected
}

/// Reads an octal number, or GNU's binary one; `None` if it is neither, negative or too large.
fn read_number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        // 0xff starts a negative number.
        if field[0] != 0x80 {
            return None;
        }
        return field[1..].iter().try_fold(0_u64, |number, byte| {
            (number >> 56 == 0).then_some(number << 8 | u64::from(*byte))
        });
    }
    let is_filler = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_filler(byte)).unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(is_filler).unwrap_or(digits.len());
    digits[..end].iter().try_fold(0_u64, |number, byte| match byte {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// The path in the header itself, with ustar's prefix.
fn header_path(block: &[u8; BLOCK]) -> Vec<u8> {
    let text = |range: Range<usize>| {
        let field = &block[range];
        &field[..memchr::memchr(0, field).unwrap_or(field.len())]
    };
    let name = text(0..100);
    // GNU's older format has other fields in the place of the prefix, star's has two times at its
    // end.
    let prefix = match (&block[257..265], block[475]) {
        (b"ustar\x0000", 0) => text(345..475),
        (b"ustar\x0000", _) => text(345..500),
        _ => b"",
    };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// Reads pax records (`27 path=some/long/name\n`); `None` if they are damaged.
fn read_pax(mut records: &[u8], extension: &mut Extension) -> Option<()> {
    // Some writers fill up with zeros.
    while !records.is_empty() && records[0] != 0 {
        let space = records.iter().take(20).position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
        let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
        records = &records[length..];
        let equals = memchr::memchr(b'=', record)?;
        let value = &record[equals + 1..];
        match &record[..equals] {
            b"path" => extension.pax_path = Some(value.to_vec()),
            b"size" => extension.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
            _ => {}
        }
    }
    Some(())
}

#[cfg(test)]
mod tests;
