//! Outbox, notification log and alert history of a store.

use std::fmt;
use std::sync::Arc;

use bellwether_alerts::RepositoryError;
use bellwether_core::Severity;
use chrono::{DateTime, Utc};

use crate::own_metrics::Figures;
use crate::sqlite::request::Write;
use crate::sqlite::{self, Engine};
use crate::{AlertConfig, StoreError};

mod alert_history;
mod notification_log;
mod outbox;

/// Rows that one transaction deletes.
const PRUNED_AT_ONCE: i64 = 5_000;

/// Outbox, notification log and alert history of a store: implements [`Outbox`](bellwether_alerts::Outbox),
/// [`NotificationLog`](bellwether_alerts::NotificationLog) and [`AlertHistory`](bellwether_alerts::AlertHistory). Cloned freely.
///
/// A delivery that was put and a change that was appended are on the disk, synchronised, when it says so. Claims, settlements and the
/// log of deliveries are committed: a crash of the process loses none. What an earlier opening of the file had claimed and not settled is open
/// again at once, since one process alone writes to a file, and the attempt that was begun counts. A power cut may undo the last of them; then a delivery is
/// open again, is made once more with the same key, and logged again. Instants are kept in whole microseconds. A row that cannot
/// be read is put aside or passed over, counted and told to the log; it blocks nothing.
#[derive(Clone)]
pub struct StoredAlerts {
    engine: Arc<Engine>,
    config: Arc<AlertConfig>,
    figures: Arc<Figures>,
}

impl StoredAlerts {
    pub(crate) fn new(engine: Arc<Engine>, config: Arc<AlertConfig>, figures: Arc<Figures>) -> Self {
        Self { engine, config, figures }
    }

    /// Deletes changes and records from before an instant, in steps that leave room for others. Tells how many rows went.
    ///
    /// The beginnings of alerts that still fire stay, and so do open deliveries, settled keys and dead letters, which are bounded by
    /// their number.
    pub async fn retain(&self, older_than: DateTime<Utc>) -> Result<u64, StoreError> {
        let before = older_than.timestamp_micros();
        let mut all = 0;
        loop {
            let limit = PRUNED_AT_ONCE;
            let changes = self.engine.write(sqlite::alert_history::Prune { before, limit }).await?;
            let records = self.engine.write(sqlite::notification_log::Prune { before, limit }).await?;
            self.figures.pruned.add(changes + records);
            all += changes + records;
            if changes.max(records) < limit.unsigned_abs() {
                return Ok(all);
            }
        }
    }

    async fn write<W: Write>(
        &self,
        repository: &'static str,
        write: W,
    ) -> Result<W::Answer, RepositoryError> {
        self.engine.write(write).await.map_err(|error| error.of(repository))
    }

    fn passed_over(&self, table: &'static str, id: i64, error: &dyn fmt::Display) {
        self.figures.damaged.increment();
        tracing::error!(database = self.engine.name(), table, id, %error, "a row cannot be read");
    }
}

impl fmt::Debug for StoredAlerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAlerts").field("database", &self.engine.name()).finish_non_exhaustive()
    }
}

/// As a column has it.
fn rank(severity: Severity) -> i64 {
    Severity::ALL.iter().position(|known| *known == severity).map_or(0, |at| at as i64)
}

fn instant(micros: i64) -> DateTime<Utc> {
    let nearest = if micros < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_micros(micros).unwrap_or(nearest)
}

fn corrupt(repository: &'static str) -> impl Fn(serde_json::Error) -> RepositoryError {
    move |error| RepositoryError::corrupt(repository, error)
}

/// Rows as SQL counts them.
fn rows(count: u32) -> i64 {
    i64::from(count)
}
