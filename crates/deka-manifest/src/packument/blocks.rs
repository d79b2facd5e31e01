//! Finding the ends of JSON values, 64 bytes at a time.
//!
//! Of each block bits tell where quotes, backslashes and brackets are; whether a byte lies in a
//! string follows from the parity of the quotes before it. The method is simdjson's. Written with
//! `wide`, so it is safe code and compiles to what every x86-64 (SSE2) and ARM (NEON) has.

use memchr::memchr2;
use wide::u8x16;

/// Returns the length of a string whose opening quote lies before `rest`, closing quote included.
#[inline]
pub(super) fn string_end(rest: &[u8]) -> Option<usize> {
    // Nearly all strings are short and without escapes; a call costs more than they do.
    if let Some(chunk) = rest.first_chunk::<16>() {
        let chunk = u8x16::new(*chunk);
        let quotes = bits(chunk, b'"');
        let backslashes = bits(chunk, b'\\');
        if quotes != 0 && quotes.trailing_zeros() < backslashes.trailing_zeros() {
            return Some(quotes.trailing_zeros() as usize + 1);
        }
    }
    let mut position = 0;
    loop {
        let at = position + memchr2(b'"', b'\\', rest.get(position..)?)?;
        if rest.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        position = at + 2;
    }
}

/// Returns the length of the object or array that `rest` starts with.
pub(super) fn container_end(rest: &[u8]) -> Option<usize> {
    let mut depth = 0_u32;
    let mut strings = Strings::default();
    let (blocks, tail) = rest.as_chunks::<64>();
    let mut last = [b' '; 64];
    last[..tail.len()].copy_from_slice(tail);
    for (index, block) in blocks.iter().chain([&last]).enumerate() {
        let masks = Masks::of(block);
        let inside = strings.inside(&masks);
        let (opening, closing) = (masks.opening & !inside, masks.closing & !inside);
        if closing.count_ones() < depth {
            depth = depth + opening.count_ones() - closing.count_ones();
            continue;
        }
        let mut brackets = opening | closing;
        while brackets != 0 {
            let bracket = brackets & brackets.wrapping_neg();
            if opening & bracket != 0 {
                depth += 1;
            } else {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index * 64 + bracket.trailing_zeros() as usize + 1);
                }
            }
            brackets ^= bracket;
        }
    }
    None
}

/// Where the bytes that matter are in a block, the first byte in the lowest bit.
struct Masks {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
}

impl Masks {
    #[inline]
    fn of(block: &[u8; 64]) -> Self {
        let mut masks = Self { quotes: 0, backslashes: 0, opening: 0, closing: 0 };
        for (index, chunk) in block.as_chunks::<16>().0.iter().enumerate() {
            let chunk = u8x16::new(*chunk);
            // With this bit set `[` is `{` and `]` is `}`.
            let folded = chunk | u8x16::splat(0x20);
            let shift = index * 16;
            masks.quotes |= u64::from(bits(chunk, b'"')) << shift;
            masks.backslashes |= u64::from(bits(chunk, b'\\')) << shift;
            masks.opening |= u64::from(bits(folded, b'{')) << shift;
            masks.closing |= u64::from(bits(folded, b'}')) << shift;
        }
        masks
    }
}

#[inline]
fn bits(chunk: u8x16, byte: u8) -> u32 {
    chunk.simd_eq(u8x16::splat(byte)).to_bitmask()
}

/// What one block leaves to the next.
#[derive(Default)]
struct Strings {
    /// All ones if the next block starts inside a string.
    inside: u64,
    /// One if its first byte is escaped.
    escaped: u64,
}

impl Strings {
    /// Returns which bytes lie in strings, opening quotes included.
    #[inline]
    fn inside(&mut self, masks: &Masks) -> u64 {
        let mut escaped = self.escaped;
        self.escaped = 0;
        let mut backslashes = masks.backslashes & !escaped;
        while backslashes != 0 {
            let backslash = backslashes & backslashes.wrapping_neg();
            if backslash == 1 << 63 {
                self.escaped = 1;
            }
            escaped |= backslash << 1;
            backslashes &= !(backslash | backslash << 1);
        }
        let mut inside = masks.quotes & !escaped;
        for shift in [1, 2, 4, 8, 16, 32] {
            inside ^= inside << shift;
        }
        inside ^= self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        inside
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same byte by byte.
    fn slow_container_end(text: &[u8]) -> Option<usize> {
        let (mut depth, mut inside, mut escaped) = (0_u32, false, false);
        for (at, byte) in text.iter().enumerate() {
            let was_escaped = std::mem::take(&mut escaped);
            match byte {
                b'\\' => escaped = !was_escaped,
                b'"' if !was_escaped => inside = !inside,
                _ if inside => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn slow_string_end(text: &[u8]) -> Option<usize> {
        let mut escaped = false;
        for (at, byte) in text.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return Some(at + 1),
                _ => {}
            }
        }
        None
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn ends_are_those_found_byte_by_byte(text in r#"[{\[][{}\[\]"\\a:,]{0,200}"#) {
            prop_assert_eq!(container_end(text.as_bytes()), slow_container_end(text.as_bytes()));
            prop_assert_eq!(string_end(text.as_bytes()), slow_string_end(text.as_bytes()));
        }

        #[test]
        fn ends_are_found_in_long_values(
            text in r#"[{\[]([a-z]{0,70}|"[a-z\\]{0,70}"|[{}\[\]]){0,8}"#
        ) {
            prop_assert_eq!(container_end(text.as_bytes()), slow_container_end(text.as_bytes()));
            prop_assert_eq!(string_end(text.as_bytes()), slow_string_end(text.as_bytes()));
        }
    }
}
