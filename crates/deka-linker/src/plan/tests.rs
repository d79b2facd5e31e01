//! The plans of small graphs; what is expected was measured on Bun 1.4.5.

use deka_manifest::{Bin, Symbol};
use insta::assert_snapshot;

use super::fixture::{Packages, print};
use super::*;

#[test]
fn packages_lie_where_hoisting_puts_them() {
    let plan = Packages::new(&["prod a a@1.0.0", "prod b b@2.0.0", "prod @s/c @s/c@1.0.0"])
        .npm("a@1.0.0", &["prod b b@1.0.0"])
        .npm("b@1.0.0", &[])
        .npm("b@2.0.0", &[])
        .npm("@s/c@1.0.0", &["prod b b@1.0.0"])
        .plan();
    assert_snapshot!(print(&plan), @r"
    node_modules/@s/c = @s/c@1.0.0
    node_modules/a = a@1.0.0
    node_modules/b = b@2.0.0
    node_modules/@s/c/node_modules/b = b@1.0.0
    node_modules/a/node_modules/b = b@1.0.0
    ");
    let placement = plan.placement("node_modules/a/node_modules/b").unwrap();
    assert_eq!((placement.base(), placement.path_in_base()), ("node_modules", "a/node_modules/b"));
    assert_eq!(*plan.placement("node_modules/a").unwrap().nested, [Symbol::new("b")]);
}

#[test]
fn workspaces_are_links_with_their_own_node_modules() {
    let plan = Packages::new(&["workspace wa wa@ws", "workspace @s/wb @s/wb@ws", "prod b b@1.0.0"])
        .workspace("wa", "packages/a", &["prod b b@1.0.0", "prod @s/wb @s/wb@ws"])
        .bins(&["wa-cli cli.js"])
        .workspace("@s/wb", "./packages/b", &["prod b b@2.0.0"])
        .npm("b@1.0.0", &[])
        .npm("b@2.0.0", &["prod c c@1.0.0"])
        .npm("c@1.0.0", &[])
        .plan();
    assert_snapshot!(print(&plan), @r"
    node_modules/b = b@1.0.0
    node_modules/c = c@1.0.0
    packages/b/node_modules/b = b@2.0.0
    node_modules/@s/wb -> ../../packages/b
    node_modules/wa -> ../packages/a
    node_modules/.bin:
      node_modules/wa: wa-cli cli.js
    ");
    let placement = plan.placement("packages/b/node_modules/b").unwrap();
    assert_eq!((placement.base(), placement.path_in_base()), ("packages/b/node_modules", "b"));
}

#[test]
fn workspaces_outside_are_refused() {
    for path in ["../other", "/etc", "a/../../b", "a\0b"] {
        let error =
            Packages::new(&["workspace w w@ws"]).workspace("w", path, &[]).try_plan().unwrap_err();
        assert!(matches!(error, PlanError::WorkspaceOutside { .. }), "{path}");
    }
}

#[test]
fn folders_links_and_the_project_itself() {
    let plan = Packages::new(&[
        "prod fold fold@1",
        "prod lnk lnk@1",
        "prod global global@1",
        "prod self root@",
        "prod outside outside@1",
    ])
    .bins(&["rootb r.js"])
    .folder("fold@1", "./fold")
    .bins(&["fcmd bin/f.js"])
    .link("lnk@1", "./lnk")
    .link("global@1", "global")
    .link("outside@1", "../outside")
    .plan();
    assert_snapshot!(print(&plan), @r"
    node_modules/fold = fold@file:./fold
    node_modules/lnk -> ../lnk
    node_modules/outside -> ../../outside
    node_modules/self -> ..
    node_modules/.bin:
      node_modules/fold: fcmd bin/f.js
      node_modules/self: rootb r.js
    node_modules/global: no package of this name is registered for links
    ");
}

#[test]
fn bundled_packages_come_with_their_tarball() {
    let plan = Packages::new(&["prod bundler bundler@1.0.0"])
        .npm("bundler@1.0.0", &["bundled inner inner@1.0.0", "prod own own@1.0.0"])
        .npm("inner@1.0.0", &["prod deep deep@1.0.0"])
        .bins(&["innercmd i.js"])
        .npm("deep@1.0.0", &[])
        .npm("own@1.0.0", &[])
        .plan();
    assert_snapshot!(print(&plan), @r"
    node_modules/bundler = bundler@1.0.0
    node_modules/own = own@1.0.0
    ");
    assert!(plan.placements.iter().all(|placement| placement.nested.is_empty()));
}

/// Both offer `conf`; the owners of `.bin` by precedence.
fn owners(dependencies: &[&str], packages: &[(&str, &[&str])]) -> Vec<String> {
    let mut graph = Packages::new(dependencies);
    for (label, dependencies) in packages {
        graph = graph.npm(label, dependencies);
        if !label.starts_with("dep") {
            graph = graph.bins(&["conf c.js"]);
        }
    }
    let plan = graph.plan();
    let folder = plan.bin_folders.iter().find(|folder| &*folder.path == "node_modules/.bin");
    let owners = &folder.unwrap().owners;
    owners.iter().map(|owner| owner.path["node_modules/".len()..].to_owned()).collect()
}

#[test]
fn direct_dependencies_own_their_commands_before_others() {
    let (along, first, second) =
        (("along@1.0.0", &[][..]), ("first@1.0.0", &[][..]), ("second@1.0.0", &[][..]));
    let dep = ("dep@1.0.0", &["prod along along@1.0.0", "prod second second@1.0.0"][..]);
    // By name among equals, whatever the group.
    assert_eq!(
        owners(&["dev second second@1.0.0", "prod first first@1.0.0"], &[first, second]),
        ["first", "second"]
    );
    // A direct one before one that came along.
    assert_eq!(
        owners(&["prod second second@1.0.0", "prod dep dep@1.0.0"], &[second, dep, along]),
        ["second", "along"]
    );
    assert_eq!(owners(&["prod dep dep@1.0.0"], &[dep, along, second]), ["along", "second"]);
    // A peer of the project is like one that came along.
    assert_eq!(
        owners(&["peer second second@1.0.0", "prod dep dep@1.0.0"], &[second, dep, along]),
        ["along", "second"]
    );
    // An alias counts by its own name.
    assert_eq!(
        owners(&["prod second second@1.0.0", "prod third first@1.0.0"], &[first, second]),
        ["second", "third"]
    );
}

#[test]
fn what_a_workspace_asks_for_is_direct() {
    let plan = Packages::new(&["workspace wa wa@ws", "prod taa taa@1.0.0"])
        .workspace("wa", "packages/a", &["prod zz zz@1.0.0"])
        .npm("taa@1.0.0", &["prod aa aa@1.0.0"])
        .npm("aa@1.0.0", &[])
        .bins(&["conf c.js"])
        .npm("zz@1.0.0", &[])
        .bins(&["conf c.js"])
        .plan();
    assert_eq!(&*plan.bin_folders[0].owners[0].path, "node_modules/zz");
}

#[test]
fn what_is_direct_elsewhere_is_direct() {
    let conf = &["conf c.js"];
    let plan = Packages::new(&["workspace w w@ws", "prod t t@1.0.0", "prod b b@2.0.0"])
        .workspace("w", "packages/w", &["dev b b@1.0.0"])
        .bins(&["conf c.js", "other o.js"])
        .npm("t@1.0.0", &["prod a a@1.0.0", "prod b b@1.0.0"])
        .npm("a@1.0.0", &["prod c c@1.0.0"])
        .bins(conf)
        .npm("b@1.0.0", &[])
        .bins(conf)
        .npm("b@2.0.0", &[])
        .npm("c@1.0.0", &[])
        .bins(&["other c.js"])
        .plan();
    let owners = |path: &str| {
        let folder = plan.bin_folders.iter().find(|folder| &*folder.path == path).unwrap();
        folder.owners.iter().map(|owner| &*owner.path).collect::<Vec<_>>()
    };
    assert_eq!(
        owners("node_modules/t/node_modules/.bin"),
        ["node_modules/t/node_modules/b"],
        "the one of the workspace"
    );
    // A workspace goes before what came along.
    assert_eq!(owners("node_modules/.bin"), ["node_modules/w", "node_modules/a", "node_modules/c"]);
}

#[test]
fn commands_lie_beside_their_packages() {
    let plan = Packages::new(&["prod a a@1.0.0", "prod t t@1.0.0", "prod al t@1.0.0"])
        .npm("a@1.0.0", &["prod t t@2.0.0"])
        .npm("t@1.0.0", &[])
        .bin(Bin::File("./t.js".into()))
        .npm("t@2.0.0", &[])
        .bin(Bin::Directory("./bin".into()))
        .plan();
    assert_snapshot!(print(&plan), @r"
    node_modules/a = a@1.0.0
    node_modules/al = t@1.0.0
    node_modules/t = t@1.0.0
    node_modules/a/node_modules/t = t@2.0.0
    node_modules/.bin:
      node_modules/al: al t.js
      node_modules/t: t t.js
    node_modules/a/node_modules/.bin:
      node_modules/a/node_modules/t: * bin
    ");
    let executables = |path: &str| plan.placement(path).unwrap().executables.to_vec();
    assert_eq!(executables("node_modules/al"), [Executable::FirstOf(["t.js".into()].into())]);
    assert_eq!(executables("node_modules/a/node_modules/t"), [Executable::AllIn("bin".into())]);
    assert_eq!(executables("node_modules/a"), []);
}

#[test]
fn native_programs_replace_their_launchers() {
    let plan = Packages::new(&["prod esbuild esbuild@0.25.0", "prod other other@1.0.0"])
        .npm(
            "esbuild@0.25.0",
            &[
                "optional @esbuild/darwin-x64 @esbuild/darwin-x64@0.25.0",
                "optional @esbuild/linux-x64 @esbuild/linux-x64@0.25.0",
            ],
        )
        .bins(&["esbuild bin/esbuild"])
        .npm("@esbuild/darwin-x64@0.25.0", &[])
        .only_on("darwin", "x64")
        .npm("@esbuild/linux-x64@0.25.0", &[])
        .only_on("linux", "x64")
        .npm("other@1.0.0", &["optional @esbuild/linux-x64 @esbuild/linux-x64@0.25.0"])
        .bins(&["other o.js"])
        .plan();
    assert_snapshot!(print(&plan), @r"
    node_modules/@esbuild/linux-x64 = @esbuild/linux-x64@0.25.0
    node_modules/esbuild = esbuild@0.25.0
    node_modules/other = other@1.0.0
    node_modules/.bin:
      node_modules/esbuild (or node_modules/@esbuild/linux-x64): esbuild bin/esbuild
      node_modules/other: other o.js
    ");
    // The launcher keeps its mode, the program gets it.
    assert!(plan.placement("node_modules/esbuild").unwrap().executables.is_empty());
    let native = plan.placement("node_modules/@esbuild/linux-x64").unwrap();
    assert!(native.executables[0].names("bin/esbuild") && native.executables[0].names("esbuild"));
}

#[test]
fn equal_plans_have_equal_identities() {
    let plan = |bin: &str, label: &str| {
        Packages::new(&[&format!("prod a {label}")]).npm(label, &[]).bins(&[bin]).plan().placements
            [0]
        .identity
    };
    assert_eq!(plan("a a.js", "a@1.0.0"), plan("b a.js", "a@1.0.0"));
    assert_ne!(plan("a a.js", "a@1.0.0"), plan("a b.js", "a@1.0.0"));
    assert_ne!(plan("a a.js", "a@1.0.0"), plan("a a.js", "a@1.0.1"));
}
