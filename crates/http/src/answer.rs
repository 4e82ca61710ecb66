//! What a server said.
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that a server can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// What a server said. Prints its status only: servers repeat what they were sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// As much of the body as was [wanted](crate::Request::reading_up_to) and came in time.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
}

impl Answer {
    /// How long the server asks to wait, at most a day: RFC 9110, section 10.2.3, as seconds or as a date. None if it is neither.
    pub fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let after = if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
            Duration::from_secs(text.parse().unwrap_or(u64::MAX))
        } else {
            let date: DateTime<Utc> = httpdate::parse_http_date(text).ok()?.into();
            (date - now).to_std().unwrap_or(Duration::ZERO)
        };
        Some(after.min(MAX_RETRY_AFTER))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2008-10-10T14:30:00Z, a Friday.
    const NOW: i64 = 1_223_649_000;

    fn asked(value: &'static str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        let answer = Answer { status: StatusCode::OK, headers, body: Vec::new(), is_whole: true };
        answer.retry_after(DateTime::from_timestamp(NOW, 0).unwrap())
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(asked("120"), seconds(120));
        assert_eq!(asked("Fri, 10 Oct 2008 14:31:30 GMT"), seconds(90));
        assert_eq!(asked("Friday, 10-Oct-08 14:31:30 GMT"), seconds(90));
        assert_eq!(asked("Fri, 10 Oct 2008 14:00:00 GMT"), seconds(0));
    }

    #[test]
    fn a_wait_is_at_most_a_day() {
        let day = Some(Duration::from_hours(24));
        assert_eq!(asked("86401"), day);
        assert_eq!(asked("99999999999999999999999999"), day);
        assert_eq!(asked("Fri, 31 Dec 9999 23:59:59 GMT"), day);
    }

    #[test]
    fn anything_else_is_no_wait() {
        for nonsense in ["", "soon", "-1", "1.5", "1e3", "2008-10-10T14:31:30Z"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }
}
