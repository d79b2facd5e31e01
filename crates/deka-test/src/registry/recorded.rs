//! A folder with what a real registry once answered.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde_json::{Map, Value};

/// `packuments/<name>.json` and `tarballs/<path of the URL>`.
#[derive(Debug)]
pub(crate) struct Recorded {
    folder: PathBuf,
}

impl Recorded {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(crate) fn packument(&self, name: &str) -> Option<Map<String, Value>> {
        let path = self.inside("packuments", &format!("{name}.json"))?;
        let bytes = fs::read(&path).ok()?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(mut packument)) => {
                keep_paths_of_tarballs(&mut packument);
                Some(packument)
            }
            other => panic!("`{}` is not a packument: {other:?}", path.display()),
        }
    }

    pub(crate) fn tarball(&self, path: &str) -> Option<Bytes> {
        let path = self.inside("tarballs", path.trim_start_matches('/'))?;
        fs::read(path).ok().map(Bytes::from)
    }

    fn inside(&self, part: &str, path: &str) -> Option<PathBuf> {
        let is_plain = path.split('/').all(|name| !matches!(name, "" | "." | ".."));
        is_plain.then(|| self.folder.join(part).join(path))
    }
}

/// Takes scheme and host from the recorded URLs; the server puts its own before the paths.
fn keep_paths_of_tarballs(packument: &mut Map<String, Value>) {
    let Some(Value::Object(versions)) = packument.get_mut("versions") else { return };
    for (_, version) in versions.iter_mut() {
        let Some(tarball) = version.get_mut("dist").and_then(|dist| dist.get_mut("tarball")) else {
            continue;
        };
        let Some((_, rest)) = tarball.as_str().and_then(|url| url.split_once("://")) else {
            continue;
        };
        if let Some(slash) = rest.find('/') {
            *tarball = rest[slash..].to_owned().into();
        }
    }
}
