//! `--filter`: which members of the workspaces an install is for.
//!
//! ```text
//! web, @scope/*     by name                     web...     with all that it depends on
//! ./apps/*          by folder                   ...web     with all that depend on it
//! {apps}            all in or below a folder    web^...    only what it depends on
//! [main]            changed since that commit   ...^web    only what depends on it
//! !web              all but these               web{apps}[main]
//! ```
//! The words are pnpm's and Bun's. Folders are relative to where deka was started.

use std::path::Path;
use std::process::Command;

use deka_graph::{EdgeId, EdgeKind, Graph, PackageId};
use hashbrown::{HashMap, HashSet};

use super::Glob;
use crate::InstallError;

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    is_negated: bool,
    dependents: Reach,
    dependencies: Reach,
    name: Option<Glob>,
    folder: Option<Folder>,
    since: Option<String>,
}

/// How far a filter goes from what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Itself,
    Beyond { with_itself: bool },
}

/// Where a member has to lie.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Folder {
    Fitting(Glob),
    InOrBelow(String),
}

/// Members as filters see them: the root is the first.
struct Members<'a> {
    graph: &'a Graph,
    ids: Vec<PackageId>,
    paths: Vec<&'a str>,
    names: Vec<&'a str>,
}

impl Filter {
    /// Reads a filter; `start` is the folder below the root that paths are relative to.
    pub(crate) fn parse(text: &str, start: &str) -> Self {
        let (is_negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (dependents, text) = match text.strip_prefix("...") {
            Some(rest) => match rest.strip_prefix('^') {
                Some(rest) => (Reach::Beyond { with_itself: false }, rest),
                None => (Reach::Beyond { with_itself: true }, rest),
            },
            None => (Reach::Itself, text),
        };
        let (dependencies, text) = match text.strip_suffix("...") {
            Some(rest) => match rest.strip_suffix('^') {
                Some(rest) => (Reach::Beyond { with_itself: false }, rest),
                None => (Reach::Beyond { with_itself: true }, rest),
            },
            None => (Reach::Itself, text),
        };
        let (text, since) = split_end(text, '[', ']');
        let (text, folder) = split_end(text, '{', '}');
        let is_path =
            text.starts_with("./") || text.starts_with("../") || [".", ".."].contains(&text);
        let folder = match folder {
            Some(folder) => Some(Folder::InOrBelow(join(start, folder))),
            None if is_path => Some(Folder::Fitting(Glob::parse(&join(start, text)))),
            None => None,
        };
        let name = (!is_path && !matches!(text, "" | "*" | "**")).then(|| Glob::parse(text));
        Self {
            is_negated,
            dependents,
            dependencies,
            name,
            folder,
            since: since.map(ToOwned::to_owned),
        }
    }

    /// Whether it is about one member, not about many.
    pub(crate) fn names_one(&self) -> bool {
        let folder = match &self.folder {
            Some(Folder::Fitting(glob)) => Some(glob),
            Some(Folder::InOrBelow(_)) => return false,
            None => None,
        };
        let mut globs = self.name.iter().chain(folder).peekable();
        !self.is_negated && globs.peek().is_some() && globs.all(|glob| glob.literal().is_some())
    }

    /// Whether the answer depends on more than the project's files.
    pub(crate) fn asks_git(&self) -> bool {
        self.since.is_some()
    }

    fn fits(&self, name: &str, path: &str, changed: Option<&HashSet<usize>>, at: usize) -> bool {
        let is_in_folder = self.folder.as_ref().is_none_or(|folder| match folder {
            Folder::Fitting(glob) => glob.matches(path),
            Folder::InOrBelow(folder) => {
                folder.is_empty()
                    || path
                        .strip_prefix(folder.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        });
        is_in_folder
            && self.name.as_ref().is_none_or(|glob| glob.matches(name))
            && changed.is_none_or(|changed| changed.contains(&at))
    }
}

/// Returns the root and the members that filters let pass: what one of them names, without what one
/// with `!` does; if all have `!`, of all members. `root_name` is the name in the root's manifest.
pub(crate) fn select(
    filters: &[Filter],
    graph: &Graph,
    root: &Path,
    root_name: Option<&str>,
) -> Result<HashSet<PackageId>, InstallError> {
    let members = Members::new(graph, root_name);
    let mut selected: HashSet<usize> = HashSet::new();
    if filters.iter().all(|filter| filter.is_negated) {
        selected.extend(0..members.ids.len());
    }
    let mut changed: HashMap<&str, HashSet<usize>> = HashMap::new();
    for filter in filters {
        if let Some(since) = &filter.since
            && !changed.contains_key(since.as_str())
        {
            changed.insert(since, members.changed_since(root, since)?);
        }
    }
    for is_negated in [false, true] {
        for filter in filters.iter().filter(|filter| filter.is_negated == is_negated) {
            let changed = filter.since.as_deref().and_then(|since| changed.get(since));
            let named = (0..members.ids.len())
                .filter(|at| filter.fits(members.names[*at], members.paths[*at], changed, *at))
                .collect();
            for at in members.reached(filter, &named) {
                if is_negated {
                    selected.remove(&at);
                } else {
                    selected.insert(at);
                }
            }
        }
    }
    Ok(selected.into_iter().map(|at| members.ids[at]).collect())
}

/// Returns whether an edge is followed when only the `selected` of root and members are wanted.
pub(crate) fn keeping(
    graph: &Graph,
    selected: HashSet<PackageId>,
) -> impl Fn(EdgeId, PackageId) -> bool + use<> {
    let own = graph.package(PackageId::ROOT).edges.clone();
    let count =
        own.clone().take_while(|edge| graph.edge(EdgeId(*edge)).kind == EdgeKind::Workspace);
    let members = own.start..own.start + count.count() as u32;
    move |edge: EdgeId, package| {
        if members.contains(&edge.0) {
            selected.contains(&package)
        } else {
            !own.contains(&edge.0) || selected.contains(&PackageId::ROOT)
        }
    }
}

/// Returns the members that filters select, the root first; "all" means the members, the root is one that has to be
/// named.
pub(crate) fn select_manifests(
    filters: &[Filter],
    graph: &Graph,
    root: &Path,
    root_name: Option<&str>,
) -> Result<Vec<PackageId>, InstallError> {
    let selected = select(filters, graph, root, root_name)?;
    let exact: Vec<Filter> = filters.iter().filter(|filter| filter.names_one()).cloned().collect();
    let names_root =
        !exact.is_empty() && select(&exact, graph, root, root_name)?.contains(&PackageId::ROOT);
    let is_wanted =
        |id: &PackageId| selected.contains(id) && (names_root || *id != PackageId::ROOT);
    Ok(graph.package_ids().filter(is_wanted).collect())
}

impl<'a> Members<'a> {
    fn new(graph: &'a Graph, root_name: Option<&'a str>) -> Self {
        let mut members = Self { graph, ids: Vec::new(), paths: Vec::new(), names: Vec::new() };
        for id in graph.package_ids() {
            let package = graph.package(id);
            let Some(path) = package.resolution.importer_folder() else { continue };
            let is_root = id == PackageId::ROOT;
            let name = if is_root { root_name.unwrap_or_default() } else { package.name.as_str() };
            members.ids.push(id);
            members.paths.push(path);
            members.names.push(name);
        }
        members
    }

    /// Returns what a filter reaches from those that it names.
    fn reached(&self, filter: &Filter, named: &HashSet<usize>) -> HashSet<usize> {
        let mut reached = HashSet::new();
        let mut is_named = true;
        for (reach, is_forward) in [(filter.dependencies, true), (filter.dependents, false)] {
            if let Reach::Beyond { with_itself } = reach {
                is_named &= with_itself;
                reached.extend(self.closure(named, is_forward));
            }
        }
        if is_named {
            reached.extend(named);
        }
        reached
    }

    /// Returns all that the members of `from` depend on, or that depend on them.
    fn closure(&self, from: &HashSet<usize>, is_forward: bool) -> HashSet<usize> {
        let at_of: HashMap<PackageId, usize> =
            self.ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); self.ids.len()];
        for (at, id) in self.ids.iter().enumerate() {
            for edge in self.graph.edges_of(*id) {
                let target = edge.target.and_then(|target| at_of.get(&target));
                let is_listed = edge.kind == deka_graph::EdgeKind::Workspace;
                if let Some(target) = target.filter(|target| !is_listed && **target != at) {
                    let (from, to) = if is_forward { (at, *target) } else { (*target, at) };
                    next[from].push(to);
                }
            }
        }
        let mut found = HashSet::new();
        let mut open: Vec<usize> = from.iter().copied().collect();
        while let Some(at) = open.pop() {
            open.extend(next[at].iter().filter(|to| found.insert(**to)));
        }
        found
    }

    /// Returns the members that have files which are not what they were in a commit of git.
    fn changed_since(&self, root: &Path, commit: &str) -> Result<HashSet<usize>, InstallError> {
        let files = [
            &[
                "diff",
                "--name-only",
                // What was moved has gone from one member and come to another.
                "--no-renames",
                "--relative",
                "-z",
                "--end-of-options",
                commit,
                "--",
            ][..],
            &["ls-files", "--others", "--exclude-standard", "-z"],
        ];
        let mut changed = HashSet::new();
        for arguments in files {
            let failed = |message: String| InstallError::Git { commit: commit.to_owned(), message };
            let output = Command::new("git")
                .args(arguments)
                .current_dir(root)
                .output()
                .map_err(|error| failed(error.to_string()))?;
            if !output.status.success() {
                return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
            }
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            changed.extend(names.split('\0').filter(|name| !name.is_empty()).map(|file| {
                // The member whose folder is the longest that leads to the file; else the root.
                let is_around = |at: &usize| {
                    let path = self.paths[*at];
                    path.is_empty()
                        || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
                };
                let around = (0..self.ids.len()).filter(is_around);
                around.max_by_key(|at| self.paths[*at].len()).unwrap_or(0)
            }));
        }
        Ok(changed)
    }
}

/// Splits `text[end]` at its last bracket.
fn split_end(text: &str, open: char, close: char) -> (&str, Option<&str>) {
    let inner = text.strip_suffix(close).and_then(|rest| rest.rsplit_once(open));
    inner.map_or((text, None), |(before, inner)| (before, Some(inner)))
}

/// Joins a path to the folder that it is relative to; both lie below the root.
fn join(start: &str, path: &str) -> String {
    let mut names: Vec<&str> = start.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filter: &str, start: &str, fitting: &[(&str, &str)], others: &[(&str, &str)]) {
        let filter = Filter::parse(filter, start);
        for (name, path) in fitting {
            assert!(filter.fits(name, path, None, 0), "{filter:?} should fit {name} in {path}");
        }
        for (name, path) in others {
            assert!(
                !filter.fits(name, path, None, 0),
                "{filter:?} should not fit {name} in {path}"
            );
        }
    }

    #[test]
    fn names_and_folders() {
        check("web", "", &[("web", "apps/web")], &[("web2", "web"), ("@s/web", "x")]);
        check("@s/*", "", &[("@s/a", "a")], &[("s", "a")]);
        check("*", "", &[("@s/a", "a"), ("root", "")], &[]);
        check("./apps/*", "", &[("x", "apps/a")], &[("apps/a", "b"), ("x", "apps/a/b")]);
        check("./", "", &[("x", "")], &[("x", "a")]);
        check("../b", "packages/a", &[("x", "packages/b")], &[("x", "b")]);
        check("{apps}", "", &[("x", "apps/a"), ("x", "apps")], &[("x", "apps2"), ("x", "")]);
        check("web{apps}", "", &[("web", "apps/a")], &[("x", "apps/a"), ("web", "b")]);
    }

    #[test]
    fn reach() {
        let read = |text: &str| {
            let filter = Filter::parse(text, "");
            (filter.is_negated, filter.dependents, filter.dependencies, filter.since)
        };
        let (with, without) =
            (Reach::Beyond { with_itself: true }, Reach::Beyond { with_itself: false });
        assert_eq!(read("a"), (false, Reach::Itself, Reach::Itself, None));
        assert_eq!(read("!...a"), (true, with, Reach::Itself, None));
        assert_eq!(read("...^a"), (false, without, Reach::Itself, None));
        assert_eq!(read("a^..."), (false, Reach::Itself, without, None));
        let since = Some("main".to_owned());
        assert_eq!(read("...{apps}[main]..."), (false, with, with, since));
    }
}
