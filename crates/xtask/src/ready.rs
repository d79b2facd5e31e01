//! What has to hold before a commit, step by step. CI runs the same.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use crate::house;

/// One step: a cargo command, or a check of our own.
struct Step {
    name: &'static str,
    what: What,
}

enum What {
    Cargo {
        arguments: &'static [&'static str],
        variables: &'static [(&'static str, &'static str)],
    },
    /// Like `Cargo`, for a subcommand that not every machine has.
    CargoIfThere(&'static [&'static str]),
    House,
}

/// In the order that finds the most mistakes first. Clippy and rustdoc need only the metadata of
/// the dependencies, and share it; the tests build everything for real.
const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        what: What::Cargo { arguments: &["fmt", "--all", "--check"], variables: &[] },
    },
    Step { name: "house", what: What::House },
    Step {
        name: "clippy",
        what: What::Cargo {
            arguments: &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
            variables: &[],
        },
    },
    Step {
        name: "doc",
        what: What::Cargo {
            arguments: &["doc", "--workspace", "--no-deps", "--locked"],
            variables: &[("RUSTDOCFLAGS", "-D warnings")],
        },
    },
    Step {
        name: "deny",
        what: What::CargoIfThere(&["deny", "--locked", "check", "bans", "licenses", "sources"]),
    },
    Step {
        name: "test",
        what: What::Cargo { arguments: &["test", "--workspace", "--locked"], variables: &[] },
    },
];

/// Runs the named steps, or all of them, until one fails.
pub(crate) fn run(names: &[String]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        eprintln!("error: no step is called `{unknown}`; `cargo xtask steps` lists them");
        return ExitCode::from(2);
    }
    let root = workspace_root();
    let begin = Instant::now();
    let mut done = Vec::new();
    for step in STEPS {
        if !names.is_empty() && !names.iter().any(|name| name == step.name) {
            continue;
        }
        println!("==> {}: {}", step.name, step.what.describe());
        let started = Instant::now();
        let result = step.what.run(&root);
        let seconds = started.elapsed().as_secs_f64();
        match result {
            Ok(Ended::Passed) => done.push(format!("{:>8.1} s  {}", seconds, step.name)),
            Ok(Ended::Skipped(why)) => done.push(format!("{:>10}  {}: {why}", "-", step.name)),
            Err(message) => {
                eprintln!("error: step `{}` failed after {seconds:.1} s: {message}", step.name);
                eprintln!("\nhint: `cargo xtask ready {}` runs it alone", step.name);
                return ExitCode::FAILURE;
            }
        }
    }
    println!("==> all passed\n{}", done.join("\n"));
    println!("{:>8.1} s  in all", begin.elapsed().as_secs_f64());
    ExitCode::SUCCESS
}

/// Prints the steps.
pub(crate) fn list() -> ExitCode {
    for step in STEPS {
        println!("{:<8} {}", step.name, step.what.describe());
    }
    ExitCode::SUCCESS
}

enum Ended {
    Passed,
    Skipped(&'static str),
}

impl What {
    fn describe(&self) -> String {
        match self {
            Self::Cargo { arguments, variables } => {
                let mut words: Vec<String> =
                    variables.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
                words.push("cargo".to_owned());
                words.extend(arguments.iter().map(ToString::to_string));
                words.join(" ")
            }
            Self::CargoIfThere(arguments) => {
                format!("cargo {} (if installed)", arguments.join(" "))
            }
            Self::House => "rows of the crates, unused dependencies".to_owned(),
        }
    }

    fn run(&self, root: &Path) -> Result<Ended, String> {
        match self {
            Self::Cargo { arguments, variables } => {
                let mut command = cargo(root);
                command.args(*arguments).envs(variables.iter().copied());
                succeed(command)
            }
            Self::CargoIfThere(arguments) => {
                let mut probe = cargo(root);
                probe.args(&arguments[..1]).arg("--version");
                if !probe.output().is_ok_and(|output| output.status.success()) {
                    return Ok(Ended::Skipped("not installed"));
                }
                let mut command = cargo(root);
                command.args(*arguments);
                succeed(command)
            }
            Self::House => house::check(cargo(root)).map(|()| Ended::Passed),
        }
    }
}

fn succeed(mut command: Command) -> Result<Ended, String> {
    let status = command.status().map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() { Ok(Ended::Passed) } else { Err(status.to_string()) }
}

/// The cargo that started this, or the one on the path.
#[expect(clippy::disallowed_methods, reason = "cargo tells its subcommands by environment")]
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // What `cargo run` sets for this program is not meant for those that it starts, and would
    // rebuild crates whose build scripts look at it.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Writes what of the documentation is made of the command line.
pub(crate) fn docs() -> ExitCode {
    let mut command = cargo(&workspace_root());
    command.args(["run", "--quiet", "--locked", "-p", "deka", "--", "generate-docs", "docs"]);
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

pub(crate) fn workspace_root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    // crates/xtask
    root.pop();
    root.pop();
    root
}
