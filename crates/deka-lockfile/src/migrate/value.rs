//! Values of JSON and YAML, read leniently: what has an odd shape counts as absent.

use deka_manifest::{Alias, Bin, PackageName, Symbol};
use serde_json::Value;

use crate::LockfileError;

/// Reads JSON.
pub(crate) fn json(text: &str) -> Result<Value, LockfileError> {
    serde_json::from_str(text)
        .map_err(|error| LockfileError::Malformed { message: error.to_string() })
}

/// Returns the string at `key`, or an empty one.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the strings of the array at `key`, or the one string that is there.
pub(crate) fn strings<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    match value.get(key) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns names and strings of the object at `key`, by name; names that are none are left out.
pub(crate) fn symbols(value: &Value, key: &str) -> Vec<(Alias, Symbol)> {
    let Some(Value::Object(group)) = value.get(key) else { return Vec::new() };
    let mut group: Vec<(Alias, Symbol)> = group
        .iter()
        .filter_map(|(name, spec)| Some((Alias::parse(name).ok()?, Symbol::new(spec.as_str()?))))
        .collect();
    group.sort();
    group
}

/// Returns commands as Bun reads them from such files: the only one is a string if it is called like
/// the package, scope and all.
pub(crate) fn file_bin(value: &Value, name: PackageName) -> Bin {
    match value {
        Value::String(file) if !file.is_empty() => Bin::File(file.as_str().into()),
        Value::Object(commands) => {
            let mut commands: Vec<(Box<str>, Box<str>)> = commands
                .iter()
                .filter_map(|(command, file)| {
                    Some((command.as_str().into(), file.as_str()?.into()))
                })
                .collect();
            match commands.as_mut_slice() {
                [] => Bin::None,
                [(command, file)] if **command == *name.as_str() => Bin::File(std::mem::take(file)),
                _ => Bin::Map(commands.into()),
            }
        }
        _ => Bin::None,
    }
}
