//! From the registry's JSON to a record.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::record::{Field, FieldRow, MAX_VALUE_LEN, Parts, TagRow, VersionRow};
use super::scan::{Scanner, read_string};
use super::{PackumentError, time};
use crate::PackageName;
use crate::semver::VersionRef;

/// Scans a packument's JSON and writes its record.
pub(super) fn build(name: PackageName, body: &[u8]) -> Result<Vec<u8>, PackumentError> {
    let mut scanner = Scanner::new(body);
    scanner.skip_bom();
    let mut builder = Builder::default();
    let is_object = builder.scan(&mut scanner).is_some();
    if !is_object || scanner.peek().is_some() {
        return Err(PackumentError::Json { name, offset: scanner.position() });
    }
    builder.finish(name).ok_or(PackumentError::TooLarge { name })
}

#[derive(Default)]
struct Builder<'a> {
    parts: Parts,
    /// The key of each version in `parts.versions`, as it stands in the JSON.
    keys: Vec<Cow<'a, [u8]>>,
    tags: Vec<(Cow<'a, [u8]>, Cow<'a, str>)>,
    times: Option<&'a [u8]>,
    /// The last value of each field and where it was stored.
    last: [(&'a [u8], u32); Field::COUNT + 1],
}

/// What is known of a version while it is scanned.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<&'a [u8]>; Field::COUNT + 1],
    has_install_script: Option<bool>,
    scripts: bool,
}

impl<'a> Fields<'a> {
    fn set(&mut self, field: Field, value: &'a [u8]) {
        let is_empty = matches!(value, b"null" | b"{}" | b"[]");
        // An empty `bundleDependencies` still hides `bundledDependencies`.
        let is_nothing =
            (is_empty && field != Field::BundleDependencies) || value.len() > MAX_VALUE_LEN;
        self.values[field as usize] = (!is_nothing).then_some(value);
    }

    fn scan(&mut self, scanner: &mut Scanner<'a>) -> Option<()> {
        scanner.object(|scanner, key| {
            let field = match &*key {
                b"dependencies" => Field::Dependencies,
                b"optionalDependencies" => Field::OptionalDependencies,
                b"peerDependencies" => Field::PeerDependencies,
                b"peerDependenciesMeta" => Field::PeerDependenciesMeta,
                b"bundleDependencies" => Field::BundleDependencies,
                b"bundledDependencies" => Field::BundledDependencies,
                b"bin" => Field::Bin,
                b"os" => Field::Os,
                b"cpu" => Field::Cpu,
                b"libc" => Field::Libc,
                b"deprecated" => Field::Deprecated,
                b"dist" => return self.scan_dist(scanner),
                b"directories" => {
                    return scanner.object_or_skip(|scanner, key| {
                        let value = scanner.skip()?;
                        if &*key == b"bin" {
                            self.set(Field::DirectoriesBin, value);
                        }
                        Some(())
                    });
                }
                b"hasInstallScript" => {
                    self.has_install_script = match scanner.skip()? {
                        b"true" => Some(true),
                        b"false" => Some(false),
                        _ => None,
                    };
                    return Some(());
                }
                b"scripts" => {
                    self.scripts = false;
                    return scanner.object_or_skip(|scanner, key| {
                        let value = scanner.skip()?;
                        self.scripts |=
                            matches!(&*key, b"preinstall" | b"install" | b"postinstall")
                                && value.starts_with(b"\"")
                                && value != b"\"\"";
                        Some(())
                    });
                }
                _ => return scanner.skip().map(|_| ()),
            };
            let value = scanner.skip()?;
            self.set(field, value);
            Some(())
        })
    }

    fn scan_dist(&mut self, scanner: &mut Scanner<'a>) -> Option<()> {
        scanner.object_or_skip(|scanner, key| {
            let value = scanner.skip()?;
            match &*key {
                b"tarball" => self.set(Field::Tarball, value),
                b"integrity" => self.set(Field::Integrity, value),
                b"shasum" => self.set(Field::Shasum, value),
                b"unpackedSize" => self.set(Field::UnpackedSize, value),
                b"fileCount" => self.set(Field::FileCount, value),
                _ => {}
            }
            Some(())
        })
    }

    fn flags(&self) -> u16 {
        let mut flags = 0;
        if self.has_install_script.unwrap_or(self.scripts) {
            flags |= VersionRow::INSTALL_SCRIPT;
        }
        // `false`, `""` and odd shapes do not deprecate.
        if self.values[Field::Deprecated as usize]
            .is_some_and(|value| value == b"true" || (value.starts_with(b"\"") && value != b"\"\""))
        {
            flags |= VersionRow::DEPRECATED;
        }
        flags
    }

    /// Drops what will not be asked for.
    fn prune(&mut self, flags: u16) {
        if flags & VersionRow::DEPRECATED == 0 {
            self.values[Field::Deprecated as usize] = None;
        }
        // The quoted text of a SHA-512: nobody will need a SHA-1 besides.
        let has_sha512 = self.values[Field::Integrity as usize]
            .is_some_and(|value| value.starts_with(b"\"sha512-") && value.len() == 97);
        if has_sha512 {
            self.values[Field::Shasum as usize] = None;
        }
    }
}

impl<'a> Builder<'a> {
    fn scan(&mut self, scanner: &mut Scanner<'a>) -> Option<()> {
        scanner.object(|scanner, key| match &*key {
            b"versions" => {
                self.clear_versions();
                scanner.object_or_skip(|scanner, key| self.scan_version(scanner, key))
            }
            b"dist-tags" => {
                self.tags.clear();
                scanner.object_or_skip(|scanner, tag| {
                    let value = scanner.skip()?;
                    if let Some(version) = read_string(value) {
                        self.tags.push((tag, version));
                    }
                    Some(())
                })
            }
            b"time" => {
                self.times = Some(scanner.skip()?).filter(|value| value.starts_with(b"{"));
                Some(())
            }
            _ => scanner.skip().map(|_| ()),
        })
    }

    /// Forgets what an earlier `versions` said: of equal keys the last counts.
    fn clear_versions(&mut self) {
        *self = Self { tags: std::mem::take(&mut self.tags), times: self.times, ..Self::default() };
    }

    fn scan_version(&mut self, scanner: &mut Scanner<'a>, key: Cow<'a, [u8]>) -> Option<()> {
        if scanner.peek()? != b'{' {
            return scanner.skip().map(|_| ());
        }
        let mut fields = Fields::default();
        fields.scan(scanner)?;
        let Some(version) = std::str::from_utf8(&key).ok().and_then(VersionRef::parse) else {
            return Some(());
        };
        let flags = fields.flags();
        fields.prune(flags);
        let text_start = self.parts.text.len() as u32;
        self.parts.text.push_str(version.prerelease);
        self.parts.text.push_str(version.build);
        let mut row = VersionRow {
            numbers: [version.major, version.minor, version.patch],
            published: VersionRow::NO_TIME,
            text_start,
            fields_start: self.parts.fields.len() as u32,
            prerelease_len: version.prerelease.len() as u16,
            build_len: version.build.len() as u16,
            fields_count: 0,
            flags,
        };
        for (field, value) in fields.values.iter().enumerate() {
            let Some(value) = *value else { continue };
            let (last, start) = &mut self.last[field];
            if *last != value {
                *last = value;
                *start = self.parts.values.len() as u32;
                self.parts.values.extend_from_slice(value);
            }
            self.parts.fields.push(FieldRow {
                start: *start,
                len: value.len() as u32,
                field: field as u8,
            });
            row.fields_count += 1;
        }
        self.parts.versions.push(row);
        self.keys.push(key);
        Some(())
    }

    fn finish(mut self, name: PackageName) -> Option<Vec<u8>> {
        self.read_times();
        self.sort_versions();
        self.resolve_tags();
        let start = self.parts.text.len() as u32;
        self.parts.text.push_str(name.as_str());
        self.parts.name = (start, name.as_str().len() as u32);
        self.parts.write()
    }

    fn read_times(&mut self) {
        let Some(times) = self.times else { return };
        self.parts.has_times = true;
        let rows: HashMap<&[u8], usize> =
            self.keys.iter().enumerate().map(|(row, key)| (&**key, row)).collect();
        let versions = &mut self.parts.versions;
        // What comes behind a broken entry is not known, and that is all.
        let _ = Scanner::new(times).object(|scanner, key| {
            let value = scanner.skip()?;
            if let Some(row) = rows.get(&*key).and_then(|row| versions.get_mut(*row))
                && let Some(published) = read_string(value).and_then(|text| time::parse(&text))
            {
                row.published = published;
            }
            Some(())
        });
    }

    /// Sorts by precedence. Of two keys that are the same version (`1.2.3` and `v1.2.3`) the one
    /// that reads like it stays, of two such the last.
    fn sort_versions(&mut self) {
        let text = &self.parts.text;
        let mut order: Vec<(VersionRow, bool)> = self
            .parts
            .versions
            .iter()
            .zip(&self.keys)
            .map(|(row, key)| (*row, key.first().is_some_and(u8::is_ascii_digit)))
            .collect();
        // The sort is stable and quick where the registry has sorted already.
        order.sort_by(|left, right| {
            left.0.version(text).cmp(&right.0.version(text)).then(left.1.cmp(&right.1))
        });
        // `dedup_by` hands over the later element first and removes that one.
        order.reverse();
        order.dedup_by(|later, earlier| later.0.version(text) == earlier.0.version(text));
        order.reverse();
        self.parts.versions = order.into_iter().map(|(row, _)| row).collect();
    }

    fn resolve_tags(&mut self) {
        for (tag, version) in std::mem::take(&mut self.tags) {
            let (Ok(tag), Some(version)) = (std::str::from_utf8(&tag), VersionRef::parse(&version))
            else {
                continue;
            };
            let found = self
                .parts
                .versions
                .binary_search_by(|row| row.version(&self.parts.text).cmp(&version));
            if let Ok(index) = found {
                self.parts.tags.push(TagRow {
                    text_start: self.parts.text.len() as u32,
                    text_len: tag.len() as u32,
                    version: index as u32,
                });
                self.parts.text.push_str(tag);
            }
        }
    }
}
