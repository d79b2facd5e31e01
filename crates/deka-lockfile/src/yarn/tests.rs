//! What ranges lead to.

use crate::migrate::fixture::{edges, read as read_format};
use crate::migrate::{Format, YARN_REGISTRY};
use crate::{Lockfile, LockfileError};

const MANIFEST: &str = r#"{ "name": "p", "dependencies": { "@s/a": "^1.0.0", "l": "npm:s@^1.0.0" },
    "peerDependencies": { "o": "1" } }"#;

fn read(text: &str) -> Result<Lockfile, LockfileError> {
    read_format(Format::Yarn, MANIFEST, text)
}

const EDGES: [&str; 6] = [
    "p@ > @s/a: @s/a@1.2.0",
    "p@ > l: s@1.0.0",
    "p@ > o: nothing",
    "@s/a@1.2.0 > t: t@3.0.0",
    "@s/a@1.2.0 > gone: nothing",
    "@s/a@1.2.0 > s: s@2.0.0",
];

#[test]
fn yarn_1() {
    let text = "# yarn lockfile v1\n\n\n\"@s/a@^1.0.0\", \"@s/a@^1.1.0\":\n  version \"1.2.0\"\n  \
        resolved \"{yarn}@s/a/-/a-1.2.0.tgz#\
        da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n  dependencies:\n    gone \"1\"\n    s \"2\"\n  \
        optionalDependencies:\n    t \"~3.0.0\"\n\n\"l@npm:s@^1.0.0\":\n  version \"1.0.0\"\n  resolved \
        \"{yarn}s/-/s-1.0.0.tgz\"\n\ns@2:\n  version \"2.0.0\"\n  resolved \
        \"https://other.example/s/-/s-2.0.0.tgz\"\n\nt@~3.0.0:\r\n  version \"3.0.0\"\r\n  resolved \
        \"{yarn}t.tgz\"\n";
    let lockfile = read(&text.replace("{yarn}", YARN_REGISTRY)).unwrap();
    assert_eq!(edges(&lockfile), EDGES);
    assert_eq!(
        lockfile.graph.packages()[1].integrity.as_str(),
        "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "the hash of the URL"
    );
}

#[test]
fn yarn_2() {
    let text = r#"
__metadata:
  version: 8

"@s/a@npm:^1.0.0, @s/a@npm:^1.1.0":
  version: 1.2.0
  resolution: "@s/a@npm:1.2.0"
  dependencies:
    gone: "npm:1"
    s: "npm:2"
    t: "npm:~3.0.0"
  dependenciesMeta:
    t:
      optional: true
"l@npm:s@^1.0.0":
  resolution: "s@npm:1.0.0"
"p@workspace:.":
  resolution: "p@workspace:."
"s@npm:2":
  resolution: "s@npm:2.0.0::__archiveUrl=https%3A%2F%2Fother.example%2Fs.tgz"
"t@patch:t@npm%3A~3.0.0#optional!builtin<compat/t>":
  resolution: "t@patch:t@npm%3A3.0.0#optional!builtin<compat/t>::version=3.0.0"
"t@npm:~3.0.0":
  resolution: "t@npm:3.0.0"
"#;
    assert_eq!(edges(&read(text).unwrap()), EDGES);
}

#[test]
fn what_was_edited_since_is_added_since() {
    let text = "# yarn lockfile v1\n\na@^1.0.0:\n  version \"1.2.0\"\n  resolved \"{yarn}a.tgz\"\n\n\
        b@^1.0.0:\n  version \"1.0.0\"\n  resolved \"{yarn}b.tgz\"\n  dependencies:\n    a \"^1.0.0\"\n";
    let left = |manifest: &str| {
        let text = text.replace("{yarn}", YARN_REGISTRY);
        let lockfile = read_format(Format::Yarn, manifest, &text).unwrap();
        let rows = lockfile.workspaces[0].dependencies.iter();
        rows.map(|(alias, _)| alias.to_string()).collect::<Vec<_>>()
    };
    // One range is in the file under another name; of the others, not even the only version will do.
    let manifest = r#"{ "name": "p", "dependencies": { "a": "^1.1.0", "b": "2", "c": "1" } }"#;
    assert_eq!(left(manifest), ["a"]);
}

#[test]
fn what_is_wrong_is_named() {
    let message = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(message("foo bar"), "expected `name@range:` at line 1, column 1");
    assert_eq!(
        message("a@1:\n  version \"x\"\n  resolved \"https://registry.example/a\"\n"),
        "`a@1` is invalid: its version is none"
    );
    assert!(message("__metadata:\n  a: [\n").contains("line"));
}
