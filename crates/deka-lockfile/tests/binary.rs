//! `bun.lockb`, as two versions of Bun wrote it: what comes out is what Bun's own migration writes, and
//! nothing that is done to the bytes does any harm.

use std::fs;
use std::path::Path;

use deka_graph::Graph;
use deka_lockfile::migrate::{Format, migrate};
use deka_lockfile::{Lockfile, LockfileError, OverrideRule, WorkspaceEntry, bun};
use deka_manifest::{PackageJson, Symbol};

const REGISTRY: &str = "https://registry.example/";

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/binary");
    fs::read(folder.join(name)).unwrap()
}

/// What the manifests of the samples say.
fn sections() -> Lockfile {
    let entry = |path, name| {
        let manifest = PackageJson::parse(&sample(name)).unwrap();
        WorkspaceEntry::from_manifest(path, &manifest)
    };
    let mut sections = Lockfile::new(Graph::new());
    sections.workspaces =
        vec![entry("", "package.json"), entry("packages/member", "member.package.json")];
    sections.trusted_dependencies = Some(vec![Symbol::new("scripted")]);
    sections.overrides =
        vec![(Symbol::new("sha1"), OverrideRule::Everywhere(Symbol::new("0.0.1")))];
    sections
}

fn read(bytes: &[u8]) -> Result<Lockfile, LockfileError> {
    let migrated = migrate(Format::BunBinary, bytes, sections(), REGISTRY)?;
    Ok(migrated.complete(|_, _| None, REGISTRY))
}

#[test]
fn every_version_is_read_as_bun_reads_it() {
    for version in ["version-2", "version-3"] {
        let lockfile = read(&sample(&format!("{version}.lockb"))).unwrap();
        let expected = String::from_utf8(sample(&format!("{version}.bun.lock"))).unwrap();
        assert_eq!(bun::emit(&lockfile).unwrap(), expected, "{version}");
    }
}

#[test]
fn edits_since_are_seen() {
    let mut sections = sections();
    sections.workspaces[0].dependencies.clear();
    sections.workspaces[1].path = "packages/other".to_owned();
    let bytes = sample("version-3.lockb");
    let migrated = migrate(Format::BunBinary, &bytes, sections, REGISTRY).unwrap();
    let lockfile = migrated.complete(|_, _| None, REGISTRY);
    assert_eq!(lockfile.workspaces.len(), 1);
    assert_eq!(lockfile.workspaces[0].dependencies.len(), 7);
}

#[test]
fn what_is_no_lockfile() {
    let bytes = sample("version-3.lockb");
    let message = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        read(&bytes).unwrap_err().to_string()
    };
    assert_eq!(message(&|bytes| bytes[0] = b' '), "the lockfile is damaged at byte 42: header");
    assert_eq!(message(&|bytes| bytes.truncate(9)), "the lockfile is damaged at byte 0: header");
    for version in [1, 4] {
        let expected = format!("unsupported lockfileVersion {version}");
        assert_eq!(message(&|bytes| bytes[42] = version), expected);
    }
    // As many packages as no file can have.
    let damaged = "the lockfile is damaged at byte 128: ";
    for value in [u64::MAX, u64::MAX / 8, 1 << 40] {
        let change = |bytes: &mut Vec<u8>| bytes[86..94].copy_from_slice(&value.to_le_bytes());
        assert!(message(&change).starts_with(damaged), "{}", message(&change));
    }
    // A path that leads out of the project.
    let at = bytes.windows(15).position(|bytes| bytes == b"packages/member").unwrap();
    let change = |bytes: &mut Vec<u8>| bytes[at..at + 15].copy_from_slice(b"packages/../../");
    assert!(message(&change).contains("must lie inside the project"), "{}", message(&change));
}

#[test]
fn a_part_of_the_file_does_no_harm() {
    for name in ["version-2.lockb", "version-3.lockb"] {
        let bytes = sample(name);
        for length in (0..bytes.len()).step_by(7) {
            let mut part = bytes[..length].to_vec();
            place(&part);
            // The same, and the file says so.
            if let Some(said) = part.get_mut(78..86) {
                said.copy_from_slice(&length.to_le_bytes());
                place(&part);
            }
        }
    }
}

#[test]
fn wrong_bits_do_no_harm() {
    let mut bytes = sample("version-3.lockb");
    for at in (0..bytes.len()).step_by(3) {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        place(&bytes);
        bytes[at] ^= bit;
    }
    // Numbers that are all ones, and lengths that are just too much.
    for at in (86..bytes.len() - 8).step_by(8) {
        let before: [u8; 8] = bytes[at..at + 8].try_into().unwrap();
        for value in [[0xff; 8], [0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f], [1, 0, 0, 0, 0, 0, 0, 0]] {
            bytes[at..at + 8].copy_from_slice(&value);
            place(&bytes);
        }
        bytes[at..at + 8].copy_from_slice(&before);
    }
}

/// Reads bytes, and if they mean anything, does with it what an install would do.
fn place(bytes: &[u8]) {
    if let Ok(lockfile) = read(bytes)
        && let Ok(text) = bun::emit(&lockfile)
    {
        // Whether Bun could read it depends on the names.
        drop(bun::parse(text));
    }
}
