//! Snapshots: documents by scope, period and instant.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bellwether_core::{Page, PageRequest, TimeRange};
use chrono::{DateTime, Utc};

use crate::own_metrics::Figures;
use crate::sqlite::Engine;
use crate::sqlite::keyset::Keyset;
use crate::sqlite::snapshot_rows::{Prune, Put, SnapshotRow, Which};
use crate::{SnapshotConfig, StoreError};

/// Rows that one transaction deletes.
const PRUNED_AT_ONCE: i64 = 5_000;

/// A document about a scope in a period: what a strategy's performance was, what a report said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is about: `strategy/momentum`. 1 to [`Snapshot::MAX_NAME_LEN`] bytes.
    pub scope: String,
    /// Which period it sums up: `daily`, `2008`. 1 to [`Snapshot::MAX_NAME_LEN`] bytes.
    pub period: String,
    /// When; kept in whole microseconds.
    pub at: DateTime<Utc>,
    /// Version of the document's form, for who reads it back.
    pub schema_version: u32,
    /// The document: JSON of at most [`Snapshot::MAX_BODY_LEN`] bytes.
    pub body: String,
}

impl Snapshot {
    /// Longest scope and period, in bytes.
    pub const MAX_NAME_LEN: usize = 255;
    /// Longest document, in bytes: 1 MiB.
    pub const MAX_BODY_LEN: usize = 1 << 20;

    fn check(&self) -> Result<(), StoreError> {
        for (what, name) in [("scope", &self.scope), ("period", &self.period)] {
            if name.is_empty() || name.len() > Self::MAX_NAME_LEN {
                let reason = format!(
                    "{what} of a snapshot has {} bytes, expected 1 to {}",
                    name.len(),
                    Self::MAX_NAME_LEN
                );
                return Err(StoreError::Rejected { reason });
            }
        }
        if self.body.len() > Self::MAX_BODY_LEN {
            let (len, most) = (self.body.len(), Self::MAX_BODY_LEN);
            let reason = format!("body of a snapshot has {len} bytes, expected at most {most}");
            return Err(StoreError::Rejected { reason });
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(&self.body) {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(StoreError::Rejected { reason: format!("body of a snapshot is not JSON: {error}") })
            }
        }
    }
}

/// Which snapshots to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SnapshotQuery {
    /// Of this scope.
    pub scope: String,
    /// Only of this period.
    pub period: Option<String>,
    /// Only from this time.
    pub range: Option<TimeRange>,
}

impl SnapshotQuery {
    /// All of a scope.
    pub fn scope(scope: impl Into<String>) -> Self {
        Self { scope: scope.into(), period: None, range: None }
    }

    /// Only of this period.
    #[must_use]
    pub fn period(mut self, period: impl Into<String>) -> Self {
        self.period = Some(period.into());
        self
    }

    /// Only from this time.
    #[must_use]
    pub fn within(mut self, range: TimeRange) -> Self {
        self.range = Some(range);
        self
    }

    /// A number that stands for the question, to tie cursors to it; the same in every process.
    fn check(&self) -> u64 {
        let mut hasher = Crc(crc32fast::Hasher::new());
        self.hash(&mut hasher);
        hasher.finish()
    }
}

struct Crc(crc32fast::Hasher);

impl Hasher for Crc {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        u64::from(self.0.clone().finalize())
    }
}

/// The snapshots of a store. Cloned freely.
#[derive(Clone)]
pub struct StoredSnapshots {
    engine: Arc<Engine>,
    config: Arc<SnapshotConfig>,
    figures: Arc<Figures>,
}

impl StoredSnapshots {
    pub(crate) fn new(engine: Arc<Engine>, config: Arc<SnapshotConfig>, figures: Arc<Figures>) -> Self {
        Self { engine, config, figures }
    }

    /// Keeps a snapshot, in the place of one with the same scope, period and instant: putting twice is putting once.
    /// Durable when it returns. One that is replaced keeps its place among those that were put before: at the bound it goes when its
    /// first put is the oldest.
    pub async fn put(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        snapshot.check()?;
        let row = SnapshotRow {
            id: 0,
            scope: snapshot.scope.clone(),
            period: snapshot.period.clone(),
            at: snapshot.at.timestamp_micros(),
            schema_version: i64::from(snapshot.schema_version),
            body: snapshot.body.clone(),
        };
        self.engine.write(Put { row, most: i64::from(self.config.snapshots) }).await
    }

    /// The newest snapshot of a scope, of whatever period.
    pub async fn latest(&self, scope: &str) -> Result<Option<Snapshot>, StoreError> {
        let which = Which { scope: scope.to_owned(), period: None };
        let newest = self.engine.page(&which, Keyset::newest(1)).await?;
        Ok(newest.items.into_iter().next().map(snapshot))
    }

    /// One page, the newest first; snapshots of one instant the last put first.
    pub async fn page(
        &self,
        query: &SnapshotQuery,
        page: &PageRequest,
    ) -> Result<Page<Snapshot>, StoreError> {
        let which = Which { scope: query.scope.clone(), period: query.period.clone() };
        let page = Keyset::of(page, query.range, query.check())?;
        Ok(self.engine.page(&which, page).await?.map(snapshot))
    }

    /// Deletes snapshots from before an instant, in steps that leave room for others. Tells how many went.
    pub async fn retain(&self, older_than: DateTime<Utc>) -> Result<u64, StoreError> {
        let (before, limit) = (older_than.timestamp_micros(), PRUNED_AT_ONCE);
        let mut all = 0;
        loop {
            let pruned = self.engine.write(Prune { before, limit }).await?;
            self.figures.pruned.add(pruned);
            all += pruned;
            if pruned < limit.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}

fn snapshot(row: SnapshotRow) -> Snapshot {
    Snapshot {
        scope: row.scope,
        period: row.period,
        at: DateTime::from_timestamp_micros(row.at).unwrap_or_default(),
        schema_version: u32::try_from(row.schema_version).unwrap_or(u32::MAX),
        body: row.body,
    }
}

impl fmt::Debug for StoredSnapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSnapshots").field("database", &self.engine.name()).finish_non_exhaustive()
    }
}
