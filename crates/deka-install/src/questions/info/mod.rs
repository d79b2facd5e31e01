//! What a registry says about a package.

mod cached;
mod path;

use std::path::Path;
use std::sync::Arc;

use deka_config::Config;
use deka_manifest::{PackageName, Range, Version, split_name};
use deka_registry::{RegistryError, SafeUrl, packument_url};
use serde_json::{Map, Value};

pub use path::Selected;

use super::Inquiry;
use crate::project::{Project, WantedLockfile};
use crate::{InstallError, find_project};

/// How many versions are listed where none fits.
const SHOWN_VERSIONS: usize = 5;

/// What is asked.
#[derive(Debug, Clone)]
pub struct InfoRequest {
    /// All settings.
    pub config: Arc<Config>,
    /// Which package.
    pub name: PackageName,
    /// Which of its versions: a dist-tag, a version or a range; what `latest` stands for if it is empty.
    pub range: String,
}

/// A version of a package, with all that the registry says about it.
#[derive(Debug, Clone)]
pub struct Info {
    /// The version.
    pub version: String,
    /// When it was published.
    pub published: Option<String>,
    /// How many versions there are.
    pub versions: usize,
    /// Whether it is only what the cache knows, because nobody may be asked.
    pub is_cached: bool,
    /// What is said about this version alone.
    own: Map<String, Value>,
    /// What is said about the package, which can be megabytes: its versions share it. `versions` is a list of
    /// names here.
    document: Arc<Map<String, Value>>,
}

/// Fields that mean the package, whatever a version says by that name.
const OF_PACKAGE: [&str; 3] = ["versions", "time", "dist-tags"];

impl InfoRequest {
    /// Reads `name`, `name@range` or nothing, which means the project in or above `folder`.
    pub fn of(
        config: Arc<Config>,
        package: Option<&str>,
        folder: &Path,
    ) -> Result<Self, InstallError> {
        let Some(text) = package else {
            let root = find_project(folder)?;
            let project = Project::read(&root, WantedLockfile::None, false)?;
            let targets = project.targets(&[], folder)?;
            let manifest = targets.first().and_then(|folder| project.manifest_of(folder));
            let name = manifest.and_then(deka_manifest::PackageJson::package_name);
            let name =
                name.ok_or_else(|| InstallError::Nameless { path: project.manifest_path() })?;
            return Ok(Self { config, name, range: String::new() });
        };
        let (name, range) = split_name(text).unwrap_or((text, ""));
        let name = PackageName::parse(name)
            .map_err(|source| InstallError::NoName { text: text.to_owned(), source })?;
        Ok(Self { config, name, range: range.trim().to_owned() })
    }
}

impl Info {
    /// Returns a field of the version, else of the package.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let of_package = self.document.get(name);
        of_package
            .filter(|_| OF_PACKAGE.contains(&name))
            .or_else(|| self.own.get(name))
            .or(of_package)
    }

    /// Returns a copy of all fields.
    pub fn fields(&self) -> Map<String, Value> {
        let names = self.own.keys().chain(self.document.keys());
        names.filter_map(|name| Some((name.clone(), self.field(name)?.clone()))).collect()
    }

    /// Returns what is at a path such as `dist.tarball`, `versions[0]` or `maintainers.name`, which is several things.
    pub fn select(&self, path: &str) -> Vec<Selected> {
        path::select(&|name| self.field(name), path)
    }
}

/// Asks the registry: one version, or all those in the range, the lowest first. Where it may not be asked,
/// the cache answers as far as it can.
pub fn info(request: &InfoRequest) -> Result<Vec<Info>, InstallError> {
    let inquiry = Inquiry::new(&request.config)?;
    let name = request.name;
    let packument = |source| InstallError::Packument { name, source };
    let cached = inquiry.client.cached(name, false).filter(|_| request.config.network.offline);
    let is_cached = cached.is_some();
    let mut document = if let Some(known) = cached {
        cached::document(&known)
    } else {
        let document = inquiry.wait(inquiry.client.document(name)).map_err(packument)?;
        serde_json::from_slice(&document).map_err(|source| {
            let url = packument_url(request.config.registry_for(name.as_str()).url(), name);
            let source = Arc::new(source);
            packument(RegistryError::Packument { name, url: SafeUrl::new(&url), source })
        })?
    };
    let all = versions(&document);
    let picked = pick(&document, &all, &request.range);
    if picked.is_empty() {
        let newest = all.iter().rev().take(SHOWN_VERSIONS);
        let available = newest.map(ToString::to_string).collect();
        let range = if request.range.is_empty() { "latest" } else { &request.range };
        return Err(InstallError::NoSuchVersion { name, range: range.to_owned(), available });
    }
    let mut manifests = take_versions(&mut document, &all);
    let document = Arc::new(document);
    let mut describe = |version| Info { is_cached, ..describe(&document, &mut manifests, version) };
    Ok(picked.iter().map(&mut describe).collect())
}

/// Returns all versions, the lowest first.
fn versions(document: &Map<String, Value>) -> Vec<Version> {
    let names = document.get("versions").and_then(Value::as_object);
    let names = names.into_iter().flat_map(|versions| versions.keys());
    let mut versions: Vec<Version> = names.filter_map(|name| Version::parse(name).ok()).collect();
    versions.sort_by(Version::cmp_precedence);
    versions
}

fn pick(document: &Map<String, Value>, all: &[Version], wanted: &str) -> Vec<Version> {
    let tagged = |tag: &str| {
        let version = document.get("dist-tags")?.get(tag)?.as_str()?;
        all.iter().find(|known| known.to_string() == version).cloned()
    };
    let tag = if wanted.is_empty() { "latest" } else { wanted };
    if let Some(version) = tagged(tag) {
        return vec![version];
    }
    if wanted.is_empty() {
        let stable = all.iter().rfind(|version| !version.is_prerelease());
        return stable.or(all.last()).cloned().into_iter().collect();
    }
    let Ok(range) = Range::parse(wanted) else { return Vec::new() };
    all.iter().filter(|version| range.satisfies(version)).cloned().collect()
}

/// Takes what is said about each version out of a document, and leaves their names.
fn take_versions(document: &mut Map<String, Value>, all: &[Version]) -> Map<String, Value> {
    let names = all.iter().map(ToString::to_string).collect();
    match document.get_mut("versions").map(|versions| std::mem::replace(versions, names)) {
        Some(Value::Object(manifests)) => manifests,
        _ => Map::new(),
    }
}

fn describe(
    document: &Arc<Map<String, Value>>,
    manifests: &mut Map<String, Value>,
    version: &Version,
) -> Info {
    let name = version.to_string();
    let own = match manifests.get_mut(&name).map(Value::take) {
        Some(Value::Object(manifest)) => manifest,
        _ => Map::new(),
    };
    let published = document.get("time").and_then(|time| time.get(&name)?.as_str());
    let versions = document.get("versions").and_then(Value::as_array).map_or(0, Vec::len);
    Info {
        published: published.map(ToOwned::to_owned),
        version: name,
        is_cached: false,
        versions,
        own,
        document: document.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Map, Value, json};

    use super::{describe, pick, take_versions, versions};

    fn document() -> Map<String, Value> {
        let document = json!({
            "name": "a", "description": "old", "readme": "# a",
            "dist-tags": { "latest": "1.1.0", "next": "2.0.0-rc.1" },
            "versions": {
                "1.10.0": { "version": "1.10.0" },
                "1.1.0": { "version": "1.1.0", "description": "new", "dist-tags": "hostile" },
                "2.0.0-rc.1": {},
            },
            "time": { "1.1.0": "2020-01-01" },
        });
        document.as_object().unwrap().clone()
    }

    #[test]
    fn picking() {
        let document = document();
        let all = versions(&document);
        let check = |wanted: &str, expected: &[&str]| {
            let picked: Vec<String> =
                pick(&document, &all, wanted).iter().map(ToString::to_string).collect();
            assert_eq!(picked, expected, "{wanted}");
        };
        check("", &["1.1.0"]);
        check("next", &["2.0.0-rc.1"]);
        check("1", &["1.1.0", "1.10.0"]);
        check("1.10.0", &["1.10.0"]);
        check(">2", &[]);
        check("nosuchtag", &[]);
    }

    #[test]
    fn fields_of_the_version_come_first() {
        let mut document = document();
        let all = versions(&document);
        let mut manifests = take_versions(&mut document, &all);
        let document = Arc::new(document);
        let info = describe(&document, &mut manifests, &all[0]);
        let fields = info.fields();
        assert_eq!(fields["description"], "new");
        assert_eq!(fields["readme"], "# a");
        assert_eq!(fields["versions"], json!(["1.1.0", "1.10.0", "2.0.0-rc.1"]));
        assert_eq!(fields["dist-tags"]["latest"], "1.1.0");
        assert!(fields.iter().all(|(name, value)| info.field(name) == Some(value)));
        assert_eq!((info.published.as_deref(), info.versions), (Some("2020-01-01"), 3));
        let old = describe(&document, &mut manifests, &all[1]);
        assert_eq!(old.field("description"), Some(&json!("old")));
    }
}
