//! The members of a project's workspaces: found by the globs of the root's manifest, as Bun does.
//!
//! A path without wildcards has to be a member; what globs find is one if it has a `package.json`
//! with a name. `!` takes away what globs found, wherever it stands. Folders called `node_modules`
//! and those that begin with a dot are never looked into.
//!
//! Everything that was looked at is noted as an input of the install, so that the next one knows
//! without any globbing whether a member came, went or changed.

mod filter;
mod glob;
mod outline;
mod own;

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use deka_fs::{Dir, FileKind, FsError};
use deka_linker::Input;
use deka_manifest::{PackageJson, PackageName};
use hashbrown::{HashMap, HashSet};

pub(crate) use filter::{Filter, keeping, select, select_manifests};
pub(crate) use glob::Glob;
use glob::Segment;
pub(crate) use outline::outline;
pub use own::{OwnPackage, own_packages};

use crate::{InstallError, MANIFEST};

/// Folders that nobody's workspaces are in.
const IGNORED: &[&str] = &["node_modules", ".git", "CMakeFiles"];

/// A member of the project's workspaces.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its folder below the root, with `/` between the names.
    pub(crate) path: String,
    pub(crate) manifest: PackageJson,
}

/// What the globs of a manifest stand for.
#[derive(Debug)]
struct Patterns {
    included: Vec<Glob>,
    excluded: Vec<Glob>,
}

impl Patterns {
    fn new(patterns: &[Box<str>]) -> Self {
        let (excluded, included): (Vec<&str>, Vec<&str>) =
            patterns.iter().map(AsRef::as_ref).partition(|pattern| pattern.starts_with('!'));
        Self {
            included: included.into_iter().map(Glob::parse).collect(),
            excluded: excluded.into_iter().map(|pattern| Glob::parse(&pattern[1..])).collect(),
        }
    }

    /// Whether a member may lie at `path`.
    fn may_include(&self, path: &str) -> bool {
        let is_literal = |glob: &Glob| glob.literal().is_some_and(|literal| literal == path);
        self.included.iter().any(is_literal)
            || self.included.iter().any(|glob| glob.matches(path))
                && !self.is_excluded(path)
                && !path.split('/').any(|name| IGNORED.contains(&name))
    }

    fn is_excluded(&self, path: &str) -> bool {
        self.excluded.iter().any(|glob| glob.matches(path))
    }
}

/// Returns the folder above `member` that has it as a member of its workspaces.
pub(crate) fn root_of(member: &Path) -> Option<PathBuf> {
    let read = |folder: &Path| {
        let dir = Dir::open(folder).ok()?;
        PackageJson::parse(&dir.read(MANIFEST).ok()??).ok()
    };
    let mut own = None;
    for folder in member.ancestors().skip(1) {
        // Most folders have no manifest, and then nothing else is worth reading.
        let Some(manifest) = read(folder) else { continue };
        let Some(patterns) = manifest.workspaces.filter(|patterns| !patterns.is_empty()) else {
            continue;
        };
        let own = own.get_or_insert_with(|| read(member));
        if own.as_ref().is_none_or(|own| own.name.is_none()) {
            return None;
        }
        if Patterns::new(&patterns).may_include(&path_below(folder, member)?) {
            return Some(folder.to_owned());
        }
    }
    None
}

/// Returns the way from a root down to a folder, with `/` between the names.
pub(crate) fn path_below(root: &Path, folder: &Path) -> Option<String> {
    let names = folder.strip_prefix(root).ok()?.components().map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    names.collect::<Option<Vec<_>>>().map(|names| names.join("/"))
}

/// Whether there is no such folder, or a file in its place.
fn is_nothing(error: &FsError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// What was found of a project's workspaces.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// By path.
    pub(crate) members: Vec<Member>,
    /// The paths without wildcards that lead to no manifest.
    pub(crate) missing: Vec<String>,
}

/// Finds and reads all members; what was looked at is added to `inputs`.
pub(crate) fn find(
    root: &Dir,
    patterns: &[Box<str>],
    inputs: &mut Vec<Input>,
) -> Result<Found, InstallError> {
    let mut search = Search {
        root,
        patterns: Patterns::new(patterns),
        names: HashMap::new(),
        seen: HashSet::new(),
        found: Found::default(),
        inputs,
    };
    search.run()?;
    let mut found = search.found;
    found.members.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

struct Search<'a> {
    root: &'a Dir,
    patterns: Patterns,
    /// For each folder that was listed, the names of the folders in it, and whether they are symlinks.
    names: HashMap<String, Vec<(String, bool)>>,
    /// Paths that were looked at.
    seen: HashSet<String>,
    found: Found,
    inputs: &'a mut Vec<Input>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), InstallError> {
        let included = std::mem::take(&mut self.patterns.included);
        for path in included.iter().filter_map(Glob::literal) {
            if !path.is_empty() && self.seen.insert(path.clone()) && !self.add(&path)? {
                self.found.missing.push(path);
            }
        }
        for glob in included.iter().filter(|glob| glob.literal().is_none()) {
            for segments in glob.alternatives() {
                let mut folders = Vec::new();
                self.expand(String::new(), segments, &mut HashSet::new(), &mut folders)?;
                for path in folders {
                    if !self.patterns.is_excluded(&path) && self.seen.insert(path.clone()) {
                        self.add(&path)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Collects the paths in and below `folder` that fit.
    fn expand(
        &mut self,
        folder: String,
        segments: &[Segment],
        visited: &mut HashSet<(String, usize)>,
        fitting: &mut Vec<String>,
    ) -> Result<(), InstallError> {
        if !visited.insert((folder.clone(), segments.len())) {
            return Ok(());
        }
        let Some((segment, rest)) = segments.split_first() else {
            // The root itself is no member.
            if !folder.is_empty() {
                fitting.push(folder);
            }
            return Ok(());
        };
        let join = |name: &str| {
            if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
        };
        if let Segment::Literal(name) = segment {
            return self.expand(join(name), rest, visited, fitting);
        }
        let is_any_number = *segment == Segment::AnyNumber;
        if is_any_number {
            self.expand(folder.clone(), rest, visited, fitting)?;
        }
        self.list(&folder)?;
        let fits = |(name, is_symlink): &&(String, bool)| {
            // Symlinks may lead in a circle.
            segment.fits(name) && !(is_any_number && *is_symlink)
        };
        let names: Vec<String> =
            self.names[&folder].iter().filter(fits).map(|(name, _)| join(name)).collect();
        let behind = if is_any_number { segments } else { rest };
        for path in names {
            self.expand(path, behind, visited, fitting)?;
        }
        Ok(())
    }

    /// Notes the names of the folders in `folder`.
    fn list(&mut self, folder: &str) -> Result<(), InstallError> {
        if self.names.contains_key(folder) {
            return Ok(());
        }
        let path = if folder.is_empty() { "." } else { folder };
        let failed = |source| InstallError::Read { path: self.root.path().join(folder), source };
        // Noted first: what comes in between is found the next time.
        let noted = Input::folder(self.root, path);
        let listed = noted.and_then(|input| {
            self.inputs.push(input);
            self.root.open_dir(path)?.list()
        });
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) if is_nothing(&error) => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let folders = entries.into_iter().filter_map(|entry| {
            let is_symlink = entry.kind == FileKind::Symlink;
            let name = entry.name.into_string().ok()?;
            let may_be = is_symlink || entry.kind == FileKind::Directory;
            (may_be && !IGNORED.contains(&&*name)).then_some((name, is_symlink))
        });
        let mut folders: Vec<_> = folders.collect();
        folders.sort_unstable();
        self.names.insert(folder.to_owned(), folders);
        Ok(())
    }

    /// Reads the manifest in a folder; returns whether there is one.
    fn add(&mut self, folder: &str) -> Result<bool, InstallError> {
        let file = format!("{folder}/{MANIFEST}");
        let path = || self.root.path().join(&file);
        let text = match self.root.read(file.as_str()) {
            Ok(text) => text,
            Err(error) if is_nothing(&error) => None,
            Err(source) => return Err(InstallError::Read { path: path(), source }),
        };
        let Some(text) = text else {
            self.inputs.push(Input::absent(&file));
            return Ok(false);
        };
        self.inputs.push(Input::file(self.root, &file, &text));
        let manifest = PackageJson::parse(&text)
            .map_err(|source| InstallError::Manifest { path: path(), source: Box::new(source) })?;
        // Without a name nobody can depend on it; Bun takes it for no member either.
        let Some(name) = manifest.name else { return Ok(true) };
        PackageName::parse(&name)
            .map_err(|source| InstallError::WorkspaceName { path: path(), source })?;
        self.found.members.push(Member { path: folder.to_owned(), manifest });
        Ok(true)
    }
}
