//! What goes wrong where alerts are remembered.
use bellwether_core::CursorError;

/// Why a repository of alerts (an [`Outbox`](crate::Outbox), an [`AlertHistory`](crate::AlertHistory), a
/// [`NotificationLog`](crate::NotificationLog)) did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// It cannot answer now; asking later may help.
    #[error("{repository} is unavailable: {reason}")]
    Unavailable {
        /// Which one.
        repository: &'static str,
        /// Why, without secrets.
        reason: String,
    },
    /// What is stored cannot be read; asking again will not help.
    #[error("{repository} holds what cannot be read: {reason}")]
    Corrupt {
        /// Which one.
        repository: &'static str,
        /// What is wrong, without secrets.
        reason: String,
    },
    /// The claim is no longer held: its lease ran out and somebody else may have it.
    #[error("claim {fence} of {channel} is no longer held")]
    Fenced {
        /// The channel it was for.
        channel: String,
        /// The claim's fence.
        fence: u64,
    },
    /// The cursor does not fit.
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

impl RepositoryError {
    /// It cannot answer now.
    pub fn unavailable(repository: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { repository, reason: reason.to_string() }
    }

    /// What is stored cannot be read.
    pub fn corrupt(repository: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { repository, reason: reason.to_string() }
    }
}
