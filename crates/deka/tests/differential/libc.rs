//! `libc`, which abbreviated packuments leave out: who is asked for it, who has it, whom it stops.

use std::{collections::BTreeMap, fs};

use deka_test::{Registry, Style};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{
    compare::compare,
    suite::SUITE,
    tool::{Installed, Tool},
};

/// Names with and without what hints at `libc`.
const NAMES: &[&str] = &[
    "a-darwin-arm64",
    "a-glibc",
    "a-gnu",
    "a-gnueabihf",
    "a-linux-x64",
    "a-linux-x64-gnu",
    "a-musleabihf",
    "alinuxb",
    "amusl",
    "LINUX-a",
    "signup",
    "uclibc",
    "@linux/a",
    "@x/plain",
    "@x/sharp-libvips-linux-arm",
    "@x/sharp-linuxmusl-x64",
];

#[test]
fn libc_is_asked_by_name_and_stops_optional_dependencies() {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in("libc-", &suite.folder).expect("a folder");
    let registry = Registry::start();
    registry.style(Style::public());
    let manifest = publish(&registry).to_string();

    let [theirs, ours] = [&suite.bun, &suite.deka].map(|tool| {
        let tool = Tool::new(tool.name, &tool.program, &work.path().join(tool.name));
        let project = tool.folder.join("project");
        fs::create_dir(&project).expect("a folder can be made");
        fs::write(project.join("package.json"), &manifest).expect("a file can be written");
        let install = |arguments: &[&str]| {
            let url = registry.url();
            let arguments = [&["--registry", &*url], arguments].concat();
            registry.clear_requests();
            (tool.install(&project, &arguments), requests(&registry))
        };
        let remove = |part: &str| {
            fs::remove_dir_all(project.join("node_modules")).expect("it was installed");
            if part == "bun.lock" {
                fs::remove_file(project.join(part)).expect("it was locked");
            }
        };
        let clean = install(&[]);
        remove("bun.lock");
        let warm = install(&[]);
        remove("node_modules");
        let frozen = install(&["--frozen-lockfile"]);
        remove("bun.lock");
        let musl = install(&["--libc=musl"]);
        remove("bun.lock");
        let elsewhere = install(&["--os=darwin", "--cpu=arm64"]);
        [clean, warm, frozen, musl, elsewhere]
    });
    let whats = ["clean", "warm", "frozen", "for musl", "for macOS"];
    for (what, (left, right)) in whats.iter().zip(theirs.iter().zip(&ours)) {
        check(what, left, right);
    }
}

/// A request's path, and whether it asks for the full packument.
type Requests = BTreeMap<String, bool>;

fn requests(registry: &Registry) -> Requests {
    let is_full = |accept: Option<&str>| !accept.is_some_and(|text| text.contains("install-v1"));
    let requests = registry.requests();
    requests.iter().map(|one| (one.decoded_path(), is_full(one.header("accept")))).collect()
}

fn check(what: &str, left: &(Installed, Requests), right: &(Installed, Requests)) {
    if let Err(message) = compare(what, &left.0, &right.0) {
        panic!("{message}");
    }
    assert_eq!(left.1, right.1, "{what}: - bun, + deka");
}

/// Publishes packages and returns the manifest that needs all of them.
fn publish(registry: &Registry) -> Value {
    let mut manifest = json!({ "name": "libc", "private": true });
    let mut need = |group: &str, name: &str, spec: &str| {
        let groups = manifest.as_object_mut().expect("it is an object");
        let group = groups.entry(group).or_insert_with(|| Map::new().into());
        group[name] = spec.into();
    };

    // Each name twice: needed and optional, where the other C library is not wanted.
    for name in NAMES {
        registry.package(name, "1.0.0").os(&["linux"]).libc(&["musl"]).publish();
        need("optionalDependencies", name, "1.0.0");
        let required = format!("{name}-required");
        registry.package(&required, "1.0.0").os(&["linux"]).libc(&["musl"]).publish();
        need("dependencies", &required, "^1.0.0");
    }
    // What `libc` may look like, in packages whose names say the opposite or nothing.
    let fields = [
        ("absent", None),
        ("text", Some(json!("musl"))),
        ("other", Some(json!("glibc"))),
        ("list", Some(json!(["musl"]))),
        ("both", Some(json!(["glibc", "musl"]))),
        ("not", Some(json!(["!musl"]))),
        ("not-glibc", Some(json!("!glibc"))),
        ("empty", Some(json!([]))),
        ("unknown", Some(json!(["uclibc"]))),
        ("neither", Some(json!(["!glibc", "!musl"]))),
        ("null", Some(Value::Null)),
        ("null-inside", Some(json!([null]))),
    ];
    for (what, libc) in fields {
        for name in [format!("field-{what}-linux"), format!("field-{what}-linux-musl")] {
            let mut package = registry.package(&name, "1.0.0").os(&["linux"]);
            if let Some(libc) = libc.clone() {
                package = package.field("libc", libc);
            }
            package.publish();
            need("optionalDependencies", &name, "1");
        }
    }
    // Only the tarball says it.
    let manifest_only = registry.package("tarball-linux", "1.0.0").field("libc", json!("musl"));
    manifest_only.packument_field("libc", Value::Null).publish();
    need("optionalDependencies", "tarball-linux", "1");
    // The name that counts is the package's own.
    need("optionalDependencies", "alias", "npm:@linux/a@1");
    need("optionalDependencies", "alias-linux", "npm:signup@1");
    need("devDependencies", "alias-required", "npm:@linux/a-required@1");
    // A package and what it needs in turn, for each way to need it.
    for way in ["dependency", "optional", "peer", "optional-peer"] {
        let (inner, deep) = (format!("{way}-linux"), format!("{way}-deep"));
        registry.package(&deep, "1.0.0").publish();
        registry.package(&inner, "1.0.0").libc(&["musl"]).dep(&deep, "1").publish();
        let outer = registry.package(way, "1.0.0");
        let outer = match way {
            "dependency" => outer.dep(&inner, "1"),
            "optional" => outer.optional(&inner, "1"),
            "peer" => outer.peer(&inner, "1"),
            _ => outer.optional_peer(&inner, "1"),
        };
        outer.publish();
        need("dependencies", way, "1");
    }
    // Needed by one and optional for another.
    registry.package("mixed-linux", "1.0.0").libc(&["musl"]).publish();
    registry.package("mixed-optional", "1.0.0").optional("mixed-linux", "1").publish();
    registry.package("mixed-required", "1.0.0").dep("mixed-linux", "1").publish();
    need("dependencies", "mixed-optional", "1");
    need("dependencies", "mixed-required", "1");
    manifest
}
