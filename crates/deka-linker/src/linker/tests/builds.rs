//! Packages whose scripts write into their folders.

use super::*;

fn world() -> (World, Packages) {
    let world = World::new();
    let integrity = world.import(package(&[("index.js", "a"), ("bin/x", SCRIPT)]));
    let packages = Packages::new(&["prod a a@1.0.0"]).npm("a@1.0.0", &[]).integrity(&integrity);
    (world, packages)
}

#[test]
fn scripts_do_not_write_into_the_store() {
    let (world, packages) = world();
    let plan = packages.built(1, false).plan();
    assert_eq!(world.install(&plan).placed, 1);
    let file = world.path("a/index.js");
    assert_eq!(fs::metadata(&file).unwrap().nlink(), 1);
    fs::write(&file, "built").unwrap();
    world.assert_store_is_sound();
}

#[test]
fn a_private_package_does_not_cost_the_others_their_hardlinks() {
    let (world, packages) = world();
    let other = world.import(package(&[("index.js", "other")]));
    let packages = packages
        .built(1, false)
        .npm("b@1.0.0", &[])
        .integrity(&other)
        .with_dependencies(&["prod a a@1.0.0", "prod b b@1.0.0"]);
    world.install(&packages.plan());
    let links = |path: &str| fs::metadata(world.path(path)).unwrap().nlink();
    assert_eq!(links("a/index.js"), 1);
    assert!(links("b/index.js") > 1 || world.backend != Backend::Auto);
}

#[test]
fn what_was_built_is_not_repaired_but_built_again() {
    let (world, packages) = world();
    let plan = packages.built(1, false).plan();
    world.install(&plan);
    fs::write(world.path("a/index.js"), "built").unwrap();
    assert_eq!(world.install(&plan), Report::default());
    assert_eq!(world.read("a/index.js"), "built");

    fs::write(world.path("a/more"), "").unwrap();
    assert_eq!(world.install(&plan).placed, 1);
    assert_eq!(world.read("a/index.js"), "a");
    assert!(!world.path("a/more").exists());
}

#[test]
fn another_decision_about_scripts_makes_another_folder() {
    let (world, packages) = world();
    let plain = packages.plan();
    world.install(&plain);
    let built = packages.built(1, false).plan();
    assert_eq!(world.install(&built).placed, 1);
    assert_eq!(fs::metadata(world.path("a/index.js")).unwrap().nlink(), 1);
    assert_eq!(world.install(&plain).placed, 1);
}
