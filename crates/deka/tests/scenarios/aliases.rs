//! One package under several names, and several versions under one.

use serde_json::json;

use crate::scenario::project;

#[test]
fn a_dependency_has_another_name() {
    project(json!({ "dependencies": { "@/pkg-with-1-aliased-dep": "100.0.0" } }))
        .install()
        .finds(&["@/pkg-with-1-aliased-dep > dep@npm:@/dep-of-pkg-with-1-dep@100.1.0"])
        .locks(&[r#""dep": ["@/dep-of-pkg-with-1-dep@100.1.0""#]);
}

#[test]
fn three_versions_of_a_dependency_have_names_of_their_own() {
    project(json!({ "dependencies": { "@/depends-on-console-log": "1.0.0" } })).install().finds(&[
        "@/depends-on-console-log > console-log-1@npm:@/console-log@1.0.0",
        "@/depends-on-console-log > console-log-2@npm:@/console-log@2.0.0",
        "@/depends-on-console-log > console-log-3@npm:@/console-log@3.0.0",
    ]);
}

#[test]
fn a_project_has_versions_side_by_side() {
    let dependencies = json!({
        "@/foo": "1.0.0",
        "foo-1": "npm:@/foo@1.3.0",
        "foo-100": "npm:@/foo@^100.0.0",
        "foo-same": "npm:@/foo@1.0.0",
    });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/foo@1.0.0",
        "foo-1@npm:@/foo@1.3.0",
        "foo-100@npm:@/foo@100.1.0",
        "foo-same@npm:@/foo@1.0.0",
    ]);
}

#[test]
fn a_name_is_taken_by_another_package() {
    // `@/foobar` needs `@/foo@^100` as well, and takes what the project calls so if its version fits.
    project(json!({ "dependencies": { "@/foo": "npm:@/bar@100.0.0", "@/foobar": "100.0.0" } }))
        .install()
        .finds(&[
            "@/foo@npm:@/bar@100.0.0",
            "@/foobar > @/foo == @/foo",
            "@/foobar > @/bar@100.0.0",
        ]);
}

#[test]
fn aliases_of_a_peer_are_not_the_peer() {
    let parent = "@/abc-parent-with-aliases-of-same-pkg";
    project(json!({ "dependencies": { parent: "1.0.0" } })).install().finds(&[
        &format!("{parent} > peer-c1@npm:@/peer-c@2.0.0"),
        &format!("{parent} > peer-c2@npm:@/peer-c@1.0.1"),
        &format!("{parent} > peer-c3@npm:@/peer-c@1.0.0"),
        &format!("{parent} > @/abc > @/peer-c@1.0.1"),
    ]);
}

#[test]
fn a_package_of_jsr_has_a_name_of_npm() {
    // Bun takes `jsr:` for the address of a git repository.
    project(json!({ "dependencies": { "@pnpm-e2e/bar": "jsr:^1.0.0" } }))
        .npmrc("@jsr:registry=http:{registry}")
        .unlike_bun()
        .install()
        .finds(&["@pnpm-e2e/bar@npm:@jsr/pnpm-e2e__bar@1.1.0"]);
}

#[test]
fn an_alias_moves_to_another_version() {
    project(json!({ "dependencies": { "foo": "npm:@/foo@1.0.0" } }))
        .install()
        .then(json!({ "dependencies": { "foo": "npm:@/foo@2.0.0" } }))
        .finds(&["foo@npm:@/foo@2.0.0"])
        .then(json!({ "dependencies": { "foo": "npm:@/bar@100.0.0" } }))
        .finds(&["foo@npm:@/bar@100.0.0"]);
}
