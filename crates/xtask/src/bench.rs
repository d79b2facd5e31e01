//! `cargo xtask bench`: deka and Bun side by side, on the example and the registry that npm is
//! configured with.
//!
//! Both get a copy of the project, a home and a cache of their own; scripts are off; they run in
//! turn, so that whatever else the machine does meets both. What is told are medians of wall times,
//! from start to exit, and ranges. The registry's own answers are in the first two rows.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use deka_test::peer;

/// What is there when the clock starts.
struct Scenario {
    name: &'static str,
    cache: bool,
    lockfile: bool,
    node_modules: bool,
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "nothing", cache: false, lockfile: false, node_modules: false },
    Scenario { name: "lockfile", cache: false, lockfile: true, node_modules: false },
    Scenario { name: "cache", cache: true, lockfile: false, node_modules: false },
    Scenario { name: "cache, lockfile", cache: true, lockfile: true, node_modules: false },
    Scenario { name: "everything", cache: true, lockfile: true, node_modules: true },
];

/// A tool with its own folders.
struct Manager {
    name: &'static str,
    program: PathBuf,
    folder: PathBuf,
    /// Arguments that make it do the same as the others.
    arguments: &'static [&'static str],
}

/// Runs `cargo xtask bench [--runs N] [--in FOLDER] [--project FOLDER]`.
pub(crate) fn run(root: &Path, arguments: &[String]) -> ExitCode {
    match measure(root, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn measure(root: &Path, arguments: &[String]) -> Result<(), String> {
    let (mut runs, mut base, mut project) =
        (5, std::env::temp_dir(), root.join("examples/next-app"));
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
        match flag.as_str() {
            "--runs" => runs = value.parse().map_err(|_| format!("`{value}` is no number"))?,
            "--in" => base = PathBuf::from(value),
            "--project" => project = PathBuf::from(value),
            _ => return Err(format!("`{flag}` is no flag of `cargo xtask bench`")),
        }
    }
    build(root)?;
    let bun = peer::bun().ok_or("Bun is to be skipped, and nothing else is compared")?;
    let folder = base.join(format!("deka-bench-{}", std::process::id()));
    let manager = |name, program: PathBuf, arguments| Manager {
        name,
        program,
        folder: folder.join(name),
        arguments,
    };
    let managers = [
        manager("deka", root.join("target/release/deka"), &["install", "--ignore-scripts"]),
        manager("bun", bun, &["install", "--ignore-scripts", "--linker", "hoisted"]),
    ];
    let result = compare(&managers, &project, runs);
    // Whatever happened, nothing of it is left behind.
    let removed = fs::remove_dir_all(&folder);
    result?;
    removed.map_err(|error| format!("removing `{}`: {error}", folder.display()))
}

fn build(root: &Path) -> Result<(), String> {
    let mut cargo = crate::ready::cargo(root);
    cargo.args(["build", "--release", "--locked", "--package", "deka"]);
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`cargo build` ended with {status}")),
        Err(error) => Err(format!("cargo does not start: {error}")),
    }
}

fn compare(managers: &[Manager], project: &Path, runs: usize) -> Result<(), String> {
    for manager in managers {
        manager.prepare(project)?;
    }
    println!("| warm before the install | {} | ratio |", names(managers).join(" | "));
    println!("|---|{}---|", "---|".repeat(managers.len()));
    for scenario in SCENARIOS {
        let mut times = vec![Vec::new(); managers.len()];
        for _ in 0..runs {
            for (manager, times) in managers.iter().zip(&mut times) {
                manager.clear(scenario)?;
                times.push(manager.install()?);
            }
        }
        let medians: Vec<Duration> = times.iter_mut().map(|times| median(times)).collect();
        let cells: Vec<String> = times.iter().map(|times| cell(times)).collect();
        let ratio = medians[0].as_secs_f64() / medians[1].as_secs_f64();
        println!("| {} | {} | {ratio:.2} |", scenario.name, cells.join(" | "));
    }
    Ok(())
}

fn names(managers: &[Manager]) -> Vec<&'static str> {
    managers.iter().map(|manager| manager.name).collect()
}

/// Sorts; returns the one in the middle.
fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Shows sorted times.
fn cell(times: &[Duration]) -> String {
    let milliseconds = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1000.0);
    match times {
        [only] => format!("{} ms", milliseconds(*only)),
        [first, .., last] => format!(
            "{} ms ({} to {})",
            milliseconds(times[times.len() / 2]),
            milliseconds(*first),
            milliseconds(*last)
        ),
        [] => String::new(),
    }
}

impl Manager {
    fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Copies the project and installs it once, so that there is a lockfile.
    fn prepare(&self, project: &Path) -> Result<(), String> {
        for folder in [self.project(), self.cache(), self.folder.join("home")] {
            fs::create_dir_all(&folder)
                .map_err(|error| format!("making `{}`: {error}", folder.display()))?;
        }
        for file in ["package.json", ".npmrc", "bunfig.toml"] {
            let source = project.join(file);
            if source.exists() {
                fs::copy(&source, self.project().join(file))
                    .map_err(|error| format!("copying `{}`: {error}", source.display()))?;
            }
        }
        self.install().map(drop)
    }

    /// Takes away what the scenario does not have. Everything else is there from the last run.
    fn clear(&self, scenario: &Scenario) -> Result<(), String> {
        let remove = |path: PathBuf| match fs::symlink_metadata(&path) {
            Err(_) => Ok(()),
            Ok(metadata) => {
                let removed = if metadata.is_dir() {
                    fs::remove_dir_all(&path)
                } else {
                    fs::remove_file(&path)
                };
                removed.map_err(|error| format!("removing `{}`: {error}", path.display()))
            }
        };
        if !scenario.node_modules {
            remove(self.project().join("node_modules"))?;
        }
        if !scenario.lockfile {
            remove(self.project().join("bun.lock"))?;
        }
        if !scenario.cache {
            remove(self.cache())?;
        }
        // What earlier runs left to be written is not to be paid for by this one.
        let synced = Command::new("sync").status();
        synced.map(drop).map_err(|error| format!("starting `sync`: {error}"))
    }

    fn install(&self) -> Result<Duration, String> {
        let mut command = Command::new(&self.program);
        command
            .args(self.arguments)
            .current_dir(self.project())
            .env_clear()
            .envs(peer::network_environment())
            .env("HOME", self.folder.join("home"))
            .env("PATH", crate::path_variable().as_deref().unwrap_or(OsStr::new("")))
            .env("DEKA_CACHE_DIR", self.cache())
            .env("BUN_INSTALL_CACHE_DIR", self.cache())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let output = command
            .output()
            .map_err(|error| format!("starting `{}`: {error}", self.program.display()))?;
        let elapsed = started.elapsed();
        if output.status.success() {
            Ok(elapsed)
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{} ended with {}\n{said}", self.name, output.status))
        }
    }
}
