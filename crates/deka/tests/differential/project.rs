//! The projects, as files beside this one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

/// The names of the files in a folder of projects, sorted.
pub(crate) fn names(within: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder().join(within))
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// The `package.json` of a project, byte for byte.
pub(crate) fn manifest(name: &str) -> String {
    read(&format!("projects/{}.json", name.replace('_', "-")))
}

/// The `package.json` of each step of a sequence of edits.
pub(crate) fn steps(name: &str) -> Vec<String> {
    let text = read(&format!("projects/edits/{}.json", name.replace('_', "-")));
    let steps: Vec<Value> = serde_json::from_str(&text).expect("a list of manifests");
    assert!(steps.len() > 1, "`{name}` edits nothing");
    steps.iter().map(|step| serde_json::to_string_pretty(step).expect("JSON") + "\n").collect()
}

/// The steps of a project of many files, with what `fill_in` puts in place of names in braces.
pub(crate) fn folder_steps(
    name: &str,
    fill_in: impl Fn(&str) -> String,
) -> Vec<Map<String, Value>> {
    let text = fill_in(&read(&format!("projects/folders/{}.json", name.replace('_', "-"))));
    serde_json::from_str(&text).expect("a list of objects")
}

fn read(path: &str) -> String {
    let path = folder().join(path);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("reading `{}`: {error}", path.display()))
}
