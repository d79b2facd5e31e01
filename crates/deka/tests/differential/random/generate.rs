//! Making up registries: few names and many ways to depend on them, so that they get in each
//! other's way.

use super::world::{Dependency, Group, Project, Version, World};

const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f", "@s/a", "a-b"];
/// Names that are only ever given to other packages.
const ALIASES: &[&str] = &["x", "y"];
const VERSIONS: &[&str] = &[
    "0.1.0",
    "0.1.4",
    "0.2.0",
    "1.0.0-beta.1",
    "1.0.0",
    "1.0.2",
    "1.3.0-rc.1",
    "1.3.0",
    "1.5.1",
    "2.0.0-beta.1",
    "2.0.0-beta.2",
    "2.0.0",
    "2.2.0",
    "3.0.0-alpha.0",
    "3.0.0",
];

/// Numbers that look random, the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 33) as usize % bound
    }

    /// Whether something happens that happens `percent` times of a hundred.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Returns up to `count` of the elements, in their order.
    fn some<T: Clone>(&mut self, of: &[T], count: usize) -> Vec<T> {
        let mut places: Vec<usize> = (0..count).map(|_| self.below(of.len())).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().map(|place| of[place].clone()).collect()
    }
}

/// What a world may have in it; each world leaves some of it out, so that the rest shows.
struct Flavour {
    peers: bool,
    aliases: bool,
    bundled: bool,
    optional: bool,
    prereleases: bool,
    deprecated: bool,
    overrides: bool,
    /// Whether packages may depend on others before them in the alphabet, and on themselves.
    cycles: bool,
}

/// Makes up a world.
pub(crate) fn world(dice: &mut Dice) -> World {
    let flavour = Flavour {
        peers: dice.chance(70),
        aliases: dice.chance(30),
        bundled: dice.chance(15),
        optional: dice.chance(40),
        prereleases: dice.chance(30),
        deprecated: dice.chance(20),
        overrides: dice.chance(15),
        cycles: dice.chance(25),
    };
    let count = 2 + dice.below(5);
    let names = dice.some(NAMES, count);
    let mut published: Vec<(&'static str, &'static str)> = Vec::new();
    let is_possible = |version: &&&str| flavour.prereleases || !version.contains('-');
    let possible: Vec<&'static str> = VERSIONS.iter().filter(is_possible).copied().collect();
    for name in &names {
        let count = 1 + dice.below(4);
        let versions = dice.some(&possible, count);
        published.extend(versions.into_iter().map(|version| (*name, version)));
    }
    let mut world = World::default();
    for (name, version) in published.clone() {
        let count = dice.below(4);
        let is_possible =
            |(other, _): &&(&str, &str)| flavour.cycles || position(other) > position(name);
        let possible: Vec<_> = published.iter().filter(is_possible).copied().collect();
        let count = if possible.is_empty() { 0 } else { count };
        world.versions.push(Version {
            name,
            version,
            tags: tags(dice),
            is_deprecated: flavour.deprecated && dice.chance(30),
            system: (flavour.optional && dice.chance(10)).then_some("win32"),
            dependencies: dependencies(dice, &flavour, &possible, count, false),
        });
    }
    let count = 1 + dice.below(5);
    let dependencies = dependencies(dice, &flavour, &published, count, true);
    let mut project = Project { dependencies, overrides: overrides(dice, &flavour, &published) };
    world.steps.push(project.clone());
    while dice.chance(35) {
        edit(dice, &flavour, &published, &mut project);
        world.steps.push(project.clone());
    }
    world
}

fn position(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| *known == name)
}

fn tags(dice: &mut Dice) -> Vec<&'static str> {
    let mut tags = Vec::new();
    for (tag, percent) in [("latest", 10), ("next", 15)] {
        if dice.chance(percent) {
            tags.push(tag);
        }
    }
    tags
}

fn overrides(
    dice: &mut Dice,
    flavour: &Flavour,
    published: &[(&'static str, &'static str)],
) -> Vec<(String, String)> {
    let mut overrides: Vec<(String, String)> = Vec::new();
    while flavour.overrides && dice.chance(60) {
        let (name, _) = dice.pick(published);
        if overrides.iter().all(|(known, _)| known != name) {
            overrides.push((name.to_owned(), spec(dice, name, published, false)));
        }
    }
    overrides
}

/// Changes the project a little.
fn edit(
    dice: &mut Dice,
    flavour: &Flavour,
    published: &[(&'static str, &'static str)],
    project: &mut Project,
) {
    for _ in 0..=dice.below(2) {
        let is_empty = project.dependencies.is_empty();
        match dice.below(8) {
            0..=2 => {
                let new = dependencies(dice, flavour, published, 1, true);
                let known = |new: &Dependency| {
                    project.dependencies.iter().any(|dependency| dependency.alias == new.alias)
                };
                let new: Vec<Dependency> = new.into_iter().filter(|new| !known(new)).collect();
                project.dependencies.extend(new);
            }
            3 | 4 if !is_empty => {
                let at = dice.below(project.dependencies.len());
                project.dependencies.remove(at);
            }
            5 | 6 if !is_empty => {
                let at = dice.below(project.dependencies.len());
                let dependency = &mut project.dependencies[at];
                if published.iter().any(|(name, _)| *name == dependency.alias) {
                    dependency.spec = spec(dice, dependency.alias, published, false);
                }
            }
            _ => project.overrides = overrides(dice, flavour, published),
        }
    }
}

fn dependencies(
    dice: &mut Dice,
    flavour: &Flavour,
    published: &[(&'static str, &'static str)],
    count: usize,
    is_root: bool,
) -> Vec<Dependency> {
    let mut dependencies: Vec<Dependency> = Vec::new();
    for _ in 0..count {
        let (name, _) = dice.pick(published);
        let group = group(dice, flavour, is_root);
        let may_miss = matches!(group, Group::Optional | Group::Peer | Group::OptionalPeer);
        let mut spec = spec(dice, name, published, may_miss);
        let mut alias = name;
        if flavour.aliases && dice.chance(25) {
            alias = if dice.chance(50) { dice.pick(ALIASES) } else { dice.pick(published).0 };
            spec = format!("npm:{name}@{spec}");
        }
        let is_peer = |group| matches!(group, Group::Peer | Group::OptionalPeer);
        // A name may be a peer and a dependency.
        let is_known = |known: &Dependency| {
            known.alias == alias && (is_peer(known.group) == is_peer(group) || !flavour.peers)
        };
        if !dependencies.iter().any(is_known) {
            dependencies.push(Dependency { group, alias, spec });
        }
    }
    dependencies
}

fn group(dice: &mut Dice, flavour: &Flavour, is_root: bool) -> Group {
    match dice.below(20) {
        0..=3 if flavour.peers => Group::Peer,
        4 if flavour.peers => Group::OptionalPeer,
        5 | 6 if flavour.optional => Group::Optional,
        7 | 8 if flavour.bundled && !is_root => Group::Bundled,
        9..=11 if is_root => Group::Dev,
        _ => Group::Prod,
    }
}

/// Makes up what is asked of the package `name`.
fn spec(
    dice: &mut Dice,
    name: &str,
    published: &[(&'static str, &'static str)],
    may_miss: bool,
) -> String {
    let own: Vec<&str> =
        published.iter().filter(|(known, _)| *known == name).map(|(_, version)| *version).collect();
    let all = may_miss && dice.chance(30);
    let mut version = || if all { dice.pick(VERSIONS) } else { dice.pick(&own) };
    let (one, other) = (version(), version());
    let major = one.split('.').next().unwrap_or_default();
    match dice.below(22) {
        0..=5 => format!("^{one}"),
        6 | 7 => format!("~{one}"),
        8..=10 => one.to_owned(),
        11 | 12 => format!(">={one}"),
        13 => "*".to_owned(),
        14 => format!("<={one}"),
        15 => format!("^{one} || ^{other}"),
        16 => format!("{major}.x"),
        17 => major.to_owned(),
        18 => format!(">={one} <={other} || {one}"),
        19 => format!("{one} || {other}"),
        20 => "latest".to_owned(),
        _ => [format!(">{one} || {one}"), "x".to_owned(), String::new(), format!("={one}")]
            [dice.below(4)]
        .clone(),
    }
}
