//! The settings as a list, with the place that each value was read from: for `deka config`.

use std::path::Path;

use hashbrown::HashSet;

use crate::load::npmrc_files;
use crate::npmrc::{names_user, shown_key};
use crate::{Config, Environment, Layer, Linker, Origin, Overrides, ini, sounds_secret};

/// A setting in one of its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as in an `.npmrc` where that knows it.
    pub name: String,
    /// Its value as it may be shown; `None` for what must not be.
    pub value: Option<String>,
    /// Where it was read.
    pub origin: Origin,
    /// Whether a stronger place says something else.
    pub is_overridden: bool,
}

impl Config {
    /// Returns all that was set, the strongest place first, and the defaults of what is asked for most.
    ///
    /// Values are shown as they are written, but for registries and folders, which are shown as they
    /// were understood. What sounds secret is not shown.
    pub fn settings(
        &self,
        environment: &Environment,
        overrides: &Overrides,
        project: Option<&Path>,
    ) -> Vec<Setting> {
        let mut settings = self.known(environment);
        let known: HashSet<String> = settings.iter().map(|setting| setting.name.clone()).collect();
        let mut seen: HashSet<String> = HashSet::new();
        // From the strongest file to the weakest.
        for (layer, file) in npmrc_files(environment, overrides, project).into_iter().rev() {
            let Ok(bytes) = std::fs::read(&file) else { continue };
            for entry in ini::parse(&String::from_utf8_lossy(&bytes)) {
                let origin = Origin {
                    layer,
                    file: Some(file.as_path().into()),
                    line: Some(entry.line),
                    key: shown_key(&entry.key),
                };
                let value = entry.values.join(", ");
                let name = origin.key.to_string();
                let is_here =
                    self.origins.get(&*name).is_some_and(|strongest| *strongest == origin);
                if is_here {
                    if let Some(setting) = settings.iter_mut().find(|known| known.name == name) {
                        setting.value = self.typed(&name).or_else(|| shown(&entry.key, &value));
                    }
                    continue;
                }
                let is_overridden = known.contains(&name) || !seen.insert(name.clone());
                let value = shown(&entry.key, &value);
                settings.push(Setting { name, value, origin, is_overridden });
            }
        }
        for name in DEFAULTS {
            if !known.contains(*name) {
                let origin = Origin::default_value(name);
                let value = self.typed(name);
                let name = (*name).to_owned();
                settings.push(Setting { name, value, origin, is_overridden: false });
            }
        }
        settings.sort_by(|one, other| {
            (other.origin.layer, &one.name).cmp(&(one.origin.layer, &other.name))
        });
        settings
    }

    /// Returns what deka knows and somebody has set, each once.
    fn known(&self, environment: &Environment) -> Vec<Setting> {
        let setting = |(name, origin): (&str, &Origin)| {
            let value = self.typed(name).or_else(|| match origin.layer {
                Layer::Environment => shown(name, environment.get(&origin.key)?),
                Layer::UserBunfig | Layer::ProjectBunfig => shown(name, &line_of(origin)?),
                _ => None,
            });
            Setting { name: name.to_owned(), value, origin: origin.clone(), is_overridden: false }
        };
        self.origins().map(setting).collect()
    }

    /// Returns a value as it was understood.
    fn typed(&self, name: &str) -> Option<String> {
        let install = &self.install;
        if let Some(scope) = name.strip_suffix(":registry") {
            let mut scopes = self.registries.scopes();
            return scopes.find(|(known, _)| *known == scope).map(|(_, at)| at.url().to_string());
        }
        Some(match name {
            "registry" => self.registries.default_registry().url().to_string(),
            "cache" => self.cache.folder().display().to_string(),
            "strict-ssl" => self.network.strict_ssl.to_string(),
            "fetch-retries" => self.network.retries.count.to_string(),
            "network-concurrency" => self.network.concurrency.to_string(),
            "save-exact" => install.save_exact.to_string(),
            "ignore-scripts" => install.ignore_scripts.to_string(),
            "minimum-release-age" => install.minimum_release_age.age.as_secs().to_string(),
            "linker" => match install.linker {
                Linker::Auto => "auto",
                Linker::Hoisted => "hoisted",
                Linker::Isolated => "isolated",
            }
            .to_owned(),
            _ => return None,
        })
    }
}

/// What is listed although nobody has set it.
const DEFAULTS: &[&str] = &[
    "cache",
    "fetch-retries",
    "ignore-scripts",
    "linker",
    "minimum-release-age",
    "network-concurrency",
    "registry",
    "save-exact",
    "strict-ssl",
];

/// Returns a value unless it is, or has in it, what must not be shown.
fn shown(key: &str, value: &str) -> Option<String> {
    (!is_protected(key) && !names_user(value)).then(|| value.to_owned())
}

/// Whether the value of a key must not be shown: credentials, keys, one-time passwords.
fn is_protected(key: &str) -> bool {
    let last = key.rsplit(':').next().unwrap_or(key).to_ascii_lowercase();
    let is_open = last == "always-auth" || last.ends_with("file");
    last.starts_with('_') || last == "otp" || sounds_secret(&last) && !is_open
}

/// Returns the value in a `bunfig.toml` as the file has it, if nothing in it sounds secret.
fn line_of(origin: &Origin) -> Option<String> {
    let text = std::fs::read_to_string(origin.file.as_deref()?).ok()?;
    let line = text.lines().nth((origin.line? as usize).checked_sub(1)?)?;
    let value = line.split_once('=').map_or(line, |(_, value)| value).trim();
    // It may be a table of several fields.
    let plain = value.trim_matches('"');
    (!sounds_secret(value)).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn what_is_not_shown() {
        for key in ["//r.example/:_authToken", "_auth", "//r/:_password", "key", "otp", "my-token"]
        {
            assert!(is_protected(key), "{key}");
        }
        for key in ["registry", "@s:registry", "//r/:username", "cafile", "//r/:keyfile", "email"] {
            assert!(!is_protected(key), "{key}");
        }
    }
}
