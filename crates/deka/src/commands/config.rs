//! `deka config`: settings, and where each comes from.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use deka_config::{Config, Environment, Layer, Overrides, Setting};
use deka_fs::{Creation, Dir, Durability, FileMode, FsError, Permissions, atomic_write};
use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::arguments::{
    CommonArguments, ConfigArguments, ConfigCommand, ConfigGetArguments, ConfigSetArguments,
    InstallArguments, Location,
};
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::document;
use crate::exit_code::Class;
use crate::render_error::printable;

/// That of `schemas/config.json`.
const SCHEMA_VERSION: u32 = 1;

/// What is shown in place of a secret; the words are npm's.
const PROTECTED: &str = "(protected)";

/// Where settings are read.
struct Place<'a> {
    environment: &'a Environment,
    overrides: Overrides,
    project: Option<PathBuf>,
}

/// Does what is asked for.
pub(crate) fn run(
    arguments: &ConfigArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let place = Place {
        environment,
        overrides: InstallArguments::default().overrides(common)?,
        project: deka_install::find_project(environment.working_folder()).ok(),
    };
    match &arguments.command {
        ConfigCommand::Get(get) if !get.names.is_empty() => place.get(get),
        ConfigCommand::Get(ConfigGetArguments { json: is_json, .. }) => place.list(*is_json),
        ConfigCommand::List(list) => place.list(list.json),
        ConfigCommand::Set(set) => place.set(set),
        ConfigCommand::Delete(delete) => place.delete(&delete.names, delete.location),
    }
}

impl Place<'_> {
    fn settings(&self) -> Result<Vec<Setting>, Diagnostic> {
        let folder = self.project.as_deref();
        let folder = folder.unwrap_or_else(|| self.environment.working_folder());
        let config = Config::load(self.environment, &self.overrides, folder)?;
        Ok(config.settings(self.environment, &self.overrides, Some(folder)))
    }

    fn get(&self, arguments: &ConfigGetArguments) -> Result<(), Diagnostic> {
        let settings = self.settings()?;
        let find = |name: &str| {
            settings.iter().find(|setting| !setting.is_overridden && setting.name == name)
        };
        let found: Vec<(&str, Option<&Setting>)> =
            arguments.names.iter().map(|name| (name.as_str(), find(name))).collect();
        if arguments.json {
            let settings = found.iter().filter_map(|(_, setting)| setting.map(json)).collect();
            document::print(SCHEMA_VERSION, [("settings", settings)]);
            return Ok(());
        }
        // What nobody has set is no secret, however it sounds.
        let is_secret = |(_, setting): &&(&str, Option<&Setting>)| {
            setting.is_some_and(|setting| setting.value.is_none())
        };
        if let Some((name, _)) = found.iter().find(is_secret) {
            let message = format!("`{name}` is protected, and cannot be shown");
            return Err(Diagnostic::new(Class::User, message)
                .hint("`deka config list` says where it comes from"));
        }
        let mut output = String::new();
        for (name, setting) in &found {
            // What npm says of what nobody has set; scripts look for it.
            let value = setting.and_then(|setting| setting.value.as_deref()).unwrap_or("undefined");
            if found.len() > 1 {
                let _ = write!(output, "{}=", printable(name));
            }
            output.push_str(&printable(value));
            if let Some(setting) = setting.filter(|_| arguments.show_origin) {
                let _ = write!(output, "  {}", format!("; {}", setting.origin).dimmed());
            }
            output.push('\n');
        }
        print(&output);
        Ok(())
    }

    fn list(&self, is_json: bool) -> Result<(), Diagnostic> {
        let settings = self.settings()?;
        if is_json {
            document::print(SCHEMA_VERSION, [("settings", settings.iter().map(json).collect())]);
            return Ok(());
        }
        let mut output = String::new();
        let mut heading = String::new();
        for setting in &settings {
            let source = source_heading(setting);
            if source != heading {
                let gap = if output.is_empty() { "" } else { "\n" };
                let _ = writeln!(output, "{gap}{}", format!("; {}", printable(&source)).dimmed());
                heading = source;
            }
            let value = printable(setting.value.as_deref().unwrap_or(PROTECTED));
            let line = format!("{} = {value}", printable(&setting.name));
            if setting.is_overridden {
                let _ = writeln!(output, "{}", format!("; {line} ; overridden").dimmed());
            } else {
                let _ = write!(output, "{line}");
                if setting.origin.layer == Layer::Environment {
                    let _ = write!(output, " {}", format!("; {}", setting.origin.key).dimmed());
                }
                output.push('\n');
            }
        }
        print(&output);
        Ok(())
    }

    fn set(&self, arguments: &ConfigSetArguments) -> Result<(), Diagnostic> {
        let pairs: Vec<(&str, &str)> = match arguments.settings.as_slice() {
            [name, value] if !name.contains('=') => vec![(name, value)],
            settings => {
                let pair = |text| str::split_once(text, '=');
                let pairs: Option<_> = settings.iter().map(|text| pair(text.as_str())).collect();
                pairs.ok_or_else(|| {
                    Diagnostic::usage("A setting needs a value")
                        .hint("Write `deka config set <name>=<value>`")
                })?
            }
        };
        for (name, _) in &pairs {
            let is_odd = name.trim() != *name || name.contains(['\n', '\r', '"', '\'']);
            if is_odd || name.is_empty() || name.starts_with([';', '#', '[']) {
                return Err(Diagnostic::usage(format!("`{name}` is no name of a setting")));
            }
        }
        let file = self.file(arguments.location)?;
        let old = read(&file)?;
        let new = pairs.iter().fold(old.unwrap_or_default(), |text, (name, value)| {
            deka_config::set_in_npmrc(&text, name.trim(), value.trim())
        });
        write_npmrc(&file, &new)
    }

    fn delete(&self, names: &[String], location: Location) -> Result<(), Diagnostic> {
        let file = self.file(location)?;
        let mut text = read(&file)?.unwrap_or_default();
        for name in names {
            text = deka_config::delete_from_npmrc(&text, name).ok_or_else(|| {
                let message = format!("`{name}` is not set in `{}`", file.display());
                Diagnostic::new(Class::User, message)
                    .hint("`deka config list` says where settings come from")
            })?;
        }
        write_npmrc(&file, &text)
    }

    /// Returns the file that is changed.
    fn file(&self, location: Location) -> Result<PathBuf, Diagnostic> {
        let layer = match location {
            Location::User => Layer::UserNpmrc,
            Location::Project => Layer::ProjectNpmrc,
            Location::Global => Layer::GlobalNpmrc,
        };
        let file = layer.npmrc(self.environment, &self.overrides, self.project.as_deref());
        file.ok_or_else(|| {
            Diagnostic::new(Class::Config, "There is no `.npmrc` of that kind here")
                .hint("Name a file with `--userconfig`, `--globalconfig` or `--cwd`")
        })
    }
}

/// Returns what stands above settings of the same place.
fn source_heading(setting: &Setting) -> String {
    let kind = source(setting.origin.layer);
    match &setting.origin.file {
        Some(file) => format!("{kind}: {}", file.display()),
        None => kind.to_owned(),
    }
}

fn source(layer: Layer) -> &'static str {
    match layer {
        Layer::Default => "default",
        Layer::GlobalNpmrc => "global-npmrc",
        Layer::UserNpmrc => "user-npmrc",
        Layer::ProjectNpmrc => "project-npmrc",
        Layer::UserBunfig => "user-bunfig",
        Layer::ProjectBunfig => "project-bunfig",
        Layer::Environment => "environment",
        Layer::Flag => "flag",
    }
}

fn json(setting: &Setting) -> Value {
    json!({
        "name": setting.name,
        "value": setting.value,
        "protected": setting.value.is_none(),
        "source": source(setting.origin.layer),
        "key": setting.origin.key,
        "file": setting.origin.file.as_ref().map(|file| file.display().to_string()),
        "line": setting.origin.line,
        "overridden": setting.is_overridden,
    })
}

/// Returns the text of a file. What is no UTF-8 is refused, as it would not be kept.
fn read(file: &Path) -> Result<Option<String>, Diagnostic> {
    match std::fs::read(file) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(failed("read", file, &error)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", file, &error)),
    }
}

/// Writes a file; a new one is for its owner alone, as tokens may follow.
fn write_npmrc(file: &Path, text: &str) -> Result<(), Diagnostic> {
    let write = || -> Result<(), FsError> {
        let replace = || atomic_write(file, text.as_bytes(), Durability::Fsync);
        if let (Some(folder), Some(name)) = (file.parent(), file.file_name())
            && std::fs::symlink_metadata(file).is_err()
        {
            let dir = Dir::open_or_create(folder)?;
            if let Creation::Made = dir.write_new(name, b"", FileMode::Regular)? {
                let written =
                    dir.set_permissions(name, Permissions(0o600)).and_then(|()| replace());
                // Not even an empty one is left behind.
                return written.inspect_err(|_| drop(dir.remove_file(name)));
            }
        }
        replace()
    };
    write().map_err(|error| failed("write", file, &error))
}

fn failed(verb: &str, file: &Path, error: &dyn std::error::Error) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::new(Class::Config, format!("Failed to {verb} `{}`", file.display()));
    diagnostic.causes.push(error.to_string());
    diagnostic
}
