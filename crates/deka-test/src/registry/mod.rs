//! A registry in the process: packages built by the test, served over HTTP/1.1, TLS and HTTP/2.
//!
//! It answers as the public registry does ([`Style::public`]) unless told otherwise, and as badly
//! as a [`Fault`] says. Every request is recorded. Packages are published while it runs:
//!
//! ```
//! # use deka_test::{Fault, Registry};
//! let registry = Registry::start();
//! registry.package("a", "1.0.0").dep("b", "^1").publish();
//! registry.fault(Fault::on("/a").times(2).status(503));
//! ```
//!
//! | | |
//! |---|---|
//! | `GET /<name>` | the packument; `/` in a scoped name may come as `%2f` |
//! | `GET /<name>/-/<file>.tgz` | a tarball |
//! | `GET /-/ping` | `{}` |
//! | `GET /-/v1/search` | names with the text in them, after [`Registry::offer_search`] |
//! | `POST /-/npm/v1/security/advisories/bulk` | what [`Registry::advise`] was told |
//!
//! Tarball URLs in packuments start with the scheme and host that the request came to.

mod fault;
mod log;
mod package;
mod packument;
mod recorded;
mod server;
mod services;
mod style;
mod tls;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use hashbrown::HashMap;
use serde_json::{Map, Value};

pub use fault::Fault;
pub use log::{Request, decode, is_tarball};
pub use package::{PackageBuilder, Published, sha512};
pub use packument::{ABBREVIATED, abbreviate};
use recorded::{Layout, Recorded};
pub use style::{Authorization, Style};
pub use tls::certificate;

/// A running registry; it stops when it is dropped.
#[derive(Debug)]
pub struct Registry {
    shared: Arc<Shared>,
    server: server::Server,
    certificate_authority: String,
}

/// What the server and the test both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    packages: HashMap<String, Package>,
    /// By path, such as `/a/-/a-1.0.0.tgz`.
    tarballs: HashMap<String, Bytes>,
    recorded: Option<Recorded>,
    rendered: HashMap<packument::RenderKey, packument::Rendered>,
    style: Style,
    faults: Vec<Fault>,
    requests: Vec<Request>,
    in_flight: usize,
    most_in_flight: usize,
    connections: usize,
    shuffle_seed: Option<u64>,
    latency: Duration,
    authorization: Option<Authorization>,
    published: u32,
    offers_search: bool,
    /// With the package and the versions that it is about.
    advisories: Option<Vec<(String, Vec<String>, Value)>>,
}

/// All versions of one name.
#[derive(Debug, Default)]
pub(crate) struct Package {
    /// In the order of publishing.
    versions: Vec<(String, Map<String, Value>)>,
    times: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    /// Whether `latest` was chosen by the test.
    latest_is_chosen: bool,
    /// Fields beside `versions` and `dist-tags`, also to overwrite those.
    extra: Map<String, Value>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panicking test must not turn into panics of the server's thread.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Registry {
    /// Starts a registry without packages on two free ports of 127.0.0.1.
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let (certificate_authority, tls) = tls::certificate();
        let server = server::Server::start(Arc::clone(&shared), tls);
        Self { shared, server, certificate_authority }
    }

    /// Starts a registry that serves a recorded folder: `packuments/<name>.json` (full ones) and
    /// `tarballs/<path as in the URL>`, such as `tarballs/@scope/a/-/a-1.0.0.tgz`.
    ///
    /// Scheme and host of the recorded tarball URLs are replaced by its own.
    pub fn serve_recorded(folder: &Path) -> Self {
        Self::serve(Recorded::new(folder, Layout::Paths))
    }

    /// Starts a registry that serves the packages in the storage of a Verdaccio: `<name>/package.json`, which is
    /// the packument, with the tarballs beside it.
    pub fn serve_verdaccio(storage: &Path) -> Self {
        Self::serve(Recorded::new(storage, Layout::Verdaccio))
    }

    fn serve(recorded: Recorded) -> Self {
        let registry = Self::start();
        registry.shared.lock().recorded = Some(recorded);
        registry
    }

    /// Where it listens without TLS, such as `http://127.0.0.1:34567/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.plain_address())
    }

    /// Where it listens with TLS, such as `https://localhost:34568/`.
    pub fn tls_url(&self) -> String {
        format!("https://localhost:{}/", self.server.tls_address().port())
    }

    /// The plain URL under another name of the same machine: another host for all that cookies,
    /// credentials and redirects care about.
    pub fn url_as_localhost(&self) -> String {
        format!("http://localhost:{}/", self.server.plain_address().port())
    }

    /// The address of the plain listener.
    pub fn address(&self) -> SocketAddr {
        self.server.plain_address()
    }

    /// The certificate, in PEM, that has to be trusted for [`Registry::tls_url`].
    pub fn certificate_authority(&self) -> &str {
        &self.certificate_authority
    }

    /// Begins a version of a package; [`PackageBuilder::publish`] makes it visible.
    pub fn package(&self, name: &str, version: &str) -> PackageBuilder<'_> {
        PackageBuilder::new(self, name, version)
    }

    /// Points a dist-tag of a package at a version, which need not exist.
    pub fn tag(&self, name: &str, tag: &str, version: &str) {
        let mut state = self.shared.lock();
        state.rendered.clear();
        let package = state.packages.entry_ref(name).or_default();
        package.latest_is_chosen |= tag == "latest";
        package.set_tag(tag, version);
    }

    /// Takes a dist-tag away.
    pub fn remove_tag(&self, name: &str, tag: &str) {
        let mut state = self.shared.lock();
        state.rendered.clear();
        let package = state.packages.entry_ref(name).or_default();
        package.latest_is_chosen |= tag == "latest";
        package.tags.retain(|(other, _)| other != tag);
    }

    /// Takes one version away, as unpublishing does; its tarball too.
    pub fn unpublish(&self, name: &str, version: &str) {
        let mut state = self.shared.lock();
        state.rendered.clear();
        if let Some(package) = state.packages.get_mut(name) {
            package.versions.retain(|(other, _)| other != version);
            package.tags.retain(|(_, other)| other != version);
        }
        state.tarballs.remove(&package::tarball_path(name, version));
    }

    /// Sets a field of the packument itself, such as `dist-tags`, to whatever the test likes.
    pub fn packument_field(&self, name: &str, field: &str, value: Value) {
        let mut state = self.shared.lock();
        state.rendered.clear();
        state.packages.entry_ref(name).or_default().extra.insert(field.to_owned(), value);
    }

    /// Answers searches from now on; before, there is no such service.
    pub fn offer_search(&self) {
        self.shared.lock().offers_search = true;
    }

    /// Answers audits from now on, before the first advisory with nothing; before, there is no such service.
    pub fn offer_audits(&self) {
        self.shared.lock().advisories.get_or_insert_default();
    }

    /// Tells those who audit any of these versions of a package about an advisory.
    pub fn advise(&self, name: &str, versions: &[&str], advisory: Value) {
        let versions = versions.iter().map(|version| (*version).to_owned()).collect();
        let mut state = self.shared.lock();
        state.advisories.get_or_insert_default().push((name.to_owned(), versions, advisory));
    }

    /// Serves these bytes at a path, such as `/a/-/a-1.0.0.tgz`, or any other.
    pub fn put_tarball(&self, path: &str, bytes: impl Into<Bytes>) {
        self.shared.lock().tarballs.insert(path.to_owned(), bytes.into());
    }

    /// Chooses how packuments are answered from now on.
    pub fn style(&self, style: Style) {
        let mut state = self.shared.lock();
        state.rendered.clear();
        state.style = style;
    }

    /// Makes the registry misbehave; of several faults that match, the first that still has turns
    /// left decides.
    pub fn fault(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Demands credentials from now on: 401 without any, 403 with wrong ones.
    pub fn require(&self, authorization: Authorization) {
        self.shared.lock().authorization = Some(authorization);
    }

    /// Delays every answer by 0 to 20 ms, decided by `seed` and path, so that answers come in
    /// another order for another seed.
    pub fn shuffle_answers(&self, seed: u64) {
        self.shared.lock().shuffle_seed = Some(seed);
    }

    /// Delays every answer by this much.
    pub fn latency(&self, latency: Duration) {
        self.shared.lock().latency = latency;
    }

    /// All requests so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// The paths of all requests so far, as they were sent, in the order of their arrival.
    pub fn paths(&self) -> Vec<String> {
        self.shared.lock().requests.iter().map(|request| request.path.clone()).collect()
    }

    /// How many requests asked for this path (decoded, without query).
    pub fn count(&self, path: &str) -> usize {
        self.shared.lock().requests.iter().filter(|request| request.decoded_path() == path).count()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        let mut state = self.shared.lock();
        state.requests.clear();
        state.most_in_flight = state.in_flight;
    }

    /// The largest number of requests that were being answered at once.
    pub fn most_in_flight(&self) -> usize {
        self.shared.lock().most_in_flight
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }
}

impl Package {
    fn set_tag(&mut self, tag: &str, version: &str) {
        match self.tags.iter_mut().find(|(other, _)| other == tag) {
            Some((_, current)) => version.clone_into(current),
            None => self.tags.push((tag.to_owned(), version.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
