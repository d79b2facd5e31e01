//! Tarballs of attackers and of very old programs.

use std::path::Path;

use deka_manifest::Algorithm;
use deka_store::{ArchiveError, Importer, Store, StoreError, digest};
use deka_test::archive::gzip;
use deka_test::hostile::{self, Expected, GOOD_FILE};

use crate::support::{blobs, files_below, indexes};

fn open() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    (root, store)
}

/// Nothing but whole blobs and indexes.
fn assert_clean(root: &Path, name: &str) {
    assert_eq!(files_below(&root.join("v1/tmp")), <[std::path::PathBuf; 0]>::default(), "{name}");
    let outside = root.parent().unwrap();
    for escaped in ["escaped", "deka-escaped"] {
        assert!(!outside.join(escaped).exists(), "{name}");
    }
}

#[test]
fn every_hostile_tarball_is_handled() {
    for case in hostile::all() {
        let (root, store) = open();
        let integrity = digest(Algorithm::Sha512, &case.bytes);
        let result =
            store.import(&case.bytes, Some(&integrity), "hostile@1.0.0", &mut Importer::new());
        match (&case.expected, result) {
            (Expected::Refused | Expected::RefusedOrSkipped, Err(error)) => {
                assert!(matches!(error, StoreError::Archive { .. }), "{}: {error:?}", case.name);
                assert!(error.to_string().contains("hostile@1.0.0"));
                assert!(store.lookup(&integrity).unwrap().is_none(), "{}", case.name);
                assert_eq!(indexes(root.path()).len(), 0, "{}", case.name);
            }
            (Expected::RefusedOrSkipped, Ok(index)) => {
                let others: Vec<_> =
                    index.files().map(|file| file.path).filter(|path| *path != GOOD_FILE).collect();
                // These become harmless files inside of the package, as with npm.
                let harmless: &[&str] = match case.name {
                    "absolute after the first component" => &["tmp/deka-escaped"],
                    "file behind a symlink to the outside" => &["link/escaped"],
                    "file over a symlink" => &["a"],
                    _ => &[],
                };
                assert_eq!(others, harmless, "{}", case.name);
            }
            (Expected::Files(expected), Ok(index)) => {
                assert_eq!(index.file_count(), expected.len(), "{}: {index:?}", case.name);
                for file in expected {
                    let found = index.file(&file.path);
                    let found = found.unwrap_or_else(|| panic!("{}: {}", case.name, file.path));
                    assert_eq!(found.executable, file.executable, "{}: {}", case.name, file.path);
                    let (dir, name) = store.blob(&found.hash, found.executable).unwrap();
                    let contents = dir.read(name.as_c_str()).unwrap().unwrap();
                    assert_eq!(contents, file.contents, "{}: {}", case.name, file.path);
                }
                let has_manifest = expected.iter().any(|file| file.path == GOOD_FILE);
                assert_eq!(index.manifest().has_manifest, has_manifest, "{}", case.name);
            }
            (expected, result) => panic!("{}: wanted {expected:?}, got {result:?}", case.name),
        }
        assert_clean(root.path(), case.name);
    }
}

#[test]
fn what_is_refused_is_named() {
    let case = hostile::all().into_iter().find(|case| case.name == "parent folder").unwrap();
    let (root, store) = open();
    let error = store.import(&case.bytes, None, "evil@1.0.0", &mut Importer::new()).unwrap_err();
    assert_eq!(error.to_string(), "Failed to unpack `evil@1.0.0`");
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        reason,
        "its entry `package/../escaped` is not safe to unpack: the path leads out of the package"
    );
    // Refused by its headers, before anything was written.
    assert_eq!(blobs(root.path()).len(), 0);
}

#[test]
fn wrong_bytes_are_refused_before_anything_is_written() {
    let tarball = hostile::many_files(3);
    let wrong = [&tarball[..], b"\0"].concat();
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
        let (root, store) = open();
        let expected = digest(algorithm, &tarball);
        let result = store.import(&wrong, Some(&expected), "a@1.0.0", &mut Importer::new());
        let error = result.unwrap_err();
        assert_eq!(error.code(), Some("EINTEGRITY"));
        assert!(error.to_string().contains(&expected.to_string()), "{error}");
        assert!(error.to_string().contains(&digest(algorithm, &wrong).to_string()), "{error}");
        assert_eq!(blobs(root.path()).len(), 0);

        let index = store.import(&tarball, Some(&expected), "a@1.0.0", &mut Importer::new());
        assert_eq!(index.unwrap().integrity(), &expected);
        assert_eq!(store.lookup(&expected).unwrap().unwrap().file_count(), 4);
    }
}

#[test]
fn a_bomb_is_stopped_or_stored_without_much_memory() {
    let (root, store) = open();
    // 300 MB of zeros: streamed, hashed and written once.
    let index = store.import(&hostile::bomb(300 << 20), None, "zeros@1.0.0", &mut Importer::new());
    assert_eq!(index.unwrap().file("zeros").unwrap().size, 300 << 20);
    // 9 GB are more than any package has; the header says so before they are inflated.
    let claim = deka_test::Entry::file("package/zeros", "").claiming_size(9 << 30);
    let body = gzip(&deka_test::Tar::new().entry(claim).raw(vec![0; 20 << 20]).unfinished());
    let error = store.import(&body, None, "bomb@1.0.0", &mut Importer::new()).unwrap_err();
    let StoreError::Archive { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source, ArchiveError::TooLarge { limit: 8 << 30 });
    assert_clean(root.path(), "bomb");
}

#[test]
fn many_files_are_no_problem() {
    let (_root, store) = open();
    let tarball = hostile::many_files(50_000);
    let index = store.import(&tarball, None, "many@1.0.0", &mut Importer::new()).unwrap();
    assert_eq!(index.file_count(), 50_001);
    assert_eq!(store.lookup(index.integrity()).unwrap().unwrap().file_count(), 50_001);
}
