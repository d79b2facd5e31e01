//! Lifecycle scripts.

mod cache;
mod running;
mod sandbox;
mod trust;

use std::fs;
use std::path::PathBuf;

use deka_test::{Registry, TestProject};
use serde_json::{Value, json};

use crate::project;

/// A project that uses `registry` and trusts these dependencies, all of them `^1.0.0`.
fn trusting(registry: &Registry, names: &[&str]) -> TestProject {
    let project = project();
    project.use_registry(registry);
    project.package_json(manifest(names, json!({ "trustedDependencies": names })));
    project
}

/// Where scripts keep what helps the next build, one folder for each version that was built.
fn build_caches(project: &TestProject) -> Vec<PathBuf> {
    let builds = fs::read_dir(project.cache().join("build")).into_iter().flatten();
    builds.map(|entry| entry.unwrap().path()).collect()
}

/// A manifest with these dependencies and further fields.
fn manifest(names: &[&str], fields: Value) -> Value {
    let dependencies: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!("^1.0.0"))).collect();
    let mut manifest = json!({ "name": "p", "version": "2.0.0", "dependencies": dependencies });
    if let (Value::Object(all), Value::Object(more)) = (&mut manifest, fields) {
        all.extend(more);
    }
    manifest
}
