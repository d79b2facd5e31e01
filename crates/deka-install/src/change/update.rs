//! `deka update`: newer versions, within what the manifests ask for or beyond.
//!
//! What is to be updated counts as unknown to the lockfile, so the resolver picks it anew. The manifests
//! then say the versions that were picked, each in the style in which it was written.

use deka_graph::{EdgeKind, Graph, PackageId};
use deka_manifest::{
    Alias, PackageArgument, PackageJson, PackageName, Range, Spec, Symbol, Version, split_name,
};
use hashbrown::{HashMap, HashSet};

use super::{Draft, GROUPS, Row, Settling, catalog_name, group_of, spec_in};
use crate::InstallError;
use crate::project::Project;
use crate::report::UpdatedPackage;

/// Dependencies that are to be updated.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Which; without any, all. A spec is one to go to.
    pub packages: Vec<PackageArgument>,
    /// Whether ranges may be left for the newest versions.
    pub to_latest: bool,
    /// Whether exact versions are written, not ranges.
    pub is_exact: bool,
    /// Whether only dependencies of the project are updated, not theirs.
    pub direct_only: bool,
    /// Whether it is about the root and all members.
    pub is_recursive: bool,
    /// Versions that somebody chose one by one; if there are any, nothing else is updated.
    pub chosen: Vec<Chosen>,
}

/// A version that somebody chose for a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The dependency.
    pub alias: Alias,
    /// Who asks for it.
    pub place: ChosenPlace,
    /// The version.
    pub version: Version,
}

/// What asks for a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenPlace {
    /// The manifest in a folder below the root.
    Manifest(String),
    /// A catalog; `default` is the one without a name.
    Catalog(Symbol),
}

/// A dependency of a manifest, or of a catalog of the root's.
struct Entry<'a> {
    /// The folder of the manifest.
    folder: &'a str,
    /// The object that it is in.
    path: Vec<String>,
    is_catalog: bool,
    kind: EdgeKind,
    alias: Alias,
    spec: Symbol,
}

impl Update {
    fn argument(&self, alias: Alias) -> Option<&PackageArgument> {
        self.packages.iter().find(|package| package.alias == Some(alias))
    }

    fn concerns(&self, alias: Alias) -> bool {
        if !self.chosen.is_empty() {
            return self.chosen.iter().any(|chosen| chosen.alias == alias);
        }
        self.packages.is_empty() || self.argument(alias).is_some()
    }

    /// Whether it is about a dependency by its own name, or, unless versions were chosen one by one, by that of the
    /// package that it is an alias of.
    fn concerns_package(&self, alias: Alias, name: PackageName) -> bool {
        self.concerns(alias) || self.chosen.is_empty() && self.concerns(Alias::from(name))
    }

    /// Returns the version that was chosen for a dependency of this manifest or catalog.
    fn chosen(&self, alias: Alias, folder: &str, catalog: Option<&str>) -> Option<&Version> {
        let is_there = |place: &ChosenPlace| match (place, catalog) {
            (ChosenPlace::Manifest(known), None) => known == folder,
            (ChosenPlace::Catalog(known), Some(catalog)) => **known == *catalog,
            _ => false,
        };
        let chosen =
            self.chosen.iter().find(|chosen| chosen.alias == alias && is_there(&chosen.place));
        chosen.map(|chosen| &chosen.version)
    }

    /// Returns the packages of a lockfile that are to be picked anew.
    pub(super) fn outdated(
        &self,
        graph: &Graph,
        targets: &[String],
    ) -> Result<HashSet<PackageId>, InstallError> {
        let counts = |id: &PackageId| match graph.package(*id).resolution.importer_folder() {
            Some(folder) => targets.iter().any(|target| target == folder),
            None => !self.direct_only,
        };
        let mut outdated = HashSet::new();
        let mut found: HashSet<Alias> = HashSet::new();
        for dependent in graph.package_ids().filter(counts) {
            for edge in graph.edges_of(dependent) {
                let Some(target) = edge.target else { continue };
                let package = graph.package(target);
                if !self.concerns_package(edge.alias, package.name) {
                    continue;
                }
                found.extend([edge.alias, Alias::from(package.name)]);
                if package.version().is_some() {
                    outdated.insert(target);
                }
            }
        }
        let missing = self
            .packages
            .iter()
            .find(|package| package.alias.is_none_or(|alias| !found.contains(&alias)));
        match missing {
            Some(package) => Err(InstallError::NotADependency { package: package.to_string() }),
            None => Ok(outdated),
        }
    }

    pub(super) fn begin(
        &self,
        draft: &mut Draft,
        project: &mut Project,
        targets: &[String],
        locked: Option<&Graph>,
    ) -> Result<(), InstallError> {
        let names: Vec<Symbol> =
            project.members.iter().filter_map(|member| member.manifest.name).collect();
        let ahead = locked.filter(|_| self.to_latest).map(ahead).unwrap_or_default();
        for folder in targets {
            let Some(manifest) = project.manifest_of(folder) else { continue };
            let entries: Vec<(EdgeKind, Alias, Symbol)> = GROUPS
                .into_iter()
                .flat_map(|kind| {
                    group_of(manifest, kind).iter().map(move |(alias, spec)| (kind, *alias, *spec))
                })
                .filter(|(kind, alias, _)| {
                    let mut before = GROUPS.into_iter().take_while(|other| other != kind);
                    let is_shadowed =
                        before.any(|other| spec_in(group_of(manifest, other), *alias).is_some());
                    !is_shadowed && !names.contains(&alias.symbol())
                })
                .collect();
            for (kind, alias, spec) in entries {
                let path = vec![kind.field().to_owned()];
                let entry = Entry { folder, path, is_catalog: false, kind, alias, spec };
                self.begin_one(draft, project, entry, &ahead)?;
            }
        }
        self.begin_catalogs(draft, project, targets, &ahead)?;
        let is_known = |package: &&PackageArgument| {
            locked.is_some() || draft.rows.iter().any(|row| Some(row.alias) == package.alias)
        };
        match self.packages.iter().find(|package| !is_known(package)) {
            Some(package) => Err(InstallError::NotADependency { package: package.to_string() }),
            None => Ok(()),
        }
    }

    /// Updates what the manifests in question take from catalogs; the root's are everybody's.
    fn begin_catalogs(
        &self,
        draft: &mut Draft,
        project: &mut Project,
        targets: &[String],
        ahead: &HashSet<Alias>,
    ) -> Result<(), InstallError> {
        let manifest = &project.manifest;
        let unnamed = manifest.catalog.iter().map(|entry| (vec!["catalog".to_owned()], *entry));
        let named = manifest.catalogs.iter().flat_map(|(name, catalog)| {
            let path = vec!["catalogs".to_owned(), name.to_string()];
            catalog.iter().map(move |entry| (path.clone(), *entry))
        });
        let is_everybodys = targets.iter().any(String::is_empty);
        let users: Vec<&PackageJson> = project
            .manifests()
            .filter(|(folder, _)| is_everybodys || targets.iter().any(|target| target == folder))
            .map(|(_, manifest)| manifest)
            .collect();
        let is_used = |path: &[String], alias: Alias| {
            let groups = users.iter().flat_map(|user| GROUPS.map(|kind| group_of(user, kind)));
            groups.filter_map(|group| spec_in(group, alias)).any(|spec| {
                let spec = Spec::parse(alias, &spec);
                matches!(spec, Ok(Spec::Catalog(name)) if catalog_name(path) == name.map_or("default", Symbol::as_str))
            })
        };
        let entries = unnamed.chain(named).filter(|(path, (alias, _))| is_used(path, *alias));
        let entries: Vec<_> = entries.collect();
        for (path, (alias, spec)) in entries {
            let kind = EdgeKind::Prod;
            let entry = Entry { folder: "", path, is_catalog: true, kind, alias, spec };
            self.begin_one(draft, project, entry, ahead)?;
        }
        Ok(())
    }

    fn begin_one(
        &self,
        draft: &mut Draft,
        project: &mut Project,
        entry: Entry<'_>,
        ahead: &HashSet<Alias>,
    ) -> Result<(), InstallError> {
        let Entry { folder, mut path, is_catalog, kind, alias, spec } = entry;
        if ahead.contains(&alias) {
            return Ok(());
        }
        let Ok(parsed) = Spec::parse(alias, &spec) else { return Ok(()) };
        let Some((package, _)) = parsed.registry(alias) else { return Ok(()) };
        if !self.concerns_package(alias, package) {
            return Ok(());
        }
        let (name, text) = split_alias(&spec);
        let chosen = self.chosen(alias, folder, is_catalog.then(|| catalog_name(&path)));
        if !self.chosen.is_empty() {
            let Some(version) = chosen else { return Ok(()) };
            let allows = Range::parse(text).is_ok_and(|range| range.satisfies(version));
            if allows && style(text).is_none() {
                return Ok(());
            }
        }
        let chosen = chosen.map(ToString::to_string);
        let asked = self
            .argument(alias)
            .map(|package| &*package.spec)
            .filter(|spec| !spec.is_empty())
            .or(chosen.as_deref());
        let new = asked.or(self.to_latest.then_some("latest"));
        let prefix = match style(text) {
            _ if self.is_exact && new.is_some() => "",
            Some(prefix) if new.is_some() || !prefix.is_empty() => prefix,
            None if new.is_some() => "^",
            _ => return Ok(()),
        };
        if is_catalog {
            draft.drafts.edit(project, "", |editor| {
                let is_nested =
                    path.first().is_some_and(|first| editor.has_object(&["workspaces", first]));
                if is_nested {
                    path.insert(0, "workspaces".to_owned());
                }
            })?;
        }
        if let Some(new) = new {
            let new = format!("{name}{new}");
            draft.drafts.edit(project, folder, |editor| {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                editor.set(&path, alias.as_str(), &new);
            })?;
        }
        let settling = Settling { path, is_catalog, name, prefix };
        draft.rows.push(Row {
            folder: folder.to_owned(),
            kind,
            alias,
            settling: Some(settling),
            becomes_trusted: false,
            is_reported: false,
        });
        Ok(())
    }
}

/// Returns the dependencies of the project of which a prerelease is installed, which may be newer than the
/// newest release.
fn ahead(graph: &Graph) -> HashSet<Alias> {
    let is_importer = |id: &PackageId| graph.package(*id).resolution.is_importer();
    let edges = graph.package_ids().filter(is_importer).flat_map(|id| graph.edges_of(id));
    let is_prerelease = |target: PackageId| {
        graph.package(target).version().is_some_and(|version| version.to_string().contains('-'))
    };
    edges.filter(|edge| edge.target.is_some_and(is_prerelease)).map(|edge| edge.alias).collect()
}

/// Splits a spec into what stays in front of another version, such as `npm:name@`, and the range.
pub(crate) fn split_alias(spec: &str) -> (String, &str) {
    let known = |(protocol, _): &(&str, &str)| matches!(*protocol, "npm" | "jsr");
    let Some((protocol, rest)) = spec.split_once(':').filter(known) else {
        return (String::new(), spec);
    };
    // A version of the package that the dependency is named by.
    match protocol {
        "jsr" if !rest.contains('@') => return ("jsr:".to_owned(), rest),
        "npm" if rest.starts_with(|c: char| c.is_ascii_digit() || "=><^~*|".contains(c)) => {
            return (String::new(), rest);
        }
        _ => {}
    }
    let (name, range) = split_name(rest).unwrap_or((rest, ""));
    (format!("{protocol}:{name}@"), range)
}

/// Returns what stands in front of the version in a spec; `None` if it is more than one version with
/// that.
pub(crate) fn style(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let (prefix, version) = match text.as_bytes().first()? {
        b'^' => ("^", &text[1..]),
        b'~' => ("~", &text[1..]),
        _ if Version::parse(text).is_ok() => return Some(""),
        _ => return None,
    };
    let is_one = !version.contains(|c: char| c.is_whitespace() || c == '|');
    is_one.then_some(prefix)
}

/// Returns the packages of which another version is there now, those of the importer first.
pub(super) fn updates(old: &Graph, new: &Graph, importer: &str) -> Vec<UpdatedPackage> {
    let mut before: HashMap<Alias, &Version> = HashMap::new();
    for (alias, version) in direct_versions(old, importer) {
        before.entry(alias).or_insert(version);
    }
    let direct = direct_versions(new, importer);
    let of_importer = direct.iter().map(|(alias, to)| (*alias, before.get(alias).copied(), *to));

    let direct: HashSet<Alias> = direct.iter().map(|(alias, _)| *alias).collect();
    let (before, now) = (only_versions(old), only_versions(new));
    let of_others = new.packages().iter().filter_map(|package| {
        let alias = Alias::from(package.name);
        let to = now.get(&package.name).copied().flatten()?;
        let from = before.get(&package.name).copied().flatten();
        (!direct.contains(&alias)).then_some((alias, from, to))
    });
    let is_other = |(alias, from, to): (Alias, Option<&Version>, &Version)| {
        let from = from.filter(|from| *from != to)?.clone();
        Some(UpdatedPackage { alias, from, to: to.clone() })
    };
    of_importer.chain(of_others).filter_map(is_other).collect()
}

/// Returns the versions of the packages of which there is one only.
fn only_versions(graph: &Graph) -> HashMap<PackageName, Option<&Version>> {
    let mut versions = HashMap::with_capacity(graph.packages().len());
    for package in graph.packages() {
        versions
            .entry(package.name)
            .and_modify(|version| *version = None)
            .or_insert_with(|| package.version());
    }
    versions
}

fn direct_versions<'g>(graph: &'g Graph, folder: &str) -> Vec<(Alias, &'g Version)> {
    let mut edges: Vec<_> =
        graph.importer(folder).iter().flat_map(|id| graph.edges_of(*id)).collect();
    edges.sort_by_key(|edge| (edge.kind, edge.alias));
    let versions =
        edges.iter().filter_map(|edge| Some((edge.alias, graph.package(edge.target?).version()?)));
    let mut versions: Vec<_> = versions.collect();
    versions.dedup_by_key(|(alias, _)| *alias);
    versions
}

#[cfg(test)]
mod tests {
    use super::{split_alias, style};

    #[test]
    fn styles() {
        for (text, expected) in [
            ("^1.2.3", Some("^")),
            ("~1", Some("~")),
            ("1.2.3", Some("")),
            ("1", None),
            ("1.x", None),
            ("^1 || ^2", None),
            ("^1.0.0 <2", None),
            (">=1", None),
            ("*", None),
            ("", None),
            ("next", None),
        ] {
            assert_eq!(style(text), expected, "{text}");
        }
    }

    #[test]
    fn aliases() {
        for (spec, name, range) in [
            ("npm:a@^1", "npm:a@", "^1"),
            ("npm:@s/a@~1", "npm:@s/a@", "~1"),
            ("npm:@s/a", "npm:@s/a@", ""),
            ("npm:a", "npm:a@", ""),
            ("npm:^1", "", "^1"),
            ("jsr:^1", "jsr:", "^1"),
            ("jsr:latest", "jsr:", "latest"),
            ("jsr:@s/a@1.0.0", "jsr:@s/a@", "1.0.0"),
            ("jsr:@s/a", "jsr:@s/a@", ""),
            ("^1", "", "^1"),
        ] {
            assert_eq!(split_alias(spec), (name.to_owned(), range), "{spec}");
        }
    }
}
