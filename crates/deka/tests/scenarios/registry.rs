//! The registry of all scenarios: pnpm's packages, and stand-ins for the few others that those need.

use deka_test::{Registry, Tar, archive::gzip, peer, registry::Authorization};

/// What `needs-auth` and `@private/*` are given for.
pub(crate) const TOKEN: &str = "token-of-the-scenarios";

/// Starts it, or does not if peers are to be skipped.
pub(crate) fn start() -> Option<Registry> {
    let registry = Registry::serve_verdaccio(&peer::registry_mock()?);
    let private = Authorization::bearer(TOKEN);
    registry.require(private.below("/@private/").below("/@pnpm.e2e/needs-auth"));
    for version in ["1.0.0", "2.0.0", "3.0.0", "3.1.0"] {
        registry.package("is-positive", version).file("index.js", "").publish();
    }
    for version in ["1.0.0", "1.0.1", "2.0.0", "2.1.0"] {
        registry.package("is-negative", version).file("index.js", "").publish();
    }
    registry.package("say-hi", "2.0.0").publish();
    registry.package("ajv", "4.10.4").publish();
    registry.package("ajv", "8.1.0").publish();
    registry.package("ajv-keywords", "1.5.0").peer("ajv", ">=4.10.0").publish();
    registry
        .package("json-append", "1.1.1")
        .bin("json-append", "bin.js")
        .executable("bin.js", JSON_APPEND)
        .publish();
    let manifest = r#"{"name":"is-negative","version":"2.1.0"}"#;
    put_repository(&registry, "kevva/is-negative", "2.1.0", manifest);
    let manifest = r#"{"name":"hi","version":"1.0.0"}"#;
    put_repository(&registry, "zkochan/hi", "4cdebec76b7b9d1f6e219e06c42d92a6b8ea60cd", manifest);
    Some(registry)
}

/// Serves what GitHub would of a repository of one file: by what is asked for, and by the commit that it
/// leads to.
fn put_repository(registry: &Registry, repository: &str, reference: &str, manifest: &str) {
    let commit = "4cdebec";
    let file = format!("{}-{commit}/package.json", repository.replace('/', "-"));
    let archive = gzip(&Tar::new().file(file, manifest).finish());
    for reference in [reference, commit] {
        let path = format!("/repos/{repository}/tarball/{reference}");
        registry.put_tarball(&path, archive.clone());
    }
}

/// Appends what it reads to the list in a file.
const JSON_APPEND: &str = r#"#!/usr/bin/env node
const fs = require("fs");
const file = process.argv[2];
const list = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : [];
list.push(fs.readFileSync(0, "utf8"));
fs.writeFileSync(file, JSON.stringify(list));
"#;
