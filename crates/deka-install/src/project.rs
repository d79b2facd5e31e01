//! The files of a project: every `package.json` and `bun.lock`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deka_config::{Config, Linker};
use deka_fs::Dir;
use deka_graph::Graph;
use deka_linker::{Input, Layout};
use deka_lockfile::{Changes, Lockfile, LockfileError, WorkspaceEntry};
use deka_manifest::package_json::edit::Editor;
use deka_manifest::{PackageJson, PackageName, Spec, Symbol, Version};
use deka_resolver::{Extensions, Locked, Observer, Options, PackumentSource, Resolved, Update};
use deno_npmrc::NPM_DEFAULT_REGISTRY;
use hashbrown::HashMap;
use tracing::trace_span;

use crate::migration::{self, Migration, MovedSettings};
use crate::patches::{Edited, Patches};
use crate::start::Old;
use crate::workspaces::{self, Filter, Found, Member};
use crate::{InstallError, locked, sections, settings};

/// The name of a manifest.
pub const MANIFEST: &str = "package.json";
/// The name of the lockfile.
pub const LOCKFILE: &str = "bun.lock";

/// Returns the folder of the nearest `package.json` at or above `start`.
pub fn find_package(start: &Path) -> Result<PathBuf, InstallError> {
    let nearest = start.ancestors().find(|folder| folder.join(MANIFEST).is_file());
    nearest.map(Path::to_owned).ok_or_else(|| InstallError::NoManifest { folder: start.to_owned() })
}

/// Returns the same; of a workspace's member, that of its root.
pub fn find_project(start: &Path) -> Result<PathBuf, InstallError> {
    let nearest = find_package(start)?;
    Ok(workspaces::root_of(&nearest).unwrap_or(nearest))
}

/// Which lockfile counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantedLockfile {
    /// `bun.lock`, or where there is none that of another package manager.
    Any,
    /// That of another package manager; there must be one.
    Foreign,
    /// None.
    None,
}

/// What a resolution should look out for.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Whether locked versions fall away where others would do.
    pub(crate) deduplicates: bool,
    /// Versions to pick where a range allows, the best first.
    pub(crate) preferred: HashMap<PackageName, Vec<Version>>,
}

/// What became of reading `bun.lock`, or what stands in for it.
pub(crate) enum Read {
    /// There is none, or it is not wanted.
    Absent,
    /// It can't be understood.
    Damaged(Arc<LockfileError>),
    /// A merge left it with conflict markers.
    Conflicted {
        /// How it can be read all the same, the best way first; at least one.
        readings: Vec<Lockfile>,
        /// Where the markers are.
        error: Arc<LockfileError>,
    },
    /// What it says.
    Good(Arc<Lockfile>),
    /// There is none, but one of another package manager.
    Migrated(Box<Migration>),
}

impl Read {
    /// Returns what can be made of a lockfile that is none.
    fn of_damaged(text: Option<&[u8]>, error: LockfileError) -> Self {
        let readings = match error {
            LockfileError::MergeConflict { .. } => text.map(deka_lockfile::bun::parse_conflicted),
            _ => None,
        };
        let error = Arc::new(error);
        match readings {
            Some(readings) if !readings.is_empty() => Self::Conflicted { readings, error },
            _ => Self::Damaged(error),
        }
    }
}

/// What the files of a project say.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) dir: Dir,
    pub(crate) manifest: PackageJson,
    /// The members of its workspaces, by path.
    pub(crate) members: Vec<Member>,
    /// Folders that `workspaces` names and that have no manifest.
    missing_members: Vec<String>,
    /// The text of `package.json`.
    pub(crate) manifest_text: Vec<u8>,
    pub(crate) patches: Patches,
    /// What somebody edits to make patches of it.
    pub(crate) edited: Edited,
    pub(crate) lockfile: Read,
    /// The name of the file that it comes from.
    pub(crate) lockfile_name: &'static str,
    /// Whether that is to be another package manager's.
    pub(crate) must_migrate: bool,
    /// The manifest with the settings that come along with the lockfile.
    pub(crate) moved_settings: MovedSettings,
    /// The text of `bun.lock`, readable or not.
    pub(crate) lockfile_text: Option<Vec<u8>>,
    /// What was read, for the next install to compare with.
    pub(crate) inputs: Vec<Input>,
}

/// How many bytes an install needs for each of its lockfile's, as measured.
const HEAP_FOR_LOCKFILE: usize = 8;

/// Opens the folder of a project and reads its lockfile, which has to be there, and nothing else.
pub(crate) fn read_lockfile(root: &Path) -> Result<(Dir, Lockfile), InstallError> {
    let path = root.join(LOCKFILE);
    let failed = |source| InstallError::Read { path: path.clone(), source };
    let dir = Dir::open(root).map_err(failed)?;
    let text = dir.read(LOCKFILE).map_err(failed)?.ok_or(InstallError::NoLockfile)?;
    match deka_lockfile::bun::parse(&text) {
        Ok(lockfile) => Ok((dir, lockfile)),
        Err(error) => Err(InstallError::Lockfile { path, source: Arc::new(error) }),
    }
}

impl Project {
    /// Removes what installs that were killed have left beside the manifest and `bun.lock`.
    pub(crate) fn remove_leftovers(&self) {
        if let Err(error) = deka_fs::remove_leftovers(&self.dir) {
            tracing::debug!(%error, "what was left behind stays");
        }
    }

    /// Reads the files. A lockfile that can't be read is noted; what that means is for the caller.
    ///
    /// With `may_be_absent` a project without a manifest is one with an empty manifest.
    pub(crate) fn read(
        root: &Path,
        wanted: WantedLockfile,
        may_be_absent: bool,
    ) -> Result<Self, InstallError> {
        let path = root.join(MANIFEST);
        let read = |source| InstallError::Read { path: root.to_owned(), source };
        let dir = Dir::open(root).map_err(read)?;
        let text = dir
            .read(MANIFEST)
            .map_err(|source| InstallError::Read { path: path.clone(), source })?
            .or_else(|| may_be_absent.then(Vec::new))
            .ok_or_else(|| InstallError::NoManifest { folder: root.to_owned() })?;
        let mut inputs = vec![Input::file(&dir, MANIFEST, &text)];

        let lockfile_text = dir
            .read(LOCKFILE)
            .map_err(|source| InstallError::Read { path: root.join(LOCKFILE), source })?
            .filter(|_| wanted == WantedLockfile::Any);
        inputs.push(match &lockfile_text {
            Some(text) => Input::file(&dir, LOCKFILE, text),
            None => Input::absent(LOCKFILE),
        });
        let must_migrate = wanted == WantedLockfile::Foreign;
        let may_migrate = wanted != WantedLockfile::None && lockfile_text.is_none();
        let foreign = if may_migrate { migration::find(&dir)? } else { None };
        if must_migrate && foreign.is_none() {
            return Err(InstallError::NothingToMigrate { folder: root.to_owned() });
        }
        let moved = match &foreign {
            Some(found) => found.move_settings(&dir, &text)?,
            None => None,
        };
        let manifest = moved.as_ref().map_or(&*text, |(manifest, _)| manifest.as_bytes());
        let manifest = PackageJson::parse(manifest)
            .map_err(|source| InstallError::Manifest { path, source: Box::new(source) })?;
        let _span = trace_span!("parse lockfile");
        deka_fs::prepare_heap(HEAP_FOR_LOCKFILE * lockfile_text.as_ref().map_or(0, Vec::len));
        let lockfile = match lockfile_text.as_ref().map(deka_lockfile::bun::parse) {
            None => Read::Absent,
            Some(Ok(lockfile)) => Read::Good(Arc::new(lockfile)),
            Some(Err(error)) => Read::of_damaged(lockfile_text.as_deref(), error),
        };
        let patterns = manifest.workspaces.as_deref().unwrap_or_default();
        let Found { members, missing } = workspaces::find(&dir, patterns, &mut inputs)?;
        let manifest_text = text;
        let patches = Patches::read(&dir, &manifest.patched_dependencies, &mut inputs)?;
        let edited = Edited::read(&dir, &mut inputs).map_err(read)?;
        let moved_settings = moved.map_or_else(MovedSettings::default, |moved| {
            MovedSettings::of_root(&manifest_text, moved)
        });
        let mut project = Self {
            root: root.to_owned(),
            dir,
            manifest,
            members,
            missing_members: missing,
            manifest_text,
            patches,
            edited,
            lockfile,
            lockfile_name: LOCKFILE,
            must_migrate,
            moved_settings,
            lockfile_text,
            inputs,
        };
        if let Some(found) = foreign {
            project.lockfile_name = found.file;
            if found.has_dialect() {
                project.rewrite_members()?;
            }
            project.lockfile = match found.read(project.new_lockfile(None, Graph::new())) {
                Ok(migration) => Read::Migrated(Box::new(migration)),
                Err(error) => Read::Damaged(Arc::new(error)),
            };
        }
        Ok(project)
    }

    /// Says in other words what only another package manager understands in the manifests of members.
    fn rewrite_members(&mut self) -> Result<(), InstallError> {
        let mut moved = std::mem::take(&mut self.moved_settings);
        let folders: Vec<String> = self.members.iter().map(|member| member.path.clone()).collect();
        for folder in folders {
            let text = self.text_of(&folder)?;
            let mut done = Vec::new();
            moved.drafts.edit(self, &folder, |editor| done = migration::rewrite(&text, editor))?;
            moved.add(&format!("{folder}/{MANIFEST}"), &done);
        }
        self.moved_settings = moved;
        Ok(())
    }

    /// Refuses what deka can't install, and what nobody could.
    pub(crate) fn check(&self, config: &Config) -> Result<(), InstallError> {
        for (path, manifest) in self.manifests() {
            let errors = manifest.problems.iter().filter(|problem| problem.kind.is_error());
            if let Some(problem) = errors.into_iter().next() {
                let path = self.root.join(path).join(MANIFEST);
                return Err(InstallError::ManifestProblem { path, problem: problem.clone() });
            }
        }
        if let Some(folder) =
            self.missing_members.iter().find(|folder| !self.is_pruned(config, folder))
        {
            return Err(InstallError::NoWorkspace { folder: folder.clone() });
        }
        Ok(())
    }

    /// Returns the shape that `node_modules` is to have. Without a setting an isolated one stays so, and
    /// with workspaces that is the default for projects that were not set up by an older Bun.
    pub(crate) fn layout(&self, config: &Config) -> Layout {
        let config_version = match &self.lockfile {
            Read::Good(lockfile) => lockfile.config_version,
            Read::Conflicted { readings, .. } => readings[0].config_version,
            Read::Migrated(migration) => migration.config_version(),
            Read::Absent | Read::Damaged(_) => 1,
        };
        let has_entries = || matches!(self.dir.metadata("node_modules/.bun"), Ok(Some(_)));
        let is_isolated = match config.install.linker {
            Linker::Isolated => true,
            Linker::Hoisted => false,
            Linker::Auto => has_entries() || config_version >= 1 && !self.members.is_empty(),
        };
        if is_isolated { Layout::Isolated } else { Layout::Hoisted }
    }

    /// Whether a member is not there because only a part of the project is, as in a container.
    fn is_pruned(&self, config: &Config, folder: &str) -> bool {
        config.install.is_frozen()
            && match &self.lockfile {
                Read::Good(lockfile) => lockfile.workspace(folder).is_some(),
                Read::Migrated(migration) => migration.has_workspace(folder),
                Read::Absent | Read::Damaged(_) | Read::Conflicted { .. } => false,
            }
    }

    /// Returns the manifests of the root and of all members with their folders.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &PackageJson)> {
        let members = self.members.iter().map(|member| (member.path.as_str(), &member.manifest));
        std::iter::once(("", &self.manifest)).chain(members)
    }

    /// Returns the folders of the manifests that a command is about: those that filters select, else the
    /// one that `folder` is in.
    pub(crate) fn targets(
        &self,
        filters: &[Filter],
        folder: &Path,
    ) -> Result<Vec<String>, InstallError> {
        if filters.is_empty() {
            let nearest = folder.ancestors().find(|folder| folder.join(MANIFEST).is_file());
            let nearest = nearest.and_then(|folder| workspaces::path_below(&self.root, folder));
            let is_member = |path: &String| self.members.iter().any(|member| member.path == *path);
            return Ok(vec![nearest.filter(is_member).unwrap_or_default()]);
        }
        let graph = workspaces::outline(&self.manifest, &self.members);
        let root_name = self.manifest.name.map(Symbol::as_str);
        let selected = workspaces::select_manifests(filters, &graph, &self.root, root_name)?;
        Ok(selected
            .into_iter()
            .filter_map(|id| graph.package(id).resolution.importer_folder())
            .map(ToOwned::to_owned)
            .collect())
    }

    /// Returns the manifest in the folder of the root (`""`) or a member.
    pub(crate) fn manifest_of(&self, folder: &str) -> Option<&PackageJson> {
        self.manifests().find(|(path, _)| *path == folder).map(|(_, manifest)| manifest)
    }

    /// Whether the root's manifest has an object at a path.
    pub(crate) fn has_object(&self, path: &[String]) -> bool {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        Editor::new(&self.manifest_text).is_ok_and(|editor| editor.has_object(&path))
    }

    /// Puts another manifest in the place of one that was read.
    pub(crate) fn set_manifest(&mut self, folder: &str, manifest: PackageJson) {
        if folder.is_empty() {
            self.manifest = manifest;
        } else if let Some(member) = self.members.iter_mut().find(|member| member.path == folder) {
            member.manifest = manifest;
        }
    }

    /// Returns the text of a manifest as it is on the disk.
    pub(crate) fn text_of(&self, folder: &str) -> Result<Vec<u8>, InstallError> {
        if folder.is_empty() {
            return Ok(self.manifest_text.clone());
        }
        let path = format!("{folder}/{MANIFEST}");
        let text = self
            .dir
            .read(path.as_str())
            .map_err(|source| InstallError::Read { path: self.root.join(&path), source })?;
        text.ok_or_else(|| InstallError::NoManifest { folder: self.root.join(folder) })
    }

    /// Returns what was edited in the manifest since the lockfile was written, and whether the
    /// lockfile's sections that repeat the manifest are to the letter what they would be now.
    pub(crate) fn compare(&self, lockfile: &Lockfile) -> (Changes, bool) {
        let mut wanted = self.new_lockfile(Some(lockfile), Graph::new());
        let changes = deka_lockfile::compare(lockfile, &wanted);
        for (entry, known) in wanted.workspaces.iter_mut().zip(&lockfile.workspaces) {
            // What could not be resolved then is no edit.
            if entry.path == known.path {
                entry.unresolved.clone_from(&known.unresolved);
            }
        }
        let are_equal = changes.edits.is_empty()
            && wanted.workspaces == lockfile.workspaces
            && wanted.catalog == lockfile.catalog
            && wanted.catalogs == lockfile.catalogs;
        (changes, are_equal)
    }

    /// Whether the lockfile's packages have the dependencies that the project adds to them.
    pub(crate) fn extensions_hold(&self, lockfile: &Lockfile) -> bool {
        Extensions::new(&self.manifest.package_extensions)
            .hold_for(&lockfile.graph, &locked::added(lockfile))
    }

    /// Returns the lockfile of the newly resolved project.
    pub(crate) fn new_lockfile(&self, old: Option<&Lockfile>, graph: Graph) -> Lockfile {
        let manifest = &self.manifest;
        let mut lockfile = Lockfile::new(graph);
        let mut root = WorkspaceEntry::from_manifest("", manifest);
        if let Some(old) = old {
            lockfile.version = old.version;
            lockfile.config_version = old.config_version;
            // Like Bun: a project that is renamed keeps its first name there.
            root.name = old.root().and_then(|root| root.name);
        }
        lockfile.workspaces = vec![root];
        lockfile.workspaces.extend(
            self.members
                .iter()
                .map(|member| WorkspaceEntry::from_manifest(&member.path, &member.manifest)),
        );
        lockfile.overrides = sections::override_rules(&manifest.overrides);
        lockfile.catalog = sections::sorted(&manifest.catalog);
        lockfile.catalogs = manifest
            .catalogs
            .iter()
            .map(|(name, catalog)| (*name, sections::sorted(catalog)))
            .collect();
        lockfile.catalogs.sort_by_key(|(name, _)| *name);
        lockfile
    }

    /// Returns the packages that a manifest asks for by name.
    pub(crate) fn direct_packages(&self, folder: &str) -> Vec<PackageName> {
        let manifest = self.manifest_of(folder).unwrap_or(&self.manifest);
        let groups = [
            &manifest.dependencies,
            &manifest.dev_dependencies,
            &manifest.optional_dependencies,
            &manifest.peer_dependencies,
        ];
        let rows = groups.into_iter().flatten();
        rows.map(|(alias, spec)| match Spec::parse(*alias, spec) {
            Ok(Spec::Alias { name, .. }) => name,
            _ => alias.to_package_name(),
        })
        .collect()
    }

    /// Picks versions for what the manifests ask for; what `old` has and still does is kept, but for
    /// its stale and outdated packages and, if it is to be deduplicated, what others can stand in for.
    pub(crate) fn resolve(
        &self,
        config: &Config,
        old: Option<&Old>,
        wishes: Wishes,
        source: &mut dyn PackumentSource,
        observer: &mut dyn Observer,
    ) -> Result<Resolved, InstallError> {
        let old_rules = old.map(|old| {
            let old = &old.lockfile;
            (locked::overrides(old), locked::catalogs(old), locked::added(old))
        });
        let members = self.manifests().skip(1);
        let (mut input, mut warnings) =
            deka_resolver::Input::from_manifests(&self.manifest, members);
        let old = old.zip(old_rules.as_ref());
        input.locked = old.map(|(old, (overrides, catalogs, added))| Locked {
            graph: &old.lockfile.graph,
            stale: &old.stale,
            added,
            overrides,
            catalogs,
            update: old
                .update
                .as_ref()
                .map(|update| Update { packages: &update.packages, importers: &update.importers }),
        });
        input.options = Options {
            release_age: settings::release_age(config),
            link_workspaces: config.install.link_workspace_packages.unwrap_or(true),
            target: Some(settings::target(config)),
            registry_without_urls: Symbol::new(NPM_DEFAULT_REGISTRY),
            deduplicates: wishes.deduplicates,
            preferred: wishes.preferred,
        };
        let mut resolved = deka_resolver::resolve(&input, source, observer)
            .map_err(|error| InstallError::Resolve(Box::new(error)))?;
        warnings.append(&mut resolved.warnings);
        resolved.warnings = warnings;
        Ok(resolved)
    }

    pub(crate) fn manifest_path(&self) -> PathBuf {
        self.root.join(MANIFEST)
    }

    pub(crate) fn lockfile_path(&self) -> PathBuf {
        self.root.join(LOCKFILE)
    }
}
