//! What the folders in `node_modules/.bun` are called.

use std::fmt::Write as _;

use deka_graph::{Graph, Package, Resolution};
use deka_manifest::Integrity;
use deka_manifest::wyhash::{wyhash, wyhash_11};

use super::entries::Entry;
use crate::path::is_safe_name;
use crate::plan::package::describe;

/// How long the part for the resolution may be; what is longer is cut and hashed.
const RESOLUTION_LIMIT: usize = 80;

/// Returns the name of the folder of an entry whose files are there: `name@version`, and what else tells
/// it from others. `None` if it would be no name.
pub(super) fn folder_name(graph: &Graph, entry: &Entry) -> Option<String> {
    let package = graph.package(entry.package);
    let resolution = match &package.resolution {
        Resolution::Folder(path) => format!("file+{}", flat(path)),
        resolution => flat(&describe(resolution)),
    };
    let mut name = format!("{}@{}", flat(package.name.as_str()), cut(resolution));
    if let Some(part) = part_of_integrity(package) {
        name.push_str(&part);
    }
    if !entry.peers.is_empty() {
        let mut text = String::new();
        for peer in entry.peers.iter() {
            let package = graph.package(peer.package);
            text.push_str(package.name.as_str());
            text.push_str(&describe(&package.resolution));
        }
        // Writing to a string does not fail.
        let _ = write!(name, "+{:016x}", wyhash_11(text.as_bytes()));
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

/// What stands at the path of a tarball may change: its first 8 bytes of integrity are in the name.
fn part_of_integrity(package: &Package) -> Option<String> {
    if !matches!(package.resolution, Resolution::LocalTarball(_) | Resolution::RemoteTarball(_)) {
        return None;
    }
    let integrity = Integrity::parse(&package.integrity).ok()?;
    let digits = integrity.digest().iter().take(8).map(|byte| format!("{byte:02x}"));
    Some(std::iter::once("+".to_owned()).chain(digits).collect())
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
