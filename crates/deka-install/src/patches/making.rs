//! `deka patch`: a package becomes the project's own, is edited, and the edits become a patch.
//!
//! ```text
//! deka patch x            node_modules/x: own files, noted as edited     ─► the user edits
//! deka patch --commit x   x of the store ┐
//!                         node_modules/x ┴► git diff ─► patches/x@1.0.0.patch, package.json, install
//! deka patch --remove x   package.json, install, the file goes
//! ```
//! A patch says what differs from the package as it was published, whatever patch it had before. Before it is
//! written it is tried: what it makes of the package has to be what was edited, byte for byte.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use deka_fs::{Dir, Durability, atomic_write};
use deka_graph::Graph;
use deka_linker::{Backend, Input, LinkError, LinkPlan, Linker, Patch, Placement};
use deka_manifest::{Symbol, split_name};
use deka_store::Store;

use super::copies::{self, Scratch};
use super::diff::{AFTER, BEFORE, LineEnds, diff};
use super::target::{Places, Target, is_path};
use super::{Edited, PatchError};
use crate::change::Drafts;
use crate::engine::Linking;
use crate::install::{Install, Request, install, open_store, resolve_and_link};
use crate::project::{Project, WantedLockfile};
use crate::report::{Reporter, Silent, Summary};
use crate::{InstallError, tarballs};

/// The field of `package.json` that names the patches.
const FIELD: &str = "patchedDependencies";

/// How lines are compared, until the patch leads to what was edited; and the folder in which it is tried.
const TRIES: [(LineEnds, &str); 2] = [(LineEnds::Ignored, "c"), (LineEnds::Compared, "d")];

/// Where the folders are that are compared.
const BESIDE: &str = "node_modules";

/// A package that can be edited now.
#[derive(Debug)]
pub struct PreparedPatch {
    /// Its name.
    pub name: String,
    /// Its folder: below the project, where it is in it.
    pub folder: PathBuf,
    /// What was installed before.
    pub installed: Summary,
}

/// What `deka patch --commit` found.
#[derive(Debug)]
pub enum PatchCommit {
    /// The package is as it was published, and has no patch.
    Unchanged {
        /// `name@version`.
        package: Symbol,
    },
    /// There is something to change in the project.
    Change(PatchChange),
}

/// A patch that comes or goes.
#[derive(Debug, Clone)]
pub struct PatchChange {
    /// `name@version`.
    pub package: Symbol,
    /// The path of the patch's file, below the project.
    pub path: String,
    /// What it says; `None` if it goes.
    pub text: Option<Vec<u8>>,
}

/// What becomes of the file of a patch once everything else is done.
#[derive(Debug, Clone)]
pub(crate) struct PatchFile {
    path: String,
    /// `None`: it goes.
    text: Option<Vec<u8>>,
    /// Whether nobody else has use for it.
    is_alone: bool,
}

/// Installs, and makes a package the project's own.
pub fn prepare_patch(
    request: &Request,
    named: &str,
    reporter: &dyn Reporter,
) -> Result<PreparedPatch, InstallError> {
    let installed = install(request, reporter)?;
    let mut target = find(request, named)?;
    let root = Dir::open(&request.root)
        .map_err(|source| InstallError::Read { path: request.root.clone(), source })?;
    note(&root, |edited| edited.add(target.label))?;
    if target.is_shared {
        // From now on it is planned as one of the project.
        let request = Request { change: None, ..request.clone() };
        resolve_and_link(&request, &Silent)?;
        target = find(&request, named)?;
    }
    let failed = |source| PatchError::Files { package: target.label, source };
    let folder = request.root.join(&target.folder);
    Dir::open(&folder).and_then(|folder| copies::make_own(&folder)).map_err(failed)?;
    let name = target.placement.name.to_string();
    Ok(PreparedPatch { name, folder: target.folder.into(), installed })
}

/// Compares a package with what was published; `folder` is where patches go.
pub fn write_patch(
    request: &Request,
    named: &str,
    folder: &str,
) -> Result<PatchCommit, InstallError> {
    let folder = folder_of_patches(folder)?;
    let mut install = Install::prepare(request, &request.config, &Silent)?;
    let (graph, plan) = install.installed()?;
    let target = Places::of(request, &graph, &plan).find(named)?;
    let text = compare(&mut install, &graph, &target)?;
    let known = &install.project.manifest.patched_dependencies;
    let known = known.iter().find(|(package, _)| *package == target.label);
    let package = target.label;
    Ok(match (text.is_empty(), known) {
        (true, None) => {
            note(&install.project.dir, |edited| edited.remove(package))?;
            PatchCommit::Unchanged { package }
        }
        (true, Some((_, path))) => {
            PatchCommit::Change(PatchChange { package, path: path.to_string(), text: None })
        }
        (false, _) => {
            let path = format!("{folder}/{}.patch", escaped(package.as_str()));
            PatchCommit::Change(PatchChange { package, path, text: Some(text) })
        }
    })
}

/// Finds the patch of a package, which is to go.
pub fn undo_patch(request: &Request, named: &str) -> Result<PatchChange, InstallError> {
    let project = Project::read(&request.root, WantedLockfile::Any, false)?;
    let label = if is_path(named) { Some(find(request, named)?.label) } else { None };
    let is_meant = |package: &Symbol| match label {
        Some(label) => *package == label,
        None => {
            package.as_str() == named || split_name(package).is_some_and(|(name, _)| name == named)
        }
    };
    let listed = &project.manifest.patched_dependencies;
    let found: Vec<_> = listed.iter().filter(|(package, _)| is_meant(package)).collect();
    match &*found {
        [] => Err(PatchError::NotPatched { package: named.to_owned() }.into()),
        [(package, path)] => {
            Ok(PatchChange { package: *package, path: path.to_string(), text: None })
        }
        _ => {
            let found = found.into_iter().map(|(package, _)| *package).collect();
            Err(PatchError::ManyVersions { package: named.to_owned(), found }.into())
        }
    }
}

impl PatchChange {
    /// Changes the root's manifest, and what the project says of its patches.
    pub(crate) fn begin(
        &self,
        project: &mut Project,
        drafts: &mut Drafts,
    ) -> Result<PatchFile, InstallError> {
        let (package, path) = (self.package, &self.path);
        drafts.edit(project, "", |editor| match &self.text {
            Some(_) => editor.set(&[FIELD], package.as_str(), path),
            None => drop(editor.remove(&[FIELD], package.as_str())),
        })?;
        let file = project.root.join(path);
        let read = self.text.as_deref().map(Patch::read).transpose();
        let read = read.map_err(|source| InstallError::Patch { path: file, source })?;
        project.patches.set(package, read);
        project.edited.remove(package);
        let mut others = project.manifest.patched_dependencies.iter();
        let is_alone = others.all(|(_, other)| other.as_str() != path);
        Ok(PatchFile { path: path.clone(), text: self.text.clone(), is_alone })
    }
}

impl PatchFile {
    /// Writes the file, or removes it.
    pub(crate) fn put_in_place(self, project: &mut Project) -> Result<(), InstallError> {
        let Self { path, text, is_alone } = self;
        let file = project.root.join(&path);
        let done = match &text {
            Some(text) => {
                let folder = file.parent().unwrap_or(&project.root);
                let folder = Dir::open_or_create(folder).map(drop);
                folder.and_then(|()| atomic_write(&file, text, Durability::Fsync))
            }
            None if is_alone => project.dir.remove_file(&*path).map(drop),
            None => Ok(()),
        };
        let list = project.edited.write(&project.dir, &mut project.inputs);
        done.and(list).map_err(|source| PatchError::Write { path: file, source })?;
        project.inputs.retain(|known| *known.path != *path);
        if let Some(text) = &text {
            project.inputs.push(Input::file(&project.dir, &path, text));
        }
        Ok(())
    }
}

/// Changes the list of packages that are edited.
fn note(root: &Dir, change: impl FnOnce(&mut Edited) -> bool) -> Result<(), InstallError> {
    let failed = |source| PatchError::Write { path: root.path().join(BESIDE), source };
    let mut edited = Edited::read(root, &mut Vec::new()).map_err(failed)?;
    if change(&mut edited) {
        edited.write(root, &mut Vec::new()).map_err(failed)?;
    }
    Ok(())
}

fn find(request: &Request, named: &str) -> Result<Target, InstallError> {
    let install = Install::prepare(request, &request.config, &Silent)?;
    let (graph, plan) = install.installed()?;
    Ok(Places::of(request, &graph, &plan).find(named)?)
}

/// Returns the folder for patches below the project, as `package.json` will have it.
fn folder_of_patches(folder: &str) -> Result<String, PatchError> {
    let outside = || PatchError::Outside { folder: folder.to_owned() };
    let mut names = Vec::new();
    for component in Path::new(folder).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str().ok_or_else(outside)?),
            _ => return Err(outside()),
        }
    }
    if names.is_empty() { Err(outside()) } else { Ok(names.join("/")) }
}

/// Writes what no file can be called on every system as Bun does.
fn escaped(label: &str) -> String {
    let mut name = String::with_capacity(label.len());
    for letter in label.chars() {
        if letter.is_ascii_control() || "/\\:*?\"<>| ".contains(letter) {
            // Writing to a string does not fail.
            let _ = write!(name, "%{:02X}", u32::from(letter));
        } else {
            name.push(letter);
        }
    }
    name
}

/// Returns what leads from a package as it was published to what is in its folder.
fn compare(
    install: &mut Install<'_>,
    graph: &Graph,
    target: &Target,
) -> Result<Vec<u8>, InstallError> {
    let package = target.label;
    let failed = |source| PatchError::Files { package, source };
    let scratch = Scratch::new(&install.config.cache.folder().join("patching")).map_err(failed)?;
    let store = open_store(install.config)?;
    let linker = place(install, &store, graph, target, scratch.path())?;

    let open = |name: &str| Dir::open_or_create(scratch.path().join(BESIDE).join(name));
    for published in [BEFORE, TRIES[0].1, TRIES[1].1] {
        // What it bundles is others'.
        let removed = open(published).and_then(|folder| folder.remove_all("node_modules"));
        removed.map_err(failed)?;
    }
    let edited = Dir::open(install.request.root.join(&target.folder)).map_err(failed)?;
    open(AFTER).and_then(|copy| copies::copy(&edited, &copy)).map_err(failed)?;

    let environment = &install.request.scripts.environment;
    let mut problem = None;
    for (line_ends, name) in TRIES {
        let text = diff(&scratch.path().join(BESIDE), package, line_ends, environment)?;
        let patch = Patch::read(&text).map_err(|source| PatchError::Invalid { package, source })?;
        let patch = Some(Arc::new(patch));
        match linker.apply_patch(&Placement { patch, ..placement_at(name, &target.placement) }) {
            Err(LinkError::Patch { source, .. }) => {
                problem = Some(PatchError::Failed { package, source });
                continue;
            }
            applied => applied?,
        }
        let differing = open(name).and_then(|tried| copies::difference(&tried, &open(AFTER)?));
        match differing.map_err(failed)? {
            None => return Ok(text),
            Some(file) => problem = Some(PatchError::Differs { package, file }),
        }
    }
    Err(problem.unwrap_or(PatchError::NoGit).into())
}

/// Returns a placement of the same package as it was published.
fn placement_at(name: &str, placement: &Placement) -> Placement {
    Placement {
        path: format!("{BESIDE}/{name}").into(),
        base_length: BESIDE.len() as u32,
        patch: None,
        build: None,
        is_edited: false,
        ..placement.clone()
    }
}

/// Places a package below `root` as it was published, in all folders that are needed.
fn place<'a: 's, 's>(
    install: &mut Install<'a>,
    store: &'s Store,
    graph: &Graph,
    target: &Target,
    root: &Path,
) -> Result<Linker<'s>, InstallError> {
    let placements =
        [BEFORE, TRIES[0].1, TRIES[1].1].map(|name| placement_at(name, &target.placement));
    let plan = Arc::new(LinkPlan { placements: placements.into(), ..LinkPlan::default() });
    let config = install.config;
    let project = install.project.root.clone();
    let id = target.placement.package;
    let tarball = tarballs::of_package(config, &project, graph, id);
    let (key, describe) =
        tarball.ok_or_else(|| PatchError::NotInstalled { package: target.label.to_string() })?;
    let worked = install.with_engine(store, |_, surroundings| {
        let linker = Linker::new(root, Backend::Auto, store)?;
        let work = linker.begin(&plan, None)?;
        let tasks = work.tasks().iter().map(|task| (key, *task)).collect();
        surroundings.want_all([(key, describe)]);
        let may_be_missing = vec![false; plan.placements.len()];
        surroundings.link(Linking { linker, plan, work, old: None, may_be_missing }, tasks);
        surroundings.until_linked()
    })?;
    worked.done?;
    let lost = || InstallError::Thread(std::io::Error::other("nothing was linked"));
    worked.linking.map(|linking| linking.linker).ok_or_else(lost)
}

#[cfg(test)]
mod tests {
    use super::{escaped, folder_of_patches};

    #[test]
    fn names_of_files() {
        assert_eq!(escaped("@s/a@1.0.0"), "@s%2Fa@1.0.0");
        assert_eq!(escaped("a@1.0.0-b+c"), "a@1.0.0-b+c");
        assert_eq!(folder_of_patches("./my//patches/").unwrap(), "my/patches");
        for outside in ["../x", "/x", "", "a/../../x", "."] {
            assert!(folder_of_patches(outside).is_err(), "{outside}");
        }
    }
}
