//! What packages say of themselves that no registry describes.

use std::sync::Arc;

use deka_graph::Resolution;
use deka_manifest::{Alias, Bin, PackageJson, PackageName, Platforms, Symbol};
use deka_resolver::{ForeignError, ForeignPackage, Importer, Row};
use deka_store::{PackageIndex, Store};

use crate::MANIFEST;

/// Reads the manifest of a package that was unpacked into the store.
///
/// As with Bun, such a package runs everywhere, whatever its manifest says, and its `devDependencies`
/// are not installed. Where the manifest has no name, `fallback_name` is the package's.
pub(crate) fn describe(
    store: &Store,
    index: &PackageIndex,
    fallback_name: &str,
    resolution: Resolution,
) -> Result<ForeignPackage, ForeignError> {
    let text = index.file(MANIFEST).and_then(|file| {
        let (folder, name) = store.blob(&file.hash, file.executable).ok()?;
        folder.read(name.as_c_str()).ok()?
    });
    let mut manifest = PackageJson::parse(&text.unwrap_or_default()).map_err(failed)?;
    manifest.dev_dependencies.clear();
    let fallback = || Alias::parse(fallback_name).ok().map(Alias::to_package_name);
    let name = manifest.package_name().or_else(fallback);
    let name = name.ok_or_else(|| ForeignError::NotFound(MANIFEST.to_owned()))?;
    Ok(ForeignPackage {
        has_install_script: manifest.has_install_script()
            || (is_prepared(&resolution) && has_prepare_script(&manifest)),
        rows: rows(&manifest),
        bin: manifest.bin,
        ..plain(name, resolution)
    })
}

/// Whether a package may have to be made out of its sources, as that from a repository.
const fn is_prepared(resolution: &Resolution) -> bool {
    matches!(resolution, Resolution::Git { .. } | Resolution::GitHub { .. })
}

fn has_prepare_script(manifest: &PackageJson) -> bool {
    ["preprepare", "prepare", "postprepare"]
        .iter()
        .any(|name| manifest.script(name).is_some_and(|command| !command.is_empty()))
}

/// Returns a package of which nothing is known but its name and where it is.
pub(crate) fn plain(name: PackageName, resolution: Resolution) -> ForeignPackage {
    ForeignPackage {
        name,
        resolution,
        integrity: Symbol::new(""),
        bun_tag: None,
        platforms: Platforms::ALL,
        bin: Bin::None,
        has_install_script: false,
        rows: Vec::new(),
    }
}

/// Returns what a manifest asks for.
pub(crate) fn rows(manifest: &PackageJson) -> Vec<Row> {
    let mut rows = Importer::from_manifest("", manifest, &mut Vec::new()).rows;
    for row in &mut rows {
        row.bundled = manifest.bundled.contains(row.alias);
    }
    rows
}

/// Returns the name of a tarball's file without its ending: what a package is called that has no name.
pub(crate) fn stem(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".tgz").or(file.strip_suffix(".tar.gz")).unwrap_or(file)
}

pub(crate) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> ForeignError {
    ForeignError::Failed(Arc::new(error))
}
