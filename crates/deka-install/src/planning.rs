//! From a graph to the plan of `node_modules`, in either layout.

use deka_graph::{EdgeId, Graph, HoistedTree, PackageId};
use deka_linker::{HoistPatterns, IsolatedTree, LinkPlan, NativeBins, PlanOptions};
use deka_manifest::Target;
use deka_store::Store;
use hashbrown::HashSet;

use crate::install::Install;
use crate::scripts::{Deciding, Decision, decide};
use crate::{InstallError, shared};

/// What is known before there is a plan.
pub(crate) struct Planning<'a> {
    pub(crate) install: &'a Install<'a>,
    pub(crate) graph: &'a Graph,
    pub(crate) store: &'a Store,
    pub(crate) target: Target,
    /// Whether an edge to a package is followed: not to what this platform or `--omit` leaves out.
    pub(crate) is_wanted: &'a dyn Fn(EdgeId, PackageId) -> bool,
}

/// A plan, and what was decided about scripts.
pub(crate) struct Planned {
    pub(crate) plan: LinkPlan,
    /// The packages whose builds the store keeps.
    pub(crate) kept_builds: HashSet<PackageId>,
    /// The packages with scripts that nobody trusts.
    pub(crate) blocked: HashSet<PackageId>,
}

impl Planning<'_> {
    /// Plans the hoisted layout; `tree` has the places of all that the lockfile names.
    pub(crate) fn hoisted(&self, tree: &HoistedTree) -> Result<Planned, InstallError> {
        let graph = self.graph;
        let wanted = tree.pruned(graph, self.is_wanted);
        let present = wanted.nodes().iter().map(|node| node.package).collect();
        let (options, kept_builds, blocked) = self.options(&present);
        let mut plan = LinkPlan::hoisted(graph, &wanted, &options)?;
        if self.has_filters() {
            let is_selected = self.install.selection(graph)?;
            let filtered = tree.pruned(graph, &|edge, package| {
                (self.is_wanted)(edge, package) && is_selected(edge, package)
            });
            let filtered = LinkPlan::hoisted(graph, &filtered, &options)?;
            plan.keep_parts(&filtered, self.install.last_state());
        }
        Ok(Planned { plan, kept_builds, blocked })
    }

    /// Plans the isolated layout.
    pub(crate) fn isolated(&self) -> Result<Planned, InstallError> {
        let graph = self.graph;
        let install = &self.install.config.install;
        let patterns = HoistPatterns::new(
            install.hoist_pattern.as_deref(),
            install.public_hoist_pattern.as_deref(),
        );
        let wanted = IsolatedTree::new(graph, &patterns, self.is_wanted);
        let (mut options, kept_builds, blocked) = self.options(&wanted.packages().collect());
        let Install { project, config, reporter, .. } = self.install;
        options.shared = shared::places(project, config, *reporter);
        let mut plan = LinkPlan::isolated(graph, &wanted, &options)?;
        if self.has_filters() {
            let is_selected = self.install.selection(graph)?;
            let filtered = IsolatedTree::new(graph, &patterns, &|edge, package| {
                (self.is_wanted)(edge, package) && is_selected(edge, package)
            });
            let whole = plan;
            plan = LinkPlan::isolated(graph, &filtered, &options)?;
            if let Some(old) = self.install.last_state() {
                plan.add_parts(whole, old);
            }
        }
        Ok(Planned { plan, kept_builds, blocked })
    }

    fn has_filters(&self) -> bool {
        !self.install.filters.is_empty()
    }

    /// Decides about scripts; returns the packages whose builds are kept, and those that are blocked,
    /// besides.
    fn options(
        &self,
        present: &HashSet<PackageId>,
    ) -> (PlanOptions, HashSet<PackageId>, HashSet<PackageId>) {
        let Install { request, config, project, local, allowances, .. } = self.install;
        let native_bins = NativeBins::default();
        let patches = project.patches.of_graph(self.graph);
        let deciding = Deciding {
            store: self.store,
            allowances,
            manifest: &project.manifest,
            config,
            environment: &request.scripts.environment,
            target: &self.target,
            native_bins: &native_bins,
            patches: &patches,
        };
        let Decision { builds, kept: kept_builds, blocked } =
            decide(self.graph, present, &deciding);
        let registered = local.registered_folders(self.graph);
        let (target, shared) = (self.target, None);
        let edited = project.edited.of_graph(self.graph);
        let options =
            PlanOptions { target, native_bins, registered, builds, patches, edited, shared };
        (options, kept_builds, blocked)
    }
}
