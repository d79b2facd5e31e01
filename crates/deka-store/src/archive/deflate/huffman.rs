//! Huffman codes as tables: the next bits of the input are the index of what they mean.
//!
//! The first `ROOT` bits of a code word look up an entry of the table. For longer words that entry
//! leads to a table of their other bits, which stands behind the first one.
//!
//! An entry is a number:
//! ```text
//! bits  0 to  5   how many bits it takes, with the extra bits of a length or distance
//! bits  8 to 11   how many of them are the code word's; for literals how many literals there are,
//!                 for a table how many bits index it
//! bits 12 to 15   what it is
//! bits 16 to 31   literals, base of a length or distance, place of a table
//! ```

/// One or two literals.
pub(super) const LITERAL: u32 = 1 << 15;
/// Neither a literal nor a length or distance. If nothing else is set, no such word is in the code.
pub(super) const SPECIAL: u32 = 1 << 14;
/// The rest of the word is looked up in another table.
pub(super) const TABLE: u32 = 1 << 13;
/// The end of a block.
pub(super) const END: u32 = 1 << 12;

/// The longest code word.
const LONGEST_WORD: usize = 15;
/// The most symbols that an alphabet has.
const SYMBOLS: usize = 288;

/// The symbol that ends a block; literals are below it, lengths above it.
pub(super) const END_SYMBOL: usize = 256;

/// Bases and extra bits of the lengths, from symbol 257 on.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// What the symbols of an alphabet mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Lengths of code words.
    WordLengths,
    /// Literals, lengths and the end.
    Literals,
    Distances,
}

impl Alphabet {
    /// Returns the entry of a symbol, without the bits of its code word.
    fn entry(self, symbol: usize) -> u32 {
        let (base, extra) = match self {
            Self::WordLengths => (symbol as u32, 0),
            Self::Literals if symbol < END_SYMBOL => {
                return (symbol as u32) << 16 | LITERAL;
            }
            Self::Literals if symbol == END_SYMBOL => return SPECIAL | END,
            Self::Literals => match LENGTHS.get(symbol - END_SYMBOL - 1) {
                Some((base, extra)) => (u32::from(*base), u32::from(*extra)),
                None => return SPECIAL,
            },
            Self::Distances => match symbol as u32 {
                0..4 => (symbol as u32 + 1, 0),
                4..30 => {
                    let extra = symbol as u32 / 2 - 1;
                    (((2 + (symbol as u32 & 1)) << extra) + 1, extra)
                }
                _ => return SPECIAL,
            },
        };
        base << 16 | extra
    }
}

/// A code, as a table of `SIZE` entries (a power of two) of which the first ones are for `ROOT` bits.
pub(super) struct Code<const ROOT: usize, const SIZE: usize>([u32; SIZE]);

impl<const ROOT: usize, const SIZE: usize> Code<ROOT, SIZE> {
    pub(super) const fn new() -> Self {
        Self([SPECIAL; SIZE])
    }

    /// Returns the entry for the first bits of `bits`.
    #[inline]
    pub(super) fn first(&self, bits: u64) -> u32 {
        self.0[bits as usize & ((1 << ROOT) - 1) & (SIZE - 1)]
    }

    /// Returns the entry for what follows those bits, of the table that `entry` leads to.
    #[inline]
    pub(super) fn second(&self, entry: u32, bits: u64) -> u32 {
        let mask = (1 << (entry >> 8 & 15)) - 1;
        self.0[((entry >> 16) as usize + (bits as usize & mask)) & (SIZE - 1)]
    }

    /// Makes the code whose words have these lengths, 0 for symbols that do not occur; returns
    /// `false` if there is none.
    ///
    /// As zlib has it, a code may lack words only if it has a single one of one bit, or none at all.
    pub(super) fn set(&mut self, alphabet: Alphabet, lengths: &[u8]) -> bool {
        let mut counts = [0_usize; LONGEST_WORD + 1];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        counts[0] = 0;
        let mut left = 1_usize;
        let mut starts = [0; LONGEST_WORD + 2];
        for length in 1..=LONGEST_WORD {
            let Some(rest) = (left * 2).checked_sub(counts[length]) else { return false };
            left = rest;
            starts[length + 1] = starts[length] + counts[length];
        }
        let longest = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        if left > 0 && (alphabet == Alphabet::WordLengths || longest > 1) {
            return false;
        }
        // Symbols in the order of their words: by length, then by value.
        let mut symbols = [0_u16; SYMBOLS];
        let mut next = starts;
        for (symbol, length) in lengths.iter().enumerate() {
            if *length > 0 {
                let place = &mut next[usize::from(*length)];
                symbols[*place] = symbol as u16;
                *place += 1;
            }
        }
        let word = self.set_first(alphabet, &symbols, &starts);
        self.set_second(alphabet, &symbols, &starts, &counts, word);
        true
    }

    /// Fills the first table; returns the next word, from its last bit to its first as all words here.
    fn set_first(
        &mut self,
        alphabet: Alphabet,
        symbols: &[u16; SYMBOLS],
        starts: &[usize; LONGEST_WORD + 2],
    ) -> usize {
        let mut word = 0;
        self.0[0] = SPECIAL;
        for length in 1..=ROOT {
            // What the shorter words mean does not depend on one bit more.
            let half = 1 << (length - 1);
            self.0.copy_within(..half, half);
            for symbol in &symbols[starts[length]..starts[length + 1]] {
                self.0[word] = with_word(alphabet.entry(usize::from(*symbol)), length);
                word = next_word(word, length);
            }
        }
        word
    }

    /// Fills the tables for words that are longer than `ROOT`, from `word` on.
    fn set_second(
        &mut self,
        alphabet: Alphabet,
        symbols: &[u16; SYMBOLS],
        starts: &[usize; LONGEST_WORD + 2],
        counts: &[usize; LONGEST_WORD + 1],
        mut word: usize,
    ) {
        let root_mask = (1 << ROOT) - 1;
        let (mut prefix, mut place, mut size) = (usize::MAX, 0, 1 << ROOT);
        for length in ROOT + 1..=LONGEST_WORD {
            for (index, symbol) in symbols[starts[length]..starts[length + 1]].iter().enumerate() {
                if word & root_mask != prefix {
                    prefix = word & root_mask;
                    place += size;
                    // As many bits as it takes to hold all the words that come next.
                    let mut bits = length - ROOT;
                    let mut room = (1_usize << bits).saturating_sub(counts[length] - index);
                    while room > 0 && bits + ROOT < LONGEST_WORD {
                        bits += 1;
                        room = (room * 2).saturating_sub(counts[bits + ROOT]);
                    }
                    size = 1 << bits;
                    self.0[prefix] =
                        (place as u32) << 16 | SPECIAL | TABLE | (bits as u32) << 8 | ROOT as u32;
                }
                let entry = with_word(alphabet.entry(usize::from(*symbol)), length - ROOT);
                let table = &mut self.0[place..place + size];
                for slot in table[word >> ROOT..].iter_mut().step_by(1 << (length - ROOT)) {
                    *slot = entry;
                }
                word = next_word(word, length);
            }
        }
    }

    /// Lets entries of the first table hold two literals where both fit into its bits.
    pub(super) fn pair_literals(&mut self) {
        // What follows a literal is an entry with a smaller index, which is not paired yet.
        for index in (0..1 << ROOT).rev() {
            let entry = self.0[index];
            let taken = entry & 63;
            if entry & LITERAL == 0 {
                continue;
            }
            let next = self.0[index >> taken];
            if next & LITERAL != 0 && (next >> 8 & 15) == 1 && taken + (next & 63) <= ROOT as u32 {
                let literals = (next >> 16) << 8 | entry >> 16;
                self.0[index] = literals << 16 | LITERAL | 2 << 8 | (taken + (next & 63));
            }
        }
    }
}

/// Adds the length of the code word to an entry.
fn with_word(entry: u32, length: usize) -> u32 {
    let word_bits = if entry & LITERAL == 0 { length as u32 } else { 1 };
    entry + length as u32 + (word_bits << 8)
}

/// Returns the word after `word`, of the same length; 0 after the last one.
fn next_word(word: usize, length: usize) -> usize {
    let unset = !word & ((1 << length) - 1);
    if unset == 0 {
        return 0;
    }
    let bit = 1 << unset.ilog2();
    word & (bit - 1) | bit
}
