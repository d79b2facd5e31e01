//! What is installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{scenario::Change, workspace};
use crate::serve::{ADDED, Graph};

/// A project to install, and what the scenarios change in it.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) name: String,
    source: Source,
    /// The package and range that are added.
    add: (&'static str, &'static str),
    /// The package that is updated, the range before and the range after.
    update: Option<(&'static str, &'static str, &'static str)>,
}

#[derive(Clone, Debug)]
enum Source {
    Folder(PathBuf),
    /// With this many packages, which need what npm has.
    Workspace(usize),
    /// That needs this many packages, none of which npm has.
    Generated(usize),
}

/// What managers read of a project before there is a lockfile.
const FILES: &[&str] = &["package.json", ".npmrc", "bunfig.toml"];

impl Project {
    /// A project of ours, or the one in a folder.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let root = crate::ready::workspace_root();
        let (source, update) = match name {
            "next-app" => (
                Source::Folder(root.join("examples/next-app")),
                Some(("typescript", "5.8.3", "5.9.3")),
            ),
            "webpack-front-end" => (
                Source::Folder(root.join("crates/xtask/projects/webpack-front-end")),
                Some(("typescript", "4.8.4", "4.9.5")),
            ),
            _ => match counted(name) {
                Some(("workspace", packages)) => {
                    (Source::Workspace(packages), Some(("typescript", "5.8.3", "5.9.3")))
                }
                Some(("generated", packages)) => {
                    (Source::Generated(packages), Some(Graph::UPDATED))
                }
                _ => return Self::in_folder(name),
            },
        };
        let add = match source {
            Source::Generated(_) => (ADDED, "^1"),
            Source::Folder(_) | Source::Workspace(_) => ("swr", "^2"),
        };
        Ok(Self { name: name.to_owned(), source, add, update })
    }

    fn in_folder(folder: &str) -> Result<Self, String> {
        let path = fs::canonicalize(folder)
            .ok()
            .filter(|path| path.join("package.json").is_file())
            .ok_or_else(|| format!("`{folder}` is neither a known project nor a folder"))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, source: Source::Folder(path), add: ("swr", "^2"), update: None })
    }

    /// How many packages the registry has to make up for it; `None` if it is to be recorded.
    pub(crate) fn generated(&self) -> Option<usize> {
        match self.source {
            Source::Generated(packages) => Some(packages),
            Source::Folder(_) | Source::Workspace(_) => None,
        }
    }

    /// Whether the project says what a change is.
    pub(crate) fn has(&self, change: Option<Change>) -> bool {
        change != Some(Change::Update) || self.update.is_some()
    }

    /// Relative paths and contents of all files.
    pub(crate) fn files(&self) -> Result<Vec<(PathBuf, String)>, String> {
        let folder = match &self.source {
            Source::Folder(folder) => folder,
            Source::Workspace(packages) => return Ok(workspace::files(*packages)),
            Source::Generated(packages) => {
                let manifest = Graph::new(*packages).manifest();
                return Ok(vec![(PathBuf::from("package.json"), manifest)]);
            }
        };
        let mut files = Vec::new();
        for name in FILES {
            let path = folder.join(name);
            if path.exists() {
                let text = fs::read_to_string(&path)
                    .map_err(|error| format!("reading `{}`: {error}", path.display()))?;
                files.push((PathBuf::from(name), text));
            }
        }
        Ok(files)
    }

    /// The root `package.json` before and after a change.
    pub(crate) fn manifests(
        &self,
        manifest: &str,
        change: Option<Change>,
    ) -> Result<(String, String), String> {
        let mut before = manifest.to_owned();
        let mut after = manifest.to_owned();
        match (change, self.update) {
            (Some(Change::Add), _) => after = with_dependency(manifest, self.add.0, self.add.1)?,
            (Some(Change::Update), Some((name, old, new))) => {
                before = with_dependency(manifest, name, old)?;
                after = with_dependency(manifest, name, new)?;
            }
            _ => {}
        }
        Ok((before, after))
    }

    /// All of the root manifests that any change leads to. What is recorded has to serve them.
    pub(crate) fn all_manifests(&self, manifest: &str) -> Result<Vec<String>, String> {
        let mut all = vec![manifest.to_owned()];
        for change in [Change::Add, Change::Update] {
            let (before, after) = self.manifests(manifest, Some(change))?;
            for text in [before, after] {
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
        Ok(all)
    }
}

/// Of `workspace-50` both parts.
fn counted(name: &str) -> Option<(&str, usize)> {
    let (kind, count) = name.split_once('-')?;
    count.parse().ok().filter(|count| (1..=100_000).contains(count)).map(|count| (kind, count))
}

/// Sets the range of a direct dependency where it stands, or adds it to `dependencies`.
fn with_dependency(manifest: &str, name: &str, range: &str) -> Result<String, String> {
    let mut manifest: Value =
        serde_json::from_str(manifest).map_err(|error| format!("`package.json`: {error}"))?;
    let groups = ["dependencies", "devDependencies"];
    let group = groups.into_iter().find(|group| manifest[*group].get(name).is_some());
    let group = &mut manifest[group.unwrap_or("dependencies")];
    if group.is_null() {
        *group = json!({});
    }
    group[name] = range.into();
    serde_json::to_string_pretty(&manifest).map_err(|error| error.to_string())
}

/// Writes files below a folder.
pub(crate) fn write_files(folder: &Path, files: &[(PathBuf, String)]) -> Result<(), String> {
    for (path, text) in files {
        let path = folder.join(path);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("writing `{}`: {error}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_changed_where_it_stands() {
        let manifest = r#"{"name":"a","devDependencies":{"x":"1","b":"^1","y":"2"}}"#;
        let changed = with_dependency(manifest, "b", "^2").unwrap();
        let changed: Value = serde_json::from_str(&changed).unwrap();
        assert_eq!(
            changed.to_string(),
            r#"{"name":"a","devDependencies":{"x":"1","b":"^2","y":"2"}}"#
        );
        let added = with_dependency(manifest, "c", "^1").unwrap();
        let added: Value = serde_json::from_str(&added).unwrap();
        assert_eq!(added["dependencies"], json!({ "c": "^1" }));
    }

    #[test]
    fn the_example_has_all_changes() {
        let project = Project::named("next-app").unwrap();
        let files = project.files().unwrap();
        let (path, manifest) = &files[0];
        assert_eq!(path, Path::new("package.json"));
        // As it is, with one more, and with an older one.
        assert_eq!(project.all_manifests(manifest).unwrap().len(), 4);
        assert!(Project::named("no-such-project").is_err());
        assert!(Project::named("workspace-0").is_err());
    }

    #[test]
    fn sizes_are_part_of_names() {
        assert_eq!(Project::named("workspace-50").unwrap().files().unwrap().len(), 52);
        let project = Project::named("generated-1000").unwrap();
        assert_eq!(project.generated(), Some(1000));
        let manifest = &project.files().unwrap()[0].1;
        assert_eq!(project.all_manifests(manifest).unwrap().len(), 4);
    }
}
