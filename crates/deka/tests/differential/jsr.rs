//! Packages of jsr, whose registry serves them to npm as `@jsr/scope__name`.
//!
//! Bun knows them by that name only and takes `jsr:` for a git host. So both install what is written in npm's
//! way, deka then what is written in jsr's: it has to lock and link the same, and Bun to accept that.

use std::fs;

use deka_test::Registry;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    compare::{alike, compare},
    suite::SUITE,
    tool::{Installed, Tool},
};

/// What jsr calls a dependency, and what npm does.
const SPELLINGS: &[(&str, &str)] = &[
    ("jsr:^1.0.0", "npm:@jsr/std__path@^1.0.0"),
    ("jsr:@std/path@1.0.0", "npm:@jsr/std__path@1.0.0"),
    ("jsr:@std/assert", "npm:@jsr/std__assert"),
    ("jsr:@std/path@next", "npm:@jsr/std__path@next"),
];

#[test]
fn packages_of_jsr_are_locked_and_linked_as_those_of_npm() {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in("jsr-", &suite.folder).expect("a folder");
    let npm = Registry::start();
    let jsr = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0-rc.1"] {
        let package = jsr.package("@jsr/std__path", version);
        package.dep("@jsr/std__internal", "^1.0.3").publish();
    }
    jsr.tag("@jsr/std__path", "next", "2.0.0-rc.1");
    jsr.package("@jsr/std__internal", "1.0.4").publish();
    let assert = jsr.package("@jsr/std__assert", "1.0.0");
    assert.dep("@std/internal", "npm:@jsr/std__internal@^1").dep("left", "1").publish();
    npm.package("left", "1.0.0").publish();
    npm.package("user", "1.0.0").dep("@std/path", "npm:@jsr/std__path@^1.0.0").publish();
    let npmrc = format!("registry={}\n@jsr:registry={}\n", npm.url(), jsr.url());
    let manifest = json!({ "name": "jsr", "dependencies": {
        "@std/path": "jsr:^1.0.0", "pinned": "jsr:@std/path@1.0.0", "tagged": "jsr:@std/path@next",
        "any": "jsr:@std/assert", "@jsr/std__assert": "^1", "user": "1",
    } });
    let with_jsr = manifest.to_string();
    let with_npm = SPELLINGS.iter().fold(with_jsr.clone(), |text, (jsr, npm)| {
        text.replace(&format!("\"{jsr}\""), &format!("\"{npm}\""))
    });

    for linker in ["--linker=hoisted", "--linker=isolated"] {
        let [bun, deka] = [&suite.bun, &suite.deka].map(|tool| {
            Tool::new(tool.name, &tool.program, &work.path().join(linker).join(tool.name))
        });
        let install = |tool: &Tool, manifest: &str, lockfile: Option<&str>| {
            let project = TempDir::with_prefix_in("project-", &tool.folder).expect("a folder");
            let write = |name: &str, text: &str| {
                fs::write(project.path().join(name), text).expect("a file can be written");
            };
            write(".npmrc", &npmrc);
            write("package.json", manifest);
            let mut arguments = vec![linker];
            if let Some(lockfile) = lockfile {
                write("bun.lock", lockfile);
                arguments.push("--frozen-lockfile");
            }
            tool.install(project.path(), &arguments)
        };
        let check = |what: &str, left: &Installed, right: Installed| {
            let (left, right) = alike(left.clone(), right);
            compare(what, &left, &right).unwrap_or_else(|message| panic!("{linker}, {message}"));
        };
        let theirs = install(&bun, &with_npm, None);
        check("as npm spells it", &theirs, install(&deka, &with_npm, None));
        let ours = install(&deka, &with_jsr, None);
        let mut expected = theirs;
        for (jsr, npm) in SPELLINGS {
            let spelled = |spec: &str| format!("\": \"{spec}\",\n");
            expected.lockfile =
                expected.lockfile.map(|text| text.replace(&spelled(npm), &spelled(jsr)));
        }
        check("as jsr spells it", &expected, ours);
        let lockfile = expected.lockfile.as_deref();
        check("deka, frozen", &expected, install(&deka, &with_jsr, lockfile));
        check("Bun, frozen", &expected, install(&bun, &with_jsr, lockfile));
    }
}
