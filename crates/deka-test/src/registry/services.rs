//! What registries offer besides packages: searches and audits.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde_json::{Map, Value, json};

use super::{Request, State, decode};

/// Unpacks gzip; what is none stays as it is.
pub(crate) fn unpacked(body: &Bytes) -> Bytes {
    let mut bytes = Vec::new();
    match GzDecoder::new(body.as_ref()).read_to_end(&mut bytes) {
        Ok(_) => bytes.into(),
        Err(_) => body.clone(),
    }
}

/// The answer of a service that is asked for and offered.
pub(crate) fn answer(state: &State, request: &Request, path: &str) -> Option<Bytes> {
    let answer = match path {
        "/-/v1/search" if state.offers_search => search(state, &request.path),
        "/-/npm/v1/security/advisories/bulk" => {
            let asked = serde_json::from_slice(&request.body).unwrap_or_default();
            advisories(state.advisories.as_ref()?, &asked)
        }
        _ => return None,
    };
    Some(answer.to_string().into())
}

fn search(state: &State, path: &str) -> Value {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let get = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        decode(&value.unwrap_or_default().replace('+', " "))
    };
    let text = get("text");
    let mut names: Vec<&String> =
        state.packages.keys().filter(|name| name.contains(text.as_str())).collect();
    names.sort();
    let total = names.len();
    names.truncate(get("size").parse().unwrap_or(20));
    let objects: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let (version, manifest) =
                state.packages[name].versions.last().cloned().unwrap_or_default();
            let time = state.packages[name].times.last().map(|(_, time)| time.clone());
            json!({ "package": {
                "name": name,
                "version": version,
                "description": manifest.get("description"),
                "keywords": manifest.get("keywords"),
                "date": time,
                "publisher": { "username": "someone" },
            } })
        })
        .collect();
    json!({ "objects": objects, "total": total })
}

fn advisories(known: &[(String, Vec<String>, Value)], asked: &Value) -> Value {
    let mut found: Map<String, Value> = Map::new();
    for (name, versions, advisory) in known {
        let asked = asked.get(name).and_then(Value::as_array).into_iter().flatten();
        let is_affected = |asked: &Value| versions.iter().any(|version| asked == version.as_str());
        if asked.into_iter().any(is_affected) {
            let list = found.entry(name.clone()).or_insert_with(|| json!([]));
            list.as_array_mut().expect("a list").push(advisory.clone());
        }
    }
    found.into()
}
