//! Registries and projects that nobody thought of: whatever they are, Bun and deka write the same
//! `bun.lock`.
//!
//! A world is made up, published by a registry of its own, and resolved by both, at first and after
//! each change of `package.json`. One that differs is made as small as possible and shown in the
//! words of the resolver's scenarios (`crates/deka-resolver/tests/it/scenarios`).
//!
//! `DEKA_RANDOM_CASES=5000 DEKA_RANDOM_SEED=7` tries more, and others.

mod generate;
mod shrink;
mod world;

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use deka_test::{Outcome, Registry};
use tempfile::TempDir;

use crate::{
    compare::line_difference,
    suite::{SUITE, Suite, variable},
    tool::Tool,
};
use generate::Dice;
use world::World;

/// How many worlds a plain run of the tests makes up.
const CASES: u64 = 150;
/// How many of a thousand may differ. FIXME: about four do, most of them projects that are edited
/// or packages that need themselves in another version; among those of a plain run there is none.
const TOLERATED_PER_THOUSAND: u64 = 1;
/// How many failures are made small and shown.
const SHOWN: usize = 12;
const THREADS: usize = 2;

#[test]
fn random_worlds_are_resolved_alike() {
    let Some(suite) = &*SUITE else { return };
    let number =
        |name: &str, or: u64| variable(name).map_or(or, |text| text.parse().expect("a number"));
    let (cases, seed) = (number("DEKA_RANDOM_CASES", CASES), number("DEKA_RANDOM_SEED", 1));
    let next = AtomicU64::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    if case >= cases {
                        return;
                    }
                    let world = generate::world(&mut Dice::new(seed << 32 | case));
                    if suite.difference(&world).is_some() {
                        failures.lock().expect("no panic while it is held").push((case, world));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic while it was held");
    let texts: Vec<String> = failures
        .iter()
        .take(SHOWN)
        .map(|(case, world)| {
            let small = shrink::shrink(world.clone(), |world| suite.difference(world).is_some());
            let difference = suite.difference(&small).unwrap_or_default();
            format!("case {case} of seed {seed}\n{small}{difference}")
        })
        .collect();
    assert!(
        failures.len() as u64 * 1000 <= cases * TOLERATED_PER_THOUSAND,
        "{} of {cases} worlds are resolved differently (- bun, + deka)\n\n{}",
        failures.len(),
        texts.join("\n\n")
    );
}

impl Suite {
    /// Returns in what the lockfiles differ that both tools write for a world.
    fn difference(&self, world: &World) -> Option<String> {
        let registry = Registry::start();
        world.publish(&registry);
        let work = TempDir::with_prefix_in("random-", &self.folder).expect("a folder");
        let resolve = |tool: &Tool| {
            let tool = Tool::new(tool.name, &tool.program, &work.path().join(tool.name))
                .env("npm_config_registry", &registry.url());
            let project = tool.folder.join("project");
            fs::create_dir_all(&project).expect("a folder can be made");
            let mut answers = Vec::new();
            for step in &world.steps {
                fs::write(project.join("package.json"), step.manifest()).expect("a file");
                let outcome = tool.command(&project, ["install", "--lockfile-only"]).run();
                let lockfile = fs::read_to_string(project.join("bun.lock")).unwrap_or_default();
                answers.push((outcome, lockfile));
            }
            answers
        };
        let (theirs, ours) = (resolve(&self.bun), resolve(&self.deka));
        for (step, (left, right)) in theirs.iter().zip(&ours).enumerate() {
            let is_success = |outcome: &Outcome| outcome.code == Some(0);
            let what = match (is_success(&left.0), is_success(&right.0)) {
                // What comes after that depends on what a failed install leaves behind.
                (false, false) => return None,
                (true, true) if left.1 == right.1 => continue,
                (true, true) => line_difference(&left.1, &right.1),
                (true, false) => format!("deka failed\n{}", right.0.snapshot()),
                (false, true) => format!("only bun failed\n{}", left.0.snapshot()),
            };
            return Some(format!("step {}: {what}", step + 1));
        }
        None
    }
}
