//! What an install that was ended halfway may have left: `node_modules/.deka-unfinished` and `.deka-before`.
//!
//! Made before an install changes anything, in place of the state; gone when the next state is written. They name
//! what was to be there, and what was there (the state of then, under another name), and say nothing about what it is:
//! so the next install takes nothing of it for good, and yet knows what nobody else put there, and removes it where it
//! is not wanted any more.

use deka_fs::{Dir, FsError, replace};
use hashbrown::HashSet;

use super::{LinkState, PlacedLink, PlacedLinks, PlacedPackage, STATE_FILE, Stamp};
use crate::difference::Difference;
use crate::path::parent;
use crate::plan::{Identity, Link, LinkPlan};

/// The file in the project's `node_modules`.
const UNFINISHED_FILE: &str = ".deka-unfinished";
/// The last state, beside it.
const BEFORE_FILE: &str = ".deka-before";
/// What a placement is of which nobody knows what it is.
pub(crate) const UNKNOWN: Identity = Identity(0);

impl LinkState {
    /// Reads what an install of the project `root` that was ended halfway may have left.
    pub fn load_unfinished(root: &Dir) -> Option<Self> {
        let read = |name: &str| {
            let file = format!("{}/{name}", parent(STATE_FILE));
            Self::decode(&root.read(file.as_str()).ok().flatten()?)
        };
        let mut unfinished = read(UNFINISHED_FILE)?;
        if let Some(before) = read(BEFORE_FILE) {
            unfinished.add(&before);
        }
        Some(unfinished)
    }

    /// Adds what `before` names, without what it says of it.
    fn add(&mut self, before: &Self) {
        let known: HashSet<Box<str>> =
            self.placements.iter().map(|placed| placed.path.clone()).collect();
        let more = before.placements.iter().filter(|placed| !known.contains(&placed.path));
        self.placements.extend(more.map(|placed| may_be_placed(&placed.path)));
        self.link_folders.extend_from_slice(&before.link_folders);
        self.bin_folders.extend_from_slice(&before.bin_folders);
    }

    /// Whether this is no state but what may be left.
    pub fn is_unfinished(&self) -> bool {
        self.epoch.is_empty()
    }

    /// Takes the state out of `node_modules`, and writes down what there may be from now on: what was there `before`,
    /// and what is planned.
    pub(crate) fn begin_unfinished(
        node_modules: &Dir,
        before: Option<&Self>,
        plan: &LinkPlan,
        difference: &Difference,
    ) -> Result<(), FsError> {
        let state_file = &STATE_FILE[parent(STATE_FILE).len() + 1..];
        let mut state = Self::default();
        // A state goes on as it is; only what is new has to be written.
        let goes_on = before.is_some_and(|before| !before.is_unfinished());
        let is_new = |at: usize| !goes_on || difference.kept.get(at).is_none_or(Option::is_none);
        let new = plan.placements.iter().enumerate().filter(|(at, _)| is_new(*at));
        state.placements.extend(new.map(|(_, placement)| may_be_placed(&placement.path)));
        if goes_on {
            state.add_links(difference.links.iter().map(|at| &plan.links[*at as usize]));
        } else {
            state.add_links(plan.links.iter());
        }
        if let Some(before) = before.filter(|_| !goes_on) {
            state.add(before);
        }
        replace(node_modules, UNFINISHED_FILE, &state.encode())?;
        if !goes_on {
            return node_modules.remove_file(state_file).map(drop);
        }
        match node_modules.rename(state_file, node_modules, BEFORE_FILE) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// Adds links, those of a folder one after the other.
    fn add_links<'p>(&mut self, links: impl Iterator<Item = &'p Link>) {
        for link in links {
            let folder = parent(&link.path);
            let name = link.path[folder.len() + 1..].into();
            let link = PlacedLink { name, target: link.target.clone() };
            match self.link_folders.last_mut().filter(|last| *last.path == *folder) {
                Some(last) => last.links.push(link),
                None => self.link_folders.push(PlacedLinks {
                    path: folder.into(),
                    stamp: Stamp::default(),
                    links: vec![link],
                }),
            }
        }
    }
}

/// Returns the note that there may be something at `path`.
fn may_be_placed(path: &str) -> PlacedPackage {
    PlacedPackage {
        path: path.into(),
        identity: UNKNOWN,
        stamp: Stamp::default(),
        unflushed_since: None,
        source_fingerprint: 0,
        source_path: None,
    }
}
