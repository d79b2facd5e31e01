//! The names of blobs and indexes.
//!
//! Names are short for the kernel's sake: Linux keeps names of up to 39 bytes inside its directory
//! entries and longer ones elsewhere, which costs every link of a file a cache miss more.

use std::ffi::CStr;
use std::fmt;

const HEX: &[u8; 16] = b"0123456789abcdef";
/// The digits of base32 with lower-case letters, which no file system mixes up (RFC 4648, section 7).
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// How many bytes of a hash count. To find two files of the same 192 bits takes 2^96 tries.
const LENGTH: usize = 24;

/// The BLAKE3 hash of a file's contents, its first 192 bits: its name in the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobHash([u8; LENGTH]);

impl BlobHash {
    /// Hashes a file's contents.
    pub fn of(contents: &[u8]) -> Self {
        Self::from_blake3(blake3::hash(contents))
    }

    /// Takes a hash that was computed piece by piece.
    pub(crate) fn from_blake3(hash: blake3::Hash) -> Self {
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(&hash.as_bytes()[..LENGTH]);
        Self(bytes)
    }

    /// Takes the bytes of a hash.
    pub(crate) const fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub(crate) const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Returns which of the 256 folders the blob is in.
    pub(crate) const fn shard(&self) -> u8 {
        self.0[0]
    }

    /// Returns the name that the blob has in its folder.
    pub fn name(&self, executable: bool) -> BlobName {
        let mut bytes = [0; NAME_CAPACITY];
        write_digits(&self.0[1..], &mut bytes[..DIGITS_LENGTH]);
        if executable {
            bytes[DIGITS_LENGTH..DIGITS_LENGTH + 2].copy_from_slice(b"-x");
        }
        BlobName(bytes)
    }

    /// Reads back what [`BlobHash::name`] made, and whether it is the executable one.
    pub(crate) fn from_name(shard: u8, name: &[u8]) -> Option<(Self, bool)> {
        let (digits, rest) = name.split_at_checked(DIGITS_LENGTH)?;
        let executable = match rest {
            b"" => false,
            b"-x" => true,
            _ => return None,
        };
        let mut bytes = [shard; LENGTH];
        read_digits(digits, &mut bytes[1..])?;
        Some((Self(bytes), executable))
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name(false);
        write!(f, "{:02x}{}", self.shard(), name.as_c_str().to_str().unwrap_or_default())
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobHash({self})")
    }
}

/// Writes bytes as digits of five bits each; the last one is filled up with zeros.
fn write_digits(bytes: &[u8], digits: &mut [u8]) {
    let (mut bits, mut count) = (0_u32, 0);
    let mut bytes = bytes.iter();
    for digit in digits {
        if count < 5 {
            bits = bits << 8 | u32::from(bytes.next().copied().unwrap_or(0));
            count += 8;
        }
        count -= 5;
        *digit = DIGITS[(bits >> count & 31) as usize];
    }
}

/// Reads back what [`write_digits`] wrote; `None` for any other text.
fn read_digits(digits: &[u8], bytes: &mut [u8]) -> Option<()> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut bytes = bytes.iter_mut();
    for digit in digits {
        bits = bits << 5 | DIGITS.iter().position(|known| known == digit)? as u32;
        count += 5;
        if count >= 8 {
            count -= 8;
            *bytes.next()? = (bits >> count) as u8;
        }
    }
    (bits & ((1 << count) - 1) == 0 && bytes.next().is_none()).then_some(())
}

/// Returns the folder and the name of the index of a package, by the digest of its tarball.
///
/// As of blobs, 192 bits of it count; the index itself has all of them.
pub(crate) fn index_name(digest: &[u8]) -> (u8, String) {
    let counting = &digest[..digest.len().min(LENGTH)];
    let (shard, rest) =
        counting.split_first().map_or((0, counting), |(first, rest)| (*first, rest));
    let mut digits = vec![0; (rest.len() * 8).div_ceil(5)];
    write_digits(rest, &mut digits);
    (shard, digits.into_iter().map(char::from).collect())
}

/// 23 bytes in digits of five bits.
const DIGITS_LENGTH: usize = ((LENGTH - 1) * 8).div_ceil(5);
const NAME_CAPACITY: usize = DIGITS_LENGTH + 2 + 1;

/// The file name of a blob, ready for system calls.
#[derive(Clone, Copy)]
pub struct BlobName([u8; NAME_CAPACITY]);

impl BlobName {
    /// Returns the name with the NUL at its end.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_c_str(), f)
    }
}

/// Returns the two digits of one of 256 folders.
pub(crate) fn shard_name(shard: u8) -> [u8; 2] {
    [HEX[usize::from(shard >> 4)], HEX[usize::from(shard & 15)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let hash = BlobHash::of(b"text");
        for executable in [false, true] {
            let name = hash.name(executable);
            let name = name.as_c_str().to_bytes();
            assert_eq!(BlobHash::from_name(hash.shard(), name), Some((hash, executable)));
            let shard = shard_name(hash.shard());
            assert!(hash.to_string().starts_with(std::str::from_utf8(&shard).unwrap()));
        }
        assert_eq!(hash.name(true).as_c_str().to_bytes().len(), 39);
    }

    #[test]
    fn every_bit_counts() {
        let bytes: Vec<u8> = (0..LENGTH as u8).map(|byte| byte.wrapping_mul(37)).collect();
        let name = |bytes: &[u8]| index_name(bytes);
        let mut names: hashbrown::HashSet<_> = [name(&bytes)].into_iter().collect();
        for bit in 0..LENGTH * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(names.insert(name(&other)), "bit {bit}");
        }
        assert_eq!(name(&bytes).1.len(), DIGITS_LENGTH);
        assert_eq!(name(&[0xff; 20]), (0xff, format!("{}o", "v".repeat(30))));
    }

    #[test]
    fn other_names_are_no_blobs() {
        let name = BlobHash::of(b"").name(false);
        let name = name.as_c_str().to_str().unwrap();
        for other in ["", "lock", &name[1..], &format!("{name}-y"), &name.to_uppercase()] {
            assert_eq!(BlobHash::from_name(0, other.as_bytes()), None, "{other}");
        }
    }
}
