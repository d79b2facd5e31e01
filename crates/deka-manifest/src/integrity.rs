//! Subresource integrity: what a tarball's bytes must hash to.
//!
//! Source: the SRI specification and npm's `ssri`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Hash algorithms that registries have served, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 20 bytes; only what was published before 2017 has nothing better.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes; what npm has used since 2017.
    Sha512,
}

impl Algorithm {
    /// Returns the length of a digest in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Returns the name as it stands in an SRI string.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// One digest of the strongest algorithm that an SRI string names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Integrity {
    algorithm: Algorithm,
    /// Only the first `algorithm.digest_len()` bytes count, the rest is zero.
    digest: [u8; 64],
}

/// A text that is no usable SRI string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a supported integrity string")]
pub struct InvalidIntegrity(pub String);

impl Integrity {
    /// Reads an SRI string; of several hashes the strongest counts, options (`?…`) are dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidIntegrity> {
        text.split_ascii_whitespace()
            .filter_map(|hash| {
                let (algorithm, rest) = hash.split_once('-')?;
                let algorithm = Algorithm::parse(algorithm)?;
                let digest = STANDARD.decode(rest.split('?').next()?).ok()?;
                Self::from_digest(algorithm, &digest)
            })
            .max_by_key(|integrity| integrity.algorithm)
            .ok_or_else(|| InvalidIntegrity(text.to_owned()))
    }

    /// Takes a digest; `None` if its length is not the algorithm's.
    pub fn from_digest(algorithm: Algorithm, digest: &[u8]) -> Option<Self> {
        if digest.len() != algorithm.digest_len() {
            return None;
        }
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Some(Self { algorithm, digest: bytes })
    }

    /// Reads the hexadecimal SHA-1 of a packument's `dist.shasum`.
    pub fn from_shasum(hex: &str) -> Option<Self> {
        if hex.len() != 40 || !hex.is_ascii() {
            return None;
        }
        let mut digest = [0; 20];
        for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Self::from_digest(Algorithm::Sha1, &digest)
    }

    /// Returns the algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the digest's bytes.
    pub fn digest(&self) -> &[u8] {
        &self.digest[..self.algorithm.digest_len()]
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.algorithm.as_str(), STANDARD.encode(self.digest()))
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integrity({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strongest_hash_counts() {
        let sha1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
        let sha512 = format!("sha512-{}", STANDARD.encode([7; 64]));
        let both = Integrity::parse(&format!("{sha1} {sha512}?opt")).unwrap();
        assert_eq!(both.to_string(), sha512);
        assert_eq!(Integrity::parse(sha1).unwrap().to_string(), sha1);
        assert_eq!(
            Integrity::from_shasum("da39a3ee5e6b4b0d3255bfef95601890afd80709").unwrap().to_string(),
            sha1
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "sha512-", "sha512-AAAA", "md5-rL0Y20zC+Fzt72VPzMSk2A==", "sha512"] {
            assert!(Integrity::parse(text).is_err(), "{text}");
        }
        assert_eq!(Integrity::from_shasum(&"é".repeat(20)), None);
    }
}
