//! From what was read to what will be placed: versions, places, and what this platform and the flags leave
//! out.

use std::collections::VecDeque;
use std::sync::Arc;

use deka_config::GlobalStore;
use deka_graph::{EdgeId, Graph, HoistOptions, PackageId, hoist};
use deka_linker::Layout;
use deka_lockfile::Lockfile;
use deka_lockfile::bun::{patched_dependencies, trusted_dependencies};
use deka_manifest::{PackageName, Symbol, Target, Version};
use deka_store::Store;
use hashbrown::{HashMap, HashSet};
use tracing::trace_span;

use super::{Install, LaidOut, Surroundings};
use crate::duplicates::Duplicates;
use crate::migration::Migration;
use crate::picks::Picks;
use crate::planning::{Planned, Planning};
use crate::project::{Read, Wishes};
use crate::start::{self, Old, Start};
use crate::survey::pruned_packages;
use crate::{InstallError, peers, sections, settings, tarballs, warning, workspaces};

/// What an install keeps of a graph: not what is for other platforms, omitted, or not on the disk.
pub(super) struct Kept<'a> {
    install: &'a Install<'a>,
    target: Target,
    /// The workspaces that are not on the disk.
    pruned: HashSet<PackageId>,
}

impl Kept<'_> {
    /// Whether a package is installed for the sake of this edge.
    fn contains(&self, graph: &Graph, edge: EdgeId, package: PackageId) -> bool {
        let kind = graph.edge(edge).kind;
        !settings::omits(&self.install.config.install, kind)
            && !self.pruned.contains(&package)
            && kind.is_accepted(&self.target, &graph.package(package).platforms)
    }
}

impl<'a> Install<'a> {
    /// Picks versions where that is needed, and finds the places of all packages.
    pub(super) fn lay_out(
        &mut self,
        surroundings: &Surroundings<'_, '_>,
        start: Start,
    ) -> Result<LaidOut, InstallError> {
        let start = match (start, &self.project.lockfile) {
            (Start::Migrate, Read::Migrated(migration)) => {
                let start = self.migrate(surroundings, migration)?;
                if self.request.change.is_some() { start.for_change() } else { start }
            }
            (start, _) => start,
        };
        let is_locked = matches!(start, Start::Locked { .. });
        let mut old = None;
        let (lockfile, latest, pruned) = match start {
            Start::Locked { lockfile, pruned } => {
                (Arc::unwrap_or_clone(lockfile), HashMap::new(), pruned)
            }
            Start::Resolve(known) => {
                old = known;
                let (lockfile, latest) = self.resolve(surroundings, old.as_ref())?;
                (lockfile, latest, Vec::new())
            }
            Start::Migrate => {
                let (lockfile, latest) = self.resolve(surroundings, None)?;
                (lockfile, latest, Vec::new())
            }
        };
        let kept = self.kept(&lockfile.graph, &pruned)?;
        // Of what projects share, most is in place already, and the plan tells what is not.
        if is_locked && self.is_fresh() && !self.may_share() {
            self.want_reachable(surroundings, &lockfile.graph, &kept);
        }
        let mut layout = self.layout_of(lockfile, &kept, surroundings.engine().store)?;
        layout.latest = latest;
        if !is_locked {
            let old = old.as_ref().map(|old| &*old.lockfile);
            self.peer_conflicts = peers::new_conflicts(&layout.lockfile, &layout.tree, old);
            if self.config.install.omit.peer {
                // Who wants no peers knows that they are missing.
                self.peer_conflicts.retain(|conflict| conflict.found.is_some());
            }
        }
        Ok(layout)
    }

    /// Finds the places of all packages of a lockfile.
    pub(super) fn layout_of(
        &self,
        mut lockfile: Lockfile,
        kept: &Kept<'_>,
        store: &Store,
    ) -> Result<LaidOut, InstallError> {
        let hoisting = trace_span!("hoist");
        let tree = hoist(&mut lockfile.graph, HoistOptions::default())?;
        drop(hoisting);
        let trusted = self.project.manifest.trusted_dependencies.as_deref();
        // As with Bun, a list of which nothing is there is not the same as an empty list.
        lockfile.trusted_dependencies = trusted
            .map(|names| trusted_dependencies(names, &lockfile.graph, &tree))
            .filter(|there| !there.is_empty() || trusted.is_some_and(<[_]>::is_empty));

        let patches = &self.project.manifest.patched_dependencies;
        lockfile.patched_dependencies = patched_dependencies(patches, &lockfile.graph, &tree);

        let span = trace_span!("plan");
        let graph = &lockfile.graph;
        let is_wanted = |edge, package| kept.contains(graph, edge, package);
        let target = kept.target;
        let planning = Planning { install: self, graph, store, target, is_wanted: &is_wanted };
        let Planned { plan, kept_builds, blocked } = match self.project.layout(self.config) {
            Layout::Hoisted => planning.hoisted(&tree)?,
            Layout::Isolated => planning.isolated()?,
        };
        for skipped in &plan.skipped {
            self.reporter.warning(&format!("skipped `{}`: {}", skipped.path, skipped.reason));
        }
        drop(span);
        let plan = Arc::new(plan);
        Ok(LaidOut { lockfile, tree, plan, kept_builds, blocked, latest: HashMap::new() })
    }

    pub(super) fn kept(&self, graph: &Graph, pruned: &[Symbol]) -> Result<Kept<'_>, InstallError> {
        let pruned = pruned_packages(graph, pruned)?;
        Ok(Kept { install: self, target: settings::target(self.config), pruned })
    }

    /// Whether all that is wanted has to be placed, because there is no `node_modules` yet.
    fn is_fresh(&self) -> bool {
        let options = &self.config.install;
        if options.lockfile_only || options.dry_run || !self.filters.is_empty() {
            return false;
        }
        matches!(self.project.dir.metadata("node_modules"), Ok(None))
    }

    fn may_share(&self) -> bool {
        self.config.install.global_store != GlobalStore::Off
            && self.project.layout(self.config) == Layout::Isolated
    }

    /// Has the tarballs of a locked graph looked up or fetched while the tree is planned.
    fn want_reachable(&self, surroundings: &Surroundings<'_, '_>, graph: &Graph, kept: &Kept<'_>) {
        let mut is_reached = vec![false; graph.packages().len()];
        is_reached[PackageId::ROOT.index()] = true;
        // What is near the root comes first: frameworks and compilers, the largest, are there.
        let mut open = VecDeque::from([PackageId::ROOT]);
        let mut tarballs = Vec::with_capacity(graph.packages().len());
        while let Some(package) = open.pop_front() {
            for id in graph.edge_ids_of(package) {
                let edge = graph.edge(id);
                // What is bundled lies in the tarball of the package that bundles it.
                let target = edge.target.filter(|target| {
                    !edge.bundled
                        && !is_reached[target.index()]
                        && kept.contains(graph, id, *target)
                });
                let Some(target) = target else { continue };
                is_reached[target.index()] = true;
                open.push_back(target);
                tarballs.extend(tarballs::of_package(
                    self.config,
                    &self.project.root,
                    graph,
                    target,
                ));
            }
        }
        surroundings.want_all(tarballs);
    }

    /// Returns whether an edge of the root is wanted by the filters.
    pub(crate) fn selection(
        &self,
        graph: &Graph,
    ) -> Result<impl Fn(EdgeId, PackageId) -> bool + use<>, InstallError> {
        let root_name = self.project.manifest.name.map(Symbol::as_str);
        let selected = workspaces::select(&self.filters, graph, &self.project.root, root_name)?;
        if selected.is_empty() {
            self.reporter.warning("No member of the workspaces matches the filter");
        }
        Ok(workspaces::keeping(graph, selected))
    }

    /// Completes the lockfile of another package manager.
    fn migrate(
        &self,
        surroundings: &Surroundings<'_, '_>,
        migration: &Migration,
    ) -> Result<Start, InstallError> {
        let _span = trace_span!("migrate");
        let direct = self.project.direct_packages(&self.targets[0]);
        let mut source = surroundings.packuments(&self.local, self.config, direct);
        let (lockfile, elapsed) = migration.complete(&mut source)?;
        let lockfile = Arc::new(lockfile);
        let moved = &self.project.moved_settings.lines;
        self.reporter.migrated(migration.file, elapsed, moved);
        Start::of_migrated(&lockfile, &self.project, &self.local, self.config, self.reporter)
    }

    /// Returns what hears of picked versions.
    fn picks<'p, 'e>(
        &self,
        surroundings: &'p Surroundings<'p, 'e>,
        has_lockfile: bool,
    ) -> Picks<'p, 'e>
    where
        'a: 'p,
    {
        let options = &self.config.install;
        // What filters leave out is known only when everything is resolved.
        let are_fetched = self.filters.is_empty() && !options.lockfile_only && !options.dry_run;
        // With a lockfile most versions are not picked again.
        let asks_state = are_fetched && !has_lockfile && !options.force;
        let state = asks_state.then(|| self.last_state()).flatten();
        let placed = state.into_iter().flat_map(|state| &state.placements);
        let placed = placed.map(|placed| placed.identity).collect();
        Picks { surroundings, reporter: self.reporter, are_fetched, placed }
    }

    fn resolve(
        &mut self,
        surroundings: &Surroundings<'_, '_>,
        old: Option<&Old>,
    ) -> Result<(Lockfile, HashMap<PackageName, Option<Version>>), InstallError> {
        let _span = trace_span!("resolve");
        let direct = self.project.direct_packages(&self.targets[0]);
        let mut source = surroundings.packuments(&self.local, self.config, direct);
        let mut picks = self.picks(surroundings, old.is_some());
        if let Some(change) = &self.request.change {
            let drafts = std::mem::take(&mut self.draft.drafts);
            let locked = old.map(|old| &old.lockfile.graph);
            let (project, targets) = (&mut self.project, &self.targets);
            self.draft = change.begin(project, targets, locked, &mut source, drafts)?;
        }
        let deduplicates = self.request.deduplicates;
        let preferred = match (&self.request.change, &self.project.lockfile) {
            (Some(change), _) => change.preferred(),
            (None, Read::Conflicted { readings, .. }) => start::versions(readings),
            (None, _) => HashMap::new(),
        };
        let wishes = Wishes { deduplicates, preferred };
        let mut resolved =
            self.project.resolve(self.config, old, wishes, &mut source, &mut picks)?;
        for warning in &resolved.warnings {
            self.reporter.warning(&warning::text(warning));
        }
        let old = old.map(|old| &*old.lockfile);
        let locked = old.map(|old| &old.graph);
        self.draft.settle(&mut self.project, locked, &mut resolved.graph)?;
        if let Some(old) = old.filter(|_| deduplicates) {
            let duplicates = Duplicates::between(&old.graph, &resolved.graph);
            if self.config.install.is_frozen() && !duplicates.removed.is_empty() {
                let changes = duplicates.removed.iter().map(ToString::to_string).collect();
                return Err(InstallError::Frozen { changes });
            }
            self.duplicates = Some(duplicates);
        }
        let extensions = sections::package_extensions(&resolved.graph, &resolved.extensions);
        let mut lockfile = self.project.new_lockfile(old, resolved.graph);
        lockfile.package_extensions = extensions;
        Ok((lockfile, source.into_latest()))
    }
}
