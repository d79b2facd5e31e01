//! Peer dependencies: who provides them, which version, and to whom.

use serde_json::json;

use crate::scenario::{HOISTED, ISOLATED, project};

#[test]
fn missing_peers_are_installed() {
    project(json!({ "dependencies": { "@/abc": "1.0.0" } }))
        .install()
        .finds(&["@/abc > @/peer-a@1.0.1", "@/abc > @/peer-b@1.0.0", "@/abc > @/peer-c@1.0.1"])
        .finds_if(HOISTED, &["@/peer-a@1.0.1"])
        .finds_if(ISOLATED, &["@/peer-a@none"]);
}

#[test]
fn missing_peers_of_nested_packages_are_installed() {
    project(json!({ "dependencies": { "@pnpm/xyz-parent-parent-parent-parent": "1.0.0" } }))
        .install()
        .finds(&[
            "@pnpm/xyz-parent-parent-parent-parent > @pnpm/xyz-parent-parent-parent \
             > @pnpm/xyz-parent-parent > @pnpm/xyz-parent > @pnpm/xyz > @pnpm/x@1.0.0",
            "@pnpm/xyz-parent-parent-parent-parent > @pnpm/xyz-parent-parent-parent \
             > @pnpm/xyz-parent-parent > @pnpm/xyz-parent > @pnpm/xyz > @pnpm/y@1.0.0",
        ]);
}

#[test]
fn what_the_project_has_is_what_peers_get() {
    let dependencies = json!({ "@/abc": "1.0.0", "@/peer-a": "1.0.0", "@/peer-c": "1.0.0" });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/abc > @/peer-a == @/peer-a",
        "@/abc > @/peer-c == @/peer-c",
        "@/peer-a@1.0.0",
        "@/peer-c@1.0.0",
        "@/abc > @/peer-b@1.0.0",
    ]);
}

#[test]
fn peers_come_and_go_with_the_project() {
    let abc = json!({ "dependencies": { "@/abc": "1.0.0" } });
    project(json!({ "dependencies": { "@/abc": "1.0.0", "@/peer-a": "1.0.0" } }))
        .install()
        .finds(&["@/abc > @/peer-a@1.0.0"])
        .then(abc)
        .finds(&["@/abc > @/peer-a@1.0.0"])
        .then(json!({ "dependencies": { "@/peer-a": "1.0.0" } }))
        .finds(&["@/abc@none", "@/peer-b@none", "@/peer-a@1.0.0"]);
}

#[test]
fn optional_peers_are_not_installed() {
    project(json!({ "dependencies": { "@/abc-optional-peers": "1.0.0" } })).install().finds(&[
        "@/abc-optional-peers > @/peer-a@1.0.1",
        "@/abc-optional-peers > @/peer-b@none",
        "@/abc-optional-peers > @/peer-c@none",
    ]);
}

#[test]
fn optional_peers_are_used_where_they_are() {
    let dependencies = json!({ "@/abc-optional-peers": "1.0.0", "@/peer-b": "1.0.0" });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/abc-optional-peers > @/peer-b == @/peer-b",
        "@/abc-optional-peers > @/peer-c@none",
    ]);
}

#[test]
fn optional_peers_may_come_with_the_parent() {
    project(json!({ "dependencies": { "@/abc-optional-peers-parent": "1.0.0" } })).install().finds(
        &[
            "@/abc-optional-peers-parent > @/abc-optional-peers > @/peer-a@1.0.1",
            "@/abc-optional-peers-parent > @/abc-optional-peers > @/peer-b@1.0.0",
            "@/abc-optional-peers-parent > @/abc-optional-peers > @/peer-c@1.0.1",
        ],
    );
}

#[test]
fn peers_that_only_peer_dependencies_meta_names_are_optional() {
    let dependencies = json!({ "@/abc-optional-peers-meta-only": "1.0.0", "@/peer-b": "1.0.0" });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/abc-optional-peers-meta-only > @/peer-a@1.0.1",
        "@/abc-optional-peers-meta-only > @/peer-b == @/peer-b",
        "@/abc-optional-peers-meta-only > @/peer-c@none",
    ]);
}

#[test]
fn peer_dependencies_meta_makes_no_dependency_optional() {
    project(json!({ "dependencies": { "@/has-optional-peer-as-dep": "1.0.0" } }))
        .install()
        .finds(&["@/has-optional-peer-as-dep > @/bravo-dep@1.0.0"]);
}

#[test]
fn a_parent_provides_peers() {
    project(json!({ "dependencies": { "@/abc-parent-with-ab": "1.0.0" } })).install().finds(&[
        "@/abc-parent-with-ab > @/abc > @/peer-a == @/abc-parent-with-ab > @/peer-a",
        "@/abc-parent-with-ab > @/abc > @/peer-b == @/abc-parent-with-ab > @/peer-b",
        "@/abc-parent-with-ab > @/abc > @/peer-c@1.0.1",
    ]);
}

#[test]
fn a_parents_peers_are_nearer_than_the_projects() {
    // Hoisted, a package is put as high as it can be, which may be beside another version of its peer; so do
    // Bun and npm.
    let dependencies = json!({ "@pnpm/xyz-parent-parent-with-xyz": "1.0.0", "@pnpm/y": "2.0.0" });
    project(json!({ "dependencies": dependencies })).install().finds_if(
        ISOLATED,
        &[
            "@pnpm/y@2.0.0",
            "@pnpm/xyz-parent-parent-with-xyz > @pnpm/y@1.0.0",
            "@pnpm/xyz-parent-parent-with-xyz > @pnpm/xyz-parent > @pnpm/xyz > @pnpm/y@1.0.0",
        ],
    );
}

#[test]
fn one_package_sees_other_peers_in_other_places() {
    let dependencies = json!({
        "@/abc-grand-parent-with-c": "1.0.0",
        "@/abc-parent-with-ab": "1.0.0",
        "@/peer-c": "2.0.0",
    });
    project(json!({ "dependencies": dependencies })).install().finds_if(
        ISOLATED,
        &[
            "@/peer-c@2.0.0",
            "@/abc-grand-parent-with-c > @/peer-c@1.0.1",
            "@/abc-grand-parent-with-c > @/abc-parent-with-ab > @/abc > @/peer-c@1.0.1",
        ],
    );
}

#[test]
fn aliases_provide_no_peers() {
    project(json!({ "dependencies": { "@/abc-parent-with-aliases": "1.0.0" } })).install().finds(
        &[
            "@/abc-parent-with-aliases > a@npm:@/peer-a@1.0.1",
            "@/abc-parent-with-aliases > @/abc > @/peer-a@1.0.1",
            "@/abc-parent-with-aliases > @/abc > @/peer-c == @/abc-parent-with-aliases > @/peer-c",
        ],
    );
}

#[test]
fn peers_that_disagree_get_one_version_and_a_warning() {
    let dependencies = json!({ "@/wants-peer-c-1": "1.0.0", "@/wants-peer-c-2": "1.0.0" });
    project(json!({ "dependencies": dependencies }))
        .install()
        .says(&["@/wants-peer-c-2@1.0.0 wants @/peer-c@2 and gets 1.0.1"])
        .finds(&[
            "@/wants-peer-c-1 > @/peer-c@1.0.1",
            "@/wants-peer-c-2 > @/peer-c == @/wants-peer-c-1 > @/peer-c",
        ]);
}

#[test]
fn one_version_is_picked_for_peers_that_agree() {
    project(json!({
        "dependencies": { "@/wants-peer-c-1": "1.0.0", "@/wants-peer-c-1.0.0": "1.0.0" }
    }))
    .install()
    .finds(&[
        "@/wants-peer-c-1 > @/peer-c@1.0.0",
        "@/wants-peer-c-1 > @/peer-c == @/wants-peer-c-1.0.0 > @/peer-c",
    ]);
}

#[test]
fn a_peer_that_the_project_has_in_another_version_is_the_projects() {
    project(json!({ "dependencies": { "@/wants-peer-c-1": "1.0.0", "@/peer-c": "2.0.0" } }))
        .install()
        .says(&["@/wants-peer-c-1@1.0.0 wants @/peer-c@1 and gets 2.0.0, because the project asks"])
        .finds(&["@/wants-peer-c-1 > @/peer-c == @/peer-c"]);
}

#[test]
fn a_peer_that_no_version_satisfies_is_left_out_with_a_warning() {
    project(json!({ "dependencies": { "@/has-foo101-peer": "1.0.0" } }))
        .install()
        .says(&["@/has-foo101-peer@1.0.0 wants @/foo@101 and nobody has it"])
        .finds(&["@/has-foo101-peer > @/foo@none"]);
}

#[test]
fn a_dependency_elsewhere_does_not_change_what_a_peer_gets() {
    project(json!({
        "dependencies": { "@/has-peer-c-in-deps": "1.0.0", "@/wants-peer-c-1": "1.0.0" }
    }))
    .install()
    .finds(&["@/has-peer-c-in-deps > @/peer-c@2.0.0", "@/wants-peer-c-1 > @/peer-c@1.0.1"]);
}

#[test]
fn peers_have_peers() {
    let dependencies =
        json!({ "@/has-has-y-peer-only-as-peer-and-y": "1.0.0", "@/has-has-y-peer-peer": "1.0.0" });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/has-has-y-peer-only-as-peer-and-y > @pnpm/y@1.0.0",
        "@/has-has-y-peer-only-as-peer-and-y > @/has-y-peer > @pnpm/y@1.0.0",
        "@/has-has-y-peer-peer > @/has-y-peer > @pnpm/y@1.0.0",
    ]);
}

#[test]
fn peers_of_optional_peers_are_not_installed() {
    project(json!({ "dependencies": { "@/has-optional-peer-with-peer": "1.0.0" } }))
        .install()
        .finds(&["@/has-optional-peer-with-peer > @/has-y-peer@none", "@pnpm/y@none"]);
}

#[test]
fn a_peer_that_is_a_dependency_too_is_the_packages_own() {
    project(json!({
        "dependencies": { "@/has-default-peer": "1.0.0", "@/pkg-with-resolved-peer": "1.0.0" }
    }))
    .install()
    .finds(&[
        "@/has-default-peer > @/dep-of-pkg-with-1-dep@100.0.0",
        "@/pkg-with-resolved-peer > @/peer-b@1.0.0",
        "@/pkg-with-resolved-peer > @/peer-c@1.0.1",
    ]);
}

#[test]
fn a_scoped_peer_comes_from_another_scope() {
    project(json!({ "dependencies": { "@/for-testing-scoped-peers": "1.0.0" } }))
        .install()
        .finds(&["@/for-testing-scoped-peers > @having/scoped-peer > @scoped/peer \
         == @/for-testing-scoped-peers > @scoped/peer"]);
}

#[test]
fn a_peer_may_be_a_package_of_nothing_but_dependencies() {
    project(json!({ "dependencies": { "@/abc-regular-deps-is-in-peers": "1.0.0" } }))
        .install()
        .finds(&["@/abc-regular-deps-is-in-peers > @/abc-regular-deps > @/peer-a@1.0.0"]);
}

#[test]
fn plugins_see_the_host_that_the_project_has() {
    // A plugin and its host as ESLint, Babel or webpack have them: the same copy in all places.
    project(json!({ "dependencies": { "@/using-ajv": "1.0.0", "ajv": "8.1.0" } }))
        .install()
        .finds_if(
            ISOLATED,
            &[
                "ajv@8.1.0",
                "@/using-ajv > ajv@4.10.4",
                "@/using-ajv > ajv-keywords > ajv == @/using-ajv > ajv",
            ],
        );
}
