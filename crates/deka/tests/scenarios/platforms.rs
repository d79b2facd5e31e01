//! Packages for other systems, and what becomes of those that need them.

use serde_json::json;

use crate::scenario::project;

/// Whoever runs the tests: as a system that the packages know.
const LINUX: &[&str] = &["--os=linux", "--cpu=x64", "--libc=glibc"];

#[test]
fn an_optional_dependency_for_no_system_is_left_out_with_what_it_needs() {
    project(json!({ "dependencies": { "@/pkg-with-optional": "1.0.0" } }))
        .install()
        .finds(&["@/pkg-with-optional > @/not-compatible-with-any-os@none"])
        .has(&["!@/not-compatible-with-any-os", "!@/dep-of-optional-pkg"])
        .locks(&[r#""@/not-compatible-with-any-os": ["#, r#""@/dep-of-optional-pkg": ["#]);
}

#[test]
fn the_projects_own_optional_dependency_is_left_out() {
    project(json!({ "optionalDependencies": { "@/not-compatible-with-any-os": "*" } }))
        .install()
        .has(&["!@/not-compatible-with-any-os", "!@/dep-of-optional-pkg"]);
}

#[test]
fn a_needed_package_for_no_system_is_left_out_with_a_warning() {
    project(json!({ "dependencies": { "@/has-not-compatible-dep": "1.0.0" } }))
        .install()
        .says(&["@/not-compatible-with-any-os@1.0.0: unsupported platform"])
        .finds(&["@/has-not-compatible-dep > @/not-compatible-with-any-os@none"]);
}

#[test]
fn an_optional_package_needs_one_for_no_system() {
    project(json!({ "optionalDependencies": { "@/not-compatible-with-not-compatible-dep": "1" } }))
        .install()
        .has(&["!@/not-compatible-with-not-compatible-dep", "!@/not-compatible-with-any-os"]);
}

#[test]
fn an_optional_package_with_a_peer_is_left_out_and_its_peer_stays() {
    project(json!({ "dependencies": { "@/has-optional-dep-with-peer": "1.0.0" } }))
        .install()
        .finds(&[
            "@/has-optional-dep-with-peer > @/peer-c@1.0.0",
            "@/has-optional-dep-with-peer > @/not-compatible-with-any-os-and-has-peer@none",
        ]);
}

#[test]
fn of_many_systems_one_is_installed() {
    project(json!({ "dependencies": { "@/parent-of-has-many-optional-deps": "1.0.0" } }))
        .arguments(LINUX)
        .install()
        .finds(&[
            "@/parent-of-has-many-optional-deps > @/has-many-optional-deps > @/linux-x64@1.0.0",
            "@/parent-of-has-many-optional-deps > @/has-many-optional-deps > @/linux-arm64@none",
            "@/parent-of-has-many-optional-deps > @/has-many-optional-deps > @/darwin-x64@none",
            "@/parent-of-has-many-optional-deps > @/has-many-optional-deps > @/windows-x64@none",
        ]);
}

#[test]
fn the_lockfile_has_all_systems() {
    project(json!({ "dependencies": { "@/has-many-optional-deps": "1.0.0" } })).install().locks(&[
        r#""@/darwin-arm64": ["#,
        r#""@/darwin-x64": ["#,
        r#""@/linux-arm64": ["#,
        r#""@/linux-x64": ["#,
        r#""@/windows-x64": ["#,
    ]);
}

#[test]
fn systems_differ_in_their_libc() {
    let chain = "@/support-different-architectures > @";
    project(json!({ "dependencies": { "@/support-different-architectures": "1.0.0" } }))
        .arguments(LINUX)
        .install()
        .finds(&[
            &format!("{chain}/only-linux-x64-glibc@1.0.0"),
            &format!("{chain}/only-linux-x64-musl@none"),
            &format!("{chain}/only-linux-arm64-glibc@none"),
            &format!("{chain}/only-darwin-x64@none"),
        ]);
}

#[test]
fn the_system_of_somebody_else_is_installed() {
    let chain = "@/support-different-architectures > @";
    project(json!({ "dependencies": { "@/support-different-architectures": "1.0.0" } }))
        .arguments(&["--os=darwin", "--cpu=arm64"])
        .install()
        .finds(&[
            &format!("{chain}/only-darwin-arm64@1.0.0"),
            &format!("{chain}/only-darwin-x64@none"),
            &format!("{chain}/only-linux-x64-glibc@none"),
        ]);
}

#[test]
fn several_systems_are_installed_at_once() {
    let chain = "@/support-different-architectures > @";
    project(json!({ "dependencies": { "@/support-different-architectures": "1.0.0" } }))
        .arguments(&["--os=darwin", "--os=win32", "--cpu=*"])
        .install()
        .finds(&[
            &format!("{chain}/only-darwin-arm64@1.0.0"),
            &format!("{chain}/only-darwin-x64@1.0.0"),
            &format!("{chain}/only-win32-arm64@1.0.0"),
            &format!("{chain}/only-linux-x64-glibc@none"),
        ]);
}

#[test]
fn optional_dependencies_are_left_out_on_request() {
    project(
        json!({ "dependencies": { "@/pkg-with-good-optional": "1.0.0", "@/foobar": "100.0.0" } }),
    )
    .arguments(&["--omit=optional"])
    .install()
    .finds(&[
        "@/pkg-with-good-optional > is-positive@none",
        "@/pkg-with-good-optional > @/dep-of-pkg-with-1-dep@101.0.0",
        "@/foobar > @/foo@100.1.0",
        "@/foobar > @/bar@none",
    ]);
}

#[test]
fn optional_dependencies_that_fit_are_installed() {
    project(
        json!({ "dependencies": { "@/pkg-with-good-optional": "1.0.0", "@/foobar": "100.0.0" } }),
    )
    .install()
    .finds(&["@/pkg-with-good-optional > is-positive@1.0.0", "@/foobar > @/bar@100.1.0"]);
}

#[test]
fn engines_do_not_stop_an_install() {
    // `node: 0.10`, `pnpm: 0.1.0`, and an object that names a runtime.
    let dependencies = json!({
        "@/cli-with-node-engine": "1.0.0",
        "@/for-legacy-node": "1.0.0",
        "@/for-legacy-pnpm": "1.0.0",
    });
    project(json!({ "dependencies": dependencies })).install().finds(&[
        "@/cli-with-node-engine@1.0.0",
        "@/for-legacy-node@1.0.0",
        "@/for-legacy-pnpm@1.0.0",
    ]);
}

#[test]
fn a_package_names_its_processors_only() {
    project(json!({ "dependencies": { "@/has-cpu-specified": "1.0.0" } }))
        .arguments(&["--cpu=x64"])
        .install()
        .finds(&["@/has-cpu-specified@1.0.0"])
        .locks(&[r#""cpu": [ "x64", "ia32", ]"#]);
}
