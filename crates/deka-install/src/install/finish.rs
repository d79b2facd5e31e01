//! The end of an install: the project's files, the state of `node_modules`, and what is told.

use deka_fs::{Durability, Replacement};
use deka_graph::{Graph, PackageId, Resolution};
use deka_linker::{Action, Finish, Input};
use deka_lockfile::bun::emit_placed;
use hashbrown::HashSet;
use tracing::trace_span;

use super::{Install, Installed, LaidOut, NewFiles, NewLockfile};
use crate::engine::Linking;
use crate::global::{CommandFolder, GlobalCommands};
use crate::project::LOCKFILE;
use crate::registered::is_registered;
use crate::report::{Outcome, Summary};
use crate::scripts::{Built, Payload};
use crate::survey::{direct_dependencies, new_links, planned_packages};
use crate::{InstallError, scripts, settings, shared};

impl Install<'_> {
    /// Writes what is new beside what is there.
    pub(super) fn new_files(&self, layout: &LaidOut) -> Result<NewFiles, InstallError> {
        let options = &self.config.install;
        let (patch, manifests) = if options.no_save || options.dry_run {
            (None, Vec::new())
        } else {
            (self.draft.patch_file.clone(), self.draft.drafts.write(&self.project)?)
        };
        Ok(NewFiles { patch, manifests, lockfile: self.new_lockfile(layout)? })
    }

    /// Writes the new lockfile beside the old one, if it is to be written and differs.
    fn new_lockfile(&self, layout: &LaidOut) -> Result<Option<NewLockfile>, InstallError> {
        let _span = trace_span!("write lockfile");
        if !self.writes_lockfile() || self.config.install.dry_run {
            return Ok(None);
        }
        let text = emit_placed(&layout.lockfile, &layout.tree);
        if self.project.lockfile_text.as_deref() == Some(text.as_bytes()) {
            return Ok(None);
        }
        let path = self.project.lockfile_path();
        let graph = &layout.lockfile.graph;
        // Where nothing was found, that is what the lockfile says.
        let is_empty = graph.packages().len() <= 1 && graph.edges_of(PackageId::ROOT).is_empty();
        let file = (!is_empty)
            .then(|| Replacement::write(&path, text.as_bytes(), Durability::Fsync))
            .transpose()
            .map_err(|source| InstallError::WriteLockfile { path, source })?;
        Ok(Some(NewLockfile { text, file }))
    }

    /// Lets the new lockfile take effect. Returns whether there is a change to speak of.
    pub(super) fn put_in_place(&mut self, lockfile: NewLockfile) -> Result<bool, InstallError> {
        let path = self.project.lockfile_path();
        let failed = |source| InstallError::WriteLockfile { path: path.clone(), source };
        let is_empty = lockfile.file.is_none();
        let input = if let Some(file) = lockfile.file {
            file.put_in_place().map_err(failed)?;
            Input::file(&self.project.dir, LOCKFILE, lockfile.text.as_bytes())
        } else {
            self.project.dir.remove_file(LOCKFILE).map_err(failed)?;
            Input::absent(LOCKFILE)
        };
        self.project.inputs.retain(|known| *known.path != *LOCKFILE);
        self.project.inputs.push(input);
        Ok(!is_empty || self.project.lockfile_text.is_some())
    }

    pub(super) fn writes_lockfile(&self) -> bool {
        let options = &self.config.install;
        !options.is_frozen() && !options.no_save && !options.no_lockfile
    }

    /// Bins, removals, and last the state.
    pub(super) fn finish(
        &mut self,
        layout: &LaidOut,
        linking: &Linking<'_>,
        built: &Built,
        lockfile_saved: bool,
    ) -> Result<Installed, InstallError> {
        let Linking { work, old, .. } = linking;
        let missing = &built.missing;
        let _span = trace_span!("finish");
        let graph = &layout.lockfile.graph;
        self.project.inputs.extend(self.local.inputs());
        self.project.inputs.extend(shared::input(&self.project.dir, &layout.plan));
        let root = &self.request.root;
        let payload = Payload {
            is_lockfile_good: self.writes_lockfile(),
            has_workspace_scripts: built.has_workspace_scripts,
            has_project_scripts: scripts::has_scripts(root),
        };
        let counts = deka_linker::Summary {
            installs: layout.plan.all_placements().count() as u32,
            packages: graph.packages().len() as u32,
        };
        let finished = linking.linker.finish(Finish {
            plan: &layout.plan,
            work,
            old: old.as_ref(),
            failed: missing,
            inputs: std::mem::take(&mut self.project.inputs),
            settings: settings::fingerprint(self.request),
            summary: counts,
            payload: payload.to_bytes(),
            has_run_scripts: built.has_run,
        })?;

        let before = old.as_ref().filter(|old| !old.is_unfinished());
        let placed: Vec<u32> = work
            .tasks()
            .iter()
            .filter(|task| task.action == Action::Place && !missing.contains(&task.placement))
            .map(|task| task.placement)
            .collect();
        let packages: HashSet<PackageId> = placed
            .iter()
            .filter_map(|at| Some(layout.plan.placement_at(*at)?.package))
            .chain(new_links(graph, &layout.plan, before))
            .collect();
        let outcome = if graph.packages().len() <= 1 {
            Outcome::NoDependencies { lockfile_deleted: lockfile_saved }
        } else if packages.is_empty() && finished.removed == 0 {
            Outcome::Unchanged {
                installs: counts.installs as usize,
                packages: counts.packages as usize,
            }
        } else {
            Outcome::Installed { installed: packages.len(), removed: finished.removed }
        };
        let is_blocked = |at: &u32| {
            layout
                .plan
                .placement_at(*at)
                .is_some_and(|placement| layout.blocked.contains(&placement.package))
        };
        let blocked: Vec<u32> = placed.into_iter().filter(is_blocked).collect();
        let mut blocked_scripts = scripts::count_blocked(root, graph, &layout.plan, &blocked);
        if !self.config.install.ignore_scripts {
            let new = &work.difference.links;
            blocked_scripts +=
                scripts::count_blocked_links(&self.project, graph, &layout.plan, new);
        }
        let mut direct =
            direct_dependencies(graph, self.reported(graph), &layout.latest, &packages);
        let added = std::mem::take(&mut self.draft.added);
        let updated = std::mem::take(&mut self.draft.updated);
        direct.retain(|direct| {
            added.iter().all(|added| added.alias != direct.alias)
                && updated.iter().all(|updated| updated.alias != direct.alias)
        });
        let global = self.request.is_global.then(|| self.link_commands(layout, linking));
        let summary = Summary {
            global: global.transpose()?,
            direct,
            added,
            updated,
            removed: std::mem::take(&mut self.draft.removed),
            blocked_scripts,
            lockfile_saved,
            ..Summary::new(outcome)
        };
        Ok(Installed { summary, has_project_scripts: payload.has_project_scripts })
    }

    /// Makes the commands of the project's own dependencies available to all projects.
    fn link_commands(
        &self,
        layout: &LaidOut,
        linking: &Linking<'_>,
    ) -> Result<GlobalCommands, InstallError> {
        const PACKAGES: &str = "node_modules/";

        let graph = &layout.lockfile.graph;
        let direct: HashSet<&str> =
            graph.edges_of(PackageId::ROOT).iter().map(|edge| edge.alias.as_str()).collect();
        let is_direct =
            |path: &str| path.strip_prefix(PACKAGES).is_some_and(|alias| direct.contains(alias));
        let commands = linking.linker.commands(&layout.plan, "node_modules/.bin", is_direct);
        let commands = commands
            .into_iter()
            .filter_map(|(name, file)| Some((name, file.strip_prefix(PACKAGES)?.to_owned())));
        let root = &self.request.root;
        CommandFolder::open(self.config)?
            .update(commands.collect(), |file| !is_registered(root, file))
    }

    /// Returns the importer whose dependencies are spoken of.
    fn reported(&self, graph: &Graph) -> PackageId {
        let is_target = |id: &PackageId| matches!(graph.package(*id).resolution, Resolution::Workspace(path) if *path == *self.targets[0]);
        graph.package_ids().find(is_target).unwrap_or(PackageId::ROOT)
    }

    pub(super) fn end_without_tree(&mut self, layout: &LaidOut, lockfile_saved: bool) -> Summary {
        let outcome = if self.config.install.dry_run {
            Outcome::DryRun(planned_packages(&layout.plan))
        } else {
            Outcome::LockfileSaved { packages: layout.lockfile.graph.packages().len() }
        };
        Summary {
            added: std::mem::take(&mut self.draft.added),
            updated: std::mem::take(&mut self.draft.updated),
            removed: std::mem::take(&mut self.draft.removed),
            lockfile_saved,
            ..Summary::new(outcome)
        }
    }
}
