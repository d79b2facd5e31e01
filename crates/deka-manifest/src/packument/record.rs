//! The record: a packument in bytes that can be mapped from disk and asked without parsing.
//!
//! ```text
//! header    magic and format version, counts, lengths, the package's name
//! tags      dist-tags in declared order: name, version
//! versions  sorted by precedence: numbers, time, flags, prerelease and build, its fields
//! fields    of each version: which one, and where its value lies
//! text      names and prereleases, valid UTF-8
//! values    JSON values of fields as the registry sent them, equal neighbours stored once
//! ```
//! All numbers are little-endian; nothing is aligned. The tables are checked when a record is
//! opened; a value is checked when it is decoded.

use super::PackumentError;
use crate::semver::VersionRef;

/// What a record starts with; the last byte counts the versions of the format.
const MAGIC: &[u8; 8] = b"dekapkm\x01";

const HEADER_LEN: usize = 40;
const TAG_LEN: usize = 12;
const VERSION_LEN: usize = 48;
const FIELD_LEN: usize = 8;

/// The longest value of a field; what is longer is dropped.
pub(super) const MAX_VALUE_LEN: usize = (1 << 24) - 1;

/// What a field of a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Dependencies = 1,
    OptionalDependencies,
    PeerDependencies,
    PeerDependenciesMeta,
    BundleDependencies,
    BundledDependencies,
    Bin,
    DirectoriesBin,
    Os,
    Cpu,
    Libc,
    Tarball,
    Integrity,
    Shasum,
    UnpackedSize,
    FileCount,
    Deprecated,
}

impl Field {
    pub(super) const COUNT: usize = 17;
}

/// A row of the table of versions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct VersionRow {
    pub(super) numbers: [u64; 3],
    /// Milliseconds since 1970, [`VersionRow::NO_TIME`] if not known.
    pub(super) published: i64,
    pub(super) text_start: u32,
    pub(super) fields_start: u32,
    pub(super) prerelease_len: u16,
    pub(super) build_len: u16,
    pub(super) fields_count: u16,
    pub(super) flags: u16,
}

impl VersionRow {
    pub(super) const NO_TIME: i64 = i64::MIN;
    pub(super) const DEPRECATED: u16 = 1;
    pub(super) const INSTALL_SCRIPT: u16 = 2;

    fn write(&self, out: &mut Vec<u8>) {
        for number in self.numbers {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.published.to_le_bytes());
        out.extend_from_slice(&self.text_start.to_le_bytes());
        out.extend_from_slice(&self.fields_start.to_le_bytes());
        for short in [self.prerelease_len, self.build_len, self.fields_count, self.flags] {
            out.extend_from_slice(&short.to_le_bytes());
        }
    }

    fn read(row: &[u8]) -> Self {
        Self {
            numbers: [u64_at(row, 0), u64_at(row, 8), u64_at(row, 16)],
            published: u64_at(row, 24).cast_signed(),
            text_start: u32_at(row, 32),
            fields_start: u32_at(row, 36),
            prerelease_len: u16_at(row, 40),
            build_len: u16_at(row, 42),
            fields_count: u16_at(row, 44),
            flags: u16_at(row, 46),
        }
    }

    /// Returns the version, whose texts lie in `text`.
    pub(super) fn version(self, text: &str) -> VersionRef<'_> {
        let start = self.text_start as usize;
        let middle = start + usize::from(self.prerelease_len);
        let end = middle + usize::from(self.build_len);
        VersionRef {
            major: self.numbers[0],
            minor: self.numbers[1],
            patch: self.numbers[2],
            prerelease: text.get(start..middle).unwrap_or_default(),
            build: text.get(middle..end).unwrap_or_default(),
        }
    }
}

/// A row of the table of dist-tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct TagRow {
    pub(super) text_start: u32,
    pub(super) text_len: u32,
    pub(super) version: u32,
}

/// A row of the table of fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldRow {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) field: u8,
}

/// The parts of a record before they are written.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) name: (u32, u32),
    pub(super) has_times: bool,
    pub(super) tags: Vec<TagRow>,
    pub(super) versions: Vec<VersionRow>,
    pub(super) fields: Vec<FieldRow>,
    pub(super) text: String,
    pub(super) values: Vec<u8>,
}

impl Parts {
    /// Writes the record; `None` if it would be longer than its numbers can tell.
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let len = HEADER_LEN
            + self.tags.len() * TAG_LEN
            + self.versions.len() * VERSION_LEN
            + self.fields.len() * FIELD_LEN
            + self.text.len()
            + self.values.len();
        u32::try_from(len).ok()?;
        let mut out = Vec::with_capacity(len);
        out.extend_from_slice(MAGIC);
        for number in [
            u32::from(self.has_times),
            self.name.0,
            self.name.1,
            self.tags.len() as u32,
            self.versions.len() as u32,
            self.fields.len() as u32,
            self.text.len() as u32,
            self.values.len() as u32,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for tag in &self.tags {
            for number in [tag.text_start, tag.text_len, tag.version] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        for version in &self.versions {
            version.write(&mut out);
        }
        for field in &self.fields {
            out.extend_from_slice(&field.start.to_le_bytes());
            out.extend_from_slice(&(u32::from(field.field) << 24 | field.len).to_le_bytes());
        }
        out.extend_from_slice(self.text.as_bytes());
        out.extend_from_slice(&self.values);
        Some(out)
    }
}

/// Where the parts of an opened record lie. Reading outside them gives zeros, never a panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    name: (u32, u32),
    has_times: bool,
    tags: usize,
    tag_count: u32,
    versions: usize,
    version_count: u32,
    fields: usize,
    text: usize,
    values: usize,
    end: usize,
}

impl Layout {
    /// Checks the header and the tables of a record.
    pub(super) fn check(record: &[u8]) -> Result<Self, PackumentError> {
        let broken = |reason| PackumentError::Record { reason };
        if !record.starts_with(MAGIC) {
            return Err(broken("it does not start as records of this version of deka do"));
        }
        if record.len() < HEADER_LEN || u32::try_from(record.len()).is_err() {
            return Err(broken("its length is impossible"));
        }
        let number = |index: usize| u32_at(record, 8 + 4 * index);
        let [
            flags,
            name_start,
            name_len,
            tag_count,
            version_count,
            field_count,
            text_len,
            values_len,
        ] = std::array::from_fn(number);
        let tags = HEADER_LEN;
        let mut end = tags as u64;
        let mut section = |count: u32, size: usize| {
            let start = end;
            end += u64::from(count) * size as u64;
            start as usize
        };
        section(tag_count, TAG_LEN);
        let versions = section(version_count, VERSION_LEN);
        let fields = section(field_count, FIELD_LEN);
        let text = section(text_len, 1);
        let values = section(values_len, 1);
        if end != record.len() as u64 {
            return Err(broken("its parts do not add up to its length"));
        }
        let layout = Self {
            name: (name_start, name_len),
            has_times: flags & 1 != 0,
            tags,
            tag_count,
            versions,
            version_count,
            fields,
            text,
            values,
            end: record.len(),
        };
        let text = record.get(text..values).unwrap_or_default();
        let text = std::str::from_utf8(text).map_err(|_| broken("its names are not UTF-8"))?;
        let lies_in_text = |start: u32, len: usize| {
            let start = start as usize;
            text.get(start..start + len).is_some()
        };
        let tags_fit = (0..tag_count).map(|index| layout.tag_row(record, index)).all(|tag| {
            tag.version < version_count && lies_in_text(tag.text_start, tag.text_len as usize)
        });
        let versions_fit =
            (0..version_count).map(|index| layout.version_row(record, index)).all(|row| {
                let end = u64::from(row.fields_start) + u64::from(row.fields_count);
                end <= u64::from(field_count)
                    && lies_in_text(row.text_start, usize::from(row.prerelease_len))
                    && lies_in_text(
                        row.text_start,
                        usize::from(row.prerelease_len) + usize::from(row.build_len),
                    )
            });
        if !lies_in_text(name_start, name_len as usize) || !tags_fit || !versions_fit {
            return Err(broken("its tables point outside of it"));
        }
        Ok(layout)
    }

    pub(super) const fn has_times(&self) -> bool {
        self.has_times
    }

    pub(super) const fn tag_count(&self) -> u32 {
        self.tag_count
    }

    pub(super) const fn version_count(&self) -> u32 {
        self.version_count
    }

    pub(super) fn name<'a>(&self, record: &'a [u8]) -> &'a str {
        self.text_at(record, self.name.0, self.name.1)
    }

    fn text_at<'a>(&self, record: &'a [u8], start: u32, len: u32) -> &'a str {
        let start = self.text + start as usize;
        let bytes = record.get(start..start + len as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub(super) fn tag_row(&self, record: &[u8], index: u32) -> TagRow {
        let start = self.tags + index as usize * TAG_LEN;
        TagRow {
            text_start: u32_at(record, start),
            text_len: u32_at(record, start + 4),
            version: u32_at(record, start + 8),
        }
    }

    pub(super) fn tag_name<'a>(&self, record: &'a [u8], row: TagRow) -> &'a str {
        self.text_at(record, row.text_start, row.text_len)
    }

    #[inline]
    pub(super) fn version_row(&self, record: &[u8], index: u32) -> VersionRow {
        let start = self.versions + index as usize * VERSION_LEN;
        record.get(start..start + VERSION_LEN).map(VersionRow::read).unwrap_or_default()
    }

    #[inline]
    pub(super) fn version<'a>(&self, record: &'a [u8], index: u32) -> VersionRef<'a> {
        let row = self.version_row(record, index);
        let len = u32::from(row.prerelease_len) + u32::from(row.build_len);
        if len == 0 {
            return row.version("");
        }
        let text = self.text_at(record, row.text_start, len);
        VersionRow { text_start: 0, ..row }.version(text)
    }

    /// Returns the fields of one version with their values.
    pub(super) fn fields<'a>(
        &self,
        record: &'a [u8],
        row: VersionRow,
    ) -> impl Iterator<Item = Result<(u8, &'a [u8]), PackumentError>> {
        let layout = *self;
        (0..usize::from(row.fields_count)).map(move |index| {
            let start = layout.fields + (row.fields_start as usize + index) * FIELD_LEN;
            let (value_start, field_and_len) = (u32_at(record, start), u32_at(record, start + 4));
            let start = layout.values + value_start as usize;
            let end = start + (field_and_len & MAX_VALUE_LEN as u32) as usize;
            match record.get(start..end) {
                Some(value) if end <= layout.end => Ok(((field_and_len >> 24) as u8, value)),
                _ => Err(PackumentError::Record { reason: "a value lies outside of it" }),
            }
        })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
