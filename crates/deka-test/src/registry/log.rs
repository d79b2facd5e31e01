//! What a client sent.

use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, Method, Version};

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Such as `GET`.
    pub method: Method,
    /// Path and query as they were sent, `%2f` included.
    pub path: String,
    /// HTTP/1.1 or HTTP/2.
    pub version: Version,
    /// Whether it came over TLS.
    pub tls: bool,
    /// Which connection it came over, counted from 1.
    pub connection: usize,
    /// All headers.
    pub headers: HeaderMap,
    /// What was sent along, unpacked if it came in gzip.
    pub body: Bytes,
}

impl Request {
    /// The text of a header, if the client sent it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path without its query, `%xx` decoded.
    pub fn decoded_path(&self) -> String {
        decode(self.path.split('?').next().unwrap_or_default())
    }

    /// Whether it asks for a tarball.
    pub fn is_tarball(&self) -> bool {
        is_tarball(&self.decoded_path())
    }
}

/// Whether a decoded path names a tarball.
pub fn is_tarball(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "tgz")
}

/// Decodes `%xx`; anything that is not well-formed stays as it is.
pub fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| path.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
