//! What is there for all projects: where it is, and whether the shell finds it.

use std::path::{Path, PathBuf};

use deka_config::{Config, Environment, Overrides};
use deka_install::{GlobalCommands, LOCKFILE};

use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;
use crate::render_error::{print_warning, printable};

/// Returns the project that a command looks at, and its settings: the one in or above the working folder, or
/// that of what is there for all projects.
pub(crate) fn project(
    is_global: bool,
    environment: &Environment,
    overrides: &Overrides,
) -> Result<(PathBuf, Config), Diagnostic> {
    if !is_global {
        let root = deka_install::find_project(environment.working_folder())?;
        let config = Config::load(environment, overrides, &root)?;
        return Ok((root, config));
    }
    let config = Config::load_global(environment, overrides)?;
    let root = deka_install::global_folder(&config)?.to_owned();
    if empty_folder(environment, overrides)?.is_some() {
        return Err(Diagnostic::new(Class::User, "Nothing is installed for all projects")
            .hint("`deka add --global <package>` does that"));
    }
    Ok((root, config))
}

/// Returns the folder of what is there for all projects if nothing is.
pub(crate) fn empty_folder(
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Option<PathBuf>, Diagnostic> {
    let config = Config::load_global(environment, overrides)?;
    let folder = deka_install::global_folder(&config)?;
    Ok((!folder.join(LOCKFILE).exists()).then(|| folder.to_owned()))
}

/// Returns the folder with the commands, and says what to do if the shell does not look there.
pub(crate) fn bin(environment: &Environment, overrides: &Overrides) -> Result<PathBuf, Diagnostic> {
    let config = Config::load_global(environment, overrides)?;
    let folder = deka_install::global_bin_folder(&config)?;
    explain_path(folder, environment);
    Ok(folder.to_owned())
}

/// Says what to do if the shell does not find the commands; fails if there are some that could not get
/// their names.
pub(crate) fn check(
    commands: &GlobalCommands,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    if commands.names.is_empty() {
        return Ok(());
    }
    explain_path(&commands.folder, environment);
    let Some(first) = commands.refused.first() else { return Ok(()) };
    let names: Vec<String> =
        commands.refused.iter().map(|name| format!("`{}`", printable(name))).collect();
    let plural = if names.len() == 1 { "" } else { "s" };
    let message = format!("The package is there, but not its command{plural} {}", names.join(", "));
    let mut diagnostic = Diagnostic::new(Class::User, message).code("EEXIST");
    let path = commands.folder.join(&**first);
    diagnostic
        .causes
        .push(format!("`{}` was not made by deka", printable(&path.to_string_lossy())));
    Err(diagnostic.hint("Move it away, or run the command again with `--force` to replace it"))
}

fn explain_path(folder: &Path, environment: &Environment) {
    let path = environment.get("PATH").unwrap_or_default();
    let is_folder =
        |known: &Path| known == folder || known.canonicalize().is_ok_and(|known| known == folder);
    if !std::env::split_paths(path).any(|known| is_folder(&known)) {
        let (file, line) = line_for_path(folder, environment.get("SHELL").unwrap_or_default());
        print_warning(&format!(
            "Your shell does not look for commands in `{}`. Add this line to {file}:\n\n{line}\n",
            folder.display()
        ));
    }
}

/// Returns the line that adds a folder to `PATH`, and the file that it belongs into.
fn line_for_path(folder: &Path, shell: &str) -> (&'static str, String) {
    let folder = folder.display();
    let export = format!("export PATH=\"{folder}:$PATH\"");
    match Path::new(shell).file_stem().and_then(|name| name.to_str()) {
        _ if cfg!(windows) => {
            ("your PowerShell profile", format!("$env:Path = \"{folder};$env:Path\""))
        }
        Some("fish") => ("~/.config/fish/config.fish", format!("fish_add_path \"{folder}\"")),
        Some("zsh") => ("~/.zshrc", export),
        Some("bash") => ("~/.bashrc", export),
        Some("nu") => (
            "~/.config/nushell/config.nu",
            format!("$env.PATH = ($env.PATH | prepend \"{folder}\")"),
        ),
        Some("csh" | "tcsh") => ("~/.cshrc", format!("setenv PATH \"{folder}:$PATH\"")),
        _ => ("~/.profile", export),
    }
}

#[cfg(all(test, not(windows)))]
mod tests {
    use std::path::Path;

    use super::line_for_path;

    #[test]
    fn every_shell_has_its_line() {
        let check = |shell, file, line| {
            assert_eq!(line_for_path(Path::new("/h/bin"), shell), (file, String::from(line)));
        };
        check("/bin/bash", "~/.bashrc", "export PATH=\"/h/bin:$PATH\"");
        check("/usr/bin/zsh", "~/.zshrc", "export PATH=\"/h/bin:$PATH\"");
        check("fish", "~/.config/fish/config.fish", "fish_add_path \"/h/bin\"");
        check("/bin/tcsh", "~/.cshrc", "setenv PATH \"/h/bin:$PATH\"");
        check("", "~/.profile", "export PATH=\"/h/bin:$PATH\"");
    }
}
