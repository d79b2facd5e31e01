//! Which tarball a package of the graph, or a version that was just picked, comes from.

use std::path::Path;

use deka_config::Config;
use deka_graph::{Graph, Package, PackageId, Resolution, TarballLocation};
use deka_manifest::{Integrity, Symbol, VersionManifest, without_credentials};
use deka_registry::tarball_url;
use url::Url;

use crate::engine::{InvalidTarballUrl, Tarball, TarballKey, TarballSource};
use crate::remote::github;
use crate::{local, remote};

/// How much smaller than its files a tarball is, about.
const COMPRESSION: u64 = 4;

fn parse_url(text: &str) -> Result<Url, InvalidTarballUrl> {
    Url::parse(text).map_err(|_| InvalidTarballUrl { url: text.to_owned() })
}

/// Without a usable integrity the URL has to tell tarballs apart.
fn key(integrity: Symbol, url: impl FnOnce() -> Symbol) -> TarballKey {
    TarballKey(if integrity.is_empty() { url() } else { integrity })
}

/// Describes the tarball of a version that was picked.
pub(crate) fn of_manifest(manifest: &VersionManifest) -> (TarballKey, impl FnOnce() -> Tarball) {
    let key = key(manifest.integrity, || manifest.tarball);
    let describe = move || Tarball {
        key,
        label: Symbol::new(&format!("{}@{}", manifest.name, manifest.version)),
        source: TarballSource::Url(parse_url(&manifest.tarball)),
        bun_tag: None,
        integrity: Integrity::parse(&manifest.integrity).ok(),
        is_pinned: false,
        size_hint: manifest.unpacked_size.map(|size| size / COMPRESSION),
    };
    (key, describe)
}

/// Describes the tarball of a package, if it comes as one. `root` is the project's folder.
pub(crate) fn of_package<'a>(
    config: &'a Config,
    root: &'a Path,
    graph: &'a Graph,
    id: PackageId,
) -> Option<(TarballKey, impl FnOnce() -> Tarball + use<'a>)> {
    let package = graph.package(id);
    let source = match url_of(config, package) {
        Some(url) => TarballSource::Url(url),
        None if matches!(package.resolution, Resolution::LocalTarball(_)) => {
            let files = local::tarball_files(root, graph, id);
            TarballSource::Files(files.into_iter().map(|file| root.join(file)).collect())
        }
        None => match package.resolution {
            Resolution::Git { repository, commit } => TarballSource::Git { repository, commit },
            _ => return None,
        },
    };
    let hash = Integrity::parse(&package.integrity).ok();
    let pinned = match (&package.resolution, hash) {
        (Resolution::Git { commit, .. }, _) => Some(remote::key_of_commit(commit)),
        (Resolution::GitHub { .. }, None) => Some(remote::key_of_archive(&label(package))),
        _ => None,
    };
    let key = key(package.integrity, || match &source {
        TarballSource::Url(url) => Symbol::new(url.as_ref().map_or("", Url::as_str)),
        TarballSource::Files(_) | TarballSource::Git { .. } => Symbol::new(&label(package)),
    });
    let describe = move || Tarball {
        key,
        label: Symbol::new(&label(package)),
        source,
        bun_tag: package.bun_tag,
        integrity: pinned.or(hash),
        is_pinned: pinned.is_some(),
        size_hint: None,
    };
    Some((key, describe))
}

fn url_of(config: &Config, package: &Package) -> Option<Result<Url, InvalidTarballUrl>> {
    match &package.resolution {
        Resolution::Npm { tarball: TarballLocation::Url(url), .. }
        | Resolution::RemoteTarball(url) => Some(parse_url(url)),
        Resolution::Npm { version, tarball: TarballLocation::Registry } => {
            let registry = config.registry_for(package.name.as_str());
            Some(Ok(tarball_url(registry.url(), package.name, version)))
        }
        Resolution::GitHub { repository, commit } => {
            let url = github::archive_url(&config.network.github.api, repository, Some(commit));
            Some(url.map_err(|_| InvalidTarballUrl { url: version_text(&package.resolution) }))
        }
        _ => None,
    }
}

/// Returns `name@version`, or what stands for the version.
pub(crate) fn label(package: &Package) -> String {
    format!("{}@{}", package.name, version_text(&package.resolution))
}

/// Returns the version, or what the lockfile has in its place, without secrets.
pub(crate) fn version_text(resolution: &Resolution) -> String {
    without_credentials(&resolution.to_string()).into_owned()
}
