//! Parts of tests that need a process of their own: to be killed, or for its umask.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use deka_store::{Importer, Store};

use crate::support::files_below;

const VARIABLE: &str = "DEKA_STORE_TEST_CHILD";

/// Starts this test program again, to import the tarballs in a folder into the store at `root`.
pub(crate) fn start(umask: u32, tarballs: &Path, root: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::child", "--nocapture"])
        .env(VARIABLE, format!("{umask}:{}:{}", tarballs.display(), root.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for a child that must not fail.
pub(crate) fn finish(mut child: Child) {
    assert!(child.wait().unwrap().success());
}

/// Does nothing unless it was started by [`start`].
#[test]
#[expect(clippy::disallowed_methods, reason = "the test harness takes no arguments of its own")]
fn child() {
    let Ok(task) = std::env::var(VARIABLE) else { return };
    let [umask, tarballs, root] = task.split(':').collect::<Vec<_>>()[..] else { panic!("{task}") };
    let _ = rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask.parse().unwrap()));
    let store = Store::open(Path::new(root)).unwrap();
    let mut importer = Importer::new();
    for path in files_below(Path::new(tarballs)) {
        let name = path.display().to_string();
        store.import(&std::fs::read(&path).unwrap(), None, &name, &mut importer).unwrap();
    }
}
