//! Deliveries that are stored before they are sent.

use std::sync::Arc;
use std::time::Duration;

use bellwether_alerts::{
    ChannelName, Claim, DeadLetter, Delivery, Notification, Outbox, Receipt, RepositoryError, SendError,
};
use bellwether_core::{Cursor, CursorError, Page, PageRequest, async_trait};
use chrono::{DateTime, TimeDelta, Utc};

use super::{StoredAlerts, corrupt, instant, rank, rows};
use crate::StoreError;
use crate::sqlite::outbox::{
    Bounds, ClaimDue, DeliveryKey, Merge, Merged, NewDelivery, Put, PutAside, Settle, Settlement, letters,
    next_due, pending,
};
use crate::sqlite::readers::Reader;

const NAME: &str = "outbox";

/// Most claims of one call.
const MAX_CLAIMS: usize = 1_000;

impl StoredAlerts {
    fn bounds(&self) -> Bounds {
        Bounds {
            open: rows(self.config.open_deliveries),
            settled: rows(self.config.settled_keys),
            letters: rows(self.config.dead_letters),
        }
    }

    async fn store(
        &self,
        deliveries: &[Delivery],
        now: DateTime<Utc>,
        merge: Option<Merge>,
    ) -> Result<usize, RepositoryError> {
        let new = |delivery: &Delivery| {
            let notification = delivery.notification();
            Ok(NewDelivery {
                key: key(delivery),
                group: notification.group_key().as_str().to_owned(),
                severity: rank(notification.urgency()),
                payload: serde_json::to_string(&**notification)?,
            })
        };
        let deliveries = deliveries.iter().map(new).collect::<Result<Vec<_>, _>>().map_err(corrupt(NAME))?;
        if deliveries.is_empty() {
            return Ok(0);
        }
        let put = Put {
            deliveries,
            now: now.timestamp_micros(),
            bounds: self.bounds(),
            earlier: Arc::clone(self.engine.earlier_claims()),
            merge,
        };
        self.write(NAME, put).await
    }

    async fn settle(&self, claim: &Claim, settlement: Settlement) -> Result<(), RepositoryError> {
        let fenced =
            || RepositoryError::Fenced { channel: claim.channel().to_string(), fence: claim.fence() };
        let fence = i64::try_from(claim.fence()).map_err(|_| fenced())?;
        let settle = Settle { key: key(claim.delivery()), fence, settlement, bounds: self.bounds() };
        if self.write(NAME, settle).await? { Ok(()) } else { Err(fenced()) }
    }

    pub(super) async fn reader(&self) -> Result<Reader<'_>, RepositoryError> {
        self.engine.read().await.map_err(|error| error.of(NAME))
    }
}

fn key(delivery: &Delivery) -> DeliveryKey {
    DeliveryKey {
        channel: delivery.channel().as_str().to_owned(),
        key: delivery.notification().key().as_u128().to_be_bytes(),
    }
}

fn told(error: StoreError) -> RepositoryError {
    error.of(NAME)
}

/// Cut at a character's border.
fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(text.len().min(SendError::MAX_REASON_LEN));
    text.get(..end).unwrap_or_default().to_owned()
}

fn notification(payload: &str) -> Result<Arc<Notification>, serde_json::Error> {
    serde_json::from_str(payload).map(Arc::new)
}

/// A payload that cannot be read takes no place and gives none: it is put aside when it is claimed.
fn merge(newer: &str, older: &str) -> Option<Merged> {
    let (newer, older) = (notification(newer).ok()?, notification(older).ok()?);
    let both = newer.in_place_of(&older)?;
    let (payload, severity) = (serde_json::to_string(&both).ok()?, rank(both.urgency()));
    Some(Merged { payload, severity, anew: newer.fires_anew(&older) })
}

#[async_trait]
impl Outbox for StoredAlerts {
    async fn put(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        self.store(deliveries, now, None).await
    }

    async fn supersede(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<usize, RepositoryError> {
        self.store(deliveries, now, Some(merge)).await
    }

    async fn claim(
        &self,
        channel: &ChannelName,
        now: DateTime<Utc>,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claim>, RepositoryError> {
        let until = TimeDelta::from_std(lease).ok().and_then(|lease| now.checked_add_signed(lease));
        let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let due = ClaimDue {
            channel: channel.as_str().to_owned(),
            now: now.timestamp_micros(),
            until: until.timestamp_micros(),
            limit: limit.min(MAX_CLAIMS) as i64,
            earlier: Arc::clone(self.engine.earlier_claims()),
        };
        let (mut claims, mut damaged) = (Vec::new(), Vec::new());
        for claimed in self.write(NAME, due).await? {
            match notification(&claimed.payload) {
                Ok(notification) => claims.push(Claim::new(
                    Delivery::new(channel.clone(), notification),
                    claimed.fence.unsigned_abs(),
                    u32::try_from(claimed.attempts).unwrap_or(u32::MAX),
                    until,
                )),
                Err(error) => {
                    self.passed_over("outbox", claimed.id, &error);
                    damaged.push((claimed.id, error.to_string()));
                }
            }
        }
        if !damaged.is_empty() {
            let aside = PutAside { rows: damaged, now: now.timestamp_micros(), bounds: self.bounds() };
            if let Err(error) = self.write(NAME, aside).await {
                // Theirs is no fault of the others; they come again when their leases end.
                tracing::warn!(database = self.engine.name(), %error, "damaged deliveries could not be put aside");
            }
        }
        Ok(claims)
    }

    async fn delivered(
        &self,
        claim: &Claim,
        _receipt: &Receipt,
        _at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.settle(claim, Settlement::Delivered).await
    }

    async fn retry_at(&self, claim: &Claim, at: DateTime<Utc>, error: &str) -> Result<(), RepositoryError> {
        let attempts = i64::from(claim.attempt());
        let error = Some(shortened(error));
        self.settle(claim, Settlement::Again { at: at.timestamp_micros(), attempts, error }).await
    }

    async fn release(&self, claim: &Claim, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        let attempts = i64::from(claim.attempt().saturating_sub(1));
        self.settle(claim, Settlement::Again { at: at.timestamp_micros(), attempts, error: None }).await
    }

    async fn dead(&self, claim: &Claim, at: DateTime<Utc>, reason: &str) -> Result<(), RepositoryError> {
        self.settle(claim, Settlement::Dead { at: at.timestamp_micros(), reason: shortened(reason) }).await
    }

    async fn next_due(&self, channel: &ChannelName) -> Result<Option<DateTime<Utc>>, RepositoryError> {
        let (earlier, now) = (self.engine.earlier_claims().last(), self.engine.now());
        let mut reader = self.reader().await?;
        let at = next_due(reader.connection().map_err(told)?, channel.as_str(), earlier, now).await;
        let at = at.map_err(|error| told(reader.fault(error)))?;
        reader.done();
        Ok(at.map(instant))
    }

    async fn pending(&self, channel: &ChannelName) -> Result<u64, RepositoryError> {
        let mut reader = self.reader().await?;
        let count = pending(reader.connection().map_err(told)?, channel.as_str()).await;
        let count = count.map_err(|error| told(reader.fault(error)))?;
        reader.done();
        Ok(count.unsigned_abs())
    }

    async fn dead_letters(&self, page: &PageRequest) -> Result<Page<DeadLetter>, RepositoryError> {
        let before = match &page.after {
            None => i64::MAX,
            Some(cursor) => {
                let key = cursor.key(0)?;
                key.parse().map_err(|_| CursorError::Malformed { text: key })?
            }
        };
        let limit = page.limit.get();
        let mut reader = self.reader().await?;
        let found = letters(reader.connection().map_err(told)?, before, limit as i64 + 1).await;
        let mut found = found.map_err(|error| told(reader.fault(error)))?;
        reader.done();
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| Cursor::new(0, &last.id.to_string()));
        let mut items = Vec::with_capacity(found.len());
        for row in found {
            match (ChannelName::new(row.channel), notification(&row.payload)) {
                (Ok(channel), Ok(notification)) => items.push(DeadLetter {
                    delivery: Delivery::new(channel, notification),
                    attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
                    at: instant(row.at),
                    reason: row.reason,
                }),
                (Err(error), _) => self.passed_over("dead_letters", row.id, &error),
                (_, Err(error)) => self.passed_over("dead_letters", row.id, &error),
            }
        }
        Ok(Page { items, next })
    }
}
