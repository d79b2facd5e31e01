//! The network thread: it sleeps until the first request, then runs an async runtime until the
//! install ends.
//!
//! It only moves bytes. What comes in becomes a job for the workers.

use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;
use deka_manifest::{PackageName, Packument, Spec};
use deka_registry::{Client, Pieces, Pipe, RegistryError, TarballOptions, pipe};
use deka_resolver::{ForeignError, ForeignPackage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::trace_span;

use crate::engine::{DownloadError, Job, Tarball, TarballSource};
use crate::queue::{Lane, WorkQueue};
use crate::remote::{self, Body, Remote};

/// Tarballs under way or waiting for a worker may take this many bytes, as far as their sizes are
/// known; a network that is faster than the workers would otherwise fill the memory.
const WAITING_BYTES: u64 = 64 * 1024 * 1024;
/// What the semaphore counts in.
const UNIT: u64 = 64 * 1024;
/// What a tarball of unknown size is taken for.
const UNKNOWN_SIZE: u64 = 4 * UNIT;

/// From this size on a tarball goes to the workers before smaller ones that came earlier.
const LARGE_TARBALL: usize = 1 << 20;

/// From this size on a tarball is unpacked while it comes in.
const LARGEST_GATHERED: u64 = 4 << 20;
/// How many are at once, each by a thread of its own.
const ARRIVING: usize = 4;

/// What comes back to the resolver.
pub(crate) enum Answer {
    /// For [`Command::Packument`].
    Packument(PackageName, Result<Arc<Packument>, RegistryError>),
    /// For [`Command::Foreign`].
    Foreign(Spec, Result<ForeignPackage, ForeignError>),
}

/// A request to the network thread.
pub(crate) enum Command {
    /// Fetch a packument and send it to the resolver.
    Packument { name: PackageName, with_times: bool },
    /// Fetch what a dependency means that no registry has, and queue it for the answer.
    Foreign(Spec),
    /// Fetch a tarball and queue it for import.
    Tarball { tarball: Arc<Tarball>, is_refetch: bool },
    /// End, whatever is under way.
    Stop,
}

/// The way to the network thread.
#[derive(Clone)]
pub(crate) struct Network(mpsc::UnboundedSender<Command>);

/// The other end, to be run on a thread of its own.
pub(crate) struct NetworkThread {
    commands: mpsc::UnboundedReceiver<Command>,
    client: Client,
    remote: Remote,
    queue: Arc<WorkQueue<Job>>,
    answers: Sender<Answer>,
}

impl Network {
    pub(crate) fn new(
        client: Client,
        remote: Remote,
        queue: Arc<WorkQueue<Job>>,
        answers: Sender<Answer>,
    ) -> (Self, NetworkThread) {
        let (sender, commands) = mpsc::unbounded_channel();
        (Self(sender), NetworkThread { commands, client, remote, queue, answers })
    }

    /// Sends a command; after the end of the thread it is dropped.
    pub(crate) fn send(&self, command: Command) {
        drop(self.0.send(command));
    }
}

impl NetworkThread {
    /// Runs until [`Command::Stop`]. Fails only if no runtime can be made.
    pub(crate) fn run(mut self) -> std::io::Result<()> {
        let Some(mut command) = self.commands.blocking_recv() else { return Ok(()) };
        if matches!(command, Command::Stop) {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let waiting = Arc::new(Semaphore::new((WAITING_BYTES / UNIT) as usize));
        let arriving = Arc::new(Semaphore::new(ARRIVING));
        runtime.block_on(async {
            loop {
                match command {
                    Command::Packument { name, with_times } => {
                        let (client, answers) = (self.client.clone(), self.answers.clone());
                        tokio::spawn(async move {
                            let _span = trace_span!("packument", request = %name);
                            let answer = client.packument(name, with_times).await;
                            // Nobody listens any more if the install has failed.
                            drop(answers.send(Answer::Packument(name, answer)));
                        });
                    }
                    Command::Foreign(spec) => {
                        let remote = self.remote.clone();
                        let (queue, waiting) = (self.queue.clone(), waiting.clone());
                        let asker = Asker { spec, answers: self.answers.clone(), is_done: false };
                        tokio::spawn(async move {
                            let room = Room::enter(&waiting, UNKNOWN_SIZE).await;
                            let span = trace_span!("fetch", request = %remote::shown(&asker.spec));
                            let fetched = remote.fetch(&asker.spec).await;
                            drop(span);
                            queue.push(Lane::Urgent, Job::Answer { asker, fetched, room });
                        });
                    }
                    Command::Tarball { tarball, is_refetch } => {
                        let download = Download {
                            client: self.client.clone(),
                            remote: self.remote.clone(),
                            queue: self.queue.clone(),
                            waiting: waiting.clone(),
                            arriving: arriving.clone(),
                        };
                        tokio::spawn(download.run(tarball, is_refetch));
                    }
                    Command::Stop => return,
                }
                match self.commands.recv().await {
                    Some(next) => command = next,
                    None => return,
                }
            }
        });
        self.remote.stop();
        // Look-ups of names cannot be cancelled; nobody waits for them.
        runtime.shutdown_background();
        Ok(())
    }
}

struct Download {
    client: Client,
    remote: Remote,
    queue: Arc<WorkQueue<Job>>,
    waiting: Arc<Semaphore>,
    arriving: Arc<Semaphore>,
}

/// A tarball on its way, to be unpacked by a thread of its own.
pub(crate) struct Arriving {
    pub(crate) tarball: Arc<Tarball>,
    pub(crate) body: Pieces,
    pub(crate) is_refetch: bool,
    #[expect(dead_code, reason = "held, never read")]
    turn: OwnedSemaphorePermit,
}

impl Download {
    async fn run(self, tarball: Arc<Tarball>, is_refetch: bool) {
        let size = tarball.size_hint.unwrap_or(UNKNOWN_SIZE);
        let room = Mutex::new(Room::enter(&self.waiting, size).await);
        let span = trace_span!("tarball", request = %tarball.label);
        let options =
            TarballOptions { size_hint: tarball.size_hint, is_refetch, ..Default::default() };
        let body = match &tarball.source {
            TarballSource::Url(Ok(url)) => {
                let taker = |length| {
                    let pipe = self.take(&tarball, is_refetch, length)?;
                    // The pipe takes little.
                    room.lock().unwrap_or_else(PoisonError::into_inner).leave();
                    Some(pipe)
                };
                match self.client.tarball_or_pieces(url, options, &taker).await {
                    Ok(Some(bytes)) => {
                        let key = tarball.integrity.filter(|_| tarball.is_pinned);
                        Ok(Body::new(bytes, tarball.bun_tag, key))
                    }
                    // Who unpacks it does the rest.
                    Ok(None) => return,
                    Err(error) => Err(error.into()),
                }
            }
            TarballSource::Url(Err(error)) => Err(error.clone().into()),
            TarballSource::Git { repository, commit } => {
                let commit = self.remote.commit(*repository, *commit).await;
                commit.map_err(|error| DownloadError::Remote(Box::new(error)))
            }
            // What lies on this machine never gets here.
            TarballSource::Files(_) => return,
        };
        drop(span);
        let is_large = body.as_ref().is_ok_and(|body: &Body| body.len() >= LARGE_TARBALL);
        let lane = if is_large { Lane::Long } else { Lane::Normal };
        let room = room.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.queue.push(lane, Job::Import { tarball, body, is_refetch, room });
    }

    /// Has a large tarball unpacked while it comes in, if it is nothing but what it hashes to.
    fn take(&self, tarball: &Arc<Tarball>, is_refetch: bool, length: u64) -> Option<Pipe> {
        let is_plain = !tarball.is_pinned && tarball.bun_tag.is_none();
        if length < LARGEST_GATHERED || !is_plain {
            return None;
        }
        let turn = self.arriving.clone().try_acquire_owned().ok()?;
        let (pipe, body) = pipe();
        let arriving = Arriving { tarball: tarball.clone(), body, is_refetch, turn };
        self.queue.push(Lane::Urgent, Job::Unpack(arriving));
        Some(pipe)
    }
}

/// Somebody who waits for an answer about a dependency, and gets one in any case.
pub(crate) struct Asker {
    spec: Spec,
    answers: Sender<Answer>,
    is_done: bool,
}

impl Asker {
    pub(crate) fn answer(mut self, answer: Result<ForeignPackage, ForeignError>) {
        self.send(answer);
    }

    fn send(&mut self, answer: Result<ForeignPackage, ForeignError>) {
        self.is_done = true;
        drop(self.answers.send(Answer::Foreign(self.spec.clone(), answer)));
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        if !self.is_done {
            // The queue was closed, because something failed: nobody asks for the reason here.
            self.send(Err(ForeignError::Unsupported));
        }
    }
}

/// The room that a tarball takes in memory; free when dropped.
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

impl Room {
    /// Waits until there is room for so many bytes.
    async fn enter(waiting: &Arc<Semaphore>, bytes: u64) -> Self {
        let units = bytes.clamp(UNIT, WAITING_BYTES) / UNIT;
        // The semaphore is never closed; without a permit the download would only be unbounded.
        Self(waiting.clone().acquire_many_owned(units as u32).await.ok())
    }

    /// Frees it before the end.
    fn leave(&mut self) {
        drop(self.0.take());
    }
}
