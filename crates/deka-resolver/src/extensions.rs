//! `packageExtensions`: dependencies that a project adds to the manifests of packages.
//!
//! What a manifest says itself is never replaced; only what it lacks is added. The lockfile repeats
//! which names were added, so that they go again when the project does not want them any more.

use deka_graph::{EdgeKind, Graph, PackageId};
use deka_manifest::{Alias, PackageExtension, PackageName, Range, Symbol, Version, split_name};
use hashbrown::{HashMap, HashSet};

use crate::{Locked, Row};

/// All extensions, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Extensions {
    by_name: HashMap<PackageName, Vec<Extension>>,
}

#[derive(Debug, Clone)]
struct Extension {
    /// The versions that are meant; all if there is none.
    range: Option<Range>,
    rows: Vec<Row>,
    optional_peers: Vec<Alias>,
}

/// What was added to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Added {
    /// What is new.
    pub what: Addition,
    /// The name of the dependency.
    pub alias: Alias,
}

/// What an extension does to a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Addition {
    /// Adds it, as a needed or an optional one.
    Dependency,
    /// Adds it as a peer.
    Peer,
    /// Makes a peer optional that the package has itself.
    OptionalPeer,
}

impl Extensions {
    /// Prepares the extensions of the root's manifest; those for what is no package or no range count
    /// for nothing.
    pub fn new(list: &[PackageExtension]) -> Self {
        let mut by_name: HashMap<PackageName, Vec<Extension>> = HashMap::new();
        for extension in list {
            let text = extension.package.as_str();
            let (name, range) =
                split_name(text).map_or((text, None), |(name, range)| (name, Some(range)));
            let Ok(name) = PackageName::parse(name) else { continue };
            let range = match range.map(Range::parse) {
                None => None,
                Some(Ok(range)) => Some(range),
                Some(Err(_)) => continue,
            };
            let groups = [
                (EdgeKind::Prod, &extension.dependencies),
                (EdgeKind::Optional, &extension.optional_dependencies),
                (EdgeKind::Peer, &extension.peer_dependencies),
            ];
            let rows = groups.into_iter().flat_map(|(kind, group)| {
                group.iter().map(move |(alias, spec)| Row {
                    optional_peer: kind == EdgeKind::Peer
                        && extension.optional_peers.contains(alias),
                    ..Row::new(*alias, *spec, kind)
                })
            });
            by_name.entry(name).or_default().push(Extension {
                range,
                rows: rows.collect(),
                optional_peers: extension.optional_peers.clone(),
            });
        }
        Self { by_name }
    }

    /// Adds to a manifest's rows what it lacks; returns that by name.
    pub(crate) fn extend(
        &self,
        name: PackageName,
        version: &Version,
        rows: &mut Vec<Row>,
    ) -> Vec<Added> {
        let mut added = Vec::new();
        for extension in self.by_name.get(&name).into_iter().flatten() {
            if extension.range.as_ref().is_some_and(|range| !range.satisfies(version)) {
                continue;
            }
            for row in &extension.rows {
                match rows.iter_mut().find(|known| known.alias == row.alias) {
                    None => {
                        rows.push(*row);
                        let is_peer = row.kind == EdgeKind::Peer;
                        let what = if is_peer { Addition::Peer } else { Addition::Dependency };
                        added.push(Added { what, alias: row.alias });
                    }
                    Some(known)
                        if known.kind == EdgeKind::Peer
                            && !known.optional_peer
                            && extension.optional_peers.contains(&row.alias) =>
                    {
                        known.optional_peer = true;
                        added.push(Added { what: Addition::OptionalPeer, alias: row.alias });
                    }
                    Some(_) => {}
                }
            }
        }
        added.sort_unstable();
        added
    }

    /// Whether the lockfile's packages have just the edges that these extensions add.
    pub fn hold_for(&self, graph: &Graph, added: &HashMap<Symbol, HashSet<Added>>) -> bool {
        if self.by_name.is_empty() && added.is_empty() {
            return true;
        }
        graph.package_ids().all(|id| {
            self.extended_rows(graph, id, added).is_none_or(|(mut rows, _)| {
                let mut known = rows_of_edges(graph, id);
                known.sort_by_key(|row| (row.kind, row.alias));
                rows.sort_by_key(|row| (row.kind, row.alias));
                rows == known
            })
        })
    }

    /// Returns what a package of the lockfile depends on with these extensions in the place of those
    /// that held then; `None` if neither concerns it.
    pub(crate) fn extended_rows(
        &self,
        graph: &Graph,
        id: PackageId,
        added: &HashMap<Symbol, HashSet<Added>>,
    ) -> Option<(Vec<Row>, Vec<Added>)> {
        let package = graph.package(id);
        let version = package.version()?;
        let before = (!added.is_empty())
            .then(|| added.get(&Symbol::new(&format!("{}@{version}", package.name))))
            .flatten();
        if before.is_none() && !self.by_name.contains_key(&package.name) {
            return None;
        }
        let mut rows = rows_of_edges(graph, id);
        if let Some(before) = before {
            let has = |what, row: &Row| before.contains(&Added { what, alias: row.alias });
            rows.retain(|row| !has(Addition::Dependency, row) && !has(Addition::Peer, row));
            for row in &mut rows {
                row.optional_peer &= !has(Addition::OptionalPeer, row);
            }
        }
        let added = self.extend(package.name, version, &mut rows);
        Some((rows, added))
    }
}

impl Locked<'_> {
    /// Returns what a package depends on, and what of that extensions added.
    pub(crate) fn rows_of(&self, id: PackageId, extensions: &Extensions) -> (Vec<Row>, Vec<Added>) {
        extensions
            .extended_rows(self.graph, id, self.added)
            .unwrap_or_else(|| (rows_of_edges(self.graph, id), Vec::new()))
    }
}

fn rows_of_edges(graph: &Graph, id: PackageId) -> Vec<Row> {
    let edges = graph.edges_of(id).iter();
    edges
        .map(|edge| Row {
            alias: edge.alias,
            spec: edge.spec,
            kind: edge.kind,
            optional_peer: edge.optional_peer,
            bundled: edge.bundled,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use deka_manifest::PackageJson;

    use super::*;

    /// Extends a package `p` that depends on `x` and has the peer `y`.
    fn check(extensions: &str, version: &str, expected: &[(&str, &str)]) {
        let manifest = format!(r#"{{"packageExtensions":{extensions}}}"#);
        let manifest = PackageJson::parse(manifest.as_bytes()).unwrap();
        let extensions = Extensions::new(&manifest.package_extensions);
        let row =
            |alias: &str, kind| Row::new(Alias::parse(alias).unwrap(), Symbol::new("1"), kind);
        let mut rows = vec![row("x", EdgeKind::Prod), row("y", EdgeKind::Peer)];
        let name = PackageName::parse("p").unwrap();
        extensions.extend(name, &Version::parse(version).unwrap(), &mut rows);
        let found: Vec<(&str, String)> = rows
            .iter()
            .map(|row| {
                let optional = if row.optional_peer { "?" } else { "" };
                (row.alias.as_str(), format!("{:?}{optional} {}", row.kind, row.spec))
            })
            .collect();
        let expected: Vec<(&str, String)> = [("x", "Prod 1"), ("y", "Peer 1")]
            .into_iter()
            .filter(|(alias, _)| expected.iter().all(|(other, _)| other != alias))
            .chain(expected.iter().copied())
            .map(|(alias, text)| (alias, text.to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_lacking_is_added() {
        check(r#"{"p":{"dependencies":{"x":"2","z":"3"}}}"#, "1.0.0", &[("z", "Prod 3")]);
        check(r#"{"p@^1":{"optionalDependencies":{"z":"3"}}}"#, "1.5.0", &[("z", "Optional 3")]);
        check(r#"{"p@^1":{"dependencies":{"z":"3"}}}"#, "2.0.0", &[]);
        check(r#"{"q":{"dependencies":{"z":"3"}}}"#, "1.0.0", &[]);
    }

    #[test]
    fn a_peer_may_become_optional() {
        let extensions = r#"{"p":{"peerDependenciesMeta":{"y":{"optional":true}}}}"#;
        check(extensions, "1.0.0", &[("y", "Peer? 1")]);
    }
}
