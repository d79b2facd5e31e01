//! One new connection: the host's addresses, TCP, the proxy on the way, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deka_config::{ClientCertificate, Config};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hashbrown::HashMap;
use http::header::HeaderValue;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::Protocols;
use super::tls::{Tls, TlsProblem};
use crate::error::{Cause, Reason};
use crate::{RegistryError, SafeUrl};

/// The next address is tried after this long, beside the one that has not answered (RFC 8305).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);
/// A proxy's answer to CONNECT is short.
const PROXY_HEAD: usize = 16 * 1024;

/// Where connections lead to, and what tells them apart: two requests share a connection if this is equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    /// Scheme, host and port.
    base: Url,
    protocols: Protocols,
    /// Which client certificate is presented, by its place in [`Connector::identities`].
    identity: Option<usize>,
}

impl Origin {
    pub(super) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    pub(super) fn may_speak_http2(&self) -> bool {
        self.is_secure() && self.protocols == Protocols::Http2OrHttp1
    }

    fn is_secure(&self) -> bool {
        self.base.scheme() == "https"
    }
}

impl From<&Origin> for Origin {
    fn from(origin: &Origin) -> Self {
        origin.clone()
    }
}

/// Why there is no connection; shared by all requests that waited for it.
#[derive(Debug, Clone)]
pub(super) enum ConnectError {
    Unreachable { host: String, is_proxy: bool, source: Cause },
    Tls { host: String, source: Cause },
    Certificate { host: String, source: Cause },
    Proxy { proxy: SafeUrl, status: u16 },
    Timeout { after: Duration },
    CertificateFile { origin: String, source: Cause },
    NoCertificates,
}

impl ConnectError {
    /// The pool ended while somebody waited.
    pub(super) fn abandoned() -> Self {
        let source = Arc::new(Reason("the connections were closed"));
        Self::Unreachable { host: String::new(), is_proxy: false, source }
    }

    /// It was not the server that was to be reached.
    fn of_proxy(mut self) -> Self {
        if let Self::Unreachable { is_proxy, .. } = &mut self {
            *is_proxy = true;
        }
        self
    }

    fn unreachable(host: &str, source: io::Error) -> Self {
        Self::Unreachable { host: host.to_owned(), is_proxy: false, source: Arc::new(source) }
    }
}

/// Bytes in both directions, whatever is below.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection on which nothing was said yet.
pub(super) struct Connection {
    pub(super) stream: Box<dyn Stream>,
    pub(super) is_http2: bool,
    /// Set if the other end is a proxy that forwards requests.
    pub(super) proxy: Option<Arc<ForwardProxy>>,
}

/// What a forwarding proxy wants to see in each request.
#[derive(Debug)]
pub(crate) struct ForwardProxy {
    pub(super) authorization: Option<HeaderValue>,
}

/// Makes connections.
#[derive(Debug)]
pub(super) struct Connector {
    config: Arc<Config>,
    tls: Tls,
    /// Addresses by host and port: asked for once, not once per connection.
    addresses: Mutex<HashMap<(String, u16), Addresses>>,
    identities: Mutex<Vec<ClientCertificate>>,
}

type Addresses = Arc<OnceCell<Vec<SocketAddr>>>;

impl Connector {
    pub(super) fn new(config: Arc<Config>) -> Result<Self, RegistryError> {
        let proxies = &config.network.proxies;
        for (setting, proxy) in [("proxy", &proxies.http), ("https-proxy", &proxies.https)] {
            let Some(proxy) = proxy else { continue };
            if !matches!(proxy.0.scheme(), "http" | "https") || !proxy.0.has_host() {
                let reason = "only proxies at `http:` and `https:` URLs are supported";
                return Err(RegistryError::Setting { setting, reason });
            }
        }
        let tls = Tls::new(config.clone());
        Ok(Self { config, tls, addresses: Mutex::default(), identities: Mutex::default() })
    }

    /// Returns where `url` is served.
    pub(super) fn origin(&self, url: &Url, protocols: Protocols) -> Result<Origin, RegistryError> {
        let mut base = url.clone();
        base.set_path("/");
        base.set_query(None);
        base.set_fragment(None);
        let no_host = "it has no host";
        base.set_username("").and_then(|()| base.set_password(None)).map_err(|()| {
            RegistryError::UnsupportedUrl { url: SafeUrl::new(url), reason: no_host }
        })?;
        let is_encrypted = url.scheme() == "https";
        // HTTP/2 is only spoken within TLS. Without, packuments and tarballs share connections.
        let protocols = if is_encrypted { protocols } else { Protocols::Http1 };
        let identity = is_encrypted
            .then(|| self.config.certificate_for(url))
            .flatten()
            .map(|certificate| self.identity(certificate));
        Ok(Origin { base, protocols, identity })
    }

    fn identity(&self, certificate: &ClientCertificate) -> usize {
        let mut known = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().position(|other| other == certificate).unwrap_or_else(|| {
            known.push(certificate.clone());
            known.len() - 1
        })
    }

    /// Connects to `origin`, within the time that the configuration gives.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, ConnectError> {
        let after = self.config.network.timeouts.connect;
        tokio::time::timeout(after, self.connect_at_leisure(origin))
            .await
            .unwrap_or(Err(ConnectError::Timeout { after }))
    }

    async fn connect_at_leisure(&self, origin: &Origin) -> Result<Connection, ConnectError> {
        let proxy = self.config.proxy_for(&origin.base);
        let stream: Box<dyn Stream> = match proxy {
            Some(proxy) => self.reach_proxy(proxy).await?,
            None => Box::new(self.dial(&origin.base).await?),
        };
        if !origin.is_secure() {
            let proxy = proxy.map(|proxy| {
                let authorization = basic_authorization(proxy)
                    .and_then(|value| HeaderValue::from_str(&value).ok())
                    .map(|mut value| {
                        value.set_sensitive(true);
                        value
                    });
                Arc::new(ForwardProxy { authorization })
            });
            return Ok(Connection { stream, is_http2: false, proxy });
        }
        let stream = match proxy {
            Some(proxy) => tunnel(stream, proxy, &origin.base).await?,
            None => stream,
        };
        let (stream, is_http2) =
            self.encrypt(stream, &origin.base, origin.protocols, origin.identity).await?;
        Ok(Connection { stream, is_http2, proxy: None })
    }

    async fn reach_proxy(&self, proxy: &Url) -> Result<Box<dyn Stream>, ConnectError> {
        let stream = Box::new(self.dial(proxy).await.map_err(ConnectError::of_proxy)?);
        if proxy.scheme() == "https" {
            return Ok(self.encrypt(stream, proxy, Protocols::Http1, None).await?.0);
        }
        Ok(stream)
    }

    async fn encrypt(
        &self,
        stream: Box<dyn Stream>,
        server: &Url,
        protocols: Protocols,
        identity: Option<usize>,
    ) -> Result<(Box<dyn Stream>, bool), ConnectError> {
        let host = server.host_str().unwrap_or_default().to_owned();
        let identity = identity.and_then(|index| {
            let known = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(index).cloned()
        });
        let config =
            self.tls.config(protocols, identity).await.map_err(|problem| match problem {
                TlsProblem::NoCertificates => ConnectError::NoCertificates,
                TlsProblem::File { origin, source } => {
                    ConnectError::CertificateFile { origin, source }
                }
            })?;
        let name = match server.host() {
            Some(Host::Domain(domain)) => ServerName::try_from(domain.to_owned()).ok(),
            Some(Host::Ipv4(address)) => Some(ServerName::IpAddress(IpAddr::from(address).into())),
            Some(Host::Ipv6(address)) => Some(ServerName::IpAddress(IpAddr::from(address).into())),
            None => None,
        };
        let name = name.ok_or_else(|| ConnectError::Tls {
            host: host.clone(),
            source: Arc::new(Reason("certificates can't be issued for such a host name")),
        })?;
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            let rejected = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                .is_some_and(|inner| matches!(inner, rustls::Error::InvalidCertificate(_)));
            let source = Arc::new(error);
            if rejected {
                ConnectError::Certificate { host: host.clone(), source }
            } else {
                ConnectError::Tls { host: host.clone(), source }
            }
        })?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Box::new(stream), is_http2))
    }

    /// Opens a TCP connection to the host of `url`.
    async fn dial(&self, url: &Url) -> Result<TcpStream, ConnectError> {
        let host = url.host_str().unwrap_or_default();
        let unreachable = |error| ConnectError::unreachable(host, error);
        let addresses = self.addresses(url).await.map_err(unreachable)?;
        let stream = dial_any(&addresses).await.map_err(unreachable)?;
        // Requests are small and complete; waiting for more to send only delays them.
        stream.set_nodelay(true).map_err(unreachable)?;
        Ok(stream)
    }

    /// Returns the addresses of the host of `url`, in the order in which they are to be tried.
    async fn addresses(&self, url: &Url) -> io::Result<Vec<SocketAddr>> {
        let port = url.port_or_known_default().unwrap_or(443);
        let host = match url.host() {
            Some(Host::Ipv4(address)) => return Ok(vec![(address, port).into()]),
            Some(Host::Ipv6(address)) => return Ok(vec![(address, port).into()]),
            Some(Host::Domain(domain)) => domain.to_owned(),
            None => return Err(io::Error::other(Reason("the URL has no host"))),
        };
        let cell = {
            let mut known = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry((host.clone(), port)).or_default().clone()
        };
        // The system's resolver, on a thread of its own: it alone knows about VPNs, search domains and hosts
        // files. A failure is not remembered.
        cell.get_or_try_init(|| async {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), port)).await?.collect();
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, Reason("it has no address")));
            }
            Ok(alternate(found))
        })
        .await
        .cloned()
    }
}

/// Orders addresses so that the two families take turns, beginning with the one that the system prefers.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_ipv6);
    let mut ordered = Vec::with_capacity(preferred.len() + other.len());
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    loop {
        let pair = (preferred.next(), other.next());
        if pair == (None, None) {
            return ordered;
        }
        ordered.extend(pair.0);
        ordered.extend(pair.1);
    }
}

/// Connects to the first address that answers; a slow one does not hold up the next.
async fn dial_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut left = addresses.iter().copied();
    let mut attempts = FuturesUnordered::new();
    attempts.extend(left.next().map(TcpStream::connect));
    let mut first_error = None;
    while !attempts.is_empty() {
        let has_more = left.len() > 0;
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    first_error.get_or_insert(error);
                    attempts.extend(left.next().map(TcpStream::connect));
                }
            },
            () = tokio::time::sleep(NEXT_ADDRESS), if has_more => {
                attempts.extend(left.next().map(TcpStream::connect));
            }
        }
    }
    Err(first_error.unwrap_or_else(|| io::Error::other(Reason("it has no address"))))
}

/// Asks a proxy for a tunnel to `server`.
async fn tunnel(
    mut stream: Box<dyn Stream>,
    proxy: &Url,
    server: &Url,
) -> Result<Box<dyn Stream>, ConnectError> {
    let host = proxy.host_str().unwrap_or_default();
    let unreachable = |error| ConnectError::unreachable(host, error);
    let port = server.port_or_known_default().unwrap_or(443);
    let target = format!("{}:{port}", server.host_str().unwrap_or_default());
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = basic_authorization(proxy) {
        request.extend(["Proxy-Authorization: ", &authorization, "\r\n"]);
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(unreachable)?;
    stream.flush().await.map_err(unreachable)?;

    // Byte by byte up to the empty line, since what follows belongs to the server behind the proxy. It is
    // one short answer per connection.
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= PROXY_HEAD {
            return Err(unreachable(io::Error::other(Reason("the proxy's answer is too long"))));
        }
        head.push(stream.read_u8().await.map_err(unreachable)?);
    }
    match status_of(&head) {
        Some(200..=299) => Ok(stream),
        Some(status) => Err(ConnectError::Proxy { proxy: SafeUrl::new(proxy), status }),
        None => Err(unreachable(io::Error::other(Reason("the proxy did not answer with HTTP")))),
    }
}

/// Returns the status in `HTTP/1.1 200 OK`.
fn status_of(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let digits = rest.get(2..5).filter(|_| rest.get(1) == Some(&b' '))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns the `Basic` header for the user and password in `url`, if it has any.
pub(super) fn basic_authorization(url: &Url) -> Option<String> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() && password.is_empty() {
        return None;
    }
    let decode = |text| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decode(url.username()), decode(password)].join(&b':');
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_addresses_take_turns() {
        let parse = |text: &str| text.split(' ').map(|a| a.parse().unwrap()).collect::<Vec<_>>();
        assert_eq!(
            alternate(parse("[::1]:1 [::2]:1 [::3]:1 127.0.0.1:1")),
            parse("[::1]:1 127.0.0.1:1 [::2]:1 [::3]:1")
        );
        assert_eq!(alternate(parse("127.0.0.1:1 [::1]:1")), parse("127.0.0.1:1 [::1]:1"));
    }

    #[test]
    fn the_next_address_is_tried_when_one_fails() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let open = listener.local_addr().unwrap();
            // The near end of a connection: nobody listens there, nor can begin to.
            let connected = tokio::net::TcpStream::connect(open).await.unwrap();
            let free = connected.local_addr().unwrap();
            let stream = dial_any(&[free, open]).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), open);
            let error = dial_any(&[free, free]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
            assert!(dial_any(&[]).await.is_err());
        });
    }

    #[test]
    fn a_proxy_answers_with_a_status() {
        assert_eq!(status_of(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status_of(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for odd in ["", "HTTP/1.1", "HTTP/1.1 2", "SSH-2.0", "HTTP/1.1 abc", "HTTP/1.1_200 "] {
            assert_eq!(status_of(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn users_in_urls_are_decoded() {
        let header = |text| basic_authorization(&Url::parse(text).unwrap());
        assert_eq!(header("http://registry.example/"), None);
        assert_eq!(header("http://me:a%40b@registry.example/"), Some("Basic bWU6YUBi".to_owned()));
    }
}
