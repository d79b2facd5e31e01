//! Hosts of git repositories: what is written for them, and which address that becomes.
//!
//! git itself is told to find them all in one repository on disk.

use std::fs;

use deka_test::{Repository, tool::Tool};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{compare::compare, suite::SUITE};

/// What dependencies ask for, and the start of the address that Bun makes of it.
const HOSTS: &[(&str, &str)] = &[
    ("gitlab:o/one", "ssh://git@gitlab.com/o/one"),
    ("gitlab:o/two#v1.2.3", "ssh://git@gitlab.com/o/two"),
    ("https://gitlab.com/o/three", "https://gitlab.com/o/three"),
    ("bitbucket:o/four#feature/x", "ssh://git@bitbucket.org/o/four"),
    ("gist:abc123", "ssh://git@gist.github.com/abc123"),
    ("git+ssh://git@host.example/o/five.git", "ssh://git@host.example/o/five.git"),
    ("git@host.example:o/six.git", "git@host.example:o/six.git"),
    ("git+https://host.example/o/seven.git#v1.2.3", "https://host.example/o/seven.git"),
];

#[test]
fn hosts_have_their_addresses() {
    let Some(suite) = &*SUITE else { return };
    let work = TempDir::with_prefix_in("hosts-", &suite.folder).expect("a folder");
    let place = work.path().join("repository");
    let repository = Repository::at(&place);
    repository.file("package.json", r#"{"name":"lib","version":"1.2.3"}"#);
    repository.commit();
    repository.tag("v1.2.3");
    repository.branch("feature/x");
    let mut git_settings = format!("[url \"file://{}\"]\n", place.display());
    let mut dependencies = Map::new();
    for (at, (spec, address)) in HOSTS.iter().enumerate() {
        git_settings.extend(["\tinsteadOf = ", *address, "\n"]);
        dependencies.insert(format!("lib-{at}"), Value::from(*spec));
    }
    let manifest = json!({ "name": "hosts", "dependencies": dependencies }).to_string();

    let [theirs, ours] = [&suite.bun, &suite.deka].map(|tool| {
        let tool = Tool::new(tool.name, &tool.program, &work.path().join(tool.name));
        fs::write(tool.folder.join("home/.gitconfig"), &git_settings).expect("a file");
        let project = tool.folder.join("project");
        fs::create_dir(&project).expect("a folder can be made");
        fs::write(project.join("package.json"), &manifest).expect("a file can be written");
        let clean = tool.install(&project, &[]);
        fs::remove_dir_all(project.join("node_modules")).expect("it was installed");
        let frozen = tool.install(&project, &["--frozen-lockfile"]);
        [clean, frozen].map(|mut installed| {
            installed.tree = installed.tree.only(|path| !path.ends_with(".bun-tag"));
            installed
        })
    });
    for (what, (left, right)) in ["clean", "frozen"].iter().zip(theirs.iter().zip(&ours)) {
        compare(what, left, right).unwrap_or_else(|message| panic!("{message}"));
    }
}
