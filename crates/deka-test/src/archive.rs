//! Tar archives written field by field, able to be wrong in every way, and gzip around them.
//!
//! A well-formed package needs two calls; anything else is an [`Entry`] with the field set that a
//! hostile publisher would set.
//!
//! ```
//! use deka_test::archive::{Entry, Tar, gzip};
//!
//! let tarball = gzip(
//!     &Tar::new()
//!         .file("package/package.json", r#"{"name":"a","version":"1.0.0"}"#)
//!         .entry(Entry::file("package/../../escaped", "x"))
//!         .finish(),
//! );
//! # assert!(tarball.len() > 20);
//! ```

use std::io::Write;

use flate2::{Compression, GzBuilder, write::GzEncoder};

const BLOCK: usize = 512;

/// A tar archive under construction.
#[derive(Clone, Debug, Default)]
pub struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    /// An archive without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an ordinary file, mode 0644.
    #[must_use]
    pub fn file(self, path: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::file(path, contents))
    }

    /// Adds an ordinary file, mode 0755.
    #[must_use]
    pub fn executable(self, path: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> Self {
        self.entry(Entry::file(path, contents).mode(0o755))
    }

    /// Adds an entry as it describes itself, right or wrong.
    #[must_use]
    pub fn entry(mut self, entry: Entry) -> Self {
        entry.write(&mut self.bytes);
        self
    }

    /// Adds bytes that are not an entry.
    #[must_use]
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(bytes.as_ref());
        self
    }

    /// Ends the archive with two zero blocks.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        self.bytes
    }

    /// Ends the archive without the two zero blocks.
    pub fn unfinished(self) -> Vec<u8> {
        self.bytes
    }
}

/// What an entry says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// An ordinary file (type flag `0`).
    File,
    /// An ordinary file as old tars wrote it (type flag NUL).
    OldFile,
    /// A folder (type flag `5`).
    Directory,
    /// A symbolic link (type flag `2`).
    Symlink,
    /// A hard link (type flag `1`).
    HardLink,
    /// A character device (type flag `3`).
    CharacterDevice,
    /// A block device (type flag `4`).
    BlockDevice,
    /// A named pipe (type flag `6`).
    Fifo,
    /// Any other type flag, such as `g` for a global pax header.
    Other(u8),
}

impl EntryKind {
    fn flag(self) -> u8 {
        match self {
            Self::File => b'0',
            Self::OldFile => 0,
            Self::HardLink => b'1',
            Self::Symlink => b'2',
            Self::CharacterDevice => b'3',
            Self::BlockDevice => b'4',
            Self::Directory => b'5',
            Self::Fifo => b'6',
            Self::Other(flag) => flag,
        }
    }
}

/// Where a name longer than the header's 100 bytes goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongName {
    /// Into the header's prefix field, split at a slash, as npm does while it fits.
    Prefix,
    /// Into a pax record before the entry.
    Pax,
    /// Into a GNU `L` entry before the entry.
    Gnu,
    /// Nowhere: it is cut after 100 bytes.
    Cut,
}

/// One entry of an archive, every field of which may lie.
#[derive(Clone, Debug)]
pub struct Entry {
    name: Vec<u8>,
    kind: EntryKind,
    mode: u32,
    contents: Vec<u8>,
    link_name: Vec<u8>,
    size_field: Option<[u8; 12]>,
    long_name: LongName,
    pax_records: Vec<(String, Vec<u8>)>,
    checksum_is_wrong: bool,
    ustar: bool,
}

impl Entry {
    /// An entry of `kind` without contents.
    pub fn new(name: impl AsRef<[u8]>, kind: EntryKind) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            kind,
            mode: 0o644,
            contents: Vec::new(),
            link_name: Vec::new(),
            size_field: None,
            long_name: LongName::Prefix,
            pax_records: Vec::new(),
            checksum_is_wrong: false,
            ustar: true,
        }
    }

    /// An ordinary file, mode 0644.
    pub fn file(name: impl AsRef<[u8]>, contents: impl AsRef<[u8]>) -> Self {
        let mut entry = Self::new(name, EntryKind::File);
        entry.contents = contents.as_ref().to_vec();
        entry
    }

    /// A folder, mode 0755.
    pub fn directory(name: impl AsRef<[u8]>) -> Self {
        Self::new(name, EntryKind::Directory).mode(0o755)
    }

    /// A symbolic link from `name` to `target`.
    pub fn symlink(name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        let mut entry = Self::new(name, EntryKind::Symlink).mode(0o777);
        entry.link_name = target.as_ref().to_vec();
        entry
    }

    /// A hard link from `name` to `target`.
    pub fn hard_link(name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        let mut entry = Self::new(name, EntryKind::HardLink);
        entry.link_name = target.as_ref().to_vec();
        entry
    }

    /// Sets the mode bits.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Sets contents, also where the kind should have none.
    #[must_use]
    pub fn contents(mut self, contents: impl AsRef<[u8]>) -> Self {
        self.contents = contents.as_ref().to_vec();
        self
    }

    /// Makes the header claim `size` bytes, whatever the contents are.
    #[must_use]
    pub fn claiming_size(mut self, size: u64) -> Self {
        self.size_field = Some(number(size));
        self
    }

    /// Writes these bytes as the size field.
    #[must_use]
    pub fn size_field(mut self, bytes: [u8; 12]) -> Self {
        self.size_field = Some(bytes);
        self
    }

    /// Says where a long name goes.
    #[must_use]
    pub fn long_name(mut self, how: LongName) -> Self {
        self.long_name = how;
        self
    }

    /// Adds a pax record before the entry, such as `path` or `size`.
    #[must_use]
    pub fn pax(mut self, key: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.pax_records.push((key.into(), value.as_ref().to_vec()));
        self
    }

    /// Writes a header checksum that is wrong.
    #[must_use]
    pub fn wrong_checksum(mut self) -> Self {
        self.checksum_is_wrong = true;
        self
    }

    /// Leaves out the `ustar` magic, as tars of 1979 do.
    #[must_use]
    pub fn without_magic(mut self) -> Self {
        self.ustar = false;
        self
    }

    fn write(mut self, into: &mut Vec<u8>) {
        let mut prefix = Vec::new();
        if self.name.len() > 100 {
            match self.long_name {
                LongName::Prefix => match split_for_prefix(&self.name) {
                    Some(at) => {
                        let rest = self.name.split_off(at + 1);
                        self.name.pop();
                        prefix = std::mem::replace(&mut self.name, rest);
                    }
                    None => self.pax_records.push(("path".to_owned(), self.name.clone())),
                },
                LongName::Pax => self.pax_records.push(("path".to_owned(), self.name.clone())),
                LongName::Gnu => {
                    let mut long = self.name.clone();
                    long.push(0);
                    Self::new("././@LongLink", EntryKind::Other(b'L')).contents(long).write(into);
                }
                LongName::Cut => {}
            }
        }
        if self.link_name.len() > 100 {
            self.pax_records.push(("linkpath".to_owned(), self.link_name.clone()));
        }
        if !self.pax_records.is_empty() {
            let records = pax_records(&self.pax_records);
            Self::new("PaxHeader/entry", EntryKind::Other(b'x')).contents(records).write(into);
        }

        let mut header = [0_u8; BLOCK];
        put(&mut header[0..100], &self.name);
        put(&mut header[100..108], format!("{:06o} \0", self.mode & 0o777_777).as_bytes());
        put(&mut header[108..116], b"000000 \0");
        put(&mut header[116..124], b"000000 \0");
        let size = self.size_field.unwrap_or_else(|| number(self.contents.len() as u64));
        put(&mut header[124..136], &size);
        // The time that npm gives to every file it packs.
        put(&mut header[136..148], b"03560116604 ");
        header[156] = self.kind.flag();
        put(&mut header[157..257], &self.link_name);
        if self.ustar {
            put(&mut header[257..265], b"ustar\x0000");
            put(&mut header[345..500], &prefix);
        }
        put(&mut header[148..156], b"        ");
        let mut sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        if self.checksum_is_wrong {
            sum += 1;
        }
        put(&mut header[148..156], format!("{sum:06o}\0 ").as_bytes());

        into.extend_from_slice(&header);
        into.extend_from_slice(&self.contents);
        into.resize(into.len().next_multiple_of(BLOCK), 0);
    }
}

/// The records of a pax header: `<length> <key>=<value>\n`, where the length counts itself.
pub fn pax_records(records: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while rest + length.to_string().len() != length {
            length = rest + length.to_string().len();
        }
        bytes.extend_from_slice(format!("{length} {key}=").as_bytes());
        bytes.extend_from_slice(value);
        bytes.push(b'\n');
    }
    bytes
}

/// Compresses to gzip, with the same bytes for the same input every time.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = encoder(Compression::new(6));
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// A gzip stream that inflates to `head` and then `zeros` zero bytes, made without holding them.
pub fn gzip_bomb(head: &[u8], zeros: u64) -> Vec<u8> {
    let mut encoder = encoder(Compression::new(9));
    encoder.write_all(head).expect("writing to memory");
    let chunk = vec![0_u8; 1 << 20];
    let mut left = zeros;
    while left > 0 {
        let length = left.min(chunk.len() as u64);
        encoder.write_all(&chunk[..length as usize]).expect("writing to memory");
        left -= length;
    }
    encoder.finish().expect("writing to memory")
}

/// Overwrites the length that ends a gzip stream (ISIZE), which readers like to take for a hint.
#[must_use]
pub fn with_claimed_length(mut gzip: Vec<u8>, length: u32) -> Vec<u8> {
    let start = gzip.len().saturating_sub(4);
    gzip.truncate(start);
    gzip.extend_from_slice(&length.to_le_bytes());
    gzip
}

fn encoder(level: Compression) -> GzEncoder<Vec<u8>> {
    GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), level)
}

/// A number as tar writes it: octal while it fits, else GNU's base-256.
fn number(value: u64) -> [u8; 12] {
    let mut field = [0_u8; 12];
    if value < 1 << 33 {
        field[..12].copy_from_slice(format!("{value:011o} ").as_bytes());
    } else {
        field[0] = 0x80;
        field[4..12].copy_from_slice(&value.to_be_bytes());
    }
    field
}

/// Where to cut a long name so that both halves fit the header: the index of a slash.
fn split_for_prefix(name: &[u8]) -> Option<usize> {
    (0..name.len())
        .rev()
        .find(|&at| name[at] == b'/' && at <= 155 && at > 0 && name.len() - at - 1 <= 100)
        .filter(|&at| at + 1 < name.len())
}

fn put(field: &mut [u8], value: &[u8]) {
    let length = field.len().min(value.len());
    field[..length].copy_from_slice(&value[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_record_lengths_count_themselves() {
        let check = |key: &str, value: &str| {
            let bytes = pax_records(&[(key.to_owned(), value.as_bytes().to_vec())]);
            let text = String::from_utf8(bytes).unwrap();
            let (length, _) = text.split_once(' ').unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), text.len(), "{text:?}");
        };
        check("path", "a");
        check("path", &"a".repeat(91));
        check("path", &"a".repeat(92));
        check("path", &"a".repeat(93));
        check("path", &"a".repeat(991));
    }

    #[test]
    fn tar_of_the_system_reads_what_is_written() {
        let long = format!("package/{}/{}", "d".repeat(90), "f".repeat(90));
        let longer = format!("package/{}", "e".repeat(180));
        let tar = Tar::new()
            .file("package/package.json", "{}")
            .executable("package/cli.js", "#!/usr/bin/env node\n")
            .entry(Entry::file(&long, "prefix"))
            .entry(Entry::file(&longer, "gnu").long_name(LongName::Gnu))
            .entry(Entry::file(format!("{longer}x"), "pax").long_name(LongName::Pax))
            .finish();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.tgz");
        std::fs::write(&file, gzip(&tar)).unwrap();
        let output =
            std::process::Command::new("tar").arg("-tzf").arg(&file).output().expect("tar runs");
        assert!(output.status.success(), "{output:?}");
        let names = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            names.lines().collect::<Vec<_>>(),
            ["package/package.json", "package/cli.js", &long, &longer, &format!("{longer}x")]
        );
    }

    #[test]
    fn gzip_is_the_same_every_time() {
        assert_eq!(gzip(b"hello"), gzip(b"hello"));
    }
}
