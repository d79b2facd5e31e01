//! What a registry finds for some words.

use std::sync::Arc;

use deka_config::Config;
use deka_registry::{RegistryError, SafeUrl};
use serde_json::Value;

use super::Inquiry;
use crate::InstallError;

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The packages, the best first.
    pub hits: Vec<Hit>,
    /// How many the registry knows, if it says so.
    pub total: Option<u64>,
}

/// A package that was found. What the registry does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hit {
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version: String,
    /// What it is for.
    pub description: String,
    /// When that version was published.
    pub date: String,
    /// Who published it.
    pub publisher: String,
    /// Words that its authors gave it.
    pub keywords: Vec<String>,
}

/// Asks the default registry.
pub fn search(config: &Arc<Config>, terms: &str, limit: usize) -> Result<Search, InstallError> {
    let inquiry = Inquiry::new(config)?;
    let registry = config.registries.default_registry().url();
    let registry = SafeUrl::new(registry);
    let answer = match inquiry.wait(inquiry.client.search(terms, limit)) {
        Ok(answer) => answer,
        Err(source) if source.is_unsupported() => {
            return Err(InstallError::NoSearch { registry, source });
        }
        Err(source) => return Err(InstallError::Search { source }),
    };
    let mut search = read(&answer).map_err(|source| InstallError::Search {
        source: RegistryError::Answer { url: registry, source: Arc::new(source) },
    })?;
    // Some registries do not know the limit.
    search.hits.truncate(limit);
    Ok(search)
}

fn read(answer: &[u8]) -> Result<Search, serde_json::Error> {
    let answer: Value = serde_json::from_slice(answer)?;
    let objects = answer.get("objects").and_then(Value::as_array);
    // Without that it is JSON, but no answer to a search.
    let objects = objects.ok_or_else(|| serde::de::Error::missing_field("objects"))?;
    let hits = objects.iter().filter_map(|object| hit(object.get("package")?)).collect();
    Ok(Search { hits, total: answer.get("total").and_then(Value::as_u64) })
}

fn hit(package: &Value) -> Option<Hit> {
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).map(ToOwned::to_owned).unwrap_or_default()
    };
    let publisher = package.get("publisher");
    let publisher = publisher.and_then(|person| person.get("username").or(person.get("name")));
    let keywords = package.get("keywords").and_then(Value::as_array);
    Some(Hit {
        name: package.get("name")?.as_str()?.to_owned(),
        version: text(package.get("version")),
        description: text(package.get("description")),
        date: text(package.get("date")),
        publisher: text(publisher),
        keywords: keywords.into_iter().flatten().map(|word| text(Some(word))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Hit, read};

    #[test]
    fn answers() {
        let answer = br#"{ "objects": [
            { "package": { "name": "a", "version": "1.0.0", "publisher": { "username": "me" }, "keywords": ["x"] } },
            { "package": { "name": 1 } }, {}
        ], "total": 7 }"#;
        let search = read(answer).unwrap();
        let expected = Hit {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            publisher: "me".to_owned(),
            keywords: vec!["x".to_owned()],
            ..Hit::default()
        };
        assert_eq!((search.hits, search.total), (vec![expected], Some(7)));
        assert!(read(b"{}").is_err());
        assert!(read(b"<html>").is_err());
    }
}
