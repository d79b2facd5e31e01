//! Whether and where projects share the folders of packages.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use deka_config::{Config, GlobalStore};
use deka_fs::{Dir, FileMode};
use deka_linker::{Input, LinkPlan, SharedPlaces};

use crate::Reporter;
use crate::project::Project;

/// Tools that refuse links which leave the project, or lose packages behind them.
const REFUSING: &[&str] = &[
    "@angular/cli",
    "@nestjs/core",
    "@sveltejs/kit",
    "astro",
    "expo",
    "metro",
    "next",
    "nuxt",
    "parcel",
    "react-native",
    "vite",
];

/// A file that is there as long as what is shared is.
const MARKER: &str = ".deka-links";

/// Returns where shared packages are, if this project is to use them.
pub(crate) fn places(
    project: &Project,
    config: &Config,
    reporter: &dyn Reporter,
) -> Option<SharedPlaces> {
    match config.install.global_store {
        GlobalStore::Off => return None,
        GlobalStore::Always => {}
        GlobalStore::WhereItWorks => {
            if let Some(tool) = refusing_tool(project) {
                reporter.warning(&format!(
                    "Packages stay in the project, because `{tool}` does not follow links that leave it \
                     (`--global-store` shares them all the same)"
                ));
                return None;
            }
        }
    }
    let folder = std::path::absolute(folder(config)).ok()?;
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let own = format!("{}-{}", std::process::id(), time.as_nanos());
    let text = |path: PathBuf| path.into_os_string().into_string().ok().map(Into::into);
    let staging = text(folder.join(".making").join(own))?;
    Some(SharedPlaces { folder: text(folder)?, staging })
}

/// Returns the folder of what is shared.
pub(crate) fn folder(config: &Config) -> PathBuf {
    config.cache.folder().join("links")
}

fn refusing_tool(project: &Project) -> Option<&'static str> {
    let asks_for = |tool: &str| {
        project.manifests().any(|(_, manifest)| {
            let groups = [&manifest.dependencies, &manifest.dev_dependencies];
            groups.into_iter().flatten().any(|(alias, _)| alias.as_str() == tool)
        })
    };
    REFUSING.iter().copied().find(|tool| asks_for(tool))
}

/// Returns what tells the next install that what this one has links to is still there.
pub(crate) fn input(project: &Dir, plan: &LinkPlan) -> Option<Input> {
    if plan.shared.entries.is_empty() {
        return None;
    }
    let folder = Dir::open(Path::new(&*plan.shared.places.folder)).ok()?;
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Another one each time that the folder is made anew.
    let text = format!("{}\n", time.as_nanos());
    if let Err(error) = folder.write_new(MARKER, text.as_bytes(), FileMode::Regular) {
        tracing::debug!(%error, "the folder of shared packages could not be marked");
    }
    let path = folder.path_of(MARKER).into_os_string().into_string().ok()?;
    Input::capture(project, &path).ok()
}
