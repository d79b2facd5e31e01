//! Why an install failed.

use std::path::PathBuf;

use deka_fs::FsError;
use deka_graph::HoistError;
use deka_linker::{InvalidPatch, LinkError, PlanError};
use deka_lockfile::LockfileError;
use deka_manifest::{InvalidName, ManifestError, PackageName, Problem, Symbol};
use deka_registry::{RegistryError, SafeUrl};
use deka_resolver::{RequiredBy, ResolveError, SourceError};
use deka_scripts::ScriptError;
use deka_store::StoreError;

use crate::engine::DownloadError;
use crate::patches::PatchError;
use crate::version::VersionError;

/// Why an install failed. Nothing of `package.json` and `bun.lock` has changed then.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no `package.json`.
    #[error("There is no `package.json` in `{}` or a folder above it", folder.display())]
    NoManifest {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A file of the project could not be read.
    #[error("Failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// A `package.json` is no JSON or says something that can't be.
    #[error("Failed to read `{}`", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        source: Box<ManifestError>,
    },
    /// A `package.json` says something that can't be.
    #[error("`{}` can't be installed: {problem}", path.display())]
    ManifestProblem {
        /// The file.
        path: PathBuf,
        /// The first thing that is wrong with it, and where.
        problem: Problem,
    },
    /// A workspace has a name that no package can have.
    #[error("The workspace in `{}` can't be installed", path.display())]
    WorkspaceName {
        /// Its manifest.
        path: PathBuf,
        /// What is wrong with the name.
        source: InvalidName,
    },
    /// Git could not say what changed since a commit.
    #[error("Failed to find what changed since `{commit}`: {message}")]
    Git {
        /// The commit, branch or tag of the filter.
        commit: String,
        /// What git says.
        message: String,
    },
    /// A patch is listed and not there.
    #[error("The patch of `{package}` is not there: `{path}`")]
    NoPatch {
        /// `name@version`.
        package: Symbol,
        /// The patch's path as the manifest has it.
        path: Symbol,
    },
    /// A patch cannot be read.
    #[error("Failed to read the patch `{}`", path.display())]
    Patch {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidPatch,
    },
    /// `workspaces` names a folder without a manifest.
    #[error("`workspaces` names `{folder}`, where there is no `package.json`")]
    NoWorkspace {
        /// The folder, below the root.
        folder: String,
    },
    /// A workspace that is not on the disk is needed by one that is.
    #[error("`{dependent}` needs the workspace in `{folder}`, which is not there")]
    PrunedWorkspace {
        /// The name of the workspace that is there.
        dependent: PackageName,
        /// The folder of the one that is not.
        folder: Symbol,
    },
    /// The lockfile can't be read, and must not be replaced.
    #[error("Failed to read `{}`", path.display())]
    Lockfile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        source: std::sync::Arc<LockfileError>,
    },
    /// There is a `bun.lock`, so nothing is to be migrated.
    #[error("`{}` already exists", path.display())]
    LockfileExists {
        /// The lockfile.
        path: PathBuf,
    },
    /// There is no lockfile of another package manager.
    #[error("There is no other package manager's lockfile in `{}`", folder.display())]
    NothingToMigrate {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// What another package manager's lockfile does not tell could not be found out.
    #[error("Failed to migrate `{file}`: it does not tell all of `{name}`, nor does the registry")]
    Migrate {
        /// The name of the lockfile.
        file: &'static str,
        /// A package of which something is missing.
        name: PackageName,
        /// Why there is no packument.
        source: SourceError,
    },
    /// The lockfile would have to change, and must not.
    #[error("The lockfile would change, but it is frozen")]
    Frozen {
        /// What was changed in the manifests since, one line for each edit.
        changes: Vec<String>,
    },
    /// A package is to be registered for links and has no name.
    #[error("`{}` has no name that a package can have", path.display())]
    Nameless {
        /// Its manifest.
        path: PathBuf,
    },
    /// There is no place for what is there for all projects.
    #[error("There is no home folder for packages that are there for all projects")]
    NoGlobalFolder,
    /// A folder of what is there for all projects can't be used.
    #[error("Failed to use the folder `{}` for all projects", path.display())]
    GlobalFolder {
        /// The folder.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// A command could not be made available to all projects, or taken away from them.
    #[error("Failed to change the command `{}`", path.display())]
    GlobalCommand {
        /// The link.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// A package could not be registered for links, or taken out of the register.
    #[error("Failed to change the link `{}`", path.display())]
    Register {
        /// The link.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// The cache could not be looked through, or emptied.
    #[error("Failed to go through the cache in `{}`", path.display())]
    Cache {
        /// Its folder.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// What nobody asks for could not be removed.
    #[error("Failed to remove from `{}` what nobody asks for", path.display())]
    Prune {
        /// The folder.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// There is no lockfile to work on.
    #[error("There is no `bun.lock`")]
    NoLockfile,
    /// The lockfile is older than the manifests.
    #[error("`bun.lock` does not match `package.json`")]
    OldLockfile,
    /// The versions could not be chosen.
    #[error(transparent)]
    Resolve(#[from] Box<ResolveError>),
    /// A registry could not be asked.
    #[error("Failed to get the packument of `{name}`")]
    Packument {
        /// The package.
        name: PackageName,
        /// What went wrong.
        source: RegistryError,
    },
    /// A registry does not say what is vulnerable.
    #[error(
        "The registry `{registry}` has no service for audits, so nothing is known about the packages"
    )]
    NoAudit {
        /// The registry.
        registry: SafeUrl,
        /// Its answer.
        source: RegistryError,
    },
    /// A registry could not be asked what is vulnerable.
    #[error("Failed to ask the registry for known vulnerabilities")]
    Audit {
        /// What went wrong.
        source: RegistryError,
    },
    /// A registry can't search.
    #[error("The registry `{registry}` has no search")]
    NoSearch {
        /// The registry.
        registry: SafeUrl,
        /// Its answer.
        source: RegistryError,
    },
    /// A registry could not be asked to search.
    #[error("Failed to search the registry")]
    Search {
        /// What went wrong.
        source: RegistryError,
    },
    /// What was named is no package.
    #[error("`{text}` is no package")]
    NoName {
        /// What was named.
        text: String,
        /// What is wrong with it.
        source: InvalidName,
    },
    /// A package has no such version.
    #[error("No version of `{name}` matches `{range}`")]
    NoSuchVersion {
        /// The package.
        name: PackageName,
        /// What was asked for.
        range: String,
        /// Versions that there are, the newest first.
        available: Vec<String>,
    },
    /// Nothing is known of what was asked for.
    #[error("`{package}` has no {}", properties.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(" or "))]
    NoProperty {
        /// `name@version`.
        package: String,
        /// The paths.
        properties: Vec<String>,
    },
    /// The packages could not be placed.
    #[error("Failed to lay out `node_modules`")]
    Hoist(#[from] HoistError),
    /// The plan leaves the project.
    #[error("Failed to lay out `node_modules`")]
    Plan(#[from] PlanError),
    /// A tarball could not be fetched.
    #[error("Failed to download `{package}`")]
    Download {
        /// `name@version`.
        package: Symbol,
        /// Who asks for it, if that is known.
        required_by: Box<RequiredBy>,
        /// What went wrong.
        source: DownloadError,
    },
    /// A tarball is not what it should be, or could not be stored.
    #[error("Failed to unpack `{package}`")]
    Import {
        /// `name@version`.
        package: Symbol,
        /// Who asks for it, if that is known.
        required_by: Box<RequiredBy>,
        /// Where it came from.
        url: Option<Box<SafeUrl>>,
        /// What went wrong.
        source: StoreError,
    },
    /// The store could not be used.
    #[error("Failed to use the store at `{}`", path.display())]
    OpenStore {
        /// Its folder.
        path: PathBuf,
        /// What went wrong.
        source: StoreError,
    },
    /// The store could not be used.
    #[error("Failed to use the store")]
    Store(#[source] StoreError),
    /// The registry client could not be made of the settings.
    #[error("Failed to set up the registry client")]
    Client(#[source] RegistryError),
    /// `node_modules` could not be made.
    #[error("Failed to link the packages")]
    Link(#[from] LinkError),
    /// The lockfile could not be made or written.
    #[error("Failed to write `{}`", path.display())]
    WriteLockfile {
        /// The file.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// A manifest could not be written.
    #[error("Failed to write `{}`", path.display())]
    WriteManifest {
        /// The file.
        path: PathBuf,
        /// The failed operation.
        source: FsError,
    },
    /// A manifest that is to be written was changed by somebody else, whose change must not be lost.
    #[error("`{}` was changed by somebody else meanwhile", path.display())]
    ManifestChanged {
        /// The file.
        path: PathBuf,
    },
    /// Something is to go into a catalog, and there are none.
    #[error("There are no catalogs without `workspaces` in the root's package.json")]
    NoCatalogs,
    /// A catalog says the same to all members, which a place on the disk does not.
    #[error("`{package}` can't be in a catalog: only versions can")]
    NotForCatalogs {
        /// What was to be added.
        package: String,
    },
    /// A package was named by its place, and that does not say what it is called.
    #[error("Failed to find out the name of `{package}`")]
    Unnamed {
        /// What was to be added.
        package: String,
        /// What went wrong.
        source: Box<deka_resolver::ForeignError>,
    },
    /// What is to be updated is not there.
    #[error("`{package}` is not a dependency of the project")]
    NotADependency {
        /// What was named.
        package: String,
    },
    /// No manifest is to be changed.
    #[error("No member of the workspaces matches {}", filters.iter().map(|filter| format!("`{filter}`")).collect::<Vec<_>>().join(", "))]
    NoMember {
        /// The filters.
        filters: Vec<String>,
    },
    /// What is asked can only be answered of a project that is installed.
    #[error("`{}` is missing, or older than `package.json`", path.display())]
    NotInstalled {
        /// The lockfile.
        path: PathBuf,
    },
    /// The store had lost files of what the scripts of a package made.
    #[error("The store has lost the build of `{package}`")]
    LostBuild {
        /// `name@version`.
        package: Symbol,
    },
    /// A patch could not be made, or not taken out.
    #[error(transparent)]
    Patching(#[from] PatchError),
    /// The version of a package could not be changed.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A lifecycle script failed, or could not be run.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A thread or an async runtime could not be started.
    #[error("Failed to start a thread")]
    Thread(#[source] std::io::Error),
}

impl InstallError {
    /// Returns npm's code for the error, where npm has one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NoManifest { .. } | Self::NoPatch { .. } => Some("ENOENT"),
            Self::Patch { .. } | Self::Link(LinkError::Patch { .. }) => Some("EPATCH"),
            Self::Patching(PatchError::Binary { .. } | PatchError::Differs { .. }) => {
                Some("EPATCH")
            }
            Self::Manifest { .. } => Some("EJSONPARSE"),
            Self::Frozen { .. } => Some("EUSAGE"),
            Self::WorkspaceName { .. }
            | Self::NoWorkspace { .. }
            | Self::PrunedWorkspace { .. } => Some("EWORKSPACE"),
            Self::Script(ScriptError::Failed(_)) => Some("ELIFECYCLE"),
            Self::NoSuchVersion { .. } => Some("ETARGET"),
            Self::Packument { source, .. }
            | Self::Audit { source }
            | Self::Search { source }
            | Self::Download { source: DownloadError::Registry(source), .. } => source.code(),
            Self::Import { source, .. } | Self::Store(source) | Self::OpenStore { source, .. } => {
                source.code()
            }
            Self::Resolve(error) => Some(error.code()),
            _ => self.fs_error().filter(|error| error.is_full()).map(|_| "ENOSPC"),
        }
    }

    /// Returns who asks for what could not be had, if that is known.
    pub fn required_by(&self) -> Option<&RequiredBy> {
        let required_by = match self {
            Self::Resolve(error) => error.required_by()?,
            Self::Download { required_by, .. } | Self::Import { required_by, .. } => required_by,
            _ => return None,
        };
        (!required_by.0.is_empty()).then_some(required_by)
    }

    /// Returns the failed operation on the disk, if it was one.
    pub fn fs_error(&self) -> Option<&FsError> {
        match self {
            Self::Read { source, .. }
            | Self::WriteLockfile { source, .. }
            | Self::WriteManifest { source, .. }
            | Self::Register { source, .. } => Some(source),
            Self::Link(error) => error.fs_error(),
            Self::Patching(error) => error.fs_error(),
            Self::Import { source, .. } | Self::Store(source) | Self::OpenStore { source, .. } => {
                match source {
                    StoreError::Write { source, .. } | StoreError::Fs(source) => Some(source),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
