//! Indexes made, read back, and damaged.

use deka_manifest::{Algorithm, Bin, Integrity};
use proptest::prelude::*;

use super::*;
use crate::ArchiveError;

fn integrity() -> Integrity {
    Integrity::from_digest(Algorithm::Sha512, &[7; 64]).unwrap()
}

fn list(files: &[(&str, bool)]) -> FileList {
    let mut list = FileList::default();
    for (position, (path, executable)) in files.iter().enumerate() {
        let start = list.paths.len();
        list.paths.push_str(path);
        list.files.push(RawFile {
            path: start..list.paths.len(),
            executable: *executable,
            size: position as u64,
            offset: 0,
            hash: BlobHash::of(path.as_bytes()),
        });
    }
    list.arrange();
    list
}

fn index(files: &[(&str, bool)]) -> PackageIndex {
    build(&integrity(), &list(files), &Facts::default()).unwrap()
}

fn paths(index: &PackageIndex) -> Vec<&str> {
    index.files().map(|file| file.path).collect()
}

#[test]
fn files_come_folder_by_folder() {
    let index = index(&[
        ("package.json", false),
        ("lib/z.js", false),
        ("lib/a/deep/x", true),
        ("lib-x/y", false),
        ("a.js", false),
    ]);
    assert_eq!(paths(&index), ["a.js", "package.json", "lib/z.js", "lib-x/y", "lib/a/deep/x"]);
    let folders: Vec<_> =
        index.directories().map(|d| (d.path, d.parent, d.name.to_str().unwrap())).collect();
    assert_eq!(
        folders,
        [
            ("", 0, ""),
            ("lib", 0, "lib"),
            ("lib-x", 0, "lib-x"),
            ("lib/a", 1, "a"),
            ("lib/a/deep", 3, "deep")
        ]
    );
    let file = index.file("lib/a/deep/x").unwrap();
    assert_eq!((file.name, file.directory, file.executable), (c"x", 4, true));
    assert_eq!((file.hash, file.size), (BlobHash::of(b"lib/a/deep/x"), 2));
    for missing in ["", "lib", "lib/a", "x", "lib/z.jsx", "nope/z.js", "/a.js"] {
        assert_eq!(index.file(missing), None, "{missing}");
    }
    assert_eq!(index.unpacked_size(), 10);
}

#[test]
fn the_last_of_several_files_counts() {
    let index = index(&[("a", false), ("b", false), ("a", true), ("a", false), ("b", true)]);
    let files: Vec<_> = index.files().map(|f| (f.path, f.size, f.executable)).collect();
    assert_eq!(files, [("a", 3, false), ("b", 4, true)]);
}

#[test]
fn a_path_is_a_file_or_a_folder() {
    for files in [[("a", false), ("a/b", false)], [("x/a/b/c", false), ("x/a", false)]] {
        let result = build(&integrity(), &list(&files), &Facts::default());
        assert!(matches!(result, Err(ArchiveError::FileAndFolder { .. })));
    }
}

#[test]
fn facts_are_kept() {
    let bins = [
        Bin::None,
        Bin::File("./cli.js".into()),
        Bin::Directory("bin".into()),
        Bin::Map([("b".into(), "1".into()), ("a".into(), String::new().into())].into()),
    ];
    for bin in bins {
        let facts = Facts {
            is_readable: true,
            name: Some("a".into()),
            version: None,
            bin: bin.clone(),
            has_preinstall: false,
            has_install: true,
            has_postinstall: false,
        };
        let index = build(&integrity(), &list(&[("binding.gyp", false)]), &facts).unwrap();
        let index = PackageIndex::parse(index.as_bytes().to_vec()).unwrap();
        let expected = ManifestFacts {
            name: Some("a".into()),
            version: None,
            bin,
            has_preinstall: false,
            has_install: true,
            has_postinstall: false,
            has_binding_gyp: true,
            has_manifest: true,
        };
        assert_eq!(index.manifest(), expected);
    }
    assert!(!index(&[("lib/binding.gyp", false)]).manifest().has_install_script());
    assert_eq!(index(&[]).manifest(), ManifestFacts::default());
}

#[test]
fn an_index_is_read_back() {
    for algorithm in ALGORITHMS {
        let integrity = Integrity::from_digest(algorithm, &[9; 64][..algorithm.digest_len()]);
        let integrity = integrity.unwrap();
        let list = list(&[("a/b", true), ("c", false)]);
        let made = build(&integrity, &list, &Facts::default()).unwrap();
        let read = PackageIndex::parse(made.as_bytes().to_vec()).unwrap();
        assert_eq!(*read.integrity(), integrity);
        assert_eq!(read.files().collect::<Vec<_>>(), made.files().collect::<Vec<_>>());
    }
}

/// Puts the checksum right again, as an attacker or a bug would.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() >= HEADER {
        let checksum = xxh3_64(&bytes[16..]);
        bytes[8..16].copy_from_slice(&checksum.to_le_bytes());
    }
    bytes
}

#[test]
fn paths_that_leave_the_package_are_refused() {
    let good = index(&[("aa/bb", false), ("cc", false)]);
    for (from, to) in [("bb", ".."), ("cc", ".."), ("aa", ".."), ("bb", "b/"), ("bb", "b\0")] {
        let mut bytes = good.as_bytes().to_vec();
        let start = good.strings_offset();
        let strings = String::from_utf8(bytes[start..].to_vec()).unwrap();
        bytes.splice(start.., strings.replace(from, to).into_bytes());
        assert!(PackageIndex::parse(bytes.clone()).is_none(), "{from} {to}");
        assert!(PackageIndex::parse(seal(bytes)).is_none(), "{from} {to}");
    }
}

fn use_all(index: &PackageIndex) {
    let folders: Vec<_> = index.directories().collect();
    for file in index.files() {
        assert_eq!(index.file(file.path), Some(file));
        assert!(!file.name.is_empty());
        let folder = folders[file.directory].path;
        let name = file.name.to_str().unwrap();
        let whole = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        assert_eq!(whole, file.path);
    }
    drop(index.manifest());
}

proptest! {
    #[test]
    fn every_file_is_found(
        files in prop::collection::btree_map("[a-c-]{1,2}(/[a-c-]{1,2}){0,3}", any::<bool>(), 0..30),
    ) {
        let files: Vec<(&str, bool)> = files.iter().map(|(path, x)| (path.as_str(), *x)).collect();
        let is_folder = |path: &str| {
            files.iter().any(|(other, _)| other.strip_prefix(path).is_some_and(|r| r.starts_with('/')))
        };
        match build(&integrity(), &list(&files), &Facts::default()) {
            Ok(index) => {
                prop_assert_eq!(index.file_count(), files.len());
                use_all(&index);
                for (path, executable) in &files {
                    prop_assert_eq!(index.file(path).unwrap().executable, *executable);
                }
                use_all(&PackageIndex::parse(index.as_bytes().to_vec()).unwrap());
            }
            Err(_) => prop_assert!(files.iter().any(|(path, _)| is_folder(path))),
        }
    }

    /// Damage is noticed by the checksum; if the checksum were right, still nothing would panic.
    #[test]
    fn damaged_indexes_are_refused_or_harmless(
        at in any::<prop::sample::Index>(),
        byte in 1..=u8::MAX,
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let good = index(&[("a/b/c", true), ("a/d", false), ("e", false), ("a-/f", false)]);
        let mut bytes = good.as_bytes().to_vec();
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        } else {
            let at = at.index(bytes.len());
            bytes[at] ^= byte;
        }
        prop_assert!(PackageIndex::parse(bytes.clone()).is_none());
        if let Some(index) = PackageIndex::parse(seal(bytes)) {
            use_all(&index);
        }
    }

    #[test]
    fn any_bytes_are_no_index(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(PackageIndex::parse(bytes.clone()).is_none());
        drop(PackageIndex::parse(seal(bytes)));
    }
}
