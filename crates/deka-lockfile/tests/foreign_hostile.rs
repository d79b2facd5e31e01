//! Damaged lockfiles of other package managers: whatever they say, reading them ends without a panic.

use deka_graph::Graph;
use deka_lockfile::migrate::{Format, migrate};
use deka_lockfile::{Lockfile, WorkspaceEntry};
use deka_manifest::{Alias, Symbol};
use proptest::prelude::*;

const SAMPLES: [(Format, &str); 5] = [
    (
        Format::PackageLock,
        r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"1"}},"node_modules/a":{"version":"1.0.0",
        "resolved":"git+ssh://git@github.com/o/r.git#0123456789012345678901234567890123456789","dependencies":{"b":"*"}},
        "node_modules/b":{"resolved":"packages/b","link":true},"packages/b":{"bin":{"b":"x"},"dependencies":{"a":"*"}}}}"#,
    ),
    (
        Format::PackageLock,
        r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"npm:@s/a@1.0.0","requires":{"b":"1"},
        "dependencies":{"b":{"version":"file:b","dependencies":{"a":{"version":"1.0.0"}}}}}}}"#,
    ),
    (
        Format::Yarn,
        "# yarn lockfile v1\n\na@1, \"a@npm:b@1\":\n  version \"1.0.0\"\n  resolved \"https://x.example/a#1\"\n  \
         dependencies:\n    \"a\" \"1\"\n",
    ),
    (
        Format::Yarn,
        "__metadata:\n  version: 8\n\n\"a@npm:1, a@npm:2\":\n  resolution: \"a@npm:1.0.0::__archiveUrl=https%3A\"\n  \
         dependencies:\n    a: npm:1\n  dependenciesMeta:\n    a: { optional: true }\n",
    ),
    (
        Format::Pnpm,
        "lockfileVersion: '6.0'\nimporters:\n  .:\n    dependencies:\n      a: { specifier: 1, version: /@s/a@1.0.0(b@1) }\n\
         packages:\n  /@s/a@1.0.0(b@1):\n    resolution: {integrity: sha512-x, tarball: file:x}\n    dependencies:\n      a: \
         link:../..\n",
    ),
];

fn sections() -> Lockfile {
    let mut sections = Lockfile::new(Graph::new());
    sections.workspaces = ["", "packages/b"]
        .map(|path| WorkspaceEntry {
            path: path.to_owned(),
            dependencies: vec![(Alias::parse("a").unwrap(), Symbol::new("1"))],
            ..WorkspaceEntry::default()
        })
        .into();
    sections
}

fn read(format: Format, bytes: &[u8]) -> bool {
    let registry = "https://registry.example/";
    match migrate(format, bytes, sections(), registry) {
        Ok(migrated) => {
            let lockfile = migrated.complete(|_, _| None, registry);
            deka_lockfile::bun::emit(&lockfile).is_ok()
        }
        Err(error) => !error.to_string().is_empty(),
    }
}

#[test]
fn the_samples_are_right() {
    for (format, text) in SAMPLES {
        assert!(migrate(format, text.as_bytes(), sections(), "").is_ok(), "{text}");
    }
}

#[test]
fn what_is_nested_deep_ends() {
    for text in ["[", "{\"a\":", "- ", "a:\n "] {
        for (format, _) in SAMPLES {
            read(format, text.repeat(100_000).as_bytes());
            let document = format!("__metadata: {}\nlockfileVersion: 9", text.repeat(100_000));
            read(format, document.as_bytes());
        }
    }
}

proptest! {
    #[test]
    fn damage_ends_without_a_panic(
        sample in 0..SAMPLES.len(),
        cuts in prop::collection::vec((0_usize..600, 0_usize..40, any::<u8>()), 0..6),
        end in 0_usize..700,
    ) {
        let (format, text) = SAMPLES[sample];
        let mut bytes = text.as_bytes().to_vec();
        bytes.truncate(end.max(20));
        for (from, length, byte) in cuts {
            let from = from.min(bytes.len());
            let to = (from + length).min(bytes.len());
            bytes.splice(from..to, (length % 3 == 0).then_some(byte));
        }
        read(format, &bytes);
    }

    #[test]
    fn noise_ends_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for (format, _) in SAMPLES {
            read(format, &bytes);
        }
    }
}
