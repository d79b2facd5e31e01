//! The `deka` command: arguments and environment in, one command run, an exit code out.
//!
//! Everything that a person sees is written here; the crates below return values and errors.
//! stdout gets the summary and data that other programs read, stderr everything else.

mod arguments;
mod commands;
mod debug_log;
mod diagnostic;
mod document;
mod environment;
mod events;
mod exit_code;
mod panic_hook;
mod passing_lines;
mod picker;
mod render_error;
mod reporter;
mod table;
mod timeline;

use std::process::ExitCode;

use arguments::{Arguments, Command, Parsed};
use deka_config::Environment;
use diagnostic::Diagnostic;
use timeline::Timeline;

fn main() -> ExitCode {
    panic_hook::install();
    if let Some(code) = commands::supervise() {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(diagnostic) => {
            render_error::print(&diagnostic);
            ExitCode::from(diagnostic.exit_code())
        }
    }
}

fn run() -> Result<(), Diagnostic> {
    let environment = environment::capture()?;
    if commands::completions::answer(&environment) {
        return Ok(());
    }
    environment::color_choice(&environment, None).write_global();
    let arguments = match arguments::parse(std::env::args_os())? {
        Parsed::Run(arguments) => arguments,
        Parsed::Print(text) => {
            commands::print(&text);
            return Ok(());
        }
    };
    let common = &arguments.common;
    environment::color_choice(&environment, common.color()).write_global();
    let timeline = common.timeline.as_deref().map(Timeline::new);
    debug_log::start(&environment, common.verbose && !common.silent, timeline.as_ref());
    let result = perform(&arguments, &environment);
    if let Some(timeline) = timeline
        && let Err(error) = timeline.write()
    {
        let path = timeline.path().display();
        render_error::print_warning(&format!("the timeline can't be written to {path}: {error}"));
    }
    result
}

fn perform(arguments: &Arguments, environment: &Environment) -> Result<(), Diagnostic> {
    let common = &arguments.common;
    let environment = match &common.cwd {
        Some(folder) => environment::within(environment, commands::enter(environment, folder)?),
        None => environment.clone(),
    };
    if !arguments.command.runs_what_is_the_users() {
        deka_fs::make_room_for_open_files();
    }
    match &arguments.command {
        Command::Install(install) => commands::install::install(install, common, &environment),
        Command::Ci(install) => commands::install::ci(install, common, &environment),
        Command::Init(init) => commands::init::run(init, common, &environment),
        Command::Add(install) => commands::install::add(install, common, &environment),
        Command::Update(update) => commands::install::update(update, common, &environment),
        Command::Remove(install) => commands::install::remove(install, common, &environment),
        Command::Dedupe(dedupe) => commands::install::dedupe(dedupe, common, &environment),
        Command::Link(link) => commands::link::link(link, common, &environment),
        Command::Unlink(unlink) => commands::link::unlink(unlink, common, &environment),
        Command::Patch(patch) => commands::patch::patch(patch, common, &environment),
        Command::PatchCommit(patch) => commands::patch::patch_commit(patch, common, &environment),
        Command::List(list) => commands::list::run(list, common, &environment),
        Command::Licenses(licenses) => commands::licenses::run(licenses, common, &environment),
        Command::Version(version) => commands::version::run(version, common, &environment),
        Command::Run(run) => commands::run::run(run, common, &environment),
        Command::Test(script) => commands::run::named("test", script, common, &environment),
        Command::Start(script) => commands::run::start(script, common, &environment),
        Command::Stop(script) => commands::run::named("stop", script, common, &environment),
        Command::Restart(script) => commands::run::restart(script, common, &environment),
        Command::Exec(exec) => commands::run::exec(exec, common, &environment),
        Command::X(x) => commands::run::x(x, common, &environment),
        Command::Create(create) => commands::run::create(create, common, &environment),
        Command::Other(words) => commands::run::other(words, common, &environment),
        Command::Why(why) => commands::why::run(why, common, &environment),
        Command::Config(config) => commands::config::run(config, common, &environment),
        Command::Doctor(doctor) => commands::doctor::run(doctor, common, &environment),
        Command::Prune(prune) => commands::prune::run(prune, common, &environment),
        Command::Outdated(outdated) => commands::outdated::run(outdated, common, &environment),
        Command::Info(info) => commands::info::run(info, common, &environment),
        Command::Search(search) => commands::search::run(search, common, &environment),
        Command::Audit(audit) => commands::audit::run(audit, common, &environment),
        Command::Diff(diff) => commands::diff::run(diff, common, &environment),
        Command::Pm(pm) => commands::pm::run(pm, common, &environment),
        Command::Completions(completions) => commands::completions::run(completions),
        Command::GenerateDocs(docs) => commands::docs::run(docs),
        Command::Help(help) => commands::help::run(help),
    }
}
