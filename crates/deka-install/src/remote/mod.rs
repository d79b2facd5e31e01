//! Dependencies that come over the network, but from no registry: tarballs by URL.
//!
//! The network thread fetches, a worker unpacks into the store and reads the manifest, and the
//! resolver gets the answer. The install itself finds the package in the store then.

use deka_graph::Resolution;
use deka_manifest::{Spec, Symbol};
use deka_registry::{Client, TarballOptions};
use deka_resolver::{ForeignError, ForeignPackage};
use deka_store::{Importer, Store};
use url::Url;

use crate::engine::InvalidTarballUrl;
use crate::foreign::{self, failed};

/// Whether a dependency comes from another server than a registry.
pub(crate) const fn is_remote(spec: &Spec) -> bool {
    matches!(spec, Spec::RemoteTarball(_))
}

/// Fetches; cheap to clone.
#[derive(Clone)]
pub(crate) struct Remote {
    client: Client,
}

/// What a dependency means, not unpacked yet.
pub(crate) struct Fetched {
    resolution: Resolution,
    archive: Vec<u8>,
    /// What the package is called if its manifest has no name.
    name: String,
}

impl Remote {
    pub(crate) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Fetches what `spec` means.
    pub(crate) async fn fetch(&self, spec: &Spec) -> Result<Fetched, ForeignError> {
        match spec {
            Spec::RemoteTarball(text) => {
                let url = Url::parse(text)
                    .map_err(|_| failed(InvalidTarballUrl { url: text.to_string() }))?;
                let archive = self.client.tarball(&url, TarballOptions::default()).await;
                Ok(Fetched {
                    resolution: Resolution::RemoteTarball(*text),
                    archive: archive.map_err(failed)?,
                    name: foreign::stem(url.path()).to_owned(),
                })
            }
            _ => Err(ForeignError::Unsupported),
        }
    }
}

impl Fetched {
    /// Unpacks it into the store and reads its manifest.
    pub(crate) fn unpack(
        self,
        store: &Store,
        importer: &mut Importer,
    ) -> Result<ForeignPackage, ForeignError> {
        let index = store.import(&self.archive, None, &self.name, importer).map_err(failed)?;
        let integrity = Symbol::new(&index.integrity().to_string());
        let found = foreign::describe(store, &index, &self.name, self.resolution)?;
        Ok(ForeignPackage { integrity, ..found })
    }
}
