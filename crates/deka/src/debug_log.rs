//! `DEKA_DEBUG`: what happens inside, on stderr.

use std::io;

use deka_config::Environment;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::fmt::time::uptime;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::render_error;
use crate::timeline::Timeline;

/// What `DEKA_DEBUG=1` shows: everything of deka, and of libraries what is worth a line.
const EVERYTHING: &str = "debug,h2=warn,hyper=warn,hyper_util=warn,reqwest=info,rustls=warn";

/// Starts the log and the timeline, as far as they are asked for; without them nothing is installed,
/// and events cost a comparison.
pub(crate) fn start(environment: &Environment, is_verbose: bool, timeline: Option<&Timeline>) {
    let lines = directives(environment.get("DEKA_DEBUG"), is_verbose).map(|text| lines(&text));
    if lines.is_none() && timeline.is_none() {
        return;
    }
    let subscriber = tracing_subscriber::registry().with(lines).with(timeline.map(Timeline::layer));
    // Only `main` calls this, and once.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Returns what writes the events that a filter lets through.
fn lines<S>(directives: &str) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|error| {
        render_error::print_warning(&format!("`DEKA_DEBUG` is no filter of tracing: {error}"));
        EnvFilter::new(EVERYTHING)
    });
    tracing_subscriber::fmt::layer()
        .with_timer(uptime())
        .with_ansi(anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never)
        .with_writer(io::stderr)
        .with_filter(
            filter.and(filter_fn(|event| is_free_of_secrets(event.target(), *event.level()))),
        )
}

/// Whether a library says nothing at this level that may hold a token. Whatever the filter asks for,
/// headers as they go over the wire are not shown.
fn is_free_of_secrets(target: &str, level: Level) -> bool {
    let limit = match target.split("::").next().unwrap_or(target) {
        name if name.starts_with("deka") => Level::TRACE,
        "h2" | "hyper" | "hyper_util" => Level::INFO,
        _ => Level::DEBUG,
    };
    level <= limit
}

/// Returns the filter that a value of the variable stands for.
fn directives(value: Option<&str>, is_verbose: bool) -> Option<String> {
    match value.unwrap_or_default() {
        "" | "0" | "false" => is_verbose.then(|| EVERYTHING.to_owned()),
        "1" | "true" => Some(EVERYTHING.to_owned()),
        filter => Some(filter.split(',').map(with_crate_name).collect::<Vec<_>>().join(",")),
    }
}

/// Lets people write `resolver=debug` for `deka_resolver=debug`.
fn with_crate_name(directive: &str) -> String {
    const CRATES: [&str; 10] = [
        "manifest", "config", "fs", "graph", "registry", "store", "lockfile", "resolver", "linker",
        "install",
    ];
    let directive = directive.trim();
    let target = directive.split(['=', ':', '[']).next().unwrap_or_default();
    if CRATES.contains(&target) { format!("deka_{directive}") } else { directive.to_owned() }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::{EVERYTHING, directives, is_free_of_secrets};

    #[test]
    fn values() {
        let check = |value, is_verbose, expected: Option<&str>| {
            assert_eq!(directives(value, is_verbose).as_deref(), expected, "{value:?}");
        };
        check(None, false, None);
        check(Some(""), false, None);
        check(Some("0"), false, None);
        check(None, true, Some(EVERYTHING));
        check(Some("1"), false, Some(EVERYTHING));
        check(Some("resolver=debug"), false, Some("deka_resolver=debug"));
        check(Some("deka_store=trace, registry"), false, Some("deka_store=trace,deka_registry"));
        check(Some("debug"), false, Some("debug"));
    }

    #[test]
    fn headers_on_the_wire_are_not_shown() {
        assert!(is_free_of_secrets("deka_registry::client", Level::TRACE));
        assert!(is_free_of_secrets("rustls::client", Level::DEBUG));
        assert!(!is_free_of_secrets("rustls::client", Level::TRACE));
        assert!(!is_free_of_secrets("h2::codec::framed_write", Level::DEBUG));
        assert!(is_free_of_secrets("h2", Level::WARN));
    }
}
