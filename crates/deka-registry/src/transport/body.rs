//! Bodies: read whole, with an idle timeout and a limit.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use hyper::body::{Body as _, Bytes, Incoming};

use super::pool::Lease;
use super::{Timeouts, is_too_slow};
use crate::client::Taker;
use crate::error::{Cause, Reason};
use crate::{Counters, Pipe, RegistryError, SafeUrl};

/// What is reserved at once at most, whatever length a server announces.
const RESERVED: u64 = 64 * 1024 * 1024;
/// A body that is not wanted is still read up to this length, so that its connection can be used again.
const DISCARDED: u64 = 64 * 1024;

const OTHER_LENGTH: &str = "its length is not the announced one";

/// The body of a response, still on its way.
#[derive(Debug)]
pub(crate) struct Body {
    incoming: Incoming,
    lease: Lease,
    url: SafeUrl,
    timeouts: Timeouts,
    counters: Arc<Counters>,
}

impl Body {
    pub(super) fn new(
        incoming: Incoming,
        lease: Lease,
        url: SafeUrl,
        timeouts: Timeouts,
        counters: Arc<Counters>,
    ) -> Self {
        Self { incoming, lease, url, timeouts, counters }
    }

    /// Returns the URL that answered, after redirects.
    pub(crate) fn url(&self) -> &SafeUrl {
        &self.url
    }

    /// Reads the whole body, if it has no more than `limit` bytes.
    ///
    /// A length that the server announces is a hint for the reservation only. A body that is shorter than
    /// announced is an error.
    pub(crate) async fn read(self, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let whole = self.read_unless_taken(limit, &|_| None).await;
        whole.map(Option::unwrap_or_default)
    }

    /// Like [`Body::read`]; but if the length is announced and `taker` has a pipe for it, the body goes there, and
    /// the result is `None`.
    ///
    /// If nobody reads from the pipe any more, the rest is let go: who stopped reading knows why.
    pub(crate) async fn read_unless_taken(
        mut self,
        limit: u64,
        taker: &Taker<'_>,
    ) -> Result<Option<Vec<u8>>, RegistryError> {
        let too_large = |url: &SafeUrl| RegistryError::TooLarge { url: url.clone(), limit };
        let announced = self.incoming.size_hint().exact();
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large(&self.url));
        }
        if let Some(length) = announced
            && let Some(pipe) = taker(length)
        {
            return self.pass_on(length, pipe).await.map(|()| None);
        }
        let reserved = announced.unwrap_or(0).min(RESERVED) as usize;
        let mut bytes = Vec::new();
        deka_fs::reserve_large(&mut bytes, reserved)
            .map_err(|error| self.broken(Arc::new(error)))?;
        let mut frames = Frames::new(self.timeouts);
        while let Some(frame) = frames.next(&mut self).await? {
            if frames.bytes > limit {
                return Err(too_large(&self.url));
            }
            bytes.extend_from_slice(&frame);
        }
        // hyper checks this for HTTP/1.1, h2 for HTTP/2; here it would be a defect of theirs.
        if announced.is_some_and(|length| length != frames.bytes) {
            return Err(self.broken(Arc::new(Reason(OTHER_LENGTH))));
        }
        self.lease.release();
        Ok(Some(bytes))
    }

    /// Puts what comes into `pipe`.
    async fn pass_on(mut self, length: u64, mut pipe: Pipe) -> Result<(), RegistryError> {
        let mut frames = Frames::new(self.timeouts);
        while let Some(frame) = frames.next(&mut self).await? {
            let came = Instant::now();
            if pipe.put(&frame).await.is_err() {
                return Ok(());
            }
            frames.pardon(came.elapsed());
        }
        if length != frames.bytes {
            return Err(self.broken(Arc::new(Reason(OTHER_LENGTH))));
        }
        self.lease.release();
        drop(pipe.end().await);
        Ok(())
    }

    /// Gives the connection back, if little is left to read.
    pub(crate) async fn discard(mut self) {
        let mut left = DISCARDED;
        if self.incoming.size_hint().exact().is_some_and(|length| length > left) {
            return;
        }
        let mut frames = Frames::new(self.timeouts);
        loop {
            match frames.next(&mut self).await {
                Ok(Some(frame)) => match left.checked_sub(frame.len() as u64) {
                    Some(rest) => left = rest,
                    None => return,
                },
                Ok(None) => break self.lease.release(),
                Err(_) => return,
            }
        }
    }

    fn broken(&self, source: Cause) -> RegistryError {
        RegistryError::Body { url: self.url.clone(), source }
    }
}

/// The frames of one body, watched by one timer: it is looked at when it fires, not set anew for each frame.
struct Frames {
    timeouts: Timeouts,
    started: Instant,
    last: Instant,
    bytes: u64,
    timer: Pin<Box<tokio::time::Sleep>>,
}

impl Frames {
    fn new(timeouts: Timeouts) -> Self {
        let now = Instant::now();
        let timer = Box::pin(tokio::time::sleep(timeouts.idle));
        Self { timeouts, started: now, last: now, bytes: 0, timer }
    }

    /// Does not count a time in which nobody looked for more.
    fn pardon(&mut self, pause: Duration) {
        self.started += pause;
        self.last += pause;
    }

    async fn next(&mut self, body: &mut Body) -> Result<Option<Bytes>, RegistryError> {
        loop {
            let frame = poll_fn(|context| {
                if let Poll::Ready(frame) = Pin::new(&mut body.incoming).poll_frame(context) {
                    return Poll::Ready(Some(frame));
                }
                self.timer.as_mut().poll(context).map(|()| None)
            })
            .await;
            match frame {
                None => self.weigh(body)?,
                Some(None) => return Ok(None),
                Some(Some(Err(error))) => return Err(body.broken(Arc::new(error))),
                Some(Some(Ok(frame))) => {
                    // Trailers say nothing that deka wants to know.
                    let Ok(data) = frame.into_data() else { continue };
                    self.last = Instant::now();
                    self.bytes += data.len() as u64;
                    body.counters.bytes().add(data.len() as u64);
                    return Ok(Some(data));
                }
            }
        }
    }

    /// The timer fired: either nothing came all the time, or it is set to when that would be so.
    fn weigh(&mut self, body: &Body) -> Result<(), RegistryError> {
        let timeout = |doing, after| RegistryError::Timeout { url: body.url.clone(), doing, after };
        if self.last.elapsed() >= self.timeouts.idle {
            return Err(timeout("receiving", self.timeouts.idle));
        }
        if is_too_slow(self.bytes, self.started.elapsed(), &self.timeouts) {
            return Err(timeout("receiving at less than 1 KiB/s", self.started.elapsed()));
        }
        self.timer.as_mut().reset((self.last + self.timeouts.idle).into());
        Ok(())
    }
}
