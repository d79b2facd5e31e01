//! From published versions to the bodies that clients see.

use bytes::Bytes;
use ring::digest;
use serde_json::{Map, Value, json};

use super::{Package, State};
use crate::archive::gzip;

/// The media type of abbreviated packuments.
pub const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// Which rendering of a packument: it depends on who asks, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RenderKey {
    pub(crate) name: String,
    /// Scheme and host, without a slash at the end.
    pub(crate) base: String,
    pub(crate) abbreviated: bool,
    pub(crate) gzip: bool,
}

/// A body and what it is revalidated by.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) body: Bytes,
    pub(crate) etag: String,
}

/// The fields of a version that abbreviated packuments keep. `libc` is not among them.
const KEPT: &[&str] = &[
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
    "bin",
    "directories",
    "dist",
    "engines",
    "os",
    "cpu",
    "funding",
    "hasInstallScript",
    "_hasShrinkwrap",
];

impl State {
    /// The packument as `key` wants it, if there is such a package.
    pub(crate) fn render(&mut self, key: RenderKey) -> Option<Rendered> {
        if let Some(rendered) = self.rendered.get(&key) {
            return Some(rendered.clone());
        }
        let mut packument = match self.packages.get(&key.name) {
            Some(package) => package.document(&key.name),
            None => self.recorded.as_ref()?.packument(&key.name)?,
        };
        point_tarballs_at(&mut packument, &key.base);
        if key.abbreviated {
            packument = abbreviate(packument);
        }
        let plain = serde_json::to_vec(&packument).expect("JSON can be written");
        let hash = digest::digest(&digest::SHA256, &plain);
        let etag = format!("\"{}\"", super::package::sha512(hash.as_ref()).split_at(7).1);
        let body = Bytes::from(if key.gzip { gzip(&plain) } else { plain });
        let rendered = Rendered { body, etag };
        self.rendered.insert(key, rendered.clone());
        Some(rendered)
    }
}

impl Package {
    fn document(&self, name: &str) -> Map<String, Value> {
        let pairs = |pairs: &[(String, String)]| -> Map<String, Value> {
            pairs.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect()
        };
        let mut times = Map::new();
        let earliest = self.times.iter().map(|(_, time)| time).min();
        let latest = self.times.iter().map(|(_, time)| time).max();
        times.insert("created".to_owned(), json!(earliest));
        times.insert("modified".to_owned(), json!(latest));
        times.extend(pairs(&self.times));
        let versions: Map<String, Value> = self
            .versions
            .iter()
            .map(|(version, manifest)| (version.clone(), manifest.clone().into()))
            .collect();

        let mut document = Map::new();
        document.insert("_id".to_owned(), name.into());
        document.insert("name".to_owned(), name.into());
        document.insert("dist-tags".to_owned(), pairs(&self.tags).into());
        document.insert("versions".to_owned(), versions.into());
        document.insert("time".to_owned(), times.into());
        document.extend(self.extra.clone());
        document
    }
}

/// Turns tarball paths into URLs.
fn point_tarballs_at(packument: &mut Map<String, Value>, base: &str) {
    let Some(Value::Object(versions)) = packument.get_mut("versions") else { return };
    for (_, version) in versions.iter_mut() {
        let Some(tarball) = version.get_mut("dist").and_then(|dist| dist.get_mut("tarball")) else {
            continue;
        };
        let Some(text) = tarball.as_str() else { continue };
        if text.starts_with('/') {
            *tarball = format!("{base}{text}").into();
        }
    }
}

/// Leaves of a packument what the public registry sends to those who install.
pub fn abbreviate(packument: Map<String, Value>) -> Map<String, Value> {
    let mut short = Map::new();
    let modified = packument.get("time").and_then(|time| time.get("modified")).cloned();
    for (key, value) in packument {
        match (key.as_str(), value) {
            ("versions", Value::Object(versions)) => {
                let versions: Map<String, Value> = versions
                    .into_iter()
                    .map(|(version, manifest)| (version, abbreviate_version(manifest)))
                    .collect();
                short.insert(key, versions.into());
            }
            ("name" | "dist-tags" | "versions", value) => {
                short.insert(key, value);
            }
            _ => {}
        }
    }
    if let Some(modified) = modified {
        short.insert("modified".to_owned(), modified);
    }
    short
}

fn abbreviate_version(manifest: Value) -> Value {
    let Value::Object(manifest) = manifest else { return manifest };
    let installs = ["preinstall", "install", "postinstall"];
    let has_install_script = manifest
        .get("scripts")
        .is_some_and(|scripts| installs.iter().any(|event| scripts.get(event).is_some()));
    let mut short: Map<String, Value> =
        manifest.into_iter().filter(|(key, _)| KEPT.contains(&key.as_str())).collect();
    if has_install_script {
        short.insert("hasInstallScript".to_owned(), true.into());
    }
    short.into()
}
