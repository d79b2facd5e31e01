//! A packument between the network and the resolver.
//!
//! What the network thread receives is a [`RawPackument`]: bytes and headers. Making a [`Packument`] of it
//! (unpacking, scanning) takes up to tens of milliseconds for the largest ones and is for a worker, as is
//! writing the result to the cache.

use std::sync::Arc;

use deka_manifest::{PackageName, Packument};

use crate::encoding::Encoding;
use crate::{CachedPackument, ManifestCache, RegistryError, RegistryKey, SafeUrl, Validators};

/// More bytes than this are no packument, packed or unpacked. The largest today have 30 MB.
pub(crate) const PACKUMENT_LIMIT: u64 = 256 * 1024 * 1024;

/// What a registry or the cache answered, not yet looked at.
#[derive(Debug)]
pub(crate) struct RawPackument {
    pub(crate) name: PackageName,
    pub(crate) registry: RegistryKey,
    pub(crate) cache: Option<ManifestCache>,
    pub(crate) answer: Answer,
}

#[derive(Debug)]
pub(crate) enum Answer {
    /// The cached one will do, nobody was asked.
    Cached(Packument),
    /// The registry says that the cached one still holds.
    NotModified(Packument),
    /// The registry sent it.
    Body { body: Vec<u8>, encoding: Encoding, validators: Validators, url: SafeUrl },
}

/// What remains to be written to the manifest cache; doing it later, or never, is safe.
#[derive(Debug)]
pub(crate) struct CacheWrite {
    cache: ManifestCache,
    registry: RegistryKey,
    packument: Arc<Packument>,
    /// `None` if only the time of the file changes.
    validators: Option<Validators>,
}

impl RawPackument {
    pub(crate) fn of_cache(
        name: PackageName,
        registry: RegistryKey,
        cached: CachedPackument,
    ) -> Self {
        Self { name, registry, cache: None, answer: Answer::Cached(cached.packument) }
    }

    /// Unpacks and scans it. Takes time in proportion to its size.
    pub(crate) fn parse(self) -> Result<(Arc<Packument>, Option<CacheWrite>), RegistryError> {
        let (packument, validators) = match self.answer {
            Answer::Cached(packument) => return Ok((Arc::new(packument), None)),
            Answer::NotModified(packument) => (packument, None),
            Answer::Body { body, encoding, validators, url } => {
                let json = encoding.decode(body, PACKUMENT_LIMIT).map_err(|source| {
                    RegistryError::Body { url: url.clone(), source: Arc::new(source) }
                })?;
                let name = self.name;
                let packument = Packument::from_json(name, &json).map_err(|source| {
                    if json.trim_ascii_start().starts_with(b"<") {
                        return RegistryError::Page { name, url };
                    }
                    RegistryError::Packument { name, url, source: Arc::new(source) }
                })?;
                (packument, Some(validators))
            }
        };
        let packument = Arc::new(packument);
        let may_be_stored = validators.as_ref().is_none_or(|validators| validators.may_be_stored);
        let write = self.cache.filter(|_| may_be_stored).map(|cache| CacheWrite {
            cache,
            registry: self.registry,
            packument: packument.clone(),
            validators,
        });
        Ok((packument, write))
    }
}

impl CacheWrite {
    /// Writes it; a cache on a full or read-only disk only costs time next time.
    pub(crate) fn perform(self) {
        let written = match &self.validators {
            Some(validators) => self.cache.store(&self.registry, &self.packument, validators),
            None => self.cache.touch(&self.registry, self.packument.name()),
        };
        if let Err(error) = written {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::debug!(%error, ?cause, "a packument is not cached");
        }
    }
}
