//! The progress line: one line on a terminal's stderr, from 250 ms on, gone when the work is done.
//!
//! Workers only store numbers; a thread of its own draws, and exists only where there is a terminal
//! to draw on. Everywhere else nothing is said but warnings.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use console::truncate_str;
use deka_install::Reporter;
use hashbrown::HashMap;

use crate::commands::install::network_allowed;
use crate::passing_lines::PassingLines;
use crate::render_error;

/// What is done quickly needs no line.
const DELAY: Duration = Duration::from_millis(250);
const INTERVAL: Duration = Duration::from_millis(80);
/// What stands before the text of the line, in turn, so that one sees that something is going on.
const SPINNER: [char; 8] = ['⠁', '⠂', '⠄', '⡀', '⢀', '⠠', '⠐', '⠈'];

/// Counts what is done, and shows it where that is wanted.
pub(crate) struct Progress {
    counts: Arc<Counts>,
    shows_warnings: bool,
    /// What scripts write is shown; here is what each has written of a line that is not complete.
    scripts: Option<Mutex<HashMap<String, Vec<u8>>>>,
    /// While a warning is written, the line must not be drawn into it.
    shown: Arc<Mutex<PassingLines>>,
    drawer: Mutex<Option<Drawer>>,
}

#[derive(Debug)]
struct Drawer {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

/// The numbers of the line. Each is stored alone: a line that is off by one for a moment harms
/// nobody.
#[derive(Debug, Default)]
struct Counts {
    resolving: Phase,
    downloading: Phase,
    bytes: AtomicU64,
    linking: Phase,
    building: Phase,
}

#[derive(Debug, Default)]
struct Phase {
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Phase {
    fn set(&self, done: usize, total: usize) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    fn get(&self) -> (usize, usize) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

impl Progress {
    /// Starts counting, and drawing if `shows_line`.
    pub(crate) fn start(shows_line: bool, shows_warnings: bool) -> Self {
        let counts = Arc::new(Counts::default());
        let mut progress = Self {
            counts,
            shows_warnings,
            scripts: None,
            shown: Arc::new(Mutex::new(PassingLines::new())),
            drawer: Mutex::new(None),
        };
        if shows_line {
            progress.start_drawing();
        }
        progress
    }

    /// Shows what scripts of dependencies write, line by line.
    pub(crate) fn streaming_scripts(mut self, is_wanted: bool) -> Self {
        self.scripts = is_wanted.then(Mutex::default);
        self
    }

    /// Writes to stderr where the line is, which comes again behind it.
    fn write(&self, print: impl FnOnce()) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        // A terminal that cannot be written to shows no warnings either.
        let _ = shown.clear();
        print();
    }

    fn start_drawing(&mut self) {
        let (stop, stopped) = mpsc::channel();
        let (counts, shown) = (Arc::clone(&self.counts), Arc::clone(&self.shown));
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let lines = || shown.lock().unwrap_or_else(PoisonError::into_inner);
            let mut wait = DELAY;
            let mut spinner = SPINNER.iter().cycle();
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = INTERVAL;
                let mut lines = lines();
                let (_, width) = lines.room();
                let text = format!("{} {}", spinner.next().unwrap_or(&' '), line(&counts));
                if lines.show(&[truncate_str(&text, width, "…").into_owned()]).is_err() {
                    break;
                }
            }
            let _ = lines().clear();
        });
        // Without a thread there is no line; the install does not depend on it.
        if let Ok(thread) = thread {
            self.drawer = Mutex::new(Some(Drawer { stop, thread }));
        }
    }

    /// Takes the line away. What is printed afterwards stands where it was.
    pub(crate) fn finish(&self) {
        let drawer = self.drawer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Drawer { stop, thread }) = drawer {
            drop(stop);
            // A panic of the thread has ended the process already.
            let _ = thread.join();
        }
    }
}

impl Reporter for Progress {
    fn resolving(&self, answered: usize, asked: usize) {
        self.counts.resolving.set(answered, asked);
    }

    fn downloading(&self, done: usize, wanted: usize, bytes: u64) {
        self.counts.downloading.set(done, wanted);
        self.counts.bytes.store(bytes, Ordering::Relaxed);
    }

    fn linking(&self, done: usize, wanted: usize) {
        self.counts.linking.set(done, wanted);
    }

    fn building(&self, done: usize, wanted: usize) {
        self.counts.building.set(done, wanted);
    }

    fn migrated(&self, file: &str, elapsed: Duration, moved: &[String]) {
        if self.shows_warnings {
            self.write(|| render_error::print_migrated(file, elapsed, moved));
        }
    }

    fn project_script(&self, command: &str) {
        // The script has the terminal for itself.
        self.finish();
        if self.shows_warnings {
            render_error::print_command(command);
        }
    }

    fn script_started(&self, package: &str, event: &str, command: &str) {
        if self.scripts.is_some() {
            self.write(|| render_error::print_script(package, &format!("{event}: {command}")));
        }
    }

    fn script_wrote(&self, package: &str, bytes: &[u8]) {
        let Some(scripts) = &self.scripts else { return };
        let mut scripts = scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let open = scripts.entry(package.to_owned()).or_default();
        open.extend_from_slice(bytes);
        let Some(end) = open.iter().rposition(|byte| *byte == b'\n') else { return };
        let rest = open.split_off(end + 1);
        let lines = std::mem::replace(open, rest);
        drop(scripts);
        self.write(|| {
            for line in String::from_utf8_lossy(&lines).lines() {
                render_error::print_script(package, line);
            }
        });
    }

    fn script_ended(&self, package: &str, event: &str, elapsed: Duration) {
        let Some(scripts) = &self.scripts else { return };
        let rest = scripts.lock().unwrap_or_else(PoisonError::into_inner).remove(package);
        self.write(|| {
            if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
                render_error::print_script(package, &String::from_utf8_lossy(&rest));
            }
            let seconds = elapsed.as_secs_f64();
            render_error::print_script(package, &format!("{event} ended after {seconds:.2}s"));
        });
    }

    fn missed_network(&self, package: &str, name: &str) {
        self.warning(&format!(
            "The scripts of `{package}` ended well, but something that they wanted to fetch may be missing: \
             scripts of dependencies have no network. If it is needed, allow it in package.json:\n{}",
            network_allowed(name)
        ));
    }

    fn warning(&self, text: &str) {
        if self.shows_warnings {
            self.write(|| render_error::print_warning(text));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Returns the text of the line: the phases that have begun and are not through.
fn line(counts: &Counts) -> String {
    let mut parts = Vec::new();
    let mut phase = |verb: &str, (done, total): (usize, usize), bytes: Option<u64>| {
        if total > 0 && done < total {
            let mut part = format!("{verb} {done}/{total}");
            if let Some(bytes) = bytes.filter(|bytes| *bytes > 0) {
                let _ = write!(part, " ({})", human_bytes(bytes));
            }
            parts.push(part);
        }
    };
    phase("Resolving", counts.resolving.get(), None);
    let bytes = counts.bytes.load(Ordering::Relaxed);
    phase("Downloading", counts.downloading.get(), Some(bytes));
    phase("Linking", counts.linking.get(), None);
    phase("Building", counts.building.get(), None);
    if parts.is_empty() { "Working".to_owned() } else { parts.join(", ") }
}

/// Returns a size in the units of disks and networks.
fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut size, mut unit) = (bytes as f64 / 1000.0, 0);
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::{Counts, Progress, human_bytes, line};

    #[test]
    fn the_line_shows_what_is_under_way() {
        let counts = Counts::default();
        assert_eq!(line(&counts), "Working");
        counts.resolving.set(3, 12);
        assert_eq!(line(&counts), "Resolving 3/12");
        counts.downloading.set(1, 4);
        counts.bytes.store(1_234_567, Ordering::Relaxed);
        counts.linking.set(0, 4);
        assert_eq!(line(&counts), "Resolving 3/12, Downloading 1/4 (1.2 MB), Linking 0/4");
        counts.resolving.set(12, 12);
        counts.downloading.set(4, 4);
        assert_eq!(line(&counts), "Linking 0/4");
    }

    #[test]
    fn sizes() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_999, "1.0 MB"),
            (258_900_000, "258.9 MB"),
        ] {
            assert_eq!(human_bytes(bytes), expected);
        }
    }

    #[test]
    fn a_line_that_never_appeared_ends_at_once() {
        let start = std::time::Instant::now();
        // Many, for the machine may be busy.
        for _ in 0..20 {
            let progress = Progress::start(true, true);
            progress.finish();
            progress.finish();
        }
        assert!(start.elapsed() < 20 * super::DELAY);
    }
}
