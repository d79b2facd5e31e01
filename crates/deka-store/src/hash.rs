//! The names of blobs.

use std::ffi::CStr;
use std::fmt;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The BLAKE3 hash of a file's contents: its name in the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobHash([u8; 32]);

impl BlobHash {
    /// Hashes a file's contents.
    pub fn of(contents: &[u8]) -> Self {
        Self(*blake3::hash(contents).as_bytes())
    }

    /// Takes the bytes of a hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns which of the 256 folders the blob is in.
    pub(crate) const fn shard(&self) -> u8 {
        self.0[0]
    }

    /// Returns the name that the blob has in its folder.
    pub fn name(&self, executable: bool) -> BlobName {
        let mut bytes = [0; NAME_CAPACITY];
        for (pair, byte) in bytes.chunks_exact_mut(2).zip(&self.0[1..]) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        if executable {
            bytes[HEX_LENGTH..HEX_LENGTH + 2].copy_from_slice(b"-x");
        }
        BlobName(bytes)
    }

    /// Reads back what [`BlobHash::name`] made, and whether it is the executable one.
    pub(crate) fn from_name(shard: u8, name: &[u8]) -> Option<(Self, bool)> {
        let (hex, rest) = name.split_at_checked(HEX_LENGTH)?;
        let executable = match rest {
            b"" => false,
            b"-x" => true,
            _ => return None,
        };
        let digit = |byte: u8| HEX.iter().position(|digit| *digit == byte);
        let mut bytes = [shard; 32];
        for (byte, pair) in bytes[1..].iter_mut().zip(hex.chunks_exact(2)) {
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Some((Self(bytes), executable))
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobHash({self})")
    }
}

const HEX_LENGTH: usize = 62;
const NAME_CAPACITY: usize = HEX_LENGTH + 2 + 1;

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

/// Appends bytes as hexadecimal digits.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
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
        assert_eq!(hash.name(true).as_c_str().to_bytes().len(), 64);
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
