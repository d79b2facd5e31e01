//! Comparing states, plans and disks that exist as data only.

use super::*;
use crate::plan::fixture::Packages;
use crate::state::{PlacedLink, PlacedLinks, Summary};

/// A disk as a list of paths.
#[derive(Default)]
struct Disk {
    entries: HashMap<String, Observed>,
    links: HashMap<String, String>,
    /// Folders whose names have changed.
    changed: HashSet<String>,
    /// Folders that a glance has seen.
    listed: HashSet<String>,
    fingerprint: u64,
}

impl Observer for Disk {
    fn observe(&mut self, path: &str) -> Observed {
        self.entries.get(path).copied().unwrap_or(Observed::Missing)
    }

    fn is_there(&mut self, path: &str, inode: u64) -> bool {
        inode == STAMP.inode && self.listed.contains(path)
    }

    fn has_names(&mut self, path: &str, hash: u64) -> bool {
        hash == NAMES && !self.changed.contains(path)
    }

    fn is_link(&mut self, path: &str, target: &str) -> bool {
        self.links.get(path).is_some_and(|now| now == target)
    }

    fn names(&mut self, path: &str) -> Vec<String> {
        let inside = format!("{path}/");
        let names = self.entries.keys().filter_map(|path| path.strip_prefix(&inside));
        names.filter(|name| !name.contains('/')).map(ToOwned::to_owned).collect()
    }

    fn source_fingerprint(&mut self, _path: &str) -> u64 {
        self.fingerprint
    }
}

const FOLDER: Observed = Observed::Folder(Stamp { modified: 0, inode: 0, names: 0 });
/// What the names in folders that nobody changed hash to.
const NAMES: u64 = 1;
const STAMP: Stamp = Stamp { modified: 0, inode: 0, names: NAMES };

/// What an install of `plan` leaves behind.
fn installed(plan: &LinkPlan) -> (LinkState, Disk) {
    let mut disk = Disk::default();
    let mut state = LinkState { written_at: 1000, ..LinkState::default() };
    for placement in &plan.placements {
        let source_path = match placement.source {
            Source::Folder { path } => Some(path.as_str().into()),
            Source::Store { .. } => None,
        };
        state.placements.push(PlacedPackage {
            path: placement.path.clone(),
            identity: placement.identity,
            stamp: STAMP,
            unflushed_since: Some(900),
            source_fingerprint: 0,
            source_path,
        });
        disk.entries.insert(placement.path.to_string(), FOLDER);
        let mut folder = parent(&placement.path);
        while !folder.is_empty() {
            disk.entries.entry(folder.to_owned()).or_insert(FOLDER);
            folder = parent(folder);
        }
    }
    for link in &plan.links {
        let (path, name) = link.path.rsplit_once('/').unwrap();
        let placed = PlacedLink { name: name.into(), target: link.target.clone() };
        let (path, stamp) = (path.into(), STAMP);
        state.link_folders.push(PlacedLinks { path, stamp, links: vec![placed] });
        disk.entries.insert(link.path.to_string(), Observed::Symlink);
        disk.links.insert(link.path.to_string(), link.target.to_string());
    }
    state.summary = Summary::default();
    (state, disk)
}

/// Prints what is to be done, one line for each thing.
fn print(plan: &LinkPlan, difference: &Difference) -> Vec<String> {
    let tasks = difference.tasks.iter().map(|task| {
        let placement = &plan.placements[task.placement as usize];
        assert_eq!(placement.package, task.package, "{}", placement.path);
        let action = match task.action {
            Action::Place => "place",
            Action::Verify(Depth::Sizes) => "verify",
            Action::Verify(Depth::Contents) => "read",
        };
        format!("{action} {}", &placement.path["node_modules/".len()..])
    });
    let short = |path: &str| path.strip_prefix("node_modules/").unwrap_or(path).to_owned();
    let cleared = difference.clear.iter().map(|path| format!("clear {}", short(path)));
    let removed = difference.removed.iter().map(|path| format!("removed {}", short(path)));
    let unlinked = difference.unlink.iter().map(|path| format!("unlink {}", short(path)));
    let links = (!difference.links.is_empty()).then(|| "links".to_owned());
    assert_eq!(difference.kept.len(), plan.placements.len());
    cleared.chain(removed).chain(unlinked).chain(tasks).chain(links).collect()
}

fn compare(
    old: &LinkPlan,
    new: &LinkPlan,
    change: impl FnOnce(&mut LinkState, &mut Disk),
) -> Vec<String> {
    let (mut state, mut disk) = installed(old);
    change(&mut state, &mut disk);
    print(new, &difference(Some(&state), new, Trust::All, false, &mut disk))
}

fn abc() -> LinkPlan {
    Packages::new(&["prod a a@1.0.0", "prod b b@2.0.0", "prod @s/c @s/c@1.0.0"])
        .npm("a@1.0.0", &["prod b b@1.0.0"])
        .npm("b@1.0.0", &[])
        .npm("b@2.0.0", &[])
        .npm("@s/c@1.0.0", &[])
        .plan()
}

const NOTHING: [String; 0] = [];

#[test]
fn what_stands_is_left_alone() {
    assert_eq!(compare(&abc(), &abc(), |_, _| {}), NOTHING);
    // Other people's things are not even looked at.
    let foreign = |_: &mut LinkState, disk: &mut Disk| {
        disk.entries.insert("node_modules/foreign".to_owned(), FOLDER);
        disk.entries.insert("node_modules/.cache".to_owned(), FOLDER);
    };
    assert_eq!(compare(&abc(), &abc(), foreign), NOTHING);
}

#[test]
fn an_empty_disk_gets_everything() {
    let plan = abc();
    let all = ["place @s/c", "place a", "place b", "place a/node_modules/b"];
    let mut disk = Disk::default();
    assert_eq!(print(&plan, &difference(None, &plan, Trust::All, false, &mut disk)), all);
    // node_modules was removed, the state survived elsewhere.
    assert_eq!(compare(&plan, &plan, |_, disk| disk.entries.clear()), all);
}

#[test]
fn another_version_takes_what_is_inside_along() {
    let new = Packages::new(&["prod a a@1.1.0", "prod b b@2.0.0", "prod @s/c @s/c@1.0.0"])
        .npm("a@1.1.0", &["prod b b@1.0.0"])
        .npm("b@1.0.0", &[])
        .npm("b@2.0.0", &[])
        .npm("@s/c@1.0.0", &[])
        .plan();
    assert_eq!(compare(&abc(), &new, |_, _| {}), ["clear a", "place a", "place a/node_modules/b"]);
}

#[test]
fn what_nobody_wants_goes() {
    let new = Packages::new(&["prod b b@2.0.0"]).npm("b@2.0.0", &[]).plan();
    assert_eq!(
        compare(&abc(), &new, |_, _| {}),
        ["clear @s/c", "clear a", "removed @s/c", "removed a", "removed a/node_modules/b"]
    );
    // What somebody has put in its place stays.
    let linked = |_: &mut LinkState, disk: &mut Disk| {
        disk.entries.insert("node_modules/a".to_owned(), Observed::Symlink);
        disk.entries.remove("node_modules/a/node_modules/b");
    };
    assert_eq!(compare(&abc(), &new, linked), ["clear @s/c", "removed @s/c"]);
}

#[test]
fn what_somebody_edits_is_left_alone() {
    let mut edited = abc();
    edited.placements.iter_mut().for_each(|placement| placement.is_edited = true);
    let change = |_: &mut LinkState, disk: &mut Disk| {
        disk.changed.insert("node_modules/b".to_owned());
    };
    assert_eq!(compare(&abc(), &edited, change), NOTHING);
    // An install that failed leaves no state behind.
    let forget = |state: &mut LinkState, _: &mut Disk| state.placements.clear();
    assert_eq!(compare(&abc(), &edited, forget), NOTHING);
    edited.placements[1].identity = crate::plan::Identity(0);
    let others = compare(&abc(), &edited, |_, _| {});
    assert_eq!(others[0], format!("clear {}", &edited.placements[1].path["node_modules/".len()..]));
}

#[test]
fn what_was_deleted_by_hand_comes_back() {
    let deleted = |_: &mut LinkState, disk: &mut Disk| {
        disk.entries.remove("node_modules/a");
        disk.entries.remove("node_modules/a/node_modules");
        disk.entries.remove("node_modules/a/node_modules/b");
    };
    assert_eq!(compare(&abc(), &abc(), deleted), ["place a", "place a/node_modules/b"]);
    let changed = |_: &mut LinkState, disk: &mut Disk| {
        disk.changed.insert("node_modules/b".to_owned());
    };
    assert_eq!(compare(&abc(), &abc(), changed), ["verify b"]);
}

#[test]
fn a_glance_is_enough() {
    let changed = |state: &mut LinkState, disk: &mut Disk, stamp: Stamp| {
        disk.listed.insert("node_modules/b".to_owned());
        for placed in &mut state.placements {
            if ["node_modules/a", "node_modules/b"].contains(&&*placed.path) {
                placed.stamp = stamp;
            }
        }
    };
    let older = Stamp { modified: 7, inode: STAMP.inode, names: 0 };
    let found = compare(&abc(), &abc(), |state, disk| changed(state, disk, older));
    assert_eq!(found, ["verify a"]);
    let another = Stamp { inode: 7, ..older };
    let found = compare(&abc(), &abc(), |state, disk| changed(state, disk, another));
    assert_eq!(found, ["verify a", "verify b"]);
    let racy = Stamp { names: NAMES, ..older };
    let found = compare(&abc(), &abc(), |state, disk| changed(state, disk, racy));
    assert_eq!(found, ["verify a", "verify b"]);
}

#[test]
fn what_is_unknown_at_a_planned_place_is_replaced() {
    let plan = abc();
    let (_, mut disk) = installed(&plan);
    disk.entries.insert("node_modules/b".to_owned(), Observed::Symlink);
    disk.entries.insert("node_modules/@s/c".to_owned(), Observed::Other);
    assert_eq!(
        print(&plan, &difference(None, &plan, Trust::All, false, &mut disk)),
        [
            "clear @s/c",
            "clear a",
            "clear b",
            "place @s/c",
            "place a",
            "place b",
            "place a/node_modules/b"
        ]
    );
    let (state, mut disk) = installed(&plan);
    let forced = difference(Some(&state), &plan, Trust::All, true, &mut disk);
    assert_eq!(forced.tasks.len(), 4);
    assert_eq!(forced.clear.len(), 3);
}

/// pnpm's layout has symlinks where folders have to be.
#[test]
fn folders_are_never_made_through_symlinks() {
    let plan = abc();
    let mut disk = Disk::default();
    for path in ["node_modules/@s", "node_modules/a"] {
        disk.entries.insert(path.to_owned(), Observed::Symlink);
    }
    // What lies behind them is somebody else's.
    disk.entries.insert("node_modules/@s/c".to_owned(), FOLDER);
    disk.entries.insert("node_modules/a/node_modules".to_owned(), FOLDER);
    disk.entries.insert("node_modules/a/node_modules/b".to_owned(), FOLDER);
    let difference = difference(None, &plan, Trust::All, false, &mut disk);
    let clear: Vec<&str> = difference.clear.iter().map(|path| &**path).collect();
    assert_eq!(clear, ["node_modules/@s", "node_modules/a"]);
}

/// `a` was linked to somebody's working copy, which has a `node_modules` of its own.
#[test]
fn what_lies_behind_a_symlink_is_not_ours() {
    let linked = |_: &mut LinkState, disk: &mut Disk| {
        disk.entries.insert("node_modules/a".to_owned(), Observed::Symlink);
        // As the system shows it through the symlink.
        assert!(disk.entries.contains_key("node_modules/a/node_modules/b"));
    };
    let without_inner =
        Packages::new(&["prod a a@1.0.0", "prod b b@2.0.0", "prod @s/c @s/c@1.0.0"])
            .npm("a@1.0.0", &[])
            .npm("b@2.0.0", &[])
            .npm("@s/c@1.0.0", &[])
            .plan();
    assert_eq!(compare(&abc(), &without_inner, linked), ["clear a", "place a"]);
    let empty = Packages::new(&[]).plan();
    let lines = compare(&abc(), &empty, linked);
    assert_eq!(lines, ["clear @s/c", "clear b", "removed @s/c", "removed b"]);
    assert_eq!(compare(&abc(), &abc(), linked), ["clear a", "place a", "place a/node_modules/b"]);
    // The symlink may stand further up.
    let scope = |_: &mut LinkState, disk: &mut Disk| {
        disk.entries.insert("node_modules/@s".to_owned(), Observed::Symlink);
    };
    assert_eq!(
        compare(&abc(), &empty, scope),
        ["clear a", "clear b", "removed a", "removed b", "removed a/node_modules/b"]
    );
    assert_eq!(compare(&abc(), &abc(), scope), ["clear @s", "place @s/c"]);
}

#[test]
fn a_package_becomes_a_workspace_and_back() {
    let package = Packages::new(&["prod w w@1.0.0"]).npm("w@1.0.0", &[]).plan();
    let workspace = Packages::new(&["workspace w w@ws"]).workspace("w", "packages/w", &[]).plan();
    assert_eq!(compare(&package, &workspace, |_, _| {}), ["clear w", "links"]);
    assert_eq!(compare(&workspace, &package, |_, _| {}), ["clear w", "place w"]);
    let empty = Packages::new(&[]).plan();
    assert_eq!(compare(&workspace, &empty, |_, _| {}), ["unlink w"]);
    // Redirected by hand: theirs now.
    let redirected = |_: &mut LinkState, disk: &mut Disk| {
        disk.links.insert("node_modules/w".to_owned(), "../mine".to_owned());
    };
    assert_eq!(compare(&workspace, &empty, redirected), NOTHING);
    assert_eq!(compare(&workspace, &workspace, redirected), ["links"]);
}

#[test]
fn only_what_may_be_torn_is_read() {
    let plan = abc();
    let (mut state, mut disk) = installed(&plan);
    state.placements[0].unflushed_since = None;
    state.placements[1].unflushed_since = Some(300);
    let mut compare =
        |trust| print(&plan, &difference(Some(&state), &plan, trust, false, &mut disk));
    assert_eq!(compare(Trust::All), NOTHING);
    assert_eq!(compare(Trust::Flushed { horizon: Some(600) }), ["read b", "read a/node_modules/b"]);
    assert_eq!(
        compare(Trust::Flushed { horizon: None }),
        ["read a", "read b", "read a/node_modules/b"]
    );
}

#[test]
fn folders_are_copied_again_when_their_source_changes() {
    let plan = Packages::new(&["prod f f@1"]).folder("f@1", "./f").plan();
    assert_eq!(compare(&plan, &plan, |_, _| {}), NOTHING);
    assert_eq!(compare(&plan, &plan, |_, disk| disk.fingerprint = 1), ["clear f", "place f"]);
}

/// `a-b` sorts between `a` and `a/b` by bytes.
#[test]
fn inner_paths_are_found_behind_similar_names() {
    let plan = Packages::new(&["prod a a@1.0.0", "prod a-b a-b@1.0.0", "prod b b@1.0.0"])
        .npm("a@1.0.0", &["prod b b@2.0.0"])
        .npm("a-b@1.0.0", &[])
        .npm("b@1.0.0", &[])
        .npm("b@2.0.0", &[])
        .plan();
    let empty = Packages::new(&[]).plan();
    let lines = compare(&plan, &empty, |_, _| {});
    assert_eq!(&lines[..3], ["clear a", "clear a-b", "clear b"]);
}
