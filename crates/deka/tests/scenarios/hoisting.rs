//! Several versions of a package, and which of them lies where.

use serde_json::json;

use crate::scenario::{HOISTED, ISOLATED, project};

#[test]
fn a_nested_version_does_not_take_the_projects_place() {
    let dependencies = json!({ "@/foo": "1.0.0", "@/foobarqar": "1.0.0", "@/foobar": "100.0.0" });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/foo@1.0.0",
        "@/foobarqar > @/foo@100.1.0",
        "@/foobarqar > @/bar@100.0.0",
        "@/foobar > @/foo@100.1.0",
        "@/foobar > @/bar@100.0.0",
    ]);
}

#[test]
fn dependents_that_agree_share_a_version() {
    let dependencies = json!({
        "@/has-foo-100.0.0-range-dep": "1.0.0",
        "@/has-foo-100.1.0-dep-1": "1.0.0",
        "@/has-foo-100.1.0-dep-2": "1.0.0",
    });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/has-foo-100.0.0-range-dep > @/foo@100.1.0",
        "@/has-foo-100.0.0-range-dep > @/foo == @/has-foo-100.1.0-dep-1 > @/foo",
        "@/has-foo-100.1.0-dep-1 > @/foo == @/has-foo-100.1.0-dep-2 > @/foo",
    ]);
}

#[test]
fn a_version_that_all_accept_is_the_only_one() {
    project(json!({ "dependencies": { "@/has-foo-as-dep-and-subdep": "1.0.0" } })).install().finds(
        &[
            "@/has-foo-as-dep-and-subdep > @/foo@100.0.0",
            "@/has-foo-as-dep-and-subdep > @/requires-any-foo > @/foo@100.0.0",
        ],
    );
}

#[test]
fn dependents_of_other_versions_have_them() {
    let dependencies = json!({
        "@/dep-of-pkg-with-1-dep": "101.0.0",
        "@/parent-of-pkg-with-1-dep": "1.0.0",
        "@/has-default-peer": "1.0.0",
    });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/dep-of-pkg-with-1-dep@101.0.0",
        "@/parent-of-pkg-with-1-dep > @/pkg-with-1-dep > @/dep-of-pkg-with-1-dep@100.0.0",
        "@/has-default-peer > @/dep-of-pkg-with-1-dep@100.0.0",
    ]);
}

#[test]
fn what_nobody_asked_for_is_found_only_where_it_is_hoisted() {
    project(json!({ "dependencies": { "@/depends-on-pkg-abcd": "1.0.0" } }))
        .install()
        .finds(&["@/depends-on-pkg-abcd > @/pkg-d@1.0.0"])
        .finds_if(HOISTED, &["@/pkg-d@1.0.0"])
        .finds_if(ISOLATED, &["@/pkg-d@none"]);
}

#[test]
fn packages_find_what_they_forgot_to_ask_for() {
    // The project does not, unless it is hoisted.
    project(
        json!({ "dependencies": { "@/pkg-with-1-dep": "100.0.0", "@/depends-on-pkg-abcd": "*" } }),
    )
    .install()
    .finds(&["@/pkg-with-1-dep > @/pkg-a@1.0.0"]);
}

#[test]
fn patterns_hoist_what_they_name() {
    // Bun reads the pattern from `.npmrc` as npm writes lists.
    project(json!({ "dependencies": { "@/depends-on-pkg-abcd": "1.0.0" } }))
        .npmrc("public-hoist-pattern=*pkg-a")
        .only(ISOLATED)
        .install()
        .finds(&["@/pkg-a@1.0.0", "@/pkg-b@none"]);
}

#[test]
fn a_dependency_of_two_groups_is_one() {
    project(json!({
        "dependencies": { "@/foo": "1.0.0" },
        "devDependencies": { "@/bar": "100.0.0", "@/pkg-with-duplicated-dep": "1.0.0" },
        "optionalDependencies": { "@/foo": "1.2.0" },
    }))
    .install()
    .finds(&["@/foo@1.2.0", "@/bar@100.0.0", "@/pkg-with-duplicated-dep@1.0.0"]);
}

#[test]
fn development_is_left_out_on_request() {
    project(json!({
        "dependencies": { "@/foo": "1.0.0" },
        "devDependencies": { "@/bar": "100.0.0", "@/pkg-with-1-dep": "100.0.0" },
    }))
    .arguments(&["--omit=dev"])
    .install()
    .finds(&["@/foo@1.0.0", "@/bar@none", "@/pkg-with-1-dep@none", "@/dep-of-pkg-with-1-dep@none"])
    .locks(&[r#""@/bar": ["#]);
}
