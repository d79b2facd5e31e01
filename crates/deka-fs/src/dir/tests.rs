//! The same behaviour from both kinds of [`Dir`], and what only Unix has.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::{Creation, FileKind, FileMode, Permissions, fallback, unix};
use crate::FsError;

fn made(result: Result<Creation, FsError>) {
    assert_eq!(result.unwrap(), Creation::Made);
}

/// Runs each test with both implementations.
macro_rules! for_both {
    ($($name:ident($dir:ident, $folder:ident) $body:block)*) => {
        mod on_descriptors {
            use super::*;
            $(#[test] fn $name() {
                let $folder = tempfile::tempdir().unwrap();
                let $dir = unix::Dir::open($folder.path()).unwrap();
                $body
            })*
        }
        mod on_paths {
            use super::*;
            $(#[test] fn $name() {
                let $folder = tempfile::tempdir().unwrap();
                let $dir = fallback::Dir::open($folder.path()).unwrap();
                $body
            })*
        }
    };
}

for_both! {
    files_are_made_once(dir, folder) {
        let mut file = dir.create_new("a", FileMode::Regular).unwrap().unwrap();
        file.write_all(b"first").unwrap();
        assert!(dir.create_new("a", FileMode::Regular).unwrap().is_none());
        assert_eq!(dir.write_new("a", b"second", FileMode::Regular).unwrap(), Creation::Existed);
        assert_eq!(dir.read("a").unwrap().unwrap(), b"first");
        assert_eq!(dir.write_new(c"b", b"", FileMode::Executable).unwrap(), Creation::Made);
        assert_eq!(dir.read("b").unwrap().unwrap(), b"");
        assert_eq!(dir.read("c").unwrap(), None);
        assert!(dir.open_file("c").unwrap_err().is_not_found());
        assert!(dir.write_new("missing/c", b"", FileMode::Regular).unwrap_err().is_not_found());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    folders_are_made_and_opened(dir, folder) {
        assert_eq!(dir.create_dir("a").unwrap(), Creation::Made);
        assert_eq!(dir.create_dir("a").unwrap(), Creation::Existed);
        assert!(dir.create_dir("x/y").unwrap_err().is_not_found());
        let inner = dir.open_or_create_dir("a/b").unwrap();
        assert_eq!(inner.path(), folder.path().join("a/b"));
        made(inner.write_new("c", b"x", FileMode::Regular));
        assert_eq!(dir.read("a/b/c").unwrap().unwrap(), b"x");
        assert!(dir.open_dir("a/b/c").is_err());
        assert!(dir.open_dir("missing").unwrap_err().is_not_found());
        symlink("a", folder.path().join("link")).unwrap();
        assert!(dir.open_dir("link").is_ok());
        assert!(dir.open_dir_no_follow("link").is_err());
        assert!(dir.open_dir_no_follow("a").is_ok());
    }

    links_never_replace(dir, folder) {
        let to = dir.open_or_create_dir("to").unwrap();
        made(dir.write_new("a", b"contents", FileMode::Regular));
        assert_eq!(dir.hard_link("a", &to, "linked").unwrap(), Creation::Made);
        assert_eq!(dir.copy("a", &to, "copied", FileMode::Executable).unwrap(), Creation::Made);
        made(dir.write_new("other", b"other", FileMode::Regular));
        for name in ["linked", "copied"] {
            // The trap: opening a taken name for writing would empty the store's file.
            assert_eq!(dir.hard_link("other", &to, name).unwrap(), Creation::Existed);
            assert_eq!(dir.copy("other", &to, name, FileMode::Regular).unwrap(), Creation::Existed);
            assert_eq!(to.read(name).unwrap().unwrap(), b"contents");
        }
        assert_eq!(dir.read("a").unwrap().unwrap(), b"contents");
        let inode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().ino();
        assert_eq!(inode("a"), inode("to/linked"));
        assert_ne!(inode("a"), inode("to/copied"));
        let error = dir.hard_link("missing", &to, "x").unwrap_err();
        assert!(error.is_not_found());
        let message = error.to_string();
        assert!(message.contains("missing` to `") && message.ends_with("to/x`"), "{message}");
    }

    symlinks_are_made_and_read(dir, _folder) {
        assert_eq!(dir.symlink("../x/y", "link").unwrap(), Creation::Made);
        assert_eq!(dir.symlink("z", "link").unwrap(), Creation::Existed);
        assert_eq!(dir.read_link("link").unwrap().unwrap().to_str(), Some("../x/y"));
        made(dir.write_new("file", b"", FileMode::Regular));
        assert_eq!(dir.read_link("file").unwrap(), None);
        assert_eq!(dir.read_link("missing").unwrap(), None);
        let metadata = dir.metadata("link").unwrap().unwrap();
        assert!(metadata.is_symlink());
        assert_eq!(dir.metadata_following("link").unwrap(), None);
    }

    renaming_replaces_files(dir, _folder) {
        made(dir.write_new("a", b"a", FileMode::Regular));
        made(dir.write_new("b", b"b", FileMode::Regular));
        dir.rename("a", &dir, "b").unwrap();
        assert_eq!(dir.read("b").unwrap().unwrap(), b"a");
        assert_eq!(dir.metadata("a").unwrap(), None);
        assert!(dir.rename("a", &dir, "c").unwrap_err().is_not_found());
    }

    removing_never_follows_symlinks(dir, folder) {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("precious"), "x").unwrap();
        made(dir.create_dir("tree"));
        made(dir.create_dir("tree/deep"));
        made(dir.write_new("tree/deep/file", b"", FileMode::Regular));
        symlink(outside.path(), folder.path().join("tree/deep/link")).unwrap();
        symlink(outside.path(), folder.path().join("link")).unwrap();
        assert!(dir.remove_dir("tree").is_err());
        assert!(dir.remove_file("tree").is_err());
        for name in ["tree", "link"] {
            assert!(dir.remove_all(name).unwrap(), "{name}");
            assert!(!dir.remove_all(name).unwrap(), "{name}");
        }
        assert!(outside.path().join("precious").exists());
        assert_eq!(dir.list().unwrap(), []);
        assert!(!dir.remove_file("tree").unwrap() && !dir.remove_dir("tree").unwrap());
    }

    deep_trees_are_removed(dir, _folder) {
        let mut path = "d".to_owned();
        for _ in 0..300 {
            made(dir.create_dir(path.as_str()));
            path.push_str("/d");
        }
        assert!(dir.remove_all("d").unwrap());
        assert_eq!(dir.list().unwrap(), []);
    }

    listings_tell_kinds(dir, folder) {
        made(dir.write_new("file", b"", FileMode::Regular));
        made(dir.create_dir("folder"));
        symlink("folder", folder.path().join("link")).unwrap();
        let mut entries = dir.list().unwrap();
        entries.sort();
        let entries: Vec<_> =
            entries.iter().map(|entry| (entry.name.to_str().unwrap(), entry.kind)).collect();
        assert_eq!(entries, [
            ("file", FileKind::File),
            ("folder", FileKind::Directory),
            ("link", FileKind::Symlink),
        ]);
        let mut inodes = Vec::new();
        dir.visit_folders(|name, inode| inodes.push((name.to_owned(), inode))).unwrap();
        let inode = dir.metadata("folder").unwrap().unwrap().identity.1;
        // Where there are none, nothing is shown.
        let expected = if inode == 0 { vec![] } else { vec![("folder".to_owned(), inode)] };
        assert_eq!(inodes, expected);
        dir.clear().unwrap();
        assert_eq!(dir.list().unwrap(), []);
    }

    metadata_is_of_the_name(dir, folder) {
        made(dir.write_new("file", b"12345", FileMode::Regular));
        let metadata = dir.metadata("file").unwrap().unwrap();
        assert!(metadata.is_file() && metadata.size == 5 && !metadata.is_executable());
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000);
        let file = std::fs::File::open(folder.path().join("file")).unwrap();
        file.set_modified(long_ago).unwrap();
        let old = dir.metadata("file").unwrap().unwrap();
        assert_eq!(old.modified, 1_000_000_000_000);
        dir.touch("file").unwrap();
        assert!(dir.metadata("file").unwrap().unwrap().modified >= metadata.modified);
        assert_eq!(dir.metadata("file/below").unwrap(), None);
        assert!(dir.touch("missing").unwrap_err().is_not_found());
    }
}

#[test]
fn modes_are_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let dir = unix::Dir::open(folder.path()).unwrap();
    let mode = |name: &str| {
        std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o7777
    };
    made(dir.write_new("a", b"x", FileMode::Regular));
    made(dir.write_new("b", b"x", FileMode::Executable));
    made(dir.write_new("c", b"x", Permissions(0o666)));
    made(dir.copy("a", &dir, "d", FileMode::Executable));
    assert_eq!(["a", "b", "c", "d"].map(mode), [0o644, 0o755, 0o666, 0o755]);
    assert!(dir.metadata("b").unwrap().unwrap().is_executable());
    dir.set_permissions("a", FileMode::Executable).unwrap();
    assert_eq!(mode("a"), 0o755);
}

/// A folder that was swapped for a symlink after it was opened changes nothing.
#[test]
fn descriptors_stay_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let dir = unix::Dir::open(folder.path()).unwrap();
    made(dir.create_dir("real"));
    let inner = dir.open_dir("real").unwrap();
    dir.rename("real", &dir, "moved").unwrap();
    symlink("/", folder.path().join("real")).unwrap();
    made(inner.write_new("file", b"x", FileMode::Regular));
    let mut contents = Vec::new();
    inner.open_file("file").unwrap().read_to_end(&mut contents).unwrap();
    assert_eq!(dir.read("moved/file").unwrap().unwrap(), contents);
}

/// Copies between file systems, reflinks where there are any, and says so where there are none.
#[test]
fn cloning_clones_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = unix::Dir::open(folder.path()).unwrap();
    made(dir.write_new("a", b"contents", FileMode::Regular));
    match dir.reflink("a", &dir, "b", FileMode::Executable) {
        Ok(creation) => {
            assert_eq!(creation, Creation::Made);
            assert_eq!(dir.read("b").unwrap().unwrap(), b"contents");
        }
        Err(error) => {
            assert!(error.is_link_refused(), "{error:?}");
            // Nothing half-made stays.
            assert_eq!(dir.metadata("b").unwrap(), None);
        }
    }
    assert!(dir.reflink("missing", &dir, "c", FileMode::Regular).unwrap_err().is_not_found());
}
