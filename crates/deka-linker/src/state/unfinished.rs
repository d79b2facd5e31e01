//! What an install that was ended halfway may have left: `node_modules/.deka-unfinished`.
//!
//! Written before an install changes anything, in place of the state; gone when the next state is written. It names
//! what was there and what was to be there, and says nothing about what it is: so the next install takes nothing of it
//! for good, and yet knows what nobody else put there, and removes it where it is not wanted any more.

use deka_fs::{Dir, FsError, replace};
use hashbrown::HashSet;

use super::{LinkState, PlacedLink, PlacedLinks, PlacedPackage, STATE_FILE, Stamp};
use crate::path::parent;
use crate::plan::{Identity, LinkPlan};

/// The file in the project's `node_modules`.
const UNFINISHED_FILE: &str = ".deka-unfinished";
/// What a placement is of which nobody knows what it is.
pub(crate) const UNKNOWN: Identity = Identity(0);

impl LinkState {
    /// Reads what an install of the project `root` that was ended halfway may have left.
    pub fn load_unfinished(root: &Dir) -> Option<Self> {
        let file = format!("{}/{UNFINISHED_FILE}", crate::path::parent(STATE_FILE));
        Self::decode(&root.read(file.as_str()).ok().flatten()?)
    }

    /// Whether this is no state but what may be left.
    pub fn is_unfinished(&self) -> bool {
        self.epoch.is_empty()
    }

    /// Writes down in `node_modules` what there may be from now on: what was there `before`, and what is planned.
    pub(crate) fn write_unfinished(
        node_modules: &Dir,
        before: Option<&Self>,
        plan: &LinkPlan,
    ) -> Result<(), FsError> {
        let mut known = HashSet::new();
        let placed = before.map(|before| &*before.placements).unwrap_or_default();
        let planned = plan.placements.iter().map(|placement| &*placement.path);
        let placements = placed.iter().map(|placed| &*placed.path).chain(planned);
        let placements = placements.filter(|path| known.insert(*path)).map(may_be_placed);
        let mut state = Self { placements: placements.collect(), ..Self::default() };
        if let Some(before) = before {
            state.link_folders.clone_from(&before.link_folders);
            state.bin_folders.clone_from(&before.bin_folders);
        }
        for link in &plan.links {
            let folder = parent(&link.path);
            let name = link.path[folder.len() + 1..].into();
            let link = PlacedLink { name, target: link.target.clone() };
            match state.link_folders.last_mut().filter(|last| *last.path == *folder) {
                Some(last) => last.links.push(link),
                None => state.link_folders.push(PlacedLinks {
                    path: folder.into(),
                    stamp: Stamp::default(),
                    links: vec![link],
                }),
            }
        }
        replace(node_modules, UNFINISHED_FILE, &state.encode())
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
