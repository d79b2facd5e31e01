//! `deka list`: what is installed.

use std::fmt::Write as _;

use deka_config::Environment;
use deka_graph::EdgeKind;
use deka_install::{Inventory, ListOptions, Listing, Problem, Row};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::install::text::count;
use crate::arguments::{CommonArguments, InstallArguments, LsArguments, ScopeArguments};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::exit_code::Class;
use crate::render_error::{print_warning, printable};

/// That of `schemas/list.json`.
const SCHEMA_VERSION: u32 = 1;

/// Lists packages.
pub(crate) fn run(
    arguments: &LsArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    if arguments.scope.global && list_nothing(arguments, common, environment)? {
        return Ok(());
    }
    let inventory = inventory(&arguments.scope, common, environment)?;
    let options = ListOptions {
        patterns: arguments.packages.clone(),
        all: arguments.all,
        depth: arguments.depth,
    };
    let listings = inventory.list(&options);
    if !arguments.packages.is_empty() && listings.iter().all(|listing| listing.rows.is_empty()) {
        let names = arguments.packages.join("`, `");
        return Err(Diagnostic::new(Class::User, format!("No packages match `{names}`")));
    }
    if arguments.json {
        let root = inventory.root().display().to_string();
        let importers = listings.iter().map(json).collect();
        document::print(SCHEMA_VERSION, [("project", root.into()), ("importers", importers)]);
        return Ok(());
    }
    // Only where it is all that is listed does the number say something.
    let counts = arguments.packages.is_empty() && !arguments.all;
    let texts = listings.iter().map(|listing| text(listing, counts && arguments.scope.is_whole()));
    print(&texts.collect::<String>());
    warn_of_missing(listings.first().map_or(0, |listing| listing.missing));
    Ok(())
}

/// Lists what is there for all projects if nothing is; returns whether that was so.
fn list_nothing(
    arguments: &LsArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<bool, Diagnostic> {
    let overrides = InstallArguments::default().overrides(common)?;
    let Some(folder) = super::global::empty_folder(environment, &overrides)? else {
        return Ok(false);
    };
    let folder = folder.display().to_string();
    if arguments.json {
        let importers = Value::Array(Vec::new());
        document::print(SCHEMA_VERSION, [("project", folder.into()), ("importers", importers)]);
    } else {
        print(&format!("{} node_modules (0 installed)\n", printable(&folder)));
    }
    Ok(true)
}

/// Reads what is installed.
pub(super) fn inventory(
    scope: &ScopeArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<Inventory, Diagnostic> {
    let overrides = InstallArguments::default().overrides(common)?;
    let (root, config) = super::global::project(scope.global, environment, &overrides)?;
    Ok(Inventory::read(&root, &config, &scope.scope(environment))?)
}

/// Says on stderr that not all is there.
pub(super) fn warn_of_missing(missing: usize) {
    if missing > 0 {
        let are = if missing == 1 { "is" } else { "are" };
        let packages = count(missing, "package");
        print_warning(&format!(
            "{packages} of bun.lock {are} not installed; `deka install` does that"
        ));
    }
}

fn text(listing: &Listing, counts: bool) -> String {
    let mut output = printable(&listing.folder.display().to_string());
    output.push_str(" node_modules");
    if counts {
        // Writing to a string does not fail.
        let _ = write!(output, " ({} installed)", listing.installed);
    }
    output.push('\n');
    // Whether nothing follows below the same row, from the last row to the first.
    let mut is_last = vec![true; listing.rows.len()];
    let mut has_later: Vec<bool> = Vec::new();
    for (at, row) in listing.rows.iter().enumerate().rev() {
        has_later.truncate(row.depth + 1);
        has_later.resize(row.depth + 1, false);
        is_last[at] = !std::mem::replace(&mut has_later[row.depth], true);
    }
    let mut levels: Vec<bool> = Vec::new();
    for (row, is_last) in listing.rows.iter().zip(is_last) {
        levels.truncate(row.depth);
        let indent: String =
            levels.iter().map(|is_last| if *is_last { "    " } else { "│   " }).collect();
        let branch = if is_last { "└──" } else { "├──" };
        let _ = writeln!(output, "{indent}{branch} {}", line(row));
        levels.push(is_last);
    }
    output
}

fn line(row: &Row) -> String {
    let mut line = printable(&row.alias);
    if !row.version.is_empty() {
        let version = format!("@{}", printable(&row.version));
        line.push_str(&version.dimmed().to_string());
    }
    let problem = match &row.problem {
        None => String::new(),
        Some(Problem::Missing) => " missing".red().to_string(),
        Some(Problem::Invalid { installed }) => {
            format!(" invalid: {} is installed", printable(installed)).red().to_string()
        }
        Some(Problem::Extraneous) => " extraneous".yellow().to_string(),
    };
    line.push_str(&problem);
    if row.is_repeated {
        line.push_str(&" *deduped".dimmed().to_string());
    }
    line
}

fn json(listing: &Listing) -> Value {
    let describe = |row: &Row| {
        let (problem, installed) = match &row.problem {
            None => (None, None),
            Some(Problem::Missing) => (Some("missing"), None),
            Some(Problem::Invalid { installed }) => (Some("invalid"), Some(installed)),
            Some(Problem::Extraneous) => (Some("extraneous"), Some(&row.version)),
        };
        let is_extraneous = row.problem == Some(Problem::Extraneous);
        json!({
            "of": row.of,
            "depth": row.depth,
            "alias": row.alias,
            "name": row.name,
            "version": (!is_extraneous).then_some(&row.version),
            "path": row.path,
            "kind": row.kind.map(EdgeKind::word),
            "dev": row.is_dev,
            "repeated": row.is_repeated,
            "problem": problem,
            "installed": installed,
        })
    };
    json!({
        "folder": listing.folder.display().to_string(),
        "installed": listing.installed,
        "missing": listing.missing,
        "packages": listing.rows.iter().map(describe).collect::<Value>(),
    })
}
