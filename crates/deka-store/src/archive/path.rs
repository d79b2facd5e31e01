//! From an entry's path to a path in the package, or a refusal.

use crate::ArchiveError;

/// The longest path that any supported system can open.
const LONGEST_PATH: usize = 4095;

/// The longest name that any supported file system can keep.
const LONGEST_NAME: usize = 255;

/// Appends the path that the entry `raw` gets in the package to `paths`, without the first part.
///
/// Returns `false`, and appends nothing, if nothing is left behind the first part.
pub(crate) fn push_path(raw: &[u8], paths: &mut String) -> Result<bool, ArchiveError> {
    let refused = |reason| {
        Err(ArchiveError::UnsafePath {
            entry: String::from_utf8_lossy(raw).escape_debug().to_string(),
            reason,
        })
    };
    // Names are kept as UTF-8, as Node reads them.
    let text = String::from_utf8_lossy(raw);
    if text.is_empty() {
        return refused("the path is empty");
    }
    if text.len() > LONGEST_PATH {
        return refused("the path is too long");
    }
    if text.contains('\0') {
        return refused("the path contains a NUL");
    }
    if text.starts_with(['/', '\\']) {
        return refused("the path is absolute");
    }

    let start = paths.len();
    let mut has_first = false;
    for part in text.split(['/', '\\']) {
        let is_start = !has_first || paths.len() == start;
        match part {
            "" | "." => {}
            ".." => {
                paths.truncate(start);
                return refused("the path leads out of the package");
            }
            drive if is_start && is_drive(drive) => {
                paths.truncate(start);
                return refused("the path names a drive");
            }
            _ if !has_first => has_first = true,
            name if name.len() > LONGEST_NAME => {
                paths.truncate(start);
                return refused("a name in the path is too long");
            }
            name => {
                if paths.len() > start {
                    paths.push('/');
                }
                paths.push_str(name);
            }
        }
    }
    Ok(paths.len() > start)
}

/// Whether a part of a path is `C:` and the like.
fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_is_dropped() {
        for (raw, expected) in [
            ("package/index.js", "index.js"),
            ("package/lib/a.js", "lib/a.js"),
            ("./package/a", "a"),
            ("././x/a", "a"),
            ("other name/a", "a"),
            ("package//a/./b", "a/b"),
            ("package\\lib\\a.js", "lib/a.js"),
            ("package/a:b", "a:b"),
            ("package/lib/c:", "lib/c:"),
            ("package/...", "..."),
            ("package/ ", " "),
            ("package/é", "é"),
        ] {
            let mut paths = "before".to_owned();
            assert_eq!(push_path(raw.as_bytes(), &mut paths), Ok(true), "{raw}");
            assert_eq!(paths, format!("before{expected}"), "{raw}");
        }
    }

    #[test]
    fn nothing_is_left_of_a_top_level_entry() {
        for raw in ["package", "package/", "./package/.", "a.js"] {
            let mut paths = String::new();
            assert_eq!(push_path(raw.as_bytes(), &mut paths), Ok(false), "{raw}");
        }
    }

    #[test]
    fn what_leaves_the_package_is_refused() {
        for raw in [
            "",
            "/etc/passwd",
            "\\windows\\x",
            "..",
            "../x",
            "package/../x",
            "package/a/../../x",
            "package\\..\\x",
            "package/a/..",
            "C:/x",
            "C:\\x",
            "package/c:/x",
            "./package/./c:\\x",
            "package/a\0b",
        ] {
            let mut paths = "before".to_owned();
            let error = push_path(raw.as_bytes(), &mut paths).unwrap_err();
            assert!(matches!(error, ArchiveError::UnsafePath { .. }), "{raw}: {error}");
            assert_eq!(paths, "before", "{raw}");
        }
        for long in [format!("package/{}", "a/".repeat(3000)), format!("a/b/{}", "c".repeat(256))] {
            assert!(push_path(long.as_bytes(), &mut String::new()).is_err());
        }
    }

    #[test]
    fn other_encodings_become_utf_8() {
        let mut paths = String::new();
        assert_eq!(push_path(b"package/caf\xe9", &mut paths), Ok(true));
        assert_eq!(paths, "caf\u{fffd}");
    }
}
