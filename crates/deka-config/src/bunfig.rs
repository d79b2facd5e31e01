//! The `[install]` part of a `bunfig.toml`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::credentials::Territory;
use crate::draft::Draft;
use crate::npmrc::pem_text;
use crate::parse::parse_duration;
use crate::{
    Backend, Config, ConfigError, Credentials, GlobalStore, Layer, Linker, LogLevel, Origin, Pem,
    Registry, Secret,
};

/// Writes what a `bunfig.toml` says over `draft`.
pub(crate) fn apply_file(
    draft: &mut Draft<'_>,
    layer: Layer,
    file: &Path,
    text: &str,
) -> Result<(), ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = DeTable::parse(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        let message = error.message().to_owned();
        ConfigError::Toml { file: file.to_owned(), line, column, message }
    })?;
    let mut reader = Reader { draft, layer, file: file.into(), text };
    for (key, value) in root.get_ref() {
        match key.get_ref().as_ref() {
            "logLevel" => reader.log_level("logLevel", value),
            "install" => {
                if let Some(table) = reader.table("install", value) {
                    reader.install(table);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns line and column of a byte, counted from one.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |place| place + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

type Value<'a> = Spanned<DeValue<'a>>;

struct Reader<'d, 'e, 't> {
    draft: &'d mut Draft<'e>,
    layer: Layer,
    file: Arc<Path>,
    text: &'t str,
}

impl Reader<'_, '_, '_> {
    fn install(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let key = key.get_ref().as_ref();
            let name = format!("install.{key}");
            match key {
                "registry" => self.registry(&name, None, value),
                "scopes" => {
                    for (scope, value) in self.table(&name, value).into_iter().flatten() {
                        let scope = scope.get_ref().as_ref();
                        self.registry(&format!("{name}.{scope}"), Some(scope), value);
                    }
                }
                "ca" => {
                    if let Some(texts) = self.texts(&name, value) {
                        let texts = texts.iter().map(|text| pem_text(text)).collect();
                        self.set("ca", &name, value, |config| config.network.authorities = texts);
                    }
                }
                "cafile" => {
                    if let Some(file) = self.path(&name, value) {
                        self.set("cafile", &name, value, |config| {
                            config.network.authorities = vec![Pem::File(file)];
                        });
                    }
                }
                "cache" => self.cache(&name, value),
                "dev" => {
                    self.switch("omit", &name, value, |config, on| config.install.omit.dev = !on);
                }
                "optional" => self.switch("omit", &name, value, |config, on| {
                    config.install.omit.optional = !on;
                }),
                "peer" => {
                    self.switch("omit", &name, value, |config, on| config.install.omit.peer = !on);
                }
                "production" => self.switch("production", &name, value, |config, on| {
                    config.install.production = on;
                }),
                "frozenLockfile" => self.switch("frozen-lockfile", &name, value, |config, on| {
                    config.install.frozen_lockfile = on;
                }),
                "dryRun" => {
                    self.switch("dry-run", &name, value, |config, on| config.install.dry_run = on);
                }
                "ignoreScripts" => self.switch("ignore-scripts", &name, value, |config, on| {
                    config.install.ignore_scripts = on;
                }),
                "exact" => self.switch("save-exact", &name, value, |config, on| {
                    config.install.save_exact = on;
                }),
                "offline" => {
                    self.switch("offline", &name, value, |config, on| config.network.offline = on);
                }
                "prefer" => self.prefer(&name, value),
                "linkWorkspacePackages" => {
                    self.switch("link-workspace-packages", &name, value, |config, on| {
                        config.install.link_workspace_packages = Some(on);
                    });
                }
                "globalDir" => self.global_folder("global-dir", &name, value, |config, folder| {
                    config.install.global_folder = Some(folder);
                }),
                "globalBinDir" => {
                    self.global_folder("global-bin-dir", &name, value, |config, folder| {
                        config.install.global_bin_folder = Some(folder);
                    });
                }
                "globalStore" => self.switch("global-store", &name, value, |config, on| {
                    config.install.global_store = GlobalStore::switch(on);
                }),
                "hoist" => self.switch("hoist-pattern", &name, value, |config, on| {
                    if !on {
                        config.install.hoist_pattern = Some(Vec::new());
                    }
                }),
                "hoistPattern" => {
                    if let Some(list) = self.texts(&name, value) {
                        let list = list.into_iter().map(Into::into).collect();
                        self.set("hoist-pattern", &name, value, |config| {
                            config.install.hoist_pattern = Some(list);
                        });
                    }
                }
                "publicHoistPattern" => {
                    if let Some(list) = self.texts(&name, value) {
                        let list = list.into_iter().map(Into::into).collect();
                        self.set("public-hoist-pattern", &name, value, |config| {
                            config.install.public_hoist_pattern = Some(list);
                        });
                    }
                }
                "lockfile" => {
                    let save = self.table(&name, value).and_then(|table| table.get("save"));
                    if let Some(save) = save {
                        self.switch("no-lockfile", "install.lockfile.save", save, |config, on| {
                            config.install.no_lockfile = !on;
                        });
                    }
                }
                "linker" => self.choice(
                    ("linker", &name),
                    value,
                    Linker::parse,
                    "`hoisted` or `isolated`",
                    |config, linker| config.install.linker = linker,
                ),
                "backend" => self.choice(
                    ("backend", &name),
                    value,
                    Backend::parse,
                    "`hardlink`, `clonefile`, `copyfile` or `symlink`",
                    |config, backend| config.install.backend = backend,
                ),
                "logLevel" => self.log_level(&name, value),
                "concurrentScripts" => match integer(value).and_then(|n| usize::try_from(n).ok()) {
                    Some(count) => self.set("concurrent-scripts", &name, value, |config| {
                        config.install.concurrent_scripts = std::num::NonZeroUsize::new(count);
                    }),
                    None => self.warn(&name, value, "expected a number"),
                },
                "minimumReleaseAge" => self.release_age(&name, value),
                "minimumReleaseAgeExcludes" => {
                    if let Some(list) = self.texts(&name, value) {
                        let list = list.into_iter().map(Into::into).collect();
                        self.set("minimum-release-age-excludes", &name, value, |config| {
                            config.install.minimum_release_age.excludes = list;
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes a folder that all projects of the user share, of which no project decides.
    fn global_folder(
        &mut self,
        setting: &str,
        name: &str,
        value: &Value<'_>,
        change: impl FnOnce(&mut Config, PathBuf),
    ) {
        if self.layer.is_of_project() {
            return self.warn(name, value, "a project may not set this");
        }
        if let Some(folder) = self.path(name, value) {
            self.set(setting, name, value, |config| change(config, folder));
        }
    }

    /// Takes a registry: its URL, or a table of `url`, `token`, `username` and `password`.
    fn registry(&mut self, name: &str, scope: Option<&str>, value: &Value<'_>) {
        let DeValue::Table(table) = value.get_ref() else {
            let text = self.text(name, value, false);
            let origin = self.origin(name, value);
            self.draft.set_registry(scope, text.as_deref(), &origin);
            return;
        };
        let mut field = |key: &str, is_credential: bool| -> Result<Option<String>, ()> {
            match table.get(key) {
                None => Ok(None),
                Some(value) => {
                    self.text(&format!("{name}.{key}"), value, is_credential).map(Some).ok_or(())
                }
            }
        };
        let url = field("url", false);
        let (Ok(token), Ok(username), Ok(password)) =
            (field("token", true), field("username", true), field("password", true))
        else {
            return;
        };
        let origin = self.origin(name, value);
        let Ok(url) = url else {
            self.draft.set_registry(scope, None, &origin);
            return;
        };
        let url = url.unwrap_or_else(|| {
            let registries = &self.draft.config.registries;
            scope
                .map_or(registries.default_registry(), |scope| {
                    registries.for_name(&format!("@{}/x", scope.trim_start_matches('@')))
                })
                .url()
                .to_string()
        });
        if !self.draft.set_registry(scope, Some(&url), &origin) {
            return;
        }
        let secret = |text: Option<String>| text.map(Secret::new);
        let credentials = Credentials {
            token: secret(token),
            username: secret(username),
            password: secret(password),
            basic: None,
        };
        if credentials != Credentials::default()
            && let Ok(registry) = Registry::parse(&url)
        {
            let territory = Territory::of_registry(registry.url());
            self.draft.add_credentials(territory, credentials, &origin);
        }
    }

    /// Takes `cache = false`, `cache = "folder"`, or the table.
    fn cache(&mut self, name: &str, value: &Value<'_>) {
        match value.get_ref() {
            DeValue::Boolean(on) => {
                let off = !*on;
                self.set("no-cache", name, value, |config| {
                    config.cache.disabled = off;
                    config.cache.manifests_disabled = off;
                });
            }
            DeValue::Table(table) => {
                for (key, value) in table {
                    let key = key.get_ref().as_ref();
                    let name = format!("{name}.{key}");
                    match key {
                        "dir" => self.cache_folder(&name, value),
                        "disable" => self.switch("cache-disabled", &name, value, |config, on| {
                            config.cache.disabled = on;
                        }),
                        "disableManifest" => self.switch("no-cache", &name, value, |config, on| {
                            config.cache.manifests_disabled = on;
                        }),
                        _ => {}
                    }
                }
            }
            _ => self.cache_folder(name, value),
        }
    }

    fn cache_folder(&mut self, name: &str, value: &Value<'_>) {
        if let Some(folder) = self.path(name, value) {
            self.set("cache", name, value, |config| config.cache.folder = folder);
        }
    }

    fn prefer(&mut self, name: &str, value: &Value<'_>) {
        match self.text(name, value, false).as_deref() {
            Some("offline") => {
                self.set("prefer-offline", name, value, |config| {
                    config.network.prefer_offline = true;
                });
            }
            Some("online" | "latest") => {
                self.set("prefer-online", name, value, |config| {
                    config.network.prefer_online = true;
                });
            }
            Some(_) => self.warn(name, value, "expected `offline`, `online` or `latest`"),
            None => {}
        }
    }

    fn release_age(&mut self, name: &str, value: &Value<'_>) {
        let second = Duration::from_secs(1);
        let age = match value.get_ref() {
            DeValue::Integer(number) => parse_duration(number.as_str(), second),
            DeValue::Float(number) => parse_duration(number.as_str(), second),
            DeValue::String(text) => parse_duration(text, second),
            _ => None,
        };
        match age {
            Some(age) => self.set("minimum-release-age", name, value, |config| {
                config.install.minimum_release_age.age = age;
            }),
            None => {
                self.warn(name, value, "expected a number of seconds, or a text such as `\"3d\"`");
            }
        }
    }

    fn log_level(&mut self, name: &str, value: &Value<'_>) {
        self.choice(
            ("loglevel", name),
            value,
            LogLevel::parse,
            "a level such as `warn`",
            |config, level| {
                config.log_level = level;
            },
        );
    }

    fn switch(
        &mut self,
        setting: &str,
        name: &str,
        value: &Value<'_>,
        change: impl FnOnce(&mut Config, bool),
    ) {
        match value.get_ref() {
            DeValue::Boolean(on) => {
                let on = *on;
                self.set(setting, name, value, |config| change(config, on));
            }
            _ => self.warn(name, value, "expected `true` or `false`"),
        }
    }

    fn choice<T>(
        &mut self,
        (setting, name): (&str, &str),
        value: &Value<'_>,
        parse: impl FnOnce(&str) -> Option<T>,
        expected: &str,
        change: impl FnOnce(&mut Config, T),
    ) {
        let Some(text) = self.text(name, value, false) else { return };
        match parse(&text) {
            Some(parsed) => self.set(setting, name, value, |config| change(config, parsed)),
            None => self.warn(name, value, &format!("expected {expected}")),
        }
    }

    /// Returns a text, its variables replaced: `$NAME` alone, as Bun has it, and `${NAME}`.
    fn text(&mut self, name: &str, value: &Value<'_>, is_credential: bool) -> Option<String> {
        let DeValue::String(text) = value.get_ref() else {
            self.warn(name, value, "expected a text");
            return None;
        };
        let origin = self.origin(name, value);
        let is_variable = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match text.strip_prefix('$') {
            Some(variable) if is_variable(variable) => {
                self.draft.expand(&format!("${{{variable}}}"), &origin, is_credential)
            }
            _ => self.draft.expand(text, &origin, is_credential),
        }
    }

    /// Returns a list of texts; one text alone is a list, too.
    fn texts(&mut self, name: &str, value: &Value<'_>) -> Option<Vec<String>> {
        match value.get_ref() {
            DeValue::Array(values) => {
                values.iter().map(|value| self.text(name, value, false)).collect()
            }
            _ => self.text(name, value, false).map(|text| vec![text]),
        }
    }

    fn path(&mut self, name: &str, value: &Value<'_>) -> Option<PathBuf> {
        let text = self.text(name, value, false)?;
        let base = self.file.parent().unwrap_or(&self.file);
        (!text.is_empty()).then(|| self.draft.absolute(&text, base))
    }

    fn table<'v, 't>(&mut self, name: &str, value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
        if let DeValue::Table(table) = value.get_ref() {
            Some(table)
        } else {
            self.warn(name, value, "expected a table");
            None
        }
    }

    fn origin(&self, name: &str, value: &Value<'_>) -> Origin {
        let (line, _) = position(self.text, value.span().start);
        Origin {
            layer: self.layer,
            file: Some(Arc::clone(&self.file)),
            line: u32::try_from(line).ok(),
            key: name.into(),
        }
    }

    fn set(
        &mut self,
        setting: &str,
        name: &str,
        value: &Value<'_>,
        change: impl FnOnce(&mut Config),
    ) {
        let origin = self.origin(name, value);
        self.draft.set(setting, &origin, change);
    }

    fn warn(&mut self, name: &str, value: &Value<'_>, problem: &str) {
        let origin = self.origin(name, value);
        self.draft.warn(&origin, problem);
    }
}

fn integer(value: &Value<'_>) -> Option<i64> {
    match value.get_ref() {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}
