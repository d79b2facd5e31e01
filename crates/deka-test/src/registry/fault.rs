//! Ways to answer badly.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::log::is_tarball;

/// A rule: which requests are answered badly, and how.
///
/// ```
/// # use {deka_test::Fault, std::time::Duration};
/// Fault::on("/a").times(2).status(503);
/// Fault::on("/a/-/a-1.0.0.tgz").times(1).cut_after(100);
/// Fault::on_tarballs().after(3).slow(1024, Duration::from_millis(5));
/// Fault::on_tarballs().cut_after(9000).slow(1024, Duration::from_millis(5));
/// Fault::on_everything().redirect_host("http://localhost:1/");
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pattern: Pattern,
    skip: usize,
    turns: usize,
    pub(crate) behaviour: Behaviour,
    pub(crate) pace: Pace,
}

/// How fast a body is sent, whatever else is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) chunk: usize,
    pub(crate) pause: Duration,
}

impl Default for Pace {
    /// As fast as it goes.
    fn default() -> Self {
        Self { chunk: usize::MAX, pause: Duration::ZERO }
    }
}

#[derive(Clone, Debug)]
enum Pattern {
    Everything,
    Path(String),
    Packuments,
    Tarballs,
}

/// What happens instead of a good answer.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Nothing bad.
    None,
    Status {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// The body ends after so many bytes, the connection with it.
    Cut(usize),
    /// The connection ends before any answer.
    Drop,
    /// `Content-Length` is off by this much; the body is whole as far as it fits.
    WrongLength(i64),
    /// No answer ever.
    Hang,
    /// The answer begins, stops after so many bytes and never ends.
    Stall(usize),
    Delay(Duration),
    /// Something happens before the usual answer.
    Call(Hook),
    /// Another body under the usual headers.
    Body(Bytes),
    /// One byte of the body is flipped.
    Corrupt,
    Redirect {
        status: u16,
        location: Location,
    },
    Header(&'static str, String),
}

/// What a test does when it is asked for something.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Location {
    /// Everything up to the path is replaced.
    Host(String),
    Exactly(String),
}

impl Fault {
    /// Matches one path, decoded and without query, such as `/@scope/a`.
    pub fn on(path: &str) -> Self {
        Self::new(Pattern::Path(path.to_owned()))
    }

    /// Matches all packuments.
    pub fn on_packuments() -> Self {
        Self::new(Pattern::Packuments)
    }

    /// Matches all tarballs.
    pub fn on_tarballs() -> Self {
        Self::new(Pattern::Tarballs)
    }

    /// Matches every request.
    pub fn on_everything() -> Self {
        Self::new(Pattern::Everything)
    }

    fn new(pattern: Pattern) -> Self {
        let pace = Pace::default();
        Self { pattern, skip: 0, turns: usize::MAX, behaviour: Behaviour::None, pace }
    }

    /// Limits it to the first `turns` matching requests.
    #[must_use]
    pub fn times(mut self, turns: usize) -> Self {
        self.turns = turns;
        self
    }

    /// Lets the first `skip` matching requests pass.
    #[must_use]
    pub fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Limits it to the `n`th matching request, counted from 1.
    #[must_use]
    pub fn nth(self, n: usize) -> Self {
        self.after(n.saturating_sub(1)).times(1)
    }

    /// Answers with this status and a short JSON error.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        let body = Bytes::from_static(br#"{"error":"so the test wants it"}"#);
        self.with(Behaviour::Status { status, headers: Vec::new(), body })
    }

    /// Answers with this status and a `Retry-After` header.
    #[must_use]
    pub fn retry_after(self, status: u16, value: &str) -> Self {
        let headers = vec![("retry-after", value.to_owned())];
        self.with(Behaviour::Status { status, headers, body: Bytes::new() })
    }

    /// Ends the body and the connection after `bytes` bytes of the body, though more were
    /// announced.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        self.with(Behaviour::Cut(bytes))
    }

    /// Ends the connection before any answer.
    #[must_use]
    pub fn drop_connection(self) -> Self {
        self.with(Behaviour::Drop)
    }

    /// Announces `difference` bytes more (or fewer) than the body has.
    #[must_use]
    pub fn wrong_length(self, difference: i64) -> Self {
        self.with(Behaviour::WrongLength(difference))
    }

    /// Sends `chunk` bytes at a time with a pause after each; may be said beside what else is wrong.
    #[must_use]
    pub fn slow(mut self, chunk: usize, pause: Duration) -> Self {
        self.pace = Pace { chunk: chunk.max(1), pause };
        self
    }

    /// Never answers.
    #[must_use]
    pub fn hang(self) -> Self {
        self.with(Behaviour::Hang)
    }

    /// Sends the headers and `bytes` bytes of the body, then nothing more.
    #[must_use]
    pub fn stall_after(self, bytes: usize) -> Self {
        self.with(Behaviour::Stall(bytes))
    }

    /// Waits before the answer.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        self.with(Behaviour::Delay(delay))
    }

    /// Does something before the usual answer.
    #[must_use]
    pub fn call(self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.with(Behaviour::Call(Hook(Arc::new(hook))))
    }

    /// Answers 200 with another body.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.with(Behaviour::Body(body.into()))
    }

    /// Flips one byte of the body.
    #[must_use]
    pub fn corrupt(self) -> Self {
        self.with(Behaviour::Corrupt)
    }

    /// Redirects (302) to the same path on another server.
    #[must_use]
    pub fn redirect_host(self, url: &str) -> Self {
        let location = Location::Host(url.trim_end_matches('/').to_owned());
        self.with(Behaviour::Redirect { status: 302, location })
    }

    /// Redirects to exactly this place.
    #[must_use]
    pub fn redirect(self, status: u16, location: &str) -> Self {
        let location = Location::Exactly(location.to_owned());
        self.with(Behaviour::Redirect { status, location })
    }

    /// Adds a header to the usual answer, or replaces one.
    #[must_use]
    pub fn header(self, name: &'static str, value: &str) -> Self {
        self.with(Behaviour::Header(name, value.to_owned()))
    }

    fn with(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// Takes one turn if this request is one of those that the rule is for.
    pub(crate) fn applies(&mut self, path: &str) -> bool {
        let matches = match &self.pattern {
            Pattern::Everything => true,
            Pattern::Path(wanted) => wanted == path,
            Pattern::Packuments => !is_tarball(path) && !path.starts_with("/-/"),
            Pattern::Tarballs => is_tarball(path),
        };
        if !matches {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.turns == 0 {
            return false;
        }
        self.turns = self.turns.saturating_sub(usize::from(self.turns != usize::MAX));
        true
    }
}
