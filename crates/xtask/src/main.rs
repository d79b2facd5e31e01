//! Automation for the developers of deka: `cargo xtask <command>`.
//!
//! [`ready`] is what CI runs and what has to pass before a commit; [`mod@bench`] compares deka with
//! other package managers, which get what they install from [`serve`].
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is for a terminal")]

mod bench;
mod house;
mod ready;
mod serve;

use std::{env, process::ExitCode};

const USAGE: &str = "\
Usage: cargo xtask <command>

  ready [step...]   what CI runs: all steps, or only those named
  steps             the names of the steps and what they run
  docs              docs/commands and docs/man, made of what `deka --help` shows
  bench [flag...]   deka beside other package managers; `--help` lists the flags
  serve [flag...]   the registry of `bench`: --recording FOLDER [--upstream URL], or --generated N;
                    [--tls FILE] [--link MS,MBIT]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, names)) if command == "ready" => ready::run(names),
        Some((command, [])) if command == "steps" => ready::list(),
        Some((command, [])) if command == "docs" => ready::docs(),
        Some((command, rest)) if command == "bench" => bench::run(&ready::workspace_root(), rest),
        Some((command, rest)) if command == "serve" => serve::run(rest),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The folders in which programs are found.
#[expect(clippy::disallowed_methods, reason = "programs that are measured need it")]
fn path_variable() -> Option<std::ffi::OsString> {
    env::var_os("PATH")
}
