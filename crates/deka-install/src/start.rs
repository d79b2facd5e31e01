//! Whether the lockfile has all the answers.

use std::sync::Arc;

use deka_config::Config;
use deka_graph::{EdgeKind, Graph, PackageId};
use deka_lockfile::Lockfile;
use deka_manifest::{PackageName, Spec, Symbol, Version};
use hashbrown::{HashMap, HashSet};

use crate::change::Change;
use crate::local::{self, Local};
use crate::project::{Project, Read};
use crate::report::Reporter;
use crate::{InstallError, warning};

/// Where an install starts.
pub(crate) enum Start {
    /// The lockfile has all the answers.
    Locked {
        lockfile: Arc<Lockfile>,
        /// The folders of members that the lockfile has and the disk has not.
        pruned: Vec<Symbol>,
    },
    /// There are versions to be picked; what the old lockfile knows is kept.
    Resolve(Option<Old>),
    /// The lockfile of another package manager is to be completed first.
    Migrate,
}

/// The lockfile of an earlier install.
pub(crate) struct Old {
    pub(crate) lockfile: Arc<Lockfile>,
    /// Packages on this machine that are not what they were then, and those to be replaced.
    pub(crate) stale: HashSet<PackageId>,
    pub(crate) update: Option<Updated>,
}

/// What is to be as new as can be.
pub(crate) struct Updated {
    pub(crate) packages: HashSet<PackageId>,
    /// The folders of the root and the members that ask for it.
    pub(crate) importers: Vec<String>,
}

impl Old {
    fn new(lockfile: Arc<Lockfile>, stale: HashSet<PackageId>) -> Self {
        Self { lockfile, stale, update: None }
    }
}

impl Start {
    pub(crate) fn of(
        project: &Project,
        local: &Local,
        config: &Config,
        reporter: &dyn Reporter,
    ) -> Result<Self, InstallError> {
        match &project.lockfile {
            Read::Absent => Ok(Self::Resolve(None)),
            Read::Damaged(error) | Read::Conflicted { error, .. }
                if config.install.is_frozen() || project.must_migrate =>
            {
                let path = project.root.join(project.lockfile_name);
                Err(InstallError::Lockfile { path, source: error.clone() })
            }
            Read::Damaged(error) => {
                reporter.warning(&format!("Ignoring `{}`: {error}", project.lockfile_name));
                Ok(Self::Resolve(None))
            }
            Read::Conflicted { readings, error } => {
                reporter.warning(&format!(
                    "Merging both sides of `{}`: {error}",
                    project.lockfile_name
                ));
                let lockfile = Arc::new(readings[0].clone());
                let mut stale = local.stale_packages(&lockfile);
                stale.extend(misplaced(&lockfile.graph));
                Ok(Self::Resolve(Some(Old::new(lockfile, stale))))
            }
            Read::Migrated(_) => Ok(Self::Migrate),
            Read::Good(lockfile) => Self::of_lockfile(lockfile, project, local, config, reporter),
        }
    }

    /// Returns where to start with the completed lockfile of another package manager.
    pub(crate) fn of_migrated(
        lockfile: &Arc<Lockfile>,
        project: &Project,
        local: &Local,
        config: &Config,
        reporter: &dyn Reporter,
    ) -> Result<Self, InstallError> {
        let is_whole = is_whole(&lockfile.graph);
        if project.must_migrate && is_whole {
            // What the manifests say since is for the next install.
            return Ok(Self::Locked { lockfile: lockfile.clone(), pruned: Vec::new() });
        }
        Ok(match Self::of_lockfile(lockfile, project, local, config, reporter)? {
            Self::Locked { lockfile, .. } if !is_whole => {
                Self::Resolve(Some(Old::new(lockfile, HashSet::new())))
            }
            // Peers that npm left out stay where they are.
            Self::Resolve(Some(old)) if config.install.is_frozen() && is_whole => {
                Self::Locked { lockfile: old.lockfile, pruned: Vec::new() }
            }
            start => start,
        })
    }

    fn of_lockfile(
        lockfile: &Arc<Lockfile>,
        project: &Project,
        local: &Local,
        config: &Config,
        reporter: &dyn Reporter,
    ) -> Result<Self, InstallError> {
        let is_frozen = config.install.is_frozen();
        let (changes, are_sections_equal) = project.compare(lockfile);
        let stale = local.stale_packages(lockfile);
        if is_frozen && let Some(text) = local::refuse_other_tarballs(lockfile, &stale)? {
            reporter.warning(&text);
        }
        let lockfile = lockfile.clone();
        let extensions_hold = project.extensions_hold(&lockfile);
        if is_frozen && !(changes.edits.is_empty() && extensions_hold) {
            let extensions = "packageExtensions in package.json changed".to_owned();
            let edits = changes.edits.iter().map(ToString::to_string);
            let changes = edits.chain((!extensions_hold).then_some(extensions)).collect();
            Err(InstallError::Frozen { changes })
        } else if is_frozen && !changes.missing_workspaces.is_empty() {
            let pruned = changes.missing_workspaces;
            reporter.warning(&warning::pruned(&lockfile, &pruned));
            Ok(Self::Locked { lockfile, pruned })
        } else if are_sections_equal && extensions_hold && (is_frozen || stale.is_empty()) {
            Ok(Self::Locked { lockfile, pruned: Vec::new() })
        } else {
            let stale = if is_frozen { HashSet::new() } else { stale };
            Ok(Self::Resolve(Some(Old::new(lockfile, stale))))
        }
    }
}

/// Returns the packages that are found where others are asked for: where two lockfiles were merged, an
/// entry of one can be what the other's packages find.
fn misplaced(graph: &Graph) -> impl Iterator<Item = PackageId> {
    graph.edges().iter().filter(|edge| edge.kind != EdgeKind::Peer).filter_map(|edge| {
        let target = edge.target?;
        let spec = Spec::parse(edge.alias, &edge.spec).ok()?;
        let (name, Spec::Range(range)) = spec.registry(edge.alias)? else { return None };
        let package = graph.package(target);
        let version = package.version()?;
        (name != package.name || !range.satisfies(version)).then_some(target)
    })
}

/// Returns the versions of all packages in some lockfiles, the highest first.
pub(crate) fn versions(lockfiles: &[Lockfile]) -> HashMap<PackageName, Vec<Version>> {
    let mut versions: HashMap<PackageName, Vec<Version>> = HashMap::new();
    for lockfile in lockfiles {
        let graph = &lockfile.graph;
        for package in graph.package_ids().map(|id| graph.package(id)) {
            if let Some(version) = package.version() {
                versions.entry(package.name).or_default().push(version.clone());
            }
        }
    }
    for versions in versions.values_mut() {
        versions.sort_by(|one, other| other.cmp_precedence(one));
        versions.dedup();
    }
    versions
}

/// Whether all that is required leads somewhere. What other package managers write need not be
/// whole: some do not install peers of the project, some forget packages.
fn is_whole(graph: &Graph) -> bool {
    let is_importer = |id: PackageId| graph.package(id).resolution.is_importer();
    graph.package_ids().all(|id| {
        graph.edges_of(id).iter().all(|edge| {
            edge.target.is_some()
                || edge.may_be_missing()
                || edge.kind == EdgeKind::Peer && !is_importer(id)
        })
    })
}

impl Start {
    /// Returns where to start if the manifests are about to change.
    pub(crate) fn for_change(self) -> Self {
        match self {
            Self::Locked { lockfile, .. } => {
                Self::Resolve(Some(Old::new(lockfile, HashSet::new())))
            }
            start @ (Self::Resolve(_) | Self::Migrate) => start,
        }
    }

    /// Notes what a change is to pick anew.
    pub(crate) fn with_outdated(
        mut self,
        change: &Change,
        targets: &[String],
    ) -> Result<Self, InstallError> {
        if let Self::Resolve(Some(old)) = &mut self {
            let packages = change.outdated(&old.lockfile.graph, targets)?;
            if let Change::Update(_) = change {
                old.update = Some(Updated { packages, importers: targets.to_owned() });
            } else {
                old.stale.extend(packages);
            }
        }
        Ok(self)
    }

    /// Returns where to start if the lockfile, which has to be up to date, is to be deduplicated.
    pub(crate) fn for_deduplication(self, project: &Project) -> Result<Self, InstallError> {
        let start = self.for_change();
        match &start {
            Self::Resolve(Some(old)) if project.compare(&old.lockfile).0.edits.is_empty() => {
                Ok(start)
            }
            Self::Resolve(None) | Self::Migrate => Err(InstallError::NoLockfile),
            _ => Err(InstallError::OldLockfile),
        }
    }
}
