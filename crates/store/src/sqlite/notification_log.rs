//! Rows of the notification log.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::keyset::{Keyset, List, Place};
use super::request::{Durability, Write};

const APPEND: &str =
    "INSERT INTO notification_log (at, channel, key, receiver, attempts, outcome, detail, payload)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS
    (SELECT 1 FROM notification_log WHERE channel = ?2 AND key = ?3 AND outcome = ?6) RETURNING id";
const FORGET: &str = "DELETE FROM notification_log WHERE id <= ?1";
const PRUNE: &str = "DELETE FROM notification_log WHERE id IN
    (SELECT id FROM notification_log WHERE at < ?1 ORDER BY at, id LIMIT ?2)";
const READ: &str = "SELECT id, at, channel, attempts, detail, payload FROM notification_log
    WHERE (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 ORDER BY at DESC, id DESC LIMIT ?5";
const READ_CHANNEL: &str = "SELECT id, at, channel, attempts, detail, payload FROM notification_log
    WHERE channel = ?6 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 AND (?7 IS NULL OR receiver = ?7)
    ORDER BY at DESC, id DESC LIMIT ?5";
const READ_RECEIVER: &str = "SELECT id, at, channel, attempts, detail, payload FROM notification_log
    WHERE receiver = ?6 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 ORDER BY at DESC, id DESC LIMIT ?5";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[APPEND, FORGET, PRUNE, READ, READ_CHANNEL, READ_RECEIVER];

/// A record that is to be added.
#[derive(Debug)]
pub(crate) struct NewRecord {
    pub(crate) at: i64,
    pub(crate) channel: String,
    pub(crate) key: [u8; 16],
    pub(crate) receiver: String,
    pub(crate) attempts: i64,
    pub(crate) outcome: &'static str,
    pub(crate) detail: String,
    pub(crate) payload: String,
}

/// Adds records that are not known yet.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) records: Vec<NewRecord>,
    pub(crate) most: i64,
    pub(crate) durability: Durability,
}

#[async_trait]
impl Write for Append {
    type Answer = ();

    fn durability(&self) -> Durability {
        self.durability
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let mut newest = None;
        for record in &self.records {
            let id: Option<(i64,)> = sqlx::query_as(APPEND)
                .bind(record.at)
                .bind(&record.channel)
                .bind(&record.key[..])
                .bind(&record.receiver)
                .bind(record.attempts)
                .bind(record.outcome)
                .bind(&record.detail)
                .bind(&record.payload)
                .fetch_optional(&mut *connection)
                .await?;
            newest = id.or(newest);
        }
        if let Some((id,)) = newest.filter(|(id,)| *id > self.most) {
            sqlx::query(FORGET).bind(id - self.most).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Deletes up to `limit` records from before an instant; tells how many.
#[derive(Debug)]
pub(crate) struct Prune {
    pub(crate) before: i64,
    pub(crate) limit: i64,
}

#[async_trait]
impl Write for Prune {
    type Answer = u64;

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<u64> {
        let pruned = sqlx::query(PRUNE).bind(self.before).bind(self.limit).execute(connection).await?;
        Ok(pruned.rows_affected())
    }
}

/// A record as it is stored.
#[derive(Debug)]
pub(crate) struct RecordRow {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) channel: String,
    pub(crate) attempts: i64,
    pub(crate) detail: String,
    pub(crate) payload: String,
}

/// Which records.
#[derive(Debug)]
pub(crate) struct Which {
    pub(crate) channel: Option<String>,
    pub(crate) receiver: Option<String>,
}

#[async_trait]
impl List for Which {
    type Row = RecordRow;

    fn place(row: &RecordRow) -> Place {
        Place { at: row.at, id: row.id }
    }

    async fn read(&self, connection: &mut SqliteConnection, page: &Keyset) -> sqlx::Result<Vec<RecordRow>> {
        let query = match (&self.channel, &self.receiver) {
            (Some(channel), receiver) => page.select(READ_CHANNEL).bind(channel).bind(receiver),
            (None, Some(receiver)) => page.select(READ_RECEIVER).bind(receiver),
            (None, None) => page.select(READ),
        };
        let rows: Vec<(i64, i64, String, i64, String, String)> = query.fetch_all(connection).await?;
        let record = |(id, at, channel, attempts, detail, payload)| RecordRow {
            id,
            at,
            channel,
            attempts,
            detail,
            payload,
        };
        Ok(rows.into_iter().map(record).collect())
    }
}
