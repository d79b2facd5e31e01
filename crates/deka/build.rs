//! How the program is linked.
//!
//! Rust's standard library unwinds the stack (for the trace of a panic) with GCC's library, which is
//! otherwise loaded and set up at every start, for a tenth of the time that a short command takes. Where the
//! C compiler has its archive, the few functions that are needed become part of the program.

#![expect(clippy::disallowed_methods, reason = "cargo tells build scripts everything this way")]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CC");
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
    let is_native = std::env::var("HOST") == std::env::var("TARGET");
    if !is_native || !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    if let Some(folder) = folder_of("libgcc_eh.a") {
        println!("cargo::rustc-link-search=native={folder}");
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Asks the C compiler where it has a library.
fn folder_of(library: &str) -> Option<String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(compiler).arg(format!("-print-file-name={library}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let path = Path::new(path.trim_end());
    // The bare name is the answer of a compiler that has none.
    if !path.is_absolute() || !path.exists() {
        return None;
    }
    Some(path.parent()?.to_str()?.to_owned())
}
