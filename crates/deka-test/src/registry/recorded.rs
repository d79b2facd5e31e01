//! A folder with what a real registry once answered, or with the storage of one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde_json::{Map, Value};

#[derive(Debug)]
pub(crate) struct Recorded {
    folder: PathBuf,
    layout: Layout,
}

/// Where in the folder things are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// `packuments/<name>.json` and `tarballs/<path of the URL>`.
    Paths,
    /// As Verdaccio stores packages: `<name>/package.json` and `<name>/<last part of the URL>`.
    Verdaccio,
}

impl Recorded {
    pub(crate) fn new(folder: &Path, layout: Layout) -> Self {
        Self { folder: folder.to_owned(), layout }
    }

    pub(crate) fn packument(&self, name: &str) -> Option<Map<String, Value>> {
        let path = self.inside(&match self.layout {
            Layout::Paths => format!("packuments/{name}.json"),
            Layout::Verdaccio => format!("{name}/package.json"),
        })?;
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
        let path = path.trim_start_matches('/');
        let path = self.inside(&match self.layout {
            Layout::Paths => format!("tarballs/{path}"),
            Layout::Verdaccio => {
                let (name, file) = path.split_once("/-/")?;
                format!("{name}/{}", file.rsplit('/').next()?)
            }
        })?;
        fs::read(path).ok().map(Bytes::from)
    }

    fn inside(&self, path: &str) -> Option<PathBuf> {
        let is_plain = path.split('/').all(|name| !matches!(name, "" | "." | ".."));
        is_plain.then(|| self.folder.join(path))
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
