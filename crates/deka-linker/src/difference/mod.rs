//! What has to be done to get from what is there to what is planned.
//!
//! A pure function of the last state, the plan, and what the disk says of each path in question.
//! What it may touch is narrow: paths that are planned now, and paths that deka's own state says deka
//! made. Everything else in `node_modules` is somebody else's.
//!
//! | at a planned path is              | and the last state says           | then                  |
//! |-----------------------------------|-----------------------------------|-----------------------|
//! | nothing                           | anything                          | place                 |
//! | the folder as we left it          | the same package                  | leave alone           |
//! | a folder that a glance tells      | the same inode                    | leave alone           |
//! | the folder, names changed         | the same package                  | verify                |
//! | a folder                          | the same package, not yet flushed | verify contents       |
//! | a folder that needs verifying     | the same, built here alone        | move away, place      |
//! | a folder                          | another package, or nothing known | move away, place      |
//! | a symlink or a file               | anything                          | move away, place      |
//! | a folder that somebody edits      | the same package, or nothing      | leave alone           |

use deka_graph::PackageId;
use hashbrown::{HashMap, HashSet};

use crate::path::{base_of, is_within, parent};
use crate::plan::{ENTRIES, Layout, LinkPlan, Placement, Source};
use crate::state::{LinkState, PlacedLink, PlacedLinks, PlacedPackage, Stamp, UNKNOWN};

/// What is at a path, a symlink not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// Nothing.
    Missing,
    /// A folder.
    Folder(Stamp),
    /// A symlink.
    Symlink,
    /// A file or worse.
    Other,
}

/// What the disk says.
pub trait Observer {
    /// Returns what is at a path below the project.
    fn observe(&mut self, path: &str) -> Observed;
    /// Whether the folder with this inode is at a path below the project, if a glance tells that; then
    /// nothing else is asked about it.
    fn is_there(&mut self, path: &str, inode: u64) -> bool;
    /// Whether the names in the folder at `path` hash to this.
    fn has_names(&mut self, path: &str, hash: u64) -> bool;
    /// Whether the symlink at `path` says `target`.
    fn is_link(&mut self, path: &str, target: &str) -> bool;
    /// Returns the names in the folder at `path`, none if there is no folder.
    fn names(&mut self, path: &str) -> Vec<String>;
    /// Returns the fingerprint of the source of a `file:` dependency.
    fn source_fingerprint(&mut self, path: &str) -> u64;
}

/// What can be believed of the last state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Everything: same epoch, or all of it was on the disk.
    All,
    /// Only what had been placed this many seconds before the state was written.
    Flushed {
        /// Seconds after which the kernel has written everything back; `None` if that is unknown.
        horizon: Option<u64>,
    },
}

/// How closely a placement is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// All files are there with their sizes.
    Sizes,
    /// All files have their contents.
    Contents,
}

/// What is to be done with a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make the folder and fill it.
    Place,
    /// Look whether it is intact, and make it anew if not.
    Verify(Depth),
}

/// One independent piece of work: may be performed in any order, by any thread, as soon as the
/// package's files are in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// The package whose files it needs.
    pub package: PackageId,
    /// The place in [`LinkPlan::placements`].
    pub placement: u32,
    /// What to do.
    pub action: Action,
}

/// A placement that stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its place in [`LinkState::placements`].
    pub at: u32,
    /// Whether its folder still is what the state says of it.
    pub holds: bool,
}

/// What has to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Placements to make or to verify, in the plan's order.
    pub tasks: Vec<Task>,
    /// Paths to move out of the way before anything else, none inside another.
    pub clear: Vec<Box<str>>,
    /// Paths of [`Difference::clear`] and inside of it that are not wanted any more (the others are
    /// replaced).
    pub removed: Vec<Box<str>>,
    /// Symlinks of the last install that are not wanted any more and still are ours.
    pub unlink: Vec<Box<str>>,
    /// How many placements stay as they are.
    pub unchanged: usize,
    /// For each placement of the plan, what the last state says of it, if it stays.
    pub kept: Vec<Option<Kept>>,
    /// For each of the last state's folders of links, whether it still is what the state says of it.
    pub link_folders: Vec<bool>,
    /// Likewise for the last state's folders of commands.
    pub bin_folders: Vec<bool>,
    /// Links to make, by their place in [`LinkPlan::links`].
    pub links: Vec<u32>,
}

impl Difference {
    /// Whether no package, link or folder has to be touched.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
            && self.clear.is_empty()
            && self.unlink.is_empty()
            && self.links.is_empty()
    }
}

/// Compares. `force` believes nothing of the last state.
pub fn difference(
    old: Option<&LinkState>,
    plan: &LinkPlan,
    trust: Trust,
    force: bool,
    disk: &mut dyn Observer,
) -> Difference {
    let mut comparison = Comparison {
        known: HashMap::new(),
        seen: HashMap::new(),
        old_links: HashMap::new(),
        observed: Vec::with_capacity(plan.placements.len()),
        disk,
        cleared: HashSet::new(),
        obstacles: HashMap::new(),
        difference: Difference::default(),
        trust,
        written_at: old.map_or(0, |old| old.written_at),
        force,
    };
    if let Some(old) = old {
        let placed = old.placements.iter().zip(0..);
        comparison.known = placed.map(|(placed, at)| (&*placed.path, (placed, at))).collect();
        comparison.look_at_links(old);
    }
    comparison.clear_obsolete(old, plan);
    comparison.clear_other_layout(old, plan);
    comparison.look_at_placements(plan);
    comparison.clear_parents(plan);
    for (placement, at) in plan.placements.iter().zip(0..) {
        comparison.compare(placement, at);
    }
    comparison.compare_links(plan);
    comparison.finish()
}

struct Comparison<'a> {
    known: HashMap<&'a str, (&'a PlacedPackage, u32)>,
    /// What is at the folders that the last install linked something in.
    seen: HashMap<&'a str, Observed>,
    /// The links of the last install in folders that nobody has changed, and where in them to look next:
    /// a plan has them in the same order.
    old_links: HashMap<&'a str, (&'a [PlacedLink], usize)>,
    /// What is at each placement of the plan, and whether that still is what the last state says of it.
    observed: Vec<(Observed, bool)>,
    disk: &'a mut dyn Observer,
    cleared: HashSet<Box<str>>,
    /// For each folder asked about, what stands in the way to what is in it.
    obstacles: HashMap<Box<str>, Option<Box<str>>>,
    difference: Difference,
    trust: Trust,
    written_at: u64,
    force: bool,
}

impl<'a> Comparison<'a> {
    /// Notes the links that are there for certain: one look at a folder in place of one at each link.
    fn look_at_links(&mut self, old: &'a LinkState) {
        if self.force {
            return;
        }
        for folder in &old.link_folders {
            let holds = self.holds(folder);
            self.difference.link_folders.push(holds);
            if holds {
                self.old_links.insert(&folder.path, (&folder.links, 0));
            }
        }
        for folder in &old.bin_folders {
            let holds = self.holds(folder);
            self.difference.bin_folders.push(holds);
        }
    }

    fn holds(&mut self, folder: &'a PlacedLinks) -> bool {
        let observed = self.disk.observe(&folder.path);
        self.seen.insert(&folder.path, observed);
        self.still_holds(&folder.path, observed, &folder.stamp)
    }

    fn look_at_placements(&mut self, plan: &LinkPlan) {
        for placement in &plan.placements {
            let known = self.known.get(&*placement.path).map(|(placed, _)| *placed);
            // Where time does not tell, a stamp of the folder as it is now would be one of its damage.
            if let Some(placed) = known.filter(|placed| placed.stamp.names == 0)
                && self.disk.is_there(&placement.path, placed.stamp.inode)
            {
                self.observed.push((Observed::Folder(placed.stamp), true));
                continue;
            }
            let observed = self.disk.observe(&placement.path);
            let holds = known
                .is_some_and(|placed| self.still_holds(&placement.path, observed, &placed.stamp));
            self.observed.push((observed, holds));
        }
    }

    /// Whether a folder still is what its stamp says of it, names included if it has them.
    fn still_holds(&mut self, path: &str, observed: Observed, stamp: &Stamp) -> bool {
        let Observed::Folder(now) = observed else { return false };
        stamp.is_still(&now, |names| self.disk.has_names(path, names))
    }

    /// Whether the last install made this very link and nobody has touched it since.
    fn has_link(&mut self, path: &str, target: &str) -> bool {
        let folder = parent(path);
        let Some((links, next)) = self.old_links.get_mut(folder) else { return false };
        let name = path.get(folder.len() + 1..).unwrap_or_default();
        let (before, after) = links.split_at(*next);
        let found = after.iter().chain(before).position(|link| *link.name == *name);
        let Some(at) = found.map(|at| (*next + at) % links.len()) else { return false };
        *next = at + 1;
        *links[at].target == *target
    }

    /// Clears what the last install made and nobody wants any more.
    fn clear_obsolete(&mut self, old: Option<&LinkState>, plan: &LinkPlan) {
        let Some(old) = old else { return };
        let placements = plan.placements.iter().map(|placement| &*placement.path);
        let links = plan.links.iter().map(|link| &*link.path);
        let planned: HashSet<&str> = placements.chain(links).collect();
        for placed in &old.placements {
            if planned.contains(&*placed.path) || !self.is_reached_by_folders(&placed.path) {
                continue;
            }
            // A symlink or a file is not what was placed: somebody put it there.
            if let Observed::Folder(_) = self.disk.observe(&placed.path) {
                self.clear(&placed.path);
                self.difference.removed.push(placed.path.clone());
            }
        }
        let mut path = String::new();
        for folder in &old.link_folders {
            for link in &folder.links {
                path.clear();
                path.extend([&*folder.path, "/", &*link.name]);
                if !planned.contains(&*path)
                    && self.is_reached_by_folders(&path)
                    && self.disk.is_link(&path, &link.target)
                {
                    self.difference.unlink.push(path.as_str().into());
                }
            }
        }
    }

    /// Clears what a `node_modules` of the other layout holds: all entries of an isolated one, which
    /// nobody else puts anything into, and the packages of a hoisted one, which would still be found.
    /// Unless it is deka's own, then it is known what to remove.
    fn clear_other_layout(&mut self, old: Option<&LinkState>, plan: &LinkPlan) {
        let has_entries = matches!(self.disk.observe(ENTRIES), Observed::Folder(_));
        match plan.layout {
            Layout::Hoisted if has_entries => self.clear(ENTRIES),
            Layout::Isolated if !has_entries && old.is_none() => {
                let paths = plan.links.iter().map(|link| &*link.path);
                let bases: HashSet<&str> = paths.filter_map(base_of).collect();
                for base in bases {
                    for name in self.disk.names(base) {
                        if !name.starts_with('.') {
                            self.clear(&format!("{base}/{name}"));
                        }
                    }
                }
            }
            Layout::Hoisted | Layout::Isolated => {}
        }
    }

    /// Clears what stands where a folder has to be that leads to what is planned: a package, a
    /// scope, an inner `node_modules`. The outermost `node_modules` may be a symlink, if the user
    /// likes.
    fn clear_parents(&mut self, plan: &LinkPlan) {
        let placements = plan.placements.iter().map(|placement| &*placement.path);
        let links = plan.links.iter().map(|link| &*link.path);
        let mut last = "";
        for path in placements.chain(links) {
            // Many links are in one folder.
            if parent(path) == last {
                continue;
            }
            last = parent(path);
            if let Some(obstacle) = self.obstacle(path) {
                self.clear(&obstacle);
            }
        }
    }

    /// Whether nothing but folders leads from the outermost `node_modules` to `path`. Behind a
    /// symlink everything is somebody else's, whatever it looks like.
    fn is_reached_by_folders(&mut self, path: &str) -> bool {
        self.obstacle(path).is_none()
    }

    /// Returns the outermost path above `path` that is there and no folder.
    fn obstacle(&mut self, path: &str) -> Option<Box<str>> {
        let folder = parent(path);
        if !is_below_node_modules(folder) {
            return None;
        }
        if let Some(obstacle) = self.obstacles.get(folder) {
            return obstacle.clone();
        }
        let obstacle = self.obstacle(folder).or_else(|| {
            let seen = self.seen.get(folder).copied();
            match seen.unwrap_or_else(|| self.disk.observe(folder)) {
                Observed::Symlink | Observed::Other => Some(folder.into()),
                Observed::Missing | Observed::Folder(_) => None,
            }
        });
        self.obstacles.insert(folder.into(), obstacle.clone());
        obstacle
    }

    fn compare_links(&mut self, plan: &LinkPlan) {
        for (link, at) in plan.links.iter().zip(0..) {
            if self.is_cleared(&link.path) {
                self.difference.links.push(at);
                continue;
            }
            let is_there = self.has_link(&link.path, &link.target)
                || self.disk.is_link(&link.path, &link.target);
            if is_there {
                continue;
            }
            self.difference.links.push(at);
            if let Observed::Folder(_) | Observed::Other = self.disk.observe(&link.path) {
                self.clear(&link.path);
            }
        }
    }

    fn compare(&mut self, placement: &Placement, at: u32) {
        let seen = self.observed.get(at as usize).copied();
        let (observed, holds) = seen.unwrap_or((Observed::Missing, false));
        let action = self.action(placement, observed, holds);
        let kept = self.known.get(&*placement.path).map(|(_, at)| Kept { at: *at, holds });
        self.difference.kept.push(kept.filter(|_| action != Some(Action::Place)));
        match action {
            None => self.difference.unchanged += 1,
            Some(action) => {
                self.difference.tasks.push(Task {
                    package: placement.package,
                    placement: at,
                    action,
                });
            }
        }
    }

    fn action(&mut self, placement: &Placement, observed: Observed, holds: bool) -> Option<Action> {
        let path = &*placement.path;
        if self.is_cleared(path) {
            return Some(Action::Place);
        }
        let known = self.known.get(path).map(|(placed, _)| *placed);
        let is_same = |placed: &PlacedPackage| placed.identity == placement.identity;
        let may_be_same = |placed: &PlacedPackage| placed.identity == UNKNOWN || is_same(placed);
        match (observed, known) {
            (Observed::Missing, _) => Some(Action::Place),
            (Observed::Folder(_), known)
                if placement.is_edited && !self.force && known.is_none_or(may_be_same) =>
            {
                None
            }
            (Observed::Folder(_), Some(placed)) if !self.force && is_same(placed) => {
                let replace = match placement.source {
                    Source::Folder { path } => {
                        self.disk.source_fingerprint(&path) != placed.source_fingerprint
                    }
                    Source::Store { .. } => false,
                };
                if replace {
                    self.clear(path);
                    return Some(Action::Place);
                }
                let depth = if !self.is_flushed(placed) {
                    Depth::Contents
                } else if !holds {
                    Depth::Sizes
                } else {
                    return None;
                };
                if placement.is_private() {
                    // Nobody knows what its scripts made of it.
                    self.clear(path);
                    return Some(Action::Place);
                }
                Some(Action::Verify(depth))
            }
            _ => {
                self.clear(path);
                Some(Action::Place)
            }
        }
    }

    /// Whether the files of a placement cannot be torn.
    fn is_flushed(&self, placed: &PlacedPackage) -> bool {
        match (self.trust, placed.unflushed_since) {
            (Trust::All, _) | (_, None) => true,
            (Trust::Flushed { horizon }, Some(since)) => horizon
                .zip(self.written_at.checked_sub(since))
                .is_some_and(|(horizon, age)| age >= horizon),
        }
    }

    fn clear(&mut self, path: &str) {
        self.cleared.insert(path.into());
    }

    fn is_cleared(&self, path: &str) -> bool {
        if self.cleared.is_empty() {
            return false;
        }
        let mut path = path;
        while !path.is_empty() {
            if self.cleared.contains(path) {
                return true;
            }
            path = parent(path);
        }
        false
    }

    /// Keeps the outermost of the paths to clear.
    fn finish(mut self) -> Difference {
        let mut paths: Vec<Box<str>> = self.cleared.drain().collect();
        // By whole names, so that what lies inside a folder follows it at once.
        paths.sort_by(|one, other| one.split('/').cmp(other.split('/')));
        for path in paths {
            if !self.difference.clear.last().is_some_and(|outer| is_within(&path, outer)) {
                self.difference.clear.push(path);
            }
        }
        let clear = &self.difference.clear;
        self.difference.unlink.retain(|path| !clear.iter().any(|outer| is_within(path, outer)));
        self.difference
    }
}

/// Whether a path lies inside a `node_modules`.
fn is_below_node_modules(path: &str) -> bool {
    parent(path).split('/').any(|name| name == "node_modules")
}

#[cfg(test)]
mod tests;
