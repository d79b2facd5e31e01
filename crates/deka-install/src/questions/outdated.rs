//! Which dependencies of a project have newer versions.

use std::path::PathBuf;
use std::sync::Arc;

use deka_config::Config;
use deka_graph::{EdgeKind, Graph, PackageId};
use deka_manifest::{Alias, PackageName, Packument, Spec, Symbol, Version};
use deka_resolver::{Catalogs, Query, ReleaseAge, pick};
use hashbrown::HashSet;

use super::{Inquiry, Packuments, locked};
use crate::change::{GROUPS, group_of, spec_in};
use crate::project::{Project, WantedLockfile};
use crate::workspaces::{self, Filter, Glob};
use crate::{InstallError, settings};

/// What is asked.
#[derive(Debug, Clone)]
pub struct OutdatedRequest {
    /// The project's folder; see [`find_project`](crate::find_project).
    pub root: PathBuf,
    /// All settings.
    pub config: Arc<Config>,
    /// Where the command was started: without filters it is about the member that this is in.
    pub folder: PathBuf,
    /// Which members of the workspaces it is about, the root among them.
    pub filters: Vec<String>,
    /// Whether it is about the root and all members.
    pub is_recursive: bool,
    /// Which dependencies it is about: globs over names, those that begin with `!` taking away. Without any, all.
    pub patterns: Vec<String>,
}

/// The answer.
#[derive(Debug, Clone, Default)]
pub struct Outdated {
    /// Dependencies with newer versions: by group, then by member, those of catalogs behind the others.
    pub dependencies: Vec<OutdatedDependency>,
    /// Packages that their registries do not know.
    pub unknown: Vec<PackageName>,
    /// How many members it was about.
    pub members: usize,
}

/// A dependency with a newer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdatedDependency {
    /// The name by which it is asked for.
    pub alias: Alias,
    /// The package's own name.
    pub name: PackageName,
    /// The group of the manifest.
    pub kind: EdgeKind,
    /// What is asked for: a range or a dist-tag.
    pub range: String,
    /// The installed version.
    pub current: Version,
    /// The version that an update within the range would bring.
    pub update: Candidate,
    /// The version that `latest` stands for.
    pub latest: Candidate,
    /// The catalog that says what is asked for; `default` for the one without a name.
    pub catalog: Option<Symbol>,
    /// Who asks, never empty.
    pub members: Vec<AskingMember>,
}

/// A version that could be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The version.
    pub version: Version,
    /// Whether there is a newer one that is too young.
    pub is_held_back: bool,
}

/// The root or a member that asks for a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingMember {
    /// Its folder below the root; empty for the root.
    pub folder: String,
    /// Its name, or its folder if it has none.
    pub name: String,
}

/// A dependency before anybody was asked about it.
struct Row {
    alias: Alias,
    kind: EdgeKind,
    spec: Spec,
    range: String,
    catalog: Option<Symbol>,
    target: PackageId,
    members: Vec<AskingMember>,
}

/// Finds the dependencies with newer versions, from `bun.lock` and the registry.
pub fn outdated(request: &OutdatedRequest) -> Result<Outdated, InstallError> {
    let project = Project::read(&request.root, WantedLockfile::Any, false)?;
    let graph = &locked(&project)?.graph;
    let folders = folders(&project, request)?;
    let rows = rows(&project, graph, &folders, request);
    let age = settings::release_age(&request.config);
    let names = rows.iter().map(|row| graph.package(row.target).name);
    let packuments = if rows.is_empty() {
        Packuments::new()
    } else {
        Inquiry::new(&request.config)?.packuments(names, age.is_some())?
    };
    let mut answer = Outdated { members: folders.len(), ..Outdated::default() };
    for row in rows {
        let name = graph.package(row.target).name;
        match packuments.get(&name) {
            Some(Some(packument)) => {
                answer.dependencies.extend(row.against(graph, packument, age.as_ref()));
            }
            _ if !answer.unknown.contains(&name) => answer.unknown.push(name),
            _ => {}
        }
    }
    Ok(answer)
}

/// Returns the folders of the manifests in question.
fn folders(project: &Project, request: &OutdatedRequest) -> Result<Vec<String>, InstallError> {
    let all = || project.manifests().map(|(folder, _)| folder.to_owned());
    if request.is_recursive && request.filters.is_empty() {
        return Ok(all().collect());
    }
    let start = workspaces::path_below(&request.root, &request.folder).unwrap_or_default();
    let filters: Vec<Filter> =
        request.filters.iter().map(|filter| Filter::parse(filter, &start)).collect();
    if filters.is_empty() {
        return project.targets(&filters, &request.folder);
    }
    let graph = workspaces::outline(&project.manifest, &project.members);
    let root_name = project.manifest.name.map(Symbol::as_str);
    let selected = workspaces::select(&filters, &graph, &request.root, root_name)?;
    let is_selected =
        |folder: &String| graph.importer(folder).is_some_and(|id| selected.contains(&id));
    Ok(all().filter(is_selected).collect())
}

/// Returns the dependencies of these manifests that a registry has and that are installed.
fn rows(
    project: &Project,
    graph: &Graph,
    folders: &[String],
    request: &OutdatedRequest,
) -> Vec<Row> {
    let patterns = Patterns::parse(&request.patterns);
    let catalogs = Catalogs::from_manifest(&project.manifest);
    let place = Place { project, graph, patterns, catalogs };
    let mut rows = Vec::new();
    for kind in [EdgeKind::Prod, EdgeKind::Dev, EdgeKind::Peer, EdgeKind::Optional] {
        if settings::omits(&request.config.install, kind) {
            continue;
        }
        let mut own = Vec::new();
        let mut shared: Vec<Row> = Vec::new();
        for folder in folders {
            for row in place.rows(folder, kind) {
                let same = shared.iter_mut().find(|known| {
                    (known.alias, known.catalog, known.target)
                        == (row.alias, row.catalog, row.target)
                });
                match same {
                    _ if row.catalog.is_none() => own.push(row),
                    Some(known) => known.members.extend(row.members),
                    None => shared.push(row),
                }
            }
        }
        rows.append(&mut own);
        rows.append(&mut shared);
    }
    rows
}

/// Where dependencies are looked for.
struct Place<'a> {
    project: &'a Project,
    graph: &'a Graph,
    patterns: Patterns,
    catalogs: Catalogs,
}

impl Place<'_> {
    /// Returns one group of one manifest.
    fn rows(&self, folder: &str, kind: EdgeKind) -> Vec<Row> {
        let Some(manifest) = self.project.manifest_of(folder) else { return Vec::new() };
        let Some(importer) = self.graph.importer(folder) else { return Vec::new() };
        let name = match manifest.name {
            Some(name) => name.to_string(),
            None if folder.is_empty() => ".".to_owned(),
            None => folder.to_owned(),
        };
        let member = AskingMember { folder: folder.to_owned(), name };
        // Of a name in several groups the first counts, and a peer besides.
        let has = |kind: EdgeKind, alias: Alias| spec_in(group_of(manifest, kind), alias).is_some();
        let counts = |alias: Alias| {
            kind == EdgeKind::Peer
                || GROUPS.into_iter().find(|kind| has(*kind, alias)) == Some(kind)
        };
        let mut group: Vec<_> =
            group_of(manifest, kind).iter().filter(|(alias, _)| counts(*alias)).copied().collect();
        group.sort_by_key(|(alias, _)| *alias);
        let rows = group.into_iter().filter_map(|(alias, text)| {
            let edge = self
                .graph
                .edges_of(importer)
                .iter()
                .find(|edge| edge.alias == alias && edge.kind != EdgeKind::Workspace)?;
            let target =
                edge.target.filter(|target| self.graph.package(*target).version().is_some())?;
            let name = self.graph.package(target).name;
            if !self.patterns.fit(alias.as_str(), name.as_str()) {
                return None;
            }
            let (text, catalog) = match Spec::parse(alias, &text).ok()? {
                Spec::Catalog(catalog) => {
                    let text = self.catalogs.get(catalog, alias)?;
                    (text, Some(catalog.unwrap_or_else(|| Symbol::new("default"))))
                }
                _ => (text, None),
            };
            let spec = match Spec::parse(alias, &text).ok()? {
                Spec::Alias { spec, .. } => *spec,
                spec => spec,
            };
            let range = text.to_string();
            let is_asked_for = matches!(spec, Spec::Range(_) | Spec::Tag(_));
            let members = vec![member.clone()];
            is_asked_for.then_some(Row { alias, kind, spec, range, catalog, target, members })
        });
        rows.collect()
    }
}

impl Row {
    /// Returns what is newer, if something is.
    fn against(
        self,
        graph: &Graph,
        packument: &Packument,
        age: Option<&ReleaseAge>,
    ) -> Option<OutdatedDependency> {
        let package = graph.package(self.target);
        let current = package.version()?;
        let asked = match &self.spec {
            Spec::Range(range) => Query::Range(range),
            Spec::Tag(tag) => Query::Tag(tag),
            _ => return None,
        };
        let candidate = |query: Query<'_>| {
            let newest = pick(packument, query, None).ok().map(|index| packument.version(index));
            let allowed = pick(packument, query, age).ok().map(|index| packument.version(index));
            let is_held_back = allowed != newest;
            // Where nothing is old enough, what is installed stays.
            let version = allowed.unwrap_or_else(|| current.clone());
            (Candidate { version, is_held_back }, newest)
        };
        let (latest, newest) = candidate(Query::Tag("latest"));
        let (update, newest_update) = candidate(asked);
        let is_newer = |version: Option<Version>| {
            version.is_some_and(|version| version.cmp_precedence(current).is_gt())
        };
        (is_newer(newest) || is_newer(newest_update)).then(|| OutdatedDependency {
            alias: self.alias,
            name: package.name,
            kind: self.kind,
            range: self.range,
            current: current.clone(),
            update,
            latest,
            catalog: self.catalog,
            members: self.members,
        })
    }
}

/// Globs over the names of packages.
struct Patterns {
    wanted: Vec<Glob>,
    unwanted: Vec<Glob>,
    /// `*`, which a glob would take for names without a scope.
    is_everything: bool,
}

impl Patterns {
    fn parse(texts: &[String]) -> Self {
        let (unwanted, wanted): (Vec<&String>, Vec<&String>) =
            texts.iter().partition(|text| text.starts_with('!'));
        let is_everything = wanted.is_empty() || wanted.iter().any(|text| *text == "*");
        Self {
            wanted: wanted.into_iter().map(|text| Glob::parse(text)).collect(),
            unwanted: unwanted.into_iter().map(|text| Glob::parse(&text[1..])).collect(),
            is_everything,
        }
    }

    fn fit(&self, alias: &str, name: &str) -> bool {
        let names: HashSet<&str> = HashSet::from_iter([alias, name]);
        let any =
            |globs: &[Glob]| globs.iter().any(|glob| names.iter().any(|name| glob.matches(name)));
        (self.is_everything || any(&self.wanted)) && !any(&self.unwanted)
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn patterns() {
        let check = |texts: &[&str], name: &str, expected: bool| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(Patterns::parse(&texts).fit(name, name), expected, "{texts:?} {name}");
        };
        check(&[], "a", true);
        check(&["*"], "@s/a", true);
        check(&["a"], "a", true);
        check(&["a"], "b", false);
        check(&["is-*", "b"], "is-odd", true);
        check(&["@s/*"], "@s/a", true);
        check(&["@s/*"], "a", false);
        check(&["!a"], "a", false);
        check(&["!a"], "b", true);
        check(&["a*", "!ab"], "ab", false);
    }
}
