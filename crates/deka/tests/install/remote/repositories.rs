//! git repositories, on this machine and over HTTP.

use std::fs;

use deka_test::{Registry, Repository, TestProject};
use serde_json::json;

use crate::project;

/// A project beside a repository of one package with a few versions.
fn with_repository() -> (TestProject, Repository) {
    let project = project();
    let repository = Repository::at(&project.root().join("repository"));
    for version in ["1.0.0", "1.2.0", "2.0.0"] {
        let manifest = format!(r#"{{ "name": "r", "version": "{version}" }}"#);
        repository.file("package.json", manifest).file("index.js", version).commit();
        repository.tag(&format!("v{version}"));
    }
    (project, repository)
}

fn depend_on(project: &TestProject, spec: &str) {
    project.package_json(json!({ "name": "p", "dependencies": { "r": spec } }));
}

#[test]
fn nothing_is_fetched_again_while_the_lockfile_pins_the_commit() {
    let (project, repository) = with_repository();
    let url = repository.url();
    depend_on(&project, &url);
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
    let tag = project.read("node_modules/r/.bun-tag");
    assert!(project.read("bun.lock").contains(&format!("#{tag}\", {{}}, \"{tag}\"]")));

    let new = repository.file("index.js", "new").commit();
    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
    project.package_json(json!({ "dependencies": { "r": url, "other": format!("{url}#v1.0.0") } }));
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
    assert_eq!(project.read("node_modules/other/index.js"), "1.0.0");

    project.remove("bun.lock");
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "new");
    assert!(project.read("bun.lock").contains(&new));
    let newest = repository.file("index.js", "newest").commit();
    project.remove("bun.lock");
    project.command(["install", "--offline"]).run().assert_success();
    assert!(!project.read("bun.lock").contains(&newest));

    // The clone is enough for the store, and the store without the clone.
    let cache = project.cache().to_owned();
    fs::remove_dir_all(cache.join("v1")).unwrap();
    fs::rename(project.root().join("repository"), project.root().join("gone")).unwrap();
    project.remove("node_modules");
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
    fs::remove_dir_all(cache.join("git")).unwrap();
    project.remove("node_modules");
    project.command(["install", "--frozen-lockfile", "--offline"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "new");
}

#[test]
fn a_frozen_lockfile_is_enough_on_an_empty_machine() {
    let (project, repository) = with_repository();
    repository.branch("gone").file("index.js", "gone").commit();
    repository.switch("main");
    depend_on(&project, &format!("{}#gone", repository.url()));
    project.command(["install", "--lockfile-only"]).run().assert_success();
    assert!(!project.exists("node_modules"));
    project.clear_cache();
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "gone");

    let lockfile = project.read("bun.lock").replace("\"bun.lock\"", "");
    let commit = project.read("node_modules/r/.bun-tag");
    let other = "0123456789012345678901234567890123456789";
    project.write("bun.lock", lockfile.replace(&commit, other)).remove("node_modules");
    let missing = project.command(["install", "--frozen-lockfile"]).run();
    missing.assert_code(1);
    assert!(missing.stderr.contains(&format!("commit `{other}`")), "{}", missing.snapshot());
}

#[test]
fn many_references_are_fetched_at_once() {
    let registry = Registry::start();
    let (project, repository) = with_repository();
    repository.serve(&registry, "/git/r");
    let url = format!("git+{}git/r", registry.url());
    project.package_json(json!({ "dependencies": {
        "r": url, "a": format!("{url}#v1.0.0"), "b": format!("{url}#semver:^1"), "c": format!("{url}#main"),
    } }));
    project.command(["install"]).run().assert_success();
    assert_eq!(registry.count("/git/r/info/refs"), 1, "{:?}", registry.paths());
    for (name, version) in [("r", "2.0.0"), ("a", "1.0.0"), ("b", "1.2.0"), ("c", "2.0.0")] {
        assert_eq!(project.read(&format!("node_modules/{name}/index.js")), version, "{name}");
    }
    registry.clear_requests();
    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    assert_eq!(registry.paths(), [""; 0]);
}

#[test]
fn what_cannot_be_found_is_told_with_who_wants_it() {
    let (project, repository) = with_repository();
    let url = repository.url();
    for (spec, message) in [
        (format!("{url}#nope"), "has no branch, tag or commit `nope`"),
        (format!("{url}#semver:^9"), "has no tag with a version that matches `^9`"),
        (format!("{url}x"), "git failed to fetch"),
        ("git+https://host/a b".to_owned(), "it contains blanks"),
    ] {
        depend_on(&project, &spec);
        let outcome = project.command(["install"]).run();
        outcome.assert_code(1);
        assert!(outcome.stderr.contains("Failed to resolve `r`"), "{}", outcome.snapshot());
        assert!(outcome.stderr.contains(message), "{}", outcome.snapshot());
        assert!(outcome.stderr.contains("required by: p"), "{}", outcome.snapshot());
        assert!(!project.exists("bun.lock"));
    }

    depend_on(&project, &url);
    let folder = project.root().join("empty");
    fs::create_dir(&folder).unwrap();
    project.clear_cache();
    let outcome = project.command(["install"]).env("PATH", &folder).run();
    outcome.assert_code(1);
    assert!(outcome.stderr.contains("git is needed for"), "{}", outcome.snapshot());
    let offline = project.command(["install", "--offline"]).run();
    offline.assert_code(1);
    assert!(offline.stderr.contains("is not in the cache"), "{}", offline.snapshot());
}

#[test]
fn a_server_that_cannot_be_reached_is_no_fault_of_the_project() {
    let (project, _) = with_repository();
    depend_on(&project, "git+http://127.0.0.1:9/o/r.git");
    let outcome = project.command(["install"]).run();
    outcome.assert_code(4);
    assert!(outcome.stderr.contains("git failed to fetch"), "{}", outcome.snapshot());
}

#[test]
fn an_optional_repository_that_cannot_be_fetched_is_left_out_and_said() {
    let (project, _) = with_repository();
    let url = "git+http://me:secret@127.0.0.1:9/o/r.git";
    project.package_json(json!({ "name": "p", "optionalDependencies": { "r": url } }));
    let outcome = project.command(["install"]).run();
    outcome.assert_success();
    let start =
        "warn: skipped the optional dependency `r@git+http://***@127.0.0.1:9/o/r.git`: git failed";
    assert!(outcome.stderr.contains(start), "{}", outcome.snapshot());
    assert!(!outcome.stderr.contains("secret"), "{}", outcome.snapshot());
}

#[test]
fn options_in_disguise_and_other_transports_are_refused() {
    let (project, repository) = with_repository();
    let proof = project.root().join("proof");
    let run = format!("touch {}", proof.display());
    for spec in [
        format!("{}#--output={}", repository.url(), proof.display()),
        format!("{}#-x", repository.url()),
        format!("ext::sh -c {run}"),
        format!("git+ext::sh -c {}", run.replace(' ', "%20")),
        format!("git+ssh://-oProxyCommand={}/r", run.replace(' ', "%20")),
        "git+file://../repository".to_owned(),
        "-u:x/r".to_owned(),
    ] {
        depend_on(&project, &spec);
        let outcome = project.command(["install"]).run();
        outcome.assert_code(1);
        assert!(!proof.exists(), "{spec}");
        assert!(outcome.stderr.contains("Failed to re"), "{}", outcome.snapshot());
    }
    // Nor by what the user has set for other purposes.
    let config = format!("[url \"ext::sh -c '{run}' \"]\n\tinsteadOf = file://\n");
    fs::write(project.home().join(".gitconfig"), config).unwrap();
    depend_on(&project, &repository.url());
    project.command(["install"]).run().assert_code(1);
    assert!(!proof.exists());
}

#[test]
fn nothing_of_a_repository_runs_and_the_surroundings_mislead_nobody() {
    let (project, repository) = with_repository();
    let proof = project.root().join("proof");
    let run = format!("touch {}", proof.display());
    let templates = project.home().join("templates/hooks");
    fs::create_dir_all(&templates).unwrap();
    for hook in ["post-checkout", "reference-transaction", "post-merge"] {
        let path = templates.join(hook);
        fs::write(&path, format!("#!/bin/sh\n{run}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
    }
    let config = format!(
        "[init]\n\ttemplateDir = {}\n[filter \"evil\"]\n\tsmudge = {run}; cat\n\trequired = true\n\
         [core]\n\tautocrlf = true\n",
        templates.parent().unwrap().display()
    );
    fs::write(project.home().join(".gitconfig"), config).unwrap();
    repository
        .file(".gitattributes", "* filter=evil\nhidden.txt export-ignore\n")
        .file("hidden.txt", "line\n")
        .file(".gitmodules", "[submodule \"m\"]\n\tpath = m\n\turl = ./m\n\tupdate = !x\n")
        .link("package.txt", "package.json")
        .link("passwd", "/etc/passwd")
        .commit();
    depend_on(&project, &repository.url());
    let nowhere = project.root().join("nowhere");
    let outcome = project
        .command(["install"])
        .env("GIT_DIR", &nowhere)
        .env("GIT_INDEX_FILE", &nowhere)
        .env("GIT_WORK_TREE", &nowhere)
        .run();
    outcome.assert_success();
    assert!(!proof.exists() && !nowhere.exists());
    assert_eq!(project.read("node_modules/r/hidden.txt"), "line\n");
    let copied = fs::symlink_metadata(project.path().join("node_modules/r/package.txt")).unwrap();
    assert!(copied.is_file());
    assert!(!project.exists("node_modules/r/passwd"));
}

#[test]
fn ssh_asks_nobody_unless_the_user_has_his_own() {
    let (project, repository) = with_repository();
    let path = repository.url();
    let path = path.trim_start_matches("git+file://");
    let bin = project.root().join("bin");
    let log = project.root().join("log");
    fs::create_dir(&bin).unwrap();
    for name in ["ssh", "mine"] {
        let script = format!(
            "#!/bin/sh\necho {name} \"$@\" >> {}\nfor last; do :; done\nexec sh -c \"$last\"\n",
            log.display()
        );
        fs::write(bin.join(name), script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(bin.join(name), mode).unwrap();
    }
    let run = |spec: &str, own: Option<&str>| {
        depend_on(&project, spec);
        project.remove("bun.lock").clear_cache();
        fs::write(&log, "").unwrap();
        let mut command = project.command(["install"]).path_first(&bin);
        if let Some(own) = own {
            command = command.env("GIT_SSH_COMMAND", bin.join(own));
        }
        command.run().assert_success();
        assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
        fs::read_to_string(&log).unwrap()
    };
    let short = run(&format!("git@host.example:{path}"), None);
    assert!(short.contains("ssh -oBatchMode=yes"), "{short}");
    assert!(short.contains("git@host.example git-upload-pack"), "{short}");
    let name = format!("\"r@git+ssh://git@host.example:{path}#");
    assert!(project.read("bun.lock").contains(&name), "{}", project.read("bun.lock"));
    let own = run(&format!("git+ssh://me@host.example{path}"), Some("mine"));
    assert!(own.starts_with("mine ") && !own.contains("BatchMode"), "{own}");
}

#[test]
fn what_prepares_a_repository_runs_if_it_is_trusted() {
    let (project, repository) = with_repository();
    let scripts = json!({ "prepare": "echo prepare >> ran", "postinstall": "echo install >> ran" });
    let manifest = json!({ "name": "r", "scripts": scripts, "devDependencies": { "x": "1" } });
    repository.file("package.json", manifest.to_string()).commit();
    depend_on(&project, &repository.url());
    let blocked = project.command(["install"]).run();
    blocked.assert_success();
    assert!(blocked.stdout.contains("Blocked 2 postinstalls."), "{}", blocked.snapshot());
    assert!(!project.exists("node_modules/r/ran"));
    assert!(project.read("bun.lock").contains("\"hasInstallScript\": true"));
    let dependencies = json!({ "r": repository.url() });
    project
        .package_json(json!({ "dependencies": dependencies, "trustedDependencies": ["r"] }))
        .command(["install"])
        .run()
        .assert_success();
    assert_eq!(project.read("node_modules/r/ran"), "install\nprepare\n");
    let failing = json!({ "name": "r", "scripts": { "prepare": "tsc-of-nobody" } });
    repository.branch("failing").file("package.json", failing.to_string()).commit();
    let other = project.path().join("other");
    fs::create_dir(&other).unwrap();
    let dependency = json!({ "r": format!("{}#failing", repository.url()) });
    let manifest = json!({ "dependencies": dependency, "trustedDependencies": ["r"] });
    fs::write(other.join("package.json"), manifest.to_string()).unwrap();
    let failed = project.command(["install"]).current_dir(&other).run();
    assert_ne!(failed.code, Some(0));
    assert!(failed.stderr.contains("hint: The `devDependencies`"), "{}", failed.snapshot());
    // What it wrote is in this project alone.
    project.package_json(json!({ "dependencies": dependencies }));
    project.command(["install"]).run().assert_success();
    assert!(!project.exists("node_modules/r/ran"));
}

#[test]
fn only_the_project_may_ask_for_repositories_on_this_machine() {
    let registry = Registry::start();
    let (project, repository) = with_repository();
    repository.serve(&registry, "/git/r");
    registry.package("a", "1.0.0").dep("r", &repository.url()).publish();
    let served = format!("git+{}git/r#v1.0.0", registry.url());
    registry.package("b", "1.0.0").dep("r", &served).publish();
    project.use_registry(&registry);
    project.package_json(json!({ "dependencies": { "a": "1" } }));
    let refused = project.command(["install"]).run();
    refused.assert_code(1);
    assert!(refused.stderr.contains("only the project itself"), "{}", refused.snapshot());
    project.package_json(json!({ "dependencies": { "b": "1" } }));
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "1.0.0");
}

#[test]
fn a_torn_repository_is_fetched_anew() {
    let (project, repository) = with_repository();
    depend_on(&project, &repository.url());
    project.command(["install"]).run().assert_success();
    let tear = || {
        let mut open = vec![project.cache().join("git")];
        let mut torn = 0;
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    open.push(entry);
                } else if entry.to_string_lossy().contains("/objects/") {
                    fs::remove_file(&entry).unwrap();
                    fs::write(&entry, "").unwrap();
                    torn += 1;
                }
            }
        }
        assert!(torn > 0);
        fs::remove_dir_all(project.cache().join("v1")).unwrap();
        project.remove("node_modules");
    };
    tear();
    project.command(["install", "--frozen-lockfile"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
    tear();
    project.remove("bun.lock");
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
}

#[test]
fn a_commit_that_no_branch_has_is_fetched_by_itself() {
    let (project, repository) = with_repository();
    let lost = repository.branch("lost").file("index.js", "lost").commit();
    repository.switch("main").drop_branch("lost");
    let url = repository.url();
    project.package_json(json!({ "dependencies": { "r": url, "lost": format!("{url}#{lost}") } }));
    project.command(["install"]).run().assert_success();
    assert_eq!(project.read("node_modules/lost/index.js"), "lost");
    assert_eq!(project.read("node_modules/r/index.js"), "2.0.0");
}

#[test]
fn a_fetch_that_was_cut_off_is_done_anew() {
    let (project, repository) = with_repository();
    depend_on(&project, &repository.url());
    project.command(["install"]).run().assert_success();
    let cache = project.cache().join("git");
    let clone = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
    let clone = clone.into_iter().find(|path| path.is_dir()).unwrap();
    let new = clone.with_extension("new");
    fs::rename(&clone, &new).unwrap();
    fs::remove_file(new.join("HEAD")).unwrap();
    fs::remove_dir_all(project.cache().join("v1")).unwrap();
    project.remove("node_modules");
    project.command(["install"]).run().assert_success();
    assert!(clone.is_dir() && !new.exists());
}
