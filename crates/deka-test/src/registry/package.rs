//! Building and publishing one version.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use ring::digest;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::Registry;
use crate::archive::{Tar, gzip};

/// One version of a package before it is published.
///
/// What is set here goes both into the `package.json` of the tarball and into the packument, as
/// when npm publishes; [`Self::packument_field`] and [`Self::package_json`] make them differ.
#[derive(Debug)]
pub struct PackageBuilder<'a> {
    registry: &'a Registry,
    name: String,
    version: String,
    manifest: Map<String, Value>,
    files: Vec<(String, Vec<u8>, bool)>,
    package_json: Option<Vec<u8>>,
    tarball: Option<Vec<u8>>,
    tarball_url: Option<String>,
    integrity: IntegrityStyle,
    packument_fields: Vec<(String, Value)>,
    dist_fields: Vec<(String, Value)>,
    tags: Vec<String>,
    published: Option<String>,
}

#[derive(Debug)]
enum IntegrityStyle {
    Sha512,
    ShasumOnly,
    Absent,
    Exactly(String),
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The bytes that the registry serves.
    pub tarball: Bytes,
    /// The right SRI string for them, sha512.
    pub integrity: String,
    /// The right SHA-1 of them, in hex.
    pub shasum: String,
    /// Where the registry serves them, such as `/a/-/a-1.0.0.tgz`.
    pub path: String,
}

/// The path of a version's tarball: `/<name>/-/<name without scope>-<version>.tgz`.
pub(crate) fn tarball_path(name: &str, version: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    format!("/{name}/-/{base}-{version}.tgz")
}

impl<'a> PackageBuilder<'a> {
    pub(crate) fn new(registry: &'a Registry, name: &str, version: &str) -> Self {
        let mut manifest = Map::new();
        manifest.insert("name".to_owned(), name.into());
        manifest.insert("version".to_owned(), version.into());
        Self {
            registry,
            name: name.to_owned(),
            version: version.to_owned(),
            manifest,
            files: Vec::new(),
            package_json: None,
            tarball: None,
            tarball_url: None,
            integrity: IntegrityStyle::Sha512,
            packument_fields: Vec::new(),
            dist_fields: Vec::new(),
            tags: Vec::new(),
            published: None,
        }
    }

    /// Adds to `dependencies`.
    #[must_use]
    pub fn dep(self, alias: &str, spec: &str) -> Self {
        self.entry("dependencies", alias, spec)
    }

    /// Adds to `devDependencies`.
    #[must_use]
    pub fn dev(self, alias: &str, spec: &str) -> Self {
        self.entry("devDependencies", alias, spec)
    }

    /// Adds to `optionalDependencies`.
    #[must_use]
    pub fn optional(self, alias: &str, spec: &str) -> Self {
        self.entry("optionalDependencies", alias, spec)
    }

    /// Adds to `peerDependencies`.
    #[must_use]
    pub fn peer(self, alias: &str, spec: &str) -> Self {
        self.entry("peerDependencies", alias, spec)
    }

    /// Adds to `peerDependencies` and marks it optional in `peerDependenciesMeta`.
    #[must_use]
    pub fn optional_peer(self, alias: &str, spec: &str) -> Self {
        self.peer(alias, spec).peer_meta(alias)
    }

    /// Marks a peer optional in `peerDependenciesMeta`, whether or not it is listed as a peer.
    #[must_use]
    pub fn peer_meta(self, alias: &str) -> Self {
        self.value("peerDependenciesMeta", alias, json!({ "optional": true }))
    }

    /// Adds to `bundleDependencies`; the files are added with [`Self::file`].
    #[must_use]
    pub fn bundle(mut self, name: &str) -> Self {
        match self.manifest.entry("bundleDependencies").or_insert_with(|| json!([])) {
            Value::Array(names) => names.push(name.into()),
            other => panic!("bundleDependencies is not a list: {other}"),
        }
        self
    }

    /// Adds a command to the `bin` object; the file is added with [`Self::executable`].
    #[must_use]
    pub fn bin(self, command: &str, path: &str) -> Self {
        self.entry("bin", command, path)
    }

    /// Sets `bin` to a plain string.
    #[must_use]
    pub fn bin_path(self, path: &str) -> Self {
        self.field("bin", path.into())
    }

    /// Sets `directories.bin`.
    #[must_use]
    pub fn bin_folder(self, path: &str) -> Self {
        self.entry("directories", "bin", path)
    }

    /// Adds a script, such as `postinstall`.
    #[must_use]
    pub fn script(self, event: &str, command: &str) -> Self {
        self.entry("scripts", event, command)
    }

    /// Adds to `engines`.
    #[must_use]
    pub fn engine(self, name: &str, range: &str) -> Self {
        self.entry("engines", name, range)
    }

    /// Sets `os`.
    #[must_use]
    pub fn os(self, names: &[&str]) -> Self {
        self.field("os", json!(names))
    }

    /// Sets `cpu`.
    #[must_use]
    pub fn cpu(self, names: &[&str]) -> Self {
        self.field("cpu", json!(names))
    }

    /// Sets `libc`, which abbreviated packuments leave out as the public registry's do.
    #[must_use]
    pub fn libc(self, names: &[&str]) -> Self {
        self.field("libc", json!(names))
    }

    /// Marks the version as deprecated; npm keeps that out of the tarball.
    #[must_use]
    pub fn deprecated(self, message: &str) -> Self {
        self.packument_field("deprecated", message.into())
    }

    /// Sets a field of the manifest, in the tarball and in the packument.
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.manifest.insert(name.to_owned(), value);
        self
    }

    /// Sets a field of the version in the packument only.
    #[must_use]
    pub fn packument_field(mut self, name: &str, value: Value) -> Self {
        self.packument_fields.push((name.to_owned(), value));
        self
    }

    /// Sets a field of `dist` in the packument.
    #[must_use]
    pub fn dist_field(mut self, name: &str, value: Value) -> Self {
        self.dist_fields.push((name.to_owned(), value));
        self
    }

    /// Adds a file to the tarball, mode 0644.
    #[must_use]
    pub fn file(mut self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        self.files.push((path.to_owned(), contents.as_ref().to_vec(), false));
        self
    }

    /// Adds a file to the tarball, mode 0755.
    #[must_use]
    pub fn executable(mut self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        self.files.push((path.to_owned(), contents.as_ref().to_vec(), true));
        self
    }

    /// Puts other bytes than the manifest into the tarball's `package.json`.
    #[must_use]
    pub fn package_json(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.package_json = Some(bytes.as_ref().to_vec());
        self
    }

    /// Serves these bytes as the tarball, with the right integrity unless told otherwise.
    #[must_use]
    pub fn tarball(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.tarball = Some(bytes.into());
        self
    }

    /// Writes this into `dist.tarball`, whatever is served where.
    #[must_use]
    pub fn tarball_url(mut self, url: &str) -> Self {
        self.tarball_url = Some(url.to_owned());
        self
    }

    /// Leaves out `dist.integrity`, as for versions of before 2017: only `dist.shasum` is there.
    #[must_use]
    pub fn shasum_only(mut self) -> Self {
        self.integrity = IntegrityStyle::ShasumOnly;
        self
    }

    /// Leaves out both `dist.integrity` and `dist.shasum`.
    #[must_use]
    pub fn without_integrity(mut self) -> Self {
        self.integrity = IntegrityStyle::Absent;
        self
    }

    /// Writes this into `dist.integrity`, right or wrong.
    #[must_use]
    pub fn integrity(mut self, integrity: &str) -> Self {
        self.integrity = IntegrityStyle::Exactly(integrity.to_owned());
        self
    }

    /// Points a dist-tag at this version.
    ///
    /// Without it, `latest` is the version without prerelease that was published last, or the
    /// last one where all are prereleases.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// When it was published, such as `2026-01-01T00:00:00.000Z`. Else versions are a day apart,
    /// the first on the second day of 2020.
    #[must_use]
    pub fn published(mut self, time: &str) -> Self {
        self.published = Some(time.to_owned());
        self
    }

    /// Makes the version visible to clients; a version that is there already is replaced.
    pub fn publish(self) -> Published {
        let tarball = Bytes::from(match self.tarball {
            Some(bytes) => bytes,
            None => pack(self.package_json.as_deref(), &self.manifest, &self.files),
        });
        let integrity = sha512(&tarball);
        let shasum = hex(&Sha1::digest(&tarball));
        let path = tarball_path(&self.name, &self.version);

        let mut dist = Map::new();
        match &self.integrity {
            IntegrityStyle::Sha512 => {
                dist.insert("integrity".to_owned(), integrity.as_str().into());
                dist.insert("shasum".to_owned(), shasum.as_str().into());
            }
            IntegrityStyle::Exactly(text) => {
                dist.insert("integrity".to_owned(), text.as_str().into());
                dist.insert("shasum".to_owned(), shasum.as_str().into());
            }
            IntegrityStyle::ShasumOnly => {
                dist.insert("shasum".to_owned(), shasum.as_str().into());
            }
            IntegrityStyle::Absent => {}
        }
        // A path here becomes a URL of the host that the packument is asked from.
        dist.insert("tarball".to_owned(), self.tarball_url.unwrap_or_else(|| path.clone()).into());
        let unpacked: usize = self.files.iter().map(|(_, contents, _)| contents.len()).sum();
        dist.insert("fileCount".to_owned(), (self.files.len() + 1).into());
        dist.insert("unpackedSize".to_owned(), unpacked.into());
        dist.extend(self.dist_fields);

        let mut manifest = self.manifest;
        manifest.insert("_id".to_owned(), format!("{}@{}", self.name, self.version).into());
        manifest.insert("dist".to_owned(), dist.into());
        manifest.extend(self.packument_fields);

        let mut state = self.registry.shared.lock();
        state.rendered.clear();
        state.published += 1;
        let time = self.published.unwrap_or_else(|| day(state.published));
        state.tarballs.insert(path.clone(), tarball.clone());
        let package = state.packages.entry_ref(&self.name).or_default();
        package.versions.retain(|(version, _)| *version != self.version);
        package.versions.push((self.version.clone(), manifest));
        package.times.retain(|(version, _)| *version != self.version);
        package.times.push((self.version.clone(), time));
        for tag in &self.tags {
            package.latest_is_chosen |= tag == "latest";
            package.set_tag(tag, &self.version);
        }
        if !package.latest_is_chosen {
            let has_stable = package.versions.iter().any(|(version, _)| !is_prerelease(version));
            if !has_stable || !is_prerelease(&self.version) {
                package.set_tag("latest", &self.version);
            }
        }
        Published { tarball, integrity, shasum, path }
    }

    fn entry(self, field: &str, key: &str, value: &str) -> Self {
        self.value(field, key, value.into())
    }

    fn value(mut self, field: &str, key: &str, value: Value) -> Self {
        match self.manifest.entry(field).or_insert_with(|| json!({})) {
            Value::Object(object) => object.insert(key.to_owned(), value),
            other => panic!("`{field}` is not an object: {other}"),
        };
        self
    }
}

/// The SRI string of `bytes`, sha512.
pub fn sha512(bytes: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA512, bytes);
    format!("sha512-{}", BASE64_STANDARD.encode(hash.as_ref()))
}

fn pack(
    package_json: Option<&[u8]>,
    manifest: &Map<String, Value>,
    files: &[(String, Vec<u8>, bool)],
) -> Vec<u8> {
    let mut written = serde_json::to_vec_pretty(manifest).expect("JSON can be written");
    written.push(b'\n');
    let mut tar = Tar::new().file("package/package.json", package_json.unwrap_or(&written));
    for (path, contents, is_executable) in files {
        let path = format!("package/{path}");
        tar =
            if *is_executable { tar.executable(path, contents) } else { tar.file(path, contents) };
    }
    gzip(&tar.finish())
}

fn is_prerelease(version: &str) -> bool {
    version.split('+').next().unwrap_or_default().contains('-')
}

/// The `n`th day after new year 2020, within four weeks of each month.
fn day(n: u32) -> String {
    let (year, month, day) = (2020 + n / (12 * 28), n / 28 % 12 + 1, n % 28 + 1);
    format!("{year}-{month:02}-{day:02}T00:00:00.000Z")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String");
        text
    })
}
