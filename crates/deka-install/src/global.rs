//! What is installed for all projects (`--global`), and the folder with its commands.
//!
//! ```text
//! ~/.bun/install/global/   a project like any other: package.json, bun.lock, node_modules
//!   node_modules/gp ─►     a package that is registered for links
//! ~/.bun/bin/semver ─►     ../install/global/node_modules/semver/bin/semver.js
//! ```
//! Both folders are Bun's, so that both programs know the same packages. A link in the folder of
//! commands that leads into the global `node_modules` is deka's or Bun's; everything else there is
//! somebody else's and stays, unless it is to be replaced by force.

use std::path::{Component, Path, PathBuf};

use deka_config::Config;
use deka_fs::{
    Creation, Dir, Durability, FileKind, FsError, Permissions, atomic_write, replace_by_symlink,
};
use deka_linker::Commands;
use deka_manifest::{Bin, PackageName};

use crate::install::lock;
use crate::local::relative;
use crate::report::Silent;
use crate::{InstallError, MANIFEST};

/// The commands that are there for all projects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GlobalCommands {
    /// The folder that they are in.
    pub folder: PathBuf,
    /// Their names.
    pub names: Vec<Box<str>>,
    /// Those among them that are not there, because somebody else's file has the name.
    pub refused: Vec<Box<str>>,
}

/// Returns the folder of what is installed for all projects, which need not exist.
pub fn global_folder(config: &Config) -> Result<&Path, InstallError> {
    config.install.global_folder.as_deref().ok_or(InstallError::NoGlobalFolder)
}

/// Returns the folder of the commands that are there for all projects, which need not exist.
pub fn global_bin_folder(config: &Config) -> Result<&Path, InstallError> {
    config.install.global_bin_folder.as_deref().ok_or(InstallError::NoGlobalFolder)
}

/// Returns the project of what is installed for all projects, made if there is none.
pub fn global_project(config: &Config) -> Result<PathBuf, InstallError> {
    let folder = global_folder(config)?;
    let failed = |source| InstallError::GlobalFolder { path: folder.to_owned(), source };
    let dir = Dir::open_or_create(folder).map_err(failed)?;
    let is_missing = || dir.metadata(MANIFEST).map(|found| found.is_none()).map_err(failed);
    if is_missing()? {
        // Somebody else may be making it, and add to it right away.
        let _lock = lock(folder, &Silent);
        if is_missing()? {
            atomic_write(folder.join(MANIFEST), b"{}\n", Durability::Fsync).map_err(failed)?;
        }
    }
    Ok(folder.to_owned())
}

/// The folder of commands, opened.
pub(crate) struct CommandFolder {
    dir: Dir,
    /// Where it really is.
    path: PathBuf,
    /// The global `node_modules`, where that really is.
    packages: PathBuf,
    /// Whether what belongs to somebody else is replaced.
    with_force: bool,
}

impl CommandFolder {
    /// Opens the folder, made if it does not exist.
    pub(crate) fn open(config: &Config) -> Result<Self, InstallError> {
        let path = global_bin_folder(config)?;
        let failed = |source| InstallError::GlobalFolder { path: path.to_owned(), source };
        let dir = Dir::open_or_create(path).map_err(failed)?;
        // Links are relative, and `..` behind a symlink is not where it seems.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(Self {
            path: real(path),
            packages: real(global_folder(config)?).join("node_modules"),
            dir,
            with_force: config.install.force,
        })
    }

    /// Lets the folder have these commands: names, and files below the global `node_modules`. Links to
    /// other files for which `is_gone` holds are removed.
    pub(crate) fn update(
        &self,
        commands: Vec<(Box<str>, String)>,
        is_gone: impl Fn(&Path) -> bool,
    ) -> Result<GlobalCommands, InstallError> {
        let mut refused = Vec::new();
        for (name, file) in &commands {
            if !self.put(name, file).map_err(|source| self.failed(name, source))? {
                refused.push(name.clone());
            }
        }
        let entries = self.dir.list().map_err(|source| self.failed("", source))?;
        for entry in entries.into_iter().filter(|entry| entry.kind == FileKind::Symlink) {
            let Some(name) = entry.name.to_str() else { continue };
            let is_wanted = commands.iter().any(|(known, _)| **known == *name);
            if !is_wanted && self.own(name).is_some_and(|file| is_gone(&file)) {
                self.dir.remove_file(name).map_err(|source| self.failed(name, source))?;
            }
        }
        let names = commands.into_iter().map(|(name, _)| name).collect();
        Ok(GlobalCommands { folder: self.path.clone(), names, refused })
    }

    /// Links one command; returns whether it could have the name.
    fn put(&self, name: &str, file: &str) -> Result<bool, FsError> {
        let file = self.packages.join(file);
        let target = relative(&self.path, &file).map_or(file, PathBuf::from);
        if self.dir.symlink(&*target, name)? == Creation::Made {
            return Ok(true);
        }
        let known = self.dir.read_link(name)?;
        if known.as_ref().is_some_and(|known| *known == target) {
            return Ok(true);
        }
        if self.own(name).is_none() && !self.with_force {
            return Ok(false);
        }
        if known.is_none() {
            self.dir.remove_all(name)?;
        }
        replace_by_symlink(&self.dir, &*target, name)?;
        Ok(true)
    }

    /// Returns the file below the global `node_modules` that the link `name` leads to, if it is one.
    fn own(&self, name: &str) -> Option<PathBuf> {
        let target = self.dir.read_link(name).ok().flatten()?;
        let file = normal(&self.path.join(target));
        Some(file.strip_prefix(&self.packages).ok()?.to_owned())
    }

    fn failed(&self, name: &str, source: FsError) -> InstallError {
        InstallError::GlobalCommand { path: self.path.join(name), source }
    }
}

/// Returns the commands of a package that is registered for links, made executable.
pub(crate) fn commands_of(name: PackageName, bin: &Bin, folder: &Dir) -> Vec<(Box<str>, String)> {
    let files: Vec<(Box<str>, String)> = match Commands::read(bin, name.into()) {
        None => Vec::new(),
        Some(Commands::Files(commands)) => {
            commands.into_iter().map(|command| (command.name, command.target.into())).collect()
        }
        Some(Commands::Folder(path)) => {
            let entries = folder.open_dir(&*path).and_then(|dir| dir.list()).unwrap_or_default();
            let names = entries.into_iter().filter_map(|entry| entry.name.into_string().ok());
            names.map(|name| (name.as_str().into(), format!("{path}/{name}"))).collect()
        }
    };
    let is_command = |(_, file): &(Box<str>, String)| {
        let metadata = folder.metadata_following(file.as_str()).ok().flatten();
        let Some(metadata) = metadata.filter(|metadata| metadata.kind == FileKind::File) else {
            return false;
        };
        let permissions = Permissions(metadata.permissions | 0o111);
        if let Err(error) = folder.set_permissions(file.as_str(), permissions) {
            tracing::warn!(%error, "a command could not be made executable");
        }
        true
    };
    let found = files.into_iter().filter(is_command);
    found.map(|(command, file)| (command, format!("{name}/{file}"))).collect()
}

/// Takes `..` out of an absolute path.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}
