//! What yarn 2 and later have in manifests that nobody else understands, in the words of all others.
//!
//! ```text
//! "a": "npm:^1.0.0"                                  "a": "^1.0.0"
//! "b": "patch:b@npm%3A2.1.2#~/.yarn/patches/b.patch" "b": "2.1.2", and patchedDependencies
//! "c": "patch:c@npm%3A^5.0.0#~builtin<compat/c>"     "c": "^5.0.0"
//! "d": "portal:../d"                                 "d": "file:../d"
//! ```
//! What yarn patches without being told to (`builtin`) is for its own way of finding packages.

use deka_manifest::{PackageName, split_name};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Result;
use crate::LockfileError;
use crate::migrate::{text, yaml};

/// The objects of a manifest that have specs in them.
const GROUPS: &[&str] =
    &["dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "resolutions"];

/// A spec that is to be written in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The object that it is in.
    pub group: &'static str,
    /// Its name there.
    pub name: String,
    /// What it is to be.
    pub spec: String,
}

impl Rewrite {
    /// Whether a folder that yarn links to will be a copy.
    pub fn is_copy(&self) -> bool {
        self.spec.starts_with("file:")
    }
}

/// Whether a `yarn.lock` is that of yarn 2 or later.
pub fn is_berry(lockfile: &str) -> bool {
    lockfile.lines().any(|line| line.starts_with("__metadata:"))
}

/// Returns the specs of a manifest that only yarn understands. A manifest that is no plain JSON has none.
pub fn rewrites(manifest: &[u8]) -> Vec<Rewrite> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let specs = GROUPS.iter().flat_map(|group| {
        let object = manifest.get(*group).and_then(Value::as_object);
        object.into_iter().flatten().map(move |(name, spec)| (*group, name, spec))
    });
    specs
        .filter_map(|(group, key, spec)| {
            // A resolution is for the last name of a path, and maybe for one range of it.
            let name = match group {
                "resolutions" => key.rsplit_once("/@").map_or(
                    key.rsplit('/').next().filter(|_| !key.starts_with('@')).unwrap_or(key),
                    |(path, _)| &key[path.len() + 1..],
                ),
                _ => key,
            };
            let name = split_name(name).map_or(name, |(name, _)| name);
            let spec = plain(name, spec.as_str()?)?;
            Some(Rewrite { group, name: key.clone(), spec })
        })
        .collect()
}

/// Returns what `spec` is elsewhere, for a dependency called `alias`; nothing if it is the same.
fn plain(alias: &str, spec: &str) -> Option<String> {
    if let Some(patch) = spec.strip_prefix("patch:") {
        let locator = percent_decode_str(patch.split('#').next()?).decode_utf8().ok()?;
        let (name, reference) = split_name(&locator)?;
        let reference = plain(name, reference).unwrap_or_else(|| reference.to_owned());
        let has_name = name == alias || reference.contains(':');
        return Some(if has_name { reference } else { format!("npm:{name}@{reference}") });
    }
    if let Some(folder) = spec.strip_prefix("portal:") {
        return Some(format!("file:{folder}"));
    }
    let range = spec.strip_prefix("npm:")?;
    let is_alias = split_name(range).is_some_and(|(name, _)| PackageName::parse(name).is_ok());
    (!is_alias).then(|| range.to_owned())
}

/// Returns the `patchedDependencies` that a `yarn.lock` stands for: `name@version`, and the path of
/// each patch from the root of the project.
pub fn patches(lockfile: &str) -> Result<Map<String, Value>> {
    let mut patches = Map::new();
    let file = yaml(lockfile)?;
    for (key, entry) in file.as_object().into_iter().flatten() {
        let invalid = |reason| LockfileError::Foreign { entry: key.clone(), reason };
        let Some((name, reference)) = split_name(text(entry, "resolution")) else { continue };
        let Some(reference) = reference.strip_prefix("patch:") else { continue };
        let (source, parameters) = reference.split_once("::").unwrap_or((reference, ""));
        let Some((_, sources)) = source.split_once('#') else { continue };
        let of_project = sources
            .split('&')
            .map(|source| source.strip_prefix("optional!").unwrap_or(source))
            .filter(|source| !source.trim_start_matches('~').starts_with("builtin<"));
        for source in of_project {
            let path = percent_decode_str(source).decode_utf8_lossy();
            let path = path_from_root(&path, parameters)
                .ok_or_else(|| invalid("its patch is not a file of the project"))?;
            let package = format!("{name}@{}", text(entry, "version"));
            let known = patches.insert(package, Value::String(path.clone()));
            if known.is_some_and(|known| known != path) {
                return Err(invalid("it has several patches; make one of them"));
            }
        }
    }
    patches.sort_keys();
    Ok(patches)
}

/// Returns where a patch is: `~/` is the root, anything else is said from the member that asks for it.
fn path_from_root(path: &str, parameters: &str) -> Option<String> {
    if let Some(path) = path.strip_prefix("~/") {
        return Some(path.to_owned());
    }
    let mut parameters = parameters.split('&');
    let locator = parameters.find_map(|parameter| parameter.strip_prefix("locator="))?;
    let locator = percent_decode_str(locator).decode_utf8_lossy();
    let folder = locator.split_once("@workspace:")?.1;
    let folder = if folder == "." { "" } else { folder };
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_in_other_words() {
        let check = |alias: &str, spec: &str, expected: Option<&str>| {
            assert_eq!(plain(alias, spec).as_deref(), expected, "{spec}");
        };
        check("a", "npm:^1.0.0", Some("^1.0.0"));
        check("a", "npm:latest", Some("latest"));
        check("a", "npm:b@^1.0.0", None);
        check("a", "npm:@s/b@^1.0.0", None);
        check("a", "^1.0.0", None);
        check("a", "workspace:^", None);
        check("a", "portal:../a", Some("file:../a"));
        check("a", "patch:a@npm%3A2.1.2#~/.yarn/patches/a.patch", Some("2.1.2"));
        check("a", "patch:a@2.1.2#./a.patch", Some("2.1.2"));
        check("a", "patch:a@^1#optional!builtin<compat/a>", Some("^1"));
        check("a", "patch:@s/b@npm%3A1.0.0#~/b.patch", Some("npm:@s/b@1.0.0"));
        check("a", "patch:a@patch%3Aa@npm%253A1.0.0%23~/1.patch#~/2.patch", Some("1.0.0"));
        check("a", "patch:#x", None);
    }

    #[test]
    fn manifests() {
        let manifest = br#"{ "dependencies": { "a": "npm:^1.0.0", "b": "^1.0.0" },
            "resolutions": { "@s/c@npm:^1": "patch:@s/c@npm%3A1.0.0#~/c.patch", "d/@s/c": "npm:2",
                "d/e@npm:^1": "patch:e@npm%3A1.5.0#~/e.patch" } }"#;
        let found: Vec<String> = rewrites(manifest)
            .into_iter()
            .map(|rewrite| format!("{} {} {}", rewrite.group, rewrite.name, rewrite.spec))
            .collect();
        assert_eq!(
            found,
            [
                "dependencies a ^1.0.0",
                "resolutions @s/c@npm:^1 1.0.0",
                "resolutions d/@s/c 2",
                "resolutions d/e@npm:^1 1.5.0",
            ]
        );
        assert_eq!(rewrites(b"{ // a comment\n}"), []);
    }

    /// The lines of an entry of a lockfile.
    fn entry(resolution: &str) -> String {
        format!("\"{resolution}\":\n  version: 1.0.0\n  resolution: \"{resolution}\"\n")
    }

    #[test]
    fn patches_of_the_project() {
        let text = [
            "__metadata:\n  version: 8\n".to_owned(),
            entry("c@npm:1.0.0"),
            entry("c@patch:c@npm%3A1.0.0#optional!builtin<compat/c>::version=1.0.0&hash=1"),
            entry("t@patch:t@npm%3A1.0.0#~builtin<compat/t>::version=1.0.0&hash=1"),
            entry("b@patch:b@npm%3A1.0.0#~/p/b.patch::version=1.0.0&hash=1"),
            entry(
                "a@patch:a@npm%3A1.0.0#../a.patch::version=1.0.0&hash=1&locator=m%40workspace%3Ap%2Fm",
            ),
        ];
        assert!(is_berry(&text.concat()));
        let found = patches(&text.concat()).unwrap();
        assert_eq!(
            Value::Object(found).to_string(),
            r#"{"a@1.0.0":"p/a.patch","b@1.0.0":"p/b.patch"}"#
        );
        for reference in ["#~/1.patch&~/2.patch", "#../../a.patch::locator=m%40workspace%3Am"] {
            let error = patches(&entry(&format!("a@patch:a@npm%3A1.0.0{reference}")));
            assert!(matches!(error, Err(LockfileError::Foreign { .. })), "{reference}");
        }
    }
}
