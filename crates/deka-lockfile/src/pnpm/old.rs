//! Versions 5 and 6 in the shape of version 9.

use serde_json::{Map, Value};

use super::GROUPS;

/// Version 6: keys have a slash before them, and packages hold what their instances do.
pub(super) fn from_6(file: &Value) -> Value {
    with_keys(file, |key| key.strip_prefix('/').unwrap_or(key).to_owned())
}

/// Version 5: keys are `/name/version_peers`, and manifests have their specifiers in a list of its own.
pub(super) fn from_5(file: &Value) -> Value {
    with_keys(file, |key| {
        let (name, version) = match key.strip_prefix('/') {
            Some(rest) => match rest.rsplit_once('/') {
                Some((name, version)) => (Some(name), version),
                None => (None, rest),
            },
            None => (None, key),
        };
        // A version has no underscore, a URL may.
        let is_version = version.starts_with(|first: char| first.is_ascii_digit());
        let version = match version.split_once('_').filter(|_| is_version) {
            Some((version, peers)) => format!("{version}({peers})"),
            None => version.to_owned(),
        };
        match name {
            Some(name) => format!("{name}@{version}"),
            None => version,
        }
    })
}

/// Returns the file with its keys and the versions that lead to them put through `key_of`.
fn with_keys(file: &Value, key_of: impl Fn(&str) -> String) -> Value {
    let mut importers = Map::new();
    match file.get("importers").and_then(Value::as_object) {
        Some(known) => {
            importers.extend(known.iter().map(|(path, it)| (path.clone(), importer(it, &key_of))));
        }
        None => {
            importers.insert(".".to_owned(), importer(file, &key_of));
        }
    }
    let (mut packages, mut snapshots) = (Map::new(), Map::new());
    for (key, package) in file.get("packages").and_then(Value::as_object).into_iter().flatten() {
        let key = key_of(key);
        let mut snapshot = Map::new();
        for (group, _) in GROUPS {
            let Some(Value::Object(known)) = package.get(group) else { continue };
            let rows = known.iter().filter_map(|(alias, version)| {
                Some((alias.clone(), Value::String(key_of(version.as_str()?))))
            });
            snapshot.insert(group.to_owned(), Value::Object(rows.collect()));
        }
        packages.entry(super::without_peers(&key)).or_insert_with(|| package.clone());
        snapshots.insert(key, Value::Object(snapshot));
    }
    let mut result = Map::new();
    for (key, value) in [("importers", importers), ("packages", packages), ("snapshots", snapshots)]
    {
        result.insert(key.to_owned(), Value::Object(value));
    }
    Value::Object(result)
}

fn importer(known: &Value, key_of: impl Fn(&str) -> String) -> Value {
    let specifier = |alias: &str| known.get("specifiers").and_then(|all| all.get(alias));
    let mut importer = Map::new();
    for (group, _) in GROUPS {
        let Some(Value::Object(rows)) = known.get(group) else { continue };
        let rows = rows.iter().filter_map(|(alias, row)| {
            let (specifier, version) = match row {
                Value::String(version) => (specifier(alias)?, version.as_str()),
                row => (row.get("specifier")?, row.get("version")?.as_str()?),
            };
            let mut row = Map::new();
            row.insert("specifier".to_owned(), specifier.clone());
            row.insert("version".to_owned(), Value::String(key_of(version)));
            Some((alias.clone(), Value::Object(row)))
        });
        importer.insert(group.to_owned(), Value::Object(rows.collect()));
    }
    Value::Object(importer)
}
