//! What peers get that nobody provides, in the isolated layout: Bun's answer is not in the lockfile.
//!
//! All packages are about `z`, of which there are three versions. Which of them a package sees is compared
//! together with everything else, from scratch and from the lockfile.

use std::{fs, path::Path};

use deka_test::Registry;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{
    compare::{alike, compare},
    suite::SUITE,
    tool::{Installed, Tool},
};

/// Packages that projects ask for, each with `z` as it asks for it.
const PEERS: &[(&str, &str)] = &[
    ("any", "*"),
    ("other-any", "*"),
    ("one", "1"),
    ("one-or-two", "1 || 2"),
    ("one-or-three", "1 || 3"),
    ("two", "2"),
    ("two-or-three", "2 || 3"),
    ("up-to-two", "<3"),
    ("from-two", ">=2"),
    ("tagged", "latest"),
];

/// The members of workspaces with what they depend on, and arguments.
type Case = (&'static [&'static [&'static str]], &'static [&'static str]);

const CASES: &[Case] = &[
    // One version suits all.
    (&[&["has-2", "any", "one"]], &[]),
    (&[&["has-1", "has-2", "any"]], &[]),
    (&[&["has-1", "has-2", "has-3", "any", "one-or-two", "other-any"]], &[]),
    (&[&["has-1", "has-2", "has-3", "any", "one-or-three", "up-to-two"]], &[]),
    (&[&["has-1", "has-2", "has-3", "any", "one-or-two", "two-or-three"]], &[]),
    (&[&["any"], &["one"], &["has-2"]], &[]),
    (&[&["any"], &["with-one"], &["has-2"]], &[]),
    // None does.
    (&[&["has-1", "has-2", "has-3", "any", "one", "two"]], &[]),
    (&[&["has-1", "has-2", "has-3", "any", "one", "from-two", "up-to-two"]], &[]),
    (&[&["has-1", "has-2", "tagged", "one"]], &[]),
    // Those that may be missing, that are somewhere provided, that only another such peer brings.
    (&[&["has-3", "has-2", "has-1", "any", "optional"]], &[]),
    (&[&["has-1", "has-2", "has-3", "any", "optional"]], &[]),
    (&[&["has-2", "any", "one", "provides-1-to-any"]], &[]),
    (&[&["has-2", "any", "one", "provides-1-to-one"]], &[]),
    (&[&["has-2", "any", "wants-one"]], &[]),
    (&[&["has-2", "one", "wants-any"]], &[]),
    // Who is left out has its say, but gets nothing; what is provided is not left out with peers.
    (&[&["any"], &["one"], &["has-2"]], &["--filter=m0"]),
    (&[&["any", "has-2"], &["one"], &["has-2"]], &["--omit=peer"]),
    (&[&["has-2", "provides-1-to-any", "any"]], &["--omit=peer"]),
];

#[test]
fn peers_that_nobody_provides_get_what_bun_gives_them() {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in("peers-", &suite.folder).expect("a folder");
    let registry = Registry::start();
    publish(&registry);
    let [bun, deka] = [&suite.bun, &suite.deka]
        .map(|tool| Tool::new(tool.name, &tool.program, &work.path().join(tool.name)));
    for (at, (members, arguments)) in CASES.iter().enumerate() {
        let install = |tool: &Tool, lockfile: Option<&str>| {
            let project = tool.folder.join(format!("project-{at}"));
            write(&project, members);
            let _absent_at_first = fs::remove_dir_all(project.join("node_modules"));
            let mut arguments = [&["--linker=isolated", "--registry"], *arguments].concat();
            let url = registry.url();
            arguments.insert(2, &url);
            if let Some(lockfile) = lockfile {
                fs::write(project.join("bun.lock"), lockfile).expect("a file can be written");
                arguments.push("--frozen-lockfile");
            }
            tool.install(&project, &arguments)
        };
        let check = |what: &str, left: Installed, right: Installed| {
            let (left, right) = alike(left, right);
            compare(what, &left, &right)
                .unwrap_or_else(|message| panic!("{members:?} {arguments:?}, {message}"));
        };
        let theirs = install(&bun, None);
        let lockfile = theirs.lockfile.clone();
        check("clean", theirs, install(&deka, None));
        let lockfile = lockfile.as_deref();
        check("frozen", install(&bun, lockfile), install(&deka, lockfile));
    }
}

fn publish(registry: &Registry) {
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        registry.package("z", version).publish();
    }
    let package = |name: &str| registry.package(name, "1.0.0");
    for (name, range) in PEERS {
        package(name).peer("z", range).publish();
    }
    for version in ["1", "2", "3"] {
        package(&format!("has-{version}")).dep("z", version).publish();
    }
    package("optional").optional_peer("z", "1").publish();
    package("with-one").dep("one", "1").publish();
    for name in ["any", "one"] {
        package(&format!("wants-{name}")).peer(name, "1").publish();
        package(&format!("provides-1-to-{name}")).dep(name, "1").dep("z", "1").publish();
    }
}

/// Writes a project; what one member depends on is the root's.
fn write(folder: &Path, members: &[&[&str]]) {
    let dependencies = |names: &[&str]| {
        let named = names.iter().map(|name| ((*name).to_owned(), Value::from("1")));
        Value::Object(named.collect::<Map<_, _>>())
    };
    let mut root = json!({ "name": "peers" });
    match members {
        [names] => root["dependencies"] = dependencies(names),
        members => {
            root["workspaces"] = json!(["members/*"]);
            for (at, names) in members.iter().enumerate() {
                let folder = folder.join(format!("members/m{at}"));
                let manifest =
                    json!({ "name": format!("m{at}"), "dependencies": dependencies(names) });
                fs::create_dir_all(&folder).expect("a folder can be made");
                let path = folder.join("package.json");
                fs::write(path, manifest.to_string()).expect("a file can be written");
            }
        }
    }
    fs::create_dir_all(folder).expect("a folder can be made");
    fs::write(folder.join("package.json"), root.to_string()).expect("a file can be written");
}
