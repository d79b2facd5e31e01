//! `deka audit fix`: safe versions in the place of vulnerable ones.

use deka_graph::{Graph, PackageId};
use deka_manifest::{Alias, PackageName, Version};
use hashbrown::{HashMap, HashSet};

use super::Draft;
use crate::InstallError;
use crate::project::Project;

/// Versions that are to take the place of others.
#[derive(Debug, Clone, Default)]
pub struct Mending {
    /// Which, where the range of a dependent allows.
    pub replacements: Vec<Replacement>,
    /// What manifests have to ask for then.
    pub specs: Vec<NewSpec>,
}

/// A version in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The package.
    pub name: PackageName,
    /// The version that is installed.
    pub from: Version,
    /// The version that takes its place.
    pub to: Version,
    /// Whether all dependents get it; else only those of the project that ask for something else now.
    pub is_everywhere: bool,
}

/// Another spec for a dependency of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSpec {
    /// The folder of the manifest below the root.
    pub folder: String,
    /// The object of the manifest: a group, a catalog, or overrides.
    pub path: Vec<String>,
    /// The dependency.
    pub alias: Alias,
    /// Its name there; that of an override may say more.
    pub key: String,
    /// Which override it is, as its path says (`a>b@^1`).
    pub overriding: Option<String>,
    /// What the manifest says.
    pub from: String,
    /// What it is to say.
    pub to: String,
}

impl Mending {
    /// Returns the versions to pick, the lowest first.
    pub(super) fn preferred(&self) -> HashMap<PackageName, Vec<Version>> {
        let mut preferred: HashMap<PackageName, Vec<Version>> = HashMap::new();
        for replacement in &self.replacements {
            preferred.entry(replacement.name).or_default().push(replacement.to.clone());
        }
        for versions in preferred.values_mut() {
            versions.sort_by(Version::cmp_precedence);
            versions.dedup();
        }
        preferred
    }

    /// Returns the packages that are to be replaced.
    pub(super) fn outdated(&self, graph: &Graph) -> HashSet<PackageId> {
        let is_replaced = |id: &PackageId| {
            let package = graph.package(*id);
            self.replacements.iter().any(|replacement| {
                replacement.is_everywhere
                    && replacement.name == package.name
                    && package.version() == Some(&replacement.from)
            })
        };
        graph.package_ids().filter(is_replaced).collect()
    }

    pub(super) fn begin(
        &self,
        draft: &mut Draft,
        project: &mut Project,
    ) -> Result<(), InstallError> {
        for spec in &self.specs {
            draft.drafts.edit(project, &spec.folder, |editor| {
                let path: Vec<&str> = spec.path.iter().map(String::as_str).collect();
                editor.set(&path, &spec.key, &spec.to);
            })?;
        }
        Ok(())
    }
}
