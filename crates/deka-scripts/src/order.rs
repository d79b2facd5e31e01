//! What has to be built before what.

use hashbrown::HashMap;

/// Returns for each job the jobs that go before it: those of `jobs` that the job's node depends on,
/// directly or through nodes without a job.
///
/// `edges` lists for each node those that it depends on. A circle is cut where a walk from node 0
/// closes it, so that there is always a job to begin with.
pub fn predecessors(edges: &[Vec<usize>], jobs: &[usize]) -> Vec<Vec<usize>> {
    let finished = finishing_order(edges);
    let mut at: HashMap<usize, Vec<usize>> = HashMap::new();
    for (job, node) in jobs.iter().enumerate() {
        at.entry(*node).or_default().push(job);
    }
    jobs.iter()
        .map(|start| {
            let mut before = Vec::new();
            let mut seen = vec![false; edges.len()];
            seen[*start] = true;
            let mut open = vec![*start];
            while let Some(node) = open.pop() {
                for target in &edges[node] {
                    if std::mem::replace(&mut seen[*target], true) {
                        continue;
                    }
                    match at.get(target) {
                        // What it depends on finishes first, but for what closes a circle.
                        Some(jobs) if finished[*target] < finished[*start] => before.extend(jobs),
                        _ => open.push(*target),
                    }
                }
            }
            before.sort_unstable();
            before
        })
        .collect()
}

/// Returns for each node when a depth-first walk leaves it, dependencies first.
fn finishing_order(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut finished = vec![usize::MAX; edges.len()];
    let mut seen = vec![false; edges.len()];
    let mut count = 0;
    for start in 0..edges.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            if let Some(target) = edges[*node].get(*next) {
                *next += 1;
                if !std::mem::replace(&mut seen[*target], true) {
                    path.push((*target, 0));
                }
            } else {
                finished[*node] = count;
                count += 1;
                path.pop();
            }
        }
    }
    finished
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edges: &[&[usize]], jobs: &[usize], expected: &[&[usize]]) {
        let edges: Vec<Vec<usize>> = edges.iter().map(|targets| targets.to_vec()).collect();
        assert_eq!(predecessors(&edges, jobs), expected, "{edges:?} {jobs:?}");
    }

    #[test]
    fn dependencies_go_first() {
        // 0 → 1 → 2, 0 → 3
        check(&[&[1, 3], &[2], &[], &[]], &[1, 2, 3], &[&[1], &[], &[]]);
        // Through a package without scripts.
        check(&[&[1], &[2], &[3], &[]], &[1, 3], &[&[1], &[]]);
        // A package in two places.
        check(&[&[1], &[2], &[]], &[1, 2, 2], &[&[1, 2], &[], &[]]);
    }

    #[test]
    fn circles_are_cut() {
        // 0 → 1 → 2 → 1: the walk comes from 1, so 2 goes first.
        check(&[&[1], &[2], &[1]], &[1, 2], &[&[1], &[]]);
        check(&[&[1], &[1]], &[1], &[&[]]);
        // A circle through a package without scripts.
        check(&[&[1], &[2], &[3], &[1]], &[1, 3], &[&[1], &[]]);
    }
}
