//! Whatever a registry or a cloned repository says, a terminal is not steered by it.

use deka_test::{Fault, Outcome, Registry};
use serde_json::json;

use crate::project;

/// Changes the title of a terminal, clears it, goes up a line, types, and turns the direction of what follows.
const EVIL: &str =
    "evil\u{1b}]0;t\u{7}\u{1b}[2J\u{1b}[1A\r\u{9b}31m\u{8}\u{90}\u{202e}\u{2066}\u{0}end";

#[track_caller]
fn check(what: &str, outcome: &Outcome) {
    for text in [&outcome.stdout, &outcome.stderr] {
        let steers = |c: char| {
            c.is_control() && c != '\n' && c != '\t'
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        let found = text.find(steers).map(|at| text[at..].chars().take(20).collect::<String>());
        assert_eq!(found, None, "{what}: {text:?}");
    }
}

#[test]
fn texts_of_registries() {
    let registry = Registry::start();
    registry.offer_search();
    registry
        .package("a", "1.0.0")
        .deprecated(EVIL)
        .script("install", EVIL)
        .bin(EVIL, "cli.js")
        .file("cli.js", EVIL)
        .field("description", json!(EVIL))
        .field("license", json!(EVIL))
        .field("homepage", json!(EVIL))
        .field("keywords", json!([EVIL, "a"]))
        .field("repository", json!({ "type": EVIL, "url": EVIL }))
        .field("author", json!({ "name": EVIL, "email": EVIL }))
        .field("maintainers", json!([{ "name": EVIL, "email": EVIL }]))
        .field("engines", json!({ "node": EVIL }))
        .peer("missing-peer", EVIL)
        .publish();
    registry.package("a", "1.1.0").deprecated(EVIL).file("cli.js", "other").publish();
    registry.package("old", "1.0.0").dep("nowhere", EVIL).publish();
    registry.tag("a", EVIL, "1.0.0");
    registry.advise(
        "a",
        &["1.0.0"],
        json!({ "id": 1, "url": EVIL, "title": EVIL, "severity": EVIL, "vulnerable_versions": EVIL }),
    );
    let project = project();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1.0.0" } }));
    for arguments in [
        &["install"][..],
        &["info", "a"],
        &["info", "a", "maintainers"],
        &["search", "a"],
        &["outdated"],
        &["audit"],
        &["audit", "fix"],
        &["list", "--all"],
        &["licenses"],
        &["why", "a"],
        &["doctor"],
        &["pm", "untrusted"],
        &["add", "old"],
        &["update", "a"],
        &["add", "a@none"],
        &["x", "a"],
    ] {
        check(&format!("{arguments:?}"), &project.command(arguments).run());
    }
    for fault in [
        Fault::on_packuments().body(format!("{{\"error\": {}}}", json!(EVIL))).status(403),
        Fault::on_packuments().body(EVIL),
        Fault::on_packuments()
            .redirect(302, &format!("ftp://x/{}", EVIL.replace(char::is_control, "%1b"))),
    ] {
        let what = format!("{fault:?}");
        registry.fault(fault);
        project.clear_cache();
        check(&what, &project.command(["info", "a"]).run());
        check(&what, &project.command(["add", "b"]).run());
        registry.clear_faults();
    }
}

#[test]
fn texts_of_cloned_repositories() {
    let registry = Registry::start();
    let project = project();
    project.use_registry(&registry);
    let manifest = json!({
        "name": EVIL, "version": EVIL, "packageManager": EVIL, "license": EVIL,
        "scripts": { EVIL: EVIL, "good": "true", EVIL.to_uppercase(): "exit 1" },
        "dependencies": { "a": EVIL },
        "workspaces": ["packages/*", EVIL],
        "patchedDependencies": { EVIL: EVIL },
        "trustedDependencies": [EVIL],
        "engines": { "node": EVIL },
    });
    let all: &[&[&str]] = &[
        &["install"],
        &["run"],
        &["run", "goood"],
        &["run", "good"],
        &["run", "--filter", "*", "good"],
        &["list"],
        &["outdated"],
        &["audit"],
        &["doctor"],
        &["config", "list"],
        &["pm", "untrusted"],
        &["licenses"],
        &["why", "a"],
        &["version"],
        &["pkg", "get"],
        &["x", "b"],
    ];
    project.package_json(manifest);
    project.write("packages/web/package.json", json!({ "name": EVIL }).to_string());
    for arguments in all {
        check(&format!("{arguments:?}"), &project.command(*arguments).run());
    }
    for (file, text) in [
        ("package.json", format!("{{ \"dependencies\": {{ \"{EVIL}\": 1 }}")),
        ("package.json", json!({ "dependencies": { EVIL: "1" } }).to_string()),
        ("package.json", json!({ "dependencies": { "a": "file:./packages/web" } }).to_string()),
        (
            "package.json",
            json!({ "dependencies": { "a": format!("git+https://127.0.0.1:1/{EVIL}") } })
                .to_string(),
        ),
        (
            "package.json",
            json!({ "dependencies": { "a": format!("http://127.0.0.1:1/{EVIL}") } }).to_string(),
        ),
        (
            "package.json",
            json!({ "dependencies": { "a": format!("file:{EVIL}.tgz") } }).to_string(),
        ),
        (
            "package.json",
            json!({ "catalog": { EVIL: EVIL }, "dependencies": { "a": "catalog:x" } }).to_string(),
        ),
        ("bun.lock", format!("{{ \"lockfileVersion\": 1, \"{EVIL}\": [ ")),
        (
            "bun.lock",
            json!({ "lockfileVersion": 1, "workspaces": { "": {} }, "packages": { EVIL: [EVIL] } })
                .to_string(),
        ),
        ("bunfig.toml", format!("[install]\n{EVIL} = ")),
        (
            "bunfig.toml",
            "[install]\nregistry = \"\\u001B[2J\"\nlinker = \"\\u001B[2J\"\n".to_owned(),
        ),
        (
            ".npmrc",
            format!("registry={EVIL}\n{EVIL}=x\nnode-linker={EVIL}\nfetch-retries={EVIL}\n"),
        ),
    ] {
        project.write(file, &text);
        for arguments in [&["install"][..], &["run"], &["audit"], &["config", "list"], &["doctor"]]
        {
            check(&format!("{file}: {text:?} {arguments:?}"), &project.command(arguments).run());
        }
        if file != "package.json" {
            project.remove(file);
        }
    }
}
