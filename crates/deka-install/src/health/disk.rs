//! Whether project and cache can be written, and lie on one volume.

use std::path::{Path, PathBuf};

use deka_config::Config;
use deka_fs::{Dir, FileMode, FsError};

use super::{Finding, Health, causes};

pub(super) fn examine(root: Option<&Path>, config: &Config) -> Vec<Finding> {
    let cache = config.cache.folder();
    let mut findings = Vec::new();
    if let Some(root) = root {
        findings.push(writable("project", &[root.to_owned(), root.join("node_modules")]));
    }
    let store = cache.join("v1");
    let below = ["files", "index", "tmp"].map(|name| store.join(name));
    let folders: Vec<PathBuf> =
        [existing(cache), Some(store)].into_iter().flatten().chain(below).collect();
    findings.push(writable("cache", &folders));
    if let Some(root) = root {
        findings.extend(volumes(root, cache));
    }
    findings
}

/// Tries to write into those of the folders that there are.
fn writable(check: &'static str, folders: &[PathBuf]) -> Finding {
    for folder in folders.iter().filter(|folder| folder.exists()) {
        if let Err(error) = try_to_write(folder) {
            let message = format!("`{}` can't be written: {}", folder.display(), causes(&error));
            let advice = format!(
                "Give it back to yourself, if another user such as root made it: \
                 `sudo chown -R \"$(id -u)\" {}`",
                folder.display()
            );
            return Finding::problem(check, message, advice);
        }
    }
    let folder = folders.first().map(|folder| folder.display().to_string()).unwrap_or_default();
    Finding::good(check, format!("`{folder}` can be written"))
}

fn try_to_write(folder: &Path) -> Result<(), FsError> {
    let dir = Dir::open(folder)?;
    let name = format!(".deka-doctor-{}", std::process::id());
    dir.create_new(name.as_str(), FileMode::Regular)?;
    dir.remove_file(name.as_str()).map(drop)
}

/// Returns the folder, or the nearest above it that exists.
fn existing(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned)
}

fn volumes(root: &Path, cache: &Path) -> Option<Finding> {
    let volume = |folder: &Path| Some(Dir::open(folder).ok()?.metadata(".").ok()??.identity.0);
    let store = existing(cache)?;
    let (project, cache_volume) = (volume(root)?, volume(&store)?);
    // Zero is a system that does not say.
    if project == 0 || cache_volume == 0 {
        return Some(Finding::new("volume", Health::Unknown, "The system does not name volumes"));
    }
    if project == cache_volume {
        return Some(Finding::good("volume", "Project and cache are on one volume"));
    }
    let message = format!(
        "The cache in `{}` is on another volume than the project, so that files are copied",
        cache.display()
    );
    let advice = "Move the cache beside your projects: `DEKA_CACHE_DIR=<folder>`, or \
                  `install.cache.dir` in bunfig.toml";
    Some(Finding::notice("volume", message, advice))
}
