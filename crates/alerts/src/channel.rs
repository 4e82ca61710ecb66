//! Where notifications go: the trait that every channel implements.
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{ChannelName, Notification};

/// Where notifications go: mail, chat, a pager, a speaker on the trading floor.
///
/// A channel makes one attempt and says how it went; it neither waits nor tries again. Rate limit, circuit breaker, deadline,
/// retries, statistics and state are the courier's, the same for every channel.
///
/// * One attempt at a time is made per channel. The future is dropped when the courier's deadline strikes: that must leave nothing broken.
/// * The same notification may come again, with the same [`key`](Notification::key): after [`SendError::Unknown`], a timeout or a
///   crash nobody knows whether it arrived. A service that takes an idempotency key should be given it.
/// * Digests and tests come the same way as alerts; see [`Notification::kind`].
///
/// ```
/// use bellwether_alerts::{AlertChannel, ChannelName, Notification, Receipt, SendError, async_trait};
///
/// struct TradingFloorSpeaker { name: ChannelName }
///
/// impl TradingFloorSpeaker {
///     async fn say(&self, _text: &str) -> Result<(), std::io::Error> {
///         Ok(())
///     }
/// }
///
/// #[async_trait]
/// impl AlertChannel for TradingFloorSpeaker {
///     fn name(&self) -> &ChannelName {
///         &self.name
///     }
///     async fn send(&self, notification: &Notification) -> Result<Receipt, SendError> {
///         self.say(&notification.title()).await.map_err(SendError::retry)?;
///         Ok(Receipt::delivered())
///     }
/// }
/// ```
#[async_trait]
pub trait AlertChannel: Send + Sync {
    /// Its name: what routes and receivers call it. Always the same.
    fn name(&self) -> &ChannelName;

    /// Whether it takes part; asked for each notification that is meant for it. Must be quick.
    ///
    /// A disabled channel is configured and known by name, so that routes to it are no error, but it is not sent to: its
    /// notifications are counted and logged as skipped, and its state reads `disabled`. One that panics here takes part. On by default: a channel that is
    /// always on need not say so, and one that can be switched off cannot be built without deciding who reads the switch.
    fn enabled(&self) -> bool {
        true
    }

    /// Makes one attempt.
    async fn send(&self, notification: &Notification) -> Result<Receipt, SendError>;

    /// Lets go of connections and files. Called exactly once, at shutdown, within a deadline; nothing is sent afterwards.
    async fn close(&self) -> Result<(), SendError> {
        Ok(())
    }
}

/// A channel took a notification.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "a receipt belongs to the log of deliveries"]
pub struct Receipt {
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    provider_id: Option<String>,
}

impl Receipt {
    /// Longest id that is kept, in bytes; a longer one is cut.
    pub const MAX_ID_LEN: usize = 256;

    /// It was taken; the service gave it no id.
    pub fn delivered() -> Self {
        Self { provider_id: None }
    }

    /// It was taken under this id of the service.
    pub fn with_id(provider_id: impl Into<String>) -> Self {
        let id: String = provider_id.into();
        Self { provider_id: Some(cut(id, Self::MAX_ID_LEN)) }
    }

    /// The service's own id of the message.
    pub fn provider_id(&self) -> Option<&str> {
        self.provider_id.as_deref()
    }
}

/// Why an attempt failed, and hence what to do. Reasons are for people and must hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// It did not arrive and may succeed later: try again, not before `after` if the service said so. Until then nothing else is sent on the
    /// channel either, for at most an hour.
    #[error("did not arrive, will be tried again: {reason}")]
    Retry {
        /// How long the service asks to wait.
        after: Option<Duration>,
        /// Why.
        reason: String,
    },
    /// The service takes no more for now. No fault of the service, so the circuit breaker does not count it.
    #[error("refused by the rate limit of the service{}", Wait(*after))]
    RateLimited {
        /// How long the service asks to wait.
        after: Option<Duration>,
    },
    /// It will never succeed as it is: bad credentials, unknown recipient, refused content. Not tried again.
    #[error("refused for good: {reason}")]
    Permanent {
        /// Why.
        reason: String,
    },
    /// It may have arrived or not, as when the connection broke before the answer: tried again with the same key.
    #[error("may have arrived or not: {reason}")]
    Unknown {
        /// What happened.
        reason: String,
    },
}

struct Wait(Option<Duration>);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |after| write!(f, ", which asks to wait {after:?}"))
    }
}

impl SendError {
    /// Longest reason that is kept, in bytes; a longer one is cut.
    pub const MAX_REASON_LEN: usize = 1024;

    /// It did not arrive and may succeed later. Takes an error or a text, so that it can stand in `map_err`.
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self::Retry { after: None, reason: shorten(&reason) }
    }

    /// It did not arrive; the service asks to wait.
    pub fn retry_after(after: Duration, reason: impl fmt::Display) -> Self {
        Self::Retry { after: Some(after), reason: shorten(&reason) }
    }

    /// The service takes no more for now.
    pub fn rate_limited(after: Option<Duration>) -> Self {
        Self::RateLimited { after }
    }

    /// It will never succeed as it is.
    pub fn permanent(reason: impl fmt::Display) -> Self {
        Self::Permanent { reason: shorten(&reason) }
    }

    /// It may have arrived or not.
    pub fn unknown(reason: impl fmt::Display) -> Self {
        Self::Unknown { reason: shorten(&reason) }
    }

    /// Whether another attempt makes sense.
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Permanent { .. })
    }

    /// How long the service asks to wait before the next attempt.
    pub fn after(&self) -> Option<Duration> {
        match self {
            Self::Retry { after, .. } | Self::RateLimited { after } => *after,
            Self::Permanent { .. } | Self::Unknown { .. } => None,
        }
    }
}

fn shorten(reason: &impl fmt::Display) -> String {
    cut(reason.to_string(), SendError::MAX_REASON_LEN)
}

/// Cut at a character's border.
pub(crate) fn cut(mut text: String, len: usize) -> String {
    if text.len() > len {
        text.truncate(text.floor_char_boundary(len));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_permanent_error_is_not_tried_again() {
        let second = Duration::from_secs(1);
        assert!(SendError::retry("reset").is_retryable() && SendError::unknown("reset").is_retryable());
        assert!(SendError::rate_limited(None).is_retryable());
        assert!(!SendError::permanent("no such user").is_retryable());
        assert_eq!(SendError::retry_after(second, "busy").after(), Some(second));
        assert_eq!(
            SendError::rate_limited(Some(second)).to_string(),
            "refused by the rate limit of the service, which asks to wait 1s"
        );
    }

    #[test]
    fn a_reason_is_cut_at_a_character() {
        let SendError::Permanent { reason } = SendError::permanent("é".repeat(1000)) else { panic!() };
        assert_eq!(reason.len(), SendError::MAX_REASON_LEN);
        let SendError::Retry { reason, .. } = SendError::retry(format!("x{}", "é".repeat(1000))) else {
            panic!()
        };
        assert_eq!(reason.len(), SendError::MAX_REASON_LEN - 1);
    }
}
