//! How the errors of an install are told: with their code, who asked for what, and what to try.

use std::error::Error;

use deka_fs::FsError;
use deka_install::{
    DownloadError, InstallError, LockfileError, PatchError, RemoteError, VersionError,
};
use deka_registry::RegistryError;
use deka_resolver::{ForeignError, ResolveError, SourceError};
use deka_scripts::sandbox::Suspicion;
use deka_scripts::{FailedScript, ScriptError};
use deka_store::StoreError;

use crate::diagnostic::Diagnostic;
use crate::exit_code::Class;

impl From<InstallError> for Diagnostic {
    fn from(error: InstallError) -> Self {
        let mut diagnostic = Self::from_error(class(&error), &error);
        diagnostic.code = error.code();
        if let InstallError::Import { package, source: StoreError::Integrity { .. }, .. } = &error {
            diagnostic = Self::new(Class::User, format!("Integrity check failed for `{package}`"))
                .code("EINTEGRITY");
        }
        if let Some(required_by) = error.required_by() {
            diagnostic = diagnostic.detail("required by", required_by.to_string());
        }
        match &error {
            InstallError::NoManifest { .. } => diagnostic
                .hint("Change to the folder of a project, or name it with `--cwd <folder>`"),
            InstallError::Frozen { changes } => {
                for change in changes {
                    diagnostic = diagnostic.detail("changed", change.as_str());
                }
                diagnostic
                    .hint("Run `deka install` without `--frozen-lockfile`, and commit bun.lock")
            }
            InstallError::ManifestChanged { .. } => {
                diagnostic.hint("Nothing was written to it. Run the same command again")
            }
            InstallError::Nameless { .. } => {
                diagnostic.hint("Give it a `name`, by which other projects will know it")
            }
            InstallError::LockfileExists { .. } => {
                diagnostic.hint("Run `deka pm migrate --force` to replace it")
            }
            InstallError::NothingToMigrate { .. } => diagnostic.hint(
                "Read are bun.lockb, package-lock.json, npm-shrinkwrap.json, yarn.lock and pnpm-lock.yaml",
            ),
            InstallError::NoLockfile | InstallError::OldLockfile => {
                diagnostic.hint("Run `deka install` first")
            }
            InstallError::Lockfile { source, .. } => diagnostic.hint(match &**source {
                LockfileError::MergeConflict { .. } => {
                    "Run `deka install`, which keeps the versions of both sides"
                }
                LockfileError::UnsupportedVersion { .. } => {
                    "A newer Bun or deka wrote it: update deka"
                }
                _ => "Repair bun.lock, or run `deka install` to write it anew",
            }),
            InstallError::NoPatch { package, .. } => diagnostic.hint(format!(
                "Commit the file, or remove `{package}` from `patchedDependencies` in package.json"
            )),
            InstallError::NoAudit { .. } => diagnostic
                .hint("Ask one that has it: `deka audit --registry <url>` sends it names and versions"),
            InstallError::NoSearch { .. } => diagnostic
                .hint("Ask one that has it: `deka search --registry <url> <word>`"),
            InstallError::NoSuchVersion { available, .. } => {
                diagnostic.detail("available", available.join(", "))
            }
            InstallError::NotInstalled { .. } => diagnostic.hint("Run `deka install` first"),
            InstallError::Patching(error) => patching(diagnostic, error),
            InstallError::Version(error) => version(diagnostic, error),
            InstallError::Resolve(error) => resolve(diagnostic, error),
            InstallError::Script(error) => script(diagnostic, error),
            InstallError::Import {
                source: StoreError::Integrity { expected, found, .. },
                url,
                ..
            } => {
                diagnostic = diagnostic.detail("expected", expected.to_string());
                diagnostic = match url {
                    Some(url) => diagnostic.detail("found", format!("{found}  ({url})")),
                    None => diagnostic.detail("found", found.to_string()),
                };
                diagnostic.hint(
                    "The bytes are not those that bun.lock or the registry promises; nothing of them \
                     was installed. Find out why before you trust them",
                )
            }
            InstallError::Packument { source: RegistryError::NotFound { .. }, .. } => {
                diagnostic.hint(UNKNOWN_PACKAGE)
            }
            InstallError::NotADependency { package } => {
                diagnostic.hint(format!("`deka add {package}` makes it one"))
            }
            InstallError::NoMember { .. } => diagnostic.hint(
                "A filter is a name as in the member's package.json, a pattern (`@scope/*`), or a folder (`./packages/a`)",
            ),
            InstallError::Download {
                source: DownloadError::Registry(RegistryError::NotFound { .. }),
                ..
            } => diagnostic.hint(
                "The registry, or bun.lock, lists this version, but its tarball is gone: use another version",
            ),
            error => {
                if let Some(error) = registry_error(error) {
                    registry(diagnostic, error)
                } else if let Some(error) = error.fs_error() {
                    disk(diagnostic, error)
                } else {
                    diagnostic
                }
            }
        }
    }
}

/// What to try where a registry does not know a package.
const UNKNOWN_PACKAGE: &str = "Check how the name is spelled; if the package is private, check `registry` and \
                               the token for it";

/// Returns whose problem it is.
fn class(error: &InstallError) -> Class {
    match registry_error(error) {
        Some(
            RegistryError::CertificateFile { .. }
            | RegistryError::Setting { .. }
            | RegistryError::Registry { .. },
        ) => Class::Config,
        // The registry did answer, or was not to be asked: it is what the project wants that fails.
        Some(
            RegistryError::NotFound { .. }
            | RegistryError::UnsupportedUrl { .. }
            | RegistryError::OfflinePackument { .. }
            | RegistryError::OfflineTarball { .. }
            | RegistryError::OfflineQuestion { .. }
            | RegistryError::Cache { .. },
        ) => Class::User,
        Some(_) => Class::Network,
        None if asked_git_in_vain(error) => Class::Network,
        None => Class::User,
    }
}

/// Whether git could not fetch.
fn asked_git_in_vain(error: &InstallError) -> bool {
    let remote = match error {
        InstallError::Download { source: DownloadError::Remote(source), .. } => Some(&**source),
        InstallError::Resolve(error) => match &**error {
            ResolveError::Foreign { source: ForeignError::Failed(source), .. } => {
                source.downcast_ref()
            }
            _ => None,
        },
        _ => None,
    };
    matches!(remote, Some(RemoteError::Git(git)) if git.is_about_server())
}

/// Returns the failed request behind an error, if there is one.
fn registry_error(error: &InstallError) -> Option<&RegistryError> {
    match error {
        InstallError::Packument { source, .. }
        | InstallError::Audit { source }
        | InstallError::Search { source }
        | InstallError::Client(source)
        | InstallError::Download { source: DownloadError::Registry(source), .. } => Some(source),
        InstallError::Resolve(error) => match &**error {
            ResolveError::Source {
                source: SourceError::Failed(source) | SourceError::Refused(source),
                ..
            } => source.downcast_ref(),
            ResolveError::Foreign { source: ForeignError::Failed(source), .. } => {
                match source.downcast_ref() {
                    Some(
                        RemoteError::Server(error) | RemoteError::NeitherWay { archive: error, .. },
                    ) => Some(error),
                    _ => None,
                }
            }
            _ => None,
        },
        _ => None,
    }
}

fn registry(mut diagnostic: Diagnostic, error: &RegistryError) -> Diagnostic {
    diagnostic.code = error.code().or(diagnostic.code);
    diagnostic.hint = error.hint().map(ToOwned::to_owned);
    diagnostic
}

fn resolve(mut diagnostic: Diagnostic, error: &ResolveError) -> Diagnostic {
    diagnostic.hint = error.hint();
    match error {
        ResolveError::NoVersion { available, .. } => {
            diagnostic.detail("available", available.to_string())
        }
        ResolveError::NotFound { asked, .. } => {
            if let Some(asked) = asked {
                diagnostic = diagnostic.detail("asked", asked.as_str());
            }
            diagnostic.hint(UNKNOWN_PACKAGE)
        }
        ResolveError::Source {
            source: SourceError::Failed(source) | SourceError::Refused(source),
            ..
        } => match source.downcast_ref::<RegistryError>() {
            Some(error) => registry(diagnostic, error),
            None => diagnostic,
        },
        ResolveError::Foreign { source: ForeignError::Failed(source), .. } => {
            match source.downcast_ref() {
                Some(RemoteError::Server(error)) => registry(diagnostic, error),
                _ => diagnostic,
            }
        }
        _ => diagnostic,
    }
}

fn version(mut diagnostic: Diagnostic, error: &VersionError) -> Diagnostic {
    match error {
        VersionError::Dirty { changes, .. } => {
            for change in changes {
                diagnostic = diagnostic.detail("git", change.as_str());
            }
            diagnostic.hint("Commit them first, or use `--force`")
        }
        VersionError::Unchanged { .. } => diagnostic.hint("`--allow-same-version` accepts that"),
        VersionError::TagExists { tag } => diagnostic
            .hint(format!("Use another version, or remove the tag with `git tag -d {tag}`")),
        VersionError::Current { .. } => diagnostic.hint("Name the version: `deka version 1.0.0`"),
        VersionError::NoGit => diagnostic.hint("Use `--no-git-tag-version`"),
        VersionError::Write { source, .. } => disk(diagnostic, source),
        VersionError::Identifier(_)
        | VersionError::NoVersionTag { .. }
        | VersionError::Git { .. } => diagnostic,
    }
}

fn patching(mut diagnostic: Diagnostic, error: &PatchError) -> Diagnostic {
    match error {
        PatchError::ManyVersions { found, .. } => {
            for package in found {
                diagnostic = diagnostic.detail("installed", package.as_str());
            }
            diagnostic.hint("Name one of them with its version")
        }
        PatchError::OwnFolder { .. } => diagnostic.hint("Edit the files where they are"),
        PatchError::NotInstalled { .. } | PatchError::NoPackage { .. } => {
            diagnostic.hint("`deka why <package>` says whether and why a package is in bun.lock")
        }
        PatchError::NoGit => diagnostic.hint("Install git"),
        PatchError::Binary { files } => {
            for file in files {
                diagnostic = diagnostic.detail("git", file.as_str());
            }
            diagnostic.hint("Undo the changes to these files, then commit again")
        }
        PatchError::Differs { .. } | PatchError::Failed { .. } => diagnostic.hint(
            "A patch can change, add, rename and remove files of text, and make them executable; \
             nothing else, such as symlinks",
        ),
        _ => match error.fs_error() {
            Some(error) => disk(diagnostic, error),
            None => diagnostic,
        },
    }
}

/// How many lines of a failed script's output are shown.
const SHOWN_LINES: usize = 40;

fn script(mut diagnostic: Diagnostic, error: &ScriptError) -> Diagnostic {
    let ScriptError::Failed(failed) = error else { return diagnostic };
    let FailedScript {
        package,
        event,
        name,
        command,
        folder,
        ending,
        elapsed,
        output,
        sandbox,
        ..
    } = &**failed;
    diagnostic.program_exit_code = Some(ending.exit_code());
    diagnostic = diagnostic
        .detail("command", command.as_str())
        .detail("folder", folder.display().to_string())
        .detail("time", super::text::elapsed(*elapsed));
    let lines: Vec<&str> = output.trim_end().lines().collect();
    if !lines.is_empty() {
        let hidden = lines.len().saturating_sub(SHOWN_LINES);
        let label = if hidden > 0 { "the end of its output" } else { "output" };
        diagnostic = diagnostic.detail(label, format!("\n{}", lines[hidden..].join("\n")));
    }
    match sandbox {
        Some(Suspicion::Network) => diagnostic.hint(format!(
            "The scripts of dependencies have no network. If `{name}` needs it, allow it in \
             package.json:\n{}",
            network_allowed(name)
        )),
        Some(Suspicion::Build) => diagnostic.hint(format!(
            "The scripts of dependencies have no network, so `{name}` was built here, and the output says \
             why that failed. Add what is missing (a compiler, Python, headers), or allow the network, \
             so that it can fetch what is built already:\n{}",
            network_allowed(name)
        )),
        Some(Suspicion::Files) => diagnostic.hint(format!(
            "The scripts of dependencies write to their own folder only, and cannot read your home \
             folder. If `{name}` has to write elsewhere in the project, allow it in package.json:\n\
             \"deka\": {{ \"sandbox\": {{ \"{name}\": {{ \"write\": [\"<folder>\"] }} }} }}\n\
             or run it without the sandbox: {{ \"{name}\": false }}"
        )),
        None if is_preparation(package, event) => diagnostic.hint(
            "The `devDependencies` of a repository are not installed before it is prepared. Depend on a \
             branch or tag that has what `prepare` makes",
        ),
        None => diagnostic,
    }
}

/// Returns what lets the scripts of a package use the network.
pub(crate) fn network_allowed(name: &str) -> String {
    format!("\"deka\": {{ \"sandbox\": {{ \"{name}\": {{ \"network\": true }} }} }}")
}

/// Whether a script was to make a package out of its sources: only of a repository it would run.
fn is_preparation(package: &str, event: &str) -> bool {
    package.contains('#') && event.ends_with("prepare")
}

fn disk(mut diagnostic: Diagnostic, error: &FsError) -> Diagnostic {
    use std::io::ErrorKind;
    let (code, hint) = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ("ENOSPC", "Make room on the disk, then run the same command again")
        }
        ErrorKind::PermissionDenied => {
            ("EACCES", "Check who owns the folder, and who may write to it")
        }
        ErrorKind::ReadOnlyFilesystem => ("EROFS", "The disk can only be read"),
        _ => return diagnostic,
    };
    diagnostic.code = diagnostic.code.or(Some(code));
    // An error of the disk says everything itself, unless it is the source of a longer tale.
    if error.source().is_some() && diagnostic.hint.is_none() {
        diagnostic.hint = Some(hint.to_owned());
    }
    diagnostic
}
