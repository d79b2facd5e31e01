//! `deka why`, answered from a lockfile alone.

use deka_test::TestProject;

use crate::project;

const LOCKFILE: &str = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "app",
      "dependencies": { "m": "workspace:*", "x": "^1.0.0" },
      "optionalDependencies": { "o": "npm:z@2" },
    },
    "packages/m": { "name": "m", "version": "1.2.3", "devDependencies": { "y": "1" } },
  },
  "packages": {
    "m": ["m@workspace:packages/m"],

    "o": ["z@2.0.0", "", {}, ""],

    "x": ["x@1.0.0", "", { "dependencies": { "y": "~1.0.0" } }, ""],

    "y": ["y@1.0.1", "", { "dependencies": { "z": "^1.0.0" }, "peerDependencies": { "x": "*" } }, ""],

    "z": ["z@1.0.0", "", {}, ""],
  }
}
"#;

fn locked() -> TestProject {
    let project = project();
    project.write("bun.lock", LOCKFILE);
    project
}

#[test]
fn all_paths_are_shown_with_what_asks() {
    let project = locked();
    let outcome = project.command(["why", "z"]).run();
    outcome.assert_success();
    assert_eq!(
        outcome.stdout,
        "z@2.0.0\n\
         \u{20} └─ optional app (requires o@npm:z@2)\n\
         \n\
         z@1.0.0\n\
         \u{20} └─ y@1.0.1 (requires ^1.0.0)\n\
         \u{20}    ├─ dev m@workspace:packages/m (requires 1)\n\
         \u{20}    │  └─ app (requires workspace:*)\n\
         \u{20}    └─ x@1.0.0 (requires ~1.0.0)\n\
         \u{20}       ├─ app (requires ^1.0.0)\n\
         \u{20}       └─ peer y@1.0.1 (requires *)\n\
         \u{20}          └─ *deduped\n\
         \n"
    );
    // A name that it is asked for by, a version, a pattern.
    for (pattern, found) in [("o", "z@2.0.0\n"), ("z@^1", "z@1.0.0\n"), ("?@1.0.1", "y@1.0.1\n")] {
        let outcome = project.command(["why", pattern]).run();
        outcome.assert_success();
        assert!(outcome.stdout.starts_with(found), "{pattern}: {}", outcome.stdout);
        assert_eq!(outcome.stdout.matches("\n\n").count(), 1, "{pattern}: {}", outcome.stdout);
    }
}

#[test]
fn less_is_shown() {
    let project = locked();
    let top = project.command(["why", "z@1", "--top"]).run();
    assert_eq!(top.stdout, "z@1.0.0\n  └─ y@1.0.1 (requires ^1.0.0)\n\n");
    let depth = project.command(["why", "z@1", "--depth", "1"]).run();
    let expected =
        "z@1.0.0\n  └─ y@1.0.1 (requires ^1.0.0)\n     └─ (deeper dependencies hidden)\n\n";
    assert_eq!(depth.stdout, expected);
    project.command(["why", "z", "--depth", "many"]).run().assert_code(2);
}

#[test]
fn json() {
    let outcome = locked().command(["why", "z@1", "--json", "--depth", "2"]).run();
    outcome.assert_success();
    let reasons = [
        r#"{"of":null,"depth":1,"name":"y","version":"1.0.1","range":"^1.0.0","kind":"prod","repeated":false,"satisfied":true}"#,
        r#"{"of":0,"depth":2,"name":"m","version":"workspace:packages/m","range":"1","kind":"dev","repeated":false,"satisfied":true}"#,
        r#"{"of":0,"depth":2,"name":"x","version":"1.0.0","range":"~1.0.0","kind":"prod","repeated":false,"satisfied":true}"#,
    ]
    .join(",");
    let package =
        format!("{{\"name\":\"z\",\"version\":\"1.0.0\",\"reasons\":[{reasons}],\"peers\":[]}}");
    assert_eq!(outcome.stdout, format!("{{\"schema_version\":1,\"packages\":[{package}]}}\n"));
    outcome.document("why");
}

#[test]
fn what_is_not_there() {
    let outcome = locked().command(["why", "nope"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("No packages matching `nope`"), "{}", outcome.stderr);
    let outcome = project().command(["why", "x"]).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("There is no `bun.lock`"), "{}", outcome.stderr);
    project().command(["why"]).run().assert_code(2);
    let broken = project();
    broken.write("bun.lock", "{");
    broken.command(["why", "x"]).run().assert_code(1);
}
