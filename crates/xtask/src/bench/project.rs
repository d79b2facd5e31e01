//! What is installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::scenario::Change;

/// A project to install, and what the scenarios change in it.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) name: String,
    folder: PathBuf,
    /// The package and range that are added.
    add: (&'static str, &'static str),
    /// The package that is updated, the range before and the range after.
    update: Option<(&'static str, &'static str, &'static str)>,
}

/// What managers read of a project before there is a lockfile.
const FILES: &[&str] = &["package.json", ".npmrc", "bunfig.toml"];

impl Project {
    /// A project of ours, or the one in a folder.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let root = crate::ready::workspace_root();
        let add = ("swr", "^2");
        Ok(match name {
            "next-app" => Self {
                name: name.to_owned(),
                folder: root.join("examples/next-app"),
                add,
                update: Some(("typescript", "5.8.3", "5.9.3")),
            },
            "webpack-front-end" => Self {
                name: name.to_owned(),
                folder: root.join("crates/xtask/projects/webpack-front-end"),
                add,
                update: Some(("typescript", "4.8.4", "4.9.5")),
            },
            _ => {
                let folder = fs::canonicalize(name)
                    .ok()
                    .filter(|folder| folder.join("package.json").is_file())
                    .ok_or_else(|| format!("`{name}` is neither a known project nor a folder"))?;
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Self { name, folder, add, update: None }
            }
        })
    }

    /// Whether the project says what a change is.
    pub(crate) fn has(&self, change: Option<Change>) -> bool {
        change != Some(Change::Update) || self.update.is_some()
    }

    /// Relative paths and contents of all files.
    pub(crate) fn files(&self) -> Result<Vec<(PathBuf, String)>, String> {
        let mut files = Vec::new();
        for name in FILES {
            let path = self.folder.join(name);
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
    }
}
