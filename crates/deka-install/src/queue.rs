//! The queue between those who find work (resolver, network) and the workers who do it.
//!
//! Three lanes: what the resolver waits for goes first, then what takes long, which would otherwise
//! keep one worker busy at the end while the others have nothing left to do. Workers sleep when there
//! is nothing to do and end when the queue is closed, because all is done or because something failed.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How urgent a job is; lanes are emptied in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The resolver waits for it.
    Urgent = 0,
    /// It takes long.
    Long = 1,
    /// It leads to more work or to the end.
    Normal = 2,
}

const LANES: usize = 3;

struct State<J> {
    lanes: [VecDeque<J>; LANES],
    closed: bool,
    /// How many workers wait: to wake nobody is a system call as well.
    waiting: usize,
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
                waiting: 0,
            }),
            available: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; dropped if the queue is closed.
    pub(crate) fn push(&self, lane: Lane, job: J) {
        self.extend(lane, [job]);
    }

    /// Adds many jobs at once.
    pub(crate) fn extend(&self, lane: Lane, jobs: impl IntoIterator<Item = J>) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let lane = &mut state.lanes[lane as usize];
        let before = lane.len();
        lane.extend(jobs);
        let wakes = (lane.len() - before).min(state.waiting);
        drop(state);
        match wakes {
            0 => {}
            1 => self.available.notify_one(),
            _ => self.available.notify_all(),
        }
    }

    /// Waits for the next job; `None` once the queue is closed.
    pub(crate) fn pop(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.lanes.iter_mut().find_map(VecDeque::pop_front) {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.waiting += 1;
            state = self.available.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    /// Lets workers end after their present job, and drops what waits.
    pub(crate) fn close(&self) {
        self.close_lanes(&[Lane::Urgent, Lane::Long, Lane::Normal]);
    }

    /// Like [`WorkQueue::close`] after all went well: what is urgent is still done, for it may be an answer
    /// that the cache is to have.
    pub(crate) fn wind_down(&self) {
        self.close_lanes(&[Lane::Long, Lane::Normal]);
    }

    fn close_lanes(&self, lanes: &[Lane]) {
        let mut state = self.lock();
        state.closed = true;
        let dropped: Vec<VecDeque<J>> =
            lanes.iter().map(|lane| std::mem::take(&mut state.lanes[*lane as usize])).collect();
        drop(state);
        self.available.notify_all();
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn urgent_jobs_overtake() {
        let queue = WorkQueue::new();
        queue.extend(Lane::Normal, ["first", "second"]);
        queue.push(Lane::Long, "long");
        queue.push(Lane::Urgent, "urgent");
        let order = [queue.pop(), queue.pop(), queue.pop(), queue.pop()];
        assert_eq!(order, [Some("urgent"), Some("long"), Some("first"), Some("second")]);
    }

    #[test]
    fn each_job_is_done_once() {
        let queue = WorkQueue::new();
        let left = AtomicU32::new(100);
        let sum = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(job) = queue.pop() {
                        sum.fetch_add(job, Ordering::Relaxed);
                        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                            queue.close();
                        }
                    }
                });
            }
            queue.extend(Lane::Normal, 1..=100);
        });
        assert_eq!(sum.into_inner(), 5050);
    }

    #[test]
    fn closing_drops_what_waits() {
        let queue = WorkQueue::new();
        queue.push(Lane::Normal, 1);
        queue.close();
        queue.push(Lane::Normal, 2);
        assert_eq!(queue.pop(), None);

        let queue = WorkQueue::new();
        queue.push(Lane::Normal, 1);
        queue.push(Lane::Urgent, 2);
        queue.wind_down();
        queue.push(Lane::Urgent, 3);
        assert_eq!([queue.pop(), queue.pop()], [Some(2), None]);
    }
}
