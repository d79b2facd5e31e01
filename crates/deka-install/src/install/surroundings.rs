//! What works beside the main thread: the network, and the workers.
//!
//! A thread costs more than to link a small package. So none starts before there is something to ask of the
//! network or more than a few jobs wait; what is left then, the main thread does itself.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError};
use deka_config::Config;
use deka_linker::Task;
use deka_manifest::PackageName;
use deka_registry::{Client, ManifestCache};
use deka_store::Store;
use tracing::trace_span;

use super::Install;
use crate::InstallError;
use crate::engine::{Engine, Event, Linking, QueueWorkers, Tarball, TarballKey};
use crate::local::Local;
use crate::network::{Answer, Command, Network};
use crate::packuments::Packuments;
use crate::queue::WorkQueue;
use crate::remote::Remote;

/// How many jobs the main thread does rather than start threads for them.
const FEW: usize = 4;

/// What the main thread talks to while an install is under way.
pub(crate) struct Surroundings<'a, 'e> {
    engine: &'a Engine<'e>,
    client: Client,
    network: Network,
    answers: Receiver<Answer>,
    events: Receiver<Event>,
    /// Whether the threads were started; only the main thread does.
    has_threads: Cell<bool>,
    start_threads: &'a dyn Fn(),
    /// Does a job that waits, if one does.
    do_one: &'a dyn Fn() -> Result<bool, InstallError>,
}

impl<'e> Surroundings<'_, 'e> {
    pub(crate) fn engine(&self) -> &Engine<'e> {
        self.engine
    }

    /// Has tarballs looked up or fetched, those that were not asked for before.
    pub(crate) fn want_all<D: FnOnce() -> Tarball>(
        &self,
        tarballs: impl IntoIterator<Item = (TarballKey, D)>,
    ) {
        self.engine.want_all(tarballs);
        self.start_threads_for_many();
    }

    /// Begins to carry out a plan; see [`Engine::link`].
    pub(crate) fn link(&self, linking: Linking<'e>, tasks: Vec<(TarballKey, Task)>) {
        self.engine.link(linking, tasks);
        self.start_threads_for_many();
    }

    /// Waits until everything is linked.
    pub(crate) fn until_linked(&self) -> Result<(), InstallError> {
        while !self.has_threads.get() {
            match self.events.try_recv() {
                Ok(Event::Linked) => return Ok(()),
                Ok(Event::Failed(error)) => return Err(error),
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {}
            }
            // What is left when nothing waits is with the network.
            if !(self.do_one)()? {
                self.start_threads();
            }
            self.start_threads_for_many();
        }
        match self.events.recv() {
            Ok(Event::Linked) => Ok(()),
            Ok(Event::Failed(error)) => Err(error),
            // The engine holds a sender as long as this runs.
            Err(error) => Err(InstallError::Thread(std::io::Error::other(error))),
        }
    }

    /// Asks the network thread.
    pub(crate) fn ask(&self, command: Command) {
        self.network.send(command);
        self.start_threads();
    }

    /// Returns the next answer to what was asked; `None` if the network thread has ended.
    pub(crate) fn next_answer(&self) -> Option<Answer> {
        self.answers.recv().ok()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns where packuments come from; the latest versions of the packages `direct` are noted.
    pub(super) fn packuments<'s>(
        &'s self,
        local: &'s Local,
        config: &Config,
        direct: Vec<PackageName>,
    ) -> Packuments<'s, 'e> {
        let with_times = !config.install.minimum_release_age.age.is_zero();
        Packuments::new(self, local, with_times, direct)
    }

    fn start_threads_for_many(&self) {
        if !self.has_threads.get() && self.engine.queue.len() > FEW {
            self.start_threads();
        }
    }

    fn start_threads(&self) {
        if !self.has_threads.replace(true) {
            (self.start_threads)();
        }
    }
}

/// What [`Install::with_engine`] came to.
pub(crate) struct Worked<'s, T> {
    /// What the main thread returned.
    pub(crate) done: Result<T, InstallError>,
    /// What was being linked; nobody works on it any more.
    pub(crate) linking: Option<Linking<'s>>,
    /// The placements that were left out.
    pub(crate) missing: Vec<u32>,
}

impl<'a> Install<'a> {
    /// Does `work` with workers, the network and the store beside it.
    pub(crate) fn with_engine<'s, T>(
        &mut self,
        store: &'s Store,
        work: impl FnOnce(&mut Self, &Surroundings<'_, 's>) -> Result<T, InstallError>,
    ) -> Result<Worked<'s, T>, InstallError>
    where
        'a: 's,
    {
        let config = self.config;
        let setting_up = trace_span!("set up client");
        deka_fs::give_back_large_buffers();
        let queue = Arc::new(WorkQueue::new());
        let client = Client::with_workers(
            self.request.config.clone(),
            ManifestCache::of(config),
            Arc::new(QueueWorkers(queue.clone())),
        )
        .map_err(InstallError::Client)?;
        let remote = Remote::new(client.clone(), config, &self.request.scripts.environment);
        let (send_answer, answers) = crossbeam_channel::unbounded();
        let (network, network_thread) =
            Network::new(client.clone(), remote, queue.clone(), send_answer);
        let (send_event, events) = crossbeam_channel::unbounded();
        drop(setting_up);
        let engine = Engine::new(
            store,
            queue.clone(),
            network.clone(),
            client.counters().clone(),
            self.reporter,
            config.install.force || config.cache.disabled,
            send_event,
        );

        let done = std::thread::scope(|scope| {
            let engine = &engine;
            let network_thread = Cell::new(Some(network_thread));
            let start_threads = || {
                let Some(network_thread) = network_thread.take() else { return };
                let thread = std::thread::Builder::new().name("network".to_owned());
                let moving = thread.spawn_scoped(scope, || {
                    if let Err(error) = network_thread.run() {
                        engine.fail(InstallError::Thread(error));
                    }
                });
                if let Err(error) = moving {
                    engine.fail(InstallError::Thread(error));
                }
                for number in 1..=std::thread::available_parallelism().map_or(2, usize::from) {
                    let worker = std::thread::Builder::new().name(format!("worker {number}"));
                    if let Err(error) = worker.spawn_scoped(scope, || engine.work(scope)) {
                        engine.fail(InstallError::Thread(error));
                    }
                }
            };
            let importer = RefCell::new(None);
            let do_one = || engine.work_once(&mut importer.borrow_mut(), scope);
            let surroundings = Surroundings {
                engine,
                client,
                network: network.clone(),
                answers,
                events: events.clone(),
                has_threads: Cell::new(false),
                start_threads: &start_threads,
                do_one: &do_one,
            };
            let done = work(self, &surroundings);
            // What still waits belongs to versions that were picked and dropped again.
            if done.is_ok() {
                queue.wind_down();
            } else {
                queue.close();
            }
            network.send(Command::Stop);
            done
        });
        // The first failure is the cause of the others.
        let done = done.map_err(|error| match events.try_recv() {
            Ok(Event::Failed(first)) => first,
            _ => error,
        });
        let (linking, missing) = engine.into_linking();
        Ok(Worked { done, linking, missing })
    }
}
