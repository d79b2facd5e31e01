//! The client: cache, coalescing, order, retries, and the requests themselves.

mod questions;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use deka_config::Config;
use deka_manifest::{PackageName, Packument};
use hashbrown::HashMap;
use http::StatusCode;
use http::header::HeaderValue;
use tokio::sync::{OnceCell, oneshot};
use url::Url;

use crate::encoding::{self, Encoding};
use crate::error::Reason;
use crate::form::Form;
use crate::gate::{Gate, Purpose};
use crate::packument::{Answer, PACKUMENT_LIMIT, RawPackument};
use crate::retry::{Attempts, RetryPolicy};
use crate::transport::{Protocols, Request, Transport};
use crate::{
    BlockingThreads, CachedPackument, Counters, ManifestCache, Pipe, RegistryError, RegistryKey,
    SafeUrl, Validators, Workers, packument_url,
};

const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");
/// A tarball is packed already, and its integrity is that of the packed bytes.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// More bytes than this are no package, unless the caller knows better.
const TARBALL_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// Asks registries; cheap to clone.
///
/// Opens nothing before the first request that the cache can't answer. Its methods need a tokio runtime
/// with timer and I/O, of one thread or several.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    cache: Option<ManifestCache>,
    transport: Transport,
    gate: Gate,
    retries: RetryPolicy,
    counters: Arc<Counters>,
    workers: Arc<dyn Workers>,
    /// What was asked for in this run, so that nothing is asked twice.
    asked: Mutex<HashMap<PackageName, Asked>>,
}

/// A packument that came in no more bytes than this is parsed where it came in: a worker would be woken for less
/// than what waking takes, and may be busy with a tarball while the resolver waits.
const SMALL_BODY: usize = 4 * 1024;

type Slot = Arc<OnceCell<Result<Arc<Packument>, RegistryError>>>;

/// The requests for one packument. One with times answers both kinds of question.
#[derive(Debug, Default)]
struct Asked {
    any: Option<Slot>,
    with_times: Option<Slot>,
}

/// Decides whether a body of so many bytes is taken as it comes, and through which pipe.
pub type Taker<'a> = dyn Fn(u64) -> Option<Pipe> + Send + Sync + 'a;

/// How a tarball is fetched.
#[derive(Debug, Clone, Copy, Default)]
pub struct TarballOptions {
    /// How large it is in bytes, if anybody said so: the largest go first.
    pub size_hint: Option<u64>,
    /// Set if what came before was not what it should be: caches on the way are passed by.
    pub is_refetch: bool,
    /// The most bytes to accept; 2 GiB if unset.
    pub limit: Option<u64>,
}

impl Client {
    /// A client for the registries of `config`.
    ///
    /// Fails only for settings that can't be used, a registry's among them. `cache` is usually [`ManifestCache::of`] the same
    /// configuration.
    pub fn new(config: Arc<Config>, cache: Option<ManifestCache>) -> Result<Self, RegistryError> {
        Self::with_workers(config, cache, Arc::new(BlockingThreads::default()))
    }

    /// Like [`Client::new`], with threads of the caller for what takes longer.
    pub fn with_workers(
        config: Arc<Config>,
        cache: Option<ManifestCache>,
        workers: Arc<dyn Workers>,
    ) -> Result<Self, RegistryError> {
        if let Some(origin) = config.registries.unusable() {
            return Err(RegistryError::Registry { origin: origin.to_string() });
        }
        let counters = Arc::new(Counters::default());
        let transport = Transport::new(config.clone(), counters.clone())?;
        Ok(Self(Arc::new(Inner {
            gate: Gate::new(config.network.concurrency.get()),
            retries: RetryPolicy::of(&config.network),
            asked: Mutex::default(),
            config,
            cache,
            transport,
            counters,
            workers,
        })))
    }

    /// Returns the numbers of what was done so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    /// Returns the cached packument of `name`, if it may be used without asking the registry. Synchronous, for
    /// callers that want to avoid the network thread altogether.
    pub fn cached(&self, name: PackageName, need_times: bool) -> Option<Packument> {
        let cached = self.load(name)?;
        let is_enough = self.0.is_enough(&cached, need_times);
        if is_enough {
            self.0.counters.cache_hits().raise();
        }
        is_enough.then_some(cached.packument)
    }

    /// Returns the packument of `name`: from the cache if it is fresh, else from its registry, which is
    /// asked at most once per run (and once more if times are needed and it came without).
    pub async fn packument(
        &self,
        name: PackageName,
        need_times: bool,
    ) -> Result<Arc<Packument>, RegistryError> {
        if need_times && let Some(known) = self.known(name) {
            return Ok(known);
        }
        let slot = self.slot(name, need_times);
        slot.get_or_init(|| self.fetch_packument(name, need_times)).await.clone()
    }

    /// Fetches a tarball. Its integrity is for the caller to check, and to fetch it again with
    /// [`TarballOptions::is_refetch`] should it be wrong.
    pub async fn tarball(
        &self,
        url: &Url,
        options: TarballOptions,
    ) -> Result<Vec<u8>, RegistryError> {
        let whole = self.tarball_or_pieces(url, options, &|_| None).await;
        whole.map(Option::unwrap_or_default)
    }

    /// Like [`Client::tarball`]; but if the length of the body is known, `taker` may take it as it comes. Then
    /// the result is `None`.
    ///
    /// If a connection breaks, what was taken ends with an error and `taker` is asked again.
    pub async fn tarball_or_pieces(
        &self,
        url: &Url,
        options: TarballOptions,
        taker: &Taker<'_>,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        if self.0.config.network.offline {
            return Err(RegistryError::OfflineTarball { url: SafeUrl::new(url) });
        }
        let purpose = Purpose::Tarball(options.size_hint.unwrap_or(0));
        let limit = options.limit.unwrap_or(TARBALL_LIMIT);
        let mut attempts = self.0.retries.start();
        loop {
            let request = Request {
                url,
                accept: ANYTHING,
                accept_encoding: IDENTITY,
                protocols: Protocols::Http1,
                if_none_match: None,
                if_modified_since: None,
                past_caches: options.is_refetch || attempts.failed() > 0,
                posted: None,
            };
            let permit = self.0.gate.enter(purpose).await;
            let result = match self.0.transport.request(request).await {
                Ok(response) if response.status == StatusCode::NOT_MODIFIED => {
                    Err(unasked_not_modified(url))
                }
                Ok(response) => response.body.read_unless_taken(limit, taker).await,
                Err(error) => Err(error),
            };
            drop(permit);
            match result {
                Ok(body) => {
                    self.0.counters.tarballs().raise();
                    return Ok(body);
                }
                Err(error) => self.wait(&mut attempts, error).await?,
            }
        }
    }

    /// Asks the default registry who we are there, if there are credentials, else whether it is there at
    /// all; returns what time it has. It is asked once, and need not know what it was asked for.
    pub async fn ping(&self) -> Result<Option<SystemTime>, RegistryError> {
        let config = &self.0.config;
        let registry = config.registries.default_registry().url();
        let question = if config.auth_for(registry).is_some() { "whoami" } else { "ping" };
        let mut url = registry.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["-", question]);
        }
        let request = Request {
            url: &url,
            accept: ANYTHING,
            accept_encoding: IDENTITY,
            protocols: Protocols::Http2OrHttp1,
            if_none_match: None,
            if_modified_since: None,
            past_caches: false,
            posted: None,
        };
        match self.0.transport.request(request).await {
            Ok(response) => {
                let date = response.headers.get(http::header::DATE);
                let date =
                    date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
                response.body.discard().await;
                Ok(date)
            }
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn load(&self, name: PackageName) -> Option<CachedPackument> {
        let registry = RegistryKey::new(self.0.config.registry_for(name.as_str()).url());
        self.0.cache.as_ref()?.load(&registry, name)
    }

    /// Returns what was fetched in this run, if it has times.
    fn known(&self, name: PackageName) -> Option<Arc<Packument>> {
        let asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = asked.get(&name)?.any.as_ref()?.get()?.as_ref().ok()?;
        answer.has_times().then(|| answer.clone())
    }

    fn slot(&self, name: PackageName, need_times: bool) -> Slot {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = asked.entry(name).or_default();
        if need_times {
            return asked.with_times.get_or_insert_default().clone();
        }
        let with_times = asked.with_times.as_ref();
        match with_times {
            Some(slot) if asked.any.is_none() => slot.clone(),
            _ => asked.any.get_or_insert_default().clone(),
        }
    }

    async fn fetch_packument(
        &self,
        name: PackageName,
        need_times: bool,
    ) -> Result<Arc<Packument>, RegistryError> {
        let mut attempts = self.0.retries.start();
        loop {
            let result = match self.ask(name, need_times).await {
                Ok(raw) => self.parse(raw).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(packument) => return Ok(packument),
                Err(error) => self.wait(&mut attempts, error).await?,
            }
        }
    }

    /// Parses `raw`, or has a worker do it if that takes time; the cache is written after the answer is on its way.
    async fn parse(&self, raw: RawPackument) -> Result<Arc<Packument>, RegistryError> {
        let workers = &self.0.workers;
        let url = match raw.answer {
            // Nothing to do that would take time; the touch of the file is one system call.
            Answer::Cached(_) | Answer::NotModified(_) => {
                let (packument, write) = raw.parse()?;
                if let Some(write) = write {
                    write.perform();
                }
                return Ok(packument);
            }
            Answer::Body { ref body, .. } if body.len() <= SMALL_BODY => {
                let (packument, write) = raw.parse()?;
                if let Some(write) = write {
                    workers.run(Box::new(move || write.perform()));
                }
                return Ok(packument);
            }
            Answer::Body { ref url, .. } => url.clone(),
        };
        let (sender, receiver) = oneshot::channel();
        workers.run(Box::new(move || match raw.parse() {
            Ok((packument, write)) => {
                drop(sender.send(Ok(packument)));
                if let Some(write) = write {
                    write.perform();
                }
            }
            Err(error) => drop(sender.send(Err(error))),
        }));
        receiver.await.unwrap_or(Err(RegistryError::Abandoned { url }))
    }

    /// Asks the cache and then the registry, once.
    async fn ask(
        &self,
        name: PackageName,
        need_times: bool,
    ) -> Result<RawPackument, RegistryError> {
        let inner = &*self.0;
        let base = inner.config.registry_for(name.as_str()).url();
        let registry = RegistryKey::new(base);
        let cached = self.load(name);
        if let Some(cached) = cached {
            if inner.is_enough(&cached, need_times) {
                inner.counters.cache_hits().raise();
                return Ok(RawPackument::of_cache(name, registry, cached));
            }
            let is_comparable = !need_times || cached.packument.has_times();
            return self.request(name, need_times, registry, is_comparable.then_some(cached)).await;
        }
        self.request(name, need_times, registry, None).await
    }

    async fn request(
        &self,
        name: PackageName,
        need_times: bool,
        registry: RegistryKey,
        cached: Option<CachedPackument>,
    ) -> Result<RawPackument, RegistryError> {
        let inner = &*self.0;
        if inner.config.network.offline {
            return Err(RegistryError::OfflinePackument { name });
        }
        let url = packument_url(inner.config.registry_for(name.as_str()).url(), name);
        let validators = cached.as_ref().map(|cached| &cached.validators);
        let permit = inner.gate.enter(Purpose::Packument).await;
        let response = inner
            .transport
            .request(Request {
                url: &url,
                accept: Form::of(name, need_times).accept(),
                accept_encoding: encoding::ACCEPTED,
                protocols: Protocols::Http2OrHttp1,
                if_none_match: validators.and_then(Validators::if_none_match),
                if_modified_since: validators.and_then(Validators::if_modified_since),
                past_caches: false,
                posted: None,
            })
            .await?;
        let answer = if response.status == StatusCode::NOT_MODIFIED {
            response.body.discard().await;
            let was_asked = validators.is_some_and(|validators| {
                validators.etag.is_some() || validators.last_modified.is_some()
            });
            match cached.filter(|_| was_asked) {
                Some(cached) => {
                    inner.counters.not_modified().raise();
                    Answer::NotModified(cached.packument)
                }
                None => return Err(unasked_not_modified(&url)),
            }
        } else {
            let url = response.body.url().clone();
            let encoding = Encoding::of(&response.headers).map_err(|source| {
                RegistryError::Body { url: url.clone(), source: Arc::new(source) }
            })?;
            let validators = Validators::of(&response.headers);
            let body = response.body.read(PACKUMENT_LIMIT).await?;
            inner.counters.packuments().raise();
            Answer::Body { body, encoding, validators, url }
        };
        drop(permit);
        Ok(RawPackument { name, registry, cache: inner.cache.clone(), answer })
    }

    /// Waits before the next attempt, or gives `error` back if there is to be none.
    async fn wait(
        &self,
        attempts: &mut Attempts,
        error: RegistryError,
    ) -> Result<(), RegistryError> {
        let Some(wait) = attempts.after(&error) else { return Err(error) };
        self.0.counters.retries().raise();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::debug!(%error, ?cause, ?wait, "a request is sent again");
        if wait > Duration::ZERO {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }
}

impl Inner {
    /// Whether a cached packument will do without asking the registry.
    fn is_enough(&self, cached: &CachedPackument, need_times: bool) -> bool {
        let network = &self.config.network;
        let is_young = cached.is_fresh && !network.prefer_online;
        let is_accepted = is_young || network.offline || network.prefer_offline;
        is_accepted && (!need_times || cached.packument.has_times())
    }
}

fn unasked_not_modified(url: &Url) -> RegistryError {
    let source = Arc::new(Reason("it answered that nothing has changed, which was not asked"));
    RegistryError::Request { url: SafeUrl::new(url), source }
}
