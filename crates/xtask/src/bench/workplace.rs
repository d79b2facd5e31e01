//! One manager with a project, a home and a cache of its own, brought into the state that a
//! scenario starts from.
//!
//! ```text
//! <place>/<manager>/project/     a copy of the project
//! <place>/<manager>/home/        with an .npmrc that names the registry
//! <place>/<manager>/cache/
//! ```
//!
//! A scenario only takes away; what it needs was left by an installation without a cache, a
//! lockfile or `node_modules`, which is made anew whenever a run may have left less than that, or
//! packuments that have gone stale.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::{
    manager::Manager,
    measure::{self, Sample},
    project::{Project, write_files},
    scenario::Scenario,
    server::Server,
};

/// Packuments may be cached for 300 s. A slow round must not measure fresh ones first, stale ones
/// later.
const FRESH: Duration = Duration::from_secs(200);

const LOAD: &str = include_str!("load.mjs");

/// How managers reach the registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    pub(crate) variables: Vec<(String, String)>,
    /// Lines for the `.npmrc` of the home.
    pub(crate) npmrc: String,
}

/// Where a manager works.
#[derive(Debug)]
pub(crate) struct Workplace<'a> {
    pub(crate) manager: &'a Manager,
    project: &'a Project,
    network: &'a Network,
    folder: PathBuf,
    files: Vec<(PathBuf, String)>,
    /// When everything was last as a first installation leaves it, if it still is.
    filled: Option<Instant>,
    /// What that installation wrote.
    lockfile: Vec<u8>,
}

impl<'a> Workplace<'a> {
    pub(crate) fn new(
        manager: &'a Manager,
        project: &'a Project,
        network: &'a Network,
        folder: PathBuf,
    ) -> Result<Self, String> {
        let files = project.files()?;
        Ok(Self { manager, project, network, folder, files, filled: None, lockfile: Vec::new() })
    }

    fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    fn manifest(&self) -> &str {
        let manifest = self.files.iter().find(|(path, _)| path == Path::new("package.json"));
        manifest.map_or("{}", |(_, text)| text)
    }

    fn write_manifest(&self, text: &str) -> Result<(), String> {
        write_files(&self.project(), &[(PathBuf::from("package.json"), text.to_owned())])
    }

    /// Installs the project with nothing warm, and each change of it.
    pub(crate) fn record(&mut self) -> Result<(), String> {
        for manifest in self.project.all_manifests(self.manifest())? {
            self.fill(&manifest)?;
        }
        self.filled = None;
        Ok(())
    }

    /// Installs with nothing warm and this manifest.
    fn fill(&mut self, manifest: &str) -> Result<(), String> {
        remove(&self.folder)?;
        write_files(&self.project(), &self.files)?;
        self.write_manifest(manifest)?;
        self.install()?;
        let lockfile = self.project().join(self.manager.lockfile);
        self.lockfile = fs::read(&lockfile)
            .map_err(|error| format!("reading `{}`: {error}", lockfile.display()))?;
        self.filled = Some(Instant::now());
        Ok(())
    }

    /// Runs the manager in a scenario; the clock covers the manager alone.
    pub(crate) fn run(
        &mut self,
        scenario: &Scenario,
        server: Option<&mut Server>,
    ) -> Result<Sample, String> {
        let manifest = self.manifest().to_owned();
        let (before, after) = self.project.manifests(&manifest, scenario.change)?;
        let is_filled = self.filled.is_some_and(|since| since.elapsed() < FRESH);
        if scenario.change.is_some() || !is_filled {
            self.fill(&before)?;
        }
        if !scenario.node_modules {
            for (path, _) in &self.files {
                if path.file_name().is_some_and(|name| name == "package.json") {
                    remove(&self.project().join(path).with_file_name("node_modules"))?;
                }
            }
        }
        if !scenario.cache {
            remove(&self.folder.join("cache"))?;
            remove(&self.folder.join("home"))?;
        }
        let lockfile = self.project().join(self.manager.lockfile);
        if !scenario.lockfile {
            remove(&lockfile)?;
        } else if fs::read(&lockfile).ok().as_ref() != Some(&self.lockfile) {
            fs::write(&lockfile, &self.lockfile)
                .map_err(|error| format!("writing `{}`: {error}", lockfile.display()))?;
        }
        if before != after {
            self.write_manifest(&after)?;
        }
        let sample = self.counted(server);
        let has_all = scenario.cache || !(scenario.lockfile || scenario.node_modules);
        if sample.is_err() || before != after || !has_all {
            self.filled = None;
        } else if !scenario.cache {
            self.filled = Some(Instant::now());
        }
        sample
    }

    /// Installs; the registry tells what that took of it.
    fn counted(&self, server: Option<&mut Server>) -> Result<Sample, String> {
        let Some(server) = server else { return self.install() };
        server.traffic()?;
        let mut sample = self.install()?;
        let traffic = server.traffic()?;
        if traffic.missing > 0 {
            eprintln!("{}: {} answers are not recorded", self.manager.name, traffic.missing);
        }
        sample.traffic = Some(traffic);
        Ok(sample)
    }

    fn install(&self) -> Result<Sample, String> {
        let [home, cache] = ["home", "cache"].map(|name| self.folder.join(name));
        write_files(&home, &[(PathBuf::from(".npmrc"), self.network.npmrc.clone())])?;
        fs::create_dir_all(&cache)
            .map_err(|error| format!("making `{}`: {error}", cache.display()))?;
        let mut command = self.manager.install(&self.project(), &home, &cache);
        command.envs(self.network.variables.iter().map(|(name, value)| (name, value)));
        // What was written before is not to be paid for by this run.
        rustix::fs::sync();
        measure::run(&mut command, &self.folder.join("said"))
    }

    /// Checks that the direct dependencies load in Node.
    pub(crate) fn check(&self) -> Result<(), String> {
        let script = PathBuf::from("deka-bench-load.mjs");
        write_files(&self.project(), &[(script.clone(), LOAD.to_owned())])?;
        let output = Command::new("node").arg(&script).current_dir(self.project()).output();
        let output = output.map_err(|error| format!("starting Node: {error}"))?;
        remove(&self.project().join(script))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("what {} installed does not load:\n{}", self.manager.name, said.trim()))
    }
}

/// Removes what is there, if anything is.
pub(crate) fn remove(path: &Path) -> Result<(), String> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(|error| format!("removing `{}`: {error}", path.display()))
}
