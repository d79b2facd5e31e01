//! `deka pm cache`: where the cache is, what is in it, and emptying it.

use std::fmt::Write as _;
use std::path::Path;

use deka_config::{Config, Environment};
use deka_install::CachePart;
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::text::count;
use crate::arguments::{
    CacheArguments, CacheCleanArguments, CacheCommand, CacheLsArguments, CommonArguments,
    InstallArguments,
};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::exit_code::Class;
use crate::render_error::{print_warning, printable};

/// That of `schemas/pm-cache-dir.json`, `pm-cache-ls.json`, `pm-cache-size.json` and `pm-cache-clean.json`.
const SCHEMA_VERSION: u32 = 1;

/// Does what is asked for; without anything it prints the folder.
pub(super) fn run(
    arguments: &CacheArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let overrides = InstallArguments::default().overrides(common)?;
    // There need not be a project: the cache is everybody's.
    let config = match deka_install::find_project(environment.working_folder()) {
        Ok(root) => Config::load(environment, &overrides, &root)?,
        Err(_) => Config::load(environment, &overrides, environment.working_folder())?,
    };
    let folder = config.cache.folder();
    match &arguments.command {
        Some(CacheCommand::Dir(arguments)) if arguments.json => {
            document::print(SCHEMA_VERSION, [("folder", folder.display().to_string().into())]);
        }
        None | Some(CacheCommand::Dir(_)) => print(&format!("{}\n", folder.display())),
        Some(CacheCommand::Ls(arguments)) => list(folder, arguments)?,
        Some(CacheCommand::Size(arguments)) => {
            let parts = deka_install::cache_parts(folder)?;
            if arguments.json {
                let all = parts.iter().map(json).collect();
                let folder = folder.display().to_string().into();
                document::print(SCHEMA_VERSION, [("folder", folder), ("parts", all)]);
            } else {
                print(&sizes(folder, &parts));
            }
        }
        Some(CacheCommand::Clean(arguments)) => clean(folder, arguments)?,
    }
    Ok(())
}

fn list(folder: &Path, arguments: &CacheLsArguments) -> Result<(), Diagnostic> {
    let mut packages = deka_install::cached_packages(folder)?;
    if !arguments.names.is_empty() {
        packages.retain(|package| {
            let name = package.name.as_deref().unwrap_or_default();
            arguments.names.iter().any(|wanted| name.contains(wanted.as_str()))
        });
        if packages.is_empty() {
            let names = arguments.names.join("`, `");
            let message = format!("The cache has no packages with `{names}` in their names");
            return Err(Diagnostic::new(Class::User, message));
        }
    }
    if arguments.json {
        let describe = |package: &_| {
            let deka_store::StoredPackage { name, version, files, bytes } = package;
            json!({ "name": name, "version": version, "files": files, "bytes": bytes })
        };
        let packages = packages.iter().map(describe).collect();
        document::print(SCHEMA_VERSION, [("packages", packages)]);
        return Ok(());
    }
    let lines = packages.iter().map(|package| {
        let name = printable(package.name.as_deref().unwrap_or("(nameless)"));
        let version = format!("@{}", printable(package.version.as_deref().unwrap_or_default()));
        format!("{name}{} {}\n", version.dimmed(), size(package.bytes).dimmed())
    });
    print(&lines.collect::<String>());
    Ok(())
}

fn sizes(folder: &Path, parts: &[CachePart]) -> String {
    let mut output = format!("{}\n", folder.display());
    for part in parts {
        let files = count(part.files as usize, "file");
        // Writing to a string does not fail.
        let _ = writeln!(output, "  {:<11} {:>9}  {}", part.name, size(part.bytes), files.dimmed());
    }
    let all = parts.iter().map(|part| part.bytes).sum();
    let unused: u64 = parts.iter().map(|part| part.unused_bytes).sum();
    let _ =
        writeln!(output, "  {:<11} {:>9}  {} in use by no project", "all", size(all), size(unused));
    output
}

fn clean(folder: &Path, arguments: &CacheCleanArguments) -> Result<(), Diagnostic> {
    let parts = if arguments.dry_run {
        let mut parts = deka_install::cache_parts(folder)?;
        parts.retain(|part| part.files > 0 && (arguments.all || !part.is_needed));
        parts
    } else {
        let waiting = || print_warning("Waiting for installs that are under way to end");
        deka_install::clean_cache(folder, arguments.all, &waiting)?
    };
    let freed: u64 = parts.iter().map(|part| part.unused_bytes).sum();
    if arguments.json {
        let fields = [
            ("folder", folder.display().to_string().into()),
            ("dry_run", arguments.dry_run.into()),
            ("freed_bytes", freed.into()),
            ("parts", parts.iter().map(json).collect()),
        ];
        document::print(SCHEMA_VERSION, fields);
        return Ok(());
    }
    if parts.is_empty() {
        print(&format!("The cache in {} is empty already\n", folder.display()));
        return Ok(());
    }
    let mut output = String::new();
    let verb = if arguments.dry_run { "Would remove" } else { "Removed" };
    for part in &parts {
        let files = count(part.files as usize, "file");
        let _ = writeln!(output, "{verb} {} ({files}, {})", part.name, size(part.bytes));
    }
    let linked = parts.iter().map(|part| part.bytes - part.unused_bytes).sum::<u64>();
    let verb = if arguments.dry_run { "Would free" } else { "Freed" };
    let _ = write!(output, "{verb} {}", size(freed).bold());
    if linked > 0 {
        let _ = write!(output, "; {} are in node_modules folders, and stay there", size(linked));
    }
    output.push('\n');
    print(&output);
    Ok(())
}

fn json(part: &CachePart) -> Value {
    json!({
        "name": part.name,
        "files": part.files,
        "bytes": part.bytes,
        "unused_bytes": part.unused_bytes,
        "needed": part.is_needed,
    })
}

/// Returns a number of bytes as people read it: `12.3 MB`.
fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}
