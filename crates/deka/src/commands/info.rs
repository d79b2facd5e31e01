//! `deka info`: what the registry says about a package.

use std::fmt::Write as _;

use deka_config::{Environment, LogLevel};
use deka_install::{Info, InfoRequest};
use owo_colors::OwoColorize as _;
use serde_json::{Map, Value};

use super::question;
use crate::arguments::{CommonArguments, InfoArguments};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::exit_code::Class;
use crate::render_error::{print_warning, printable};

/// That of `schemas/info.json`.
const SCHEMA_VERSION: u32 = 1;

/// Shows a package, or some of its properties.
pub(crate) fn run(
    arguments: &InfoArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let install = &arguments.install;
    let folder = environment.working_folder();
    let config = question::settings(install, common, environment, folder)?;
    let level = config.log_level;
    let (package, paths) = match install.adding.names() {
        [] => (None, &[][..]),
        // As with npm, `.` means the project's own.
        [package, paths @ ..] => (Some(package.as_str()).filter(|package| *package != "."), paths),
    };
    let request = InfoRequest::of(config, package, folder)?;
    let infos = deka_install::info(&request)?;
    let name = request.name.as_str();
    let is_cached = infos.iter().any(|info| info.is_cached);
    if is_cached && level >= LogLevel::Warn {
        print_warning("Offline: this is what the cache knows, which is only what installing needs");
    }
    let shows_all = paths.is_empty();
    if shows_all && !install.json {
        if level >= LogLevel::Info {
            print(&infos.last().map_or_else(String::new, |newest| text(name, newest)));
        }
        return Ok(());
    }
    let found: Vec<(&Info, Map<String, Value>)> =
        infos.iter().map(|info| (info, properties(info, paths))).collect();
    if !shows_all && found.iter().all(|(_, properties)| properties.is_empty()) {
        let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        return Err(Diagnostic::new(
            Class::User,
            format!("`{name}` has no property {}", paths.join(" or ")),
        )
        .hint(if is_cached {
            format!("Without `--offline`, `deka info {name} --json` shows all there is")
        } else {
            format!("`deka info {name} --json` shows all there is")
        }));
    }
    if install.json {
        let versions = found.into_iter().map(|(info, properties)| {
            let mut version = Map::new();
            version.insert("version".to_owned(), info.version.as_str().into());
            version.insert("properties".to_owned(), properties.into());
            Value::Object(version)
        });
        let versions = versions.collect::<Value>();
        document::print(SCHEMA_VERSION, [("name", name.into()), ("versions", versions)]);
    } else {
        print(&property_lines(name, &found));
    }
    Ok(())
}

/// Returns what is at the paths; without any, everything.
fn properties(info: &Info, paths: &[String]) -> Map<String, Value> {
    if paths.is_empty() {
        return info.fields();
    }
    let selected = paths.iter().flat_map(|path| info.select(path));
    selected.map(|selected| (selected.path, selected.value)).collect()
}

/// Returns one property alone as it is, several with what they are.
fn property_lines(name: &str, found: &[(&Info, Map<String, Value>)]) -> String {
    if let [(_, properties)] = found
        && properties.len() == 1
        && let Some(value) = properties.values().next()
    {
        return format!("{}\n", bare(value));
    }
    let mut text = String::new();
    let has_several_versions = found.len() > 1;
    let is_one_property = found.iter().all(|(_, properties)| properties.len() <= 1);
    for (info, properties) in found {
        for (path, value) in properties {
            let package = format!("{}@{} ", printable(name), info.version);
            let label = format!("{} = ", printable(path));
            let is_clear = has_several_versions && is_one_property;
            if has_several_versions {
                text.push_str(&package);
            }
            if !is_clear {
                text.push_str(&label);
            }
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", quoted(value));
        }
    }
    text
}

fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        value => quoted(value),
    }
}

fn quoted(value: &Value) -> String {
    // JSON has no control characters in it but those of its own layout.
    printable(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// Returns all that is worth knowing at first.
fn text(name: &str, info: &Info) -> String {
    let one_line = |text: &str| printable(text).replace(['\n', '\t'], " ");
    let string = |name: &str| info.field(name).and_then(Value::as_str).map(one_line);
    let object = |name: &str| info.field(name).and_then(Value::as_object);
    let dependencies = object("dependencies").filter(|dependencies| !dependencies.is_empty());
    let bar = "|".dimmed();
    // What the cache knows says nothing of licences.
    let license = if info.is_cached { "?".to_owned() } else { license(info.field("license")) };
    let mut text = format!(
        "{}{}{} {bar} {} {bar} deps{} {} {bar} versions{} {}\n",
        one_line(name).blue().bold().underline(),
        "@".dimmed(),
        info.version.blue().bold().underline(),
        one_line(&license).cyan(),
        ":".dimmed(),
        dependencies.map_or(0, Map::len),
        ":".dimmed(),
        info.versions,
    );
    let mut lines = Vec::new();
    lines.extend(string("description").filter(|text| !text.is_empty()));
    lines.extend(string("homepage").map(|url| url.blue().to_string()));
    if let Some(keywords) = info.field("keywords").and_then(Value::as_array) {
        let words: Vec<String> = keywords.iter().filter_map(Value::as_str).map(one_line).collect();
        lines.extend(
            (!words.is_empty()).then(|| format!("keywords{} {}", ":".dimmed(), words.join(", "))),
        );
    }
    lines.extend(
        bins(name, info.field("bin"))
            .map(|bins| format!("bin{} {}", ":".dimmed(), one_line(&bins).cyan())),
    );
    if let Some(reason) = string("deprecated").filter(|reason| !reason.is_empty()) {
        lines.push(format!("\n{} ⚠️  - {reason}", "DEPRECATED".red().bold()));
    }
    if let Some(dependencies) = dependencies {
        lines.push(format!(
            "\n{} {}",
            "dependencies".bold(),
            format_args!("({}):", dependencies.len()).dimmed()
        ));
        lines.extend(dependencies.iter().map(|(alias, range)| {
            format!("- {}{} {}", one_line(alias).cyan(), ":".dimmed(), one_line(&bare(range)))
        }));
    }
    if let Some(dist) = object("dist") {
        lines.push(format!("\n{}", "dist".bold()));
        let mut row = |field: &str, value: String| {
            lines.push(format!(" {}{field}{} {value}", ".".dimmed(), ":".dimmed()));
        };
        for field in ["tarball", "shasum", "integrity"] {
            if let Some(value) = dist.get(field).and_then(Value::as_str).map(one_line) {
                row(field, if field == "tarball" { value } else { value.green().to_string() });
            }
        }
        if let Some(bytes) = dist.get("unpackedSize").and_then(Value::as_u64) {
            row("unpackedSize", size(bytes).blue().to_string());
        }
    }
    if let Some(tags) = object("dist-tags").filter(|tags| !tags.is_empty()) {
        lines.push(format!("\n{}{}", "dist-tags".bold(), ":".dimmed()));
        lines.extend(tags.iter().map(|(tag, version)| {
            format!("{}{} {}", one_line(tag).cyan(), ":".dimmed(), one_line(&bare(version)))
        }));
    }
    if let Some(people) = info.field("maintainers").and_then(Value::as_array) {
        lines.push(format!("\n{}{}", "maintainers".bold(), ":".dimmed()));
        lines.extend(
            people.iter().map(|person| format!("{} {}", "-".dimmed(), one_line(&someone(person)))),
        );
    }
    if let Some(time) = &info.published {
        lines.push(format!("\n{}{} {}", "Published".bold(), ":".dimmed(), one_line(time)));
    }
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn license(value: Option<&Value>) -> String {
    let name = match value {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Object(license)) => license.get("type").and_then(Value::as_str),
        _ => None,
    };
    name.unwrap_or("Proprietary").to_owned()
}

fn bins(name: &str, value: Option<&Value>) -> Option<String> {
    match value? {
        // Whose only command has the package's own name.
        Value::String(_) => Some(name.rsplit('/').next().unwrap_or(name).to_owned()),
        Value::Object(bins) if !bins.is_empty() => {
            Some(bins.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

fn someone(person: &Value) -> String {
    let part = |field: &str| person.get(field).and_then(Value::as_str);
    match (person.as_str(), part("name"), part("email")) {
        (Some(text), ..) => text.to_owned(),
        (None, name, Some(email)) => format!("{} <{email}>", name.unwrap_or_default()),
        (None, name, None) => name.unwrap_or_default().to_owned(),
    }
}

/// Returns a size as Bun has it: `12.35 KB`.
fn size(bytes: u64) -> String {
    match bytes {
        0 => return "0 KB".to_owned(),
        1..512 => return format!("{bytes} bytes"),
        _ => {}
    }
    let kilobytes = bytes as f64 / 1000.0;
    if kilobytes < 1000.0 {
        format!("{kilobytes:.2} KB")
    } else {
        format!("{:.2} MB", kilobytes / 1000.0)
    }
}
