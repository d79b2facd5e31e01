//! Which files of two packages differ, and in which lines.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use deka_store::BlobHash;
use similar::{Algorithm, ChangeTag, TextDiff};

/// Larger files are only said to differ.
pub(super) const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// So long one file may take; what is found until then is right, if longer than it could be.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many bytes at the beginning decide whether a file is text, as with git.
const LOOKED_AT: usize = 8000;

/// A file of a package.
pub(super) struct Contents {
    pub(super) hash: BlobHash,
    pub(super) size: u64,
    /// `None` if it is too large to be compared.
    pub(super) bytes: Option<Vec<u8>>,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDifference {
    /// Its path in the package.
    pub path: String,
    /// On which sides it is.
    pub status: FileStatus,
    /// Its size before and after, 0 where it is not.
    pub sizes: (u64, u64),
    /// How many lines came and went.
    pub lines: (usize, usize),
    /// The hunks of a unified diff; `None` for what is no text, or too large.
    pub hunks: Option<String>,
}

/// On which sides a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStatus {
    /// On the second alone.
    Added,
    /// On the first alone.
    Deleted,
    /// On both.
    Modified,
}

/// Returns the files that differ, and how many do not.
pub(super) fn compare(
    old: &BTreeMap<String, Contents>,
    new: &BTreeMap<String, Contents>,
    context: usize,
) -> (Vec<FileDifference>, usize) {
    let mut files = Vec::new();
    let mut unchanged = 0;
    let added = new.keys().filter(|path| !old.contains_key(*path));
    let mut paths: Vec<&String> = old.keys().chain(added).collect();
    paths.sort();
    for path in paths {
        let (before, after) = (old.get(path), new.get(path));
        let status = match (before, after) {
            (Some(before), Some(after)) if before.hash == after.hash => {
                unchanged += 1;
                continue;
            }
            (None, _) => FileStatus::Added,
            (_, None) => FileStatus::Deleted,
            _ => FileStatus::Modified,
        };
        let size = |side: Option<&Contents>| side.map_or(0, |contents| contents.size);
        let (lines, hunks) = match (text(before), text(after)) {
            (Some(before), Some(after)) => {
                let (lines, hunks) = hunks(before, after, context);
                (lines, Some(hunks))
            }
            _ => ((0, 0), None),
        };
        let sizes = (size(before), size(after));
        files.push(FileDifference { path: path.clone(), status, sizes, lines, hunks });
    }
    (files, unchanged)
}

/// Returns a file's text; that of a file which is not there is empty.
fn text(contents: Option<&Contents>) -> Option<&str> {
    let Some(contents) = contents else { return Some("") };
    let bytes = contents.bytes.as_deref()?;
    let is_binary = bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0);
    std::str::from_utf8(bytes).ok().filter(|_| !is_binary)
}

fn hunks(before: &str, after: &str, context: usize) -> ((usize, usize), String) {
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .deadline(Instant::now() + PATIENCE)
        .diff_lines(before, after);
    let count =
        |tag: ChangeTag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let lines = (count(ChangeTag::Insert), count(ChangeTag::Delete));
    (lines, diff.unified_diff().context_radius(context).to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use deka_store::BlobHash;

    use super::FileStatus::{Added, Deleted, Modified};
    use super::{Contents, compare};

    fn files(list: &[(&str, &[u8])]) -> BTreeMap<String, Contents> {
        let contents = |bytes: &[u8]| Contents {
            hash: BlobHash::of(bytes),
            size: bytes.len() as u64,
            bytes: (bytes.len() < 100).then(|| bytes.to_vec()),
        };
        list.iter().map(|(path, bytes)| ((*path).to_owned(), contents(bytes))).collect()
    }

    #[test]
    fn kinds_of_files() {
        let old = files(&[
            ("same", b"x"),
            ("gone", b"a\n"),
            ("text", b"1\n2\n3\n"),
            ("binary", b"\0a"),
            ("latin", b"\xe4"),
            ("large", &[b'x'; 200]),
        ]);
        let new = files(&[
            ("same", b"x"),
            ("new", b"b"),
            ("text", b"1\n2\nthree\n"),
            ("binary", b"\0b"),
            ("latin", b"\xe5"),
            ("large", &[b'y'; 201]),
        ]);
        let (found, unchanged) = compare(&old, &new, 1);
        assert_eq!(unchanged, 1);
        let summary: Vec<_> = found
            .iter()
            .map(|file| (file.path.as_str(), file.status, file.lines, file.hunks.as_deref()))
            .collect();
        assert_eq!(
            summary,
            [
                ("binary", Modified, (0, 0), None),
                ("gone", Deleted, (0, 1), Some("@@ -1 +0,0 @@\n-a\n")),
                ("large", Modified, (0, 0), None),
                ("latin", Modified, (0, 0), None),
                ("new", Added, (1, 0), Some("@@ -0,0 +1 @@\n+b\n\\ No newline at end of file\n")),
                ("text", Modified, (1, 1), Some("@@ -2,2 +2,2 @@\n 2\n-3\n+three\n")),
            ]
        );
    }
}
