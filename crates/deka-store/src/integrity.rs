//! Checking that a tarball is the one that was asked for.

use deka_manifest::{Algorithm, Integrity};

use crate::StoreError;

/// A tarball whose bytes are known to hash to `integrity`, or to be what it stands for. Only [`verify`]
/// and [`vouched_for`] make one, so nothing unverified can reach the unpacking.
#[derive(Clone, Copy)]
pub(crate) struct Verified<'a> {
    /// The compressed body, all of it: bytes behind the end of the archive are hashed too.
    pub(crate) body: &'a [u8],
    /// What it hashes to; the key of its index.
    pub(crate) integrity: Integrity,
}

/// Hashes `body` and compares; without an expectation the SHA-512 becomes the key.
pub(crate) fn verify<'a>(
    body: &'a [u8],
    expected: Option<&Integrity>,
    package: &str,
) -> Result<Verified<'a>, StoreError> {
    let integrity = digest(expected.map_or(Algorithm::Sha512, Integrity::algorithm), body);
    match expected {
        Some(expected) if *expected != integrity => Err(StoreError::Integrity {
            package: package.to_owned(),
            expected: Box::new(*expected),
            found: Box::new(integrity),
        }),
        _ => Ok(Verified { body, integrity }),
    }
}

/// Takes the word of a caller who made the archive out of what was verified in another way.
pub(crate) fn vouched_for<'a>(body: &'a [u8], identity: &Integrity) -> Verified<'a> {
    Verified { body, integrity: *identity }
}

/// Returns the integrity of a tarball's bytes.
#[expect(clippy::missing_panics_doc, reason = "the length is always right")]
pub fn digest(algorithm: Algorithm, body: &[u8]) -> Integrity {
    let mut bytes = [0; 64];
    let length = algorithm.digest_len();
    match algorithm {
        Algorithm::Sha1 => {
            use sha1::Digest as _;
            bytes[..length].copy_from_slice(&sha1::Sha1::digest(body));
        }
        Algorithm::Sha256 | Algorithm::Sha384 | Algorithm::Sha512 => {
            let ring_algorithm = match algorithm {
                Algorithm::Sha256 => &ring::digest::SHA256,
                Algorithm::Sha384 => &ring::digest::SHA384,
                _ => &ring::digest::SHA512,
            };
            bytes[..length].copy_from_slice(ring::digest::digest(ring_algorithm, body).as_ref());
        }
    }
    Integrity::from_digest(algorithm, &bytes[..length])
        .expect("the slice has the length of the algorithm's digests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_checked() {
        let known = [
            "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
            "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn",
            "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==",
        ];
        for text in known {
            let expected = Integrity::parse(text).unwrap();
            assert!(verify(b"abc", Some(&expected), "a@1.0.0").is_ok(), "{text}");
            let error = verify(b"abd", Some(&expected), "a@1.0.0").map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        let unasked = verify(b"abc", None, "a@1.0.0").unwrap();
        assert_eq!(unasked.integrity.to_string(), known[3]);
    }
}
