//! deka beside the real Bun: the same project, the same registry, the same result.
//!
//! Both tools install each project of `projects/` from the registry that npm is configured with,
//! scripts ignored, each with a home and a cache of its own. Compared are
//!
//! - the bytes of `bun.lock` and the tree of `node_modules` (paths, kinds, link targets, sizes,
//!   executable bits) after a clean install,
//! - the same with nothing to do, and again with what is in the cache by then; the lockfile alone
//!   three times more,
//! - the tree of a frozen install of Bun's lockfile, which has to stay as it is,
//! - the tree of a `--production` install, and of others that leave something out,
//! - whether Bun finds nothing to mend in what deka installed,
//! - lockfile and tree after each step of `projects/edits/`, where `package.json` changes, and of
//!   `projects/folders/`, where any file of the project does,
//! - lockfile and tree of many of them in the isolated layout,
//! - what becomes of Bun's older lockfile in [`binary`].
//!
//! [`commands`] are run by both on small projects.
//!
//! The application in `examples/` is installed from its lockfile, too. A registry of the suite's own, which answers
//! with abbreviated packuments, tests what becomes of `libc`, and lockfiles of [`random`] projects are
//! compared.
//!
//! The caches are emptied once, at the start, and shared by all projects; so most of a package's
//! first installs are cold.
//!
//! Where a registry publishes something between the two runs, they differ although both are right:
//! a clean install that differs is done once more, by both, with empty caches.
//!
//! `DEKA_UNDER_TEST=<path>` compares another program with Bun, such as Bun itself, which is how
//! the suite itself is tested. `DEKA_TEST_ROUNDS=3` does everything three times, each from empty
//! caches. `DEKA_TEST_SKIP_PEERS=1` skips it all.

mod automatic_peers;
mod binary;
mod commands;
mod example;
mod folders;
mod hosts;
mod isolated;
mod jsr;
mod libc;
mod project;
mod random;
mod served;
mod suite;

use deka_test::{compare, tool};

/// One test for each project, so that they run in parallel and by name.
macro_rules! projects {
    ($($name:ident),* $(,)?) => {
        const PROJECTS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                suite::check_project(stringify!($name));
            }
        )*
    };
}

/// One test for each sequence of edits.
macro_rules! edits {
    ($($name:ident),* $(,)?) => {
        const EDITS: &[&str] = &[$(stringify!($name)),*];
        mod edits {
            $(
                #[test]
                fn $name() {
                    crate::suite::check_edits(stringify!($name));
                }
            )*
        }
    };
}

/// One test for each project of many files.
macro_rules! folders {
    ($($name:ident),* $(,)?) => {
        const FOLDERS: &[&str] = &[$(stringify!($name)),*];
        mod in_folders {
            $(
                #[test]
                fn $name() {
                    crate::folders::check(stringify!($name));
                }
            )*
        }
    };
}

/// One test for each project whose lockfile is in binary.
macro_rules! binary {
    ($($name:ident),* $(,)?) => {
        mod in_binary {
            $(
                #[test]
                fn $name() {
                    crate::binary::check_project(stringify!($name));
                }
            )*
        }
    };
}

/// One test for each project of one or many files in the isolated layout.
macro_rules! isolated {
    (projects: $($project:ident),* ; folders: $($folder:ident),* $(,)?) => {
        mod in_isolation {
            $(
                #[test]
                fn $project() {
                    crate::isolated::check_project(stringify!($project));
                }
            )*
            $(
                #[test]
                fn $folder() {
                    crate::isolated::check_folder(stringify!($folder));
                }
            )*
        }
    };
}

// The largest first: they decide how long the whole takes.
projects![
    gatsby,
    angular,
    react_scripts,
    webpack_4,
    nest,
    next,
    storybook,
    nuxt,
    vue_vite,
    astro,
    eslint_peers,
    react_native,
    express_mocha,
    svelte_kit,
    aliases,
    bundled,
    deprecated,
    legacy_integrity,
    overrides,
    overrides_flat,
    platforms,
    prereleases,
    resolutions,
];

binary![aliases, bundled, eslint_peers, legacy_integrity, overrides, platforms, prereleases];

edits![
    add_and_remove,
    move_between_groups,
    narrow_and_widen,
    new_needs_meet_locked_versions,
    overrides_change,
    peers_come_and_go,
    swap_for_an_alias,
];

folders![
    berry_migration,
    catalogs,
    file_folders,
    file_nested,
    filters,
    git_repositories,
    github,
    hoist_patterns,
    links,
    local_in_workspaces,
    local_tarballs,
    monorepo_apps_and_libs,
    monorepo_members_change,
    monorepo_one_catalog,
    monorepo_plugins,
    monorepo_settings,
    npm_migration,
    npm_migration_peers_left_out,
    npm_migration_workspaces,
    omitted_peers,
    optional_peers_locked,
    overrides_in_workspaces,
    package_extensions,
    patches,
    patches_in_workspaces,
    pnpm_migration,
    pnpm_optional_peers,
    pnpm_peers,
    release_age,
    remote_tarballs,
    trusted,
    workspace_bins,
    workspace_edits,
    workspace_from_member,
    workspace_globs,
    workspace_links_off,
    workspace_names_taken,
    workspace_protocol,
    workspace_root,
    workspace_pruned,
    workspace_versions,
    yarn_migration,
    yarn_migration_peers_left_out,
];

isolated![
    projects: react_native, next, vue_vite, aliases, bundled, platforms;
    folders: catalogs,
    file_folders,
    file_nested,
    filters,
    git_repositories,
    github,
    hoist_patterns,
    links,
    local_in_workspaces,
    local_tarballs,
    monorepo_apps_and_libs,
    monorepo_members_change,
    monorepo_one_catalog,
    monorepo_plugins,
    monorepo_settings,
    npm_migration,
    npm_migration_workspaces,
    optional_peers_locked,
    overrides_in_workspaces,
    package_extensions,
    patches,
    patches_in_workspaces,
    pnpm_optional_peers,
    pnpm_peers,
    remote_tarballs,
    workspace_bins,
    workspace_edits,
    workspace_from_member,
    workspace_globs,
    workspace_links_off,
    workspace_names_taken,
    workspace_protocol,
    workspace_root,
    workspace_pruned,
    workspace_versions,
];

#[test]
fn every_file_has_its_test() {
    assert_eq!(project::names("projects"), sorted(PROJECTS));
    assert_eq!(project::names("projects/edits"), sorted(EDITS));
    assert_eq!(project::names("projects/folders"), sorted(FOLDERS));
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| name.replace('_', "-")).collect();
    names.sort();
    names
}
