//! Signals that reach deka while it waits for commands of the user.
//!
//! A command in deka's own group of processes gets what the terminal sends by itself, so that only what
//! was sent to deka alone is passed on. A command in a group of its own gets nothing by itself.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// While it lives, signals do not end deka; they go to the commands that are held.
#[derive(Debug)]
pub(super) struct Relay {
    state: Arc<State>,
    #[cfg(unix)]
    handle: signal_hook::iterator::Handle,
    #[cfg(unix)]
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    has_heard: AtomicBool,
    /// Whether everything is to end, also what is held from now on.
    is_over: AtomicBool,
    /// Whether deka was started to ignore Ctrl-C, as by a script in the background, and so will be what it
    /// starts.
    #[cfg(unix)]
    ignores_ctrl_c: bool,
    /// Processes, and whether each leads a group of its own.
    held: Mutex<Vec<(u32, bool)>>,
}

/// A command that signals reach as long as this lives.
#[derive(Debug)]
pub(super) struct Held<'r> {
    relay: &'r Relay,
    id: u32,
}

impl Relay {
    /// Whether a signal came that is to end what runs.
    pub(super) fn has_heard(&self) -> bool {
        self.state.has_heard.load(Ordering::Relaxed)
    }

    /// Whether everything is to end because something failed.
    pub(super) fn is_over(&self) -> bool {
        self.state.is_over.load(Ordering::SeqCst)
    }

    /// Lets signals reach the process `id`, and all of its group if it leads one.
    pub(super) fn hold(&self, id: u32, leads_group: bool) -> Held<'_> {
        self.state.held.lock().unwrap_or_else(PoisonError::into_inner).push((id, leads_group));
        if self.is_over() {
            self.interrupt();
        }
        Held { relay: self, id }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut held = self.relay.state.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(not(unix))]
impl Relay {
    /// Here the system itself tells everybody.
    #[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
    pub(super) fn start() -> io::Result<Self> {
        Ok(Self { state: Arc::default() })
    }

    /// There are no signals here.
    pub(super) fn interrupt(&self) {
        self.state.is_over.store(true, Ordering::SeqCst);
    }
}

#[cfg(not(unix))]
impl Held<'_> {
    /// There are no groups here.
    pub(super) fn wait_for_leader(&self) {}

    /// There are no signals here.
    pub(super) fn interrupt(&self) {}
}

#[cfg(unix)]
mod unix {
    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
    };
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::{Arc, Held, Ordering, PoisonError, Relay, State, io};

    impl Relay {
        /// Begins to listen for what ends programs, but for what deka was started to ignore (`nohup`).
        pub(in crate::own) fn start() -> io::Result<Self> {
            let ignored = ignored();
            let wanted = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
            let mut signals =
                Signals::new(wanted.iter().filter(|signal| ignored >> (**signal - 1) & 1 == 0))?;
            let handle = signals.handle();
            let ignores_ctrl_c = ignored >> (SIGINT - 1) & 1 == 1;
            let state = Arc::new(State { ignores_ctrl_c, ..State::default() });
            let heard = Arc::clone(&state);
            let listener = std::thread::Builder::new().name("signals".to_owned());
            let thread = listener.spawn(move || {
                let has_terminal = std::fs::File::open("/dev/tty").is_ok();
                for number in signals.forever() {
                    heard.has_heard.store(true, Ordering::Relaxed);
                    let is_of_keyboard = number == SIGINT || number == SIGQUIT;
                    heard.pass_on(number, has_terminal && is_of_keyboard);
                }
            })?;
            Ok(Self { state, handle, thread: Some(thread) })
        }

        /// Has everything end that is held, as Ctrl-C does where it is not ignored.
        pub(in crate::own) fn interrupt(&self) {
            self.state.is_over.store(true, Ordering::SeqCst);
            self.state.pass_on(self.state.interruption(), false);
        }
    }

    impl Held<'_> {
        /// Waits for the end of the process itself, and leaves its end to be heard of again, so that its
        /// number goes to nobody else meanwhile.
        pub(in crate::own) fn wait_for_leader(&self) {
            let Some(id) = pid(self.id) else { return };
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(id), options) {}
        }

        /// Has the rest of its group end.
        pub(in crate::own) fn interrupt(&self) {
            let signal = Signal::from_named_raw(self.relay.state.interruption());
            if let (Some(id), Some(signal)) = (pid(self.id), signal) {
                // An error means that all have ended.
                let _ = kill_process_group(id, signal);
            }
        }
    }

    impl State {
        /// Returns what is sent to end everything.
        fn interruption(&self) -> i32 {
            if self.ignores_ctrl_c { SIGTERM } else { SIGINT }
        }

        /// Sends a signal to what is held; if the terminal has done so, to groups of their own alone.
        fn pass_on(&self, number: i32, is_of_terminal: bool) {
            let Some(signal) = Signal::from_named_raw(number) else { return };
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, leads_group) in &*held {
                let Some(pid) = pid(*id) else { continue };
                // An error means that it has ended by itself.
                let _ = match (leads_group, is_of_terminal) {
                    (true, _) => kill_process_group(pid, signal),
                    (false, true) => Ok(()),
                    (false, false) => kill_process(pid, signal),
                };
            }
        }
    }

    impl Drop for Relay {
        fn drop(&mut self) {
            self.handle.close();
            if let Some(thread) = self.thread.take() {
                // A panic of the thread has ended the process already.
                let _ = thread.join();
            }
        }
    }

    fn pid(id: u32) -> Option<Pid> {
        i32::try_from(id).ok().and_then(Pid::from_raw)
    }

    /// Returns the signals that deka was started to ignore, a bit for each.
    fn ignored() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
    }
}
