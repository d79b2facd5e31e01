//! Advisories as registries have them.

use deka_manifest::{PackageName, Range, Version};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Or a word that deka does not know.
    #[default]
    Low,
    /// In between.
    Moderate,
    /// Bad.
    High,
    /// The worst.
    Critical,
}

/// A known vulnerability.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// The registry's number.
    pub id: String,
    /// Where one can read about it.
    pub url: String,
    /// What it is.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// The vulnerable versions.
    pub vulnerable_versions: String,
    /// Kinds of weaknesses: `CWE-79`.
    pub cwe: Vec<String>,
    /// A number for how bad it is, up to 10.
    pub cvss_score: Option<f64>,
    /// Its names elsewhere: `CVE-2026-1`.
    pub cves: Vec<String>,
    range: Range,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Moderate, Self::Low, Self::Info];

    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|severity| severity.word() == word).unwrap_or_default()
    }
}

impl Advisory {
    /// Whether a version is vulnerable.
    pub fn affects(&self, version: &Version) -> bool {
        // A prerelease of a vulnerable version is no better than that; ranges leave it out.
        self.range.satisfies(version)
            || version.is_prerelease()
                && self.range.satisfies(&Version::new(
                    version.major(),
                    version.minor(),
                    version.patch(),
                ))
    }

    /// Returns its name at GitHub, if it has one there.
    pub fn ghsa(&self) -> Option<&str> {
        let name = self.url.rsplit('/').next()?;
        name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("GHSA-")).then_some(name)
    }

    /// Whether a GHSA, a CVE or a number means this one.
    pub(super) fn is_called(&self, id: &str) -> bool {
        self.id == id
            || self.ghsa().is_some_and(|name| name.eq_ignore_ascii_case(id))
            || self.cves.iter().any(|name| name.eq_ignore_ascii_case(id))
    }
}

/// An advisory on the wire. What is odd is absent.
#[derive(Debug, Deserialize)]
struct Wire {
    id: Option<Value>,
    url: Option<Value>,
    title: Option<Value>,
    severity: Option<Value>,
    vulnerable_versions: Option<Value>,
    cwe: Option<Value>,
    cvss: Option<Value>,
    cves: Option<Value>,
}

/// Returns what is to be sent.
pub(super) fn question(versions: &[(PackageName, Vec<Version>)]) -> String {
    let object: Map<String, Value> = versions
        .iter()
        .map(|(name, versions)| {
            let versions: Vec<Value> =
                versions.iter().map(|version| version.to_string().into()).collect();
            (name.to_string(), versions.into())
        })
        .collect();
    Value::Object(object).to_string()
}

/// Reads the answer. Advisories whose range says nothing are taken for all versions.
pub(super) fn read(answer: &[u8]) -> Result<Vec<(PackageName, Vec<Advisory>)>, serde_json::Error> {
    let object: Map<String, Value> = serde_json::from_slice(answer)?;
    let mut found = Vec::new();
    for (name, advisories) in object {
        let Ok(name) = PackageName::parse(&name) else { continue };
        let wires: Vec<Wire> = serde_json::from_value(advisories)?;
        found.push((name, wires.into_iter().map(advisory).collect()));
    }
    Ok(found)
}

fn advisory(wire: Wire) -> Advisory {
    let vulnerable_versions = text(wire.vulnerable_versions);
    let range = Range::parse(&vulnerable_versions).unwrap_or_else(|_| Range::any());
    Advisory {
        id: text(wire.id),
        url: text(wire.url),
        title: text(wire.title),
        severity: Severity::of(&text(wire.severity)),
        vulnerable_versions,
        cwe: texts(wire.cwe),
        cvss_score: wire.cvss.and_then(|cvss| cvss.get("score")?.as_f64()),
        cves: texts(wire.cves),
        range,
    }
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn texts(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::Array(values)) => values
            .into_iter()
            .map(|value| text(Some(value)))
            .filter(|text| !text.is_empty())
            .collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use deka_manifest::Version;

    use super::{Severity, read};

    #[test]
    fn answers() {
        let found = read(
            br#"{ "a": [
                { "id": 7, "url": "https://x.example/GHSA-aaaa-bbbb-cccc", "severity": "high",
                  "vulnerable_versions": "<1.2.0", "cvss": { "score": 7.5 }, "cwe": ["CWE-1"] },
                { "id": "x", "severity": "odd", "vulnerable_versions": "not a range", "cves": ["CVE-1"] }
            ], "../up": [] }"#,
        )
        .unwrap();
        assert_eq!(found.len(), 1);
        let [known, odd] = found[0].1.as_slice() else { panic!("{found:?}") };
        let affects = |version| known.affects(&Version::parse(version).unwrap());
        assert!(affects("1.1.0") && affects("1.1.0-beta.1") && !affects("1.2.0"));
        assert!(known.is_called("7") && known.is_called("ghsa-aaaa-bbbb-cccc"));
        assert_eq!((known.severity, known.cvss_score), (Severity::High, Some(7.5)));
        assert!(odd.is_called("cve-1") && odd.affects(&Version::new(9, 0, 0)));
        assert_eq!((odd.severity, odd.ghsa()), (Severity::Low, None));
        assert!(read(b"<html>").is_err());
        assert!(read(br#"{ "a": 1 }"#).is_err());
    }
}
