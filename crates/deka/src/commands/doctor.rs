//! `deka doctor`: what may be wrong around an install, and the one thing to do about it.

use std::fmt::Write as _;
use std::sync::Arc;

use deka_config::{Config, Environment};
use deka_install::{Finding, Health};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::install::text::count;
use crate::arguments::{CommonArguments, DoctorArguments, InstallArguments};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::exit_code::Class;
use crate::render_error::printable;

/// That of `schemas/doctor.json`.
const SCHEMA_VERSION: u32 = 1;

/// Makes all checks, and fails if one finds a problem.
pub(crate) fn run(
    arguments: &DoctorArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let mut overrides = InstallArguments::default().overrides(common)?;
    overrides.registry.clone_from(&arguments.registry);
    overrides.offline |= arguments.offline;
    let folder = environment.working_folder();
    let root = deka_install::find_project(folder).ok();
    let config = Config::load(environment, &overrides, root.as_deref().unwrap_or(folder))?;
    let findings = deka_install::examine(root.as_deref(), &Arc::new(config));
    let problems = findings.iter().filter(|finding| finding.health == Health::Problem).count();
    if arguments.json {
        let checks = findings.iter().map(json).collect();
        document::print(SCHEMA_VERSION, [("healthy", (problems == 0).into()), ("checks", checks)]);
    } else {
        print(&text(&findings));
    }
    if problems > 0 {
        return Err(Diagnostic::new(Class::User, format!("{} found", count(problems, "problem"))));
    }
    Ok(())
}

fn text(findings: &[Finding]) -> String {
    let mut output = super::install::header("doctor");
    output.push('\n');
    for finding in findings {
        let mark = match finding.health {
            Health::Good => "✓".green().to_string(),
            Health::Notice => "!".yellow().to_string(),
            Health::Problem => "✗".red().to_string(),
            Health::Unknown => "-".dimmed().to_string(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(output, "{mark} {:<13}{}", finding.check, printable(&finding.message));
        for detail in &finding.details {
            let _ = writeln!(output, "{:15}{}", "", printable(detail).dimmed());
        }
        if let Some(advice) = &finding.advice {
            let _ = writeln!(output, "{:15}→ {}", "", printable(advice).bold());
        }
    }
    output
}

fn json(finding: &Finding) -> Value {
    let health = match finding.health {
        Health::Good => "good",
        Health::Notice => "notice",
        Health::Problem => "problem",
        Health::Unknown => "unknown",
    };
    json!({
        "check": finding.check,
        "health": health,
        "message": finding.message,
        "details": finding.details,
        "advice": finding.advice,
    })
}
