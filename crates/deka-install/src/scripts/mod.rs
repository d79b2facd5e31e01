//! Lifecycle scripts within an install.
//!
//! ```text
//! graph, trust ─► decide: which packages run scripts ─► plan: their files are private copies
//! plan carried out ─► jobs: what was placed and has scripts ─► run ─► failed optional ones removed
//! state written ─► the project's own scripts
//! ```

mod decide;
mod linked;
mod project;
mod untrusted;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use deka_config::{Config, Environment, GlobalStore};
use deka_graph::{Graph, PackageId, Resolution};
use deka_linker::{Action, Build, LinkPlan, Linker, Placement, Work};
use deka_manifest::PackageJson;
use deka_scripts::sandbox::{self, Allowances, Grounds, Policy, Readable};
use deka_scripts::{
    Job, JobOutcome, Observer, Package, ProjectOutput, Script, ScriptError, Surroundings, Trust,
    lifecycle, order,
};
use deka_store::{BlobHash, Store, StoreError};
use hashbrown::HashSet;

use crate::project::{MANIFEST, Project, Read};
use crate::survey::only_optional;
use crate::{InstallError, Reporter, shared, tarballs};

use linked::{LinkedFolder, linked_folders};

pub(crate) use decide::{Deciding, Decision, decide};
pub(crate) use project::{Payload, has_scripts, run_in_project, run_one};
pub use untrusted::Untrusted;
pub(crate) use untrusted::list_untrusted;

/// What scripts need to know of the process that deka runs in.
#[derive(Debug, Clone)]
pub struct ScriptContext {
    /// Variables and folders.
    pub environment: Arc<Environment>,
    /// deka's own program, which is started again for each script.
    pub program: PathBuf,
    /// Where the scripts of the project write to.
    pub output: ProjectOutput,
}

impl ScriptContext {
    pub(crate) fn surroundings<'a>(
        &'a self,
        root: &'a Path,
        config: &'a Config,
    ) -> Result<Surroundings<'a>, InstallError> {
        Ok(Surroundings::new(&self.environment, &self.program, root, config)?)
    }
}

/// What an install has placed and is about to build.
pub(crate) struct Building<'a> {
    pub(crate) project: &'a Project,
    pub(crate) config: &'a Config,
    pub(crate) context: &'a ScriptContext,
    pub(crate) reporter: &'a dyn Reporter,
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a LinkPlan,
    pub(crate) linker: &'a Linker<'a>,
    pub(crate) store: &'a Store,
    pub(crate) allowances: &'a Allowances,
    /// The packages whose results the store keeps.
    pub(crate) kept: &'a HashSet<PackageId>,
}

impl Building<'_> {
    /// Runs the scripts of what was placed and linked, but for what is `missing`, and of the workspaces.
    pub(crate) fn build(&self, work: &Work, mut missing: Vec<u32>) -> Result<Built, InstallError> {
        if self.config.install.ignore_scripts {
            return Ok(Built { missing, ..Built::default() });
        }
        let placed: Vec<u32> = work
            .tasks()
            .iter()
            .filter(|task| task.action == Action::Place && !missing.contains(&task.placement))
            .map(|task| task.placement)
            .filter(|at| self.plan.placement_at(*at).is_some_and(Placement::is_private))
            .collect();
        let mut candidates = Vec::new();
        let optional = only_optional(self.graph);
        let trusted = self.project.manifest.trusted_dependencies.as_deref();
        let direct = decide::direct_aliases(self.graph, trusted);
        for at in placed {
            let placement = self.placement(at);
            let folder = self.project.root.join(&*placement.path);
            let label = placement.label.to_string();
            let name = decide::trusted_name(self.graph, placement.package, &direct);
            let Some(package) = read_package(folder, label, name.as_str()) else { continue };
            let scripts = scripts_of(&package, scripts_for(self.graph, placement.package));
            if !scripts.is_empty() {
                candidates.push(Candidate {
                    placement: Some(at),
                    node: placement.package,
                    package,
                    scripts,
                    may_fail: optional[placement.package.index()],
                    is_own: false,
                });
            }
        }
        for folder in self.linked_folders(work) {
            candidates.push(Candidate {
                placement: None,
                node: folder.node,
                package: folder.package,
                scripts: folder.scripts,
                may_fail: optional[folder.node.index()],
                is_own: false,
            });
        }
        let dependencies = candidates.len();
        for (node, folder) in project::workspaces(self.graph) {
            // Most members have no scripts; their manifests have been read already.
            let member = self.project.members.iter().find(|member| member.path == folder);
            let folder = self.project.root.join(folder);
            let Some(member) = member else { continue };
            if lifecycle::of_workspace(&member.manifest, has_binding_gyp(&folder)).is_empty() {
                continue;
            }
            let name = self.graph.package(node).name;
            if let Some(package) = read_package(folder, name.to_string(), name.as_str()) {
                let scripts = scripts_of(&package, lifecycle::of_workspace);
                let (placement, may_fail, is_own) = (None, false, true);
                candidates.push(Candidate { placement, node, package, scripts, may_fail, is_own });
            }
        }
        let has_workspace_scripts = candidates.len() > dependencies;
        let has_run = !candidates.is_empty();
        if has_run {
            missing.extend(self.run(candidates)?);
        }
        Ok(Built { missing, has_run, has_workspace_scripts })
    }

    /// Returns the linked folders whose scripts are to run: those that are trusted, once they were linked or
    /// since they are trusted.
    fn linked_folders(&self, work: &Work) -> Vec<LinkedFolder> {
        let trusted = self.project.manifest.trusted_dependencies.as_deref();
        let trust = Trust::new(trusted);
        let before = match &self.project.lockfile {
            Read::Good(lockfile) => lockfile.trusted_dependencies.as_deref().unwrap_or_default(),
            _ => &[],
        };
        let was_trusted = |folder: &LinkedFolder| {
            folder
                .trusted_as
                .is_some_and(|alias| before.iter().any(|name| **name == *alias.as_str()))
        };
        let mut folders = linked_folders(&self.project.root, self.graph, self.plan, trusted);
        folders.retain(|folder| {
            folder.is_trusted(&trust)
                && (work.difference.links.contains(&folder.link) || !was_trusted(folder))
        });
        folders
    }

    fn run(&self, candidates: Vec<Candidate>) -> Result<Vec<u32>, InstallError> {
        let surroundings = self.context.surroundings(&self.project.root, self.config)?;
        // Scripts find the commands of what they depend on.
        self.linker.link_commands(self.plan)?;
        let nodes: Vec<usize> = candidates.iter().map(|one| one.node.index()).collect();
        let after = order::predecessors(&edges(self.graph), &nodes);
        let policies = self.policies(&candidates, &surroundings)?;
        let placements: Vec<Option<u32>> = candidates.iter().map(|one| one.placement).collect();
        let jobs: Vec<Job> = candidates
            .into_iter()
            .zip(after)
            .zip(policies)
            .map(|((candidate, after), sandbox)| Job {
                package: candidate.package,
                scripts: candidate.scripts,
                after,
                sandbox,
                may_fail: candidate.may_fail,
            })
            .collect();
        let observer = Observing(self.reporter);
        let outcomes =
            deka_scripts::run(&jobs, &surroundings, concurrency(self.config), &observer)?;
        let mut failed = HashSet::new();
        for (outcome, placement) in outcomes.iter().zip(placements) {
            let Some(at) = placement else { continue };
            match outcome {
                JobOutcome::Done => self.keep(self.placement(at)),
                // Kept it would be missing without a word the next time.
                JobOutcome::Incomplete => {}
                JobOutcome::Failed => {
                    failed.insert(at);
                }
            }
        }
        self.remove(&failed)
    }

    /// Keeps what scripts made of a package in the store. If that fails they only run again.
    fn keep(&self, placement: &Placement) {
        let build = placement.build.filter(|_| self.kept.contains(&placement.package));
        let Some(Build { key, .. }) = build else { return };
        let is_others = |path: &str| {
            let inner = path.strip_prefix("node_modules/");
            inner.is_some_and(|inner| {
                inner == ".bin" || placement.nested.iter().any(|name| name.as_str() == inner)
            })
        };
        let folder = self.linker.root().open_dir(&*placement.path);
        let stored = folder.map_err(StoreError::from).and_then(|folder| {
            self.store.import_build(&folder, &key, &placement.label, &is_others)
        });
        match stored {
            Ok(Some(_)) => {}
            Ok(None) => tracing::debug!(package = %placement.label, "its build is not kept"),
            Err(error) => {
                tracing::debug!(package = %placement.label, %error, "its build could not be kept");
            }
        }
    }

    /// Removes placements and what lies inside of them; returns all that is gone.
    fn remove(&self, failed: &HashSet<u32>) -> Result<Vec<u32>, InstallError> {
        let mut gone = Vec::new();
        for at in failed {
            let path = &self.placement(*at).path;
            self.linker.root().remove_all(&**path).map_err(|source| InstallError::Read {
                path: self.project.root.join(&**path),
                source,
            })?;
            let inside = format!("{path}/");
            let all = self.plan.placements.iter().zip(0..);
            gone.extend(
                all.filter(|(other, at)| failed.contains(at) || other.path.starts_with(&*inside))
                    .map(|(_, at)| at),
            );
        }
        gone.sort_unstable();
        gone.dedup();
        Ok(gone)
    }

    /// Makes the policy of each dependency; workspaces are the user's own.
    fn policies(
        &self,
        candidates: &[Candidate],
        surroundings: &Surroundings<'_>,
    ) -> Result<Vec<Option<Policy>>, InstallError> {
        let is_wanted = cfg!(target_os = "linux")
            && !self.config.install.no_sandbox
            && candidates.iter().any(|one| !one.is_own);
        if !is_wanted {
            return Ok(vec![None; candidates.len()]);
        }
        self.say_what_the_kernel_lacks();
        let node_headers = surroundings.node.as_ref().and_then(|node| node.headers());
        let mut readable = Vec::new();
        if self.config.install.backend == deka_config::Backend::Symlink {
            readable.push(self.config.cache.folder().join("v1/files"));
        }
        // What it depends on may be there, as far as it has no scripts itself.
        if self.config.install.global_store != GlobalStore::Off {
            readable.push(shared::folder(self.config));
        }
        let members = self.project.members.iter();
        let members: Vec<PathBuf> =
            members.map(|member| self.project.root.join(&member.path)).collect();
        let readable = Readable::find(surroundings, &members, &readable);
        candidates
            .iter()
            .map(|candidate| {
                let name = &candidate.package.name;
                let allowance = self.allowances.of(name).filter(|_| !candidate.is_own);
                let Some(allowance) = allowance else { return Ok(None) };
                let cache = self.build_cache(candidate);
                let grounds = Grounds {
                    package: &candidate.package.folder,
                    cache: &cache,
                    node_headers,
                    readable: &readable,
                };
                Ok(Some(Policy::new(surroundings, &grounds, &allowance)?))
            })
            .collect()
    }

    /// Returns where a package may keep what helps its next build: nobody else may, neither another
    /// version nor what has the same name elsewhere, as they could leave there what is run later.
    fn build_cache(&self, candidate: &Candidate) -> PathBuf {
        let package = self.graph.package(candidate.node);
        let resolution = resolution_text(self.graph, candidate.node);
        let identity = [package.name.as_str(), &resolution, package.integrity.as_str()];
        let hash = BlobHash::of(identity.join("\n").as_bytes()).to_string();
        let name = candidate.package.name.replace('/', "+");
        let name = format!("{name}-{}", hash.get(..16).unwrap_or(&hash));
        self.config.cache.folder().join("build").join(name)
    }

    fn say_what_the_kernel_lacks(&self) {
        let support = sandbox::support();
        let lacks = match (support.files, support.network) {
            (true, true) => return,
            (false, true) => "has no Landlock: scripts of dependencies can read and write any file",
            (true, false) => "has no seccomp filters: scripts of dependencies can use the network",
            (false, false) => {
                "has neither Landlock nor seccomp: scripts of dependencies can do anything"
            }
        };
        self.reporter.warning(&format!(
            "The sandbox is incomplete, because this kernel {lacks}. `--ignore-scripts` runs none"
        ));
    }

    fn placement(&self, at: u32) -> &Placement {
        &self.plan.placements[at as usize]
    }
}

/// What became of all scripts but the project's own.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// The placements that are not there and need not be, those among them whose scripts failed.
    pub(crate) missing: Vec<u32>,
    /// Whether any scripts ran.
    pub(crate) has_run: bool,
    /// Whether some workspace has scripts.
    pub(crate) has_workspace_scripts: bool,
}

/// A package that may have a job.
struct Candidate {
    /// `None` for workspaces and linked folders.
    placement: Option<u32>,
    node: PackageId,
    package: Package,
    scripts: Vec<Script>,
    may_fail: bool,
    /// Whether it is a workspace, which is the user's own.
    is_own: bool,
}

/// Tells a [`Reporter`] what scripts do.
pub(crate) struct Observing<'a>(pub(crate) &'a dyn Reporter);

impl Observer for Observing<'_> {
    fn started(&self, package: &Package, script: &Script) {
        self.0.script_started(&package.label, script.event.as_str(), &script.command);
    }

    fn wrote(&self, package: &Package, bytes: &[u8]) {
        self.0.script_wrote(&package.label, bytes);
    }

    fn ended(&self, package: &Package, script: &Script, elapsed: Duration) {
        tracing::debug!(
            package = package.label,
            script = script.event.as_str(),
            milliseconds = elapsed.as_millis() as u64,
            "a script has ended"
        );
        self.0.script_ended(&package.label, script.event.as_str(), elapsed);
    }

    fn missed_network(&self, package: &Package) {
        self.0.missed_network(&package.label, &package.name);
    }

    fn progress(&self, done: usize, wanted: usize) {
        self.0.building(done, wanted);
    }

    fn gave_up(&self, error: &ScriptError) {
        let output = match error {
            ScriptError::Failed(failed) => failed.output.as_str(),
            _ => "",
        };
        tracing::debug!(%error, output, "an optional package is left out because it can't be built");
    }
}

/// Reads the manifest of a package on the disk; `None` if it has none.
fn read_package(folder: PathBuf, label: String, name: &str) -> Option<Package> {
    let manifest = std::fs::read(folder.join(MANIFEST)).ok()?;
    Some(Package { label, name: name.to_owned(), folder, manifest })
}

fn scripts_of(package: &Package, list: fn(&PackageJson, bool) -> Vec<Script>) -> Vec<Script> {
    let manifest = PackageJson::parse(&package.manifest).unwrap_or_default();
    list(&manifest, has_binding_gyp(&package.folder))
}

/// Returns what tells the scripts of a dependency.
fn scripts_for(graph: &Graph, id: PackageId) -> fn(&PackageJson, bool) -> Vec<Script> {
    match graph.package(id).resolution {
        Resolution::Git { .. } | Resolution::GitHub { .. } => lifecycle::of_repository,
        _ => lifecycle::of_dependency,
    }
}

fn has_binding_gyp(folder: &Path) -> bool {
    folder.join("binding.gyp").is_file()
}

/// Returns how many scripts of new links' folders did not run, because nobody trusts them.
pub(crate) fn count_blocked_links(
    project: &Project,
    graph: &Graph,
    plan: &LinkPlan,
    new: &[u32],
) -> usize {
    let trusted = project.manifest.trusted_dependencies.as_deref();
    let trust = Trust::new(trusted);
    let folders = linked_folders(&project.root, graph, plan, trusted).into_iter();
    let blocked = folders.filter(|one| new.contains(&one.link) && !one.is_trusted(&trust));
    blocked.map(|folder| folder.scripts.len()).sum()
}

/// Returns how many scripts of the packages at these placements did not run.
pub(crate) fn count_blocked(root: &Path, graph: &Graph, plan: &LinkPlan, placed: &[u32]) -> usize {
    let mut seen = HashSet::new();
    placed
        .iter()
        .filter(|at| plan.placement_at(**at).is_some_and(|one| seen.insert(one.package)))
        .filter_map(|at| {
            let folder = root.join(plan.folder_of(*at)?);
            blocked_scripts(graph, plan.placement_at(*at)?, folder)
        })
        .map(|(_, scripts)| scripts.len())
        .sum()
}

/// Reads the scripts of a package that is in place.
pub(crate) fn blocked_scripts(
    graph: &Graph,
    placement: &Placement,
    folder: PathBuf,
) -> Option<(Package, Vec<Script>)> {
    let package = read_package(folder, placement.label.to_string(), placement.name.as_str())?;
    let scripts = scripts_of(&package, scripts_for(graph, placement.package));
    Some((package, scripts))
}

/// Returns for each package those that it depends on.
pub(crate) fn edges(graph: &Graph) -> Vec<Vec<usize>> {
    let targets = |id| graph.edges_of(id).iter().filter_map(|edge| edge.target);
    graph.package_ids().map(|id| targets(id).map(PackageId::index).collect()).collect()
}

fn concurrency(config: &Config) -> NonZeroUsize {
    config.install.concurrent_scripts.unwrap_or_else(|| {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        cores.saturating_mul(NonZeroUsize::MIN.saturating_add(1))
    })
}

/// Returns what a package is called in messages about the project's own.
fn resolution_text(graph: &Graph, id: PackageId) -> String {
    match &graph.package(id).resolution {
        Resolution::Root => String::new(),
        resolution => tarballs::version_text(resolution),
    }
}
