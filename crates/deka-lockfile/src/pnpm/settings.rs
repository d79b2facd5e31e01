//! What pnpm reads from `pnpm-workspace.yaml` and from `pnpm` in `package.json`, in the words that Bun
//! and deka know.

use serde_json::{Map, Value};

use crate::LockfileError;
use crate::migrate::yaml;

/// A property that `package.json` is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// What it is to be.
    pub value: Value,
    /// Where pnpm has it.
    pub source: &'static str,
}

/// Returns what the text of a manifest lacks of pnpm's settings; `workspace` is the text of
/// `pnpm-workspace.yaml`, if there is one.
///
/// A manifest that is no plain JSON, as with comments in it, lacks nothing.
pub fn missing(manifest: &[u8], workspace: Option<&str>) -> Result<Vec<Setting>, LockfileError> {
    let Ok(manifest) = serde_json::from_slice::<Value>(manifest) else { return Ok(Vec::new()) };
    let workspace = workspace.map(yaml).transpose()?.unwrap_or(Value::Null);
    let pnpm = manifest.get("pnpm").unwrap_or(&Value::Null);
    let mut settings = Vec::new();
    let mut add = |key: &'static str, value: Option<&Value>, source: &'static str| {
        let Some(value) = value.filter(|value| !is_empty(value)) else { return };
        let is_known = |setting: &Setting| setting.key == key;
        if manifest.get(key).is_none() && !settings.iter().any(is_known) {
            settings.push(Setting { key, value: value.clone(), source });
        }
    };
    add("overrides", pnpm.get("overrides"), "pnpm.overrides");
    add("overrides", workspace.get("overrides"), WORKSPACE);
    add("patchedDependencies", pnpm.get("patchedDependencies"), "pnpm.patchedDependencies");
    add("patchedDependencies", workspace.get("patchedDependencies"), WORKSPACE);
    let catalogs = ["catalog", "catalogs"].map(|key| (key, workspace.get(key)));
    let has_catalogs = catalogs.iter().any(|(_, value)| value.is_some());
    let packages = workspace.get("packages");
    if manifest.get("workspaces").is_none() && has_catalogs {
        let mut object = Map::new();
        for (key, value) in [("packages", packages)].into_iter().chain(catalogs) {
            object.extend(value.map(|value| (key.to_owned(), value.clone())));
        }
        add("workspaces", Some(&Value::Object(object)), WORKSPACE);
    } else {
        add("workspaces", packages, WORKSPACE);
        for (key, value) in catalogs {
            add(key, value, WORKSPACE);
        }
    }
    Ok(settings)
}

const WORKSPACE: &str = "pnpm-workspace.yaml";

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => true,
    }
}
