//! Paths as texts: relative to the project, with `/` between the names.
//!
//! Workspace folders, link targets and commands come from lockfiles and manifests, which anybody may
//! have written; what passes here cannot lead out of where it belongs.

/// Drops `.` and empty names and takes `a/..` away; `..` stays only in front. `None` for what is
/// absolute, holds control characters, or could mean a drive on Windows.
pub(crate) fn normalise(path: &str) -> Option<String> {
    if path.starts_with(['/', '\\']) || path.contains(char::is_control) {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            name => names.push(name),
        }
    }
    if names.first().is_some_and(|name| name.contains(':')) {
        return None;
    }
    Some(names.join("/"))
}

/// Like [`normalise`], for what must stay inside; `\` is taken for a separator as well, as Windows
/// does.
pub(crate) fn normalise_inside(path: &str) -> Option<String> {
    let leaves = |path: &str| path == ".." || path.starts_with("../");
    let normal = normalise(path)?;
    let is_inside = !leaves(&normal)
        && (!path.contains('\\')
            || normalise(&path.replace('\\', "/")).is_some_and(|other| !leaves(&other)));
    is_inside.then_some(normal)
}

/// Whether a path is what [`normalise_inside`] makes of it, and leads somewhere.
pub(crate) fn is_normal_inside(path: &str) -> bool {
    if path.contains('\\') {
        return normalise_inside(path).is_some_and(|normal| normal == path);
    }
    let mut names = path.split('/');
    let is_first_plain = path.split('/').next().is_some_and(|name| !name.contains(':'));
    is_first_plain && names.all(is_safe_name)
}

/// Whether `name` is one name and stays where it is.
pub(crate) fn is_safe_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control)
}

/// Returns the text of a symlink in the folder `from` that leads to `to`, both normal and relative
/// to the project.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let mut from_names = from.split('/').filter(|name| !name.is_empty()).peekable();
    let mut to_names = to.split('/').filter(|name| !name.is_empty()).peekable();
    while let (Some(one), Some(other)) = (from_names.peek(), to_names.peek())
        && one == other
        && *one != ".."
    {
        from_names.next();
        to_names.next();
    }
    let mut text = String::with_capacity(from.len() + to.len());
    for name in from_names.map(|_| "..").chain(to_names) {
        if !text.is_empty() {
            text.push('/');
        }
        text.push_str(name);
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

/// Returns the path above, empty for a single name.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Returns the outermost `node_modules` that a path lies in.
pub(crate) fn base_of(path: &str) -> Option<&str> {
    let is_base = |end: &usize| path[..*end].rsplit('/').next() == Some("node_modules");
    path.match_indices('/').map(|(end, _)| end).find(is_base).map(|end| &path[..end])
}

/// Returns the path that a symlink at `path` leads to, if what it says is relative.
pub(crate) fn link_target(path: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    normalise(&format!("{}/{target}", parent(path)))
}

/// Whether `path` is `folder` or lies in it.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_paths_have_no_detours() {
        for (path, expected) in [
            ("./bin/cli.js", Some("bin/cli.js")),
            ("q/../q//w.js", Some("q/w.js")),
            ("", Some("")),
            ("./", Some("")),
            ("../x/./y", Some("../x/y")),
            ("a/../../x", Some("../x")),
            ("a:b/c", None),
            ("a/b:c", Some("a/b:c")),
            ("/etc/passwd", None),
            ("\\\\server", None),
            ("a\nb", None),
            ("a\0b", None),
        ] {
            assert_eq!(normalise(path).as_deref(), expected, "{path:?}");
        }
    }

    #[test]
    fn what_leaves_is_refused() {
        for path in ["..", "../x", "a/../../x", "a\\..\\..\\x", "/x", "..\\x"] {
            assert_eq!(normalise_inside(path), None, "{path:?}");
        }
        assert_eq!(normalise_inside("a/../b").as_deref(), Some("b"));
        assert_eq!(normalise_inside("..a/b").as_deref(), Some("..a/b"));
        assert_eq!(normalise_inside("a\\b").as_deref(), Some("a\\b"));
    }

    #[test]
    fn symlink_texts_are_the_shortest() {
        for (from, to, expected) in [
            ("node_modules/.bin", "node_modules/typescript/bin/tsc", "../typescript/bin/tsc"),
            ("node_modules", "packages/a", "../packages/a"),
            ("node_modules/@s", "packages/b", "../../packages/b"),
            ("node_modules", "", ".."),
            ("node_modules", "../outside", "../../outside"),
            ("packages/b/node_modules", "packages/a", "../../a"),
            ("a", "a", "."),
        ] {
            assert_eq!(relative(from, to), expected);
        }
    }

    #[test]
    fn only_whole_names_count() {
        assert!(is_within("node_modules/a", "node_modules/a"));
        assert!(is_within("node_modules/a/b", "node_modules/a"));
        assert!(!is_within("node_modules/ab", "node_modules/a"));
    }
}
