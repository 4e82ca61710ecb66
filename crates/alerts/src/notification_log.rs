//! Who was told what, and when.
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use async_trait::async_trait;
use bellwether_core::{Page, PageRequest, TimeRange};
use chrono::{DateTime, Utc};

use crate::{ChannelName, Notification, Receipt, ReceiverName, RepositoryError};

mod memory;

pub use memory::MemoryNotificationLog;

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase", tag = "outcome")
)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The channel took it.
    Delivered {
        /// What the channel gave for it.
        receipt: Receipt,
    },
    /// It was given up.
    Dead {
        /// Why.
        reason: String,
    },
    /// The channel was disabled, so it was not sent.
    Skipped,
}

impl DeliveryOutcome {
    /// One word: `delivered`, `dead` or `skipped`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Dead { .. } => "dead",
            Self::Skipped => "skipped",
        }
    }
}

/// One delivery that has ended.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NotificationRecord {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Where it went.
    pub channel: ChannelName,
    /// What it was.
    pub notification: Arc<Notification>,
    /// Attempts that were made.
    pub attempts: u32,
    /// How it ended.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub outcome: DeliveryOutcome,
}

/// Which records to read; without any condition all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct NotificationQuery {
    /// Only those of this channel.
    pub channel: Option<ChannelName>,
    /// Only those for this receiver.
    pub receiver: Option<ReceiverName>,
    /// Only those that ended in this time.
    pub range: Option<TimeRange>,
}

impl NotificationQuery {
    /// A number that stands for the question, to tie cursors to it.
    pub fn check(&self) -> u64 {
        check(self)
    }

    /// Whether a record is meant.
    pub fn matches(&self, record: &NotificationRecord) -> bool {
        self.channel.as_ref().is_none_or(|channel| *channel == record.channel)
            && self.receiver.as_ref().is_none_or(|receiver| receiver == record.notification.receiver())
            && self.range.is_none_or(|range| crate::alert_history::within(range, record.at))
    }
}

/// A number that stands for a question.
pub(crate) fn check(query: &impl Hash) -> u64 {
    foldhash::quality::FixedState::with_seed(2).hash_one(query)
}

/// Who was told what, and when: one record for each delivery that ended.
#[async_trait]
pub trait NotificationLog: Send + Sync {
    /// Adds records. A record whose channel, notification key and outcome are known already is left out.
    async fn append(&self, records: &[NotificationRecord]) -> Result<(), RepositoryError>;

    /// One page, the newest first; records of one instant the last added first.
    async fn read(
        &self,
        query: &NotificationQuery,
        page: &PageRequest,
    ) -> Result<Page<NotificationRecord>, RepositoryError>;
}
