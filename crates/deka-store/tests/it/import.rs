//! What comes out of importing, and what an interrupted import leaves.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use deka_store::{Importer, Store};

use crate::support::{
    Package, blobs, check_all, files_below, import_all, indexes, noise, packages,
};

#[test]
fn every_byte_comes_out() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let mut importer = Importer::new();
    let packages = packages(30, true);
    for package in &packages {
        assert!(store.lookup(&package.integrity).unwrap().is_none());
        let index = store
            .import(&package.tarball, Some(&package.integrity), &package.name, &mut importer)
            .unwrap();
        package.check(&store, &index);
        assert_eq!(index.manifest().version.as_deref(), Some("1.0.0"));
    }
    check_all(&packages, &store);
    // A second run of the program finds all of it.
    drop(store);
    let store = Store::open(root.path()).unwrap();
    check_all(&packages, &store);
    assert_eq!(store.recovered(), &deka_store::Recovery::default());
    assert_eq!(files_below(&root.path().join("v1/tmp")).len(), 0);
}

#[test]
fn equal_files_are_stored_once_per_mode() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let files = [
        ("a", noise(1, 100), false),
        ("b", noise(1, 100), false),
        ("c", noise(1, 100), true),
        ("d", noise(1, 100), true),
    ];
    Package::new("x", files).import(&store).unwrap();
    // The manifest, the plain file, and its executable twin.
    let stored = blobs(root.path());
    assert_eq!(stored.len(), 3, "{stored:?}");
    let twins = stored.iter().filter(|path| path.to_string_lossy().ends_with("-x"));
    assert_eq!(twins.count(), 1);
}

#[test]
fn importing_again_keeps_the_inodes() {
    let root = tempfile::tempdir().unwrap();
    let packages = packages(3, true);
    let inodes = |root: &std::path::Path| -> Vec<u64> {
        blobs(root).iter().map(|path| path.metadata().unwrap().ino()).collect()
    };
    let store = Store::open(root.path()).unwrap();
    import_all(&packages, &store);
    let before = inodes(root.path());
    import_all(&packages, &store);
    assert_eq!(inodes(root.path()), before);
}

#[test]
fn what_a_kill_leaves_is_completed() {
    let root = tempfile::tempdir().unwrap();
    let packages = packages(14, false);
    let store = Store::open(root.path()).unwrap();
    import_all(&packages, &store);
    drop(store);
    // Killed while writing: blobs are shorter, or there as names only; indexes are missing, as they
    // come last; something is left in the folder of temporary files.
    for (position, path) in blobs(root.path()).iter().enumerate() {
        let length = path.metadata().unwrap().len();
        let keep = [length, 0, length / 2, length.saturating_sub(1)][position % 4];
        std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(keep).unwrap();
    }
    for path in indexes(root.path()) {
        std::fs::remove_file(path).unwrap();
    }
    std::fs::write(root.path().join("v1/tmp/1-2-3"), "half").unwrap();

    let store = Store::open(root.path()).unwrap();
    for package in &packages {
        package.check(&store, &package.ensure(&store));
    }
}

#[test]
fn a_damaged_index_is_none() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let package = &packages(1, false)[0];
    package.import(&store).unwrap();
    let [path] = &indexes(root.path())[..] else { panic!("one index") };
    let whole = std::fs::read(path).unwrap();
    let mut flipped = whole.clone();
    flipped[200] ^= 1;
    for damaged in [&[][..], &whole[..whole.len() - 1], &flipped, &vec![0; whole.len()]] {
        std::fs::write(path, damaged).unwrap();
        assert!(store.lookup(&package.integrity).unwrap().is_none());
    }
    package.import(&store).unwrap();
    package.check_stored(&store);
}

#[test]
fn an_index_under_another_name_is_none() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let packages = packages(2, false);
    import_all(&packages, &store);
    let [one, two] = &indexes(root.path())[..] else { panic!("two indexes") };
    std::fs::copy(one, two).unwrap();
    let found = packages.iter().filter(|p| store.lookup(&p.integrity).unwrap().is_some());
    assert_eq!(found.count(), 1);
}

#[test]
fn forgotten_packages_are_imported_again() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let package = &packages(8, false)[7];
    let index = package.import(&store).unwrap();
    let lost = index.files().find(|file| file.size > 0).unwrap();
    let (dir, name) = store.blob(&lost.hash, lost.executable).unwrap();
    assert!(dir.remove_file(name.as_c_str()).unwrap());
    store.forget(Some(&package.integrity)).unwrap();
    store.forget(Some(&package.integrity)).unwrap();
    assert!(store.lookup(&package.integrity).unwrap().is_none());
    package.import(&store).unwrap();
    package.check_stored(&store);
}

#[test]
fn commands_become_executable_without_touching_the_shared_file() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let package = Package::new("x", [("cli", b"#!/bin/sh\n".to_vec(), false)]);
    let index = package.import(&store).unwrap();
    let file = index.file("cli").unwrap();
    let path = |executable| {
        let (dir, name) = store.blob(&file.hash, executable).unwrap();
        dir.path_of(name.as_c_str())
    };
    for _ in 0..2 {
        store.ensure_executable(&file.hash).unwrap();
    }
    let (plain, twin) = (path(false).metadata().unwrap(), path(true).metadata().unwrap());
    assert_ne!(plain.ino(), twin.ino());
    assert_eq!(plain.permissions().mode() & 0o777, 0o644);
    assert_eq!(twin.permissions().mode() & 0o777, 0o755);
    assert_eq!(std::fs::read(path(true)).unwrap(), b"#!/bin/sh\n");
    // A twin that a kill left shorter is made again.
    std::fs::write(path(true), "").unwrap();
    store.ensure_executable(&file.hash).unwrap();
    assert_eq!(std::fs::read(path(true)).unwrap(), b"#!/bin/sh\n");
    assert_eq!(files_below(&root.path().join("v1/tmp")).len(), 0);
}

#[test]
fn manifests_are_known_without_being_read() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let manifest = br#"{"name":"y","version":"2.0.0","bin":{"y":"cli"},"scripts":{"install":"z"}}"#;
    let files = [("package.json", manifest.to_vec(), false), ("binding.gyp", Vec::new(), false)];
    let mut package = Package::new("x", files);
    let facts = package.import(&store).unwrap().manifest();
    assert_eq!((facts.name.as_deref(), facts.version.as_deref()), (Some("y"), Some("2.0.0")));
    assert!(facts.has_install && facts.has_binding_gyp && !facts.has_postinstall);

    package = Package::new("broken", [("package.json", b"{\"name\":".to_vec(), false)]);
    assert!(!package.import(&store).unwrap().manifest().has_manifest);
}

#[test]
fn a_store_that_cannot_be_made_says_where() {
    let root = tempfile::tempdir().unwrap();
    let taken = root.path().join("file");
    std::fs::write(&taken, "").unwrap();
    let error = Store::open(&taken).unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert!(cause.as_ref().is_some_and(|cause| cause.contains("file/v1")), "{error}: {cause:?}");
}
