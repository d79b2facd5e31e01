//! git repositories, through the git of the system.
//!
//! ```text
//! <cache>/git/3f9a…c2        a bare repository with all branches and tags of one location
//! <cache>/git/3f9a…c2.new    the same while it is fetched for the first time
//! <cache>/git/3f9a…c2.lock   held by the process that uses it
//! ```
//! A package is what `git archive` makes of a commit: there is no checkout, so no hook and no filter
//! runs (and none is taken from the repository), and submodules stay empty. What is in a commit git
//! verifies by its hash when it fetches.
//!
//! git is asked for what [`Location`] has let pass, with a `--` before it; for branches and tags only
//! if they can't be options. It never asks the user anything. Everything here waits for git: it is
//! meant for threads that may.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deka_config::{Config, Environment};
use deka_fs::{Dir, FileLock, FsError, LockKind};
use deka_manifest::{Algorithm, Range, Version, without_credentials};
use deka_store::AddedFile;
use hashbrown::HashMap;

use super::links::{Blob, BlobKind, follow, read_listing};
use super::location::Location;
use super::process::{Failure, Program, Run};

/// What `.gitattributes` can't change: every file is there, as it was committed.
const ATTRIBUTES: &[u8] = b"* -export-ignore -export-subst -filter\n";

/// A repository is fetched with its default branch, all branches and all tags. The pattern lets a
/// repository without a default branch pass.
const REFERENCES: &[&str] =
    &["+HEAD*:refs/remotes/origin/HEAD*", "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

const DEFAULT_BRANCH: &str = "refs/remotes/origin/HEAD";

/// More bytes than this are no package.
const LARGEST_ARCHIVE: u64 = 2 * 1024 * 1024 * 1024;
/// All files that links lead to, and other output.
const LARGEST_OUTPUT: u64 = 256 * 1024 * 1024;

/// Why a repository could not be used.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git.
    #[error("git is needed for `{repository}`, and is not installed")]
    NoGit {
        /// What the repository is called in `bun.lock`.
        repository: String,
    },
    /// git failed.
    #[error("git failed to {doing} `{repository}`: {message}")]
    Failed {
        /// What it was to do.
        doing: &'static str,
        /// What the repository is called in `bun.lock`.
        repository: String,
        /// What git said.
        message: String,
    },
    /// Only what is cached may be used, and this is not.
    #[error("`{repository}` is not in the cache")]
    Offline {
        /// What the repository is called in `bun.lock`.
        repository: String,
    },
    /// There is no such branch, tag or commit.
    #[error("`{repository}` has no branch, tag or commit `{committish}`")]
    NoCommit {
        /// What the repository is called in `bun.lock`.
        repository: String,
        /// What was asked for.
        committish: String,
    },
    /// No tag is a version in the range.
    #[error("`{repository}` has no tag with a version that matches `{range}`")]
    NoVersion {
        /// What the repository is called in `bun.lock`.
        repository: String,
        /// What was asked for.
        range: String,
    },
    /// git could not be started or listened to.
    #[error("Failed to run git")]
    Run(#[source] std::io::Error),
    /// The cache could not be used.
    #[error("Failed to use the cache of git repositories")]
    Cache(#[from] FsError),
    /// The install has failed for another reason.
    #[error("the install was ended")]
    Stopped,
}

impl GitError {
    /// Whether the server of a repository could not be reached, failed, or did not let this user in:
    /// git tells these apart in its message alone.
    pub fn is_about_server(&self) -> bool {
        let Self::Failed { doing, repository, .. } = self else { return false };
        *doing == "fetch" && !repository.starts_with("git+file:")
    }

    /// Whether git may have failed because a repository of the cache was torn by a power cut.
    fn is_about_damage(&self) -> bool {
        let Self::Failed { message, .. } = self else { return false };
        ["corrupt", "object", "packfile", "not a git repository"]
            .iter()
            .any(|sign| message.contains(sign))
    }
}

/// Runs git; cheap to clone.
#[derive(Clone)]
pub(crate) struct Git(Arc<Inner>);

struct Inner {
    program: Program,
    /// Where repositories are.
    cache: PathBuf,
    is_offline: bool,
    prefers_offline: bool,
    /// By location: whether it was fetched in this run. Held while git works on it.
    known: Mutex<HashMap<String, Arc<Mutex<bool>>>>,
}

/// The files of a commit.
pub(crate) struct Checkout {
    /// As a tar archive.
    pub(crate) archive: Vec<u8>,
    /// What the links of the tree lead to.
    pub(crate) added: Vec<AddedFile>,
}

impl Git {
    pub(crate) fn new(config: &Config, environment: &Environment) -> Self {
        Self(Arc::new(Inner {
            program: Program::new(environment),
            cache: config.cache.folder().join("git"),
            is_offline: config.network.offline,
            prefers_offline: config.network.prefer_offline,
            known: Mutex::default(),
        }))
    }

    /// Ends every git that runs, and starts no more.
    pub(crate) fn stop(&self) {
        self.0.program.stop();
    }

    /// Returns the commit that a branch, tag, commit or `semver:` range means now.
    pub(crate) fn resolve(
        &self,
        location: &Location,
        committish: Option<&str>,
    ) -> Result<String, GitError> {
        let known = self.0.known(location);
        let mut is_fetched = lock(&known);
        let repository = Repository::open(&self.0, location)?;
        let committish = committish.filter(|committish| *committish != "HEAD");
        let is_pinned = committish.is_some_and(is_commit);
        let is_settled = *is_fetched || self.0.is_offline || self.0.prefers_offline || is_pinned;
        if is_settled && repository.exists() {
            let found = repository.find(committish);
            // A commit that no branch has is fetched by itself.
            let is_all = self.0.is_offline || (*is_fetched && !is_pinned);
            if found.is_ok() || is_all {
                return found;
            }
        }
        repository.fetch(committish)?;
        *is_fetched = true;
        repository.find(committish)
    }

    /// Returns the files of a commit.
    pub(crate) fn checkout(&self, location: &Location, commit: &str) -> Result<Checkout, GitError> {
        let known = self.0.known(location);
        let mut is_fetched = lock(&known);
        let repository = Repository::open(&self.0, location)?;
        if !is_commit(commit) {
            return Err(repository.no_commit(commit));
        }
        if !repository.exists() || repository.find(Some(commit)).is_err() {
            repository.fetch(Some(commit))?;
            *is_fetched = true;
        }
        repository.find(Some(commit))?;
        match repository.checkout(commit) {
            Err(error) if error.is_about_damage() && !self.0.is_offline => {
                repository.fetch_anew(Some(commit))?;
                repository.checkout(commit)
            }
            result => result,
        }
    }
}

impl Inner {
    fn known(&self, location: &Location) -> Arc<Mutex<bool>> {
        lock(&self.known).entry_ref(location.name.as_str()).or_default().clone()
    }
}

/// A repository in the cache, or the place for it.
struct Repository<'a> {
    git: &'a Inner,
    location: &'a Location,
    folder: PathBuf,
    /// Keeps other processes away.
    _lock: FileLock,
}

impl<'a> Repository<'a> {
    fn open(git: &'a Inner, location: &'a Location) -> Result<Self, GitError> {
        use std::fmt::Write as _;
        let hash = deka_store::digest(Algorithm::Sha256, location.name.as_bytes());
        let name = hash.digest()[..16].iter().fold(String::new(), |mut name, byte| {
            // Writing to a string never fails.
            let _ = write!(name, "{byte:02x}");
            name
        });
        let cache = Dir::open_or_create(&git.cache)?;
        let lock = FileLock::open(&cache, format!("{name}.lock").as_str())?;
        lock.lock(LockKind::Exclusive)?;
        Ok(Self { git, location, folder: git.cache.join(name), _lock: lock })
    }

    fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Fetches what is new, or everything; `wanted` too if it is a commit that no branch has.
    fn fetch(&self, wanted: Option<&str>) -> Result<(), GitError> {
        if self.git.is_offline {
            return Err(GitError::Offline { repository: self.shown() });
        }
        if self.exists() {
            match self.fetch_into(&self.folder, wanted) {
                Err(error) if error.is_about_damage() => {
                    tracing::debug!(%error, "fetching a repository anew");
                }
                result => return result,
            }
        }
        self.fetch_anew(wanted)
    }

    /// Fetches everything, and puts it in the place of what was there.
    fn fetch_anew(&self, wanted: Option<&str>) -> Result<(), GitError> {
        let new = self.folder.with_extension("new");
        let failed = |source| GitError::Run(source);
        // Whoever made it was killed, for this process has the lock.
        remove(&new).map_err(failed)?;
        let path = new.to_string_lossy();
        self.run("make", None, &["init", "--quiet", "--bare", "--template=", "--", &path])?;
        std::fs::create_dir_all(new.join("info")).map_err(failed)?;
        std::fs::write(new.join("info/attributes"), ATTRIBUTES).map_err(failed)?;
        self.fetch_into(&new, wanted)?;
        remove(&self.folder).map_err(failed)?;
        std::fs::rename(&new, &self.folder).map_err(failed)
    }

    fn fetch_into(&self, folder: &Path, wanted: Option<&str>) -> Result<(), GitError> {
        let fetch = |url: &str, references: &[&str]| {
            let options = [
                "fetch",
                "--quiet",
                "--prune",
                "--no-tags",
                "--no-recurse-submodules",
                "--no-write-fetch-head",
                "--",
                url,
            ];
            self.run("fetch", Some(folder), &[&options, references].concat())
        };
        let mut result = Err(GitError::Stopped);
        for url in &self.location.urls {
            result = fetch(url, REFERENCES);
            if result.is_ok() {
                if let Some(commit) = wanted.filter(|wanted| is_commit(wanted))
                    && self.revision(folder, commit).is_none()
                {
                    // It may be what no branch leads to any more. If not, that is told later.
                    drop(fetch(url, &[commit]));
                }
                break;
            }
            if matches!(result, Err(GitError::NoGit { .. } | GitError::Stopped)) {
                break;
            }
        }
        result.map(drop)
    }

    fn find(&self, committish: Option<&str>) -> Result<String, GitError> {
        if let Some(range) = committish.and_then(|text| text.strip_prefix("semver:")) {
            return self.find_version(range);
        }
        let committish = committish.unwrap_or(DEFAULT_BRANCH);
        self.revision(&self.folder, committish).ok_or_else(|| self.no_commit(committish))
    }

    /// Returns the commit of the highest version among the tags that lies in a range.
    fn find_version(&self, range: &str) -> Result<String, GitError> {
        let no_version =
            || GitError::NoVersion { repository: self.shown(), range: range.to_owned() };
        let wanted = Range::parse(range).map_err(|_| no_version())?;
        let arguments = ["for-each-ref", "--format=%(refname)", "refs/tags"];
        let tags = self.run("list the tags of", Some(&self.folder), &arguments)?;
        let tags = String::from_utf8_lossy(&tags);
        let versions = tags.lines().filter_map(|reference| {
            let tag = reference.strip_prefix("refs/tags/")?;
            let version = Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()?;
            wanted.satisfies(&version).then_some((version, reference))
        });
        let (_, reference) = versions.max().ok_or_else(no_version)?;
        self.find(Some(reference))
    }

    /// Returns the commit that a text means, if any.
    fn revision(&self, folder: &Path, text: &str) -> Option<String> {
        if text.starts_with('-') || text.contains(char::is_control) {
            return None;
        }
        let arguments = ["rev-parse", "--quiet", "--verify", &format!("{text}^{{commit}}")];
        let output = self.run("look into", Some(folder), &arguments).ok()?;
        let commit = String::from_utf8(output).ok()?.trim().to_owned();
        is_commit(&commit).then_some(commit)
    }

    fn checkout(&self, commit: &str) -> Result<Checkout, GitError> {
        let arguments = ["ls-tree", "-r", "-z", "--full-tree", commit];
        let listing = read_listing(&self.run("list", Some(&self.folder), &arguments)?);
        let links: Vec<(&[u8], &Blob)> = listing
            .iter()
            .filter(|(_, blob)| blob.kind == BlobKind::Link)
            .map(|(path, blob)| (&**path, blob))
            .collect();
        let targets = self.contents(links.iter().map(|(_, blob)| *blob))?;
        let targets: HashMap<Vec<u8>, Vec<u8>> =
            links.iter().map(|(path, _)| path.to_vec()).zip(targets).collect();
        let followed: Vec<(&[u8], &Blob)> = links
            .iter()
            .filter_map(|(path, _)| Some((*path, follow(&listing, &targets, path)?)))
            .collect();
        let contents = self.contents(followed.iter().map(|(_, blob)| *blob))?;
        let added = followed.into_iter().zip(contents).map(|((path, blob), contents)| AddedFile {
            path: path.into(),
            executable: blob.kind == BlobKind::Executable,
            contents,
        });
        let added = added.collect();
        let arguments = ["archive", "--format=tar", "--prefix=package/", commit];
        let archive =
            self.run_with("pack", Some(&self.folder), &arguments, &[], LARGEST_ARCHIVE)?;
        Ok(Checkout { archive, added })
    }

    /// Returns what is in some blobs.
    fn contents<'b>(
        &self,
        blobs: impl Iterator<Item = &'b Blob>,
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let input: Vec<u8> = blobs.flat_map(|blob| [blob.id.as_bytes(), b"\n"].concat()).collect();
        if input.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "read the links of";
        let arguments = ["cat-file", "--batch=%(objectsize)"];
        let output =
            self.run_with(doing, Some(&self.folder), &arguments, &input, LARGEST_OUTPUT)?;
        let mut contents = Vec::new();
        let mut rest = &output[..];
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let size = end.and_then(|end| std::str::from_utf8(&rest[..end]).ok()?.parse().ok());
            let blob = end.zip(size).and_then(|(end, size): (usize, usize)| {
                let start = end + 1;
                Some((rest.get(start..start.checked_add(size)?)?, rest.get(start + size + 1..)?))
            });
            let Some((blob, behind)) = blob else {
                let message = "it answered something else than it does".to_owned();
                return Err(GitError::Failed { doing, repository: self.shown(), message });
            };
            contents.push(blob.to_vec());
            rest = behind;
        }
        Ok(contents)
    }

    fn run(
        &self,
        doing: &'static str,
        folder: Option<&Path>,
        arguments: &[&str],
    ) -> Result<Vec<u8>, GitError> {
        self.run_with(doing, folder, arguments, &[], LARGEST_OUTPUT)
    }

    fn run_with(
        &self,
        doing: &'static str,
        repository: Option<&Path>,
        arguments: &[&str],
        input: &[u8],
        limit: u64,
    ) -> Result<Vec<u8>, GitError> {
        let _span = tracing::trace_span!("git", doing, repository = %self.shown()).entered();
        let uses_ssh = arguments.first() == Some(&"fetch") && self.location.uses_ssh();
        let (folder, good_code) = (&*self.git.cache, 0);
        let run = Run { folder, repository, arguments, input, limit, uses_ssh, good_code };
        let failed = |message| GitError::Failed { doing, repository: self.shown(), message };
        self.git.program.run(run).map_err(|failure| match failure {
            Failure::NotInstalled => GitError::NoGit { repository: self.shown() },
            Failure::Run(error) => GitError::Run(error),
            Failure::Failed(message) => failed(self.message(&message)),
            Failure::TooMuch => failed(format!("there are more than {limit} bytes")),
            Failure::Stopped => GitError::Stopped,
        })
    }

    fn no_commit(&self, committish: &str) -> GitError {
        let committish = match committish {
            DEFAULT_BRANCH => "HEAD",
            other => other,
        };
        GitError::NoCommit { repository: self.shown(), committish: committish.to_owned() }
    }

    fn shown(&self) -> String {
        without_credentials(&self.location.name).into_owned()
    }

    /// Returns what git said, in one line and without secrets.
    fn message(&self, text: &str) -> String {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.map(|line| line.trim_start_matches("fatal: ")).collect();
        let text = lines.join("; ").replace(char::is_control, " ");
        self.location
            .urls
            .iter()
            .fold(text, |text, url| text.replace(url.as_str(), &without_credentials(url)))
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether a text is the full hash of a commit.
pub(crate) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
