//! `deka version`: a new version into `package.json`, a commit, and a tag.
//!
//! ```text
//! nothing to commit? no such tag? ─► preversion ─► package.json ─► version ─► commit, tag ─► postversion
//! ```
//! As with npm and Bun, git is asked only where the package is the top of a working copy. Of several
//! members of the workspaces, named by filters, there is one commit and a tag for each.

mod error;
mod git;

use std::path::PathBuf;
use std::sync::Arc;

use deka_config::Environment;
use deka_fs::{Durability, atomic_write};
use deka_manifest::package_json::edit::Editor;
use deka_manifest::{Bump, Version};
use deka_scripts::lifecycle::Event;

pub use error::VersionError;

use crate::install::Request;
use crate::project::{MANIFEST, Project, WantedLockfile};
use crate::scripts::{ScriptContext, run_one};
use crate::{InstallError, Reporter};
use git::Repository;

/// The version that is wanted.
#[derive(Debug, Clone)]
pub enum WantedVersion {
    /// The next one of a kind.
    Next(Bump),
    /// This one.
    Exact(Version),
    /// That of the last tag.
    FromGit,
}

/// How a version is changed.
#[derive(Debug, Clone)]
pub struct VersionOptions {
    /// To what.
    pub wanted: WantedVersion,
    /// What prereleases are called.
    pub identifier: Option<String>,
    /// Whether it is about the root and all members of the workspaces.
    pub is_recursive: bool,
    /// Whether there is a commit and a tag, where there is a repository.
    pub uses_git: bool,
    /// The message of the commit; `%s` is the version.
    pub message: Option<String>,
    /// Whether the version may be the one that is there.
    pub may_be_same: bool,
    /// Whether there may be changes that are not committed; they are not part of the commit, unless added.
    pub may_be_dirty: bool,
    /// Whether it is only said what would be done.
    pub is_dry_run: bool,
}

/// What became of the version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// The name of the package, if it has one.
    pub name: Option<String>,
    /// Its folder below the project, empty for the root.
    pub folder: String,
    /// The version that it had, if it had one.
    pub from: Option<String>,
    /// The version that it has.
    pub to: Version,
    /// The tag that was made.
    pub tag: Option<String>,
}

/// Changes versions. What fails leaves the manifests as they were.
pub fn set_version(
    request: &Request,
    options: &VersionOptions,
    reporter: &dyn Reporter,
) -> Result<Vec<NewVersion>, InstallError> {
    let project = Project::read(&request.root, WantedLockfile::None, false)?;
    let has_filters = !request.filters.is_empty();
    let targets: Vec<String> = if options.is_recursive && !has_filters {
        project.manifests().map(|(folder, _)| folder.to_owned()).collect()
    } else {
        project.targets(&request.read_filters(), &request.folder)?
    };
    if targets.is_empty() {
        return Err(InstallError::NoMember { filters: request.filters.clone() });
    }
    let are_named = has_filters || options.is_recursive;
    let top = if are_named { String::new() } else { targets[0].clone() };
    let folder = request.root.join(&top);
    let environment = &request.scripts.environment;
    let repository = Repository::new(&folder, environment);
    let mut changing = Changing { request, options, project: &project, versions: Vec::new() };
    for target in targets {
        changing.add(target, are_named, &repository)?;
    }
    let uses_git = options.uses_git && repository.exists();
    if uses_git && !options.may_be_dirty {
        repository.check_clean()?;
    }
    let makes_tags = uses_git && changing.makes_tags();
    if makes_tags {
        changing.versions.iter().try_for_each(|(_, tag)| repository.check_no_tag(tag))?;
    }
    if !options.is_dry_run {
        changing.run(uses_git.then_some(&repository), &top, reporter)?;
    }
    let versions = changing.versions.into_iter();
    Ok(versions
        .map(|(version, tag)| NewVersion { tag: makes_tags.then_some(tag), ..version })
        .collect())
}

/// What is under way.
struct Changing<'a> {
    request: &'a Request,
    options: &'a VersionOptions,
    project: &'a Project,
    /// With the tags that they would have.
    versions: Vec<(NewVersion, String)>,
}

impl Changing<'_> {
    /// Finds out the new version of the package in `folder`.
    fn add(
        &mut self,
        folder: String,
        is_named: bool,
        repository: &Repository<'_>,
    ) -> Result<(), InstallError> {
        let path = self.path(&folder);
        let manifest = self.project.manifest_of(&folder);
        let from = manifest.and_then(|manifest| manifest.version).map(|from| from.to_string());
        let name = manifest.and_then(|manifest| manifest.name).map(|name| name.to_string());
        let to = match &self.options.wanted {
            WantedVersion::Exact(version) => version.clone(),
            WantedVersion::FromGit => {
                let tag = repository.last_tag()?;
                let version = Version::parse(&tag);
                version.map_err(|_| VersionError::NoVersionTag { tag })?
            }
            WantedVersion::Next(bump) => {
                let current =
                    from.as_deref().map_or_else(|| Ok(Version::new(0, 0, 0)), Version::parse);
                let current = current
                    .map_err(|source| VersionError::Current { path: path.clone(), source })?;
                let identifier = self.options.identifier.as_deref();
                current.bumped(*bump, identifier).map_err(VersionError::Identifier)?
            }
        };
        if from.as_deref() == Some(&*to.to_string()) && !self.options.may_be_same {
            return Err(VersionError::Unchanged { path, version: to.to_string() }.into());
        }
        let tag = match &name {
            Some(name) if is_named && !folder.is_empty() => format!("{name}@{to}"),
            _ => format!("v{to}"),
        };
        self.versions.push((NewVersion { name, folder, from, to, tag: None }, tag));
        Ok(())
    }

    /// Whether tags are made: the one that the version was taken from is there.
    fn makes_tags(&self) -> bool {
        !matches!(self.options.wanted, WantedVersion::FromGit)
    }

    fn path(&self, folder: &str) -> PathBuf {
        self.request.root.join(folder).join(MANIFEST)
    }

    /// Runs scripts, writes, commits.
    fn run(
        &self,
        repository: Option<&Repository<'_>>,
        top: &str,
        reporter: &dyn Reporter,
    ) -> Result<(), InstallError> {
        self.scripts(Event::Preversion, reporter)?;
        let files: Vec<String> = self
            .versions
            .iter()
            .map(|(version, _)| {
                let below = version.folder.strip_prefix(top).unwrap_or(&version.folder);
                format!("{below}/{MANIFEST}").trim_start_matches('/').to_owned()
            })
            .collect();
        let mut written = Vec::new();
        let done = self.write(&mut written).and_then(|()| {
            self.scripts(Event::Version, reporter)?;
            match repository {
                Some(repository) => Ok(repository.commit(&files, &self.message())?),
                None => Ok(()),
            }
        });
        if let Err(error) = done {
            for (path, text) in written {
                atomic_write(&path, &text, Durability::Fsync)
                    .map_err(|source| VersionError::Write { path, source })?;
            }
            if let Some(repository) = repository {
                repository.reset(&files);
            }
            return Err(error);
        }
        if let Some(repository) = repository.filter(|_| self.makes_tags()) {
            self.versions.iter().try_for_each(|(_, tag)| repository.tag(tag))?;
        }
        self.scripts(Event::Postversion, reporter)
    }

    /// Writes the manifests, and notes what they were.
    fn write(&self, written: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<(), InstallError> {
        for (version, _) in &self.versions {
            let path = self.path(&version.folder);
            // Anew, for a script may have changed it.
            let failed = |source| InstallError::Read { path: path.clone(), source };
            let folder = deka_fs::Dir::open(self.request.root.join(&version.folder));
            let text = folder.and_then(|folder| folder.read(MANIFEST)).map_err(failed)?;
            let text = text.unwrap_or_default();
            let editor = Editor::new(&text).map_err(|source| InstallError::Manifest {
                path: path.clone(),
                source: Box::new(source),
            })?;
            editor.set(&[], "version", &version.to.to_string());
            let new = editor.to_string();
            written.push((path.clone(), text));
            atomic_write(&path, new.as_bytes(), Durability::Fsync)
                .map_err(|source| VersionError::Write { path, source })?;
        }
        Ok(())
    }

    fn message(&self) -> String {
        let tags: Vec<&str> = self.versions.iter().map(|(_, tag)| &**tag).collect();
        let Some(message) = &self.options.message else { return tags.join(", ") };
        let versions: Vec<String> = match &*self.versions {
            [(version, _)] => vec![version.to.to_string()],
            _ => tags.iter().map(ToString::to_string).collect(),
        };
        message.replace("%s", &versions.join(", "))
    }

    /// Runs the script of each package that is called so.
    fn scripts(&self, event: Event, reporter: &dyn Reporter) -> Result<(), InstallError> {
        let Request { root, config, scripts, .. } = self.request;
        if config.install.ignore_scripts {
            return Ok(());
        }
        for (version, _) in &self.versions {
            let old = version.from.as_deref().unwrap_or_default();
            let environment = with_versions(&scripts.environment, old, &version.to.to_string());
            let context = ScriptContext { environment: Arc::new(environment), ..scripts.clone() };
            run_one(event, &root.join(&version.folder), root, config, &context, reporter)?;
        }
        Ok(())
    }
}

/// Adds what scripts learn of both versions.
fn with_versions(environment: &Environment, old: &str, new: &str) -> Environment {
    let added = [("npm_old_version", old), ("npm_new_version", new)];
    let variables = environment.variables().chain(added);
    Environment::new(
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        environment.home().map(ToOwned::to_owned),
        environment.working_folder().to_owned(),
    )
}
