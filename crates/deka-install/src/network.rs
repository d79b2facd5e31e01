//! The network thread: it sleeps until the first request, then runs an async runtime until the
//! install ends.
//!
//! It only moves bytes. What comes in becomes a job for the workers.

use std::sync::Arc;

use crossbeam_channel::Sender;
use deka_manifest::{PackageName, Packument};
use deka_registry::{Client, RegistryError, TarballOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::trace_span;

use crate::engine::{Job, Tarball, TarballSource};
use crate::queue::{Lane, WorkQueue};

/// Tarballs under way or waiting for a worker may take this many bytes, as far as their sizes are
/// known; a network that is faster than the workers would otherwise fill the memory.
const WAITING_BYTES: u64 = 64 * 1024 * 1024;
/// What the semaphore counts in.
const UNIT: u64 = 64 * 1024;
/// What a tarball of unknown size is taken for.
const UNKNOWN_SIZE: u64 = 4 * UNIT;

/// From this size on a tarball goes to the workers before smaller ones that came earlier.
const LARGE_TARBALL: usize = 1 << 20;

/// What comes back for a packument.
pub(crate) type PackumentAnswer = (PackageName, Result<Arc<Packument>, RegistryError>);

/// A request to the network thread.
pub(crate) enum Command {
    /// Fetch a packument and send it to the resolver.
    Packument { name: PackageName, with_times: bool },
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
    queue: Arc<WorkQueue<Job>>,
    packuments: Sender<PackumentAnswer>,
}

impl Network {
    pub(crate) fn new(
        client: Client,
        queue: Arc<WorkQueue<Job>>,
        packuments: Sender<PackumentAnswer>,
    ) -> (Self, NetworkThread) {
        let (sender, commands) = mpsc::unbounded_channel();
        (Self(sender), NetworkThread { commands, client, queue, packuments })
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
        runtime.block_on(async {
            loop {
                match command {
                    Command::Packument { name, with_times } => {
                        let (client, packuments) = (self.client.clone(), self.packuments.clone());
                        tokio::spawn(async move {
                            let _span = trace_span!("packument", request = %name);
                            let answer = client.packument(name, with_times).await;
                            // Nobody listens any more if the install has failed.
                            drop(packuments.send((name, answer)));
                        });
                    }
                    Command::Tarball { tarball, is_refetch } => {
                        let download = Download {
                            client: self.client.clone(),
                            queue: self.queue.clone(),
                            waiting: waiting.clone(),
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
        // Look-ups of names cannot be cancelled; nobody waits for them.
        runtime.shutdown_background();
        Ok(())
    }
}

struct Download {
    client: Client,
    queue: Arc<WorkQueue<Job>>,
    waiting: Arc<Semaphore>,
}

impl Download {
    async fn run(self, tarball: Arc<Tarball>, is_refetch: bool) {
        let size = tarball.size_hint.unwrap_or(UNKNOWN_SIZE).clamp(UNIT, WAITING_BYTES);
        // The semaphore is never closed; without a permit the download would only be unbounded.
        let room = self.waiting.acquire_many_owned((size / UNIT) as u32).await.ok();
        let span = trace_span!("tarball", request = %tarball.label);
        let options =
            TarballOptions { size_hint: tarball.size_hint, is_refetch, ..Default::default() };
        let body = match &tarball.source {
            TarballSource::Url(Ok(url)) => {
                self.client.tarball(url, options).await.map_err(Into::into)
            }
            TarballSource::Url(Err(error)) => Err(error.clone().into()),
            // What lies on this machine never gets here.
            TarballSource::Files(_) => return,
        };
        drop(span);
        let is_large = body.as_ref().is_ok_and(|body: &Vec<u8>| body.len() >= LARGE_TARBALL);
        let lane = if is_large { Lane::Long } else { Lane::Normal };
        self.queue.push(lane, Job::Import { tarball, body, is_refetch, room: Room(room) });
    }
}

/// The room that a tarball takes in memory; free when dropped.
pub(crate) struct Room(
    #[expect(dead_code, reason = "held, never read")] Option<OwnedSemaphorePermit>,
);
