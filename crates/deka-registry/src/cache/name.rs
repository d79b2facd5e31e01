//! Names of files and folders in the manifest cache.
//!
//! Two packages never share a name, also where file systems ignore case (`JSONStream` and `jsonstream` are
//! two packages), and no name of a package can leave its folder.

use std::fmt::Write as _;

use deka_manifest::PackageName;
use xxhash_rust::xxh3::xxh3_128;

use crate::RegistryKey;

const SUFFIX: &str = ".packument";
/// File names have at most 255 bytes; beyond this an encoded name is shortened and a hash tells it apart.
const LONGEST: usize = 200;
const LONGEST_HOST: usize = 64;

/// Returns the name of the file of `name`.
///
/// Lower-case letters, digits, `@`, `-`, `_` and dots stand for themselves, everything else is `%` and
/// two lower-case hexadecimal digits per byte.
pub(super) fn file_name(name: PackageName) -> String {
    let mut encoded = encode(name.as_str());
    if encoded.len() > LONGEST {
        encoded.truncate(LONGEST - 34);
        // No encoded name has two `%` in a row. Should two hashes be equal, the header of the file tells
        // whose it is, and one of the two packages is not cached.
        let _ = write!(encoded, "%%{:032x}", xxh3_128(name.as_str().as_bytes()));
    }
    encoded.push_str(SUFFIX);
    encoded
}

/// Returns the name of the folder of `registry`: its host for people, and a hash of the whole URL.
pub(super) fn folder_name(registry: &RegistryKey) -> String {
    let url = registry.as_str();
    let host = url.split_once("//").map_or(url, |(_, rest)| rest);
    let mut folder = encode(host.split('/').next().unwrap_or_default());
    folder.truncate(LONGEST_HOST);
    let _ = write!(folder, "-{:032x}", xxh3_128(url.as_bytes()));
    folder
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + SUFFIX.len() + 8);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'@' | b'-' | b'_' | b'.' => encoded.push(byte.into()),
            _ => {
                let _ = write!(encoded, "%{byte:02x}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> String {
        file_name(PackageName::parse(name).unwrap())
    }

    #[test]
    fn names_can_be_read() {
        assert_eq!(file("lodash.merge"), "lodash.merge.packument");
        assert_eq!(file("@types/node"), "@types%2fnode.packument");
        assert_eq!(file("JSONStream"), "%4a%53%4f%4e%53tream.packument");
    }

    #[test]
    fn no_two_names_are_equal_without_regard_to_case() {
        let long = "A".repeat(200);
        let longer = "A".repeat(201);
        let names =
            ["jsonstream", "JSONStream", "@a/b", "a%2fb", "a%41", "aA", "aa", &long, &longer];
        let mut files: Vec<_> = names.iter().map(|name| file(name).to_lowercase()).collect();
        assert!(files.iter().all(|file| file.len() <= 255));
        files.sort();
        files.dedup();
        assert_eq!(files.len(), names.len());
    }

    #[test]
    fn folders_tell_registries_apart() {
        let folder = |url| folder_name(&RegistryKey::new(&url::Url::parse(url).unwrap()));
        let root = folder("https://registry.example/");
        assert!(root.starts_with("registry.example-"), "{root}");
        assert_ne!(root, folder("https://registry.example/team/"));
        assert_ne!(root, folder("http://registry.example/"));
        assert!(folder("http://[::1]:4873/").starts_with("%5b%3a%3a1%5d%3a4873-"));
    }
}
