//! A registry and a project as plain data, and as text to look at when something differs.

use std::fmt;

use deka_test::Registry;
use serde_json::{Map, Value, json};

/// What both tools get to see.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) versions: Vec<Version>,
    /// The project's manifest, and what it is changed to between one install and the next.
    pub(crate) steps: Vec<Project>,
}

/// One version of a package.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) tags: Vec<&'static str>,
    pub(crate) is_deprecated: bool,
    /// The operating system it is for, if it is not for all of them.
    pub(crate) system: Option<&'static str>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// The project at some time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) overrides: Vec<(String, String)>,
}

/// An entry of a manifest's groups.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) group: Group,
    pub(crate) alias: &'static str,
    pub(crate) spec: String,
}

/// Where a dependency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Prod,
    Dev,
    Optional,
    Peer,
    OptionalPeer,
    /// In `dependencies` and in `bundleDependencies`.
    Bundled,
}

impl Group {
    fn field(self) -> &'static str {
        match self {
            Self::Prod | Self::Bundled => "dependencies",
            Self::Dev => "devDependencies",
            Self::Optional => "optionalDependencies",
            Self::Peer | Self::OptionalPeer => "peerDependencies",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Prod => "",
            Self::Dev => "dev:",
            Self::Optional => "optional:",
            Self::Peer => "peer:",
            Self::OptionalPeer => "maybe:",
            Self::Bundled => "bundled:",
        }
    }
}

impl World {
    /// Publishes all versions.
    pub(crate) fn publish(&self, registry: &Registry) {
        for version in &self.versions {
            let mut package = registry.package(version.name, version.version);
            for (field, value) in groups(&version.dependencies) {
                package = package.field(&field, value);
            }
            for tag in &version.tags {
                package = package.tag(tag);
            }
            if let Some(system) = version.system {
                package = package.os(&[system]);
            }
            if version.is_deprecated {
                package = package.deprecated("old");
            }
            package.publish();
        }
    }
}

impl Project {
    /// Returns the text of `package.json`.
    pub(crate) fn manifest(&self) -> String {
        let mut manifest = groups(&self.dependencies);
        manifest.insert("name".to_owned(), "root".into());
        let overrides: Map<String, Value> =
            self.overrides.iter().map(|(key, spec)| (key.clone(), spec.as_str().into())).collect();
        manifest.insert("overrides".to_owned(), overrides.into());
        Value::from(manifest).to_string()
    }
}

/// Returns the fields of a manifest that say what it depends on.
fn groups(dependencies: &[Dependency]) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut add = |field: &str, key: &str, value: Value| {
        let group = fields.entry(field).or_insert_with(|| json!({}));
        group.as_object_mut().expect("an object").insert(key.to_owned(), value);
    };
    let mut bundled = Vec::new();
    for Dependency { group, alias, spec } in dependencies {
        add(group.field(), alias, spec.as_str().into());
        match group {
            Group::OptionalPeer => {
                add("peerDependenciesMeta", alias, json!({ "optional": true }));
            }
            Group::Bundled => bundled.push(*alias),
            _ => {}
        }
    }
    if !bundled.is_empty() {
        fields.insert("bundleDependencies".to_owned(), json!(bundled));
    }
    fields
}

/// In the words of the resolver's scenarios.
impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            write!(f, "root")?;
            write_dependencies(f, &step.dependencies)?;
            for (key, spec) in &step.overrides {
                writeln!(f, "override {key} = {spec}")?;
            }
        }
        for version in &self.versions {
            write!(f, "{}@{}", version.name, version.version)?;
            for tag in &version.tags {
                match *tag {
                    "latest" => write!(f, "!")?,
                    tag => write!(f, " tag:{tag}")?,
                }
            }
            if version.is_deprecated {
                write!(f, " deprecated")?;
            }
            if let Some(system) = version.system {
                write!(f, " os:{system}")?;
            }
            write_dependencies(f, &version.dependencies)?;
        }
        Ok(())
    }
}

fn write_dependencies(f: &mut fmt::Formatter<'_>, dependencies: &[Dependency]) -> fmt::Result {
    for Dependency { group, alias, spec } in dependencies {
        write!(f, " {}{alias}@{}", group.prefix(), spec.replace(' ', "_"))?;
    }
    writeln!(f)
}
