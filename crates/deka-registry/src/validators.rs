//! What a registry says about how long its answer holds and how to ask whether it still does.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, ETAG, HeaderName, HeaderValue, LAST_MODIFIED};

/// How long an answer holds if the registry does not say. The public registry says the same, and so does
/// Bun for every registry.
const USUAL_AGE: Duration = Duration::from_mins(5);
/// No packument is believed for longer than this without asking, whatever the registry says.
const LONGEST_AGE: Duration = Duration::from_hours(24);
/// Longer ones are no tags; the limit keeps the header of a cache file small.
const LONGEST_TAG: usize = 1024;

/// The validators of one packument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// The value of `ETag`, weak (`W/"…"`) or strong, to be sent back as it came.
    pub etag: Option<Box<str>>,
    /// The value of `Last-Modified`, which is a valid HTTP date.
    pub last_modified: Option<Box<str>>,
    /// How long the packument may be used without asking, counted from when it was received.
    pub max_age: Duration,
    /// Whether it may be kept on disk.
    pub may_be_stored: bool,
}

impl Default for Validators {
    fn default() -> Self {
        Self { etag: None, last_modified: None, max_age: USUAL_AGE, may_be_stored: true }
    }
}

impl Validators {
    /// Reads what the headers of a response say.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| {
            let text = headers.get(name)?.to_str().ok()?.trim();
            (!text.is_empty() && text.len() <= LONGEST_TAG).then_some(text)
        };
        let mut may_be_stored = true;
        let mut must_ask = false;
        let mut max_age = USUAL_AGE;
        for value in headers.get_all(CACHE_CONTROL) {
            for directive in value.to_str().unwrap_or_default().split(',') {
                let directive = directive.trim().to_ascii_lowercase();
                match directive.split_once('=') {
                    None if directive == "no-store" => may_be_stored = false,
                    None if directive == "no-cache" => must_ask = true,
                    Some(("max-age", seconds)) => {
                        if let Ok(seconds) = seconds.trim_matches('"').parse() {
                            max_age = Duration::from_secs(seconds).min(LONGEST_AGE);
                        }
                    }
                    _ => {}
                }
            }
        }
        Self {
            etag: text(ETAG).map(Into::into),
            last_modified: text(LAST_MODIFIED)
                .filter(|date| httpdate::parse_http_date(date).is_ok())
                .map(Into::into),
            max_age: if must_ask { Duration::ZERO } else { max_age },
            may_be_stored,
        }
    }

    /// Returns `If-None-Match`, if there is a tag to send.
    pub(crate) fn if_none_match(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.etag.as_deref()?).ok()
    }

    /// Returns `If-Modified-Since`, if there is a date to send.
    pub(crate) fn if_modified_since(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.last_modified.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(HeaderName, &'static str)]) -> Validators {
        let headers = pairs.iter().map(|(name, v)| (name.clone(), HeaderValue::from_static(v)));
        Validators::of(&headers.collect())
    }

    #[test]
    fn tags_and_dates_are_kept_verbatim() {
        let date = "Sun, 22 Nov 2026 08:00:00 GMT";
        let validators = of(&[(ETAG, "W/\"a-1\""), (LAST_MODIFIED, date)]);
        assert_eq!(validators.etag.as_deref(), Some("W/\"a-1\""));
        assert_eq!(validators.last_modified.as_deref(), Some(date));
        assert_eq!(validators.if_none_match().unwrap(), "W/\"a-1\"");
        assert_eq!(validators.if_modified_since().unwrap(), date);
    }

    #[test]
    fn what_is_no_http_date_is_not_sent_back() {
        for date in ["2026-11-22T08:00:00Z", "yesterday", ""] {
            assert_eq!(of(&[(LAST_MODIFIED, date)]).last_modified, None, "{date}");
        }
    }

    #[test]
    fn ages_come_from_the_registry() {
        let check = |control: &'static str, seconds: u64, may_be_stored: bool| {
            let validators = of(&[(CACHE_CONTROL, control)]);
            let found = (validators.max_age.as_secs(), validators.may_be_stored);
            assert_eq!(found, (seconds, may_be_stored), "{control}");
        };
        check("", 300, true);
        check("public, max-age=300", 300, true);
        check("public, Max-Age=\"60\"", 60, true);
        check("max-age=900", 900, true);
        check("max-age=31536000, immutable", 86_400, true);
        check("max-age=0, must-revalidate", 0, true);
        check("no-cache", 0, true);
        check("no-cache, max-age=60", 0, true);
        check("private, no-store", 300, false);
        check("max-age=soon, s-maxage=5", 300, true);
    }
}
