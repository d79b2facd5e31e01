//! npm's keys, from an `.npmrc` or from `npm_config_*` variables.
//!
//! Keys that deka does not know are left alone: they may be another tool's.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::credentials::{Territory, decode_password};
use crate::draft::Draft;
use crate::expand::{expand, sounds_secret};
use crate::parse::{boolean, cpu_set, libc_set, os_set, parse_duration, words};
use crate::proxy::ProxyUrl;
use crate::{
    Backend, Config, Credentials, Layer, Linker, LogLevel, NoProxy, Omit, Origin, Pem, Secret, ini,
};

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Writes what an `.npmrc` says over `draft`.
pub(crate) fn apply_file(draft: &mut Draft<'_>, layer: Layer, file: &Path, text: &str) {
    let shared: Arc<Path> = file.into();
    let base = file.parent().unwrap_or(file);
    let mut unscoped = Unscoped::default();
    for entry in ini::parse(text) {
        // Shown as it is written: a variable in it may be a secret.
        let origin = Origin {
            layer,
            file: Some(Arc::clone(&shared)),
            line: Some(entry.line),
            key: shown_key(&entry.key),
        };
        let Some(key) = draft.expand(&entry.key, &origin, false) else { continue };
        let mut setting = Setting { draft, key: &key, values: &entry.values, origin, base };
        setting.pass_to_scripts();
        setting.apply(&mut unscoped);
    }
    unscoped.bind(draft);
}

/// Writes what `npm_config_*` variables say over `draft`.
pub(crate) fn apply_variables(draft: &mut Draft<'_>) {
    let environment = draft.environment;
    let mut variables: Vec<_> = environment
        .variables()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name, key_of_variable(name)?, value)))
        .collect();
    // Two spellings of one key must not take turns: `npm_config_x` wins over `NPM_CONFIG_X`.
    variables.sort_unstable_by_key(|(name, ..)| *name);
    let mut unscoped = Unscoped::default();
    for (name, key, value) in variables {
        if OF_NPM_ITSELF.contains(&key.as_str()) {
            continue;
        }
        let origin = Origin::variable(name);
        let base = environment.working_folder();
        let values: Vec<_> = value.split("\n\n").map(ToOwned::to_owned).collect();
        let mut setting = Setting { draft, key: &key, values: &values, origin, base };
        setting.apply(&mut unscoped);
    }
    unscoped.bind(draft);
}

/// What npm puts in the environment of every script for its own sake. deka may well be started from
/// such a script, and its cache must not move because of that.
const OF_NPM_ITSELF: [&str; 3] = ["cache", "user-agent", "prefix"];

/// Returns the key that a variable such as `NPM_CONFIG_STRICT_SSL` stands for.
pub(crate) fn key_of_variable(name: &str) -> Option<String> {
    const PREFIX: &str = "npm_config_";
    let (prefix, key) = name.split_at_checked(PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(PREFIX) || key.is_empty() {
        return None;
    }
    if key.starts_with("//") {
        return Some(key.to_owned());
    }
    let start = key.len() - key.trim_start_matches('_').len();
    Some(format!("{}{}", &key[..start], key[start..].replace('_', "-")).to_lowercase())
}

/// Whether a text holds a web address with a user, and so maybe with a password.
pub(crate) fn names_user(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        rest.split(['/', '?', '#', ' ']).next().is_some_and(|authority| authority.contains('@'))
    })
}

/// A key as it may be shown: somebody may have put a whole URL with a password in front of `:`.
pub(crate) fn shown_key(key: &str) -> Box<str> {
    match key.strip_prefix("//").and_then(|rest| rest.split_once('@')) {
        Some((before, after)) if !before.contains('/') => format!("//***@{after}").into(),
        _ => key.into(),
    }
}

/// Credentials without an address (`_authToken = …`). They belong to the default registry as it is
/// known when the source that holds them has been read, so that a project's `registry` does not get
/// the user's token.
#[derive(Default)]
struct Unscoped {
    credentials: Option<(Credentials, Origin)>,
}

impl Unscoped {
    fn add(&mut self, credentials: Credentials, origin: &Origin) {
        let (known, _) =
            self.credentials.get_or_insert_with(|| (Credentials::default(), origin.clone()));
        known.overlay(credentials);
    }

    fn bind(self, draft: &mut Draft<'_>) {
        if let Some((credentials, origin)) = self.credentials {
            let url = draft.config.registries.default_registry().url().clone();
            draft.add_credentials(Territory::of_registry(&url), credentials, &origin);
        }
    }
}

/// One key with its values on the way into the draft.
struct Setting<'d, 'e, 's> {
    draft: &'d mut Draft<'e>,
    key: &'s str,
    values: &'s [String],
    origin: Origin,
    /// Where relative paths start.
    base: &'s Path,
}

impl Setting<'_, '_, '_> {
    /// Notes what scripts get to see, under npm's names. What belongs to one registry or scope they do
    /// not see, nor anything that may be secret.
    fn pass_to_scripts(&mut self) {
        /// What is about npm's own folders and files, or says who somebody is.
        const HELD_BACK: &[&str] = &[
            "cache",
            "cert",
            "email",
            "globalconfig",
            "otp",
            "prefix",
            "tokenHelper",
            "user-agent",
            "userconfig",
            "username",
        ];
        let key = self.key;
        if key.starts_with(['/', '@', '_']) || HELD_BACK.contains(&key) || sounds_secret(key) {
            return;
        }
        let expanded = self.values.iter().map(|value| {
            expand(value, self.draft.environment, |variable| !sounds_secret(variable)).ok()
        });
        let Some(values) = expanded.collect::<Option<Vec<_>>>() else { return };
        let value = values.join("\n\n");
        if value.contains('\0') || names_user(&value) {
            return;
        }
        let name = format!("npm_config_{}", key.replace('-', "_").to_lowercase());
        self.draft.config.script_variables.insert(name.into(), Secret::new(value));
    }

    fn apply(&mut self, unscoped: &mut Unscoped) {
        if let Some((territory, attribute)) =
            self.key.strip_prefix("//").and_then(|_| self.key.rsplit_once(':'))
        {
            self.scoped(territory, attribute);
            return;
        }
        if let Some((scope, "registry")) = self.key.split_once(':')
            && scope.starts_with('@')
        {
            let text = self.text(false);
            self.draft.set_registry(Some(scope), text.as_deref(), &self.origin);
            return;
        }
        match self.key {
            "registry" => {
                let text = self.text(false);
                self.draft.set_registry(None, text.as_deref(), &self.origin);
            }
            "_authToken" | "_authtoken" | "_auth" | "username" | "_password" => {
                if let Some(text) = self.text(true) {
                    unscoped.add(credentials(self.key, &text), &self.origin);
                }
            }
            "tokenHelper" => self.token_helper(),
            "proxy" | "http-proxy" | "https-proxy" => self.proxy(),
            "noproxy" | "no-proxy" => {
                if let Some(list) = self.list() {
                    let hosts = NoProxy::parse(&list.join(","));
                    self.set("noproxy", |config| config.network.proxies.except = hosts);
                }
            }
            "strict-ssl" => self.strict_ssl(),
            "ca" => self.authorities(),
            "cafile" => {
                if let Some(file) = self.path() {
                    self.set("cafile", |config| config.network.authorities = vec![Pem::File(file)]);
                }
            }
            "cert" | "key" => self.general_certificate(),
            "cache" => {
                if let Some(folder) = self.path() {
                    // The folder is npm's as well, so deka keeps to a corner of it.
                    self.set("cache", |config| config.cache.folder = folder.join("deka"));
                }
            }
            "user-agent" => {
                if let Some(text) = self.text(false) {
                    self.set("user-agent", |config| config.network.user_agent = Some(text.into()));
                }
            }
            "network-concurrency" => self.count(|config, count| config.network.concurrency = count),
            "maxsockets" => {
                self.count(|config, count| config.network.connections_per_host = Some(count));
            }
            "child-concurrency" => {
                self.count(|config, count| config.install.concurrent_scripts = Some(count));
            }
            "fetch-retries" => {
                if let Some(count) = self.number() {
                    self.set("fetch-retries", |config| config.network.retries.count = count);
                }
            }
            "fetch-retry-factor" => self.factor(),
            "fetch-retry-mintimeout" => {
                self.duration(MILLISECOND, |config, wait| config.network.retries.minimum = wait);
            }
            "fetch-retry-maxtimeout" => {
                self.duration(MILLISECOND, |config, wait| config.network.retries.maximum = wait);
            }
            "fetch-timeout" => {
                self.duration(MILLISECOND, |config, wait| config.network.timeouts.request = wait);
            }
            "offline" => self.switch(|config, on| config.network.offline = on),
            "prefer-offline" => self.switch(|config, on| config.network.prefer_offline = on),
            "prefer-online" => self.switch(|config, on| config.network.prefer_online = on),
            "ignore-scripts" => self.switch(|config, on| config.install.ignore_scripts = on),
            "foreground-scripts" => {
                self.switch(|config, on| config.install.foreground_scripts = on);
            }
            "script-shell" => {
                if let Some(text) = self.text(false) {
                    self.set("script-shell", |config| {
                        config.install.script_shell = Some(text.as_str().into());
                    });
                }
            }
            "dry-run" => self.switch(|config, on| config.install.dry_run = on),
            "force" => self.switch(|config, on| config.install.force = on),
            "save-exact" => self.switch(|config, on| config.install.save_exact = on),
            "frozen-lockfile" => self.switch(|config, on| config.install.frozen_lockfile = on),
            "package-lock-only" | "lockfile-only" => {
                self.switch(|config, on| config.install.lockfile_only = on);
            }
            "omit" => self.omit(),
            "include" => self.include(),
            "production" => self.switch(|config, on| config.install.omit.dev = on),
            "optional" => self.switch(|config, on| config.install.omit.optional = !on),
            "only" => self.only(),
            "link-workspace-packages" => {
                // pnpm also knows `deep`.
                if let Some(text) = self.text(false) {
                    let on = text == "deep" || boolean(&text).unwrap_or(true);
                    self.set("link-workspace-packages", |config| {
                        config.install.link_workspace_packages = Some(on);
                    });
                }
            }
            "install-strategy" | "node-linker" => {
                self.choice(Linker::parse, "`hoisted` or `isolated`", |config, linker| {
                    config.install.linker = linker;
                });
            }
            "package-import-method" => self.choice(
                Backend::parse,
                "`auto`, `hardlink`, `copy` or `clone`",
                |config, backend| config.install.backend = backend,
            ),
            "loglevel" => {
                self.choice(LogLevel::parse, "a level such as `warn`", |config, level| {
                    config.log_level = level;
                });
            }
            "hoist" => self.hoist(),
            "shamefully-hoist" => self.shamefully_hoist(),
            "hoist-pattern" => {
                if let Some(list) = self.patterns() {
                    self.set("hoist-pattern", |config| config.install.hoist_pattern = Some(list));
                }
            }
            "public-hoist-pattern" => {
                if let Some(list) = self.patterns() {
                    self.set("public-hoist-pattern", |config| {
                        config.install.public_hoist_pattern = Some(list);
                    });
                }
            }
            // npm's key counts days, pnpm's minutes.
            "min-release-age" => self.release_age(DAY),
            "minimum-release-age" => self.release_age(MINUTE),
            "min-release-age-exclude"
            | "minimum-release-age-exclude"
            | "minimum-release-age-excludes" => {
                if let Some(list) = self.patterns() {
                    self.set("minimum-release-age-excludes", |config| {
                        config.install.minimum_release_age.excludes = list;
                    });
                }
            }
            "os" | "cpu" | "libc" => self.platform(),
            _ => {}
        }
    }

    /// Takes `//host/path/:attribute`.
    fn scoped(&mut self, territory: &str, attribute: &str) {
        let is_known = matches!(
            attribute,
            "_authToken"
                | "_auth"
                | "username"
                | "_password"
                | "certfile"
                | "keyfile"
                | "cert"
                | "key"
        );
        if attribute == "tokenHelper" {
            self.token_helper();
            return;
        }
        if !is_known {
            return;
        }
        let Some(parsed) = Territory::parse(territory) else {
            self.warn("what stands before the last `:` is no `//host/path/`");
            return;
        };
        match attribute {
            "certfile" | "keyfile" => {
                let Some(file) = self.path() else { return };
                let half = self.draft.certificate_of(parsed);
                let part =
                    if attribute == "certfile" { &mut half.certificate } else { &mut half.key };
                *part = Some(Pem::File(file));
            }
            "cert" | "key" => {
                let Some(text) = self.text(true) else { return };
                let half = self.draft.certificate_of(parsed);
                let part = if attribute == "cert" { &mut half.certificate } else { &mut half.key };
                *part = Some(pem_text(&text));
            }
            _ => {
                let Some(text) = self.text(true) else { return };
                let credentials = credentials(attribute, &text);
                self.draft.add_credentials(parsed, credentials, &self.origin);
                let name = self.origin.key.clone();
                self.set(&name, |_| ());
            }
        }
    }

    fn token_helper(&mut self) {
        self.warn(if self.origin.layer.is_of_project() {
            "a project may not start a program to get a token"
        } else {
            "deka does not start programs to get a token; use `_authToken`"
        });
    }

    fn strict_ssl(&mut self) {
        match self.boolean() {
            Some(false) if self.origin.layer.is_of_project() => {
                self.warn("a project may not turn off the check of certificates");
            }
            Some(on) => self.set("strict-ssl", |config| config.network.strict_ssl = on),
            None => {}
        }
    }

    fn proxy(&mut self) {
        if self.origin.layer.is_of_project() {
            self.warn("a project may not choose the proxy");
            return;
        }
        let Some(text) = self.text(true) else { return };
        set_proxy(
            self.draft,
            self.key == "https-proxy",
            self.key != "https-proxy",
            &text,
            &self.origin,
        );
    }

    fn authorities(&mut self) {
        let mut texts = Vec::new();
        for value in self.values {
            match self.draft.expand(value, &self.origin, false) {
                Some(text) if matches!(text.as_str(), "" | "null") => {}
                Some(text) => texts.push(pem_text(&text)),
                None => return,
            }
        }
        self.set("ca", |config| config.network.authorities = texts);
    }

    fn general_certificate(&mut self) {
        let Some(text) = self.text(true) else { return };
        let value = (!matches!(text.as_str(), "" | "null")).then(|| pem_text(&text));
        let half = &mut self.draft.general_certificate;
        *(if self.key == "cert" { &mut half.certificate } else { &mut half.key }) = value;
        let name = self.key;
        self.set(name, |_| ());
    }

    fn omit(&mut self) {
        if let Some(omit) = self.groups() {
            self.set("omit", |config| config.install.omit = omit);
        }
    }

    fn include(&mut self) {
        if let Some(include) = self.groups() {
            self.set("omit", |config| {
                config.install.omit = config.install.omit.without(include);
            });
        }
    }

    /// npm's older way to write `omit=dev`.
    fn only(&mut self) {
        if self.text(false).is_some_and(|text| text.starts_with("prod")) {
            self.set("omit", |config| config.install.omit.dev = true);
        }
    }

    fn hoist(&mut self) {
        if self.boolean() == Some(false) {
            self.set("hoist-pattern", |config| config.install.hoist_pattern = Some(Vec::new()));
        }
    }

    fn shamefully_hoist(&mut self) {
        if self.boolean() == Some(true) {
            self.set("public-hoist-pattern", |config| {
                config.install.public_hoist_pattern = Some(vec!["*".into()]);
            });
        }
    }

    /// Reads groups of dependencies; `prod` can be named but changes nothing.
    fn groups(&mut self) -> Option<Omit> {
        let mut groups = Omit::default();
        for word in self.list()?.iter().flat_map(|value| words(value)) {
            match Omit::parse(word) {
                Some(group) => groups = groups.union(group),
                None if matches!(word, "prod" | "null") => {}
                None => {
                    self.warn("expected `dev`, `optional` or `peer`");
                    return None;
                }
            }
        }
        Some(groups)
    }

    fn release_age(&mut self, unit: Duration) {
        let Some(text) = self.text(false) else { return };
        if text == "null" {
            return;
        }
        match parse_duration(&text, unit) {
            Some(age) => self.set("minimum-release-age", |config| {
                config.install.minimum_release_age.age = age;
            }),
            None => self.warn("expected a duration such as `3d` or `12h`"),
        }
    }

    fn platform(&mut self) {
        let Some(list) = self.list() else { return };
        let all: Vec<&str> = list.iter().flat_map(|value| words(value)).collect();
        if all.is_empty() || all == ["null"] {
            return;
        }
        let result = match self.key {
            "os" => os_set(all).map(|set| {
                self.set("os", |config| config.install.platform.os = Some(set));
            }),
            "cpu" => cpu_set(all).map(|set| {
                self.set("cpu", |config| config.install.platform.cpu = Some(set));
            }),
            _ => libc_set(all).map(|set| {
                self.set("libc", |config| config.install.platform.libc = Some(set));
            }),
        };
        if let Err(word) = result {
            let problem = format!("`{word}` is not known");
            self.warn(&problem);
        }
    }

    fn factor(&mut self) {
        let Some(text) = self.text(false) else { return };
        match text.parse::<f64>() {
            Ok(factor) if (1.0..=1000.0).contains(&factor) => {
                self.set("fetch-retry-factor", |config| config.network.retries.factor = factor);
            }
            _ => self.warn("expected a number of at least 1"),
        }
    }

    fn switch(&mut self, change: impl FnOnce(&mut Config, bool)) {
        if let Some(on) = self.boolean() {
            let name = self.key;
            self.set(name, |config| change(config, on));
        }
    }

    fn count(&mut self, change: impl FnOnce(&mut Config, NonZeroUsize)) {
        let Some(text) = self.text(false) else { return };
        match text.parse() {
            Ok(count) => {
                let name = self.key;
                self.set(name, |config| change(config, count));
            }
            Err(_) => self.warn("expected a number of at least 1"),
        }
    }

    fn number(&mut self) -> Option<u32> {
        let number = self.text(false)?.parse().ok();
        if number.is_none() {
            self.warn("expected a number");
        }
        number
    }

    fn duration(&mut self, unit: Duration, change: impl FnOnce(&mut Config, Duration)) {
        let Some(text) = self.text(false) else { return };
        match parse_duration(&text, unit) {
            Some(duration) => {
                let name = self.key;
                self.set(name, |config| change(config, duration));
            }
            None => self.warn("expected a number of milliseconds"),
        }
    }

    fn choice<T>(
        &mut self,
        parse: impl FnOnce(&str) -> Option<T>,
        expected: &str,
        change: impl FnOnce(&mut Config, T),
    ) {
        let Some(text) = self.text(false) else { return };
        match parse(&text) {
            Some(value) => {
                let name = self.key;
                self.set(name, |config| change(config, value));
            }
            None => self.warn(&format!("expected {expected}")),
        }
    }

    fn boolean(&mut self) -> Option<bool> {
        let text = self.text(false)?;
        let value = boolean(&text);
        if value.is_none() {
            self.warn("expected `true` or `false`");
        }
        value
    }

    /// Returns the last value, expanded.
    fn text(&mut self, is_credential: bool) -> Option<String> {
        let value = self.values.last()?;
        self.draft.expand(value, &self.origin, is_credential)
    }

    /// Returns all values, expanded.
    fn list(&mut self) -> Option<Vec<String>> {
        self.values.iter().map(|value| self.draft.expand(value, &self.origin, false)).collect()
    }

    fn patterns(&mut self) -> Option<Vec<Box<str>>> {
        let list = self.list()?;
        Some(list.iter().flat_map(|value| words(value)).map(Into::into).collect())
    }

    /// Returns a path, absolute; none for an empty one and for `null`.
    fn path(&mut self) -> Option<PathBuf> {
        let text = self.text(false)?;
        (!matches!(text.as_str(), "" | "null")).then(|| self.draft.absolute(&text, self.base))
    }

    fn set(&mut self, name: &str, change: impl FnOnce(&mut Config)) {
        self.draft.set(name, &self.origin, change);
    }

    fn warn(&mut self, problem: &str) {
        self.draft.warn(&self.origin, problem);
    }
}

fn credentials(attribute: &str, text: &str) -> Credentials {
    let mut credentials = Credentials::default();
    match attribute {
        "_auth" => credentials.basic = Some(Secret::new(text)),
        "username" => credentials.username = Some(Secret::new(text)),
        "_password" => credentials.password = Some(decode_password(text)),
        _ => credentials.token = Some(Secret::new(text)),
    }
    credentials
}

/// Makes line ends of the `\n` that npm's keys write for them.
pub(crate) fn pem_text(text: &str) -> Pem {
    Pem::Text(Secret::new(text.replace("\\n", "\n")))
}

/// Writes a proxy, or with an empty text, `false` or `null` none, over `draft`.
pub(crate) fn set_proxy(
    draft: &mut Draft<'_>,
    for_https: bool,
    for_http: bool,
    text: &str,
    origin: &Origin,
) {
    let proxy = if matches!(text, "" | "false" | "null") {
        None
    } else {
        let with_scheme =
            if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        match url::Url::parse(&with_scheme) {
            Ok(url) if matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") => {
                Some(ProxyUrl(url))
            }
            _ => {
                draft.warn(origin, "it is not the URL of an HTTP or SOCKS5 proxy");
                return;
            }
        }
    };
    if for_https {
        let proxy = proxy.clone();
        draft.set("https-proxy", origin, |config| config.network.proxies.https = proxy);
    }
    if for_http {
        draft.set("proxy", origin, |config| config.network.proxies.http = proxy);
    }
}
