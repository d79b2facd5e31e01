//! Opening a store after a power cut, played by hand: what the real one leaves is in `mounts`.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use deka_store::{Recovery, Store};

use crate::support::{Package, blobs, check_all, files_below, import_all, indexes, packages};

const OTHER_BOOT: &str = "0123456789abcdef.1.2";

fn markers(root: &Path) -> Vec<PathBuf> {
    files_below(&root.join("v1/unsynced"))
}

/// Makes what was written so far look like written before a reboot.
fn reboot(root: &Path) {
    for marker in markers(root) {
        let name = marker.file_name().unwrap().to_str().unwrap();
        let beginning = name.rsplit_once('-').unwrap().1;
        let other = marker.with_file_name(format!("{OTHER_BOOT}-{beginning}"));
        std::fs::rename(&marker, other).unwrap();
    }
}

fn set_age(path: &Path, age: Duration) {
    File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

fn truncate(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn filled(count: u64) -> (tempfile::TempDir, Vec<Package>) {
    let root = tempfile::tempdir().unwrap();
    let packages = packages(count, false);
    let store = Store::open(root.path()).unwrap();
    import_all(&packages, &store);
    (root, packages)
}

fn hash_of(blob: &Path) -> String {
    let shard = blob.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let name = blob.file_name().unwrap().to_str().unwrap();
    format!("{shard}{}", name.trim_end_matches("-x"))
}

#[test]
fn nothing_torn_means_nothing_lost() {
    let (root, packages) = filled(10);
    let count = blobs(root.path()).len();
    reboot(root.path());
    let store = Store::open(root.path()).unwrap();
    assert_eq!(
        store.recovered(),
        &Recovery { checked: count, torn: Vec::new(), dropped_packages: 0 }
    );
    check_all(&packages, &store);
    assert_eq!(markers(root.path()).len(), 0);
    // And the next time there is nothing to check.
    drop(store);
    assert_eq!(Store::open(root.path()).unwrap().recovered(), &Recovery::default());
}

#[test]
fn exactly_what_is_torn_is_lost() {
    let (root, packages) = filled(12);
    let all = blobs(root.path());
    let mut expected = Vec::new();
    for (position, path) in
        all.iter().enumerate().filter(|(_, path)| path.metadata().unwrap().len() > 2)
    {
        match position % 5 {
            // As ext4 does it.
            0 => truncate(path, 0),
            // As other systems do: a part is there, or zeros are.
            1 => truncate(path, path.metadata().unwrap().len() / 2),
            2 => {
                let length = path.metadata().unwrap().len();
                truncate(path, 0);
                truncate(path, length);
            }
            _ => continue,
        }
        expected.push(hash_of(path));
    }
    // An index is a file like others.
    truncate(&indexes(root.path())[0], 0);
    std::fs::write(root.path().join("v1/tmp/1-2-3"), "half").unwrap();
    reboot(root.path());

    let store = Store::open(root.path()).unwrap();
    let recovery = store.recovered();
    assert_eq!(recovery.checked, all.len());
    let torn: Vec<String> = recovery.torn.iter().map(ToString::to_string).collect();
    expected.sort();
    assert_eq!(torn, expected);
    assert_eq!(files_below(&root.path().join("v1/tmp")).len(), 0);

    let is_touched = |package: &Package| {
        let lost = packages.iter().position(|p| p.name == package.name).unwrap();
        store.lookup(&packages[lost].integrity).unwrap().is_none()
    };
    let dropped = packages.iter().filter(|package| is_touched(package)).count();
    assert_eq!(recovery.dropped_packages, dropped);
    assert!(dropped > 0);
    for package in &packages {
        package.check(&store, &package.ensure(&store));
    }
}

#[test]
fn what_was_written_long_before_is_not_read() {
    let (root, packages) = filled(10);
    for path in blobs(root.path()).iter().chain(&indexes(root.path())) {
        set_age(path, Duration::from_hours(2));
    }
    let young = Package::new("young", [("a", b"a".to_vec(), false), ("b", b"b".to_vec(), false)]);
    let store = Store::open(root.path()).unwrap();
    young.import(&store).unwrap();
    drop(store);
    reboot(root.path());
    let store = Store::open(root.path()).unwrap();
    // The two and the manifest, and the one empty file, which costs nothing.
    assert_eq!(store.recovered().checked, 3 + 1);
    check_all(&packages, &store);
    young.check_stored(&store);
}

#[test]
fn old_packages_that_share_a_torn_file_are_dropped() {
    let root = tempfile::tempdir().unwrap();
    let shared = || ("shared", b"shared".to_vec(), false);
    let [old, young, other] = [("old", true), ("young", true), ("other", false)]
        .map(|(name, shares)| Package::new(name, shares.then(shared)));
    let store = Store::open(root.path()).unwrap();
    for package in [&old, &young, &other] {
        package.import(&store).unwrap();
    }
    drop(store);
    for path in indexes(root.path()) {
        set_age(&path, Duration::from_hours(2));
    }
    let shared = blobs(root.path())
        .into_iter()
        .find(|path| std::fs::read(path).unwrap() == b"shared")
        .unwrap();
    truncate(&shared, 0);
    reboot(root.path());
    let store = Store::open(root.path()).unwrap();
    assert_eq!(store.recovered().dropped_packages, 2);
    assert!(store.lookup(&old.integrity).unwrap().is_none());
    assert!(store.lookup(&young.integrity).unwrap().is_none());
    other.check_stored(&store);
}

#[test]
fn times_of_a_wrong_clock_do_not_hide_anything() {
    let (root, packages) = filled(10);
    let mut torn = 0;
    for path in blobs(root.path()).iter().filter(|path| path.metadata().unwrap().len() > 0) {
        if torn % 2 == 0 {
            // Empty files are found whatever their time is,
            truncate(path, 0);
            set_age(path, Duration::from_hours(24 * 365));
        } else {
            // others if it is ahead.
            truncate(path, 1);
            let future = SystemTime::now() + Duration::from_hours(24);
            File::open(path).unwrap().set_modified(future).unwrap();
        }
        torn += 1;
    }
    reboot(root.path());
    let store = Store::open(root.path()).unwrap();
    assert_eq!(store.recovered().torn.len(), torn);
    for package in &packages {
        package.check(&store, &package.ensure(&store));
    }
}

#[test]
fn the_same_boot_goes_on_in_another_mount() {
    let (root, _) = filled(3);
    let store = Store::open(root.path()).unwrap();
    let epoch = store.epoch().clone();
    drop(store);
    let [marker] = &markers(root.path())[..] else { panic!("one marker") };
    let name = marker.file_name().unwrap().to_str().unwrap();
    let (own, beginning) = name.rsplit_once('-').unwrap();
    assert_eq!(own, epoch.as_str());
    let boot = own.split_once('.').unwrap().0;
    std::fs::rename(marker, marker.with_file_name(format!("{boot}.77.77-{beginning}"))).unwrap();

    let store = Store::open(root.path()).unwrap();
    assert!(store.recovered().checked > 0);
    // Right in memory is not yet on the disk: a marker with the old beginning stays.
    assert_eq!(*marker, markers(root.path())[0]);
    assert_eq!(markers(root.path()).len(), 1);
}

#[test]
fn recovery_waits_for_nobody_who_is_alive_in_the_same_boot() {
    let (root, packages) = filled(3);
    let alive = Store::open(root.path()).unwrap();
    let boot = alive.epoch().as_str().split_once('.').unwrap().0.to_owned();
    let foreign = root.path().join(format!("v1/unsynced/{boot}.77.77-5"));
    std::fs::write(&foreign, "").unwrap();
    // Its markers stay for whoever comes after it.
    let store = Store::open(root.path()).unwrap();
    assert_eq!(store.recovered(), &Recovery::default());
    check_all(&packages, &store);
    assert!(foreign.exists());
    drop((alive, store));
    assert!(Store::open(root.path()).unwrap().recovered().checked > 0);
    assert!(!foreign.exists());
}

#[test]
fn a_quiet_store_has_no_marker_after_a_while() {
    let (root, packages) = filled(3);
    let store = Store::open(root.path()).unwrap();
    assert_eq!(markers(root.path()).len(), 1);
    drop(store);
    set_age(&markers(root.path())[0], Duration::from_hours(24));
    // Not while another process is at work, though.
    let other = Store::open(root.path());
    let Some(horizon) = deka_fs::flush_horizon() else { return };
    assert!(horizon < Duration::from_hours(24));
    assert_eq!(markers(root.path()).len(), 0);
    drop(other);
    let store = Store::open(root.path()).unwrap();
    check_all(&packages, &store);
    // Only whoever writes makes one.
    assert_eq!(markers(root.path()).len(), 0);
    packages[0].import(&store).unwrap();
    assert_eq!(markers(root.path()).len(), 1);
    set_age(&markers(root.path())[0], Duration::from_hours(24));
    let _second = Store::open(root.path()).unwrap();
    assert_eq!(markers(root.path()).len(), 1);
}

#[test]
fn the_marker_is_there_before_the_first_blob() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    assert_eq!(markers(root.path()).len(), 0);
    // A tarball that is refused only when some of its files were written.
    let [package] = &packages(1, true)[1..] else { panic!("the large one") };
    let tarball = &package.tarball[..package.tarball.len() - 100];
    store.import(tarball, None, "cut@1.0.0", &mut deka_store::Importer::new()).unwrap_err();
    assert!(blobs(root.path()).len() > 1);
    assert_eq!(indexes(root.path()).len(), 0);
    assert_eq!(markers(root.path()).len(), 1);
}
