//! An outbox that can be written to even when it cannot.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_core::{Page, PageRequest, Tally};
use chrono::{DateTime, Utc};
use tracing::{info, warn};

use super::Patience;
use crate::{ChannelName, Claim, DeadLetter, Delivery, MemoryOutbox, Outbox, Receipt, RepositoryError};

/// The host's outbox, if it has one, and one in memory beside it: what the first cannot store now is delivered from the second, so that
/// people hear of what is wrong although the store is away. That is counted, and lost if the process ends before it is delivered.
pub(crate) struct SafeOutbox {
    store: Option<Arc<dyn Outbox>>,
    memory: MemoryOutbox,
    patience: Patience,
    spilled: Tally,
    errors: Tally,
    /// Whether it failed to answer the last time, so that it is told once.
    failing: AtomicBool,
}

/// A claim, and the store that gave it, if it was not memory.
pub(crate) struct Held {
    pub(crate) claim: Claim,
    store: Option<Arc<dyn Outbox>>,
}

impl SafeOutbox {
    pub(crate) fn new(store: Option<Arc<dyn Outbox>>, memory: MemoryOutbox, patience: Patience) -> Self {
        Self {
            store,
            memory,
            patience,
            spilled: Tally::new(),
            errors: Tally::new(),
            failing: AtomicBool::new(false),
        }
    }

    /// Stores deliveries, in memory if need be.
    pub(crate) async fn put(
        &self,
        deliveries: &[Delivery],
        now: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        if let Some(store) = &self.store {
            if self.ask(store.put(deliveries, now)).await.is_ok() {
                return Ok(());
            }
            self.spilled.add(deliveries.len() as u64);
        }
        self.memory.put(deliveries, now).await.map(drop)
    }

    pub(crate) async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Held>, RepositoryError> {
        if let Some(claim) = self.memory.claim(channel, now, 1, lease).await?.into_iter().next() {
            return Ok(Some(Held { claim, store: None }));
        }
        let Some(store) = &self.store else { return Ok(None) };
        let claimed = self.ask(store.claim(channel, now, 1, lease)).await?;
        Ok(claimed.into_iter().next().map(|claim| Held { claim, store: Some(Arc::clone(store)) }))
    }

    /// Asks the host's outbox.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, RepositoryError>>,
    ) -> Result<T, RepositoryError> {
        let result = self.patience.ask("outbox", answer).await;
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
        match &held.store {
            Some(store) => self.ask(store.delivered(&held.claim, receipt, at)).await,
            None => self.memory.delivered(&held.claim, receipt, at).await,
        }
    }

    pub(crate) async fn retry_at(
        &self,
        held: &Held,
        at: DateTime<Utc>,
        error: &str,
    ) -> Result<(), RepositoryError> {
        match &held.store {
            Some(store) => self.ask(store.retry_at(&held.claim, at, error)).await,
            None => self.memory.retry_at(&held.claim, at, error).await,
        }
    }

    pub(crate) async fn release(&self, held: &Held, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        match &held.store {
            Some(store) => self.ask(store.release(&held.claim, at)).await,
            None => self.memory.release(&held.claim, at).await,
        }
    }

    pub(crate) async fn dead(
        &self,
        held: &Held,
        at: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), RepositoryError> {
        match &held.store {
            Some(store) => self.ask(store.dead(&held.claim, at, reason)).await,
            None => self.memory.dead(&held.claim, at, reason).await,
        }
    }

    pub(crate) async fn next_due(
        &self,
        channel: &ChannelName,
    ) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        let memory = self.memory.next_due(channel).await?;
        let stored = match &self.store {
            Some(store) => self.ask(store.next_due(channel)).await?,
            None => None,
        };
        Ok(memory.into_iter().chain(stored).min())
    }

    pub(crate) async fn pending(&self, channel: &ChannelName) -> Result<u64, RepositoryError> {
        let memory = self.memory.pending(channel).await?;
        let stored = match &self.store {
            Some(store) => self.ask(store.pending(channel)).await?,
            None => 0,
        };
        Ok(memory + stored)
    }

    /// Dead letters of the host's outbox, or those in memory if it has none.
    pub(crate) async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError> {
        match &self.store {
            Some(store) => self.ask(store.dead_letters(page)).await,
            None => self.memory.dead_letters(page).await,
        }
    }

    /// How many deliveries went to memory because they could not be stored.
    pub(crate) fn spilled(&self) -> u64 {
        self.spilled.get()
    }

    /// How many deliveries memory had no room for.
    pub(crate) fn overflowed(&self) -> u64 {
        self.memory.overflowed()
    }

    /// How often the host's outbox failed to answer.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.get()
    }
}
