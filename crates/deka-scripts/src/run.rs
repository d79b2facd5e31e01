//! Jobs, side by side in their order.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::board::in_order;
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
    /// So they did, but one of them seems to have missed the network, so that something may be missing.
    Incomplete,
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

    /// The scripts of a package have ended well, but seem to have missed the network.
    fn missed_network(&self, package: &Package) {
        let _ = package;
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
    let after: Vec<&[usize]> = jobs.iter().map(|job| &*job.after).collect();
    let state = Mutex::new(State { outcomes: vec![None; jobs.len()], error: None });
    let stop = Stop::default();
    observer.progress(0, jobs.len());
    in_order(&after, concurrency, &|at| {
        let job = &jobs[at];
        let result = perform(job, surroundings, &stop, observer);
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outcomes[at] = Some(*result.as_ref().unwrap_or(&JobOutcome::Failed));
        let mut flow = ControlFlow::Continue(());
        if let Err(error) = result {
            if job.may_fail {
                observer.gave_up(&error);
            } else {
                // What ends because of the first failure is not one of its own.
                state.error.get_or_insert(error);
                stop.stop();
                flow = ControlFlow::Break(());
            }
        }
        let done = state.outcomes.iter().flatten().count();
        drop(state);
        observer.progress(done, jobs.len());
        flow
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.error {
        Some(error) => Err(error),
        // Nothing is left waiting unless there was an error.
        None => Ok(state
            .outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or(JobOutcome::Failed))
            .collect()),
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

struct State {
    outcomes: Vec<Option<JobOutcome>>,
    error: Option<ScriptError>,
}

fn perform(
    job: &Job,
    surroundings: &Surroundings<'_>,
    stop: &Stop,
    observer: &dyn Observer,
) -> Result<JobOutcome, ScriptError> {
    let mut outcome = JobOutcome::Done;
    for script in &job.scripts {
        observer.started(&job.package, script);
        let sandbox = job.sandbox.as_ref();
        let hear = |bytes: &[u8]| observer.wrote(&job.package, bytes);
        let ended = run_captured(surroundings, &job.package, script, sandbox, stop, &hear)?;
        check(&job.package, script, sandbox, &ended)?;
        observer.ended(&job.package, script, ended.elapsed);
        let output = String::from_utf8_lossy(&ended.output);
        if sandbox.is_some_and(|policy| policy.is_network_missed(&output)) {
            outcome = JobOutcome::Incomplete;
        }
        if stop.is_stopped() {
            break;
        }
    }
    if outcome == JobOutcome::Incomplete {
        observer.missed_network(&job.package);
    }
    Ok(outcome)
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
