//! Inflating in pieces: the input comes in pieces, the output goes a window at a time.
//!
//! Half of the time of a large package went into an inflater that can stop at any byte of input and
//! output. This one stops only between symbols, when little of the window or of the piece is left, so
//! that its inner loop asks for neither.

mod huffman;

use huffman::{Alphabet, Code, END, END_SYMBOL, LITERAL, SPECIAL, TABLE};

use crate::ArchiveError;

/// How far back a match reaches.
pub(super) const HISTORY: usize = 32 << 10;

/// Decoding stops when less than this is left of the window: the longest match, what literals are
/// written before it, and what is copied too much.
pub(super) const MARGIN: usize = 258 + 6 + 32;

/// Decoding goes on as long as so much of the input is there, or all of it: more than the longest header
/// of a block, and than what is read ahead.
pub(super) const LEAST_INPUT: usize = 1024;

/// Bits of the first tables: words of literals and distances are rarely longer.
const LITERAL_BITS: usize = 11;
const DISTANCE_BITS: usize = 8;
const WORD_LENGTH_BITS: usize = 7;

/// How many of each there may be in the header of a block.
const MOST_LITERALS: usize = 286;
const MOST_DISTANCES: usize = 30;

/// The order in which the lengths of the words for lengths stand.
const WORD_LENGTH_ORDER: [u8; 19] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The input as bits, the lowest of a byte first. Behind its end there are zeros.
#[derive(Clone, Copy)]
struct Bits<'a> {
    input: &'a [u8],
    /// What is read next.
    position: usize,
    /// What was read and not taken; above `count` there may be more of it.
    buffer: u64,
    /// Its lowest six bits are how many there are in the buffer.
    count: u32,
}

impl Bits<'_> {
    /// Reads on until there are at least 56 bits.
    #[inline]
    fn refill(&mut self) {
        let Some(next) = self.input.get(self.position..).and_then(<[u8]>::first_chunk) else {
            return self.refill_at_end();
        };
        self.add(*next);
    }

    #[cold]
    fn refill_at_end(&mut self) {
        while self.count() < 56 {
            let next = self.input.get(self.position).copied().unwrap_or(0);
            self.buffer |= u64::from(next) << self.count();
            self.position += 1;
            self.count += 8;
        }
    }

    /// Whether [`Bits::refill_within`] may be called three times.
    #[inline]
    fn is_within(&self) -> bool {
        self.position + 3 * size_of::<u64>() <= self.input.len()
    }

    #[inline]
    fn refill_if<const IS_WITHIN: bool>(&mut self) {
        if IS_WITHIN { self.refill_within() } else { self.refill() }
    }

    /// Does the same as [`Bits::refill`] where it is known that the end is not near.
    #[inline]
    #[expect(unsafe_code, reason = "it is the inner loop of inflating")]
    fn refill_within(&mut self) {
        // SAFETY: there were three times eight bytes, and each call takes at most seven of them.
        self.add(unsafe { self.input.as_ptr().add(self.position).cast::<[u8; 8]>().read() });
    }

    /// Takes as many of the next bytes as there is room for.
    #[inline]
    fn add(&mut self, next: [u8; 8]) {
        self.buffer |= u64::from_le_bytes(next) << (self.count & 63);
        self.position += ((self.count & 63) ^ 63) as usize / 8;
        self.count |= 0b11_1000;
    }

    #[inline]
    fn count(&self) -> u32 {
        self.count & 63
    }

    /// Drops as many bits as an entry takes, of which there must be so many.
    #[inline]
    fn drop(&mut self, entry: u32) {
        self.buffer >>= entry & 63;
        self.count = self.count.wrapping_sub(entry);
    }

    /// Takes up to 16 bits, of which there must be so many.
    fn take(&mut self, count: u32) -> usize {
        let bits = self.buffer & ((1 << count) - 1);
        self.drop(count);
        bits as usize
    }

    /// Drops the rest of a byte that was begun; returns the position of the next one.
    fn align(&mut self) -> usize {
        self.position -= self.count() as usize / 8;
        (self.buffer, self.count) = (0, 0);
        self.position
    }

    /// Unreads the whole bytes that were read ahead.
    fn give_back(&mut self) {
        let left = self.count() & 7;
        self.position -= self.count() as usize / 8;
        self.buffer &= (1 << left) - 1;
        self.count = left;
    }

    /// How many bytes can be read.
    fn available(&self) -> usize {
        self.input.len().saturating_sub(self.position)
    }

    /// Whether more was taken than there is.
    fn is_over(&self) -> bool {
        self.position - self.count() as usize / 8 > self.input.len()
    }
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The header of a block.
    Header,
    /// So many bytes as they are.
    Stored(usize),
    /// Symbols.
    Coded,
    End,
}

/// The codes of a block.
struct Codes {
    literals: Code<LITERAL_BITS, 4096>,
    distances: Code<DISTANCE_BITS, 512>,
}

/// A stream of blocks on its way out.
pub(super) struct Decoder {
    /// The bits of a byte that was begun, and how many they are.
    begun: (u64, u32),
    state: State,
    is_last: bool,
    codes: Box<Codes>,
}

/// How far [`Decoder::decode`] got.
pub(super) struct Progress {
    /// How many bytes of the input are done with.
    pub(super) taken: usize,
    /// Where in the window ends what was written.
    pub(super) end: usize,
}

impl Decoder {
    /// Begins with the first block.
    pub(super) fn new() -> Self {
        Self {
            begun: (0, 0),
            state: State::Header,
            is_last: false,
            codes: Box::new(Codes { literals: Code::new(), distances: Code::new() }),
        }
    }

    /// Whether all is decoded; what is left of the input follows the last block.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::End
    }

    /// Decodes to `window[start..]`, which begins with what was decoded before, until little of it or of
    /// `input` is left or all is done. With less than [`LEAST_INPUT`] bytes it goes on only if `is_all`
    /// says that no more will come.
    ///
    /// Before `start` there must be the last [`HISTORY`] bytes, or all.
    pub(super) fn decode(
        &mut self,
        input: &[u8],
        is_all: bool,
        window: &mut [u8],
        start: usize,
    ) -> Result<Progress, ArchiveError> {
        let (buffer, count) = self.begun;
        let mut bits = Bits { input, position: 0, buffer, count };
        let mut end = start;
        while self.state != State::End
            && end + MARGIN <= window.len()
            && (is_all || self.can_go_on(&bits))
        {
            match self.state {
                State::Header => self.read_header(&mut bits)?,
                State::Stored(left) => {
                    let length = left.min(window.len() - end).min(bits.available());
                    if length == 0 {
                        return Err(ArchiveError::Gzip);
                    }
                    let from = bits.position;
                    window[end..end + length].copy_from_slice(&input[from..from + length]);
                    end += length;
                    bits.position += length;
                    self.state = match left - length {
                        0 => self.after_block(),
                        left => State::Stored(left),
                    };
                }
                State::Coded => {
                    let is_done;
                    (end, is_done) = decode_symbols(&mut bits, &self.codes, window, end)?;
                    if is_done {
                        self.state = self.after_block();
                    }
                }
                State::End => {}
            }
            if bits.is_over() {
                return Err(ArchiveError::Gzip);
            }
        }
        bits.give_back();
        self.begun = if self.is_done() { (0, 0) } else { (bits.buffer, bits.count) };
        Ok(Progress { taken: bits.position, end })
    }

    /// Whether what comes next can be decoded although it is not known what follows `bits`.
    fn can_go_on(&self, bits: &Bits<'_>) -> bool {
        match self.state {
            State::Header => bits.available() >= LEAST_INPUT,
            State::Stored(_) => bits.available() > 0,
            State::Coded => bits.is_within(),
            State::End => false,
        }
    }

    fn after_block(&self) -> State {
        if self.is_last { State::End } else { State::Header }
    }

    fn read_header(&mut self, bits: &mut Bits<'_>) -> Result<(), ArchiveError> {
        bits.refill();
        self.is_last = bits.take(1) == 1;
        self.state = match bits.take(2) {
            0 => {
                let position = bits.align();
                let header = bits.input.get(position..).and_then(<[u8]>::first_chunk);
                let [l0, l1, n0, n1] = *header.ok_or(ArchiveError::Gzip)?;
                let length = u16::from_le_bytes([l0, l1]);
                if length != !u16::from_le_bytes([n0, n1]) {
                    return Err(ArchiveError::Gzip);
                }
                bits.position += 4;
                match length {
                    0 => self.after_block(),
                    length => State::Stored(usize::from(length)),
                }
            }
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                self.set_codes(&lengths, &[5; 32])?;
                State::Coded
            }
            2 => {
                self.read_codes(bits)?;
                State::Coded
            }
            _ => return Err(ArchiveError::Gzip),
        };
        Ok(())
    }

    /// Reads the lengths of a block's code words, which are coded themselves.
    fn read_codes(&mut self, bits: &mut Bits<'_>) -> Result<(), ArchiveError> {
        let literals = bits.take(5) + 257;
        let distances = bits.take(5) + 1;
        let word_lengths = bits.take(4) + 4;
        if literals > MOST_LITERALS || distances > MOST_DISTANCES {
            return Err(ArchiveError::Gzip);
        }
        let mut lengths = [0; 19];
        for symbol in &WORD_LENGTH_ORDER[..word_lengths] {
            bits.refill();
            lengths[usize::from(*symbol)] = bits.take(3) as u8;
        }
        let mut code = Code::<WORD_LENGTH_BITS, 128>::new();
        if !code.set(Alphabet::WordLengths, &lengths) {
            return Err(ArchiveError::Gzip);
        }

        let mut lengths = [0; MOST_LITERALS + MOST_DISTANCES];
        let lengths = &mut lengths[..literals + distances];
        let mut count = 0;
        while count < lengths.len() {
            bits.refill();
            let entry = code.first(bits.buffer);
            if entry & SPECIAL != 0 {
                return Err(ArchiveError::Gzip);
            }
            bits.drop(entry & 63);
            let symbol = (entry >> 16) as u8;
            let (length, times) = match symbol {
                0..16 => (symbol, 1),
                16 if count == 0 => return Err(ArchiveError::Gzip),
                16 => (lengths[count - 1], 3 + bits.take(2)),
                17 => (0, 3 + bits.take(3)),
                _ => (0, 11 + bits.take(7)),
            };
            lengths.get_mut(count..count + times).ok_or(ArchiveError::Gzip)?.fill(length);
            count += times;
        }
        let (literals, distances) = lengths.split_at(literals);
        if literals[END_SYMBOL] == 0 {
            return Err(ArchiveError::Gzip);
        }
        let (literals, distances) = (literals.to_owned(), distances.to_owned());
        self.set_codes(&literals, &distances)
    }

    fn set_codes(&mut self, literals: &[u8], distances: &[u8]) -> Result<(), ArchiveError> {
        let Codes { literals: literal_code, distances: distance_code } = &mut *self.codes;
        if !literal_code.set(Alphabet::Literals, literals)
            || !distance_code.set(Alphabet::Distances, distances)
        {
            return Err(ArchiveError::Gzip);
        }
        literal_code.pair_literals();
        Ok(())
    }
}

/// Decodes symbols until the block is done (then the second result is `true`), little of the window is
/// left, or the end of the input comes near.
fn decode_symbols(
    bits: &mut Bits<'_>,
    codes: &Codes,
    window: &mut [u8],
    start: usize,
) -> Result<(usize, bool), ArchiveError> {
    if !bits.is_within() {
        return decode_symbols_inline::<false>(bits, codes, window, start);
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("bmi2") {
        #[expect(unsafe_code, reason = "what the processor can do is known at run time only")]
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { decode_symbols_bmi2(bits, codes, window, start) };
    }
    decode_symbols_inline::<true>(bits, codes, window, start)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi2")]
fn decode_symbols_bmi2(
    bits: &mut Bits<'_>,
    codes: &Codes,
    window: &mut [u8],
    start: usize,
) -> Result<(usize, bool), ArchiveError> {
    decode_symbols_inline::<true>(bits, codes, window, start)
}

/// A `u64` of which the lowest `count` bits are those of `bits`.
#[inline]
fn lowest(bits: u64, count: u32) -> u64 {
    bits & !(u64::MAX << (count & 63))
}

#[expect(clippy::inline_always, reason = "it is compiled once for each kind of processor")]
#[inline(always)]
fn decode_symbols_inline<const IS_WITHIN: bool>(
    input: &mut Bits<'_>,
    codes: &Codes,
    window: &mut [u8],
    start: usize,
) -> Result<(usize, bool), ArchiveError> {
    let Codes { literals, distances } = codes;
    let mut bits = *input;
    let mut output = Output { window, end: start };
    let mut is_done = false;
    bits.refill();
    let mut entry = literals.first(bits.buffer);
    while output.has_room() && (!IS_WITHIN || bits.is_within()) {
        // There are at least 56 bits, and no entry of the first table takes more than 11 for literals.
        if entry & LITERAL != 0 {
            output.push_literals(entry);
            bits.drop(entry);
            entry = literals.first(bits.buffer);
            if entry & LITERAL != 0 {
                output.push_literals(entry);
                bits.drop(entry);
                entry = literals.first(bits.buffer);
                if entry & LITERAL != 0 {
                    output.push_literals(entry);
                    bits.drop(entry);
                    entry = literals.first(bits.buffer);
                    bits.refill_if::<IS_WITHIN>();
                    continue;
                }
            }
        }
        // At least 34 bits are left.
        if entry & SPECIAL != 0 {
            if entry & TABLE != 0 {
                bits.drop(entry);
                entry = literals.second(entry, bits.buffer);
                if entry & LITERAL != 0 {
                    output.push_literals(entry);
                    bits.drop(entry);
                    bits.refill_if::<IS_WITHIN>();
                    entry = literals.first(bits.buffer);
                    continue;
                }
            }
            if entry & END != 0 {
                bits.drop(entry);
                is_done = true;
                break;
            }
            if entry & SPECIAL != 0 {
                return Err(ArchiveError::Gzip);
            }
        }
        let length =
            (entry >> 16) as usize + (lowest(bits.buffer, entry) >> (entry >> 8 & 15)) as usize;
        bits.drop(entry);
        bits.refill_if::<IS_WITHIN>();
        let mut entry_of_distance = distances.first(bits.buffer);
        if entry_of_distance & SPECIAL != 0 {
            if entry_of_distance & TABLE == 0 {
                return Err(ArchiveError::Gzip);
            }
            bits.drop(entry_of_distance);
            entry_of_distance = distances.second(entry_of_distance, bits.buffer);
            if entry_of_distance & SPECIAL != 0 {
                return Err(ArchiveError::Gzip);
            }
        }
        let distance = (entry_of_distance >> 16) as usize
            + (lowest(bits.buffer, entry_of_distance) >> (entry_of_distance >> 8 & 15)) as usize;
        bits.drop(entry_of_distance);
        // At least 28 bits are left, enough for the next look-up.
        entry = literals.first(bits.buffer);
        bits.refill_if::<IS_WITHIN>();
        if !output.copy(distance, length) {
            return Err(ArchiveError::Gzip);
        }
    }
    let end = output.end;
    *input = bits;
    Ok((end, is_done))
}

/// The window while symbols are decoded.
struct Output<'a> {
    window: &'a mut [u8],
    end: usize,
}

impl Output<'_> {
    #[inline]
    fn has_room(&self) -> bool {
        self.window.len() - self.end >= MARGIN
    }

    /// Writes the one or two literals of an entry. Called at most three times after
    /// [`Output::has_room`], and followed by at most one [`Output::copy`].
    #[inline]
    #[expect(unsafe_code, reason = "it is the inner loop of inflating")]
    fn push_literals(&mut self, entry: u32) {
        let literals = (entry >> 16) as u16;
        // SAFETY: there was room for `MARGIN` bytes, and at most six were written since.
        unsafe {
            self.window.as_mut_ptr().add(self.end).cast::<[u8; 2]>().write(literals.to_le_bytes());
        }
        self.end += (entry >> 8 & 15) as usize;
    }

    /// Repeats what was written `distance` bytes ago; returns `false` if there was nothing.
    #[inline]
    #[expect(unsafe_code, reason = "it is the inner loop of inflating")]
    fn copy(&mut self, distance: usize, length: usize) -> bool {
        if distance > self.end {
            return false;
        }
        // SAFETY: there was room for `MARGIN` bytes, at most six were written since, and less than 32 bytes
        // are written behind the 258 of the longest match. The source begins within the window, because
        // `distance` is at most `end`, and ends before the target does. All of it is initialized.
        unsafe {
            let mut target = self.window.as_mut_ptr().add(self.end);
            let mut source = target.cast_const().sub(distance);
            let end = target.add(length);
            if distance >= 16 {
                // Most matches are shorter than this, so that it is one way for all of them.
                target.cast::<[u8; 16]>().write(source.cast::<[u8; 16]>().read());
                target.add(16).cast::<[u8; 16]>().write(source.add(16).cast::<[u8; 16]>().read());
                while target.add(32) < end {
                    target = target.add(32);
                    source = source.add(32);
                    target.cast::<[u8; 16]>().write(source.cast::<[u8; 16]>().read());
                    target
                        .add(16)
                        .cast::<[u8; 16]>()
                        .write(source.add(16).cast::<[u8; 16]>().read());
                }
            } else if distance == 1 {
                let bytes = [source.read(); 16];
                while target < end {
                    target.cast::<[u8; 16]>().write(bytes);
                    target = target.add(16);
                }
            } else {
                // Each step repeats `distance` bytes, and writes more that the next one corrects.
                let step = distance.min(8);
                while target < end {
                    target.cast::<[u8; 8]>().write(source.cast::<[u8; 8]>().read());
                    target = target.add(step);
                    source = source.add(step);
                }
            }
        }
        self.end += length;
        true
    }
}

#[cfg(test)]
mod tests;
