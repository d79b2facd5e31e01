//! Which sources are read, and in which order.

use std::io;
use std::path::{Path, PathBuf};

use crate::credentials::Territory;
use crate::draft::Draft;
use crate::npmrc::{key_of_variable, names_user, pem_text, set_proxy};
use crate::{
    Config, ConfigError, Credentials, Environment, GlobalStore, Layer, NoProxy, Origin, Overrides,
    Pem, Registry, Secret, bunfig, npmrc, variables,
};

impl Config {
    /// Reads all sources and merges them. `project` is the folder of the `package.json`.
    ///
    /// Fails if a file that was asked for cannot be read, if a `bunfig.toml` is no TOML, and if
    /// `--registry` is no registry; all else that is wrong is in [`Config::warnings`].
    pub fn load(
        environment: &Environment,
        overrides: &Overrides,
        project: &Path,
    ) -> Result<Self, ConfigError> {
        Self::merge(environment, overrides, Some(project))
    }

    /// The same for what concerns no project but the user (`--global`): the files of the folder that
    /// the command happens to be started in say nothing.
    pub fn load_global(
        environment: &Environment,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        Self::merge(environment, overrides, None)
    }

    fn merge(
        environment: &Environment,
        overrides: &Overrides,
        project: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let mut draft = Draft::new(environment);
        default_cache(&mut draft, project.unwrap_or_else(|| environment.working_folder()));
        let bun = bun_folder(environment);
        let below = |name| bun.as_ref().map(|folder| folder.join(name));
        draft.config.install.global_folder = below(GLOBAL_FOLDER);
        draft.config.install.global_bin_folder = below(GLOBAL_BIN_FOLDER);
        read_npmrcs(&mut draft, overrides, project);
        read_bunfigs(&mut draft, overrides, project)?;
        variables::apply(&mut draft);
        apply_overrides(&mut draft, overrides)?;
        apply_token_of_environment(&mut draft);
        Ok(draft.finish())
    }
}

/// Where Bun's own folder has what is installed for all projects.
pub(crate) const GLOBAL_FOLDER: &str = "install/global";
/// Where Bun's own folder has the commands of that.
pub(crate) const GLOBAL_BIN_FOLDER: &str = "bin";

/// Returns Bun's own folder, where `BUN_INSTALL` does not name another.
fn bun_folder(environment: &Environment) -> Option<PathBuf> {
    let shared = environment.non_empty("XDG_CACHE_HOME").map(Path::new);
    let shared = shared.filter(|folder| folder.is_absolute());
    Some(shared.or_else(|| environment.home())?.join(".bun"))
}

/// `$XDG_CACHE_HOME/deka` if the user has set that, else `~/.config/deka/pm/cache`.
fn default_cache(draft: &mut Draft<'_>, project: &Path) {
    let environment = draft.environment;
    // A relative path in an XDG variable is to be ignored, says their specification.
    let shared = environment.non_empty("XDG_CACHE_HOME").map(Path::new).filter(|p| p.is_absolute());
    if let Some(folder) = shared {
        draft.set("cache", &Origin::variable("XDG_CACHE_HOME"), |config| {
            config.cache.folder = folder.join("deka");
        });
        return;
    }
    draft.config.cache.folder = match environment.home() {
        Some(home) => home.join(".config/deka/pm/cache"),
        // A user without a home, as in some containers: what is fetched serves this project.
        None => project.join("node_modules/.cache/deka"),
    };
}

fn read_npmrcs(draft: &mut Draft<'_>, overrides: &Overrides, project: Option<&Path>) {
    for (layer, file) in npmrc_files(draft.environment, overrides, project) {
        read_npmrc(draft, layer, &file);
    }
}

/// Returns the `.npmrc` files that count, whether they exist or not, the weakest first.
pub(crate) fn npmrc_files(
    environment: &Environment,
    overrides: &Overrides,
    project: Option<&Path>,
) -> Vec<(Layer, PathBuf)> {
    let mut files = Vec::new();
    let variable = |wanted: &str| {
        environment
            .variables()
            .filter(|(name, value)| {
                !value.is_empty() && key_of_variable(name).as_deref() == Some(wanted)
            })
            .max_by_key(|(name, _)| *name)
            .map(|(_, value)| Path::new(value))
    };
    let asked_for = |flag: &Option<PathBuf>, key: &str| {
        let path = flag.as_deref().or_else(|| variable(key))?;
        Some(environment.working_folder().join(path))
    };

    let global = asked_for(&overrides.global_npmrc, "globalconfig")
        .or_else(|| global_npmrc(environment, variable("prefix")));
    files.extend(global.map(|file| (Layer::GlobalNpmrc, file)));

    let user = asked_for(&overrides.user_npmrc, "userconfig").or_else(|| {
        let in_xdg =
            environment.non_empty("XDG_CONFIG_HOME").map(|folder| Path::new(folder).join(".npmrc"));
        in_xdg.filter(|file| file.is_file()).or_else(|| Some(environment.home()?.join(".npmrc")))
    });
    files.extend(user.clone().map(|file| (Layer::UserNpmrc, file)));

    // In the home folder itself the file is the user's, not a stranger's.
    let of_project = project.map(|project| project.join(".npmrc"));
    let of_project = of_project.filter(|file| user.as_ref() != Some(file));
    files.extend(of_project.map(|file| (Layer::ProjectNpmrc, file)));
    files
}

impl Layer {
    /// Returns the `.npmrc` of this layer, whether it exists or not; `None` if there can be none.
    pub fn npmrc(
        self,
        environment: &Environment,
        overrides: &Overrides,
        project: Option<&Path>,
    ) -> Option<PathBuf> {
        let mut files = npmrc_files(environment, overrides, project).into_iter();
        files.find(|(layer, _)| *layer == self).map(|(_, file)| file)
    }
}

/// Finds npm's `<prefix>/etc/npmrc`. npm's prefix is where Node is, unless it was moved.
fn global_npmrc(environment: &Environment, prefix: Option<&Path>) -> Option<PathBuf> {
    let below = |prefix: &Path| {
        let file = prefix.join("etc/npmrc");
        file.is_file().then_some(file)
    };
    if let Some(prefix) = prefix.or_else(|| environment.non_empty("PREFIX").map(Path::new)) {
        return below(prefix);
    }
    let path = environment.non_empty("PATH")?;
    let separator = if cfg!(windows) { ';' } else { ':' };
    let name = if cfg!(windows) { "node.exe" } else { "node" };
    let node = path
        .split(separator)
        .filter(|folder| Path::new(folder).is_absolute())
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())?;
    let prefix_of = |node: &Path| {
        let folder = node.parent()?;
        // On Windows Node lies in the prefix itself.
        below(if cfg!(windows) { folder } else { folder.parent()? })
    };
    prefix_of(&node).or_else(|| prefix_of(&fs_err::canonicalize(&node).ok()?))
}

fn read_bunfigs(
    draft: &mut Draft<'_>,
    overrides: &Overrides,
    project: Option<&Path>,
) -> Result<(), ConfigError> {
    let environment = draft.environment;
    let in_xdg = environment
        .non_empty("XDG_CONFIG_HOME")
        .map(|folder| Path::new(folder).join(".bunfig.toml"));
    let user = in_xdg
        .filter(|file| file.is_file())
        .or_else(|| Some(environment.home()?.join(".bunfig.toml")));
    if let Some(file) = user {
        read_bunfig(draft, Layer::UserBunfig, &file)?;
    }
    let Some(file) = &overrides.bunfig else {
        let Some(project) = project else { return Ok(()) };
        return read_bunfig(draft, Layer::ProjectBunfig, &project.join("bunfig.toml"));
    };
    // A file that the user names is as good as the user's own, and has to be there.
    let file = environment.working_folder().join(file);
    match std::fs::read(&file) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            bunfig::apply_file(draft, Layer::UserBunfig, &file, &text)
        }
        Err(source) => Err(ConfigError::Read { file, source }),
    }
}

/// Reads an npmrc. As in npm, one that was asked for need not exist.
fn read_npmrc(draft: &mut Draft<'_>, layer: Layer, file: &Path) {
    match read(file) {
        Ok(Some(text)) => npmrc::apply_file(draft, layer, file, &text),
        Ok(None) => {}
        Err(error) => warn_unreadable(draft, layer, file, &error),
    }
}

fn read_bunfig(draft: &mut Draft<'_>, layer: Layer, file: &Path) -> Result<(), ConfigError> {
    match read(file) {
        Ok(Some(text)) => bunfig::apply_file(draft, layer, file, &text)?,
        Ok(None) => {}
        Err(error) => warn_unreadable(draft, layer, file, &error),
    }
    Ok(())
}

/// Returns the text of a file, if there is one. Bytes that are no UTF-8 are replaced: they may stand
/// in a comment, and no value with them would be of use.
fn read(file: &Path) -> io::Result<Option<String>> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory => Ok(None),
            _ => Err(error),
        },
    }
}

fn warn_unreadable(draft: &mut Draft<'_>, layer: Layer, file: &Path, error: &io::Error) {
    let key = file.file_name().unwrap_or_default().to_string_lossy();
    let origin = Origin { layer, file: Some(file.into()), line: None, key: key.into() };
    draft.warn(&origin, format!("the file cannot be read: {error}"));
}

/// Notes what scripts get to see of flags, under npm's names: how the network is reached, but not who
/// somebody is there.
fn pass_to_scripts(draft: &mut Draft<'_>, overrides: &Overrides) {
    let registry = || draft.config.registries.default_registry().url().to_string();
    let file = |file: &PathBuf| {
        let file = draft.absolute(&file.to_string_lossy(), draft.environment.working_folder());
        file.to_string_lossy().into_owned()
    };
    let flags = [
        ("registry", overrides.registry.as_ref().map(|_| registry())),
        ("cafile", overrides.cafile.as_ref().map(file)),
        ("strict_ssl", overrides.strict_ssl.map(|is_strict| is_strict.to_string())),
        ("proxy", overrides.proxy.clone()),
        ("https_proxy", overrides.https_proxy.clone()),
        ("noproxy", overrides.no_proxy.clone()),
    ];
    for (name, value) in flags {
        let Some(value) = value.filter(|value| !names_user(value) && !value.contains('\0')) else {
            continue;
        };
        let name = format!("npm_config_{name}").into();
        draft.config.script_flags.insert(name, Secret::new(value));
    }
}

fn apply_overrides(draft: &mut Draft<'_>, overrides: &Overrides) -> Result<(), ConfigError> {
    let environment = draft.environment;
    let flag = Origin::flag;
    let registry = |name: &str, text: &str| {
        Registry::parse(text).map_err(|source| ConfigError::Registry { origin: flag(name), source })
    };
    if let Some(text) = &overrides.registry {
        registry("--registry", text)?;
        draft.set_registry(None, Some(text), &flag("--registry"));
    }
    for (scope, text) in &overrides.scope_registries {
        let name = format!("--{scope}:registry");
        registry(&name, text)?;
        draft.set_registry(Some(scope), Some(text), &flag(&name));
    }
    if let Some(folder) = &overrides.cache_dir {
        let folder = draft.absolute(&folder.to_string_lossy(), environment.working_folder());
        draft.set("cache", &flag("--cache-dir"), |config| config.cache.folder = folder);
    }
    if !overrides.ca.is_empty() {
        let texts = overrides.ca.iter().map(|text| pem_text(text)).collect();
        draft.set("ca", &flag("--ca"), |config| config.network.authorities = texts);
    }
    if let Some(file) = &overrides.cafile {
        let file = draft.absolute(&file.to_string_lossy(), environment.working_folder());
        let keeps = !overrides.ca.is_empty();
        draft.set("cafile", &flag("--cafile"), |config| {
            if !keeps {
                config.network.authorities.clear();
            }
            config.network.authorities.push(Pem::File(file));
        });
    }
    if let Some(text) = &overrides.proxy {
        set_proxy(draft, overrides.https_proxy.is_none(), true, text, &flag("--proxy"));
    }
    if let Some(text) = &overrides.https_proxy {
        set_proxy(draft, true, false, text, &flag("--https-proxy"));
    }
    if let Some(text) = &overrides.no_proxy {
        let hosts = NoProxy::parse(text);
        draft.set("noproxy", &flag("--noproxy"), |config| config.network.proxies.except = hosts);
    }

    pass_to_scripts(draft, overrides);

    /// Writes fields that a flag sets as they are: `Some` values, and `true`.
    macro_rules! copy {
        ($($given:expr => $name:literal, $flag:literal, $($field:ident).+;)*) => {$(
            if let Some(value) = $given {
                draft.set($name, &flag($flag), |config| config.$($field).+ = value.into());
            }
        )*};
    }
    let on = |given: bool| given.then_some(true);
    copy! {
        overrides.strict_ssl => "strict-ssl", "--strict-ssl", network.strict_ssl;
        overrides.network_concurrency => "network-concurrency", "--network-concurrency", network.concurrency;
        overrides.connections_per_host => "maxsockets", "--maxsockets", network.connections_per_host;
        overrides.fetch_retries => "fetch-retries", "--fetch-retries", network.retries.count;
        overrides.fetch_timeout => "fetch-timeout", "--fetch-timeout", network.timeouts.request;
        on(overrides.offline) => "offline", "--offline", network.offline;
        on(overrides.no_cache) => "no-cache", "--no-cache", cache.manifests_disabled;
        overrides.production => "production", "--production", install.production;
        overrides.frozen_lockfile => "frozen-lockfile", "--frozen-lockfile", install.frozen_lockfile;
        on(overrides.lockfile_only) => "lockfile-only", "--lockfile-only", install.lockfile_only;
        on(overrides.dry_run) => "dry-run", "--dry-run", install.dry_run;
        on(overrides.force) => "force", "--force", install.force;
        overrides.ignore_scripts => "ignore-scripts", "--ignore-scripts", install.ignore_scripts;
        overrides.save.map(|save| !save) => "no-save", "--no-save", install.no_save;
        on(overrides.no_lockfile) => "no-lockfile", "--no-lockfile", install.no_lockfile;
        overrides.linker => "linker", "--linker", install.linker;
        overrides.backend => "backend", "--backend", install.backend;
        overrides.platform.os => "os", "--os", install.platform.os;
        overrides.platform.cpu => "cpu", "--cpu", install.platform.cpu;
        overrides.platform.libc => "libc", "--libc", install.platform.libc;
        overrides.minimum_release_age => "minimum-release-age", "--minimum-release-age", install.minimum_release_age.age;
        overrides.concurrent_scripts => "concurrent-scripts", "--concurrent-scripts", install.concurrent_scripts;
        overrides.foreground_scripts => "foreground-scripts", "--foreground-scripts", install.foreground_scripts;
        overrides.script_shell.clone() => "script-shell", "--script-shell", install.script_shell;
        on(overrides.no_sandbox) => "no-sandbox", "--no-sandbox", install.no_sandbox;
        overrides.global_store.then_some(GlobalStore::Always) => "global-store", "--global-store", install.global_store;
        overrides.log_level => "loglevel", "--loglevel", log_level;
    }
    // Of the two preferences the stronger source's counts alone.
    if overrides.prefer_offline || overrides.prefer_online {
        let name = if overrides.prefer_offline { "prefer-offline" } else { "prefer-online" };
        draft.set(name, &flag(&format!("--{name}")), |config| {
            config.network.prefer_offline = overrides.prefer_offline;
            config.network.prefer_online = overrides.prefer_online;
        });
    }
    if let Some(list) = &overrides.minimum_release_age_excludes {
        draft.set(
            "minimum-release-age-excludes",
            &flag("--minimum-release-age-excludes"),
            |config| {
                config.install.minimum_release_age.excludes =
                    list.iter().map(|name| name.as_str().into()).collect();
            },
        );
    }
    if overrides.omit != crate::Omit::default() || overrides.include != crate::Omit::default() {
        draft.set("omit", &flag("--omit"), |config| {
            config.install.omit =
                config.install.omit.union(overrides.omit).without(overrides.include);
        });
    }
    Ok(())
}

/// `BUN_CONFIG_TOKEN` and `NPM_CONFIG_TOKEN` are for the default registry, whichever it is: who sets
/// them does it for this very run.
fn apply_token_of_environment(draft: &mut Draft<'_>) {
    let environment = draft.environment;
    let names = ["BUN_CONFIG_TOKEN", "NPM_CONFIG_TOKEN", "npm_config_token"];
    let Some((name, token)) =
        names.iter().find_map(|name| Some((*name, environment.non_empty(name)?)))
    else {
        return;
    };
    let credentials = Credentials { token: Some(Secret::new(token)), ..Credentials::default() };
    let territory = Territory::of_registry(draft.config.registries.default_registry().url());
    draft.add_credentials(territory, credentials, &Origin::variable(name));
}

#[cfg(test)]
mod tests;
