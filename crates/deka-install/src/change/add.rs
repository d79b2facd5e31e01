//! `deka add`: which group gets which spec.

use deka_graph::{EdgeKind, Resolution};
use deka_manifest::{Alias, PackageArgument, Spec, Symbol};
use deka_resolver::{ForeignError, ForeignId, ForeignRequest, PackumentSource, SourceAnswer};

use super::{Draft, GROUPS, Row, Settling, group_of, spec_in, split_alias};
use crate::InstallError;
use crate::project::Project;

/// Packages that are to be dependencies.
#[derive(Debug, Clone, Default)]
pub struct Addition {
    /// What is added.
    pub packages: Vec<PackageArgument>,
    /// To which group; `None` for the one that has it already, else `dependencies`.
    pub group: Option<EdgeKind>,
    /// Whether the exact version is written, not a range.
    pub is_exact: bool,
    /// Whether what is a dependency already is left as it is.
    pub only_missing: bool,
    /// Whether the packages may run scripts.
    pub is_trusted: bool,
    /// The catalog that gets the version; empty for the one without a name.
    pub catalog: Option<Box<str>>,
}

impl Addition {
    pub(super) fn begin(
        &self,
        draft: &mut Draft,
        project: &mut Project,
        folder: &str,
        source: &mut dyn PackumentSource,
    ) -> Result<(), InstallError> {
        if self.catalog.is_some() && project.manifest.workspaces.is_none() {
            return Err(InstallError::NoCatalogs);
        }
        let mut seen: Vec<Alias> = Vec::new();
        for package in &self.packages {
            let alias = match package.alias {
                Some(alias) => alias,
                None => name_of(project, folder, package, source)?,
            };
            let Some(manifest) = project.manifest_of(folder) else { continue };
            let known =
                GROUPS.into_iter().find(|kind| spec_in(group_of(manifest, *kind), alias).is_some());
            if seen.contains(&alias) || (self.only_missing && known.is_some()) {
                continue;
            }
            seen.push(alias);
            let before = known.and_then(|kind| spec_in(group_of(manifest, kind), alias));
            let kind = self.group.or(known).unwrap_or(EdgeKind::Prod);
            let (spec, settling) = self.spec(draft, project, package, (alias, kind, before))?;
            draft.drafts.edit(project, folder, |editor| {
                let leaves = |other: EdgeKind| self.group.is_some() && !may_be_beside(other, kind);
                for other in GROUPS.into_iter().filter(|other| leaves(*other)) {
                    editor.remove(&[other.field()], alias.as_str());
                }
                editor.set(&[kind.field()], alias.as_str(), &spec);
                // As with Bun, the group that was chosen is sorted, not one that had the name before.
                if kind == self.group.unwrap_or(EdgeKind::Prod) {
                    editor.sort(&[kind.field()]);
                }
            })?;
            let (folder, becomes_trusted) = (folder.to_owned(), self.is_trusted);
            draft.rows.push(Row {
                folder,
                kind,
                alias,
                settling,
                becomes_trusted,
                is_reported: true,
            });
        }
        Ok(())
    }

    /// Returns what the manifest will say before versions are known, and where they will be written.
    fn spec(
        &self,
        draft: &mut Draft,
        project: &mut Project,
        package: &PackageArgument,
        (alias, kind, before): (Alias, EdgeKind, Option<Symbol>),
    ) -> Result<(String, Option<Settling>), InstallError> {
        let is_member = |alias: Alias| {
            let mut members = project.members.iter();
            members.any(|member| member.manifest.name.is_some_and(|name| *name == *alias.as_str()))
        };
        if package.spec.is_empty() && is_member(alias) {
            return Ok(("workspace:*".to_owned(), None));
        }
        if let Some(catalog) = &self.catalog {
            let settling = self.set_in_catalog(draft, project, (package, alias), catalog)?;
            return Ok((format!("catalog:{catalog}"), settling));
        }
        // What is as in the catalog is taken from there; who wrote so before wants it apart.
        let had_catalog = before.is_some_and(|before| before.starts_with("catalog:"));
        let shared = spec_in(&project.manifest.catalog, alias);
        let is_same = |shared: Symbol| *shared == *package.spec && !had_catalog;
        if shared.is_some_and(|shared| package.spec.is_empty() || is_same(shared)) {
            return Ok(("catalog:".to_owned(), None));
        }
        let text = text_of(package);
        let settling = self.prefix(alias, text).map(|(prefix, _)| Settling {
            path: vec![kind.field().to_owned()],
            is_catalog: false,
            name: split_alias(text).0,
            prefix,
        });
        Ok((text.to_owned(), settling))
    }

    /// Puts a package into a catalog, unless it has it already and no version is asked for.
    fn set_in_catalog(
        &self,
        draft: &mut Draft,
        project: &mut Project,
        (package, alias): (&PackageArgument, Alias),
        catalog: &str,
    ) -> Result<Option<Settling>, InstallError> {
        let manifest = &project.manifest;
        let known = match catalog {
            "" | "default" => spec_in(&manifest.catalog, alias),
            name => {
                let mut catalogs = manifest.catalogs.iter();
                let found = catalogs.find(|(known, _)| known.as_str() == name);
                found.and_then(|(_, catalog)| spec_in(catalog, alias))
            }
        };
        if package.spec.is_empty() && known.is_some() {
            return Ok(None);
        }
        let text = text_of(package);
        let parsed = Spec::parse(alias, text);
        if !matches!(parsed, Ok(Spec::Range(_) | Spec::Tag(_) | Spec::Alias { .. })) {
            return Err(InstallError::NotForCatalogs { package: package.to_string() });
        }
        let mut path = match catalog {
            "" | "default" => vec!["catalog".to_owned()],
            name => vec!["catalogs".to_owned(), name.to_owned()],
        };
        draft.drafts.edit(project, "", |editor| {
            if editor.has_object(&["workspaces"]) {
                path.insert(0, "workspaces".to_owned());
            }
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            editor.set(&path, alias.as_str(), text);
            editor.sort(&path);
        })?;
        let prefix = self.prefix(alias, text);
        let settling = prefix.filter(|(_, spec)| !matches!(spec, Spec::Alias { .. }));
        Ok(settling.map(|(prefix, _)| Settling {
            path,
            is_catalog: true,
            name: String::new(),
            prefix,
        }))
    }

    /// Returns what stands in front of the version that is written in place of `text`; `None` if `text`
    /// stays.
    fn prefix(&self, alias: Alias, text: &str) -> Option<(&'static str, Spec)> {
        let spec = Spec::parse(alias, text).ok()?;
        let asked = match &spec {
            Spec::Alias { spec, .. } => spec,
            spec => spec,
        };
        let is_open = matches!(asked, Spec::Tag(_))
            || (matches!(spec, Spec::Alias { .. }) && spec.is_any() && !text.ends_with('*'));
        let is_range = matches!(asked, Spec::Tag(_) | Spec::Range(_));
        match (self.is_exact && is_range, is_open) {
            (true, _) => Some(("", spec)),
            (false, true) => Some(("^", spec)),
            (false, false) => None,
        }
    }
}

fn text_of(package: &PackageArgument) -> &str {
    if package.spec.is_empty() { "latest" } else { &package.spec }
}

/// Whether a name may be in a group beside the one that it is added to: a peer is often a development
/// dependency as well.
fn may_be_beside(other: EdgeKind, added_to: EdgeKind) -> bool {
    match added_to {
        EdgeKind::Peer => matches!(other, EdgeKind::Peer | EdgeKind::Dev),
        _ => other == added_to || other == EdgeKind::Peer,
    }
}

/// Finds out what a package is called that was named by its place.
fn name_of(
    project: &Project,
    folder: &str,
    package: &PackageArgument,
    source: &mut dyn PackumentSource,
) -> Result<Alias, InstallError> {
    let failed =
        |source| InstallError::Unnamed { package: package.to_string(), source: Box::new(source) };
    let nameless = || failed(ForeignError::NotFound("name".to_owned()));
    let placeholder = Alias::parse("(nameless)").map_err(|_| nameless())?;
    let spec = Spec::parse(placeholder, &package.spec).map_err(|_| nameless())?;
    let declared_by = match folder {
        "" => Resolution::Root,
        folder => Resolution::Workspace(Symbol::new(folder)),
    };
    // Nobody else asks yet.
    let id = ForeignId(u32::MAX);
    source.request_foreign(id, ForeignRequest { alias: placeholder, spec, declared_by });
    while let Some(answer) = source.wait() {
        let SourceAnswer::Foreign(answered, answer) = answer else { continue };
        if answered != id {
            continue;
        }
        let found = answer.map_err(failed)?;
        let name = match &found.resolution {
            Resolution::Workspace(path) => {
                project.manifest_of(path).and_then(deka_manifest::PackageJson::package_name)
            }
            _ => Some(found.name),
        };
        let name = name.filter(|name| name.as_str() != placeholder.as_str());
        return name.map(Alias::from).ok_or_else(nameless);
    }
    Err(nameless())
}
