//! Arguments of `deka install` and `deka ci`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use deka_config::{
    Backend, Linker, LogLevel, Omit, Overrides, PlatformOverride, cpu_set, libc_set, os_set,
    parse_duration,
};

use super::CommonArguments;
use super::adding::AddingArguments;
use super::foreign::Ignored;
use crate::diagnostic::Diagnostic;

pub(super) const AFTER_HELP: &str = "\
Examples:
  deka install                            Install what package.json and bun.lock say
  deka install --frozen-lockfile          Fail if bun.lock would have to change (also: deka ci)
  deka install --production               Without devDependencies, bun.lock as it is
  deka install --omit=dev --omit=optional Leave out two groups
  deka install --lockfile-only            Write bun.lock, install nothing
  deka install --os=linux --cpu=arm64     Install for another machine
  deka install --minimum-release-age=3d   Only versions that are three days old
  deka install react                      The same as deka add react

Flags of npm, pnpm and yarn for the same things are accepted.
A project's .npmrc may not set strict-ssl=false, a proxy, or a tokenHelper.
`deka help exit-codes` explains the exit codes.";

pub(super) const AFTER_HELP_CI: &str = "\
`deka ci` is `deka install --frozen-lockfile`; `deka help install` shows its flags with examples.

Examples:
  deka ci                                 Install exactly what bun.lock says
  deka ci --production                    The same without devDependencies

`deka help exit-codes` explains the exit codes.";

pub(super) const WHAT: &str = "What to install";
const CAUTION: &str = "Caution";
const NETWORK: &str = "Network and cache";
const LAYOUT: &str = "Layout and platform";
const SCRIPTS: &str = "Lifecycle scripts";
const OUTPUT: &str = "Output";

/// What an install can be told.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = WHAT)]
pub(crate) struct InstallArguments {
    #[command(flatten)]
    pub(crate) adding: AddingArguments,

    /// Leave out devDependencies, and do not change bun.lock
    #[arg(short, long, overrides_with = "no_production", alias = "prod", short_alias = 'P')]
    production: bool,
    #[arg(long, hide = true, alias = "no-prod")]
    no_production: bool,

    /// Leave out a group: dev, optional or peer
    #[arg(long, value_name = "group", value_delimiter = ',', value_parser = omit_words(), hide_possible_values = true)]
    omit: Vec<Omit>,
    #[arg(long, hide = true, value_delimiter = ',', value_parser = include_words())]
    include: Vec<Omit>,
    #[arg(long, hide = true, value_parser = ["prod", "production", "dev", "development"])]
    only: Option<String>,
    #[arg(long, hide = true)]
    also: Option<String>,
    #[arg(long, hide = true, alias = "ignore-optional")]
    no_optional: bool,

    // No doc comment, which would take `[main]` for a link.
    #[arg(
        short = 'F',
        long,
        value_name = "filter",
        aliases = ["workspace"],
        short_alias = 'w',
        help = "Only for these members of the workspaces: a name, ./folder, {folder}, web..., ...web, [main], !web"
    )]
    pub(crate) filter: Vec<String>,

    /// Fail if bun.lock would have to change
    #[arg(long, alias = "immutable", overrides_with = "no_frozen_lockfile")]
    frozen_lockfile: bool,
    #[arg(long, hide = true, alias = "no-immutable")]
    no_frozen_lockfile: bool,

    /// Write bun.lock and install nothing
    #[arg(long, alias = "package-lock-only", alias = "resolution-only")]
    lockfile_only: bool,

    /// Say what would be installed, and do nothing
    #[arg(long, overrides_with = "no_dry_run")]
    dry_run: bool,
    #[arg(long, hide = true)]
    no_dry_run: bool,

    /// Ask the registry again and install everything again
    #[arg(short, long, overrides_with = "no_force")]
    force: bool,
    #[arg(long, hide = true)]
    no_force: bool,

    /// Change neither package.json nor bun.lock
    #[arg(long, overrides_with = "save", alias = "pure-lockfile", alias = "no-lockfile")]
    no_save: bool,

    /// Change them, too
    #[arg(short = 'S', long, hide = true, overrides_with = "no_save")]
    save: bool,

    /// Do not run lifecycle scripts
    #[arg(long, overrides_with = "no_ignore_scripts", help_heading = CAUTION)]
    ignore_scripts: bool,
    #[arg(long, hide = true)]
    no_ignore_scripts: bool,

    /// Run the scripts of trusted dependencies without the sandbox
    #[arg(long, help_heading = CAUTION)]
    no_sandbox: bool,

    /// Only versions published at least this long ago: seconds, or 3d, 12h
    #[arg(long, value_name = "age", value_parser = parse_age, help_heading = CAUTION)]
    minimum_release_age: Option<Duration>,
    /// The same in days, as npm has it.
    #[arg(long, hide = true, value_parser = parse_age_in_days)]
    min_release_age: Option<Duration>,

    /// Packages for which that does not count
    #[arg(
        long,
        value_name = "name",
        value_delimiter = ',',
        help_heading = CAUTION,
        aliases = ["minimum-release-age-exclude", "min-release-age-exclude"]
    )]
    minimum_release_age_excludes: Option<Vec<String>>,

    /// Do not touch the network
    #[arg(long, help_heading = NETWORK)]
    offline: bool,

    /// Use cached package metadata whatever its age
    #[arg(long, help_heading = NETWORK, conflicts_with = "prefer_online")]
    prefer_offline: bool,
    #[arg(long, hide = true)]
    prefer_online: bool,

    /// Do not use cached package metadata
    #[arg(long, help_heading = NETWORK)]
    no_cache: bool,

    /// Keep store and cached metadata in this folder
    #[arg(
        long,
        value_name = "folder",
        value_hint = ValueHint::DirPath,
        help_heading = NETWORK,
        aliases = ["cache", "cache-folder"]
    )]
    cache_dir: Option<PathBuf>,

    /// The default registry
    #[arg(long, value_name = "url", value_hint = ValueHint::Url, help_heading = NETWORK)]
    registry: Option<String>,

    /// How many requests run at once [default: 64]
    #[arg(long, value_name = "number", value_parser = parse_count, help_heading = NETWORK)]
    network_concurrency: Option<NonZeroUsize>,
    #[arg(long, hide = true, value_parser = parse_count)]
    maxsockets: Option<NonZeroUsize>,
    #[arg(long, hide = true)]
    fetch_retries: Option<u32>,
    #[arg(long, hide = true, value_name = "milliseconds")]
    fetch_timeout: Option<u64>,

    /// Trust this certificate authority, in PEM, in place of the system's
    #[arg(long, value_name = "pem", help_heading = NETWORK)]
    ca: Vec<String>,

    /// The same, from a file
    #[arg(long, value_name = "file", value_hint = ValueHint::FilePath, help_heading = NETWORK)]
    cafile: Option<PathBuf>,
    #[arg(long, hide = true, overrides_with = "no_strict_ssl")]
    strict_ssl: bool,
    #[arg(long, hide = true)]
    no_strict_ssl: bool,
    #[arg(long, hide = true)]
    proxy: Option<String>,
    #[arg(long, hide = true)]
    https_proxy: Option<String>,
    #[arg(long, hide = true, alias = "no-proxy")]
    noproxy: Option<String>,

    /// The shape of `node_modules`: hoisted or isolated
    #[arg(
        long,
        value_name = "linker",
        value_parser = linker_words(),
        hide_possible_values = true,
        help_heading = LAYOUT,
        aliases = ["node-linker", "install-strategy"]
    )]
    linker: Option<Linker>,

    /// With the isolated linker: share the folders of packages among all projects
    #[arg(long, help_heading = LAYOUT, alias = "enable-global-virtual-store")]
    global_store: bool,

    /// How files get from the store to `node_modules`: hardlink, clonefile, copyfile or symlink
    #[arg(
        long,
        value_name = "backend",
        value_parser = backend_words(),
        hide_possible_values = true,
        help_heading = LAYOUT,
        alias = "package-import-method"
    )]
    backend: Option<Backend>,

    /// Install for this operating system: linux, darwin, win32 … or * for all
    #[arg(long, value_name = "name", value_delimiter = ',', help_heading = LAYOUT)]
    os: Vec<String>,

    /// Install for this processor: x64, arm64 … or * for all
    #[arg(long, value_name = "name", value_delimiter = ',', help_heading = LAYOUT)]
    cpu: Vec<String>,

    /// Install for this C library: glibc, musl, or * for both
    #[arg(long, value_name = "name", value_delimiter = ',', help_heading = LAYOUT)]
    libc: Vec<String>,

    /// Draw no progress line
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) no_progress: bool,
    #[arg(long, hide = true)]
    progress: bool,

    /// Print no summary
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) no_summary: bool,

    // Of pnpm; its other words change nothing here.
    #[arg(
        long,
        value_name = "how",
        help_heading = OUTPUT,
        help = "`ndjson`: print what happens as it happens, as one JSON object per line"
    )]
    reporter: Option<String>,

    /// Print the summary as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(crate) json: bool,

    /// How many lifecycle scripts run at once [default: twice the cores]
    #[arg(long, value_name = "number", help_heading = SCRIPTS)]
    concurrent_scripts: Option<usize>,

    /// Show what the scripts of dependencies write as they write it
    #[arg(long, overrides_with = "no_foreground_scripts", help_heading = SCRIPTS)]
    foreground_scripts: bool,
    #[arg(long, hide = true)]
    no_foreground_scripts: bool,

    /// Run scripts with this program in place of sh
    #[arg(long, value_name = "program", value_hint = ValueHint::ExecutablePath, help_heading = SCRIPTS)]
    script_shell: Option<PathBuf>,

    /// What `deka audit` is told, and npm's install.
    #[arg(long, hide = true, value_name = "level")]
    pub(crate) audit_level: Option<String>,

    /// Yarn's `--mode=skip-build` and `--mode=update-lockfile`.
    #[arg(long, hide = true, value_parser = ["skip-build", "update-lockfile"])]
    mode: Option<String>,

    #[arg(long, hide = true)]
    no_verify: bool,

    /// Work on what is there for all projects, not on the project
    #[arg(short, long)]
    pub(crate) global: bool,

    // Known, and refused: ignoring them would do something else than was asked.
    #[arg(short, long, hide = true)]
    yarn: bool,
    #[arg(long, hide = true)]
    before: Option<String>,

    #[arg(long = "no-env-file", hide = true)]
    _no_env_file: bool,

    #[command(flatten)]
    _ignored: Ignored,
}

impl InstallArguments {
    /// Whether what happens is printed for programs as it happens.
    pub(crate) fn prints_events(&self) -> bool {
        self.reporter.as_deref() == Some("ndjson")
    }

    /// Whether stdout is for programs.
    pub(crate) fn is_for_programs(&self) -> bool {
        self.json || self.prints_events()
    }

    /// Fails for what other package managers do under this name and deka cannot do yet.
    pub(crate) fn refuse_what_is_not_there(&self) -> Result<(), Diagnostic> {
        let refused = [
            (self.adding.analyze, "--analyze", "deka does not read source files"),
            (self.yarn, "--yarn", "deka writes bun.lock only"),
        ];
        if let Some((_, flag, reason)) = refused.iter().find(|(is_given, ..)| *is_given) {
            let mut diagnostic = Diagnostic::usage(format!("`{flag}` is not supported"));
            diagnostic.causes.push((*reason).to_owned());
            return Err(diagnostic);
        }
        if self.before.is_some() {
            return Err(Diagnostic::usage("`--before` is not supported")
                .hint("Use `--minimum-release-age=<age>`, such as `3d`"));
        }
        Ok(())
    }

    /// Returns what has to be said about flags that change nothing.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &'static str> {
        self.no_verify
            .then_some(
                "`--no-verify` changes nothing: deka verifies the integrity of every package",
            )
            .into_iter()
    }

    /// Returns what the flags say about settings.
    pub(crate) fn overrides(&self, common: &CommonArguments) -> Result<Overrides, Diagnostic> {
        let either = |on: bool, off: bool| match (on, off) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        let skips_build = self.mode.as_deref() == Some("skip-build");
        let only_updates_lockfile = self.mode.as_deref() == Some("update-lockfile");
        let mut omit = self.omit.iter().copied().fold(Omit::default(), Omit::union);
        omit.dev |= self.only.as_deref().is_some_and(|only| only.starts_with("prod"));
        omit.optional |= self.no_optional;
        let mut include = self.include.iter().copied().fold(Omit::default(), Omit::union);
        include.dev |= self.also.as_deref().is_some_and(|also| also.starts_with("dev"));
        Ok(Overrides {
            bunfig: common.config.clone(),
            user_npmrc: common.userconfig.clone(),
            global_npmrc: common.globalconfig.clone(),
            registry: self.registry.clone(),
            scope_registries: Vec::new(),
            cache_dir: self.cache_dir.clone(),
            no_cache: self.no_cache,
            ca: self.ca.clone(),
            cafile: self.cafile.clone(),
            strict_ssl: either(self.strict_ssl, self.no_strict_ssl),
            proxy: self.proxy.clone(),
            https_proxy: self.https_proxy.clone(),
            no_proxy: self.noproxy.clone(),
            network_concurrency: self.network_concurrency,
            connections_per_host: self.maxsockets,
            fetch_retries: self.fetch_retries,
            fetch_timeout: self.fetch_timeout.map(Duration::from_millis),
            offline: self.offline,
            prefer_offline: self.prefer_offline,
            prefer_online: self.prefer_online,
            production: either(self.production, self.no_production),
            frozen_lockfile: either(self.frozen_lockfile, self.no_frozen_lockfile),
            lockfile_only: self.lockfile_only || only_updates_lockfile,
            dry_run: self.dry_run,
            force: self.force,
            ignore_scripts: either(self.ignore_scripts || skips_build, self.no_ignore_scripts),
            save: either(self.save, self.no_save),
            no_lockfile: false,
            omit,
            include,
            linker: self.linker,
            backend: self.backend,
            platform: self.platform()?,
            minimum_release_age: self.minimum_release_age.or(self.min_release_age),
            minimum_release_age_excludes: self.minimum_release_age_excludes.clone(),
            foreground_scripts: either(self.foreground_scripts, self.no_foreground_scripts),
            script_shell: self.script_shell.clone(),
            no_sandbox: self.no_sandbox,
            global_store: self.global_store,
            // As with Bun, zero says nothing.
            concurrent_scripts: self.concurrent_scripts.and_then(NonZeroUsize::new),
            log_level: log_level(common)?,
        })
    }

    fn platform(&self) -> Result<PlatformOverride, Diagnostic> {
        fn set<'w, T>(
            flag: &str,
            words: &'w [String],
            names: &[&str],
            parse: impl FnOnce(Vec<&'w str>) -> Result<T, &'w str>,
        ) -> Result<Option<T>, Diagnostic> {
            if words.is_empty() {
                return Ok(None);
            }
            parse(words.iter().map(String::as_str).collect()).map(Some).map_err(|word| {
                Diagnostic::usage(format!("Invalid value `{word}` for `{flag}`"))
                    .detail("valid", format!("*, {}", names.join(", ")))
            })
        }
        Ok(PlatformOverride {
            os: set("--os", &self.os, deka_manifest::OsSet::NAMES, os_set)?,
            cpu: set("--cpu", &self.cpu, deka_manifest::CpuSet::NAMES, cpu_set)?,
            libc: set("--libc", &self.libc, deka_manifest::LibcSet::NAMES, libc_set)?,
        })
    }
}

fn log_level(common: &CommonArguments) -> Result<Option<LogLevel>, Diagnostic> {
    if common.silent {
        return Ok(Some(LogLevel::Silent));
    }
    if common.quiet {
        return Ok(Some(LogLevel::Warn));
    }
    if common.verbose {
        return Ok(Some(LogLevel::Verbose));
    }
    let Some(text) = &common.loglevel else { return Ok(None) };
    LogLevel::parse(text).map(Some).ok_or_else(|| {
        Diagnostic::usage(format!("Invalid value `{text}` for `--loglevel`"))
            .detail("valid", "silent, error, warn, info, verbose")
    })
}

fn parse_count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a number of at least 1")
}

/// Accepts some words and offers `shown` of them to shells and in errors.
fn words<T: Clone + Send + Sync + 'static>(
    shown: &'static [&'static str],
    hidden: &'static [&'static str],
    parse: impl Fn(&str) -> Option<T> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T> {
    let shown = shown.iter().map(|word| PossibleValue::new(*word));
    let hidden = hidden.iter().map(|word| PossibleValue::new(*word).hide(true));
    PossibleValuesParser::new(shown.chain(hidden))
        .try_map(move |word| parse(&word).ok_or("it is not known"))
}

pub(super) fn omit_words() -> impl TypedValueParser<Value = Omit> {
    words(&["dev", "optional", "peer"], &[], Omit::parse)
}

/// The words of [`omit_words`] and `prod`, which is never left out.
fn include_words() -> impl TypedValueParser<Value = Omit> {
    words(&["prod", "dev", "optional", "peer"], &["production"], |word| {
        if word.starts_with("prod") { Some(Omit::default()) } else { Omit::parse(word) }
    })
}

fn linker_words() -> impl TypedValueParser<Value = Linker> {
    words(Linker::NAMES, &["nested", "shallow", "linked"], Linker::parse)
}

fn backend_words() -> impl TypedValueParser<Value = Backend> {
    const FOREIGN: &[&str] = &["clonefile_each_dir", "clone", "clone-or-copy", "copy"];
    words(Backend::NAMES, FOREIGN, Backend::parse)
}

fn parse_age(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text, Duration::from_secs(1))
        .ok_or("expected a number of seconds, or a duration such as `3d` or `12h`")
}

fn parse_age_in_days(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text, Duration::from_hours(24))
        .ok_or("expected a number of days, or a duration such as `3d` or `12h`")
}
