//! What may be wrong around an install: registry, clock, permissions, volumes, `node_modules`, versions
//! that must not be there twice, peers that do not get what they want. For `deka doctor`.

mod disk;
mod registry;
mod tree;

use std::path::Path;
use std::sync::Arc;

use deka_config::Config;
use deka_lockfile::Changes;

use crate::inventory::{Inventory, Scope};
use crate::project::{Project, Read, WantedLockfile};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// All is well.
    Good,
    /// Worth knowing, and nobody has to do anything.
    Notice,
    /// Something is wrong.
    Problem,
    /// It could not be found out.
    Unknown,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked: `registry`, `peers`.
    pub check: &'static str,
    /// How it came out.
    pub health: Health,
    /// One sentence, no full stop.
    pub message: String,
    /// The cases, where there are several.
    pub details: Vec<String>,
    /// The one thing to do.
    pub advice: Option<String>,
}

impl Finding {
    fn new(check: &'static str, health: Health, message: impl Into<String>) -> Self {
        let (message, details) = (message.into(), Vec::new());
        Self { check, health, message, details, advice: None }
    }

    fn good(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Health::Good, message)
    }

    fn problem(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..Self::new(check, Health::Problem, message) }
    }

    fn notice(check: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..Self::new(check, Health::Notice, message) }
    }

    fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

/// Makes all checks; those of a project only if there is one in `root`.
pub fn examine(root: Option<&Path>, config: &Arc<Config>) -> Vec<Finding> {
    let mut findings = registry::examine(config);
    findings.extend(disk::examine(root, config));
    if let Some(root) = root {
        findings.extend(project(root, config));
    }
    findings
}

fn project(root: &Path, config: &Config) -> Vec<Finding> {
    let install = "Run `deka install`";
    let project = match Project::read(root, WantedLockfile::Any, false) {
        Ok(project) => project,
        Err(error) => {
            let advice = "Repair it: nothing can be installed before";
            return vec![Finding::problem("package.json", causes(&error), advice)];
        }
    };
    let finding = match &project.lockfile {
        Read::Good(lockfile) => match project.compare(lockfile).0 {
            Changes { edits, .. } if edits.is_empty() => {
                Finding::good("bun.lock", "bun.lock is what package.json asks for")
            }
            Changes { edits, .. } => {
                let details = edits.iter().map(ToString::to_string).collect();
                Finding::problem("bun.lock", "bun.lock is older than package.json", install)
                    .with_details(details)
            }
        },
        Read::Conflicted { error, .. } => {
            let message = format!("bun.lock can't be read: {}", causes(error.as_ref()));
            Finding::problem("bun.lock", message, "Run `deka install`, which merges both sides")
        }
        Read::Damaged(error) => {
            let message = format!("bun.lock can't be read: {}", causes(error.as_ref()));
            Finding::problem("bun.lock", message, "Repair it, or delete it and run `deka install`")
        }
        Read::Absent if asks_for_nothing(&project) => {
            return vec![Finding::good("bun.lock", "There is nothing to lock")];
        }
        Read::Absent | Read::Migrated(_) => {
            return vec![Finding::problem("bun.lock", "There is no bun.lock", install)];
        }
    };
    let mut findings = vec![finding];
    match Inventory::read(root, config, &Scope::default()) {
        Ok(inventory) => findings.extend(tree::examine(&inventory)),
        Err(error) => tracing::debug!(%error, "the packages can't be looked at"),
    }
    findings
}

/// Whether the project has no dependencies; such a project has no bun.lock.
fn asks_for_nothing(project: &Project) -> bool {
    project.manifests().all(|(_, manifest)| {
        let groups = [
            &manifest.dependencies,
            &manifest.dev_dependencies,
            &manifest.optional_dependencies,
            &manifest.peer_dependencies,
        ];
        groups.into_iter().all(Vec::is_empty)
    })
}

/// Returns an error with what it comes from, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}
