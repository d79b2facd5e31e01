//! `deka init`: a package.json where there is none, and what it lacks where there is one.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use deka_config::Environment;
use deka_fs::{Durability, atomic_write};
use deka_install::MANIFEST;
use deka_manifest::package_json::edit::FieldPath;
use deka_manifest::{PackageName, Version};
use owo_colors::OwoColorize as _;
use serde_json::Value;

use super::manifest_file::{ManifestFile, failed};
use crate::arguments::{CommonArguments, InitArguments, SourceArguments};
use crate::diagnostic::Diagnostic;
use crate::environment::is_interactive;
use crate::exit_code::Class;
use crate::render_error::printable;

/// What git is to leave alone.
const IGNORED: &str = "node_modules\n*.tgz\n.env\n";

/// A field, what is asked for it, and what it is unless somebody says otherwise.
struct Field {
    path: &'static str,
    question: &'static str,
    value: String,
    /// Says what is wrong with an answer.
    check: fn(&str) -> Option<String>,
}

/// Makes a project of the working folder.
pub(crate) fn run(
    arguments: &InitArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    if let Some(template) = &arguments.template {
        let (rest, source) = (&arguments.arguments, SourceArguments::default());
        return super::run::create_from(template, rest, &source, common, environment);
    }
    let folder = environment.working_folder();
    let path = folder.join(MANIFEST);
    let is_new = !path.exists();
    let manifest =
        if is_new { ManifestFile { path, text: Vec::new() } } else { ManifestFile::read(path)? };
    let editor = manifest.editor()?;
    let known = editor.value();
    let mut fields = fields(folder);
    if !is_new {
        // A project that is not published needs no more.
        fields.retain(|field| matches!(field.path, "name" | "version"));
    }
    fields.retain(|field| known.get(field.path.split('.').next().unwrap_or_default()).is_none());
    let asks = !arguments.yes && std::io::stdin().is_terminal() && is_interactive(environment);
    if asks {
        for field in &mut fields {
            field.value = ask(field)?;
        }
    }
    for Field { path, value, .. } in fields.iter().filter(|field| !field.value.is_empty()) {
        let set = FieldPath::parse(path)
            .and_then(|path| editor.set_field(&path, &Value::String(value.clone())));
        set.map_err(|error| Diagnostic::from_error(Class::User, &error))?;
    }
    if is_new {
        editor.add_field("private", &Value::Bool(true));
    }
    let mut text = editor.to_string();
    if is_new {
        text.push('\n');
    }
    if asks && !confirms(&text)? {
        super::print("Nothing was written\n");
        return Ok(());
    }
    manifest.write(&text)?;
    let mut done = Vec::new();
    if text.as_bytes() != manifest.text {
        done.push(if is_new { " + package.json" } else { " ~ package.json" });
    }
    if write_new(&folder.join(".gitignore"), IGNORED)? {
        done.push(" + .gitignore");
    }
    super::print(&match &*done {
        [] => "package.json lacks nothing\n".to_owned(),
        done => format!("{}\n", done.join("\n")),
    });
    Ok(())
}

/// Returns the fields of a new package.json, in order.
fn fields(folder: &Path) -> Vec<Field> {
    let field = |path, question, value: String, check| Field { path, question, value, check };
    let anything = |_: &str| None;
    let name = |answer: &str| {
        let mut parts = answer.trim_start_matches('@').split('/');
        let is_good = PackageName::parse(answer).is_ok() && parts.all(|part| part == cleaned(part));
        (!is_good).then(|| format!("`{answer}` is no name for a new package"))
    };
    let version = |answer: &str| Version::parse(answer).err().map(|error| error.to_string());
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    vec![
        field("name", "package name", name_for(&folder), name),
        field("version", "version", "1.0.0".to_owned(), version),
        field("description", "description", String::new(), anything),
        field("type", "type (module or commonjs)", "module".to_owned(), |answer| {
            let is_known = matches!(answer, "module" | "commonjs" | "");
            (!is_known).then(|| "it is module or commonjs".to_owned())
        }),
        field("main", "entry point", "index.js".to_owned(), anything),
        field("scripts.test", "test command", "node --test".to_owned(), anything),
        field("license", "license", String::new(), anything),
    ]
}

/// Makes a name of that of a folder.
fn name_for(folder: &str) -> String {
    let name = cleaned(folder);
    if PackageName::parse(&name).is_ok() { name } else { "my-package".to_owned() }
}

/// Makes small letters, digits and a few signs of a text.
fn cleaned(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.~".contains(letter);
    let letters = text.to_lowercase();
    let letters = letters.chars().map(|letter| if fits(letter) { letter } else { '-' });
    letters.collect::<String>().trim_matches(['-', '.', '_']).to_owned()
}

fn ask(field: &Field) -> Result<String, Diagnostic> {
    loop {
        let default =
            if field.value.is_empty() { String::new() } else { format!("({}) ", field.value) };
        let answer = read_line(&format!("{}: {}", field.question.bold(), default.dimmed()))?;
        let answer = if answer.is_empty() { field.value.clone() } else { answer };
        match (field.check)(&answer) {
            None => return Ok(answer),
            Some(problem) => say(&format!("{}\n", printable(&problem))),
        }
    }
}

fn confirms(text: &str) -> Result<bool, Diagnostic> {
    say(&format!("\n{text}\n"));
    let answer = read_line(&format!("{} {}", "Is this OK?".bold(), "(yes) ".dimmed()))?;
    Ok(answer.is_empty() || answer.to_lowercase().starts_with('y'))
}

/// Asks on stderr, as stdout may be for data. The end of the input ends the command.
fn read_line(question: &str) -> Result<String, Diagnostic> {
    say(question);
    let mut answer = String::new();
    let failed = || Diagnostic::new(Class::User, "There was no answer; nothing was written");
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(0) | Err(_) => {
            // Nobody has ended the line of the question.
            say("\n");
            Err(failed())
        }
        Ok(_) => Ok(answer.trim().to_owned()),
    }
}

fn say(text: &str) {
    let mut stderr = anstream::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Writes a file unless there is one; returns whether there was none.
fn write_new(path: &Path, text: &str) -> Result<bool, Diagnostic> {
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let written = atomic_write(path, text.as_bytes(), Durability::None);
    written.map(|()| true).map_err(|error| failed("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::name_for;

    #[test]
    fn names_of_folders() {
        for (folder, name) in [
            ("My App", "my-app"),
            (".hidden", "hidden"),
            ("@s", "s"),
            ("日本", "my-package"),
            ("", "my-package"),
            ("a.b_c", "a.b_c"),
        ] {
            assert_eq!(name_for(folder), name, "{folder}");
        }
    }
}
