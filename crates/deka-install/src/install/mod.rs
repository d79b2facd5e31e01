//! An install from beginning to end.

use std::cell::OnceCell;
use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use deka_config::Config;
use deka_fs::Replacement;
use deka_graph::{Graph, HoistedTree, PackageId};
use deka_linker::{
    Build, LinkError, LinkPlan, LinkState, Linker, Task, UpToDate, check_up_to_date,
};
use deka_lockfile::Lockfile;
use deka_manifest::{PackageName, Version};
use deka_resolver::ResolveError;
use deka_scripts::sandbox::Allowances;
use deka_store::Store;
use hashbrown::{HashMap, HashSet};
use tracing::trace_span;

use crate::change::{Change, Draft, NewManifest};
use crate::duplicates::Duplicates;
use crate::engine::{Linking, TarballKey};
use crate::local::Local;
use crate::patches::PatchFile;
use crate::peers::PeerConflict;
use crate::project::{LOCKFILE, MANIFEST, Project, WantedLockfile};
use crate::report::{Outcome, Reporter, Summary};
use crate::scripts::{Building, Built, Payload, ScriptContext, Untrusted};
use crate::start::Start;
use crate::survey::{only_optional, tell_who_asks};
use crate::workspaces::{self, Filter};
use crate::{InstallError, scripts, settings, tarballs};

mod finish;
mod layout;
mod surroundings;

pub(crate) use surroundings::{Surroundings, Worked};

/// Where packages are.
const MODULES: &str = "node_modules";

/// What to install, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The project's folder; see [`find_project`](crate::find_project).
    pub root: PathBuf,
    /// All settings.
    pub config: Arc<Config>,
    /// What lifecycle scripts need.
    pub scripts: ScriptContext,
    /// Which members of the workspaces to install for; without any, for all.
    pub filters: Vec<String>,
    /// Where the command was started: paths in filters are relative to it, and what is changed is the
    /// manifest of the member that it is in, unless filters say otherwise.
    pub folder: PathBuf,
    /// What is changed in the manifests before.
    pub change: Option<Change>,
    /// Whether locked versions are to fall away where others in the lockfile would do.
    pub deduplicates: bool,
    /// Whether the lockfile of another package manager counts, and has to be there.
    pub migrates: bool,
    /// Whether the project is that of what is installed for all projects; see
    /// [`global_project`](crate::global_project).
    pub is_global: bool,
}

impl Request {
    pub(crate) fn read_filters(&self) -> Vec<Filter> {
        let start = workspaces::path_below(&self.root, &self.folder).unwrap_or_default();
        self.filters.iter().map(|filter| Filter::parse(filter, &start)).collect()
    }
}

/// Installs a project.
///
/// If it fails, `package.json` and `bun.lock` are as they were. So is `node_modules` if the request has a
/// change, or if it was complete for another lockfile; else it is marked as unfinished, so that the next install
/// completes it.
pub fn install(request: &Request, reporter: &dyn Reporter) -> Result<Summary, InstallError> {
    let started = Instant::now();
    let config = &*request.config;
    if let Some(known) = nothing_to_do(request) {
        if Payload::from_bytes(&known.payload).has_project_scripts {
            scripts::run_in_project(&request.root, config, &request.scripts, reporter)?;
        }
        let outcome = Outcome::Unchanged {
            installs: known.installs as usize,
            packages: known.packages as usize,
        };
        return Ok(Summary { elapsed: started.elapsed(), ..Summary::new(outcome) });
    }

    let mut result = resolve_and_link(request, reporter);
    if let Err(InstallError::Resolve(error)) = &result
        && matches!(**error, ResolveError::NoVersion { .. } | ResolveError::NoTag { .. })
        && may_be_stale(config)
    {
        // What the cache knows may be older than the version that is asked for.
        tracing::debug!(%error, "asking the registry whether there are newer versions");
        let mut config = config.clone();
        config.network.prefer_online = true;
        let request = Request { config: Arc::new(config), ..request.clone() };
        result = resolve_and_link(&request, reporter);
    }
    while let Err(InstallError::LostBuild { package }) = &result {
        tracing::debug!(%package, "building again what the store has lost");
        result = resolve_and_link(request, reporter);
    }
    let Installed { mut summary, has_project_scripts } = result?;
    // Nobody holds the project any more, so that they may install themselves.
    if has_project_scripts {
        scripts::run_in_project(&request.root, config, &request.scripts, reporter)?;
    }
    summary.elapsed = started.elapsed();
    Ok(summary)
}

/// The end of an install, but for the project's own scripts.
pub(crate) struct Installed {
    summary: Summary,
    has_project_scripts: bool,
}

/// Whether deka was started by a script that an install of the same project runs, and waits for.
fn is_within_itself(request: &Request) -> bool {
    let get = |name| request.scripts.environment.non_empty(name);
    get("npm_lifecycle_event").is_some()
        && get("npm_config_local_prefix").is_some_and(|root| request.root == Path::new(root))
}

/// Writes `bun.lock` from the lockfile of another package manager, and nothing else. One that is
/// there already is replaced only `with_force`.
pub fn migrate(
    request: &Request,
    with_force: bool,
    reporter: &dyn Reporter,
) -> Result<(), InstallError> {
    let lockfile = request.root.join(LOCKFILE);
    if !with_force && lockfile.exists() {
        return Err(InstallError::LockfileExists { path: lockfile });
    }
    let mut config = (*request.config).clone();
    config.install.lockfile_only = true;
    config.install.frozen_lockfile = false;
    config.install.production = false;
    let request = Request { config: Arc::new(config), migrates: true, ..request.clone() };
    resolve_and_link(&request, reporter).map(drop)
}

/// Holds the project for an install that another one waits for: not that one keeps it waiting, but others that
/// the other one waits for, such as those that scripts of other workspaces have started. With the lock comes
/// the request whose scripts get it neither, for this install waits for them.
fn lock_within(request: &Request, reporter: &dyn Reporter) -> (Option<std::fs::File>, Request) {
    /// The root of a project whose install is one of these.
    const MARKER: &str = "DEKA_INSTALLS_WITHIN";
    let environment = &request.scripts.environment;
    let root = request.root.to_string_lossy();
    let is_deeper = environment.get(MARKER) == Some(&*root);
    let lock = (!is_deeper).then(|| lock(&request.root.join(MODULES), reporter)).flatten();
    let mut request = request.clone();
    request.scripts.environment = Arc::new(environment.with(MARKER, &root));
    (lock, request)
}

/// Waits until no other install works on the project. The lock is on the folder itself and ends with
/// the process; where locks are not supported there is none.
pub(crate) fn lock(root: &Path, reporter: &dyn Reporter) -> Option<std::fs::File> {
    let folder = std::fs::File::open(root).ok()?;
    if matches!(folder.try_lock(), Err(TryLockError::WouldBlock)) {
        reporter.warning("Waiting for another install of this project to end");
        folder.lock().ok()?;
    }
    Some(folder)
}

/// Whether packuments may have come from the cache without the registry being asked.
fn may_be_stale(config: &Config) -> bool {
    let network = &config.network;
    !network.offline && !network.prefer_online && !config.cache.manifests_disabled
}

pub(crate) fn resolve_and_link(
    request: &Request,
    reporter: &dyn Reporter,
) -> Result<Installed, InstallError> {
    let within = is_within_itself(request).then(|| lock_within(request, reporter));
    let _lock = if within.is_none() { lock(&request.root, reporter) } else { None };
    let request = within.as_ref().map_or(request, |(_, request)| request);
    let config = &*request.config;
    let reading = trace_span!("read project");
    let mut install = Install::prepare(request, config, reporter)?;
    install.project.remove_leftovers();
    let mut start = Start::of(&install.project, &install.local, config, reporter)?;
    if request.deduplicates {
        start = start.for_deduplication(&install.project)?;
    }
    if let Some(change) = &request.change {
        install.targets = if change.is_recursive() {
            install.project.manifests().map(|(folder, _)| folder.to_owned()).collect()
        } else {
            install.project.targets(&install.filters, &request.folder)?
        };
        if install.targets.is_empty() {
            return Err(InstallError::NoMember { filters: request.filters.clone() });
        }
        if change.is_pointless(&install.project, &install.targets) {
            let summary = Summary::new(Outcome::NothingToRemove);
            return Ok(Installed { summary, has_project_scripts: false });
        }
        if config.install.is_frozen() {
            let changes = vec!["what the command is to change in package.json".to_owned()];
            return Err(InstallError::Frozen { changes });
        }
        start = start.for_change().with_outdated(change, &install.targets)?;
    }
    drop(reading);
    install.run(start)
}

/// Returns the packages that are installed and whose scripts did not run, because nobody trusts them.
pub fn untrusted(
    request: &Request,
    reporter: &dyn Reporter,
) -> Result<Vec<Untrusted>, InstallError> {
    let mut config = (*request.config).clone();
    config.install.ignore_scripts = false;
    let install = Install::prepare(request, &config, reporter)?;
    let layout = install.locked()?;
    let blocked = layout.plan.placements.iter();
    let blocked = blocked.filter(|placement| layout.blocked.contains(&placement.package));
    let trusted = install.project.manifest.trusted_dependencies.as_deref();
    Ok(scripts::list_untrusted(
        &request.root,
        &layout.lockfile.graph,
        &layout.plan,
        blocked,
        trusted,
    ))
}

pub(crate) fn open_store(config: &Config) -> Result<Store, InstallError> {
    let _span = trace_span!("open store");
    let folder = config.cache.folder();
    Store::open(folder)
        .map_err(|source| InstallError::OpenStore { path: folder.to_owned(), source })
}

/// Asks the last install's state, before anything else exists.
fn nothing_to_do(request: &Request) -> Option<UpToDate> {
    let options = &request.config.install;
    if request.read_filters().iter().any(Filter::asks_git) {
        return None;
    }
    let is_change = request.deduplicates || request.change.is_some();
    let is_whole = !options.force && !options.dry_run && !options.lockfile_only;
    if !is_whole || is_change || request.is_global {
        return None;
    }
    let known = check_up_to_date(
        &request.root,
        Some(settings::fingerprint(request)),
        &[MANIFEST, LOCKFILE],
    )?;
    let payload = Payload::from_bytes(&known.payload);
    // A frozen install leaves odd formatting alone; the next one that may write puts it right.
    ((options.is_frozen() || payload.is_lockfile_good) && !payload.has_workspace_scripts)
        .then_some(known)
}

/// An install that is under way.
pub(crate) struct Install<'a> {
    pub(crate) request: &'a Request,
    pub(crate) config: &'a Config,
    pub(crate) project: Project,
    pub(crate) local: Local,
    pub(crate) filters: Vec<Filter>,
    /// The folders of the manifests that the command is about, `""` being the root's.
    targets: Vec<String>,
    /// What became of the change so far.
    draft: Draft,
    /// What became of duplicate versions, if that is the question.
    duplicates: Option<Duplicates>,
    /// What became of peers, if something was resolved.
    peer_conflicts: Vec<PeerConflict>,
    /// What the project allows the scripts of dependencies besides.
    pub(crate) allowances: Allowances,
    /// What the last install left behind, once that was asked for.
    last_state: OnceCell<Option<LinkState>>,
    pub(crate) reporter: &'a dyn Reporter,
}

/// What is known once versions are picked and places are found.
struct LaidOut {
    lockfile: Lockfile,
    /// Where the packages are that the lockfile names: more than this platform or `--omit` leaves.
    tree: HoistedTree,
    plan: Arc<LinkPlan>,
    /// The packages whose builds the store keeps.
    kept_builds: HashSet<PackageId>,
    /// The packages with scripts that nobody trusts.
    blocked: HashSet<PackageId>,
    /// The latest versions of direct dependencies, as far as the registry was asked.
    latest: HashMap<PackageName, Option<Version>>,
}

/// A lockfile that will take effect once everything else is done.
struct NewLockfile {
    text: String,
    /// The file beside the old one; `None` if it would be empty, which means that there is none.
    file: Option<Replacement>,
}

/// The files of the project that will take effect once everything else is done.
#[derive(Default)]
struct NewFiles {
    patch: Option<PatchFile>,
    manifests: Vec<NewManifest>,
    /// The lockfile, if it is to be written and differs from the old one.
    lockfile: Option<NewLockfile>,
}

/// How far [`Install::drive`] came.
struct Driven {
    layout: LaidOut,
    new_files: NewFiles,
}

impl<'a> Install<'a> {
    /// Reads the project.
    pub(crate) fn prepare(
        request: &'a Request,
        config: &'a Config,
        reporter: &'a dyn Reporter,
    ) -> Result<Self, InstallError> {
        let may_be_absent = request.change.as_ref().is_some_and(Change::may_create_manifest);
        let wanted = if request.migrates {
            WantedLockfile::Foreign
        } else if config.install.skip_load_lockfile {
            WantedLockfile::None
        } else {
            WantedLockfile::Any
        };
        let mut project = Project::read(&request.root, wanted, may_be_absent)?;
        project.check(config)?;
        for problem in &project.manifest.problems {
            reporter.warning(&format!("{problem} of `{}`", project.manifest_path().display()));
        }
        let local = Local::new(&project, config)?;
        let filters = request.read_filters();
        let allowances = Allowances::read(&project.manifest_text);
        for problem in &allowances.problems {
            reporter.warning(problem);
        }
        let targets = vec![String::new()];
        let draft = Draft::of(std::mem::take(&mut project.moved_settings.drafts));
        Ok(Self {
            request,
            config,
            project,
            local,
            filters,
            targets,
            draft,
            duplicates: None,
            peer_conflicts: Vec::new(),
            allowances,
            last_state: OnceCell::new(),
            reporter,
        })
    }

    /// Returns what the last install left behind in `node_modules`.
    pub(crate) fn last_state(&self) -> Option<&LinkState> {
        self.last_state.get_or_init(|| LinkState::load(&self.project.dir)).as_ref()
    }

    /// Finds the places of what the lockfile says, which has to be up to date.
    fn locked(&self) -> Result<LaidOut, InstallError> {
        let start = Start::of(&self.project, &self.local, self.config, self.reporter)?;
        let Start::Locked { lockfile, pruned } = start else {
            return Err(InstallError::NotInstalled { path: self.project.lockfile_path() });
        };
        let store = open_store(self.config)?;
        let kept = self.kept(&lockfile.graph, &pruned)?;
        self.layout_of(Arc::unwrap_or_clone(lockfile), &kept, &store)
    }

    /// Returns what the lockfile says is installed, and where.
    pub(crate) fn installed(&self) -> Result<(Graph, Arc<LinkPlan>), InstallError> {
        let layout = self.locked()?;
        Ok((layout.lockfile.graph, layout.plan))
    }

    fn run(mut self, start: Start) -> Result<Installed, InstallError> {
        let store = open_store(self.config)?;
        let Worked { done, linking, missing } =
            self.with_engine(&store, |install, surroundings| install.drive(surroundings, start))?;
        // If a script fails that must not, nothing is saved.
        let done = done.and_then(|driven| {
            let built = match &linking {
                Some(linking) => self.build(&store, &driven.layout, linking, missing)?,
                None => Built::default(),
            };
            for manifest in &driven.new_files.manifests {
                manifest.check(&self.project)?;
            }
            Ok((driven, built))
        });
        let (Driven { layout, mut new_files }, built) = match done {
            Ok(done) => done,
            Err(error) => {
                if let Some(linking) = &linking {
                    self.take_back(linking, &error);
                }
                return Err(error);
            }
        };
        if let Some(patch) = new_files.patch.take() {
            patch.put_in_place(&mut self.project)?;
        }
        for manifest in std::mem::take(&mut new_files.manifests) {
            manifest.put_in_place(&mut self.project)?;
        }
        let lockfile_saved = match new_files.lockfile.take() {
            Some(lockfile) => self.put_in_place(lockfile)?,
            None => false,
        };
        let mut installed = match linking {
            Some(linking) => self.finish(&layout, &linking, &built, lockfile_saved)?,
            None => Installed {
                summary: self.end_without_tree(&layout, lockfile_saved),
                has_project_scripts: false,
            },
        };
        installed.summary.duplicates = self.duplicates;
        installed.summary.peer_conflicts = self.peer_conflicts;
        Ok(installed)
    }

    /// Everything up to the last package's being linked.
    fn drive(
        &mut self,
        surroundings: &Surroundings<'_, '_>,
        start: Start,
    ) -> Result<Driven, InstallError> {
        let layout = self.lay_out(surroundings, start)?;
        if self.duplicates.as_ref().is_some_and(|duplicates| duplicates.removed.is_empty()) {
            return Ok(Driven { layout, new_files: NewFiles::default() });
        }
        if self.config.install.lockfile_only || self.config.install.dry_run {
            let new_files = self.new_files(&layout)?;
            return Ok(Driven { layout, new_files });
        }
        if !self.config.install.no_save {
            // Here, as long as `node_modules` is as it was, and again when they are replaced.
            self.draft.drafts.check(&self.project)?;
        }
        let engine = surroundings.engine();
        let beginning = trace_span!("compare with the disk");
        let linker = Linker::new(&self.project.root, settings::backend(self.config), engine.store)?
            .with_force(self.config.install.force)
            .with_glances(self.request.change.is_some());
        self.last_state();
        let old = self.last_state.take().flatten();
        // What members have that are left out now may be as good as ever.
        let unfinished =
            || self.filters.is_empty().then(|| LinkState::load_unfinished(&self.project.dir));
        let old = old.or_else(|| unfinished().flatten());
        let work = linker.begin(&layout.plan, old.as_ref())?;

        drop(beginning);
        let graph = &layout.lockfile.graph;
        let optional = only_optional(graph);
        let may_be_missing = layout
            .plan
            .all_placements()
            .map(|placement| optional[placement.package.index()])
            .collect();
        let plan = layout.plan.clone();
        let linking = Linking { linker, plan, work, old, may_be_missing };
        let tasks = match self.place_at_once(surroundings, &linking, graph) {
            Ok(tasks) => tasks,
            Err(error) => {
                self.take_back(&linking, &error);
                return Err(error);
            }
        };
        surroundings.link(linking, tasks);
        // While the workers link, for on a disk this takes its time.
        if let Some(linking) = engine.linking() {
            linking.linker.make_links(&layout.plan, &linking.work)?;
        }
        let new_files = self.new_files(&layout)?;
        let waited = surroundings.until_linked();
        waited.map_err(|error| tell_who_asks(error, &self.project, &layout.lockfile.graph))?;
        Ok(Driven { layout, new_files })
    }

    /// Performs the tasks that have to wait for nothing, and has the tarballs of the others fetched, which it
    /// returns.
    fn place_at_once(
        &self,
        surroundings: &Surroundings<'_, '_>,
        linking: &Linking<'_>,
        graph: &Graph,
    ) -> Result<Vec<(TarballKey, Task)>, InstallError> {
        let Linking { linker, plan, work, .. } = linking;
        let store = surroundings.engine().store;
        let mut tasks = Vec::with_capacity(work.tasks().len());
        let mut tarballs = Vec::with_capacity(work.tasks().len());
        for task in work.tasks() {
            if Self::place_built(linker, store, plan, *task)? {
                continue;
            }
            match tarballs::of_package(self.config, &self.project.root, graph, task.package) {
                Some((key, describe)) => {
                    tarballs.push((key, describe));
                    tasks.push((key, *task));
                }
                // A folder: there is nothing to wait for.
                None => drop(linker.perform(plan, *task, None)?),
            }
        }
        surroundings.want_all(tarballs);
        Ok(tasks)
    }

    /// Leaves `node_modules` as it was, unless it was not there or unfinished, and an install can go on from what is
    /// there by now. Where only a script has failed, an install leaves its package for whoever wants to find out why.
    fn take_back(&self, linking: &Linking<'_>, error: &InstallError) {
        let Linking { linker, plan, work, old, .. } = linking;
        let is_change = self.request.change.is_some() || self.request.deduplicates;
        let was_good = old.as_ref().is_some_and(|old| !old.is_unfinished())
            && !matches!(error, InstallError::Script(_));
        if (is_change || was_good)
            && let Err(error) = linker.undo(plan, work, old.as_ref())
        {
            // It is marked as unfinished.
            tracing::debug!(%error, "what was begun could not be taken back");
        }
    }

    /// Performs a task whose package the store has as its scripts left it; returns whether it is one.
    fn place_built(
        linker: &Linker<'_>,
        store: &Store,
        plan: &LinkPlan,
        task: Task,
    ) -> Result<bool, InstallError> {
        let Some(placement) = plan.placement_at(task.placement) else { return Ok(false) };
        let Some(Build { key, .. }) = placement.build.filter(|build| build.is_stored) else {
            return Ok(false);
        };
        let index = store.lookup_build(&key).map_err(InstallError::Store)?;
        let performed = linker.perform(plan, task, index.as_ref());
        if performed.as_ref().is_err_and(LinkError::is_missing_blob) || index.is_none() {
            store.forget_build(&key).map_err(InstallError::Store)?;
            return Err(InstallError::LostBuild { package: placement.label });
        }
        performed?;
        Ok(true)
    }

    /// Lets shared packages be seen, and runs the scripts of dependencies and workspaces.
    fn build(
        &self,
        store: &Store,
        layout: &LaidOut,
        linking: &Linking<'_>,
        missing: Vec<u32>,
    ) -> Result<Built, InstallError> {
        linking.linker.publish(&layout.plan, &linking.work, &missing)?;
        let _span = trace_span!("scripts");
        let building = Building {
            project: &self.project,
            config: self.config,
            context: &self.request.scripts,
            reporter: self.reporter,
            graph: &layout.lockfile.graph,
            plan: &layout.plan,
            linker: &linking.linker,
            store,
            allowances: &self.allowances,
            kept: &layout.kept_builds,
        };
        building.build(&linking.work, missing)
    }
}
