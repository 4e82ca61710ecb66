//! Rows of the notification log.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::request::Write;
use crate::place::Place;

const APPEND: &str =
    "INSERT INTO notification_log (at, channel, key, receiver, attempts, outcome, detail, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (channel, key, outcome) DO NOTHING RETURNING id";
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
}

#[async_trait]
impl Write for Append {
    type Answer = ();

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
    /// Before this place, not with it.
    pub(crate) before: Place,
    /// After the first instant, up to the second.
    pub(crate) within: (i64, i64),
    pub(crate) channel: Option<String>,
    pub(crate) receiver: Option<String>,
    pub(crate) limit: i64,
}

/// Records, the newest first.
pub(crate) async fn read(connection: &mut SqliteConnection, which: &Which) -> sqlx::Result<Vec<RecordRow>> {
    let (sql, first, second) = match (&which.channel, &which.receiver) {
        (Some(channel), receiver) => (READ_CHANNEL, Some(channel), receiver.as_ref()),
        (None, Some(receiver)) => (READ_RECEIVER, Some(receiver), None),
        (None, None) => (READ, None, None),
    };
    let mut query = sqlx::query_as(sql)
        .bind(which.before.at)
        .bind(which.before.id)
        .bind(which.within.0)
        .bind(which.within.1)
        .bind(which.limit);
    if let Some(first) = first {
        query = query.bind(first);
    }
    if which.channel.is_some() {
        query = query.bind(second);
    }
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
