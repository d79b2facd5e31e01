//! What the state remembers, and what it notices.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::plan::Identity;

fn sample() -> LinkState {
    LinkState {
        epoch: "00ff.1.2".to_owned(),
        written_at: 77,
        is_sealed: false,
        is_complete: true,
        settings: 42,
        summary: Summary { installs: 1, packages: 2 },
        payload: b"payload".to_vec(),
        inputs: vec![
            Input::absent(".npmrc"),
            Input {
                path: "package.json".into(),
                state: InputState::File { size: 3, modified: -5, hash: 9 },
            },
            Input { path: "packages".into(), state: InputState::Folder { modified: 1, names: 2 } },
        ],
        placements: vec![
            PlacedPackage {
                path: "node_modules/a".into(),
                identity: Identity(7),
                stamp: Stamp { modified: 1, inode: 2, names: 3 },
                unflushed_since: Some(0),
                source_fingerprint: 0,
                source_path: None,
            },
            PlacedPackage {
                path: "node_modules/f".into(),
                identity: Identity(8),
                stamp: Stamp::default(),
                unflushed_since: None,
                source_fingerprint: 11,
                source_path: Some("f".into()),
            },
        ],
        link_folders: vec![PlacedLinks {
            path: "node_modules".into(),
            stamp: Stamp::default(),
            links: vec![PlacedLink { name: "w".into(), target: "../w".into() }],
        }],
        bin_folders: vec![PlacedLinks {
            path: "node_modules/.bin".into(),
            stamp: Stamp::default(),
            links: vec![PlacedLink { name: "a".into(), target: "../a/a.js".into() }],
        }],
    }
}

#[test]
fn a_state_survives_its_bytes() {
    let state = sample();
    assert_eq!(LinkState::decode(&state.encode()), Some(state));
    assert_eq!(LinkState::decode(&LinkState::default().encode()), Some(LinkState::default()));
}

#[test]
fn a_damaged_state_is_none() {
    let bytes = sample().encode();
    for length in 0..bytes.len() {
        assert_eq!(LinkState::decode(&bytes[..length]), None, "{length}");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert_eq!(LinkState::decode(&damaged), None, "{at}");
    }
    assert_eq!(LinkState::decode(&vec![0; 4096]), None);
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(LinkState::decode(&longer), None);
}

/// A project may bring a state of its making.
#[test]
fn a_state_that_reaches_outside_is_none() {
    for path in [
        "../x/node_modules/a",
        "/node_modules/a",
        "src",
        "node_modules/../src",
        "a//node_modules/b",
    ] {
        let mut state = sample();
        state.placements[0].path = path.into();
        assert_eq!(LinkState::decode(&state.encode()), None, "{path}");
        state = sample();
        state.link_folders[0].path = path.into();
        assert_eq!(LinkState::decode(&state.encode()), None, "{path}");
        state = sample();
        state.bin_folders[0].path = path.into();
        assert_eq!(LinkState::decode(&state.encode()), None, "{path}");
    }
    for name in ["..", "../x", "a/b", ""] {
        let mut state = sample();
        state.bin_folders[0].links[0].name = name.into();
        assert_eq!(LinkState::decode(&state.encode()), None, "{name}");
    }
}

/// Checksums do not lie, but a later format might: counts without end must not reserve memory.
#[test]
fn lying_counts_are_harmless() {
    let mut bytes = LinkState::default().encode();
    let length = bytes.len();
    bytes[length - 4..].copy_from_slice(&u32::MAX.to_le_bytes());
    let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[24..]);
    bytes[16..24].copy_from_slice(&checksum.to_le_bytes());
    assert_eq!(LinkState::decode(&bytes), None);
}

/// A project with one package, one link and one bin, all as the state says.
struct Project {
    folder: tempfile::TempDir,
    state: LinkState,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("node_modules/a/lib")).unwrap();
        fs::create_dir_all(root.join("node_modules/.bin")).unwrap();
        fs::create_dir_all(root.join("w")).unwrap();
        fs::write(root.join("node_modules/a/package.json"), "{}").unwrap();
        fs::write(root.join("node_modules/a/a.js"), "").unwrap();
        symlink("../a/a.js", root.join("node_modules/.bin/a")).unwrap();
        symlink("../w", root.join("node_modules/w")).unwrap();
        fs::write(root.join("package.json"), "{ }").unwrap();
        age(&root.join("package.json"));
        let mut project = Self { folder, state: sample() };
        project.capture();
        project
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn dir(&self) -> Dir {
        Dir::open(self.folder.path()).unwrap()
    }

    /// Writes down what is there.
    fn capture(&mut self) {
        let dir = self.dir();
        let take = |path: &str| Stamp::take_racy(&dir, path, 0, None).unwrap().unwrap();
        self.state.epoch =
            deka_fs::Epoch::of(&dir.open_dir("node_modules").unwrap()).unwrap().as_str().to_owned();
        self.state.written_at = uptime().unwrap_or(0);
        self.state.inputs = vec![
            Input::capture(&dir, "package.json").unwrap(),
            Input::capture(&dir, ".npmrc").unwrap(),
            Input::folder(&dir, "w").unwrap(),
        ];
        self.state.placements.truncate(1);
        self.state.placements[0].stamp = take("node_modules/a");
        self.state.bin_folders[0].stamp = take("node_modules/.bin");
        self.save();
    }

    fn save(&self) {
        fs::write(self.path(STATE_FILE), self.state.encode()).unwrap();
    }

    fn check(&self) -> Option<UpToDate> {
        check_up_to_date(self.folder.path(), Some(42), &["package.json", ".npmrc"])
    }
}

/// Makes a file an hour old.
fn age(path: &Path) {
    set_age(path, Duration::from_hours(1));
}

fn set_age(path: &Path, age: Duration) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn an_untouched_project_is_up_to_date() {
    let project = Project::new();
    let up_to_date = UpToDate { installs: 1, packages: 2, payload: b"payload".to_vec() };
    assert_eq!(project.check(), Some(up_to_date));
    // Twice: looking changes nothing.
    assert!(project.check().is_some());
    let root = project.folder.path();
    assert_eq!(check_up_to_date(root, Some(43), &[]), None, "other settings");
    assert!(check_up_to_date(root, None, &[]).is_some(), "any settings");
    assert_eq!(settings_of_last(root), Some(42));
    assert_eq!(check_up_to_date(root, Some(42), &["bunfig.toml"]), None, "a new input");
}

#[test]
fn what_others_do_is_noticed() {
    type Change = fn(&Project);
    let changes: &[(&str, Change)] = &[
        ("node_modules removed", |p| fs::remove_dir_all(p.path("node_modules")).unwrap()),
        ("package removed", |p| fs::remove_dir_all(p.path("node_modules/a")).unwrap()),
        ("manifest in a package removed", |p| {
            fs::remove_file(p.path("node_modules/a/package.json")).unwrap();
        }),
        ("package replaced by a symlink", |p| {
            fs::rename(p.path("node_modules/a"), p.path("node_modules/b")).unwrap();
            symlink("b", p.path("node_modules/a")).unwrap();
        }),
        ("package replaced by a copy with the same time", |p| {
            let modified = fs::metadata(p.path("node_modules/a")).unwrap().modified().unwrap();
            fs::rename(p.path("node_modules/a"), p.path("old")).unwrap();
            fs::create_dir(p.path("node_modules/a")).unwrap();
            let copy = fs::File::open(p.path("node_modules/a")).unwrap();
            copy.set_modified(modified).unwrap();
        }),
        ("bin removed", |p| fs::remove_file(p.path("node_modules/.bin/a")).unwrap()),
        ("bin redirected", |p| {
            fs::remove_file(p.path("node_modules/.bin/a")).unwrap();
            symlink("../b/b.js", p.path("node_modules/.bin/a")).unwrap();
        }),
        ("all bins removed", |p| fs::remove_dir_all(p.path("node_modules/.bin")).unwrap()),
        ("link redirected", |p| {
            fs::remove_file(p.path("node_modules/w")).unwrap();
            symlink("../x", p.path("node_modules/w")).unwrap();
        }),
        ("manifest changed", |p| fs::write(p.path("package.json"), "{\"name\":1}").unwrap()),
        ("manifest changed, same size", |p| fs::write(p.path("package.json"), "{\n}").unwrap()),
        ("manifest removed", |p| fs::remove_file(p.path("package.json")).unwrap()),
        ("configuration appeared", |p| fs::write(p.path(".npmrc"), "").unwrap()),
        ("another workspace", |p| fs::create_dir(p.path("w/new")).unwrap()),
        ("state removed", |p| fs::remove_file(p.path(STATE_FILE)).unwrap()),
        ("state cut off", |p| fs::write(p.path(STATE_FILE), "").unwrap()),
    ];
    for (what, change) in changes {
        let project = Project::new();
        assert!(project.check().is_some(), "{what}: before");
        change(&project);
        assert_eq!(project.check(), None, "{what}");
    }
}

#[test]
fn what_changes_nothing_is_not_a_change() {
    type Change = fn(&Project);
    let changes: &[(&str, Change)] = &[
        ("manifest touched", |p| {
            set_age(&p.path("package.json"), Duration::from_secs(5));
        }),
        ("manifest written again", |p| fs::write(p.path("package.json"), "{ }").unwrap()),
        ("another tool's bin", |p| symlink("x", p.path("node_modules/.bin/x")).unwrap()),
        ("a cache", |p| fs::create_dir(p.path("node_modules/.cache")).unwrap()),
        ("a build", |p| fs::write(p.path("node_modules/a/lib/built.js"), "").unwrap()),
    ];
    for (what, change) in changes {
        let project = Project::new();
        change(&project);
        assert!(project.check().is_some(), "{what}");
    }
}

/// The trap of clocks that tick seldom: the stamp's time proves nothing.
#[test]
fn changes_within_one_tick_are_noticed() {
    let mut project = Project::new();
    let path = project.path("node_modules/a");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::remove_file(path.join("package.json")).unwrap();
    fs::File::open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(project.check(), None, "same time, other names");

    // The same for an input: written in the tick in which it had been read.
    project = Project::new();
    let path = project.path("package.json");
    fs::write(&path, "{ }").unwrap();
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    project.capture();
    fs::write(&path, "{\t}").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(project.check(), None, "same time and size, other contents");
}

#[test]
fn old_stamps_do_without_names() {
    let project = Project::new();
    let dir = project.dir();
    let young = young_since(now_on(&dir).unwrap());
    assert_ne!(Stamp::take_racy(&dir, "node_modules/a", young, None).unwrap().unwrap().names, 0);
    let later = young + 10_000_000_000;
    assert_eq!(Stamp::take_racy(&dir, "node_modules/a", later, None).unwrap().unwrap().names, 0);
    assert_eq!(Stamp::take(&dir, "package.json").unwrap(), None);
    assert_eq!(Stamp::take(&dir, "missing").unwrap(), None);
}

#[test]
fn stamps_ripen() {
    let mut project = Project::new();
    let dir = project.dir();
    for placed in &mut project.state.placements {
        placed.stamp = Stamp::take_racy(&dir, &placed.path, 0, None).unwrap().unwrap();
        assert_ne!(placed.stamp.names, 0);
    }
    project.save();
    std::thread::sleep(std::time::Duration::from_millis(30));
    assert!(project.check().is_some());
    let ripe = LinkState::load(&project.dir()).unwrap();
    assert!(ripe.placements.iter().all(|placed| placed.stamp.names == 0));
    let written = fs::metadata(project.path(STATE_FILE)).unwrap().modified().unwrap();
    assert!(project.check().is_some());
    assert_eq!(fs::metadata(project.path(STATE_FILE)).unwrap().modified().unwrap(), written);
    // They still tell what happens.
    fs::write(project.path("node_modules/a/new"), "").unwrap();
    assert_eq!(project.check(), None);
}

#[test]
fn whole_seconds_are_taken_for_a_coarse_clock() {
    assert_eq!(young_since(10_000_000_000), 7_900_000_000);
    assert_eq!(young_since(10_000_000_001), 9_980_000_001);
}

#[test]
fn an_incomplete_install_is_not_up_to_date() {
    let mut project = Project::new();
    project.state.is_complete = false;
    project.save();
    assert_eq!(project.check(), None);
}

#[test]
fn another_epoch_is_believed_only_if_sealed() {
    let mut project = Project::new();
    project.state.epoch = "00ff.1.2".to_owned();
    project.save();
    assert_eq!(project.check(), None);
    project.state.is_sealed = true;
    project.save();
    assert!(project.check().is_some());
}

#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "tests say when they are skipped")]
fn an_old_state_is_sealed_once() {
    let mut project = Project::new();
    assert!(project.check().is_some());
    let is_sealed = |project: &Project| LinkState::load(&project.dir()).unwrap().is_sealed;
    assert!(!is_sealed(&project), "too young");

    let Some(horizon) = deka_fs::flush_horizon() else { return };
    let now = uptime().unwrap();
    let Some(long_ago) = now.checked_sub(horizon.as_secs() + 1) else {
        println!("skipped: the machine runs for less than {horizon:?}");
        return;
    };
    project.state.written_at = long_ago;
    project.save();
    // So that its stamps are ripe as well, and nothing is left to be written down later.
    std::thread::sleep(Duration::from_millis(30));
    // An install that is under way has the lock, and says itself what is certain.
    let lock = fs::File::open(project.path("")).unwrap();
    lock.lock().unwrap();
    assert!(project.check().is_some());
    assert!(!is_sealed(&project));
    drop(lock);
    assert!(project.check().is_some());
    assert!(is_sealed(&project));
    let written = fs::metadata(project.path(STATE_FILE)).unwrap().modified().unwrap();
    assert!(project.check().is_some());
    assert_eq!(fs::metadata(project.path(STATE_FILE)).unwrap().modified().unwrap(), written);
    // What was sealed is believed after the next boot, whatever else the state says.
    let mut state = LinkState::load(&project.dir()).unwrap();
    state.epoch = "00ff.1.2".to_owned();
    project.state = state;
    project.save();
    assert!(project.check().is_some());
}
