//! A scanner that walks over JSON and skips what nobody asked for.
//!
//! It finds the ends of values by quotes and brackets alone, and does not validate what it skips:
//! whoever takes a value checks that. Nothing in here can panic or read past the text, and nesting
//! costs no stack.

use std::borrow::Cow;

use super::blocks;

/// A place in a JSON text. Methods return `None` where the text cannot go on like that; then
/// [`Scanner::position`] tells where.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// Skips white space and returns the byte behind it without taking it.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.position)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.position += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.position += 1)
    }

    /// Skips a byte order mark at the start.
    pub(super) fn skip_bom(&mut self) {
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.position = 3;
        }
    }

    /// Walks over an object; `visit` gets each key and has to take the value behind it.
    #[inline]
    pub(super) fn object(
        &mut self,
        mut visit: impl FnMut(&mut Self, Cow<'a, [u8]>) -> Option<()>,
    ) -> Option<()> {
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            self.position += 1;
            return Some(());
        }
        loop {
            let key = self.key()?;
            self.expect(b':')?;
            self.peek()?;
            visit(self, key)?;
            let next = self.peek()?;
            self.position += 1;
            match next {
                b',' => {}
                b'}' => return Some(()),
                _ => {
                    self.position -= 1;
                    return None;
                }
            }
        }
    }

    /// As [`Scanner::object`]; a value of another kind is skipped.
    #[inline]
    pub(super) fn object_or_skip(
        &mut self,
        visit: impl FnMut(&mut Self, Cow<'a, [u8]>) -> Option<()>,
    ) -> Option<()> {
        if self.peek()? == b'{' { self.object(visit) } else { self.skip().map(|_| ()) }
    }

    /// Walks over an array; `visit` has to take each value.
    pub(super) fn array(&mut self, mut visit: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'[')?;
        if self.peek()? == b']' {
            self.position += 1;
            return Some(());
        }
        loop {
            self.peek()?;
            visit(self)?;
            let next = self.peek()?;
            self.position += 1;
            match next {
                b',' => {}
                b']' => return Some(()),
                _ => {
                    self.position -= 1;
                    return None;
                }
            }
        }
    }

    /// Takes a string and returns it with its quotes.
    #[inline]
    fn raw_string(&mut self) -> Option<&'a [u8]> {
        let start = self.position;
        self.expect(b'"')?;
        let rest = self.bytes.get(self.position..)?;
        let Some(end) = blocks::string_end(rest) else {
            self.position = self.bytes.len();
            return None;
        };
        self.position += end;
        self.bytes.get(start..self.position)
    }

    #[inline]
    fn key(&mut self) -> Option<Cow<'a, [u8]>> {
        self.peek()?;
        let raw = self.raw_string()?;
        let inner = raw.get(1..raw.len() - 1)?;
        if !inner.contains(&b'\\') {
            return Some(Cow::Borrowed(inner));
        }
        // A key that nobody can read is nobody's key.
        let key: String = serde_json::from_slice(raw).unwrap_or_default();
        Some(Cow::Owned(key.into_bytes()))
    }

    /// Takes a value and returns its text, without looking into it.
    #[inline]
    pub(super) fn skip(&mut self) -> Option<&'a [u8]> {
        match self.peek()? {
            b'"' => self.raw_string(),
            b'{' | b'[' => self.skip_container(),
            b'}' | b']' | b',' | b':' => None,
            _ => {
                let start = self.position;
                let rest = self.bytes.get(start..)?;
                let length = rest.iter().position(|byte| {
                    matches!(byte, b',' | b'}' | b']' | b'"' | b' ' | b'\n' | b'\r' | b'\t')
                });
                self.position += length.unwrap_or(rest.len());
                self.bytes.get(start..self.position)
            }
        }
    }

    fn skip_container(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.position..)?;
        let Some(end) = blocks::container_end(rest) else {
            self.position = self.bytes.len();
            return None;
        };
        let container = rest.get(..end)?;
        self.position += end;
        Some(container)
    }
}

/// Reads the text of a JSON string; `None` if it is anything else or not valid.
pub(super) fn read_string(raw: &[u8]) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice(raw).ok().map(Cow::Owned)
}
