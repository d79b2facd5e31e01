//! What is trusted, and what is presented.
//!
//! Trusted are the system's certificate authorities, or in their place those of `ca` and `cafile`; on top
//! of either those of `NODE_EXTRA_CA_CERTS`. They are read when the first connection needs them, once,
//! and shared by all configurations.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use deka_config::{ClientCertificate, Config, Pem};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::sync::OnceCell;

use super::Protocols;
use crate::error::{Cause, Reason};

/// Where Linux distributions keep all authorities in one file, most common first. The folder beside it
/// has the same ones again, in hundreds of files.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Why there is no TLS.
#[derive(Debug, Clone)]
pub(super) enum TlsProblem {
    NoCertificates,
    File { origin: String, source: Cause },
}

/// Builds configurations of TLS, each once.
#[derive(Debug)]
pub(super) struct Tls {
    config: Arc<Config>,
    base: OnceCell<Base>,
    built: Mutex<Vec<Built>>,
}

/// A configuration, and what it was built for.
#[derive(Debug)]
struct Built {
    protocols: Protocols,
    identity: Option<ClientCertificate>,
    config: Arc<ClientConfig>,
}

/// What all configurations share.
#[derive(Debug, Clone)]
struct Base {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
}

impl Tls {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { config, base: OnceCell::new(), built: Mutex::default() }
    }

    /// Returns the configuration for connections that offer `protocols` and present `identity`.
    pub(super) async fn config(
        &self,
        protocols: Protocols,
        identity: Option<ClientCertificate>,
    ) -> Result<Arc<ClientConfig>, TlsProblem> {
        if let Some(config) = self.find(protocols, identity.as_ref()) {
            return Ok(config);
        }
        let base = self
            .base
            .get_or_try_init(|| async {
                // Reading and parsing some hundred certificates takes milliseconds.
                let config = self.config.clone();
                tokio::task::spawn_blocking(move || Base::read(&config))
                    .await
                    .unwrap_or(Err(TlsProblem::NoCertificates))
            })
            .await?;
        // Another task may have been faster; its configuration has the sessions that can be resumed.
        if let Some(config) = self.find(protocols, identity.as_ref()) {
            return Ok(config);
        }
        let config = Arc::new(base.build(protocols, identity.as_ref(), &self.config)?);
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.push(Built { protocols, identity, config: config.clone() });
        Ok(config)
    }

    fn find(
        &self,
        protocols: Protocols,
        identity: Option<&ClientCertificate>,
    ) -> Option<Arc<ClientConfig>> {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let found = built
            .iter()
            .find(|built| built.protocols == protocols && built.identity.as_ref() == identity);
        found.map(|built| built.config.clone())
    }
}

impl Base {
    fn read(config: &Config) -> Result<Self, TlsProblem> {
        let network = &config.network;
        let mut roots = RootCertStore::empty();
        if network.strict_ssl {
            if network.authorities.is_empty() {
                add_system_roots(&mut roots, config);
            }
            for (index, authority) in network.authorities.iter().enumerate() {
                let origin = match authority {
                    Pem::Text(_) => format!("`ca` (entry {})", index + 1),
                    Pem::File(path) => format!("`{}`", path.display()),
                };
                add_authorities(&mut roots, certificates(authority, &origin)?, &origin)?;
            }
            if let Some(path) = &network.extra_authorities {
                let origin = format!("`{}`", path.display());
                let extra = certificates(&Pem::File(path.clone()), &origin);
                // Node warns about a file that it can't use and goes on.
                match extra.and_then(|found| add_authorities(&mut roots, found, &origin)) {
                    Ok(()) => {}
                    Err(TlsProblem::File { source, .. }) => tracing::warn!(
                        path = %path.display(), error = %source,
                        "the certificates of `NODE_EXTRA_CA_CERTS` are ignored"
                    ),
                    Err(problem) => return Err(problem),
                }
            }
            if roots.is_empty() {
                return Err(TlsProblem::NoCertificates);
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(Self { provider, roots: Arc::new(roots) })
    }

    fn build(
        &self,
        protocols: Protocols,
        identity: Option<&ClientCertificate>,
        config: &Config,
    ) -> Result<ClientConfig, TlsProblem> {
        let unusable = |source| TlsProblem::File { origin: "`cert` and `key`".to_owned(), source };
        let builder = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(Arc::new(error)))?;
        let builder = if config.network.strict_ssl {
            builder.with_root_certificates(self.roots.clone())
        } else {
            tracing::warn!("`strict-ssl` is off: the certificates of registries are not checked");
            let verifier = Arc::new(TrustEveryone(self.provider.clone()));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        };
        let mut built = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = certificates(&identity.certificate, "`cert`")?;
                let key = private_key(&identity.key)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| unusable(Arc::new(error)))?
            }
        };
        built.alpn_protocols = match protocols {
            Protocols::Http2OrHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Protocols::Http1 => vec![b"http/1.1".to_vec()],
        };
        Ok(built)
    }
}

/// Adds what the system trusts; single certificates that can't be read or parsed are left out, as
/// everywhere.
fn add_system_roots(roots: &mut RootCertStore, config: &Config) {
    let network = &config.network;
    let file = network.system_authorities_file.as_deref();
    let folders = &network.system_authorities_folders;
    let found = if file.is_some() || !folders.is_empty() {
        let mut found = rustls_native_certs::load_certs_from_paths(file, None);
        for folder in folders {
            let more = rustls_native_certs::load_certs_from_paths(None, Some(folder));
            found.certs.extend(more.certs);
            found.errors.extend(more.errors);
        }
        found
    } else {
        let bundle = BUNDLES.iter().map(Path::new).find(|path| path.is_file());
        match bundle.filter(|_| cfg!(target_os = "linux")) {
            Some(path) => rustls_native_certs::load_certs_from_paths(Some(path), None),
            None => rustls_native_certs::load_native_certs(),
        }
    };
    for error in &found.errors {
        tracing::debug!(%error, "a certificate of the system is left out");
    }
    roots.add_parsable_certificates(found.certs);
}

fn add_authorities(
    roots: &mut RootCertStore,
    found: Vec<CertificateDer<'static>>,
    origin: &str,
) -> Result<(), TlsProblem> {
    for certificate in found {
        roots.add(certificate).map_err(|error| problem(origin, Arc::new(error)))?;
    }
    Ok(())
}

fn certificates(pem: &Pem, origin: &str) -> Result<Vec<CertificateDer<'static>>, TlsProblem> {
    let text = read(pem, origin)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| problem(origin, Arc::new(error)))?;
    if found.is_empty() {
        return Err(problem(origin, Arc::new(Reason("there is no certificate in it"))));
    }
    Ok(found)
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, TlsProblem> {
    let text = read(pem, "`key`")?;
    // The text of the error could quote the key.
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| problem("`key`", Arc::new(Reason("there is no private key in it"))))
}

fn read(pem: &Pem, origin: &str) -> Result<Vec<u8>, TlsProblem> {
    match pem {
        Pem::Text(text) => Ok(text.expose().as_bytes().to_vec()),
        Pem::File(path) => std::fs::read(path).map_err(|error| problem(origin, Arc::new(error))),
    }
}

fn problem(origin: &str, source: Cause) -> TlsProblem {
    TlsProblem::File { origin: origin.to_owned(), source }
}

/// For `strict-ssl=false`: any certificate will do, as long as the server has its key.
#[derive(Debug)]
struct TrustEveryone(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustEveryone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
