//! How many requests run at once, and which one comes next.
//!
//! Packuments and tarballs share one limit. What waits goes in this order: packuments as they came
//! (the resolver can't go on without them), then tarballs, the largest first (a large one that starts
//! last would run alone at the end). A part of the places is kept for packuments, so that a new one never
//! waits for a tarball to end while the resolver finds further packages.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// One place in this many is kept for packuments.
const KEPT_FOR_PACKUMENTS: usize = 8;

/// What a place is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Packument,
    /// With the size if it is known, in bytes.
    Tarball(u64),
}

/// Hands out the places.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    limit: usize,
    limit_of_tarballs: usize,
    packuments: usize,
    tarballs: usize,
    waiting_packuments: VecDeque<oneshot::Sender<Permit>>,
    waiting_tarballs: BinaryHeap<WaitingTarball>,
    arrivals: u64,
}

#[derive(Debug)]
struct WaitingTarball {
    size: u64,
    arrival: Reverse<u64>,
    sender: oneshot::Sender<Permit>,
}

/// A place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    gate: Gate,
    purpose: Purpose,
    /// Whether the place goes to the next one that waits when this is dropped.
    is_held: bool,
}

impl Gate {
    /// A gate with `limit` places, at least one.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.max(1);
        Self(Arc::new(Mutex::new(State {
            limit,
            limit_of_tarballs: limit - limit / KEPT_FOR_PACKUMENTS,
            packuments: 0,
            tarballs: 0,
            waiting_packuments: VecDeque::new(),
            waiting_tarballs: BinaryHeap::new(),
            arrivals: 0,
        })))
    }

    /// Waits for a place.
    pub(crate) async fn enter(&self, purpose: Purpose) -> Permit {
        let receiver = {
            let mut state = self.state();
            if state.has_room(purpose) {
                state.take(purpose);
                return Permit { gate: self.clone(), purpose, is_held: true };
            }
            let (sender, receiver) = oneshot::channel();
            match purpose {
                Purpose::Packument => state.waiting_packuments.push_back(sender),
                Purpose::Tarball(size) => {
                    let arrival = Reverse(state.arrivals);
                    state.arrivals += 1;
                    state.waiting_tarballs.push(WaitingTarball { size, arrival, sender });
                }
            }
            receiver
        };
        match receiver.await {
            Ok(permit) => permit,
            // The sender lives in the gate until it sends, and the gate is held by `self`.
            Err(_) => Permit { gate: self.clone(), purpose, is_held: false },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, purpose: Purpose) {
        // Sent after the lock is released: a permit that finds nobody to take it comes back here.
        let mut admitted = Vec::new();
        {
            let mut state = self.state();
            state.give_back(purpose);
            while let Some(next) = state.next() {
                admitted.push(next);
            }
        }
        for (sender, purpose) in admitted {
            let permit = Permit { gate: self.clone(), purpose, is_held: true };
            // Whoever stopped waiting drops the permit, and that frees the place for the next.
            drop(sender.send(permit));
        }
    }
}

impl State {
    fn has_room(&self, purpose: Purpose) -> bool {
        let used = self.packuments + self.tarballs;
        match purpose {
            Purpose::Packument => used < self.limit,
            Purpose::Tarball(_) => used < self.limit && self.tarballs < self.limit_of_tarballs,
        }
    }

    fn take(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::Packument => self.packuments += 1,
            Purpose::Tarball(_) => self.tarballs += 1,
        }
    }

    fn give_back(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::Packument => self.packuments -= 1,
            Purpose::Tarball(_) => self.tarballs -= 1,
        }
    }

    /// Takes a place for whoever comes next, if there is both.
    fn next(&mut self) -> Option<(oneshot::Sender<Permit>, Purpose)> {
        if self.has_room(Purpose::Packument)
            && let Some(sender) = self.waiting_packuments.pop_front()
        {
            self.take(Purpose::Packument);
            return Some((sender, Purpose::Packument));
        }
        if self.has_room(Purpose::Tarball(0))
            && let Some(WaitingTarball { size, sender, .. }) = self.waiting_tarballs.pop()
        {
            self.take(Purpose::Tarball(size));
            return Some((sender, Purpose::Tarball(size)));
        }
        None
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_held {
            self.gate.leave(self.purpose);
        }
    }
}

impl PartialEq for WaitingTarball {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for WaitingTarball {}

impl PartialOrd for WaitingTarball {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for WaitingTarball {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.size, self.arrival).cmp(&(other.size, other.arrival))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills the gate, queues `wanted` in this order, and returns the order in which they enter.
    fn order(limit: usize, wanted: &[Purpose]) -> Vec<Purpose> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let gate = Gate::new(limit);
            let mut held = Vec::new();
            for _ in 0..limit {
                held.push(gate.enter(Purpose::Packument).await);
            }
            let entered = Arc::new(Mutex::new(Vec::new()));
            let mut tasks = Vec::new();
            for purpose in wanted.iter().copied() {
                let (gate, entered) = (gate.clone(), entered.clone());
                tasks.push(tokio::spawn(async move {
                    let _permit = gate.enter(purpose).await;
                    entered.lock().unwrap().push(purpose);
                }));
                tokio::task::yield_now().await;
            }
            held.pop();
            for task in tasks {
                task.await.unwrap();
            }
            drop(held);
            Arc::try_unwrap(entered).unwrap().into_inner().unwrap()
        })
    }

    #[test]
    fn packuments_go_first_then_large_tarballs() {
        use Purpose::{Packument, Tarball};
        assert_eq!(
            order(1, &[Tarball(1), Tarball(9), Packument, Tarball(0), Tarball(9), Packument]),
            [Packument, Packument, Tarball(9), Tarball(9), Tarball(1), Tarball(0)]
        );
    }

    #[test]
    fn tarballs_leave_places_to_packuments() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let gate = Gate::new(16);
            let mut held = Vec::new();
            for _ in 0..14 {
                held.push(gate.enter(Purpose::Tarball(0)).await);
            }
            let fifteenth = {
                let gate = gate.clone();
                tokio::spawn(async move { drop(gate.enter(Purpose::Tarball(0)).await) })
            };
            tokio::task::yield_now().await;
            assert!(!fifteenth.is_finished());
            held.push(gate.enter(Purpose::Packument).await);
            held.push(gate.enter(Purpose::Packument).await);
            drop(held);
            fifteenth.await.unwrap();
        });
    }

    #[test]
    fn who_stops_waiting_takes_no_place() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let gate = Gate::new(1);
            let held = gate.enter(Purpose::Packument).await;
            let waiting = {
                let gate = gate.clone();
                tokio::spawn(async move { gate.enter(Purpose::Packument).await })
            };
            tokio::task::yield_now().await;
            waiting.abort();
            assert!(waiting.await.is_err());
            drop(held);
            drop(gate.enter(Purpose::Tarball(1)).await);
            let state = gate.state();
            assert_eq!((state.packuments, state.tarballs), (0, 0));
        });
    }
}
