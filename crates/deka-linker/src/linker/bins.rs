//! The writer of `.bin` folders: here symlinks; the one place that shims of other systems go to.
//!
//! What a plan offers is decided on the disk, as Bun does: the first owner whose file exists has the
//! name. A command whose file is missing gets no link. The files of the store's packages have been
//! made executable when they were placed; what is left are the user's own (workspaces, `link:`),
//! which are simply changed, and the rare file that nobody could foresee, which gets an inode of its
//! own first.

use std::path::Path;

use deka_fs::{Creation, Dir, FileKind, FileMode, FsError, Permissions};
use hashbrown::{HashMap, HashSet};

use super::Linker;
use super::left_alone::LeftAlone;
use crate::LinkError;
use crate::commands::Commands;
use crate::path::{is_safe_name, relative};
use crate::plan::{BinFolder, BinOwner, LinkPlan};
use crate::state::PlacedLink;

/// A command that exists.
pub(super) struct Found {
    pub(super) name: Box<str>,
    /// The file, below the project.
    pub(super) file: String,
    is_executable: bool,
}

impl Linker<'_> {
    /// Links the commands of a `.bin` folder, of which some may be left alone; returns what is in it.
    pub(super) fn link_bins(
        &self,
        folder: &BinFolder,
        left_alone: &LeftAlone<'_>,
    ) -> Result<Vec<PlacedLink>, LinkError> {
        let mut names: HashSet<Box<str>> = HashSet::new();
        let mut bins = Vec::new();
        let mut dir = None;
        let known = left_alone.links(&folder.path).map_or(&[][..], Vec::as_slice);
        let known: HashMap<&str, &str> =
            known.iter().map(|link| (&*link.name, &*link.target)).collect();
        for owner in &folder.owners {
            let is_untouched = !known.is_empty() && left_alone.is_owner_untouched(owner);
            let is_linked = |name: &str, file: &str| {
                is_untouched && known.get(name) == Some(&&*relative(&folder.path, file))
            };
            for found in self.find_commands(owner, is_linked) {
                if !found.is_executable {
                    self.make_executable(owner, &found.file);
                }
                if !names.insert(found.name.clone()) {
                    continue;
                }
                let failed = |source| LinkError::Bin {
                    name: found.name.clone(),
                    folder: self.path_of(&folder.path),
                    source,
                };
                let target = relative(&folder.path, &found.file);
                if known.get(&*found.name) != Some(&target.as_str()) {
                    let dir = match &mut dir {
                        Some(dir) => dir,
                        dir => dir.insert(self.make_bin_dir(&folder.path).map_err(failed)?),
                    };
                    set_link(dir, &found.name, &target).map_err(failed)?;
                }
                bins.push(PlacedLink { name: found.name, target: target.into() });
            }
        }
        Ok(bins)
    }

    /// Returns the commands of those packages among the owners of the `.bin` folder at `folder` whose
    /// paths are wanted, with their files below the project. The folder has to be linked already.
    pub fn commands(
        &self,
        plan: &LinkPlan,
        folder: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<(Box<str>, String)> {
        let folders = plan.bin_folders.iter().filter(|bins| *bins.path == *folder);
        let owners = folders.flat_map(|bins| &bins.owners).filter(|owner| is_wanted(&owner.path));
        let mut names = HashSet::new();
        let found = owners.flat_map(|owner| self.find_commands(owner, |_, _| false));
        let found = found.filter(|found| names.insert(found.name.clone()));
        found.map(|found| (found.name, found.file)).collect()
    }

    fn make_bin_dir(&self, path: &str) -> Result<Dir, FsError> {
        super::make_dir(&self.root, path)
    }

    /// Returns the commands of `owner` whose files exist; those that are linked from the last install, to these
    /// very files, do.
    pub(super) fn find_commands(
        &self,
        owner: &BinOwner,
        is_linked: impl Fn(&str, &str) -> bool,
    ) -> Vec<Found> {
        let look = |name: &str, file: String| {
            if is_linked(name, &file) {
                return Some(Found { name: name.into(), file, is_executable: true });
            }
            let metadata = self.root.metadata_following(file.as_str()).ok().flatten()?;
            let is_file = metadata.kind == FileKind::File;
            let is_executable = !is_file || metadata.permissions & 0o111 != 0;
            Some(Found { name: name.into(), file, is_executable })
        };
        match &*owner.commands {
            Commands::Files(commands) => commands
                .iter()
                .filter_map(|command| {
                    let native = owner.native.as_ref().and_then(|native| {
                        let targets = command.native_targets();
                        targets
                            .iter()
                            .find_map(|file| look(&command.name, format!("{native}/{file}")))
                    });
                    native.or_else(|| {
                        look(&command.name, format!("{}/{}", owner.path, command.target))
                    })
                })
                .collect(),
            Commands::Folder(folder) => {
                let package = owner.native.as_ref().unwrap_or(&owner.path);
                let separator = if folder.is_empty() { "" } else { "/" };
                let folder = format!("{package}{separator}{folder}");
                let entries = self.root.open_dir(folder.as_str()).and_then(|dir| dir.list());
                let mut names: Vec<String> = entries
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Symlink))
                    .filter_map(|entry| entry.name.into_string().ok())
                    .filter(|name| is_safe_name(name))
                    .collect();
                names.sort();
                names.iter().filter_map(|name| look(name, format!("{folder}/{name}"))).collect()
            }
        }
    }

    /// Makes a file executable that is not; a file that cannot be is left as it is, with a warning.
    fn make_executable(&self, owner: &BinOwner, file: &str) {
        let result = if owner.is_placed {
            if !self.is_inside(owner, file) {
                tracing::warn!(file, "a command that leads out of its package is left as it is");
                return;
            }
            self.replace_by_executable(file)
        } else {
            self.root.metadata_following(file).and_then(|metadata| {
                let permissions = metadata.map_or(0o644, |metadata| metadata.permissions);
                self.root.set_permissions(file, Permissions(permissions | 0o111))
            })
        };
        if let Err(error) = result {
            tracing::warn!(%error, "a command could not be made executable");
        }
    }

    /// Whether a file of a package lies in its folder, and not behind a symlink that a script left there.
    fn is_inside(&self, owner: &BinOwner, file: &str) -> bool {
        let real = |path: &str| std::fs::canonicalize(self.root.path_of(path)).ok();
        let folders = [Some(&owner.path), owner.native.as_ref()].into_iter().flatten();
        let folders = folders.filter_map(|folder| real(folder));
        real(file).is_some_and(|file| folders.into_iter().any(|folder| file.starts_with(folder)))
    }

    /// Puts an executable copy in the place of a file, whose inode may be the store's.
    fn replace_by_executable(&self, file: &str) -> Result<(), FsError> {
        let copy = format!("{file}.deka-{}", std::process::id());
        self.root.remove_file(copy.as_str())?;
        let (Creation::Made | Creation::Existed) =
            self.root.copy(file, &self.root, copy.as_str(), FileMode::Executable)?;
        self.root.rename(copy.as_str(), &self.root, file)
    }
}

/// Makes the symlink `name`, in place of whatever has the name.
pub(super) fn set_link(dir: &Dir, name: &str, target: &str) -> Result<(), FsError> {
    if dir.symlink(target, name)? == Creation::Made {
        return Ok(());
    }
    if dir.read_link(name)?.is_some_and(|now| now == Path::new(target)) {
        return Ok(());
    }
    dir.remove_all(name)?;
    let (Creation::Made | Creation::Existed) = dir.symlink(target, name)?;
    Ok(())
}
