//! What is there when the clock starts, and what changes then.

/// One row of the table.
#[derive(Debug, PartialEq)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The manager's cache or store, and its home.
    pub(crate) cache: bool,
    pub(crate) lockfile: bool,
    pub(crate) node_modules: bool,
    /// What is edited in `package.json` just before.
    pub(crate) change: Option<Change>,
}

/// A change of one direct dependency. All managers meet it the same way: `package.json` is edited,
/// then `install` runs. Neither packument nor tarball of the new version is in the cache unless
/// what was installed before needed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Update,
}

const fn warm(name: &'static str, cache: bool, lockfile: bool, node_modules: bool) -> Scenario {
    Scenario { name, cache, lockfile, node_modules, change: None }
}

/// All rows, in the order of the table.
pub(crate) const SCENARIOS: &[Scenario] = &[
    warm("clean", false, false, false),
    warm("cache", true, false, false),
    warm("lockfile", false, true, false),
    warm("cache+lockfile", true, true, false),
    warm("cache+lockfile+node_modules", true, true, true),
    warm("cache+node_modules", true, false, true),
    warm("node_modules", false, false, true),
    warm("lockfile+node_modules", false, true, true),
    Scenario { change: Some(Change::Add), ..warm("add", true, true, true) },
    Scenario { change: Some(Change::Update), ..warm("update", true, true, true) },
];

/// The scenario with a name, also if its parts come in another order.
pub(crate) fn scenario(name: &str) -> Option<&'static Scenario> {
    let parts = |name: &str| {
        let mut parts: Vec<String> = name.split('+').map(str::to_owned).collect();
        parts.sort();
        parts
    };
    SCENARIOS.iter().find(|scenario| parts(scenario.name) == parts(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_warm() {
        for scenario in SCENARIOS.iter().filter(|scenario| scenario.change.is_none()) {
            let has = |part: &str| scenario.name.split('+').any(|other| other == part);
            assert_eq!(has("cache"), scenario.cache, "{}", scenario.name);
            assert_eq!(has("lockfile"), scenario.lockfile, "{}", scenario.name);
            assert_eq!(has("node_modules"), scenario.node_modules, "{}", scenario.name);
        }
        assert_eq!(scenario("lockfile+cache").unwrap().name, "cache+lockfile");
        assert_eq!(scenario("everything"), None);
    }
}
