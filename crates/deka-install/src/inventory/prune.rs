//! What lies in `node_modules` and should not, and taking it away.
//!
//! Only what is surely nobody's goes: names that the lockfile does not have anywhere, and places that it
//! has and the groups that are asked for leave out. What a package has in its own `node_modules` by itself,
//! what is for another platform, and what begins with a dot stays.

use std::path::Path;

use deka_config::Config;
use deka_fs::{Dir, FsError};
use deka_graph::{Graph, HoistedTree, Resolution};
use deka_linker::STATE_FILE;
use hashbrown::HashSet;

use super::{Groups, Inventory, Scope};
use crate::InstallError;
use crate::install::lock;
use crate::report::Reporter;

/// What was, or would be, taken out of `node_modules`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// What went, by path.
    pub removed: Vec<PrunedPackage>,
    /// How many packages were looked at.
    pub checked: usize,
}

/// A package that was taken out of `node_modules`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrunedPackage {
    /// Its place below the project.
    pub path: String,
    /// The name of the place.
    pub name: String,
    /// The version that was there, if it said so.
    pub version: Option<String>,
}

/// Takes out of `node_modules` what nobody asks for, and without devDependencies
/// (`Groups::Production`) or the groups that the settings omit also what only these ask for. With
/// `is_dry` it only says what would go.
pub fn prune(
    root: &Path,
    config: &Config,
    groups: Groups,
    is_dry: bool,
    reporter: &dyn Reporter,
) -> Result<Pruned, InstallError> {
    let _lock = (!is_dry).then(|| lock(root, reporter));
    let wanted = Inventory::read(root, config, &Scope { groups, ..Scope::default() })?;
    let mut everything = config.clone();
    everything.install.production = false;
    everything.install.omit = deka_config::Omit::default();
    let all = Inventory::read(root, &everything, &Scope::default())?;
    let mut removed = if wanted.is_isolated {
        wanted.superfluous_entries(&all)
    } else {
        wanted.superfluous_places(&all)
    };
    // What lies in something else that goes needs no mention; by parts, so that it comes right behind.
    removed.sort_unstable_by(|a, b| a.split('/').cmp(b.split('/')));
    removed.dedup();
    let mut tops: Vec<String> = Vec::new();
    for path in removed {
        let is_inside =
            |top: &String| path.strip_prefix(&**top).is_some_and(|rest| rest.starts_with('/'));
        if !tops.last().is_some_and(is_inside) {
            tops.push(path);
        }
    }
    let removed: Vec<PrunedPackage> = tops.into_iter().map(|path| wanted.described(path)).collect();
    let checked = wanted.tree.nodes().len() + removed.len();
    if !is_dry && !removed.is_empty() {
        remove(&wanted, &removed)
            .map_err(|source| InstallError::Prune { path: root.join("node_modules"), source })?;
    }
    Ok(Pruned { removed, checked })
}

fn remove(inventory: &Inventory, removed: &[PrunedPackage]) -> Result<(), FsError> {
    let dir = &inventory.dir;
    // From here on the next install looks at everything.
    dir.remove_file(STATE_FILE)?;
    for package in removed {
        let Some((folder, name)) = inventory.own_folder(&package.path)? else { continue };
        folder.remove_all(name)?;
        let Some((above, _)) = package.path.rsplit_once('/') else { continue };
        let is_scope = above.rsplit('/').next().is_some_and(|name| name.starts_with('@'));
        if is_scope && folder.list()?.is_empty() {
            dir.remove_dir(above)?;
        }
    }
    for base in inventory.bases() {
        let folder = format!("{base}/.bin");
        let bins = match dir.open_dir_no_follow(folder.as_str()) {
            Ok(bins) => bins,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        remove_dangling(&bins)?;
    }
    Ok(())
}

/// Removes the commands whose packages are gone.
fn remove_dangling(bins: &Dir) -> Result<(), FsError> {
    for entry in bins.list()? {
        let name = entry.name.as_os_str();
        if entry.kind == deka_fs::FileKind::Symlink && bins.metadata_following(name)?.is_none() {
            bins.remove_file(name)?;
        }
    }
    Ok(())
}

impl Inventory {
    /// Returns the folders that dependencies of the project and of its members lie in.
    fn bases(&self) -> Vec<String> {
        let members = self.graph.packages().iter().filter_map(|package| match package.resolution {
            Resolution::Workspace(path) => Some(format!("{path}/node_modules")),
            _ => None,
        });
        std::iter::once("node_modules".to_owned()).chain(members).collect()
    }

    /// Opens the folder that the last part of `path` is in. `None` if it is not there, or if a symlink in
    /// `node_modules` leads there: then what is in it belongs to somebody else.
    fn own_folder<'p>(&self, path: &'p str) -> Result<Option<(Dir, &'p str)>, FsError> {
        let Some((folder, name)) = path.rsplit_once('/') else { return Ok(None) };
        let base = folder.find("node_modules").map_or(folder, |start| &folder[..start]);
        let mut opened = match base {
            "" => None,
            base => Some(self.dir.open_dir(base)?),
        };
        for part in folder[base.len()..].split('/') {
            let above = opened.as_ref().unwrap_or(&self.dir);
            if !above.metadata(part)?.is_some_and(|metadata| metadata.is_dir()) {
                return Ok(None);
            }
            opened = Some(above.open_dir_no_follow(part)?);
        }
        Ok(opened.map(|folder| (folder, name)))
    }

    fn exists(&self, path: &str) -> bool {
        let metadata = |(folder, name): (Dir, &str)| folder.metadata(name).ok().flatten();
        self.own_folder(path).ok().flatten().and_then(metadata).is_some()
    }

    fn described(&self, path: String) -> PrunedPackage {
        let name = path.rsplit_once("node_modules/").map_or(&*path, |(_, name)| name);
        let name = name.strip_prefix(".bun/").unwrap_or(name).to_owned();
        let version = self.installed(&path).and_then(|manifest| manifest.version);
        PrunedPackage { path, name, version }
    }

    /// Hoisted: places that others in the lockfile have, and names that it does not have.
    fn superfluous_places(&self, all: &Self) -> Vec<String> {
        let paths = |tree: &HoistedTree, graph: &Graph| -> HashSet<String> {
            tree.node_ids().map(|place| tree.path(place, graph)).collect()
        };
        let wanted = paths(&self.tree, &self.graph);
        let locked = paths(&all.locked, &all.graph);
        let omitted = paths(&all.tree, &all.graph).into_iter();
        let omitted = omitted.filter(|path| !wanted.contains(path) && self.exists(path));
        let strange = self.bases().into_iter().flat_map(|base| {
            let names = self.packages_in(&base).into_iter();
            names.map(move |name| format!("{base}/{name}"))
        });
        omitted.chain(strange.filter(|path| !locked.contains(path))).collect()
    }

    /// Isolated: entries and links that nothing leads to any more.
    fn superfluous_entries(&self, all: &Self) -> Vec<String> {
        let wanted: HashSet<&str> = self.links.iter().map(String::as_str).collect();
        let known: HashSet<&str> = all.links.iter().map(String::as_str).collect();
        let aliases: HashSet<&str> =
            all.locked.nodes().iter().map(|node| node.alias.as_str()).collect();
        let omitted = all.links.iter().filter(|path| !wanted.contains(path.as_str()));
        let omitted = omitted.filter(|path| self.exists(path)).cloned();
        let strange = self.bases().into_iter().flat_map(|base| {
            let names = self.packages_in(&base).into_iter();
            names
                .filter(|name| !aliases.contains(&**name))
                .map(move |name| format!("{base}/{name}"))
        });
        let entries = self.dir.open_dir("node_modules/.bun").and_then(|dir| dir.list());
        let entries = entries.unwrap_or_default().into_iter().filter_map(|entry| {
            let name = entry.name.into_string().ok()?;
            let is_entry = name != "node_modules" && !name.starts_with('.');
            (is_entry && !self.entries.contains(&name)).then(|| format!("node_modules/.bun/{name}"))
        });
        let strange = strange.filter(|path| !known.contains(path.as_str()));
        omitted.chain(strange).chain(entries).collect()
    }
}
