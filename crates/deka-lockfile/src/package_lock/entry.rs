//! One place of a `package-lock.json`.

use deka_manifest::{Alias, CpuSet, LibcSet, OsSet, Platforms, Symbol};
use serde_json::Value;

use super::Result;
use crate::LockfileError;
use crate::migrate::{Needs, integrity, strings, symbols, text};

/// What the file says of the package at one place.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name, where that is not the last part of the key.
    pub(super) name: Option<String>,
    pub(super) version: String,
    /// Where its bytes come from; of a link the folder.
    pub(super) resolved: String,
    pub(super) integrity: Symbol,
    pub(super) is_link: bool,
    /// Whether the package above has it in its tarball.
    pub(super) is_bundled: bool,
    pub(super) has_install_script: bool,
    pub(super) platforms: Platforms,
    /// Its commands, as the file has them.
    pub(super) bin: Value,
    pub(super) dependencies: Vec<(Alias, Symbol)>,
    pub(super) dev_dependencies: Vec<(Alias, Symbol)>,
    pub(super) optional_dependencies: Vec<(Alias, Symbol)>,
    pub(super) peer_dependencies: Vec<(Alias, Symbol)>,
    pub(super) optional_peers: Vec<Alias>,
    /// What the file does not tell.
    pub(super) needs: Needs,
}

/// Reads the places of versions 2 and 3.
pub(super) fn all(file: &Value) -> Result<Vec<(String, Entry)>> {
    let packages = file.get("packages").and_then(Value::as_object);
    let packages = packages.ok_or(LockfileError::MissingSection { section: "packages" })?;
    Ok(packages.iter().map(|(key, value)| (key.clone(), Entry::read(value))).collect())
}

impl Entry {
    fn read(value: &Value) -> Self {
        let is_true = |key: &str| value.get(key) == Some(&Value::Bool(true));
        let owned = |key: &str| text(value, key).to_owned();
        let optional_dependencies = symbols(value, "optionalDependencies");
        let mut dependencies = symbols(value, "dependencies");
        dependencies
            .retain(|(alias, _)| optional_dependencies.iter().all(|(other, _)| other != alias));
        let peer_dependencies = symbols(value, "peerDependencies");
        let optional_peers = match value.get("peerDependenciesMeta") {
            Some(Value::Object(meta)) => peer_dependencies
                .iter()
                .map(|(alias, _)| *alias)
                .filter(|alias| {
                    let meta = meta.get(alias.as_str()).and_then(|meta| meta.get("optional"));
                    meta == Some(&Value::Bool(true))
                })
                .collect(),
            _ => Vec::new(),
        };
        Self {
            name: Some(owned("name")).filter(|name| !name.is_empty()),
            version: owned("version"),
            resolved: owned("resolved"),
            integrity: integrity(text(value, "integrity")),
            is_link: is_true("link"),
            is_bundled: is_true("inBundle"),
            has_install_script: is_true("hasInstallScript"),
            platforms: Platforms {
                os: OsSet::from_entries(strings(value, "os")),
                cpu: CpuSet::from_entries(strings(value, "cpu")),
                libc: LibcSet::of_package(strings(value, "libc")),
            },
            bin: value.get("bin").cloned().unwrap_or(Value::Null),
            dependencies,
            dev_dependencies: symbols(value, "devDependencies"),
            optional_dependencies,
            peer_dependencies,
            optional_peers,
            needs: Needs::Nothing,
        }
    }

    /// Returns a place of which nothing is known but where it is.
    pub(super) fn unknown() -> Self {
        Self { needs: Needs::Everything, ..Self::read(&Value::Null) }
    }
}
