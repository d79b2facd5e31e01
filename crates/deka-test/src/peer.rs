//! Real peers to compare with, installed from npm on first use.
//!
//! They land in `<target>/peers/`, shared by all tests; a file lock lets one test install while
//! the others wait. npm is run as whoever runs the tests has configured it. Where the network is
//! missing, such a test fails; with `DEKA_TEST_SKIP_PEERS=1` it is skipped, and says so.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use crate::environment;

/// The version of Bun that everything here is measured against.
pub const BUN_VERSION: &str = "1.4.5";

/// The version of pnpm that benchmarks compare with.
pub const PNPM_VERSION: &str = "12.21.0";

/// The version of npm that benchmarks compare with: the newest that runs on Node 20.
pub const NPM_VERSION: &str = "11.19.1";

/// The version of npm's `semver` that everything here is measured against.
pub const SEMVER_VERSION: &str = "7.8.5";

/// The version of `@pnpm/registry-mock`, the packages that pnpm is tested with.
pub const REGISTRY_MOCK_VERSION: &str = "5.2.4";

/// The path of a real Bun, or `None` if peers are to be skipped.
///
/// # Panics
///
/// If it cannot be installed.
pub fn bun() -> Option<PathBuf> {
    let folder = install(&format!("bun@{BUN_VERSION}"))?;
    // The `bun` package links its binary in a postinstall script, which npm may be told not to
    // run; the packages for each platform contain it.
    Some(native_program(&folder.join("node_modules/@oven"), "bin/bun", BUN_VERSION))
}

/// The path of a real pnpm, or `None` if peers are to be skipped.
///
/// # Panics
///
/// If it cannot be installed.
pub fn pnpm() -> Option<PathBuf> {
    let folder = install(&format!("pnpm@{PNPM_VERSION}"))?;
    Some(native_program(&folder.join("node_modules/@pnpm"), "pnpm", PNPM_VERSION))
}

/// The path of the script that is npm, for Node to run, or `None` if peers are to be skipped.
///
/// # Panics
///
/// If it cannot be installed.
pub fn npm() -> Option<PathBuf> {
    let folder = install(&format!("npm@{NPM_VERSION}"))?;
    Some(folder.join("node_modules/npm/bin/npm-cli.js"))
}

/// The program at `path` in one of the packages of a folder, each for another platform, that runs
/// here.
fn native_program(platforms: &Path, path: &str, version: &str) -> PathBuf {
    let mut candidates: Vec<PathBuf> = fs::read_dir(platforms)
        .unwrap_or_else(|error| panic!("reading `{}`: {error}", platforms.display()))
        .filter_map(|entry| Some(entry.ok()?.path().join(path)))
        .collect();
    // Plain before `-baseline` and `-musl`.
    candidates.sort();
    let works = |program: &PathBuf| {
        Command::new(program).arg("--version").output().is_ok_and(|output| {
            output.status.success() && output.stdout.trim_ascii() == version.as_bytes()
        })
    };
    let found = candidates.into_iter().find(works);
    found.unwrap_or_else(|| panic!("nothing in `{}` runs here", platforms.display()))
}

/// The `node_modules` folder in which Node finds npm's `semver`, or `None` if peers are to be
/// skipped. Set it as `NODE_PATH`.
///
/// # Panics
///
/// If it cannot be installed.
pub fn semver() -> Option<PathBuf> {
    install(&format!("semver@{SEMVER_VERSION}")).map(|folder| folder.join("node_modules"))
}

/// The storage of a registry with the packages that pnpm is tested with, for
/// [`Registry::serve_verdaccio`](crate::Registry::serve_verdaccio), or `None` if peers are to be skipped.
///
/// # Panics
///
/// If they cannot be fetched.
pub fn registry_mock() -> Option<PathBuf> {
    let spec = format!("@pnpm/registry-mock@{REGISTRY_MOCK_VERSION}");
    Some(once(&spec, unpack)?.join("package/registry/storage-cache"))
}

/// The registry that npm is configured with, with a slash at its end, or `None` if peers are to be
/// skipped.
///
/// # Panics
///
/// If npm does not run.
pub fn npm_registry() -> Option<String> {
    if is_skipped() {
        return None;
    }
    let output = Command::new("npm")
        .args(["config", "get", "registry"])
        .output()
        .unwrap_or_else(|error| panic!("starting npm, which comes with Node: {error}"));
    let url = String::from_utf8_lossy(&output.stdout).trim().trim_end_matches('/').to_owned();
    assert!(
        output.status.success() && url.starts_with("http"),
        "npm knows no registry: {output:?}"
    );
    Some(url + "/")
}

/// What a tool with an otherwise empty environment needs to reach the registry that npm is
/// configured with: its URL, and the proxies and certificates of this machine, if any.
pub fn network_environment() -> Vec<(String, String)> {
    const NAMES: &[&str] = &[
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "https_proxy",
        "http_proxy",
        "no_proxy",
        "NODE_EXTRA_CA_CERTS",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ];
    static REGISTRY: LazyLock<Option<String>> = LazyLock::new(npm_registry);
    let registry = REGISTRY.iter().map(|url| ("npm_config_registry".to_owned(), url.clone()));
    let others =
        NAMES.iter().filter_map(|name| Some(((*name).to_owned(), environment::variable(name)?)));
    registry.chain(others).collect()
}

/// A folder below cargo's target folder, made if it is missing, for what is worth keeping from one
/// run of the tests to the next.
pub fn kept_folder(name: &str) -> PathBuf {
    let folder = environment::target_dir().join(name);
    fs::create_dir_all(&folder)
        .unwrap_or_else(|error| panic!("making `{}`: {error}", folder.display()));
    folder
}

/// Whether tests that need peers are to be skipped; says so.
fn is_skipped() -> bool {
    let is_skipped = environment::variable("DEKA_TEST_SKIP_PEERS").is_some();
    if is_skipped {
        environment::say_skipped("DEKA_TEST_SKIP_PEERS is set, so nothing is compared with a peer");
    }
    is_skipped
}

/// Installs one package into a folder of its own, unless that was done before.
fn install(spec: &str) -> Option<PathBuf> {
    once(spec, |spec, folder| {
        run_npm(
            &["install", spec, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"],
            folder,
        );
    })
}

/// Unpacks one package into a folder, without what it depends on.
fn unpack(spec: &str, folder: &Path) {
    run_npm(&["pack", spec], folder);
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files = entries.map(|entry| entry.expect("a readable folder").path());
    let tarball = files.find(|path| path.extension().is_some_and(|end| end == "tgz"));
    let tarball = tarball.expect("npm wrote a tarball");
    let file = File::open(&tarball).expect("a readable tarball");
    let status = Command::new("tar").arg("-xz").stdin(file).current_dir(folder).status();
    let status = status.unwrap_or_else(|error| panic!("starting tar: {error}"));
    assert!(status.success(), "tar could not unpack `{}`", tarball.display());
}

/// Fills a folder of the package's own, unless that was done before.
fn once(spec: &str, fill: impl FnOnce(&str, &Path)) -> Option<PathBuf> {
    if is_skipped() {
        return None;
    }
    let peers = kept_folder("peers");
    // A scope is no folder.
    let name = spec.replace('/', "+");
    let folder = peers.join(&name);
    let done = folder.join("complete");
    let lock = File::create(peers.join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("locking a file");
    if !done.exists() {
        fs::create_dir_all(&folder).expect("a folder can be made");
        fill(spec, &folder);
        File::create(&done).expect("a marker file");
    }
    Some(folder)
}

fn run_npm(arguments: &[&str], folder: &Path) {
    let output = Command::new("npm")
        .args(arguments)
        .arg("--loglevel=error")
        .arg("--prefix")
        .arg(folder)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("starting npm, which comes with Node: {error}"));
    assert!(
        output.status.success(),
        "`npm {}` failed; with DEKA_TEST_SKIP_PEERS=1 tests that need it are skipped\n\
         {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bun_runs() {
        let Some(bun) = bun() else { return };
        let output = Command::new(bun).arg("--version").output().unwrap();
        assert_eq!(output.stdout.trim_ascii(), BUN_VERSION.as_bytes());
    }

    #[test]
    fn node_finds_semver() {
        let Some(modules) = semver() else { return };
        let output = Command::new("node")
            .args(["-p", "require('semver').satisfies('1.2.3', '^1')"])
            .env("NODE_PATH", modules)
            .output()
            .unwrap();
        assert_eq!(output.stdout.trim_ascii(), b"true");
    }
}
