//! Deliveries that are stored before they are sent.
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bellwether_core::{Page, PageRequest};
use chrono::{DateTime, Utc};

use crate::{ChannelName, Notification, Receipt, RepositoryError};

mod memory;

pub use memory::MemoryOutbox;

/// A notification on its way to one channel. Channel and [`Notification::key`] together are its identity.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Delivery {
    channel: ChannelName,
    notification: Arc<Notification>,
}

impl Delivery {
    /// A notification for a channel.
    pub fn new(channel: ChannelName, notification: Arc<Notification>) -> Self {
        Self { channel, notification }
    }

    /// Where to.
    pub fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// What.
    pub fn notification(&self) -> &Arc<Notification> {
        &self.notification
    }
}

/// A delivery that one courier holds for a while.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a claim is settled by `delivered`, `retry_at` or `dead`; otherwise it comes again when its lease ends"]
pub struct Claim {
    delivery: Delivery,
    fence: u64,
    attempt: u32,
    leased_until: DateTime<Utc>,
}

impl Claim {
    /// For implementers: `fence` differs for every claim of the outbox, `attempt` is 1 for the first.
    pub fn new(delivery: Delivery, fence: u64, attempt: u32, leased_until: DateTime<Utc>) -> Self {
        Self { delivery, fence, attempt, leased_until }
    }

    /// What is to be delivered.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Where to.
    pub fn channel(&self) -> &ChannelName {
        &self.delivery.channel
    }

    /// What.
    pub fn notification(&self) -> &Arc<Notification> {
        &self.delivery.notification
    }

    /// Tells this claim from every other claim, also of the same delivery.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// The how manieth attempt this is; 1 is the first.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Until when nobody else gets it.
    pub fn leased_until(&self) -> DateTime<Utc> {
        self.leased_until
    }
}

/// A delivery that will not be tried again by itself.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DeadLetter {
    /// What was to be delivered, and where to.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub delivery: Delivery,
    /// Attempts that were made.
    pub attempts: u32,
    /// When it was given up.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// Deliveries that are stored before they are sent: what makes delivery at least once.
///
/// A delivery is *open* from [`put`](Self::put) until it is delivered or dead. A courier claims it, tries, and settles the claim; a claim whose
/// lease ends without that, or whose holder the outbox knows to have gone, is open again for the next one, so a crash loses nothing. Each claim has a
/// fence: settling with a fence that is no longer the last one given for its delivery is refused with
/// [`RepositoryError::Fenced`] and changes nothing.
///
/// Within one channel, messages of one [`group`](Notification::group_key) never overtake one another: while one is open, later ones
/// of its group are not claimed. So nobody hears that an alert fires after hearing that it is over. What is put by [`supersede`](Self::supersede) does not wait
/// for those before it where it takes their place.
///
/// With an outbox of the host's, messages that it cannot take are delivered from one in memory beside it. Once such a message has been delivered, of what
/// the host's outbox holds of its group from before only the alerts are sent, firing or over, that no message delivered since has mentioned, as long as this
/// process lives: that an alert fires is told late rather than never. One that ends in between leaves no trace of that: the next one delivers the older
/// message whole, and people hear that an alert fires whose end they have heard.
///
/// Times are those of whoever calls, who must not let them step back or forth with the wall clock; see the methods for what they mean.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Stores deliveries, all or none; they are due at once. Durable when it returns.
    ///
    /// A delivery whose channel and key are known already, open, delivered or dead, is left out: putting twice is putting once. How long
    /// settled keys are remembered is the outbox's to say. Tells how many were new.
    async fn put(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError>;

    /// Stores deliveries as [`put`](Self::put) does, and each takes the place of those right before it in its channel and group that are open and not held by
    /// anyone, as [`Notification::in_place_of`] says, the newest first, up to one whose place it must not take: they are settled, and what is stored is the message
    /// that says it all. So a channel that fails for long gathers one message per group, and one that says what is so now is not held back by one that says what was.
    ///
    /// It stands where the oldest of them stood, so that a group that changes all the time is not sent to the end of the queue each time, and is due at once.
    /// Unless something [fires anew](Notification::fires_anew), the attempts made of the one whose place it takes count as its own, and it waits since then: what
    /// is given up after so many attempts, or so long, is given up although its group goes on changing. Where something does, neither is taken over: an alert
    /// is never given up for what was tried before it fired.
    ///
    /// A message before it that is held goes on first: it is on its way. Should that fail, the delivery is handed over again: one that is known
    /// and open takes the places that it could not take before, and counts as not new. One that is held itself, or settled, is left as it is.
    ///
    /// By default the same as [`put`](Self::put): then newer messages wait for older ones.
    async fn supersede(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        self.put(deliveries, now).await
    }

    /// Claims up to `limit` deliveries of a channel that are due, until `now + lease`: those of the worst
    /// [`urgency`](Notification::urgency) first, of these the oldest.
    async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, RepositoryError>;

    /// Settles a claim: the channel took it.
    async fn delivered(
        &self,
        claim: &Claim,
        receipt: &Receipt,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// Settles a claim: due again at `at`. The attempt counts.
    async fn retry_at(&self, claim: &Claim, at: DateTime<Utc>, error: &str) -> Result<(), RepositoryError>;

    /// Settles a claim: due again at `at`, and the attempt does not count, because none was made.
    async fn release(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), RepositoryError>;

    /// Settles a claim: given up.
    async fn dead(&self, claim: &Claim, at: DateTime<Utc>, reason: &str) -> Result<(), RepositoryError>;

    /// When [`claim`](Self::claim) may next find something for this channel, leases that end counted too; nothing when nothing is open.
    async fn next_due(&self, channel: &ChannelName) -> Result<Option<DateTime<Utc>>, RepositoryError>;

    /// How many deliveries of this channel are open.
    async fn pending(&self, channel: &ChannelName) -> Result<u64, RepositoryError>;

    /// What was given up, the newest first.
    async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError>;
}
