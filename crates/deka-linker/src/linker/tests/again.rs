//! One install after the other: what stays is as it was left.

use super::*;
use crate::plan::HoistPatterns;

/// `a` alone, or with an inner `b` because another one has the place outside, which only changes what is
/// around `a`.
fn grown(world: &World, with_others: bool) -> Packages {
    let a = world.import(package(&[("cli.js", SCRIPT), ("index.js", "a")]));
    let b1 = world.import(package(&[("index.js", "1"), ("cli.js", SCRIPT)]));
    let b2 = world.import(package(&[("index.js", "2"), ("cli.js", SCRIPT)]));
    if !with_others {
        return Packages::new(&["prod a a@1.0.0"])
            .npm("a@1.0.0", &[])
            .integrity(&a)
            .bins(&["a cli.js"]);
    }
    Packages::new(&["prod a a@1.0.0", "prod b b@2.0.0"])
        .npm("a@1.0.0", &["prod b b@1.0.0"])
        .integrity(&a)
        .bins(&["a cli.js"])
        .npm("b@1.0.0", &[])
        .integrity(&b1)
        .bins(&["b cli.js"])
        .npm("b@2.0.0", &[])
        .integrity(&b2)
        .bins(&["b cli.js"])
}

#[test]
fn what_stays_is_known_to_be_as_it_was_left() {
    let hoisted = |packages: Packages| packages.plan();
    let isolated = |packages: Packages| packages.isolated(&HoistPatterns::new::<&str>(None, None));
    for plan in [&hoisted as &dyn Fn(Packages) -> LinkPlan, &isolated] {
        let world = World::new();
        for with_others in [false, true, false, true] {
            let plan = plan(grown(&world, with_others));
            world.install(&plan);
            assert!(world.is_up_to_date());
            let tree = world.tree();
            // Long ago, so that the times of folders say all.
            world.age_folders();
            assert_eq!(world.install(&plan).placed, 0);
            assert_eq!(world.tree(), tree);
            assert!(world.is_up_to_date());
        }

        // What somebody has changed in between is seen.
        let plan = plan(grown(&world, true));
        let tree = world.tree();
        let is_link = |kind: &Kind| matches!(kind, Kind::Symlink(_));
        for (link, _) in tree.iter().filter(|(_, node)| is_link(&node.kind)) {
            fs::remove_file(world.path(link)).unwrap();
            symlink("elsewhere", world.path(link)).unwrap();
            world.install(&plan);
            assert_eq!(world.tree(), tree, "{link}");
            assert!(world.is_up_to_date());
        }
    }
}
