//! What the resolver asks the world for, and what it tells it.

use std::sync::Arc;

use deka_manifest::{Alias, Bin, PackageName, Packument, Platforms, Spec, Symbol, VersionManifest};

use deka_graph::Resolution;

use crate::Row;

/// Where packuments come from, and what is known of packages that no registry has.
///
/// The resolver opens no socket and no file: it requests many things and takes the answers in
/// whatever order they come. What it resolves to does not depend on that order.
pub trait PackumentSource {
    /// Starts getting a packument and returns at once. Called once per name.
    fn request(&mut self, name: PackageName);

    /// Starts resolving a dependency that no registry knows (a folder, a tarball, a repository) and
    /// returns at once.
    fn request_foreign(&mut self, id: ForeignId, request: ForeignRequest);

    /// Returns the next answer to any request, waiting for it if there is none yet; `None` if
    /// nothing is under way.
    fn wait(&mut self) -> Option<SourceAnswer>;
}

/// The answer to a request.
#[derive(Debug)]
pub enum SourceAnswer {
    /// To [`PackumentSource::request`].
    Packument(PackageName, Result<Arc<Packument>, SourceError>),
    /// To [`PackumentSource::request_foreign`].
    Foreign(ForeignId, Result<ForeignPackage, ForeignError>),
}

/// Tells requests of [`PackumentSource::request_foreign`] apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ForeignId(pub u32);

/// Why there is no packument.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The registry does not know the name.
    #[error("the registry does not know it")]
    NotFound {
        /// What was asked, if it is known.
        asked: Option<String>,
    },
    /// The registry does not give it to this user.
    #[error("the registry refused it")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Only what is cached may be used, and this is not.
    #[error("it is not in the cache")]
    Offline,
    /// The registry could not be asked, or did not answer as registries do.
    #[error(transparent)]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Who asks for what that is not in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRequest {
    /// The name the dependent uses.
    pub alias: Alias,
    /// What it asks for.
    pub spec: Spec,
    /// What the package was resolved to whose manifest says so: paths are relative to it, and the
    /// root may do more than a package from a registry. For what overrides and catalogs say that is
    /// the root.
    pub declared_by: Resolution,
}

/// A package that did not come from a registry.
#[derive(Debug, Clone)]
pub struct ForeignPackage {
    /// Its real name.
    pub name: PackageName,
    /// What the spec was resolved to.
    pub resolution: Resolution,
    /// What its bytes hash to; empty where nothing was hashed.
    pub integrity: Symbol,
    /// What git and GitHub packages carry in `bun.lock` besides.
    pub bun_tag: Option<Symbol>,
    /// Where it runs.
    pub platforms: Platforms,
    /// Its commands.
    pub bin: Bin,
    /// Whether it has scripts that run when it is installed.
    pub has_install_script: bool,
    /// What it depends on.
    pub rows: Vec<Row>,
}

/// Why a package that is not in a registry could not be resolved.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ForeignError {
    /// This kind of dependency is not supported yet.
    #[error("this kind of dependency is not supported yet")]
    Unsupported,
    /// There is nothing at that place.
    #[error("there is no `{0}`")]
    NotFound(String),
    /// No package of that name was registered for links.
    #[error("no package named `{0}` is registered for links")]
    NotRegistered(String),
    /// A package asks for something outside of its own folder.
    #[error("only the project itself may ask for folders and links outside of a package")]
    Refused,
    /// It could not be read or fetched.
    #[error(transparent)]
    Failed(Arc<dyn std::error::Error + Send + Sync>),
}

/// Hears what happens while the resolver works.
pub trait Observer {
    /// A version was picked that will most likely be installed on this platform: its tarball may
    /// start. Called once per package, in no particular order.
    fn picked(&mut self, manifest: &VersionManifest) {
        let _ = manifest;
    }

    /// A packument was requested (`wanted`) or came (`done`); counts so far.
    fn progress(&mut self, done: usize, wanted: usize) {
        let _ = (done, wanted);
    }
}

/// Hears nothing.
impl Observer for () {}
