//! Manifests in all shapes.

use super::*;

fn parse(text: &str) -> PackageJson {
    PackageJson::parse(text.as_bytes()).unwrap()
}

fn group(group: &DependencyGroup) -> Vec<(&str, &str)> {
    group.iter().map(|(alias, spec)| (alias.as_str(), spec.as_str())).collect()
}

fn problems(manifest: &PackageJson) -> Vec<String> {
    manifest.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_manifest_is_read() {
    let manifest = parse(
        r#"{
            "name": "@s/p", "version": "1.2.3",
            "dependencies": { "z": "^1", "a": "npm:b@2" },
            "devDependencies": { "d": "workspace:*" },
            "optionalDependencies": { "o": " 1 " },
            "peerDependencies": { "p": ">=1" },
            "peerDependenciesMeta": { "p": { "optional": true }, "q": { "optional": true }, "r": {} },
            "bundledDependencies": ["z"],
            "bin": { "two": "2.js", "one": "1.js", "odd": 3 },
            "engines": { "node": ">=20" },
            "os": ["!win32"], "cpu": "x64",
            "scripts": { "build": "x", "postinstall": "y", "odd": {} },
            "trustedDependencies": ["z"],
            "patchedDependencies": { "z@1.0.0": "patches/z.patch" }
        }"#,
    );
    assert_eq!(manifest.package_name().unwrap().as_str(), "@s/p");
    assert_eq!(manifest.parsed_version().unwrap().to_string(), "1.2.3");
    assert_eq!(group(&manifest.dependencies), [("z", "^1"), ("a", "npm:b@2")]);
    assert_eq!(group(&manifest.dev_dependencies), [("d", "workspace:*")]);
    assert_eq!(group(&manifest.optional_dependencies), [("o", " 1 ")]);
    assert_eq!(group(&manifest.peer_dependencies), [("p", ">=1"), ("q", "*")]);
    assert_eq!(manifest.optional_peers.len(), 2);
    assert!(manifest.bundled.contains(Alias::parse("z").unwrap()));
    let Bin::Map(commands) = &manifest.bin else { panic!("{:?}", manifest.bin) };
    assert_eq!(commands.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["two", "one"]);
    assert_eq!(manifest.platforms.os.entries().unwrap(), ["!win32"]);
    assert_eq!(manifest.platforms.cpu.entries().unwrap(), ["x64"]);
    assert_eq!(manifest.script("build"), Some("x"));
    assert!(manifest.has_install_script());
    assert_eq!(manifest.trusted_dependencies.as_deref().unwrap().len(), 1);
    assert_eq!(manifest.patched_dependencies[0].1.as_str(), "patches/z.patch");
    assert_eq!(problems(&manifest), [""; 0]);
}

#[test]
fn what_bun_lets_pass_passes() {
    for text in [
        "\u{feff}{\"name\":\"p\"}",
        "// one\n{/* two */\"name\":\"p\",}",
        "{'name':'p'}",
        "\r\n{\"name\":\r\n\"p\"}\r\n",
    ] {
        assert_eq!(parse(text).name.unwrap().as_str(), "p", "{text:?}");
    }
    assert_eq!(parse(""), PackageJson::default());
    assert_eq!(problems(&parse("[]")), ["a manifest has to be an object at line 1, column 1"]);
}

#[test]
fn syntax_errors_have_a_place() {
    let check = |text: &str, expected: &str| {
        assert_eq!(PackageJson::parse(text.as_bytes()).unwrap_err().to_string(), expected);
    };
    check("{\n  \"a\": 1\n  \"b\": 2\n}", "expected comma at line 2, column 9");
    check("{\"é\": \"x\" \"y\"}", "expected comma at line 1, column 10");
    check("{a: 1}", "expected string for object property at line 1, column 2");
    check("{\"a\": 1", "unterminated object at line 1, column 1");
    let deep = "[".repeat(100_000);
    assert!(PackageJson::parse(deep.as_bytes()).is_err());
    let error = PackageJson::parse(b"{\n\"a\": \"\xff\"}").unwrap_err();
    assert_eq!(error.to_string(), "text that is not UTF-8 at line 2, column 7");

    let long = format!("{{\"a\": \"{}\" \"b\": 1}}", "x".repeat(1000));
    let Err(ManifestError::Syntax { place, .. }) = PackageJson::parse(long.as_bytes()) else {
        panic!("expected an error");
    };
    assert!(place.excerpt.len() <= 120 && place.excerpt_column <= 120, "{place:?}");
}

#[test]
fn odd_shapes_are_absent_and_noted() {
    let manifest = parse(
        r#"{"name":5,"dependencies":["a"],"devDependencies":{"a":1,"../b":"1","c":"1"},
            "bin":"","directories":{"bin":"./cmd"},"workspaces":"x","trustedDependencies":["a",1]}"#,
    );
    assert_eq!(manifest.name, None);
    assert_eq!(group(&manifest.dev_dependencies), [("c", "1")]);
    assert_eq!(manifest.bin, Bin::Directory("./cmd".into()));
    assert_eq!(manifest.workspaces, None);
    assert_eq!(
        problems(&manifest),
        [
            "`dependencies` has to map names to strings at line 1, column 26",
            "`devDependencies` has to map names to strings at line 1, column 55",
            "`../b` is not a valid package name: it starts with a dot at line 1, column 64",
            "`trustedDependencies` has to be an array of strings at line 2, column 96",
            "`workspaces` has to be an array of strings at line 2, column 65",
        ]
    );
    assert!(manifest.problems.iter().all(|problem| problem.kind.is_error()));
}

#[test]
fn of_equal_keys_the_last_counts() {
    let manifest = parse(r#"{"dependencies":{"a":"1","b":"1","a":"2"},"name":"x","name":"y"}"#);
    assert_eq!(group(&manifest.dependencies), [("a", "2"), ("b", "1")]);
    assert_eq!(manifest.name.unwrap().as_str(), "y");
    assert_eq!(manifest.problems.len(), 2);
    assert!(!manifest.problems[0].kind.is_error());
}

#[test]
fn workspaces_and_catalogs() {
    let manifest = parse(
        r#"{"workspaces":{"packages":["a/*"],"catalog":{"x":"1"},"catalogs":{"t":{"y":"2"}}},
            "catalog":{"z":"3"}}"#,
    );
    assert_eq!(manifest.workspaces.as_deref().unwrap(), ["a/*".into()]);
    assert_eq!(group(&manifest.catalog), [("x", "1")]);
    assert_eq!(group(&manifest.catalogs[0].1), [("y", "2")]);
    let manifest = parse(r#"{"workspaces":["a"],"catalog":{"z":"3"}}"#);
    assert_eq!(group(&manifest.catalog), [("z", "3")]);
    // Without workspaces there are no catalogs.
    assert_eq!(parse(r#"{"catalog":{"z":"3"}}"#).catalog, []);
}

#[test]
fn overrides_become_paths() {
    let check = |text: &str, expected: &[&str]| {
        let manifest = parse(text);
        let printed: Vec<String> = manifest
            .overrides
            .iter()
            .map(|entry| {
                let path: Vec<String> = entry
                    .path
                    .iter()
                    .map(|target| match target.range {
                        Some(range) => format!("{}@{range}", target.name),
                        None => target.name.to_string(),
                    })
                    .collect();
                format!("{} = {}", path.join(" > "), entry.value)
            })
            .collect();
        assert_eq!(printed, expected, "{text}");
        problems(&manifest)
    };
    let noted = check(
        r#"{"dependencies":{"q":"^7"},"overrides":{"q":"1.2.3","a":{"b":"1"},"c":{".":"2","d":"3"},
            "e@^1":"4","f":{"g":{"h":"5"}},"i":"$q","j":"$nope","k":5,"**/l":"6","m>n":"7",
            "o@^1":{"p":"8"},"r":"","s@>=1 <2>t":"9"}}"#,
        &[
            "q = 1.2.3",
            "a > b = 1",
            "c = 2",
            "c > d = 3",
            "e@^1 = 4",
            "f > g > h = 5",
            "i = ^7",
            "l = 6",
            "m > n = 7",
            "o@^1 > p = 8",
            "s@>=1 <2 > t = 9",
        ],
    );
    assert_eq!(noted.len(), 3, "{noted:?}");
    check(
        r#"{"resolutions":{"a/b":"1","**/c":"2","d/**/e":"3","@s/f":"4","@s/g/h":"5","@s/i/@s/j":"6",
            "**/k/l":"7","m@npm:1":"8","n@^1":"9"}}"#,
        &[
            "a > b = 1",
            "c = 2",
            "d > e = 3",
            "@s/f = 4",
            "@s/g > h = 5",
            "@s/i > @s/j = 6",
            "k > l = 7",
            "m@1 = 8",
            "n@^1 = 9",
        ],
    );
    // Bun does not merge them.
    check(r#"{"overrides":{"a":"1"},"resolutions":{"b":"1"}}"#, &["a = 1"]);
}

#[test]
fn package_extensions_are_read() {
    let manifest = parse(
        r#"{"packageExtensions":{"zz@1":{"dependencies":{"a":"1"},"peerDependencies":{"b":"2"},
            "peerDependenciesMeta":{"b":{"optional":true}}},"odd":5}}"#,
    );
    let [extension] = &manifest.package_extensions[..] else { panic!("{manifest:?}") };
    assert_eq!(extension.package.as_str(), "zz@1");
    assert_eq!(group(&extension.dependencies), [("a", "1")]);
    assert_eq!(group(&extension.peer_dependencies), [("b", "2")]);
    assert_eq!(extension.optional_peers.len(), 1);
}
