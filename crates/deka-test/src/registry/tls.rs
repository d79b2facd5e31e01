//! A certificate authority that exists for one registry.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};

/// Makes an authority and a server certificate for `localhost` and 127.0.0.1; returns the
/// authority's certificate in PEM and the server's configuration (h2 and http/1.1 by ALPN).
pub fn certificate() -> (String, Arc<ServerConfig>) {
    let authority_key = KeyPair::generate().expect("a key pair");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "deka-test authority");
    let authority_certificate = authority.self_signed(&authority_key).expect("a certificate");
    let pem = authority_certificate.pem();

    let key = KeyPair::generate().expect("a key pair");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut server = CertificateParams::new(names).expect("valid names");
    server.distinguished_name.push(DnType::CommonName, "deka-test");
    let issuer = Issuer::new(authority, authority_key);
    let certificate = server.signed_by(&key, &issuer).expect("a certificate");

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("certificate and key belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (pem, Arc::new(config))
}
