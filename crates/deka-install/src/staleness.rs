//! Whether `node_modules` has to be brought up to date before something of the project runs.
//!
//! Only what deka has made is judged, and only with the settings that it was made with: a `node_modules`
//! of another tool, or one without devDependencies, is somebody's decision and stays as it is.

use std::path::Path;
use std::time::SystemTime;

use deka_linker::{STATE_FILE, check_up_to_date, settings_of_last};
use deka_manifest::PackageJson;

use crate::{LOCKFILE, MANIFEST, Reporter, Request, install, settings};

/// What other tools leave in a `node_modules` of theirs.
const FOREIGN_STATES: &[&str] =
    &[".package-lock.json", ".modules.yaml", ".yarn-integrity", ".yarn-state.yml"];

/// Files by which a project says that another tool installs it, or that it has no `node_modules`.
const FOREIGN_FILES: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lockb",
    ".pnp.cjs",
    ".pnp.js",
];

/// Whether the project in `root` has a `node_modules` of deka that is no longer what its files ask for,
/// or lacks one that deka would have made. Nothing of the configuration is needed to say no.
///
/// What an install that is under way has taken apart it puts together again, so that its end is awaited;
/// but only then: what is whole and right can be used while another install still finds out what it will do.
pub fn is_stale(root: &Path, reporter: &dyn Reporter) -> bool {
    let is_right = || check_up_to_date(root, None, &[MANIFEST, LOCKFILE]).is_some();
    if is_right() {
        return false;
    }
    drop(install::lock(root, reporter));
    if is_right() {
        return false;
    }
    let modules = root.join("node_modules");
    if settings_of_last(root).is_some() {
        let changed = |path: &Path| std::fs::metadata(path)?.modified();
        let since = changed(&root.join(STATE_FILE)).unwrap_or(SystemTime::UNIX_EPOCH);
        let is_newer = |name: &str| changed(&modules.join(name)).is_ok_and(|time| time > since);
        return !FOREIGN_STATES.iter().any(|name| is_newer(name));
    }
    if modules.symlink_metadata().is_ok() {
        return false;
    }
    let has = |name: &str| root.join(name).exists();
    let is_others = !has(LOCKFILE) && FOREIGN_FILES.iter().any(|name| has(name));
    !is_others && asks_for_packages(root)
}

/// Whether an install would do what the last one did; true if there was none.
pub fn repeats_last_install(request: &Request) -> bool {
    settings_of_last(&request.root).is_none_or(|last| last == settings::fingerprint(request))
}

fn asks_for_packages(root: &Path) -> bool {
    let text = std::fs::read(root.join(MANIFEST)).unwrap_or_default();
    let manifest = PackageJson::parse(&text).unwrap_or_default();
    let groups =
        [&manifest.dependencies, &manifest.dev_dependencies, &manifest.optional_dependencies];
    groups.into_iter().any(|group| !group.is_empty())
        || manifest.workspaces.is_some_and(|patterns| !patterns.is_empty())
}
