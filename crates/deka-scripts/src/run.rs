//! Jobs, side by side in their order.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::process::{Ended, Stop, run_captured, run_inherited};
use crate::sandbox::{Policy, Suspicion};
use crate::{FailedScript, Package, Script, ScriptError, Surroundings};

/// The scripts of one package, run one after the other.
#[derive(Debug, Clone)]
pub struct Job {
    /// The package.
    pub package: Package,
    /// What to run.
    pub scripts: Vec<Script>,
    /// The jobs that have to be done before, by their place in the list; never in a circle.
    pub after: Vec<usize>,
    /// What the scripts may do; `None` for anything.
    pub sandbox: Option<Policy>,
    /// Whether the others go on if it fails.
    pub may_fail: bool,
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// All its scripts ended well.
    Done,
    /// One failed, and the job is one that may.
    Failed,
}

/// Hears what scripts do, from any thread.
pub trait Observer: Sync {
    /// A script is about to run.
    fn started(&self, package: &Package, script: &Script) {
        let _ = (package, script);
    }

    /// A script has written something.
    fn wrote(&self, package: &Package, bytes: &[u8]) {
        let _ = (package, bytes);
    }

    /// A script has ended well.
    fn ended(&self, package: &Package, script: &Script, elapsed: Duration) {
        let _ = (package, script, elapsed);
    }

    /// So many of the jobs are done.
    fn progress(&self, done: usize, wanted: usize) {
        let _ = (done, wanted);
    }

    /// A script has failed that may.
    fn gave_up(&self, error: &ScriptError) {
        let _ = error;
    }
}

/// Where the scripts of the project itself write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectOutput {
    /// deka's own streams.
    Inherit,
    /// All to stderr, because stdout is for data.
    Stderr,
}

/// Runs jobs, `concurrency` at once.
///
/// When one fails that must not, all others are ended and its error is returned.
pub fn run(
    jobs: &[Job],
    surroundings: &Surroundings<'_>,
    concurrency: NonZeroUsize,
    observer: &dyn Observer,
) -> Result<Vec<JobOutcome>, ScriptError> {
    let board = Board {
        jobs,
        state: Mutex::new(State { slots: vec![Slot::Waiting; jobs.len()], error: None }),
        changed: Condvar::new(),
        stop: Stop::default(),
    };
    observer.progress(0, jobs.len());
    std::thread::scope(|scope| {
        for _ in 1..concurrency.get().min(jobs.len()) {
            scope.spawn(|| board.work(surroundings, observer));
        }
        board.work(surroundings, observer);
    });
    let state = board.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.error {
        Some(error) => Err(error),
        None => Ok(state.slots.iter().map(|slot| slot.outcome()).collect()),
    }
}

/// Runs scripts one after the other on deka's own terminal, as those of the project itself do.
pub fn run_in_foreground(
    package: &Package,
    scripts: &[Script],
    surroundings: &Surroundings<'_>,
    output: ProjectOutput,
    observer: &dyn Observer,
) -> Result<(), ScriptError> {
    for script in scripts {
        observer.started(package, script);
        let ended = run_inherited(surroundings, package, script, output == ProjectOutput::Stderr)?;
        check(package, script, None, &ended)?;
        observer.ended(package, script, ended.elapsed);
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Waiting,
    Running,
    Ended(JobOutcome),
}

impl Slot {
    fn outcome(self) -> JobOutcome {
        match self {
            Self::Ended(outcome) => outcome,
            // Nothing is left waiting unless there was an error.
            Self::Waiting | Self::Running => JobOutcome::Failed,
        }
    }
}

struct State {
    slots: Vec<Slot>,
    error: Option<ScriptError>,
}

/// What the threads share.
struct Board<'a> {
    jobs: &'a [Job],
    state: Mutex<State>,
    changed: Condvar,
    stop: Stop,
}

impl Board<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, surroundings: &Surroundings<'_>, observer: &dyn Observer) {
        while let Some(at) = self.take() {
            let job = &self.jobs[at];
            let result = self.perform(job, surroundings, observer);
            let mut state = self.state();
            state.slots[at] = Slot::Ended(match &result {
                Ok(()) => JobOutcome::Done,
                Err(_) => JobOutcome::Failed,
            });
            if let Err(error) = result {
                if job.may_fail {
                    observer.gave_up(&error);
                } else {
                    // What ends because of the first failure is not one of its own.
                    state.error.get_or_insert(error);
                    self.stop.stop();
                }
            }
            let done = state.slots.iter().filter(|slot| matches!(slot, Slot::Ended(_))).count();
            drop(state);
            observer.progress(done, self.jobs.len());
            self.changed.notify_all();
        }
    }

    /// Waits for a job that can begin; `None` when there will be no more.
    fn take(&self) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.error.is_some() {
                return None;
            }
            let is_ended = |at: &usize| matches!(state.slots[*at], Slot::Ended(_));
            let ready = (0..self.jobs.len()).find(|at| {
                state.slots[*at] == Slot::Waiting && self.jobs[*at].after.iter().all(is_ended)
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

    fn perform(
        &self,
        job: &Job,
        surroundings: &Surroundings<'_>,
        observer: &dyn Observer,
    ) -> Result<(), ScriptError> {
        for script in &job.scripts {
            observer.started(&job.package, script);
            let sandbox = job.sandbox.as_ref();
            let hear = |bytes: &[u8]| observer.wrote(&job.package, bytes);
            let ended =
                run_captured(surroundings, &job.package, script, sandbox, &self.stop, &hear)?;
            check(&job.package, script, sandbox, &ended)?;
            observer.ended(&job.package, script, ended.elapsed);
            if self.stop.is_stopped() {
                break;
            }
        }
        Ok(())
    }
}

fn check(
    package: &Package,
    script: &Script,
    sandbox: Option<&Policy>,
    ended: &Ended,
) -> Result<(), ScriptError> {
    let Some(ending) = ended.ending else { return Ok(()) };
    let output = String::from_utf8_lossy(&ended.output).into_owned();
    Err(ScriptError::Failed(Box::new(FailedScript {
        package: package.label.clone(),
        name: package.name.clone(),
        event: script.event.as_str(),
        command: script.command.to_string(),
        folder: package.folder.clone(),
        ending,
        elapsed: ended.elapsed,
        sandbox: sandbox.and_then(|policy| Suspicion::from_output(policy, &output)),
        output,
    })))
}
