//! The rules of the house that cargo knows nothing of: which crate may use which, that none names a
//! dependency that it does not use, and that ARCHITECTURE.md leads to files that are there.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::Value;

/// The rows of ARCHITECTURE.md, lowest first. A crate may use those of lower rows only.
const ROWS: &[&[&str]] = &[
    &["deka-manifest", "deka-config", "deka-fs"],
    &["deka-graph", "deka-registry", "deka-store"],
    &["deka-resolver", "deka-lockfile", "deka-linker", "deka-scripts"],
    &["deka-install"],
    &["deka"],
];

/// Crates of row 1 that others of row 1 may use: `deka-config` needs the names of packages.
const FOUNDATIONS: &[&str] = &["deka-manifest"];

/// Crates outside the rows: for tests and for developers.
const OUTSIDE: &[&str] = &["deka-test", "xtask"];

/// One crate of the workspace, as `cargo metadata` tells.
struct Member {
    name: String,
    folder: String,
    /// Name of the package, the name that code uses, and whether only tests may.
    dependencies: Vec<(String, String, bool)>,
}

/// Checks the workspace; fails with one line for each thing that is wrong.
pub(crate) fn check(cargo: Command) -> Result<(), String> {
    let members = members(cargo)?;
    let mut wrong = Vec::new();
    check_places(&mut wrong)?;
    for member in &members {
        check_rows(member, &mut wrong);
        check_used(member, &mut wrong)?;
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("\n  {}", wrong.join("\n  "))) }
}

fn check_rows(member: &Member, wrong: &mut Vec<String>) {
    let row = |name: &str| ROWS.iter().position(|row| row.contains(&name));
    let own = row(&member.name);
    if own.is_none() && !OUTSIDE.contains(&&*member.name) {
        wrong.push(format!("`{}` is in no row of crates/xtask/src/house.rs", member.name));
    }
    for (dependency, _, is_dev) in &member.dependencies {
        let is_misplaced = OUTSIDE.contains(&&**dependency) && !OUTSIDE.contains(&&*member.name);
        if is_misplaced && !is_dev {
            wrong.push(format!("`{}` uses `{dependency}` outside its tests", member.name));
        }
        let (Some(own), Some(other)) = (own, row(dependency)) else { continue };
        let is_foundation = FOUNDATIONS.contains(&&**dependency) && member.name != *dependency;
        if other >= own && !is_foundation {
            wrong.push(format!("`{}` uses `{dependency}`, which is not below it", member.name));
        }
    }
}

/// The places that ARCHITECTURE.md names below the crates: `deka-graph/src/hoist/`.
fn check_places(wrong: &mut Vec<String>) -> Result<(), String> {
    const PAGE: &str = "ARCHITECTURE.md";
    let page = fs::read_to_string(PAGE).map_err(|error| format!("reading `{PAGE}`: {error}"))?;
    for place in page.split('`').skip(1).step_by(2) {
        let is_place = place.starts_with("deka") && place.contains('/');
        if is_place && !Path::new("crates").join(place).exists() {
            wrong.push(format!("`{PAGE}` leads to `{place}`, which is not there"));
        }
    }
    Ok(())
}

/// A dependency is used if its name stands as a word in the sources. That misses some unused ones,
/// and never blames a used one.
fn check_used(member: &Member, wrong: &mut Vec<String>) -> Result<(), String> {
    let mut sources = String::new();
    for part in ["src", "tests", "benches", "examples", "build.rs"] {
        read_sources(&Path::new(&member.folder).join(part), &mut sources)?;
    }
    for (name, identifier, _) in &member.dependencies {
        let is_used = sources
            .split(|character: char| !(character.is_alphanumeric() || character == '_'))
            .any(|word| word == identifier);
        if !is_used {
            wrong.push(format!("`{}` names `{name}` and does not use it", member.name));
        }
    }
    Ok(())
}

fn read_sources(path: &Path, into: &mut String) -> Result<(), String> {
    let failed = |error| format!("reading `{}`: {error}", path.display());
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(failed)? {
            read_sources(&entry.map_err(failed)?.path(), into)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") && path.is_file() {
        into.push_str(&fs::read_to_string(path).map_err(failed)?);
    }
    Ok(())
}

fn members(mut cargo: Command) -> Result<Vec<Member>, String> {
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--locked"]);
    let output = cargo.output().map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("reading `cargo metadata`: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("`cargo metadata` lists no packages")?;
    Ok(packages.iter().map(member).collect())
}

fn member(package: &Value) -> Member {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let manifest = text(&package["manifest_path"]);
    let folder = Path::new(&manifest).parent().map(|folder| folder.display().to_string());
    let mut dependencies = BTreeMap::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let name = text(&dependency["name"]);
        let renamed = dependency["rename"].as_str().unwrap_or(&name).replace('-', "_");
        let is_dev = dependency["kind"].as_str() == Some("dev");
        let entry = dependencies.entry(name).or_insert((renamed, true));
        entry.1 &= is_dev;
    }
    Member {
        name: text(&package["name"]),
        folder: folder.unwrap_or_default(),
        dependencies: dependencies
            .into_iter()
            .map(|(name, (renamed, is_dev))| (name, renamed, is_dev))
            .collect(),
    }
}
