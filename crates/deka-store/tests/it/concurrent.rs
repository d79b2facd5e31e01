//! Several workers and several processes on one store.

use std::time::Duration;

use deka_store::Store;

use crate::child::{finish, start};
use crate::support::{Package, check_all, files_below, packages, save};

#[test]
fn threads_import_the_same_packages() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let packages = packages(24, true);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for package in &packages {
                    package.check(&store, &package.import(&store).unwrap());
                }
            });
        }
    });
    check_all(&packages, &store);
    assert_eq!(files_below(&root.path().join("v1/tmp")).len(), 0);
}

/// Packages and the folder with their tarballs.
fn saved() -> (Vec<Package>, tempfile::TempDir) {
    let tarballs = tempfile::tempdir().unwrap();
    let packages = packages(40, true);
    save(&packages, tarballs.path());
    (packages, tarballs)
}

#[test]
fn processes_import_the_same_packages() {
    let root = tempfile::tempdir().unwrap();
    let (packages, tarballs) = saved();
    let children: Vec<_> = (0..4).map(|_| start(0o022, tarballs.path(), root.path())).collect();
    children.into_iter().for_each(finish);
    let store = Store::open(root.path()).unwrap();
    check_all(&packages, &store);
    assert_eq!(files_below(&root.path().join("v1/tmp")).len(), 0);
}

#[test]
fn killed_processes_leave_nothing_wrong() {
    let root = tempfile::tempdir().unwrap();
    let (packages, tarballs) = saved();
    let mut known = Vec::new();
    for delay in [0, 1, 2, 4, 8, 12, 18, 25, 40, 60, 100, 160, 250, 400] {
        for folder in ["v1/files", "v1/index"] {
            drop(std::fs::remove_dir_all(root.path().join(folder)));
        }
        let mut children = [(); 2].map(|()| start(0o022, tarballs.path(), root.path()));
        while !std::fs::read_dir(root.path().join("v1/files"))
            .is_ok_and(|mut dir| dir.next().is_some())
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(delay));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let store = Store::open(root.path()).unwrap();
        // Whatever has an index is whole,
        let stored = packages.iter().filter_map(|package| {
            store.lookup(&package.integrity).unwrap().map(|index| (package, index))
        });
        known.push(stored.map(|(package, index)| package.check(&store, &index)).count());
        // and whatever has none can be completed.
        for package in &packages {
            package.check(&store, &package.ensure(&store));
        }
    }
    // Some were killed on the way.
    assert!(known.iter().any(|count| *count < packages.len()), "{known:?}");
}

#[test]
fn the_umask_does_not_matter() {
    let (packages, tarballs) = saved();
    for umask in [0o077, 0o027, 0o000] {
        let root = tempfile::tempdir().unwrap();
        finish(start(umask, tarballs.path(), root.path()));
        let store = Store::open(root.path()).unwrap();
        // Modes are compared as well.
        check_all(&packages, &store);
    }
}
