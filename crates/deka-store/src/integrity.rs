//! Checking that a tarball is the one that was asked for.

use std::io::{self, ErrorKind, Read};

use deka_manifest::{Algorithm, Integrity};

use crate::StoreError;

/// A whole tarball whose bytes are known to hash to `integrity`, or to be what it stands for. Only [`verify`]
/// and [`vouched_for`] make one. What is unpacked on its way is [`Hashed`], and gets no index before
/// [`Hashed::verify`].
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
    let integrity = digest(algorithm_of(expected), body);
    compare(&integrity, expected, package)?;
    Ok(Verified { body, integrity })
}

fn algorithm_of(expected: Option<&Integrity>) -> Algorithm {
    expected.map_or(Algorithm::Sha512, Integrity::algorithm)
}

fn compare(
    found: &Integrity,
    expected: Option<&Integrity>,
    package: &str,
) -> Result<(), StoreError> {
    match expected {
        Some(expected) if expected != found => Err(StoreError::Integrity {
            package: package.to_owned(),
            expected: Box::new(*expected),
            found: Box::new(*found),
        }),
        _ => Ok(()),
    }
}

/// Takes the word of a caller who made the archive out of what was verified in another way.
pub(crate) fn vouched_for<'a>(body: &'a [u8], identity: &Integrity) -> Verified<'a> {
    Verified { body, integrity: *identity }
}

/// Returns the integrity of a tarball's bytes.
pub fn digest(algorithm: Algorithm, body: &[u8]) -> Integrity {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(body);
    hasher.finish()
}

/// Hashes a body that comes in pieces.
enum Hasher {
    Sha1(sha1::Sha1),
    Sha2(Algorithm, ring::digest::Context),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        let sha2 = |of| Self::Sha2(algorithm, ring::digest::Context::new(of));
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(sha1::Digest::new()),
            Algorithm::Sha256 => sha2(&ring::digest::SHA256),
            Algorithm::Sha384 => sha2(&ring::digest::SHA384),
            Algorithm::Sha512 => sha2(&ring::digest::SHA512),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => sha1::Digest::update(hasher, bytes),
            Self::Sha2(_, context) => context.update(bytes),
        }
    }

    fn finish(self) -> Integrity {
        let integrity = match self {
            Self::Sha1(hasher) => {
                Integrity::from_digest(Algorithm::Sha1, &sha1::Digest::finalize(hasher))
            }
            Self::Sha2(algorithm, context) => {
                Integrity::from_digest(algorithm, context.finish().as_ref())
            }
        };
        integrity.expect("a digest has the length of its algorithm")
    }
}

/// Hashes what is read of a tarball that is still on its way, and remembers why it came to an end.
pub(crate) struct Hashed<'a> {
    body: &'a mut dyn Read,
    hasher: Hasher,
    failure: Option<io::Error>,
}

impl<'a> Hashed<'a> {
    /// Begins; `expected` is what [`Hashed::verify`] will be asked for.
    pub(crate) fn new(body: &'a mut dyn Read, expected: Option<&Integrity>) -> Self {
        Self { body, hasher: Hasher::new(algorithm_of(expected)), failure: None }
    }

    /// Reads to the end, because what follows the archive is hashed too, and compares as [`verify`] does.
    pub(crate) fn verify(
        mut self,
        expected: Option<&Integrity>,
        package: &str,
    ) -> Result<Integrity, StoreError> {
        // A failure is remembered; there may be an older one.
        drop(io::copy(&mut self, &mut io::sink()));
        if let Some(source) = self.failure {
            return Err(StoreError::Interrupted { package: package.to_owned(), source });
        }
        let integrity = self.hasher.finish();
        compare(&integrity, expected, package)?;
        Ok(integrity)
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_some() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        match self.body.read(buffer) {
            Ok(length) => {
                self.hasher.update(&buffer[..length]);
                Ok(length)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failure = Some(error);
                Err(ErrorKind::UnexpectedEof.into())
            }
        }
    }
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
