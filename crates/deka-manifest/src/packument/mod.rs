//! Packuments: all versions of a package as its registry describes them.
//!
//! A packument can have 21 MB of JSON, of which an install wants one version. So the JSON is never
//! parsed: a [scanner](scan) skips through it once and keeps what installing needs in a flat
//! [record], which is also what lies on disk and is mapped from there. Picking a version looks at
//! the record's table; one version is decoded when it is picked.
//!
//! Registries hold odd versions of long ago. Whatever is wrong with one of them makes that field,
//! or that version, absent and harms no other.

mod blocks;
mod build;
mod manifest;
mod record;
mod scan;
mod time;

use std::fmt;

pub use manifest::VersionManifest;

use crate::semver::{Version, VersionRef};
use crate::{InvalidName, PackageName};
use record::{Layout, VersionRow};

/// All versions of one package.
pub struct Packument {
    record: Box<dyn AsRef<[u8]> + Send + Sync>,
    layout: Layout,
    name: PackageName,
}

/// A version's place in its packument: ascending by precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionIndex(u32);

/// Why a packument cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackumentError {
    /// The registry's answer is cut off or no JSON object.
    #[error("the packument of `{name}` is not valid JSON at byte {offset}")]
    Json {
        /// Whose packument it is.
        name: PackageName,
        /// Where the scanner could not go on.
        offset: usize,
    },
    /// The registry's answer has more in it than a record can hold (4 GiB).
    #[error("the packument of `{name}` is too large")]
    TooLarge {
        /// Whose packument it is.
        name: PackageName,
    },
    /// A stored record is damaged or of another version of deka.
    #[error("a packument's record cannot be used: {reason}")]
    Record {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A stored record is of a package with an impossible name.
    #[error("a packument's record cannot be used")]
    RecordName(#[source] InvalidName),
}

impl Packument {
    /// Builds the packument of `name` from a registry's answer, abbreviated or full.
    ///
    /// Fails if the answer is cut off or no JSON object at all; an object without `versions` is a
    /// packument without versions.
    pub fn from_json(name: PackageName, body: &[u8]) -> Result<Self, PackumentError> {
        let record = build::build(name, body)?;
        let layout = Layout::check(&record)?;
        Ok(Self { record: Box::new(record), layout, name })
    }

    /// Opens a record that [`Packument::record`] gave, such as a memory map of one.
    ///
    /// The tables are checked, so that nothing that is asked later can panic, whatever the bytes.
    pub fn from_record(
        record: impl AsRef<[u8]> + Send + Sync + 'static,
    ) -> Result<Self, PackumentError> {
        let bytes = record.as_ref();
        let layout = Layout::check(bytes)?;
        let name = PackageName::parse(layout.name(bytes)).map_err(PackumentError::RecordName)?;
        Ok(Self { record: Box::new(record), layout, name })
    }

    /// Returns the bytes to store.
    pub fn record(&self) -> &[u8] {
        (*self.record).as_ref()
    }

    /// Returns the package's name.
    pub const fn name(&self) -> PackageName {
        self.name
    }

    /// Whether the registry sent times of publication, as full packuments have them.
    pub const fn has_times(&self) -> bool {
        self.layout.has_times()
    }

    /// Returns the version that a dist-tag points to; `None` also if that version does not exist.
    pub fn dist_tag(&self, tag: &str) -> Option<VersionIndex> {
        // Of equal tags the last counts, as in JavaScript.
        self.dist_tags().filter(|(known, _)| *known == tag).last().map(|(_, version)| version)
    }

    /// Returns all dist-tags with their versions, in declared order.
    pub fn dist_tags(&self) -> impl Iterator<Item = (&str, VersionIndex)> {
        let record = self.record();
        (0..self.layout.tag_count()).map(move |index| {
            let row = self.layout.tag_row(record, index);
            (self.layout.tag_name(record, row), VersionIndex(row.version))
        })
    }

    /// Returns the number of versions.
    pub const fn len(&self) -> usize {
        self.layout.version_count() as usize
    }

    /// Whether there is no version at all, as of a package that was unpublished.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all versions, ascending by precedence.
    pub fn versions(
        &self,
    ) -> impl DoubleEndedIterator<Item = VersionIndex> + ExactSizeIterator + use<> {
        (0..self.layout.version_count()).map(VersionIndex)
    }

    /// Returns a version.
    pub fn version(&self, index: VersionIndex) -> Version {
        self.version_ref(index).to_version()
    }

    /// Returns a version without an allocation, to ask a range about it.
    #[inline]
    pub fn version_ref(&self, index: VersionIndex) -> VersionRef<'_> {
        self.layout.version(self.record(), index.0)
    }

    fn row(&self, index: VersionIndex) -> VersionRow {
        self.layout.version_row(self.record(), index.0)
    }

    /// Whether the version's authors say that it should not be used any more.
    pub fn is_deprecated(&self, index: VersionIndex) -> bool {
        self.row(index).flags & VersionRow::DEPRECATED != 0
    }

    /// Whether the version is a prerelease.
    pub fn is_prerelease(&self, index: VersionIndex) -> bool {
        self.row(index).prerelease_len != 0
    }

    /// Returns when the version was published, in milliseconds since 1970.
    pub fn published(&self, index: VersionIndex) -> Option<i64> {
        Some(self.row(index).published).filter(|published| *published != VersionRow::NO_TIME)
    }

    /// Returns the place of a version. Build metadata counts, unless `version` has none: then the
    /// first version with the same precedence is found too.
    pub fn find(&self, version: &Version) -> Option<VersionIndex> {
        let wanted = version.as_ref();
        let record = self.record();
        let (mut low, mut high) = (0, self.layout.version_count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.layout.version(record, middle) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low == self.layout.version_count() {
            return None;
        }
        let found = self.layout.version(record, low);
        let is_found =
            found == wanted || (wanted.build.is_empty() && found.cmp_precedence(wanted).is_eq());
        is_found.then_some(VersionIndex(low))
    }

    /// Decodes one version. Fails only if the record is damaged.
    pub fn manifest(&self, index: VersionIndex) -> Result<VersionManifest, PackumentError> {
        VersionManifest::decode(self, index)
    }
}

impl fmt::Debug for Packument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packument")
            .field("name", &self.name)
            .field("versions", &self.len())
            .field("has_times", &self.has_times())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
