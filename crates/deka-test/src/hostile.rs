//! Tarballs as an attacker, a broken disk or a very old npm makes them, each with what a careful
//! reader does with it.
//!
//! [`all`] lists them; a test goes through the list:
//!
//! ```
//! use deka_test::hostile::{self, Expected};
//!
//! for case in hostile::all() {
//!     // let result = store.import(&case.bytes, …);
//!     match &case.expected {
//!         Expected::Refused => { /* an error, and nothing was written */ }
//!         Expected::RefusedOrSkipped => { /* an error, or an index without the bad entry */ }
//!         Expected::Files(files) => { /* exactly these files */ }
//!     }
//! }
//! ```

use crate::archive::{
    Entry, EntryKind, LongName, Tar, gzip, gzip_bomb, pax_records, with_claimed_length,
};

/// A tarball that is not as it should be.
#[derive(Clone, Debug)]
pub struct HostileTarball {
    /// What is wrong with it, for messages.
    pub name: &'static str,
    /// The gzipped archive.
    pub bytes: Vec<u8>,
    /// What a careful reader does.
    pub expected: Expected,
}

/// What a careful reader does with a tarball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It fails, and nothing of the tarball can be linked.
    Refused,
    /// It fails, or leaves out the bad entry; [`GOOD_FILE`] may be there, nothing else may.
    RefusedOrSkipped,
    /// It works, and these are the files, without their first path component.
    Files(Vec<ExpectedFile>),
}

/// A file that has to come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedFile {
    /// Relative to the package.
    pub path: String,
    /// All of it.
    pub contents: Vec<u8>,
    /// Whether it is executable.
    pub executable: bool,
}

/// The manifest that (nearly) every tarball here contains, first.
pub const GOOD_FILE: &str = "package.json";

/// The contents of [`GOOD_FILE`].
pub const MANIFEST: &str = r#"{"name":"hostile","version":"1.0.0"}"#;

/// All tarballs that are small. [`bomb`] makes the large ones.
pub fn all() -> Vec<HostileTarball> {
    let mut cases = Vec::new();
    names(&mut cases);
    links(&mut cases);
    sizes(&mut cases);
    streams(&mut cases);
    unusual(&mut cases);
    cases
}

/// A valid package whose file `zeros` is that many zero bytes long: small to send, large to unpack.
pub fn bomb(zeros: u64) -> Vec<u8> {
    let head = good().entry(Entry::file("package/zeros", "").claiming_size(zeros)).unfinished();
    gzip_bomb(&head, zeros.next_multiple_of(512) + 1024)
}

/// A valid package of `count` empty files beside its manifest.
pub fn many_files(count: usize) -> Vec<u8> {
    let files = (0..count).fold(good(), |tar, at| tar.file(format!("package/f{at}"), ""));
    gzip(&files.finish())
}

fn good() -> Tar {
    Tar::new().file("package/package.json", MANIFEST)
}

fn file(path: &str, contents: &str) -> ExpectedFile {
    ExpectedFile { path: path.to_owned(), contents: contents.into(), executable: false }
}

fn manifest_and(mut files: Vec<ExpectedFile>) -> Expected {
    files.insert(0, file(GOOD_FILE, MANIFEST));
    Expected::Files(files)
}

fn add(cases: &mut Vec<HostileTarball>, name: &'static str, tar: Tar, expected: Expected) {
    cases.push(HostileTarball { name, bytes: gzip(&tar.finish()), expected });
}

/// Names that lead out of the package, or nowhere.
fn names(cases: &mut Vec<HostileTarball>) {
    let entries = [
        ("parent folder", "package/../escaped"),
        ("two parent folders", "package/../../escaped"),
        ("parent folder in the middle", "package/a/../../../escaped"),
        ("parent folder as the first component", "../escaped"),
        ("nothing but parent folders", "../.."),
        ("parent folder at the end", "package/a/.."),
        ("absolute", "/tmp/deka-escaped"),
        ("absolute after the first component", "package//tmp/deka-escaped"),
        ("parent folder with backslashes", "package\\..\\..\\escaped"),
        ("parent folder behind a backslash", "package/a\\..\\..\\..\\escaped"),
        ("absolute with a backslash", "\\escaped"),
        ("drive", "C:\\escaped"),
        ("drive after the first component", "package/C:\\escaped"),
        ("drive with slashes", "package/C:/../../../escaped"),
        ("UNC path", "\\\\server\\share\\escaped"),
    ];
    for (name, path) in entries {
        // One leading slash more is what careful readers fold away; all else leads out.
        let expected = match name {
            "absolute after the first component" => Expected::RefusedOrSkipped,
            _ => Expected::Refused,
        };
        add(cases, name, good().file(path, "escaped"), expected);
    }
    add(
        cases,
        "NUL in a pax path",
        good().entry(Entry::file("package/a", "x").pax("path", "package/a\0b")),
        Expected::Refused,
    );
    add(
        cases,
        "parent folder in a pax path",
        good().entry(Entry::file("package/a", "x").pax("path", "package/../../escaped")),
        Expected::Refused,
    );
    add(
        cases,
        "parent folder in a GNU long name",
        good().entry(
            Entry::file(format!("package/{}/../../../escaped", "d".repeat(120)), "x")
                .long_name(LongName::Gnu),
        ),
        Expected::Refused,
    );
    add(
        cases,
        "name longer than any file system takes",
        good().entry(
            Entry::file(format!("package/{}", "n".repeat(300)), "x").long_name(LongName::Pax),
        ),
        Expected::Refused,
    );
    add(
        cases,
        "path longer than any file system takes",
        good().entry(
            Entry::file(format!("package/{}f", "deep/".repeat(2000)), "x").long_name(LongName::Pax),
        ),
        Expected::Refused,
    );
    add(cases, "empty name", good().file("", "x"), Expected::RefusedOrSkipped);
    add(cases, "only the first component", good().file("package", "x"), Expected::RefusedOrSkipped);
    add(cases, "a dot", good().file("package/.", "x"), Expected::RefusedOrSkipped);
    add(
        cases,
        "file and folder of one name",
        good().file("package/a", "x").file("package/a/b", "y"),
        Expected::Refused,
    );
    add(
        cases,
        "folder and file of one name",
        good().file("package/a/b", "y").file("package/a", "x"),
        Expected::Refused,
    );
}

/// Entries that are neither file nor folder.
fn links(cases: &mut Vec<HostileTarball>) {
    let entries = [
        ("symlink", Entry::symlink("package/link", "index.js")),
        ("symlink to the outside", Entry::symlink("package/link", "../../escaped")),
        ("absolute symlink", Entry::symlink("package/link", "/etc/passwd")),
        ("hard link", Entry::hard_link("package/link", "package/package.json")),
        ("hard link to the outside", Entry::hard_link("package/link", "/etc/passwd")),
        ("character device", Entry::new("package/device", EntryKind::CharacterDevice)),
        ("block device", Entry::new("package/device", EntryKind::BlockDevice)),
        ("named pipe", Entry::new("package/pipe", EntryKind::Fifo)),
        ("unknown type", Entry::new("package/unknown", EntryKind::Other(b'Z')).contents("x")),
    ];
    for (name, entry) in entries {
        add(cases, name, good().entry(entry), Expected::RefusedOrSkipped);
    }
    add(
        cases,
        "file behind a symlink to the outside",
        good().entry(Entry::symlink("package/link", "../..")).file("package/link/escaped", "x"),
        // Skipping the link and making a folder of its name is fine as well.
        Expected::RefusedOrSkipped,
    );
    add(
        cases,
        "file over a symlink",
        good().entry(Entry::symlink("package/a", "../../escaped")).file("package/a", "x"),
        Expected::RefusedOrSkipped,
    );
}

/// Sizes that are not those of the contents.
fn sizes(cases: &mut Vec<HostileTarball>) {
    let entries = [
        ("size beyond the archive", Entry::file("package/a", "x").claiming_size(1 << 20)),
        ("size of a terabyte", Entry::file("package/a", "x").claiming_size(1 << 40)),
        ("size of all bits", Entry::file("package/a", "x").size_field([0xff; 12])),
        ("size that is no number", Entry::file("package/a", "x").size_field(*b"hello world\0")),
        ("negative size in base 256", {
            let mut field = [0xff; 12];
            field[11] = 0x00;
            Entry::file("package/a", "x").size_field(field)
        }),
        ("size of a pax record beyond the archive", {
            Entry::file("package/a", "x").pax("size", "99999999999")
        }),
        ("size of a pax record that is no number", {
            Entry::file("package/a", "x").pax("size", "-1")
        }),
    ];
    for (name, entry) in entries {
        add(cases, name, good().entry(entry), Expected::Refused);
    }
    let wrong_checksum = Entry::file("package/a", "x").wrong_checksum();
    add(cases, "wrong checksum", good().entry(wrong_checksum), Expected::Refused);
    let malformed = [
        ("pax record without a length", &b"path=package/a\n"[..]),
        ("pax record with a length too large", b"999 path=package/a\n"),
        ("pax record of length zero", b"0 path=package/a\n"),
        ("pax record without an equals sign", b"15 pathpackage\n"),
    ];
    for (name, records) in malformed {
        let header = Entry::new("PaxHeader", EntryKind::Other(b'x')).contents(records);
        add(cases, name, good().entry(header).file("package/a", "x"), Expected::RefusedOrSkipped);
    }
    let huge = Entry::new("PaxHeader", EntryKind::Other(b'x')).claiming_size(1 << 40);
    add(cases, "pax header of a terabyte", good().entry(huge), Expected::Refused);
}

/// Damage to the stream as a whole.
fn streams(cases: &mut Vec<HostileTarball>) {
    let tar = good().file("package/a", "x".repeat(3000)).finish();
    let whole = gzip(&tar);
    let mut add = |name, bytes, expected| cases.push(HostileTarball { name, bytes, expected });
    add("empty", Vec::new(), Expected::Refused);
    add("not gzip", b"<html>not found</html>".to_vec(), Expected::Refused);
    add("gzip of nothing", gzip(b""), Expected::Refused);
    add("gzip of garbage", gzip(&b"garbage ".repeat(200)), Expected::Refused);
    add("gzip header alone", whole[..10].to_vec(), Expected::Refused);
    add("gzip cut in half", whole[..whole.len() / 2].to_vec(), Expected::Refused);
    add("gzip without its last byte", whole[..whole.len() - 1].to_vec(), Expected::Refused);
    let mut corrupt = whole.clone();
    let checksum = corrupt.len() - 6;
    corrupt[checksum] ^= 1;
    add("gzip with a wrong checksum", corrupt, Expected::Refused);
    let lying = with_claimed_length(whole.clone(), u32::MAX);
    add("gzip that claims 4 GiB", lying, Expected::Refused);
    add("gzip that claims no byte", with_claimed_length(whole, 0), Expected::Refused);
    add("archive cut within a file", gzip(&tar[..512 * 4]), Expected::Refused);
    add("archive cut within a header", gzip(&tar[..512 * 2 + 100]), Expected::Refused);
}

/// What is legal or harmless, though rare: a reader has to manage.
fn unusual(cases: &mut Vec<HostileTarball>) {
    let a = || manifest_and(vec![file("a", "x")]);
    add(
        cases,
        "another first component",
        Tar::new().file("node/package.json", MANIFEST).file("node/a", "x"),
        a(),
    );
    add(
        cases,
        "several first components",
        Tar::new().file("package/package.json", MANIFEST).file("other/a", "x"),
        a(),
    );
    add(
        cases,
        "names that begin with `./`",
        Tar::new().file("./package/package.json", MANIFEST).file("./package/./a", "x"),
        a(),
    );
    add(
        cases,
        "backslashes that stay inside",
        good().file("package\\lib\\b.js", "x"),
        manifest_and(vec![file("lib/b.js", "x")]),
    );
    add(
        cases,
        "folders as entries",
        Tar::new()
            .entry(Entry::directory("package/"))
            .file("package/package.json", MANIFEST)
            .entry(Entry::directory("package/lib/"))
            .file("package/lib/b", "x"),
        manifest_and(vec![file("lib/b", "x")]),
    );
    let global = pax_records(&[("comment".to_owned(), b"0123abc".to_vec())]);
    add(
        cases,
        "global pax header, as git archives have",
        Tar::new()
            .entry(Entry::new("pax_global_header", EntryKind::Other(b'g')).contents(global))
            .file("package/package.json", MANIFEST)
            .file("package/a", "x"),
        a(),
    );
    for (name, how) in [
        ("long name in the prefix", LongName::Prefix),
        ("long name in a pax header", LongName::Pax),
        ("long name of GNU tar", LongName::Gnu),
    ] {
        let path = format!("{}/{}", "d".repeat(80), "f".repeat(80));
        let entry = Entry::file(format!("package/{path}"), "x").long_name(how);
        add(cases, name, good().entry(entry), manifest_and(vec![file(&path, "x")]));
    }
    add(
        cases,
        "a size only in the pax header",
        good().entry(Entry::file("package/a", "x").claiming_size(0).pax("size", "1")),
        a(),
    );
    add(
        cases,
        "names that are not ASCII",
        good().entry(Entry::file("package/\u{e4}\u{1f980}", "x")),
        manifest_and(vec![file("\u{e4}\u{1f980}", "x")]),
    );
    add(
        cases,
        "the same name twice",
        good().file("package/a", "first").file("package/a", "x"),
        a(),
    );
    add(
        cases,
        "names that differ in case",
        good().file("package/A", "upper").file("package/a", "x"),
        manifest_and(vec![file("A", "upper"), file("a", "x")]),
    );
    add(
        cases,
        "a colon in a name",
        good().file("package/a:b", "x"),
        manifest_and(vec![file("a:b", "x")]),
    );
    add(cases, "no package.json", Tar::new().file("package/a", "x"), {
        Expected::Files(vec![file("a", "x")])
    });
    add(
        cases,
        "modes of all kinds",
        good()
            .entry(Entry::file("package/secret", "x").mode(0o600))
            .entry(Entry::file("package/none", "x").mode(0))
            .entry(Entry::file("package/setuid", "x").mode(0o4755))
            .entry(Entry::file("package/group", "x").mode(0o654)),
        manifest_and(vec![
            ExpectedFile { executable: false, ..file("secret", "x") },
            ExpectedFile { executable: false, ..file("none", "x") },
            ExpectedFile { executable: true, ..file("setuid", "x") },
            ExpectedFile { executable: true, ..file("group", "x") },
        ]),
    );
    add(
        cases,
        "type flag of old tars, without magic",
        good().entry(Entry::new("package/a", EntryKind::OldFile).contents("x").without_magic()),
        a(),
    );
    add(
        cases,
        "contiguous file (type 7)",
        good().entry(Entry::new("package/a", EntryKind::Other(b'7')).contents("x")),
        a(),
    );
    add(cases, "an empty file", good().file("package/a", ""), manifest_and(vec![file("a", "")]));

    let plain = good().file("package/a", "x");
    let mut add = |name, bytes| cases.push(HostileTarball { name, bytes, expected: a() });
    add("archive without its end", gzip(&plain.clone().unfinished()));
    let mut padded = plain.clone().finish();
    padded.resize(10 * 1024, 0);
    add("archive padded with zeros", gzip(&padded));
    let garbage = plain.clone().finish().into_iter().chain(*b"garbage").collect::<Vec<_>>();
    add("garbage after the archive's end", gzip(&garbage));
    let mut members = gzip(&plain.clone().finish()[..1024]);
    members.extend(gzip(&plain.clone().finish()[1024..]));
    add("two gzip members", members);
    let mut trailing = gzip(&plain.finish());
    trailing.extend([0; 512]);
    add("zeros after the gzip stream", trailing);
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::MultiGzDecoder;
    use hashbrown::HashSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let cases = all();
        let names: HashSet<_> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len());
    }

    /// GNU tar manages what is said to be harmless, but for the rarest.
    #[test]
    fn harmless_archives_are_readable() {
        for case in all() {
            let Expected::Files(files) = &case.expected else { continue };
            let folder = tempfile::tempdir().unwrap();
            let mut tar = Vec::new();
            // Zeros after the stream are no gzip member; what came before counts.
            let _ = MultiGzDecoder::new(&case.bytes[..]).read_to_end(&mut tar);
            let archive = folder.path().join("a.tar");
            std::fs::write(&archive, tar).unwrap();
            let output = std::process::Command::new("tar")
                .args(["--strip-components=1", "--no-same-permissions", "-xf"])
                .arg(&archive)
                .current_dir(folder.path())
                .output()
                .unwrap();
            if case.name.contains("backslash") || case.name.starts_with("names that begin") {
                continue;
            }
            for file in files {
                let path = folder.path().join(&file.path);
                let contents = std::fs::read(&path)
                    .unwrap_or_else(|error| panic!("{}: {path:?}: {error}: {output:?}", case.name));
                assert_eq!(contents, file.contents, "{}", case.name);
            }
        }
    }

    #[test]
    fn a_bomb_is_small() {
        let bomb = bomb(1 << 20);
        assert!(bomb.len() < 8 * 1024, "{}", bomb.len());
        let mut tar = Vec::new();
        MultiGzDecoder::new(&bomb[..]).read_to_end(&mut tar).unwrap();
        assert!(tar.len() > 1 << 20);
    }
}
