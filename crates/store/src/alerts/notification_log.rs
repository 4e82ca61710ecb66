//! Who was told what, and when.

use std::sync::Arc;

use bellwether_alerts::{
    ChannelName, DeliveryOutcome, Notification, NotificationLog, NotificationQuery, NotificationRecord,
    RepositoryError,
};
use bellwether_core::{Page, PageRequest, async_trait};

use super::{StoredAlerts, corrupt, instant, rows};
use crate::sqlite::keyset::Keyset;
use crate::sqlite::notification_log::{Append, NewRecord, RecordRow, Which};
use crate::sqlite::request::Durability;

const NAME: &str = "notification log";

fn new(record: &NotificationRecord) -> Result<NewRecord, serde_json::Error> {
    Ok(NewRecord {
        at: record.at.timestamp_micros(),
        channel: record.channel.as_str().to_owned(),
        key: record.notification.key().as_u128().to_be_bytes(),
        receiver: record.notification.receiver().as_str().to_owned(),
        attempts: i64::from(record.attempts),
        outcome: record.outcome.as_str(),
        detail: serde_json::to_string(&record.outcome)?,
        payload: serde_json::to_string(&*record.notification)?,
    })
}

fn record(row: &RecordRow) -> Result<NotificationRecord, String> {
    let notification: Notification = serde_json::from_str(&row.payload).map_err(|error| error.to_string())?;
    let outcome: DeliveryOutcome = serde_json::from_str(&row.detail).map_err(|error| error.to_string())?;
    Ok(NotificationRecord {
        at: instant(row.at),
        channel: ChannelName::new(row.channel.clone()).map_err(|error| error.to_string())?,
        notification: Arc::new(notification),
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        outcome,
    })
}

#[async_trait]
impl NotificationLog for StoredAlerts {
    async fn append(&self, records: &[NotificationRecord]) -> Result<(), RepositoryError> {
        let are_delivered =
            records.iter().all(|record| matches!(record.outcome, DeliveryOutcome::Delivered { .. }));
        let records = records.iter().map(new).collect::<Result<Vec<_>, _>>().map_err(corrupt(NAME))?;
        if records.is_empty() {
            return Ok(());
        }
        // What was delivered is told before it is settled, and again if a power cut undoes both; nothing else is told twice.
        let durability = if are_delivered { Durability::Committed } else { Durability::Synchronised };
        self.write(NAME, Append { records, most: rows(self.config.notification_log), durability }).await
    }

    async fn read(
        &self,
        query: &NotificationQuery,
        page: &PageRequest,
    ) -> Result<Page<NotificationRecord>, RepositoryError> {
        let which = Which {
            channel: query.channel.as_ref().map(|channel| channel.as_str().to_owned()),
            receiver: query.receiver.as_ref().map(|receiver| receiver.as_str().to_owned()),
        };
        let page = Keyset::of(page, query.range, query.check())?;
        let found = self.engine.page(&which, page).await.map_err(|error| error.of(NAME))?;
        let Page { items: found, next } = found;
        let mut items = Vec::with_capacity(found.len());
        for row in &found {
            match record(row) {
                Ok(record) => items.push(record),
                Err(error) => self.passed_over("notification_log", row.id, &error),
            }
        }
        Ok(Page { items, next })
    }
}
