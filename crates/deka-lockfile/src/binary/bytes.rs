//! The bytes of the file: numbers, arrays, columns and texts, each checked before it is used.

use crate::LockfileError;

type Result<T> = std::result::Result<T, LockfileError>;

/// More than the longest URL or range anybody has; bounds what overlapping texts can cost.
const LONGEST_TEXT: usize = 64 * 1024;

/// A place in the file.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn is_before(&self, end: usize) -> bool {
        self.at < end
    }

    /// Returns the next bytes.
    pub(super) fn take(&mut self, count: usize, part: &'static str) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| self.damaged(part))?;
        self.at += count;
        Ok(taken)
    }

    /// Reads a number of eight bytes that counts something in the file.
    pub(super) fn number(&mut self, part: &'static str) -> Result<usize> {
        let [bytes] = self.take(8, part)?.as_chunks().0 else { return Err(self.damaged(part)) };
        usize::try_from(u64::from_le_bytes(*bytes)).map_err(|_| self.damaged(part))
    }

    /// Reads an array: where it begins and ends, then padding, then the records; goes on behind it.
    pub(super) fn array<const SIZE: usize>(
        &mut self,
        part: &'static str,
    ) -> Result<&'a [[u8; SIZE]]> {
        let (start, end) = (self.number(part)?, self.number(part)?);
        let array = self.bytes.get(start..end).filter(|_| start >= self.at);
        let array = array.ok_or_else(|| self.damaged(part))?;
        self.at = end;
        self.records(array, part)
    }

    /// Reads one field of `count` packages.
    pub(super) fn column<const SIZE: usize>(
        &mut self,
        count: usize,
        part: &'static str,
    ) -> Result<&'a [[u8; SIZE]]> {
        let length = count.checked_mul(SIZE).ok_or_else(|| self.damaged(part))?;
        let column = self.take(length, part)?;
        self.records(column, part)
    }

    /// Goes to a place further on.
    pub(super) fn skip_to(&mut self, at: usize, part: &'static str) -> Result<()> {
        if at < self.at || at > self.bytes.len() {
            return Err(self.damaged(part));
        }
        self.at = at;
        Ok(())
    }

    pub(super) fn damaged(&self, part: &'static str) -> LockfileError {
        LockfileError::Damaged { part, offset: self.at }
    }

    fn records<const SIZE: usize>(
        &self,
        bytes: &'a [u8],
        part: &'static str,
    ) -> Result<&'a [[u8; SIZE]]> {
        match bytes.as_chunks() {
            (records, []) => Ok(records),
            _ => Err(self.damaged(part)),
        }
    }
}

/// The texts that are too long to stand where they are used.
pub(super) struct Texts<'a>(pub(super) &'a [u8]);

impl<'a> Texts<'a> {
    /// Reads the text whose eight bytes stand at `at` in a record: up to eight bytes themselves, or
    /// offset and length with the highest bit set.
    pub(super) fn at<'t>(&self, record: &'t [u8], at: usize) -> Option<&'t str>
    where
        'a: 't,
    {
        let inline = record.get(at..at + 8)?;
        let bytes = if inline[7] & 0x80 == 0 {
            let length = inline.iter().position(|byte| *byte == 0).unwrap_or(inline.len());
            &inline[..length]
        } else {
            let start = number_at(inline, 0)? as usize;
            let length = (number_at(inline, 4)? & 0x7fff_ffff) as usize;
            let text = self.0.get(start..start.checked_add(length)?)?;
            Some(text).filter(|text| text.len() <= LONGEST_TEXT)?
        };
        std::str::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
    }
}

/// Reads the number of four bytes at `at` in a record.
pub(super) fn number_at(record: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*record.get(at..)?.first_chunk()?))
}

/// Returns the part of `all` that a record names by offset and length.
pub(super) fn slice_at<'a, T>(all: &'a [T], record: &[u8], at: usize) -> Option<&'a [T]> {
    let start = number_at(record, at)? as usize;
    let length = number_at(record, at + 4)? as usize;
    all.get(start..start.checked_add(length)?)
}
