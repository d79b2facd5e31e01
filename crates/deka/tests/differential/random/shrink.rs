//! Making a world smaller as long as it still shows what it is to show.

use super::world::World;

/// Returns a world from which nothing can be taken away any more without `fails` becoming false.
pub(crate) fn shrink(world: World, fails: impl Fn(&World) -> bool) -> World {
    let mut smallest = world;
    loop {
        let mut is_smaller = false;
        let mut at = 0;
        while let Some(smaller) = without(&smallest, at) {
            if fails(&smaller) {
                smallest = smaller;
                is_smaller = true;
            } else {
                at += 1;
            }
        }
        if !is_smaller {
            return smallest;
        }
    }
}

/// Returns the world without its `at`th part, the larger parts first; `None` behind the last one.
fn without(world: &World, at: usize) -> Option<World> {
    let mut left = at;
    let mut smaller = world.clone();
    let mut is_it = || {
        let is_it = left == 0;
        left = left.wrapping_sub(1);
        is_it
    };
    for index in 0..world.versions.len() {
        if is_it() {
            smaller.versions.remove(index);
            return Some(smaller);
        }
    }
    for index in 0..world.steps.len() {
        if world.steps.len() > 1 && is_it() {
            smaller.steps.remove(index);
            return Some(smaller);
        }
    }
    // What is there in each step goes in all of them.
    let mut aliases: Vec<_> = Vec::new();
    for dependency in world.steps.iter().flat_map(|step| &step.dependencies) {
        if !aliases.contains(&(dependency.alias, dependency.group)) {
            aliases.push((dependency.alias, dependency.group));
        }
    }
    for alias in aliases {
        if is_it() {
            for step in &mut smaller.steps {
                step.dependencies.retain(|known| (known.alias, known.group) != alias);
            }
            return Some(smaller);
        }
    }
    for (index, step) in world.steps.iter().enumerate() {
        for rule in 0..step.overrides.len() {
            if is_it() {
                smaller.steps[index].overrides.remove(rule);
                return Some(smaller);
            }
        }
    }
    for (index, version) in world.versions.iter().enumerate() {
        let version_of_smaller = &mut smaller.versions[index];
        for dependency in 0..version.dependencies.len() {
            if is_it() {
                version_of_smaller.dependencies.remove(dependency);
                return Some(smaller);
            }
        }
        for tag in 0..version.tags.len() {
            if is_it() {
                version_of_smaller.tags.remove(tag);
                return Some(smaller);
            }
        }
        if version.is_deprecated && is_it() {
            version_of_smaller.is_deprecated = false;
            return Some(smaller);
        }
        if version.system.is_some() && is_it() {
            version_of_smaller.system = None;
            return Some(smaller);
        }
    }
    for (index, step) in world.steps.iter().enumerate() {
        for dependency in 0..step.dependencies.len() {
            if is_it() {
                smaller.steps[index].dependencies.remove(dependency);
                return Some(smaller);
            }
        }
    }
    None
}
