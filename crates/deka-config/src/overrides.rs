//! What the flags of the command line say.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Backend, Linker, LogLevel, Omit, PlatformOverride};

/// Settings given by flags, each stronger than all other sources. `None` and `false` mean that the
/// flag was not given.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--config`: the `bunfig.toml` to read in place of the project's.
    pub bunfig: Option<PathBuf>,
    /// `--userconfig`: the file to read in place of `~/.npmrc`.
    pub user_npmrc: Option<PathBuf>,
    /// `--globalconfig`: the file to read in place of npm's global one.
    pub global_npmrc: Option<PathBuf>,
    /// `--registry`.
    pub registry: Option<String>,
    /// `--@scope:registry=…` of npm.
    pub scope_registries: Vec<(String, String)>,
    /// `--cache-dir`.
    pub cache_dir: Option<PathBuf>,
    /// `--no-cache`.
    pub no_cache: bool,
    /// `--ca`.
    pub ca: Vec<String>,
    /// `--cafile`.
    pub cafile: Option<PathBuf>,
    /// `--strict-ssl`, `--no-strict-ssl`.
    pub strict_ssl: Option<bool>,
    /// `--proxy`.
    pub proxy: Option<String>,
    /// `--https-proxy`.
    pub https_proxy: Option<String>,
    /// `--noproxy`.
    pub no_proxy: Option<String>,
    /// `--network-concurrency`.
    pub network_concurrency: Option<NonZeroUsize>,
    /// `--maxsockets`.
    pub connections_per_host: Option<NonZeroUsize>,
    /// `--fetch-retries`.
    pub fetch_retries: Option<u32>,
    /// `--fetch-timeout`.
    pub fetch_timeout: Option<Duration>,
    /// `--offline`.
    pub offline: bool,
    /// `--prefer-offline`.
    pub prefer_offline: bool,
    /// `--prefer-online`.
    pub prefer_online: bool,
    /// `--production`, or `Some(false)` for `--no-production`.
    pub production: Option<bool>,
    /// `--frozen-lockfile`, or `Some(false)` for `--no-frozen-lockfile`.
    pub frozen_lockfile: Option<bool>,
    /// `--lockfile-only`.
    pub lockfile_only: bool,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--force`.
    pub force: bool,
    /// `--ignore-scripts`, or `Some(false)` for `--no-ignore-scripts`.
    pub ignore_scripts: Option<bool>,
    /// `--save`, or `Some(false)` for `--no-save`.
    pub save: Option<bool>,
    /// `--no-lockfile`.
    pub no_lockfile: bool,
    /// `--omit`: added to what the weaker sources leave out.
    pub omit: Omit,
    /// `--include`: taken from what is left out, by flags too.
    pub include: Omit,
    /// `--linker`.
    pub linker: Option<Linker>,
    /// `--backend`.
    pub backend: Option<Backend>,
    /// `--os`, `--cpu`, `--libc`.
    pub platform: PlatformOverride,
    /// `--minimum-release-age`.
    pub minimum_release_age: Option<Duration>,
    /// `--minimum-release-age-excludes`: replaces the weaker sources' list.
    pub minimum_release_age_excludes: Option<Vec<String>>,
    /// `--foreground-scripts`, or `Some(false)` for `--no-foreground-scripts`.
    pub foreground_scripts: Option<bool>,
    /// `--script-shell`.
    pub script_shell: Option<PathBuf>,
    /// `--no-sandbox`.
    pub no_sandbox: bool,
    /// `--global-store`.
    pub global_store: bool,
    /// `--concurrent-scripts`.
    pub concurrent_scripts: Option<NonZeroUsize>,
    /// `--silent`, `--quiet`, `--verbose`, `--loglevel`.
    pub log_level: Option<LogLevel>,
}
