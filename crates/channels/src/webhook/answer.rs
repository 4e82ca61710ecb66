//! What a status means for a notification.
use std::fmt;

use bellwether_alerts::{Receipt, SendError};
use bellwether_http::{Answer, Fate, HttpError, StatusCode};
use chrono::{DateTime, Utc};

/// What follows from a status: 2xx delivered; 429 the rate limit; 408, 425 and 5xx a later attempt; anything else a refusal.
///
/// A redirect is a refusal too: it is not followed.
pub(super) fn outcome(answer: &Answer, now: DateTime<Utc>) -> Result<Receipt, SendError> {
    let status = answer.status;
    match status {
        _ if status.is_success() => Ok(Receipt::delivered()),
        StatusCode::TOO_MANY_REQUESTS => Err(SendError::rate_limited(answer.retry_after(now))),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
            Err(later(format_args!("answered {status}"), answer, now))
        }
        _ if status.is_server_error() => Err(later(format_args!("answered {status}"), answer, now)),
        _ if status.is_redirection() => {
            Err(SendError::permanent(format_args!("answered {status}; redirects are not followed")))
        }
        _ => Err(SendError::permanent(format_args!("answered {status}"))),
    }
}

/// A later attempt, after the wait that the server asks for.
pub(super) fn later(reason: impl fmt::Display, answer: &Answer, now: DateTime<Utc>) -> SendError {
    match answer.retry_after(now) {
        Some(after) => SendError::retry_after(after, reason),
        None => SendError::retry(reason),
    }
}

/// What follows from no answer.
pub(super) fn unanswered(error: &HttpError) -> SendError {
    match error.fate() {
        Fate::NotSent => SendError::retry(error),
        Fate::Unknown => SendError::unknown(error),
        Fate::Never => SendError::permanent(error),
    }
}
