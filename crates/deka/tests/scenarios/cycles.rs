//! Packages that need each other, or themselves.

use serde_json::json;

use crate::scenario::{HOISTED, ISOLATED, project};

#[test]
fn two_packages_need_each_other() {
    project(json!({ "dependencies": { "@/circular-deps-1-of-2": "1.0.2" } })).install().finds(&[
        "@/circular-deps-1-of-2 > @/circular-deps-2-of-2@1.0.2",
        "@/circular-deps-1-of-2 > @/circular-deps-2-of-2 > @/circular-deps-1-of-2 \
         == @/circular-deps-1-of-2",
    ]);
}

#[test]
fn a_package_needs_itself() {
    project(json!({ "dependencies": { "@/requires-itself": "1.0.0" } })).install().finds(&[
        "@/requires-itself > @/requires-itself == @/requires-itself",
        "@/requires-itself > is-positive@1.0.0",
    ]);
}

#[test]
fn a_package_is_its_own_peer() {
    project(json!({ "dependencies": { "@/peer-of-itself": "1.0.0" } }))
        .install()
        .finds(&["@/peer-of-itself > @/peer-of-itself == @/peer-of-itself"]);
}

#[test]
fn a_package_may_not_link_to_itself() {
    // Nor to any other path: what comes from a registry has no say in what is on this machine.
    for name in ["@/self-link-reference", "@/self-file-reference"] {
        project(json!({ "dependencies": { name: "1.0.0" } })).fails(&[name, "link:."]);
    }
}

#[test]
fn two_packages_are_each_others_peers() {
    project(json!({ "dependencies": { "@/circular-peer-a": "1.0.0" } })).install().finds(&[
        "@/circular-peer-a > @/circular-peer-b@1.0.0",
        "@/circular-peer-a > @/circular-peer-b > @/circular-peer-a@1.0.0",
    ]);
}

#[test]
fn three_packages_are_peers_in_a_circle() {
    let dependencies = json!({ "@/circular-peers-1-of-3": "1.0.0", "@/peer-a": "1.0.0" });
    let around = "@/circular-peers-1-of-3 > @/circular-peers-2-of-3 > @/circular-peers-3-of-3";
    project(json!({ "dependencies": dependencies })).install().finds(&[
        &format!("{around} > @/circular-peers-1-of-3@1.0.0"),
        &format!("{around} > @/circular-peers-1-of-3 > @/peer-a == @/peer-a"),
        "@/circular-peers-1-of-3 > @/circular-peers-2-of-3 > @/peer-b@1.0.0",
    ]);
}

#[test]
fn circles_of_peers_overlap() {
    let dependencies =
        json!({ "@/complex-circular-peers-a": "1.0.0", "@/complex-circular-peers-c": "1.0.0" });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/complex-circular-peers-a > @/complex-circular-peers-b > @/complex-circular-peers-c \
         == @/complex-circular-peers-c",
        "@/complex-circular-peers-c > @/complex-circular-peers-b > @/complex-circular-peers-a \
         == @/complex-circular-peers-a",
    ]);
}

#[test]
fn a_dependency_has_its_parent_as_a_peer() {
    for name in ["@/alpha", "@/tango"] {
        let plugin =
            if name == "@/alpha" { "@/has-alpha-as-peer" } else { "@/has-tango-as-peer-dep" };
        project(json!({ "dependencies": { name: "1.0.0" } }))
            .install()
            .finds(&[&format!("{name} > {plugin} > {name} == {name}")]);
    }
}

#[test]
fn a_nested_dependency_has_its_parent_as_a_peer() {
    project(json!({ "dependencies": { "@/has-alpha": "1.0.0", "@/tango-tango": "1.0.0" } }))
        .install()
        .finds(&[
            "@/has-alpha > @/alpha > @/has-alpha-as-peer > @/alpha == @/has-alpha > @/alpha",
            "@/tango-tango > @/has-tango-as-peer-dep > @/tango > @/has-tango-as-peer-dep@1.0.0",
        ]);
}

#[test]
fn a_circle_of_dependencies_has_a_peer_in_it() {
    let around = "@/repeat-peers.a > @/repeat-peers.b";
    project(
        json!({ "dependencies": { "@/repeat-peers.a": "1.0.0", "@/repeat-peers.x": "1.0.0" } }),
    )
    .install()
    .finds(&[
        &format!("{around} > @/repeat-peers.a == @/repeat-peers.a"),
        &format!("{around} > @/repeat-peers.c > @/repeat-peers.d > @/repeat-peers.b == {around}"),
        "@/repeat-peers.x > @/repeat-peers.a@2.0.0",
    ]);
}

#[test]
fn a_circle_of_dependencies_has_an_optional_peer_in_it() {
    let around = "@/recursive-with-optional-peer > @/dep-of-recursive-with-optional-peer";
    project(json!({ "dependencies": { "@/recursive-with-optional-peer": "1.0.0" } }))
        .install()
        .finds(&[
            &format!("{around} > @/peer-a@1.0.0"),
            &format!("{around} > @/recursive-with-optional-peer > @/peer-a == {around} > @/peer-a"),
        ]);
}

#[test]
fn dependencies_that_are_peers_of_each_other_come_to_an_end() {
    let project = project(json!({ "dependencies": { "@/deadlock.a": "1.0.0" } })).install();
    let lines = ["@/deadlock.a > @/deadlock.b@1.0.0", "@/deadlock.a > @/deadlock.c@1.0.0"];
    project
        .finds(&lines)
        .finds_if(HOISTED, &["@/deadlock.c@1.0.0"])
        .finds_if(ISOLATED, &["@/deadlock.a > @/deadlock.c > @/deadlock.a == @/deadlock.a"]);
}
