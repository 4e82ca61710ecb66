//! Rows of the snapshots.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::keyset::{Keyset, List, Place};
use super::request::{Rank, Write};

const REPLACE: &str =
    "UPDATE snapshots SET schema_version = ?4, body = ?5 WHERE scope = ?1 AND period = ?2 AND at = ?3";
const PUT: &str = "INSERT INTO snapshots (scope, period, at, schema_version, body) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
const FORGET: &str = "DELETE FROM snapshots WHERE id <= ?1";
const PRUNE: &str =
    "DELETE FROM snapshots WHERE id IN (SELECT id FROM snapshots WHERE at < ?1 ORDER BY at, id LIMIT ?2)";
const READ: &str = "SELECT id, scope, period, at, schema_version, body FROM snapshots
    WHERE scope = ?6 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4 ORDER BY at DESC, id DESC LIMIT ?5";
const READ_PERIOD: &str = "SELECT id, scope, period, at, schema_version, body FROM snapshots
    WHERE scope = ?6 AND period = ?7 AND (at, id) < (?1, ?2) AND at > ?3 AND at <= ?4
    ORDER BY at DESC, id DESC LIMIT ?5";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[REPLACE, PUT, FORGET, PRUNE, READ, READ_PERIOD];

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

    fn rank(&self) -> Rank {
        Rank::GivesWay
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let SnapshotRow { scope, period, at, schema_version, body, .. } = &self.row;
        // Not an upsert, which would use up an id each time, and ids bound how many there are.
        let replaced = sqlx::query(REPLACE)
            .bind(scope)
            .bind(period)
            .bind(at)
            .bind(schema_version)
            .bind(body)
            .execute(&mut *connection)
            .await?;
        if replaced.rows_affected() > 0 {
            return Ok(());
        }
        let (id,): (i64,) = sqlx::query_as(PUT)
            .bind(scope)
            .bind(period)
            .bind(at)
            .bind(schema_version)
            .bind(body)
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
}

#[async_trait]
impl List for Which {
    type Row = SnapshotRow;

    fn place(row: &SnapshotRow) -> Place {
        Place { at: row.at, id: row.id }
    }

    async fn read(&self, connection: &mut SqliteConnection, page: &Keyset) -> sqlx::Result<Vec<SnapshotRow>> {
        let query = match &self.period {
            Some(period) => page.select(READ_PERIOD).bind(&self.scope).bind(period),
            None => page.select(READ).bind(&self.scope),
        };
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
}
