//! Where work goes that would hold up the network: unpacking, scanning, writing the cache.

/// Threads that do work which takes milliseconds, so that the network thread does not have to.
///
/// The pipeline implements it with its own workers; [`BlockingThreads`] is there for whoever has none.
pub trait Workers: std::fmt::Debug + Send + Sync {
    /// Has `job` done soon, on another thread. A job that is dropped instead is noticed.
    fn run(&self, job: Box<dyn FnOnce() + Send>);
}

/// The blocking threads of the tokio runtime that the caller runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlockingThreads;

impl Workers for BlockingThreads {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        drop(tokio::task::spawn_blocking(job));
    }
}
