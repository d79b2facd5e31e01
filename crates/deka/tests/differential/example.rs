//! The application of the README, from its lockfile; the suite of applications builds and serves it.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::{compare::compare, suite::SUITE};

#[test]
fn example_is_installed() {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in("example-", &suite.folder).expect("a folder");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/next-app");
    let lockfile = fs::read_to_string(example.join("bun.lock")).expect("the example is locked");
    let (ours, theirs) = (work.path().join("deka"), work.path().join("bun"));
    for folder in [&ours, &theirs] {
        fs::create_dir(folder).expect("a folder can be made");
        for file in ["package.json", "bun.lock"] {
            fs::copy(example.join(file), folder.join(file)).expect("a file can be copied");
        }
    }

    let expected = suite.bun.install(&theirs, &["--frozen-lockfile"]);
    let installed = suite.deka.install(&ours, &["--frozen-lockfile"]);
    if let Err(message) = compare("frozen install of the example", &expected, &installed) {
        panic!("{message}");
    }
    assert_eq!(installed.lockfile.as_deref(), Some(&*lockfile), "bun.lock changed");
}
