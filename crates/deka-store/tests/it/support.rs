//! Packages to import, and a look at what is stored of them.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use deka_manifest::{Algorithm, Integrity};
use deka_store::{Importer, PackageIndex, Store, StoreError, digest};
use deka_test::archive::{Tar, gzip};

/// A package: its tarball and the files that have to come out of it.
#[derive(Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) tarball: Vec<u8>,
    pub(crate) integrity: Integrity,
    pub(crate) files: BTreeMap<String, (Vec<u8>, bool)>,
}

impl Package {
    pub(crate) fn new<'a>(
        name: &str,
        files: impl IntoIterator<Item = (&'a str, Vec<u8>, bool)>,
    ) -> Self {
        let manifest = format!(r#"{{"name":"{name}","version":"1.0.0"}}"#).into_bytes();
        let files: Vec<_> = [("package.json", manifest, false)].into_iter().chain(files).collect();
        let tar = files.iter().fold(Tar::new(), |tar, (path, contents, executable)| {
            let path = format!("package/{path}");
            if *executable { tar.executable(path, contents) } else { tar.file(path, contents) }
        });
        let tarball = gzip(&tar.finish());
        Self {
            name: format!("{name}@1.0.0"),
            integrity: digest(Algorithm::Sha512, &tarball),
            tarball,
            files: files.into_iter().map(|(path, c, x)| (path.to_owned(), (c, x))).collect(),
        }
    }

    pub(crate) fn import(&self, store: &Store) -> Result<PackageIndex, StoreError> {
        store.import(&self.tarball, Some(&self.integrity), &self.name, &mut Importer::new())
    }

    /// Imports unless it is there.
    pub(crate) fn ensure(&self, store: &Store) -> PackageIndex {
        match store.lookup(&self.integrity).unwrap() {
            Some(index) => index,
            None => self.import(store).unwrap(),
        }
    }

    /// Compares every byte, size and mode of what is stored with what was published.
    pub(crate) fn check(&self, store: &Store, index: &PackageIndex) {
        assert_eq!(index.integrity(), &self.integrity);
        let found: Vec<&str> = index.files().map(|file| file.path).collect();
        assert_eq!(found.len(), self.files.len(), "{}: {found:?}", self.name);
        for file in index.files() {
            let (contents, executable) = &self.files[file.path];
            assert_eq!(file.size, contents.len() as u64, "{} {}", self.name, file.path);
            assert_eq!(file.executable, *executable, "{} {}", self.name, file.path);
            let (dir, name) = store.blob(&file.hash, file.executable).unwrap();
            let mut blob = dir.open_file(name.as_c_str()).unwrap();
            let mode = blob.metadata().unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, if *executable { 0o755 } else { 0o644 });
            let mut stored = Vec::new();
            blob.read_to_end(&mut stored).unwrap();
            assert!(stored == *contents, "{} {}", self.name, file.path);
        }
    }

    /// Looks it up, and compares as [`Package::check`] does.
    pub(crate) fn check_stored(&self, store: &Store) {
        let index = store.lookup(&self.integrity).unwrap();
        self.check(store, &index.unwrap_or_else(|| panic!("{} is not stored", self.name)));
    }
}

pub(crate) fn import_all(packages: &[Package], store: &Store) {
    for package in packages {
        package.import(store).unwrap();
    }
}

pub(crate) fn check_all(packages: &[Package], store: &Store) {
    for package in packages {
        package.check_stored(store);
    }
}

/// Bytes that differ from seed to seed and compress a little.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(state >> 8).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Packages that share files, with one of them too large to be unpacked in memory.
pub(crate) fn packages(count: u64, with_large: bool) -> Vec<Package> {
    let mut packages: Vec<Package> = (0..count)
        .map(|number| {
            let own = (0..number % 12).map(|file| {
                (noise(number * 100 + file, (file * file * 400 + 17) as usize), file % 5 == 0)
            });
            let own: Vec<_> = own.collect();
            let names: Vec<String> =
                (0..own.len()).map(|file| format!("lib/d{}/f{file}.js", file % 3)).collect();
            let mut files: Vec<(&str, Vec<u8>, bool)> = names
                .iter()
                .zip(own)
                .map(|(name, (contents, x))| (name.as_str(), contents, x))
                .collect();
            files.push(("LICENSE", noise(7, 1100), false));
            files.push(("empty", Vec::new(), false));
            files.push(("cli.js", noise(8, 300), number % 2 == 0));
            Package::new(&format!("package-{number}"), files)
        })
        .collect();
    if with_large {
        let files = vec![
            ("first.js", noise(1, 5000), false),
            ("native.node", noise(2, 9 << 20), true),
            ("data/one.bin", noise(3, 9 << 20), false),
            ("data/same.bin", noise(3, 9 << 20), false),
            ("last.js", noise(4, 70_000), false),
        ];
        packages.push(Package::new("large", files));
    }
    packages
}

/// Writes tarballs for processes that cannot be handed values.
pub(crate) fn save(packages: &[Package], folder: &Path) {
    for (position, package) in packages.iter().enumerate() {
        std::fs::write(folder.join(format!("{position:03}.tgz")), &package.tarball).unwrap();
    }
}

/// Returns the paths of all blobs, sorted.
pub(crate) fn blobs(root: &Path) -> Vec<PathBuf> {
    files_below(&root.join("v1/files"))
}

/// Returns the paths of all indexes, sorted.
pub(crate) fn indexes(root: &Path) -> Vec<PathBuf> {
    files_below(&root.join("v1/index"))
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}
