//! An outbox that can be written to even when it cannot.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_core::{Page, PageRequest, Tally};
use chrono::{DateTime, Utc};
use tracing::{info, warn};

use crate::{ChannelName, Claim, DeadLetter, Delivery, MemoryOutbox, Outbox, Receipt, RepositoryError};

/// The host's outbox, and one in memory beside it: what the first cannot store now is delivered from the second, so that people hear of
/// what is wrong although the store is away. That is counted, and lost if the process ends before it is delivered.
pub(crate) struct SafeOutbox {
    main: Arc<dyn Outbox>,
    spare: MemoryOutbox,
    spilled: Tally,
    errors: Tally,
    /// Whether it failed to answer the last time, so that it is told once.
    failing: AtomicBool,
}

/// A claim, and which of the two gave it.
pub(crate) struct Held {
    pub(crate) claim: Claim,
    from_spare: bool,
}

impl SafeOutbox {
    pub(crate) fn new(main: Arc<dyn Outbox>, spare: MemoryOutbox) -> Self {
        Self { main, spare, spilled: Tally::new(), errors: Tally::new(), failing: AtomicBool::new(false) }
    }

    /// Stores deliveries, in memory if need be.
    pub(crate) async fn put(
        &self,
        deliveries: &[Delivery],
        now: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        if self.counted(self.main.put(deliveries, now).await).is_ok() {
            return Ok(());
        }
        self.spilled.add(deliveries.len() as u64);
        self.spare.put(deliveries, now).await.map(drop)
    }

    pub(crate) async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Held>, RepositoryError> {
        let spare = self.spare.claim(channel, now, 1, lease).await?;
        if let Some(claim) = spare.into_iter().next() {
            return Ok(Some(Held { claim, from_spare: true }));
        }
        let claimed = self.counted(self.main.claim(channel, now, 1, lease).await)?;
        Ok(claimed.into_iter().next().map(|claim| Held { claim, from_spare: false }))
    }

    fn of(&self, held: &Held) -> &dyn Outbox {
        if held.from_spare { &self.spare } else { &*self.main }
    }

    fn counted<T>(&self, result: Result<T, RepositoryError>) -> Result<T, RepositoryError> {
        match &result {
            // A claim that is no longer held is an answer.
            Ok(_) | Err(RepositoryError::Fenced { .. }) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    info!("outbox answers again");
                }
            }
            Err(error) => {
                self.errors.increment();
                if !self.failing.swap(true, Ordering::Relaxed) {
                    warn!(%error, "outbox does not answer, delivering from memory");
                }
            }
        }
        result
    }

    pub(crate) async fn delivered(
        &self,
        held: &Held,
        receipt: &Receipt,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.counted(self.of(held).delivered(&held.claim, receipt, at).await)
    }

    pub(crate) async fn retry_at(
        &self,
        held: &Held,
        at: DateTime<Utc>,
        error: &str,
    ) -> Result<(), RepositoryError> {
        self.counted(self.of(held).retry_at(&held.claim, at, error).await)
    }

    pub(crate) async fn release(&self, held: &Held, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.counted(self.of(held).release(&held.claim, at).await)
    }

    pub(crate) async fn dead(
        &self,
        held: &Held,
        at: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), RepositoryError> {
        self.counted(self.of(held).dead(&held.claim, at, reason).await)
    }

    pub(crate) async fn next_due(
        &self,
        channel: &ChannelName,
    ) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        let spare = self.spare.next_due(channel).await?;
        let main = self.counted(self.main.next_due(channel).await)?;
        Ok(spare.into_iter().chain(main).min())
    }

    pub(crate) async fn pending(&self, channel: &ChannelName) -> Result<u64, RepositoryError> {
        Ok(self.spare.pending(channel).await? + self.counted(self.main.pending(channel).await)?)
    }

    /// Dead letters of the host's outbox.
    pub(crate) async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError> {
        self.counted(self.main.dead_letters(page).await)
    }

    /// How many deliveries went to memory because they could not be stored.
    pub(crate) fn spilled(&self) -> u64 {
        self.spilled.get()
    }

    /// How often the host's outbox failed to answer.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.get()
    }
}
