//! Tarballs that are unpacked while they come in.

use std::io::{self, Read};

use deka_manifest::{Algorithm, Integrity};
use deka_store::{Importer, PackageIndex, Store, StoreError, digest};

use crate::support::{Package, indexes, noise};

/// A body that comes a few bytes at a time, and breaks off if it is to.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
    is_broken: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && self.is_broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let length = self.step.min(self.bytes.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}

fn import(
    store: &Store,
    bytes: &[u8],
    expected: Option<&Integrity>,
    is_broken: bool,
) -> Result<PackageIndex, StoreError> {
    let mut body = Trickle { bytes, step: 1111, is_broken };
    store.import_arriving(&mut body, expected, "x@1.0.0", &mut Importer::new())
}

type Check = fn(&StoreError) -> bool;

fn open() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    (root, store)
}

fn package() -> Package {
    let large = noise(3, 3 << 20);
    Package::new("x", [("a/large", large, false), ("b", noise(4, 5000), true)])
}

#[test]
fn it_is_stored_as_one_that_came_whole() {
    let package = package();
    let (_root, whole) = open();
    let expected = package.import(&whole).unwrap();
    for integrity in [Some(&package.integrity), None] {
        let (_root, store) = open();
        let index = import(&store, &package.tarball, integrity, false).unwrap();
        package.check(&store, &index);
        package.check_stored(&store);
        assert!(index.files().eq(expected.files()));
    }
    let (_root, store) = open();
    let sha1 = digest(Algorithm::Sha1, &package.tarball);
    import(&store, &package.tarball, Some(&sha1), false).unwrap();
    assert!(store.lookup(&sha1).unwrap().is_some());
}

#[test]
fn what_follows_the_archive_is_hashed_too() {
    let mut package = package();
    package.tarball.extend_from_slice(&noise(5, 300_000));
    let (root, store) = open();
    let error = import(&store, &package.tarball, Some(&package.integrity), false).unwrap_err();
    assert!(matches!(error, StoreError::Integrity { .. }), "{error}");
    assert!(indexes(root.path()).is_empty());
    package.integrity = digest(Algorithm::Sha512, &package.tarball);
    import(&store, &package.tarball, Some(&package.integrity), false).unwrap();
    package.check_stored(&store);
}

#[test]
fn what_turns_out_wrong_is_not_there() {
    let package = package();
    let whole = &package.tarball[..];
    let mut damaged = whole.to_vec();
    damaged[whole.len() / 2] ^= 1;
    let own = |bytes: &[u8]| digest(Algorithm::Sha512, bytes);
    let is_integrity: Check = |error| matches!(error, StoreError::Integrity { .. });
    let is_archive: Check = |error| matches!(error, StoreError::Archive { .. });
    let is_interrupted: Check = |error| matches!(error, StoreError::Interrupted { .. });
    let cut = &whole[..whole.len() - 100];
    for (bytes, expected, is_broken, is_right) in [
        (&damaged[..], package.integrity, false, is_integrity),
        (&damaged, own(&damaged), false, is_archive),
        (cut, package.integrity, false, is_integrity),
        (cut, own(cut), false, is_archive),
        (cut, package.integrity, true, is_interrupted),
        (&whole[..1], package.integrity, true, is_interrupted),
        (&whole[..1], package.integrity, false, is_integrity),
        (&[], package.integrity, false, is_integrity),
        (b"no archive at all", own(b"no archive at all"), false, is_archive),
        (b"no archive at all", package.integrity, false, is_integrity),
        (&[0x1f, 0x8b, 8], own(&[0x1f, 0x8b, 8]), false, is_archive),
    ] {
        let (root, store) = open();
        let error = import(&store, bytes, Some(&expected), is_broken).unwrap_err();
        assert!(is_right(&error), "{error:?}");
        assert!(indexes(root.path()).is_empty());
        assert!(store.lookup(&expected).unwrap().is_none());
        // It is there once it has come as it should.
        import(&store, whole, Some(&package.integrity), false).unwrap();
        package.check_stored(&store);
    }
}

#[test]
fn a_bare_archive_is_taken_too() {
    let package = package();
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&package.tarball[..]).read_to_end(&mut tar).unwrap();
    let (_root, store) = open();
    let index = import(&store, &tar, Some(&digest(Algorithm::Sha512, &tar)), false).unwrap();
    assert_eq!(index.file_count(), package.files.len());
}
