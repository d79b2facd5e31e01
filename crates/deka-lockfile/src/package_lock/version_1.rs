//! Version 1: places nested in one another, with nothing but versions and ranges.
//!
//! ```text
//! "dependencies": {
//!   "p": { "version": "1.0.0", "resolved": "https://…", "requires": { "s": "^2" },
//!          "dependencies": { "s": { … } } }                 node_modules/p/node_modules/s
//! }
//! ```

use serde_json::Value;

use super::entry::Entry;
use crate::WorkspaceEntry;
use crate::migrate::{integrity, symbols, text};

/// Reads the places; the file does not tell of manifests, so the places of these are made up.
pub(super) fn all(file: &Value, workspaces: &[WorkspaceEntry]) -> Vec<(String, Entry)> {
    let manifests = workspaces.iter().map(|entry| (entry.path.clone(), Entry::unknown()));
    let mut places: Vec<(String, Entry)> = manifests.collect();
    // The reader of JSON bounds how deep this goes.
    read_level("", file, &mut places);
    places
}

fn read_level(above: &str, value: &Value, places: &mut Vec<(String, Entry)>) {
    let Some(Value::Object(dependencies)) = value.get("dependencies") else { return };
    for (name, value) in dependencies {
        // It is for another platform, and npm has not looked at it.
        let is_unknown = value.get("version").is_none();
        if is_unknown && value.get("optional") == Some(&Value::Bool(true)) {
            continue;
        }
        let separator = if above.is_empty() { "" } else { "/" };
        let key = format!("{above}{separator}node_modules/{name}");
        let entry = read(value);
        // What lies below a link lies in the folder that it leads to.
        let below = if entry.is_link { entry.resolved.clone() } else { key.clone() };
        places.push((key, entry));
        read_level(&below, value, places);
    }
}

fn read(value: &Value) -> Entry {
    let version = text(value, "version");
    let mut entry = Entry {
        resolved: text(value, "resolved").to_owned(),
        integrity: integrity(text(value, "integrity")),
        is_bundled: value.get("bundled") == Some(&Value::Bool(true)),
        dependencies: symbols(value, "requires"),
        ..Entry::unknown()
    };
    match version.split_once(':') {
        // The version is where the package comes from.
        Some(("npm", aliased)) => {
            let at = aliased.rfind('@').filter(|at| *at > 0).unwrap_or(aliased.len());
            entry.name = Some(aliased[..at].to_owned());
            aliased[at..].trim_start_matches('@').clone_into(&mut entry.version);
        }
        Some(("file", path)) if !super::is_tarball(path) => {
            entry.is_link = true;
            path.clone_into(&mut entry.resolved);
        }
        Some(_) => version.clone_into(&mut entry.resolved),
        None => version.clone_into(&mut entry.version),
    }
    entry
}
