//! Which installed packages have known vulnerabilities.
//!
//! ```text
//! bun.lock ─► installed: who is installed, for whose sake
//!               │ names and versions, to the registry that each is from
//!               ▼
//!             advisory: what registries know, as far as it is about an installed version
//!               ▼
//!             plan: which versions would be safe, and who does not allow them
//! ```

mod advisory;
mod installed;
mod plan;

use std::path::PathBuf;
use std::sync::Arc;

use deka_config::Config;
use deka_graph::{Graph, PackageId};
use deka_manifest::{PackageName, Version};
use deka_registry::{RegistryError, SafeUrl};
use url::Url;

pub use advisory::{Advisory, Severity};
pub use plan::{Hindrance, Plan, Stuck, plan};

use super::{Inquiry, locked};
use crate::InstallError;
use crate::project::{Project, WantedLockfile};
use installed::Installed;

/// What is asked.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    /// The project's folder; see [`find_project`](crate::find_project).
    pub root: PathBuf,
    /// All settings.
    pub config: Arc<Config>,
    /// Where the command was started.
    pub folder: PathBuf,
    /// Advisories that do not count, by GHSA, CVE or number.
    pub ignored: Vec<String>,
    /// Advisories that are less severe do not count.
    pub level: Severity,
}

/// The answer.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Vulnerable packages by name.
    pub packages: Vec<VulnerablePackage>,
    /// How many packages were asked about.
    pub checked: usize,
    /// How many advisories do not count because they were named.
    pub ignored: usize,
    /// How many do not count because they are less severe.
    pub below_level: usize,
    /// Packages of which nothing is known, by their registry, which has no such service.
    pub unaudited: Vec<(SafeUrl, Vec<PackageName>)>,
}

/// A package of which installed versions are vulnerable.
#[derive(Debug, Clone)]
pub struct VulnerablePackage {
    /// Its name.
    pub name: PackageName,
    /// The vulnerable ones of the installed versions, the highest first.
    pub versions: Vec<Version>,
    /// Whether the project asks for one of them itself.
    pub is_direct: bool,
    /// The shortest way to everybody else who asks for one of them: names, this package the last.
    pub paths: Vec<Vec<String>>,
    /// What is known.
    pub advisories: Vec<Advisory>,
}

impl Audit {
    /// Returns all advisories that count.
    pub fn advisories(&self) -> impl Iterator<Item = &Advisory> {
        self.packages.iter().flat_map(|package| &package.advisories)
    }
}

/// Asks registries about what `bun.lock` has.
pub fn audit(request: &AuditRequest) -> Result<Audit, InstallError> {
    audit_project(request).map(|(_, audit)| audit)
}

fn audit_project(request: &AuditRequest) -> Result<(Project, Audit), InstallError> {
    let project = Project::read(&request.root, WantedLockfile::Any, false)?;
    let graph = &locked(&project)?.graph;
    let installed = Installed::of(graph, &request.config.install);
    let own = project.targets(&[], &request.folder)?;
    let mut audit = Audit { checked: installed.count(), ..Audit::default() };
    let mut found = Vec::new();
    let inquiry = Inquiry::new(&request.config)?;
    for (registry, versions) in installed.by_registry(&request.config) {
        match ask(&inquiry, &registry, &versions) {
            Ok(advisories) => found.extend(advisories),
            Err(source) if source.is_unsupported() && registry != *default_registry(request) => {
                let names = versions.into_iter().map(|(name, _)| name).collect();
                audit.unaudited.push((SafeUrl::new(&registry), names));
            }
            Err(source) if source.is_unsupported() => {
                return Err(InstallError::NoAudit { registry: SafeUrl::new(&registry), source });
            }
            Err(source) => return Err(InstallError::Audit { source }),
        }
    }
    found.sort_by_key(|(name, _)| *name);
    for (name, mut advisories) in found {
        let all = advisories.len();
        advisories.retain(|advisory| advisory.severity >= request.level);
        audit.below_level += all - advisories.len();
        let before = advisories.len();
        advisories.retain(|advisory| !request.ignored.iter().any(|id| advisory.is_called(id)));
        audit.ignored += before - advisories.len();
        audit.packages.extend(vulnerable(graph, &installed, &own, name, advisories));
    }
    drop(installed);
    Ok((project, audit))
}

fn default_registry(request: &AuditRequest) -> &Url {
    request.config.registries.default_registry().url()
}

fn ask(
    inquiry: &Inquiry,
    registry: &Url,
    versions: &[(PackageName, Vec<Version>)],
) -> Result<Vec<(PackageName, Vec<Advisory>)>, RegistryError> {
    let question = advisory::question(versions);
    let answer = inquiry.wait(inquiry.client.advisories(registry, question.as_bytes()))?;
    advisory::read(&answer).map_err(|source| RegistryError::Answer {
        url: SafeUrl::new(registry),
        source: Arc::new(source),
    })
}

/// Returns what is to be said about a package, unless no installed version is vulnerable.
fn vulnerable(
    graph: &Graph,
    installed: &Installed<'_>,
    own: &[String],
    name: PackageName,
    mut advisories: Vec<Advisory>,
) -> Option<VulnerablePackage> {
    let packages = installed.packages_of(name);
    let is_affected = |advisory: &Advisory, id: PackageId| {
        graph.package(id).version().is_some_and(|version| advisory.affects(version))
    };
    advisories.retain(|advisory| packages.iter().any(|id| is_affected(advisory, *id)));
    let vulnerable: Vec<PackageId> = packages
        .iter()
        .copied()
        .filter(|id| advisories.iter().any(|advisory| is_affected(advisory, *id)))
        .collect();
    if vulnerable.is_empty() {
        return None;
    }
    let mut versions: Vec<Version> =
        vulnerable.iter().filter_map(|id| graph.package(*id).version().cloned()).collect();
    versions.sort_by(|left, right| right.cmp_precedence(left));
    versions.dedup();
    let is_own = |id: PackageId| {
        let folder = graph.package(id).resolution.importer_folder();
        folder.is_some_and(|folder| own.iter().any(|own| own == folder))
    };
    let dependents = installed.dependents_of(&vulnerable);
    let is_direct = dependents.iter().any(|id| is_own(*id));
    let paths = dependents
        .iter()
        .filter(|id| **id != PackageId::ROOT)
        .map(|id| {
            let mut path = installed.path_to(*id);
            path.push(name.to_string());
            path
        })
        .collect();
    Some(VulnerablePackage { name, versions, is_direct, paths, advisories })
}
