//! From a graph to the plan of `node_modules`, in either layout.

use deka_graph::{EdgeId, Graph, HoistedTree, PackageId};
use deka_linker::{HoistPatterns, IsolatedTree, LinkPlan, LinkState, NativeBins, PlanOptions};
use deka_manifest::Target;
use hashbrown::HashSet;

use crate::InstallError;
use crate::install::Install;
use crate::scripts::{Deciding, Decision, decide};

/// What is known before there is a plan.
pub(crate) struct Planning<'a> {
    pub(crate) install: &'a Install<'a>,
    pub(crate) graph: &'a Graph,
    pub(crate) target: Target,
    /// Whether an edge to a package is followed: not to what this platform or `--omit` leaves out.
    pub(crate) is_wanted: &'a dyn Fn(EdgeId, PackageId) -> bool,
}

/// A plan, and the packages with scripts that nobody trusts.
type Planned = (LinkPlan, HashSet<PackageId>);

impl Planning<'_> {
    /// Plans the hoisted layout; `tree` has the places of all that the lockfile names.
    pub(crate) fn hoisted(&self, tree: &HoistedTree) -> Result<Planned, InstallError> {
        let graph = self.graph;
        let wanted = tree.pruned(graph, self.is_wanted);
        let present = wanted.nodes().iter().map(|node| node.package).collect();
        let (options, blocked) = self.options(&present);
        let mut plan = LinkPlan::hoisted(graph, &wanted, &options)?;
        if self.has_filters() {
            let is_selected = self.install.selection(graph)?;
            let filtered = tree.pruned(graph, &|edge, package| {
                (self.is_wanted)(edge, package) && is_selected(edge, package)
            });
            let filtered = LinkPlan::hoisted(graph, &filtered, &options)?;
            plan.keep_parts(&filtered, self.old_state().as_ref());
        }
        Ok((plan, blocked))
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
        let (options, blocked) = self.options(&wanted.packages().collect());
        let mut plan = LinkPlan::isolated(graph, &wanted, &options)?;
        if self.has_filters() {
            let is_selected = self.install.selection(graph)?;
            let filtered = IsolatedTree::new(graph, &patterns, &|edge, package| {
                (self.is_wanted)(edge, package) && is_selected(edge, package)
            });
            let whole = plan;
            plan = LinkPlan::isolated(graph, &filtered, &options)?;
            if let Some(old) = self.old_state() {
                plan.add_parts(whole, &old);
            }
        }
        Ok((plan, blocked))
    }

    fn has_filters(&self) -> bool {
        !self.install.filters.is_empty()
    }

    fn old_state(&self) -> Option<LinkState> {
        LinkState::load(&self.install.project.dir)
    }

    fn options(&self, present: &HashSet<PackageId>) -> (PlanOptions, HashSet<PackageId>) {
        let Install { request, config, project, local, .. } = self.install;
        let native_bins = NativeBins::default();
        let patches = project.patches.of_graph(self.graph);
        let deciding = Deciding {
            manifest: &project.manifest,
            config,
            environment: &request.scripts.environment,
            target: &self.target,
            native_bins: &native_bins,
            patches: &patches,
        };
        let Decision { builds, blocked } = decide(self.graph, present, &deciding);
        let registered = local.registered_folders(self.graph);
        (PlanOptions { target: self.target, native_bins, registered, builds, patches }, blocked)
    }
}
