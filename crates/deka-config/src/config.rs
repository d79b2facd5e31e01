//! The merged settings: plain values that the crates above read.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deka_manifest::{CpuSet, LibcSet, OsSet, Target};
use hashbrown::HashMap;
use url::Url;

use crate::{
    AuthHeader, ClientCertificate, GitHub, Layer, NoProxy, Origin, Proxies, Registries, Registry,
    Warning,
};

/// Everything that can be set, with a value for each.
///
/// [`Config::default`] is what deka does when nobody sets anything; tests start from it.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Which registry serves which name, and who we are there.
    pub registries: Registries,
    /// Connections: proxies, certificates, timeouts, retries, concurrency.
    pub network: Network,
    /// The folder of store and manifest cache.
    pub cache: Cache,
    /// What an install does.
    pub install: Install,
    /// What `.npmrc` files say, also for other tools, as scripts see it: `npm_config_nodedir` and so on.
    /// Nothing that sounds secret; printed it is not all the same.
    pub script_variables: BTreeMap<Box<str>, crate::Secret>,
    /// The same of flags, which are stronger than the environment too.
    pub script_flags: BTreeMap<Box<str>, crate::Secret>,
    /// How much is printed.
    pub log_level: LogLevel,
    /// What was wrong in the sources; to be printed once.
    pub warnings: Vec<Warning>,
    /// Where values came from, by the names of [`Config::origin`].
    pub(crate) origins: HashMap<Box<str>, Origin>,
}

impl Config {
    /// Returns the registry for a package name: its scope's, else the default one.
    pub fn registry_for(&self, name: &str) -> &Registry {
        self.registries.for_name(name)
    }

    /// Returns what to send as `Authorization` with a request to `url`, if anything: the
    /// credentials of the longest path prefix on that host and port.
    pub fn auth_for(&self, url: &Url) -> Option<AuthHeader> {
        self.registries.auth_for(url).or_else(|| self.network.github.auth_for(url))
    }

    /// Returns the client certificate to present to `url`: that of the longest path prefix, else
    /// the general one.
    pub fn certificate_for(&self, url: &Url) -> Option<&ClientCertificate> {
        self.registries.certificate_for(url).or(self.network.client_certificate.as_ref())
    }

    /// Returns the proxy for a request to `url`, if it goes through one.
    pub fn proxy_for(&self, url: &Url) -> Option<&Url> {
        self.network.proxies.for_url(url)
    }

    /// Returns where the value of a setting came from. Settings are named as in `.npmrc` where it
    /// knows them (`registry`, `@scope:registry`, `strict-ssl`, `cache`), else as the flag.
    pub fn origin(&self, setting: &str) -> Origin {
        self.origins.get(setting).cloned().unwrap_or_else(|| Origin::default_value(setting))
    }

    /// Iterates over all settings that some layer has set, by name.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Origin)> {
        let mut entries: Vec<_> =
            self.origins.iter().map(|(name, at)| (name.as_ref(), at)).collect();
        entries.sort_unstable_by_key(|(name, _)| *name);
        entries.into_iter()
    }

    /// Whether a setting was given by a flag.
    pub fn is_from_flag(&self, setting: &str) -> bool {
        self.origins.get(setting).is_some_and(|origin| origin.layer == Layer::Flag)
    }
}

/// How deka reaches registries.
#[derive(Debug, Clone)]
pub struct Network {
    /// Proxies and who is reached without one.
    pub proxies: Proxies,
    /// Whether certificates of servers are checked. Only the user can turn that off.
    pub strict_ssl: bool,
    /// Certificate authorities that replace the system's: each a PEM text or a file of them (`ca`,
    /// `cafile`).
    pub authorities: Vec<Pem>,
    /// A file of authorities on top of those in use (`NODE_EXTRA_CA_CERTS`).
    pub extra_authorities: Option<PathBuf>,
    /// A file that takes the place of the system's authorities (`SSL_CERT_FILE`).
    pub system_authorities_file: Option<PathBuf>,
    /// Folders that take the place of the system's authorities (`SSL_CERT_DIR`, split).
    pub system_authorities_folders: Vec<PathBuf>,
    /// What to present to servers that ask for a certificate (`cert` and `key`).
    pub client_certificate: Option<ClientCertificate>,
    /// How many requests are under way at once.
    pub concurrency: NonZeroUsize,
    /// How many connections to one host; `None` leaves it to the client (`maxsockets`).
    pub connections_per_host: Option<NonZeroUsize>,
    /// How often and how soon a failed request is repeated.
    pub retries: Retries,
    /// How long is waited for what.
    pub timeouts: Timeouts,
    /// Nothing may touch the network.
    pub offline: bool,
    /// Cached packuments are used whatever their age; only what is missing is fetched.
    pub prefer_offline: bool,
    /// Cached packuments are asked for again whatever their age (`prefer-online`, `--force`).
    pub prefer_online: bool,
    /// What is sent as `User-Agent`, when somebody has set it.
    pub user_agent: Option<Box<str>>,
    /// Where archives of repositories at GitHub come from.
    pub github: GitHub,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            proxies: Proxies::default(),
            strict_ssl: true,
            authorities: Vec::new(),
            extra_authorities: None,
            system_authorities_file: None,
            system_authorities_folders: Vec::new(),
            client_certificate: None,
            concurrency: const { NonZeroUsize::new(64).expect("64 is not 0") },
            connections_per_host: None,
            retries: Retries::default(),
            timeouts: Timeouts::default(),
            offline: false,
            prefer_offline: false,
            prefer_online: false,
            user_agent: None,
            github: GitHub::default(),
        }
    }
}

impl Network {
    /// Whether `host` is reached without a proxy.
    pub fn no_proxy(&self) -> &NoProxy {
        &self.proxies.except
    }
}

/// Certificates or keys in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pem {
    /// The text itself, with real line ends. A [`crate::Secret`], because keys are given so too.
    Text(crate::Secret),
    /// A file of it.
    File(PathBuf),
}

/// Repetition of failed requests. The wait before repetition `n` is
/// `minimum * factor^(n - 1)`, at most `maximum`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retries {
    /// How often a request is repeated after its first failure.
    pub count: u32,
    /// What each wait is multiplied with.
    pub factor: f64,
    /// The first wait.
    pub minimum: Duration,
    /// The longest wait, also when a server asks for more by `Retry-After`.
    pub maximum: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            count: 4,
            factor: 2.0,
            minimum: Duration::from_millis(250),
            maximum: Duration::from_secs(30),
        }
    }
}

/// How long is waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For the next byte of an answer.
    pub idle: Duration,
    /// For a whole request (`fetch-timeout`).
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            idle: Duration::from_mins(1),
            request: Duration::from_mins(5),
        }
    }
}

/// Where store and manifest cache are, and whether they are used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cache {
    /// The folder, absolute; empty only in a [`Config::default`].
    pub folder: PathBuf,
    /// What the store holds is not used; packages are fetched again (`install.cache.disable`).
    pub disabled: bool,
    /// Packuments on disk are not used (`--no-cache`, `install.cache.disableManifest`).
    pub manifests_disabled: bool,
}

impl Cache {
    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What an install does and leaves out.
#[derive(Debug, Clone, Default)]
pub struct Install {
    /// Only what runs in production: no dev dependencies, and the lockfile must not change.
    pub production: bool,
    /// The lockfile must not change; an install that would change it fails.
    pub frozen_lockfile: bool,
    /// Resolve and write the lockfile, install nothing.
    pub lockfile_only: bool,
    /// Say what would be done, do nothing.
    pub dry_run: bool,
    /// Ask the registry for everything again and install everything again.
    pub force: bool,
    /// Do not run lifecycle scripts.
    pub ignore_scripts: bool,
    /// Write neither `package.json` nor `bun.lock` (`--no-save`).
    pub no_save: bool,
    /// Do not write `bun.lock` (`install.lockfile.save = false`, `BUN_CONFIG_SKIP_SAVE_LOCKFILE`).
    pub no_lockfile: bool,
    /// Read no `bun.lock` (`BUN_CONFIG_SKIP_LOAD_LOCKFILE`).
    pub skip_load_lockfile: bool,
    /// Exact versions when a dependency is added (`save-exact`).
    pub save_exact: bool,
    /// Groups of dependencies that are left out of `node_modules`.
    pub omit: Omit,
    /// The shape of `node_modules`.
    pub linker: Linker,
    /// How files come from the store to `node_modules`.
    pub backend: Backend,
    /// Platforms to install for in place of this machine's.
    pub platform: PlatformOverride,
    /// How old a version must be.
    pub minimum_release_age: MinimumReleaseAge,
    /// Whether a workspace's package is linked when its version fits; `None` where unset.
    pub link_workspace_packages: Option<bool>,
    /// Isolated linker: which packages every package may see (`hoist-pattern`; `hoist = false` is
    /// an empty list).
    pub hoist_pattern: Option<Vec<Box<str>>>,
    /// Isolated linker: which packages appear in the root `node_modules` (`public-hoist-pattern`).
    pub public_hoist_pattern: Option<Vec<Box<str>>>,
    /// Isolated linker: share package folders between projects.
    pub global_store: GlobalStore,
    /// Where packages are installed for all projects, and registered for links: Bun's folder, so that
    /// both know the same (`install.globalDir`, `BUN_INSTALL_GLOBAL_DIR`); `None` without a home.
    pub global_folder: Option<PathBuf>,
    /// Where the commands of those packages are: Bun's folder, too (`install.globalBinDir`,
    /// `BUN_INSTALL_BIN`).
    pub global_bin_folder: Option<PathBuf>,
    /// How many lifecycle scripts run at once; `None` is twice the cores.
    pub concurrent_scripts: Option<NonZeroUsize>,
    /// Show what the scripts of dependencies write as they write it.
    pub foreground_scripts: bool,
    /// The program that runs scripts; `None` is the system's shell.
    pub script_shell: Option<PathBuf>,
    /// Run the scripts of dependencies without the sandbox. Flags alone can say so.
    pub no_sandbox: bool,
}

impl Install {
    /// Whether dev dependencies are left out.
    pub const fn omits_dev(&self) -> bool {
        self.omit.dev || self.production
    }

    /// Whether the lockfile must not change: `production` implies it, as in Bun.
    pub const fn is_frozen(&self) -> bool {
        self.frozen_lockfile || self.production
    }
}

/// Groups of dependencies that are left out of `node_modules`; the lockfile keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Omit {
    /// `devDependencies`.
    pub dev: bool,
    /// `optionalDependencies`.
    pub optional: bool,
    /// `peerDependencies` that nothing else wants.
    pub peer: bool,
}

/// The shape of `node_modules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Linker {
    /// What the project has, else by its kind (`bun-install` rules).
    #[default]
    Auto,
    /// Flat, as npm does.
    Hoisted,
    /// One folder per package and symlinks, as pnpm does.
    Isolated,
}

/// Whether projects share the folders of packages (isolated linker).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum GlobalStore {
    /// Each project has its own.
    #[default]
    Off,
    /// They do, but for projects with tools that refuse links which leave the project.
    WhereItWorks,
    /// They do.
    Always,
}

impl GlobalStore {
    /// Reads a setting that is on or off.
    pub const fn switch(on: bool) -> Self {
        if on { Self::WhereItWorks } else { Self::Off }
    }
}

/// How a file comes from the store to `node_modules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// The best that the two volumes allow.
    #[default]
    Auto,
    /// Another name of the store's file.
    Hardlink,
    /// A copy that shares blocks until written (clonefile, FICLONE).
    Clonefile,
    /// A copy.
    Copyfile,
    /// A symbolic link into the store.
    Symlink,
}

/// Platforms from `--os`, `--cpu` and `--libc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlatformOverride {
    /// Operating systems.
    pub os: Option<OsSet>,
    /// Processors.
    pub cpu: Option<CpuSet>,
    /// C libraries.
    pub libc: Option<LibcSet>,
}

impl PlatformOverride {
    /// Returns the platforms to install for on a machine that is `host`.
    pub fn applied_to(&self, host: Target) -> Target {
        Target {
            os: self.os.unwrap_or(host.os),
            cpu: self.cpu.unwrap_or(host.cpu),
            libc: self.libc.unwrap_or(host.libc),
        }
    }

    /// Whether nothing is overridden.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How long a version must have been published before it is picked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MinimumReleaseAge {
    /// The age; zero turns the rule off.
    pub age: Duration,
    /// Names (or `@scope/*`) for which the rule does not count.
    pub excludes: Vec<Box<str>>,
}

impl MinimumReleaseAge {
    /// Whether the rule counts for packages called `name`.
    pub fn applies_to(&self, name: &str) -> bool {
        !self.age.is_zero()
            && !self.excludes.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => **pattern == *name,
            })
    }
}

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Nothing.
    Silent,
    /// Errors.
    Error,
    /// Errors and warnings.
    Warn,
    /// The summary, too.
    #[default]
    Info,
    /// Everything.
    Verbose,
}
