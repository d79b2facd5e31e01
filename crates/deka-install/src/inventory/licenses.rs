//! The licenses of installed packages.

use deka_graph::PackageId;
use hashbrown::HashSet;

use super::{InstalledManifest, Inventory};

/// Packages with their licenses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Licenses {
    /// The packages by name and version.
    pub packages: Vec<LicensedPackage>,
    /// How many packages of the lockfile are not there, and were left out.
    pub missing: usize,
}

/// A package with its license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicensedPackage {
    /// Its real name.
    pub name: String,
    /// Its version as it is installed.
    pub version: String,
    /// Its folder below the project.
    pub path: String,
    /// Whether only devDependencies lead to it.
    pub is_dev: bool,
    /// What else its manifest says.
    pub manifest: InstalledManifest,
}

impl Inventory {
    /// Reads the manifest of each package once.
    pub fn licenses(&self) -> Licenses {
        let mut seen: HashSet<PackageId> = HashSet::new();
        let mut licenses = Licenses::default();
        for (place, node) in self.places() {
            let package = node.package;
            let Some(home) = self.home(place) else { continue };
            if !seen.insert(package) {
                continue;
            }
            let Some(manifest) = self.installed(home) else {
                licenses.missing += 1;
                continue;
            };
            licenses.packages.push(LicensedPackage {
                name: self.name(package).to_string(),
                version: manifest.version.clone().unwrap_or_else(|| self.version(package)),
                path: home.to_owned(),
                is_dev: self.is_dev[package.index()],
                manifest,
            });
        }
        licenses.packages.sort_by(|one, other| {
            (&one.name, &one.version, &one.path).cmp(&(&other.name, &other.version, &other.path))
        });
        licenses
    }
}
