//! What of the configuration decides about the tree, and for which platform.

use std::hash::{Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use deka_config::{Config, Install, MinimumReleaseAge};
use deka_graph::EdgeKind;
use deka_linker::Backend;
use deka_manifest::{CpuSet, LibcSet, OsSet, PackageName, Target};
use deka_resolver::ReleaseAge;
use xxhash_rust::xxh3::Xxh3;

use crate::Request;

/// Returns the platforms to install for: this machine's, or those of the flags.
pub(crate) fn target(config: &Config) -> Target {
    config.install.platform.applied_to(host())
}

fn host() -> Target {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        "solaris" | "illumos" => "sunos",
        other => other,
    };
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "x86" => "ia32",
        "aarch64" => "arm64",
        "powerpc" => "ppc",
        "powerpc64" => "ppc64",
        other => other,
    };
    let libc = if is_musl() { "musl" } else { "glibc" };
    Target { os: OsSet::of(os), cpu: CpuSet::of(cpu), libc: LibcSet::of(libc) }
}

/// Whether the system's C library is musl. What deka itself was linked against says nothing, so the
/// program that is sure to be there is asked: the loader of the shell.
fn is_musl() -> bool {
    if cfg!(not(target_os = "linux")) {
        return false;
    }
    let arch = std::env::consts::ARCH;
    let has = |path: String| std::path::Path::new(&path).exists();
    has(format!("/lib/ld-musl-{arch}.so.1"))
        && !has("/lib64/ld-linux-x86-64.so.2".to_owned())
        && !has("/lib/ld-linux-aarch64.so.1".to_owned())
}

/// Whether a group of dependencies is left out of `node_modules`.
pub(crate) fn omits(install: &Install, kind: EdgeKind) -> bool {
    match kind {
        EdgeKind::Dev => install.omits_dev(),
        EdgeKind::Optional => install.omit.optional,
        EdgeKind::Peer => install.omit.peer,
        EdgeKind::Workspace | EdgeKind::Prod => false,
    }
}

/// Returns how old a version has to be to be picked, if that matters.
pub(crate) fn release_age(config: &Config) -> Option<ReleaseAge> {
    let MinimumReleaseAge { age, excludes } = &config.install.minimum_release_age;
    if age.is_zero() {
        return None;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(ReleaseAge {
        minimum_ms: i64::try_from(age.as_millis()).unwrap_or(i64::MAX),
        now_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        excludes: excludes.iter().filter_map(|name| PackageName::parse(name).ok()).collect(),
    })
}

/// Returns how files get from the store into `node_modules`.
pub(crate) fn backend(config: &Config) -> Backend {
    match config.install.backend {
        deka_config::Backend::Auto => Backend::Auto,
        deka_config::Backend::Hardlink => Backend::Hardlink,
        deka_config::Backend::Clonefile => Backend::Clone,
        deka_config::Backend::Copyfile => Backend::Copy,
        deka_config::Backend::Symlink => Backend::Symlink,
    }
}

/// Returns a hash over the settings under which the same manifests give another tree.
pub(crate) fn fingerprint(request: &Request) -> u64 {
    let config = &*request.config;
    let install = &config.install;
    let mut hasher = Xxh3::new();
    if !request.filters.is_empty() {
        (&request.filters, &request.folder).hash(&mut hasher);
    }
    (install.omits_dev(), install.omit.optional, install.omit.peer).hash(&mut hasher);
    target(config).hash(&mut hasher);
    (install.linker as u8).hash(&mut hasher);
    (&install.hoist_pattern, &install.public_hoist_pattern).hash(&mut hasher);
    install.global_store.hash(&mut hasher);
    (install.backend as u8).hash(&mut hasher);
    (install.no_save, install.no_lockfile, install.skip_load_lockfile).hash(&mut hasher);
    install.link_workspace_packages.hash(&mut hasher);
    install.ignore_scripts.hash(&mut hasher);
    hasher.finish()
}
