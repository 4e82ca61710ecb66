//! How a channel is doing.
use std::fmt;

use chrono::{DateTime, Utc};

use crate::ChannelName;

/// How a channel is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case", tag = "state"))]
#[non_exhaustive]
pub enum ChannelState {
    /// It is set up, and the last attempt, if there was one, went well.
    Ready,
    /// It was switched off: its messages are skipped.
    Disabled,
    /// It could not be started: its messages are dead letters.
    FailedToStart {
        /// Why.
        reason: String,
    },
    /// It kept failing and is left alone for a while; its messages wait.
    OpenCircuit {
        /// When it is tried again.
        until: DateTime<Utc>,
        /// How the last attempt failed.
        reason: String,
    },
    /// The last attempt failed; it will be tried again.
    Degraded {
        /// How it failed.
        reason: String,
    },
    /// It was closed: nothing is sent any more.
    Closed,
}

impl ChannelState {
    /// One word: `ready`, `disabled`, `failed_to_start`, `open_circuit`, `degraded` or `closed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Disabled => "disabled",
            Self::FailedToStart { .. } => "failed_to_start",
            Self::OpenCircuit { .. } => "open_circuit",
            Self::Degraded { .. } => "degraded",
            Self::Closed => "closed",
        }
    }

    /// All words that [`as_str`](Self::as_str) may give.
    pub const WORDS: [&'static str; 6] =
        ["ready", "disabled", "failed_to_start", "open_circuit", "degraded", "closed"];
}

impl fmt::Display for ChannelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailedToStart { reason } => write!(f, "failed to start: {reason}"),
            Self::OpenCircuit { until, reason } => write!(f, "open circuit until {until}: {reason}"),
            Self::Degraded { reason } => write!(f, "degraded: {reason}"),
            state => f.write_str(state.as_str()),
        }
    }
}

/// What a courier has counted of its channel since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ChannelCounts {
    /// Attempts that were made.
    pub attempts: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// Attempts that failed and were to be made again.
    pub retries: u64,
    /// Messages that were given up.
    pub dead_letters: u64,
    /// Messages that were not sent because the channel is disabled.
    pub skipped: u64,
    /// Attempts without an answer in time.
    pub timeouts: u64,
    /// Times that the channel panicked, in an attempt or when it was asked whether it takes part.
    pub panics: u64,
    /// Attempts that the service refused because there were too many.
    pub rate_limited: u64,
    /// Times that a message had to wait for our own rate limit.
    pub held_back: u64,
    /// Deliveries that could not be written to the notification log.
    pub unlogged: u64,
    /// Messages that were not sent because a newer one of their group said it all.
    pub superseded: u64,
    /// Messages that wait, when last looked.
    pub pending: u64,
}

/// A channel, how it is doing, and what has been counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ChannelStatus {
    /// The channel.
    pub name: ChannelName,
    /// How it is doing.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub state: ChannelState,
    /// What has been counted.
    pub counts: ChannelCounts,
    /// When a message last arrived.
    pub last_success: Option<DateTime<Utc>>,
    /// When an attempt last failed, and how.
    pub last_failure: Option<(DateTime<Utc>, String)>,
}
