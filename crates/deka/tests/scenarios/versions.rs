//! Which version is asked for, which there is, and what a registry says of it.

use serde_json::json;

use crate::scenario::project;

#[test]
fn a_tag_is_a_version() {
    project(json!({ "dependencies": { "@/foo": "latest", "@/beta-version": "latest" } }))
        .install()
        .finds(&["@/foo@2.0.0", "@/beta-version@1.0.0-beta.0"]);
}

#[test]
fn latest_wins_over_what_is_newer() {
    // `100.1.0` is there, but `latest` is `2.0.0`.
    project(json!({ "dependencies": { "@/foo": "*", "@/requires-any-foo": "1.0.0" } }))
        .install()
        .finds(&["@/foo@2.0.0", "@/requires-any-foo > @/foo == @/foo"]);
}

#[test]
fn a_package_has_nothing_but_prereleases() {
    project(json!({ "dependencies": { "@/has-beta-only": "*" } }))
        .install()
        .finds(&["@/has-beta-only@1.0.0-beta.1"]);
}

#[test]
fn a_prerelease_is_latest() {
    // `*` is `latest`, a range takes what is stable.
    project(json!({ "dependencies": { "@/has-prerelease": "*", "stable": "npm:@/has-prerelease@>=1" } }))
        .install()
        .finds(&["@/has-prerelease@3.0.0-rc.0", "stable@npm:@/has-prerelease@2.0.0"]);
}

#[test]
fn build_metadata_is_no_part_of_a_version() {
    project(json!({ "dependencies": { "@/build-metadata-in-dep-version": "1.0.0" } }))
        .install()
        .finds(&["@/build-metadata-in-dep-version > @/foo@100.0.0"]);
}

#[test]
fn a_version_stays_until_its_range_leaves_it() {
    project(json!({ "dependencies": { "@/foo": "1.0.0" } }))
        .install()
        .then(json!({ "dependencies": { "@/foo": "^1.0.0" } }))
        .finds(&["@/foo@1.0.0"])
        .then(json!({ "dependencies": { "@/foo": "^1.1.0" } }))
        .finds(&["@/foo@1.3.0"]);
}

#[test]
fn a_deprecated_package_is_installed_with_a_warning() {
    project(json!({ "dependencies": { "@/deprecated": "1.0.0" } }))
        .install()
        .says(&["@/deprecated@1.0.0", "This package is deprecated. Lorem ipsum"])
        .finds(&["@/deprecated@1.0.0"]);
}

#[test]
fn a_missing_version_fails_and_says_which_there_are() {
    project(json!({ "dependencies": { "@/foo": "^1000" } })).fails(&["@/foo", "^1000"]);
}

#[test]
fn a_missing_tag_fails() {
    project(json!({ "dependencies": { "@/foo": "no-such-tag" } })).fails(&["@/foo", "no-such-tag"]);
}

#[test]
fn a_missing_package_fails_and_names_who_needs_it() {
    project(json!({ "dependencies": { "@/has-native-dep": "*" } }))
        .fails(&["bcrypt", "@/has-native-dep"]);
}

#[test]
fn a_missing_optional_package_is_left_out() {
    project(json!({ "optionalDependencies": { "@/there-is-none": "1", "@/foo": "^1000" } }))
        .install()
        .has(&["!@/there-is-none", "!@/foo"]);
}

#[test]
fn a_catalog_of_somebody_else_is_not_found() {
    project(
        json!({ "dependencies": { "@/pkg-with-accidentally-published-catalog-protocol": "1" } }),
    )
    .fails(&["@/hello-world-js-bin", "catalog:foo"]);
}

#[test]
fn a_dependency_is_a_url_that_nobody_serves() {
    project(json!({ "dependencies": { "@/pkg-with-tarball-dep-from-registry": "1.0.0" } }))
        .fails(&["http://localhost:7769/@/dep-of-pkg-with-1-dep"]);
}

#[test]
fn files_that_differ_in_case_are_two() {
    project(json!({ "dependencies": { "@/with-same-file-in-different-cases": "1.0.0" } }))
        .install()
        .finds(&[
            "@/with-same-file-in-different-cases has foo.js",
            "@/with-same-file-in-different-cases has Foo.js",
        ]);
}
