//! An outbox that can be written to even when it cannot.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_core::{Labels, Page, PageRequest, Severity, Tally};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tracing::{info, warn};

use super::Patience;
use super::recent::Recent;
use crate::{
    ChannelName, Claim, DeadLetter, Delivery, GroupKey, IdempotencyKey, MemoryOutbox, Notification,
    NotificationKind, Outbox, Receipt, RepositoryError,
};

/// Groups of which the latest message is remembered.
const GROUPS: usize = 10_000;

/// Alerts of which is remembered what was said last.
const MENTIONS: usize = 20_000;

/// A group as one channel hears of it.
type ChannelGroup = (ChannelName, GroupKey);

/// The host's outbox, if it has one, and one in memory beside it: what the first cannot store now is delivered from the second, so that
/// people hear of what is wrong although the store is away. That is counted, and lost if the process ends before it is delivered. So is the
/// knowledge of what was delivered from memory: what the store then still holds of that group was put before it, and the next process, which
/// cannot know, delivers it, a beginning whose end was heard already included. As long as it is known, of what was put before only that is told which
/// nothing delivered since has mentioned.
pub(crate) struct SafeOutbox {
    store: Option<Arc<dyn Outbox>>,
    memory: MemoryOutbox,
    patience: Patience,
    spilled: Tally,
    errors: Tally,
    /// Whether it failed to answer the last time, so that it is told once.
    failing: AtomicBool,
    /// The latest message of each group of alerts: takes the place of one that was being sent, should that fail.
    latest: Mutex<Recent<ChannelGroup, Delivery>>,
    /// The place of each message of alerts among all that were put here.
    places: Mutex<Recent<IdempotencyKey, u64>>,
    /// The place of the latest message of each group that was delivered, where host's outbox and memory may both hold some: what they still hold that was
    /// put before it is out of date, but for what no message says that was put after it.
    passed: Mutex<Recent<ChannelGroup, Place>>,
    /// The place of the latest of those messages that listed an alert.
    mentioned: Mutex<Recent<(ChannelGroup, Labels), Place>>,
}

/// A claim, and the store that gave it, if it was not memory.
pub(crate) struct Held {
    pub(crate) claim: Claim,
    /// What is left to say of it, if something newer was said before.
    left: Option<Left>,
    store: Option<Arc<dyn Outbox>>,
}

/// What is left to say of a message after a newer one.
enum Left {
    Nothing,
    Rest(Delivery),
}

/// Which of two messages of a group is the newer one: the place among all that were put here, then the sequence. What an earlier run left was put before
/// everything else.
type Place = (u64, u64);

impl Held {
    /// What is to be delivered: the claim's, or what is left to say of it.
    pub(crate) fn delivery(&self) -> &Delivery {
        match &self.left {
            Some(Left::Rest(rest)) => rest,
            _ => self.claim.delivery(),
        }
    }

    /// What is to be sent; nothing if a newer message has said it all.
    pub(crate) fn message(&self) -> Option<&Notification> {
        match self.left {
            Some(Left::Nothing) => None,
            _ => Some(self.delivery().notification()),
        }
    }
}

fn channel_group(delivery: &Delivery) -> ChannelGroup {
    (delivery.channel().clone(), delivery.notification().group_key().clone())
}

/// Alerts take the place of older ones, other messages wait for those before them.
async fn put(
    outbox: &dyn Outbox,
    deliveries: &[Delivery],
    now: DateTime<Utc>,
) -> Result<usize, RepositoryError> {
    let alerts = |delivery: &Delivery| delivery.notification().kind() == NotificationKind::Alerts;
    if deliveries.iter().all(alerts) {
        outbox.supersede(deliveries, now).await
    } else {
        outbox.put(deliveries, now).await
    }
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
            latest: Mutex::new(Recent::new(GROUPS)),
            places: Mutex::new(Recent::new(GROUPS)),
            passed: Mutex::new(Recent::new(GROUPS)),
            mentioned: Mutex::new(Recent::new(MENTIONS)),
        }
    }

    /// Stores deliveries of one notification, in memory if need be.
    pub(crate) async fn put(
        &self,
        deliveries: &[Delivery],
        now: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        for delivery in deliveries.iter().filter(|it| it.notification().kind() == NotificationKind::Alerts) {
            self.latest.lock().note(channel_group(delivery), delivery.clone());
            self.places.lock().note_next(delivery.notification().key());
        }
        if let Some(store) = &self.store {
            // What is said now does not wait for a store that has just kept others waiting.
            if !self.patience.is_lost() && self.ask(put(&**store, deliveries, now)).await.is_ok() {
                let older_in_memory =
                    |it: &&Delivery| self.memory.holds(it.channel(), it.notification().group_key());
                let too: Vec<_> = deliveries.iter().filter(older_in_memory).cloned().collect();
                // Takes the places of those as well; whichever of the two is delivered first, the other is then known to be.
                return if too.is_empty() { Ok(()) } else { put(&self.memory, &too, now).await.map(drop) };
            }
            self.spilled.add(deliveries.len() as u64);
        }
        put(&self.memory, deliveries, now).await.map(drop)
    }

    pub(crate) async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Held>, RepositoryError> {
        let in_memory = self.memory.worst_due(channel, now);
        if let Some(severity) = in_memory {
            if let Some(worse) = self.claim_worse(channel, severity, now, lease).await {
                return Ok(Some(worse));
            }
            if let Some(claim) = self.memory.claim(channel, now, 1, lease).await?.into_iter().next() {
                return Ok(Some(Held { left: self.left_of(claim.delivery()), claim, store: None }));
            }
        }
        self.claim_stored(channel, now, lease).await
    }

    async fn claim_stored(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Held>, RepositoryError> {
        let Some(store) = &self.store else { return Ok(None) };
        let claimed = self.ask(store.claim(channel, now, 1, lease)).await?;
        Ok(claimed.into_iter().next().map(|claim| {
            let left = self.left_of(claim.delivery());
            Held { claim, left, store: Some(Arc::clone(store)) }
        }))
    }

    /// Claims what is due in the host's outbox if it is worse than what is due in memory: it does not wait behind what was spilled. Nothing if
    /// that outbox does not answer.
    async fn claim_worse(
        &self,
        channel: &ChannelName,
        in_memory: Severity,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Option<Held> {
        let store =
            self.store.as_ref().filter(|_| in_memory < Severity::Critical && !self.patience.is_lost())?;
        // A look costs a store less than a claim.
        let due = self.ask(store.next_due(channel)).await.ok()??;
        if due > now {
            return None;
        }
        let held = self.claim_stored(channel, now, lease).await.ok()??;
        if held.claim.notification().urgency() > in_memory {
            return Some(held);
        }
        // Should it not be taken back, it comes again when its lease ends.
        let _ = self.release(&held, now, now).await;
        None
    }

    fn place(&self, message: &Notification) -> Place {
        (self.places.lock().get(&message.key()).copied().unwrap_or_default(), message.sequence())
    }

    /// What is left to say of a delivery that one put after it has passed by: what none of those has mentioned.
    fn left_of(&self, delivery: &Delivery) -> Option<Left> {
        let group = channel_group(delivery);
        let passed = self.passed.lock().get(&group).copied()?;
        let message = delivery.notification();
        let place = self.place(message);
        if message.kind() != NotificationKind::Alerts || place > passed {
            return None;
        }
        let said = self.mentioned.lock();
        let rest = message.left_after(|alert| {
            let last = said.get(&(group.clone(), alert.labels().clone()));
            last.is_some_and(|last| *last >= place)
        });
        Some(rest.map_or(Left::Nothing, |rest| {
            Left::Rest(Delivery::new(delivery.channel().clone(), Arc::new(rest)))
        }))
    }

    /// A delivery has been made: what was put before it is out of date.
    fn pass(&self, delivery: &Delivery) {
        let (group, place) = (channel_group(delivery), self.place(delivery.notification()));
        let mut said = self.mentioned.lock();
        for alert in delivery.notification().listed() {
            said.note_greater((group.clone(), alert.labels().clone()), place);
        }
        drop(said);
        self.passed.lock().note_greater(group, place);
    }

    /// A claim was given back: what came after it in its group meanwhile takes its place.
    async fn give_way(&self, held: &Held, now: DateTime<Utc>) {
        let latest = self.latest.lock().get(&channel_group(held.claim.delivery())).cloned();
        let Some(latest) = latest.filter(|it| it.notification().key() != held.claim.notification().key())
        else {
            return;
        };
        // Should it fail, the newer one waits for the older.
        let _ = match &held.store {
            Some(store) => self.ask(store.supersede(&[latest], now)).await,
            None => self.memory.supersede(&[latest], now).await,
        };
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
        let place = channel_group(held.claim.delivery());
        let in_both = self.store.is_some() && (held.store.is_none() || self.memory.holds(&place.0, &place.1));
        if in_both && held.claim.notification().kind() == NotificationKind::Alerts {
            self.pass(held.claim.delivery());
        }
        match &held.store {
            Some(store) => self.ask(store.delivered(&held.claim, receipt, at)).await,
            None => self.memory.delivered(&held.claim, receipt, at).await,
        }
    }

    /// Due again at `at`, unless something newer takes its place `now`.
    pub(crate) async fn retry_at(
        &self,
        held: &Held,
        at: DateTime<Utc>,
        error: &str,
        now: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        match &held.store {
            Some(store) => self.ask(store.retry_at(&held.claim, at, error)).await?,
            None => self.memory.retry_at(&held.claim, at, error).await?,
        }
        self.give_way(held, now).await;
        Ok(())
    }

    /// The same, but the attempt does not count.
    pub(crate) async fn release(
        &self,
        held: &Held,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        match &held.store {
            Some(store) => self.ask(store.release(&held.claim, at)).await?,
            None => self.memory.release(&held.claim, at).await?,
        }
        self.give_way(held, now).await;
        Ok(())
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
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        let memory = self.memory.next_due(channel).await?;
        if memory.is_some_and(|due| due <= now) {
            // Whatever the host's outbox says, and whether it does: memory comes first.
            return Ok(memory);
        }
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
