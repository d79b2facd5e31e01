//! Connections by origin: who gets which, and when a new one is opened.
//!
//! A request that finds no free connection waits in a line, and for each that waits a connection is opened
//! (as far as the limit allows). Whatever becomes free first, an old connection or a new one, goes to
//! the first in the line; what nobody waits for any more rests in the pool.
//!
//! Whether a server speaks HTTP/2 is only known after the first handshake. Until then, and if it does, a few
//! connections are opened for many requests; if it does not, they serve as HTTP/1.1 connections, and the
//! missing ones follow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use deka_config::Network;
use hashbrown::HashMap;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::oneshot;
use url::Url;

use super::Protocols;
use super::connector::{ConnectError, Connection, Connector, ForwardProxy, Origin};
use crate::{Counters, RegistryError};

/// Servers commonly close connections that rest for 5 s (Node) to 75 s (nginx).
const REST: Duration = Duration::from_secs(15);
/// What a server may send without waiting for us, per stream and per connection. The defaults of the
/// protocol, 64 KiB, stop a stream for a round trip every 64 KiB.
const STREAM_WINDOW: u32 = 8 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 64 * 1024 * 1024;
const FRAME: u32 = 64 * 1024;
/// What an HTTP/1.1 connection reads at once at most. hyper's own limit of 400 KiB is no faster, and 64
/// connections hold on to it.
const READ_BUFFER: usize = 128 * 1024;
/// How many HTTP/2 connections to one origin, and how many requests one has before the next is opened.
/// Each begins slowly (TCP sends 14 KiB and doubles that per round trip), so a few carry a burst faster than one.
/// See [`Protocols`] for figures.
const SHARED: usize = 4;
const STREAMS: usize = 16;

/// The sending end of one connection.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A connection lent to one request. Dropped instead of released, an HTTP/1.1 connection is closed.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(super) sender: Sender,
    /// Whether another request was sent over it before.
    pub(super) is_reused: bool,
    /// The proxy that forwards what is sent, where it wants to see whole URLs.
    pub(super) proxy: Option<Arc<ForwardProxy>>,
    /// Counts the requests on a shared connection by its clones.
    #[expect(dead_code, reason = "it counts by being there")]
    load: Option<Arc<()>>,
    pool: Weak<Pool>,
    origin: Origin,
}

/// All connections of one client.
#[derive(Debug)]
pub(crate) struct Pool {
    connector: Arc<Connector>,
    counters: Arc<Counters>,
    /// How many HTTP/1.1 connections to one origin.
    limit: usize,
    origins: Mutex<HashMap<Origin, Connections>>,
    this: Weak<Self>,
}

type Waiter = oneshot::Sender<Result<Lease, ConnectError>>;

/// The connections of one origin.
#[derive(Debug, Default)]
struct Connections {
    resting: Vec<Resting>,
    /// HTTP/2 connections.
    shared: Vec<Shared>,
    waiters: VecDeque<Waiter>,
    connecting: usize,
    /// HTTP/1.1 connections that exist, lent or resting.
    open: usize,
    /// What the server chose, once it is known.
    speaks_http2: Option<bool>,
}

#[derive(Debug)]
struct Shared {
    sender: http2::SendRequest<Full<Bytes>>,
    load: Arc<()>,
}

#[derive(Debug)]
struct Resting {
    sender: http1::SendRequest<Full<Bytes>>,
    proxy: Option<Arc<ForwardProxy>>,
    since: Instant,
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        network: &Network,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        let limit = network.connections_per_host.unwrap_or(network.concurrency).get();
        Arc::new_cyclic(|this| Self {
            connector: Arc::new(connector),
            counters,
            limit,
            origins: Mutex::default(),
            this: this.clone(),
        })
    }

    /// Returns where the connections to `url` are kept.
    pub(super) fn origin(&self, url: &Url, protocols: Protocols) -> Result<Origin, RegistryError> {
        self.connector.origin(url, protocols)
    }

    /// Waits for a connection to `origin`.
    pub(super) async fn lease(&self, origin: &Origin) -> Result<Lease, ConnectError> {
        let receiver = {
            let mut origins = self.origins();
            let connections = origins.entry_ref(origin).or_default();
            if let Some(lease) = connections.free(&self.this, origin) {
                // The next one may want a connection of its own.
                self.open_missing(origin, connections);
                return Ok(lease);
            }
            let (sender, receiver) = oneshot::channel();
            connections.waiters.push_back(sender);
            self.open_missing(origin, connections);
            receiver
        };
        receiver.await.unwrap_or(Err(ConnectError::abandoned()))
    }

    fn origins(&self) -> MutexGuard<'_, HashMap<Origin, Connections>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens connections for those who wait, as many as are allowed and not yet on their way.
    fn open_missing(&self, origin: &Origin, connections: &mut Connections) {
        connections.waiters.retain(|waiter| !waiter.is_closed());
        let missing = connections.missing(origin, self.limit);
        for _ in 0..missing {
            let Some(pool) = self.this.upgrade() else { return };
            connections.connecting += 1;
            let origin = origin.clone();
            tokio::spawn(async move {
                let connection = pool.connector.connect(&origin).await;
                match connection {
                    Ok(connection) => pool.start(&origin, connection).await,
                    Err(error) => pool.fail(&origin, &error),
                }
            });
        }
    }

    /// Speaks HTTP over a new connection and hands it out.
    async fn start(self: Arc<Self>, origin: &Origin, connection: Connection) {
        self.counters.connections().raise();
        let io = TokioIo::new(connection.stream);
        let failed = |error: hyper::Error| ConnectError::Unreachable {
            host: origin.host().to_owned(),
            is_proxy: false,
            source: Arc::new(error),
        };
        if connection.is_http2 {
            let handshake = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .max_frame_size(FRAME)
                .handshake(io);
            match handshake.await {
                Ok((sender, driver)) => {
                    tokio::spawn(async move {
                        if let Err(error) = driver.await {
                            tracing::debug!(%error, "an HTTP/2 connection ended");
                        }
                    });
                    self.share(origin, sender);
                }
                Err(error) => self.fail(origin, &failed(error)),
            }
            return;
        }
        match http1::Builder::new().max_buf_size(READ_BUFFER).handshake(io).await {
            Ok((sender, driver)) => {
                {
                    let mut origins = self.origins();
                    let connections = origins.entry_ref(origin).or_default();
                    connections.connecting -= 1;
                    connections.open += 1;
                    connections.speaks_http2 = Some(false);
                }
                let (pool, its_origin) = (self.this.clone(), origin.clone());
                tokio::spawn(async move {
                    if let Err(error) = driver.await {
                        tracing::debug!(%error, "an HTTP/1.1 connection ended");
                    }
                    if let Some(pool) = pool.upgrade() {
                        pool.closed(&its_origin);
                    }
                });
                self.hand_out(origin, sender, connection.proxy, false);
                // Now that no shared connection is to be hoped for, the others need their own.
                let mut origins = self.origins();
                self.open_missing(origin, origins.entry_ref(origin).or_default());
            }
            Err(error) => self.fail(origin, &failed(error)),
        }
    }

    /// Gives those who wait their share of a new HTTP/2 connection.
    fn share(&self, origin: &Origin, sender: http2::SendRequest<Full<Bytes>>) {
        let mut origins = self.origins();
        let connections = origins.entry_ref(origin).or_default();
        connections.connecting -= 1;
        connections.speaks_http2 = Some(true);
        let shared = Shared { sender, load: Arc::new(()) };
        // The rest is for the connections that are still on their way.
        let served = if connections.connecting == 0 { usize::MAX } else { STREAMS };
        let served = served.min(connections.waiters.len());
        for waiter in connections.waiters.drain(..served) {
            drop(waiter.send(Ok(shared.lease(false, &self.this, origin))));
        }
        connections.shared.push(shared);
    }

    /// Gives an HTTP/1.1 connection to the first in the line, or lets it rest.
    fn hand_out(
        &self,
        origin: &Origin,
        sender: http1::SendRequest<Full<Bytes>>,
        proxy: Option<Arc<ForwardProxy>>,
        is_reused: bool,
    ) {
        let mut origins = self.origins();
        let connections = origins.entry_ref(origin).or_default();
        let mut lease = Lease {
            sender: Sender::Http1(sender),
            is_reused,
            proxy,
            load: None,
            pool: self.this.clone(),
            origin: origin.clone(),
        };
        while let Some(waiter) = connections.waiters.pop_front() {
            match waiter.send(Ok(lease)) {
                Err(Ok(refused)) => lease = refused,
                _ => return,
            }
        }
        if let Sender::Http1(sender) = lease.sender {
            connections.resting.push(Resting { sender, proxy: lease.proxy, since: Instant::now() });
        }
    }

    /// A connection could not be opened: tells those for whom no other is on its way.
    fn fail(&self, origin: &Origin, error: &ConnectError) {
        let mut origins = self.origins();
        let connections = origins.entry_ref(origin).or_default();
        connections.connecting -= 1;
        connections.waiters.retain(|waiter| !waiter.is_closed());
        if connections.connecting == 0 {
            // Those who were left to this connection make do with the ones there are.
            while let Some(lease) = connections.least_loaded(&self.this, origin)
                && let Some(waiter) = connections.waiters.pop_front()
            {
                drop(waiter.send(Ok(lease)));
            }
        }
        let hopeless = if !connections.may_be_shared(origin) {
            // Each has its own connection coming, or waits for one in use.
            usize::from(connections.waiters.len() > connections.connecting)
        } else if connections.connecting == 0 {
            connections.waiters.len()
        } else {
            0
        };
        for waiter in connections.waiters.drain(..hopeless) {
            drop(waiter.send(Err(error.clone())));
        }
        // Where others serve, the next request may try to open one more; at once would be a loop.
        if connections.shared.is_empty() {
            self.open_missing(origin, connections);
        }
    }

    fn closed(&self, origin: &Origin) {
        let mut origins = self.origins();
        let connections = origins.entry_ref(origin).or_default();
        connections.open -= 1;
        self.open_missing(origin, connections);
    }
}

impl Connections {
    /// Takes a connection that can be used at once.
    fn free(&mut self, pool: &Weak<Pool>, origin: &Origin) -> Option<Lease> {
        if let Some(lease) = self.least_loaded(pool, origin) {
            return Some(lease);
        }
        // The one that was used last is the least likely to have been closed.
        while let Some(resting) = self.resting.pop() {
            if resting.since.elapsed() > REST {
                self.resting.clear();
                return None;
            }
            if resting.sender.is_ready() {
                return Some(Lease {
                    sender: Sender::Http1(resting.sender),
                    is_reused: true,
                    proxy: resting.proxy,
                    load: None,
                    pool: pool.clone(),
                    origin: origin.clone(),
                });
            }
        }
        None
    }

    /// Whether one connection may serve all: it does, or nobody knows yet.
    fn may_be_shared(&self, origin: &Origin) -> bool {
        origin.may_speak_http2() && self.speaks_http2 != Some(false)
    }

    /// Takes a part of an HTTP/2 connection.
    fn least_loaded(&mut self, pool: &Weak<Pool>, origin: &Origin) -> Option<Lease> {
        self.shared.retain(|shared| !shared.sender.is_closed());
        let shared = self.shared.iter().min_by_key(|shared| shared.load())?;
        Some(shared.lease(true, pool, origin))
    }

    fn missing(&self, origin: &Origin, limit: usize) -> usize {
        if self.may_be_shared(origin) {
            let load: usize = self.shared.iter().map(Shared::load).sum();
            let wanted = (load + self.waiters.len()).div_ceil(STREAMS);
            let limit = SHARED.min(limit);
            return wanted.min(limit).saturating_sub(self.shared.len() + self.connecting);
        }
        let wanted = self.waiters.len().saturating_sub(self.connecting);
        wanted.min(limit.saturating_sub(self.open + self.connecting))
    }
}

impl Shared {
    fn load(&self) -> usize {
        Arc::strong_count(&self.load) - 1
    }

    fn lease(&self, is_reused: bool, pool: &Weak<Pool>, origin: &Origin) -> Lease {
        Lease {
            sender: Sender::Http2(self.sender.clone()),
            is_reused,
            proxy: None,
            load: Some(self.load.clone()),
            pool: pool.clone(),
            origin: origin.clone(),
        }
    }
}

impl Lease {
    /// Gives the connection back after the whole response was read.
    pub(super) fn release(self) {
        let Sender::Http1(mut sender) = self.sender else { return };
        let Some(pool) = self.pool.upgrade() else { return };
        if sender.is_ready() {
            pool.hand_out(&self.origin, sender, self.proxy, true);
            return;
        }
        // The connection still has to notice that the response is over, or to close.
        let (origin, proxy) = (self.origin, self.proxy);
        drop(pool);
        let pool = self.pool;
        tokio::spawn(async move {
            if sender.ready().await.is_ok()
                && let Some(pool) = pool.upgrade()
            {
                pool.hand_out(&origin, sender, proxy, true);
            }
        });
    }
}
