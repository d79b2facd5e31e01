//! Packages that are registered for links: `link:<name>` leads to them from any project.
//!
//! The register is a folder of symlinks, Bun's, so that both know the same packages.

use std::path::{Path, PathBuf};

use deka_config::Config;
use deka_fs::{Dir, FsError, replace_by_symlink};
use deka_manifest::{Bin, PackageJson, PackageName};

use crate::global::{CommandFolder, GlobalCommands, commands_of, global_bin_folder};
use crate::{InstallError, MANIFEST};

/// A package that is registered for links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its name.
    pub name: PackageName,
    /// Its commands, which are there for all projects.
    pub commands: GlobalCommands,
}

/// Registers the package in or above a folder, in place of another one of its name.
pub fn register(config: &Config, folder: &Path) -> Result<Registered, InstallError> {
    let (folder, name, bin) = package_at(folder)?;
    let place = Place::of(config, name)?;
    place.put(&folder).map_err(|source| place.failed(source))?;
    let dir = Dir::open(&folder).map_err(|source| place.failed(source))?;
    let commands = update_commands(config, name, commands_of(name, &bin, &dir))?;
    Ok(Registered { name, commands })
}

/// Takes the package in or above a folder out of the register. Returns its name, and whether it was
/// there.
pub fn unregister(config: &Config, folder: &Path) -> Result<(PackageName, bool), InstallError> {
    let (_, name, _) = package_at(folder)?;
    let place = Place::of(config, name)?;
    if place.is_installed() {
        return Ok((name, false));
    }
    update_commands(config, name, Vec::new())?;
    let was_there = place.clear().map_err(|source| place.failed(source))?;
    Ok((name, was_there))
}

/// Lets a registered package have these commands and no others.
fn update_commands(
    config: &Config,
    name: PackageName,
    commands: Vec<(Box<str>, String)>,
) -> Result<GlobalCommands, InstallError> {
    if commands.is_empty() && !global_bin_folder(config)?.exists() {
        return Ok(GlobalCommands::default());
    }
    CommandFolder::open(config)?.update(commands, |file| file.starts_with(name.as_str()))
}

/// Whether a file below the global `node_modules` is one of a package that is registered for links.
pub(crate) fn is_registered(global_folder: &Path, file: &Path) -> bool {
    let packages = global_folder.join("node_modules");
    let names = file.ancestors().filter(|path| !path.as_os_str().is_empty());
    names.into_iter().any(|name| {
        std::fs::read_link(packages.join(name)).is_ok_and(|target| target.is_absolute())
    })
}

/// Returns where the link of a package is, or would be; `None` without a home.
pub(crate) fn link_of(global_folder: Option<&Path>, name: PackageName) -> Option<PathBuf> {
    Some(global_folder?.join("node_modules").join(name.as_str()))
}

/// Returns the nearest package at or above a folder.
fn package_at(start: &Path) -> Result<(PathBuf, PackageName, Bin), InstallError> {
    let folder = start.ancestors().find(|folder| folder.join(MANIFEST).is_file());
    let folder = folder.ok_or_else(|| InstallError::NoManifest { folder: start.to_owned() })?;
    let path = folder.join(MANIFEST);
    let failed = |source| InstallError::Read { path: path.clone(), source };
    let text = Dir::open(folder).and_then(|dir| dir.read(MANIFEST)).map_err(failed)?;
    let manifest = PackageJson::parse(&text.unwrap_or_default()).map_err(|source| {
        InstallError::Manifest { path: path.clone(), source: Box::new(source) }
    })?;
    let name = manifest.package_name();
    let name = name.ok_or_else(|| InstallError::Nameless { path: path.clone() })?;
    Ok((folder.to_owned(), name, manifest.bin))
}

/// Where the link of a package is.
struct Place {
    path: PathBuf,
    folder: PathBuf,
    file: String,
}

impl Place {
    fn of(config: &Config, name: PackageName) -> Result<Self, InstallError> {
        let global_folder = config.install.global_folder.as_deref();
        let path = link_of(global_folder, name).ok_or(InstallError::NoGlobalFolder)?;
        let file = name.as_str().rsplit('/').next().unwrap_or(name.as_str()).to_owned();
        let folder = path.parent().unwrap_or(&path).to_owned();
        Ok(Self { path, folder, file })
    }

    /// Whether a package of this name is installed globally, rather than registered: a folder lies
    /// there, and its commands are not the register's.
    fn is_installed(&self) -> bool {
        self.path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
    }

    /// Lets the link lead to a folder, whatever it led to before. It takes the place of a package
    /// that is installed globally, as with Bun.
    fn put(&self, folder: &Path) -> Result<(), FsError> {
        let dir = Dir::open_or_create(&self.folder)?;
        if self.is_installed() {
            dir.remove_all(self.file.as_str())?;
        }
        replace_by_symlink(&dir, folder, self.file.as_str())
    }

    fn clear(&self) -> Result<bool, FsError> {
        match Dir::open(&self.folder) {
            Ok(dir) => dir.remove_file(self.file.as_str()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn failed(&self, source: FsError) -> InstallError {
        InstallError::Register { path: self.path.clone(), source }
    }
}
