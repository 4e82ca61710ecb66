//! Who was told what, and when.

use std::sync::Arc;

use bellwether_alerts::{
    ChannelName, DeliveryOutcome, Notification, NotificationLog, NotificationQuery, NotificationRecord,
    RepositoryError,
};
use bellwether_core::{Page, PageRequest, async_trait};

use super::{StoredAlerts, corrupt, instant, rows};
use crate::place::{Place, span};
use crate::sqlite::notification_log::{Append, NewRecord, RecordRow, Which, read};

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
        let records = records.iter().map(new).collect::<Result<Vec<_>, _>>().map_err(corrupt(NAME))?;
        if records.is_empty() {
            return Ok(());
        }
        self.write(NAME, Append { records, most: rows(self.config.notification_log) }).await
    }

    async fn read(
        &self,
        query: &NotificationQuery,
        page: &PageRequest,
    ) -> Result<Page<NotificationRecord>, RepositoryError> {
        let limit = page.limit.get();
        let which = Which {
            before: Place::after(page, query.check())?,
            within: span(query.range),
            channel: query.channel.as_ref().map(|channel| channel.as_str().to_owned()),
            receiver: query.receiver.as_ref().map(|receiver| receiver.as_str().to_owned()),
            limit: limit as i64 + 1,
        };
        let mut reader = self.engine.read().await.map_err(|error| error.of(NAME))?;
        let found = read(reader.connection().map_err(|error| error.of(NAME))?, &which).await;
        let mut found = found.map_err(|error| reader.fault(error).of(NAME))?;
        reader.done();
        let more = found.len() > limit;
        found.truncate(limit);
        let next =
            found.last().filter(|_| more).map(|last| Place::new(last.at, last.id).cursor(query.check()));
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
