//! A power cut, as exactly as it can be had: an ext4 image is installed on and copied as it lies on
//! the disk, without sync or unmount, while the kernel still holds what was written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use deka_test::{Registry, TestProject, say_skipped};
use serde_json::json;

/// A command that has to work; `None` if it does not.
fn run(program: &str, arguments: &[&str]) -> Option<()> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then_some(())
}

struct Mounted(PathBuf);

impl Mounted {
    fn image(image: &Path, folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).ok()?;
        let (image, at) = (image.to_string_lossy(), folder.to_string_lossy());
        run("mount", &["-o", "loop,nodiscard", &image, &at])?;
        Some(Self(folder.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &[&self.0.to_string_lossy()]);
    }
}

/// What became of an attempt.
enum Attempt {
    Passed,
    /// Somebody synced all disks in the wrong moment: nothing was torn, so nothing was tested.
    NothingTorn,
}

#[test]
fn what_a_power_cut_tore_is_fetched_again() {
    repeat_until_torn(false);
}

#[test]
fn what_a_power_cut_tore_of_builds_is_built_again() {
    repeat_until_torn(true);
}

fn repeat_until_torn(with_builds: bool) {
    const ATTEMPTS: usize = 4;
    for _ in 0..ATTEMPTS {
        if let Attempt::Passed = cut_power(with_builds) {
            return;
        }
    }
    panic!("no copy had a torn file: the test proves nothing");
}

/// Cuts the power after an install; `with_builds` of packages whose scripts make more files, which the
/// store keeps.
fn cut_power(with_builds: bool) -> Attempt {
    let registry = Registry::start();
    for package in 0..20 {
        let mut builder = registry.package(&format!("p{package}"), "1.0.0");
        if with_builds {
            let script =
                "for i in 1 2 3 4 5 6 7 8 9; do cat lib/$i.js lib/1$i.js > made$i.js; done";
            builder = builder.script("postinstall", script);
        }
        for file in 0..20 {
            let text = format!("module.exports = '{package} {file}'\n").repeat(file * 10 + 1);
            builder = builder.file(&format!("lib/{file}.js"), text);
        }
        builder.publish();
    }
    let dependencies: serde_json::Map<_, _> =
        (0..20).map(|package| (format!("p{package}"), json!("1"))).collect();

    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let (image, copy) = (at("disk.img"), at("copy.img"));
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let made = run("truncate", &["-s", "256M", &text(&image)])
        .and_then(|()| run("mkfs.ext4", &["-q", &text(&image)]));
    if made.is_none() {
        say_skipped("mkfs.ext4 is not there");
        return Attempt::Passed;
    }
    let Some(first) = Mounted::image(&image, &at("first")) else {
        say_skipped("images cannot be mounted here (needs root and loop devices)");
        return Attempt::Passed;
    };
    // Left to the unmounting of the image.
    let project =
        std::mem::ManuallyDrop::new(TestProject::inside(env!("CARGO_BIN_EXE_deka"), &at("first")));
    project.use_registry(&registry);
    let names: Vec<&String> = dependencies.keys().filter(|_| with_builds).collect();
    project.package_json(
        json!({ "name": "p", "dependencies": dependencies, "trustedDependencies": names }),
    );
    assert!(run("sync", &["-f", &text(&at("first"))]).is_some());
    project.command(["install"]).run().assert_success();
    let whole = project.node_modules_with_contents().without(".deka-state");
    let folder =
        project.root().strip_prefix(fs::canonicalize(at("first")).unwrap()).unwrap().to_owned();

    // The journal commits every 5 s; the bytes of new files wait for up to 30 s.
    std::thread::sleep(Duration::from_secs(6));
    assert!(run("cp", &["--sparse=always", &text(&image), &text(&copy)]).is_some());
    let second = Mounted::image(&copy, &at("second")).expect("the copy can be mounted");
    let root = at("second").join(&folder);
    if count_empty(&root.join("project/node_modules")) == 0 {
        drop((second, first));
        return Attempt::NothingTorn;
    }

    let deka = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_deka"))
            .args(arguments)
            .current_dir(root.join("project"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", root.join("home"))
            .env("DEKA_CACHE_DIR", root.join("cache"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    deka(&["install"]);
    let tree = deka_test::Tree::read_with_contents(&root.join("project/node_modules"));
    tree.without(".deka-state").assert_same(&whole, "after the power cut");
    // The store is whole as well: another project gets good files from it.
    fs::remove_dir_all(root.join("project/node_modules")).unwrap();
    deka(&["install", "--offline"]);
    let tree = deka_test::Tree::read_with_contents(&root.join("project/node_modules"));
    tree.without(".deka-state").assert_same(&whole, "from the store after the power cut");
    drop((second, first));
    Attempt::Passed
}

fn count_empty(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => count_empty(&entry.path()),
            Ok(metadata) => usize::from(metadata.is_file() && metadata.len() == 0),
            Err(_) => 0,
        })
        .sum()
}
