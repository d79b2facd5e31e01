//! Dependencies that no registry has: folders, links, tarballs, repositories.

use serde_json::json;

use crate::scenario::{HOISTED, ISOLATED, project};

#[test]
fn a_package_of_the_registry_has_a_folder_in_it() {
    project(json!({ "dependencies": { "@/has-local-dep": "1.0.0" } }))
        .install()
        .finds(&["@/has-local-dep > @/dep-of-pkg-with-1-dep@100.0.0"]);
}

#[test]
fn a_package_of_the_registry_needs_a_repository() {
    project(json!({ "dependencies": { "@/test-pnpm-peer-deps": "1.0.0" } })).install().finds(&[
        "@/test-pnpm-peer-deps > is-negative@2.0.0",
        "@/test-pnpm-peer-deps > @/peer-deps-in-child-pkg > is-negative@2.1.0",
    ]);
}

#[test]
fn a_repository_is_no_peer_by_another_name() {
    // The peer `say-hi` is a package of the registry, the repository calls itself `hi`; isolated, the name is
    // all that counts.
    let name = "@/has-aliased-git-dependency";
    project(json!({ "dependencies": { name: "1.0.0" } }))
        .install()
        .finds(&[&format!("{name} > say-hi@npm:hi@1.0.0")])
        .finds_if(HOISTED, &[&format!("{name} > @/has-say-hi-peer > say-hi@2.0.0")])
        .finds_if(ISOLATED, &[&format!("{name} > @/has-say-hi-peer > say-hi@npm:hi@1.0.0")]);
}

#[test]
fn what_the_project_has_from_elsewhere_is_what_peers_get() {
    // Nobody asks the registry, which may never have heard of it.
    let folder = json!({ "name": "ours", "version": "3.0.0" });
    for spec in
        ["file:./ours", "link:./ours", "zkochan/hi#4cdebec76b7b9d1f6e219e06c42d92a6b8ea60cd"]
    {
        project(json!({
            "dependencies": { "@/wants-peer-c-1": "1.0.0", "@/parent-of-them": "file:./parent" },
            "devDependencies": { "@/peer-c": spec },
        }))
        .member("ours", folder.clone())
        .member("parent", json!({ "name": "parent", "dependencies": { "@/wants-peer-c-2": "*" } }))
        .with_own_cache()
        .install()
        .finds(&[
            "@/wants-peer-c-1 > @/peer-c == @/peer-c",
            "@/parent-of-them > @/wants-peer-c-2 > @/peer-c == @/peer-c",
        ]);
    }
}

#[test]
fn what_a_folder_needs_from_elsewhere_is_what_its_plugins_get() {
    let local = json!({
        "name": "local",
        "version": "1.0.0",
        "dependencies": { "@/peer-c": "file:../ours", "@/wants-peer-c-2": "1.0.0" },
    });
    // Bun writes the plugin's copy of the folder into the lockfile and forgets it in the hoisted layout.
    project(json!({ "dependencies": { "local": "file:./local" } }))
        .member("local", local)
        .member("ours", json!({ "name": "@/peer-c", "version": "3.0.0" }))
        .unlike_bun()
        .install()
        .finds(&["local > @/peer-c@3.0.0", "local > @/wants-peer-c-2 > @/peer-c@3.0.0"]);
}

#[test]
fn a_tarball_of_the_registry_is_needed_by_its_url() {
    let url = "http:{registry}@pnpm.e2e/pkg-with-1-dep/-/pkg-with-1-dep-100.0.0.tgz";
    project(json!({ "dependencies": { "@/pkg-with-1-dep": url, "@/foo": "1.0.0" } }))
        .install()
        .finds(&["@/pkg-with-1-dep@100.0.0", "@/pkg-with-1-dep > @/dep-of-pkg-with-1-dep@100.1.0"]);
}

#[test]
fn a_folder_needs_packages_and_peers() {
    let local = json!({
        "name": "local",
        "version": "1.0.0",
        "dependencies": { "@/foobar": "100.0.0" },
        "peerDependencies": { "@/peer-c": "^1.0.0" },
    });
    project(json!({ "dependencies": { "local": "file:./local", "@/peer-c": "1.0.0" } }))
        .member("local", local)
        .install()
        .finds(&["local@1.0.0", "local > @/foobar@100.0.0", "local > @/peer-c == @/peer-c"]);
}

#[test]
fn a_linked_folder_keeps_what_it_has() {
    let linked =
        json!({ "name": "linked", "version": "1.0.0", "dependencies": { "@/foo": "1.0.0" } });
    project(json!({ "dependencies": { "linked": "link:./linked", "@/foo": "2.0.0" } }))
        .member("linked", linked)
        .install()
        .finds(&["linked == ./linked", "@/foo@2.0.0"])
        .finds(&["linked > @/foo == @/foo"]);
}

#[test]
fn a_lockfile_has_a_wrong_integrity() {
    let integrity = format!("sha512-{}==", "A".repeat(86));
    let url = "http:{registry}@/foo/-/@/foo-1.0.0.tgz";
    let lockfile = format!(
        r#"{{
  "lockfileVersion": 1,
  "configVersion": 1,
  "workspaces": {{
    "": {{
      "dependencies": {{
        "@/foo": "1.0.0",
      }},
    }},
  }},
  "packages": {{
    "@/foo": ["@/foo@1.0.0", "{url}", {{}}, "{integrity}"],
  }}
}}
"#
    );
    project(json!({ "dependencies": { "@/foo": "1.0.0" } }))
        .with_own_cache()
        .file("bun.lock", &lockfile)
        .fails(&["ntegrity", "@/foo"]);
}
