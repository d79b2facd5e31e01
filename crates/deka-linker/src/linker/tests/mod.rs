//! The executor on real folders, with a real store.

mod again;
mod builds;
mod disks;
mod together;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use deka_manifest::{Bin, Integrity};
use deka_store::{Importer, Store};
use deka_test::archive::gzip;
use deka_test::{Kind, Tar, Tree};

use super::*;
use crate::plan::fixture::Packages;
use crate::state::{Input, Summary, UpToDate, check_up_to_date};

const SCRIPT: &str = "#!/usr/bin/env node\n";

/// A store and a project, side by side unless told otherwise.
struct World {
    store_path: PathBuf,
    project: PathBuf,
    store: Store,
    backend: Backend,
    /// What the registry would send, by integrity.
    tarballs: Mutex<HashMap<String, Vec<u8>>>,
    /// Kept until the end, if it is ours.
    folder: Option<tempfile::TempDir>,
}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    placed: usize,
    intact: usize,
    repaired: usize,
    removed: usize,
    bins: usize,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self::at(&folder.path().join("store"), &folder.path().join("project"));
        world.folder = Some(folder);
        world
    }

    fn at(store: &Path, project: &Path) -> Self {
        fs::create_dir_all(project).unwrap();
        Self {
            store_path: store.to_owned(),
            project: project.to_owned(),
            store: Store::open(store).unwrap(),
            backend: Backend::Auto,
            tarballs: Mutex::default(),
            folder: None,
        }
    }

    fn import(&self, tar: Tar) -> Integrity {
        let tarball = gzip(&tar.finish());
        let integrity = self.import_tarball(&tarball);
        self.tarballs.lock().unwrap().insert(integrity.to_string(), tarball);
        integrity
    }

    fn import_tarball(&self, tarball: &[u8]) -> Integrity {
        let mut importer = Importer::new();
        *self.store.import(tarball, None, "test", &mut importer).unwrap().integrity()
    }

    /// Installs as deka does: what the store lacks is fetched, what it has torn again.
    fn install_fetching(&self, plan: &LinkPlan) -> Report {
        let linker = self.linker();
        let old = LinkState::load(linker.root());
        let work = linker.begin(plan, old.as_ref()).unwrap();
        linker.make_links(plan, &work).unwrap();
        let mut report = Report::default();
        for task in work.tasks() {
            let Source::Store { integrity } = plan.placements[task.placement as usize].source
            else {
                continue;
            };
            let fetch = || self.import_tarball(&self.tarballs.lock().unwrap()[integrity.as_str()]);
            if self.index(plan, *task).is_none() {
                fetch();
            }
            let perform = || linker.perform(plan, *task, self.index(plan, *task).as_ref());
            let outcome = perform().unwrap_or_else(|error| {
                assert!(error.is_missing_blob(), "{error}");
                self.store.forget(Some(&Integrity::parse(&integrity).unwrap())).unwrap();
                fetch();
                perform().unwrap()
            });
            match outcome {
                Outcome::Placed => report.placed += 1,
                Outcome::Intact => report.intact += 1,
                Outcome::Repaired => report.repaired += 1,
            }
        }
        let inputs = vec![Input::capture(linker.root(), "package.json").unwrap()];
        linker
            .finish(Finish {
                plan,
                work: &work,
                old: old.as_ref(),
                failed: &[],
                inputs,
                settings: 1,
                summary: Summary::default(),
                payload: Vec::new(),
                has_run_scripts: false,
            })
            .unwrap();
        report
    }

    fn linker(&self) -> Linker<'_> {
        Linker::new(&self.project, self.backend, &self.store).unwrap()
    }

    fn index(&self, plan: &LinkPlan, task: Task) -> Option<PackageIndex> {
        let Source::Store { integrity } = plan.placements[task.placement as usize].source else {
            return None;
        };
        self.store.lookup(&Integrity::parse(&integrity).unwrap()).unwrap()
    }

    /// Installs with as many threads; what one task fails with ends it.
    fn try_install(&self, plan: &LinkPlan, threads: usize) -> Result<Report, LinkError> {
        let linker = self.linker();
        let old = LinkState::load(linker.root());
        let work = linker.begin(plan, old.as_ref())?;
        linker.make_links(plan, &work)?;
        let next = AtomicU32::new(0);
        let results: Mutex<Vec<Result<Outcome, LinkError>>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    // Backwards: what lies inside comes before what it lies in.
                    while let Some(task) =
                        work.tasks().iter().rev().nth(next.fetch_add(1, Ordering::Relaxed) as usize)
                    {
                        let index = self.index(plan, *task);
                        let result = linker.perform(plan, *task, index.as_ref());
                        results.lock().unwrap().push(result);
                    }
                });
            }
        });
        let mut report = Report::default();
        for result in results.into_inner().unwrap() {
            match result? {
                Outcome::Placed => report.placed += 1,
                Outcome::Intact => report.intact += 1,
                Outcome::Repaired => report.repaired += 1,
            }
        }
        let inputs = vec![Input::capture(linker.root(), "package.json").unwrap()];
        let finished = linker.finish(Finish {
            plan,
            work: &work,
            old: old.as_ref(),
            failed: &[],
            inputs,
            settings: 1,
            summary: Summary { installs: plan.placements.len() as u32, packages: 0 },
            payload: Vec::new(),
            has_run_scripts: false,
        })?;
        report.removed = finished.removed;
        report.bins = finished.bins;
        Ok(report)
    }

    fn install(&self, plan: &LinkPlan) -> Report {
        self.try_install(plan, 2).unwrap()
    }

    fn is_up_to_date(&self) -> bool {
        let answer = check_up_to_date(&self.project, Some(1), &["package.json"]);
        assert!(answer.is_none() || matches!(answer, Some(UpToDate { packages: 0, .. })));
        answer.is_some()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.project.join("node_modules").join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn tree(&self) -> Tree {
        Tree::read_with_contents(&self.path("")).without(".deka-state")
    }

    /// Has all folders changed long ago.
    fn age_folders(&self) {
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
        for (path, _) in self.tree().iter().filter(|(_, node)| node.kind == Kind::Directory) {
            fs::File::open(self.path(path)).unwrap().set_modified(long_ago).unwrap();
        }
    }

    fn paths(&self) -> Vec<String> {
        self.tree().without_directories().paths().map(str::to_owned).collect()
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).unwrap().permissions().mode() & 0o777
    }

    /// Every file of the store with its mode and whether its name is its hash.
    fn assert_store_is_sound(&self) {
        let files = self.store_path.join("v1/files");
        for (path, node) in Tree::read(&files).iter() {
            if let Kind::File { executable, .. } = node.kind {
                assert_eq!(executable, path.ends_with("-x"), "{path}");
                let contents = fs::read(files.join(path)).unwrap();
                let hash = deka_store::BlobHash::of(&contents).to_string();
                assert_eq!(path.replace('/', "").trim_end_matches("-x"), hash, "{path}");
            }
        }
    }

    /// The store's files with these contents.
    fn blobs(&self, contents: &str) -> Vec<PathBuf> {
        let hash = deka_store::BlobHash::of(contents.as_bytes()).to_string();
        let path = self.store_path.join("v1/files").join(&hash[..2]).join(&hash[2..]);
        let twin = PathBuf::from(format!("{}-x", path.display()));
        [path, twin].into_iter().filter(|path| path.exists()).collect()
    }
}

fn package(files: &[(&str, &str)]) -> Tar {
    files
        .iter()
        .fold(Tar::new(), |tar, (path, contents)| tar.file(format!("package/{path}"), contents))
}

/// `a` with a command that is not executable and an inner `b`, `b`, and `@s/c`.
fn sample(world: &World) -> Packages {
    let a = world.import(package(&[
        ("package.json", "{\"name\":\"a\"}"),
        ("cli.js", SCRIPT),
        ("lib/deep/er/x.js", "x"),
        ("lib/y.js", "y"),
    ]));
    let b1 = world.import(package(&[("package.json", "{\"name\":\"b\"}"), ("index.js", "1")]));
    let b2 = world.import(package(&[("package.json", "{\"name\":\"b\"}"), ("index.js", "2")]));
    let c = world.import(package(&[("package.json", "{}"), ("same.js", SCRIPT)]));
    Packages::new(&["prod a a@1.0.0", "prod b b@2.0.0", "prod @s/c @s/c@1.0.0"])
        .npm("a@1.0.0", &["prod b b@1.0.0"])
        .integrity(&a)
        .bins(&["a ./cli.js", "gone gone.js"])
        .npm("b@1.0.0", &[])
        .integrity(&b1)
        .npm("b@2.0.0", &[])
        .integrity(&b2)
        .npm("@s/c@1.0.0", &[])
        .integrity(&c)
}

const SAMPLE: [&str; 11] = [
    ".bin/a",
    "@s/c/package.json",
    "@s/c/same.js",
    "a/cli.js",
    "a/lib/deep/er/x.js",
    "a/lib/y.js",
    "a/node_modules/b/index.js",
    "a/node_modules/b/package.json",
    "a/package.json",
    "b/index.js",
    "b/package.json",
];

#[test]
fn a_plan_becomes_node_modules() {
    let world = World::new();
    let plan = sample(&world).plan();
    let report = world.install(&plan);
    assert_eq!(report, Report { placed: 4, bins: 1, ..Report::default() });
    assert_eq!(world.paths(), SAMPLE);
    assert_eq!(world.read("a/node_modules/b/index.js"), "1");
    assert_eq!(world.read("b/index.js"), "2");
    let link = fs::read_link(world.path(".bin/a")).unwrap();
    assert_eq!(link, Path::new("../a/cli.js"));
    assert!(world.is_up_to_date());

    // One inode with the store, and the same bytes elsewhere keep their own mode.
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(&world.path("b/index.js")), inode(&world.blobs("2")[0]));
    assert_eq!((world.mode("a/cli.js"), world.mode("@s/c/same.js")), (0o755, 0o644));
    world.assert_store_is_sound();

    assert_eq!(world.install(&plan), Report { bins: 1, ..Report::default() });
    assert!(world.is_up_to_date());
}

#[test]
fn any_order_and_any_number_of_threads_make_the_same_tree() {
    let world = World::new();
    let plan = sample(&world).plan();
    world.install(&plan);
    let expected = world.tree();
    for threads in [1, 2, 8] {
        fs::remove_dir_all(world.path("")).unwrap();
        world.try_install(&plan, threads).unwrap();
        assert_eq!(world.tree(), expected, "{threads}");
    }
}

#[test]
fn many_threads_place_many_packages() {
    let world = World::new();
    let mut packages = Packages::new(
        &(0..60)
            .map(|i| format!("prod @s{}/p{i} p{i}@1.0.0", i % 5))
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    for i in 0..60 {
        // All commands have the same contents: one twin for all threads.
        let tar = (0..20).fold(package(&[("cli.js", SCRIPT)]), |tar, file| {
            tar.file(format!("package/d{}/f{file}.js", file % 4), format!("{}", file * i % 97))
        });
        let integrity = world.import(tar);
        packages = packages
            .npm(&format!("p{i}@1.0.0"), &[])
            .integrity(&integrity)
            .bins(&[&format!("p{i} cli.js")]);
    }
    let plan = packages.plan();
    let report = world.try_install(&plan, 8).unwrap();
    assert_eq!((report.placed, report.bins), (60, 60));
    assert_eq!(world.paths().len(), 60 * 22);
    assert!((0..60).all(|i| world.mode(&format!("@s{}/p{i}/cli.js", i % 5)) == 0o755));
    world.assert_store_is_sound();
}

#[test]
fn a_dos_shebang_becomes_a_unix_one() {
    let world = World::new();
    let dos = "#!/usr/bin/env node\r\nconsole.log(1)\r\n";
    let integrity = world.import(package(&[("a.js", dos), ("b.js", dos)]));
    let plan = Packages::new(&["prod a a@1.0.0"])
        .npm("a@1.0.0", &[])
        .integrity(&integrity)
        .bins(&["a a.js"])
        .plan();
    world.install(&plan);
    assert_eq!(world.read("a/a.js"), "#!/usr/bin/env node\nconsole.log(1)\r\n");
    assert_eq!(world.read("a/b.js"), dos);
    assert_eq!(world.mode("a/a.js"), 0o755);
    world.assert_store_is_sound();

    // Such a file is known again when its package is verified.
    fs::remove_file(world.path("a/b.js")).unwrap();
    assert_eq!(world.install(&plan).repaired, 1);
    fs::write(world.path("a/new"), "").unwrap();
    assert_eq!(world.install(&plan).intact, 1);
}

/// The defect of a peer: linking over an existing link fell back to copying onto the same inode.
#[test]
fn nothing_is_ever_written_onto_the_stores_inode() {
    for backend in
        [Backend::Auto, Backend::Hardlink, Backend::Clone, Backend::Copy, Backend::Symlink]
    {
        let mut world = World::new();
        let plan = sample(&world).plan();
        world.install(&plan);
        world.backend = backend;
        // The files are there already, as names of the store's inodes.
        let linker = world.linker();
        for (at, placement) in plan.placements.iter().enumerate() {
            let task =
                Task { package: placement.package, placement: at as u32, action: Action::Place };
            let index = world.index(&plan, task);
            assert_eq!(linker.perform(&plan, task, index.as_ref()).unwrap(), Outcome::Placed);
        }
        assert_eq!(world.paths(), SAMPLE, "{backend:?}");
        assert_eq!(world.read("a/lib/y.js"), "y");
        world.assert_store_is_sound();
    }
}

#[test]
fn a_missing_blob_is_named_and_the_task_can_be_repeated() {
    let world = World::new();
    let plan = sample(&world).plan();
    for blob in world.blobs("y").iter().chain(&world.blobs(SCRIPT)) {
        fs::remove_file(blob).unwrap();
    }
    let error = world.try_install(&plan, 1).unwrap_err();
    assert!(error.is_missing_blob(), "{error}");
    assert_eq!(error.to_string(), "The store lacks `cli.js` of `a@1.0.0`");
    // Nobody takes what there is for complete.
    assert!(!world.is_up_to_date());

    world.store.forget(None).unwrap();
    sample(&world);
    let report = world.install(&plan);
    assert_eq!((report.placed, world.paths()), (4, SAMPLE.map(str::to_owned).to_vec()));
    assert!(world.is_up_to_date());
}

#[test]
fn a_task_without_files_is_an_error() {
    let world = World::new();
    let plan = sample(&world).plan();
    let linker = world.linker();
    let work = linker.begin(&plan, None).unwrap();
    linker.make_links(&plan, &work).unwrap();
    let error = linker.perform(&plan, work.tasks()[0], None).unwrap_err();
    assert!(matches!(error, LinkError::NoIndex { .. }));
}

#[test]
fn only_what_changed_is_touched() {
    let world = World::new();
    world.install(&sample(&world).plan());
    fs::create_dir_all(world.path("foreign/x")).unwrap();
    fs::create_dir_all(world.path(".cache/x")).unwrap();
    symlink("/nowhere", world.path("mine")).unwrap();
    symlink("../foreign/x", world.path(".bin/mine")).unwrap();
    let kept = fs::metadata(world.path("b/index.js")).unwrap().ctime_nsec();

    let a = world.import(package(&[("package.json", "{}"), ("other.js", SCRIPT)]));
    let b = world.import(package(&[("package.json", "{\"name\":\"b\"}"), ("index.js", "2")]));
    let plan = Packages::new(&["prod a a@1.1.0", "prod b b@2.0.0"])
        .npm("a@1.1.0", &[])
        .integrity(&a)
        .bins(&["a2 other.js"])
        .npm("b@2.0.0", &[])
        .integrity(&b)
        .plan();
    let report = world.install(&plan);
    assert_eq!(report, Report { placed: 1, removed: 2, bins: 1, ..Report::default() });
    let tree = world.tree();
    let paths: Vec<&str> = tree.paths().collect();
    assert_eq!(
        paths,
        [
            ".bin",
            ".bin/a2",
            ".bin/mine",
            ".cache",
            ".cache/x",
            "a",
            "a/other.js",
            "a/package.json",
            "b",
            "b/index.js",
            "b/package.json",
            "foreign",
            "foreign/x",
            "mine",
        ]
    );
    assert_eq!(fs::metadata(world.path("b/index.js")).unwrap().ctime_nsec(), kept);
    assert!(world.is_up_to_date());

    // Nothing is wanted any more: everything of ours goes, nothing else.
    let report = world.install(&Packages::new(&[]).plan());
    assert_eq!(report.removed, 2);
    assert_eq!(world.paths(), [".bin/mine", "mine"]);
}

#[test]
fn what_was_broken_by_hand_is_repaired() {
    type Damage = fn(&World);
    let damages: &[(&str, Damage, Report)] = &[
        (
            "package removed",
            |w| fs::remove_dir_all(w.path("a")).unwrap(),
            Report { placed: 2, ..Report::default() },
        ),
        (
            "manifest removed",
            |w| fs::remove_file(w.path("b/package.json")).unwrap(),
            Report { repaired: 1, ..Report::default() },
        ),
        (
            "folder removed",
            |w| fs::remove_dir_all(w.path("a/lib")).unwrap(),
            Report { repaired: 1, ..Report::default() },
        ),
        (
            "folder replaced by a file",
            |w| {
                fs::remove_dir_all(w.path("a/lib")).unwrap();
                fs::write(w.path("a/lib"), "").unwrap();
            },
            Report { repaired: 1, ..Report::default() },
        ),
        (
            "file replaced by a folder",
            |w| {
                fs::remove_file(w.path("b/index.js")).unwrap();
                fs::create_dir_all(w.path("b/index.js/x")).unwrap();
            },
            Report { repaired: 1, ..Report::default() },
        ),
        (
            "package replaced by a symlink",
            |w| {
                fs::remove_dir_all(w.path("b")).unwrap();
                symlink("a", w.path("b")).unwrap();
            },
            Report { placed: 1, ..Report::default() },
        ),
        ("bin removed", |w| fs::remove_file(w.path(".bin/a")).unwrap(), Report::default()),
        (
            "bins replaced by a file",
            |w| {
                fs::remove_dir_all(w.path(".bin")).unwrap();
                fs::write(w.path(".bin"), "").unwrap();
            },
            Report::default(),
        ),
        (
            "state removed",
            |w| fs::remove_file(w.path(".deka-state")).unwrap(),
            Report { placed: 4, ..Report::default() },
        ),
        (
            "everything removed",
            |w| fs::remove_dir_all(w.path("")).unwrap(),
            Report { placed: 4, ..Report::default() },
        ),
    ];
    for (what, damage, expected) in damages {
        let world = World::new();
        let plan = sample(&world).plan();
        world.install(&plan);
        let before = world.tree();
        damage(&world);
        assert!(!world.is_up_to_date(), "{what}");
        let report = world.install(&plan);
        assert_eq!(Report { bins: 0, ..report }, *expected, "{what}");
        assert_eq!(world.tree(), before, "{what}");
        assert!(world.is_up_to_date(), "{what}");
        world.assert_store_is_sound();
    }
}

#[test]
fn the_layout_of_another_tool_is_replaced_and_its_store_untouched() {
    let world = World::new();
    let plan = sample(&world).plan();
    let theirs = world.path(".pnpm/a@1/node_modules/a");
    fs::create_dir_all(&theirs).unwrap();
    fs::create_dir_all(world.path(".pnpm/@s/c")).unwrap();
    fs::write(theirs.join("package.json"), "theirs").unwrap();
    symlink(".pnpm/a@1/node_modules/a", world.path("a")).unwrap();
    symlink(".pnpm/@s", world.path("@s")).unwrap();
    fs::create_dir_all(world.path("b/node_modules/x")).unwrap();
    world.install(&plan);
    assert_eq!(fs::read_to_string(theirs.join("package.json")).unwrap(), "theirs");
    assert_eq!(fs::read_dir(world.path(".pnpm/@s/c")).unwrap().count(), 0);
    assert!(fs::symlink_metadata(world.path("a")).unwrap().is_dir());
    let ours: Vec<String> =
        world.paths().into_iter().filter(|path| !path.starts_with(".pnpm")).collect();
    assert_eq!(ours, SAMPLE);
}

/// `npm link` and the like: what lies behind the symlink belongs to its owner.
#[test]
fn a_linked_working_copy_keeps_its_own_node_modules() {
    let world = World::new();
    let plan = sample(&world).plan();
    let with_inner_command = |world: &World| {
        let a = world.import(package(&[("package.json", "{}")]));
        let b = world.import(package(&[("cli.js", SCRIPT)]));
        let b2 = world.import(package(&[("cli.js", "2")]));
        Packages::new(&["prod a a@1.0.0", "prod b b@2.0.0"])
            .npm("a@1.0.0", &["prod b b@1.0.0"])
            .integrity(&a)
            .npm("b@1.0.0", &[])
            .integrity(&b)
            .bins(&["b cli.js"])
            .npm("b@2.0.0", &[])
            .integrity(&b2)
            .plan()
    };
    world.install(&with_inner_command(&world));
    let copy = world.project.join("copy");
    fs::rename(world.path("a"), &copy).unwrap();
    symlink("../copy", world.path("a")).unwrap();
    let theirs = Tree::read_with_contents(&copy);
    assert!(theirs.get("node_modules/.bin/b").is_some());

    // `a` is planned with nothing in it, later not at all.
    world.install(&plan);
    assert_eq!(Tree::read_with_contents(&copy), theirs);
    fs::remove_dir_all(world.path("a")).unwrap();
    symlink("../copy", world.path("a")).unwrap();
    world.install(&Packages::new(&[]).plan());
    assert_eq!(Tree::read_with_contents(&copy), theirs);
    assert_eq!(world.paths(), ["a"]);
}

#[test]
fn workspaces_are_linked_and_their_commands_work() {
    let world = World::new();
    fs::create_dir_all(world.project.join("packages/w")).unwrap();
    let command = world.project.join("packages/w/cli.js");
    fs::write(&command, SCRIPT).unwrap();
    let inner = world.import(package(&[("index.js", "1")]));
    let outer = world.import(package(&[("index.js", "2")]));
    let packages = |first: &str| {
        Packages::new(&[first, "prod x x@2.0.0"])
            .workspace("@s/w", "packages/w", &["prod x x@1.0.0"])
            .bin(Bin::File("cli.js".into()))
            .npm("x@1.0.0", &[])
            .integrity(&inner)
            .npm("x@2.0.0", &[])
            .integrity(&outer)
    };
    let plan = packages("workspace @s/w @s/w@ws").plan();
    world.install(&plan);
    assert_eq!(fs::read_link(world.path("@s/w")).unwrap(), Path::new("../../packages/w"));
    assert_eq!(fs::read_link(world.path(".bin/w")).unwrap(), Path::new("../@s/w/cli.js"));
    assert_eq!(fs::metadata(&command).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_to_string(&command).unwrap(), SCRIPT);
    assert_eq!(world.read("../packages/w/node_modules/x/index.js"), "1");
    assert!(world.is_up_to_date());
    fs::remove_file(world.path("@s/w")).unwrap();
    assert!(!world.is_up_to_date());
    world.install(&plan);
    assert!(world.path("@s/w").exists());

    // The workspace goes: link, scope, command and its node_modules with it, its files not.
    world.install(&Packages::new(&["prod x x@2.0.0"]).npm("x@2.0.0", &[]).integrity(&outer).plan());
    assert_eq!(world.paths(), ["x/index.js"]);
    assert!(!world.path("@s").exists() && !world.path(".bin").exists());
    assert!(!world.project.join("packages/w/node_modules").exists());
    assert!(command.exists());
}

#[test]
fn folders_are_copied_not_shared() {
    let world = World::new();
    let source = world.project.join("fold");
    for folder in ["node_modules/zz", "sub", ".git", "empty"] {
        fs::create_dir_all(source.join(folder)).unwrap();
    }
    fs::write(source.join("package.json"), "{}").unwrap();
    fs::write(source.join("sub/cli.js"), SCRIPT).unwrap();
    fs::write(source.join(".git/HEAD"), "x").unwrap();
    symlink("sub/cli.js", source.join("inside")).unwrap();
    symlink("/etc/passwd", source.join("outside")).unwrap();
    let plan = Packages::new(&["prod fold fold@1"])
        .folder("fold@1", "./fold")
        .bins(&["fold sub/cli.js"])
        .plan();
    world.install(&plan);
    let tree = world.tree();
    let paths: Vec<&str> = tree.paths().collect();
    assert_eq!(
        paths,
        [
            ".bin",
            ".bin/fold",
            "fold",
            "fold/.git",
            "fold/.git/HEAD",
            "fold/empty",
            "fold/inside",
            "fold/package.json",
            "fold/sub",
            "fold/sub/cli.js",
        ]
    );
    assert_eq!(world.mode("fold/sub/cli.js"), 0o755);
    assert_eq!(fs::metadata(source.join("sub/cli.js")).unwrap().permissions().mode() & 0o111, 0);
    assert!(world.is_up_to_date());

    fs::write(source.join("sub/new.js"), "new").unwrap();
    assert!(!world.is_up_to_date());
    assert_eq!(world.install(&plan).placed, 1);
    assert_eq!(world.read("fold/sub/new.js"), "new");
    assert!(world.is_up_to_date());
}

#[test]
fn commands_of_folders_and_platforms() {
    let world = World::new();
    let dirs = world.import(
        package(&[("bin/b1", SCRIPT), ("bin/.hid", SCRIPT), ("bin/sub/x", SCRIPT)])
            .executable("package/bin/a1.js", SCRIPT),
    );
    let launcher =
        world.import(package(&[("bin/esbuild", "launcher"), ("bin/launch", "launcher")]));
    let native = world.import(package(&[("esbuild", "program")]));
    let packages = |native_of: &str| {
        Packages::new(&["prod dirs dirs@1.0.0", "prod esbuild esbuild@1.0.0"])
            .npm("dirs@1.0.0", &[])
            .integrity(&dirs)
            .bin(Bin::Directory("./bin".into()))
            .npm("esbuild@1.0.0", &["optional @esbuild/p @esbuild/p@1.0.0"])
            .integrity(&launcher)
            .bins(&["esbuild bin/esbuild", "second bin/launch"])
            .npm("@esbuild/p@1.0.0", &[])
            .integrity(&native)
            .only_on(native_of, "x64")
    };
    world.install(&packages("linux").plan());
    let link = |name: &str| fs::read_link(world.path(".bin").join(name)).unwrap();
    assert_eq!(link("esbuild"), Path::new("../@esbuild/p/esbuild"));
    // Nothing stands in for this one: the launcher itself, with a mode of its own.
    assert_eq!(link("second"), Path::new("../esbuild/bin/launch"));
    assert_eq!(
        (world.mode("@esbuild/p/esbuild"), world.mode("esbuild/bin/launch")),
        (0o755, 0o755)
    );
    assert_eq!(link(".hid"), Path::new("../dirs/bin/.hid"));
    assert!(!world.path(".bin/sub").exists() && !world.path(".bin/x").exists());
    assert_eq!((world.mode("dirs/bin/b1"), world.mode("dirs/bin/sub/x")), (0o755, 0o644));
    world.assert_store_is_sound();
    assert!(world.is_up_to_date());

    world.install(&packages("darwin").plan());
    assert_eq!(link("esbuild"), Path::new("../esbuild/bin/esbuild"));
}

#[test]
fn a_name_without_a_file_goes_to_the_next_owner() {
    let world = World::new();
    let without = world.import(package(&[("package.json", "{}")]));
    let with = world.import(package(&[("c.js", SCRIPT)]));
    let plan = Packages::new(&["prod a a@1.0.0", "prod b b@1.0.0"])
        .npm("a@1.0.0", &[])
        .integrity(&without)
        .bins(&["conf c.js"])
        .npm("b@1.0.0", &[])
        .integrity(&with)
        .bins(&["conf c.js"])
        .plan();
    world.install(&plan);
    assert_eq!(fs::read_link(world.path(".bin/conf")).unwrap(), Path::new("../b/c.js"));
}

#[test]
fn planned_packages_win_over_shipped_ones() {
    let world = World::new();
    let a = world.import(package(&[
        ("index.js", "a"),
        ("node_modules/b/index.js", "shipped"),
        ("node_modules/b/more.js", "shipped"),
        ("node_modules/kept/index.js", "shipped"),
    ]));
    let b1 = world.import(package(&[("index.js", "1")]));
    let b2 = world.import(package(&[("index.js", "2")]));
    let plan = Packages::new(&["prod a a@1.0.0", "prod b b@2.0.0"])
        .npm("a@1.0.0", &["prod b b@1.0.0"])
        .integrity(&a)
        .npm("b@1.0.0", &[])
        .integrity(&b1)
        .npm("b@2.0.0", &[])
        .integrity(&b2)
        .plan();
    world.install(&plan);
    assert_eq!(
        world.paths(),
        ["a/index.js", "a/node_modules/b/index.js", "a/node_modules/kept/index.js", "b/index.js"]
    );
    assert_eq!(world.read("a/node_modules/b/index.js"), "1");
}

#[test]
fn node_modules_may_be_a_symlink_of_the_user() {
    let world = World::new();
    let elsewhere = world.project.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink("elsewhere", world.project.join("node_modules")).unwrap();
    let plan = sample(&world).plan();
    world.install(&plan);
    assert!(elsewhere.join("a/cli.js").exists());
    assert!(fs::symlink_metadata(world.project.join("node_modules")).unwrap().is_symlink());
    assert!(world.is_up_to_date());
}

/// What a power cut leaves: names without bytes, and a state of a boot that is over.
#[test]
fn torn_files_of_another_epoch_are_made_anew() {
    let mut world = World::new();
    world.backend = Backend::Copy;
    let plan = sample(&world).plan();
    world.install(&plan);
    let before = world.tree();
    let as_of_another_boot = |world: &World| {
        let root = Dir::open(&world.project).unwrap();
        let mut state = LinkState::load(&root).unwrap();
        state.epoch = "00ff.1.2".to_owned();
        fs::write(world.path(".deka-state"), state.encode()).unwrap();
    };

    as_of_another_boot(&world);
    // In place: no name and no size changes.
    fs::write(world.path("a/lib/y.js"), "\0").unwrap();
    fs::write(world.path("b/index.js"), "").unwrap();
    assert!(!world.is_up_to_date());
    let report = world.install(&plan);
    assert_eq!(report, Report { intact: 2, repaired: 2, bins: 1, ..Report::default() });
    assert_eq!(world.tree(), before);
    assert!(world.is_up_to_date());
    // Asked once: what was read after the boot was on the disk, what was written since may not be.
    let root = Dir::open(&world.project).unwrap();
    let state = LinkState::load(&root).unwrap();
    let unflushed = state.placements.iter().filter(|placed| placed.unflushed_since.is_some());
    assert_eq!((unflushed.count(), state.is_sealed), (2, false));
    assert_eq!(world.install(&plan), Report { bins: 1, ..Report::default() });

    // The store is torn too: the package has to be fetched again.
    world.backend = Backend::Hardlink;
    fs::remove_dir_all(world.path("")).unwrap();
    world.install(&plan);
    as_of_another_boot(&world);
    fs::write(world.path("a/lib/y.js"), "").unwrap();
    assert!(world.try_install(&plan, 2).unwrap_err().is_missing_blob());
}

#[test]
fn what_a_kill_left_behind_is_removed() {
    let world = World::new();
    let plan = sample(&world).plan();
    fs::create_dir_all(world.path(".deka-trash-1-0/x")).unwrap();
    fs::write(world.path(".deka-1-2-3.tmp"), "").unwrap();
    // Half a package, no state.
    fs::create_dir_all(world.path("a/lib")).unwrap();
    fs::write(world.path("a/lib/stale.js"), "").unwrap();
    world.install(&plan);
    assert_eq!(world.paths(), SAMPLE);
}

#[test]
fn optional_packages_that_failed_are_tried_again() {
    let world = World::new();
    let plan = sample(&world).plan();
    let linker = world.linker();
    let work = linker.begin(&plan, None).unwrap();
    linker.make_links(&plan, &work).unwrap();
    let failed = work.tasks()[0];
    for task in &work.tasks()[1..] {
        linker.perform(&plan, *task, world.index(&plan, *task).as_ref()).unwrap();
    }
    let finish = Finish {
        plan: &plan,
        work: &work,
        old: None,
        failed: &[failed.placement],
        inputs: vec![Input::absent("package.json")],
        settings: 1,
        summary: Summary::default(),
        payload: Vec::new(),
        has_run_scripts: false,
    };
    linker.finish(finish).unwrap();
    assert!(!world.is_up_to_date());
    assert_eq!(world.install(&plan).placed, 1);
    assert!(world.is_up_to_date());
}

#[test]
fn comparing_touches_nothing() {
    let world = World::new();
    let plan = sample(&world).plan();
    let work = world.linker().compare(&plan, None);
    assert_eq!(work.tasks().len(), 4);
    assert!(!world.path("").exists());
}
