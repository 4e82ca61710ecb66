//! Rows of the snapshots.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::request::Write;
use crate::place::Place;

const PUT: &str = "INSERT INTO snapshots (scope, period, at, schema_version, body) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (scope, period, at) DO UPDATE SET schema_version = excluded.schema_version, body = excluded.body
    RETURNING id";
const FORGET: &str = "DELETE FROM snapshots WHERE id <= ?1";
const PRUNE: &str =
    "DELETE FROM snapshots WHERE id IN (SELECT id FROM snapshots WHERE at < ?1 ORDER BY at, id LIMIT ?2)";
const READ: &str = "SELECT id, scope, period, at, schema_version, body FROM snapshots
    WHERE scope = ?6 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 ORDER BY at DESC, id DESC LIMIT ?5";
const READ_PERIOD: &str = "SELECT id, scope, period, at, schema_version, body FROM snapshots
    WHERE scope = ?6 AND period = ?7 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4
    ORDER BY at DESC, id DESC LIMIT ?5";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[PUT, FORGET, PRUNE, READ, READ_PERIOD];

/// A snapshot as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotRow {
    pub(crate) id: i64,
    pub(crate) scope: String,
    pub(crate) period: String,
    pub(crate) at: i64,
    pub(crate) schema_version: i64,
    pub(crate) body: String,
}

/// Puts a snapshot in the place of what has the same scope, period and instant.
#[derive(Debug)]
pub(crate) struct Put {
    pub(crate) row: SnapshotRow,
    pub(crate) most: i64,
}

#[async_trait]
impl Write for Put {
    type Answer = ();

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let (id,): (i64,) = sqlx::query_as(PUT)
            .bind(&self.row.scope)
            .bind(&self.row.period)
            .bind(self.row.at)
            .bind(self.row.schema_version)
            .bind(&self.row.body)
            .fetch_one(&mut *connection)
            .await?;
        if id > self.most {
            sqlx::query(FORGET).bind(id - self.most).execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Deletes up to `limit` snapshots from before an instant; tells how many.
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

/// Which snapshots.
#[derive(Debug)]
pub(crate) struct Which {
    pub(crate) scope: String,
    pub(crate) period: Option<String>,
    /// Before this place, not with it.
    pub(crate) before: Place,
    /// After the first instant, up to the second.
    pub(crate) within: (i64, i64),
    pub(crate) limit: i64,
}

/// Snapshots of a scope, the newest first.
pub(crate) async fn read(connection: &mut SqliteConnection, which: &Which) -> sqlx::Result<Vec<SnapshotRow>> {
    let mut query = sqlx::query_as(if which.period.is_some() { READ_PERIOD } else { READ })
        .bind(which.before.at)
        .bind(which.before.id)
        .bind(which.within.0)
        .bind(which.within.1)
        .bind(which.limit)
        .bind(&which.scope);
    if let Some(period) = &which.period {
        query = query.bind(period);
    }
    let rows: Vec<(i64, String, String, i64, i64, String)> = query.fetch_all(connection).await?;
    let snapshot = |(id, scope, period, at, schema_version, body)| SnapshotRow {
        id,
        scope,
        period,
        at,
        schema_version,
        body,
    };
    Ok(rows.into_iter().map(snapshot).collect())
}
