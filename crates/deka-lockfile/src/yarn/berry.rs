//! The lockfile of yarn 2 and later.
//!
//! ```text
//! "p@npm:^1.0.0, p@npm:^1.1.0":
//!   version: 1.1.0
//!   resolution: "p@npm:1.1.0"
//!   dependencies:
//!     s: "npm:^2.0.0"
//!   checksum: 10c0/…                                  of yarn's own archive: of no use here
//! "a@workspace:packages/a":
//!   …
//! ```

use deka_graph::{Resolution, TarballLocation};
use deka_manifest::{Alias, PackageName, Symbol, Version, split_name};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Entry, Place, Result};
use crate::LockfileError;
use crate::migrate::{Registries, git_resolution, is_web, symbols, text, yaml};

pub(super) fn entries(text: &str, registries: Registries<'_>) -> Result<Vec<Entry>> {
    let value = yaml(text)?;
    let Value::Object(file) = &value else {
        return Err(LockfileError::MissingSection { section: "__metadata" });
    };
    file.iter()
        .filter(|(key, _)| *key != "__metadata")
        .filter_map(|(key, value)| read(key, value, registries).transpose())
        .collect()
}

/// Reads an entry; patched packages have another one without the patch.
fn read(key: &str, value: &Value, registries: Registries<'_>) -> Result<Option<Entry>> {
    let invalid = |reason| LockfileError::Foreign { entry: key.to_owned(), reason };
    let resolution = text(value, "resolution");
    let (name, reference) =
        split_name(resolution).ok_or_else(|| invalid("its resolution should be `name@…`"))?;
    if reference.starts_with("patch:") {
        return Ok(None);
    }
    let name =
        PackageName::parse(name).map_err(|_| invalid("its name is not that of a package"))?;
    let mut bun_tag = None;
    let place = if let Some(path) = reference.strip_prefix("workspace:") {
        Place::Member(if path == "." { String::new() } else { path.to_owned() })
    } else if let Some(rest) = reference.strip_prefix("npm:") {
        let (version, archive) = rest.split_once("::").unwrap_or((rest, ""));
        let version = Version::parse(version).map_err(|_| invalid("its version is none"))?;
        let url = archive.strip_prefix("__archiveUrl=");
        let url = url.map(|url| percent_decode_str(url).decode_utf8_lossy());
        let tarball = match url.as_deref() {
            Some(url) => registries.locate(url),
            None => TarballLocation::Registry,
        };
        Place::Resolved(Resolution::Npm { version, tarball })
    } else if let Some((resolution, tag)) = git_resolution(&reference.replace("#commit=", "#")) {
        bun_tag = Some(tag);
        Place::Resolved(resolution)
    } else if is_web(reference) {
        let url = reference.split("::").next().unwrap_or(reference);
        Place::Resolved(Resolution::RemoteTarball(Symbol::new(url)))
    } else {
        Place::Unknown
    };
    let meta = value.get("dependenciesMeta");
    let is_optional = |(alias, _): &(Alias, Symbol)| {
        let meta = meta.and_then(|meta| meta.get(alias.as_str()));
        meta.is_some_and(|meta| text(meta, "optional") == "true")
    };
    let (optional_dependencies, dependencies) =
        symbols(value, "dependencies").into_iter().partition(is_optional);
    Ok(Some(Entry {
        descriptors: key.split(", ").map(ToOwned::to_owned).collect(),
        name,
        place,
        integrity: Symbol::new(""),
        bun_tag,
        dependencies,
        optional_dependencies,
    }))
}
