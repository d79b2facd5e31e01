//! The queue between those who find work (resolver, network) and the workers who do it.
//!
//! Three lanes: what the resolver waits for goes first, then what takes long, which would otherwise
//! keep one worker busy at the end while the others have nothing left to do. Workers sleep when there
//! is nothing to do and end when the queue is closed, because all is done or because something failed.
//!
//! Other threads may do work beside them, one package each. While they do, as many workers take nothing
//! new, so that no more threads run than there are processors: what takes longest would otherwise be done
//! by halves when all else is, and end alone.

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
    /// How many threads work beside the workers.
    beside: usize,
}

impl<J> State<J> {
    /// Takes the next job for somebody who does not count as waiting.
    fn take(&mut self) -> Option<J> {
        // The resolver is not to wait for a whole package.
        let most = if self.waiting < self.beside { Lane::Urgent } else { Lane::Normal };
        self.lanes[..=most as usize].iter_mut().find_map(VecDeque::pop_front)
    }
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
                beside: 0,
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
        let ready = match lane {
            Lane::Urgent => state.waiting,
            Lane::Long | Lane::Normal => state.waiting.saturating_sub(state.beside),
        };
        let lane = &mut state.lanes[lane as usize];
        let before = lane.len();
        lane.extend(jobs);
        let wakes = (lane.len() - before).min(ready);
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
            if let Some(job) = state.take() {
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

    /// Takes the next job, if one waits.
    pub(crate) fn try_pop(&self) -> Option<J> {
        self.lock().take()
    }

    /// Returns how many jobs wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().lanes.iter().map(VecDeque::len).sum()
    }

    /// Takes the place of a worker, until the result is dropped.
    pub(crate) fn work_beside(&self) -> Beside<'_, J> {
        self.lock().beside += 1;
        Beside(self)
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

/// A thread that works beside the workers.
pub(crate) struct Beside<'a, J>(&'a WorkQueue<J>);

impl<J> Beside<'_, J> {
    /// Leaves the processor to a worker as long as `wait` takes.
    pub(crate) fn rest<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.leave();
        let result = wait();
        self.0.lock().beside += 1;
        result
    }

    fn leave(&self) {
        let mut state = self.0.lock();
        state.beside -= 1;
        let has_work = state.lanes.iter().any(|lane| !lane.is_empty());
        if has_work && state.waiting > state.beside {
            drop(state);
            self.0.available.notify_one();
        }
    }
}

impl<J> Drop for Beside<'_, J> {
    fn drop(&mut self) {
        self.leave();
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
    fn who_works_beside_takes_the_place_of_a_worker() {
        let queue = WorkQueue::new();
        queue.extend(Lane::Normal, ["first", "second"]);
        queue.push(Lane::Urgent, "urgent");
        let beside = queue.work_beside();
        // Nobody else waits, so this is the worker whose place is taken.
        assert_eq!(queue.pop(), Some("urgent"));
        assert_eq!(beside.rest(|| queue.pop()), Some("first"));
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| queue.pop());
            drop(beside);
            assert_eq!(worker.join().unwrap(), Some("second"));
        });
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
