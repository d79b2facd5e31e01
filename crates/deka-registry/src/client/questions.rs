//! Questions that no install asks: all about a package, a search, known vulnerabilities.
//!
//! The answers are JSON, given as it came: what is in it is for the caller to judge.

use deka_manifest::PackageName;
use http::StatusCode;
use http::header::HeaderValue;
use hyper::body::Bytes;
use libdeflater::{CompressionLvl, Compressor};
use url::Url;

use super::{Client, unasked_not_modified};
use crate::encoding::{self, Encoding};
use crate::error::Reason;
use crate::gate::Purpose;
use crate::packument::PACKUMENT_LIMIT;
use crate::transport::{Protocols, Request};
use crate::{RegistryError, SafeUrl, location, packument_url};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Client {
    /// Returns the full packument of `name` as its registry has it, readme and all. The manifest cache has
    /// only what installing needs, so it is not asked.
    pub async fn document(&self, name: PackageName) -> Result<Vec<u8>, RegistryError> {
        let url = packument_url(self.0.config.registry_for(name.as_str()).url(), name);
        self.question(&url, None).await
    }

    /// Returns what the default registry finds for `terms`, at most `size` packages.
    pub async fn search(&self, terms: &str, size: usize) -> Result<Vec<u8>, RegistryError> {
        let mut url =
            location::endpoint(self.0.config.registries.default_registry().url(), "-/v1/search");
        url.query_pairs_mut().append_pair("text", terms).append_pair("size", &size.to_string());
        self.question(&url, None).await
    }

    /// Returns what a registry knows of vulnerabilities. `packages` is JSON: an object with a list of versions for
    /// each name.
    pub async fn advisories(
        &self,
        registry: &Url,
        packages: &[u8],
    ) -> Result<Vec<u8>, RegistryError> {
        let url = location::endpoint(registry, "-/npm/v1/security/advisories/bulk");
        let packed = gzip(packages).ok_or_else(|| RegistryError::Request {
            url: SafeUrl::new(&url),
            source: std::sync::Arc::new(Reason("what is to be sent can't be compressed")),
        })?;
        self.question(&url, Some(packed)).await
    }

    async fn question(&self, url: &Url, posted: Option<Bytes>) -> Result<Vec<u8>, RegistryError> {
        if self.0.config.network.offline {
            return Err(RegistryError::OfflineQuestion { url: SafeUrl::new(url) });
        }
        let mut attempts = self.0.retries.start();
        loop {
            match self.question_once(url, posted.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.wait(&mut attempts, error).await?,
            }
        }
    }

    async fn question_once(
        &self,
        url: &Url,
        posted: Option<Bytes>,
    ) -> Result<Vec<u8>, RegistryError> {
        let _permit = self.0.gate.enter(Purpose::Packument).await;
        let request = Request {
            url,
            accept: JSON,
            accept_encoding: encoding::ACCEPTED,
            protocols: Protocols::Http2OrHttp1,
            if_none_match: None,
            if_modified_since: None,
            past_caches: false,
            posted,
        };
        let response = self.0.transport.request(request).await?;
        if response.status == StatusCode::NOT_MODIFIED {
            return Err(unasked_not_modified(url));
        }
        let broken = |source| RegistryError::Body {
            url: SafeUrl::new(url),
            source: std::sync::Arc::new(source),
        };
        let encoding = Encoding::of(&response.headers).map_err(broken)?;
        let body = response.body.read(PACKUMENT_LIMIT).await?;
        encoding.decode(body, PACKUMENT_LIMIT).map_err(broken)
    }
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut packed = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut packed).ok()?;
    packed.truncate(length);
    Some(packed.into())
}
