//! How often a store is waited for: what can be stored together is handed over together.
use std::sync::Arc;
use std::time::Duration;

use bellwether_alerts::{
    AlertChange, AlertHistory, AlertQuery, ChannelName, Claim, DeadLetter, Delivery, MemoryAlertHistory,
    MemoryNotificationLog, MemoryOutbox, NotificationLog, NotificationQuery, NotificationRecord, Outbox,
    Receipt, RepositoryError, async_trait,
};
use bellwether_core::{Page, PageRequest, Severity};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use crate::block_on;
use crate::delivery::{Desk, config};

/// Stores whose answers take a while, and which note what was asked and what was answered.
#[derive(Clone, Default)]
struct Slow {
    outbox: Arc<MemoryOutbox>,
    history: Arc<MemoryAlertHistory>,
    log: Arc<MemoryNotificationLog>,
    noted: Arc<Mutex<Vec<&'static str>>>,
}

impl Slow {
    async fn write<T>(
        &self,
        asked: &'static str,
        answered: &'static str,
        answer: impl Future<Output = T>,
    ) -> T {
        self.noted.lock().push(asked);
        tokio::task::yield_now().await;
        let answer = answer.await;
        self.noted.lock().push(answered);
        answer
    }
}

#[async_trait]
impl Outbox for Slow {
    async fn put(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        self.write("put", "is put", self.outbox.put(deliveries, now)).await
    }
    async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, RepositoryError> {
        self.write("claim", "is claimed", self.outbox.claim(channel, now, limit, lease)).await
    }
    async fn delivered(
        &self,
        claim: &Claim,
        receipt: &Receipt,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.write("deliver", "is delivered", self.outbox.delivered(claim, receipt, at)).await
    }
    async fn retry_at(&self, claim: &Claim, at: DateTime<Utc>, error: &str) -> Result<(), RepositoryError> {
        self.outbox.retry_at(claim, at, error).await
    }
    async fn release(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.outbox.release(claim, at).await
    }
    async fn dead(&self, claim: &Claim, at: DateTime<Utc>, reason: &str) -> Result<(), RepositoryError> {
        self.outbox.dead(claim, at, reason).await
    }
    async fn next_due(&self, channel: &ChannelName) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        self.outbox.next_due(channel).await
    }
    async fn pending(&self, channel: &ChannelName) -> Result<u64, RepositoryError> {
        self.outbox.pending(channel).await
    }
    async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError> {
        self.outbox.dead_letters(page).await
    }
}

#[async_trait]
impl AlertHistory for Slow {
    async fn append(&self, changes: &[AlertChange]) -> Result<(), RepositoryError> {
        self.write("change", "is changed", self.history.append(changes)).await
    }
    async fn read(
        &self,
        query: &AlertQuery,
        page: &PageRequest,
    ) -> Result<Page<AlertChange>, RepositoryError> {
        self.history.read(query, page).await
    }
}

#[async_trait]
impl NotificationLog for Slow {
    async fn append(&self, records: &[NotificationRecord]) -> Result<(), RepositoryError> {
        self.write("log", "is logged", self.log.append(records)).await
    }
    async fn read(
        &self,
        query: &NotificationQuery,
        page: &PageRequest,
    ) -> Result<Page<NotificationRecord>, RepositoryError> {
        self.log.read(query, page).await
    }
}

#[test]
fn what_a_round_stores_is_waited_for_once_and_nothing_is_claimed_in_vain() {
    block_on(async {
        let slow = Slow::default();
        let stores = slow.clone();
        let mut config = config();
        config.receivers.values_mut().next().unwrap().channels.truncate(1);
        let desk = Desk::with(config, |builder| builder.remember(stores));
        desk.alerts.run_due().await; // looks for what an earlier run may have left
        slow.noted.lock().clear();
        desk.raise("A", Severity::Error);
        desk.raise("B", Severity::Error);
        desk.alerts.run_due().await;
        assert_eq!(desk.mail.titles(), ["[FIRING 1] error A", "[FIRING 1] error B"]);
        let noted = slow.noted.lock().clone();
        let one = ["claim", "is claimed", "log", "deliver", "is logged", "is delivered"];
        let stored = ["put", "put", "change", "is put", "is put", "is changed"];
        assert_eq!(noted, [stored.as_slice(), &one, &one].concat());
    });
}
