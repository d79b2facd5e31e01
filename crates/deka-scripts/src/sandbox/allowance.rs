//! What a project allows the scripts of a dependency besides: `deka.sandbox` in its `package.json`.

use std::path::{Component, Path, PathBuf};

use hashbrown::HashMap;
use serde_json::Value;

/// What one package may do besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowance {
    /// It may use the network.
    pub network: bool,
    /// Folders of the project that it may change, relative to it.
    pub write: Vec<PathBuf>,
}

/// What all packages may do besides, by their real names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowances {
    /// `None` for a package that needs no sandbox.
    packages: HashMap<String, Option<Allowance>>,
    /// What could not be understood, one line for each.
    pub problems: Vec<String>,
}

impl Allowances {
    /// Reads the manifest of a project; what is odd in it allows nothing.
    pub fn read(manifest: &[u8]) -> Self {
        let mut this = Self::default();
        let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
        let Some(packages) = manifest.pointer("/deka/sandbox").and_then(Value::as_object) else {
            return this;
        };
        for (name, value) in packages {
            match value {
                Value::Bool(false) => {
                    this.packages.insert(name.clone(), None);
                }
                Value::Object(fields) => {
                    let mut allowance = Allowance::default();
                    for (key, value) in fields {
                        if !allowance.set(key, value) {
                            this.problems.push(format!(
                                "`deka.sandbox.{name}.{key}` in package.json is not understood"
                            ));
                        }
                    }
                    this.packages.insert(name.clone(), Some(allowance));
                }
                _ => this.problems.push(format!(
                    "`deka.sandbox.{name}` in package.json has to be an object or `false`"
                )),
            }
        }
        this
    }

    /// Returns what a package may do besides; `None` if it needs no sandbox.
    pub fn of(&self, name: &str) -> Option<Allowance> {
        match self.packages.get(name) {
            Some(allowance) => allowance.clone(),
            None => Some(Allowance::known(name)),
        }
    }
}

impl Allowance {
    /// What packages are known to need: Prisma generates its client beside its own folder.
    fn known(name: &str) -> Self {
        let write: &[&str] = match name {
            "@prisma/client" => &["node_modules/.prisma"],
            _ => &[],
        };
        Self { network: false, write: write.iter().map(PathBuf::from).collect() }
    }

    fn set(&mut self, key: &str, value: &Value) -> bool {
        match (key, value) {
            ("network", Value::Bool(network)) => {
                self.network = *network;
                true
            }
            ("write", Value::Array(folders)) => folders.iter().all(|folder| {
                let folder = folder.as_str().map(Path::new).filter(|folder| is_inside(folder));
                self.write.extend(folder.map(Path::to_owned));
                folder.is_some()
            }),
            _ => false,
        }
    }
}

fn is_inside(folder: &Path) -> bool {
    folder.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        && folder.components().any(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_projects_say() {
        let allowances = Allowances::read(
            br#"{"deka":{"sandbox":{
                "a":{"network":true,"write":["out","./gen/x"]},"b":false,"c":{"write":["../up"]},
                "d":true,"e":{"net":true}}}}"#,
        );
        let a = allowances.of("a").unwrap();
        assert!(a.network);
        assert_eq!(a.write, [PathBuf::from("out"), PathBuf::from("./gen/x")]);
        assert_eq!(allowances.of("b"), None);
        for name in ["c", "d", "e", "unknown"] {
            assert_eq!(allowances.of(name), Some(Allowance::default()), "{name}");
        }
        assert_eq!(allowances.problems.len(), 3, "{:?}", allowances.problems);
    }

    #[test]
    fn without_a_word_there_is_nothing() {
        for manifest in ["{}", "", "{\"deka\":1}", "[]"] {
            assert_eq!(Allowances::read(manifest.as_bytes()), Allowances::default());
        }
    }
}
