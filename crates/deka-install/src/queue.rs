//! The queue between those who find work (resolver, network) and the workers who do it.
//!
//! Three lanes: what others wait for goes first. Workers sleep when there is nothing to do and end
//! when the queue is closed, either because all is done or because something failed.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How urgent a job is; lanes are emptied in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The resolver waits for it.
    Urgent = 0,
    /// It frees memory or leads to more work.
    Normal = 1,
    /// Nobody waits for it before the end.
    Late = 2,
}

const LANES: usize = 3;

struct State<J> {
    lanes: [VecDeque<J>; LANES],
    closed: bool,
}

/// An unbounded queue of jobs in three lanes. What bounds it in memory is the network, which asks
/// how many bytes wait before it starts another download.
pub(crate) struct WorkQueue<J> {
    state: Mutex<State<J>>,
    available: Condvar,
}

impl<J> WorkQueue<J> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                lanes: std::array::from_fn(|_| VecDeque::new()),
                closed: false,
            }),
            available: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; dropped if the queue is closed.
    pub(crate) fn push(&self, lane: Lane, job: J) {
        let mut state = self.lock();
        if !state.closed {
            state.lanes[lane as usize].push_back(job);
            drop(state);
            self.available.notify_one();
        }
    }

    /// Adds many jobs at once.
    pub(crate) fn extend(&self, lane: Lane, jobs: impl IntoIterator<Item = J>) {
        let mut state = self.lock();
        if !state.closed {
            state.lanes[lane as usize].extend(jobs);
            drop(state);
            self.available.notify_all();
        }
    }

    /// Waits for the next job; `None` once the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.lanes.iter_mut().find_map(VecDeque::pop_front) {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.available.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets workers end once the waiting jobs are done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.available.notify_all();
    }

    /// Lets workers end now and drops what waits.
    pub(crate) fn abort(&self) {
        let mut state = self.lock();
        state.closed = true;
        let dropped = std::mem::replace(&mut state.lanes, std::array::from_fn(|_| VecDeque::new()));
        drop(state);
        self.available.notify_all();
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgent_jobs_overtake() {
        let queue = WorkQueue::new();
        queue.push(Lane::Late, "late");
        queue.extend(Lane::Normal, ["first", "second"]);
        queue.push(Lane::Urgent, "urgent");
        queue.close();
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, ["urgent", "first", "second", "late"]);
    }

    #[test]
    fn workers_end_when_the_queue_closes() {
        let queue = WorkQueue::new();
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| std::iter::from_fn(|| queue.pop()).sum::<u32>()))
                .collect();
            queue.extend(Lane::Normal, 1..=100);
            queue.close();
            let total: u32 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
            assert_eq!(total, 5050);
        });
    }

    #[test]
    fn aborting_drops_what_waits() {
        let queue = WorkQueue::new();
        queue.push(Lane::Normal, 1);
        queue.abort();
        queue.push(Lane::Normal, 2);
        assert_eq!(queue.pop(), None);
    }
}
