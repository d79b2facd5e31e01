//! The program between deka and a script.
//!
//! deka starts itself again as `deka --run-lifecycle-script <order>`. That process
//!
//! 1. adopts whatever loses its parent below it,
//! 2. starts the shell from a thread that has entered the sandbox, if there is to be one, waits for it, and
//!    meanwhile answers for the kernel what it asks about (sockets),
//! 3. kills what is left below it, and ends as the shell did.
//!
//! While it waits it watches deka: when deka ends in whatever way (Ctrl-C, a failed sibling, SIGKILL),
//! everything below is killed. A process of its own can do this without code between fork and exec,
//! and the sandbox needs no `unsafe`. It is not in the sandbox itself: a script that could end it would
//! leave behind what it has started.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(all(unix, not(target_os = "linux")))]
mod unix;
#[cfg(all(unix, not(target_os = "linux")))]
use unix as system;

#[cfg(not(unix))]
mod fallback;
#[cfg(not(unix))]
use fallback as system;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Ending;
use crate::sandbox::{self, Listener, Policy};

/// The first argument of a deka in this role; the order is the second.
pub const ARGUMENT: &str = "--run-lifecycle-script";

/// What the exit code says when the script never began, as shells have it.
const NOT_STARTED: u8 = 126;

/// How often a supervisor without a leash looks whether deka still lives.
const WATCH_INTERVAL: Duration = Duration::from_millis(50);

/// What a supervisor is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) shell: PathBuf,
    pub(crate) command: String,
    /// deka's process.
    pub(crate) parent: u32,
    /// Whether stdin is a pipe whose end means that all is to end; else it is the script's.
    pub(crate) is_on_leash: bool,
    pub(crate) sandbox: Option<Policy>,
}

impl Order {
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Carries out an order; returns the exit code, and what to say on stderr if the script never began.
pub fn supervise(order: &str) -> (u8, Option<String>) {
    let result = serde_json::from_str::<Order>(order)
        .map_err(|error| format!("the order can't be read: {error}"))
        .and_then(|order| carry_out(&order));
    match result {
        Ok(code) => (code, None),
        Err(problem) => (NOT_STARTED, Some(problem)),
    }
}

fn carry_out(order: &Order) -> Result<u8, String> {
    system::adopt_orphans().map_err(|error| format!("orphans can't be adopted: {error}"))?;
    let mut command = Command::new(&order.shell);
    command.arg("-c").arg(&order.command);
    if order.is_on_leash {
        command.stdin(Stdio::null());
    }
    let mut spawn = || {
        command
            .spawn()
            .map_err(|error| format!("`{}` can't be started: {error}", order.shell.display()))
    };
    let (mut shell, listener) = match &order.sandbox {
        None => (spawn()?, None),
        Some(policy) => std::thread::scope(|scope| {
            let inside = scope
                .spawn(|| sandbox::enter(policy).and_then(|listener| Ok((spawn()?, listener))));
            inside.join().map_err(|_| "the sandbox could not be entered".to_owned())?
        })?,
    };
    let has_refused = listener.map(refuse);
    watch(order);
    let status = shell.wait().map_err(|error| format!("waiting failed: {error}"))?;
    system::end_all();
    let has_refused = has_refused.is_some_and(|refused| refused.load(Ordering::SeqCst));
    if let Some(policy) = order.sandbox.as_ref().filter(|_| has_refused) {
        policy.note_refusal();
    }
    Ok(Ending::of(status).map_or(0, Ending::exit_code))
}

/// Refuses what would lead to the network, and notes whether anything did.
fn refuse(listener: Listener) -> Arc<AtomicBool> {
    let has_refused = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&has_refused);
    let refuser = std::thread::Builder::new().name("refuse".to_owned());
    // Without it nobody holds the listener, and the kernel refuses by itself.
    drop(refuser.spawn(move || listener.refuse_all(|| heard.store(true, Ordering::SeqCst))));
    has_refused
}

/// Ends everything once deka is gone. The thread has no end of its own.
fn watch(order: &Order) {
    let (parent, is_on_leash) = (order.parent, order.is_on_leash);
    let watcher = std::thread::Builder::new().name("watch".to_owned());
    let spawned = watcher.spawn(move || {
        if is_on_leash {
            // Nothing is ever written; what comes is the end.
            drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        } else {
            while system::has_parent(parent) {
                std::thread::sleep(WATCH_INTERVAL);
            }
        }
        system::end_all();
    });
    // Without it the script runs all the same.
    drop(spawned);
}
