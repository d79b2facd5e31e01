//! The one place where this crate reads the environment of the test process.

use std::{env, path::PathBuf};

/// The value of a variable, if it is set to anything but the empty string.
#[expect(clippy::disallowed_methods, reason = "what starts the tests decides by environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder that cargo builds into, where tests may keep what they install.
///
/// It is the folder above the running test that carries cargo's cache tag, else the system's
/// folder for temporary files.
pub(crate) fn target_dir() -> PathBuf {
    let executable = env::current_exe().expect("a running test has a path");
    executable
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .map_or_else(env::temp_dir, PathBuf::from)
}

/// Tells whoever looks at the output of the tests why one of them did nothing.
#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
pub fn say_skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}
