//! What edges ask for, after aliases, overrides and catalogs: each question once.

use deka_graph::EdgeKind;
use deka_manifest::{
    Alias, InvalidSpec, PackageName, Range, Spec, Symbol, Version, VersionIndex, split_name,
};
use hashbrown::HashMap;

use crate::arena::{Arena, EdgeId, Name, NameId, NodeId, RequestId};
use crate::overrides::Dependent;
use crate::pick::{NoPick, Query};
use crate::{Catalogs, Overrides, Row};

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Want {
    /// A version from a registry.
    Registry {
        /// Of which package.
        name: NameId,
        choice: Choice,
    },
    /// A workspace by the text behind `workspace:`.
    Workspace(Symbol),
    /// Something that no registry has.
    Foreign(Spec),
    /// A catalog without such an entry.
    NotInCatalog(Symbol),
    /// Nothing that could be understood.
    Invalid(InvalidSpec),
}

/// Which of the versions.
#[derive(Debug, Clone)]
pub(crate) enum Choice {
    Range(Range),
    Tag(Symbol),
}

impl Choice {
    pub(crate) fn query(&self) -> Query<'_> {
        match self {
            Self::Range(range) => Query::Range(range),
            Self::Tag(tag) => Query::Tag(tag),
        }
    }

    pub(crate) fn range(&self) -> Option<&Range> {
        match self {
            Self::Range(range) => Some(range),
            Self::Tag(_) => None,
        }
    }
}

/// A question and what is known of its answer.
#[derive(Debug)]
pub(crate) struct Request {
    /// The name that the dependent uses.
    pub(crate) alias: Alias,
    /// The spec that counts, as its author wrote it.
    pub(crate) spec: Symbol,
    pub(crate) want: Want,
    /// Whether an override says so.
    pub(crate) is_override: bool,
    /// The range that decides which other versions would do as well; of an edge that means an alias
    /// of the root it is the edge's own.
    pub(crate) range: Option<Range>,
    /// The registry's answer, once it was asked for.
    pub(crate) best: Option<Result<VersionIndex, NoPick>>,
    /// The package that the last edge got, and how many versions of its name there were then.
    pub(crate) answer: Option<(NodeId, u32)>,
}

/// A dependency of the root or a workspace under another name than the package's own.
///
/// Whoever depends on that name means the alias, if what the alias leads to satisfies him.
#[derive(Debug)]
struct RootAlias {
    edge: EdgeId,
    target: PackageName,
    range: Range,
    /// For a peer, the version that the registry would give.
    best: Option<Version>,
    /// The bounds of the range: whoever means the alias has to accept one.
    bounds: Vec<Version>,
}

/// All questions.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    requests: Vec<Request>,
    /// By name and spec, and whether that one is an override's.
    by_text: HashMap<(Alias, Symbol, bool), RequestId>,
    root_aliases: HashMap<PackageName, RootAlias>,
}

impl Request {
    /// Returns the range that a version has to lie in, wherever it comes from.
    pub(crate) fn picking_range(&self) -> Option<&Range> {
        match &self.want {
            Want::Registry { choice, .. } => self.range.as_ref().and(choice.range()),
            _ => None,
        }
    }

    /// Returns the name by which an ancestor of the dependent would provide what a peer asks for:
    /// that of the package, also where the dependent gives it another one.
    pub(crate) fn provided_as(&self, names: &[Name]) -> Alias {
        match &self.want {
            Want::Registry { name, .. } if self.spec.trim().starts_with("npm:") => {
                names[name.index()].name.into()
            }
            _ => self.alias,
        }
    }
}

impl Requests {
    pub(crate) fn get(&self, id: RequestId) -> &Request {
        &self.requests[id.index()]
    }

    pub(crate) fn get_mut(&mut self, id: RequestId) -> &mut Request {
        &mut self.requests[id.index()]
    }

    /// Remembers the aliases among the edges of the root or a workspace.
    pub(crate) fn note_aliases(&mut self, arena: &Arena, importer: NodeId) {
        for edge in arena.edge_ids_of(importer) {
            let row = arena.edge(edge).row;
            let Ok(Spec::Alias { name, spec }) = Spec::parse(row.alias, &row.spec) else {
                continue;
            };
            let Spec::Range(range) = *spec else { continue };
            let bounds = bounds(&range);
            let alias = RootAlias { edge, target: name, range, best: None, bounds };
            self.root_aliases.entry(row.alias.to_package_name()).or_insert(alias);
        }
    }

    /// Whether it is not known yet what some alias of the root or a workspace leads to.
    pub(crate) fn has_open_aliases(&self, arena: &Arena) -> bool {
        self.root_aliases.values().any(|alias| {
            let edge = arena.edge(alias.edge);
            edge.target.is_none() && edge.row.kind != EdgeKind::Peer
        })
    }

    /// Returns the aliases among peers of the root or a workspace that lead nowhere yet: what they
    /// are an alias of, and in which range.
    pub(crate) fn open_peer_aliases<'a>(
        &'a mut self,
        arena: &'a Arena,
    ) -> impl Iterator<Item = (PackageName, &'a Range, &'a mut Option<Version>)> {
        self.root_aliases.values_mut().filter_map(|alias| {
            let edge = arena.edge(alias.edge);
            let is_open = edge.row.kind == EdgeKind::Peer && edge.target.is_none();
            is_open.then_some((alias.target, &alias.range, &mut alias.best))
        })
    }

    /// Returns what a row asks for.
    pub(crate) fn of_row(
        &mut self,
        row: &Row,
        dependent: Dependent<'_>,
        context: &mut Context<'_>,
    ) -> RequestId {
        let is_overridable = context.overrides.concerns(row.alias.symbol())
            || !context.overrides.is_empty() && row.spec.trim().starts_with("npm:");
        if !is_overridable && let Some(known) = self.by_text.get(&(row.alias, row.spec, false)) {
            return *known;
        }
        let spec = Spec::parse(row.alias, &row.spec);
        let replacement = match &spec {
            // For these it is the name in their own manifest that counts.
            Ok(spec) if spec.is_nameless() => None,
            // Aliases are not overridden unless they ask for a dist-tag, or for nothing.
            Ok(Spec::Alias { name, spec }) => {
                let is_tag = matches!(**spec, Spec::Tag(_)) || is_blank(&row.spec);
                let text = context.overrides.find(name.symbol(), spec, dependent);
                text.filter(|_| is_tag).map(|text| Symbol::new(&format!("npm:{name}@{text}")))
            }
            Ok(spec) => context.overrides.find(row.alias.symbol(), spec, dependent),
            Err(_) => None,
        };
        let Some(text) = replacement else {
            return self.of_text(row.alias, (row.spec, false), spec, context);
        };
        self.of_override(row.alias, text, context)
    }

    /// Returns what an override asks for.
    pub(crate) fn of_override(
        &mut self,
        alias: Alias,
        text: Symbol,
        context: &mut Context<'_>,
    ) -> RequestId {
        match self.by_text.get(&(alias, text, true)) {
            Some(known) => *known,
            None => self.of_text(alias, (text, true), Spec::parse(alias, &text), context),
        }
    }

    /// Returns the root's alias that is meant by a dependency of that name; an empty spec does not
    /// mean any.
    fn root_alias_for(
        &self,
        alias: Alias,
        (text, range): (Symbol, &Range),
        arena: &Arena,
    ) -> Option<&RootAlias> {
        if is_blank(&text) {
            return None;
        }
        let known = self.root_aliases.get(&alias.to_package_name())?;
        let picked = match arena.edge(known.edge).target {
            Some(target) => arena.node(target).version()?,
            None => known.best.as_ref()?,
        };
        let is_meant = known.bounds.iter().any(|bound| range.satisfies(bound))
            && (range.satisfies(picked) || range.is_star());
        is_meant.then_some(known)
    }

    fn of_text(
        &mut self,
        alias: Alias,
        (text, is_override): (Symbol, bool),
        spec: Result<Spec, InvalidSpec>,
        context: &mut Context<'_>,
    ) -> RequestId {
        let mut counting = text;
        let (want, range) = match spec {
            Ok(Spec::Catalog(catalog)) => match context.catalogs.get(catalog, alias) {
                Some(entry) => {
                    counting = entry;
                    match Spec::parse(alias, &entry) {
                        Ok(Spec::Catalog(_)) => (Want::NotInCatalog(entry), None),
                        spec => self.want(alias, spec, (counting, is_override), context),
                    }
                }
                None => (Want::NotInCatalog(text), None),
            },
            spec => self.want(alias, spec, (counting, is_override), context),
        };
        let id = RequestId(self.requests.len() as u32);
        self.requests.push(Request {
            alias,
            spec: counting,
            want,
            is_override,
            range,
            best: None,
            answer: None,
        });
        self.by_text.insert((alias, text, is_override), id);
        id
    }

    fn want(
        &self,
        alias: Alias,
        spec: Result<Spec, InvalidSpec>,
        (counting, is_override): (Symbol, bool),
        context: &mut Context<'_>,
    ) -> (Want, Option<Range>) {
        let meant = match &spec {
            Ok(Spec::Range(range)) if !is_override => {
                self.root_alias_for(alias, (counting, range), context.arena)
            }
            _ => None,
        };
        let mut registry = |name: PackageName, choice: Choice| {
            let range = choice.range().cloned();
            (Want::Registry { name: context.arena.name(name), choice }, range)
        };
        match spec {
            Ok(Spec::Range(range)) => match meant {
                Some(meant) => {
                    let (want, _) = registry(meant.target, Choice::Range(meant.range.clone()));
                    (want, Some(range))
                }
                // For Bun, no other version can stand in for what an empty spec gets.
                None if is_blank(&counting) => {
                    let (want, _) = registry(alias.to_package_name(), Choice::Range(range));
                    (want, None)
                }
                None => registry(alias.to_package_name(), Choice::Range(range)),
            },
            Ok(Spec::Tag(tag)) => registry(alias.to_package_name(), Choice::Tag(tag)),
            Ok(Spec::Alias { name, spec }) => match *spec {
                Spec::Range(range) if is_blank(&counting) => {
                    let (want, _) = registry(name, Choice::Range(range));
                    (want, None)
                }
                Spec::Range(range) => registry(name, Choice::Range(range)),
                Spec::Tag(tag) => registry(name, Choice::Tag(tag)),
                other => (Want::Foreign(other), None),
            },
            Ok(Spec::Workspace(text)) => (Want::Workspace(text), None),
            Ok(Spec::Catalog(_)) => (Want::NotInCatalog(counting), None),
            Ok(foreign) => (Want::Foreign(foreign), None),
            Err(invalid) => (Want::Invalid(invalid), None),
        }
    }
}

/// What a spec means depends on these.
pub(crate) struct Context<'a> {
    pub(crate) overrides: &'a Overrides,
    pub(crate) catalogs: &'a Catalogs,
    pub(crate) arena: &'a mut Arena,
}

/// Whether a spec names no version at all: nothing, `npm:name` or `npm:name@`.
fn is_blank(spec: &str) -> bool {
    match spec.trim().strip_prefix("npm:") {
        None => spec.trim().is_empty(),
        Some(target) => split_name(target).is_none_or(|(_, range)| range.trim().is_empty()),
    }
}

/// Returns the versions that a range is written with: for each comparator the one that it starts
/// or ends at, and zero where it has no other end.
fn bounds(range: &Range) -> Vec<Version> {
    let mut bounds = Vec::new();
    for set in range.to_string().split("||") {
        let before = bounds.len();
        for comparator in set.split_ascii_whitespace() {
            let text = comparator.trim_start_matches(['>', '<', '=']);
            // `^1` ends before 2.0.0-0; what is meant is 2.0.0.
            let text = if comparator.starts_with('<') {
                text.strip_suffix("-0").unwrap_or(text)
            } else {
                text
            };
            bounds.extend(Version::parse(text));
        }
        if bounds.len() < before + 2 {
            bounds.push(Version::new(0, 0, 0));
        }
    }
    bounds
}
