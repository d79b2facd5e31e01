//! Headers one by one, and archives from memory and as streams held against one another.

use deka_test::archive::{Entry, EntryKind, LongName, Tar, gzip};
use proptest::prelude::*;

use super::*;
use crate::archive::{Stream, is_gzip};

const LIMITS: Limits = Limits { entries: 1000, bytes: 1 << 20, path_bytes: 1 << 16 };

/// Path, contents and executable bit of each file in the order of the archive, and whether the mark
/// of the end was found.
type Listing = Result<(Vec<(String, Vec<u8>, bool)>, bool), ArchiveError>;

fn list<S: Source>(source: S) -> Listing {
    let mut walker = Walker::new(source, LIMITS);
    let (mut paths, mut files) = (String::new(), Vec::new());
    while let Some(header) = walker.next_file(&mut paths)? {
        let mut contents = Vec::new();
        walker.source().read_exact(header.size as usize, &mut contents)?;
        files.push((paths[header.path].to_owned(), contents, header.executable));
    }
    Ok((files, walker.has_terminator()))
}

fn names(tar: &[u8]) -> Result<Vec<String>, ArchiveError> {
    list(Memory::new(tar)).map(|(files, _)| files.into_iter().map(|(path, ..)| path).collect())
}

#[test]
fn numbers_are_octal_or_binary() {
    for (field, expected) in [
        (&b"0000644\0"[..], Some(0o644)),
        (b"   644 \0", Some(0o644)),
        (b"644 junk", Some(0o644)),
        (b"\0\0\0\0", Some(0)),
        (b"    ", Some(0)),
        (b"77777777777\0", Some(0o777_7777_7777)),
        (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", Some(0x102)),
        (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
        (b"\xff\xff\xff\xff", None),
        (b"-1", None),
        (b"9", None),
        (b"0x10", None),
        (&[b'7'; 24], None),
    ] {
        assert_eq!(read_number(field), expected, "{field:?}");
    }
}

#[test]
fn one_block_of_zeros_is_not_the_end() {
    let tar = Tar::new().file("p/a", "x").raw([0; BLOCK]).file("p/b", "y").finish();
    assert_eq!(names(&tar).unwrap(), ["a", "b"]);
    let tar = Tar::new().file("p/a", "x").finish();
    let tar = Tar::new().raw(tar).file("p/b", "y").finish();
    assert_eq!(names(&tar).unwrap(), ["a"]);
}

#[test]
fn what_follows_the_end_is_ignored() {
    for garbage in [&b"short"[..], &[b'x'; 600], &[0; 10_240]] {
        for zeros in [BLOCK, 2 * BLOCK] {
            let tar = Tar::new().file("p/a", "x").raw(vec![0; zeros]).raw(garbage).unfinished();
            assert_eq!(
                list(Memory::new(&tar)).unwrap(),
                (vec![("a".into(), b"x".into(), false)], true)
            );
        }
    }
}

#[test]
fn the_end_may_be_missing_but_nothing_else() {
    let tar = Tar::new().file("p/a", "xyz").file("p/b", "1").unfinished();
    // Without the mark of the end, and without the padding of the last file.
    for length in [tar.len(), tar.len() - 1, tar.len() - 511] {
        let (files, has_terminator) = list(Memory::new(&tar[..length])).unwrap();
        assert_eq!((files.len(), has_terminator), (2, false), "{length}");
    }
    for length in [tar.len() - 512, tar.len() - 513, 1100, 514, 512, 511, 100] {
        assert!(list(Memory::new(&tar[..length])).is_err(), "{length}");
    }
    // Between two entries nothing shows that there were more; the checksum of gzip does.
    assert_eq!(names(&tar[..1024]).unwrap(), ["a"]);
}

#[test]
fn entries_without_contents_may_claim_some() {
    let tar = Tar::new()
        .entry(Entry::directory("p/d/").claiming_size(5000))
        .entry(Entry::symlink("p/l", "x").claiming_size(5000))
        .entry(Entry::file("p/old-folder/", ""))
        .file("p/a", "x")
        .finish();
    assert_eq!(names(&tar).unwrap(), ["a"]);
}

#[test]
fn the_extended_header_counts_for_one_entry() {
    let long = "l".repeat(120);
    let tar = Tar::new()
        .entry(Entry::file(format!("p/{long}"), "x").long_name(LongName::Pax))
        .entry(Entry::file(format!("p/{long}2"), "x").long_name(LongName::Gnu))
        .file("p/a", "x")
        .finish();
    assert_eq!(names(&tar).unwrap(), [long.clone(), format!("{long}2"), "a".to_owned()]);
    // The one of a link is not that of the file behind it.
    let tar = Tar::new()
        .entry(Entry::symlink("p/l", "x").pax("path", "p/other"))
        .file("p/a", "x")
        .finish();
    assert_eq!(names(&tar).unwrap(), ["a"]);
}

#[test]
fn limits_hold() {
    let many = (0..2000).fold(Tar::new(), |tar, at| tar.file(format!("p/{at}"), "")).finish();
    assert_eq!(names(&many), Err(ArchiveError::TooManyEntries { limit: 1000 }));
    let large = Tar::new().file("p/a", vec![0; 600_000]).file("p/b", vec![0; 600_000]).finish();
    assert_eq!(names(&large), Err(ArchiveError::TooLarge { limit: 1 << 20 }));
    let hidden = Entry::new("p/a", EntryKind::Other(b'Z')).contents(vec![0; 2 << 20]);
    assert_eq!(
        names(&Tar::new().entry(hidden).finish()),
        Err(ArchiveError::TooLarge { limit: 1 << 20 })
    );
    let paths = (0..200)
        .fold(Tar::new(), |tar, at| {
            let path = format!("p/{at}{}", "/deep".repeat(100));
            tar.entry(Entry::file(path, "").long_name(LongName::Gnu))
        })
        .finish();
    assert!(matches!(names(&paths), Err(ArchiveError::TooManyEntries { .. })));
}

fn entry() -> impl Strategy<Value = Entry> {
    let path = prop_oneof![
        "[a-c]/[a-e]{1,3}(/[a-e]{1,3}){0,2}",
        "p/[a-z]{90,130}(/[a-z]{1,60})?",
        "[a-c./\\\\]{0,12}",
    ];
    let kind = prop_oneof![
        8 => Just(EntryKind::File),
        1 => Just(EntryKind::OldFile),
        1 => Just(EntryKind::Directory),
        1 => Just(EntryKind::Symlink),
        1 => Just(EntryKind::Other(b'g')),
        1 => any::<u8>().prop_map(EntryKind::Other),
    ];
    let long = prop_oneof![
        Just(LongName::Prefix),
        Just(LongName::Pax),
        Just(LongName::Gnu),
        Just(LongName::Cut)
    ];
    let contents = prop::collection::vec(any::<u8>(), 0..1500);
    (path, kind, long, contents, 0..0o10000_u32).prop_map(|(path, kind, long, contents, mode)| {
        let entry = Entry::new(path, kind).contents(contents).long_name(long);
        if mode % 7 == 0 { entry.mode(mode).pax("comment", "x") } else { entry.mode(mode) }
    })
}

proptest! {
    /// Whatever an archive holds: from memory and as a stream it is the same, and every path stays
    /// in the package.
    #[test]
    fn memory_and_stream_agree(
        entries in prop::collection::vec(entry(), 0..12),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut tar = entries.into_iter().fold(Tar::new(), Tar::entry).finish();
        for (at, byte) in damage {
            let at = at.index(tar.len());
            tar[at] = byte;
        }
        if let Some(cut) = cut {
            tar.truncate(cut.index(tar.len()));
        }
        let from_memory = list(Memory::new(&tar));
        let compressed = gzip(&tar);
        prop_assert!(is_gzip(&compressed));
        let from_stream = Stream::new(&compressed[..]).and_then(list);
        prop_assert_eq!(&from_memory, &from_stream);
        for (path, ..) in from_memory.map_or(Vec::new(), |(files, _)| files) {
            prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{}", path);
            prop_assert!(!path.contains(['\\', '\0']), "{}", path);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        drop(list(Memory::new(&bytes)));
        drop(Stream::new(&bytes[..]).and_then(list));
    }
}
