//! Dependencies that come over the network, but from no registry: tarballs by URL, repositories.
//!
//! The network thread fetches, a worker unpacks into the store and reads the manifest, and the
//! resolver gets the answer. The install itself finds the package in the store then.

mod error;
mod git;
pub(crate) mod github;
mod links;
mod location;
mod process;

use std::sync::Arc;

use deka_config::{Config, Environment};
use deka_graph::Resolution;
use deka_manifest::{Algorithm, Integrity, Spec, Symbol, without_credentials};
use deka_registry::{Client, RegistryError, TarballOptions};
use deka_resolver::{ForeignError, ForeignPackage, ForeignRequest};
use deka_store::{AddedFile, Archive, Identity, Importer, PackageIndex, Store, StoreError};
use tokio::sync::Semaphore;
use url::Url;

use crate::engine::InvalidTarballUrl;
use crate::foreign::{self, failed};

pub use error::RemoteError;
pub use git::GitError;
pub use location::InvalidLocation;
pub(crate) use process::{Failure, Program, Run};

use git::{Checkout, Git};
use location::Location;

/// How many repositories git works on at once.
const GITS: usize = 8;

/// The file in which Bun remembers what a package was resolved to, where that is no version.
const BUN_TAG: &str = ".bun-tag";

/// Whether a dependency comes from another server than a registry.
pub(crate) const fn is_remote(spec: &Spec) -> bool {
    matches!(spec, Spec::RemoteTarball(_) | Spec::Git { .. } | Spec::GitHub { .. })
}

/// Returns what a dependency asks for, without secrets.
pub(crate) fn shown(spec: &Spec) -> String {
    let with = |committish: &Option<Symbol>| committish.map_or("", Symbol::as_str);
    match spec {
        Spec::RemoteTarball(url) => without_credentials(url).into_owned(),
        Spec::Git { repository, committish } => {
            format!("{}#{}", without_credentials(repository), with(committish))
        }
        Spec::GitHub { repository, committish } => {
            format!("github:{repository}#{}", with(committish))
        }
        _ => String::new(),
    }
}

/// Whether somebody from elsewhere asks for a repository on this machine.
pub(crate) fn is_refused(request: &ForeignRequest) -> bool {
    let is_ours = matches!(
        request.declared_by,
        Resolution::Root | Resolution::Workspace(_) | Resolution::Folder(_)
    );
    let Spec::Git { repository, .. } = &request.spec else { return false };
    !is_ours && repository.starts_with("git+file:")
}

/// Fetches; cheap to clone.
#[derive(Clone)]
pub(crate) struct Remote {
    client: Client,
    github: Url,
    git: Git,
    gits: Arc<Semaphore>,
}

/// What was fetched of a package.
pub(crate) struct Body {
    bytes: Vec<u8>,
    added: Vec<AddedFile>,
    /// What it is found by in the store, if that is not the hash of its bytes.
    key: Option<Integrity>,
}

/// What a dependency means, not unpacked yet.
pub(crate) struct Fetched {
    resolution: Resolution,
    body: Body,
    bun_tag: Option<Symbol>,
    /// What the package is called if its manifest has no name.
    name: String,
}

impl Remote {
    pub(crate) fn new(client: Client, config: &Config, environment: &Environment) -> Self {
        let git = Git::new(config, environment);
        let github = config.network.github.api.clone();
        Self { client, github, git, gits: Arc::new(Semaphore::new(GITS)) }
    }

    /// Ends what would go on for itself.
    pub(crate) fn stop(&self) {
        self.git.stop();
    }

    /// Fetches what `spec` means.
    pub(crate) async fn fetch(&self, spec: &Spec) -> Result<Fetched, ForeignError> {
        match spec {
            Spec::RemoteTarball(text) => self.fetch_tarball(*text).await.map_err(failed),
            Spec::Git { repository, committish } => {
                self.fetch_repository(repository, *committish).await.map_err(failed)
            }
            Spec::GitHub { repository, committish } => {
                self.fetch_from_github(*repository, *committish).await.map_err(failed)
            }
            _ => Err(ForeignError::Unsupported),
        }
    }

    async fn fetch_tarball(&self, text: Symbol) -> Result<Fetched, RemoteError> {
        let url = Url::parse(&text).map_err(|_| InvalidTarballUrl { url: text.to_string() })?;
        let bytes = self.client.tarball(&url, TarballOptions::default()).await?;
        Ok(Fetched {
            resolution: Resolution::RemoteTarball(text),
            body: Body::new(bytes, None, None),
            bun_tag: None,
            name: foreign::stem(url.path()).to_owned(),
        })
    }

    async fn fetch_repository(
        &self,
        repository: &str,
        committish: Option<Symbol>,
    ) -> Result<Fetched, RemoteError> {
        let location = Location::parse(repository)?;
        let name = location.base_name().to_owned();
        let repository = Symbol::new(&location.name);
        let (commit, body) = self
            .with_git(move |git| {
                let commit = git.resolve(&location, committish.as_deref())?;
                let checkout = git.checkout(&location, &commit)?;
                Ok((Symbol::new(&commit), Body::of_commit(checkout, &commit)))
            })
            .await?;
        let resolution = Resolution::Git { repository, commit };
        Ok(Fetched { resolution, body, bun_tag: Some(commit), name })
    }

    /// Fetches an archive; where GitHub gives none, git may have a key for the repository.
    async fn fetch_from_github(
        &self,
        repository: Symbol,
        committish: Option<Symbol>,
    ) -> Result<Fetched, RemoteError> {
        let with_git =
            async || self.fetch_repository(&github::repository_url(&repository), committish).await;
        if committish.is_some_and(|committish| committish.starts_with("semver:")) {
            return with_git().await;
        }
        let url = github::archive_url(&self.github, &repository, committish.as_deref())?;
        let bytes = match self.client.tarball(&url, TarballOptions::default()).await {
            Ok(bytes) => bytes,
            Err(
                archive @ (RegistryError::NotFound { .. }
                | RegistryError::Unauthorized { .. }
                | RegistryError::Forbidden { .. }),
            ) => {
                return with_git().await.map_err(|error| match error {
                    RemoteError::Git(GitError::NoGit { .. }) => archive.into(),
                    RemoteError::Git(git) => RemoteError::NeitherWay { archive, git },
                    other => other,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let folder = deka_store::top_folder(&bytes).unwrap_or_default();
        let commit =
            github::commit_of(&folder).ok_or(RemoteError::NoGitHubArchive { repository })?;
        let bun_tag = Some(Symbol::new(&folder));
        let (_, name) = repository.split_once('/').unwrap_or_default();
        Ok(Fetched {
            resolution: Resolution::GitHub { repository, commit },
            body: Body::new(bytes, bun_tag, None),
            bun_tag,
            name: name.to_owned(),
        })
    }

    /// Fetches a commit that the lockfile names.
    pub(crate) async fn commit(
        &self,
        repository: Symbol,
        commit: Symbol,
    ) -> Result<Body, RemoteError> {
        let location = Location::parse(&repository)?;
        self.with_git(move |git| Ok(Body::of_commit(git.checkout(&location, &commit)?, &commit)))
            .await
    }

    /// Waits for git on a thread of its own.
    async fn with_git<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Git) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, RemoteError> {
        // The semaphore is never closed; without a permit there would only be more of them.
        let _permit = self.gits.acquire().await.ok();
        let git = self.git.clone();
        let result = tokio::task::spawn_blocking(move || work(&git)).await;
        Ok(result.map_err(|_| GitError::Stopped)??)
    }
}

/// Returns what a commit is found by in the store. Whatever repository it is in, it is the same.
pub(crate) fn key_of_commit(commit: &str) -> Integrity {
    deka_store::digest(Algorithm::Sha512, format!("git commit {commit}").as_bytes())
}

/// Returns what an archive is found by of which the lockfile knows only the commit.
pub(crate) fn key_of_archive(label: &str) -> Integrity {
    deka_store::digest(Algorithm::Sha512, format!("archive {label}").as_bytes())
}

impl Body {
    /// A tarball, with what Bun wants to find in it, and what it is found by if not by its hash.
    pub(crate) fn new(bytes: Vec<u8>, bun_tag: Option<Symbol>, key: Option<Integrity>) -> Self {
        Self { bytes, added: bun_tag.iter().map(|text| tag(text)).collect(), key }
    }

    fn of_commit(checkout: Checkout, commit: &str) -> Self {
        let Checkout { archive, mut added } = checkout;
        added.push(tag(commit));
        Self { bytes: archive, added, key: Some(key_of_commit(commit)) }
    }

    /// Returns how many bytes it has.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Unpacks it into the store, if it is what is `expected`.
    pub(crate) fn import(
        &self,
        store: &Store,
        expected: Option<&Integrity>,
        label: &str,
        importer: &mut Importer,
    ) -> Result<PackageIndex, StoreError> {
        let identity = match &self.key {
            Some(key) => Identity::Given(key),
            None => Identity::Hash(expected),
        };
        let archive = Archive { bytes: &self.bytes, identity, added: &self.added };
        store.import_archive(archive, label, importer)
    }
}

fn tag(text: &str) -> AddedFile {
    AddedFile { path: BUN_TAG.as_bytes().into(), executable: false, contents: text.into() }
}

impl Fetched {
    /// Unpacks it into the store and reads its manifest.
    pub(crate) fn unpack(
        self,
        store: &Store,
        importer: &mut Importer,
    ) -> Result<ForeignPackage, ForeignError> {
        let index = self.body.import(store, None, &self.name, importer).map_err(failed)?;
        let integrity = match self.body.key {
            Some(_) => Symbol::new(""),
            None => Symbol::new(&index.integrity().to_string()),
        };
        let found = foreign::describe(store, &index, &self.name, self.resolution)?;
        Ok(ForeignPackage { integrity, bun_tag: self.bun_tag, ..found })
    }
}
