//! `deka outdated`: which dependencies have newer versions.

use std::fmt::Write as _;

use deka_config::{Environment, LogLevel};
use deka_graph::EdgeKind;
use deka_install::{Candidate, Outdated, OutdatedDependency, OutdatedRequest};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::question::{self, Project, Step};
use crate::arguments::{CommonArguments, InstallArguments, OutdatedArguments};
use crate::commands::{install, print};
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::{print_warning, printable};
use crate::table::Table;

/// That of `schemas/outdated.json`.
const SCHEMA_VERSION: u32 = 1;

/// Shows the dependencies that have newer versions.
pub(crate) fn run(
    arguments: &OutdatedArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let install = &arguments.install;
    let request = request(install, common, environment)?;
    let level = request.config.log_level;
    let outdated = deka_install::outdated(&request)?;
    if outdated.members == 0 && level >= LogLevel::Warn {
        let filters = install.filter.join("`, `");
        print_warning(&format!("No member of the workspaces matches `{filters}`"));
    }
    for name in outdated.unknown.iter().filter(|_| level >= LogLevel::Warn) {
        print_warning(&format!("The registry does not know `{name}`"));
    }
    if install.json {
        let dependencies = outdated.dependencies.iter().map(json).collect::<Value>();
        document::print(SCHEMA_VERSION, [("dependencies", dependencies)]);
    } else if level >= LogLevel::Info {
        let shows_members = install.adding.recursive || !install.filter.is_empty();
        print(&install::header("outdated"));
        print(&text(&outdated, shows_members, question::is_colored()));
    }
    if arguments.fail && !outdated.dependencies.is_empty() {
        return Err(Diagnostic::found());
    }
    Ok(())
}

/// Returns what such arguments ask for.
pub(crate) fn request(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<OutdatedRequest, Diagnostic> {
    let Project { root, folder, config } = question::project(arguments, common, environment)?;
    Ok(OutdatedRequest {
        root,
        config,
        folder,
        filters: arguments.filter.clone(),
        is_recursive: arguments.adding.recursive,
        patterns: arguments.adding.names().to_vec(),
    })
}

fn text(outdated: &Outdated, shows_members: bool, is_colored: bool) -> String {
    if outdated.dependencies.is_empty() {
        return String::new();
    }
    let dependencies = &outdated.dependencies;
    let shows_members =
        shows_members || dependencies.iter().any(|dependency| dependency.catalog.is_some());
    let mut table = Table::default();
    let titles = ["Package", "Current", "Update", "Latest", "Workspace"];
    let columns = if shows_members { 5 } else { 4 };
    table.push(titles[..columns].iter().map(|title| title.blue().bold().to_string()));
    for dependency in dependencies {
        let current = &dependency.current;
        let cell = |candidate: &Candidate| {
            let version = question::colored_step(current, &candidate.version);
            let mark =
                if candidate.is_held_back { format!(" {}", "*".blue()) } else { String::new() };
            format!("{version}{mark}")
        };
        let cells = [
            package(dependency),
            current.to_string(),
            cell(&dependency.update),
            cell(&dependency.latest),
            members(dependency),
        ];
        table.push(cells.into_iter().take(columns));
    }
    let mut text = table.render(is_colored, &[8, 7, 6, 6, 9]);
    let is_held_back = |dependency: &OutdatedDependency| {
        dependency.update.is_held_back || dependency.latest.is_held_back
    };
    if dependencies.iter().any(is_held_back) {
        let reason = "The * indicates that version isn't true latest due to minimum release age";
        // Writing to a string does not fail.
        let _ = writeln!(text, "{} {}", "Note:".bold().dimmed(), reason.dimmed());
    }
    text
}

fn package(dependency: &OutdatedDependency) -> String {
    let alias = printable(dependency.alias.as_str());
    let name = if dependency.alias.as_str() == dependency.name.as_str() {
        String::new()
    } else {
        format!("@npm:{}", printable(dependency.name.as_str()))
    };
    let kind = match dependency.kind {
        EdgeKind::Prod | EdgeKind::Workspace => String::new(),
        kind => format!(" ({})", kind.word()),
    };
    let rest = format!("{name}{kind}");
    if rest.is_empty() { alias } else { format!("{alias}{}", rest.dimmed()) }
}

fn members(dependency: &OutdatedDependency) -> String {
    let names: Vec<String> =
        dependency.members.iter().map(|member| printable(&member.name)).collect();
    let names = names.join(", ");
    match dependency.catalog {
        Some(catalog) if catalog.as_str() == "default" => format!("catalog ({names})"),
        Some(catalog) => format!("catalog:{} ({names})", printable(&catalog)),
        None => names,
    }
}

fn json(dependency: &OutdatedDependency) -> Value {
    let candidate = |candidate: &Candidate| {
        let step = match Step::between(&dependency.current, &candidate.version) {
            _ if candidate.version == dependency.current => Value::Null,
            Step::Patch => "patch".into(),
            Step::Minor => "minor".into(),
            Step::Major => "major".into(),
        };
        json!({
            "version": candidate.version.to_string(),
            "step": step,
            "held_back": candidate.is_held_back,
        })
    };
    let members = dependency.members.iter();
    let members = members.map(|member| json!({ "name": member.name, "folder": member.folder }));
    json!({
        "name": dependency.alias.as_str(),
        "package": dependency.name.as_str(),
        "kind": dependency.kind.word(),
        "range": dependency.range,
        "current": dependency.current.to_string(),
        "update": candidate(&dependency.update),
        "latest": candidate(&dependency.latest),
        "catalog": dependency.catalog.map(|catalog| catalog.to_string()),
        "members": members.collect::<Value>(),
    })
}
