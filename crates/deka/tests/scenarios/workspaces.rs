//! Several projects in one.

use serde_json::{Value, json};

use crate::scenario::{HOISTED, ISOLATED, Scenario, project};

/// A workspace with these members in `packages`, each with its dependencies.
fn workspace(members: &[(&str, Value)]) -> Scenario {
    let root = project(json!({ "name": "root", "workspaces": ["packages/*"] }));
    members.iter().fold(root, |scenario, (name, dependencies)| {
        let manifest = json!({ "name": name, "version": "1.0.0", "dependencies": dependencies });
        scenario.member(&format!("packages/{name}"), manifest)
    })
}

#[test]
fn members_have_versions_of_their_own() {
    workspace(&[
        ("a", json!({ "@/foo": "1.0.0", "@/bar": "100.0.0" })),
        ("b", json!({ "@/foo": "2.0.0", "@/bar": "^100.0.0" })),
    ])
    .install()
    .finds(&["./packages/a > @/foo@1.0.0", "./packages/b > @/foo@2.0.0"])
    .finds(&["./packages/a > @/bar@100.0.0", "./packages/b > @/bar == ./packages/a > @/bar"]);
}

#[test]
fn members_need_each_other() {
    workspace(&[
        ("a", json!({ "b": "workspace:*", "@/pkg-with-1-dep": "100.0.0" })),
        ("b", json!({ "a": "workspace:^", "@/dep-of-pkg-with-1-dep": "101.0.0" })),
    ])
    .install()
    .finds(&[
        "./packages/a > b == ./packages/b",
        "./packages/b > a == ./packages/a",
        "./packages/a > @/pkg-with-1-dep > @/dep-of-pkg-with-1-dep@100.1.0",
        "./packages/b > @/dep-of-pkg-with-1-dep@101.0.0",
    ]);
}

#[test]
fn members_provide_other_peers_to_the_same_package() {
    let members = [
        ("a", json!({ "@/abc": "1.0.0", "@/peer-a": "1.0.0", "@/peer-c": "1.0.0" })),
        ("b", json!({ "@/abc": "1.0.0", "@/peer-a": "1.0.1", "@/peer-c": "1.0.1" })),
    ];
    workspace(&members)
        .install()
        .finds(&["./packages/a > @/peer-c@1.0.0", "./packages/b > @/peer-c@1.0.1"])
        .finds(&["./packages/a > @/abc@1.0.0", "./packages/b > @/abc@1.0.0"])
        .finds_if(
            ISOLATED,
            &[
                "./packages/a > @/abc > @/peer-a == ./packages/a > @/peer-a",
                "./packages/a > @/abc > @/peer-c == ./packages/a > @/peer-c",
                "./packages/b > @/abc > @/peer-a == ./packages/b > @/peer-a",
                "./packages/b > @/abc > @/peer-c == ./packages/b > @/peer-c",
                "./packages/a > @/abc != ./packages/b > @/abc",
            ],
        );
}

#[test]
fn the_root_provides_peers_to_its_members() {
    project(json!({
        "name": "root",
        "workspaces": ["packages/*"],
        "dependencies": { "@/peer-c": "1.0.0" },
    }))
    .member("packages/a", json!({ "name": "a", "dependencies": { "@/wants-peer-c-1": "1.0.0" } }))
    .install()
    .finds(&["./packages/a > @/wants-peer-c-1 > @/peer-c == @/peer-c"]);
}

#[test]
fn a_member_has_a_peer_that_nobody_has() {
    project(json!({ "name": "root", "workspaces": ["packages/*"] }))
        .member("packages/a", json!({ "name": "a", "peerDependencies": { "@/peer-c": "^1.0.0" } }))
        .install()
        .finds(&["./packages/a > @/peer-c@1.0.1"]);
}

#[test]
fn a_member_stands_in_for_a_package_of_the_registry() {
    workspace(&[("a", json!({ "@/dep-of-pkg-with-1-dep": "^100.0.0", "@/pkg-with-1-dep": "*" }))])
        .member("packages/dep", json!({ "name": "@/dep-of-pkg-with-1-dep", "version": "100.9.0" }))
        .install()
        .finds(&[
            "./packages/a > @/dep-of-pkg-with-1-dep == ./packages/dep",
            "./packages/a > @/pkg-with-1-dep@100.1.0",
        ]);
}

#[test]
fn a_package_of_the_registry_may_not_link_to_a_member() {
    workspace(&[("a", json!({ "@/external-depend-on-internal-dep": "1.0.0" }))])
        .member("packages/f", json!({ "name": "@/internal-f", "version": "1.0.0" }))
        .fails(&["@/internal-f", "link:packages/f"]);
}

#[test]
fn members_run_the_commands_of_what_they_need() {
    workspace(&[
        ("a", json!({ "@/print-version": "1.0.0", "tool": "workspace:*" })),
        ("b", json!({ "@/print-version": "2.0.0" })),
    ])
    .member("packages/tool", json!({ "name": "tool", "version": "1.0.0", "bin": "say.js" }))
    .file("packages/tool/say.js", "#!/usr/bin/env node\nconsole.log(\"said\");\n")
    .install()
    .finds(&["./packages/b has node_modules/.bin/print-version"])
    .finds_if(HOISTED, &["./ has node_modules/.bin/tool"])
    .finds_if(
        ISOLATED,
        &["./packages/a has node_modules/.bin/tool", "./packages/b lacks node_modules/.bin/tool"],
    );
}

#[test]
fn catalogs_name_versions_for_all_members() {
    project(json!({
        "name": "root",
        "workspaces": {
            "packages": ["packages/*"],
            "catalog": { "@/foo": "1.2.0" },
            "catalogs": { "new": { "@/foo": "2.0.0", "@/bar": "100.0.0" } },
        },
    }))
    .member("packages/a", json!({ "name": "a", "dependencies": { "@/foo": "catalog:" } }))
    .member(
        "packages/b",
        json!({ "name": "b", "dependencies": { "@/foo": "catalog:new", "@/bar": "catalog:new" } }),
    )
    .install()
    .finds(&[
        "./packages/a > @/foo@1.2.0",
        "./packages/b > @/foo@2.0.0",
        "./packages/b > @/bar@100.0.0",
    ]);
}

#[test]
fn a_filter_installs_one_member_and_what_it_needs() {
    workspace(&[
        ("a", json!({ "@/foo": "1.0.0" })),
        ("b", json!({ "@/bar": "100.0.0", "c": "workspace:*" })),
        ("c", json!({ "@/qar": "100.0.0" })),
    ])
    .arguments(&["--filter=b..."])
    .install()
    .finds(&["./packages/b > @/bar@100.0.0", "./packages/a > @/foo@none"])
    .finds_if(ISOLATED, &["./packages/c > @/qar@100.0.0"])
    .finds_if(HOISTED, &["./packages/b > c > @/qar@100.0.0"]);
}

#[test]
fn overrides_of_the_root_hold_for_members_and_those_of_members_do_not() {
    let extra = json!({ "@/bar": "100.1.0" });
    project(json!({
        "name": "root",
        "workspaces": ["packages/*"],
        "overrides": { "@/foo": "1.0.0" },
    }))
    .member(
        "packages/a",
        json!({ "name": "a", "dependencies": { "@/foobarqar": "1.0.1" }, "overrides": extra }),
    )
    .install()
    .finds(&[
        "./packages/a > @/foobarqar > @/foo@1.0.0",
        "./packages/a > @/foobarqar > @/bar@100.0.0",
    ]);
}
