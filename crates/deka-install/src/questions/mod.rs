//! What the registry is asked without installing anything: what is outdated or vulnerable, what a package is
//! like, what there is, and what differs between two versions.
//!
//! Each module has the logic of one command with plain data, and one function that asks. Nothing here
//! writes into a project; what follows from an answer is a [`Change`](crate::Change) for an install.

pub(crate) mod audit;
pub(crate) mod diff;
pub(crate) mod info;
pub(crate) mod outdated;
pub(crate) mod search;

use std::future::Future;
use std::sync::Arc;

use deka_config::Config;
use deka_lockfile::Lockfile;
use deka_manifest::{PackageName, Packument};
use deka_registry::{Client, ManifestCache, RegistryError};
use hashbrown::HashMap;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::InstallError;
use crate::project::{Project, Read};

/// A client with a runtime of its own, of this thread.
pub(crate) struct Inquiry {
    pub(crate) client: Client,
    runtime: Runtime,
}

/// Packuments by name; `None` for packages that their registry does not know.
pub(crate) type Packuments = HashMap<PackageName, Option<Arc<Packument>>>;

impl Inquiry {
    pub(crate) fn new(config: &Arc<Config>) -> Result<Self, InstallError> {
        let client = Client::new(config.clone(), ManifestCache::of(config));
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            client: client.map_err(InstallError::Client)?,
            runtime: runtime.map_err(InstallError::Thread)?,
        })
    }

    /// Waits for one answer.
    pub(crate) fn wait<T>(&self, question: impl Future<Output = T>) -> T {
        self.runtime.block_on(question)
    }

    /// Returns the packuments of all these packages, from the cache where that may answer, else asked for all at
    /// once.
    pub(crate) fn packuments(
        &self,
        names: impl IntoIterator<Item = PackageName>,
        with_times: bool,
    ) -> Result<Packuments, InstallError> {
        let mut packuments = Packuments::new();
        let mut asked = JoinSet::new();
        for name in names {
            if packuments.contains_key(&name) {
                continue;
            }
            let cached = self.client.cached(name, with_times).map(Arc::new);
            if cached.is_none() {
                let client = self.client.clone();
                let question = async move { (name, client.packument(name, with_times).await) };
                asked.spawn_on(question, self.runtime.handle());
            }
            packuments.insert(name, cached);
        }
        if asked.is_empty() {
            return Ok(packuments);
        }
        for (name, answer) in self.wait(asked.join_all()) {
            match answer {
                Ok(packument) => drop(packuments.insert(name, Some(packument))),
                Err(RegistryError::NotFound { .. }) => {}
                Err(source) => return Err(InstallError::Packument { name, source }),
            }
        }
        Ok(packuments)
    }
}

/// Returns what the lockfile says, which has to be there.
pub(crate) fn locked(project: &Project) -> Result<&Lockfile, InstallError> {
    match &project.lockfile {
        Read::Good(lockfile) => Ok(lockfile),
        Read::Damaged(error) | Read::Conflicted { error, .. } => {
            let path = project.root.join(project.lockfile_name);
            Err(InstallError::Lockfile { path, source: error.clone() })
        }
        Read::Absent | Read::Migrated(_) => Err(InstallError::NoLockfile),
    }
}
