//! Packages that bring their dependencies with them.

use serde_json::json;

use crate::scenario::project;

#[test]
fn a_bundled_dependency_is_the_one_in_the_tarball() {
    for name in ["@/pkg-with-bundle-dependencies", "@/pkg-with-bundle-dependencies-true"] {
        project(json!({ "dependencies": { name: "1.0.0" } }))
            .install()
            .finds(&[
                &format!("{name} has node_modules/@/hello-world-js-bin/index.js"),
                &format!("{name} > @/hello-world-js-bin@1.0.0"),
                "@/hello-world-js-bin@none",
            ])
            .locks(&[r#""bundled": true"#]);
    }
}

#[test]
fn bundled_dependencies_have_two_spellings() {
    let name = "@/pkg-with-bundled-dependencies";
    project(json!({ "dependencies": { name: "1.0.0" } })).install().finds(&[
        &format!("{name} has node_modules/@/hello-world-js-bin/index.js"),
        &format!("{name} > @/hello-world-js-bin@1.0.0"),
    ]);
}

#[test]
fn nothing_is_bundled_where_it_says_false() {
    let name = "@/pkg-with-bundle-dependencies-false";
    project(json!({ "dependencies": { name: "1.0.0" } }))
        .install()
        .finds(&[
            &format!("{name} lacks node_modules/@/hello-world-js-bin/index.js"),
            &format!("{name} > @/hello-world-js-bin@1.0.0"),
        ])
        .locks_not(&["bundled"]);
}

#[test]
fn a_bundled_dependency_and_the_projects_own_are_two() {
    let name = "@/pkg-with-bundle-dependencies";
    project(json!({ "dependencies": { name: "1.0.0", "@/hello-world-js-bin": "0.0.0" } }))
        .install()
        .finds(&[&format!("{name} > @/hello-world-js-bin@1.0.0"), "@/hello-world-js-bin@0.0.0"]);
}
