//! `deka pm untrusted`: whose scripts did not run.

use std::fmt::Write as _;

use deka_config::Environment;
use deka_install::Untrusted;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::request;
use crate::arguments::{CommonArguments, ListArguments};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::printable;
use crate::reporter::Progress;

/// That of `schemas/pm-untrusted.json`.
const SCHEMA_VERSION: u32 = 1;

/// Lists them.
pub(super) fn run(
    arguments: &ListArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let request = request(common, environment)?;
    let packages = deka_install::untrusted(&request, &Progress::start(false, true))?;
    if arguments.json {
        document::print(SCHEMA_VERSION, [("packages", json(&packages))]);
    } else {
        print(&text(&packages));
    }
    Ok(())
}

fn text(packages: &[Untrusted]) -> String {
    if packages.is_empty() {
        return "Found 0 untrusted dependencies with scripts.\n\nThis means all packages with scripts \
                are in \"trustedDependencies\" or none of your dependencies have scripts.\n"
            .to_owned();
    }
    let mut output: String = packages.iter().map(|package| describe(package, "»")).collect();
    output.push_str(
        "These dependencies had their lifecycle scripts blocked during install.\n\n\
         If you trust them and wish to run their scripts, use `deka pm trust`.\n",
    );
    output
}

/// Returns the lines about one package, the last one empty.
pub(super) fn describe(package: &Untrusted, mark: &str) -> String {
    let path = format!("./{}", printable(&package.path));
    let version = format!("@{}", printable(&package.version));
    // Writing to a string does not fail.
    let mut output = String::new();
    let _ = writeln!(output, "{} {}", path.dimmed(), version.dimmed());
    for script in &package.scripts {
        let event = script.event.as_str();
        let _ = writeln!(output, " {mark} [{event}]: {}", printable(&script.command).bold());
    }
    match &package.trusted_as {
        None => {
            output.push_str(" cannot trust by name: add it to your package.json dependencies\n");
        }
        Some(name) if !package.path.ends_with(&format!("node_modules/{name}")) => {
            let _ = writeln!(output, " alias of \"{}\"", printable(name));
        }
        Some(_) => {}
    }
    output.push('\n');
    output
}

fn json(packages: &[Untrusted]) -> Value {
    let describe = |package: &Untrusted| -> Value {
        let scripts: serde_json::Map<String, Value> = package
            .scripts
            .iter()
            .map(|script| (script.event.as_str().to_owned(), json!(script.command)))
            .collect();
        json!({
            "path": package.path,
            "name": package.name,
            "version": package.version,
            "trusted_as": package.trusted_as,
            "scripts": scripts,
        })
    };
    packages.iter().map(describe).collect()
}
