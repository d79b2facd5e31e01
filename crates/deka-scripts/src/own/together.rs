//! Several commands side by side, heard line by line.

use std::io::{self, BufRead as _, BufReader, Read};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::OwnCommand;
use super::relay::Relay;
use crate::Ending;
use crate::board::in_order;

/// How long what a shell leaves behind may take to end once it is told to. A shell that is just starting a
/// program can take the signal for itself, so that the program never hears of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Scripts that run one after the other, beside other parts.
#[derive(Debug, Clone)]
pub struct Part {
    /// What tells its lines from others'.
    pub label: String,
    /// What to run; what follows a script that fails is skipped.
    pub scripts: Vec<PartScript>,
    /// The parts that have to end before, by their place in the list; never in a circle.
    pub after: Vec<usize>,
}

/// A script of a [`Part`].
#[derive(Debug, Clone)]
pub struct PartScript {
    /// Its key in `scripts`.
    pub event: String,
    /// What is started.
    pub command: OwnCommand,
}

/// How parts are run.
#[derive(Debug, Clone, Copy)]
pub struct Together {
    /// How many at once.
    pub concurrency: NonZeroUsize,
    /// Whether all end when one fails.
    pub bails: bool,
}

/// Where a line was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// stdout.
    Output,
    /// stderr.
    Error,
}

/// Hears what parts do, from any thread.
pub trait TogetherObserver: Sync {
    /// A line, without its end.
    fn wrote(&self, part: &Part, script: &PartScript, stream: Stream, line: &[u8]);

    /// A script has ended, well if there is no `ending`.
    fn ended(&self, part: &Part, script: &PartScript, ending: Option<Ending>, elapsed: Duration);

    /// A script does not run because the one before it failed.
    fn skipped(&self, part: &Part, script: &PartScript);

    /// A script could not be started.
    fn not_started(&self, part: &Part, script: &PartScript, error: &io::Error);
}

/// Runs parts, each command in a group of processes of its own. Returns how the first ended that failed.
pub fn run_together(
    parts: &[Part],
    how: Together,
    observer: &dyn TogetherObserver,
) -> io::Result<Option<Ending>> {
    let relay = Relay::start()?;
    let first = Mutex::new(None);
    let after: Vec<&[usize]> = parts.iter().map(|part| &*part.after).collect();
    in_order(&after, how.concurrency, &|at| {
        let failure = run_part(&parts[at], &relay, observer);
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_some() && first.is_none() {
            *first = failure;
            if how.bails {
                relay.interrupt();
            }
        }
        let is_over = relay.has_heard() || how.bails && first.is_some();
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    Ok(first.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn run_part(part: &Part, relay: &Relay, observer: &dyn TogetherObserver) -> Option<Ending> {
    /// What shells say of a command that they cannot start.
    const NOT_STARTED: Ending = Ending::Code(126);
    let mut failure = None;
    for script in &part.scripts {
        if failure.is_some() || relay.has_heard() {
            observer.skipped(part, script);
            continue;
        }
        let started = Instant::now();
        match run_script(part, script, relay, observer) {
            Ok(ending) => {
                observer.ended(part, script, ending, started.elapsed());
                failure = ending;
            }
            Err(error) => {
                observer.not_started(part, script, &error);
                failure = Some(NOT_STARTED);
            }
        }
    }
    failure
}

fn run_script(
    part: &Part,
    script: &PartScript,
    relay: &Relay,
    observer: &dyn TogetherObserver,
) -> io::Result<Option<Ending>> {
    let mut command = script.command.command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    own_group(&mut command);
    let mut child = command.spawn()?;
    let held = relay.hold(child.id(), true);
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        // Nothing is sent: it closes when both streams have.
        let (reading, all_read) = mpsc::channel::<()>();
        if let Some(errors) = errors {
            let reading = reading.clone();
            scope.spawn(move || {
                read_lines(errors, |line| observer.wrote(part, script, Stream::Error, line));
                drop(reading);
            });
        }
        if let Some(output) = output {
            scope.spawn(move || {
                read_lines(output, |line| observer.wrote(part, script, Stream::Output, line));
                drop(reading);
            });
        }
        held.wait_for_leader();
        if relay.is_over() && all_read.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            held.interrupt();
        }
    });
    let status = child.wait()?;
    drop(held);
    Ok(Ending::of(status))
}

/// Reads to the end. What can't be read is as good as nothing.
fn read_lines(stream: impl Read, hear: impl Fn(&[u8])) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        hear(text.strip_suffix(b"\r").unwrap_or(text));
        line.clear();
    }
}

#[cfg(unix)]
fn own_group(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut std::process::Command) {}
