//! The executor on file systems of its own: reflinks, refused hardlinks, full and read-only disks,
//! power cuts.
//!
//! They need root, `mkfs` and loop devices; where those are missing the tests say that they were
//! skipped.

#![expect(clippy::print_stdout, reason = "tests say when they are skipped")]

use std::process::Command;

use super::*;

/// A mounted file system, unmounted at the end.
struct Mounted {
    path: PathBuf,
    folder: tempfile::TempDir,
}

impl Mounted {
    /// `None`, with a line that says so, where it cannot be done.
    fn new(kind: &str, options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mount");
        fs::create_dir(&path).unwrap();
        let skip = |why: &str| {
            println!("skipped: {kind} cannot be mounted here ({why})");
            None
        };
        if !rustix::process::geteuid().is_root() {
            return skip("not root");
        }
        let run = |program: &str, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .output()
                .is_ok_and(|output| output.status.success())
        };
        let target = path.to_str().unwrap();
        let is_mounted = if kind == "tmpfs" {
            run("mount", &["-t", "tmpfs", "-o", options, "tmpfs", target])
        } else {
            let image = folder.path().join("image");
            fs::File::create(&image).unwrap().set_len(400 << 20).unwrap();
            let image = image.to_str().unwrap();
            if !run(&format!("mkfs.{kind}"), &["-q", image]) {
                return skip("no mkfs");
            }
            run("mount", &["-o", &format!("loop{options}"), image, target])
        };
        if !is_mounted {
            return skip("mount failed");
        }
        Some(Self { path, folder })
    }

    /// Mounts what the disk of this one would hold if the power went now.
    fn after_a_power_cut(&self) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (path, image) = (folder.path().join("mount"), folder.path().join("image"));
        fs::create_dir(&path).unwrap();
        let run = |program: &str, arguments: &[&str], paths: [&Path; 2]| {
            let output = Command::new(program).args(arguments).args(paths).output();
            output.is_ok_and(|output| output.status.success())
        };
        let is_mounted =
            run("cp", &["--sparse=always"], [&self.folder.path().join("image"), &image])
                && run("mount", &["-o", "loop"], [&image, &path]);
        if !is_mounted {
            println!("skipped: the copy of the disk cannot be mounted");
            return None;
        }
        Some(Self { path, folder })
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.path)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(&self.path).status();
        if !status.is_ok_and(|status| status.success()) {
            println!("`{}` stays mounted", self.folder.path().display());
        }
    }
}

/// Whether the file is a second name of one of the store's.
fn is_shared_inode(world: &World, path: &str, contents: &str) -> bool {
    let metadata = fs::metadata(world.path(path)).unwrap();
    world.blobs(contents).iter().any(|blob| {
        let blob = fs::metadata(blob).unwrap();
        (blob.dev(), blob.ino()) == (metadata.dev(), metadata.ino())
    })
}

fn way(linker: &Linker<'_>) -> u8 {
    linker.base("node_modules").unwrap().way.load(Ordering::Relaxed)
}

const CLONE: u8 = 2;
const COPY: u8 = 3;

/// Installs the sample and returns the way that was found.
fn install_and_find_way(world: &World) -> u8 {
    let plan = sample(world).plan();
    let linker = world.linker();
    let work = linker.begin(&plan, None).unwrap();
    for task in work.tasks() {
        linker.perform(&plan, *task, world.index(&plan, *task).as_ref()).unwrap();
    }
    let way = way(&linker);
    drop(linker);
    world.install(&plan);
    assert_eq!(world.paths(), SAMPLE);
    assert_eq!((world.mode("a/cli.js"), world.mode("@s/c/same.js")), (0o755, 0o644));
    assert_eq!(world.read("a/lib/deep/er/x.js"), "x");
    world.assert_store_is_sound();
    way
}

#[test]
fn file_systems_with_reflinks() {
    for kind in ["xfs", "btrfs"] {
        let Some(mounted) = Mounted::new(kind, "") else { continue };
        let mut world = World::at(&mounted.path.join("store"), &mounted.path.join("project"));
        install_and_find_way(&world);
        assert!(is_shared_inode(&world, "b/index.js", "2"), "{kind}");

        fs::remove_dir_all(world.path("")).unwrap();
        world.backend = Backend::Clone;
        assert_eq!(install_and_find_way(&world), CLONE, "{kind}");
        assert!(!is_shared_inode(&world, "b/index.js", "2"), "{kind}");

        fs::remove_dir_all(world.path("")).unwrap();
        world.backend = Backend::Copy;
        assert_eq!(install_and_find_way(&world), COPY, "{kind}");
        drop(world);
    }
}

/// Between subvolumes hardlinks are refused, but blocks can be shared.
#[test]
fn refused_hardlinks_become_clones() {
    let Some(mounted) = Mounted::new("btrfs", "") else { return };
    let subvolume = mounted.path.join("sub");
    let output = Command::new("btrfs").args(["subvolume", "create"]).arg(&subvolume).output();
    if !output.is_ok_and(|output| output.status.success()) {
        println!("skipped: no btrfs program");
        return;
    }
    let world = World::at(&mounted.path.join("store"), &subvolume.join("project"));
    assert_eq!(install_and_find_way(&world), CLONE);
    drop(world);
}

#[test]
fn refused_hardlinks_and_clones_become_copies() {
    let Some(mounted) = Mounted::new("tmpfs", "size=64m") else { return };
    let folder = tempfile::tempdir().unwrap();
    for backend in [Backend::Auto, Backend::Hardlink, Backend::Clone] {
        let mut world = World::at(&folder.path().join("store"), &mounted.path.join("project"));
        world.backend = backend;
        assert_eq!(install_and_find_way(&world), COPY, "{backend:?}");
        fs::remove_dir_all(world.path("")).unwrap();
    }
    // tmpfs alone has hardlinks but no clones.
    let mut world = World::at(&mounted.path.join("store"), &mounted.path.join("project"));
    install_and_find_way(&world);
    assert!(is_shared_inode(&world, "b/index.js", "2"));
    fs::remove_dir_all(world.path("")).unwrap();
    world.backend = Backend::Clone;
    assert_eq!(install_and_find_way(&world), COPY);
    drop(world);
}

/// ext4 takes 65,000 names for one file: the next one is copied, and hardlinking goes on.
#[test]
fn a_file_with_too_many_names_is_copied_alone() {
    let Some(mounted) = Mounted::new("ext4", "") else { return };
    let world = World::at(&mounted.path.join("store"), &mounted.path.join("project"));
    let plan = sample(&world).plan();
    let links = mounted.path.join("links");
    fs::create_dir(&links).unwrap();
    let blob = &world.blobs("y")[0];
    let mut count = 0;
    while fs::hard_link(blob, links.join(count.to_string())).is_ok() {
        count += 1;
    }
    assert!(count > 60_000);
    world.install(&plan);
    assert_eq!(world.read("a/lib/y.js"), "y");
    assert!(!is_shared_inode(&world, "a/lib/y.js", "y"));
    assert!(is_shared_inode(&world, "b/index.js", "2"));
    drop(world);
}

fn empty_files(tree: &Tree) -> usize {
    tree.iter().filter(|(_, node)| matches!(node.kind, Kind::File { size: 0, .. })).count()
}

/// Delayed allocation: the journal has the names, the bytes are in memory only.
#[test]
fn a_power_cut_is_healed_to_the_byte() {
    for backend in [Backend::Hardlink, Backend::Copy] {
        let Some(mounted) = Mounted::new("ext4", "") else { return };
        let mut world = World::at(&mounted.path.join("store"), &mounted.path.join("project"));
        world.backend = backend;
        let mut packages = sample(&world);
        let early = packages.plan();
        world.install(&early);
        let extra: Vec<String> = (0..30).map(|i| format!("prod x{i} x{i}@1.0.0")).collect();
        let mut dependencies = vec!["prod a a@1.0.0", "prod b b@2.0.0", "prod @s/c @s/c@1.0.0"];
        dependencies.extend(extra.iter().map(String::as_str));
        packages = packages.with_dependencies(&dependencies);
        for i in 0..30 {
            let contents = format!("contents {i}").repeat(100);
            let integrity = world.import(package(&[("index.js", &contents), ("cli.js", SCRIPT)]));
            packages = packages
                .npm(&format!("x{i}@1.0.0"), &[])
                .integrity(&integrity)
                .bins(&[&format!("x{i} cli.js")]);
        }
        let plan = packages.plan();
        world.install(&plan);
        let before = world.tree();
        // Commits the journal, and with it the names of all files; their bytes stay where they are.
        fs::File::create(mounted.path.join("other")).unwrap().sync_all().unwrap();

        let Some(cut) = mounted.after_a_power_cut() else { return };
        let mut healed = World::at(&cut.path.join("store"), &cut.path.join("project"));
        healed.backend = backend;
        healed.tarballs = std::mem::take(&mut world.tarballs);
        let torn = empty_files(&healed.tree());
        assert!(torn > 0, "the cut has torn nothing: the test tests nothing");
        assert!(!healed.is_up_to_date());
        healed.install_fetching(&plan);
        assert!(healed.tree() == before, "{backend:?}: {torn} files were torn");
        healed.assert_store_is_sound();
        assert!(healed.is_up_to_date());
        assert_eq!(healed.install_fetching(&plan), Report::default());
        drop(healed);
        drop(cut);
        drop(world);
    }
}

#[test]
fn a_read_only_node_modules_is_named() {
    let Some(mounted) = Mounted::new("tmpfs", "size=64m") else { return };
    let folder = tempfile::tempdir().unwrap();
    let world = World::at(&folder.path().join("store"), &mounted.path.join("project"));
    let plan = sample(&world).plan();
    mounted.remount("ro");
    let error = world.try_install(&plan, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Failed to update `{}`", world.project.join("node_modules").display())
    );
    assert!(error.fs_error().unwrap().is_read_only());
    mounted.remount("rw");
    world.install(&plan);
    assert!(world.is_up_to_date());

    // The same with something in it: the state still says what is there.
    mounted.remount("ro");
    assert!(world.is_up_to_date());
    let error = world.try_install(&Packages::new(&[]).plan(), 2).unwrap_err();
    assert!(error.fs_error().unwrap().is_read_only(), "{error}");
    assert!(world.is_up_to_date());
    mounted.remount("rw");
    drop(world);
}

#[test]
fn a_full_disk_leaves_nothing_that_is_trusted() {
    let Some(mounted) = Mounted::new("tmpfs", "size=1m") else { return };
    let folder = tempfile::tempdir().unwrap();
    let world = World::at(&folder.path().join("store"), &mounted.path.join("project"));
    let big = "x".repeat(600_000);
    let integrity = world.import(package(&[("index.js", &big), ("other.js", &big[1..])]));
    let plan = Packages::new(&["prod a a@1.0.0"]).npm("a@1.0.0", &[]).integrity(&integrity).plan();
    let error = world.try_install(&plan, 1).unwrap_err();
    assert!(error.fs_error().unwrap().is_full(), "{error}");
    assert!(!world.is_up_to_date());
    mounted.remount("size=64m");
    world.install(&plan);
    assert_eq!(fs::metadata(world.path("a/other.js")).unwrap().len(), 599_999);
    assert!(world.is_up_to_date());
    drop(world);
}
