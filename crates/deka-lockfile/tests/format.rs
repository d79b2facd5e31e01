//! What may be written in a `bun.lock`, what may not, and what is said about it.

use std::error::Error as _;

use deka_graph::{EdgeKind, PackageId, Resolution, TarballLocation};
use deka_lockfile::{Lockfile, LockfileError, bun};

/// A lockfile of a root that needs `a`, with these entries.
fn with_packages(entries: &str) -> String {
    format!(
        r#"{{
  "lockfileVersion": 2,
  "configVersion": 1,
  "workspaces": {{
    "": {{
      "name": "app",
      "dependencies": {{
        "a": "^1.0.0",
      }},
    }},
  }},
  "packages": {{
{entries}
  }}
}}
"#
    )
}

const A: &str = r#"    "a": ["a@1.0.0", "", {}, "sha512-AAAA"],"#;

#[track_caller]
fn parse(text: &str) -> Lockfile {
    bun::parse(text).unwrap_or_else(|error| panic!("{error}: {:?}\n{text}", error.source()))
}

#[track_caller]
fn fails(text: &str, expected: &str) {
    let error = bun::parse(text).expect_err("it should not be accepted");
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    assert_eq!(message, expected);
}

#[test]
fn plain_json_comments_crlf_and_byte_order_marks_load() {
    let text = with_packages(A);
    let expected = parse(&text);
    let plain = text.replace(",\n  }", "\n  }").replace(",\n    }", "\n    }");
    let plain = plain.replace(",\n      }", "\n      }");
    for variant in [
        plain,
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        text.replace(
            "\"packages\"",
            "// a comment, \"with\" quotes\n /* and {another} */ \"packages\"",
        ),
        text.replace(
            "\"configVersion\"",
            "\"unknown\": [{ \"a\": [1.5e3, null, true] }],\n\"configVersion\"",
        ),
        text.replace("{}, \"sha512", "{ \"engines\": { \"node\": \">1\" } }, \"sha512"),
        text.replace("\"a@1.0.0\"", "\"\\u0061@1.0.0\""),
    ] {
        assert_eq!(parse(&variant), expected, "{variant}");
    }
}

#[test]
fn sections_come_in_any_order() {
    let text = with_packages(A);
    let value = |key: &str| {
        let start = text.find(&format!("  \"{key}\"")).unwrap();
        let end = text[start..].find("\n  }").unwrap() + start + 4;
        text[start..end].to_owned()
    };
    let turned = format!(
        "{{ {}, {}, \"lockfileVersion\": 2, \"configVersion\": 1 }}",
        value("packages"),
        value("workspaces")
    );
    assert_eq!(bun::emit(&parse(&turned)).unwrap(), text);
}

#[test]
fn versions_are_kept_or_raised() {
    let text = with_packages(A);
    let version = |number: u32| text.replace("Version\": 2", &format!("Version\": {number}"));
    for (loaded, written) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
        assert_eq!(bun::emit(&parse(&version(loaded))).unwrap(), version(written));
    }
    fails(&version(99), "Unsupported lockfile version 99: versions up to 3 are understood");
    let scoped =
        "  \"overrides\": {\n    \"a\": {\n      \"b\": \"1\",\n    },\n  },\n  \"packages\"";
    let scoped_text = text.replace("  \"packages\"", scoped);
    let expected = version(3).replace("  \"packages\"", scoped);
    assert_eq!(bun::emit(&parse(&scoped_text)).unwrap(), expected);
    let without_config = text.replace("  \"configVersion\": 1,\n", "");
    assert_eq!(
        bun::emit(&parse(&without_config)).unwrap(),
        text.replace("\"configVersion\": 1", "\"configVersion\": 0")
    );
}

#[test]
fn version_0_repeats_what_workspaces_need() {
    let text = r#"{ "lockfileVersion": 0, "workspaces": { "": {}, "w": { "name": "w" } },
        "packages": { "w": ["w@workspace:w", { "dependencies": { "x": "1" } }] } }"#;
    let lockfile = parse(text);
    assert_eq!(lockfile.graph.packages().len(), 2);
    assert_eq!(lockfile.graph.edges_of(PackageId::ROOT)[0].kind, EdgeKind::Workspace);
}

#[test]
fn places_of_mistakes_are_told() {
    let text = with_packages(A);
    fails("", "expected an object at line 1, column 1");
    fails("{} x", "expected the end of the file at line 1, column 4");
    fails(&text.replace("\"a\": [", "\"a\" ["), "expected `:` at line 13, column 9");
    fails(
        &text.replace("{}, \"sha512", "{} \"sha512"),
        "expected `,` or `]` at line 13, column 29",
    );
    fails(
        &text.replace("sha512-AAAA\"", "sha512-AAAA"),
        "expected the end of this string at line 13, column 30",
    );
    fails(&text[..text.len() - 20], "expected the end of this string at line 13, column 30");
    fails(
        &text.replace("\"a@1.0.0\"", "\"ä\", \"\\q\""),
        "`a` at line 13, column 11 is invalid: it should begin with `name@version`",
    );
    fails("{ /* ", "expected the end of this comment at line 1, column 3");
}

#[test]
fn entries_must_be_whole() {
    let entry = |tuple: &str| with_packages(&format!("    \"a\": {tuple},"));
    fails(&entry(r#"["a@1.0.0", "", {}]"#), "Missing integrity of `a` at line 13, column 11");
    fails(
        &entry(r#"["a@1.0.0"]"#),
        "`a` at line 13, column 11 is invalid: it should have four elements",
    );
    fails(
        &entry(r#"["a@one", "", {}, ""]"#),
        "Failed to read the version of `a` at line 13, column 11: `one` is not a valid version",
    );
    fails(
        &entry(r#"["a@1.0.0", "file:///x.tgz", {}, ""]"#),
        "`a` at line 13, column 11 is invalid: its tarball has no http or https URL",
    );
    fails(
        &entry(r#"["a@workspace:x"]"#),
        "`a` at line 13, column 11 is invalid: its folder is not listed in `workspaces`",
    );
    fails(
        &entry(r#"["a@github:x/y", {}, "tag"]"#),
        "`a` at line 13, column 11 is invalid: a git package needs its commit",
    );
    fails(&with_packages(&format!("{A}\n{A}")), "Duplicate key `a` at line 14, column 5");
    fails(&with_packages(""), "Failed to resolve prod dependency `a` for package `app`");
    fails(
        &with_packages(&A.replace("{}", r#"{ "dependencies": { "b": "1" } }"#)),
        "Failed to resolve prod dependency `b` for package `a`",
    );
    fails(
        &with_packages(&A.replace("{}", r#"{ "dependencies": { "b": "1", "a": "1", "b": "1" } }"#)),
        "Duplicate key `b` at line 13, column 66",
    );
    // What may be missing may be missing.
    parse(&with_packages(&A.replace(
        "{}",
        r#"{ "optionalDependencies": { "b": "1" }, "peerDependencies": { "c": "1" } }"#,
    )));
}

#[test]
fn nothing_leads_out_of_the_project() {
    let name = |name: &str| with_packages(&A.replace("\"a\":", &format!("\"{name}\":")));
    for bad in
        ["..", "a/../b", "a//b", "/a", "a/", "", "@a", "@a/../b", ".bin", "a\\\\b", "a\\u0000"]
    {
        let error = bun::parse(name(bad)).expect_err(bad);
        assert!(matches!(error, LockfileError::InvalidName { .. }), "{bad}: {error}");
    }
    let dependency = with_packages(&A.replace("{}", r#"{ "dependencies": { "../x": "1" } }"#));
    assert!(matches!(bun::parse(dependency), Err(LockfileError::InvalidName { .. })));
    for bad in ["..", "../w", "/w", "a/../..", "C:/w", "a\\\\b", "node_modules/w", "./w"] {
        let text =
            with_packages(A).replace("    \"\": {", &format!("    \"{bad}\": {{}},\n    \"\": {{"));
        let error = bun::parse(text).expect_err(bad);
        assert!(matches!(error, LockfileError::InvalidEntry { .. }), "{bad}: {error}");
    }
}

#[test]
fn since_version_2_something_must_vouch_for_packages() {
    let elsewhere = |version: u32, integrity: &str| {
        let entry = A.replace("\"\", {}", "\"https://registry.example/a.tgz\", {}");
        with_packages(&entry.replace("sha512-AAAA", integrity))
            .replace("Version\": 2", &format!("Version\": {version}"))
    };
    let good = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    parse(&elsewhere(2, good));
    let lockfile = parse(&elsewhere(1, ""));
    assert_eq!(bun::written_version(&lockfile), 1);
    fails(
        &elsewhere(2, ""),
        "`a` at line 13, column 11 is invalid: a tarball outside the registry needs an integrity",
    );
    // A new lockfile with such a package falls back to version 1.
    let mut fresh = Lockfile::new(lockfile.graph);
    assert_eq!(bun::written_version(&fresh), 1);
    fresh.graph = parse(&elsewhere(2, good)).graph;
    assert_eq!(bun::written_version(&fresh), 2);

    let git = |version: u32, tag: &str| {
        with_packages(&format!(r#""a": ["a@git+ssh://host/a.git#0123", {{}}, "{tag}"]"#))
            .replace("Version\": 2", &format!("Version\": {version}"))
    };
    parse(&git(2, "0123"));
    parse(&git(1, "../../x"));
    fails(
        &git(2, "../../x"),
        "`a` at line 13, column 7 is invalid: the tag of its checkout cannot be a folder's name",
    );
}

#[test]
fn unfinished_merges_are_named() {
    let text = with_packages(&format!("<<<<<<< HEAD\n{A}\n=======\n{A}\n>>>>>>> theirs"));
    fails(&text, "the lockfile has merge conflict markers at line 13, column 1");
}

#[test]
fn ranged_peers_lead_to_the_highest_version_in_range() {
    let lockfile = parse(&with_packages(
        r#"
    "a": ["a@1.0.0", "", { "dependencies": { "b": "1.0.0" }, "peerDependencies": { "b": ">=1", "c": "*", "d": "^2", "e": "*" }, "optionalPeers": ["c", "e"] }, ""],
    "b": ["b@2.0.0", "", {}, ""],
    "c": ["c@2.0.0", "", {}, ""],
    "d": ["d@1.0.0", "", { "dependencies": { "b": "1.0.0", "c": "2.0.0" } }, ""],
    "e": ["e@1.0.0", "", {}, ""],
    "a/b": ["b@1.0.0", "", {}, ""],
    "d/b": ["b@1.0.0", "", {}, ""],
"#,
    ));
    let graph = &lockfile.graph;
    let a = graph.edges_of(PackageId::ROOT)[0].target.unwrap();
    let found: Vec<String> = graph
        .edges_of(a)
        .iter()
        .map(|edge| {
            let version = edge.target.and_then(|target| graph.package(target).version());
            format!("{:?} {} {:?}", edge.kind, edge.alias, version.map(ToString::to_string))
        })
        .collect();
    // Optional peers are bound when packages are placed, unless nothing else leads there, as with `e`;
    // nothing is in the range of `d`.
    assert_eq!(
        found,
        [
            "Prod b Some(\"1.0.0\")",
            "Peer b Some(\"2.0.0\")",
            "Peer c None",
            "Peer d Some(\"1.0.0\")",
            "Peer e Some(\"1.0.0\")",
        ]
    );
}

#[test]
fn every_kind_of_package_is_known() {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/samples/tuples.bun.lock"
    ));
    let lockfile = parse(&text.unwrap());
    let mut kinds: Vec<String> = lockfile
        .graph
        .packages()
        .iter()
        .map(|package| match &package.resolution {
            Resolution::Npm { tarball: TarballLocation::Registry, .. } => "npm".to_owned(),
            Resolution::Npm { .. } => "npm elsewhere".to_owned(),
            other => format!("{other:?}").split(['(', ' ']).next().unwrap().to_owned(),
        })
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(
        kinds,
        ["Folder", "Git", "GitHub", "LocalTarball", "RemoteTarball", "Root", "Symlink", "npm"]
    );
}
