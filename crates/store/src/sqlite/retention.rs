//! Old samples go, a few at a time.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::request::{Company, Durability, Write};
use super::{chunk_rows, series_rows};
use crate::samples::Samples;

/// Chunks that one transaction deletes.
pub(super) const PRUNED_AT_ONCE: i64 = 500;

const RAISE: &str = "UPDATE meta SET value = CASE WHEN value > ?2 THEN ?1 ELSE max(value, ?1) END
    WHERE key = 'samples_from' RETURNING value";
const READ: &str = "SELECT value FROM meta WHERE key = 'samples_from'";
const VACUUM: &str = "PRAGMA incremental_vacuum(500)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[RAISE, READ, VACUUM];

/// From which instant on samples are kept.
pub(super) async fn kept_from(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    let (from,): (i64,) = sqlx::query_as(READ).fetch_one(connection).await?;
    Ok(from)
}

/// Samples from before an instant are not kept any more; tells from when on they are. What was said when the clock was ahead of
/// now no longer counts.
async fn raise(connection: &mut SqliteConnection, from: i64, now: i64) -> sqlx::Result<i64> {
    let (from,): (i64,) = sqlx::query_as(RAISE).bind(from).bind(now).fetch_one(connection).await?;
    Ok(from)
}

/// What one step of pruning came to.
#[derive(Debug, Default, Clone)]
pub(super) struct Pruned {
    pub(super) chunks: u64,
    /// Series without any sample left.
    pub(super) series: Vec<i64>,
}

impl Pruned {
    /// Whether nothing is left to prune.
    pub(super) fn is_last(&self) -> bool {
        self.chunks < PRUNED_AT_ONCE.unsigned_abs()
    }
}

/// Deletes chunks from before an instant; at the end also series that have no sample left.
pub(super) async fn step(
    connection: &mut SqliteConnection,
    samples: &Samples,
    before: i64,
) -> sqlx::Result<Pruned> {
    let chunks = chunk_rows::prune(connection, before, PRUNED_AT_ONCE).await?;
    let mut pruned = Pruned { chunks, series: Vec::new() };
    if pruned.is_last() {
        for series in series_rows::without_chunks(connection).await? {
            let is_open = samples.head.read().has(series);
            if !is_open {
                series_rows::remove(connection, series).await?;
                pruned.series.push(series);
            }
        }
    }
    if chunks > 0 {
        sqlx::query(VACUUM).execute(connection).await?;
    }
    Ok(pruned)
}

/// Tells everybody what has gone.
pub(super) fn committed(samples: &Samples, pruned: &Pruned) {
    samples.figures.pruned.add(pruned.chunks);
    let mut directory = samples.directory.write();
    pruned.series.iter().for_each(|series| directory.remove(*series));
    samples.figures.series.set(directory.len() as u64);
}

/// Keeps samples only from an instant on.
pub(crate) struct KeepFrom {
    pub(crate) samples: Arc<Samples>,
    pub(crate) from: i64,
    pub(crate) now: i64,
}

#[async_trait]
impl Write for KeepFrom {
    type Answer = ();

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        self.from = raise(connection, self.from, self.now).await?;
        Ok(())
    }

    fn committed(&mut self) {
        self.samples.keep_from(self.from);
    }
}

/// One step of pruning; tells how many chunks went and whether it was the last.
pub(crate) struct Prune {
    pub(crate) samples: Arc<Samples>,
    pub(crate) before: i64,
    pub(crate) pruned: Option<PrunedHere>,
}

/// What a step came to, until it is durable.
pub(crate) struct PrunedHere(Pruned);

#[async_trait]
impl Write for Prune {
    type Answer = (u64, Last);

    /// Samples that come in the same transaction could be of a series that goes with it.
    fn company(&self) -> Company {
        Company::NoFeed
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    async fn write(&mut self, connection: &mut SqliteConnection) -> sqlx::Result<(u64, Last)> {
        let pruned = step(connection, &self.samples, self.before).await?;
        let answer = (pruned.chunks, if pruned.is_last() { Last::Yes } else { Last::No });
        self.pruned = Some(PrunedHere(pruned));
        Ok(answer)
    }

    fn committed(&mut self) {
        if let Some(PrunedHere(pruned)) = self.pruned.take() {
            committed(&self.samples, &pruned);
        }
    }
}

/// Whether a step was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Yes,
    No,
}
