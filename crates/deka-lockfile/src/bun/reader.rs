//! A cursor over JSON with comments and trailing commas.
//!
//! Values are handed to the caller as they come by, none is built: `bun.lock` is mostly short
//! strings in known places, and a tree of them would cost more than all the rest of loading it.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

use crate::{LockfileError, Position};

/// How deep a value that is skipped may be nested.
const DEPTH_LIMIT: u32 = 64;

pub(super) type Result<T> = std::result::Result<T, LockfileError>;

/// The cursor.
pub(super) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0 }
    }

    /// Returns the offset of the next token.
    pub(super) fn offset(&mut self) -> Result<usize> {
        self.skip_blank()?;
        Ok(self.at)
    }

    /// Returns the place of the byte at `offset`.
    pub(super) fn position(&self, offset: usize) -> Position {
        Position::of(self.text, offset)
    }

    fn syntax<T>(&self, expected: &'static str) -> Result<T> {
        Err(LockfileError::Syntax { expected, position: self.position(self.at) })
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) -> Result<()> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(b'/') => self.skip_comment()?,
                Some(byte) if byte < 0x80 => return Ok(()),
                // The other blanks of JavaScript, the byte order mark among them.
                _ => match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
                    Some(blank) if blank.is_whitespace() || blank == '\u{feff}' => {
                        self.at += blank.len_utf8();
                    }
                    _ => return Ok(()),
                },
            }
        }
    }

    fn skip_comment(&mut self) -> Result<()> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"//") {
            self.at = memchr(b'\n', rest).map_or(self.bytes.len(), |end| self.at + end + 1);
            Ok(())
        } else if rest.starts_with(b"/*") {
            match memmem::find(&rest[2..], b"*/") {
                Some(end) => {
                    self.at += end + 4;
                    Ok(())
                }
                None => self.syntax("the end of this comment"),
            }
        } else {
            self.syntax("a comment")
        }
    }

    /// Returns the first byte of the next token.
    pub(super) fn peek(&mut self) -> Result<Option<u8>> {
        self.skip_blank()?;
        Ok(self.byte())
    }

    fn take(&mut self, byte: u8) -> Result<bool> {
        let is_there = self.peek()? == Some(byte);
        self.at += usize::from(is_there);
        Ok(is_there)
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => self.syntax("the end of the file"),
        }
    }

    /// Reads an object; `each` gets every key with its offset and has to read or skip the value.
    pub(super) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, Cow<'a, str>, usize) -> Result<()>,
    ) -> Result<()> {
        if !self.take(b'{')? {
            return self.syntax("an object");
        }
        loop {
            if self.take(b'}')? {
                return Ok(());
            }
            let offset = self.at;
            if self.byte() != Some(b'"') {
                return self.syntax("a key or `}`");
            }
            let key = self.string()?;
            if !self.take(b':')? {
                return self.syntax("`:`");
            }
            each(self, key, offset)?;
            if !self.take(b',')? {
                return if self.take(b'}')? { Ok(()) } else { self.syntax("`,` or `}`") };
            }
        }
    }

    /// Reads an array; `each` has to read or skip one element.
    pub(super) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if !self.take(b'[')? {
            return self.syntax("an array");
        }
        while self.next_element()? {
            each(self)?;
            if !self.take_comma_or_end()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Steps into an array whose elements the caller reads one by one.
    pub(super) fn array_start(&mut self) -> Result<()> {
        if self.take(b'[')? { Ok(()) } else { self.syntax("an array") }
    }

    /// Whether another element follows, at the start of an array or after a comma; else steps out.
    fn next_element(&mut self) -> Result<bool> {
        Ok(!self.take(b']')?)
    }

    /// Whether a comma follows an element; else steps out of the array.
    fn take_comma_or_end(&mut self) -> Result<bool> {
        if self.take(b',')? {
            return Ok(true);
        }
        if self.take(b']')? { Ok(false) } else { self.syntax("`,` or `]`") }
    }

    /// After an element: whether another one follows; else steps out of the array.
    pub(super) fn array_goes_on(&mut self) -> Result<bool> {
        Ok(self.take_comma_or_end()? && self.next_element()?)
    }

    /// Skips the rest of an array after one of its elements.
    pub(super) fn skip_rest_of_array(&mut self) -> Result<()> {
        while self.array_goes_on()? {
            self.skip()?;
        }
        Ok(())
    }

    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>> {
        if self.peek()? != Some(b'"') {
            return self.syntax("a string");
        }
        let start = self.at + 1;
        let rest = &self.bytes[start..];
        match memchr2(b'"', b'\\', rest) {
            Some(length) if rest[length] == b'"' => {
                let text = &self.text[start..start + length];
                if memchr(b'\n', text.as_bytes()).is_some() {
                    return self.syntax("a string in one line");
                }
                self.at = start + length + 1;
                Ok(Cow::Borrowed(text))
            }
            Some(length) => self.string_with_escapes(start, length).map(Cow::Owned),
            None => self.syntax("the end of this string"),
        }
    }

    #[cold]
    fn string_with_escapes(&mut self, start: usize, first_escape: usize) -> Result<String> {
        let mut out = self.text[start..start + first_escape].to_owned();
        self.at = start + first_escape;
        loop {
            let rest = &self.bytes[self.at..];
            let Some(length) = memchr2(b'"', b'\\', rest) else {
                return self.syntax("the end of this string");
            };
            out.push_str(&self.text[self.at..self.at + length]);
            self.at += length + 1;
            if rest[length] == b'"' {
                return Ok(out);
            }
            let escape = self.byte();
            self.at += 1;
            out.push(match escape {
                Some(b'n') => '\n',
                Some(b't') => '\t',
                Some(b'r') => '\r',
                Some(b'b') => '\u{8}',
                Some(b'f') => '\u{c}',
                Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
                Some(b'u') => self.unicode_escape()?,
                _ => {
                    self.at -= 1;
                    return self.syntax("an escape such as `\\n`");
                }
            });
        }
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let high = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if !self.bytes[self.at..].starts_with(b"\\u") {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        self.at += 2;
        let low = self.four_digits()?;
        let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
        Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match digits.filter(is_number).and_then(|text| u32::from_str_radix(text, 16).ok()) {
            Some(number) => {
                self.at += 4;
                Ok(number)
            }
            None => self.syntax("four hexadecimal digits"),
        }
    }

    /// Reads a natural number.
    pub(super) fn number(&mut self) -> Result<u64> {
        self.skip_blank()?;
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match self.text[self.at..self.at + length].parse() {
            Ok(number) => {
                self.at += length;
                Ok(number)
            }
            Err(_) => self.syntax("a whole number"),
        }
    }

    /// Reads `true` or `false`.
    pub(super) fn boolean(&mut self) -> Result<bool> {
        self.skip_blank()?;
        let rest = &self.bytes[self.at..];
        let (value, length) = match rest {
            [b't', b'r', b'u', b'e', ..] => (true, 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (false, 5),
            _ => return self.syntax("`true` or `false`"),
        };
        self.at += length;
        Ok(value)
    }

    /// Skips any value.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: u32) -> Result<()> {
        if depth > DEPTH_LIMIT {
            return Err(LockfileError::TooDeep { position: self.position(self.at) });
        }
        match self.peek()? {
            Some(b'"') => self.string().map(drop),
            Some(b'{') => self.object(|reader, _, _| reader.skip_nested(depth + 1)),
            Some(b'[') => self.array(|reader| reader.skip_nested(depth + 1)),
            Some(b't' | b'f') => self.boolean().map(drop),
            Some(b'n') if self.bytes[self.at..].starts_with(b"null") => {
                self.at += 4;
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                let is_part =
                    |byte: &&u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                self.at += self.bytes[self.at..].iter().take_while(is_part).count();
                Ok(())
            }
            _ => self.syntax("a value"),
        }
    }
}
