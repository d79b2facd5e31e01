//! One file of the manifest cache.
//!
//! ```text
//!  0  magic "deka-pm2"               8
//!  8  checksum of bytes 16..header   8   xxh3
//! 16  checksum of the record         8   xxh3
//! 24  length of the record           8
//! 32  max-age in seconds             8
//! 40  length of the header           4   where the record begins, a multiple of 64
//! 44  length of the etag             2
//! 46  length of last-modified        2
//! 48  length of the registry's URL   2
//! 50  length of the package's name   2
//! 52  the epoch of writing           8   a hash of its text, 0 if unknown
//! 60  the four texts, zeros up to the record, the record
//! ```
//! Numbers are little-endian.
//!
//! The checksum of the header is always compared, that of the record only if the file was written in
//! another [`Epoch`]: a file is renamed into its place when it is whole, so only a power cut (or a copy to
//! another machine) can tear it. That, and reading small files instead of mapping them, makes loading the
//! 390 packuments (19 MB) of a Next.js application take 2.2 ms instead of 6.5.

use std::time::Duration;

use deka_fs::{Epoch, MappedFile};
use deka_manifest::PackageName;
use xxhash_rust::xxh3::xxh3_64;

use crate::{RegistryKey, Validators};

const MAGIC: [u8; 8] = *b"deka-pm2";
const TEXTS: usize = 60;
const ALIGNMENT: usize = 64;

/// Why a file is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is no file of this version of deka")]
    Foreign,
    #[error("it is damaged, as after a power cut")]
    Damaged,
    #[error("it belongs to another package or registry")]
    Other,
}

/// The bytes of a file.
#[derive(Debug)]
pub(super) enum Contents {
    /// Large files are mapped.
    Mapped(MappedFile),
    /// Small ones are read: a map and its page faults cost more than the copy.
    Read(Vec<u8>),
}

impl AsRef<[u8]> for Contents {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Mapped(file) => file,
            Self::Read(bytes) => bytes,
        }
    }
}

/// The record within a file.
#[derive(Debug)]
pub(super) struct Record {
    file: Contents,
    start: usize,
}

impl AsRef<[u8]> for Record {
    fn as_ref(&self) -> &[u8] {
        self.file.as_ref().get(self.start..).unwrap_or_default()
    }
}

/// An epoch as files note it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EpochMark(u64);

impl EpochMark {
    pub(super) fn of(epoch: Option<&Epoch>) -> Self {
        Self(epoch.map_or(0, |epoch| xxh3_64(epoch.as_str().as_bytes())))
    }
}

/// Returns the bytes of a file.
pub(super) fn write(
    registry: &RegistryKey,
    name: PackageName,
    validators: &Validators,
    epoch: EpochMark,
    record: &[u8],
) -> Vec<u8> {
    let texts = [
        validators.etag.as_deref().unwrap_or_default(),
        validators.last_modified.as_deref().unwrap_or_default(),
        registry.as_str(),
        name.as_str(),
    ]
    // What is too long to be noted is left out: without a registry the file is of no use, but harmless.
    .map(|text| if u16::try_from(text.len()).is_ok() { text } else { "" });
    let header =
        (TEXTS + texts.iter().map(|text| text.len()).sum::<usize>()).next_multiple_of(ALIGNMENT);

    let mut bytes = Vec::with_capacity(header + record.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&xxh3_64(record).to_le_bytes());
    bytes.extend_from_slice(&(record.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&validators.max_age.as_secs().to_le_bytes());
    bytes.extend_from_slice(&(header as u32).to_le_bytes());
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    }
    bytes.extend_from_slice(&epoch.0.to_le_bytes());
    for text in texts {
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.resize(header, 0);
    let checksum = xxh3_64(&bytes[16..]);
    bytes[8..16].copy_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(record);
    bytes
}

/// Returns what a file says, if it is whole and of `name` in `registry`.
pub(super) fn read(
    file: Contents,
    registry: &RegistryKey,
    name: PackageName,
    epoch: EpochMark,
) -> Result<(Validators, Record), Unusable> {
    let (validators, start) = check(file.as_ref(), registry, name, epoch)?;
    Ok((validators, Record { file, start }))
}

/// Returns the validators and where the record begins; it goes on to the end of the file.
fn check(
    bytes: &[u8],
    registry: &RegistryKey,
    name: PackageName,
    epoch: EpochMark,
) -> Result<(Validators, usize), Unusable> {
    let number = |at: usize| bytes.get(at..)?.first_chunk().map(|n| u64::from_le_bytes(*n));
    let short = |at: usize| bytes.get(at..)?.first_chunk().map(|n| u16::from_le_bytes(*n));
    let damaged = Unusable::Damaged;

    let magic: &[u8; 8] = bytes.first_chunk().ok_or(damaged)?;
    if *magic != MAGIC {
        return Err(if *magic == [0; 8] { damaged } else { Unusable::Foreign });
    }
    let header = number(40).ok_or(damaged)? as u32 as usize;
    let is_of_this_epoch = epoch.0 != 0 && number(52) == Some(epoch.0);
    let is_whole = header >= TEXTS
        && bytes.get(16..header).map(xxh3_64) == number(8)
        && bytes.get(header..).map(|record| record.len() as u64) == number(24)
        && (is_of_this_epoch || bytes.get(header..).map(xxh3_64) == number(16));
    if !is_whole {
        return Err(damaged);
    }

    let mut at = TEXTS;
    let mut texts = [""; 4];
    for (index, text) in texts.iter_mut().enumerate() {
        let length = usize::from(short(44 + 2 * index).ok_or(damaged)?);
        let found = bytes.get(at..at + length).and_then(|text| std::str::from_utf8(text).ok());
        *text = found.ok_or(damaged)?;
        at += length;
    }
    let [etag, last_modified, its_registry, its_name] = texts;
    if its_registry != registry.as_str() || its_name != name.as_str() {
        return Err(Unusable::Other);
    }
    let given = |text: &str| (!text.is_empty()).then(|| text.into());
    let validators = Validators {
        etag: given(etag),
        last_modified: given(last_modified),
        max_age: Duration::from_secs(number(32).ok_or(damaged)?),
        may_be_stored: true,
    };
    Ok((validators, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: EpochMark = EpochMark(1);
    const ELSEWHERE: EpochMark = EpochMark(2);

    fn sample() -> (RegistryKey, PackageName, Validators, Vec<u8>) {
        let registry = RegistryKey::new(&url::Url::parse("https://registry.example/").unwrap());
        let name = PackageName::parse("@a/b").unwrap();
        let validators = Validators {
            etag: Some("W/\"1\"".into()),
            last_modified: Some("Sun, 22 Nov 2026 08:00:00 GMT".into()),
            max_age: Duration::from_secs(77),
            may_be_stored: true,
        };
        let record: Vec<u8> = (0..10_000u32).flat_map(u32::to_le_bytes).collect();
        let bytes = write(&registry, name, &validators, HERE, &record);
        (registry, name, validators, bytes)
    }

    #[test]
    fn what_is_written_is_read() {
        let (registry, name, validators, bytes) = sample();
        let (found, start) = check(&bytes, &registry, name, HERE).unwrap();
        assert_eq!(found, validators);
        assert_eq!(bytes.len() - start, 40_000);
        assert_eq!(start % ALIGNMENT, 0);

        let bytes = write(&registry, name, &Validators::default(), HERE, b"");
        assert_eq!(check(&bytes, &registry, name, HERE).unwrap().0, Validators::default());
    }

    #[test]
    fn any_damage_is_noticed() {
        let (registry, name, _, bytes) = sample();
        let is_damaged =
            |bytes: &[u8]| check(bytes, &registry, name, ELSEWHERE) == Err(Unusable::Damaged);
        for length in [0, 1, 8, 59, 60, 100, bytes.len() / 2, bytes.len() - 1] {
            assert!(is_damaged(&bytes[..length]), "cut to {length}");
        }
        for page in 0..bytes.len().div_ceil(4096) {
            let mut zeroed = bytes.clone();
            let end = zeroed.len().min((page + 1) * 4096);
            zeroed[page * 4096..end].fill(0);
            assert!(is_damaged(&zeroed), "page {page} is zero");
        }
        for at in (8..200).chain([bytes.len() - 1]) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(check(&flipped, &registry, name, ELSEWHERE).is_err(), "byte {at} differs");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(is_damaged(&longer));
    }

    #[test]
    fn a_file_is_used_for_its_own_package_only() {
        let (registry, name, _, bytes) = sample();
        let other_name = PackageName::parse("b").unwrap();
        assert_eq!(check(&bytes, &registry, other_name, HERE), Err(Unusable::Other));
        let other = RegistryKey::new(&url::Url::parse("https://other.example/").unwrap());
        assert_eq!(check(&bytes, &other, name, HERE), Err(Unusable::Other));
        assert_eq!(check(b"other-file", &registry, name, HERE), Err(Unusable::Foreign));
    }

    #[test]
    fn a_record_of_this_epoch_is_not_read_through() {
        let (registry, name, _, mut bytes) = sample();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(check(&bytes, &registry, name, HERE).is_ok());
        // Its length and header are looked at all the same.
        assert!(check(&bytes[..last], &registry, name, HERE).is_err());
        bytes[100] ^= 1;
        assert!(check(&bytes, &registry, name, HERE).is_err());
        // Nobody trusts an epoch that is unknown.
        let unknown = EpochMark::of(None);
        let mut bytes = write(&registry, name, &Validators::default(), unknown, b"record");
        assert!(check(&bytes, &registry, name, unknown).is_ok());
        *bytes.last_mut().unwrap() ^= 1;
        assert!(check(&bytes, &registry, name, unknown).is_err());
    }
}
