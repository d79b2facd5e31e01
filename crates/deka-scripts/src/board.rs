//! Jobs in their order, several at once.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Performs each job after those of `after[job]`, at most `concurrency` at once. A job that breaks lets no
/// further ones begin.
pub(crate) fn in_order(
    after: &[&[usize]],
    concurrency: NonZeroUsize,
    perform: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) {
    let board = Board {
        after,
        state: Mutex::new(State { slots: vec![Slot::Waiting; after.len()], is_broken: false }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 1..concurrency.get().min(after.len()) {
            scope.spawn(|| board.work(perform));
        }
        board.work(perform);
    });
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Waiting,
    Running,
    Ended,
}

struct State {
    slots: Vec<Slot>,
    is_broken: bool,
}

/// What the threads share.
struct Board<'a> {
    after: &'a [&'a [usize]],
    state: Mutex<State>,
    changed: Condvar,
}

impl Board<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, perform: &(dyn Fn(usize) -> ControlFlow<()> + Sync)) {
        while let Some(at) = self.take() {
            let flow = perform(at);
            let mut state = self.state();
            state.slots[at] = Slot::Ended;
            state.is_broken |= flow.is_break();
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Waits for a job that can begin; `None` when there will be no more.
    fn take(&self) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.is_broken {
                return None;
            }
            let is_ended = |at: &usize| state.slots[*at] == Slot::Ended;
            let ready = (0..self.after.len()).find(|at| {
                state.slots[*at] == Slot::Waiting && self.after[*at].iter().all(is_ended)
            });
            if let Some(at) = ready {
                state.slots[at] = Slot::Running;
                return Some(at);
            }
            if !state.slots.contains(&Slot::Running) {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
