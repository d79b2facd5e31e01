//! Real file systems that are cut off or full. They need root and loop devices; without, the tests
//! say so and pass.
#![expect(clippy::print_stderr, reason = "a skipped test has to say so")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use deka_store::{Importer, Store, StoreError};

use crate::support::{
    Package, blobs, check_all, files_below, import_all, indexes, noise, packages,
};

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// A mounted file system, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(folder: PathBuf, arguments: &[&str]) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("it needs root to mount".to_owned());
        }
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let target = folder.to_str().ok_or("the path is not UTF-8")?;
        run("mount", &[arguments, &[target]].concat())?;
        Ok(Self(folder))
    }

    fn image(image: &Path, folder: PathBuf) -> Result<Self, String> {
        let image = image.to_str().ok_or("the path is not UTF-8")?;
        Self::new(folder, &["-o", "loop,nodiscard", image])
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Err(error) = run("umount", &[&self.0.to_string_lossy()]) {
            eprintln!("{error}");
        }
    }
}

/// Makes an empty ext4 image, mounted.
fn new_ext4(scratch: &Path) -> Result<(PathBuf, Mount), String> {
    let image = scratch.join("disk.img");
    let file = std::fs::File::create(&image).map_err(|error| error.to_string())?;
    file.set_len(256 << 20).map_err(|error| error.to_string())?;
    run("mkfs.ext4", &["-q", "-F", &image.to_string_lossy()])?;
    let mount = Mount::image(&image, scratch.join("disk"))?;
    Ok((image, mount))
}

#[test]
fn a_power_cut_on_ext4_is_noticed() {
    let scratch = tempfile::tempdir().unwrap();
    let (image, disk) = match new_ext4(scratch.path()) {
        Ok(made) => made,
        Err(reason) => return eprintln!("skipped a_power_cut_on_ext4_is_noticed: {reason}"),
    };
    let packages = packages(60, true);
    let (safe, young) = packages.split_at(20);
    let root = disk.0.join("cache");
    let store = Store::open(&root).unwrap();
    for package in safe {
        package.import(&store).unwrap();
    }
    run("sync", &["-f", &disk.0.to_string_lossy()]).unwrap();
    for package in young {
        package.import(&store).unwrap();
    }
    // A project's files are the same inodes.
    let linked = disk.0.join("node_modules");
    std::fs::create_dir(&linked).unwrap();
    for (position, path) in blobs(&root).iter().enumerate() {
        std::fs::hard_link(path, linked.join(position.to_string())).unwrap();
    }

    // Long enough for names to be in the journal, not for contents to be on the disk; the copy is
    // what a power cut would leave.
    std::thread::sleep(Duration::from_secs(6));
    let copy = scratch.path().join("copy.img");
    let [from, to] = [&image, &copy].map(|path| path.to_string_lossy());
    run("cp", &["--sparse=always", &from, &to]).unwrap();
    drop(store);
    let after = Mount::image(&copy, scratch.path().join("after")).unwrap();
    let root = after.0.join("cache");

    // What is torn, found the slow way.
    let mut torn: Vec<String> = blobs(&root)
        .iter()
        .filter_map(|path| {
            let shard = path.parent()?.file_name()?.to_str()?;
            let name = path.file_name()?.to_str()?;
            let name = format!("{shard}{}", name.trim_end_matches("-x"));
            let hash = deka_store::BlobHash::of(&std::fs::read(path).unwrap()).to_string();
            (hash != name).then_some(name)
        })
        .collect();
    torn.sort();
    let names = blobs(&root).len();
    eprintln!("{} of {names} files are torn", torn.len());

    let store = Store::open(&root).unwrap();
    let found: Vec<String> = store.recovered().torn.iter().map(ToString::to_string).collect();
    assert_eq!(found, torn);
    // Whatever is still known is whole, and what was synced is known unless it shares a torn file.
    for package in &packages {
        if let Some(index) = store.lookup(&package.integrity).unwrap() {
            package.check(&store, &index);
        }
    }
    for package in safe {
        package.check_stored(&store);
    }
    for package in &packages {
        package.check(&store, &package.ensure(&store));
    }
    drop(store);
    // The same boot goes on in another mount, so nothing is torn a second time.
    let store = Store::open(&root).unwrap();
    assert_eq!(store.recovered().torn, []);
    check_all(&packages, &store);
}

#[test]
fn a_clean_unmount_costs_a_check_and_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let (image, disk) = match new_ext4(scratch.path()) {
        Ok(made) => made,
        Err(reason) => return eprintln!("skipped a_clean_unmount_costs_a_check: {reason}"),
    };
    let packages = packages(10, false);
    let store = Store::open(&disk.0.join("cache")).unwrap();
    import_all(&packages, &store);
    drop(store);
    drop(disk);
    let again = Mount::image(&image, scratch.path().join("again")).unwrap();
    let store = Store::open(&again.0.join("cache")).unwrap();
    assert!(store.recovered().checked > 0);
    assert_eq!((store.recovered().torn.len(), store.recovered().dropped_packages), (0, 0));
    check_all(&packages, &store);
    drop(store);
}

#[test]
fn a_full_disk_leaves_nothing_that_is_trusted() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("small");
    let small = match Mount::new(folder, &["-t", "tmpfs", "-o", "size=3m", "tmpfs"]) {
        Ok(small) => small,
        Err(reason) => return eprintln!("skipped a_full_disk_leaves_nothing: {reason}"),
    };
    let store = Store::open(&small.0).unwrap();
    let files: Vec<(String, Vec<u8>)> =
        (0..100).map(|n| (format!("f{n}"), noise(n, 50_000))).collect();
    let files = || files.iter().map(|(name, contents)| (name.as_str(), contents.clone(), false));
    let wide = Package::new("wide", files());
    let large = Package::new("large", [("native.node", noise(5, 20 << 20), true)]);
    let tiny = Package::new("tiny", [("a", b"a".to_vec(), false)]);
    for package in [&wide, &large] {
        let error = package.import(&store).unwrap_err();
        assert_eq!(error.code(), Some("ENOSPC"), "{error:?}");
        assert_eq!(error.to_string(), format!("Failed to store `{}`", package.name));
        assert!(store.lookup(&package.integrity).unwrap().is_none());
        assert_eq!(indexes(&small.0).len(), 0);
        assert_eq!(files_below(&small.0.join("v1/tmp")).len(), 0);
        // What is there is whole.
        for path in blobs(&small.0) {
            let name = path.file_name().unwrap().to_str().unwrap().trim_end_matches("-x");
            let hash = deka_store::BlobHash::of(&std::fs::read(&path).unwrap()).to_string();
            assert_eq!(&hash[2..], name);
        }
    }
    // With room again the next install succeeds.
    let target = small.0.to_string_lossy();
    run("mount", &["-o", "remount,size=64m", &target]).unwrap();
    for package in [&wide, &large, &tiny] {
        package.import(&store).unwrap();
        package.check_stored(&store);
    }
    drop(store);
}

#[test]
fn a_store_that_may_not_be_written_says_so() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("fixed");
    let fixed = match Mount::new(folder, &["-t", "tmpfs", "-o", "size=8m", "tmpfs"]) {
        Ok(fixed) => fixed,
        Err(reason) => return eprintln!("skipped a_store_that_may_not_be_written: {reason}"),
    };
    let [known, unknown] = &packages(2, false)[..] else { panic!("two") };
    let store = Store::open(&fixed.0).unwrap();
    known.import(&store).unwrap();
    drop(store);
    run("mount", &["-o", "remount,ro", &fixed.0.to_string_lossy()]).unwrap();
    let store = Store::open(&fixed.0).unwrap();
    known.check_stored(&store);
    let result = store.import(&unknown.tarball, None, "b@1.0.0", &mut Importer::new());
    let error = result.unwrap_err();
    assert!(
        matches!(&error, StoreError::Write { source, .. } | StoreError::Fs(source) if source.is_read_only()),
        "{error:?}"
    );
    drop(store);
}
