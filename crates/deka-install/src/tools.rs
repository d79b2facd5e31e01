//! Packages that are there to be run, not to be part of a project: what `deka x` starts.
//!
//! ```text
//! <cache>/x/                           the user's alone: nobody else decides what runs
//!   cowsay-latest-5d0c…/               for each thing that is asked for
//!     package.json, bun.lock, node_modules/    a project like any other
//!     .resolved                        as old as the choice of versions
//! ```
//! An exact version is good for ever; what may have become another one is looked up again after a day.

use std::path::{Path, PathBuf};
use std::time::Duration;

use deka_config::{Config, Linker};
use deka_fs::{Durability, FsError, atomic_write, private_folder};
use deka_linker::check_up_to_date;
use deka_manifest::{
    Alias, Bin, PackageArgument, PackageJson, PackageName, Spec, Version, split_name,
};
use deka_scripts::command_folders;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Addition, Change, MANIFEST, Request, ScriptContext};

/// How long a tag or a range means the same version.
const SHELF_LIFE: Duration = Duration::from_hours(24);

/// Written when versions were picked.
const RESOLVED: &str = ".resolved";

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The folder of a tool can't be used.
    #[error("Failed to keep tools in `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        source: FsError,
    },
    /// The package has no commands.
    #[error("The package `{package}` has no command")]
    NoCommand {
        /// The package.
        package: String,
    },
    /// The package has commands, and none that is obvious.
    #[error("The package `{package}` has several commands, none with its own name")]
    ManyCommands {
        /// The package.
        package: String,
        /// Their names.
        commands: Vec<Box<str>>,
    },
}

/// What is in the folder of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolState {
    /// Nothing, or not all.
    Incomplete,
    /// Everything, but there may be newer versions.
    Old,
    /// Everything.
    Ready,
}

/// Packages that are installed to be run.
#[derive(Debug, Clone)]
pub struct Tool {
    packages: Vec<PackageArgument>,
    folder: PathBuf,
}

impl Tool {
    /// Returns where these packages are installed for the user, with the settings of `config`.
    pub fn new(packages: Vec<PackageArgument>, config: &Config) -> Result<Self, ToolError> {
        let shelf = config.cache.folder().join("x");
        let mut identity = String::new();
        for package in &packages {
            let name = package.alias.map_or("", |alias| alias.as_str());
            let registry = config.registry_for(name).url();
            // Writing down what decides, with what no name contains between.
            identity.extend([name, "\n", &package.spec, "\n", registry.as_str(), "\n"]);
        }
        let readable: String = packages.first().map(readable_name).unwrap_or_default();
        let folder = shelf.join(format!("{readable}-{:016x}", xxh3_64(identity.as_bytes())));
        for path in [&shelf, &folder] {
            private_folder(path)
                .map_err(|source| ToolError::Folder { path: path.clone(), source })?;
        }
        Ok(Self { packages, folder })
    }

    /// Returns its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns what is there.
    pub fn state(&self) -> ToolState {
        if check_up_to_date(&self.folder, None, &[MANIFEST]).is_none() {
            return ToolState::Incomplete;
        }
        let resolved = std::fs::metadata(self.folder.join(RESOLVED));
        let age = resolved.and_then(|it| it.modified()).map(|time| time.elapsed());
        match age {
            Err(_) => ToolState::Incomplete,
            _ if self.packages.iter().all(is_exact) => ToolState::Ready,
            Ok(Ok(age)) if age < SHELF_LIFE => ToolState::Ready,
            // Also what comes from the future.
            Ok(_) => ToolState::Old,
        }
    }

    /// Returns what has to be installed. `config` is the user's: what it says about the shape of a
    /// project does not count.
    pub fn request(&self, config: &Config, scripts: ScriptContext) -> Request {
        let mut own = config.clone();
        let install = &config.install;
        own.install = deka_config::Install {
            linker: Linker::Hoisted,
            backend: install.backend,
            ignore_scripts: install.ignore_scripts,
            minimum_release_age: install.minimum_release_age.clone(),
            concurrent_scripts: install.concurrent_scripts,
            script_shell: install.script_shell.clone(),
            no_sandbox: install.no_sandbox,
            ..deka_config::Install::default()
        };
        let packages = self.packages.clone();
        Request {
            root: self.folder.clone(),
            config: own.into(),
            scripts,
            filters: Vec::new(),
            folder: self.folder.clone(),
            change: Some(Change::Add(Addition { packages, ..Addition::default() })),
            deduplicates: false,
            migrates: false,
            is_global: false,
        }
    }

    /// Notes that versions were picked now.
    pub fn note_resolved(&self) -> Result<(), ToolError> {
        let path = self.folder.join(RESOLVED);
        atomic_write(&path, b"", Durability::None)
            .map_err(|source| ToolError::Folder { path, source })
    }

    /// Returns the folder with its commands.
    pub fn commands(&self) -> PathBuf {
        self.folder.join("node_modules/.bin")
    }

    /// Returns the program of the command that the first package is there for.
    pub fn main_program(&self) -> Result<PathBuf, ToolError> {
        let names = std::fs::read(self.folder.join(MANIFEST)).unwrap_or_default();
        let manifest = PackageJson::parse(&names).unwrap_or_default();
        let wanted = self.packages.first().and_then(|package| package.alias);
        let alias = wanted.or_else(|| manifest.dependencies.first().map(|(alias, _)| *alias));
        let Some(alias) = alias else {
            return Err(ToolError::NoCommand { package: String::new() });
        };
        let command = main_command(&self.folder.join("node_modules"), alias)?;
        Ok(self.commands().join(&*command))
    }
}

/// Returns the program of the command that a package is there for, if `folder` or one above it has the
/// package installed in a version that is asked for.
pub fn installed_program(package: &PackageArgument, folder: &Path) -> Option<PathBuf> {
    let alias = package.alias?;
    let range = match Spec::parse(alias, &package.spec).ok()? {
        _ if package.spec.is_empty() => None,
        Spec::Range(range) => Some(range),
        // What a tag points to, or what is elsewhere, is not known here.
        _ => return None,
    };
    for commands in command_folders(folder) {
        let modules = commands.parent()?;
        if let Ok(text) = std::fs::read(modules.join(alias.as_str()).join(MANIFEST)) {
            let manifest = PackageJson::parse(&text).ok()?;
            let version = manifest.version.and_then(|version| Version::parse(&version).ok());
            let fits = range.as_ref().is_none_or(|range| {
                version.as_ref().is_some_and(|version| range.satisfies(version))
            });
            let program = main_command(modules, alias).ok().map(|name| commands.join(&*name));
            return program.filter(|program| fits && program.is_file());
        }
        let program = commands.join(alias.as_str());
        if range.is_none() && program.is_file() {
            return Some(program);
        }
    }
    None
}

/// Returns the name of the command that a package is there for: its only one, or the one of its own name.
fn main_command(modules: &Path, alias: Alias) -> Result<Box<str>, ToolError> {
    let text = std::fs::read(modules.join(alias.as_str()).join(MANIFEST)).unwrap_or_default();
    let manifest = PackageJson::parse(&text).unwrap_or_default();
    let name = manifest.package_name().unwrap_or_else(|| alias.to_package_name());
    pick_command(&manifest.bin, name)
}

fn pick_command(bin: &Bin, name: PackageName) -> Result<Box<str>, ToolError> {
    let package = name.to_string();
    let own = package.rsplit('/').next().unwrap_or_default();
    let commands = bin.names(name);
    let same_file = match bin {
        Bin::Map(map) => map.iter().all(|(_, file)| *file == map[0].1),
        _ => true,
    };
    match &*commands {
        [] => Err(ToolError::NoCommand { package }),
        [first, ..] if same_file => Ok(first.clone()),
        _ => match commands.iter().find(|command| &***command == own) {
            Some(command) => Ok(command.clone()),
            None => Err(ToolError::ManyCommands { package, commands }),
        },
    }
}

fn is_exact(package: &PackageArgument) -> bool {
    let spec = package.alias.and_then(|alias| Spec::parse(alias, &package.spec).ok());
    matches!(spec, Some(Spec::Range(range)) if range.is_exact().is_some())
}

/// Returns a name for people who look into the folder.
fn readable_name(package: &PackageArgument) -> String {
    let name = package.alias.map_or("", |alias| alias.as_str());
    let text = format!("{name}-{}", if package.spec.is_empty() { "latest" } else { &package.spec });
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '+' };
    text.trim_start_matches('-').chars().take(60).map(plain).collect()
}

/// Returns the package that makes projects from a template: `vite` stands for `create-vite`, `@s/x` for
/// `@s/create-x`, `@s` for `@s/create`. A version stays where it is.
pub fn template_package(template: &str) -> String {
    let is_place = template.contains("://")
        || template.starts_with(['.', '/', '~'])
        || !template.starts_with('@') && template.contains('/');
    if is_place {
        return template.to_owned();
    }
    let name = split_name(template).map_or(template, |(name, _)| name);
    let version = &template[name.len()..];
    let with_prefix = |name: &str| match name {
        name if name == "create" || name.starts_with("create-") => name.to_owned(),
        name => format!("create-{name}"),
    };
    match name.split_once('/') {
        Some((scope, name)) => format!("{scope}/{}{version}", with_prefix(name)),
        None if name.starts_with('@') => format!("{name}/create{version}"),
        None => format!("{}{version}", with_prefix(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_stand_for_packages() {
        for (template, package) in [
            ("vite", "create-vite"),
            ("vite@latest", "create-vite@latest"),
            ("create-vite", "create-vite"),
            ("@s", "@s/create"),
            ("@s@1", "@s/create@1"),
            ("@s/x", "@s/create-x"),
            ("@s/x@next", "@s/create-x@next"),
            ("@s/create-x@^1", "@s/create-x@^1"),
            ("@s/create", "@s/create"),
            ("owner/repo", "owner/repo"),
            ("https://registry.example/x.tgz", "https://registry.example/x.tgz"),
            ("./folder", "./folder"),
        ] {
            assert_eq!(template_package(template), package);
        }
    }

    #[test]
    fn one_command_is_what_a_package_is_there_for() {
        let check = |bin: &str, expected: Option<&str>| {
            let manifest = format!(r#"{{"name":"@s/tool","bin":{bin}}}"#);
            let manifest = PackageJson::parse(manifest.as_bytes()).unwrap();
            let picked = pick_command(&manifest.bin, manifest.package_name().unwrap()).ok();
            assert_eq!(picked.as_deref(), expected, "{bin}");
        };
        check("\"cli.js\"", Some("tool"));
        check(r#"{"other":"cli.js"}"#, Some("other"));
        check(r#"{"a":"a.js","tool":"b.js"}"#, Some("tool"));
        check(r#"{"a":"a.js","b":"a.js"}"#, Some("a"));
        check(r#"{"a":"a.js","b":"b.js"}"#, None);
        check("{}", None);
    }

    #[test]
    fn exact_versions_stay() {
        let check = |text: &str, expected| {
            assert_eq!(is_exact(&PackageArgument::parse(text).unwrap()), expected, "{text}");
        };
        check("a@1.2.3", true);
        check("a", false);
        check("a@^1.2.3", false);
        check("a@latest", false);
        check("https://registry.example/x.tgz", false);
    }
}
