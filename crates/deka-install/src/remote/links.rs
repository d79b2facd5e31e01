//! Symbolic links of a repository.
//!
//! No link is unpacked, whoever made it. But a link to a file of the same tree becomes a copy of that
//! file, as with Bun; all others are left out.

use hashbrown::HashMap;

/// More links in a row than this lead nowhere.
const LONGEST_CHAIN: usize = 40;

/// An entry of a tree, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) kind: BlobKind,
    pub(crate) id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlobKind {
    File,
    Executable,
    Link,
}

/// The files and links of a commit.
pub(crate) type Listing = HashMap<Vec<u8>, Blob>;

/// Reads the output of `git ls-tree -r -z`.
pub(crate) fn read_listing(output: &[u8]) -> Listing {
    let entries = output.split(|byte| *byte == 0).filter_map(|entry| {
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let head = std::str::from_utf8(&entry[..tab]).ok()?;
        let mut words = head.split(' ');
        let kind = match (words.next()?, words.next()?) {
            ("120000", "blob") => BlobKind::Link,
            ("100755", "blob") => BlobKind::Executable,
            (_, "blob") => BlobKind::File,
            // A submodule.
            _ => return None,
        };
        Some((entry[tab + 1..].to_vec(), Blob { kind, id: words.next()?.to_owned() }))
    });
    entries.collect()
}

/// Returns the file that a path leads to, through the links whose targets are known.
pub(crate) fn follow<'a>(
    listing: &'a Listing,
    targets: &HashMap<Vec<u8>, Vec<u8>>,
    path: &[u8],
) -> Option<&'a Blob> {
    let split = |path: &[u8]| -> Vec<Vec<u8>> {
        path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect()
    };
    let mut here: Vec<Vec<u8>> = Vec::new();
    let mut rest = split(path);
    let mut links = 0;
    while let Some(name) = rest.pop() {
        match &*name {
            b"." => {}
            // A slash at the end asks for a folder.
            b"" if rest.is_empty() => return None,
            b"" => {}
            b".." => drop(here.pop()?),
            _ => {
                here.push(name);
                if let Some(target) = targets.get(&here.join(&b'/')) {
                    links += 1;
                    if links > LONGEST_CHAIN || target.starts_with(b"/") {
                        return None;
                    }
                    here.pop();
                    rest.extend(split(target));
                }
            }
        }
    }
    listing.get(&here.join(&b'/')).filter(|blob| blob.kind != BlobKind::Link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_of_the_tree() {
        let listing = read_listing(
            b"100644 blob a\treal.txt\x00100755 blob b\tsub/x.sh\x00160000 commit c\tmod\x00\
              120000 blob d\tdir\x00120000 blob e\tsub/up\x00120000 blob f\tself\x00",
        );
        assert_eq!(listing.len(), 5);
        let links = [
            ("dir", "sub"),
            ("sub/up", "../real.txt"),
            ("self", "self"),
            ("out", "../out/real.txt"),
            ("absolute", "/etc/passwd"),
            ("chain", "dir/up"),
            ("viadir", "./dir/x.sh"),
            ("slash", "real.txt/"),
            ("broken", "nowhere"),
            ("module", "mod"),
        ];
        let targets = links.map(|(path, target)| (path.into(), target.into())).into();
        let id = |path: &str| follow(&listing, &targets, path.as_bytes()).map(|blob| &*blob.id);
        assert_eq!((id("sub/up"), id("chain"), id("viadir")), (Some("a"), Some("a"), Some("b")));
        for path in ["dir", "self", "out", "absolute", "slash", "broken", "module"] {
            assert_eq!(id(path), None, "{path}");
        }
    }
}
