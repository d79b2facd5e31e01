//! `cargo xtask bench`: deka beside other package managers.
//!
//! Every manager has a project, a home and a cache of its own; scripts are off; they run in turn,
//! so that whatever else the machine does meets all of them. What they install comes from a
//! registry on loopback that was recorded once, see [`crate::serve`], or from the one that npm is
//! configured with. What each leaves behind has to load in Node.
//!
//! ```text
//! target/bench/recordings/<project>/   what the registry answered
//! target/bench/<project>-<disk>….json  every run
//! target/bench/<project>-<disk>….svg   wall times
//! ```

mod manager;
mod measure;
mod options;
mod place;
mod plot;
mod project;
mod report;
mod scenario;
mod server;
mod statistics;
mod workplace;
mod workspace;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use deka_test::peer;

use crate::serve;
use manager::Manager;
use options::Options;
use place::{Disk, Place};
use project::Project;
use report::{MEASURES, Report, Row};
use scenario::Scenario;
use server::Server;
use workplace::{Network, Workplace};

/// Runs `cargo xtask bench`.
pub(crate) fn run(root: &Path, arguments: &[String]) -> ExitCode {
    if let [only] = arguments
        && only == "--help"
    {
        println!("{}", options::USAGE);
        return ExitCode::SUCCESS;
    }
    match Options::parse(arguments).and_then(|options| Bench::new(root, options)?.all()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("error: {failures} runs or checks failed, see above");
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

struct Bench {
    options: Options,
    /// `target/bench`.
    folder: PathBuf,
    /// The program with `serve` in it, optimised: a slow registry would rule the figures.
    xtask: PathBuf,
    managers: Vec<Manager>,
    failures: usize,
}

impl Bench {
    fn new(root: &Path, options: Options) -> Result<Self, String> {
        let deka = build(root, "deka")?;
        let xtask = build(root, "xtask")?;
        let names = manager::NAMES.iter().filter(|name| options.managers.contains(name));
        let managers = names.map(|name| Manager::named(name, &deka)).collect::<Result<_, _>>()?;
        let folder = peer::kept_folder("bench");
        Ok(Self { options, folder, xtask, managers, failures: 0 })
    }

    /// Measures all projects; returns how many things failed.
    fn all(mut self) -> Result<usize, String> {
        for project in self.options.projects.clone() {
            self.project(&project)?;
        }
        Ok(self.failures)
    }

    fn project(&mut self, project: &Project) -> Result<(), String> {
        if !self.options.is_recorded {
            if project.generated().is_some() {
                return Err(format!("`{}` is in no other registry", project.name));
            }
            let npmrc = String::new();
            let network = Network { variables: peer::network_environment(), npmrc };
            return self.measure(project, &network, None);
        }
        let recording = self.folder.join("recordings").join(&project.name);
        if self.options.record_again {
            workplace::remove(&recording)?;
        }
        let generated = project.generated();
        if generated.is_none() {
            self.record(project, &recording)?;
        }
        let authority = self.options.tls.then(|| self.folder.join("authority.pem"));
        let options = serve::Options {
            recording: if generated.is_some() { PathBuf::new() } else { recording },
            generated,
            upstream: None,
            tls: authority.clone(),
            link: self.options.link,
        };
        let server = Server::start(&self.xtask, &options)?;
        let network = loopback(&server.url, authority.as_deref());
        self.measure(project, &network, Some(server))
    }

    /// Lets each manager install through a registry that records, unless that was done before.
    fn record(&mut self, project: &Project, recording: &Path) -> Result<(), String> {
        let wanted = format!("{:?}", project.files()?);
        let mut missing = Vec::new();
        for manager in &self.managers {
            let done = recording.join(format!("{}-{}", manager.name, manager.version));
            if fs::read_to_string(&done).ok().as_ref() != Some(&wanted) {
                missing.push((manager, done));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let upstream = peer::npm_registry();
        let upstream = Some(upstream.ok_or("peers are to be skipped, so nothing is recorded")?);
        let recording = recording.to_owned();
        let options = serve::Options { recording, upstream, ..serve::Options::default() };
        let server = Server::start(&self.xtask, &options)?;
        let network = loopback(&server.url, None);
        let place = Place::new(&Disk::Tmpfs, &self.folder)?;
        for (manager, done) in missing {
            eprintln!("recording what {} asks for to install {}", manager.name, project.name);
            let folder = place.folder.join(manager.name);
            let recorded = Workplace::new(manager, project, &network, folder)?.record();
            match recorded {
                Ok(()) => fs::write(&done, &wanted)
                    .map_err(|error| format!("writing `{}`: {error}", done.display()))?,
                // It will fail again where it is measured, and be told there.
                Err(message) => eprintln!("not all recorded: {message}"),
            }
        }
        Ok(())
    }

    fn measure(
        &mut self,
        project: &Project,
        network: &Network,
        mut server: Option<Server>,
    ) -> Result<(), String> {
        let place = Place::new(&self.options.disk, &self.folder)?;
        let mut workplaces = self
            .managers
            .iter()
            .map(|manager| {
                Workplace::new(manager, project, network, place.folder.join(manager.name))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut report = Report {
            project: project.name.clone(),
            disk: self.options.disk.to_string(),
            registry: self.registry(),
            runs: self.options.runs,
            managers: self
                .managers
                .iter()
                .map(|manager| (manager.name, manager.version.clone()))
                .collect(),
            rows: Vec::new(),
        };
        println!("\n{}\n\n{}", report.title(), report.head(&MEASURES[0]));
        let mut failures = 0;
        for scenario in &self.options.scenarios {
            if !project.has(scenario.change) {
                continue;
            }
            let (row, failed) = rounds(&mut workplaces, scenario, report.runs, server.as_mut());
            failures += failed;
            println!("{}", report.line(&row, &MEASURES[0]));
            report.rows.push(row);
            self.write(&report)?;
        }
        for measure in &MEASURES[1..] {
            println!("\n{}", report.head(measure));
            for row in &report.rows {
                println!("{}", report.line(row, measure));
            }
        }
        self.failures += failures;
        Ok(())
    }

    /// What stands between the managers and what they install, in words.
    fn registry(&self) -> String {
        let Options { is_recorded, tls, link, .. } = &self.options;
        if !is_recorded {
            return "the configured registry".to_owned();
        }
        let tls = if *tls { "TLS" } else { "plain HTTP" };
        let Some(link) = link else { return format!("{tls} on loopback") };
        let milliseconds = link.round_trip.as_secs_f64() * 1000.0;
        format!("{tls} through {milliseconds} ms and {} Mbit/s", link.megabits)
    }

    /// Writes JSON and plot.
    fn write(&self, report: &Report) -> Result<(), String> {
        let words = format!("{} {} {}", report.project, self.options.disk, report.registry);
        let name: Vec<&str> = words
            .split(|character: char| !(character.is_alphanumeric() || character == '.'))
            .filter(|word| !word.is_empty())
            .collect();
        let base = self.folder.join(name.join("-"));
        let json = format!("{:#}\n", report.to_json());
        for (extension, text) in [("json", json), ("svg", plot::draw(report))] {
            let path = base.with_added_extension(extension);
            fs::write(&path, text)
                .map_err(|error| format!("writing `{}`: {error}", path.display()))?;
        }
        Ok(())
    }
}

/// Lets all managers run in turn. A manager that fails is out of this scenario.
fn rounds(
    workplaces: &mut [Workplace<'_>],
    scenario: &'static Scenario,
    runs: usize,
    mut server: Option<&mut Server>,
) -> (Row, usize) {
    let mut samples = vec![Vec::new(); workplaces.len()];
    let mut has_failed = vec![false; workplaces.len()];
    for round in 0..runs {
        let others = samples.iter_mut().zip(&mut has_failed);
        for (workplace, (samples, has_failed)) in workplaces.iter_mut().zip(others) {
            if *has_failed {
                continue;
            }
            let result = workplace.run(scenario, server.as_deref_mut()).and_then(|sample| {
                // Once is enough: all rounds do the same.
                if round == 0 { workplace.check().map(|()| sample) } else { Ok(sample) }
            });
            match result {
                Ok(sample) => samples.push(sample),
                Err(message) => {
                    eprintln!("{}, {}: {message}", workplace.manager.name, scenario.name);
                    *has_failed = true;
                }
            }
        }
    }
    let failures = has_failed.iter().filter(|has_failed| **has_failed).count();
    (Row { scenario: scenario.name, samples }, failures)
}

/// How to reach a registry on loopback, and none of the proxies that there may be.
fn loopback(url: &str, authority: Option<&Path>) -> Network {
    let mut variables = vec![("npm_config_registry".to_owned(), url.to_owned())];
    let mut npmrc = vec![format!("registry={url}")];
    if let Some(authority) = authority {
        let authority = authority.display().to_string();
        npmrc.push(format!("cafile={authority}"));
        variables.push(("NODE_EXTRA_CA_CERTS".to_owned(), authority));
    }
    let npmrc = npmrc.join("\n");
    Network { variables, npmrc }
}

/// Builds a program of this workspace, optimised; returns its path.
fn build(root: &Path, package: &str) -> Result<PathBuf, String> {
    let mut cargo = crate::ready::cargo(root);
    // Each by itself: built together, they would share features that one of them does not need.
    cargo.args(["build", "--quiet", "--release", "--locked", "--package", package]);
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("`cargo build` ended with {status}")),
        Err(error) => return Err(format!("cargo does not start: {error}")),
    }
    let target = peer::kept_folder("release");
    Ok(target.join(format!("{package}{}", std::env::consts::EXE_SUFFIX)))
}
