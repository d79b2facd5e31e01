//! What the folders in `node_modules/.bun` are called.

use std::fmt::Write as _;

use deka_graph::{Graph, Package, Resolution};
use deka_manifest::Integrity;
use deka_manifest::wyhash::{wyhash, wyhash_11};

use super::entries::Entry;
use crate::path::is_safe_name;

/// How long the part for the resolution may be; what is longer is cut and hashed.
const RESOLUTION_LIMIT: usize = 80;

/// Returns the name of the folder of an entry whose files are there: `name@version`, and what else tells
/// it from others. `None` if it would be no name.
pub(super) fn folder_name(graph: &Graph, entry: &Entry) -> Option<String> {
    let package = graph.package(entry.package);
    let resolution = match &package.resolution {
        Resolution::Folder(path) => format!("file+{}", flat(path)),
        resolution => flat(&resolution.to_string()),
    };
    let mut name = format!("{}@{}", flat(package.name.as_str()), cut(resolution));
    let integrity = integrity_of_tarball(package);
    // Writing to a string does not fail.
    if !entry.peers.is_empty() {
        let mut bytes = integrity.unwrap_or_default();
        for peer in entry.peers.iter() {
            let package = graph.package(peer.package);
            bytes.extend_from_slice(package.name.as_str().as_bytes());
            match &package.resolution {
                Resolution::Folder(path) => bytes.extend_from_slice(path.as_bytes()),
                resolution => bytes.extend_from_slice(resolution.to_string().as_bytes()),
            }
        }
        let _ = write!(name, "+{:016x}", wyhash_11(&bytes));
    } else if let Some(start) = integrity.as_ref().and_then(|digest| digest.first_chunk::<8>()) {
        let _ = write!(name, "+{:016x}", u64::from_be_bytes(*start));
    }
    is_safe_name(&name).then_some(name)
}

/// Replaces what is not allowed in names of files, somewhere.
fn flat(text: &str) -> String {
    text.replace(['/', '\\', ':', '#'], "+")
}

fn cut(resolution: String) -> String {
    if resolution.len() <= RESOLUTION_LIMIT {
        return resolution;
    }
    let mut end = RESOLUTION_LIMIT - "+".len() - 16;
    while !resolution.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}+{:016x}", &resolution[..end], wyhash(resolution.as_bytes()))
}

/// Returns the digest of a tarball that is no registry's: what stands at its path or URL may change, and
/// then its entry is another one.
fn integrity_of_tarball(package: &Package) -> Option<Vec<u8>> {
    let is_tarball =
        matches!(package.resolution, Resolution::LocalTarball(_) | Resolution::RemoteTarball(_));
    let integrity = Integrity::parse(&package.integrity).ok().filter(|_| is_tarball)?;
    Some(integrity.digest().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_resolutions_are_cut() {
        let long = "file+a-rather-long-folder-name-for-a-local-package+with-more-folders+inside-of-it\
                    +and-one-more+pkg";
        let expected =
            "file+a-rather-long-folder-name-for-a-local-package+with-more-fo+aa0ae8b1e8178f72";
        assert_eq!(cut(long.to_owned()), expected);
        let tarball = ".+a-rather-long-folder-name-for-tarballs-so-that-it-is-cut+with-more\
                       +tarp-1.0.0.tgz";
        let expected =
            ".+a-rather-long-folder-name-for-tarballs-so-that-it-is-cut+with+ac9216d3633a7f03";
        assert_eq!(cut(tarball.to_owned()), expected);
        assert_eq!(cut("1.0.0".to_owned()), "1.0.0");
    }
}
