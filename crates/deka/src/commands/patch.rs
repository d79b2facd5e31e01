//! `deka patch`: what is edited in `node_modules` becomes a patch that every install applies.

use deka_config::{Environment, LogLevel};
use deka_install::{Change, PatchChange, PatchCommit, Request};
use owo_colors::OwoColorize as _;

use super::install::{self, Task};
use crate::arguments::{
    CommonArguments, InstallArguments, PatchArguments, PatchCommitArguments, PatchesFolder,
};
use crate::diagnostic::Diagnostic;
use crate::render_error::printable;

/// Prepares a package for editing, commits what was edited, or undoes a patch.
pub(crate) fn patch(
    arguments: &PatchArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let PatchArguments { commit: is_commit, remove: is_removal, folder, install } = arguments;
    if *is_commit {
        commit("patch", folder, install, common, environment)
    } else if *is_removal {
        remove(install, common, environment)
    } else {
        prepare(install, common, environment)
    }
}

/// The same as `deka patch --commit`.
pub(crate) fn patch_commit(
    arguments: &PatchCommitArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    commit("patch-commit", &arguments.folder, &arguments.install, common, environment)
}

fn prepare(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let package = arguments.package("deka patch")?;
    let request = request("patch", None, arguments, common, environment)?;
    let mut prepared = None;
    install::perform_with("patch", &request, arguments, environment, |request, reporter| {
        let done = deka_install::prepare_patch(request, package, reporter)?;
        prepared = Some((done.name, request.root.join(&done.folder)));
        Ok(done.installed)
    })?;
    if let Some((name, folder)) = prepared.filter(|_| install::shows_summary(&request, arguments)) {
        let folder = folder.strip_prefix(environment.working_folder()).unwrap_or(&folder);
        let (name, folder) = (printable(&name), printable(&folder.to_string_lossy()));
        let command = format!("deka patch --commit '{folder}'");
        super::print(&format!(
            "\nTo patch {}, edit the following folder:\n\n  {}\n\n\
             Once you're done with your changes, run:\n\n  {}\n",
            name.bold(),
            folder.cyan(),
            command.cyan()
        ));
    }
    Ok(())
}

fn commit(
    name: &'static str,
    folder: &PatchesFolder,
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let command = if name == "patch" { "deka patch --commit" } else { "deka patch-commit" };
    let package = arguments.package(command)?;
    let request = request(name, None, arguments, common, environment)?;
    match deka_install::write_patch(&request, package, &folder.patches_dir)? {
        PatchCommit::Change(change) => apply(name, change, arguments, common, environment),
        PatchCommit::Unchanged { package } => {
            if request.config.log_level >= LogLevel::Info {
                let package = printable(package.as_str());
                super::print(&format!(
                    "{}\nNo changes of {package} to commit\n",
                    install::header(name)
                ));
            }
            Ok(())
        }
    }
}

fn remove(
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let package = arguments.package("deka patch --remove")?;
    let request = request("patch", None, arguments, common, environment)?;
    let change = deka_install::undo_patch(&request, package)?;
    apply("patch", change, arguments, common, environment)
}

fn apply(
    name: &'static str,
    change: PatchChange,
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<(), Diagnostic> {
    let PatchChange { package, path, .. } = &change;
    let removed = change.text.is_none().then(|| (*package, path.clone()));
    let request = request(name, Some(Change::Patch(change)), arguments, common, environment)?;
    install::perform_with(name, &request, arguments, environment, deka_install::install)?;
    let shown = removed.filter(|_| install::shows_summary(&request, arguments));
    if let Some((package, path)) = shown {
        let is_gone = !request.root.join(&path).exists();
        let file = if is_gone { format!(" (deleted {})", printable(&path)) } else { String::new() };
        super::print(&format!("\nRemoved the patch for {}{file}\n", package.as_str().bold()));
    }
    Ok(())
}

fn request(
    name: &'static str,
    change: Option<Change>,
    arguments: &InstallArguments,
    common: &CommonArguments,
    environment: &Environment,
) -> Result<Request, Diagnostic> {
    let task = Task { name, change, is_dry_run: false };
    install::request(task, arguments, common, environment)
}
