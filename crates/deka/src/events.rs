//! What an install does as a stream for programs (`--reporter ndjson`): one JSON object per line.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deka_install::Reporter;
use hashbrown::HashMap;
use serde_json::{Value, json};

use crate::document;

/// That of `schemas/install-event.json`.
const SCHEMA_VERSION: u32 = 1;

/// How often a phase that goes on is told about.
const INTERVAL: Duration = Duration::from_millis(100);

/// Prints events.
#[derive(Default)]
pub(crate) struct Events {
    phases: Mutex<HashMap<&'static str, Phase>>,
}

/// A phase as it is, and as it was told.
struct Phase {
    now: Counts,
    told: Counts,
    at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts {
    done: usize,
    total: usize,
    bytes: u64,
}

/// Prints one event.
pub(crate) fn print(event: &'static str, fields: impl IntoIterator<Item = (&'static str, Value)>) {
    document::print(SCHEMA_VERSION, std::iter::once(("event", event.into())).chain(fields));
}

impl Events {
    /// Tells how far the phases came that were not told about since.
    pub(crate) fn finish(&self) {
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open: Vec<_> = phases.iter_mut().collect();
        open.sort_unstable_by_key(|(name, _)| **name);
        for (name, phase) in open.into_iter().filter(|(_, phase)| phase.now != phase.told) {
            phase.tell(name);
        }
    }

    fn progress(&self, name: &'static str, done: usize, total: usize, bytes: u64) {
        let now = Counts { done, total, bytes };
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(phase) = phases.get_mut(name) else {
            let mut phase = Phase { now, told: now, at: Instant::now() };
            phase.tell(name);
            phases.insert(name, phase);
            return;
        };
        phase.now = now;
        if phase.at.elapsed() >= INTERVAL && phase.now != phase.told {
            phase.tell(name);
        }
    }
}

impl Phase {
    fn tell(&mut self, name: &str) {
        (self.told, self.at) = (self.now, Instant::now());
        let Counts { done, total, bytes } = self.now;
        let mut fields =
            vec![("phase", name.into()), ("done", json!(done)), ("total", json!(total))];
        if name == "downloading" {
            fields.push(("bytes", json!(bytes)));
        }
        print("progress", fields);
    }
}

impl Reporter for Events {
    fn resolving(&self, answered: usize, asked: usize) {
        self.progress("resolving", answered, asked, 0);
    }

    fn downloading(&self, done: usize, wanted: usize, bytes: u64) {
        self.progress("downloading", done, wanted, bytes);
    }

    fn linking(&self, done: usize, wanted: usize) {
        self.progress("linking", done, wanted, 0);
    }

    fn building(&self, done: usize, wanted: usize) {
        self.progress("building", done, wanted, 0);
    }

    fn migrated(&self, file: &str, elapsed: Duration, moved: &[String]) {
        let milliseconds = elapsed.as_secs_f64() * 1000.0;
        let fields =
            [("file", json!(file)), ("milliseconds", json!(milliseconds)), ("moved", json!(moved))];
        print("migrated", fields);
    }

    fn project_script(&self, command: &str) {
        print("project-script", [("command", json!(command))]);
    }

    fn script_started(&self, package: &str, event: &str, command: &str) {
        let fields =
            [("package", json!(package)), ("script", json!(event)), ("command", json!(command))];
        print("script-started", fields);
    }

    fn script_wrote(&self, package: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        print("script-output", [("package", json!(package)), ("text", json!(text))]);
    }

    fn script_ended(&self, package: &str, event: &str, elapsed: Duration) {
        let milliseconds = elapsed.as_secs_f64() * 1000.0;
        let fields = [
            ("package", json!(package)),
            ("script", json!(event)),
            ("milliseconds", json!(milliseconds)),
        ];
        print("script-ended", fields);
    }

    fn missed_network(&self, package: &str, name: &str) {
        print("missed-network", [("package", json!(package)), ("name", json!(name))]);
    }

    fn warning(&self, text: &str) {
        print("warning", [("message", json!(text))]);
    }
}
