//! `--timeline`: what happened when and on which thread, in the format that Chrome's and Perfetto's
//! viewers of traces open.
//!
//! The crates below say what they do with spans of `tracing`, which cost a comparison each as long as
//! nobody listens. A span is something that its thread was busy with; one that has the field
//! [`REQUEST`] is something that was waited for, of which a thread has many at once.
//! See "Trace Event Format" in the documentation of Chromium's tracing.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

/// The field that tells waiting from work.
const REQUEST: &str = "request";

/// A timeline that is being recorded.
#[derive(Debug)]
pub(crate) struct Timeline {
    path: PathBuf,
    events: Arc<Events>,
}

#[derive(Debug)]
struct Events {
    started: Instant,
    threads: AtomicU64,
    /// Events as JSON, separated by `,\n`.
    text: Mutex<String>,
}

/// Hears of all spans of deka.
struct Recorder(Arc<Events>);

/// What is remembered of a span while it lasts.
struct Begun {
    /// In microseconds since the recording began.
    at: f64,
    thread: u64,
    is_request: bool,
    /// The fields, as JSON without the braces.
    fields: String,
}

impl Timeline {
    /// Begins to record what is to be written to `path`.
    pub(crate) fn new(path: &Path) -> Self {
        let events =
            Events { started: Instant::now(), threads: AtomicU64::new(0), text: Mutex::default() };
        Self { path: path.to_owned(), events: Arc::new(events) }
    }

    /// Returns what has to hear of the spans.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        Recorder(self.events.clone()).with_filter(is_deka())
    }

    /// Writes what was recorded.
    pub(crate) fn write(&self) -> io::Result<()> {
        let events = self.events.text.lock().unwrap_or_else(PoisonError::into_inner);
        std::fs::write(&self.path, format!("{{\"traceEvents\":[\n{events}\n]}}\n"))
    }

    /// Returns the file that is written in the end.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn is_deka<S>() -> impl Filter<S> {
    filter_fn(|metadata: &Metadata<'_>| metadata.is_span() && metadata.target().starts_with("deka"))
}

impl Events {
    fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1e6
    }

    fn push(&self, event: fmt::Arguments<'_>) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        if !text.is_empty() {
            text.push_str(",\n");
        }
        // A `String` takes everything.
        let _ = text.write_fmt(event);
    }

    /// Returns the number of the calling thread, which is named when it comes for the first time.
    fn thread(&self) -> u64 {
        thread_local! {
            static NUMBER: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
        }
        NUMBER.with(|number| {
            if number.get() == 0 {
                number.set(self.threads.fetch_add(1, Ordering::Relaxed) + 1);
                let thread = std::thread::current();
                let name = json(thread.name().unwrap_or("thread"));
                let number = number.get();
                self.push(format_args!(
                    r#"{{"ph":"M","name":"thread_name","pid":1,"tid":{number},"args":{{"name":{name}}}}}"#
                ));
            }
            number.get()
        })
    }
}

impl<S> Layer<S> for Recorder
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(Begun {
            at: self.0.now(),
            thread: self.0.thread(),
            is_request: attributes.metadata().fields().field(REQUEST).is_some(),
            fields: fields.0,
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(begun) = extensions.get::<Begun>() else { return };
        let Begun { at, thread, is_request, fields } = begun;
        let (name, category) = (span.name(), span.metadata().target());
        let end = self.0.now();
        let common = format_args!(r#""name":"{name}","cat":"{category}","pid":1,"tid":{thread}"#);
        if *is_request {
            let id = id.into_u64();
            self.0.push(format_args!(
                r#"{{"ph":"b","id":{id},{common},"ts":{at:.1},"args":{{{fields}}}}}"#
            ));
            self.0.push(format_args!(r#"{{"ph":"e","id":{id},{common},"ts":{end:.1}}}"#));
        } else {
            let duration = end - at;
            self.0.push(format_args!(
                r#"{{"ph":"X",{common},"ts":{at:.1},"dur":{duration:.1},"args":{{{fields}}}}}"#
            ));
        }
    }
}

/// Fields as JSON without the braces.
#[derive(Default)]
struct Fields(String);

impl Fields {
    fn push(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let separator = if self.0.is_empty() { "" } else { "," };
        let _ = write!(self.0, "{separator}\"{}\":{value}", field.name());
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, format_args!("{}", json(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format_args!("{}", json(&format!("{value:?}"))));
    }
}

/// Returns a text as a string of JSON.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::Timeline;

    #[test]
    fn work_and_requests() {
        let folder = tempfile::tempdir().expect("a folder");
        let timeline = Timeline::new(&folder.path().join("timeline.json"));
        let subscriber = tracing_subscriber::registry().with(timeline.layer());
        tracing::subscriber::with_default(subscriber, || {
            let request = tracing::trace_span!("tarball", request = "a@1.0.0");
            let work = tracing::trace_span!("unpack", package = %"\"quoted\"", files = 3_u64);
            drop(request);
            drop(work);
            drop(tracing::trace_span!(target: "hyper", "foreign"));
            tracing::info!("no span");
        });
        timeline.write().expect("a file");

        let text = std::fs::read_to_string(timeline.path()).expect("the file");
        let trace: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("a list");
        let phases: Vec<_> = events.iter().map(|event| event["ph"].as_str().unwrap()).collect();
        assert_eq!(phases, ["M", "b", "e", "X"]);
        assert_eq!(events[1]["args"]["request"], "a@1.0.0");
        assert_eq!(events[3]["name"], "unpack");
        assert_eq!(events[3]["args"]["package"], "\"quoted\"");
        assert_eq!(events[3]["args"]["files"], 3);
        assert!(events[3]["ts"].as_f64() <= events[2]["ts"].as_f64());
    }
}
