//! The pipeline: the one place where registry, resolver, store and linker meet.
//!
//! ```text
//! caller's thread    read ─► (resolve) ─► hoist ─► plan ──────► wait ─► bins, bun.lock, state
//!                                │ picked      │ tasks
//! workers                        ▼             ▼
//!   (as many as cores)      store lookup ─► import ─► link
//!                                │              ▲
//! network thread                 └── fetch ─────┘      packuments ─► resolver
//! ```
//! With a lockfile everything about the tree is known before the first byte arrives; without one
//! tarballs start while versions are still being picked. Either way a package is linked by the worker
//! that has it as soon as both its files and its place are known. See [`install()`].

mod cache;
mod change;
mod duplicates;
mod engine;
mod error;
mod foreign;
mod global;
mod health;
mod install;
mod inventory;
mod local;
mod locked;
mod migration;
mod network;
mod packuments;
mod patches;
mod peers;
mod picks;
mod planning;
mod project;
mod questions;
mod queue;
mod registered;
mod remote;
mod report;
mod scripts;
mod sections;
mod settings;
mod shared;
mod staleness;
mod start;
mod survey;
mod tarballs;
mod tools;
mod version;
mod warning;
mod why;
mod workspaces;

pub use cache::{CachePart, cache_parts, cached_packages, clean_cache};
pub use change::{Addition, Change, Chosen, ChosenPlace, Mending, NewSpec, Replacement, Update};
pub use deka_lockfile::LockfileError;
pub use duplicates::{Duplicates, RemovedVersion};
pub use engine::{DownloadError, InvalidTarballUrl};
pub use error::InstallError;
pub use global::{GlobalCommands, global_bin_folder, global_folder, global_project};
pub use health::{Finding, Health, examine};
pub use install::{Request, install, migrate, untrusted};
pub use inventory::{
    Groups, InstalledManifest, Inventory, LicensedPackage, Licenses, ListOptions, Listing, Problem,
    Pruned, PrunedPackage, Row, Scope, prune,
};
pub use patches::{
    PatchChange, PatchCommit, PatchError, PreparedPatch, prepare_patch, undo_patch, write_patch,
};
pub use peers::PeerConflict;
pub use project::{LOCKFILE, MANIFEST, find_package, find_project};
pub use questions::audit::{
    Advisory, Audit, AuditRequest, Hindrance, Plan, Severity, Stuck, VulnerablePackage, audit,
    plan as plan_audit_fix,
};
pub use questions::diff::{DiffRequest, FileDifference, FileStatus, PackageDifference, diff};
pub use questions::info::{Info, InfoRequest, Selected, info};
pub use questions::outdated::{
    AskingMember, Candidate, Outdated, OutdatedDependency, OutdatedRequest, outdated,
};
pub use questions::search::{Hit, Search, search};
pub use registered::{Registered, register, unregister};
pub use remote::{GitError, InvalidLocation, RemoteError};
pub use report::{
    AddedPackage, DirectDependency, Outcome, Reporter, Silent, Summary, UpdatedPackage,
};
pub use scripts::{ScriptContext, Untrusted};
pub use staleness::{is_stale, repeats_last_install};
pub use tools::{Tool, ToolError, ToolState, installed_program, template_package};
pub use version::{NewVersion, VersionError, VersionOptions, WantedVersion, set_version};
pub use why::{Explanation, Peer, Reason, locked_names, why};
pub use workspaces::{OwnPackage, own_packages};
