//! Dependencies that lie on this machine: folders (`file:`), links (`link:`) and tarballs.
//!
//! Paths are relative to the folder of the package whose manifest names them. What `bun.lock` says of
//! them is Bun's: folders and links by their path below the root, tarballs by the very text of the
//! manifest.
//!
//! | who asks | folder | link | tarball |
//! |---|---|---|---|
//! | the root or a workspace | with its dependencies, `devDependencies` too | yes | yes |
//! | a folder | without dependencies | yes | yes |
//! | a package from elsewhere | only inside of itself | no | from the root's folder |

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use deka_config::Config;
use deka_fs::{Dir, FileKind};
use deka_graph::{Graph, PackageId, Resolution};
use deka_linker::Input;
use deka_lockfile::Lockfile;
use deka_manifest::{Alias, PackageJson, PackageName, Spec, Symbol};
use deka_resolver::{ForeignError, ForeignPackage, ForeignRequest, Row};
use deka_store::{Importer as Unpacker, Store};
use hashbrown::{HashMap, HashSet};

use crate::foreign::{self, failed, plain, rows};
use crate::project::Project;
use crate::{InstallError, MANIFEST, registered};

/// Resolves what lies on this machine, and remembers what it looked at.
pub(crate) struct Local {
    root: Dir,
    members: HashSet<String>,
    /// Where packages are registered for links by name.
    global_folder: Option<PathBuf>,
    /// The files that answers depend on, by path.
    seen: Mutex<HashMap<String, Input>>,
}

/// A tarball on this machine.
pub(crate) struct LocalTarball {
    bytes: Vec<u8>,
    pub(crate) integrity: Symbol,
}

impl Local {
    pub(crate) fn new(project: &Project, config: &Config) -> Result<Self, InstallError> {
        let root = Dir::open(&project.root)
            .map_err(|source| InstallError::Read { path: project.root.clone(), source })?;
        Ok(Self {
            root,
            members: project.members.iter().map(|member| member.path.clone()).collect(),
            global_folder: config.install.global_folder.clone(),
            seen: Mutex::default(),
        })
    }

    /// Returns the files that were looked at.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Resolves a dependency; tarballs are unpacked into `store`.
    pub(crate) fn resolve(
        &self,
        request: &ForeignRequest,
        store: &Store,
    ) -> Result<ForeignPackage, ForeignError> {
        let base = base(&request.declared_by);
        match (&request.spec, base) {
            (Spec::Folder(text), Some(base)) => {
                let is_transitive = matches!(request.declared_by, Resolution::Folder(_));
                self.folder(request.alias, &self.join(base, text)?, is_transitive)
            }
            (Spec::Folder(text), None) => {
                // Where the package's own folder will be, nobody knows yet.
                let inside = normalise(text).filter(|path| !leaves(path) && !text.starts_with('/'));
                let inside = Symbol::new(&format!("./{}", inside.ok_or(ForeignError::Refused)?));
                Ok(plain(request.alias.to_package_name(), Resolution::Folder(inside)))
            }
            (Spec::Link(text), Some(base)) => self.link(request.alias, base, text),
            (Spec::Link(_), None) => Err(ForeignError::Refused),
            (Spec::LocalTarball(text), base) => {
                self.tarball(&self.join(base.unwrap_or_default(), text)?, *text, store)
            }
            _ => Err(ForeignError::Unsupported),
        }
    }

    /// Returns the packages of a lockfile that are not on the disk as it says.
    pub(crate) fn stale_packages(&self, lockfile: &Lockfile) -> HashSet<PackageId> {
        let graph = &lockfile.graph;
        let is_stale = |id: &PackageId| {
            let package = graph.package(*id);
            let alias = Alias::from(package.name);
            match &package.resolution {
                Resolution::Folder(path) => {
                    is_direct(graph, *id)
                        && !self
                            .folder(alias, path, false)
                            .is_ok_and(|found| is_same(graph, *id, &found))
                }
                Resolution::Symlink(text) => {
                    !self.link(alias, "", text).is_ok_and(|found| is_same(graph, *id, &found))
                }
                Resolution::LocalTarball(_) => {
                    let files = tarball_files(self.root.path(), graph, *id);
                    !files.iter().any(|file| {
                        self.read_tarball(file)
                            .is_ok_and(|tarball| tarball.integrity == package.integrity)
                    })
                }
                _ => false,
            }
        };
        graph.package_ids().filter(is_stale).collect()
    }

    /// Resolves the folder at `path`, below the root or absolute.
    fn folder(
        &self,
        alias: Alias,
        path: &str,
        is_transitive: bool,
    ) -> Result<ForeignPackage, ForeignError> {
        if path.is_empty() {
            return Ok(plain(alias.to_package_name(), Resolution::Root));
        }
        if self.members.contains(path) {
            let resolution = Resolution::Workspace(Symbol::new(path));
            return Ok(plain(alias.to_package_name(), resolution));
        }
        let file = format!("{path}/{MANIFEST}");
        let manifest = self.manifest(path)?.ok_or(ForeignError::NotFound(file))?;
        let resolution = Resolution::Folder(Symbol::new(path));
        if is_transitive {
            return Ok(plain(alias.to_package_name(), resolution));
        }
        let name = name_of(&manifest, path, alias);
        Ok(ForeignPackage {
            has_install_script: manifest.has_install_script(),
            rows: rows(&manifest),
            bin: manifest.bin,
            ..plain(name, resolution)
        })
    }

    fn link(&self, alias: Alias, base: &str, text: &str) -> Result<ForeignPackage, ForeignError> {
        let (place, text) = if is_path(text) {
            let path = self.join(base, text)?;
            let is_inside = !path.is_empty() && !leaves(&path);
            let text = if is_inside { format!("./{path}") } else { or_dot(&path).to_owned() };
            (path, text)
        } else {
            let not_registered = || ForeignError::NotRegistered(text.to_owned());
            let folder = self.registered(text).ok_or_else(not_registered)?;
            (folder.to_string_lossy().into_owned(), text.to_owned())
        };
        let folder = self.root.metadata_following(or_dot(&place)).map_err(failed)?;
        if folder.is_none_or(|folder| folder.kind != FileKind::Directory) {
            return Err(ForeignError::NotFound(place));
        }
        let manifest = self.manifest(&place)?.unwrap_or_default();
        let name = name_of(&manifest, &place, alias);
        Ok(ForeignPackage {
            has_install_script: manifest.has_install_script(),
            bin: manifest.bin,
            ..plain(name, Resolution::Symlink(Symbol::new(&text)))
        })
    }

    /// Returns the folder of a package that was registered for links.
    pub(crate) fn registered(&self, name: &str) -> Option<PathBuf> {
        let name = PackageName::parse(name).ok()?;
        let link = registered::link_of(self.global_folder.as_deref(), name)?;
        std::fs::canonicalize(link).ok()
    }

    /// Returns the folders of the packages of a graph that are linked by a registered name, as the
    /// way from the root.
    pub(crate) fn registered_folders(&self, graph: &Graph) -> HashMap<Symbol, Box<str>> {
        let names = graph.packages().iter().filter_map(|package| match package.resolution {
            Resolution::Symlink(text) if !is_path(&text) => Some(text),
            _ => None,
        });
        let folder = |name: Symbol| {
            let root = std::fs::canonicalize(self.root.path()).ok()?;
            Some((name, relative(&root, &self.registered(&name)?)?.into()))
        };
        names.filter_map(folder).collect()
    }

    fn tarball(
        &self,
        path: &str,
        text: Symbol,
        store: &Store,
    ) -> Result<ForeignPackage, ForeignError> {
        let tarball = self.read_tarball(path)?;
        let index = store
            .import(&tarball.bytes, None, text.as_str(), &mut Unpacker::new())
            .map_err(failed)?;
        let resolution = Resolution::LocalTarball(text);
        let found = foreign::describe(store, &index, foreign::stem(path), resolution)?;
        Ok(ForeignPackage { integrity: tarball.integrity, ..found })
    }

    fn read_tarball(&self, path: &str) -> Result<LocalTarball, ForeignError> {
        let bytes = self.root.read(path).map_err(failed)?;
        let bytes = bytes.ok_or_else(|| ForeignError::NotFound(path.to_owned()))?;
        self.note(path, Input::file(&self.root, path, &bytes));
        let integrity = deka_store::digest(deka_manifest::Algorithm::Sha512, &bytes);
        Ok(LocalTarball { bytes, integrity: Symbol::new(&integrity.to_string()) })
    }

    fn manifest(&self, folder: &str) -> Result<Option<PackageJson>, ForeignError> {
        let path = format!("{}/{MANIFEST}", or_dot(folder));
        let text = match self.root.read(path.as_str()) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => None,
            Err(error) => return Err(failed(error)),
        };
        let Some(text) = text else {
            self.note(&path, Input::absent(&path));
            return Ok(None);
        };
        self.note(&path, Input::file(&self.root, &path, &text));
        PackageJson::parse(&text).map(Some).map_err(failed)
    }

    fn note(&self, path: &str, input: Input) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(path.to_owned()).or_insert(input);
    }

    /// Returns the path below the root (or beside it, with `..`) that `text` means in `base`.
    fn join(&self, base: &str, text: &str) -> Result<String, ForeignError> {
        let not_found = || ForeignError::NotFound(text.to_owned());
        if text.starts_with('/') {
            return relative(self.root.path(), Path::new(text)).ok_or_else(not_found);
        }
        normalise(&format!("{base}/{text}")).ok_or_else(not_found)
    }
}

/// Returns the paths below the root that a tarball of the graph may lie at: its text means another
/// file in each of its dependents.
pub(crate) fn tarball_files(root: &Path, graph: &Graph, id: PackageId) -> Vec<String> {
    let Resolution::LocalTarball(text) = graph.package(id).resolution else { return Vec::new() };
    if text.starts_with('/') {
        return relative(root, Path::new(text.as_str())).into_iter().collect();
    }
    let mut files: Vec<String> = Vec::new();
    for dependent in graph.package_ids() {
        if graph.edges_of(dependent).iter().any(|edge| edge.target == Some(id)) {
            let base = base(&graph.package(dependent).resolution).unwrap_or_default();
            let file = normalise(&format!("{base}/{text}"));
            files.extend(file.filter(|file| !files.contains(file)));
        }
    }
    files
}

/// What a frozen lockfile means for packages that are not what it says: a tarball must not be another
/// one, folders and links are the user's own. Returns a text about these.
pub(crate) fn refuse_other_tarballs(
    lockfile: &Lockfile,
    stale: &HashSet<PackageId>,
) -> Result<Option<String>, InstallError> {
    let graph = &lockfile.graph;
    let (tarballs, others): (Vec<PackageId>, Vec<PackageId>) = graph
        .package_ids()
        .filter(|id| stale.contains(id))
        .partition(|id| matches!(graph.package(*id).resolution, Resolution::LocalTarball(_)));
    let label = |id: &PackageId| format!("`{}`", crate::tarballs::label(graph.package(*id)));
    if !tarballs.is_empty() {
        let changes = tarballs.iter().map(|id| format!("the tarball of {}", label(id))).collect();
        return Err(InstallError::Frozen { changes });
    }
    let names: Vec<String> = others.iter().map(label).collect();
    Ok((!names.is_empty())
        .then(|| format!("{} changed since bun.lock was saved", names.join(", "))))
}

/// Whether the root, a workspace or an override asks for a package, so that what its manifest says
/// counts.
fn is_direct(graph: &Graph, id: PackageId) -> bool {
    graph.package_ids().any(|dependent| {
        graph.package(dependent).resolution.is_importer()
            && graph.edges_of(dependent).iter().any(|edge| edge.target == Some(id))
    })
}

/// Whether a package of the graph is what was found.
fn is_same(graph: &Graph, id: PackageId, found: &ForeignPackage) -> bool {
    let package = graph.package(id);
    let edges = graph.edges_of(id).iter();
    let mut known: Vec<Row> = edges
        .map(|edge| Row {
            optional_peer: edge.optional_peer,
            bundled: edge.bundled,
            ..Row::new(edge.alias, edge.spec, edge.kind)
        })
        .collect();
    let mut rows = found.rows.clone();
    known.sort_by_key(|row| (row.kind, row.alias));
    rows.sort_by_key(|row| (row.kind, row.alias));
    package.name == found.name
        && package.resolution == found.resolution
        && package.bin == found.bin
        && package.has_install_script == found.has_install_script
        && known == rows
}

/// Returns the folder that paths in a manifest are relative to, unless it is not known yet.
fn base(declared_by: &Resolution) -> Option<&'static str> {
    match declared_by {
        Resolution::Root => Some(""),
        Resolution::Workspace(path) | Resolution::Folder(path) => Some(path.as_str()),
        _ => None,
    }
}

/// Returns the name of a package, or of its folder if it has none.
fn name_of(manifest: &PackageJson, path: &str, alias: Alias) -> PackageName {
    let folder = path.rsplit('/').next().unwrap_or(path);
    let name = manifest.package_name().or_else(|| PackageName::parse(folder).ok());
    name.unwrap_or_else(|| alias.to_package_name())
}

/// Whether what stands behind `link:` is a path and no name, as in `link:libs/a`.
fn is_path(text: &str) -> bool {
    matches!(text, "." | "..") || text.contains('/') && PackageName::parse(text).is_err()
}

fn leaves(path: &str) -> bool {
    path == ".." || path.starts_with("../")
}

fn or_dot(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

/// Takes `.` and `a/..` out of a relative path; `..` stays only in front.
fn normalise(path: &str) -> Option<String> {
    if path.contains(char::is_control) {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

/// Returns the way from one absolute folder to another path, with `/` between the names.
pub(crate) fn relative(from: &Path, to: &Path) -> Option<String> {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[common..].iter().map(|_| Some(".."));
    let down = to[common..].iter().map(|name| name.as_os_str().to_str());
    let names: Option<Vec<&str>> = up.chain(down).collect();
    names.and_then(|names| normalise(&names.join("/")))
}
