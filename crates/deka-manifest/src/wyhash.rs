//! The two hash functions of Bun that are visible from outside: in the order of `bun.lock`'s sections
//! and in the names of folders in `node_modules/.bun`.
//!
//! Both are versions of Wyhash that Zig had or has. They are fast, not safe: no key of a map that
//! strangers fill belongs into them.

const PRIMES: [u64; 5] = [
    0xa076_1d64_78bd_642f,
    0xe703_7ed1_a0b4_28db,
    0x8ebc_6af0_9c88_c6e3,
    0x5899_65cc_7537_4cc3,
    0x1d8e_4e27_c47d_124f,
];

/// Reads up to 8 bytes, the first one lowest.
fn read(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Multiplies and folds the upper half onto the lower one.
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product >> 64) as u64 ^ product as u64
}

fn mix_first(one: u64, other: u64, seed: u64) -> u64 {
    fold(one ^ seed ^ PRIMES[0], other ^ seed ^ PRIMES[1])
}

fn mix_second(one: u64, other: u64, seed: u64) -> u64 {
    fold(one ^ seed ^ PRIMES[2], other ^ seed ^ PRIMES[3])
}

/// Reads 8 bytes as two halves, the first one upper.
fn read_swapped(bytes: &[u8]) -> u64 {
    read(&bytes[..4]) << 32 | read(&bytes[4..8])
}

/// Reads 1 to 8 bytes the way that the hash reads what is left at the end.
fn read_tail(bytes: &[u8]) -> u64 {
    match bytes.len() {
        3 => read(&bytes[..2]) << 8 | read(&bytes[2..]),
        5 => read(&bytes[..4]) << 8 | read(&bytes[4..]),
        6 => read(&bytes[..4]) << 16 | read(&bytes[4..]),
        7 => read(&bytes[..4]) << 24 | read(&bytes[4..6]) << 8 | read(&bytes[6..]),
        8 => read_swapped(bytes),
        _ => read(bytes),
    }
}

/// Returns Zig's `Wyhash11` with the seed 0.
#[must_use]
pub fn wyhash_11(bytes: &[u8]) -> u64 {
    let mut seed = 0;
    let blocks = bytes.chunks_exact(32);
    let rest = blocks.remainder();
    for block in blocks {
        seed = mix_first(read(&block[..8]), read(&block[8..16]), seed)
            ^ mix_second(read(&block[16..24]), read(&block[24..]), seed);
    }
    seed = match rest.len() {
        0 => seed,
        1..=8 => mix_first(read_tail(rest), PRIMES[4], seed),
        9..=16 => mix_first(read_swapped(rest), read_tail(&rest[8..]), seed),
        17..=24 => {
            mix_first(read_swapped(rest), read_swapped(&rest[8..]), seed)
                ^ mix_second(read_tail(&rest[16..]), PRIMES[4], seed)
        }
        _ => {
            mix_first(read_swapped(rest), read_swapped(&rest[8..]), seed)
                ^ mix_second(read_swapped(&rest[16..]), read_tail(&rest[24..]), seed)
        }
    };
    fold(seed ^ bytes.len() as u64, PRIMES[4])
}

/// Returns Zig's `Wyhash` of today with the seed 0.
#[must_use]
pub fn wyhash(bytes: &[u8]) -> u64 {
    let mut state = fold(PRIMES[0], PRIMES[1]);
    let length = bytes.len();
    let (first, second) = if length <= 16 {
        read_short(bytes)
    } else {
        let mut rest = bytes;
        let mut lanes = [state; 3];
        while rest.len() > 48 {
            for (lane, at) in lanes.iter_mut().zip([0, 16, 32]) {
                let prime = PRIMES[1 + at / 16];
                *lane = fold(read(&rest[at..at + 8]) ^ prime, read(&rest[at + 8..at + 16]) ^ *lane);
            }
            rest = &rest[48..];
        }
        state = lanes[0] ^ lanes[1] ^ lanes[2];
        while rest.len() > 16 {
            state = fold(read(&rest[..8]) ^ PRIMES[1], read(&rest[8..16]) ^ state);
            rest = &rest[16..];
        }
        let last = &bytes[length - 16..];
        (read(&last[..8]), read(&last[8..]))
    };
    let product = u128::from(first ^ PRIMES[1]) * u128::from(second ^ state);
    let (low, high) = (product as u64, (product >> 64) as u64);
    fold(low ^ PRIMES[0] ^ length as u64, high ^ PRIMES[1])
}

/// Reads at most 16 bytes as two numbers.
fn read_short(bytes: &[u8]) -> (u64, u64) {
    let length = bytes.len();
    if length >= 4 {
        let half = |at: usize| read(&bytes[at..at + 4]);
        let (end, step) = (length - 4, (length >> 3) << 2);
        return (half(0) << 32 | half(step), half(end) << 32 | half(end - step));
    }
    let Some((first, last)) = bytes.first().zip(bytes.last()) else { return (0, 0) };
    let middle = bytes[length >> 1];
    (u64::from(*first) << 16 | u64::from(middle) << 8 | u64::from(*last), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As folders that Bun made are called.
    #[test]
    fn old_hashes_are_those_of_bun() {
        assert_eq!(wyhash_11(b"react18.2.0"), 0x5e44_3928_92a7_cd3e);
        assert_eq!(wyhash_11(b"react18.3.1"), 0xf4ea_cebf_2041_cd4f);
        assert_eq!(wyhash_11(b"@babel/core7.29.13"), 0x4eb2_5b81_ca34_3d06);
        assert_eq!(wyhash_11(b"browserslist4.29.6"), 0x5d4f_ef43_461a_d56c);
    }
}
