//! `deka install`, `ci`, `add`, `remove`, `update` and `dedupe`: settings in, the pipeline run, a summary out.

mod duplicates;
mod interactive;
mod problem;
pub(crate) mod text;

use std::path::PathBuf;
use std::sync::Arc;

use deka_config::{Config, Environment, LogLevel, Overrides};
use deka_install::{Change, InstallError, Outcome, Reporter, Request, ScriptContext, Summary};
use deka_scripts::ProjectOutput;
use serde_json::Map;

use crate::arguments::{CommonArguments, DedupeArguments, InstallArguments, UpdateArguments};
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::environment::is_interactive;
use crate::events::{self, Events};
use crate::exit_code::Class;
use crate::render_error::{print_note, print_warning};
use crate::reporter::Progress;

/// That of `schemas/install.json`.
const SCHEMA_VERSION: u32 = 1;

pub(crate) use problem::network_allowed;
pub(crate) use text::header;

/// Installs what the project in or above the working folder asks for; with names of packages, adds
/// them.
pub(crate) fn install(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    if arguments.adding.has_packages() {
        return run("add", Some(arguments.adding.addition()?), arguments, common, environment);
    }
    run("install", None, arguments, common, environment)
}

/// Installs what the lockfile says, and fails if it is not up to date.
pub(crate) fn ci(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    if arguments.adding.has_packages() {
        return Err(Diagnostic::usage("`deka ci` takes no packages")
            .hint("Use `deka add` to add packages to the project"));
    }
    run("ci", None, arguments, common, environment)
}

/// Adds packages to the project, and installs.
pub(crate) fn add(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let change = arguments.adding.addition()?;
    run("add", Some(change), arguments, common, environment)
}

/// Removes packages from the project, and installs.
pub(crate) fn remove(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let change = arguments.adding.removal()?;
    run("remove", Some(change), arguments, common, environment)
}

/// Updates packages of the project, and installs.
pub(crate) fn update(
    arguments: &UpdateArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let change = if arguments.interactive {
        match interactive::choose(arguments, common, environment)? {
            Some(change) => change,
            None => return Ok(()),
        }
    } else {
        arguments.update()?
    };
    run("update", Some(change), &arguments.install, common, environment)
}

/// Links registered packages into the project, and installs. Unless told so, only `node_modules`
/// changes.
pub(crate) fn link(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let change = arguments.adding.links()?;
    run("link", Some(change), arguments, common, environment)
}

/// Puts safe versions in the place of vulnerable ones, and installs. What was done is for the caller to
/// tell.
pub(crate) fn mend(
    change: Change,
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let task = Task { name: "audit fix", change: Some(change), is_dry_run: false };
    let request = request(task, arguments, common, environment)?;
    with_progress(&request, arguments, environment, deka_install::install).map(drop)
}

/// Takes versions out of the lockfile that others can stand in for, and installs.
pub(crate) fn dedupe(
    arguments: &DedupeArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let DedupeArguments { check, install } = arguments;
    if install.adding.has_packages() {
        return Err(Diagnostic::usage("`deka dedupe` takes no packages")
            .hint("It always looks at the whole of bun.lock"));
    }
    let task = Task { name: "dedupe", change: None, is_dry_run: *check };
    let duplicates = perform(task, install, common, environment)?.duplicates;
    match duplicates.filter(|duplicates| *check && !duplicates.removed.is_empty()) {
        Some(duplicates) => {
            let message = duplicates::counted(&duplicates, "can be removed");
            Err(Diagnostic::new(Class::User, message)
                .hint("Run `deka dedupe`, and commit bun.lock"))
        }
        None => Ok(()),
    }
}

/// What the pipeline is run for.
pub(super) struct Task {
    /// The command.
    pub(super) name: &'static str,
    pub(super) change: Option<Change>,
    /// Whether nothing may change, whatever flags say.
    pub(super) is_dry_run: bool,
}

/// Runs the pipeline. `name` is the command that does.
fn run(
    name: &'static str,
    change: Option<Change>,
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let task = Task { name, change, is_dry_run: false };
    perform(task, arguments, common, environment).map(drop)
}

/// The same; what is returned has been printed already.
fn perform(
    task: Task,
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<Summary, Diagnostic> {
    let needs_packages = matches!(task.change, Some(Change::Add(_) | Change::Remove(_)));
    if needs_packages && !arguments.adding.has_packages() {
        let name = task.name;
        return Err(Diagnostic::usage(format!("`deka {name}` needs the name of a package"))
            .hint(format!("Run `deka help {name}` to see what it takes")));
    }
    let name = task.name;
    let request = request(task, arguments, common, environment)?;
    perform_with(name, &request, arguments, environment, deka_install::install)
}

/// Returns what an install is asked for by flags and settings.
pub(super) fn request(
    task: Task,
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<Request, Diagnostic> {
    let Task { name, change, is_dry_run } = task;
    arguments.refuse_what_is_not_there()?;
    let mut overrides = arguments.overrides(common)?;
    if name == "ci" {
        overrides.frozen_lockfile = Some(true);
    }
    if name == "link" {
        overrides.save = overrides.save.or(Some(false));
    }
    overrides.dry_run |= is_dry_run;
    // Links are for all projects whether one says so or not.
    let is_global = arguments.global && name != "link";
    let Place { root, folder, config } = if is_global {
        Place::global(environment, &overrides)?
    } else {
        Place::of_project(name, environment, &overrides)?
    };
    let change =
        change.map(|change| if is_global { absolute(change, environment) } else { change });
    tracing::debug!(
        project = %root.display(),
        registry = %config.registries.default_registry(),
        cache = %config.cache.folder.display(),
        "settings are read"
    );
    let output =
        if arguments.is_for_programs() { ProjectOutput::Stderr } else { ProjectOutput::Inherit };
    Ok(Request {
        root,
        config,
        scripts: script_context(environment, output)?,
        filters: arguments.filter.clone(),
        folder,
        change,
        deduplicates: name == "dedupe",
        migrates: false,
        is_global,
    })
}

/// Whether what an install has done is told to people.
pub(super) fn shows_summary(request: &Request, arguments: &InstallArguments) -> bool {
    request.config.log_level >= LogLevel::Info
        && !arguments.no_summary
        && !arguments.is_for_programs()
}

/// Does `work`, which installs, with a progress line; then prints what was done. `name` is the command
/// that does.
pub(super) fn perform_with(
    name: &str,
    request: &Request,
    arguments: &InstallArguments,
    environment: &Environment,
    work: impl FnOnce(&Request, &dyn Reporter) -> Result<Summary, InstallError>,
) -> Result<Summary, Diagnostic> {
    let shows_summary = shows_summary(request, arguments);
    if shows_summary {
        super::print(&text::header(name));
    }
    if arguments.prints_events() {
        let summary = perform_with_events(request, arguments, work)?;
        if let Some(commands) = &summary.global {
            super::global::check(commands, environment)?;
        }
        return Ok(summary);
    }
    let summary = with_progress(request, arguments, environment, work)?;
    if arguments.json {
        document::print(SCHEMA_VERSION, text::json(&summary));
    } else if shows_summary {
        super::print(&text::text(&summary));
    }
    if let Some(commands) = &summary.global {
        super::global::check(commands, environment)?;
    }
    Ok(summary)
}

/// Does `work`, which installs, with a progress line.
fn with_progress(
    request: &Request,
    arguments: &InstallArguments,
    environment: &Environment,
    work: impl FnOnce(&Request, &dyn Reporter) -> Result<Summary, InstallError>,
) -> Result<Summary, Diagnostic> {
    let config = &request.config;
    let level = config.log_level;
    let shows_line =
        level >= LogLevel::Warn && !arguments.no_progress && is_interactive(environment);
    let progress = Progress::start(shows_line, level >= LogLevel::Warn)
        .streaming_scripts(config.install.foreground_scripts || level >= LogLevel::Verbose);
    for warning in &config.warnings {
        progress.warning(&warning.to_string());
    }
    for warning in arguments.warnings() {
        progress.warning(warning);
    }
    let result = work(request, &progress);
    progress.finish();
    let summary = result?;
    if let Some(text) = text::peers(&summary.peer_conflicts).filter(|_| level >= LogLevel::Warn) {
        print_warning(&text);
    }
    Ok(summary)
}

/// Does `work` and tells about it as events, the last of which is how it ended.
fn perform_with_events(
    request: &Request,
    arguments: &InstallArguments,
    work: impl FnOnce(&Request, &dyn Reporter) -> Result<Summary, InstallError>,
) -> Result<Summary, Diagnostic> {
    let events = Events::default();
    let warnings = request.config.warnings.iter().map(ToString::to_string);
    for warning in warnings.chain(arguments.warnings().map(ToOwned::to_owned)) {
        events.warning(&warning);
    }
    let result = work(request, &events);
    events.finish();
    match result {
        Ok(summary) => {
            let fields = text::json(&summary).into_iter();
            let fields: Map<_, _> = fields.map(|(name, value)| (name.to_owned(), value)).collect();
            events::print("summary", [("summary", fields.into())]);
            Ok(summary)
        }
        Err(error) => {
            let diagnostic = Diagnostic::from(error);
            let fields =
                [("message", diagnostic.message.as_str().into()), ("code", diagnostic.code.into())];
            events::print("error", fields);
            Err(diagnostic)
        }
    }
}

/// Where the pipeline is run.
struct Place {
    /// The project.
    root: PathBuf,
    /// The folder of the manifest that is changed, or one below it.
    folder: PathBuf,
    config: Arc<Config>,
}

impl Place {
    /// The project in or above the working folder.
    fn of_project(
        command: &str,
        environment: &Environment,
        overrides: &Overrides,
    ) -> Result<Self, Diagnostic> {
        let folder = environment.working_folder().to_owned();
        let root = match deka_install::find_project(&folder) {
            Err(InstallError::NoManifest { .. }) if command == "add" => folder.clone(),
            found => found?,
        };
        let config = Arc::new(Config::load(environment, overrides, &root)?);
        Ok(Self { root, folder, config })
    }

    /// The one of what is there for all projects.
    fn global(environment: &Environment, overrides: &Overrides) -> Result<Self, Diagnostic> {
        let config = Config::load_global(environment, overrides)?;
        let root = deka_install::global_project(&config)?;
        Ok(Self { folder: root.clone(), root, config: Arc::new(config) })
    }
}

/// Lets folders and tarballs that are added be those that the working folder has.
fn absolute(change: Change, environment: &Environment) -> Change {
    let Change::Add(mut addition) = change else { return change };
    let folder = environment.working_folder().to_string_lossy();
    for package in &mut addition.packages {
        *package = package.absolute(&folder);
    }
    Change::Add(addition)
}

/// Returns what scripts need to know of this process.
pub(crate) fn script_context(
    environment: &Environment,
    output: ProjectOutput,
) -> Result<ScriptContext, Diagnostic> {
    Ok(ScriptContext {
        environment: Arc::new(environment.clone()),
        program: own_program()?,
        output,
    })
}

/// Returns where deka's own program is.
pub(crate) fn own_program() -> Result<PathBuf, Diagnostic> {
    std::env::current_exe().map_err(|error| {
        let mut diagnostic = Diagnostic::new(Class::User, "Failed to find deka's own program");
        diagnostic.causes.push(error.to_string());
        diagnostic
    })
}

/// Installs with a progress line alone.
pub(crate) fn quietly(
    request: &Request,
    environment: &Environment,
) -> Result<Summary, InstallError> {
    let shows_warnings = request.config.log_level >= LogLevel::Warn;
    let progress = Progress::start(shows_warnings && is_interactive(environment), shows_warnings);
    let result = deka_install::install(request, &progress);
    progress.finish();
    result
}

/// Installs before something of the project runs, if that would do what the last install did. stdout is
/// left to what runs.
pub(crate) fn refresh(
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    deka_fs::make_room_for_open_files();
    let arguments = InstallArguments::default();
    let task = Task { name: "install", change: None, is_dry_run: false };
    let mut request = request(task, &arguments, common, environment)?;
    if !deka_install::repeats_last_install(&request) {
        return Ok(());
    }
    request.scripts.output = ProjectOutput::Stderr;
    let summary = quietly(&request, environment)?;
    let level = request.config.log_level;
    if level >= LogLevel::Info && matches!(summary.outcome, Outcome::Installed { .. }) {
        print_note(&text::outcome(&summary));
    }
    Ok(())
}
