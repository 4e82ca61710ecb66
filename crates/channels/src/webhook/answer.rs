//! What a status means for a notification.
use std::fmt;
use std::time::Duration;

use bellwether_alerts::{Receipt, SendError};
use chrono::{DateTime, Utc};
use hyper::StatusCode;
use hyper::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that a server can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// What follows from a status: 2xx delivered; 429 the rate limit; 408, 425 and 5xx a later attempt; anything else a refusal.
///
/// A redirect is a refusal too: it is not followed.
pub(super) fn outcome(
    status: StatusCode,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<Receipt, SendError> {
    match status {
        _ if status.is_success() => Ok(Receipt::delivered()),
        StatusCode::TOO_MANY_REQUESTS => Err(SendError::rate_limited(retry_after(headers, now))),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
            Err(later(format_args!("answered {status}"), headers, now))
        }
        _ if status.is_server_error() => Err(later(format_args!("answered {status}"), headers, now)),
        _ if status.is_redirection() => {
            Err(SendError::permanent(format_args!("answered {status}; redirects are not followed")))
        }
        _ => Err(SendError::permanent(format_args!("answered {status}"))),
    }
}

/// A later attempt, after the wait that the server asks for.
pub(super) fn later(reason: impl fmt::Display, headers: &HeaderMap, now: DateTime<Utc>) -> SendError {
    match retry_after(headers, now) {
        Some(after) => SendError::retry_after(after, reason),
        None => SendError::retry(reason),
    }
}

/// RFC 9110, section 10.2.3: seconds, or a date. At most a day; none if it is neither.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let after = if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date: DateTime<Utc> = httpdate::parse_http_date(text).ok()?.into();
        (date - now).to_std().unwrap_or(Duration::ZERO)
    };
    Some(after.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2008-10-10T14:30:00Z, a Friday.
    const NOW: i64 = 1_223_649_000;

    fn asked(value: &'static str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        retry_after(&headers, DateTime::from_timestamp(NOW, 0).unwrap())
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
