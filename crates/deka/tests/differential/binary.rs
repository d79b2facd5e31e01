//! Bun's older, binary lockfile: Bun writes one, and both make a `bun.lock` of it.

use std::fs;

use tempfile::TempDir;

use crate::{compare::compare_lockfiles, project, suite::SUITE};

/// Has a lockfile in binary made of a project, and both tools read it.
pub(crate) fn check_project(name: &str) {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in(format!("{name}-binary-"), &suite.folder).expect("a folder");
    let manifest = project::manifest(name);
    let folder = |name: &str| {
        let folder = work.path().join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        fs::write(folder.join("package.json"), &manifest).expect("a file can be written");
        folder
    };
    let source = folder("source");
    fs::write(source.join("bunfig.toml"), "[install]\nsaveTextLockfile = false\n")
        .expect("a file can be written");
    suite.bun.install(&source, &["--lockfile-only"]).outcome.assert_success();
    let for_bun = &["--lockfile-only", "--save-text-lockfile", "--frozen-lockfile"][..];
    let tools = [(&suite.bun, for_bun), (&suite.deka, &["--lockfile-only"])];
    let [theirs, ours] = tools.map(|(tool, arguments)| {
        let folder = folder(tool.name);
        fs::copy(source.join("bun.lockb"), folder.join("bun.lockb")).expect("Bun wrote it");
        tool.install(&folder, arguments)
    });
    if let Err(message) = compare_lockfiles("from bun.lockb", &theirs, &ours) {
        panic!("{name}, {message}");
    }
}
