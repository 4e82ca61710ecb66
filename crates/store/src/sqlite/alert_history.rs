//! Rows of the alert history.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::keyset::{Keyset, List, Place};
use super::request::Write;

const SUPERSEDE: &str = "UPDATE alert_history SET current = 0
    WHERE current = 1 AND fingerprint = ?1 AND json_extract(change, '$.alert.labels') = ?2";
const APPEND: &str = "INSERT INTO alert_history (at, state, severity, category, fingerprint, current, change)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id";
const FORGET: &str = "DELETE FROM alert_history WHERE id <= ?1 AND current = 0";
const PRUNE: &str = "DELETE FROM alert_history WHERE id IN
    (SELECT id FROM alert_history WHERE at < ?1 AND current = 0 ORDER BY at, id LIMIT ?2)";
const READ: &str = "SELECT id, at, change FROM alert_history
    WHERE (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 AND (?6 IS NULL OR state = ?6)
    ORDER BY at DESC, id DESC LIMIT ?5";
const READ_CATEGORY: &str = "SELECT id, at, change FROM alert_history
    WHERE category = ?7 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 AND (?6 IS NULL OR state = ?6)
    AND (?8 IS NULL OR severity = ?8)
    ORDER BY at DESC, id DESC LIMIT ?5";
const READ_SEVERITY: &str = "SELECT id, at, change FROM alert_history
    WHERE severity = ?7 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 AND (?6 IS NULL OR state = ?6)
    ORDER BY at DESC, id DESC LIMIT ?5";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[SUPERSEDE, APPEND, FORGET, PRUNE, READ, READ_CATEGORY, READ_SEVERITY];

/// A change that is to be added.
#[derive(Debug)]
pub(crate) struct NewChange {
    pub(crate) at: i64,
    pub(crate) state: &'static str,
    pub(crate) severity: i64,
    pub(crate) category: String,
    pub(crate) fingerprint: [u8; 16],
    /// As the alert's own JSON has them.
    pub(crate) labels: String,
    /// The alert still fires.
    pub(crate) current: i64,
    /// Its JSON.
    pub(crate) change: String,
}

/// Adds changes.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) changes: Vec<NewChange>,
    pub(crate) most: i64,
}

#[async_trait]
impl Write for Append {
    type Answer = ();

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let mut newest = 0;
        for change in &self.changes {
            sqlx::query(SUPERSEDE)
                .bind(&change.fingerprint[..])
                .bind(&change.labels)
                .execute(&mut *connection)
                .await?;
            let (id,): (i64,) = sqlx::query_as(APPEND)
                .bind(change.at)
                .bind(change.state)
                .bind(change.severity)
                .bind(&change.category)
                .bind(&change.fingerprint[..])
                .bind(change.current)
                .bind(&change.change)
                .fetch_one(&mut *connection)
                .await?;
            newest = id;
        }
        if newest > self.most {
            sqlx::query(FORGET).bind(newest - self.most).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Deletes up to `limit` changes from before an instant, but not the beginnings of alerts that still fire; tells how many.
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

/// Which changes.
#[derive(Debug)]
pub(crate) struct Which {
    pub(crate) category: Option<String>,
    pub(crate) severity: Option<i64>,
    pub(crate) state: Option<&'static str>,
}

/// A change as it is stored: its id, when, and its JSON.
pub(crate) type ChangeRow = (i64, i64, String);

#[async_trait]
impl List for Which {
    type Row = ChangeRow;

    fn place(&(id, at, _): &ChangeRow) -> Place {
        Place { at, id }
    }

    async fn read(&self, connection: &mut SqliteConnection, page: &Keyset) -> sqlx::Result<Vec<ChangeRow>> {
        let query = match (&self.category, self.severity) {
            (Some(category), severity) => {
                page.select(READ_CATEGORY).bind(self.state).bind(category).bind(severity)
            }
            (None, Some(severity)) => page.select(READ_SEVERITY).bind(self.state).bind(severity),
            (None, None) => page.select(READ).bind(self.state),
        };
        query.fetch_all(connection).await
    }
}
