//! Which version of a package a range or a dist-tag gets.
//!
//! The rules are Bun 1.4's, because both have to write the same lockfile:
//!
//! 1. a dist-tag is what it says, `*` is `latest` even if that is a prerelease,
//! 2. `latest` if it lies in the range, even if there are higher versions in it,
//! 3. else the highest stable version, else (only if the range names a prerelease) the highest
//!    prerelease,
//! 4. deprecated versions only if nothing else lies in the range,
//! 5. and before all that: nothing that is younger than the minimum release age.

use deka_manifest::{PackageName, Packument, Range, Version, VersionIndex};
use hashbrown::HashSet;

/// The tag that a plain `npm install name` follows.
const LATEST: &str = "latest";
/// How far the search for a version that was not replaced at once goes back behind the gate, and
/// how long a version has to have stood at most.
const STABILITY_WINDOW_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Versions that were published too recently are not picked.
#[derive(Debug, Clone)]
pub struct ReleaseAge {
    /// The age that a version has to have, in milliseconds.
    pub minimum_ms: i64,
    /// The present, in milliseconds since 1970.
    pub now_ms: i64,
    /// Packages whose versions may be of any age.
    pub excludes: HashSet<PackageName>,
}

/// What is asked of a packument.
#[derive(Debug, Clone, Copy)]
pub enum Query<'a> {
    /// A version in the range.
    Range(&'a Range),
    /// What the dist-tag points to.
    Tag(&'a str),
}

/// Why no version was picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPick {
    /// No version lies in the range.
    NoMatch,
    /// There is no such dist-tag.
    NoTag,
    /// All that would do were published too recently.
    TooRecent,
}

/// Picks the version of `packument` that `query` gets.
pub fn pick(
    packument: &Packument,
    query: Query<'_>,
    release_age: Option<&ReleaseAge>,
) -> Result<VersionIndex, NoPick> {
    let gate = release_age
        .filter(|age| age.minimum_ms > 0 && !age.excludes.contains(&packument.name()))
        .map(|age| Gate { packument, age });
    match query {
        Query::Tag(tag) => pick_tag(packument, tag, gate.as_ref()),
        Query::Range(range) => pick_in_range(packument, range, gate.as_ref()),
    }
}

fn pick_tag(
    packument: &Packument,
    tag: &str,
    gate: Option<&Gate<'_>>,
) -> Result<VersionIndex, NoPick> {
    let tagged = match packument.dist_tag(tag) {
        Some(tagged) => tagged,
        None if tag == LATEST => latest(packument).ok_or(NoPick::NoTag)?,
        None => return Err(NoPick::NoTag),
    };
    match gate {
        Some(gate) if gate.is_too_recent(tagged) => {
            gate.older_than_tagged(tagged).ok_or(NoPick::TooRecent)
        }
        _ => Ok(tagged),
    }
}

/// Returns what `latest` means: the dist-tag, or the highest stable version where a registry lacks
/// it (or where it points to nothing).
fn latest(packument: &Packument) -> Option<VersionIndex> {
    packument
        .dist_tag(LATEST)
        .or_else(|| packument.versions().rfind(|index| !packument.is_prerelease(*index)))
        .or_else(|| packument.versions().next_back())
}

fn pick_in_range(
    packument: &Packument,
    range: &Range,
    gate: Option<&Gate<'_>>,
) -> Result<VersionIndex, NoPick> {
    if let Some(version) = range.is_exact() {
        let found = packument.find(version).ok_or(NoPick::NoMatch)?;
        return match gate {
            Some(gate) if gate.is_too_recent(found) => Err(NoPick::TooRecent),
            _ => Ok(found),
        };
    }
    let mut was_too_recent = false;
    if let Some(latest) = latest(packument)
        && !packument.is_deprecated(latest)
        && (range.is_star() || range.satisfies_ref(packument.version_ref(latest)))
    {
        let is_too_recent = gate.is_some_and(|gate| gate.is_too_recent(latest));
        was_too_recent = is_too_recent;
        // A range that names a prerelease wants to go on from there, unless `latest` is just that.
        if !is_too_recent && (!range.has_prerelease() || is_lower_bound(packument, latest, range)) {
            return Ok(latest);
        }
    }
    for deprecated_too in [false, true] {
        for prereleases in [false, true] {
            if prereleases && !range.has_prerelease() {
                continue;
            }
            let candidates = packument.versions().rev().filter(|index| {
                packument.is_prerelease(*index) == prereleases
                    && (deprecated_too || !packument.is_deprecated(*index))
                    && range.satisfies_ref(packument.version_ref(*index))
            });
            let found = match gate {
                None => candidates.into_iter().next(),
                Some(gate) => gate.first_settled(candidates, &mut was_too_recent),
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }
    Err(if was_too_recent { NoPick::TooRecent } else { NoPick::NoMatch })
}

/// Whether the range starts with exactly this version.
fn is_lower_bound(packument: &Packument, version: VersionIndex, range: &Range) -> bool {
    let text = range.to_string();
    let first = text.split([' ', '|']).next().unwrap_or_default();
    Version::parse(first.trim_start_matches(['>', '<', '=']))
        .is_ok_and(|bound| bound.as_ref().cmp_precedence(packument.version_ref(version)).is_eq())
}

/// The minimum release age, applied to one packument.
struct Gate<'a> {
    packument: &'a Packument,
    age: &'a ReleaseAge,
}

impl Gate<'_> {
    /// Returns when the version was published; what nobody knows was long ago.
    fn published(&self, version: VersionIndex) -> i64 {
        self.packument.published(version).unwrap_or(0)
    }

    fn is_too_recent(&self, version: VersionIndex) -> bool {
        self.published(version) > self.age.now_ms.saturating_sub(self.age.minimum_ms)
    }

    /// Returns the first of `candidates` (highest first) that is old enough; if younger ones stand
    /// before it, the first that was not replaced by its successor within the stability window.
    fn first_settled(
        &self,
        candidates: impl Iterator<Item = VersionIndex>,
        was_too_recent: &mut bool,
    ) -> Option<VersionIndex> {
        let mut walk = Walk { gate: self, successor: None, fallback: None };
        for version in candidates {
            if self.is_too_recent(version) {
                *was_too_recent = true;
                walk.successor = Some(version);
            } else if let Some(settled) = walk.visit(version) {
                return Some(settled);
            }
        }
        walk.fallback
    }

    /// Returns what to take instead of a tagged version that is too recent: the next older of the
    /// same kind (stable, or with the same word of prerelease: `beta` for `beta.3`).
    fn older_than_tagged(&self, tagged: VersionIndex) -> Option<VersionIndex> {
        let word = |version: VersionIndex| {
            let prerelease = self.packument.version_ref(version).prerelease;
            prerelease.split_once('.').map_or(prerelease, |(word, _)| word)
        };
        let mut walk = Walk { gate: self, successor: Some(tagged), fallback: None };
        for version in self.packument.versions().rev() {
            if version > tagged
                || self.packument.is_prerelease(version) != self.packument.is_prerelease(tagged)
                || word(version) != word(tagged)
            {
                continue;
            }
            if self.is_too_recent(version) {
                walk.successor = Some(version);
            } else if let Some(settled) = walk.visit(version) {
                return Some(settled);
            }
        }
        walk.fallback
    }
}

/// The walk from young versions to older ones.
struct Walk<'a> {
    gate: &'a Gate<'a>,
    /// The version visited before, if the walk has to ask how long the next one stood.
    successor: Option<VersionIndex>,
    /// What to take if no version stood long enough.
    fallback: Option<VersionIndex>,
}

impl Walk<'_> {
    /// Visits a version that is old enough; returns what to take if the walk ends here.
    fn visit(&mut self, version: VersionIndex) -> Option<VersionIndex> {
        let Some(successor) = self.successor else { return Some(version) };
        let ReleaseAge { minimum_ms, now_ms, .. } = *self.gate.age;
        let published = self.gate.published(version);
        let oldest = now_ms.saturating_sub(minimum_ms).saturating_sub(STABILITY_WINDOW_MS);
        if published < oldest {
            return Some(self.fallback.unwrap_or(version));
        }
        let stood = self.gate.published(successor).saturating_sub(published);
        if stood >= minimum_ms.min(STABILITY_WINDOW_MS) {
            return Some(version);
        }
        self.fallback.get_or_insert(version);
        self.successor = Some(version);
        None
    }
}

#[cfg(test)]
mod tests;
