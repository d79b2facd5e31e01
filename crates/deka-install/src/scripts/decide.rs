//! Which packages of a tree run scripts, and what identifies the result.

use std::sync::Arc;

use deka_config::{Config, Environment};
use deka_graph::{EdgeKind, Graph, PackageId, Resolution, TarballLocation};
use deka_linker::{Build, NativeBins, Patch};
use deka_manifest::{Alias, PackageJson, Symbol, Target};
use deka_scripts::sandbox::{self, Allowances};
use deka_scripts::{Provenance, Trust};
use deka_store::{BuildKey, Store};
use hashbrown::{HashMap, HashSet};

use super::resolution_text;

/// Packages whose scripts only fall back to building when their platform's package is missing. As
/// with Bun the project has to name them itself for their scripts to run.
const NEEDLESS: &[&str] = &["sharp"];

/// What was decided about the scripts of a tree.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// The packages whose scripts run.
    pub(crate) builds: HashMap<PackageId, Build>,
    /// Those whose results are kept in the store: all that they can change is their own folder.
    pub(crate) kept: HashSet<PackageId>,
    /// The packages with scripts that nobody trusts.
    pub(crate) blocked: HashSet<PackageId>,
}

/// What a decision depends on besides graph and tree.
pub(crate) struct Deciding<'a> {
    pub(crate) store: &'a Store,
    /// What the project allows the scripts of dependencies besides.
    pub(crate) allowances: &'a Allowances,
    pub(crate) manifest: &'a PackageJson,
    pub(crate) config: &'a Config,
    pub(crate) environment: &'a Environment,
    pub(crate) target: &'a Target,
    pub(crate) native_bins: &'a NativeBins,
    pub(crate) patches: &'a HashMap<PackageId, Arc<Patch>>,
}

/// Decides about all packages that are `present` in the tree.
pub(crate) fn decide(graph: &Graph, present: &HashSet<PackageId>, by: &Deciding<'_>) -> Decision {
    let Deciding { store, allowances, manifest, config, environment, target, native_bins, patches } =
        *by;
    let mut decision = Decision::default();
    if config.install.ignore_scripts {
        return decision;
    }
    let trust = Trust::new(manifest.trusted_dependencies.as_deref());
    let direct = direct_aliases(graph, manifest.trusted_dependencies.as_deref());
    let mut trusted = Vec::new();
    for id in present {
        let package = graph.package(*id);
        let is_own =
            matches!(package.resolution, Resolution::Workspace(_) | Resolution::Symlink(_));
        let is_named = trust.names(package.name);
        let has_native =
            native_bins.native_of(graph, *id, target).is_some_and(|id| present.contains(&id));
        let is_needless = NEEDLESS.contains(&package.name.as_str()) && !is_named;
        if *id == PackageId::ROOT || is_own || has_native || is_needless {
            continue;
        }
        if trust.allows(package.name, provenance(config, graph, *id, &direct)) {
            // The lockfile does not know of every `binding.gyp`; the user may.
            if package.has_install_script || is_named {
                trusted.push(*id);
            }
        } else if package.has_install_script {
            decision.blocked.insert(*id);
        }
    }
    if !trusted.is_empty() {
        let mut platform = deka_scripts::inputs(environment, config);
        platform.push(format!("{target:?}"));
        for id in trusted {
            let allowance = allowances.of(trusted_name(graph, id, &direct).as_str());
            let mut fields = platform.clone();
            fields.push(format!("{allowance:?}"));
            let (key, is_complete) = key(graph, patches, id, &fields);
            let is_isolated = allowance.is_some_and(|allowance| allowance.write.is_empty());
            let may_be_kept = is_complete && is_isolated && keeps_builds(config);
            let is_stored = may_be_kept && !config.install.force && is_stored(store, key);
            decision.builds.insert(id, Build { key, is_stored });
            if may_be_kept {
                decision.kept.insert(id);
            }
        }
    }
    decision
}

/// Returns the names under which the project and its workspaces ask for packages: of several the first that
/// is trusted, else the first.
pub(super) fn direct_aliases(
    graph: &Graph,
    trusted: Option<&[Symbol]>,
) -> HashMap<PackageId, Alias> {
    let is_importer = |id: &PackageId| graph.package(*id).resolution.is_importer();
    let importers = graph.package_ids().filter(is_importer);
    let edges = importers.flat_map(|id| graph.edges_of(id));
    let trusts = |alias: Alias| trusted.is_some_and(|names| names.contains(&alias.symbol()));
    let mut aliases: HashMap<PackageId, Alias> = HashMap::new();
    for edge in edges.filter(|edge| edge.kind != EdgeKind::Workspace) {
        let Some(target) = edge.target else { continue };
        let known = aliases.entry(target).or_insert(edge.alias);
        if trusts(edge.alias) && !trusts(*known) {
            *known = edge.alias;
        }
    }
    aliases
}

/// Returns the name by which the project trusts a package and allows it things: what comes from a
/// folder, a tarball or git could call itself anything.
pub(super) fn trusted_name(
    graph: &Graph,
    id: PackageId,
    direct: &HashMap<PackageId, Alias>,
) -> Alias {
    let package = graph.package(id);
    let alias = direct.get(&id).filter(|_| !matches!(package.resolution, Resolution::Npm { .. }));
    alias.copied().unwrap_or_else(|| package.name.into())
}

fn provenance(
    config: &Config,
    graph: &Graph,
    id: PackageId,
    direct: &HashMap<PackageId, Alias>,
) -> Provenance {
    let package = graph.package(id);
    match &package.resolution {
        Resolution::Npm { tarball: TarballLocation::Registry, .. } => {
            let registry = config.registry_for(package.name.as_str());
            if registry.url() == config.registries.default_registry().url() {
                Provenance::DefaultRegistry
            } else {
                Provenance::OtherRegistry
            }
        }
        Resolution::Npm { tarball: TarballLocation::Url(url), .. } => {
            if url.starts_with(config.registries.default_registry().url().as_str()) {
                Provenance::DefaultRegistry
            } else {
                Provenance::OtherRegistry
            }
        }
        _ => direct.get(&id).map_or(Provenance::Transitive, |alias| Provenance::Direct(*alias)),
    }
}

/// Whether the sandbox makes sure that a build changes its own folder alone.
fn keeps_builds(config: &Config) -> bool {
    !config.install.no_sandbox && !config.cache.disabled && sandbox::support().files
}

/// Whether the store has the result of a build. One that it cannot read is as good as none.
fn is_stored(store: &Store, key: BuildKey) -> bool {
    matches!(store.lookup_build(&key), Ok(Some(_)))
}

/// Returns the key of a package's build: its own bytes and those of all that it depends on, with
/// their patches, who depends on whom, and the platform; and whether that is all, which it is not
/// where folders are among them.
///
/// What the scripts are stands in the package, so that its bytes decide about them too. Packages count if
/// they are asked for, as peers too; what a script happens to find beside its package does not.
fn key(
    graph: &Graph,
    patches: &HashMap<PackageId, Arc<Patch>>,
    id: PackageId,
    platform: &[String],
) -> (BuildKey, bool) {
    let mut seen: HashSet<PackageId> = std::iter::once(id).collect();
    let mut open = vec![id];
    while let Some(package) = open.pop() {
        for target in graph.edges_of(package).iter().filter_map(|edge| edge.target) {
            if seen.insert(target) {
                open.push(target);
            }
        }
    }
    let identity = |id: PackageId| {
        let package = graph.package(id);
        let patch = patches.get(&id).map_or(0, |patch| patch.hash());
        let resolution = resolution_text(graph, id);
        let integrity = package.integrity.as_str();
        BuildKey::of([package.name.as_str(), &resolution, integrity, &format!("{patch:x}")])
    };
    let with_edges = |id: &PackageId| {
        let edges = graph.edges_of(*id).iter();
        let mut edges: Vec<_> =
            edges.filter_map(|edge| Some((edge.alias.as_str(), identity(edge.target?)))).collect();
        edges.sort_unstable_by_key(|(alias, identity)| (*alias, *identity.as_bytes()));
        let own = identity(*id);
        let edges = edges.iter().flat_map(|(alias, target)| [alias.as_bytes(), target.as_bytes()]);
        BuildKey::of(std::iter::once(&own.as_bytes()[..]).chain(edges))
    };
    let mut dependencies: Vec<[u8; 32]> =
        seen.iter().map(|id| *with_edges(id).as_bytes()).collect();
    dependencies.sort_unstable();
    let package = with_edges(&id);
    let platform = BuildKey::of(platform);
    let parts = [*package.as_bytes(), *platform.as_bytes()];
    let is_complete = seen.iter().all(|id| !graph.package(*id).integrity.is_empty());
    (BuildKey::of(parts.iter().chain(&dependencies)), is_complete)
}
