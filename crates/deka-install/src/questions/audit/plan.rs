//! Which safe versions can take the place of vulnerable ones, and who does not allow it.

use deka_graph::{Edge, EdgeKind, Graph, PackageId, Resolution};
use deka_manifest::{Alias, PackageName, Packument, Range, Spec, Symbol, Version};
use deka_resolver::{Catalogs, Dependent, Overrides, Query, ReleaseAge, pick};

use super::installed::Installed;
use super::{Audit, AuditRequest, VulnerablePackage, audit_project};
use crate::change::{Mending, NewSpec, Replacement, group_of, spec_in, split_alias, style};
use crate::project::Project;
use crate::questions::{Inquiry, locked};
use crate::tarballs::version_text;
use crate::{InstallError, settings};

/// What would make a project safer.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What is known of the project as it is.
    pub audit: Audit,
    /// What can be done.
    pub mending: Mending,
    /// What can't.
    pub stuck: Vec<Stuck>,
}

/// A vulnerable version that can't be replaced everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The package.
    pub name: PackageName,
    /// The version that is installed.
    pub from: Version,
    /// The lowest safe version; `None` if there is none.
    pub to: Option<Version>,
    /// Who does not allow it.
    pub hindrances: Vec<Hindrance>,
}

/// A dependent whose range has no safe version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hindrance {
    /// `name@version`, or the path of a manifest of the project.
    pub dependent: String,
    /// What it asks for, by the name that it uses.
    pub alias: Alias,
    /// The range.
    pub range: String,
    /// Whether it is the project itself, and could ask for something else.
    pub is_own: bool,
    /// The override that says so, as its path has it (`a>b@^1`).
    pub overriding: Option<String>,
}

impl Plan {
    /// Returns how many advisories would be no concern any more.
    pub fn mended(&self) -> usize {
        let is_stuck = |package: &VulnerablePackage, affects: &dyn Fn(&Version) -> bool| {
            self.stuck.iter().any(|stuck| stuck.name == package.name && affects(&stuck.from))
        };
        self.audit
            .packages
            .iter()
            .flat_map(|package| package.advisories.iter().map(move |advisory| (package, advisory)))
            .filter(|(package, advisory)| !is_stuck(package, &|version| advisory.affects(version)))
            .count()
    }
}

/// Plans what `audit fix` does. With `to_latest` ranges of the project may be left.
pub fn plan(request: &AuditRequest, to_latest: bool) -> Result<Plan, InstallError> {
    let (project, audit) = audit_project(request)?;
    if audit.packages.is_empty() {
        return Ok(Plan { audit, ..Plan::default() });
    }
    let graph = &locked(&project)?.graph;
    let age = settings::release_age(&request.config);
    let names = audit.packages.iter().map(|package| package.name);
    let packuments = Inquiry::new(&request.config)?.packuments(names, age.is_some())?;
    let installed = Installed::of(graph, &request.config.install);
    let catalogs = Catalogs::from_manifest(&project.manifest);
    let (mending, stuck) = (Mending::default(), Vec::new());
    let age = age.as_ref();
    let overrides = Overrides::new(&project.manifest.overrides);
    let mut planning =
        Planning { project: &project, catalogs, graph, overrides, to_latest, age, mending, stuck };
    for package in &audit.packages {
        // A package that its registry does not know has no safe version.
        let packument = packuments.get(&package.name).and_then(Option::as_deref);
        for id in installed.packages_of(package.name) {
            let is_vulnerable = |version: &&Version| package.versions.contains(version);
            if let Some(from) = graph.package(id).version().filter(is_vulnerable) {
                let edges = installed.edges_to(id);
                planning.replace(package, from, packument, &edges);
            }
        }
    }
    let Planning { mending, stuck, .. } = planning;
    Ok(Plan { audit, mending, stuck })
}

struct Planning<'a> {
    project: &'a Project,
    catalogs: Catalogs,
    graph: &'a Graph,
    overrides: Overrides,
    to_latest: bool,
    age: Option<&'a ReleaseAge>,
    mending: Mending,
    stuck: Vec<Stuck>,
}

/// What a dependent allows.
struct Allowed<'a> {
    dependent: PackageId,
    edge: &'a Edge,
    range: Option<Range>,
    /// Where the project says so; then its text can be changed.
    own: Option<Own>,
}

/// A place in the project's manifests.
struct Own {
    folder: String,
    path: Vec<String>,
    key: String,
    /// The path of the override that it is.
    overriding: Option<String>,
    /// Whether another place of the manifest says what it means.
    is_reference: bool,
    text: Symbol,
    /// What it may be changed to: what an exact version stands for, or anything.
    may_become: Option<Range>,
}

impl Planning<'_> {
    fn replace(
        &mut self,
        package: &VulnerablePackage,
        from: &Version,
        packument: Option<&Packument>,
        edges: &[(PackageId, &Edge)],
    ) {
        let safe = packument.map(|packument| self.safe_versions(package, from, packument));
        let safe = safe.unwrap_or_default();
        let allowed: Vec<Allowed<'_>> =
            edges.iter().map(|(dependent, edge)| self.allowed(*dependent, edge)).collect();
        let (free, held): (Vec<&Allowed<'_>>, Vec<&Allowed<'_>>) =
            allowed.iter().partition(|allowed| safe.iter().any(|version| allowed.takes(version)));
        let common = safe.iter().find(|version| free.iter().all(|allowed| allowed.takes(version)));
        for allowed in &free {
            let Some(to) = common.or_else(|| safe.iter().find(|version| allowed.takes(version)))
            else {
                continue;
            };
            let spec = allowed.new_spec(to);
            let is_everywhere = held.is_empty();
            // While others hold the version, only who asks for something else leaves it.
            if spec.is_none() && !is_everywhere {
                continue;
            }
            let (name, from, to) = (package.name, from.clone(), to.clone());
            let replacement = Replacement { name, from, to, is_everywhere };
            if !self.mending.replacements.contains(&replacement) {
                self.mending.replacements.push(replacement);
            }
            if let Some(spec) = spec.filter(|spec| !self.mending.specs.contains(spec)) {
                self.mending.specs.push(spec);
            }
        }
        if !held.is_empty() || safe.is_empty() {
            let mut hindrances: Vec<Hindrance> = Vec::new();
            for allowed in held.iter().filter(|_| !safe.is_empty()) {
                let hindrance = self.hindrance(allowed);
                // An override holds many.
                if !hindrances.contains(&hindrance) {
                    hindrances.push(hindrance);
                }
            }
            let to = safe.first().cloned();
            self.stuck.push(Stuck { name: package.name, from: from.clone(), to, hindrances });
        }
    }

    /// Returns the versions above `from` that no advisory is about, the lowest first.
    fn safe_versions(
        &self,
        package: &VulnerablePackage,
        from: &Version,
        packument: &Packument,
    ) -> Vec<Version> {
        let is_old_enough = |version: &Version| {
            let exact = Range::exact(version.clone());
            pick(packument, Query::Range(&exact), self.age).is_ok()
        };
        packument
            .versions()
            .filter(|index| !packument.is_deprecated(*index))
            .map(|index| packument.version(index))
            .filter(|version| {
                version.cmp_precedence(from).is_gt()
                    && (from.is_prerelease() || !version.is_prerelease())
                    && !package.advisories.iter().any(|advisory| advisory.affects(version))
                    && (self.age.is_none() || is_old_enough(version))
            })
            .collect()
    }

    fn allowed<'e>(&self, dependent: PackageId, edge: &'e Edge) -> Allowed<'e> {
        let folder = self.graph.package(dependent).resolution.importer_folder();
        let own = self
            .overriding(dependent, edge)
            .or_else(|| folder.and_then(|folder| self.own(folder.to_owned(), edge)));
        let text = own.as_ref().map_or(edge.spec, |own| own.text);
        let range = match Spec::parse(edge.alias, &text) {
            Ok(Spec::Range(range)) => Some(range),
            Ok(Spec::Alias { spec, .. }) => match *spec {
                Spec::Range(range) => Some(range),
                _ => None,
            },
            _ => None,
        };
        Allowed { dependent, edge, range, own }
    }

    /// Returns where the project asks for this, and what it may ask for instead.
    fn own(&self, folder: String, edge: &Edge) -> Option<Own> {
        let manifest = self.project.manifest_of(&folder)?;
        let text = spec_in(group_of(manifest, edge.kind), edge.alias)?;
        let (folder, path, text) = match Spec::parse(edge.alias, &text) {
            Ok(Spec::Catalog(name)) => self.in_catalog(name, edge.alias)?,
            _ => (folder, vec![edge.kind.field().to_owned()], text),
        };
        let may_become = match edge.kind {
            EdgeKind::Peer if !self.to_latest => None,
            _ => self.may_become(text),
        };
        let (key, overriding, is_reference) = (edge.alias.to_string(), None, false);
        Some(Own { folder, path, key, overriding, is_reference, text, may_become })
    }

    /// Returns the override that says what a dependency gets, and what it may say instead.
    fn overriding(&self, dependent: PackageId, edge: &Edge) -> Option<Own> {
        let package = self.graph.package(dependent);
        let by = Dependent { name: package.name.symbol(), version: package.version() };
        let spec = Spec::parse(edge.alias, &edge.spec).ok()?;
        let path = self.overrides.path_of(edge.alias.symbol(), &spec, by)?;
        let mut declared = self.project.manifest.overrides.iter().rev();
        let declared = declared.find(|declared| declared.path == path)?;
        let mut path: Vec<String> = declared.keys.iter().map(ToString::to_string).collect();
        let key = path.pop()?;
        let text = declared.value;
        // What `$name` stands for is another one's to say.
        let is_reference = declared.is_reference;
        let may_become = if is_reference { None } else { self.may_become(text) };
        let (folder, overriding) = (String::new(), Some(declared.path_text()));
        Some(Own { folder, path, key, overriding, is_reference, text, may_become })
    }

    /// Returns what may stand in the place of what the project says.
    fn may_become(&self, text: Symbol) -> Option<Range> {
        if self.to_latest {
            return Some(Range::any());
        }
        let (_, version) = split_alias(&text);
        // Who asks for one version gets what a caret would allow.
        let version = Version::parse(version.trim()).ok()?;
        Range::parse(&format!("^{version}")).ok()
    }

    fn in_catalog(
        &self,
        name: Option<Symbol>,
        alias: Alias,
    ) -> Option<(String, Vec<String>, Symbol)> {
        let text = self.catalogs.get(name, alias)?;
        let mut path = match name.filter(|name| self.catalogs.named.contains_key(name)) {
            Some(name) => vec!["catalogs".to_owned(), name.to_string()],
            None => vec!["catalog".to_owned()],
        };
        if !self.project.has_object(&path) {
            path.insert(0, "workspaces".to_owned());
        }
        Some((String::new(), path, text))
    }

    fn hindrance(&self, allowed: &Allowed<'_>) -> Hindrance {
        let package = self.graph.package(allowed.dependent);
        let dependent = match (&allowed.own, &package.resolution) {
            (Some(own), _) if own.folder.is_empty() => "package.json".to_owned(),
            (Some(own), _) => format!("{}/package.json", own.folder),
            (None, Resolution::Root) => "package.json".to_owned(),
            (None, resolution) => format!("{}@{}", package.name, version_text(resolution)),
        };
        let range = allowed.own.as_ref().map_or(allowed.edge.spec, |own| own.text).to_string();
        let own = allowed.own.as_ref();
        let overriding = own.and_then(|own| own.overriding.clone());
        let is_own = own.is_some_and(|own| !own.is_reference);
        Hindrance { dependent, alias: allowed.edge.alias, range, is_own, overriding }
    }
}

impl Allowed<'_> {
    fn takes(&self, version: &Version) -> bool {
        let is_in = |range: &Range| range.satisfies(version) || range.is_star();
        self.range.as_ref().is_some_and(is_in)
            || self.own.as_ref().and_then(|own| own.may_become.as_ref()).is_some_and(is_in)
    }

    /// Returns what the project has to ask for to get this version, if it does not do so already.
    fn new_spec(&self, to: &Version) -> Option<NewSpec> {
        let own = self.own.as_ref()?;
        if self.range.as_ref().is_some_and(|range| range.satisfies(to)) {
            return None;
        }
        let (name, text) = split_alias(&own.text);
        let prefix = style(text).unwrap_or("^");
        Some(NewSpec {
            folder: own.folder.clone(),
            path: own.path.clone(),
            alias: self.edge.alias,
            key: own.key.clone(),
            overriding: own.overriding.clone(),
            from: own.text.to_string(),
            to: format!("{name}{prefix}{to}"),
        })
    }
}
