//! `deka licenses`: which licenses the installed packages have.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use deka_config::Environment;
use deka_install::{LicensedPackage, Licenses};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::install::text::{count, elapsed};
use super::list::{inventory, warn_of_missing};
use crate::arguments::{CommonArguments, LicensesArguments};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::render_error::printable;

/// That of `schemas/licenses.json`.
const SCHEMA_VERSION: u32 = 1;

/// Packages of one license; `None` for those that name none.
type Group<'a> = (Option<&'a str>, Vec<&'a LicensedPackage>);

/// Lists packages by their licenses.
pub(crate) fn run(
    arguments: &LicensesArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let started = Instant::now();
    let licenses = inventory(&arguments.scope, common, environment)?.licenses();
    let groups = groups(&licenses);
    if arguments.json {
        document::print(SCHEMA_VERSION, [("licenses", groups.iter().map(json).collect())]);
    } else {
        print(&text(&licenses, &groups, arguments.long, started.elapsed()));
    }
    warn_of_missing(licenses.missing);
    Ok(())
}

/// Returns the groups by name, whatever the case and with or without brackets; the one without a
/// license last.
fn groups(licenses: &Licenses) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for package in &licenses.packages {
        let license = package.manifest.license.as_deref();
        match groups.iter_mut().find(|(known, _)| *known == license) {
            Some((_, packages)) => packages.push(package),
            None => groups.push((license, vec![package])),
        }
    }
    groups.sort_by_key(|(license, _)| {
        (license.is_none(), license.map(|name| name.trim_start_matches('(').to_lowercase()))
    });
    groups
}

fn text(licenses: &Licenses, groups: &[Group<'_>], is_long: bool, time: Duration) -> String {
    let mut output = super::install::header("licenses");
    output.push('\n');
    for (license, packages) in groups {
        let name = printable(license.unwrap_or("Unknown"));
        // Writing to a string does not fail.
        let _ = writeln!(output, "{} ({})", name.bold(), packages.len());
        for (at, package) in packages.iter().enumerate() {
            let is_last = at + 1 == packages.len();
            let branch = if is_last { "└──" } else { "├──" };
            let version = format!("@{}", printable(&package.version));
            let dev = if package.is_dev { " (dev)" } else { "" };
            let name = printable(&package.name);
            let _ = writeln!(output, "{branch} {name}{}{}", version.dimmed(), dev.dimmed());
            let manifest = &package.manifest;
            let more = [&manifest.author, &manifest.description, &manifest.homepage];
            for line in more.into_iter().flatten().filter(|_| is_long) {
                let line = printable(line).replace('\n', " ");
                let indent = if is_last { "    " } else { "│   " };
                let _ = writeln!(output, "{indent}{}", line.dimmed());
            }
        }
        output.push('\n');
    }
    let _ = writeln!(
        output,
        "{} across {} (checked {} in bun.lock) [{}]",
        count(licenses.packages.len(), "package"),
        count(groups.len(), "license"),
        count(licenses.packages.len() + licenses.missing, "package"),
        elapsed(time).bold()
    );
    output
}

fn json((license, packages): &Group<'_>) -> Value {
    let describe = |package: &&LicensedPackage| {
        json!({
            "name": package.name,
            "version": package.version,
            "path": package.path,
            "dev": package.is_dev,
            "author": package.manifest.author,
            "description": package.manifest.description,
            "homepage": package.manifest.homepage,
        })
    };
    json!({ "license": license, "packages": packages.iter().map(describe).collect::<Value>() })
}
