//! What git says of the difference between two packages, as the text of a patch.

use std::path::Path;

use deka_config::Environment;
use deka_manifest::Symbol;

use super::PatchError;
use crate::remote::{Failure, Program, Run};

/// No patch is that long.
const LARGEST_PATCH: u64 = 256 * 1024 * 1024;

/// What the folders of the two packages are called.
pub(super) const BEFORE: &str = "a";
pub(super) const AFTER: &str = "b";

/// What counts as a difference between lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// Not how they end, as with Bun.
    Ignored,
    /// Every byte.
    Compared,
}

/// Compares the packages in [`BEFORE`] and [`AFTER`] below `folder`.
pub(super) fn diff(
    folder: &Path,
    package: Symbol,
    line_ends: LineEnds,
    environment: &Environment,
) -> Result<Vec<u8>, PatchError> {
    let mut arguments = vec![
        "-c",
        "core.safecrlf=false",
        "-c",
        "core.quotePath=false",
        "diff",
        "--no-index",
        "--full-index",
        "--irreversible-delete",
        "--src-prefix=",
        "--dst-prefix=",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
    ];
    if line_ends == LineEnds::Ignored {
        arguments.push("--ignore-cr-at-eol");
    }
    arguments.extend(["--", BEFORE, AFTER]);
    let program = Program::without_settings(environment, folder);
    let run = Run {
        folder,
        repository: None,
        arguments: &arguments,
        input: &[],
        limit: LARGEST_PATCH,
        uses_ssh: false,
        // That there are differences.
        good_code: 1,
    };
    let failed = |message| PatchError::Git { package, message };
    let text = program.run(run).map_err(|failure| match failure {
        Failure::NotInstalled => PatchError::NoGit,
        Failure::Run(error) => failed(error.to_string()),
        Failure::Failed(message) => failed(message),
        Failure::TooMuch => failed("there is too much of it".to_owned()),
        Failure::Stopped => failed("it was stopped".to_owned()),
    })?;
    let text = with_prefixes(&text);
    let binary: Vec<String> = headers(&text)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter(|line| line.starts_with("Binary files "))
        .map(|line| line.trim_end().to_owned())
        .collect();
    if binary.is_empty() { Ok(text) } else { Err(PatchError::Binary { files: binary }) }
}

/// Returns the lines that are not part of hunks.
fn headers(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"+") && !line.starts_with(b"-"))
}

/// Makes `a/file` and `b/file` of the names, which are those of the two folders: where a file is only
/// on one side git writes that one twice, and renames it writes in whole.
fn with_prefixes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let (start, rest) = if let Some(names) = line.strip_prefix(b"diff --git ") {
            out.extend_from_slice(b"diff --git ");
            out.extend(header(names));
            continue;
        } else if let Some(rest) = line.strip_prefix(b"rename from ") {
            ("rename from ", rest)
        } else if let Some(rest) = line.strip_prefix(b"rename to ") {
            ("rename to ", rest)
        } else {
            out.extend_from_slice(line);
            continue;
        };
        out.extend_from_slice(start.as_bytes());
        match rest {
            [b'"', b'a' | b'b', b'/', name @ ..] => {
                out.push(b'"');
                out.extend_from_slice(name);
            }
            [b'a' | b'b', b'/', name @ ..] => out.extend_from_slice(name),
            name => out.extend_from_slice(name),
        }
    }
    out
}

/// Returns the two names behind `diff --git`, the first in `a`, the second in `b`.
fn header(names: &[u8]) -> Vec<u8> {
    let mut names = names.to_vec();
    let text_length = names.iter().position(|byte| *byte == b'\n').unwrap_or(names.len());
    let middle = text_length / 2;
    let is_twice = text_length % 2 == 1 && names[..middle] == names[middle + 1..text_length];
    if is_twice {
        let second = middle + 1;
        for (start, prefix) in [(0, b'a'), (second, b'b')] {
            let at = start + usize::from(names[start] == b'"');
            if let Some(byte) = names.get_mut(at) {
                *byte = prefix;
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::with_prefixes;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(String::from_utf8(with_prefixes(text.as_bytes())).unwrap(), expected);
    }

    #[test]
    fn names_have_both_prefixes() {
        check("diff --git a/x b/x\n", "diff --git a/x b/x\n");
        check("diff --git b/new b/new\n+++ b/new\n", "diff --git a/new b/new\n+++ b/new\n");
        check("diff --git a/old a/old\n", "diff --git a/old b/old\n");
        check("diff --git \"b/q\\\"\" \"b/q\\\"\"\n", "diff --git \"a/q\\\"\" \"b/q\\\"\"\n");
        check("diff --git b/a b b/a b\n", "diff --git a/a b b/a b\n");
    }

    #[test]
    fn renames_have_none() {
        check(
            "diff --git a/x b/y\nrename from a/x\nrename to b/y\n",
            "diff --git a/x b/y\nrename from x\nrename to y\n",
        );
        check("rename to \"b/\\t\"\n", "rename to \"\\t\"\n");
    }

    #[test]
    fn what_is_in_files_stays() {
        let text = "@@ -1 +1 @@\n-rename from a/x\n+diff --git b/x b/x\n rename to b/x\n";
        check(text, text);
    }
}
