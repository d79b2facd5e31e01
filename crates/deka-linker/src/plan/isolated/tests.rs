//! The plans of small graphs; what is expected was measured on Bun 1.4.5.

use insta::assert_snapshot;

use super::*;
use crate::plan::fixture::{Packages, print};

fn everything() -> HoistPatterns {
    HoistPatterns::new::<&str>(None, None)
}

/// Without what all packages see.
fn print_strict(packages: &Packages) -> String {
    print(&packages.isolated(&HoistPatterns::new::<&str>(Some(&[]), None)))
}

#[test]
fn each_package_sees_its_own() {
    let packages = Packages::new(&["prod a a@1.0.0", "dev @s/b @s/b@1.0.0"])
        .npm("a@1.0.0", &["prod @s/b @s/b@2.0.0", "prod c c@1.0.0"])
        .bins(&["a cli.js"])
        .npm("@s/b@1.0.0", &[])
        .bins(&["b b.js"])
        .npm("@s/b@2.0.0", &["prod c c@1.0.0"])
        .npm("c@1.0.0", &[]);
    assert_snapshot!(print(&packages.isolated(&everything())), @r"
    node_modules/.bun/@s+b@1.0.0/node_modules/@s/b = @s/b@1.0.0
    node_modules/.bun/a@1.0.0/node_modules/a = a@1.0.0
    node_modules/.bun/@s+b@2.0.0/node_modules/@s/b = @s/b@2.0.0
    node_modules/.bun/c@1.0.0/node_modules/c = c@1.0.0
    node_modules/.bun/@s+b@2.0.0/node_modules/c -> ../../c@1.0.0/node_modules/c
    node_modules/.bun/a@1.0.0/node_modules/@s/b -> ../../../@s+b@2.0.0/node_modules/@s/b
    node_modules/.bun/a@1.0.0/node_modules/c -> ../../c@1.0.0/node_modules/c
    node_modules/.bun/node_modules/@s/b -> ../../@s+b@1.0.0/node_modules/@s/b
    node_modules/.bun/node_modules/a -> ../a@1.0.0/node_modules/a
    node_modules/.bun/node_modules/c -> ../c@1.0.0/node_modules/c
    node_modules/@s/b -> ../.bun/@s+b@1.0.0/node_modules/@s/b
    node_modules/a -> .bun/a@1.0.0/node_modules/a
    node_modules/.bin:
      node_modules/@s/b: b b.js
      node_modules/a: a cli.js
    node_modules/.bun/@s+b@1.0.0/node_modules/.bin:
      node_modules/.bun/@s+b@1.0.0/node_modules/@s/b: b b.js
    node_modules/.bun/a@1.0.0/node_modules/.bin:
      node_modules/.bun/a@1.0.0/node_modules/a: a cli.js
    ");
}

#[test]
fn what_meets_other_peers_is_another_entry() {
    let packages = Packages::new(&["workspace w w@ws", "workspace x x@ws"])
        .workspace("w", "w", &["prod ui ui@1.0.0", "prod react react@18.2.0"])
        .workspace("x", "x", &["prod ui ui@1.0.0", "prod react react@18.3.1"])
        .npm("ui@1.0.0", &["prod hooks hooks@1.0.0", "peer react react@18.2.0"])
        .npm("hooks@1.0.0", &["peer react react@18.2.0"])
        .npm("react@18.2.0", &[])
        .npm("react@18.3.1", &[]);
    assert_snapshot!(print_strict(&packages), @r"
    node_modules/.bun/react@18.2.0/node_modules/react = react@18.2.0
    node_modules/.bun/ui@1.0.0+5e44392892a7cd3e/node_modules/ui = ui@1.0.0
    node_modules/.bun/react@18.3.1/node_modules/react = react@18.3.1
    node_modules/.bun/ui@1.0.0+f4eacebf2041cd4f/node_modules/ui = ui@1.0.0
    node_modules/.bun/hooks@1.0.0+5e44392892a7cd3e/node_modules/hooks = hooks@1.0.0
    node_modules/.bun/hooks@1.0.0+f4eacebf2041cd4f/node_modules/hooks = hooks@1.0.0
    node_modules/.bun/hooks@1.0.0+5e44392892a7cd3e/node_modules/react -> ../../react@18.2.0/node_modules/react
    node_modules/.bun/hooks@1.0.0+f4eacebf2041cd4f/node_modules/react -> ../../react@18.3.1/node_modules/react
    node_modules/.bun/ui@1.0.0+5e44392892a7cd3e/node_modules/hooks -> ../../hooks@1.0.0+5e44392892a7cd3e/node_modules/hooks
    node_modules/.bun/ui@1.0.0+5e44392892a7cd3e/node_modules/react -> ../../react@18.2.0/node_modules/react
    node_modules/.bun/ui@1.0.0+f4eacebf2041cd4f/node_modules/hooks -> ../../hooks@1.0.0+f4eacebf2041cd4f/node_modules/hooks
    node_modules/.bun/ui@1.0.0+f4eacebf2041cd4f/node_modules/react -> ../../react@18.3.1/node_modules/react
    w/node_modules/react -> ../../node_modules/.bun/react@18.2.0/node_modules/react
    w/node_modules/ui -> ../../node_modules/.bun/ui@1.0.0+5e44392892a7cd3e/node_modules/ui
    x/node_modules/react -> ../../node_modules/.bun/react@18.3.1/node_modules/react
    x/node_modules/ui -> ../../node_modules/.bun/ui@1.0.0+f4eacebf2041cd4f/node_modules/ui
    ");
}

#[test]
fn circles_end() {
    let packages = Packages::new(&["prod core core@1.0.0"])
        .npm("core@1.0.0", &["prod helper helper@1.0.0"])
        .npm("helper@1.0.0", &["prod core core@1.0.0", "peer core core@1.0.0"])
        .npm("unused@1.0.0", &[]);
    assert_snapshot!(print_strict(&packages), @r"
    node_modules/.bun/core@1.0.0/node_modules/core = core@1.0.0
    node_modules/.bun/helper@1.0.0/node_modules/helper = helper@1.0.0
    node_modules/.bun/core@1.0.0/node_modules/helper -> ../../helper@1.0.0/node_modules/helper
    node_modules/.bun/helper@1.0.0/node_modules/core -> ../../core@1.0.0/node_modules/core
    node_modules/core -> .bun/core@1.0.0/node_modules/core
    ");
    // A peer in a circle: the package itself is not one that another one met.
    let packages = Packages::new(&["prod core core@1.0.0"])
        .npm("core@1.0.0", &["prod plugin plugin@1.0.0"])
        .npm("plugin@1.0.0", &["peer core core@1.0.0"]);
    assert_snapshot!(print_strict(&packages), @r"
    node_modules/.bun/core@1.0.0/node_modules/core = core@1.0.0
    node_modules/.bun/plugin@1.0.0+4b15f98e11007ae2/node_modules/plugin = plugin@1.0.0
    node_modules/.bun/core@1.0.0/node_modules/plugin -> ../../plugin@1.0.0+4b15f98e11007ae2/node_modules/plugin
    node_modules/.bun/plugin@1.0.0+4b15f98e11007ae2/node_modules/core -> ../../core@1.0.0/node_modules/core
    node_modules/core -> .bun/core@1.0.0/node_modules/core
    ");
}

#[test]
fn other_names_and_the_own_name() {
    let packages = Packages::new(&["prod odd is-odd@3.0.1", "prod selfy selfy@1.0.0"])
        .npm("is-odd@3.0.1", &[])
        .bin(deka_manifest::Bin::File("cli.js".into()))
        .tarball("selfy@1.0.0", "k/selfy.tgz", &["prod selfy is-odd@3.0.1"]);
    assert_snapshot!(print(&packages.isolated(&everything())), @r"
    node_modules/.bun/is-odd@3.0.1/node_modules/is-odd = is-odd@3.0.1
    node_modules/.bun/selfy@k+selfy.tgz/node_modules/selfy = selfy@k/selfy.tgz
    node_modules/.bun/node_modules/odd -> ../is-odd@3.0.1/node_modules/is-odd
    node_modules/.bun/node_modules/selfy -> ../selfy@k+selfy.tgz/node_modules/selfy
    node_modules/.bun/selfy@k+selfy.tgz/node_modules/selfy/node_modules/selfy -> ../../../../is-odd@3.0.1/node_modules/is-odd
    node_modules/odd -> .bun/is-odd@3.0.1/node_modules/is-odd
    node_modules/selfy -> .bun/selfy@k+selfy.tgz/node_modules/selfy
    node_modules/.bin:
      node_modules/odd: odd cli.js
    node_modules/.bun/is-odd@3.0.1/node_modules/.bin:
      node_modules/.bun/is-odd@3.0.1/node_modules/is-odd: is-odd cli.js
    node_modules/.bun/selfy@k+selfy.tgz/node_modules/.bin:
      node_modules/.bun/selfy@k+selfy.tgz/node_modules/selfy/node_modules/selfy: selfy cli.js
    ");
}

#[test]
fn what_lies_in_the_project() {
    let packages =
        Packages::new(&["workspace w w@ws", "prod f f@file", "prod l l@link", "prod w w@ws"])
            .workspace("w", "packages/w", &["prod w w@ws", "prod f f@file"])
            .bins(&["w w.js"])
            .folder("f@file", "local/f")
            .link("l@link", "./l");
    assert_snapshot!(print(&packages.isolated(&everything())), @r"
    node_modules/.bun/f@file+local+f/node_modules/f = f@file:local/f
    node_modules/f -> .bun/f@file+local+f/node_modules/f
    node_modules/l -> ../l
    node_modules/w -> ../packages/w
    packages/w/node_modules/f -> ../../../node_modules/.bun/f@file+local+f/node_modules/f
    packages/w/node_modules/w -> ..
    node_modules/.bin:
      node_modules/w: w w.js
    packages/w/node_modules/.bin:
      packages/w/node_modules/w: w w.js
    ");
}

#[test]
fn the_project_sees_what_patterns_say() {
    let packages = Packages::new(&["prod a a@1.0.0"])
        .npm("a@1.0.0", &["prod eslint-x eslint-x@1.0.0", "prod b b@1.0.0"])
        .npm("b@1.0.0", &["prod eslint-x eslint-x@2.0.0"])
        .npm("eslint-x@1.0.0", &[])
        .npm("eslint-x@2.0.0", &[]);
    let plan = packages.isolated(&HoistPatterns::new(Some(&["*", "!b"]), Some(&["eslint-*"])));
    let shown = |path: &str| plan.links.iter().find(|link| *link.path == *path);
    let target = |path: &str| shown(path).map(|link| &*link.target);
    let expected = ".bun/eslint-x@1.0.0/node_modules/eslint-x";
    assert_eq!(target("node_modules/eslint-x"), Some(expected));
    let expected = "../eslint-x@1.0.0/node_modules/eslint-x";
    assert_eq!(target("node_modules/.bun/node_modules/eslint-x"), Some(expected));
    assert_eq!(target("node_modules/.bun/node_modules/b"), None);
    assert_eq!(target("node_modules/b"), None);
}
