//! `deka pm pkg`: fields of `package.json`, read, set, deleted and put right.

use std::path::Path;

use deka_config::Environment;
use deka_manifest::package_json::edit::{FieldError, FieldPath};
use deka_manifest::{Bin, PackageJson};
use serde_json::Value;

use crate::arguments::{PkgArguments, PkgCommand};
use crate::commands::manifest_file::ManifestFile;
use crate::commands::print;
use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::render_error::print_warning;

/// Does what `arguments` name.
pub(super) fn run(arguments: &PkgArguments, environment: &Environment) -> Result<(), Diagnostic> {
    match &arguments.command {
        PkgCommand::Get { paths, .. } => get(paths, environment),
        PkgCommand::Set { fields, json } => {
            let fields = fields.iter().map(|field| assignment(field, *json));
            let fields: Vec<_> = fields.collect::<Result<_, _>>()?;
            edit(environment, |editor| {
                fields.iter().try_for_each(|(path, value)| editor.set_field(path, value))
            })
        }
        PkgCommand::Delete { paths } => {
            let paths = parse(paths)?;
            edit(environment, |editor| {
                paths.iter().try_for_each(|path| editor.delete_field(path).map(drop))
            })
        }
        PkgCommand::Fix => fix(environment),
    }
}

fn get(paths: &[String], environment: &Environment) -> Result<(), Diagnostic> {
    let paths = parse(paths)?;
    let manifest = ManifestFile::nearest(environment.working_folder())?.editor()?.value();
    let mut found = serde_json::Map::new();
    for path in &paths {
        if let Some(value) = path.get(&manifest).map_err(|error| usage(&error))? {
            found.insert(path.to_string(), value.clone());
        }
    }
    let value = match found.len() {
        _ if paths.is_empty() => manifest,
        // As with Bun, one value that is there stands alone.
        1 => found.into_iter().next().map_or(Value::Null, |(_, value)| value),
        _ => Value::Object(found),
    };
    print(&format!("{value:#}\n"));
    Ok(())
}

fn parse(paths: &[String]) -> Result<Vec<FieldPath>, Diagnostic> {
    let paths = paths.iter().filter(|path| !path.is_empty());
    paths.map(|path| FieldPath::parse(path).map_err(|error| usage(&error))).collect()
}

/// Reads `path=value`.
fn assignment(field: &str, is_json: bool) -> Result<(FieldPath, Value), Diagnostic> {
    let invalid = |what: &str| {
        Diagnostic::usage(format!("`{field}` {what}")).hint("Write it as in `scripts.test=jest`")
    };
    let (path, value) = field.split_once('=').ok_or_else(|| invalid("has no `=`"))?;
    if path.is_empty() {
        return Err(invalid("names no field"));
    }
    if value.is_empty() {
        return Err(invalid("has no value"));
    }
    let path = FieldPath::parse(path).map_err(|error| usage(&error))?;
    if !is_json {
        return Ok((path, Value::String(value.to_owned())));
    }
    let value = serde_json::from_str(value).map_err(|error| {
        let mut diagnostic = Diagnostic::usage(format!("The value for `{path}` is no JSON"));
        diagnostic.causes.push(error.to_string());
        diagnostic.hint("Without `--json` it is taken for a text")
    })?;
    Ok((path, value))
}

fn usage(error: &FieldError) -> Diagnostic {
    Diagnostic::usage(error.to_string())
}

fn edit(
    environment: &Environment,
    change: impl FnOnce(&deka_manifest::package_json::edit::Editor) -> Result<(), FieldError>,
) -> Result<(), Diagnostic> {
    let manifest = ManifestFile::nearest(environment.working_folder())?;
    let editor = manifest.editor()?;
    change(&editor).map_err(|error| match error {
        error @ (FieldError::NoContainer { .. } | FieldError::OutOfRange { .. }) => {
            let diagnostic = Diagnostic::from_error(Class::User, &error);
            match error {
                FieldError::OutOfRange { inner, .. } => {
                    diagnostic.hint(format!("`{inner}[]` adds to the list"))
                }
                _ => diagnostic,
            }
        }
        error => usage(&error),
    })?;
    manifest.write(&editor.to_string())
}

/// Writes the name in small letters, and tells of commands that are no files.
fn fix(environment: &Environment) -> Result<(), Diagnostic> {
    let manifest = ManifestFile::nearest(environment.working_folder())?;
    let editor = manifest.editor()?;
    let path = FieldPath::parse("name").map_err(|error| usage(&error))?;
    if let Ok(Some(Value::String(name))) = path.get(&editor.value()) {
        let fixed = name.to_lowercase();
        if fixed != *name {
            editor.set_field(&path, &Value::String(fixed)).map_err(|error| usage(&error))?;
        }
    }
    manifest.write(&editor.to_string())?;
    let folder = manifest.path.parent().unwrap_or(Path::new("."));
    let files: Vec<Box<str>> = match PackageJson::parse(&manifest.text).map(|manifest| manifest.bin)
    {
        Ok(Bin::File(file)) => vec![file],
        Ok(Bin::Map(commands)) => commands.into_iter().map(|(_, file)| file).collect(),
        Ok(Bin::None | Bin::Directory(_)) | Err(_) => Vec::new(),
    };
    for file in files.iter().filter(|file| !folder.join(&***file).is_file()) {
        print_warning(&format!("There is no `{file}`, which `bin` names"));
    }
    Ok(())
}
