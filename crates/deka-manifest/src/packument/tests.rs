//! Packuments in all shapes. What odd fields mean was seen in the `bun.lock` that Bun 1.4.5 writes.

use proptest::prelude::*;

use super::*;
use crate::{Alias, Bin, Bundled, Symbol};

fn packument(json: &str) -> Packument {
    Packument::from_json(PackageName::parse("p").unwrap(), json.as_bytes()).unwrap()
}

/// Decodes a version whose manifest is `fields`.
fn manifest(fields: &str) -> VersionManifest {
    let packument = packument(&format!(r#"{{"name":"p","versions":{{"1.0.0":{fields}}}}}"#));
    let index = packument.versions().next().unwrap();
    packument.manifest(index).unwrap()
}

fn group(group: &[(Alias, Symbol)]) -> Vec<(&str, &str)> {
    group.iter().map(|(alias, range)| (alias.as_str(), range.as_str())).collect()
}

const FULL: &str = r#"{
    "_id": "p", "_rev": "1-x", "name": "p", "readme": "{\"versions\": {\"6.6.6\": {}}} \\",
    "dist-tags": { "latest": "1.1.0", "next": "2.0.0-rc.1", "gone": "5.0.0", "odd": null },
    "time": {
        "created": "2020-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "1.0.0": "2020-01-01T00:00:00.000Z", "1.1.0": "2021-01-01T00:00:00.000Z",
        "2.0.0-rc.1": "not a time"
    },
    "versions": {
        "1.1.0": {
            "name": "p", "version": "1.1.0", "deprecated": "use \"q\"",
            "scripts": { "test": "x", "postinstall": "y" },
            "dependencies": { "b": "^1", "a": "2" },
            "devDependencies": { "c": "3" },
            "dist": {
                "tarball": "https:\/\/registry.example/p/-/p-1.1.0.tgz",
                "shasum": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "fileCount": 12, "unpackedSize": 3456,
                "signatures": [{ "keyid": "x", "sig": "y" }]
            }
        },
        "2.0.0-rc.1": { "name": "p", "version": "2.0.0-rc.1" },
        "1.0.0": { "name": "p", "version": "1.0.0", "dist": { "tarball": "t" } }
    },
    "users": { "someone": true }, "_attachments": {}
}"#;

#[test]
fn a_full_packument_is_read() {
    let packument = packument(FULL);
    let versions: Vec<String> =
        packument.versions().map(|index| packument.version(index).to_string()).collect();
    assert_eq!(versions, ["1.0.0", "1.1.0", "2.0.0-rc.1"]);
    let [first, second, third] = packument.versions().collect::<Vec<_>>()[..] else {
        panic!("three versions");
    };
    assert_eq!(packument.dist_tags().collect::<Vec<_>>(), [("latest", second), ("next", third)]);
    assert_eq!(packument.dist_tag("latest"), Some(second));
    assert_eq!(packument.dist_tag("gone"), None);
    assert!(packument.has_times());
    assert_eq!(packument.published(first), Some(1_577_836_800_000));
    assert_eq!(packument.published(third), None);
    assert!(packument.is_deprecated(second) && !packument.is_deprecated(first));
    assert!(packument.is_prerelease(third) && !packument.is_prerelease(second));

    let manifest = packument.manifest(second).unwrap();
    assert_eq!(group(&manifest.dependencies), [("b", "^1"), ("a", "2")]);
    assert_eq!(manifest.tarball.as_str(), "https://registry.example/p/-/p-1.1.0.tgz");
    assert_eq!(manifest.integrity.as_str(), "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    assert_eq!((manifest.file_count, manifest.unpacked_size), (Some(12), Some(3456)));
    assert_eq!(manifest.deprecated.as_deref(), Some("use \"q\""));
    assert!(manifest.has_install_script);

    for unwanted in ["readme", "6.6.6", "postinstall", "keyid", "someone", "\"c\""] {
        let holds = packument.record().windows(unwanted.len()).any(|w| w == unwanted.as_bytes());
        assert!(!holds, "`{unwanted}` got into the record");
    }
}

#[test]
fn a_record_is_the_packument() {
    let built = packument(FULL);
    let opened = Packument::from_record(built.record().to_vec()).unwrap();
    assert_eq!(opened.name(), built.name());
    assert_eq!(opened.dist_tags().collect::<Vec<_>>(), built.dist_tags().collect::<Vec<_>>());
    for index in built.versions() {
        assert_eq!(opened.manifest(index).unwrap(), built.manifest(index).unwrap());
        assert_eq!(opened.published(index), built.published(index));
    }
}

#[test]
fn versions_are_found() {
    let packument = packument(
        r#"{"versions":{"10.0.0":{},"9.0.0":{},"v1.0.0":{"bin":"v"},"1.0.0-b":{},"1.0.0":{"bin":"x"},
            "1":{},"3.0.0":null,"4.0.0":"x","2.0.0+b":{},"2.0.0+a":{},"1.2.3pre":{},
            "\u0035.0.0":{},"x":{},"":{}}}"#,
    );
    let versions: Vec<String> =
        packument.versions().map(|index| packument.version(index).to_string()).collect();
    assert_eq!(
        versions,
        ["1.0.0-b", "1.0.0", "1.2.3-pre", "2.0.0+a", "2.0.0+b", "5.0.0", "9.0.0", "10.0.0"]
    );
    let find = |text: &str| {
        let found = packument.find(&Version::parse(text).unwrap());
        found.map(|index| packument.version(index).to_string())
    };
    for version in &versions {
        assert_eq!(find(version).as_ref(), Some(version));
    }
    assert_eq!(find("2.0.0").as_deref(), Some("2.0.0+a"));
    assert_eq!(find("2.0.0+c"), None);
    assert_eq!(find("11.0.0"), None);
    // Of `v1.0.0` and `1.0.0` the second is meant.
    let index = packument.find(&Version::parse("1.0.0").unwrap()).unwrap();
    assert_eq!(packument.manifest(index).unwrap().bin, Bin::File("x".into()));
}

#[test]
fn a_name_is_in_one_group() {
    let manifest = manifest(
        r#"{"dependencies":{"a":"1","b":"1","c":"1"},"optionalDependencies":{"b":"2"},
            "peerDependencies":{"a":"3","b":"3","d":"3","e":"3"},
            "peerDependenciesMeta":{"a":{"optional":true},"e":{"optional":true},
                "f":{"optional":true},"g":{"optional":false},"h":true,"i":{"optional":"true"}}}"#,
    );
    assert_eq!(group(&manifest.dependencies), [("a", "1"), ("c", "1")]);
    assert_eq!(group(&manifest.optional_dependencies), [("b", "2")]);
    assert_eq!(group(&manifest.peer_dependencies), [("d", "3"), ("e", "3"), ("f", "*")]);
    let optional: Vec<&str> = manifest.optional_peers.iter().map(|alias| alias.as_str()).collect();
    assert_eq!(optional, ["e", "f"]);
}

#[test]
fn odd_dependencies_are_absent() {
    for fields in [
        r#"{"dependencies":["a"]}"#,
        r#"{"dependencies":"a"}"#,
        r#"{"dependencies":null}"#,
        r#"{"dependencies":{"a":{"version":"1"},"b":null,"c":5,"../d":"1","":"1",".e":"1"}}"#,
        r#"{"dependencies":{"a":"\ud800"}}"#,
        r#"{"dependencies":{"a" "1"}}"#,
    ] {
        assert_eq!(manifest(fields).dependencies, [], "{fields}");
    }
    let manifest = manifest(r#"{"dependencies":{"a":"1","\u0062":"","a":"\u0032"}}"#);
    assert_eq!(group(&manifest.dependencies), [("a", "2"), ("b", "")]);
}

#[test]
fn bundled_dependencies() {
    let check = |fields: &str, expected: Bundled| {
        assert_eq!(manifest(fields).bundled, expected, "{fields}");
    };
    let names =
        |names: &[&str]| Bundled::Names(names.iter().map(|name| Symbol::new(name)).collect());
    check(r#"{"bundledDependencies":["a"]}"#, names(&["a"]));
    check(r#"{"bundleDependencies":true}"#, Bundled::All);
    check(r#"{"bundleDependencies":false,"bundledDependencies":["a"]}"#, Bundled::None);
    check(r#"{"bundleDependencies":[],"bundledDependencies":["a"]}"#, Bundled::None);
    check(r#"{"bundledDependencies":["a"],"bundleDependencies":["b",5]}"#, names(&["b"]));
    check(r#"{"bundleDependencies":{"a":1}}"#, Bundled::None);
    check(r#"{"bundleDependencies":"a"}"#, Bundled::None);
}

#[test]
fn bins_keep_their_shape() {
    let check = |fields: &str, expected: Bin| {
        assert_eq!(manifest(fields).bin, expected, "{fields}");
    };
    let map = |entries: &[(&str, &str)]| {
        Bin::Map(entries.iter().map(|(name, file)| ((*name).into(), (*file).into())).collect())
    };
    check(r#"{"bin":"./x.js"}"#, Bin::File("./x.js".into()));
    check(
        r#"{"bin":{"b":"x","a":"y","c":5,"d":null,"e":""}}"#,
        map(&[("b", "x"), ("a", "y"), ("e", "")]),
    );
    check(r#"{"bin":{"b":"x"},"directories":{"bin":"bin"}}"#, map(&[("b", "x")]));
    check(r#"{"bin":"","directories":{"bin":"./bin"}}"#, Bin::Directory("./bin".into()));
    for fields in
        [r#"{"bin":{}}"#, r#"{"bin":["a"]}"#, r#"{"bin":7}"#, r#"{"directories":{"bin":""}}"#]
    {
        check(fields, Bin::None);
    }
}

#[test]
fn install_scripts() {
    let check = |fields: &str, expected: bool| {
        assert_eq!(manifest(fields).has_install_script, expected, "{fields}");
    };
    check(r#"{"scripts":{"preinstall":"x"}}"#, true);
    check(r#"{"hasInstallScript":true}"#, true);
    check(r#"{"hasInstallScript":false,"scripts":{"install":"x"}}"#, false);
    check(r#"{"hasInstallScript":"true"}"#, false);
    check(r#"{"scripts":{"prepare":"x"}}"#, false);
    check(r#"{"scripts":{"postinstall":"","install":null}}"#, false);
    check(r#"{"scripts":["install"],"gypfile":true}"#, false);
}

#[test]
fn integrity_is_what_bun_writes() {
    let sha1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    let sha512 = format!("sha512-{}==", "A".repeat(86));
    let shasum = r#""shasum":"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709""#;
    let check = |dist: &str, expected: &str| {
        let manifest = manifest(&format!(r#"{{"dist":{{{dist}}}}}"#));
        assert_eq!(manifest.integrity.as_str(), expected, "{dist}");
    };
    check("", "");
    check(shasum, sha1);
    check(&format!(r#""integrity":"{sha512}",{shasum}"#), &sha512);
    check(&format!(r#""integrity":"{sha1} {sha512}?opt""#), &sha512);
    check(&format!(r#""integrity":"garbage",{shasum}"#), sha1);
    check(&format!(r#""integrity":"md5-abc",{shasum}"#), sha1);
    check(r#""integrity":"garbage""#, "");
    check(r#""integrity":5,"shasum":"12""#, "");
}

#[test]
fn deprecation_in_all_shapes() {
    for (value, expected) in [
        (r#""no more""#, Some("no more")),
        ("true", Some("")),
        ("false", None),
        (r#""""#, None),
        ("null", None),
        (r#"["x"]"#, None),
    ] {
        let manifest = manifest(&format!(r#"{{"deprecated":{value}}}"#));
        assert_eq!(manifest.deprecated.as_deref(), expected, "{value}");
    }
}

#[test]
fn platforms_in_all_shapes() {
    let manifest = manifest(r#"{"os":"linux","cpu":["x64",5,null],"libc":[null]}"#);
    assert_eq!(manifest.platforms.os.entries().unwrap(), ["linux"]);
    assert_eq!(manifest.platforms.cpu.entries().unwrap(), ["x64"]);
    assert_eq!(manifest.platforms.libc.entries(), None);
}

#[test]
fn what_is_no_packument_is_refused() {
    let name = PackageName::parse("p").unwrap();
    for body in ["", "[]", "null", "{", "{}x", r#"{"versions":{"1.0.0":{"dist":{"tarball":"x"#] {
        let error = Packument::from_json(name, body.as_bytes()).unwrap_err();
        assert!(matches!(error, PackumentError::Json { .. }), "{body}: {error}");
    }
    for end in 0..FULL.len() {
        assert!(Packument::from_json(name, &FULL.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    for body in ["{}", "\u{feff} { } ", r#"{"versions":null,"time":{"unpublished":{}}}"#] {
        assert!(packument(body).is_empty(), "{body}");
    }
}

#[test]
fn of_equal_keys_the_last_counts() {
    let packument = packument(
        r#"{"versions":{"1.0.0":{}},"dist-tags":{"latest":"1.0.0"},
            "versions":{"2.0.0":{"bin":"a","bin":"b"},"3.0.0":{}},
            "dist-tags":{"latest":"2.0.0","latest":"3.0.0"}}"#,
    );
    assert_eq!(packument.len(), 2);
    let latest = packument.dist_tag("latest").unwrap();
    assert_eq!(packument.version(latest).to_string(), "3.0.0");
    let two = packument.find(&Version::new(2, 0, 0)).unwrap();
    assert_eq!(packument.manifest(two).unwrap().bin, Bin::File("b".into()));
}

/// Asks everything that can be asked.
fn use_up(packument: &Packument) {
    let _ = (packument.dist_tag("latest"), packument.has_times(), packument.name());
    for (tag, index) in packument.dist_tags() {
        let _ = (tag.len(), packument.version(index));
    }
    for index in packument.versions() {
        let version = packument.version(index);
        let _ = (version.to_string(), packument.find(&version), packument.manifest(index));
        let _ = (packument.published(index), packument.is_deprecated(index));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn mutated_json_never_panics(
        changes in prop::collection::vec((0..FULL.len(), any::<u8>()), 0..6),
        cut in prop::option::of(0..FULL.len()),
        moved in prop::option::of((0..FULL.len(), 0..FULL.len())),
    ) {
        let mut body = FULL.as_bytes().to_vec();
        for (at, byte) in changes {
            // Mostly the bytes that mean something.
            body[at] = *br#"{}[]",:\ 0"#.get(usize::from(byte % 20)).unwrap_or(&byte);
        }
        if let Some((from, to)) = moved {
            let piece = body[from.min(to)..from.max(to)].to_vec();
            body.splice(from..from, piece);
        }
        body.truncate(cut.map_or(body.len(), |cut| body.len() - cut));
        if let Ok(packument) = Packument::from_json(PackageName::parse("p").unwrap(), &body) {
            use_up(&packument);
        }
    }

    #[test]
    fn torn_records_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut record = packument(FULL).record().to_vec();
        for (at, byte) in changes {
            let at = at.index(record.len());
            record[at] = byte;
        }
        if is_cut {
            record.truncate(cut.index(record.len()));
        }
        if let Ok(packument) = Packument::from_record(record) {
            use_up(&packument);
        }
    }

    #[test]
    fn manifests_of_projects_never_panic(
        changes in prop::collection::vec((0..FULL.len(), any::<u8>()), 0..6),
    ) {
        let mut body = FULL.as_bytes().to_vec();
        for (at, byte) in changes {
            body[at] = byte;
        }
        let _ = crate::PackageJson::parse(&body);
    }

    #[test]
    fn texts_never_panic(text in r"[0-9xv*.<>=^~| +\-a-bé@/:#]{0,40}") {
        let alias = Alias::parse("dep").unwrap();
        let _ = crate::Spec::parse(alias, &text);
        let _ = Version::parse(&text);
        if let Ok(range) = crate::Range::parse(&text) {
            // What is printed holds for the same versions. For prereleases it need not: npm reads
            // `>=00.0.0` and `>=0.0.0` differently, and prints them alike.
            let printed = crate::Range::parse(&range.to_string()).unwrap();
            for (major, minor, patch) in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 2, 3), (9, 9, 9)] {
                let version = Version::new(major, minor, patch);
                prop_assert_eq!(printed.satisfies(&version), range.satisfies(&version), "{}", version);
            }
        }
    }
}
