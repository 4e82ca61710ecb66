//! Claims that an earlier opening of the file left behind.

use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::SqliteConnection;

const LAST_FENCE: &str = "SELECT value FROM meta WHERE key = 'fence'";
const GIVE_BACK: &str = "UPDATE outbox SET fence = NULL, due_at = min(created_at, ?2) WHERE fence <= ?1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[LAST_FENCE, GIVE_BACK];

/// Claims that an earlier opening of the file made and did not settle. Only one process writes to a file, so whoever held them has gone, and
/// they are open again, whenever their leases end. They are known by their fences, which only grow.
///
/// Opening writes nothing: the first claim gives them back.
#[derive(Debug, Default)]
pub(crate) struct EarlierClaims {
    /// The last fence that was given before the file was opened; zero, which none has, once all are given back.
    last: AtomicI64,
}

impl EarlierClaims {
    /// Reads where the fences of earlier openings end. Before this opening has claimed anything.
    pub(super) async fn look(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let last: Option<(i64,)> = sqlx::query_as(LAST_FENCE).fetch_optional(connection).await?;
        self.last.store(last.map_or(0, |(last,)| last), Ordering::Release);
        Ok(())
    }

    /// Up to which fence claims are held by nobody; zero if there are none.
    pub(crate) fn last(&self) -> i64 {
        self.last.load(Ordering::Acquire)
    }

    /// Opens them again, in an open transaction. The attempts that were begun count.
    pub(super) async fn give_back(&self, connection: &mut SqliteConnection, now: i64) -> sqlx::Result<()> {
        let last = self.last();
        if last > 0 {
            sqlx::query(GIVE_BACK).bind(last).bind(now).execute(connection).await?;
        }
        Ok(())
    }

    /// That they are open again is committed.
    pub(super) fn given_back(&self) {
        self.last.store(0, Ordering::Release);
    }
}
