//! Projects that have a say in what their dependencies need: overrides, catalogs, extensions, patches.

use serde_json::json;

use crate::scenario::project;

/// The patch that pnpm's `has-patch-for-foo` brings: a package without files gets one.
const PATCH: &str = "diff --git a/index.js b/index.js
new file mode 100644
index 0000000000000000000000000000000000000000..1e2e7be215a474d90dd0daf2bc9e368694fec353
--- /dev/null
+++ b/index.js
@@ -0,0 +1 @@
+console.log('Hello world!')
";

#[test]
fn an_override_holds_for_all_dependents() {
    project(json!({
        "dependencies": { "@/parent-of-pkg-with-1-dep": "1.0.0", "@/pkg-with-good-optional": "1.0.0" },
        "overrides": { "@/dep-of-pkg-with-1-dep": "100.0.0" },
    }))
    .install()
    .finds(&[
        "@/parent-of-pkg-with-1-dep > @/pkg-with-1-dep > @/dep-of-pkg-with-1-dep@100.0.0",
        "@/pkg-with-good-optional > @/dep-of-pkg-with-1-dep@100.0.0",
    ]);
}

#[test]
fn an_override_holds_below_one_dependent() {
    project(json!({
        "dependencies": { "@/foobar": "100.0.0", "@/foobarqar": "1.0.1" },
        "overrides": { "@/foobar": { "@/foo": "1.0.0" } },
    }))
    .install()
    .finds(&["@/foobar > @/foo@1.0.0", "@/foobarqar > @/foo@100.1.0"])
    .locks(&["\"lockfileVersion\": 3"]);
}

#[test]
fn an_override_brings_another_package() {
    project(json!({
        "dependencies": { "@/foobar": "100.0.0" },
        "overrides": { "@/foo": "npm:@/qar@100.0.0" },
    }))
    .install()
    .finds(&["@/foobar > @/foo@npm:@/qar@100.0.0"]);
}

#[test]
fn an_override_decides_what_peers_get() {
    project(json!({
        "dependencies": { "@/abc": "1.0.0" },
        "overrides": { "@/peer-a": "1.0.0", "@/peer-c": "2.0.0" },
    }))
    .install()
    .finds(&["@/abc > @/peer-a@1.0.0", "@/abc > @/peer-c@2.0.0"]);
}

#[test]
fn overrides_come_and_go() {
    let dependencies = json!({ "@/pkg-with-1-dep": "100.0.0" });
    let overrides = json!({ "@/dep-of-pkg-with-1-dep": "101.0.0" });
    project(json!({ "dependencies": dependencies.clone() }))
        .install()
        .finds(&["@/pkg-with-1-dep > @/dep-of-pkg-with-1-dep@100.1.0"])
        .then(json!({ "dependencies": dependencies.clone(), "overrides": overrides }))
        .finds(&["@/pkg-with-1-dep > @/dep-of-pkg-with-1-dep@101.0.0"])
        .then(json!({ "dependencies": dependencies }))
        .finds(&["@/pkg-with-1-dep > @/dep-of-pkg-with-1-dep@100.1.0"]);
}

#[test]
fn resolutions_are_overrides() {
    project(json!({
        "dependencies": { "@/foobar": "100.0.0" },
        "resolutions": { "**/@/foo": "1.0.0", "@/bar": "100.0.0" },
    }))
    .install()
    .finds(&["@/foobar > @/foo@1.0.0", "@/foobar > @/bar@100.0.0"]);
}

#[test]
fn an_extension_adds_what_a_package_forgot() {
    project(json!({
        "dependencies": { "@/postinstall-requires-is-positive": "1.0.0", "@/foo": "1.0.0" },
        "packageExtensions": {
            "@/postinstall-requires-is-positive": { "dependencies": { "is-positive": "2.0.0" } },
            "@/foo@^1": { "peerDependencies": { "@/peer-a": "1.0.0" } },
        },
    }))
    .install()
    .finds(&["@/postinstall-requires-is-positive > is-positive@2.0.0", "@/foo > @/peer-a@1.0.0"]);
}

#[test]
fn an_extension_makes_a_peer_optional() {
    let plain = json!({ "dependencies": { "@/abc": "1.0.0" } });
    let extended = json!({
        "dependencies": { "@/abc": "1.0.0" },
        "packageExtensions": {
            "@/abc": { "peerDependenciesMeta": { "@/peer-c": { "optional": true } } },
        },
    });
    project(extended.clone())
        .install()
        .finds(&["@/abc > @/peer-a@1.0.1", "@/abc > @/peer-c@none"])
        .then(plain)
        .finds(&["@/abc > @/peer-c@1.0.1"])
        .then(extended);
}

#[test]
fn a_patch_holds_for_its_version_only() {
    project(json!({
        "dependencies": { "@/foo": "100.0.0", "other": "npm:@/foo@100.1.0" },
        "patchedDependencies": { "@/foo@100.0.0": "patches/foo.patch" },
    }))
    .file("patches/foo.patch", PATCH)
    .install()
    .finds(&["@/foo has index.js", "other lacks index.js"]);
}

#[test]
fn a_patch_holds_for_every_copy() {
    let dependencies = json!({
        "@/foo": "2.0.0",
        "@/foobar": "100.0.0",
        "@/foobarqar": "1.0.1",
        "@/has-foo-as-dep-and-subdep": "1.0.0",
    });
    project(json!({
        "dependencies": dependencies,
        "patchedDependencies": { "@/foo@100.0.0": "patches/foo.patch" },
    }))
    .file("patches/foo.patch", PATCH)
    .install()
    .finds(&[
        "@/foo lacks index.js",
        "@/foobar > @/foo has index.js",
        "@/foobarqar > @/foo has index.js",
        "@/has-foo-as-dep-and-subdep > @/foo has index.js",
    ]);
}

#[test]
fn a_patch_goes_when_it_is_not_wanted_any_more() {
    let dependencies = json!({ "@/foo": "100.0.0" });
    let patched = json!({ "@/foo@100.0.0": "foo.patch" });
    project(json!({ "dependencies": dependencies.clone(), "patchedDependencies": patched }))
        .file("foo.patch", PATCH)
        .install()
        .finds(&["@/foo has index.js"])
        .then(json!({ "dependencies": dependencies }))
        .finds(&["@/foo lacks index.js"]);
}

#[test]
fn a_patch_that_is_missing_fails() {
    project(json!({
        "dependencies": { "@/foo": "100.0.0" },
        "patchedDependencies": { "@/foo@100.0.0": "patches/none.patch" },
    }))
    .fails(&["patches/none.patch"]);
}
