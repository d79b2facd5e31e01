//! Where work goes that would hold up the network: unpacking, scanning, writing the cache.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Something to be done.
type Job = Box<dyn FnOnce() + Send>;

/// Threads that do work which takes milliseconds, so that the network thread does not have to.
///
/// The pipeline implements it with its own workers; [`BlockingThreads`] is there for whoever has none.
pub trait Workers: std::fmt::Debug + Send + Sync {
    /// Has `job` done soon, on another thread. A job that is dropped instead is noticed.
    fn run(&self, job: Job);
}

/// The blocking threads of the tokio runtime that the caller runs on.
///
/// A runtime that ends drops what its threads have not begun. That is done when these are dropped: the answer
/// is there by then, but the cache would lack it.
#[derive(Default)]
pub struct BlockingThreads {
    waiting: Arc<Mutex<VecDeque<Job>>>,
}

impl Workers for BlockingThreads {
    fn run(&self, job: Job) {
        next(&self.waiting, |waiting| waiting.push_back(job));
        let waiting = self.waiting.clone();
        drop(tokio::task::spawn_blocking(move || {
            if let Some(job) = next(&waiting, VecDeque::pop_front) {
                job();
            }
        }));
    }
}

impl Drop for BlockingThreads {
    fn drop(&mut self) {
        while let Some(job) = next(&self.waiting, VecDeque::pop_front) {
            job();
        }
    }
}

impl std::fmt::Debug for BlockingThreads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockingThreads")
    }
}

fn next<T>(waiting: &Mutex<VecDeque<Job>>, take: impl FnOnce(&mut VecDeque<Job>) -> T) -> T {
    take(&mut waiting.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::{BlockingThreads, Workers as _};

    #[test]
    fn what_a_runtime_did_not_begin_is_done_in_the_end() {
        let done = Arc::new(AtomicU32::new(0));
        let threads = BlockingThreads::default();
        let runtime =
            tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (begun, first_runs) = std::sync::mpsc::channel();
        let (end, may_end) = std::sync::mpsc::channel::<()>();
        runtime.block_on(async {
            threads.run(Box::new(move || {
                begun.send(()).unwrap();
                // Until the sender has gone.
                let _ = may_end.recv();
            }));
            for _ in 0..10 {
                let done = done.clone();
                threads.run(Box::new(move || {
                    done.fetch_add(1, Ordering::SeqCst);
                }));
            }
        });
        first_runs.recv().unwrap();
        runtime.shutdown_background();
        drop(end);
        drop(threads);
        assert_eq!(done.load(Ordering::SeqCst), 10);
    }
}
