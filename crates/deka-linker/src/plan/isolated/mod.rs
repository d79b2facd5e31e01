//! The plan of the isolated layout: each package sees its own dependencies and nothing else.
//!
//! ```text
//! node_modules/.bun/ui@1.0.0+5e44392892a7cd3e/node_modules/ui     ◄─ files of ui@1.0.0
//! node_modules/.bun/ui@1.0.0+5e44392892a7cd3e/node_modules/react  ─► ../../react@18.2.0/node_modules/react
//! node_modules/.bun/node_modules/react                            ─► what nobody asked for, but all may see
//! node_modules/ui                                                 ─► .bun/ui@1.0.0+…/node_modules/ui
//! packages/web/node_modules/ui                                    ─► ../../../node_modules/.bun/…
//! ```
//! [`IsolatedTree`] says which entries there are and what each depends on; here they get their folders,
//! links and commands.

mod automatic;
mod entries;
mod names;
mod patterns;
mod peers;
mod shared;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use deka_graph::{EdgeKind, Graph, Package, PackageId, Resolution};
use deka_manifest::Alias;
use hashbrown::{HashMap, HashSet};

pub use self::entries::IsolatedTree;
use self::entries::{Entry, EntryId};
use self::names::folder_name;
pub use self::patterns::HoistPatterns;
use super::package::{Executables, FoundExecutables, Place, linked_folder, source_folder};
use super::{
    BinFolder, BinOwner, Layout, Link, LinkPlan, Placement, PlanError, PlanOptions, SharedEntry,
    SharedPlaces, SharedPlan, Skipped, Source,
};
use crate::commands::Commands;
use crate::path::{normalise_inside, parent, relative};
use crate::state::LinkState;

/// The folder of all entries.
pub(crate) const ENTRIES: &str = "node_modules/.bun";

/// The folder whose packages all others see.
const HIDDEN: &str = "node_modules/.bun/node_modules";

impl LinkPlan {
    /// Plans the isolated layout: `tree` must hold what is wanted on disk and nothing else.
    pub fn isolated(
        graph: &Graph,
        tree: &IsolatedTree,
        options: &PlanOptions,
    ) -> Result<Self, PlanError> {
        let mut builder = Builder {
            graph,
            tree,
            options,
            homes: Vec::with_capacity(tree.entries.len()),
            executables: Executables::default(),
            plan: Self { layout: Layout::Isolated, ..Self::default() },
        };
        builder.find_homes()?;
        builder.plan_bins();
        let executables = std::mem::take(&mut builder.executables).finish();
        let shared = match &options.shared {
            Some(places) => builder.share(places, &executables),
            None => vec![None; tree.entries.len()],
        };
        builder.plan_links(&shared);
        builder.plan_packages(&shared, &executables);
        Ok(builder.plan)
    }

    /// Adds what the last install placed and the `whole` project still wants; so an install of a part of
    /// a project takes nothing away from the others.
    pub fn add_parts(&mut self, whole: Self, old: &LinkState) {
        let placed = old.placements.iter().map(|placed| placed.path.to_string());
        let linked = old.links().map(|(path, _)| path);
        let old: HashSet<String> = placed.chain(linked).collect();
        let placed = self.placements.iter().map(|placement| placement.path.clone());
        let linked = self.links.iter().map(|link| link.path.clone());
        let known: HashSet<Box<str>> = placed.chain(linked).collect();
        let is_kept = |path: &str| old.contains(path) && !known.contains(path);
        let placements = whole.placements.into_iter();
        self.placements.extend(placements.filter(|placement| is_kept(&placement.path)));
        self.links.extend(whole.links.into_iter().filter(|link| is_kept(&link.path)));
        self.links.sort_by(|one, other| one.path.cmp(&other.path));
        let linked: HashSet<&str> = self.links.iter().map(|link| &*link.target).collect();
        let names: HashSet<Box<str>> =
            self.shared.entries.iter().map(|entry| entry.name.clone()).collect();
        let folder = &whole.shared.places.folder;
        let is_kept = |entry: &SharedEntry| {
            linked.contains(&*format!("{folder}/{}", entry.name)) && !names.contains(&entry.name)
        };
        self.shared.entries.extend(whole.shared.entries.into_iter().filter(is_kept));
        let folders: HashSet<Box<str>> =
            self.bin_folders.iter().map(|folder| folder.path.clone()).collect();
        for mut folder in whole.bin_folders {
            folder.owners.retain(|owner| old.contains(&*owner.path));
            if !folders.contains(&folder.path) && !folder.owners.is_empty() {
                self.bin_folders.push(folder);
            }
        }
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    tree: &'a IsolatedTree,
    options: &'a PlanOptions,
    /// For each entry where it is; `None` for what is not on disk.
    homes: Vec<Option<Home>>,
    executables: Executables,
    plan: LinkPlan,
}

/// Where an entry is.
struct Home {
    /// The folder that links to it lead to.
    folder: String,
    /// The folder that the links to its dependencies go to.
    inner: Option<String>,
    /// What fills `folder`, if it is a placement.
    source: Option<Source>,
}

impl Builder<'_> {
    fn find_homes(&mut self) -> Result<(), PlanError> {
        let mut workspaces = HashSet::new();
        let mut folders = HashSet::new();
        for (at, entry) in self.tree.entries.iter().enumerate() {
            let mut home = self.home(entry, at == EntryId::ROOT.index())?;
            if let Some(home) = &mut home {
                let is_workspace = home.source.is_none() && home.inner.is_some();
                // What is below a workspace goes there once, and so do the files of a package.
                if is_workspace && !workspaces.insert(entry.package) {
                    home.inner = None;
                } else if home.source.is_some() && !folders.insert(home.folder.clone()) {
                    (home.inner, home.source) = (None, None);
                }
            }
            self.homes.push(home);
        }
        Ok(())
    }

    fn home(&mut self, entry: &Entry, is_root: bool) -> Result<Option<Home>, PlanError> {
        let package = self.graph.package(entry.package);
        let own = |folder: &str| {
            let separator = if folder.is_empty() { "" } else { "/" };
            let inner = Some(format!("{folder}{separator}node_modules"));
            Some(Home { folder: folder.to_owned(), inner, source: None })
        };
        let stranger = |folder: String| Some(Home { folder, inner: None, source: None });
        let source = match &package.resolution {
            Resolution::Root if is_root => return Ok(own("")),
            Resolution::Root => return Ok(stranger(String::new())),
            Resolution::Workspace(folder) => {
                let folder = normalise_inside(folder)
                    .ok_or(PlanError::WorkspaceOutside { name: package.name, path: *folder })?;
                return Ok(if folder.is_empty() { stranger(folder) } else { own(&folder) });
            }
            Resolution::Symlink(target) => {
                let registered = || self.options.registered.get(target).map(ToString::to_string);
                let Some(target) = linked_folder(target).or_else(registered) else {
                    return Ok(
                        self.skip(package, "no package of this name is registered for links")
                    );
                };
                return Ok(stranger(target));
            }
            Resolution::Folder(inside)
                if inside.starts_with("./") && self.is_strange(entry.parent) =>
            {
                let outer = self.homes.get(entry.parent.index()).and_then(Option::as_ref);
                let folder = normalise_inside(inside).zip(outer);
                return Ok(match folder {
                    Some((inside, outer)) => stranger(format!("{}/{inside}", outer.folder)),
                    None => {
                        self.skip(package, "a package may only ask for folders inside of itself")
                    }
                });
            }
            Resolution::Folder(folder) => match source_folder(folder) {
                Some(path) => Source::Folder { path },
                None => return Ok(self.skip(package, "the path of the folder is not valid")),
            },
            Resolution::Npm { .. }
            | Resolution::LocalTarball(_)
            | Resolution::RemoteTarball(_)
            | Resolution::Git { .. }
            | Resolution::GitHub { .. } => Source::Store { integrity: package.integrity },
        };
        let Some(name) = folder_name(self.graph, entry) else {
            return Ok(self.skip(package, "no folder can be called like its version"));
        };
        let inner = format!("{ENTRIES}/{name}/node_modules");
        let folder = format!("{inner}/{}", package.name);
        Ok(Some(Home { folder, inner: Some(inner), source: Some(source) }))
    }

    /// Whether an entry's package came from elsewhere: the folders that it asks for lie inside of it.
    fn is_strange(&self, id: EntryId) -> bool {
        let package = self.graph.package(self.tree.entry(id).package);
        !matches!(
            package.resolution,
            Resolution::Root | Resolution::Workspace(_) | Resolution::Folder(_)
        )
    }

    fn skip(&mut self, package: &Package, reason: &'static str) -> Option<Home> {
        let path = format!("{ENTRIES}/{}", package.name).into();
        self.plan.skipped.push(Skipped { path, reason });
        None
    }

    /// Plans the entries that can be shared; returns their names.
    fn share(
        &mut self,
        places: &SharedPlaces,
        executables: &FoundExecutables,
    ) -> Vec<Option<String>> {
        let names = self.shared_names(executables);
        let folders = self.shared_folders(&names);
        let entries = (0..names.len()).filter_map(|at| {
            let staging = &places.staging;
            self.shared_entry(at, &names, &folders, staging, executables)
        });
        self.plan.shared = SharedPlan { entries: entries.collect(), places: places.clone() };
        // The commands of what is shared are made along with it.
        let is_shared = |home: &Option<Home>, name: &Option<String>| {
            let inner = home.as_ref().filter(|_| name.is_some())?.inner.as_ref()?;
            Some(format!("{inner}/.bin"))
        };
        let homes = self.homes.iter().zip(&names);
        let folders: HashSet<String> =
            homes.filter_map(|(home, name)| is_shared(home, name)).collect();
        self.plan.bin_folders.retain(|folder| !folders.contains(&*folder.path));
        names
    }

    fn plan_links(&mut self, shared: &[Option<String>]) {
        let mut links = Vec::new();
        let link = |path: String, folder: &str, package: PackageId| {
            let target = relative(parent(&path), folder).into();
            Link { path: path.into(), target, package }
        };
        let mut is_anything_local = false;
        for ((entry, home), shared) in self.tree.entries.iter().zip(&self.homes).zip(shared) {
            let Some(home @ Home { inner: Some(inner), .. }) = home else { continue };
            if let Some(name) = shared {
                let (path, folder) = (parent(inner), &self.plan.shared.places.folder);
                let target = format!("{folder}/{name}").into();
                links.push(Link { path: path.into(), target, package: entry.package });
                continue;
            }
            is_anything_local |= home.source.is_some();
            for (alias, id) in &entry.dependencies {
                let Some(below) = &self.homes[id.index()] else { continue };
                let package = self.tree.entry(*id).package;
                let path = self.link_path(entry, home, inner, *alias);
                links.push(link(path, &below.folder, package));
            }
        }
        // Nobody looks from a shared entry into the project.
        for (alias, id) in self.tree.hidden.iter().filter(|_| is_anything_local) {
            if let Some(home) = &self.homes[id.index()]
                && matches!(home.source, Some(Source::Store { .. }))
            {
                let package = self.tree.entry(*id).package;
                links.push(link(format!("{HIDDEN}/{alias}"), &home.folder, package));
            }
        }
        links.sort_by(|one, other| one.path.cmp(&other.path));
        self.plan.links = links;
    }

    /// Returns where the link of an entry to what it calls `alias` is: beside its package, but inside of it
    /// if both have the same name.
    fn link_path(&self, entry: &Entry, home: &Home, inner: &str, alias: Alias) -> String {
        let name = Alias::from(self.graph.package(entry.package).name);
        if home.source.is_some() && name == alias {
            format!("{}/node_modules/{alias}", home.folder)
        } else {
            format!("{inner}/{alias}")
        }
    }

    fn plan_bins(&mut self) {
        let mut first_of = HashMap::new();
        for (entry, home) in self.tree.entries.iter().zip(&self.homes) {
            if let Some(home) = home.as_ref().filter(|home| home.source.is_some()) {
                first_of.entry(entry.package).or_insert_with(|| home.folder.clone());
            }
        }
        for (entry, home) in self.tree.entries.iter().zip(&self.homes) {
            let Some(home @ Home { inner: Some(inner), .. }) = home else { continue };
            let name = Alias::from(self.graph.package(entry.package).name);
            let own = home.source.map(|_| (entry.package, None, name));
            let dependencies = entry
                .dependencies
                .iter()
                .map(|(alias, id)| (self.tree.entry(*id).package, Some(*alias), *alias));
            let mut owners = Vec::new();
            for (package, linked, alias) in own.into_iter().chain(dependencies) {
                let Some(commands) = Commands::read(&self.graph.package(package).bin, alias) else {
                    continue;
                };
                let path = match linked {
                    Some(alias) => self.link_path(entry, home, inner, alias),
                    None => home.folder.clone(),
                };
                let native =
                    self.options.native_bins.native_of(self.graph, package, &self.options.target);
                let native = native.and_then(|id| Some((id, first_of.get(&id)?)));
                self.executables.add(&commands, package, native.map(|(id, _)| id));
                let owner = BinOwner {
                    path: path.into(),
                    native: native.map(|(_, folder)| folder.as_str().into()),
                    commands: Arc::new(commands),
                    is_placed: first_of.contains_key(&package),
                };
                let is_peer = linked.is_some_and(|alias| self.is_peer_of_ours(entry, alias));
                owners.push((is_peer, owner));
            }
            if !owners.is_empty() {
                owners.sort_by_key(|(is_peer, _)| *is_peer);
                let owners = owners.into_iter().map(|(_, owner)| owner).collect();
                let path = format!("{inner}/.bin").into();
                self.plan.bin_folders.push(BinFolder { path, owners });
            }
        }
    }

    /// Whether the project or a workspace has a dependency as a peer only: the commands of all others go
    /// before. With other packages peers are nothing special.
    fn is_peer_of_ours(&self, entry: &Entry, alias: Alias) -> bool {
        let mut edges =
            self.graph.edges_of(entry.package).iter().filter(|edge| edge.alias == alias);
        self.graph.package(entry.package).resolution.is_importer()
            && edges.all(|edge| edge.kind == EdgeKind::Peer)
    }

    fn plan_packages(&mut self, shared: &[Option<String>], executables: &FoundExecutables) {
        let homes = std::mem::take(&mut self.homes).into_iter().zip(shared);
        for (entry, (home, shared)) in self.tree.entries.iter().zip(homes) {
            let home = home.filter(|_| shared.is_none());
            let Some(Home { folder, source: Some(source), .. }) = home else { continue };
            let name = Alias::from(self.graph.package(entry.package).name);
            let own = entry.dependencies.iter().filter(|(alias, _)| *alias == name);
            let nested = own.map(|(alias, _)| alias.symbol()).collect();
            let base_length = "node_modules".len() as u32;
            let place = Place { path: folder.into(), base_length, source, nested };
            let executables = executables.of(entry.package);
            let placement =
                Placement::new(self.graph, self.options, entry.package, place, executables);
            self.plan.placements.push(placement);
        }
    }
}
