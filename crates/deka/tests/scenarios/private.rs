//! Packages that the registry gives only to those it knows.

use serde_json::json;

use crate::{
    registry::TOKEN,
    scenario::{Scenario, project},
};

/// A project with one dependency, and nothing from those who were let in.
fn private(name: &str) -> Scenario {
    project(json!({ "dependencies": { name: "1.0.0" } })).with_own_cache()
}

#[test]
fn without_a_token_a_private_package_is_refused() {
    for name in ["@/needs-auth", "@private/foo"] {
        private(name).fails(&[name, "401"]);
    }
}

#[test]
fn with_a_wrong_token_a_private_package_is_refused() {
    private("@/needs-auth").npmrc("{registry}:_authToken=wrong").fails(&["@/needs-auth", "403"]);
}

#[test]
fn with_its_token_a_private_package_is_installed() {
    project(json!({ "dependencies": { "@/needs-auth": "1.0.0", "@/foo": "1.0.0" } }))
        .npmrc(&format!("{{registry}}:_authToken={TOKEN}"))
        .install()
        .runs("hello-from-needs-auth", "hello from @/needs-auth")
        .finds(&["@/foo@1.0.0"]);
}

#[test]
fn a_scope_has_a_registry_and_a_token() {
    project(json!({ "dependencies": { "@private/foo": "1.0.0", "@/foo": "1.0.0" } }))
        .npmrc("@private:registry=http:{registry}")
        .npmrc(&format!("{{registry}}:_authToken={TOKEN}"))
        .install()
        .finds(&["@private/foo@1.0.0", "@/foo@1.0.0"]);
}

#[test]
fn a_token_for_another_path_is_not_sent() {
    private("@/needs-auth")
        .npmrc(&format!("{{registry}}elsewhere/:_authToken={TOKEN}"))
        .fails(&["@/needs-auth", "401"]);
}
