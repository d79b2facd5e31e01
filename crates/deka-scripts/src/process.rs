//! One script, run to its end: deka's side of the supervisor.

use std::io::{PipeReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::inputs::is_of_session;
use crate::sandbox::Policy;
use crate::supervisor::{ARGUMENT, Order};
use crate::{Ending, Package, Script, ScriptError, Surroundings};

/// So much of a script's output is kept for the error.
const KEPT_OUTPUT: usize = 64 * 1024;

/// How a script ended, and what it wrote.
pub(crate) struct Ended {
    pub(crate) ending: Option<Ending>,
    pub(crate) elapsed: Duration,
    pub(crate) output: Vec<u8>,
}

/// Ends running scripts when one has failed.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    state: Mutex<StopState>,
}

#[derive(Debug, Default)]
struct StopState {
    is_stopped: bool,
    /// Closing one makes its supervisor end everything.
    leashes: Vec<(u32, std::process::ChildStdin)>,
}

impl Stop {
    /// Ends all running scripts, and those that start later at once.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_stopped = true;
        state.leashes.clear();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_stopped
    }

    fn hold(&self, child: &mut Child) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let leash = child.stdin.take();
        if !state.is_stopped {
            state.leashes.extend(leash.map(|leash| (child.id(), leash)));
        }
    }

    fn release(&self, child: &Child) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.leashes.retain(|(id, _)| *id != child.id());
    }
}

/// Runs a script without a terminal. What it writes goes to `hear` as it comes, and the last of it is
/// kept.
pub(crate) fn run_captured(
    surroundings: &Surroundings<'_>,
    package: &Package,
    script: &Script,
    sandbox: Option<&Policy>,
    stop: &Stop,
    hear: &dyn Fn(&[u8]),
) -> Result<Ended, ScriptError> {
    let failed = |source| start_failed(package, script, source);
    let started = Instant::now();
    let (reader, writer) = std::io::pipe().map_err(failed)?;
    let mut command = supervisor(surroundings, package, script, sandbox, true);
    command.stdin(Stdio::piped());
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    own_group(&mut command);
    let mut child = command.spawn().map_err(failed)?;
    // The command holds the writing ends as long as it lives.
    drop(command);
    stop.hold(&mut child);
    let output = collect(reader, hear);
    let status = child.wait().map_err(failed);
    stop.release(&child);
    let ending = Ending::of(status?);
    Ok(Ended { ending, elapsed: started.elapsed(), output })
}

/// Runs a script on deka's own terminal.
pub(crate) fn run_inherited(
    surroundings: &Surroundings<'_>,
    package: &Package,
    script: &Script,
    stdout_to_stderr: bool,
) -> Result<Ended, ScriptError> {
    let failed = |source| start_failed(package, script, source);
    let started = Instant::now();
    let mut command = supervisor(surroundings, package, script, None, false);
    if stdout_to_stderr {
        command.stdout(std::io::stderr());
    }
    std::io::stdout().flush().map_err(failed)?;
    let status = command.status().map_err(failed)?;
    Ok(Ended { ending: Ending::of(status), elapsed: started.elapsed(), output: Vec::new() })
}

fn supervisor(
    surroundings: &Surroundings<'_>,
    package: &Package,
    script: &Script,
    sandbox: Option<&Policy>,
    is_on_leash: bool,
) -> Command {
    let mut variables = surroundings.variables(package, script);
    if let Some(policy) = sandbox {
        variables.retain(|name, _| !is_of_session(name));
        policy.adjust(&mut variables);
    }
    let order = Order {
        shell: surroundings.shell.clone(),
        command: script.command.to_string(),
        parent: std::process::id(),
        is_on_leash,
        sandbox: sandbox.cloned(),
    };
    let mut command = Command::new(surroundings.caller.program);
    command
        .arg(ARGUMENT)
        .arg(order.to_text())
        .current_dir(&package.folder)
        .env_clear()
        .envs(&variables);
    command
}

/// Ctrl-C reaches deka alone: it ends, and the supervisors end everything else.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

fn collect(mut reader: PipeReader, hear: &dyn Fn(&[u8])) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return kept,
            Ok(length) => {
                hear(&buffer[..length]);
                kept.extend_from_slice(&buffer[..length]);
                if kept.len() > 2 * KEPT_OUTPUT {
                    kept.drain(..kept.len() - KEPT_OUTPUT);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return kept,
        }
    }
}

fn start_failed(package: &Package, script: &Script, source: std::io::Error) -> ScriptError {
    ScriptError::Start { package: package.label.clone(), event: script.event.as_str(), source }
}
