//! What differs between two versions of a package.
//!
//! Both tarballs come through the store, so each is verified, and fetched only if no install did so before.
//! [`files`] compares, with plain data.

mod files;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use deka_config::Config;
use deka_graph::PackageId;
use deka_manifest::{
    Integrity, PackageName, Packument, Range, Symbol, Version, VersionManifest, split_name,
};
use deka_registry::TarballOptions;
use deka_resolver::{Query, pick};
use deka_store::{Importer, PackageIndex, Store, StoreError};
use url::Url;

pub use files::{FileDifference, FileStatus};

use super::{Inquiry, locked};
use crate::InstallError;
use crate::engine::{DownloadError, InvalidTarballUrl};
use crate::project::{Project, WantedLockfile, find_project};
use crate::workspaces::Glob;
use files::{Contents, LARGEST_FILE};

/// How many versions are listed where none fits.
const SHOWN_VERSIONS: usize = 5;

/// What is asked.
#[derive(Debug, Clone)]
pub struct DiffRequest {
    /// All settings.
    pub config: Arc<Config>,
    /// Where the command was started: what is installed there stands for the side that is not named.
    pub folder: PathBuf,
    /// One or two of `name`, `name@version`, `name@range`, `name@tag`; of the second the version is enough.
    pub packages: Vec<String>,
    /// Globs over the paths of files, or folders; without any, all files.
    pub paths: Vec<String>,
    /// How many lines around a change are shown.
    pub context: usize,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct PackageDifference {
    /// The older side: `name@version`.
    pub from: String,
    /// The other side.
    pub to: String,
    /// The files that differ, by path.
    pub files: Vec<FileDifference>,
    /// How many files are the same.
    pub unchanged: usize,
}

/// A side of the comparison.
struct Side {
    name: PackageName,
    wanted: String,
}

/// Compares two versions of a package, or of two packages.
pub fn diff(request: &DiffRequest) -> Result<PackageDifference, InstallError> {
    let inquiry = Inquiry::new(&request.config)?;
    let sides = sides(request)?;
    let names = sides.iter().map(|side| side.name);
    let packuments = inquiry.packuments(names, false)?;
    let store = crate::install::open_store(&request.config)?;
    let mut found = Vec::new();
    for side in &sides {
        let packument = packuments.get(&side.name).and_then(Option::as_ref);
        let manifest = side.pick(packument.map(|packument| &**packument))?;
        let index = fetch(&inquiry, &store, &manifest)?;
        found.push((format!("{}@{}", manifest.name, manifest.version), index));
    }
    let [(from, old), (to, new)] = found.as_slice() else {
        return Err(InstallError::NotADependency { package: request.packages.join(" ") });
    };
    let globs: Vec<Glob> = request.paths.iter().map(|path| Glob::parse(path)).collect();
    let is_wanted =
        |path: &str| globs.is_empty() || globs.iter().any(|glob| is_at_or_below(glob, path));
    let (old, new) = (contents(&store, old, &is_wanted)?, contents(&store, new, &is_wanted)?);
    let (files, unchanged) = files::compare(&old, &new, request.context);
    Ok(PackageDifference { from: from.clone(), to: to.clone(), files, unchanged })
}

/// Whether a path, or a folder that it is in, fits.
fn is_at_or_below(glob: &Glob, path: &str) -> bool {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.into_iter().any(|end| glob.matches(&path[..end]))
}

/// Reads what is to be compared. Of one package, what is installed is compared with what `latest` stands
/// for, or with the version that is named.
fn sides(request: &DiffRequest) -> Result<[Side; 2], InstallError> {
    match request.packages.as_slice() {
        [one] => {
            let right = Side::parse(one, None)?;
            let installed = installed(request, right.name)?;
            Ok([Side { name: right.name, wanted: installed.to_string() }, right])
        }
        [left, right, ..] => {
            let left = Side::parse(left, None)?;
            let right = Side::parse(right, Some(left.name))?;
            Ok([left, right])
        }
        [] => Err(InstallError::NotADependency { package: String::new() }),
    }
}

fn installed(request: &DiffRequest, name: PackageName) -> Result<Version, InstallError> {
    let root = find_project(&request.folder)?;
    let project = Project::read(&root, WantedLockfile::Any, false)?;
    let graph = &locked(&project)?.graph;
    let targets = project.targets(&[], &request.folder)?;
    let own = targets.first().and_then(|folder| graph.importer(folder));
    let direct = own.into_iter().flat_map(|id| graph.edges_of(id)).filter_map(|edge| edge.target);
    let is_it = |id: &PackageId| graph.package(*id).name == name;
    // What the project itself uses, else the highest.
    let version = direct.filter(is_it).find_map(|id| graph.package(id).version().cloned());
    let others = graph.package_ids().filter(is_it);
    let highest = others
        .filter_map(|id| graph.package(id).version().cloned())
        .max_by(Version::cmp_precedence);
    version.or(highest).ok_or_else(|| InstallError::NotADependency { package: name.to_string() })
}

impl Side {
    /// Reads a side; a version alone is one of `other`.
    fn parse(text: &str, other: Option<PackageName>) -> Result<Self, InstallError> {
        if let Some(name) = other
            && (Version::parse(text).is_ok() || text.starts_with(['^', '~', '>', '<', '=']))
        {
            return Ok(Self { name, wanted: text.to_owned() });
        }
        let (name, wanted) = split_name(text).unwrap_or((text, ""));
        let name = PackageName::parse(name)
            .map_err(|source| InstallError::NoName { text: text.to_owned(), source })?;
        Ok(Self { name, wanted: wanted.trim().to_owned() })
    }

    fn pick(&self, packument: Option<&Packument>) -> Result<VersionManifest, InstallError> {
        let wanted = if self.wanted.is_empty() { "latest" } else { &self.wanted };
        let missing = |available: Vec<String>| InstallError::NoSuchVersion {
            name: self.name,
            range: wanted.to_owned(),
            available,
        };
        let packument = packument.ok_or_else(|| missing(Vec::new()))?;
        let tagged = packument.dist_tag(wanted);
        let found = tagged.or_else(|| {
            let range = Range::parse(wanted).ok();
            let query = range.as_ref().map_or(Query::Tag(wanted), Query::Range);
            pick(packument, query, None).ok()
        });
        let manifest = found.and_then(|index| packument.manifest(index).ok());
        manifest.ok_or_else(|| {
            let newest = packument.versions().rev().take(SHOWN_VERSIONS);
            missing(newest.map(|index| packument.version(index).to_string()).collect())
        })
    }
}

/// Returns the files of a version, which are in the store afterwards.
fn fetch(
    inquiry: &Inquiry,
    store: &Store,
    manifest: &VersionManifest,
) -> Result<PackageIndex, InstallError> {
    let label = format!("{}@{}", manifest.name, manifest.version);
    let package = Symbol::new(&label);
    let integrity = Integrity::parse(&manifest.integrity).ok();
    if let Some(integrity) = &integrity
        && let Some(index) = store.lookup(integrity).map_err(InstallError::Store)?
        && is_whole(store, &index)
    {
        return Ok(index);
    }
    let url = Url::parse(&manifest.tarball).map_err(|_| InstallError::Download {
        package,
        required_by: Box::default(),
        source: InvalidTarballUrl { url: manifest.tarball.to_string() }.into(),
    })?;
    let tarball = inquiry.wait(inquiry.client.tarball(&url, TarballOptions::default()));
    let tarball = tarball.map_err(|source| InstallError::Download {
        package,
        required_by: Box::default(),
        source: DownloadError::Registry(source),
    })?;
    let imported = store.import(&tarball, integrity.as_ref(), &label, &mut Importer::new());
    imported.map_err(|source| InstallError::Import {
        package,
        required_by: Box::default(),
        url: Some(Box::new((&url).into())),
        source,
    })
}

/// Whether the store has all files of a package.
fn is_whole(store: &Store, index: &PackageIndex) -> bool {
    index.files().all(|file| {
        let blob = store.blob(&file.hash, file.executable);
        blob.is_ok_and(|(dir, name)| matches!(dir.metadata(name.as_c_str()), Ok(Some(_))))
    })
}

/// Reads the files of a package; those that are too large to be compared are only known by their hash.
fn contents(
    store: &Store,
    index: &PackageIndex,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, Contents>, InstallError> {
    let mut files = BTreeMap::new();
    for file in index.files().filter(|file| is_wanted(file.path)) {
        let bytes = if file.size > LARGEST_FILE {
            None
        } else {
            let (dir, name) =
                store.blob(&file.hash, file.executable).map_err(InstallError::Store)?;
            let bytes = dir.read(name.as_c_str());
            bytes.map_err(|source| InstallError::Store(StoreError::Fs(source)))?
        };
        let hash = file.hash;
        files.insert(file.path.to_owned(), Contents { hash, size: file.size, bytes });
    }
    Ok(files)
}
