//! The command line from outside: what the real `deka` says, on which stream, and with which code it
//! ends. No registry is needed for any of it; `../install` has those tests.

mod command_line;
mod completions;
mod config;
mod docs;
mod init;
mod list;
mod output;
mod pkg;
mod run;
mod schemas;
mod settings;
mod version;
mod why;

use deka_test::{Outcome, TestProject};

/// A project that asks for nothing, so that an install of it succeeds anywhere.
fn project() -> TestProject {
    let project = TestProject::new(env!("CARGO_BIN_EXE_deka"));
    project.write("package.json", "{}\n");
    project
}

/// Runs `deka` with these arguments in a project that asks for nothing.
fn deka(arguments: &[&str]) -> Outcome {
    project().command(arguments).run()
}
