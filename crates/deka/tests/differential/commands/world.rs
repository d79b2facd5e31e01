//! The projects that commands are run in, and the registry that they ask.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use deka_test::Registry;
use serde_json::json;

/// Where projects have manifests.
pub(super) const MANIFESTS: &[&str] =
    &["package.json", "packages/m/package.json", "packages/n/package.json"];

/// What can be installed.
pub(super) static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "1.2.0", "2.0.0-beta.1"] {
        registry.package("a", version).publish();
    }
    registry.tag("a", "latest", "1.1.0");
    registry.tag("a", "next", "2.0.0-beta.1");
    registry.package("b", "1.0.0").dep("c", "^1.0.0").publish();
    registry.package("b", "1.1.0").dep("c", "^1.0.0").dep("d", "~0.1.0").publish();
    registry.package("b", "2.0.0").dep("c", "^2.0.0").publish();
    for version in ["1.0.0", "1.1.0", "2.0.0", "2.0.1"] {
        registry.package("c", version).publish();
    }
    for version in ["0.1.0", "0.1.5", "0.2.0"] {
        registry.package("d", version).publish();
    }
    for version in ["1.0.0", "1.5.0", "2.0.0"] {
        registry.package("@s/x", version).publish();
    }
    let tool = registry.package("tool", "1.0.0").file("cli.js", "#!/usr/bin/env node\n");
    tool.bin("tool", "cli.js").bin("tool2", "cli.js").publish();
    registry.package("peerer", "1.0.0").peer("a", "^1.0.0").publish();
    registry.package("scripted", "1.0.0").script("postinstall", "echo done > built").publish();
    let lines = (1..=30).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat();
    let text =
        registry.package("text", "1.0.0").file("lines.txt", &lines).file("cr.txt", "a\r\nb\r\n");
    text.file("end.txt", "no end")
        .file("lib/deep/in.js", "f();\n")
        .file("é ü.txt", "1\n")
        .publish();
    registry.package("@s/text", "1.0.0").file("lines.txt", &lines).dep("text", "1").publish();
    registry.package("holder", "1.0.0").dep("c", "1.0.0").publish();
    registry.package("deep", "1.0.0").dep("b", "^1.0.0").dep("@s/x", "1").publish();
    registry.package("low", "1.0.0").dep("c", "~1.0.0").publish();
    registry.package("high", "1.0.0").dep("c", "^1.1.0").publish();
    let advise = |name: &str, versions: &[&str], range: &str, severity: &str| {
        let url = format!("https://advisories.example/GHSA-{name}-{severity}");
        let title = format!("A {severity} thing");
        let advisory = json!({ "id": 7, "url": url, "title": title, "severity": severity, "vulnerable_versions": range });
        registry.advise(name, versions, advisory);
    };
    advise("c", &["1.0.0", "1.1.0"], "<2.0.1", "high");
    advise("c", &["1.0.0"], "<1.1.0", "critical");
    advise("d", &["0.1.0"], "<0.1.5", "low");
    advise("@s/x", &["1.0.0"], "<1.5.0", "moderate");
    registry
});

/// The files of each project.
const PROJECTS: &[(&str, &[(&str, &str)])] = &[
    ("none", &[]),
    ("blank", &[("package.json", "")]),
    ("empty", &[("package.json", "{}")]),
    ("named", &[("package.json", "{\n  \"name\": \"p\"\n}\n")]),
    (
        "tabs",
        &[(
            "package.json",
            "{\n\t\"name\": \"p\",\n\t\"devDependencies\": {\n\t\t\"z\": \"npm:d@0.1.0\",\n\t\t\"c\": \"1.0.0\"\n\t},\n\
             \t\"version\": \"1.0.0\"\n}",
        )],
    ),
    (
        "plain",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"version\": \"1.0.0\",\n  \"dependencies\": {\n    \"c\": \"1\",\n    \
             \"a\": \"~1.0.0\"\n  },\n  \"scripts\": {},\n  \"files\": [\"a\", \"b\"]\n}\n",
        )],
    ),
    (
        "peers",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"a\": \"~1.0.0\",\n    \"b\": \"1\"\n  },\n  \
             \"peerDependencies\": {\n    \"a\": \"1\"\n  }\n}\n",
        )],
    ),
    (
        "pinned",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"b\": \"1.0.0\",\n    \"c\": \"1.0.0\"\n  }\n}\n",
        )],
    ),
    (
        "narrow",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"b\": \"1.0.0\",\n    \"c\": \"~1.0.0\",\n    \"high\": \"1\"\n  }\n}\n",
        )],
    ),
    (
        "twice",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"c\": \"^2.0.0\"\n  },\n  \"devDependencies\": {\n    \"c\": \"^1.0.0\"\n  }\n}\n",
        )],
    ),
    (
        "overridden",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"b\": \"1.0.0\",\n    \"d\": \"0.1.0\",\n    \
             \"@s/x\": \"1.0.0\"\n  },\n  \"overrides\": {\n    \"b\": {\n      \"c\": \"1.0.0\"\n    },\n    \
             \"d@<1\": \"0.1.0\",\n    \"@s/x\": \"$@s/x\"\n  }\n}\n",
        )],
    ),
    (
        "resolved",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"deep\": \"1\"\n  },\n  \"resolutions\": {\n    \
             \"b/c\": \"~1.0.0\",\n    \"d\": \"npm:d@0.1.0\"\n  }\n}\n",
        )],
    ),
    (
        "groups",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"Z\": \"npm:a\",\n    \"a\": \"1\",\n    \"B\": \"npm:a\"\n  },\n  \
             \"devDependencies\": {\n    \"z\": \"npm:a\",\n    \"c\": \"1\"\n  },\n  \"optionalDependencies\": {\n    \
             \"d\": \"^0.1.0\"\n  }\n}\n",
        )],
    ),
    (
        "trusting",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"trustedDependencies\": [\"z\", \"a\"]\n}\n",
        )],
    ),
    (
        "texts",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"dependencies\": {\n    \"@s/text\": \"1\",\n    \"text\": \"1\"\n  },\n  \"private\": true\n}\n",
        )],
    ),
    (
        "local",
        &[
            ("package.json", "{\n  \"name\": \"p\",\n  \"dependencies\": {}\n}\n"),
            (
                "lib/package.json",
                "{ \"name\": \"lib\", \"version\": \"3.0.0\", \"bin\": \"x.js\" }",
            ),
            ("lib/x.js", "#!/usr/bin/env node\n"),
            ("nameless/package.json", "{ \"version\": \"3.0.0\" }"),
        ],
    ),
    (
        "catalogs",
        &[(
            "package.json",
            "{\n  \"name\": \"p\",\n  \"workspaces\": {\n    \"packages\": [\"packages/*\"],\n    \"catalogs\": {\n      \
             \"t\": {\n        \"c\": \"1\"\n      }\n    }\n  }\n}\n",
        )],
    ),
    (
        "scripts",
        &[
            (
                "package.json",
                r#"{ "name": "p", "version": "1.2.3", "scripts": {
                  "prebuild": "echo before $npm_lifecycle_event", "build": "echo building", "postbuild": "echo after",
                  "args": "printf '<%s>'", "three": "exit 3", "prelate": "exit 4", "late": "echo never",
                  "early": "exit 5", "postearly": "echo never", "killed": "kill -TERM $$",
                  "variables": "echo $npm_lifecycle_event $npm_package_name $npm_package_version $npm_command",
                  "test": "echo test", "start": "echo start", "use": "a-command x", "shadowed": "echo script",
                  "nested": "cat package.json | head -c 1", "empty": "" } }"#,
            ),
            ("deep/er/file", ""),
        ],
    ),
    (
        "members",
        &[
            (
                "package.json",
                r#"{ "name": "root", "workspaces": ["packages/*"], "scripts": { "build": "echo root" } }"#,
            ),
            (
                "packages/m/package.json",
                r#"{ "name": "m", "dependencies": { "n": "workspace:*" }, "scripts": { "build": "cat ../n/built", "only": "echo",
                  "fail": "true" } }"#,
            ),
            (
                "packages/n/package.json",
                r#"{ "name": "n", "scripts": { "prebuild": "sleep 0.1", "build": "echo done > built", "fail": "exit 3" } }"#,
            ),
        ],
    ),
    (
        "workspaces",
        &[
            (
                "package.json",
                "{\n  \"name\": \"root\",\n  \"workspaces\": [\"packages/*\"],\n  \"catalog\": {\n    \"c\": \"^1.0.0\"\n  },\n  \
                 \"catalogs\": {\n    \"t\": {\n      \"d\": \"0.1.0\"\n    }\n  }\n}\n",
            ),
            (
                "packages/m/package.json",
                "{\n  \"name\": \"m\",\n  \"version\": \"1.2.3\",\n  \"dependencies\": {\n    \"c\": \"catalog:\"\n  }\n}\n",
            ),
            ("packages/n/package.json", "{\n  \"name\": \"n\",\n  \"version\": \"0.0.1\"\n}\n"),
            ("bunfig.toml", "[install]\nlinker = \"hoisted\"\n"),
        ],
    ),
];

/// Writes the files of a project.
pub(super) fn write(name: &str, folder: &Path) {
    let (_, files) = PROJECTS.iter().find(|(known, _)| *known == name).expect("a known project");
    fs::create_dir_all(folder).expect("a folder can be made");
    for (path, text) in *files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(&path, text).expect("a file can be written");
    }
}
