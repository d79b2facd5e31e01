//! When a failed request is sent again, and after how long.
//!
//! Sent again is what may pass by itself: broken connections, cut or unreadable bodies, timeouts, and the
//! statuses 408, 425, 429 and 5xx. Never 401, 403, 404 or a certificate that is not trusted.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use deka_config::{Network, Retries};
use http::HeaderMap;

use crate::RegistryError;

/// A server that is overloaded gets this many times the wait of a connection that broke.
const BUSY: u32 = 4;
/// A timeout costs its whole length each time, so it is tried again less often.
const TIMEOUT_RETRIES: u32 = 1;

/// The rules of one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy(Retries);

/// The tries of one request.
#[derive(Debug)]
pub(crate) struct Attempts {
    rules: Retries,
    failed: u32,
    timed_out: u32,
}

impl RetryPolicy {
    pub(crate) fn of(network: &Network) -> Self {
        Self(network.retries)
    }

    pub(crate) fn start(self) -> Attempts {
        Attempts { rules: self.0, failed: 0, timed_out: 0 }
    }
}

impl Attempts {
    /// Returns how many attempts failed.
    pub(crate) fn failed(&self) -> u32 {
        self.failed
    }

    /// Returns how long to wait before the request is sent again, or `None` if `error` is final.
    pub(crate) fn after(&mut self, error: &RegistryError) -> Option<Duration> {
        if !error.is_transient() || self.failed >= self.rules.count {
            return None;
        }
        if matches!(error, RegistryError::Timeout { .. }) {
            if self.timed_out >= TIMEOUT_RETRIES {
                return None;
            }
            self.timed_out += 1;
        }
        let (first, asked) = match error {
            RegistryError::Status { retry_after, .. } => {
                (self.rules.minimum.saturating_mul(BUSY), *retry_after)
            }
            _ => (self.rules.minimum, None),
        };
        // Who is to stay away for longer than all waits together asks in vain.
        if asked.is_some_and(|wait| wait > self.rules.maximum.saturating_mul(self.rules.count)) {
            return None;
        }
        let wait = asked.unwrap_or_else(|| {
            let grown =
                self.rules.factor.max(1.0).powi(i32::try_from(self.failed).unwrap_or(i32::MAX));
            let wait = Duration::try_from_secs_f64(first.as_secs_f64() * grown);
            with_jitter(wait.unwrap_or(self.rules.maximum).min(self.rules.maximum))
        });
        self.failed += 1;
        // An install must not sleep for an hour because a server says so.
        Some(wait.min(self.rules.maximum))
    }
}

/// Returns between one half and the whole of `wait`, so that clients that failed together come back apart.
fn with_jitter(wait: Duration) -> Duration {
    // A fresh state of std's hasher is random enough for this.
    let random = RandomState::new().hash_one(0u8);
    wait.mul_f64(0.5 + (random >> 11) as f64 / (1u64 << 54) as f64)
}

/// Reads `Retry-After`: seconds, or the date when to come back.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SafeUrl;
    use http::header::{HeaderValue, RETRY_AFTER};

    fn url() -> SafeUrl {
        SafeUrl::new(&url::Url::parse("https://registry.example/a").unwrap())
    }

    fn start(count: u32) -> Attempts {
        RetryPolicy(Retries {
            count,
            factor: 2.0,
            minimum: Duration::from_millis(250),
            maximum: Duration::from_secs(30),
        })
        .start()
    }

    fn busy(retry_after: Option<u64>) -> RegistryError {
        let retry_after = retry_after.map(Duration::from_secs);
        RegistryError::Status { url: url(), status: 503, retry_after }
    }

    #[test]
    fn waits_grow_and_end() {
        let mut attempts = start(3);
        for (shortest, longest) in [(0.5, 1.0), (1.0, 2.0), (2.0, 4.0)] {
            let wait = attempts.after(&busy(None)).unwrap().as_secs_f64();
            assert!((shortest..=longest).contains(&wait), "{wait}");
        }
        assert_eq!(attempts.after(&busy(None)), None);
    }

    #[test]
    fn the_server_may_say_how_long_within_limits() {
        let mut attempts = start(3);
        assert_eq!(attempts.after(&busy(Some(7))), Some(Duration::from_secs(7)));
        assert_eq!(attempts.after(&busy(Some(90))), Some(Duration::from_secs(30)));
        assert_eq!(attempts.after(&busy(Some(91))), None);
    }

    #[test]
    fn timeouts_are_tried_again_once() {
        let timeout =
            RegistryError::Timeout { url: url(), doing: "reading", after: Duration::from_mins(1) };
        let mut attempts = start(5);
        assert!(attempts.after(&timeout).is_some());
        assert_eq!(attempts.after(&timeout), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 22 Nov 2026 08:00:00 GMT").unwrap();
        let check = |value: &'static str, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
        };
        check("12", Some(12));
        check("Sun, 22 Nov 2026 08:01:30 GMT", Some(90));
        check("Sun, 22 Nov 2026 07:00:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
