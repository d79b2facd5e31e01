//! TLS: who is trusted, which protocol is spoken, tunnels, client certificates.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use deka_config::{ClientCertificate, Config, Pem, ProxyUrl, Secret};
use deka_registry::{RegistryError, TarballOptions};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::server::Proxy;
use crate::{block_on, client, config, latest, name, packument};

/// A certificate authority, and a server with a certificate of it.
struct Secure {
    address: SocketAddr,
    authority: String,
    /// A certificate and key that the server accepts from clients.
    identity: (String, String),
    /// The protocols and paths of the requests.
    seen: Arc<Mutex<Vec<(http::Version, String)>>>,
    connections: Arc<AtomicUsize>,
}

struct Options {
    protocols: &'static [&'static str],
    wants_identity: bool,
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Secure {
    fn start(options: &Options) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let issue = |subject: &str| {
            let key = KeyPair::generate().unwrap();
            let parameters = CertificateParams::new(vec![subject.to_owned()]).unwrap();
            (parameters.signed_by(&key, &authority).unwrap(), key)
        };
        let (certificate, key) = issue("127.0.0.1");
        let (client_certificate, client_key) = issue("client");

        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if options.wants_identity {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                provider(),
            );
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut server = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        server.alpn_protocols =
            options.protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();

        let (seen, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicUsize>::default());
        let address = serve(TlsAcceptor::from(Arc::new(server)), seen.clone(), connections.clone());
        let identity = (client_certificate.pem(), client_key.serialize_pem());
        Self { address, authority: authority.pem(), identity, seen, connections }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("https://{}{path}", self.address)).unwrap()
    }

    /// A configuration that trusts the server.
    fn config(&self) -> Config {
        let mut config = config(&self.url("/"));
        config.network.authorities = vec![Pem::Text(Secret::new(self.authority.as_str()))];
        config
    }

    fn versions(&self) -> Vec<http::Version> {
        self.seen.lock().unwrap().iter().map(|(version, _)| *version).collect()
    }
}

fn serve(
    acceptor: TlsAcceptor,
    seen: Arc<Mutex<Vec<(http::Version, String)>>>,
    connections: Arc<AtomicUsize>,
) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, seen) = (acceptor.clone(), seen.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service =
                        service_fn(move |request: http::Request<hyper::body::Incoming>| {
                            let path = request.uri().path().to_owned();
                            seen.lock().unwrap().push((request.version(), path.clone()));
                            let body = packument(path.trim_start_matches('/'), "1.0.0");
                            async {
                                Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(
                                    body,
                                ))))
                            }
                        });
                    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let io = TokioIo::new(stream);
                    if is_http2 {
                        let builder =
                            hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        drop(builder.serve_connection(io, service).await);
                    } else {
                        let builder = hyper::server::conn::http1::Builder::new();
                        drop(builder.serve_connection(io, service).await);
                    }
                });
            }
        });
    });
    address
}

const BOTH: Options = Options { protocols: &["h2", "http/1.1"], wants_identity: false };

#[test]
fn packuments_share_one_connection_with_http2() {
    let server = Secure::start(&BOTH);
    let client = client(server.config(), None);
    block_on(async {
        let fetches = (0..20).map(|index| {
            let client = client.clone();
            tokio::spawn(async move { client.packument(name(&format!("p{index}")), false).await })
        });
        for fetch in fetches.collect::<Vec<_>>() {
            assert_eq!(latest(&fetch.await.unwrap().unwrap()), "1.0.0");
        }
    });
    assert_eq!(server.versions(), vec![http::Version::HTTP_2; 20]);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn http1_serves_where_there_is_nothing_else() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = Secure::start(&Options { protocols, wants_identity: false });
        let client = client(server.config(), None);
        block_on(async {
            let fetches = (0..20).map(|index| {
                let client = client.clone();
                tokio::spawn(
                    async move { client.packument(name(&format!("p{index}")), false).await },
                )
            });
            for fetch in fetches.collect::<Vec<_>>() {
                fetch.await.unwrap().unwrap();
            }
        });
        assert_eq!(server.versions(), vec![http::Version::HTTP_11; 20]);
        assert!(server.connections.load(Ordering::SeqCst) <= 17);
    }
}

#[test]
fn tarballs_come_over_http1() {
    let server = Secure::start(&BOTH);
    let client = client(server.config(), None);
    block_on(client.tarball(&server.url("/a.tgz"), TarballOptions::default())).unwrap();
    assert_eq!(server.versions(), [http::Version::HTTP_11]);
}

#[test]
fn unknown_authorities_are_not_trusted() {
    let server = Secure::start(&BOTH);
    let mut config = server.config();
    config.network.authorities =
        vec![Pem::Text(Secret::new(Secure::start(&BOTH).authority.as_str()))];
    let error = block_on(client(config, None).packument(name("a"), false)).unwrap_err();
    assert!(matches!(error, RegistryError::Certificate { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("cafile"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 1, "trying again would not help");
    assert!(server.versions().is_empty());
}

#[test]
fn the_host_of_a_certificate_is_checked() {
    let server = Secure::start(&BOTH);
    let mut url = server.url("/a.tgz");
    url.set_host(Some("localhost")).unwrap();
    let error = block_on(client(server.config(), None).tarball(&url, TarballOptions::default()));
    assert!(matches!(error, Err(RegistryError::Certificate { .. })), "{error:?}");
}

#[test]
fn authorities_come_from_files_too() {
    let server = Secure::start(&BOTH);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &server.authority).unwrap();
    let plain = config(&server.url("/"));
    let fetch = |config| block_on(client(config, None).packument(name("a"), false)).map(drop);

    let mut with_file = plain.clone();
    with_file.network.authorities = vec![Pem::File(file.clone())];
    fetch(with_file).unwrap();

    let mut with_extra = plain.clone();
    with_extra.network.authorities =
        vec![Pem::Text(Secret::new(Secure::start(&BOTH).authority.as_str()))];
    with_extra.network.extra_authorities = Some(file.clone());
    fetch(with_extra).unwrap();

    let mut with_system = plain.clone();
    with_system.network.system_authorities_file = Some(file);
    fetch(with_system).unwrap();

    let mut missing = plain;
    missing.network.authorities = vec![Pem::File(folder.path().join("missing.pem"))];
    let error = fetch(missing.clone()).unwrap_err();
    assert!(matches!(error, RegistryError::CertificateFile { .. }), "{error:?}");
    assert!(error.to_string().contains("missing.pem"), "{error}");

    // An empty store of the system is said as such, not as a certificate that is not trusted.
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    missing.network.authorities = Vec::new();
    missing.network.system_authorities_file = Some(empty);
    let error = fetch(missing).unwrap_err();
    assert!(matches!(error, RegistryError::NoCertificates { .. }), "{error:?}");
}

#[test]
fn the_user_may_turn_the_check_off() {
    let server = Secure::start(&BOTH);
    let mut config = config(&server.url("/"));
    config.network.strict_ssl = false;
    block_on(client(config, None).packument(name("a"), false)).unwrap();
}

#[test]
fn client_certificates_are_presented() {
    let server = Secure::start(&Options { protocols: &["h2"], wants_identity: true });
    let mut config = server.config();
    assert!(block_on(client(config.clone(), None).packument(name("a"), false)).is_err());
    let (certificate, key) = &server.identity;
    config.network.client_certificate = Some(ClientCertificate {
        certificate: Pem::Text(Secret::new(certificate.as_str())),
        key: Pem::Text(Secret::new(key.as_str())),
    });
    block_on(client(config, None).packument(name("a"), false)).unwrap();
}

#[test]
fn tunnels_lead_through_proxies() {
    let server = Secure::start(&BOTH);
    let proxy = Proxy::start(Some("Basic bWU6c2VjcmV0"));
    let mut config = server.config();
    config.network.proxies.https = Some(ProxyUrl(proxy.url("me:secret@")));
    block_on(client(config.clone(), None).packument(name("a"), false)).unwrap();
    assert_eq!(proxy.seen()[0].method, "CONNECT");
    assert_eq!(proxy.seen()[0].target, server.address.to_string());
    assert_eq!(server.versions(), [http::Version::HTTP_2]);

    config.network.proxies.https = Some(ProxyUrl(proxy.url("me:wrong@")));
    let error = block_on(client(config, None).packument(name("a"), false)).unwrap_err();
    assert!(matches!(error, RegistryError::Proxy { status: 407, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("wrong"));
}

#[test]
fn tunnels_lead_through_encrypted_proxies() {
    let server = Secure::start(&BOTH);
    let (proxy, authority) = encrypted_proxy();
    let mut config = server.config();
    config.network.authorities.push(Pem::Text(Secret::new(authority)));
    config.network.proxies.https = Some(ProxyUrl(proxy));
    block_on(client(config, None).packument(name("a"), false)).unwrap();
    assert_eq!(server.versions(), [http::Version::HTTP_2]);
}

/// Starts a proxy that is reached by TLS and tunnels; returns it and its authority.
fn encrypted_proxy() -> (Url, String) {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut client) = acceptor.accept(stream).await else { continue };
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(client.read_u8().await.unwrap());
                    }
                    let head = String::from_utf8(head).unwrap();
                    let target = head.split(' ').nth(1).unwrap();
                    let mut server = tokio::net::TcpStream::connect(target).await.unwrap();
                    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    client.flush().await.unwrap();
                    drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
                });
            }
        });
    });
    (url, certificate.pem())
}

#[test]
fn redirects_never_leave_encryption() {
    let plain = crate::server::Server::start(|_, _| crate::server::Reply::ok("x"));
    let target = plain.url("/a.tgz");
    let secure = redirecting(target.as_str());
    let mut config = config(&secure);
    config.network.strict_ssl = false;
    let url = secure.join("/a.tgz").unwrap();
    let error = block_on(client(config, None).tarball(&url, TarballOptions::default()));
    assert!(matches!(error, Err(RegistryError::Redirect { .. })), "{error:?}");
    assert_eq!(plain.connections(), 0);
}

/// Starts a secure server that redirects everything to `target`.
fn redirecting(target: &str) -> Url {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    let (server, target) = (Arc::new(server), target.to_owned());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            use std::io::{Read as _, Write as _};
            let Ok(mut connection) = rustls::ServerConnection::new(server.clone()) else { return };
            let mut stream = rustls::Stream::new(&mut connection, &mut stream);
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                let answer = format!(
                    "HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n"
                );
                drop(stream.write_all(answer.as_bytes()));
            }
        }
    });
    url
}
