//! The workers: they look packages up in the store, unpack what comes from the network, and link.
//!
//! ```text
//! want ──► Prepare ── in the store ─────────────────────────► ready ──► Link ──► done
//!             └────── not there ──► network ──► Import ────────┘
//! ```
//! A large tarball does not wait for its last byte: it gets threads of its own that unpack it as it comes.
//!
//! Each tarball has a slot. Two things come together there in any order: its files (an index) and its
//! tasks (places in `node_modules`). Who brings the second one links, while the inodes are warm.

use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Scope;

use crossbeam_channel::Sender;
use deka_linker::{Action, LinkError, LinkPlan, LinkState, Linker, Task, Work};
use deka_manifest::{Integrity, Symbol};
use deka_registry::{Counters, Pieces, RegistryError};
use deka_resolver::ForeignError;
use deka_store::{Importer, PackageIndex, Store, StoreError};
use hashbrown::HashMap;
use tracing::trace_span;
use url::Url;

use crate::network::{Arriving, Asker, Command, Network, Room};
use crate::queue::{Beside, Lane, WorkQueue};
use crate::remote::{Body, Fetched, RemoteError};
use crate::{InstallError, Reporter};

/// Packages that the store has and that have at least so many files are linked as soon as they are
/// looked up, the others after all look-ups: a large one that came last would keep one worker busy
/// while the others have nothing left to do.
const LARGE_PACKAGE: usize = 200;

/// How many files of a package with many times as many are one piece of work.
const PART: usize = 500;

/// What identifies the bytes of a tarball: its integrity, or where it has none its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TarballKey(pub(crate) Symbol);

/// A tarball that is wanted.
#[derive(Debug)]
pub(crate) struct Tarball {
    pub(crate) key: TarballKey,
    /// `name@version`, for messages.
    pub(crate) label: Symbol,
    pub(crate) source: TarballSource,
    /// What Bun wants to find in the package, see [`Body`].
    pub(crate) bun_tag: Option<Symbol>,
    /// What the store finds it by, if anything: what it hashes to, unless [`Tarball::is_pinned`].
    pub(crate) integrity: Option<Integrity>,
    /// Whether the lockfile tells by a commit which one it is, and not by a hash.
    pub(crate) is_pinned: bool,
    /// About how many bytes it has, if anybody said so.
    pub(crate) size_hint: Option<u64>,
}

/// Where a tarball comes from.
#[derive(Debug)]
pub(crate) enum TarballSource {
    /// A registry or another server.
    Url(Result<Url, InvalidTarballUrl>),
    /// The first of these files that is the right one.
    Files(Vec<PathBuf>),
    /// A commit of a git repository.
    Git { repository: Symbol, commit: Symbol },
}

impl Tarball {
    /// Returns where it comes from over the network, for messages.
    pub(crate) fn url(&self) -> Option<&Url> {
        match &self.source {
            TarballSource::Url(url) => url.as_ref().ok(),
            TarballSource::Files(_) | TarballSource::Git { .. } => None,
        }
    }
}

/// A tarball URL that is none.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{url}` is no URL of a tarball")]
pub struct InvalidTarballUrl {
    /// As the lockfile or registry has it.
    pub url: String,
}

/// Why the bytes of a tarball could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The registry or the way to it failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Nobody can be asked for it.
    #[error(transparent)]
    Url(#[from] InvalidTarballUrl),
    /// It is a commit of a repository, which could not be had.
    #[error(transparent)]
    Remote(Box<RemoteError>),
    /// It should lie on this machine, and does not.
    #[error("Failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The failed operation.
        source: std::io::Error,
    },
}

/// Work for a worker.
pub(crate) enum Job {
    /// Something that would hold up the network thread.
    Run(Box<dyn FnOnce() + Send>),
    /// Unpack what the resolver asked for, and answer.
    Answer { asker: Asker, fetched: Result<Fetched, ForeignError>, room: Room },
    /// See whether the store has it, else have it fetched.
    Prepare(Arc<Tarball>),
    /// Verify and unpack what was fetched.
    Import {
        tarball: Arc<Tarball>,
        body: Result<Body, DownloadError>,
        is_refetch: bool,
        room: Room,
    },
    /// Have what comes in verified and unpacked.
    Unpack(Arriving),
    /// Link a package whose files are there.
    Link { key: TarballKey, task: Task },
    /// Link some files of a package whose folders are made.
    LinkFiles { package: Arc<Divided>, files: Range<usize> },
}

/// A large package that several workers link together.
pub(crate) struct Divided {
    key: TarballKey,
    task: Task,
    index: Arc<PackageIndex>,
    parts_left: AtomicUsize,
    /// A file that the store has lost.
    missing: Mutex<Option<LinkError>>,
}

/// A message to the thread that waits for the end.
pub(crate) enum Event {
    /// All tasks are done.
    Linked,
    /// Something failed; nothing more will be done.
    Failed(InstallError),
}

/// Has long work of the registry client done by the workers.
pub(crate) struct QueueWorkers(pub(crate) Arc<WorkQueue<Job>>);

impl std::fmt::Debug for QueueWorkers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueWorkers")
    }
}

impl deka_registry::Workers for QueueWorkers {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        self.0.push(Lane::Urgent, Job::Run(job));
    }
}

#[derive(Default)]
struct Slot {
    tarball: Option<Arc<Tarball>>,
    index: Option<Arc<PackageIndex>>,
    /// Why it can't be had, which only optional packages survive.
    missing: Option<DownloadError>,
    /// Whether it was fetched again because the store had lost files of it.
    is_healed: bool,
    tasks: Vec<Task>,
}

/// The plan that is being carried out.
pub(crate) struct Linking<'a> {
    pub(crate) linker: Linker<'a>,
    pub(crate) plan: Arc<LinkPlan>,
    /// What differs from the last install.
    pub(crate) work: Work,
    /// What that one left behind.
    pub(crate) old: Option<LinkState>,
    /// For each placement of the plan, whether the install may go on without it.
    pub(crate) may_be_missing: Vec<bool>,
}

impl Linking<'_> {
    /// Returns where a task puts its package.
    fn path(&self, task: Task) -> &str {
        let placement = self.plan.placement_at(task.placement);
        placement.map_or("", |placement| &placement.path)
    }
}

/// What the workers share.
pub(crate) struct Engine<'a> {
    pub(crate) store: &'a Store,
    pub(crate) queue: Arc<WorkQueue<Job>>,
    pub(crate) network: Network,
    pub(crate) reporter: &'a dyn Reporter,
    pub(crate) counters: Arc<Counters>,
    /// Whether packages are fetched although the store has them.
    pub(crate) force: bool,
    slots: Mutex<HashMap<TarballKey, Slot>>,
    linking: OnceLock<Linking<'a>>,
    events: Sender<Event>,
    has_failed: AtomicBool,
    tasks_left: AtomicUsize,
    wanted: AtomicUsize,
    stored: AtomicUsize,
    linked: AtomicUsize,
    tasks: AtomicUsize,
    /// Placements that were left out because their optional package could not be had.
    missing: Mutex<Vec<u32>>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        store: &'a Store,
        queue: Arc<WorkQueue<Job>>,
        network: Network,
        counters: Arc<Counters>,
        reporter: &'a dyn Reporter,
        force: bool,
        events: Sender<Event>,
    ) -> Self {
        Self {
            store,
            queue,
            network,
            reporter,
            counters,
            force,
            slots: Mutex::default(),
            linking: OnceLock::new(),
            events,
            has_failed: AtomicBool::new(false),
            tasks_left: AtomicUsize::new(0),
            wanted: AtomicUsize::new(0),
            stored: AtomicUsize::new(0),
            linked: AtomicUsize::new(0),
            tasks: AtomicUsize::new(0),
            missing: Mutex::default(),
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<TarballKey, Slot>> {
        lock(&self.slots)
    }

    /// Has tarballs looked up or fetched, those that were not asked for before.
    pub(crate) fn want_all<D: FnOnce() -> Tarball>(
        &self,
        tarballs: impl IntoIterator<Item = (TarballKey, D)>,
    ) {
        let mut slots = self.slots();
        let mut claim = |(key, describe): (TarballKey, D)| {
            let slot = slots.entry(key).or_default();
            if slot.tarball.is_some() {
                return None;
            }
            let tarball = Arc::new(describe());
            slot.tarball = Some(tarball.clone());
            Some(Job::Prepare(tarball))
        };
        let jobs: Vec<Job> = tarballs.into_iter().filter_map(&mut claim).collect();
        drop(slots);
        self.queue.extend(Lane::Normal, jobs);
    }

    /// Begins to carry out a plan; `tasks` name the tarballs that they need, all of them wanted.
    ///
    /// [`Event::Linked`] comes once all tasks are done, at once if there are none.
    pub(crate) fn link(&self, linking: Linking<'a>, tasks: Vec<(TarballKey, Task)>) {
        if self.linking.set(linking).is_err() {
            return;
        }
        self.tasks.store(tasks.len(), Ordering::Relaxed);
        self.tasks_left.store(tasks.len(), Ordering::Release);
        if tasks.is_empty() {
            drop(self.events.send(Event::Linked));
            return;
        }
        let mut jobs = Vec::new();
        let mut large = Vec::new();
        let mut missing = Vec::new();
        let mut slots = self.slots();
        for (key, task) in tasks {
            let slot = slots.entry(key).or_default();
            if let Some(index) = &slot.index {
                let is_large = index.file_count() >= LARGE_PACKAGE;
                let jobs = if is_large { &mut large } else { &mut jobs };
                jobs.push(Job::Link { key, task });
            } else {
                if slot.missing.is_some() && slot.tasks.is_empty() {
                    missing.push(key);
                }
                slot.tasks.push(task);
            }
        }
        drop(slots);
        self.queue.extend(Lane::Normal, large.into_iter().chain(jobs));
        for key in missing {
            if let Err(error) = self.settle_missing(key) {
                self.fail(error);
            }
        }
    }

    /// Returns the plan that is being carried out.
    pub(crate) fn linking(&self) -> Option<&Linking<'a>> {
        self.linking.get()
    }

    /// Gives the plan back once all workers have ended.
    pub(crate) fn into_linking(self) -> (Option<Linking<'a>>, Vec<u32>) {
        let missing = self.missing.into_inner().unwrap_or_else(PoisonError::into_inner);
        (self.linking.into_inner(), missing)
    }

    /// Works until the queue is closed; `scope` is for what waits for the network.
    pub(crate) fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let mut importer = Importer::new();
        while let Some(job) = self.queue.pop() {
            if let Err(error) = self.perform(job, &mut importer, scope) {
                self.fail(error);
                return;
            }
        }
    }

    /// Does one job, if one waits; returns whether one did.
    pub(crate) fn work_once<'scope>(
        &'scope self,
        importer: &mut Option<Importer>,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<bool, InstallError> {
        let Some(job) = self.queue.try_pop() else { return Ok(false) };
        self.perform(job, importer.get_or_insert_with(Importer::new), scope)?;
        Ok(true)
    }

    /// Ends everything; the first failure is the one that is reported, and the cause of others.
    pub(crate) fn fail(&self, error: InstallError) {
        if !self.has_failed.swap(true, Ordering::AcqRel) {
            drop(self.events.send(Event::Failed(error)));
        }
        self.queue.close();
    }

    fn perform<'scope>(
        &'scope self,
        job: Job,
        importer: &mut Importer,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<(), InstallError> {
        match job {
            Job::Run(run) => {
                run();
                Ok(())
            }
            Job::Answer { asker, fetched, room } => {
                let answer = fetched.and_then(|fetched| fetched.unpack(self.store, importer));
                drop(room);
                asker.answer(answer);
                Ok(())
            }
            Job::Prepare(tarball) => self.prepare(tarball, importer),
            Job::Import { tarball, body, is_refetch, room } => {
                let result = self.import(&tarball, body, is_refetch, importer);
                drop(room);
                result
            }
            Job::Unpack(arriving) => {
                let unpack = move || {
                    if let Err(error) = self.unpack(arriving) {
                        self.fail(error);
                    }
                };
                let thread = std::thread::Builder::new().name("unpack".to_owned());
                thread.spawn_scoped(scope, unpack).map(drop).map_err(InstallError::Thread)
            }
            Job::LinkFiles { package, files } => self.place_files(&package, files),
            Job::Link { key, task } => {
                let index = self.slots().get(&key).and_then(|slot| slot.index.clone());
                match index {
                    Some(index) => self.place(key, task, &index),
                    None => Ok(()),
                }
            }
        }
    }

    fn prepare(&self, tarball: Arc<Tarball>, importer: &mut Importer) -> Result<(), InstallError> {
        let span = trace_span!("look up", package = %tarball.label);
        if !self.force
            && let Some(integrity) = &tarball.integrity
            && let Some(index) = self.store.lookup(integrity).map_err(InstallError::Store)?
        {
            drop(span);
            let is_large = index.file_count() >= LARGE_PACKAGE;
            let (index, tasks) = self.fill(tarball.key, index);
            if is_large {
                return self.place_all(tarball.key, tasks, &index);
            }
            let key = tarball.key;
            self.queue.extend(Lane::Normal, tasks.into_iter().map(|task| Job::Link { key, task }));
            return Ok(());
        }
        self.fetch(tarball, importer)
    }

    /// Gets the bytes of a tarball: from the network later, from a file at once.
    fn fetch(&self, tarball: Arc<Tarball>, importer: &mut Importer) -> Result<(), InstallError> {
        self.wanted.fetch_add(1, Ordering::Relaxed);
        self.report_download();
        let TarballSource::Files(files) = &tarball.source else {
            self.network.send(Command::Tarball { tarball, is_refetch: false });
            return Ok(());
        };
        let body =
            read_first(files, tarball.integrity.as_ref()).map(|bytes| Body::new(bytes, None, None));
        self.import(&tarball, body, true, importer)
    }

    fn import(
        &self,
        tarball: &Arc<Tarball>,
        body: Result<Body, DownloadError>,
        is_refetch: bool,
        importer: &mut Importer,
    ) -> Result<(), InstallError> {
        let body = match body {
            Ok(body) => body,
            Err(source) => return self.unavailable(tarball, source),
        };
        let expected = tarball.integrity.as_ref();
        let result = body.import(self.store, expected, &tarball.label, importer);
        drop(body);
        self.imported(tarball, result, is_refetch)
    }

    /// Unpacks a tarball while it comes in.
    fn unpack(&self, arriving: Arriving) -> Result<(), InstallError> {
        let Arriving { tarball, body, is_refetch, .. } = arriving;
        let mut body = InTurn { body, beside: self.queue.work_beside() };
        let (expected, mut importer) = (tarball.integrity.as_ref(), Importer::new());
        match self.store.import_arriving(&mut body, expected, &tarball.label, &mut importer) {
            // Who put it into the pipe tries again, or says why it can't be had.
            Err(StoreError::Interrupted { .. }) => Ok(()),
            result => self.imported(&tarball, result, is_refetch),
        }
    }

    fn imported(
        &self,
        tarball: &Arc<Tarball>,
        result: Result<PackageIndex, StoreError>,
        is_refetch: bool,
    ) -> Result<(), InstallError> {
        match result {
            Ok(index) => {
                self.stored.fetch_add(1, Ordering::Relaxed);
                self.report_download();
                self.ready(tarball.key, index)
            }
            // Whatever lay between here and the registry may have garbled it: once more.
            Err(error @ (StoreError::Integrity { .. } | StoreError::Archive { .. }))
                if !is_refetch =>
            {
                tracing::debug!(package = %tarball.label, %error, "fetching the tarball again");
                let tarball = tarball.clone();
                self.network.send(Command::Tarball { tarball, is_refetch: true });
                Ok(())
            }
            Err(source) => Err(InstallError::Import {
                package: tarball.label,
                required_by: Box::default(),
                url: tarball.url().map(|url| Box::new(deka_registry::SafeUrl::new(url))),
                source,
            }),
        }
    }

    /// A tarball can't be had. Whether it is needed is known once there is a plan.
    fn unavailable(&self, tarball: &Tarball, source: DownloadError) -> Result<(), InstallError> {
        self.slots().entry(tarball.key).or_default().missing = Some(source);
        if self.linking.get().is_some() { self.settle_missing(tarball.key) } else { Ok(()) }
    }

    /// Leaves out the placements whose tarball can't be had, or fails if one of them is needed.
    fn settle_missing(&self, key: TarballKey) -> Result<(), InstallError> {
        let Some(linking) = self.linking.get() else { return Ok(()) };
        let (tasks, package) = {
            let mut slots = self.slots();
            let Some(slot) = slots.get_mut(&key) else { return Ok(()) };
            let tasks = std::mem::take(&mut slot.tasks);
            let is_optional = |task: &Task| {
                linking.may_be_missing.get(task.placement as usize).copied().unwrap_or(false)
            };
            let package = slot.tarball.as_ref().map(|tarball| tarball.label);
            if !tasks.iter().all(is_optional)
                && let (Some(package), Some(source)) = (package, slot.missing.take())
            {
                let required_by = Box::default();
                return Err(InstallError::Download { package, required_by, source });
            }
            (tasks, package)
        };
        if let Some(package) = package.filter(|_| !tasks.is_empty()) {
            self.reporter.warning(&format!(
                "Skipped the optional package `{package}`: its tarball can't be had"
            ));
        }
        for task in tasks {
            lock(&self.missing).push(task.placement);
            self.task_done();
        }
        Ok(())
    }

    /// The files of a package are in the store: links it, while they are fresh in the kernel's caches.
    fn ready(&self, key: TarballKey, index: PackageIndex) -> Result<(), InstallError> {
        let (index, tasks) = self.fill(key, index);
        self.place_all(key, tasks, &index)
    }

    /// Notes the files of a package; returns what waited for them.
    fn fill(&self, key: TarballKey, index: PackageIndex) -> (Arc<PackageIndex>, Vec<Task>) {
        let index = Arc::new(index);
        let mut slots = self.slots();
        let slot = slots.entry(key).or_default();
        slot.index = Some(index.clone());
        (index, std::mem::take(&mut slot.tasks))
    }

    fn place_all(
        &self,
        key: TarballKey,
        tasks: Vec<Task>,
        index: &Arc<PackageIndex>,
    ) -> Result<(), InstallError> {
        tasks.into_iter().try_for_each(|task| self.place(key, task, index))
    }

    fn place(
        &self,
        key: TarballKey,
        task: Task,
        index: &Arc<PackageIndex>,
    ) -> Result<(), InstallError> {
        let Some(linking) = self.linking.get() else { return Ok(()) };
        // A patch comes after all files.
        let is_patched =
            linking.plan.placement_at(task.placement).is_some_and(|p| p.patch.is_some());
        if task.action == Action::Place && index.file_count() >= 2 * PART && !is_patched {
            return self.divide(linking, key, task, index);
        }
        let _span = trace_span!("link", package = %linking.path(task));
        match linking.linker.perform(&linking.plan, task, Some(index)) {
            Ok(_) => {
                self.task_done();
                Ok(())
            }
            Err(error) if error.is_missing_blob() => self.heal(key, task, index, error),
            Err(error) => Err(InstallError::Link(error)),
        }
    }

    /// Makes the folders of a large package and queues its files in parts, so that no worker is left
    /// alone with it.
    fn divide(
        &self,
        linking: &Linking<'_>,
        key: TarballKey,
        task: Task,
        index: &Arc<PackageIndex>,
    ) -> Result<(), InstallError> {
        let _span = trace_span!("make folders", package = %linking.path(task));
        let Some(placement) = linking.plan.placement_at(task.placement) else {
            return Ok(());
        };
        linking.linker.place_folders(placement, index).map_err(InstallError::Link)?;
        let count = index.file_count();
        let package = Arc::new(Divided {
            key,
            task,
            index: index.clone(),
            parts_left: AtomicUsize::new(count.div_ceil(PART)),
            missing: Mutex::default(),
        });
        let parts = (0..count).step_by(PART).map(|start| {
            let files = start..(start + PART).min(count);
            Job::LinkFiles { package: package.clone(), files }
        });
        self.queue.extend(Lane::Normal, parts);
        Ok(())
    }

    fn place_files(&self, package: &Divided, files: Range<usize>) -> Result<(), InstallError> {
        let Some(linking) = self.linking.get() else { return Ok(()) };
        let task = package.task;
        let Some(placement) = linking.plan.placement_at(task.placement) else {
            return Ok(());
        };
        let span = trace_span!("link", package = %placement.path, from = files.start);
        match linking.linker.place_files(placement, &package.index, files) {
            Ok(()) => {}
            Err(error) if error.is_missing_blob() => *lock(&package.missing) = Some(error),
            Err(error) => return Err(InstallError::Link(error)),
        }
        drop(span);
        if package.parts_left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return Ok(());
        }
        if let Some(error) = lock(&package.missing).take() {
            return self.heal(package.key, task, &package.index, error);
        }
        self.task_done();
        Ok(())
    }

    /// The store has lost a file of a package, which has this index: fetches it again, once.
    fn heal(
        &self,
        key: TarballKey,
        task: Task,
        index: &Arc<PackageIndex>,
        error: LinkError,
    ) -> Result<(), InstallError> {
        let mut slots = self.slots();
        let slot = slots.entry(key).or_default();
        let Some(tarball) = slot.tarball.clone() else { return Err(InstallError::Link(error)) };
        match &slot.index {
            // Another task found out first, and waits as well.
            None => {
                slot.tasks.push(task);
                return Ok(());
            }
            // That is over, and what was missing here is there by now.
            Some(new) if !Arc::ptr_eq(new, index) => {
                let new = new.clone();
                drop(slots);
                return self.place(key, task, &new);
            }
            Some(_) => {}
        }
        if std::mem::replace(&mut slot.is_healed, true) {
            return Err(InstallError::Link(error));
        }
        tracing::debug!(package = %tarball.label, %error, "fetching what the store has lost");
        slot.index = None;
        slot.tasks.push(task);
        drop(slots);
        self.store.forget(tarball.integrity.as_ref()).map_err(InstallError::Store)?;
        // Files are read by whoever takes the job, now that the store does not know the tarball.
        self.queue.push(Lane::Normal, Job::Prepare(tarball));
        Ok(())
    }

    fn task_done(&self) {
        let linked = self.linked.fetch_add(1, Ordering::Relaxed) + 1;
        self.reporter.linking(linked, self.tasks.load(Ordering::Relaxed));
        if self.tasks_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            drop(self.events.send(Event::Linked));
        }
    }

    fn report_download(&self) {
        self.reporter.downloading(
            self.stored.load(Ordering::Relaxed),
            self.wanted.load(Ordering::Relaxed),
            self.counters.now().bytes,
        );
    }
}

/// Pieces that are read by a thread beside the workers, which leaves the processor to them while it waits.
struct InTurn<'a> {
    body: Pieces,
    beside: Beside<'a, Job>,
}

impl Read for InTurn<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.body.is_ready() {
            return self.body.read(buffer);
        }
        self.beside.rest(|| self.body.read(buffer))
    }
}

/// Reads the first file that has the wanted integrity; if none has it, the first that is there.
fn read_first(files: &[PathBuf], wanted: Option<&Integrity>) -> Result<Vec<u8>, DownloadError> {
    let mut first = None;
    for path in files {
        let read = std::fs::read(path)
            .map_err(|source| DownloadError::Read { path: path.clone(), source });
        let is_right = |bytes: &Vec<u8>| {
            wanted.is_none_or(|wanted| deka_store::digest(wanted.algorithm(), bytes) == *wanted)
        };
        if read.as_ref().is_ok_and(is_right) {
            return read;
        }
        if first.as_ref().is_none_or(Result::is_err) {
            first = Some(read);
        }
    }
    first.unwrap_or_else(|| Ok(Vec::new()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
